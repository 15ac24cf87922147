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

#include "board/device.h"

struct interrupts;

/**
 * struct interrupts_config - what the wiring leads to
 * @kick: makes vCPU 0 call interrupts_extint() soon; called from any thread,
 *	with the PIC's lock held
 * @opaque: for @kick
 */
struct interrupts_config {
	void (*kick)(void *opaque);
	void *opaque;
};

/**
 * interrupts_new() - make PIC and IOAPIC, as a BIOS leaves them, and wire them
 * @board: where they go; its lines become those of the wiring
 *
 * Return: the wiring, or NULL with errno set.
 */
struct interrupts *interrupts_new(const struct interrupts_config *config,
				  struct board *board);

/**
 * interrupts_free() - free it all, once nothing calls it any more; NULL is fine
 */
void interrupts_free(struct interrupts *interrupts);

/**
 * interrupts_set_vm() - say which VM's vCPUs take the IOAPIC's messages, while
 * none of them runs
 * @vm: its descriptor, or -1
 */
void interrupts_set_vm(struct interrupts *interrupts, int vm);

/**
 * interrupts_reset() - put all back to what interrupts_new() gives, once the
 * devices are reset and while no vCPU runs
 */
void interrupts_reset(struct interrupts *interrupts);

/* Sections that interrupts_save() makes. */
#define INTERRUPTS_SECTIONS 3

/**
 * interrupts_save() - append the state of controllers and wiring to a record
 *
 * Return: 0 or -ENOMEM.
 */
int interrupts_save(const struct interrupts *interrupts, struct record *record);

/**
 * interrupts_load() - take it back, before the devices take theirs
 *
 * Return: 0, -EINVAL or -ENOMEM; some of it may have changed then.
 */
int interrupts_load(struct interrupts *interrupts, const struct record *record);

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
