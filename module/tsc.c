// SPDX-License-Identifier: GPL-2.0
/*
 * The host's time stamp counter over a suspend, and guests with another rate: see tsc.h.
 */
#include <linux/cache.h>
#include <linux/errno.h>

#include "tsc.h"

u64 lodge_tsc_moved __read_mostly;

/* lodge_tsc() when the host was suspended. */
static u64 tsc_suspended;

int lodge_tsc_scale_init(struct lodge_tsc_scale *scale, u32 khz,
			 unsigned int shift, unsigned int bits)
{
	u64 high, rest, ratio;

	if (!khz)
		return -EINVAL;
	*scale = (struct lodge_tsc_scale){ .khz = khz };
	if (khz == tsc_khz)
		return 0;
	/* Two digits of a long division: of 32 bits, and of 16. */
	high = div64_u64_rem((u64)khz << 32, tsc_khz, &rest);
	if (high >> (32 + 16))
		return -EINVAL;
	ratio = high << 16 | div64_u64(rest << 16, tsc_khz);
	scale->host_khz = tsc_khz;
	scale->shift = LODGE_TSC_SHIFT;
	scale->ratio = ratio;
	if (!shift)
		return 0;
	ratio >>= LODGE_TSC_SHIFT - shift;
	/* What it cannot show is left to the exits. */
	if (!ratio || (bits < 64 && ratio >> bits))
		return 0;
	scale->shift = shift;
	scale->ratio = ratio;
	scale->by_processor = true;
	return 0;
}

void lodge_tsc_suspend(void)
{
	tsc_suspended = lodge_tsc_ordered();
}

void lodge_tsc_resume(void)
{
	lodge_tsc_moved = tsc_suspended - rdtsc_ordered();
}
