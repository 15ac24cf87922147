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
 *
 * If the format has it, an entry can say that there is a device in place of
 * memory: the guest's access then ends in an exit of its own kind, and nobody has
 * to look for memory first.
 */
#ifndef LODGE_NPT_NPT_H
#define LODGE_NPT_NPT_H

#include "pure.h"

#define LODGE_NPT_MAX_LEVELS 5
#define LODGE_NPT_MAX_LEAF 3

/* The guest's rights to a page, and what it is known to have done with it. */
#define LODGE_NPT_READ (1U << 0)
#define LODGE_NPT_WRITE (1U << 1)
#define LODGE_NPT_EXEC (1U << 2)
#define LODGE_NPT_ACCESSED (1U << 3)
#define LODGE_NPT_DIRTY (1U << 4)
/* Device memory: no caching, whatever the guest's own tables say. */
#define LODGE_NPT_UNCACHED (1U << 5)

/* Tables that a VM may have for nothing but device entries. */
#define LODGE_NPT_MAX_DEVICE_TABLES 64

/**
 * struct lodge_npt_format - a vendor's layout of an entry, on this host
 * @levels: levels of the tables
 * @max_leaf: highest level of a leaf: 1, 2 or 3
 * @small_exec: for the caller: the processor must not execute from a leaf above
 *	level 1
 * @exec_only: a leaf can have LODGE_NPT_EXEC without LODGE_NPT_READ
 * @address: bits that hold an address
 * @table: bits of an entry that points to a table
 * @present: one of these is set in an entry that is present
 * @large: set in a leaf above level 1
 * @read: set with LODGE_NPT_READ
 * @write: set with LODGE_NPT_WRITE
 * @exec: set with LODGE_NPT_EXEC
 * @no_exec: set without LODGE_NPT_EXEC
 * @accessed: set by the processor in a leaf that it used; 0: it does not
 * @dirty: set by the processor in a leaf through which the guest wrote; 0: it
 *	does not
 * @cached: memory type of RAM
 * @uncached: memory type with LODGE_NPT_UNCACHED
 * @device: all of an entry that stands for a device; the processor refuses it
 *	at once and never caches it; 0: there is none
 */
struct lodge_npt_format {
	u8 levels;
	u8 max_leaf;
	bool small_exec;
	bool exec_only;
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
	u64 device;
};

/**
 * lodge_npt_format_amd() - AMD's nested paging, AMD APM vol. 2, section 15.25.5
 * @levels: of the host's own tables: 4 or 5
 * @huge_1g: the processor has leaves of 1 GiB
 * @reserved: bits of an address that the processor does not have, below bit 52;
 *	0: it has them all, and the format no device entry
 */
void lodge_npt_format_amd(struct lodge_npt_format *format, u8 levels,
			  bool huge_1g, u64 reserved);

/**
 * lodge_npt_format_ept() - Intel's EPT, Intel SDM vol. 3C, section 29.3
 * @capabilities: MSR IA32_VMX_EPT_VPID_CAP, appendix A.10
 * @phys_bits: width of the processor's physical addresses
 * @self_snoop: the processor keeps memory coherent that is mapped with several
 *	memory types (CPUID.01H:EDX.SS)
 *
 * Return: 0, or -EOPNOTSUPP where EPT lacks what Lodge cannot do without: walks of
 * four levels or five, of tables that are cached.
 */
int lodge_npt_format_ept(struct lodge_npt_format *format, u64 capabilities,
			 u8 phys_bits, bool self_snoop);

/**
 * struct lodge_npt_total - the tables of several VMs
 * @tables: how many there are; atomic
 * @above: those of more VMs, in which these are counted too; or NULL
 */
struct lodge_npt_total {
	u64 tables;
	struct lodge_npt_total *above;
};

/**
 * struct lodge_npt - the tables of one VM
 * @format: their layout, for ever
 * @root: the topmost table, for ever
 * @removed: tables that nothing points to any more, with all below them; a
 *	processor may still hold on to them until the next flush
 * @tables: tables in use, the root among them
 * @total: those of several VMs, in which @tables are counted too; or NULL
 * @resident: what the leaves map, in pages of 4 KiB
 * @device_tables: those of @tables that were made for a device entry
 */
struct lodge_npt {
	const struct lodge_npt_format *format;
	u64 *root;
	u64 *removed;
	u64 tables;
	struct lodge_npt_total *total;
	u64 resident;
	u64 device_tables;
};

/**
 * struct lodge_npt_cache - empty tables, got before the lock is taken
 * @nr: how many
 * @table: they
 * @leaves: leaves set with it since the start, by level less one; read without a lock
 *
 * All zero is an empty cache.  It belongs to one caller.
 */
struct lodge_npt_cache {
	u32 nr;
	u64 *table[LODGE_NPT_MAX_LEVELS - 1];
	u64 leaves[LODGE_NPT_MAX_LEAF];
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
 * lodge_npt_fini() - free all tables; no processor uses them any more; may sleep
 *
 * Also of a zeroed struct, and of one whose lodge_npt_init() failed.
 */
void lodge_npt_fini(struct lodge_npt *npt);

/**
 * lodge_npt_tables() - how many tables are in use; needs no lock
 */
u64 lodge_npt_tables(const struct lodge_npt *npt);

/**
 * lodge_npt_resident() - how much the leaves map, in pages of 4 KiB; needs no lock
 */
u64 lodge_npt_resident(const struct lodge_npt *npt);

/**
 * lodge_npt_count_into() - count these tables in @total as well, until their end
 */
void lodge_npt_count_into(struct lodge_npt *npt, struct lodge_npt_total *total);

/**
 * lodge_npt_root() - the root's physical address, for the processor
 */
u64 lodge_npt_root(const struct lodge_npt *npt);

/**
 * lodge_npt_eptp() - the same for EPT, with how to walk: the EPTP of Intel SDM
 * vol. 3C, section 25.6.11
 */
u64 lodge_npt_eptp(const struct lodge_npt *npt);

/**
 * lodge_npt_bits() - width of the guest physical addresses that @format maps
 */
u8 lodge_npt_bits(const struct lodge_npt_format *format);

/* Answer of lodge_npt_map(): done, and the TLBs must be flushed. */
#define LODGE_NPT_FLUSH 1

/**
 * lodge_npt_map() - set a leaf
 * @cache: empty tables, at least levels - 1 of them
 * @gpa: guest physical address, aligned to @level
 * @pa: host physical address as the host's tables have it (with the encryption
 *	bit), aligned to @level
 * @level: at most max_leaf of the format
 * @attr: LODGE_NPT_*
 *
 * A leaf of a higher level in the way is split; a table in the way of a leaf of a
 * higher level is removed; a device entry is replaced.
 *
 * A leaf that already maps @gpa to the same place with these rights stays as it is.
 *
 * Return: 0, LODGE_NPT_FLUSH, or with nothing changed -ENOMEM @cache holds too
 * few, -EINVAL the format has no leaf with these rights.
 */
int lodge_npt_map(struct lodge_npt *npt, struct lodge_npt_cache *cache, u64 gpa,
		  u64 pa, u8 level, u32 attr);

/**
 * lodge_npt_map_device() - say that at the page of @gpa there is no memory
 * @cache: empty tables
 * @gpa: any guest physical address
 *
 * A guest can touch addresses all over: when LODGE_NPT_MAX_DEVICE_TABLES would be
 * exceeded, or @cache holds too few, nothing changes.  Needs no flush.
 *
 * Return: true if the page has a device entry now; never where the format has
 * none.
 */
bool lodge_npt_map_device(struct lodge_npt *npt, struct lodge_npt_cache *cache,
			  u64 gpa);

/**
 * lodge_npt_unmap() - remove every leaf that touches [@start, @end)
 * @start: guest physical address, page-aligned
 * @end: page-aligned
 *
 * A large leaf goes as a whole.  Device entries go too.
 *
 * Return: true if a flush is needed.
 */
bool lodge_npt_unmap(struct lodge_npt *npt, u64 start, u64 end);

/**
 * lodge_npt_protect() - take the right to write away in [@start, @end)
 *
 * A large leaf loses it as a whole.
 *
 * Return: true if a flush is needed.
 */
bool lodge_npt_protect(struct lodge_npt *npt, u64 start, u64 end);

/**
 * lodge_npt_protect_pages() - the same for single pages
 * @gpa: guest physical address of the page of bit 0, page-aligned
 * @pages: their bits; each page is below the end of what the format maps
 */
bool lodge_npt_protect_pages(struct lodge_npt *npt, u64 gpa, u64 pages);

/**
 * lodge_npt_clean_pages() - find the pages that a guest may write to, and forget that it
 * has written
 * @gpa: as above
 * @pages: as above
 * @dirty: out: those of the answer to which it has written
 *
 * No processor runs the guest, and the TLBs are flushed before one does again: until
 * then one would not tell of a write.
 *
 * Return: those of @pages that have a leaf of 4 KiB with the right to write; 0 if the
 * format has no dirty bit.
 */
u64 lodge_npt_clean_pages(struct lodge_npt *npt, u64 gpa, u64 pages,
			  u64 *dirty);

/**
 * lodge_npt_unwritten_pages() - find the pages to which a guest has not written
 * @gpa: as above
 * @pages: as above
 *
 * Return: those of @pages that have a leaf of 4 KiB whose dirty bit is clear; 0 if the
 * format has none.
 */
u64 lodge_npt_unwritten_pages(const struct lodge_npt *npt, u64 gpa, u64 pages);

/**
 * lodge_npt_is_small() - true if a table of 4 KiB leaves has @gpa
 * @gpa: below the end of what the format maps
 */
bool lodge_npt_is_small(const struct lodge_npt *npt, u64 gpa);

/**
 * lodge_npt_age() - find out if the guest has used memory in [@start, @end)
 * @clear: forget it
 *
 * Needs no flush: at worst a page looks older than it is.
 *
 * If the format has no accessed bit, the guest has used what is mapped, and
 * only removing a leaf forgets that: true for @clear then asks for a flush.
 */
bool lodge_npt_age(struct lodge_npt *npt, u64 start, u64 end, bool clear);

/**
 * lodge_npt_take_removed() - take the removed tables, to be freed after the flush
 *
 * Return: a list for lodge_npt_free_removed().
 */
u64 *lodge_npt_take_removed(struct lodge_npt *npt);

/**
 * lodge_npt_free_removed() - free removed tables, and all below them
 *
 * @rest: the caller may sleep: others get the processor now and then
 *
 * Without the lock: there can be millions.
 */
void lodge_npt_free_removed(struct lodge_npt *npt, u64 *removed, bool rest);

/**
 * struct lodge_npt_iter - a walk over present entries, from above
 * @gpa: first address that @entry covers
 * @level: its level
 * @value: its content, as read once
 * @entry: its place in memory
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

/* Of an entry at level 1; no leaf and no table. */
static inline bool lodge_npt_is_device(const struct lodge_npt_format *format,
				       u64 entry)
{
	return entry && entry == format->device;
}

static inline bool lodge_npt_is_leaf(const struct lodge_npt_format *format,
				     u64 entry, u8 level)
{
	return (entry & format->present) &&
	       (level == 1 ? entry != format->device : entry & format->large);
}

static inline bool lodge_npt_is_table(const struct lodge_npt_format *format,
				      u64 entry, u8 level)
{
	return (entry & format->present) && level > 1 &&
	       !(entry & format->large);
}

#endif
