// SPDX-License-Identifier: GPL-2.0
/*
 * Doorbells: see ioeventfd.h.
 *
 * A door is a device on the bus, with an address and a size of writes.  It has bells,
 * each of which is rung by one value, or a single one that any value rings.
 */
#include <linux/eventfd.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/srcu.h>

#include "compat.h"
#include "ioeventfd.h"
#include "iobus.h"
#include "user.h"
#include "vcpu.h"
#include "vm.h"

/**
 * struct door - an address that has bells
 * @device: its part of the bus
 * @node: in lodge_ioeventfds.doors
 * @vm: whose it is
 * @space: enum lodge_iobus_space
 * @address: of the writes
 * @size: of the writes, or 0: any
 * @bells: changed under vm->lock, read under vm->slots_srcu
 */
struct door {
	struct lodge_iodevice device;
	struct list_head node;
	struct lodge_vm *vm;
	enum lodge_iobus_space space;
	u64 address;
	u32 size;
	struct list_head bells;
};

/**
 * struct bell - an eventfd
 * @node: in its door's list
 * @eventfd: what is signalled
 * @matches: not any value rings it, but @match alone
 * @match: the value
 */
struct bell {
	struct list_head node;
	struct eventfd_ctx *eventfd;
	bool matches;
	u64 match;
};

/* Kernel memory that is counted for a bell, with a door of its own. */
#define BELL_MEMORY \
	(sizeof(struct bell) + sizeof(struct door) + LODGE_EVENTFD_BYTES)

void lodge_ioeventfd_init(struct lodge_ioeventfds *all)
{
	INIT_LIST_HEAD(&all->doors);
}

static bool door_read(struct lodge_vcpu *vcpu, struct lodge_iodevice *device,
		      u64 offset, void *data, size_t size)
{
	return false;
}

/*
 * Without @data it is not known what is written: that rings the bell of a door for any
 * size, which asks for no value.
 */
static bool door_write(struct lodge_vcpu *vcpu, struct lodge_iodevice *device,
		       u64 offset, const void *data, size_t size)
{
	struct door *door = container_of(device, struct door, device);
	const struct bell *bell;
	u64 value = 0;

	if (offset || (door->size && size != door->size))
		return false;
	if (data)
		memcpy(&value, data, min(size, sizeof(value)));
	list_for_each_entry_srcu(bell, &door->bells, node,
				 srcu_read_lock_held(&door->vm->slots_srcu)) {
		if (bell->matches && bell->match != value)
			continue;
		lodge_eventfd_signal(bell->eventfd);
		return true;
	}
	return false;
}

/* Nobody reads the list any more. */
static void bell_free(struct lodge_vm *vm, struct bell *bell)
{
	eventfd_ctx_put(bell->eventfd);
	kfree(bell);
	vm->ioeventfds.nr--;
	lodge_user_put_kernel(vm->user, BELL_MEMORY);
}

static void door_release(struct lodge_iodevice *device)
{
	struct door *door = container_of(device, struct door, device);
	struct bell *bell, *next;

	list_for_each_entry_safe(bell, next, &door->bells, node)
		bell_free(door->vm, bell);
	list_del(&door->node);
	kfree(door);
}

/* Where spinlocks sleep, an eventfd's own one does. */
static const struct lodge_iodevice_ops door_ops = {
	.read = door_read,
	.write = door_write,
	.write_quick = IS_ENABLED(CONFIG_PREEMPT_RT) ? NULL : door_write,
	.release = door_release,
};

static enum lodge_iobus_space space_of(const struct lodge_ioeventfd *set)
{
	return set->flags & LODGE_IOEVENTFD_PORT ? LODGE_IOBUS_PORT :
						   LODGE_IOBUS_MMIO;
}

static struct door *door_find(struct lodge_vm *vm,
			      const struct lodge_ioeventfd *set)
{
	struct door *door;

	list_for_each_entry(door, &vm->ioeventfds.doors, node)
		if (door->space == space_of(set) &&
		    door->address == set->address && door->size == set->size)
			return door;
	return NULL;
}

/* Return: the bell that this one would be, or that would ring in its place. */
static struct bell *bell_find(struct door *door,
			      const struct lodge_ioeventfd *set, bool same)
{
	const bool matches = set->flags & LODGE_IOEVENTFD_MATCH;
	struct bell *bell;

	list_for_each_entry(bell, &door->bells, node) {
		if (bell->matches == matches && bell->match == set->match)
			return bell;
		if (!same && !(bell->matches && matches))
			return bell;
	}
	return NULL;
}

/* A door with its first bell: on the bus it is complete. */
static int door_add(struct lodge_vm *vm, const struct lodge_ioeventfd *set,
		    struct bell *bell)
{
	struct door *door = kzalloc(sizeof(*door), GFP_KERNEL_ACCOUNT);
	int error;

	if (!door)
		return -ENOMEM;
	door->device.ops = &door_ops;
	door->device.any_size = !set->size;
	door->vm = vm;
	door->space = space_of(set);
	door->address = set->address;
	door->size = set->size;
	INIT_LIST_HEAD(&door->bells);
	list_add(&bell->node, &door->bells);
	error = lodge_iobus_add(vm, door->space, door->address,
				max(door->size, 1U), &door->device);
	if (error)
		kfree(door);
	else
		list_add(&door->node, &vm->ioeventfds.doors);
	return error;
}

static int bell_hang(struct lodge_vm *vm, const struct lodge_ioeventfd *set,
		     struct bell *bell)
{
	struct door *door = door_find(vm, set);

	if (!door)
		return door_add(vm, set, bell);
	if (bell_find(door, set, false))
		return -EEXIST;
	list_add_rcu(&bell->node, &door->bells);
	return 0;
}

static int bell_add(struct lodge_vm *vm, const struct lodge_ioeventfd *set,
		    struct eventfd_ctx *eventfd)
{
	struct bell *bell;
	int error;

	if (vm->ioeventfds.nr == LODGE_MAX_IOEVENTFDS)
		return -ENOSPC;
	error = lodge_user_get_kernel(vm->user, BELL_MEMORY);
	if (error)
		return error;
	bell = kzalloc(sizeof(*bell), GFP_KERNEL_ACCOUNT);
	error = -ENOMEM;
	if (!bell)
		goto put;
	bell->eventfd = eventfd;
	bell->matches = set->flags & LODGE_IOEVENTFD_MATCH;
	bell->match = set->match;
	error = bell_hang(vm, set, bell);
	if (error)
		goto put;
	vm->ioeventfds.nr++;
	return 0;
put:
	kfree(bell);
	lodge_user_put_kernel(vm->user, BELL_MEMORY);
	return error;
}

static int bell_remove(struct lodge_vm *vm, const struct lodge_ioeventfd *set,
		       const struct eventfd_ctx *eventfd)
{
	struct door *door = door_find(vm, set);
	struct bell *bell = door ? bell_find(door, set, true) : NULL;

	if (!bell || bell->eventfd != eventfd)
		return -ENOENT;
	if (list_is_singular(&door->bells))
		return lodge_iobus_remove(vm, door->space, &door->device);
	list_del_rcu(&bell->node);
	synchronize_srcu_expedited(&vm->slots_srcu);
	bell_free(vm, bell);
	return 0;
}

static bool set_is_valid(const struct lodge_ioeventfd *set)
{
	const u32 known = LODGE_IOEVENTFD_PORT | LODGE_IOEVENTFD_MATCH |
			  LODGE_IOEVENTFD_REMOVE;
	const u32 most = set->flags & LODGE_IOEVENTFD_PORT ? 4 : 8;

	if (set->flags & ~known || set->reserved)
		return false;
	if (set->size > most || (set->size && !is_power_of_2(set->size)))
		return false;
	if (!(set->flags & LODGE_IOEVENTFD_MATCH))
		return !set->match;
	/* A value that no write of this size can have. */
	return set->size == 8 || (set->size && !(set->match >> set->size * 8));
}

long lodge_ioeventfd_set(struct lodge_vm *vm, const struct lodge_ioeventfd *set)
{
	struct eventfd_ctx *eventfd;
	int error;

	if (!set_is_valid(set))
		return -EINVAL;
	eventfd = eventfd_ctx_fdget(set->fd);
	if (IS_ERR(eventfd))
		return PTR_ERR(eventfd);
	if (!(set->flags & LODGE_IOEVENTFD_REMOVE)) {
		error = bell_add(vm, set, eventfd);
		if (!error)
			return 0;
	} else {
		error = bell_remove(vm, set, eventfd);
	}
	eventfd_ctx_put(eventfd);
	return error;
}
