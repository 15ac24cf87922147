/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The bus finds the device in the kernel that answers an access to a port, or to an
 * address without memory.  User space answers the others.
 */
#ifndef LODGE_IOBUS_H
#define LODGE_IOBUS_H

#include <linux/srcu.h>
#include <linux/types.h>

#include <lodge.h>

struct lodge_iobus_table;
struct lodge_iodevice;
struct lodge_vcpu;
struct lodge_vm;

/* Ranges that each space of a VM can have. */
#define LODGE_IOBUS_MAX_RANGES 512

enum lodge_iobus_space {
	LODGE_IOBUS_PORT, /* 0 to 0xffff */
	LODGE_IOBUS_MMIO, /* guest physical addresses, below 2^52 */
	LODGE_NR_IOBUS_SPACES,
};

/**
 * struct lodge_iodevice_ops - how a device answers
 * @read: read @size (1 to 16) bytes at @offset of the device's range
 * @write: write them
 * @write_quick: the same, with interrupts off, where nothing may sleep; @data NULL and
 *	@size 0: nobody has looked what is written; may be NULL
 * @release: the bus has forgotten the device, and no access is under way; may be
 *	NULL
 *
 * They are called in the vCPU's thread, of many vCPUs at the same time, under
 * vm->slots_srcu: they must not wait for user space, and not change slots or the bus.
 * @read and @write answer false if user space is to answer the access, and @write_quick
 * if it takes a call of @write to know.
 */
struct lodge_iodevice_ops {
	bool (*read)(struct lodge_vcpu *vcpu, struct lodge_iodevice *device,
		     u64 offset, void *data, size_t size);
	bool (*write)(struct lodge_vcpu *vcpu, struct lodge_iodevice *device,
		      u64 offset, const void *data, size_t size);
	bool (*write_quick)(struct lodge_vcpu *vcpu,
			    struct lodge_iodevice *device, u64 offset,
			    const void *data, size_t size);
	void (*release)(struct lodge_iodevice *device);
};

/**
 * struct lodge_iodevice - the bus's part of a device, embedded in it
 * @any_size: an access needs only to begin in the device's range
 */
struct lodge_iodevice {
	const struct lodge_iodevice_ops *ops;
	bool any_size;
};

/**
 * struct lodge_iobus - a VM's devices in the kernel
 * @table: the ranges of each space, sorted; NULL: none.  Changed under vm->lock,
 *	read under vm->slots_srcu
 *
 * Zeroed memory is an empty bus.
 */
struct lodge_iobus {
	struct lodge_iobus_table __rcu *table[LODGE_NR_IOBUS_SPACES];
};

/**
 * lodge_iobus_add() - give a range to a device
 * @space: enum lodge_iobus_space
 * @first: first port or address
 * @size: number of ports or bytes
 * @device: not yet in this space; the bus keeps it until it calls ops.release
 *
 * Under vm->lock; may sleep.  On return each new access finds the device.
 *
 * Return: 0; -EINVAL no such range; -EEXIST it overlaps another one; -ENOSPC there
 * are too many; -ENOMEM.
 */
int lodge_iobus_add(struct lodge_vm *vm, enum lodge_iobus_space space,
		    u64 first, u64 size, struct lodge_iodevice *device);

/**
 * lodge_iobus_remove() - take a device's range away
 *
 * Under vm->lock; waits until no access is under way, and calls ops.release.
 *
 * Return: 0, or -ENOENT the device is not there.
 */
int lodge_iobus_remove(struct lodge_vm *vm, enum lodge_iobus_space space,
		       struct lodge_iodevice *device);

/**
 * lodge_iobus_fini() - the VM ends: release all devices
 */
void lodge_iobus_fini(struct lodge_vm *vm);

/**
 * lodge_iobus_has() - see if a space has devices in tables
 *
 * A quick test: where it is false, no device in these tables answers.
 */
static inline bool lodge_iobus_has(const struct lodge_iobus *bus,
				   enum lodge_iobus_space space)
{
	return rcu_access_pointer(bus->table[space]);
}

/**
 * lodge_iobus_read() - let a device in the kernel answer a read
 * @address: port or guest physical address
 * @data: out: memory that user space cannot access
 * @size: 1 to 16 bytes
 *
 * A device answers only an access that lies entirely in its range, unless it has
 * @any_size.
 *
 * Return: true if one has answered; false: user space must.
 */
bool lodge_iobus_read(struct lodge_vcpu *vcpu, enum lodge_iobus_space space,
		      u64 address, void *data, size_t size);

/**
 * lodge_iobus_write() - let a device in the kernel take a write
 *
 * Return: as lodge_iobus_read().
 */
bool lodge_iobus_write(struct lodge_vcpu *vcpu, enum lodge_iobus_space space,
		       u64 address, const void *data, size_t size);

/**
 * lodge_iobus_write_quick() - let a device that can do so at once take a write
 * @data: as for lodge_iobus_write(), or NULL: nobody has looked what is written
 * @size: 0, if @data is NULL
 *
 * Never sleeps; interrupts may be off.
 *
 * Return: true if one has taken it; false: call lodge_iobus_write().
 */
bool lodge_iobus_write_quick(struct lodge_vcpu *vcpu,
			     enum lodge_iobus_space space, u64 address,
			     const void *data, size_t size);

#endif
