/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The page under a nested table: getting and freeing it, its addresses, a link
 * beside its content, and access to an entry that the processor uses as well.
 *
 * All that npt/ needs of its surroundings is here, once for the kernel and once
 * for the unit tests.
 */
#ifndef LODGE_NPT_TABLE_H
#define LODGE_NPT_TABLE_H

#include "npt/npt.h"

#ifdef __KERNEL__

#include <linux/bitops.h>
#include <linux/gfp.h>
#include <linux/mem_encrypt.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/vmstat.h>
#include <asm/barrier.h>
#include <asm/local64.h>

/* The host's owner finds it in /proc/meminfo and memory.stat, as KVM's. */
static inline u64 *lodge_table_alloc(void)
{
	u64 *table = (u64 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);

	if (table)
		mod_lruvec_page_state(virt_to_page(table),
				      NR_SECONDARY_PAGETABLE, 1);
	return table;
}

static inline void lodge_table_free(u64 *table)
{
	struct page *page = virt_to_page(table);

	mod_lruvec_page_state(page, NR_SECONDARY_PAGETABLE, -1);
	set_page_private(page, 0);
	__free_page(page);
}

static inline u64 lodge_table_pa(const u64 *table)
{
	return __sme_pa(table);
}

static inline u64 *lodge_table_va(u64 pa)
{
	return __va(__sme_clr(pa));
}

static inline unsigned long *lodge_table_link(u64 *table)
{
	return &virt_to_page(table)->private;
}

static inline u64 *lodge_table_of(u64 *entry)
{
	return PTR_ALIGN_DOWN(entry, PAGE_SIZE);
}

static inline u64 lodge_entry_read(const u64 *entry)
{
	return READ_ONCE(*entry);
}

/* Who sees @value also sees all that was written before it. */
static inline void lodge_entry_write(u64 *entry, u64 value)
{
	smp_store_release(entry, value);
}

/* Loses no bit that the processor sets at the same time. */
static inline void lodge_entry_clear(u64 *entry, u64 bit)
{
	clear_bit(__ffs64(bit), (unsigned long *)entry);
}

/* May sleep: others run before the next tables are freed. */
static inline void lodge_table_rest(void)
{
	cond_resched();
}

/* Atomic: tables are freed without the lock that is held while others are added. */
static inline void lodge_table_count(u64 *tables, int change)
{
	atomic64_add(change, (atomic64_t *)tables);
}

/* Has one writer, and readers without a lock. */
static inline void lodge_leaf_count(u64 *leaves)
{
	local64_inc((local64_t *)leaves);
}

#else

#include <sched.h>
#include <stdlib.h>

#define LODGE_TABLE_SIZE 4096

/* The link stands in a second page behind the table. */
static inline u64 *lodge_table_alloc(void)
{
	u64 *table = aligned_alloc(LODGE_TABLE_SIZE, 2 * LODGE_TABLE_SIZE);

	if (table)
		memset(table, 0, 2 * LODGE_TABLE_SIZE);
	return table;
}

static inline void lodge_table_free(u64 *table)
{
	free(table);
}

static inline void lodge_table_rest(void)
{
	sched_yield();
}

static inline u64 lodge_table_pa(const u64 *table)
{
	return (uintptr_t)table;
}

static inline u64 *lodge_table_va(u64 pa)
{
	return (u64 *)(uintptr_t)pa;
}

static inline unsigned long *lodge_table_link(u64 *table)
{
	return (unsigned long *)(table + LODGE_TABLE_SIZE / sizeof(*table));
}

static inline u64 *lodge_table_of(u64 *entry)
{
	return (u64 *)((uintptr_t)entry & ~(uintptr_t)(LODGE_TABLE_SIZE - 1));
}

static inline u64 lodge_entry_read(const u64 *entry)
{
	return __atomic_load_n(entry, __ATOMIC_RELAXED);
}

static inline void lodge_entry_write(u64 *entry, u64 value)
{
	__atomic_store_n(entry, value, __ATOMIC_RELEASE);
}

static inline void lodge_table_count(u64 *tables, int change)
{
	__atomic_fetch_add(tables, change, __ATOMIC_RELAXED);
}

static inline void lodge_leaf_count(u64 *leaves)
{
	__atomic_store_n(leaves, *leaves + 1, __ATOMIC_RELAXED);
}

static inline void lodge_entry_clear(u64 *entry, u64 bit)
{
	__atomic_fetch_and(entry, ~bit, __ATOMIC_RELAXED);
}

#endif

#endif
