// SPDX-License-Identifier: GPL-2.0
/*
 * The host's time stamp counter over a suspend: see tsc.h.
 */
#include <linux/cache.h>

#include "tsc.h"

u64 lodge_tsc_moved __read_mostly;

/* lodge_tsc() when the host was suspended. */
static u64 tsc_suspended;

void lodge_tsc_suspend(void)
{
	tsc_suspended = lodge_tsc_ordered();
}

void lodge_tsc_resume(void)
{
	lodge_tsc_moved = tsc_suspended - rdtsc_ordered();
}
