/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Holding a VM's vCPUs: while vm->holds is not zero, none is in LODGE_RUN once the call
 * that has raised it is back.
 *
 * A call that holds them for itself is counted there alone, so that no LODGE_RELEASE, with
 * or without a LODGE_HOLD of its own, lets the vCPUs run in the middle of it.
 */
#ifndef LODGE_HOLD_H
#define LODGE_HOLD_H

#include "vm.h"

/**
 * lodge_hold_begin() - stop the vCPUs and keep them from running; takes their locks, one
 * after the other
 *
 * Return: 0; -EINTR killed meanwhile, -EOVERFLOW: then the vCPUs are not held.
 */
long lodge_hold_begin(struct lodge_vm *vm);

/**
 * lodge_hold_end() - take back a lodge_hold_begin()
 */
void lodge_hold_end(struct lodge_vm *vm);

/**
 * lodge_hold_user() - LODGE_HOLD
 *
 * Return: as lodge_hold_begin().
 */
long lodge_hold_user(struct lodge_vm *vm);

/**
 * lodge_hold_release() - LODGE_RELEASE
 *
 * Return: 0 or -EINVAL no LODGE_HOLD is in force.
 */
long lodge_hold_release(struct lodge_vm *vm);

/**
 * lodge_hold_release_all() - take back each LODGE_HOLD: nobody can call LODGE_RELEASE
 */
void lodge_hold_release_all(struct lodge_vm *vm);

/**
 * lodge_hold_is_on() - true if LODGE_RUN must fail with EAGAIN
 */
static inline bool lodge_hold_is_on(const struct lodge_vm *vm)
{
	return unlikely(atomic_read(&vm->holds));
}

#endif
