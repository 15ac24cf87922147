/* SPDX-License-Identifier: GPL-2.0 */
/*
 * MSR ARCH_CAPABILITIES of a guest: which of its processor's bugs it need not work
 * around (Intel SDM vol. 4, table 2-2).
 *
 * Pure: builds in user space too, where its test makes up processors.
 */
#ifndef LODGE_ARCH_CAPS_H
#define LODGE_ARCH_CAPS_H

#include "pure.h"

#ifdef __KERNEL__
#include <asm/msr-index.h>
#else
#define ARCH_CAP_RDCL_NO BIT(0)
#define ARCH_CAP_IBRS_ALL BIT(1)
#define ARCH_CAP_RSBA BIT(2)
#define ARCH_CAP_SKIP_VMENTRY_L1DFLUSH BIT(3)
#define ARCH_CAP_SSB_NO BIT(4)
#define ARCH_CAP_MDS_NO BIT(5)
#define ARCH_CAP_PSCHANGE_MC_NO BIT(6)
#define ARCH_CAP_TSX_CTRL_MSR BIT(7)
#define ARCH_CAP_TAA_NO BIT(8)
#define ARCH_CAP_SBDR_SSDP_NO BIT(13)
#define ARCH_CAP_FBSDP_NO BIT(14)
#define ARCH_CAP_PSDP_NO BIT(15)
#define ARCH_CAP_FB_CLEAR BIT(17)
#define ARCH_CAP_FB_CLEAR_CTRL BIT(18)
#define ARCH_CAP_RRSBA BIT(19)
#define ARCH_CAP_BHI_NO BIT(20)
#define ARCH_CAP_PBRSB_NO BIT(24)
#define ARCH_CAP_GDS_CTRL BIT(25)
#define ARCH_CAP_GDS_NO BIT(26)
#define ARCH_CAP_RFDS_NO BIT(27)
#define ARCH_CAP_RFDS_CLEAR BIT(28)
#define ARCH_CAP_ITS_NO BIT_ULL(62)
#endif

/*
 * Bits that are true in a guest as well as in the host.  Others
 * announce MSRs that no guest has.
 */
#define LODGE_ARCH_CAPS                                                       \
	(ARCH_CAP_RDCL_NO | ARCH_CAP_IBRS_ALL | ARCH_CAP_RSBA |               \
	 ARCH_CAP_SKIP_VMENTRY_L1DFLUSH | ARCH_CAP_SSB_NO | ARCH_CAP_MDS_NO | \
	 ARCH_CAP_PSCHANGE_MC_NO | ARCH_CAP_TAA_NO | ARCH_CAP_SBDR_SSDP_NO |  \
	 ARCH_CAP_FBSDP_NO | ARCH_CAP_PSDP_NO | ARCH_CAP_FB_CLEAR |           \
	 ARCH_CAP_RRSBA | ARCH_CAP_BHI_NO | ARCH_CAP_PBRSB_NO |               \
	 ARCH_CAP_GDS_NO | ARCH_CAP_RFDS_NO | ARCH_CAP_RFDS_CLEAR |           \
	 ARCH_CAP_ITS_NO)

/* Defects of a processor that the host's kernel knows. */
enum lodge_arch_bug {
	LODGE_BUG_MELTDOWN,
	LODGE_BUG_SPEC_STORE_BYPASS,
	LODGE_BUG_MDS,
	LODGE_BUG_TAA,
	LODGE_BUG_GDS,
	LODGE_BUG_RFDS,
	LODGE_BUG_ITS,
	LODGE_BUG_ITLB_MULTIHIT,
	LODGE_NR_ARCH_BUGS,
};

/**
 * lodge_arch_caps() - the value of MSR ARCH_CAPABILITIES in a guest
 * @host: its value on the host; 0: the host has none
 * @bugs: BIT(enum lodge_arch_bug): what a guest has to work around on this host
 *
 * A processor that is older than a bug's bit cannot report that it is free of the bug.
 * The host's kernel may know it.
 */
static inline u64 lodge_arch_caps(u64 host, u32 bugs)
{
	static const u64 absent[LODGE_NR_ARCH_BUGS] = {
		[LODGE_BUG_MELTDOWN] = ARCH_CAP_RDCL_NO,
		[LODGE_BUG_SPEC_STORE_BYPASS] = ARCH_CAP_SSB_NO,
		[LODGE_BUG_MDS] = ARCH_CAP_MDS_NO,
		[LODGE_BUG_TAA] = ARCH_CAP_TAA_NO,
		[LODGE_BUG_GDS] = ARCH_CAP_GDS_NO,
		[LODGE_BUG_RFDS] = ARCH_CAP_RFDS_NO,
		[LODGE_BUG_ITS] = ARCH_CAP_ITS_NO,
		[LODGE_BUG_ITLB_MULTIHIT] = ARCH_CAP_PSCHANGE_MC_NO,
	};
	u64 value = host & LODGE_ARCH_CAPS;
	unsigned int i;

	for (i = 0; i < LODGE_NR_ARCH_BUGS; i++)
		if (!(bugs & BIT(i)))
			value |= absent[i];
	return value;
}

#endif
