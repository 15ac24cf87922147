// SPDX-License-Identifier: GPL-2.0
/*
 * Memory slots: see slots.h.
 */
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <asm/processor.h>

#include "backend.h"
#include "dirty.h"
#include "mem.h"
#include "npt/npt.h"
#include "slots.h"
#include "user.h"
#include "vm.h"

const struct lodge_slot *lodge_slot_find(const struct lodge_slots *slots,
					 u64 gpa)
{
	u32 low = 0, high = slots->nr;

	while (low < high) {
		u32 middle = (low + high) / 2;
		const struct lodge_slot *slot = &slots->slot[middle];

		if (gpa < slot->gpa)
			high = middle;
		else if (gpa - slot->gpa >= slot->size)
			low = middle + 1;
		else
			return slot;
	}
	return NULL;
}

const struct lodge_slots *lodge_slots_locked(const struct lodge_vm *vm)
{
	return rcu_dereference_protected(vm->slots, lockdep_is_held(&vm->lock));
}

const struct lodge_slot *lodge_slot_by_id(const struct lodge_vm *vm, u32 id)
{
	const struct lodge_slots *slots = lodge_slots_locked(vm);
	u32 i;

	for (i = 0; i < slots->nr; i++)
		if (slots->slot[i].id == id)
			return &slots->slot[i];
	return NULL;
}

u64 lodge_slot_offset(const struct lodge_slot *slot, u64 gpa)
{
	return array_index_nospec(gpa - slot->gpa, slot->size);
}

u8 lodge_mem_phys_bits(void)
{
	u8 bits = min_t(u8, boot_cpu_data.x86_phys_bits, 52);

	if (!lodge_backend)
		return bits;
	return min(bits, lodge_npt_bits(lodge_backend->format));
}

static bool slots_valid(const struct lodge_memory *arg)
{
	u64 limit = 1ULL << lodge_mem_phys_bits();

	if (arg->slot >= LODGE_MAX_SLOTS || arg->flags & ~LODGE_MEM_READONLY)
		return false;
	if (!PAGE_ALIGNED(arg->gpa | arg->size | arg->hva))
		return false;
	return arg->size <= limit && arg->gpa <= limit - arg->size &&
	       arg->size <= TASK_SIZE_MAX &&
	       arg->hva <= TASK_SIZE_MAX - arg->size;
}

/* The array that follows @old: without the slot of @add's number, with @add. */
static struct lodge_slots *slots_next(const struct lodge_slots *old,
				      const struct lodge_slot *add)
{
	bool added = !add->size;
	struct lodge_slots *new;
	u32 i;

	new = kzalloc(struct_size(new, slot, old->nr + 1), GFP_KERNEL_ACCOUNT);
	if (!new)
		return NULL;
	for (i = 0; i < old->nr; i++) {
		const struct lodge_slot *slot = &old->slot[i];

		if (slot->id == add->id)
			continue;
		if (!added && add->gpa < slot->gpa) {
			new->slot[new->nr++] = *add;
			added = true;
		}
		new->slot[new->nr++] = *slot;
	}
	if (!added)
		new->slot[new->nr++] = *add;
	return new;
}

/*
 * Exchange the arrays, and remove what the nested tables have of @gone and the
 * devices that they have where memory comes.  A fault that has looked into the
 * old array notices under the same lock.
 */
static void slots_publish(struct lodge_vm *vm, struct lodge_slots *new,
			  const struct lodge_slot *gone,
			  const struct lodge_memory *come)
{
	u64 *removed = NULL;
	bool flush;

	spin_lock(&vm->npt_lock);
	rcu_assign_pointer(vm->slots, new);
	WRITE_ONCE(vm->slots_generation, vm->slots_generation + 1);
	flush = lodge_npt_unmap(&vm->npt, come->gpa, come->gpa + come->size);
	if (gone)
		flush |= lodge_npt_unmap(&vm->npt, gone->gpa,
					 gone->gpa + gone->size);
	if (flush) {
		lodge_vm_flush_tlbs(vm);
		removed = lodge_npt_take_removed(&vm->npt);
	}
	spin_unlock(&vm->npt_lock);
	lodge_npt_free_removed(&vm->npt, removed, true);
	synchronize_srcu_expedited(&vm->slots_srcu);
}

int lodge_slot_set_log(struct lodge_vm *vm, const struct lodge_slot *next)
{
	const struct lodge_slots *old = lodge_slots_locked(vm);
	struct lodge_slots *new = slots_next(old, next);

	if (!new)
		return -ENOMEM;
	/* A fault that has looked into the old array notices under this lock. */
	spin_lock(&vm->npt_lock);
	rcu_assign_pointer(vm->slots, new);
	WRITE_ONCE(vm->slots_generation, vm->slots_generation + 1);
	spin_unlock(&vm->npt_lock);
	synchronize_srcu_expedited(&vm->slots_srcu);
	kfree(old);
	return 0;
}

int lodge_mem_set(struct lodge_vm *vm, const struct lodge_memory *arg)
{
	const struct lodge_slot add = {
		.gpa = arg->gpa,
		.size = arg->size,
		.hva = arg->hva,
		.id = arg->slot,
		.flags = arg->flags,
	};
	const struct lodge_slot *gone = NULL;
	const struct lodge_slots *old;
	struct lodge_slots *new;
	u32 i;

	if (!slots_valid(arg))
		return -EINVAL;
	old = lodge_slots_locked(vm);
	for (i = 0; i < old->nr; i++) {
		const struct lodge_slot *slot = &old->slot[i];

		if (slot->id == arg->slot)
			gone = slot;
		else if (arg->size && arg->gpa < slot->gpa + slot->size &&
			 slot->gpa < arg->gpa + arg->size)
			return -EEXIST;
	}
	if (!arg->size && !gone)
		return -ENOENT;
	new = slots_next(old, &add);
	if (!new)
		return -ENOMEM;
	slots_publish(vm, new, gone, arg);
	if (gone)
		lodge_dirty_free(vm, gone);
	kfree(old);
	return 0;
}

u64 lodge_mem_size(struct lodge_vm *vm)
{
	const struct lodge_slots *slots;
	u64 size = 0;
	int index;
	u32 i;

	index = srcu_read_lock(&vm->slots_srcu);
	slots = srcu_dereference(vm->slots, &vm->slots_srcu);
	for (i = 0; i < slots->nr; i++)
		size += slots->slot[i].size;
	srcu_read_unlock(&vm->slots_srcu, index);
	return size;
}

int lodge_mem_init(struct lodge_vm *vm)
{
	struct lodge_slots *slots;
	int err;

	slots = kzalloc(sizeof(*slots), GFP_KERNEL_ACCOUNT);
	if (!slots)
		return -ENOMEM;
	err = init_srcu_struct(&vm->slots_srcu);
	if (err)
		goto free_slots;
	err = lodge_npt_init(&vm->npt, lodge_backend->format);
	if (err)
		goto free_srcu;
	lodge_npt_count_into(&vm->npt, lodge_user_tables(vm->user));
	RCU_INIT_POINTER(vm->slots, slots);
	err = lodge_notifier_init(vm);
	if (err)
		goto free_npt;
	return 0;

free_npt:
	RCU_INIT_POINTER(vm->slots, NULL);
	lodge_npt_fini(&vm->npt);
free_srcu:
	cleanup_srcu_struct(&vm->slots_srcu);
free_slots:
	kfree(slots);
	return err;
}

void lodge_mem_fini(struct lodge_vm *vm)
{
	struct lodge_slots *slots = rcu_dereference_protected(vm->slots, true);
	u32 i;

	if (!slots)
		return;
	lodge_notifier_fini(vm);
	for (i = 0; i < slots->nr; i++)
		lodge_dirty_free(vm, &slots->slot[i]);
	lodge_npt_fini(&vm->npt);
	cleanup_srcu_struct(&vm->slots_srcu);
	RCU_INIT_POINTER(vm->slots, NULL);
	kfree(slots);
}
