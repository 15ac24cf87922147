// SPDX-License-Identifier: GPL-2.0
/*
 * The host's MMU notifier: what the host takes from the caller's memory leaves
 * the nested tables too, before the host goes on.
 *
 * While an invalidation is under way, vm->notifier_count is not zero; each one
 * that ends moves vm->notifier_seq.  A fault that has seen neither change since
 * before it looked at the host's tables maps what the host still has.
 */
#include <linux/mm.h>

#include "compat.h"
#include "mem.h"
#include "npt/npt.h"
#include "slots.h"
#include "vm.h"

static struct lodge_vm *notifier_vm(struct mmu_notifier *notifier)
{
	return container_of(notifier, struct lodge_vm, notifier);
}

static const struct lodge_slots *notifier_slots(struct lodge_vm *vm)
{
	return rcu_dereference_protected(vm->slots,
					 lockdep_is_held(&vm->npt_lock));
}

/*
 * Finds the guest physical addresses at which a slot has [hva, hva_end).  @hva_end may
 * be the end of a whole address space, for which rounding it up would overflow.
 */
static bool notifier_range(const struct lodge_slot *slot, unsigned long hva,
			   unsigned long hva_end, u64 *start, u64 *end)
{
	unsigned long slot_end = slot->hva + slot->size;

	hva = max(hva & PAGE_MASK, slot->hva);
	hva_end = hva_end < slot_end ? PAGE_ALIGN(hva_end) : slot_end;
	if (hva >= hva_end)
		return false;
	*start = slot->gpa + (hva - slot->hva);
	*end = slot->gpa + (hva_end - slot->hva);
	return true;
}

/* Return: tables to be freed after vm->npt_lock is released. */
static u64 *notifier_unmap(struct lodge_vm *vm, unsigned long hva,
			   unsigned long hva_end)
{
	const struct lodge_slots *slots = notifier_slots(vm);
	bool flush = false;
	u64 start, end;
	u32 i;

	for (i = 0; i < slots->nr; i++) {
		if (notifier_range(&slots->slot[i], hva, hva_end, &start, &end))
			flush |= lodge_npt_unmap(&vm->npt, start, end);
	}
	if (!flush)
		return NULL;
	lodge_vm_flush_tlbs(vm);
	return lodge_npt_take_removed(&vm->npt);
}

/* See lodge_npt_age() for when to flush. */
static bool notifier_age(struct lodge_vm *vm, unsigned long hva,
			 unsigned long hva_end, bool clear)
{
	const struct lodge_slots *slots;
	bool young = false;
	u64 start, end;
	u32 i;

	spin_lock(&vm->npt_lock);
	slots = notifier_slots(vm);
	for (i = 0; i < slots->nr; i++) {
		if (notifier_range(&slots->slot[i], hva, hva_end, &start, &end))
			young |= lodge_npt_age(&vm->npt, start, end, clear);
	}
	if (young && clear && !vm->npt.format->accessed)
		lodge_vm_flush_tlbs(vm);
	spin_unlock(&vm->npt_lock);
	return young;
}

/* Waits for nobody; where the range is blockable, others may run meanwhile. */
static int notifier_invalidate_start(struct mmu_notifier *notifier,
				     const struct mmu_notifier_range *range)
{
	struct lodge_vm *vm = notifier_vm(notifier);
	u64 *removed;

	spin_lock(&vm->npt_lock);
	if (!vm->notifier_count++) {
		vm->notifier_start = range->start;
		vm->notifier_end = range->end;
	} else {
		vm->notifier_start = min(vm->notifier_start, range->start);
		vm->notifier_end = max(vm->notifier_end, range->end);
	}
	removed = notifier_unmap(vm, range->start, range->end);
	spin_unlock(&vm->npt_lock);
	lodge_npt_free_removed(&vm->npt, removed,
			       mmu_notifier_range_blockable(range));
	return 0;
}

static void notifier_invalidate_end(struct mmu_notifier *notifier,
				    const struct mmu_notifier_range *range)
{
	struct lodge_vm *vm = notifier_vm(notifier);

	spin_lock(&vm->npt_lock);
	WRITE_ONCE(vm->notifier_seq, vm->notifier_seq + 1);
	vm->notifier_count--;
	spin_unlock(&vm->npt_lock);
}

/* The host does not flush for its own accessed bits either. */
static lodge_young_t notifier_clear_flush_young(struct mmu_notifier *notifier,
						struct mm_struct *mm,
						unsigned long start,
						unsigned long end)
{
	return notifier_age(notifier_vm(notifier), start, end, true);
}

static lodge_young_t notifier_clear_young(struct mmu_notifier *notifier,
					  struct mm_struct *mm,
					  unsigned long start,
					  unsigned long end)
{
	return notifier_age(notifier_vm(notifier), start, end, true);
}

static lodge_young_t notifier_test_young(struct mmu_notifier *notifier,
					 struct mm_struct *mm,
					 unsigned long address)
{
	return notifier_age(notifier_vm(notifier), address, address + 1, false);
}

/* The last user of the memory is gone: no thread can run a vCPU any more. */
static void notifier_release(struct mmu_notifier *notifier,
			     struct mm_struct *mm)
{
	struct lodge_vm *vm = notifier_vm(notifier);
	u64 *removed;

	spin_lock(&vm->npt_lock);
	removed = notifier_unmap(vm, 0, TASK_SIZE_MAX);
	spin_unlock(&vm->npt_lock);
	lodge_npt_free_removed(&vm->npt, removed, true);
}

static const struct mmu_notifier_ops notifier_ops = {
	.release = notifier_release,
	.clear_flush_young = notifier_clear_flush_young,
	.clear_young = notifier_clear_young,
	.test_young = notifier_test_young,
	.invalidate_range_start = notifier_invalidate_start,
	.invalidate_range_end = notifier_invalidate_end,
};

/* A signal cuts the registration short: the call then starts anew behind it. */
int lodge_notifier_init(struct lodge_vm *vm)
{
	int err;

	vm->notifier.ops = &notifier_ops;
	err = mmu_notifier_register(&vm->notifier, vm->mm);
	return err == -EINTR ? -ERESTARTNOINTR : err;
}

void lodge_notifier_fini(struct lodge_vm *vm)
{
	mmu_notifier_unregister(&vm->notifier, vm->mm);
}
