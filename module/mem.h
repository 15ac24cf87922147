/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory slots, guest physical memory, and the nested page fault.
 */
#ifndef LODGE_MEM_H
#define LODGE_MEM_H

#include <lodge.h>

struct lodge_vcpu;
struct lodge_vm;

/* slots.c, notifier.c: memory slots and the nested tables' content */

/**
 * lodge_mem_init() - no slots yet, empty nested tables, the notifier on vm->mm
 *
 * Return: 0 or -errno; from then on the notifier may flush TLBs.
 */
int lodge_mem_init(struct lodge_vm *vm);

/**
 * lodge_mem_fini() - undo lodge_mem_init(); also one that failed or never was
 */
void lodge_mem_fini(struct lodge_vm *vm);

/**
 * lodge_mem_phys_bits() - width of a guest physical address on this host
 */
u8 lodge_mem_phys_bits(void);

/**
 * lodge_mem_set() - LODGE_SET_MEMORY; under vm->lock
 */
int lodge_mem_set(struct lodge_vm *vm, const struct lodge_memory *arg);

/**
 * lodge_mem_size() - size of all slots together, bytes; needs no lock
 */
u64 lodge_mem_size(struct lodge_vm *vm);

/* fault.c: the nested page fault */

/**
 * lodge_mem_fault() - give the guest the page it touched
 * @gpa: guest physical address
 * @error: page-fault error code bits (P, W, U, I)
 * @hva: out: where the slot has it, for a message
 *
 * The calling thread's mm is vm->mm.
 *
 * If there is no slot, the next access to that page exits as a device's
 * (fault.device), for as long as that is so and where nested tables can say it.
 *
 * Return: 0; -ENXIO no slot; -EROFS a write to a read-only one; -EINTR a signal came
 * first; or another -errno: the host has no such page.
 */
int lodge_mem_fault(struct lodge_vcpu *vcpu, u64 gpa, u32 error, u64 *hva);

/* mem.c: access from the kernel */

/**
 * lodge_mem_read() - read guest physical memory; may sleep
 *
 * The calling thread's mm is vm->mm.  User space may make it wait for a page, until
 * the process is killed: vm->slots_srcu is not held.
 *
 * Return: 0, -ENXIO where a byte has no slot, -EFAULT the host has no page, or none
 * that can be accessed however often its faults are served.
 */
int lodge_mem_read(struct lodge_vm *vm, u64 gpa, void *data, size_t size);

/**
 * lodge_mem_write() - write guest physical memory; may sleep
 *
 * Return: as lodge_mem_read(), and -EROFS for a read-only slot.
 */
int lodge_mem_write(struct lodge_vm *vm, u64 gpa, const void *data,
		    size_t size);

/**
 * lodge_mem_user() - find user space's address of a byte of guest memory
 *
 * Until vm->slots_generation changes.  Return: the address, or NULL where there
 * is no slot, or (with @write) one that is read-only.
 */
void __user *lodge_mem_user(struct lodge_vm *vm, u64 gpa, bool write);

/**
 * lodge_mem_cmpxchg() - compare and exchange 1, 2, 4, 8 or 16 aligned bytes
 * @old: in: what must be there; out: what was there
 * @new: the value to put there
 *
 * Return: 0, -EAGAIN when something else was there, and as lodge_mem_write().
 */
int lodge_mem_cmpxchg(struct lodge_vm *vm, u64 gpa, void *old, const void *new,
		      size_t size);

/**
 * lodge_notifier_init() - hear of changes of vm->mm; for lodge_mem_init()
 */
int lodge_notifier_init(struct lodge_vm *vm);
void lodge_notifier_fini(struct lodge_vm *vm);

#endif
