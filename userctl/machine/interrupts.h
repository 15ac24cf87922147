/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The wiring of interrupts: from the devices' lines to the PIC and the IOAPIC,
 * from these to the vCPUs, and the end of an interrupt back again.
 *
 * Line 0 to 15 is an ISA interrupt: it leads to that input of the PIC and to
 * that pin of the IOAPIC, but for line 0, the timer, which is on pin 2.  Lines 16
 * to 23 lead to the IOAPIC alone.
 */
#ifndef LODGE_MACHINE_INTERRUPTS_H
#define LODGE_MACHINE_INTERRUPTS_H

#include <stdint.h>

#include <lodge.h>

#include "board/bus.h"
#include "board/line.h"

struct interrupts;

/**
 * struct interrupts_config - what the wiring leads to
 * @bus: where PIC and IOAPIC answer
 * @vm: the VM's descriptor, for the IOAPIC's messages
 * @kick: makes vCPU 0 call interrupts_extint() soon; called from any thread,
 *	with the PIC's lock held
 * @opaque: for @kick
 */
struct interrupts_config {
	struct bus *bus;
	int vm;
	void (*kick)(void *opaque);
	void *opaque;
};

/**
 * interrupts_new() - make PIC and IOAPIC, as a BIOS leaves them, and wire them
 *
 * Return: the wiring, or NULL with errno set.
 */
struct interrupts *interrupts_new(const struct interrupts_config *config);

/**
 * interrupts_free() - free it all, once nothing calls it any more; NULL is fine
 */
void interrupts_free(struct interrupts *interrupts);

/**
 * interrupts_line() - a line for a device to drive
 * @number: 0 to 23
 */
struct irq_line interrupts_line(struct interrupts *interrupts,
				unsigned int number);

/**
 * interrupts_eoi() - a vCPU has ended a level-triggered interrupt
 */
void interrupts_eoi(struct interrupts *interrupts, uint32_t vector);

/**
 * interrupts_extint() - hand the PIC's interrupt to vCPU 0
 * @interrupts: the wiring
 * @vcpu: descriptor of vCPU 0
 * @run: its run page: request_window is set when there is an interrupt that it
 *	cannot take yet
 *
 * Called by vCPU 0's thread before each run; without an interrupt it costs one
 * load.
 *
 * Return: 0 or -errno of LODGE_EXTINT.
 */
int interrupts_extint(struct interrupts *interrupts, int vcpu,
		      struct lodge_run *run);

#endif
