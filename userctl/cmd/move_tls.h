/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Connections by TLS 1.3 between two that share a key, by GnuTLS.
 *
 * A process of its own carries bytes between such a connection and a socket, which so leads
 * to the other side as any other does: a controller, which is confined, needs no GnuTLS.
 * The library is loaded when it is needed first.
 */
#ifndef LODGE_CMD_MOVE_TLS_H
#define LODGE_CMD_MOVE_TLS_H

#include <stdbool.h>

/**
 * move_tls_load() - load the library
 *
 * Return: 0, or the exit code after a message.
 */
int move_tls_load(void);

/**
 * move_tls_open() - have the other side of a connection prove that it has the key, and
 * prove it
 * @place: its name, for messages
 * @fd: the connection; is closed
 * @key: of move_key_read()
 * @server: this side has waited for the connection
 * @local: out: a socket that leads to the other side
 *
 * Return: 0, or the exit code after a message.
 */
int move_tls_open(const char *place, int fd, const char *key, bool server,
		  int *local);

#endif
