// SPDX-License-Identifier: GPL-2.0
/*
 * The bus: see iobus.h.
 *
 * A table never changes, with one exception: a range that is removed loses its
 * device in place, so that removing needs no memory and cannot fail.  The next
 * lodge_iobus_add() leaves such ranges out.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/srcu.h>

#include "apic.h"
#include "iobus.h"
#include "vcpu.h"
#include "vm.h"

/**
 * struct lodge_iobus_range - where a device is
 * @first: first port or address
 * @last: last one
 * @device: NULL: it is removed
 */
struct lodge_iobus_range {
	u64 first;
	u64 last;
	struct lodge_iodevice *device;
};

/**
 * struct lodge_iobus_table - the ranges of a space
 * @nr: how many
 * @range: sorted by address; none overlaps another one
 */
struct lodge_iobus_table {
	u32 nr;
	struct lodge_iobus_range range[];
};

static const u64 lodge_iobus_last[LODGE_NR_IOBUS_SPACES] = {
	[LODGE_IOBUS_PORT] = 0xffff,
	[LODGE_IOBUS_MMIO] = (1ULL << 52) - 1,
};

/* Under vm->lock, or when nobody else has the VM. */
static struct lodge_iobus_table *lodge_iobus_table(struct lodge_vm *vm,
						   enum lodge_iobus_space space)
{
	return rcu_dereference_protected(vm->iobus.table[space],
					 lockdep_is_held(&vm->lock));
}

/* Return: 0, or -errno of lodge_iobus_add(); @nr: ranges that have a device. */
static int lodge_iobus_check(const struct lodge_iobus_table *table, u64 first,
			     u64 last, u32 *nr)
{
	u32 i;

	*nr = 0;
	for (i = 0; table && i < table->nr; i++) {
		if (!table->range[i].device)
			continue;
		if (first <= table->range[i].last &&
		    table->range[i].first <= last)
			return -EEXIST;
		++*nr;
	}
	return *nr < LODGE_IOBUS_MAX_RANGES ? 0 : -ENOSPC;
}

/* Copy the ranges of @old that have a device, and @add where it belongs. */
static void lodge_iobus_fill(struct lodge_iobus_table *new,
			     const struct lodge_iobus_table *old,
			     const struct lodge_iobus_range *add)
{
	bool added = false;
	u32 i;

	for (i = 0; old && i < old->nr; i++) {
		const struct lodge_iobus_range *range = &old->range[i];

		if (!range->device)
			continue;
		if (!added && add->first < range->first) {
			new->range[new->nr++] = *add;
			added = true;
		}
		new->range[new->nr++] = *range;
	}
	if (!added)
		new->range[new->nr++] = *add;
}

/* Waits for those who may have seen @old. */
static void lodge_iobus_publish(struct lodge_vm *vm,
				enum lodge_iobus_space space,
				struct lodge_iobus_table *old,
				struct lodge_iobus_table *new)
{
	rcu_assign_pointer(vm->iobus.table[space], new);
	synchronize_srcu_expedited(&vm->slots_srcu);
	kfree(old);
}

int lodge_iobus_add(struct lodge_vm *vm, enum lodge_iobus_space space,
		    u64 first, u64 size, struct lodge_iodevice *device)
{
	struct lodge_iobus_table *old = lodge_iobus_table(vm, space);
	const u64 last = lodge_iobus_last[space];
	struct lodge_iobus_range add;
	struct lodge_iobus_table *new;
	u32 nr;
	int err;

	if (!size || first > last || size - 1 > last - first)
		return -EINVAL;
	add = (struct lodge_iobus_range){ first, first + size - 1, device };
	err = lodge_iobus_check(old, add.first, add.last, &nr);
	if (err)
		return err;
	new = kzalloc(struct_size(new, range, nr + 1), GFP_KERNEL_ACCOUNT);
	if (!new)
		return -ENOMEM;
	lodge_iobus_fill(new, old, &add);
	lodge_iobus_publish(vm, space, old, new);
	return 0;
}

static bool lodge_iobus_empty(const struct lodge_iobus_table *table)
{
	u32 i;

	for (i = 0; i < table->nr; i++)
		if (table->range[i].device)
			return false;
	return true;
}

static void lodge_iobus_release(struct lodge_iodevice *device)
{
	if (device->ops->release)
		device->ops->release(device);
}

int lodge_iobus_remove(struct lodge_vm *vm, enum lodge_iobus_space space,
		       struct lodge_iodevice *device)
{
	struct lodge_iobus_table *table = lodge_iobus_table(vm, space);
	u32 i;

	for (i = 0; table && i < table->nr; i++)
		if (table->range[i].device == device)
			break;
	if (!table || i == table->nr)
		return -ENOENT;
	WRITE_ONCE(table->range[i].device, NULL);
	if (lodge_iobus_empty(table))
		lodge_iobus_publish(vm, space, table, NULL);
	else
		synchronize_srcu_expedited(&vm->slots_srcu);
	lodge_iobus_release(device);
	return 0;
}

void lodge_iobus_fini(struct lodge_vm *vm)
{
	struct lodge_iobus_table *table;
	enum lodge_iobus_space space;
	u32 i;

	for (space = 0; space < LODGE_NR_IOBUS_SPACES; space++) {
		table = rcu_dereference_protected(vm->iobus.table[space], true);
		RCU_INIT_POINTER(vm->iobus.table[space], NULL);
		for (i = 0; table && i < table->nr; i++)
			if (table->range[i].device)
				lodge_iobus_release(table->range[i].device);
		kfree(table);
	}
}

/* The range in which an access begins, or NULL. */
static const struct lodge_iobus_range *
lodge_iobus_find(const struct lodge_iobus_table *table, u64 address)
{
	u32 low = 0, high = table->nr;

	while (low < high) {
		u32 middle = (low + high) / 2;
		const struct lodge_iobus_range *range = &table->range[middle];

		if (address < range->first)
			high = middle;
		else if (address > range->last)
			low = middle + 1;
		else
			return range;
	}
	return NULL;
}

/* One of @in and @out is given.  Return: true if the device has answered. */
static bool lodge_iobus_call(struct lodge_vcpu *vcpu,
			     struct lodge_iodevice *device, u64 offset,
			     void *in, const void *out, size_t size)
{
	if (out)
		return device->ops->write(vcpu, device, offset, out, size);
	return device->ops->read(vcpu, device, offset, in, size);
}

/*
 * Under vm->slots_srcu.  Return: the device to which an access of @size bytes goes, or
 * NULL.  Without a size it goes to one with any_size.
 */
static __always_inline struct lodge_iodevice *
lodge_iobus_device(struct lodge_vm *vm, enum lodge_iobus_space space,
		   u64 address, size_t size, u64 *offset)
{
	const struct lodge_iobus_range *range = NULL;
	const struct lodge_iobus_table *table;
	struct lodge_iodevice *device;

	table = srcu_dereference(vm->iobus.table[space], &vm->slots_srcu);
	if (table)
		range = lodge_iobus_find(table, address);
	device = range ? READ_ONCE(range->device) : NULL;
	if (!device || (!device->any_size && size - 1 > range->last - address))
		return NULL;
	*offset = address - range->first;
	return device;
}

static bool lodge_iobus_search(struct lodge_vcpu *vcpu,
			       enum lodge_iobus_space space, u64 address,
			       void *in, const void *out, size_t size)
{
	struct lodge_vm *vm = vcpu->vm;
	struct lodge_iodevice *device;
	bool answered = false;
	u64 offset;
	int index;

	index = srcu_read_lock(&vm->slots_srcu);
	device = lodge_iobus_device(vm, space, address, size, &offset);
	if (device)
		answered =
			lodge_iobus_call(vcpu, device, offset, in, out, size);
	srcu_read_unlock(&vm->slots_srcu, index);
	return answered;
}

/* The local APIC is the vCPU's own device, and moves: it is in no table. */
static __always_inline bool lodge_iobus_access(struct lodge_vcpu *vcpu,
					       enum lodge_iobus_space space,
					       u64 address, void *in,
					       const void *out, size_t size)
{
	if (space == LODGE_IOBUS_MMIO &&
	    lodge_lapic_claims(vcpu->apic, address))
		return lodge_iobus_call(vcpu, &lodge_lapic_page,
					offset_in_page(address), in, out, size);
	if (likely(!lodge_iobus_has(&vcpu->vm->iobus, space)))
		return false;
	return lodge_iobus_search(vcpu, space, address, in, out, size);
}

bool lodge_iobus_read(struct lodge_vcpu *vcpu, enum lodge_iobus_space space,
		      u64 address, void *data, size_t size)
{
	return lodge_iobus_access(vcpu, space, address, data, NULL, size);
}

bool lodge_iobus_write(struct lodge_vcpu *vcpu, enum lodge_iobus_space space,
		       u64 address, const void *data, size_t size)
{
	return lodge_iobus_access(vcpu, space, address, NULL, data, size);
}

bool lodge_iobus_write_quick(struct lodge_vcpu *vcpu,
			     enum lodge_iobus_space space, u64 address,
			     const void *data, size_t size)
{
	struct lodge_vm *vm = vcpu->vm;
	struct lodge_iodevice *device;
	bool taken = false;
	u64 offset;
	int index;

	if (!lodge_iobus_has(&vm->iobus, space) ||
	    (space == LODGE_IOBUS_MMIO &&
	     lodge_lapic_claims(vcpu->apic, address)))
		return false;
	index = srcu_read_lock(&vm->slots_srcu);
	device = lodge_iobus_device(vm, space, address, size, &offset);
	if (device && device->ops->write_quick)
		taken = device->ops->write_quick(vcpu, device, offset, data,
						 size);
	srcu_read_unlock(&vm->slots_srcu, index);
	return taken;
}
