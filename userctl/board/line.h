/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An interrupt line: a device drives it without knowing its receiver.
 */
#ifndef LODGE_BOARD_LINE_H
#define LODGE_BOARD_LINE_H

#include <pthread.h>
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

/**
 * struct irq_gate - several devices on one line, which is high while one of them
 * drives its input high
 * @lock: guards @high, and is held while @out is driven
 * @high: the inputs that are high, a bit each
 * @out: the line
 */
struct irq_gate {
	pthread_mutex_t lock;
	unsigned int high;
	struct irq_line out;
};

/**
 * irq_gate_init() - connect a gate, whose inputs are low, to a line
 */
void irq_gate_init(struct irq_gate *gate, const struct irq_line *out);

/**
 * irq_gate_fini() - end a gate, once nothing drives its inputs any more
 */
void irq_gate_fini(struct irq_gate *gate);

/**
 * irq_gate_input() - get one of a gate's inputs
 * @number: 0 to 31
 */
struct irq_line irq_gate_input(struct irq_gate *gate, unsigned int number);

#endif
