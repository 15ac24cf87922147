/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Eventfds that send a VM's interrupt messages, with nobody in user space.
 */
#ifndef LODGE_IRQFD_H
#define LODGE_IRQFD_H

#include <linux/atomic.h>
#include <linux/hashtable.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include <lodge.h>

struct lodge_vcpu;
struct lodge_vm;

/* So many that LODGE_MAX_IRQFDS of them make short chains. */
#define LODGE_IRQFD_HASH_BITS 7

/**
 * struct lodge_irqfds - a VM's
 * @lock: guards the lists, and is taken under the lock of an eventfd
 * @list: those that have not ended
 * @by_eventfd: the same, by their eventfds' addresses
 * @closed: those whose eventfd was closed
 * @end: frees @closed
 * @nr: those that are not freed; grows under vm->lock alone
 * @levels: level-triggered ones; read under vm->slots_srcu
 */
struct lodge_irqfds {
	spinlock_t lock;
	struct list_head list;
	DECLARE_HASHTABLE(by_eventfd, LODGE_IRQFD_HASH_BITS);
	struct list_head closed;
	struct work_struct end;
	atomic_t nr;
	struct list_head levels;
};

/**
 * lodge_irqfd_init() - of a new VM
 */
void lodge_irqfd_init(struct lodge_irqfds *all);

/**
 * lodge_irqfd_fini() - the VM ends: no message is sent any more; may sleep
 *
 * Before its APICs are freed.
 */
void lodge_irqfd_fini(struct lodge_vm *vm);

/**
 * lodge_irqfd_set() - LODGE_SET_IRQFD
 *
 * Under vm->lock.
 */
long lodge_irqfd_set(struct lodge_vm *vm, const struct lodge_irqfd *set);

/**
 * lodge_irqfd_ended() - the guest has ended a level-triggered interrupt
 * @vector: its vector
 *
 * In the vCPU's thread.  All eventfds that have this vector are told.
 *
 * Return: true if one of them sends it to this vCPU; false: user space is to be told.
 */
bool lodge_irqfd_ended(struct lodge_vcpu *vcpu, u8 vector);

#endif
