/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A key that both sides of a connection share, in a file.
 */
#ifndef LODGE_CMD_MOVE_KEY_H
#define LODGE_CMD_MOVE_KEY_H

/* Hexadecimal digits of a key: 16 to 64 bytes. */
#define MOVE_KEY_MIN 32
#define MOVE_KEY_MAX 128
/* Who has the key, in a file that psktool has written, and in the handshake. */
#define MOVE_KEY_USER "lodge"

/**
 * move_key_read() - read a key
 * @path: a file of this user's that nobody else can read: one line of hexadecimal digits,
 *	which may follow "lodge:"
 * @key: out: the digits
 *
 * Return: 0, or the exit code after a message.
 */
int move_key_read(const char *path, char key[MOVE_KEY_MAX + 1]);

#endif
