// SPDX-License-Identifier: GPL-2.0
/*
 * The nested page fault.
 *
 * Nothing is pinned and no struct page is touched.  A fault copies what the
 * host's own page table says into the nested one, under the protocol of
 * notifier.c, so that the host's next change of that page removes it again.  Hence
 * the rule for writing: a leaf is writable only while the host's entry is
 * writable and dirty.  The host cannot forget that the page is dirty without an
 * invalidation, so Lodge need not mark it dirty.
 */
#include <linux/mem_encrypt.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <asm/trap_pf.h>

#include "compat.h"
#include "dirty.h"
#include "guard.h"
#include "host_page.h"
#include "mem.h"
#include "npt/npt.h"
#include "slots.h"
#include "user.h"
#include "vcpu.h"
#include "vm.h"

/*
 * Tables that any VM may have: all that one step of the processor can need.  Most needs
 * the delivery of an event: IDT, GDT, TSS and stack, each across the end of a page, are 8
 * pages, and with 4 pages each of the guest's own tables, and the topmost one, 41.  Each
 * has up to 3 tables below the root.
 *
 * They come on top of the limits, so they are few: those of all VMs that one user may
 * have by itself are not all that there may be on a host of 2 GiB.
 */
#define MEM_MIN_TABLES 128

static ulong max_tables;
module_param(max_tables, ulong, 0644);
MODULE_PARM_DESC(max_tables,
		 "nested page tables of one VM, bytes; 0: by the host's memory");

/* The largest level at which @slot can take a host leaf of @level. */
static u8 fault_level(const struct lodge_slot *slot, u64 gpa, u8 level)
{
	for (; level > 1; level--) {
		u64 size = lodge_npt_size(level);
		u64 start = gpa & ~(size - 1);

		if (!((slot->gpa ^ slot->hva) & (size - 1)) &&
		    start >= slot->gpa &&
		    slot->size - (start - slot->gpa) >= size)
			break;
	}
	return level;
}

static u32 fault_attr(const struct lodge_slot *slot, u64 entry, bool write,
		      bool exec)
{
	u32 attr = LODGE_NPT_READ | LODGE_NPT_ACCESSED;

	if (exec)
		attr |= LODGE_NPT_EXEC;
	if (!(slot->flags & LODGE_MEM_READONLY) &&
	    lodge_host_page_writable(entry))
		attr |= LODGE_NPT_WRITE;
	if (write)
		attr |= LODGE_NPT_DIRTY;
	return attr;
}

static bool fault_stale(struct lodge_vm *vm, const struct lodge_slots *slots,
			unsigned long seq, unsigned long start,
			unsigned long end)
{
	if (vm->notifier_count && start < vm->notifier_end &&
	    vm->notifier_start < end)
		return true;
	return vm->notifier_seq != seq ||
	       rcu_access_pointer(vm->slots) != slots;
}

/*
 * A device's memory is about to be mapped.  No vCPU may reach it before it has
 * entered anew, and seen that there is one.
 */
static void fault_note_mmio(struct lodge_vm *vm)
{
	if (likely(vm->has_mmio))
		return;
	WRITE_ONCE(vm->has_mmio, true);
	lodge_vm_flush_tlbs(vm);
}

/*
 * Map what the host has now.
 *
 * Return: 0 also when it was overtaken by a change: the guest then faults again;
 * -EAGAIN: the host must be asked for the page first; or another -errno.
 */
static int fault_map(struct lodge_vcpu *vcpu, const struct lodge_slots *slots,
		     const struct lodge_slot *slot, u64 gpa, u32 error)
{
	u64 *removed = NULL;
	unsigned long hva = slot->hva + lodge_slot_offset(slot, gpa);
	struct lodge_vm *vm = vcpu->vm;
	const struct lodge_npt_format *format = vm->npt.format;
	bool write = error & X86_PF_WRITE;
	struct lodge_host_page page;
	unsigned long seq;
	u64 size, pa;
	bool cached;
	u32 attr;
	u8 level;
	int ret;

	seq = READ_ONCE(vm->notifier_seq);
	/* Pairs with the lock around the change of notifier_seq. */
	smp_rmb();
	page = lodge_host_page_lookup(vm->mm, hva);
	if (write ? !lodge_host_page_writable(page.entry) :
		    !pte_access_permitted(__pte(page.entry), false))
		return -EAGAIN;

	level = fault_level(slot, gpa, min(page.level, format->max_leaf));
	if (format->small_exec && error & X86_PF_INSTR)
		level = 1;
	level = lodge_dirty_level(slot, gpa, level, write);
	size = lodge_npt_size(level);
	pa = page.entry & (PTE_PFN_MASK | sme_me_mask) &
	     ~(lodge_npt_size(page.level) - 1);
	pa |= hva & (lodge_npt_size(page.level) - 1) & ~(size - 1);
	attr = fault_attr(slot, page.entry, write,
			  level == 1 || !format->small_exec);
	cached = !(page.entry & lodge_host_page_type_bits(page.level));
	if (!cached)
		attr |= LODGE_NPT_UNCACHED;

	spin_lock(&vm->npt_lock);
	if (lodge_host_has_stale_data() &&
	    lodge_guard_page_is_mmio(pfn_valid(PHYS_PFN(pa & PTE_PFN_MASK)),
				     cached))
		fault_note_mmio(vm);
	hva &= ~(size - 1);
	if (fault_stale(vm, slots, seq, hva, hva + size))
		ret = 0;
	else
		ret = lodge_npt_map(&vm->npt, &vcpu->npt_cache,
				    gpa & ~(size - 1), pa, level,
				    lodge_dirty_attr(slot, gpa, level, attr));
	if (ret == LODGE_NPT_FLUSH) {
		lodge_vm_flush_tlbs(vm);
		removed = lodge_npt_take_removed(&vm->npt);
		ret = 0;
	}
	spin_unlock(&vm->npt_lock);
	lodge_npt_free_removed(&vm->npt, removed, false);
	return ret;
}

/*
 * @slots have no memory at @gpa: make a device entry, so that the next access exits as
 * a device's.  If the slots have changed since, there may be memory now: make none.
 */
static void fault_device(struct lodge_vcpu *vcpu,
			 const struct lodge_slots *slots, u64 gpa)
{
	struct lodge_vm *vm = vcpu->vm;

	if (!vm->npt.format->device)
		return;
	spin_lock(&vm->npt_lock);
	if (rcu_access_pointer(vm->slots) == slots)
		lodge_npt_map_device(&vm->npt, &vcpu->npt_cache, gpa);
	spin_unlock(&vm->npt_lock);
}

static int fault_try(struct lodge_vcpu *vcpu, u64 gpa, u32 error, u64 *hva)
{
	struct lodge_vm *vm = vcpu->vm;
	const struct lodge_slots *slots;
	const struct lodge_slot *slot;
	int index, ret;

	index = srcu_read_lock(&vm->slots_srcu);
	slots = srcu_dereference(vm->slots, &vm->slots_srcu);
	slot = lodge_slot_find(slots, gpa);
	if (!slot) {
		fault_device(vcpu, slots, gpa);
		ret = -ENXIO;
	} else if (error & X86_PF_WRITE && slot->flags & LODGE_MEM_READONLY) {
		ret = -EROFS;
	} else {
		*hva = slot->hva + lodge_slot_offset(slot, gpa);
		ret = fault_map(vcpu, slots, slot, gpa, error);
	}
	srcu_read_unlock(&vm->slots_srcu, index);
	return ret;
}

/*
 * The most pages that a VM's tables may take.  The default is enough to map four times
 * the host's memory with the smallest leaves.
 */
static u64 fault_max_tables(void)
{
	u64 bytes = READ_ONCE(max_tables);
	u64 pages = bytes ? bytes >> PAGE_SHIFT : totalram_pages() / 128;

	return max_t(u64, pages, MEM_MIN_TABLES);
}

/* The tables have two limits: the VM's, and its user's for all VMs together. */
static bool fault_has_tables_left(struct lodge_vm *vm)
{
	u64 tables = lodge_npt_tables(&vm->npt);

	if (tables <= MEM_MIN_TABLES)
		return true;
	return tables <= fault_max_tables() &&
	       !lodge_user_tables_exceeded(vm->user);
}

/*
 * Slots may map the same memory many times, so its size does not limit the tables.
 * If there are too many tables, all are removed; faults make the needed ones again.
 */
static void fault_limit_tables(struct lodge_vm *vm)
{
	u64 *removed = NULL;

	if (likely(fault_has_tables_left(vm)))
		return;
	spin_lock(&vm->npt_lock);
	if (lodge_npt_unmap(&vm->npt, 0,
			    1ULL << lodge_npt_bits(vm->npt.format)))
		lodge_vm_flush_tlbs(vm);
	removed = lodge_npt_take_removed(&vm->npt);
	spin_unlock(&vm->npt_lock);
	lodge_npt_free_removed(&vm->npt, removed, true);
}

/*
 * Sets vcpu->host_worked only if the kernel may have read contents of memory.  To map
 * a page that is present reads page tables and slots alone.  A fault of the host's may
 * read contents, and so may the allocation of a table: the host may compress what it
 * swaps out.
 */
int lodge_mem_fault(struct lodge_vcpu *vcpu, u64 gpa, u32 error, u64 *hva)
{
	u32 tables = vcpu->npt_cache.nr;
	int ret;

	fault_limit_tables(vcpu->vm);
	ret = lodge_npt_cache_fill(&vcpu->npt_cache);
	if (vcpu->npt_cache.nr != tables)
		vcpu->host_worked = true;
	if (ret)
		return ret;
	ret = fault_try(vcpu, gpa, error, hva);
	if (ret != -EAGAIN)
		return ret;
	/* Without the slots held: it may take as long as user space likes. */
	vcpu->host_worked = true;
	ret = lodge_host_page_fault(vcpu->vm->mm, *hva, error & X86_PF_WRITE,
				    FAULT_FLAG_INTERRUPTIBLE);
	if (ret)
		return ret;
	ret = fault_try(vcpu, gpa, error, hva);
	return ret == -EAGAIN ? 0 : ret;
}
