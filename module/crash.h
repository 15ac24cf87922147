/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's hook for a crash, and KVM, which wants it too.
 */
#ifndef LODGE_CRASH_H
#define LODGE_CRASH_H

/**
 * lodge_crash_init() - learn of KVM, loaded or not; takes no hook yet
 * @hook: switches virtualization off on a CPU, in any context
 */
void lodge_crash_init(void (*hook)(void));

/**
 * lodge_crash_exit() - let go of the hook and of KVM
 */
void lodge_crash_exit(void);

/**
 * lodge_crash_take() - before virtualization goes on: a crash is to undo it
 *
 * The hook stays KVM's where KVM's own does that for us.  May sleep.
 *
 * Return: 0, or -EBUSY when KVM is just about to take the processor.
 */
int lodge_crash_take(void);

/**
 * lodge_crash_leave() - virtualization is off everywhere; may sleep
 */
void lodge_crash_leave(void);

#endif
