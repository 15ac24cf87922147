// SPDX-License-Identifier: GPL-2.0
/*
 * The walk over nested tables: every present entry of a range, once, a table
 * before what is in it, without recursion.
 */
#include "pure.h"

#include "npt/table.h"

u8 lodge_npt_bits(const struct lodge_npt_format *format)
{
	return 12 + 9 * format->levels;
}

void lodge_npt_iter_start(struct lodge_npt_iter *iter,
			  const struct lodge_npt *npt, u64 start, u64 end)
{
	u8 levels = npt->format->levels;
	u64 limit = lodge_npt_size(levels + 1);

	iter->npt = npt;
	iter->next = start;
	iter->end = min(end, limit);
	iter->level = levels;
	iter->table[levels - 1] = npt->root;
	iter->entry = NULL;
}

/* Leave the entry behind, and with it each table that ends there too. */
static void iter_advance(struct lodge_npt_iter *iter)
{
	iter->next = iter->gpa + lodge_npt_size(iter->level);
	while (iter->level < iter->npt->format->levels &&
	       !lodge_npt_index(iter->next, iter->level))
		iter->level++;
}

static void iter_leave(struct lodge_npt_iter *iter)
{
	const struct lodge_npt_format *format = iter->npt->format;
	u64 value;

	if (!iter->entry)
		return;
	value = lodge_entry_read(iter->entry);
	if (lodge_npt_is_table(format, value, iter->level)) {
		iter->level--;
		iter->table[iter->level - 1] =
			lodge_table_va(value & format->address);
	} else {
		iter_advance(iter);
	}
}

bool lodge_npt_iter_next(struct lodge_npt_iter *iter)
{
	u64 present = iter->npt->format->present;

	iter_leave(iter);
	while (iter->next < iter->end) {
		u8 level = iter->level;
		u32 index = lodge_npt_index(iter->next, level);

		iter->gpa = iter->next & ~(lodge_npt_size(level) - 1);
		iter->entry = &iter->table[level - 1][index];
		iter->value = lodge_entry_read(iter->entry);
		if (iter->value & present)
			return true;
		iter_advance(iter);
	}
	iter->entry = NULL;
	return false;
}
