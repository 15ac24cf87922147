/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TCP ports of this host and of others.
 */
#ifndef LODGE_CMD_MOVE_PORT_H
#define LODGE_CMD_MOVE_PORT_H

/**
 * move_port_connect() - connect to a port
 * @place: "HOST:PORT", as in "other:4000" and "[::1]:4000"
 * @fd: out: the connection
 *
 * Return: 0, or the exit code after a message.
 */
int move_port_connect(const char *place, int *fd);

/**
 * move_port_listen() - listen at a port
 * @place: "ADDRESS:PORT" of this host
 * @fd: out: the socket
 *
 * Return: 0, or the exit code after a message.
 */
int move_port_listen(const char *place, int *fd);

/**
 * move_port_accept() - wait for a connection
 *
 * Return: the connection, or -errno.
 */
int move_port_accept(int listener);

#endif
