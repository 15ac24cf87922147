/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The source of NMIs: the real-time clock's periodic interrupt, which a PC has at
 * pin 8 of its I/O APIC.  A host without performance counters has no other that
 * comes by itself, as often as one likes and at any instruction.
 */
#ifndef LODGE_NMI_CLOCK_H
#define LODGE_NMI_CLOCK_H

#include <linux/types.h>

/**
 * clock_map() - find the I/O APIC and, where there is one, the HPET
 *
 * Return: 0 or -errno; what it has mapped clock_unmap() takes away.
 */
int clock_map(void);
void clock_unmap(void);

/**
 * clock_start() - send NMIs to processor @cpu, 512 a second
 *
 * Nobody else may use the clock, or change the I/O APIC, until clock_stop().
 */
void clock_start(unsigned int cpu);

/**
 * clock_stop() - send no more, and leave all registers as they were
 */
void clock_stop(void);

/**
 * clock_acknowledge() - let the next one come; for the NMI's handler
 *
 * Return: true if the clock has sent one since the last call.
 */
bool clock_acknowledge(void);

#endif
