/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The local APIC as the rest of the core sees it, and interrupt messages.
 */
#ifndef LODGE_APIC_H
#define LODGE_APIC_H

#include <lodge.h>

struct lodge_apic;

/* lapic.c */

#define LODGE_APIC_BASE_DEFAULT 0xfee00000ULL

/**
 * lodge_lapic_init() - put a local APIC into its reset state
 *
 * Before anyone can find it.
 *
 * Return: 0, or -ENODEV on a host without a usable time stamp counter.
 */
int lodge_lapic_init(struct lodge_apic *apic);

/**
 * lodge_lapic_close() - end its timer; it takes messages as before
 * @apic: the APIC, or NULL
 */
void lodge_lapic_close(struct lodge_apic *apic);

/**
 * lodge_lapic_reset() - reset or INIT; INIT keeps MSR APIC_BASE
 *
 * AMD APM vol. 2, section 16.3; Intel SDM vol. 3, section 10.4.7.
 */
void lodge_lapic_reset(struct lodge_apic *apic, bool init);

/**
 * lodge_lapic_base_valid() - true if MSR APIC_BASE can hold @value
 *
 * For LODGE_SET_STATE, which may then store it: the APIC keeps no other note of its
 * mode.
 */
bool lodge_lapic_base_valid(const struct lodge_apic *apic, u64 value);

/**
 * lodge_lapic_claims() - true if @gpa is in the xAPIC page
 */
bool lodge_lapic_claims(const struct lodge_apic *apic, u64 gpa);

/**
 * lodge_lapic_read() - MMIO read of 1 to 16 bytes at an offset in the page
 */
void lodge_lapic_read(struct lodge_apic *apic, u32 offset, void *data,
		      size_t size);
void lodge_lapic_write(struct lodge_apic *apic, u32 offset, const void *data,
		       size_t size);

/* Each vCPU's page; a device of the bus that finds its APIC by the vCPU. */
extern struct lodge_iodevice lodge_lapic_page;

/**
 * lodge_lapic_msr_read() - APIC_BASE, TSC_DEADLINE, x2APIC's 0x800 to 0x8ff
 *
 * Return: true for #GP.
 */
bool lodge_lapic_msr_read(struct lodge_apic *apic, u32 index, u64 *value);
bool lodge_lapic_msr_write(struct lodge_apic *apic, u32 index, u64 value);

/**
 * lodge_lapic_msr_quick() - true if an access takes a short time, and cannot sleep
 * @value: what is written
 *
 * A message to one APIC is quick, one to many is not.
 */
bool lodge_lapic_msr_quick(u32 index, bool write, u64 value);

/**
 * lodge_lapic_pending() - highest requested vector that the priority lets pass
 *
 * Return: the vector, or -1.
 */
int lodge_lapic_pending(struct lodge_apic *apic);

/**
 * lodge_lapic_window() - what the highest requested vector waits for
 *
 * Return: LODGE_BLOCK_INTERRUPT: only for the guest to take it; LODGE_BLOCK_PRIORITY:
 * for a lower TPR; 0: for the end of another one, or there is none.
 */
u32 lodge_lapic_window(struct lodge_apic *apic);

/**
 * lodge_lapic_acknowledge() - @vector, which lodge_lapic_pending() answered, is
 * delivered: it goes from request to in service
 */
void lodge_lapic_acknowledge(struct lodge_apic *apic, u8 vector);

u8 lodge_lapic_cr8(const struct lodge_apic *apic);

/**
 * lodge_lapic_set_cr8() - the guest has written CR8, which is the task priority
 */
void lodge_lapic_set_cr8(struct lodge_apic *apic, u8 cr8);

/**
 * lodge_lapic_take_eoi() - next level-triggered vector whose end is to be told
 *
 * Requests LODGE_REQ_EOI again when there are more.
 *
 * Return: the vector, or -1.
 */
int lodge_lapic_take_eoi(struct lodge_apic *apic);

/**
 * lodge_lapic_tsc_changed() - move a TSC deadline after a change of the TSC's offset
 */
void lodge_lapic_tsc_changed(struct lodge_apic *apic);

/**
 * lodge_lapic_sleep() - before the vCPU sleeps: have its timer wake it
 */
void lodge_lapic_sleep(struct lodge_apic *apic);

/**
 * lodge_lapic_wake() - after the vCPU has slept
 */
void lodge_lapic_wake(struct lodge_apic *apic);

/**
 * lodge_lapic_deadline() - raise the timer's interrupt if the deadline that only the
 * processor watches has come
 */
void lodge_lapic_deadline(struct lodge_apic *apic);

/**
 * lodge_lapic_accepts_extint() - true if LINT0 lets the PIC's interrupt through
 */
bool lodge_lapic_accepts_extint(const struct lodge_apic *apic);

void lodge_lapic_get(struct lodge_apic *apic, struct lodge_lapic *out);

/**
 * lodge_lapic_check() - see that an APIC could hold this, in one mode or another
 *
 * Return: 0 or -EINVAL.
 */
int lodge_lapic_check(struct lodge_apic *apic, const struct lodge_lapic *in);

/**
 * lodge_lapic_set() - take values that lodge_lapic_check() has let pass
 *
 * After MSR APIC_BASE and the TSC: the mode and the timer depend on them.
 */
void lodge_lapic_set(struct lodge_apic *apic, const struct lodge_lapic *in);

/**
 * struct lodge_irq - an interrupt message on its way
 * @destination: APIC ID, or logical destination; all ones of its width: everyone
 * @vector: of FIXED and LOWEST, or the SIPI's page
 * @mode: APIC_DM_FIXED and so on, from <asm/apicdef.h>
 * @logical: how to read @destination
 * @x2apic: @destination is 32 bits wide
 * @level: level-triggered
 * @shorthand: 0 none, 1 self, 2 all, 3 all but self
 */
struct lodge_irq {
	u32 destination;
	u8 vector;
	u16 mode;
	bool logical;
	bool x2apic;
	bool level;
	u8 shorthand;
};

/**
 * lodge_lapic_accept() - take a message; any context
 *
 * Return: true if it does.
 */
bool lodge_lapic_accept(struct lodge_apic *apic, const struct lodge_irq *irq);

/**
 * lodge_lapic_matches() - true if the message is addressed to this APIC
 */
bool lodge_lapic_matches(const struct lodge_apic *apic,
			 const struct lodge_irq *irq);

/* irq.c */

/**
 * struct lodge_apic_bus - carries messages to the local APICs of a VM
 * @apic: by their ID; set once, readable by anyone
 * @nr: one more than the highest ID; readable by anyone
 * @turn: where the search for the lowest priority begins; a mere hint
 */
struct lodge_apic_bus {
	struct lodge_apic *apic[LODGE_MAX_VCPUS];
	u32 nr;
	u32 turn;
};

/**
 * lodge_irq_connect() - let messages find an APIC from now on; one at a time
 */
void lodge_irq_connect(struct lodge_apic_bus *bus, struct lodge_apic *apic);

/**
 * lodge_irq_send() - carry a message to its destinations; any context
 * @from: the sending APIC, for shorthands; NULL from a device
 *
 * Return: number of APICs that took it.
 */
int lodge_irq_send(struct lodge_apic_bus *bus, struct lodge_apic *from,
		   const struct lodge_irq *irq);

/**
 * lodge_irq_msi_valid() - true if a device can send such a message
 */
bool lodge_irq_msi_valid(const struct lodge_msi *msi);

/**
 * lodge_irq_msi_is_level() - true if it is level-triggered
 */
bool lodge_irq_msi_is_level(const struct lodge_msi *msi);

/**
 * lodge_irq_msi_is_for() - true if such a message is addressed to this APIC
 */
bool lodge_irq_msi_is_for(const struct lodge_msi *msi,
			  const struct lodge_apic *apic);

/**
 * lodge_irq_msi() - LODGE_SEND_MSI; any context
 */
int lodge_irq_msi(struct lodge_apic_bus *bus, const struct lodge_msi *msi);

#endif
