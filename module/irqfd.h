/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Eventfds that send a VM's interrupt messages, with nobody in user space.
 */
#ifndef LODGE_IRQFD_H
#define LODGE_IRQFD_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include <lodge.h>

struct lodge_vm;

/**
 * struct lodge_irqfds - a VM's
 * @lock: guards @list, and is taken under the lock of an eventfd
 * @list: those that have not ended
 * @nr: those that are not freed; written under vm->lock, or by who frees them
 * @levels: level-triggered ones; changed under @lock, read under vm->slots_srcu
 */
struct lodge_irqfds {
	spinlock_t lock;
	struct list_head list;
	atomic_t nr;
	struct list_head levels;
};

/**
 * lodge_irqfd_start() - before the first VM
 *
 * Return: 0 or -ENOMEM.
 */
int lodge_irqfd_start(void);

/**
 * lodge_irqfd_stop() - after the last one
 */
void lodge_irqfd_stop(void);

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
 * In a vCPU's thread.
 *
 * Return: true if eventfds have this vector, and were told; false: user space is to be.
 */
bool lodge_irqfd_ended(struct lodge_vm *vm, u8 vector);

#endif
