/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What of a machine's options its clones cannot have, or have otherwise.
 */
#ifndef LODGE_CMD_CLONE_WORD_H
#define LODGE_CMD_CLONE_WORD_H

#include <stddef.h>

/**
 * enum clone_change - how an option is changed: bits
 * @CLONE_OVERLAY: what the guest writes to the disk is kept apart, and forgotten in the end
 * @CLONE_NO_PORTS: no port of the host's leads to the guest's
 * @CLONE_NO_SERIAL: the serial port's output is not written to a file
 * @CLONE_NO_CONSOLE: the console device's second port leads nowhere
 */
enum clone_change {
	CLONE_OVERLAY = 1 << 0,
	CLONE_NO_PORTS = 1 << 1,
	CLONE_NO_SERIAL = 1 << 2,
	CLONE_NO_CONSOLE = 1 << 3,
};

/**
 * clone_word() - change an option so that several machines can have it beside each other
 * @word: "--NAME=VALUE" or "--NAME", of which nothing is assumed
 * @made: out: what takes its place, to be freed; or NULL: it stays as it is
 * @changes: bits of enum clone_change are added
 *
 * Return: 0; -EBUSY clones cannot have it, since the guest may write to it; -EOPNOTSUPP the
 * same, where it is another program that writes; -EBADF it has a descriptor, which all of
 * them would read; -ENOMEM.
 */
int clone_word(const char *word, char **made, unsigned int *changes);

#endif
