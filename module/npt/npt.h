/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Nested page tables: from guest physical to host physical addresses, in either
 * vendor's format.
 *
 * They know no vCPU and no host page: the caller serializes every call (it holds
 * vm->npt_lock), answers "flush needed" by flushing, and frees what was removed
 * after that.  The processor is the only reader without the lock: an entry is
 * written whole, and a table is filled before anything points to it.
 *
 * A level counts up from 1: an entry of level 1 covers 4 KiB, of level 2 2 MiB,
 * of level 3 1 GiB.  An entry that is not present is zero.
 */
#ifndef LODGE_NPT_NPT_H
#define LODGE_NPT_NPT_H

#include "pure.h"

#define LODGE_NPT_MAX_LEVELS 5
#define LODGE_NPT_MAX_LEAF 3

/* What the guest may do with a page, and what it is known to have done. */
#define LODGE_NPT_READ (1U << 0)
#define LODGE_NPT_WRITE (1U << 1)
#define LODGE_NPT_EXEC (1U << 2)
#define LODGE_NPT_ACCESSED (1U << 3)
#define LODGE_NPT_DIRTY (1U << 4)
/* Device memory: no caching, whatever the guest's own tables say. */
#define LODGE_NPT_UNCACHED (1U << 5)

/**
 * struct lodge_npt_format - a vendor's layout of an entry
 * @levels: levels of the tables on this host
 * @max_leaf: highest level at which this host takes a leaf: 2, or 3
 * @address: bits that hold an address
 * @table: bits of an entry that points to a table
 * @present: one of these is set in an entry that is present
 * @large: set in a leaf above level 1
 * @read: set with LODGE_NPT_READ, which every leaf has
 * @write: set with LODGE_NPT_WRITE
 * @exec: set with LODGE_NPT_EXEC
 * @no_exec: set without LODGE_NPT_EXEC
 * @accessed: set by the processor in a leaf that it used
 * @dirty: set by the processor in a leaf through which the guest wrote
 * @cached: memory type of RAM
 * @uncached: memory type with LODGE_NPT_UNCACHED
 */
struct lodge_npt_format {
	u8 (*levels)(void);
	u8 (*max_leaf)(void);
	u64 address;
	u64 table;
	u64 present;
	u64 large;
	u64 read;
	u64 write;
	u64 exec;
	u64 no_exec;
	u64 accessed;
	u64 dirty;
	u64 cached;
	u64 uncached;
};

/* AMD APM vol. 2, section 15.25.5. */
extern const struct lodge_npt_format lodge_npt_format_amd;

/**
 * struct lodge_npt - the tables of one VM
 * @format: their layout, for ever
 * @levels: of @format, for ever
 * @max_leaf: of @format, for ever
 * @root: the topmost table, for ever
 * @removed: tables that nothing points to any more, with all below them; a
 *	processor may still hold on to them until the next flush
 * @tables: tables in use, the root among them
 * @leaves: leaves set since the start, by level less one
 */
struct lodge_npt {
	const struct lodge_npt_format *format;
	u8 levels;
	u8 max_leaf;
	u64 *root;
	u64 *removed;
	u64 tables;
	u64 leaves[LODGE_NPT_MAX_LEAF];
};

/**
 * struct lodge_npt_cache - empty tables, got before the lock is taken
 * @nr: how many
 * @table: they
 *
 * All zero is an empty cache.  It belongs to one caller.
 */
struct lodge_npt_cache {
	u32 nr;
	u64 *table[LODGE_NPT_MAX_LEVELS - 1];
};

/**
 * lodge_npt_cache_fill() - make sure that the next lodge_npt_map() has enough
 *
 * May sleep.  Return: 0 or -ENOMEM.
 */
int lodge_npt_cache_fill(struct lodge_npt_cache *cache);
void lodge_npt_cache_free(struct lodge_npt_cache *cache);

/**
 * lodge_npt_init() - empty tables
 *
 * May sleep.  Return: 0 or -ENOMEM.
 */
int lodge_npt_init(struct lodge_npt *npt,
		   const struct lodge_npt_format *format);

/**
 * lodge_npt_fini() - free all tables; no processor uses them any more
 *
 * Also of a zeroed struct, and of one whose lodge_npt_init() failed.
 */
void lodge_npt_fini(struct lodge_npt *npt);

/**
 * lodge_npt_root() - what the processor is told: the root's physical address
 */
u64 lodge_npt_root(const struct lodge_npt *npt);

/**
 * lodge_npt_bits() - width of the guest physical addresses that @format maps
 */
u8 lodge_npt_bits(const struct lodge_npt_format *format);

/**
 * lodge_npt_map() - set a leaf
 * @cache: empty tables, at least levels - 1 of them
 * @gpa: guest physical address, aligned to @level
 * @pa: host physical address as the host's tables have it (with the encryption
 *	bit), aligned to @level
 * @level: at most npt->max_leaf
 * @attr: LODGE_NPT_*
 *
 * A leaf of a higher level in the way is split; a table in the way of a leaf of a
 * higher level is removed.
 *
 * What already maps @gpa to the same place with these rights stays as it is.
 *
 * Return: 0, 1 flush needed, or -ENOMEM @cache holds too few and nothing changed.
 */
int lodge_npt_map(struct lodge_npt *npt, struct lodge_npt_cache *cache, u64 gpa,
		  u64 pa, u8 level, u32 attr);

/**
 * lodge_npt_unmap() - remove every leaf that touches [@start, @end)
 * @start: guest physical address, page-aligned
 * @end: page-aligned
 *
 * A large leaf goes as a whole.
 *
 * Return: whether a flush is needed.
 */
bool lodge_npt_unmap(struct lodge_npt *npt, u64 start, u64 end);

/**
 * lodge_npt_protect() - take the right to write away in [@start, @end)
 *
 * A large leaf loses it as a whole.
 *
 * Return: whether a flush is needed.
 */
bool lodge_npt_protect(struct lodge_npt *npt, u64 start, u64 end);

/**
 * lodge_npt_age() - whether the guest has used memory in [@start, @end)
 * @clear: forget it
 *
 * Needs no flush: at worst a page looks older than it is.
 */
bool lodge_npt_age(struct lodge_npt *npt, u64 start, u64 end, bool clear);

/**
 * lodge_npt_take_removed() - what was removed, to be freed after the flush
 *
 * Return: a list for lodge_npt_free_removed().
 */
u64 *lodge_npt_take_removed(struct lodge_npt *npt);

/**
 * lodge_npt_free_removed() - free removed tables, and all below them
 *
 * Without the lock: there can be many.
 */
void lodge_npt_free_removed(struct lodge_npt *npt, u64 *removed);

/**
 * struct lodge_npt_iter - a walk over present entries, from above
 * @gpa: first address that @entry covers
 * @level: its level
 * @value: what it holds, as read once
 * @entry: where it is
 *
 * The rest is the walk's own.
 */
struct lodge_npt_iter {
	u64 gpa;
	u64 value;
	u64 *entry;
	u8 level;
	const struct lodge_npt *npt;
	u64 next;
	u64 end;
	u64 *table[LODGE_NPT_MAX_LEVELS];
};

/**
 * lodge_npt_iter_start() - begin a walk over [@start, @end)
 */
void lodge_npt_iter_start(struct lodge_npt_iter *iter,
			  const struct lodge_npt *npt, u64 start, u64 end);

/**
 * lodge_npt_iter_next() - go to the next present entry that touches the range
 *
 * Entries come in the order of their addresses, a table's before those in it.
 * The caller may change the entry it is at: the walk goes down only into a table
 * that is still there.
 *
 * Return: false at the end.
 */
bool lodge_npt_iter_next(struct lodge_npt_iter *iter);

static inline u64 lodge_npt_size(u8 level)
{
	return 1ULL << (12 + 9 * (level - 1));
}

static inline u32 lodge_npt_index(u64 gpa, u8 level)
{
	return (gpa >> (12 + 9 * (level - 1))) & 511;
}

static inline bool lodge_npt_is_leaf(const struct lodge_npt_format *format,
				     u64 entry, u8 level)
{
	return (entry & format->present) &&
	       (level == 1 || (entry & format->large));
}

static inline bool lodge_npt_is_table(const struct lodge_npt_format *format,
				      u64 entry, u8 level)
{
	return (entry & format->present) && level > 1 &&
	       !(entry & format->large);
}

#endif
