// SPDX-License-Identifier: GPL-2.0
/*
 * The time on a clock that nobody sets, for deadlines.
 */
#include "lib/now.h"

#include <time.h>

int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}
