// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupt lines that devices share.
 */
#include "board/line.h"

/* The lock keeps the line's changes in the order of the inputs'. */
static void gate_set(void *opaque, unsigned int number, bool level)
{
	struct irq_gate *gate = opaque;

	pthread_mutex_lock(&gate->lock);
	gate->high &= ~(1U << number);
	gate->high |= (unsigned int)level << number;
	irq_line_set(&gate->out, gate->high != 0);
	pthread_mutex_unlock(&gate->lock);
}

void irq_gate_init(struct irq_gate *gate, const struct irq_line *out)
{
	pthread_mutex_init(&gate->lock, NULL);
	gate->high = 0;
	gate->out = *out;
}

void irq_gate_fini(struct irq_gate *gate)
{
	pthread_mutex_destroy(&gate->lock);
}

struct irq_line irq_gate_input(struct irq_gate *gate, unsigned int number)
{
	return (struct irq_line){
		.set = gate_set,
		.opaque = gate,
		.number = number,
	};
}
