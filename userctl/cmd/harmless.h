/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a guest has written, for a terminal at which somebody works.
 *
 * A terminal answers some sequences as if the answer were typed, and others change what it
 * does from then on; whoever reads the log of a guest does not expect either.  Of all
 * sequences only those for colours and for the erasure of a line are let through.
 */
#ifndef LODGE_CMD_HARMLESS_H
#define LODGE_CMD_HARMLESS_H

#include <stddef.h>
#include <stdio.h>

#define HARMLESS_MAX_SEQUENCE 32

/**
 * struct harmless - where a text is between two of its pieces
 * @held: the beginning of a sequence, which ends in the next piece
 * @count: bytes of @held
 * @more: bytes of a character that are still to come
 *
 * All zeroes at first.
 */
struct harmless {
	char held[HARMLESS_MAX_SEQUENCE];
	size_t count;
	unsigned int more;
};

/**
 * harmless_write() - write the next piece of a text
 *
 * Control characters come out as ^A, and what is no UTF-8 as '?'.
 */
void harmless_write(struct harmless *harmless, const char *text, size_t size,
		    FILE *file);

#endif
