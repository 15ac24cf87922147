// SPDX-License-Identifier: GPL-2.0
/*
 * Changes of nested tables: leaves and device entries set and taken away, leaves
 * made read-only and aged.
 *
 * A table that is taken out stays as it is, with all below it, on npt->removed
 * until the caller has flushed: until then a processor may be walking it.
 */
#include "pure.h"

#include "npt/table.h"

/*
 * The link of a table: a mark for its whole life that it was made for a device entry,
 * and while entries point to it, how many leaves it has.  One that was taken out is
 * page-aligned, so beside the next one's address there is room for its level.
 */
#define LINK_LEVEL 7UL
#define LINK_DEVICE 8UL
#define LINK_LEAF 16UL

int lodge_npt_cache_fill(struct lodge_npt_cache *cache)
{
	while (cache->nr < ARRAY_SIZE(cache->table)) {
		u64 *table = lodge_table_alloc();

		if (!table)
			return -ENOMEM;
		cache->table[cache->nr++] = table;
	}
	return 0;
}

void lodge_npt_cache_free(struct lodge_npt_cache *cache)
{
	while (cache->nr)
		lodge_table_free(cache->table[--cache->nr]);
}

int lodge_npt_init(struct lodge_npt *npt, const struct lodge_npt_format *format)
{
	memset(npt, 0, sizeof(*npt));
	npt->root = lodge_table_alloc();
	if (!npt->root)
		return -ENOMEM;
	npt->format = format;
	npt->tables = 1;
	return 0;
}

u64 lodge_npt_tables(const struct lodge_npt *npt)
{
	return lodge_entry_read(&npt->tables);
}

static void npt_count_total(struct lodge_npt_total *total, int change)
{
	for (; total; total = total->above)
		lodge_table_count(&total->tables, change);
}

void lodge_npt_count_into(struct lodge_npt *npt, struct lodge_npt_total *total)
{
	npt->total = total;
	npt_count_total(total, npt->tables);
}

u64 lodge_npt_resident(const struct lodge_npt *npt)
{
	return lodge_entry_read(&npt->resident);
}

/* Some leaves of a level come, or go. */
static void leaves_count(struct lodge_npt *npt, u8 level, int change)
{
	lodge_table_count(&npt->resident,
			  change * (int)(lodge_npt_size(level) >> 12));
}

/* The same for one, whose entry is in a table that is in use. */
static void leaf_count(struct lodge_npt *npt, u64 *entry, u8 level, int change)
{
	*lodge_table_link(lodge_table_of(entry)) += change * LINK_LEAF;
	leaves_count(npt, level, change);
}

/* All leaves of a table go with it. */
static void leaves_forget(struct lodge_npt *npt, u64 *table, u8 level)
{
	unsigned long *link = lodge_table_link(table);

	if (level <= LODGE_NPT_MAX_LEAF)
		leaves_count(npt, level, -(int)(*link / LINK_LEAF));
	*link %= LINK_LEAF;
}

static void npt_count(struct lodge_npt *npt, int change)
{
	lodge_table_count(&npt->tables, change);
	npt_count_total(npt->total, change);
}

u64 lodge_npt_root(const struct lodge_npt *npt)
{
	return lodge_table_pa(npt->root);
}

/* Goes down at most levels - 1 times. */
static void tree_free(struct lodge_npt *npt, u64 *table, u8 level, bool rest)
{
	const struct lodge_npt_format *format = npt->format;
	u32 i;

	for (i = 0; level > 1 && i < 512; i++) {
		if (lodge_npt_is_table(format, table[i], level))
			tree_free(npt,
				  lodge_table_va(table[i] & format->address),
				  level - 1, rest);
	}
	if (rest && level > 1)
		lodge_table_rest();
	leaves_forget(npt, table, level);
	if (*lodge_table_link(table) & LINK_DEVICE)
		lodge_table_count(&npt->device_tables, -1);
	lodge_table_free(table);
	npt_count(npt, -1);
}

static void tree_remove(struct lodge_npt *npt, u64 *table, u8 level)
{
	unsigned long *link = lodge_table_link(table);

	leaves_forget(npt, table, level);
	*link |= (unsigned long)npt->removed | level;
	npt->removed = table;
}

u64 *lodge_npt_take_removed(struct lodge_npt *npt)
{
	u64 *removed = npt->removed;

	npt->removed = NULL;
	return removed;
}

void lodge_npt_free_removed(struct lodge_npt *npt, u64 *removed, bool rest)
{
	while (removed) {
		u64 *table = removed;
		unsigned long link = *lodge_table_link(table);

		removed = (u64 *)(link & ~(LINK_LEVEL | LINK_DEVICE));
		*lodge_table_link(table) = link & LINK_DEVICE;
		tree_free(npt, table, link & LINK_LEVEL, rest);
		if (rest)
			lodge_table_rest();
	}
}

void lodge_npt_fini(struct lodge_npt *npt)
{
	if (!npt->root)
		return;
	lodge_npt_free_removed(npt, lodge_npt_take_removed(npt), true);
	tree_free(npt, npt->root, npt->format->levels, true);
	npt->root = NULL;
}

/* False: the processor would take such a leaf for a device entry, or for none. */
static bool leaf_possible(const struct lodge_npt_format *format, u32 attr)
{
	if (attr & LODGE_NPT_READ)
		return true;
	return format->exec_only &&
	       (attr & (LODGE_NPT_WRITE | LODGE_NPT_EXEC)) == LODGE_NPT_EXEC;
}

static u64 leaf_make(const struct lodge_npt_format *format, u64 pa, u8 level,
		     u32 attr)
{
	u64 leaf = pa & format->address;

	if (level > 1)
		leaf |= format->large;
	if (attr & LODGE_NPT_READ)
		leaf |= format->read;
	if (attr & LODGE_NPT_WRITE)
		leaf |= format->write;
	leaf |= attr & LODGE_NPT_EXEC ? format->exec : format->no_exec;
	if (attr & LODGE_NPT_ACCESSED)
		leaf |= format->accessed;
	if (attr & LODGE_NPT_DIRTY)
		leaf |= format->dirty;
	leaf |= attr & LODGE_NPT_UNCACHED ? format->uncached : format->cached;
	return leaf;
}

/*
 * True if leaf @old does all that leaf @new of the same or a lower level would:
 * the same place and memory type, and no right less.
 */
static bool leaf_covers(const struct lodge_npt_format *format, u64 old,
			u8 old_level, u64 new, u64 gpa)
{
	u64 rights = format->read | format->write | format->exec;
	u64 inside = gpa & (lodge_npt_size(old_level) - 1);
	u64 type = format->cached | format->uncached;

	return (old & format->address) + inside == (new & format->address) &&
	       !(rights & new & ~old) && !(old & ~new & format->no_exec) &&
	       !((old ^ new) & type);
}

static u64 *table_link(struct lodge_npt *npt, u64 *entry, u64 *table,
		       unsigned long mark)
{
	*lodge_table_link(table) = mark;
	lodge_entry_write(entry, lodge_table_pa(table) | npt->format->table);
	npt_count(npt, 1);
	return table;
}

/* Put a table of smaller leaves in the place of a leaf. */
static u64 *leaf_split(struct lodge_npt *npt, u64 *entry, u64 leaf, u8 level,
		       u64 *table)
{
	u64 step = lodge_npt_size(level - 1);
	u32 i;

	if (level == 2)
		leaf &= ~npt->format->large;
	for (i = 0; i < 512; i++)
		table[i] = leaf + i * step;
	/* The leaf's place in its table goes; what is mapped is the same. */
	*lodge_table_link(lodge_table_of(entry)) -= LINK_LEAF;
	return table_link(npt, entry, table, 512 * LINK_LEAF);
}

static bool leaf_set(struct lodge_npt *npt, struct lodge_npt_cache *cache,
		     u64 *entry, u64 leaf, u64 gpa, u8 level)
{
	const struct lodge_npt_format *format = npt->format;
	u64 old = lodge_entry_read(entry);
	bool flush = false;

	if (lodge_npt_is_leaf(format, old, level)) {
		if (leaf_covers(format, old, level, leaf, gpa))
			return false;
		/* More rights need no flush: a fault looks again. */
		flush = !leaf_covers(format, leaf, level, old, gpa);
	} else {
		leaf_count(npt, entry, level, 1);
	}
	lodge_entry_write(entry, leaf);
	lodge_leaf_count(&cache->leaves[level - 1]);
	if (lodge_npt_is_table(format, old, level)) {
		tree_remove(npt, lodge_table_va(old & format->address),
			    level - 1);
		flush = true;
	}
	return flush;
}

int lodge_npt_map(struct lodge_npt *npt, struct lodge_npt_cache *cache, u64 gpa,
		  u64 pa, u8 level, u32 attr)
{
	const struct lodge_npt_format *format = npt->format;
	u64 leaf = leaf_make(format, pa, level, attr);
	u64 *table = npt->root;
	bool flush = false;
	u8 at;

	if (!leaf_possible(format, attr))
		return -EINVAL;
	if (cache->nr + level < format->levels)
		return -ENOMEM;
	for (at = format->levels; at > level; at--) {
		u64 *entry = &table[lodge_npt_index(gpa, at)];
		u64 value = lodge_entry_read(entry);

		if (lodge_npt_is_table(format, value, at)) {
			table = lodge_table_va(value & format->address);
		} else if (!(value & format->present)) {
			table = table_link(npt, entry,
					   cache->table[--cache->nr], 0);
		} else if (leaf_covers(format, value, at, leaf, gpa)) {
			return flush ? LODGE_NPT_FLUSH : 0;
		} else {
			table = leaf_split(npt, entry, value, at,
					   cache->table[--cache->nr]);
			flush = true;
		}
	}
	flush |= leaf_set(npt, cache, &table[lodge_npt_index(gpa, level)], leaf,
			  gpa, level);
	return flush ? LODGE_NPT_FLUSH : 0;
}

/* The entry at which a walk to @gpa ends, and its level. */
static u64 *entry_find(const struct lodge_npt *npt, u64 gpa, u8 *level)
{
	const struct lodge_npt_format *format = npt->format;
	u8 at = format->levels;
	u64 *entry = &npt->root[lodge_npt_index(gpa, at)];
	u64 value = lodge_entry_read(entry);

	while (lodge_npt_is_table(format, value, at)) {
		u64 *table = lodge_table_va(value & format->address);

		entry = &table[lodge_npt_index(gpa, --at)];
		value = lodge_entry_read(entry);
	}
	*level = at;
	return entry;
}

bool lodge_npt_is_small(const struct lodge_npt *npt, u64 gpa)
{
	u8 level;

	entry_find(npt, gpa, &level);
	return level == 1;
}

bool lodge_npt_map_device(struct lodge_npt *npt, struct lodge_npt_cache *cache,
			  u64 gpa)
{
	const struct lodge_npt_format *format = npt->format;
	u64 *entry, *table, value;
	u8 level;

	if (!format->device || gpa >> lodge_npt_bits(format))
		return false;
	entry = entry_find(npt, gpa, &level);
	value = lodge_entry_read(entry);
	if (value)
		return lodge_npt_is_device(format, value);
	if (cache->nr + 1 < level ||
	    lodge_entry_read(&npt->device_tables) + level - 1 >
		    LODGE_NPT_MAX_DEVICE_TABLES)
		return false;
	while (level > 1) {
		table = table_link(npt, entry, cache->table[--cache->nr],
				   LINK_DEVICE);
		lodge_table_count(&npt->device_tables, 1);
		entry = &table[lodge_npt_index(gpa, --level)];
	}
	lodge_entry_write(entry, format->device);
	return true;
}

bool lodge_npt_unmap(struct lodge_npt *npt, u64 start, u64 end)
{
	const struct lodge_npt_format *format = npt->format;
	struct lodge_npt_iter iter;
	bool flush = false;

	lodge_npt_iter_start(&iter, npt, start, end);
	while (lodge_npt_iter_next(&iter)) {
		bool table = lodge_npt_is_table(format, iter.value, iter.level);

		if (table && (iter.gpa < start ||
			      end - iter.gpa < lodge_npt_size(iter.level)))
			continue;
		lodge_entry_write(iter.entry, 0);
		if (lodge_npt_is_leaf(format, iter.value, iter.level))
			leaf_count(npt, iter.entry, iter.level, -1);
		if (table)
			tree_remove(npt,
				    lodge_table_va(iter.value &
						   format->address),
				    iter.level - 1);
		flush |= !lodge_npt_is_device(format, iter.value);
	}
	return flush;
}

bool lodge_npt_protect(struct lodge_npt *npt, u64 start, u64 end)
{
	const struct lodge_npt_format *format = npt->format;
	struct lodge_npt_iter iter;
	bool flush = false;

	lodge_npt_iter_start(&iter, npt, start, end);
	while (lodge_npt_iter_next(&iter)) {
		if (!lodge_npt_is_leaf(format, iter.value, iter.level) ||
		    !(iter.value & format->write))
			continue;
		lodge_entry_clear(iter.entry, format->write);
		flush = true;
	}
	return flush;
}

/**
 * struct pages_walk - a walk over entries of single pages, in their order
 * @entry: where the walk to the last page has ended
 * @page: the page's address
 * @level: the entry's
 */
struct pages_walk {
	u64 *entry;
	u64 page;
	u8 level;
};

/* Go to @page's entry.  Return: its content if it is a leaf, or 0. */
static u64 walk_to_leaf(const struct lodge_npt *npt, struct pages_walk *walk,
			u64 page)
{
	u64 value;

	/* The next entry of the same table needs no walk. */
	if (walk->level == 1 && page >> 21 == walk->page >> 21)
		walk->entry += (page - walk->page) >> 12;
	else
		walk->entry = entry_find(npt, page, &walk->level);
	walk->page = page;
	value = lodge_entry_read(walk->entry);
	return lodge_npt_is_leaf(npt->format, value, walk->level) ? value : 0;
}

bool lodge_npt_protect_pages(struct lodge_npt *npt, u64 gpa, u64 pages)
{
	const u64 write = npt->format->write;
	struct pages_walk walk = {};
	bool flush = false;

	for (; pages; pages &= pages - 1) {
		u64 page = gpa + ((u64)__ffs64(pages) << 12);

		if (!(walk_to_leaf(npt, &walk, page) & write))
			continue;
		lodge_entry_clear(walk.entry, write);
		flush = true;
	}
	return flush;
}

u64 lodge_npt_clean_pages(struct lodge_npt *npt, u64 gpa, u64 pages, u64 *dirty)
{
	const u64 write = npt->format->write, mark = npt->format->dirty;
	struct pages_walk walk = {};
	u64 writable = 0;

	*dirty = 0;
	for (; mark && pages; pages &= pages - 1) {
		u64 page = gpa + ((u64)__ffs64(pages) << 12);
		u64 value = walk_to_leaf(npt, &walk, page);
		u64 bit = pages & -pages;

		if (!(value & write) || walk.level > 1)
			continue;
		writable |= bit;
		if (!(value & mark))
			continue;
		lodge_entry_clear(walk.entry, mark);
		*dirty |= bit;
	}
	return writable;
}

u64 lodge_npt_unwritten_pages(const struct lodge_npt *npt, u64 gpa, u64 pages)
{
	const u64 mark = npt->format->dirty;
	struct pages_walk walk = {};
	u64 unwritten = 0;

	for (; mark && pages; pages &= pages - 1) {
		u64 page = gpa + ((u64)__ffs64(pages) << 12);
		u64 value = walk_to_leaf(npt, &walk, page);

		if (value && !(value & mark) && walk.level == 1)
			unwritten |= pages & -pages;
	}
	return unwritten;
}

bool lodge_npt_age(struct lodge_npt *npt, u64 start, u64 end, bool clear)
{
	const struct lodge_npt_format *format = npt->format;
	struct lodge_npt_iter iter;
	bool young = false;

	lodge_npt_iter_start(&iter, npt, start, end);
	while (lodge_npt_iter_next(&iter)) {
		if (!lodge_npt_is_leaf(format, iter.value, iter.level) ||
		    (format->accessed && !(iter.value & format->accessed)))
			continue;
		young = true;
		if (!clear)
			break;
		if (format->accessed) {
			lodge_entry_clear(iter.entry, format->accessed);
			continue;
		}
		lodge_entry_write(iter.entry, 0);
		leaf_count(npt, iter.entry, iter.level, -1);
	}
	return young;
}
