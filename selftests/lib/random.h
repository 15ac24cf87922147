/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random numbers that repeat: the seed is fixed, so that a failure comes again, and
 * LODGE_SEED in the environment sets another one.
 */
#ifndef LODGE_LIB_RANDOM_H
#define LODGE_LIB_RANDOM_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define RANDOM_SEED 0x10d6e

static uint64_t random_state;

/* Begins the stream of numbers that belongs to @salt, and prints the seed. */
static inline void random_start(uint64_t salt)
{
	const char *text = getenv("LODGE_SEED");
	uint64_t seed = text ? strtoull(text, NULL, 0) : RANDOM_SEED;

	printf("# seed %#llx\n", (unsigned long long)seed);
	random_state = (seed + salt) * 0x9e3779b97f4a7c15ULL | 1;
}

/* Marsaglia's xorshift64. */
static inline uint64_t random_u64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* Return: a number from 0 to @bound - 1. */
static inline uint32_t random_below(uint32_t bound)
{
	return (uint32_t)(random_u64() >> 32) % bound;
}

#define PICK(array) ((array)[random_below(ARRAY_SIZE(array))])

#endif
