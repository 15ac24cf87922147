/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events of a vCPU without a kernel: the functions that module/event.c calls, with a
 * processor that records its calls, and the real local APIC.  Only one file of a program
 * may include this header, because it defines functions of the module.
 */
#ifndef LODGE_UNIT_FAKE_DELIVERY_H
#define LODGE_UNIT_FAKE_DELIVERY_H

#include <asm/processor-flags.h>
#include <stdio.h>

#include "kernel_apic.h"

#include "event.h"
#include "lapic.h"
#include "state.h"
#include "stats.h"
#include "tsc.h"

/**
 * fake - the vCPU
 * @interruptibility: the processor's answer
 * @injected: the event for the next entry
 * @wanted: the window that was requested
 * @resets: number of resets by INIT
 * @stats: what was counted
 */
static struct {
	struct lodge_apic_bus bus;
	struct lodge_apic apic;
	struct lodge_features features;
	struct lodge_delivery delivery;
	struct lodge_regs regs;
	unsigned long requests;
	struct lodge_tsc_scale tsc;
	u64 tsc_offset;
	u64 watched;
	u32 interruptibility;
	struct lodge_event injected;
	u32 wanted;
	unsigned int resets;
	struct lodge_stats stats;
} fake;

u32 tsc_khz = 1000000;
u64 lodge_tsc_moved;

u64 ktime_get_ns(void)
{
	return 1;
}

u64 rdtsc(void)
{
	return 1;
}

void kernel_waits(void)
{
	abort();
}

void lodge_vcpu_request(struct lodge_vcpu *vcpu, enum lodge_request request)
{
	set_bit(request, &fake.requests);
}

static void fake_state(struct lodge_vcpu *vcpu, u64 groups)
{
}

static void fake_inject(struct lodge_vcpu *vcpu,
			const struct lodge_event *event)
{
	fake.injected = *event;
}

static u32 fake_interruptibility(struct lodge_vcpu *vcpu)
{
	return fake.interruptibility;
}

static void fake_window(struct lodge_vcpu *vcpu, u32 wanted)
{
	fake.wanted = wanted;
}

static const struct lodge_backend fake_backend = {
	.get_state = fake_state,
	.set_state = fake_state,
	.inject = fake_inject,
	.interruptibility = fake_interruptibility,
	.window = fake_window,
};

const struct lodge_backend *lodge_backend = &fake_backend;

void lodge_state_reset(struct lodge_vcpu *vcpu, bool init)
{
	fake.resets++;
	lodge_event_take_back(&fake.delivery);
	fake.delivery.exception.type = LODGE_EVENT_NONE;
	fake.delivery.reinject.type = LODGE_EVENT_NONE;
	fake.delivery.acknowledged.type = LODGE_EVENT_NONE;
	fake.delivery.shutdown = false;
	fake.delivery.mp_state = LODGE_MP_WAIT_SIPI;
	lodge_lapic_reset(&fake.apic, init);
}

/* Makes a vCPU in its reset state, with its APIC enabled. */
static inline struct lodge_delivery *fake_delivery_new(void)
{
	struct lodge_delivery *d = &fake.delivery;
	struct lodge_apic *apic = &fake.apic;
	u32 enabled = APIC_SPIV_APIC_ENABLED | 0xff;

	memset(&fake, 0, sizeof(fake));
	fake.regs.control.cr0 = X86_CR0_PE;
	d->apic = apic;
	d->regs = &fake.regs;
	d->requests = &fake.requests;
	d->stats = &fake.stats;
	apic->delivery = d;
	apic->bus = &fake.bus;
	apic->base = (u64 *)&fake.regs.control.apic_base;
	apic->features = &fake.features;
	apic->requests = &fake.requests;
	fake.tsc.khz = tsc_khz;
	apic->tsc = &fake.tsc;
	apic->tsc_offset = &fake.tsc_offset;
	apic->watched = &fake.watched;
	if (lodge_lapic_init(apic))
		abort();
	lodge_irq_connect(&fake.bus, apic);
	lodge_lapic_write(apic, APIC_SPIV, &enabled, sizeof(enabled));
	return d;
}

static inline void fake_send(u8 vector, u16 mode)
{
	const struct lodge_irq irq = { .vector = vector, .mode = mode };

	lodge_irq_send(&fake.bus, NULL, &irq);
}

#endif
