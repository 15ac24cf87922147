/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The host's end of a port of the guest's: a file that is written, a UNIX socket to
 * which one program at a time connects, or a socket that is connected already.
 *
 * All calls are made in the event loop's thread, or while it does not run.
 */
#ifndef LODGE_VIRTIO_PORT_H
#define LODGE_VIRTIO_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "board/loop.h"

struct port;

/**
 * struct port_config - what a port is connected to
 * @loop: waits for programs and their bytes
 * @path: of the file, which is created or emptied, or of the socket, which is created and
 *	must not exist
 * @socket: it is a socket
 * @peer: without @path, a connected stream socket, which the port takes over
 * @connected: called when a program has connected or gone
 * @readable: called while there is something to read and the port is not paused
 * @opaque: for both
 */
struct port_config {
	struct loop *loop;
	const char *path;
	bool socket;
	int peer;
	void (*connected)(void *opaque, bool connected);
	void (*readable)(void *opaque);
	void *opaque;
};

/**
 * port_open() - make a port; a socket's bytes wait for port_pause()
 *
 * Return: 0 or -errno.
 */
int port_open(struct port **port, const struct port_config *config);

/**
 * port_close() - close it; NULL is fine
 */
void port_close(struct port *port);

/**
 * port_is_connected() - ask if somebody takes what is written
 */
bool port_is_connected(const struct port *port);

/**
 * port_write() - write bytes, which are dropped if nobody is there
 *
 * Return: how many; -EAGAIN: a program has no room for any now.
 */
ssize_t port_write(struct port *port, const void *data, size_t size);

/**
 * port_read() - read bytes of a program's, which is gone if there are none
 *
 * Return: how many; 0: there are none.
 */
size_t port_read(struct port *port, void *data, size_t size);

/**
 * port_pause() - call readable() no longer, or again
 */
void port_pause(struct port *port, bool pause);

#endif
