/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shared by the tests of a host's end: the next kernel, VMs that keep the
 * processors busy meanwhile, and the words to the other side (see host/run).
 */
#ifndef LODGE_LIFE_H
#define LODGE_LIFE_H

#include <stdbool.h>

/**
 * next_load() - have the kernel load the one that comes next, of the same kind and
 * with the same files
 * @crash: it is for a crash, and finds captured=1 in its environment
 *
 * Return: 0 or -errno.
 */
int next_load(bool crash);

/**
 * kvm_load() - load KVM, and leave it idle
 *
 * Return: 0 or -errno.
 */
int kvm_load(void);

/**
 * vms_start() - a thread that makes a VM, runs it and ends it, for ever
 *
 * There is only one, so that each VM switches virtualization on and off.
 *
 * Return: true if it has made one.
 */
bool vms_start(void);

/**
 * vm_hold() - a VM that is there until the end, and does not run
 *
 * Return: true if it is.
 */
bool vm_hold(void);

/**
 * guests_start() - two guests that spin for ever, off the first processor where
 * there are more
 *
 * Return: true if both run.
 */
bool guests_start(void);

/**
 * on_first_processor() - move the calling thread there for good
 */
bool on_first_processor(void);

/**
 * tell() - a line to the other side, which has it when this returns
 */
void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

/**
 * tell_result() - a test's result
 *
 * Return: @passed.
 */
bool tell_result(bool passed, int number, const char *text);

/**
 * crash() - the test of a crash: a dump can be taken
 * @kvm: with KVM loaded, and idle
 *
 * Return: the exit status for main(); it returns in the kernel that takes the dump,
 * too.
 */
int crash(bool kvm);

#endif
