// SPDX-License-Identifier: GPL-2.0
/*
 * AMD's entry: that of the long-mode page tables, with U/S set everywhere,
 * because the processor walks nested tables as a user (AMD APM vol. 2, sections
 * 15.25.5 and 5.3).
 *
 * The nested walk has the paging mode of the host and its PAT: bits PWT and PCD
 * clear are write-back in every PAT that Linux sets up, and PCD alone is UC-,
 * over which the guest may still ask for write combining.
 *
 * An address with a bit that the processor does not have is a reserved bit: a
 * walk that meets it ends in a nested page fault whose error code says so, and
 * of which nothing is cached (sections 5.3.1 and 15.25.6).
 */
#include "pure.h"

#include "npt/npt.h"

#define AMD_P BIT_ULL(0)
#define AMD_RW BIT_ULL(1)
#define AMD_US BIT_ULL(2)
#define AMD_PCD BIT_ULL(4)
#define AMD_A BIT_ULL(5)
#define AMD_D BIT_ULL(6)
#define AMD_PS BIT_ULL(7)
#define AMD_NX BIT_ULL(63)

void lodge_npt_format_amd(struct lodge_npt_format *format, u8 levels,
			  bool huge_1g, u64 reserved)
{
	*format = (struct lodge_npt_format){
		.levels = levels,
		.max_leaf = huge_1g ? 3 : 2,
		.address = GENMASK_ULL(51, 12),
		.table = AMD_P | AMD_RW | AMD_US | AMD_A,
		.present = AMD_P,
		.large = AMD_PS,
		.read = AMD_P | AMD_US,
		.write = AMD_RW,
		.no_exec = AMD_NX,
		.accessed = AMD_A,
		.dirty = AMD_D,
		.uncached = AMD_PCD,
		.device = reserved ? AMD_P | reserved : 0,
	};
}
