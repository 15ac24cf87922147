/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The client of the control socket.
 */
#ifndef LODGE_CONTROL_CLIENT_H
#define LODGE_CONTROL_CLIENT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "control/directory.h"
#include "control/protocol.h"

/* For a request that is answered at once, if the controller is not stopped. */
#define CLIENT_PATIENCE_MS 30000
/* For one that is answered some time. */
#define CLIENT_FOREVER (-1)

struct client;

/**
 * client_open() - connect to the controller of a machine, and take its greeting
 * @client: set to the connection
 *
 * Return: 0; -EPROTO the other side does not speak this version of the protocol;
 * -ETIMEDOUT it does not answer; -errno.
 */
int client_open(struct client **client, const struct directory *directory);

/**
 * client_close() - close a connection; NULL is fine
 */
void client_close(struct client *client);

/**
 * client_pid() - the controller's process
 */
pid_t client_pid(const struct client *client);

/**
 * client_send() - send a request
 * @command: the command
 * @argument: name of an argument that is to be true, or NULL
 *
 * Return: 0 or -errno.
 */
int client_send(struct client *client, const char *command,
		const char *argument);

/**
 * client_send_file() - send a request with a descriptor
 * @command: the command
 * @argument: name of an argument that is to be true, or NULL
 * @fd: the descriptor, of which the controller gets a copy
 *
 * Return: 0 or -errno.
 */
int client_send_file(struct client *client, const char *command,
		     const char *argument, int fd);

/**
 * client_send_move() - send the request "migrate"
 * @move: its arguments
 * @fd: a socket to the other controller, of which this one gets a copy
 *
 * Return: 0 or -errno.
 */
int client_send_move(struct client *client, const struct control_move *move,
		     int fd);

/**
 * client_send_replicate() - send the request "replicate"
 * @every_ms: its argument
 * @fd: as for client_send_move()
 *
 * Return: 0 or -errno.
 */
int client_send_replicate(struct client *client, uint32_t every_ms, int fd);

/**
 * client_receive() - receive the answer to the last request
 * @patience_ms: milliseconds, or CLIENT_FOREVER
 * @ok: out: the answer, an object to be released; may be NULL
 * @why: out: with -EREMOTEIO, the reason
 * @size: bytes at @why
 *
 * Return: 0; -EREMOTEIO the answer is an error; -ETIMEDOUT there is none yet, and this may
 * be called again; -EPIPE the controller has ended; -EPROTO the answer is none; -errno.
 */
int client_receive(struct client *client, int patience_ms, json_t **ok,
		   char *why, size_t size);

/**
 * client_call() - client_send(), and client_receive() with CLIENT_PATIENCE_MS
 */
int client_call(struct client *client, const char *command,
		const char *argument, json_t **ok, char *why, size_t size);

/**
 * client_take_file() - take the descriptor that has come with the last answer
 *
 * Return: it, which is the caller's now; or -1: there is none.
 */
int client_take_file(struct client *client);

/**
 * client_wait_close() - wait until the controller has closed the connection, which is
 * the last that it does
 * @patience_ms: milliseconds
 */
void client_wait_close(struct client *client, int patience_ms);

/**
 * client_fd() - the descriptor, for the bytes that follow the answer to "console"
 */
int client_fd(const struct client *client);

/**
 * client_rest() - take such bytes that were received together with the answer
 *
 * Return: the number of bytes.
 */
size_t client_rest(struct client *client, void *data, size_t size);

#endif
