/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An interrupt line: what a device raises without knowing where it leads.
 */
#ifndef LODGE_BOARD_LINE_H
#define LODGE_BOARD_LINE_H

#include <stdbool.h>

/**
 * struct irq_line - one wire
 * @set: called with the new level, from any thread; the caller may hold its own
 *	device's lock, so the receiver takes only its own
 * @opaque: the receiver
 * @number: which of the receiver's inputs
 */
struct irq_line {
	void (*set)(void *opaque, unsigned int number, bool level);
	void *opaque;
	unsigned int number;
};

/**
 * irq_line_set() - drive a line; a line that leads nowhere is fine
 */
static inline void irq_line_set(const struct irq_line *line, bool level)
{
	if (line->set)
		line->set(line->opaque, line->number, level);
}

#endif
