/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A fuzzer's input of which the bytes are choices.  One that is too short continues with
 * pseudo-random bytes, so that a few bytes make much happen.
 */
#ifndef LODGE_UNIT_FUZZ_INPUT_H
#define LODGE_UNIT_FUZZ_INPUT_H

#include <stddef.h>

#include "pure.h"

struct input {
	const u8 *data;
	size_t left;
	u32 noise;
};

static inline struct input input_of(const u8 *data, size_t size)
{
	return (struct input){ .data = data,
			       .left = size,
			       .noise = 2166136261U };
}

static inline u8 next_byte(struct input *in)
{
	if (in->left) {
		in->left--;
		in->noise = (in->noise ^ *in->data) * 16777619U;
		return *in->data++;
	}
	in->noise = in->noise * 1664525U + 1013904223U;
	return (u8)(in->noise >> 24);
}

static inline u64 next_bytes(struct input *in, unsigned int size)
{
	u64 value = 0;

	while (size--)
		value = value << 8 | next_byte(in);
	return value;
}

#endif
