/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random numbers that a seed repeats, and how long a test goes on.
 *
 * The environment has SOAK_SECONDS, for each test, and SOAK_SEED; without a seed
 * each run takes another one.  The seed is printed, so that a run that has found
 * something can be had again.
 */
#ifndef LODGE_SOAK_CHANCE_H
#define LODGE_SOAK_CHANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct chance - a source of random numbers; each thread has its own
 */
struct chance {
	uint64_t state;
};

/**
 * chance_start() - the source number @stream of this run
 */
struct chance chance_start(uint64_t stream);

uint64_t chance_number(struct chance *chance);

/**
 * chance_below() - a number from 0 to @limit - 1; 0 for a limit of 0
 */
uint32_t chance_below(struct chance *chance, uint32_t limit);

/**
 * chance_one_in() - true once in @times on average
 */
bool chance_one_in(struct chance *chance, uint32_t times);

/**
 * chance_fill() - random bytes
 */
void chance_fill(struct chance *chance, void *data, size_t size);

/**
 * chance_flip() - change up to @most bytes of @data, half of the time none
 */
void chance_flip(struct chance *chance, void *data, size_t size,
		 unsigned int most);

/**
 * struct span - the time that a test is given
 */
struct span {
	int64_t end;
};

struct span span_start(void);

/**
 * span_start_part() - the same for one of @parts tests that share it
 */
struct span span_start_part(unsigned int parts);

/**
 * span_goes_on() - true while some of it is left
 */
bool span_goes_on(const struct span *span);

/* For the harness: far more than a test can take. */
#define SOAK_TIMEOUT 1000000

#endif
