// SPDX-License-Identifier: GPL-2.0
/*
 * Intel's entry: that of the extended page tables (Intel SDM vol. 3C, section
 * 29.3.2), with what this processor has of it.
 *
 * RAM is write-back.  The guest's own PAT may ask for less, as it may on bare
 * metal, unless the processor does not keep two memory types of one page
 * coherent: the host has its write-back mapping of the same page (section
 * 29.3.7.2).  Uncached memory is UC, over which the guest may still ask for write
 * combining.
 */
#include "pure.h"

#include "npt/npt.h"

#define EPT_R BIT_ULL(0)
#define EPT_W BIT_ULL(1)
#define EPT_X BIT_ULL(2)
#define EPT_TYPE_UC (0ULL << 3)
#define EPT_TYPE_WB (6ULL << 3)
#define EPT_IPAT BIT_ULL(6)
#define EPT_PS BIT_ULL(7)
#define EPT_A BIT_ULL(8)
#define EPT_D BIT_ULL(9)

/* MSR IA32_VMX_EPT_VPID_CAP, appendix A.10. */
#define EPT_CAP_EXECUTE_ONLY BIT_ULL(0)
#define EPT_CAP_WALK_4 BIT_ULL(6)
#define EPT_CAP_WALK_5 BIT_ULL(7)
#define EPT_CAP_WB BIT_ULL(14)
#define EPT_CAP_2M BIT_ULL(16)
#define EPT_CAP_1G BIT_ULL(17)
#define EPT_CAP_AD BIT_ULL(21)

/* The EPT pointer, section 25.6.11. */
#define EPTP_WB 6ULL
#define EPTP_LEVELS_SHIFT 3
#define EPTP_AD BIT_ULL(6)

#define EPT_ADDRESS GENMASK_ULL(51, 12)

/*
 * Writable without being readable is a misconfiguration, of which nothing is
 * cached: sections 29.3.3.1 and 29.4.2.  The address leads nowhere, should a
 * processor ever follow it, in speculation (L1TF) or because it has found a
 * meaning for such an entry.
 */
#define EPT_DEVICE (EPT_W | EPT_X | EPT_ADDRESS)

/* Five levels only if four cannot reach all addresses, or do not exist. */
static u8 ept_levels(u64 capabilities, u8 phys_bits)
{
	bool four = capabilities & EPT_CAP_WALK_4;
	bool five = capabilities & EPT_CAP_WALK_5;

	if (five && (phys_bits > 48 || !four))
		return 5;
	return four ? 4 : 0;
}

static u8 ept_max_leaf(u64 capabilities)
{
	if (!(capabilities & EPT_CAP_2M))
		return 1;
	return capabilities & EPT_CAP_1G ? 3 : 2;
}

int lodge_npt_format_ept(struct lodge_npt_format *format, u64 capabilities,
			 u8 phys_bits, bool self_snoop)
{
	u8 levels = ept_levels(capabilities, phys_bits);
	bool has_ad = capabilities & EPT_CAP_AD;

	if (!levels || !(capabilities & EPT_CAP_WB))
		return -EOPNOTSUPP;
	*format = (struct lodge_npt_format){
		.levels = levels,
		.max_leaf = ept_max_leaf(capabilities),
		.exec_only = capabilities & EPT_CAP_EXECUTE_ONLY,
		.address = EPT_ADDRESS,
		.table = EPT_R | EPT_W | EPT_X | (has_ad ? EPT_A : 0),
		.present = EPT_R | EPT_W | EPT_X,
		.large = EPT_PS,
		.read = EPT_R,
		.write = EPT_W,
		.exec = EPT_X,
		.accessed = has_ad ? EPT_A : 0,
		.dirty = has_ad ? EPT_D : 0,
		.cached = EPT_TYPE_WB | (self_snoop ? 0 : EPT_IPAT),
		.uncached = EPT_TYPE_UC,
		.device = EPT_DEVICE,
	};
	return 0;
}

u64 lodge_npt_eptp(const struct lodge_npt *npt)
{
	const struct lodge_npt_format *format = npt->format;
	u64 eptp = lodge_npt_root(npt) | EPTP_WB;

	eptp |= (u64)(format->levels - 1) << EPTP_LEVELS_SHIFT;
	if (format->accessed)
		eptp |= EPTP_AD;
	return eptp;
}
