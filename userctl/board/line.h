/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An interrupt line: a device drives it without knowing its receiver.
 */
#ifndef LODGE_BOARD_LINE_H
#define LODGE_BOARD_LINE_H

#include <stdbool.h>

/**
 * struct irq_line - an interrupt line
 * @set: called with the new level, from any thread.  The caller may hold its
 *	device's lock, so the receiver must take no lock but its own.  NULL: the
 *	line is not connected
 * @opaque: the receiver
 * @number: the receiver's input
 */
struct irq_line {
	void (*set)(void *opaque, unsigned int number, bool level);
	void *opaque;
	unsigned int number;
};

/**
 * irq_line_set() - drive a line, which need not be connected
 */
static inline void irq_line_set(const struct irq_line *line, bool level)
{
	if (line->set)
		line->set(line->opaque, line->number, level);
}

#endif
