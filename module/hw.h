/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Virtualization on and off per CPU.
 */
#ifndef LODGE_HW_H
#define LODGE_HW_H

#include <linux/percpu.h>

#include <lodge.h>

/* hw.c: virtualization on and off per CPU */

/**
 * lodge_hw_init() - hook into CPU hotplug, suspend, reboot and crash
 */
int lodge_hw_init(void);
void lodge_hw_exit(void);

/**
 * lodge_hw_get() - a VM is born: switch virtualization on where it is off
 *
 * Return: 0, -EBUSY when another hypervisor holds a CPU.
 */
int lodge_hw_get(void);

/**
 * lodge_hw_put() - a VM is gone; with the last one virtualization goes off
 */
void lodge_hw_put(void);

/* True if we have switched this CPU on; changed on it, interrupts off. */
DECLARE_PER_CPU(bool, lodge_hw_on);

/**
 * lodge_hw_ready() - true if this CPU can enter a guest; preemption is off
 *
 * It cannot while it goes offline, and once the host goes down.
 */
static inline bool lodge_hw_ready(void)
{
	return __this_cpu_read(lodge_hw_on);
}

/**
 * lodge_hw_status() - as of this moment
 */
enum lodge_status lodge_hw_status(void);

#endif
