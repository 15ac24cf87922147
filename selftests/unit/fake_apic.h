/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Local APICs without a kernel: the functions that module/lapic*.c and irq.c call, a
 * clock that only the test moves, and random numbers.  Only one file of a program may
 * include this header, because it defines functions of the module.
 */
#ifndef LODGE_UNIT_FAKE_APIC_H
#define LODGE_UNIT_FAKE_APIC_H

#include <stdio.h>

#include "kernel_apic.h"

#include "event.h"
#include "lapic.h"
#include "tsc.h"

/* Ticks of the TSC in two nanoseconds. */
#define FAKE_TSC_PER_2NS 5

#define MAX_FAKE_CPUS 40

enum mode { OFF, XAPIC, X2APIC };

/**
 * struct fake_cpu - an APIC's view of its vCPU
 * @nmis: number of NMIs it was sent; the members below likewise
 * @sipi_vector: vector of the last start-up
 */
struct fake_cpu {
	struct lodge_apic apic;
	struct lodge_features features;
	u64 base;
	unsigned long requests;
	struct lodge_tsc_scale tsc;
	u64 tsc_offset;
	u64 watched;
	unsigned int nmis;
	unsigned int inits;
	unsigned int sipis;
	u8 sipi_vector;
};

/**
 * fake - the machine
 * @ns: the host's monotonic clock
 * @tsc_lost: ticks that the processor's TSC has lost in suspends
 */
static struct {
	struct lodge_apic_bus bus;
	struct fake_cpu cpu[MAX_FAKE_CPUS];
	u32 nr;
	u64 ns;
	u64 tsc_lost;
} fake;

u32 tsc_khz = FAKE_TSC_PER_2NS * 500000;
u64 lodge_tsc_moved;

u64 ktime_get_ns(void)
{
	return fake.ns;
}

u64 rdtsc(void)
{
	return fake.ns * FAKE_TSC_PER_2NS / 2 - fake.tsc_lost;
}

/* The fake CPU stands for the vCPU and for the receiver of its events. */
static struct fake_cpu *fake_cpu_of(void *owner)
{
	return owner;
}

void lodge_vcpu_request(struct lodge_vcpu *vcpu, enum lodge_request request)
{
	set_bit(request, &fake_cpu_of(vcpu)->requests);
}

void lodge_event_nmi(struct lodge_delivery *d)
{
	fake_cpu_of(d)->nmis++;
}

void lodge_event_init(struct lodge_delivery *d)
{
	fake_cpu_of(d)->inits++;
}

void lodge_event_sipi(struct lodge_delivery *d, u8 vector)
{
	fake_cpu_of(d)->sipis++;
	fake_cpu_of(d)->sipi_vector = vector;
}

/* Makes an APIC in its reset state.  @by_processor: see struct lodge_apic. */
static inline struct lodge_apic *fake_apic_new(bool by_processor)
{
	struct fake_cpu *cpu = &fake.cpu[fake.nr];
	struct lodge_apic *apic = &cpu->apic;

	memset(cpu, 0, sizeof(*cpu));
	cpu->features = (struct lodge_features){ .phys_bits = 40,
						 .x2apic = true,
						 .tsc_deadline = true };
	apic->vcpu = (struct lodge_vcpu *)cpu;
	apic->delivery = (struct lodge_delivery *)cpu;
	apic->id = fake.nr;
	apic->bus = &fake.bus;
	apic->base = &cpu->base;
	apic->features = &cpu->features;
	apic->requests = &cpu->requests;
	cpu->tsc = (struct lodge_tsc_scale){ .khz = tsc_khz };
	apic->tsc = &cpu->tsc;
	apic->tsc_offset = &cpu->tsc_offset;
	apic->watched = &cpu->watched;
	apic->by_processor = by_processor;
	if (lodge_lapic_init(apic))
		abort();
	lodge_irq_connect(&fake.bus, apic);
	fake.nr++;
	return apic;
}

/* Removes all APICs, and sets the clock to an hour. */
static inline void fake_apics_reset(void)
{
	memset(&fake, 0, sizeof(fake));
	lodge_tsc_moved = 0;
	fake.ns = 3600 * 1000000000ULL;
}

static inline u32 fake_read(struct lodge_apic *apic, u32 offset)
{
	u32 value;

	lodge_lapic_read(apic, offset, &value, sizeof(value));
	return value;
}

static inline void fake_write(struct lodge_apic *apic, u32 offset, u32 value)
{
	lodge_lapic_write(apic, offset, &value, sizeof(value));
}

static inline bool fake_rdmsr(struct lodge_apic *apic, u32 index, u64 *value)
{
	return lodge_lapic_msr_read(apic, index, value);
}

static inline bool fake_wrmsr(struct lodge_apic *apic, u32 index, u64 value)
{
	return lodge_lapic_msr_write(apic, index, value);
}

static inline void fake_apic_enable(struct lodge_apic *apic)
{
	fake_write(apic, APIC_SPIV, APIC_SPIV_APIC_ENABLED | 0xff);
}

static inline void fake_apic_x2apic(struct lodge_apic *apic)
{
	fake_wrmsr(apic, MSR_IA32_APICBASE, *apic->base | X2APIC_ENABLE);
}

static inline void fake_expire(struct hrtimer *timer)
{
	timer->queued = false;
	timer->running = true;
	if (timer->function(timer) == HRTIMER_RESTART)
		timer->queued = true;
	timer->running = false;
}

/* Return: the timer that fires next, or NULL if none fires until @end. */
static inline struct hrtimer *fake_next_timer(u64 end)
{
	struct hrtimer *next = NULL;

	for (u32 i = 0; i < fake.nr; i++) {
		struct hrtimer *timer = &fake.cpu[i].apic.timer;

		if (timer->queued && timer->expires <= end &&
		    (!next || timer->expires < next->expires))
			next = timer;
	}
	return next;
}

/* Lets time pass; the host's timers fire at their times. */
static inline void fake_sleep(u64 ns)
{
	u64 end = fake.ns + ns;
	struct hrtimer *timer;

	while ((timer = fake_next_timer(end))) {
		if (timer->expires > fake.ns)
			fake.ns = timer->expires;
		fake_expire(timer);
	}
	fake.ns = end;
}

/* Lets time pass without firing timers. */
static inline void fake_stall(u64 ns)
{
	fake.ns += ns;
}

/* The seed is fixed: each run has the same numbers. */
static u64 fake_seed;

static inline u32 fake_random(u32 below)
{
	fake_seed = fake_seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (u32)((fake_seed >> 33) % below);
}

#endif
