/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Doorbells: eventfds that are signalled by a guest's writes, in place of an exit.
 */
#ifndef LODGE_IOEVENTFD_H
#define LODGE_IOEVENTFD_H

#include <linux/list.h>
#include <linux/types.h>

#include <lodge.h>

struct lodge_vm;

/**
 * struct lodge_ioeventfds - a VM's; under vm->lock
 * @doors: the devices on its bus
 * @nr: how many eventfds they have
 */
struct lodge_ioeventfds {
	struct list_head doors;
	u32 nr;
};

/**
 * lodge_ioeventfd_init() - of a new VM
 *
 * What it has at its end is released by the bus.
 */
void lodge_ioeventfd_init(struct lodge_ioeventfds *all);

/**
 * lodge_ioeventfd_set() - LODGE_SET_IOEVENTFD
 *
 * Under vm->lock.
 */
long lodge_ioeventfd_set(struct lodge_vm *vm,
			 const struct lodge_ioeventfd *set);

#endif
