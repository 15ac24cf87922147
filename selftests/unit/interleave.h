/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Another thread's work in the middle of the code under test: see kernel_interleave()
 * in kernel.h.
 */
#ifndef UNIT_INTERLEAVE_H
#define UNIT_INTERLEAVE_H

#include <stddef.h>

/* @happens: called before access number @at to shared data, counted from now on. */
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
