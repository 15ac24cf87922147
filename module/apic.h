/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The local APIC as the rest of the core sees it, and interrupt messages.
 */
#ifndef LODGE_APIC_H
#define LODGE_APIC_H

#include <lodge.h>

struct lodge_vcpu;
struct lodge_vm;

/* lapic.c */

#define LODGE_APIC_BASE_DEFAULT 0xfee00000ULL

/**
 * lodge_lapic_init() - make the local APIC, in its reset state
 *
 * Before the vCPU can be found in vm->vcpus.  Return: 0 or -ENOMEM.
 */
int lodge_lapic_init(struct lodge_vcpu *vcpu);

/**
 * lodge_lapic_close() - its timer ends; it takes messages as before
 *
 * There may be no APIC, as for lodge_lapic_free().
 */
void lodge_lapic_close(struct lodge_vcpu *vcpu);

/**
 * lodge_lapic_free() - once nobody can find the vCPU, which is closed
 */
void lodge_lapic_free(struct lodge_vcpu *vcpu);

/**
 * lodge_lapic_reset() - after reset or INIT; sets vcpu->regs.control.apic_base
 * (kept over INIT)
 *
 * AMD APM vol. 2, section 16.3; Intel SDM vol. 3, section 10.4.7.
 */
void lodge_lapic_reset(struct lodge_vcpu *vcpu, bool init);

/**
 * lodge_lapic_base_valid() - whether MSR APIC_BASE can hold @value
 *
 * For LODGE_SET_STATE, which may then store it in vcpu->regs.control.apic_base:
 * the APIC keeps no other note of its mode.
 */
bool lodge_lapic_base_valid(const struct lodge_vcpu *vcpu, u64 value);

/**
 * lodge_lapic_claims() - whether @gpa is in the vCPU's xAPIC page
 */
bool lodge_lapic_claims(const struct lodge_vcpu *vcpu, u64 gpa);

/**
 * lodge_lapic_read() - MMIO read of 1 to 16 bytes at an offset in the page
 */
void lodge_lapic_read(struct lodge_vcpu *vcpu, u32 offset, void *data,
		      size_t size);
void lodge_lapic_write(struct lodge_vcpu *vcpu, u32 offset, const void *data,
		       size_t size);

/* Each vCPU's page; a device of the bus that finds its APIC by the vCPU. */
extern struct lodge_iodevice lodge_lapic_page;

/**
 * lodge_lapic_msr_read() - APIC_BASE, TSC_DEADLINE, x2APIC's 0x800 to 0x8ff
 *
 * Return: true for #GP.
 */
bool lodge_lapic_msr_read(struct lodge_vcpu *vcpu, u32 index, u64 *value);
bool lodge_lapic_msr_write(struct lodge_vcpu *vcpu, u32 index, u64 value);

/**
 * lodge_lapic_pending() - highest requested vector that the priority lets pass
 *
 * Return: the vector, or -1.
 */
int lodge_lapic_pending(struct lodge_vcpu *vcpu);

/**
 * lodge_lapic_blocked_by_tpr() - whether a request waits only for a lower TPR
 */
bool lodge_lapic_blocked_by_tpr(struct lodge_vcpu *vcpu);

/**
 * lodge_lapic_acknowledge() - @vector, which lodge_lapic_pending() answered, is
 * delivered: it goes from request to in service
 */
void lodge_lapic_acknowledge(struct lodge_vcpu *vcpu, u8 vector);

u8 lodge_lapic_cr8(const struct lodge_vcpu *vcpu);
void lodge_lapic_set_cr8(struct lodge_vcpu *vcpu, u8 cr8);

/**
 * lodge_lapic_take_eoi() - next level-triggered vector whose end is to be told
 *
 * Requests LODGE_REQ_EOI again when there are more.
 *
 * Return: the vector, or -1.
 */
int lodge_lapic_take_eoi(struct lodge_vcpu *vcpu);

/**
 * lodge_lapic_tsc_changed() - vcpu->tsc_offset is another: a TSC deadline moves
 */
void lodge_lapic_tsc_changed(struct lodge_vcpu *vcpu);

/**
 * lodge_lapic_sleep() - the vCPU is about to sleep: its timer is to wake it
 */
void lodge_lapic_sleep(struct lodge_vcpu *vcpu);

/**
 * lodge_lapic_wake() - it has slept
 */
void lodge_lapic_wake(struct lodge_vcpu *vcpu);

/**
 * lodge_lapic_deadline() - raise the timer's interrupt if vcpu->deadline, which
 * nothing but the processor watches, has come
 */
void lodge_lapic_deadline(struct lodge_vcpu *vcpu);

/**
 * lodge_lapic_accepts_extint() - whether LINT0 lets the PIC's interrupt through
 */
bool lodge_lapic_accepts_extint(const struct lodge_vcpu *vcpu);

void lodge_lapic_get(struct lodge_vcpu *vcpu, struct lodge_lapic *out);

/**
 * lodge_lapic_check() - whether an APIC could hold this, in one mode or another
 *
 * Return: 0 or -EINVAL.
 */
int lodge_lapic_check(struct lodge_vcpu *vcpu, const struct lodge_lapic *in);

/**
 * lodge_lapic_set() - take what lodge_lapic_check() let pass
 *
 * After MSR APIC_BASE and the TSC: the mode and the timer depend on them.
 */
void lodge_lapic_set(struct lodge_vcpu *vcpu, const struct lodge_lapic *in);

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
 * lodge_lapic_accept() - this vCPU's APIC takes the message; any context
 *
 * Return: whether it does.
 */
bool lodge_lapic_accept(struct lodge_vcpu *vcpu, const struct lodge_irq *irq);

/**
 * lodge_lapic_matches() - whether the message is meant for this vCPU
 */
bool lodge_lapic_matches(const struct lodge_vcpu *vcpu,
			 const struct lodge_irq *irq);

/* irq.c */

/**
 * lodge_irq_send() - carry a message to whom it is meant for; any context
 * @from: the sending vCPU, for shorthands; NULL from a device
 *
 * Return: how many took it.
 */
int lodge_irq_send(struct lodge_vm *vm, struct lodge_vcpu *from,
		   const struct lodge_irq *irq);

/**
 * lodge_irq_msi() - LODGE_SEND_MSI
 */
int lodge_irq_msi(struct lodge_vm *vm, const struct lodge_msi *msi);

#endif
