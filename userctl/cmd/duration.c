// SPDX-License-Identifier: GPL-2.0
/*
 * Durations as people read them.
 */
#include "cmd/duration.h"

#include <inttypes.h>
#include <stdio.h>

#define NS_PER_S 1000000000ULL
#define S_PER_DAY 86400

void duration_format(char *text, size_t size, uint64_t ns)
{
	uint64_t seconds = ns / NS_PER_S;
	uint64_t days = seconds / S_PER_DAY;
	unsigned int rest = seconds % S_PER_DAY;
	int length = 0;

	if (days)
		length = snprintf(text, size, "%" PRIu64 "-", days);
	snprintf(text + length, size - length, "%02u:%02u:%02u", rest / 3600,
		 rest / 60 % 60, rest % 60);
}
