/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Another thread's work in the middle of what the code under test does: see
 * kernel_interleave() in kernel.h.
 */
#ifndef UNIT_INTERLEAVE_H
#define UNIT_INTERLEAVE_H

#include <stddef.h>

/* What is to happen before access number @at to what is shared, from now on. */
static __thread struct {
	void (*happens)(void);
	unsigned int at;
} interleave;

void kernel_interleave(void)
{
	void (*happens)(void) = interleave.happens;

	if (!happens || interleave.at--)
		return;
	interleave.happens = NULL;
	happens();
}

#endif
