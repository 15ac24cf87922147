// SPDX-License-Identifier: GPL-2.0
/*
 * Compares nested page tables in each format with a plain array of pages, over random
 * sequences of changes.
 */
#include "npt_fixture.h"

FIXTURE_VARIANT_ADD(npt, amd){};
FIXTURE_VARIANT_ADD(npt, ept){ .ept = CAP_ALL };
FIXTURE_VARIANT_ADD(npt, old_ept){ .ept = CAP_OLD };

#define MODEL_PAGES 2048
#define MODEL_BASE (GIB1 - 2 * MIB2)
#define MODEL_STEPS 20000

struct model_page {
	u64 pa;
	u8 level; /* level of its leaf; 0: not mapped */
	bool writable;
	bool device; /* it has a device entry */
};

static u32 model_random(u64 *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return *seed >> 33;
}

static u32 model_group(const struct model_page *page, u32 i)
{
	return page[i].level == 2 ? i & ~511U : i;
}

static u32 model_group_size(const struct model_page *page, u32 i)
{
	return page[i].level == 2 ? 512 : 1;
}

static void model_map(struct model_page *page, u32 first, u64 pa, u8 level,
		      bool writable)
{
	u32 count = level == 2 ? 512 : 1;
	u32 i;

	if (page[first].level >= level && page[first].pa == pa &&
	    page[first].writable >= writable)
		return;
	if (page[first].level > level) {
		for (i = first & ~511U; i <= (first | 511); i++)
			page[i].level = 1;
	}
	for (i = 0; i < count; i++) {
		page[first + i].pa = pa + i * KIB4;
		page[first + i].level = level;
		page[first + i].writable = writable;
		page[first + i].device = false;
	}
}

/* A device entry is set only on a page without an entry, if the format has any. */
static bool model_device(struct model_page *page, u32 i, bool has_devices)
{
	if (has_devices && !page[i].level)
		page[i].device = true;
	return page[i].device;
}

static u32 model_resident(const struct model_page *page)
{
	u32 i, resident = 0;

	for (i = 0; i < MODEL_PAGES; i++)
		resident += !!page[i].level;
	return resident;
}

/* Removes every leaf that overlaps the range, or only its write access. */
static bool model_range(struct model_page *page, u32 first, u32 end,
			bool protect)
{
	bool changed = false;
	u32 i, j, group, size;

	for (i = first; i < end; i++) {
		if (!protect)
			page[i].device = false;
		if (!page[i].level || (protect && !page[i].writable))
			continue;
		changed = true;
		group = model_group(page, i);
		size = model_group_size(page, i);
		for (j = group; j < group + size; j++) {
			if (protect)
				page[j].writable = false;
			else
				page[j].level = 0;
		}
	}
	return changed;
}

/* The same in the nested tables, by the range or, if it is short, by single pages. */
static bool model_protect(struct lodge_npt *npt, u32 first, u32 end,
			  bool by_pages)
{
	u64 start = MODEL_BASE + first * KIB4;

	if (by_pages && end - first <= 64)
		return lodge_npt_protect_pages(npt, start,
					       ~0ULL >> (64 - (end - first)));
	return lodge_npt_protect(npt, start, MODEL_BASE + end * KIB4);
}

TEST_F(npt, any_sequence_of_changes_ends_as_in_a_plain_array)
{
	static struct model_page page[MODEL_PAGES];
	u64 seed = 1;
	u32 step, i, first, end;
	bool flush, changed;
	u8 level;

	memset(page, 0, sizeof(page));
	for (step = 0; step < MODEL_STEPS; step++) {
		u32 what = model_random(&seed) % 16;
		bool writable = model_random(&seed) & 1;
		u64 place = (1 + model_random(&seed) % 2) * GIB1;

		level = what < 9 ? 1 : 2;
		first = model_random(&seed) % MODEL_PAGES;
		end = first + 1 + model_random(&seed) % (MODEL_PAGES - first);
		if (model_random(&seed) & 1)
			end = first + 1;
		ASSERT_EQ(0, lodge_npt_cache_fill(&self->cache));
		if (what < 11) {
			if (level == 2)
				first &= ~511U;
			place += first * KIB4;
			ASSERT_LE(0, MAP(MODEL_BASE + first * KIB4, place,
					 level, writable ? RWX : RX));
			model_map(page, first, place, level, writable);
		} else if (what < 13) {
			flush = model_protect(&self->npt, first, end,
					      what == 12);
			changed = model_range(page, first, end, true);
			ASSERT_EQ(changed, flush);
		} else if (what == 13) {
			bool device =
				lodge_npt_map_device(&self->npt, &self->cache,
						     MODEL_BASE + first * KIB4);

			ASSERT_EQ(model_device(page, first,
					       !!self->format.device),
				  device);
		} else {
			flush = lodge_npt_unmap(&self->npt,
						MODEL_BASE + first * KIB4,
						MODEL_BASE + end * KIB4);
			changed = model_range(page, first, end, false);
			/* Removing a table needs a flush, even if it is empty. */
			ASSERT_TRUE(flush || !changed);
		}
		npt_flush(&self->npt);
		ASSERT_EQ(model_resident(page), lodge_npt_resident(&self->npt));
		for (i = step % 61; i < MODEL_PAGES; i += 61) {
			u64 gpa = MODEL_BASE + i * KIB4;
			u64 entry = npt_entry(&self->npt, gpa, &level);

			if (page[i].device) {
				ASSERT_EQ(self->format.device, entry);
				continue;
			}
			ASSERT_EQ(page[i].level, level);
			if (!level)
				continue;
			ASSERT_EQ(page[i].pa, npt_translate(&self->npt, gpa));
			ASSERT_EQ(page[i].writable,
				  !!(entry & self->format.write));
		}
	}
}

TEST_HARNESS_MAIN
