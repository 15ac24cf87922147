/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The host's pages behind guest memory: what its own page tables have at an
 * address, and its page faults.
 *
 * Whoever serves a fault of the host's may take as long as it likes (userfaultfd,
 * FUSE), so nothing that others wait for is held meanwhile.
 */
#ifndef LODGE_HOST_PAGE_H
#define LODGE_HOST_PAGE_H

#include <linux/types.h>

struct mm_struct;

/**
 * struct lodge_host_page - the leaf of the host's page table at an address
 * @entry: as the processor reads it; 0: there is none
 * @level: as the nested tables count
 */
struct lodge_host_page {
	u64 entry;
	u8 level;
};

/**
 * lodge_host_page_lookup() - look at the host's page table without a lock
 *
 * The entry is to be trusted only as notifier.c says.
 */
struct lodge_host_page lodge_host_page_lookup(struct mm_struct *mm,
					      unsigned long hva);

/**
 * lodge_host_page_writable() - true if an entry is writable and dirty
 */
bool lodge_host_page_writable(u64 entry);

/**
 * lodge_host_page_type_bits() - bits of a leaf that choose a memory type other
 * than write-back
 */
u64 lodge_host_page_type_bits(u8 level);

/**
 * lodge_host_page_fault() - have the host make a page present, and writable and
 * dirty for @write; may sleep
 * @flags: FAULT_FLAG_INTERRUPTIBLE, or 0: only a fatal signal interrupts
 *
 * Return: 0, -EINTR when a signal came first that @flags lets interrupt, or
 * -errno.
 */
int lodge_host_page_fault(struct mm_struct *mm, unsigned long hva, bool write,
			  unsigned int flags);

#endif
