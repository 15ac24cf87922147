/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A process that carries bytes between an enciphered connection and a local socket.
 */
#ifndef LODGE_CMD_MOVE_CARRIER_H
#define LODGE_CMD_MOVE_CARRIER_H

#include <stddef.h>
#include <sys/types.h>

/**
 * struct move_cipher - an enciphered connection
 * @send: send some bytes; returns how many, or a number below zero: it is broken
 * @take: take some bytes; returns how many; or 0 or below at its end
 * @end: say that nothing more is sent
 * @opaque: for the functions
 *
 * One thread sends while another one takes.
 */
struct move_cipher {
	ssize_t (*send)(void *opaque, const void *bytes, size_t size);
	ssize_t (*take)(void *opaque, void *bytes, size_t size);
	void (*end)(void *opaque);
	void *opaque;
};

/**
 * move_carrier_start() - start the process
 * @cipher: it has a copy of it
 * @fd: descriptor of the connection, which the process has, too
 *
 * It ends when both sides have closed, or a short time after one has; it is no child of the
 * caller's, and has no other descriptor of the caller's.
 *
 * Return: the caller's end of the local socket, or -errno.
 */
int move_carrier_start(const struct move_cipher *cipher, int fd);

#endif
