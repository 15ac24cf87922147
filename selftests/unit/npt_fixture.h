/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Nested page tables in a format, with a cache of tables to map from.
 */
#ifndef LODGE_UNIT_NPT_FIXTURE_H
#define LODGE_UNIT_NPT_FIXTURE_H

#include "pure.h"

#include "npt/npt.h"
#include "npt/table.h"

#include "kselftest_harness.h"

#define KIB4 0x1000ULL
#define MIB2 0x200000ULL
#define GIB1 0x40000000ULL

#define RX (LODGE_NPT_READ | LODGE_NPT_EXEC)
#define RWX (RX | LODGE_NPT_WRITE)

/* MSR IA32_VMX_EPT_VPID_CAP: Intel SDM vol. 3D, appendix A.10. */
#define CAP_EXECUTE_ONLY BIT_ULL(0)
#define CAP_WALK_4 BIT_ULL(6)
#define CAP_WALK_5 BIT_ULL(7)
#define CAP_WB BIT_ULL(14)
#define CAP_2M BIT_ULL(16)
#define CAP_1G BIT_ULL(17)
#define CAP_AD BIT_ULL(21)
#define CAP_OLD (CAP_WALK_4 | CAP_WB | CAP_2M | CAP_1G)
#define CAP_ALL (CAP_OLD | CAP_EXECUTE_ONLY | CAP_AD)

/* Reserved bits of an entry on a processor with 48 address bits. */
#define AMD_RESERVED GENMASK_ULL(51, 48)

FIXTURE(npt)
{
	struct lodge_npt_format format;
	struct lodge_npt npt;
	struct lodge_npt_cache cache;
};

/* @ept: IA32_VMX_EPT_VPID_CAP, or 0 for AMD's format.  Programs add the variants. */
FIXTURE_VARIANT(npt)
{
	u64 ept;
};

FIXTURE_SETUP(npt)
{
	int err = 0;

	memset(&self->cache, 0, sizeof(self->cache));
	if (variant->ept)
		err = lodge_npt_format_ept(&self->format, variant->ept, 46,
					   true);
	else
		lodge_npt_format_amd(&self->format, 4, true, AMD_RESERVED);
	ASSERT_EQ(0, err);
	ASSERT_EQ(0, lodge_npt_init(&self->npt, &self->format));
}

FIXTURE_TEARDOWN(npt)
{
	lodge_npt_fini(&self->npt);
	lodge_npt_cache_free(&self->cache);
	/* Each table that was counted must be freed. */
	EXPECT_EQ(0, self->npt.tables);
	EXPECT_EQ(0, self->npt.device_tables);
}

/* Return: the leaf or device entry that covers @gpa, or 0; @level: its level, or 0. */
static inline u64 npt_entry(const struct lodge_npt *npt, u64 gpa, u8 *level)
{
	struct lodge_npt_iter iter;

	lodge_npt_iter_start(&iter, npt, gpa, gpa + KIB4);
	while (lodge_npt_iter_next(&iter)) {
		if (lodge_npt_is_table(npt->format, iter.value, iter.level))
			continue;
		*level = iter.level;
		return iter.value;
	}
	*level = 0;
	return 0;
}

/* Return: the address to which @gpa is mapped, or all ones. */
static inline u64 npt_translate(const struct lodge_npt *npt, u64 gpa)
{
	u8 level;
	u64 entry = npt_entry(npt, gpa, &level);

	if (!lodge_npt_is_leaf(npt->format, entry, level))
		return ~0ULL;
	return (entry & npt->format->address) +
	       (gpa & (lodge_npt_size(level) - 1));
}

static inline int npt_map(struct lodge_npt *npt, struct lodge_npt_cache *cache,
			  u64 gpa, u64 pa, u8 level, u32 attr)
{
	int err = lodge_npt_cache_fill(cache);

	return err ?: lodge_npt_map(npt, cache, gpa, pa, level, attr);
}

/* Frees removed tables, as after a flush. */
static inline void npt_flush(struct lodge_npt *npt)
{
	lodge_npt_free_removed(npt, lodge_npt_take_removed(npt), false);
}

#define MAP(gpa, pa, level, attr) \
	npt_map(&self->npt, &self->cache, gpa, pa, level, attr)

#define ENTRY(gpa)                                   \
	({                                           \
		u8 _level;                           \
		npt_entry(&self->npt, gpa, &_level); \
	})
#define LEVEL(gpa)                                   \
	({                                           \
		u8 _level;                           \
		npt_entry(&self->npt, gpa, &_level); \
		_level;                              \
	})

#endif
