// SPDX-License-Identifier: GPL-2.0
/*
 * Random numbers and time for the soak tests: see chance.h.
 */
#include "chance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define SECONDS_DEFAULT 20

static uint64_t seed(void)
{
	static uint64_t value;
	const char *word = getenv("SOAK_SEED");

	if (value)
		return value;
	if (word)
		value = strtoull(word, NULL, 0);
	else if (getrandom(&value, sizeof(value), 0) != sizeof(value))
		value = time(NULL);
	/* Short enough to be typed, and never zero. */
	value = (value & 0xffffffff) | 1;
	printf("# SOAK_SEED=%llu\n", (unsigned long long)value);
	fflush(stdout);
	return value;
}

struct chance chance_start(uint64_t stream)
{
	struct chance chance = { seed() ^ stream * 0x9e3779b97f4a7c15ULL };

	chance_number(&chance);
	return chance;
}

/* SplitMix64: any state is a good one, so streams may be numbered. */
uint64_t chance_number(struct chance *chance)
{
	uint64_t z = chance->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

uint32_t chance_below(struct chance *chance, uint32_t limit)
{
	return limit ? (chance_number(chance) >> 32) % limit : 0;
}

bool chance_one_in(struct chance *chance, uint32_t times)
{
	return !chance_below(chance, times);
}

void chance_fill(struct chance *chance, void *data, size_t size)
{
	uint8_t *to = data;

	while (size) {
		uint64_t number = chance_number(chance);
		size_t some = size < sizeof(number) ? size : sizeof(number);

		memcpy(to, &number, some);
		to += some;
		size -= some;
	}
}

void chance_flip(struct chance *chance, void *data, size_t size,
		 unsigned int most)
{
	unsigned int times =
		chance_one_in(chance, 2) ? 0 : 1 + chance_below(chance, most);

	while (times--)
		((uint8_t *)data)[chance_below(chance, size)] ^=
			1 << chance_below(chance, 8);
}

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec;
}

struct span span_start_part(unsigned int parts)
{
	const char *word = getenv("SOAK_SECONDS");
	int64_t seconds = word ? atoll(word) : 0;

	if (!seconds)
		seconds = SECONDS_DEFAULT;
	return (struct span){ now() + (seconds + parts - 1) / parts };
}

struct span span_start(void)
{
	return span_start_part(1);
}

bool span_goes_on(const struct span *span)
{
	return now() < span->end;
}
