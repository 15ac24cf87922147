/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The surroundings of the run loop: a backend whose exits a test chooses, and what
 * module/run.c calls.  Only one file of a program may include this header, because it
 * defines functions of the module.
 */
#ifndef LODGE_UNIT_FAKE_RUN_H
#define LODGE_UNIT_FAKE_RUN_H

#include "kernel_run.h"

#include "emulate.h"
#include "exit.h"
#include "hw.h"
#include "notify.h"
#include "policy.h"
#include "poll.h"
#include "pv.h"
#include "state.h"
#include "tsc.h"
#include "userreturn.h"
#include "vcpu.h"
#include "vm.h"

int kernel_here;
u64 kernel_features;
struct task_struct kernel_thread;
u64 lodge_host_xcr0;
u64 lodge_host_xss;
u64 lodge_tsc_moved;
u32 tsc_khz = 1000000;
bool lodge_hw_on[KERNEL_CPUS];

#define FAKE_WRITES 16

/**
 * struct fake_run - what a test chooses, and what it finds
 * @kind: enum lodge_vmexit_kind of each exit
 * @refuses: the exit that is not quick, counted from 1; 0: each is quick
 * @rows: how many rows of entries follow the first one
 * @load: called as the vCPU is loaded; or NULL
 * @enter: called in the guest; or NULL
 * @quick: called when an exit is answered with interrupts off; or NULL
 * @handle: called when one is answered with interrupts on; or NULL
 * @entries: number of entries
 * @loads: number of times that the vCPU was loaded
 * @answered: number of exits that were answered with interrupts off
 * @handled: kind of the exit that was answered with interrupts on
 * @delivered: entries whose events were accounted
 * @cr8_writes: calls of lodge_lapic_set_cr8()
 * @msr: MSRs that were written, in order
 * @value: and the values
 * @writes: how many
 * @accounted: time is accounted to the guest
 * @now: the processor's TSC, in ns
 * @relax: called when the thread waits for another one; or NULL: it waits for ever
 * @given: number of times that events were handed over within a row
 * @give: called then; or NULL: the row goes on
 * @forgets: calls of lodge_emulate_forget_store()
 * @stops: number of answers that were told to whoever wants to know of them
 */
static struct fake_run {
	enum lodge_vmexit_kind kind;
	unsigned int refuses;
	unsigned int rows;
	void (*load)(struct lodge_vcpu *vcpu);
	void (*enter)(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit);
	void (*quick)(struct lodge_vcpu *vcpu);
	void (*handle)(struct lodge_vcpu *vcpu);
	unsigned int entries;
	unsigned int loads;
	unsigned int answered;
	enum lodge_vmexit_kind handled;
	unsigned int delivered;
	unsigned int cr8_writes;
	u32 msr[FAKE_WRITES];
	u64 value[FAKE_WRITES];
	unsigned int writes;
	bool accounted;
	u64 now;
	void (*relax)(void);
	unsigned int given;
	bool (*give)(struct lodge_delivery *d);
	unsigned int forgets;
	unsigned int stops;
} fake;

static inline void fake_require(bool condition)
{
	if (!condition)
		abort();
}

u64 rdtsc(void)
{
	kernel_shared();
	return fake.now;
}

void cpu_relax(void)
{
	fake_require(fake.relax);
	fake.relax();
}

/* True if the CPU cannot be taken from the thread. */
static inline bool fake_is_pinned(void)
{
	return kernel_thread.preempt_count;
}

void kernel_wrmsr(u32 index, u64 value)
{
	fake_require(fake_is_pinned() && fake.writes < FAKE_WRITES);
	fake.msr[fake.writes] = index;
	fake.value[fake.writes++] = value;
}

static void fake_vcpu_load(struct lodge_vcpu *vcpu, int cpu)
{
	fake_require(fake_is_pinned() && cpu == kernel_here);
	fake.loads++;
	if (fake.load)
		fake.load(vcpu);
}

static void fake_enter(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit,
		       bool again)
{
	fake_require(fake_is_pinned() && kernel_thread.irqs_off);
	fake_require(vcpu->mode == LODGE_IN_GUEST && fake.accounted);
	fake_require(lodge_hw_on[kernel_here] && lodge_vcpu_loaded(vcpu));
	fake.entries++;
	fake_require(again == !kernel_thread.irqs_were_on);
	kernel_thread.irqs_were_on = false;
	*exit = (struct lodge_vmexit){ .kind = fake.kind };
	if (fake.enter)
		fake.enter(vcpu, exit);
}

static const struct lodge_backend fake_backend = {
	.vcpu_load = fake_vcpu_load,
	.run = fake_enter,
};

const struct lodge_backend *lodge_backend = &fake_backend;

bool lodge_exit_quick(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit)
{
	fake_require(kernel_thread.irqs_off);
	if (fake.entries == fake.refuses)
		return false;
	fake.answered++;
	if (fake.quick)
		fake.quick(vcpu);
	return true;
}

/* Ends the run, after the rows that are to follow. */
int lodge_exit_handle(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit)
{
	fake_require(!fake_is_pinned() && !kernel_thread.irqs_off);
	fake_require(vcpu->mode == LODGE_OUTSIDE_GUEST && !fake.accounted);
	fake.handled = exit->kind;
	if (fake.handle)
		fake.handle(vcpu);
	if (!fake.rows)
		return LODGE_TO_USER;
	fake.rows--;
	return LODGE_ENTER_AGAIN;
}

void lodge_notify_stopped(struct lodge_vcpu *vcpu)
{
	fake_require(!fake_is_pinned() && !kernel_thread.irqs_off);
	fake.stops++;
}

void guest_timing_enter_irqoff(void)
{
	fake_require(kernel_thread.irqs_off);
	fake.accounted = true;
}

void guest_timing_exit_irqoff(void)
{
	fake_require(kernel_thread.irqs_off);
	fake.accounted = false;
}

void lodge_event_delivered(struct lodge_delivery *d,
			   const struct lodge_event *interrupted)
{
	fake.delivered++;
	d->in_flight = *interrupted;
}

void lodge_lapic_set_cr8(struct lodge_apic *apic, u8 cr8)
{
	fake.cr8_writes++;
	apic->tpr = cr8 << 4;
}

bool lodge_event_window_opened(struct lodge_delivery *d)
{
	return false;
}

enum lodge_delivered lodge_event_deliver(struct lodge_delivery *d)
{
	return LODGE_DELIVERED;
}

bool lodge_event_deliver_quick(struct lodge_delivery *d)
{
	fake_require(fake_is_pinned() && kernel_thread.irqs_off);
	fake_require(test_and_clear_bit(LODGE_REQ_EVENT, d->requests));
	fake.given++;
	return !fake.give || fake.give(d);
}

bool lodge_event_wakes(struct lodge_delivery *d)
{
	return false;
}

void lodge_event_take_back(struct lodge_delivery *d)
{
}

bool lodge_event_window_open(struct lodge_delivery *d)
{
	return false;
}

int lodge_lapic_take_eoi(struct lodge_apic *apic)
{
	return -1;
}

bool lodge_irqfd_ended(struct lodge_vcpu *vcpu, u8 vector)
{
	return false;
}

void lodge_emulate_forget_store(struct lodge_vcpu *vcpu)
{
	fake.forgets++;
}

int lodge_emulate_complete(struct lodge_vcpu *vcpu)
{
	return LODGE_ENTER_AGAIN;
}

void kernel_interrupts(int cpu)
{
}

/* A CPU that is switched off is on again some time later. */
void kernel_sleeps(void)
{
	fake_require(!fake_is_pinned());
	lodge_hw_on[kernel_here] = true;
}

void lodge_poll_wait(struct lodge_vcpu *vcpu)
{
}

void lodge_control_read_pdptes(struct lodge_vcpu *vcpu)
{
}

void lodge_pv_clock_update(struct lodge_vcpu *vcpu)
{
}

bool lodge_pv_clock_stable(void)
{
	return true;
}

void lodge_msr_load_tsc(struct lodge_vcpu *vcpu)
{
	lodge_vcputime_rebase(&vcpu->time);
	vcpu->tsc_moved = lodge_tsc_moved;
}

void lodge_userreturn_set(enum lodge_userreturn_msr msr, u64 value)
{
}

void lodge_fpu_begin(struct lodge_vcpu *vcpu)
{
}

void lodge_fpu_end(struct lodge_vcpu *vcpu)
{
}

void lodge_fpu_load(struct lodge_fpu *fpu)
{
}

void lodge_fpu_save(struct lodge_fpu *fpu)
{
}

/* Nothing has run on any CPU. */
static inline void fake_run_reset(void)
{
	memset(&fake, 0, sizeof(fake));
	memset(&kernel_thread, 0, sizeof(kernel_thread));
	kernel_thread.irqs_were_on = true;
	memset(lodge_run_loaded, 0, sizeof(lodge_run_loaded));
	kernel_here = 0;
	kernel_features = 0;
	lodge_hw_on[0] = lodge_hw_on[1] = true;
	fake.kind = LODGE_VMEXIT_CPUID;
	lodge_tsc_moved = 0;
}

/**
 * fake_run_vcpu() - a vCPU that has never run
 * @serial: the number that no other one has
 */
static inline void fake_run_vcpu(struct lodge_vcpu *vcpu, struct lodge_vm *vm,
				 struct lodge_apic *apic, u64 serial)
{
	memset(vcpu, 0, sizeof(*vcpu));
	vcpu->vm = vm;
	vcpu->apic = apic;
	vcpu->serial = serial;
	vcpu->cpu = -1;
	vcpu->delivery.requests = &vcpu->requests;
	vcpu->delivery.mp_state = LODGE_MP_RUNNABLE;
	lodge_vcputime_init(&vcpu->time);
}

#endif
