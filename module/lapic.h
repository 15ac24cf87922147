/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The local APIC's registers and what its files share: lapic.c (registers,
 * priorities, messages), lapic_timer.c and lapic_state.c.
 */
#ifndef LODGE_LAPIC_H
#define LODGE_LAPIC_H

#include <linux/bitmap.h>
#include <linux/hrtimer.h>
#include <asm/apicdef.h>
#include <asm/msr-index.h>

#include "apic.h"
#include "compat.h"
#include "features.h"
#include "pure.h"
#include "request.h"

/* Number of a register: its offset in the xAPIC page / 16, its MSR - 0x800. */
#define LAPIC_REG(offset) ((offset) >> 4)
#define LAPIC_NR_REGS 64
#define LAPIC_SELF_IPI 0x3f0

/* MSRs of x2APIC's registers. */
#define LAPIC_FIRST_MSR 0x800
#define LAPIC_LAST_MSR 0x8ff

/* Version 0x14 (integrated, xAPIC), six entries in the local vector table. */
#define LAPIC_VERSION 0x00050014

#define LAPIC_NR_VECTORS 256
/* Vectors below are the processor's exceptions: no APIC takes them. */
#define LAPIC_FIRST_VECTOR 16

/* Index into struct lodge_apic.lvt, in the order of the registers. */
enum lapic_lvt {
	LAPIC_LVT_TIMER,
	LAPIC_LVT_THERMAL,
	LAPIC_LVT_PERF,
	LAPIC_LVT_LINT0,
	LAPIC_LVT_LINT1,
	LAPIC_LVT_ERROR,
	LAPIC_NR_LVTS,
};

/* The timer's mode in its LVT entry; both bits together are reserved. */
#define LAPIC_TIMER_MODE (APIC_LVT_TIMER_PERIODIC | APIC_LVT_TIMER_TSCDEADLINE)

/**
 * struct lodge_apic - a local APIC
 *
 * Unless stated otherwise, a member is the owner's, the thread that holds
 * vcpu->lock.  "Readable by anyone": with READ_ONCE, the owner writes with
 * WRITE_ONCE.  The first group of members is set before lodge_lapic_init() and
 * never changes: it is all that the APIC knows of its vCPU.
 *
 * @vcpu: the vCPU that it belongs to and kicks
 * @id: APIC ID, which software cannot change
 * @delivery: where NMI, INIT and SIPI go
 * @bus: carries its messages
 * @base: MSR APIC_BASE, which holds the mode; readable by anyone
 * @features: what the vCPU's CPUID allows
 * @requests: enum lodge_request, for what its owner is to do next
 * @tsc: rate of the guest's TSC
 * @tsc_offset: guest's TSC less lodge_tsc() in its ticks; readable by anyone
 * @watched: the deadline that the processor watches, as the guest's TSC; 0: none
 * @by_processor: it watches one while the vCPU is awake
 * @irr: requested vectors; an atomic bitmap, set by anyone
 * @tmr: those of them that are level-triggered; an atomic bitmap, set by anyone
 * @isr: vectors in service
 * @eoi: level-triggered vectors whose end user space has not been told
 * @tpr: task priority
 * @ppr: processor priority, always what @tpr and @isr make of it; readable by
 *	anyone
 * @svr: spurious-interrupt vector register; readable by anyone
 * @ldr: logical destination in xAPIC mode; readable by anyone
 * @dfr: destination format in xAPIC mode; readable by anyone
 * @icr: interrupt command, low half
 * @icr2: high half
 * @esr: error status, as the last write to it has latched it
 * @errors: APIC_ESR_* since then; an atomic word, set by anyone
 * @lvt: local vector table; readable by anyone
 * @timer: the host's timer; for it and all that follows see lapic_timer.c
 * @initial_count: the timer's initial count
 * @divide: divide configuration register
 * @start: host's monotonic clock when the present count began, ns
 * @period: how long the initial count lasts, ns; 0: the counter stands at zero
 * @deadline: MSR TSC_DEADLINE; zero once the timer has fired
 * @armed: the deadline for which @timer was queued
 */
struct lodge_apic {
	struct lodge_vcpu *vcpu;
	u32 id;
	struct lodge_delivery *delivery;
	struct lodge_apic_bus *bus;
	u64 *base;
	const struct lodge_features *features;
	unsigned long *requests;
	const struct lodge_tsc_scale *tsc;
	const u64 *tsc_offset;
	u64 *watched;
	bool by_processor;

	DECLARE_BITMAP(irr, LAPIC_NR_VECTORS);
	DECLARE_BITMAP(tmr, LAPIC_NR_VECTORS);
	DECLARE_BITMAP(isr, LAPIC_NR_VECTORS);
	DECLARE_BITMAP(eoi, LAPIC_NR_VECTORS);
	u8 tpr;
	u8 ppr;
	u32 svr;
	u32 ldr;
	u32 dfr;
	u32 icr;
	u32 icr2;
	u32 esr;
	unsigned long errors;
	u32 lvt[LAPIC_NR_LVTS];

	struct hrtimer timer;
	u32 initial_count;
	u32 divide;
	u64 start;
	u64 period;
	u64 deadline;
	u64 armed;
};

static inline u64 lapic_base(const struct lodge_apic *apic)
{
	return READ_ONCE(*apic->base);
}

static inline bool lapic_enabled(const struct lodge_apic *apic)
{
	return lapic_base(apic) & MSR_IA32_APICBASE_ENABLE;
}

static inline bool lapic_is_x2apic(const struct lodge_apic *apic)
{
	return lapic_base(apic) & X2APIC_ENABLE;
}

/* Software has enabled it: without that it takes only NMI, INIT and SIPI. */
static inline bool lapic_takes_vectors(const struct lodge_apic *apic)
{
	return lapic_enabled(apic) &&
	       (READ_ONCE(apic->svr) & APIC_SPIV_APIC_ENABLED);
}

/* The MSRs that guests use most: the timer, and x2APIC's ICR and EOI. */
static inline bool lapic_has_msr(u32 index)
{
	return index == MSR_IA32_TSC_DEADLINE || index == MSR_IA32_APICBASE ||
	       index - LAPIC_FIRST_MSR <= LAPIC_LAST_MSR - LAPIC_FIRST_MSR;
}

/* CR8 is the task priority's class. */
static inline u8 lapic_cr8(const struct lodge_apic *apic)
{
	return apic->tpr >> 4;
}

/* Intel SDM vol. 3, section 10.12.10.2: it follows from the APIC ID. */
static inline u32 lapic_x2apic_ldr(const struct lodge_apic *apic)
{
	return (apic->id >> 4) << 16 | BIT(apic->id & 15);
}

/* lapic.c */

/**
 * lodge_lapic_valid_bits() - the bits of register @reg that software can write
 */
u32 lodge_lapic_valid_bits(u32 reg);

/**
 * lodge_lapic_reg_read() - a register in the form that the present mode shows
 *
 * Return: true if there is such a register.
 */
bool lodge_lapic_reg_read(struct lodge_apic *apic, u32 reg, u32 *value);

/**
 * lodge_lapic_update_priority() - follow a change of @tpr, @isr or @irr
 */
void lodge_lapic_update_priority(struct lodge_apic *apic);

/**
 * lodge_lapic_local() - an interrupt of the APIC's own, by its LVT entry; any
 * context
 */
void lodge_lapic_local(struct lodge_apic *apic, enum lapic_lvt entry);

/* lapic_timer.c */
void lodge_lapic_timer_init(struct lodge_apic *apic);

/**
 * lodge_lapic_timer_stop() - the counter stands at zero, there is no deadline
 */
void lodge_lapic_timer_stop(struct lodge_apic *apic);

/**
 * lodge_lapic_timer_left() - nanoseconds until the count is zero; 0 only once the
 * timer has fired
 */
u64 lodge_lapic_timer_left(const struct lodge_apic *apic);

/**
 * lodge_lapic_timer_count_of() - what the current count register shows when it is
 * zero in @left ns
 */
u32 lodge_lapic_timer_count_of(const struct lodge_apic *apic, u64 left);

/**
 * lodge_lapic_timer_count() - the current count
 */
u32 lodge_lapic_timer_count(const struct lodge_apic *apic);

/**
 * lodge_lapic_timer_tick() - in periodic mode: start the next tick, because the last
 * one was taken or the LVT entry has changed
 */
void lodge_lapic_timer_tick(struct lodge_apic *apic);
void lodge_lapic_timer_set_lvt(struct lodge_apic *apic, u32 value);
void lodge_lapic_timer_set_count(struct lodge_apic *apic, u32 value);
void lodge_lapic_timer_set_divide(struct lodge_apic *apic, u32 value);
void lodge_lapic_timer_set_deadline(struct lodge_apic *apic, u64 value);

/**
 * lodge_lapic_timer_load() - go on from a saved count; the LVT entry is set
 * @left: ns until the count is zero; 0: @count says it
 */
void lodge_lapic_timer_load(struct lodge_apic *apic, u32 initial_count,
			    u32 divide, u32 count, u64 left);

#endif
