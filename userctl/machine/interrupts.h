/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The interrupt wiring: from the devices' lines to the PIC and the IOAPIC, from these
 * to the vCPUs, and for the end of an interrupt from the vCPUs to the IOAPIC.
 *
 * Lines 0 to 15 are the ISA interrupts: each is connected to the input of the PIC
 * and to the pin of the IOAPIC with its number, except that line 0, the timer, is on
 * pin 2.  Lines 16 to 23 are connected to the IOAPIC; of these, lines 16 to 19, PCI's, are
 * connected to the PIC's inputs 10 and 11, too, for guests that do not use the IOAPIC.
 */
#ifndef LODGE_MACHINE_INTERRUPTS_H
#define LODGE_MACHINE_INTERRUPTS_H

#include <stdint.h>

#include <lodge.h>

#include "board/device.h"

struct interrupts;

/**
 * struct interrupts_config - configuration of the wiring
 * @kick: makes vCPU 0 call interrupts_extint() soon; called from any thread,
 *	with the PIC's lock held
 * @opaque: for @kick
 */
struct interrupts_config {
	void (*kick)(void *opaque);
	void *opaque;
};

/**
 * interrupts_new() - make PIC and IOAPIC, as a BIOS leaves them, and connect them
 * @board: the board for them; its lines are set to those of the wiring
 *
 * Return: the wiring, or NULL with errno set.
 */
struct interrupts *interrupts_new(const struct interrupts_config *config,
				  struct board *board);

/**
 * interrupts_free() - free all, once nothing calls it any more; NULL is fine
 */
void interrupts_free(struct interrupts *interrupts);

/**
 * interrupts_set_vm() - set the VM that gets the IOAPIC's messages, while none of
 * its vCPUs runs
 * @vm: the VM's descriptor, or -1
 */
void interrupts_set_vm(struct interrupts *interrupts, int vm);

/**
 * interrupts_reset() - reset all to the state after interrupts_new(), when the
 * devices are reset and no vCPU runs
 */
void interrupts_reset(struct interrupts *interrupts);

/* Number of sections that interrupts_save() makes. */
#define INTERRUPTS_SECTIONS 3

/**
 * interrupts_save() - append the state of controllers and wiring to a record
 *
 * Return: 0 or -ENOMEM.
 */
int interrupts_save(const struct interrupts *interrupts, struct record *record);

/**
 * interrupts_load() - load controllers and wiring from a record, before the devices
 *
 * Return: 0, -EINVAL or -ENOMEM.  On failure part of the state may have changed.
 */
int interrupts_load(struct interrupts *interrupts, const struct record *record);

/**
 * interrupts_put_back() - put back controllers and wiring, which have just been reset
 * @record: made in this process, of the same machine
 * @at: where interrupts_save() began; moved behind it
 *
 * Return: 0; -EINVAL it has saved others.
 */
int interrupts_put_back(struct interrupts *interrupts,
			const struct record *record, size_t *at);

/**
 * interrupts_eoi() - report the end of a level-triggered interrupt
 */
void interrupts_eoi(struct interrupts *interrupts, uint32_t vector);

/**
 * interrupts_extint() - hand the PIC's interrupt to vCPU 0
 * @interrupts: the wiring
 * @vcpu: descriptor of vCPU 0
 * @run: its run page; request_window is set if there is an interrupt that vCPU 0
 *	cannot take yet
 *
 * vCPU 0's thread calls this before each run; without an interrupt it costs one load.
 *
 * Return: 0 or -errno of LODGE_EXTINT.
 */
int interrupts_extint(struct interrupts *interrupts, int vcpu,
		      struct lodge_run *run);

#endif
