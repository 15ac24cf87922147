// SPDX-License-Identifier: GPL-2.0
/*
 * A program with a fault, which `lodge fuzz` finds: it reads commands of a letter, and one
 * sequence of them leads it astray.
 */
#include <stddef.h>
#include <stdint.h>

#include "harness.h"

static volatile int *cell;
static int memory;

/* Functions of their own, so that each is an edge that the fuzzer is told of. */
static __attribute__((noinline)) unsigned int take_u(unsigned int state)
{
	if (state != 'b')
		return 0;
	return 'u';
}

static __attribute__((noinline)) unsigned int take_g(unsigned int state)
{
	if (state == 'u')
		cell = NULL;
	return 0;
}

/* Return: false at the end of the commands. */
static int step(uint8_t command, unsigned int *state)
{
	switch (command) {
	case 'b':
		*state = 'b';
		return 1;
	case 'u':
		*state = take_u(*state);
		return 1;
	case 'g':
		*state = take_g(*state);
		return 1;
	case '.':
		*cell = 1;
		return 1;
	}
	return 0;
}

int main(void)
{
	unsigned int state = 0;
	const uint8_t *input;
	size_t size;

	cell = &memory;
	input = harness_begin(&size);
	for (size_t i = 0; i < size && step(input[i], &state); i++)
		;
	harness_done();
}
