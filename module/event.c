// SPDX-License-Identifier: GPL-2.0
/*
 * Pending exceptions, interrupts, NMI, INIT and start-up: what the next entry
 * delivers, and when an event must wait.
 *
 * Sources: AMD APM vol. 2, chapter 8, for priorities, double and triple fault;
 * Intel SDM vol. 3, table 6-5.
 */
#include <asm/apicdef.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "apic.h"
#include "backend.h"
#include "event.h"
#include "processor.h"
#include "request.h"
#include "state.h"
#include "stats.h"

enum lodge_fault_class {
	LODGE_BENIGN,
	LODGE_CONTRIBUTORY,
	LODGE_PAGE_FAULT,
	LODGE_DOUBLE_FAULT,
};

static enum lodge_fault_class lodge_event_class(u8 vector)
{
	switch (vector) {
	case X86_TRAP_DE:
	case X86_TRAP_TS:
	case X86_TRAP_NP:
	case X86_TRAP_SS:
	case X86_TRAP_GP:
		return LODGE_CONTRIBUTORY;
	case X86_TRAP_PF:
		return LODGE_PAGE_FAULT;
	case X86_TRAP_DF:
		return LODGE_DOUBLE_FAULT;
	default:
		return LODGE_BENIGN;
	}
}

/* Of lodge_event_blocked() only: an NMI's handler, not a shadow, holds NMIs back. */
#define LODGE_BLOCK_NMI_HANDLER (1U << 3)

/* LODGE_BLOCK_*: what the guest cannot take now. */
static u32 lodge_event_blocked(struct lodge_delivery *d)
{
	u32 flags = lodge_backend->interruptibility(d->vcpu);
	u32 blocked = 0;

	if (flags & LODGE_EVENT_SHADOW)
		blocked = LODGE_BLOCK_INTERRUPT | LODGE_BLOCK_NMI;
	if (!(d->regs->general.rflags & X86_EFLAGS_IF))
		blocked |= LODGE_BLOCK_INTERRUPT;
	if (flags & LODGE_EVENT_NMI_BLOCKED)
		blocked |= LODGE_BLOCK_NMI | LODGE_BLOCK_NMI_HANDLER;
	return blocked;
}

static bool lodge_event_has_error(struct lodge_delivery *d, u8 vector)
{
	const u32 vectors = BIT(X86_TRAP_DF) | BIT(X86_TRAP_TS) |
			    BIT(X86_TRAP_NP) | BIT(X86_TRAP_SS) |
			    BIT(X86_TRAP_GP) | BIT(X86_TRAP_PF) |
			    BIT(X86_TRAP_AC);

	return d->regs->control.cr0 & X86_CR0_PE && vectors & BIT(vector);
}

static void lodge_event_set(struct lodge_delivery *d, u8 vector, u32 error)
{
	bool has_error = lodge_event_has_error(d, vector);

	d->exception = (struct lodge_event){
		.type = LODGE_EVENT_FAULT,
		.vector = vector,
		.has_error = has_error,
		.error = has_error ? error : 0,
	};
	d->counted = false;
	set_bit(LODGE_REQ_EVENT, d->requests);
}

/* The fault that the new one came on top of, if any. */
static struct lodge_event *lodge_event_first(struct lodge_delivery *d)
{
	if (d->exception.type == LODGE_EVENT_FAULT)
		return &d->exception;
	if (d->reinject.type == LODGE_EVENT_FAULT)
		return &d->reinject;
	return NULL;
}

void lodge_event_raise(struct lodge_delivery *d, u8 vector, u32 error)
{
	struct lodge_event *first = lodge_event_first(d);
	enum lodge_fault_class before, now = lodge_event_class(vector);

	if (!first) {
		lodge_event_set(d, vector, error);
		return;
	}

	before = lodge_event_class(first->vector);
	first->type = LODGE_EVENT_NONE;
	if (before == LODGE_DOUBLE_FAULT && now != LODGE_BENIGN) {
		d->shutdown = true;
		set_bit(LODGE_REQ_EVENT, d->requests);
	} else if ((before == LODGE_CONTRIBUTORY &&
		    now == LODGE_CONTRIBUTORY) ||
		   (before == LODGE_PAGE_FAULT && now != LODGE_BENIGN)) {
		lodge_event_set(d, X86_TRAP_DF, 0);
	} else {
		/*
		 * The second one alone is delivered: the first is raised again
		 * by itself.
		 */
		lodge_event_set(d, vector, error);
	}
}

void lodge_event_page_fault(struct lodge_delivery *d, u64 address, u32 error)
{
	lodge_backend->get_state(d->vcpu, LODGE_GROUP_CONTROL);
	d->regs->control.cr2 = address;
	lodge_backend->set_state(d->vcpu, LODGE_GROUP_CONTROL);
	lodge_event_raise(d, X86_TRAP_PF, error);
}

static void lodge_event_latch(struct lodge_delivery *d, enum lodge_latch latch)
{
	set_bit(latch, &d->latches);
	lodge_vcpu_request(d->vcpu, LODGE_REQ_EVENT);
}

void lodge_event_nmi(struct lodge_delivery *d)
{
	atomic_add_unless(&d->nmis, 1, LODGE_MAX_NMIS);
	lodge_vcpu_request(d->vcpu, LODGE_REQ_EVENT);
}

bool lodge_event_has_nmi(const struct lodge_delivery *d)
{
	return atomic_read(&d->nmis);
}

/*
 * While an NMI is being delivered or handled, the processor latches one more.
 * A sender that comes later makes the owner look again by its request.
 */
static void lodge_event_latch_nmi(struct lodge_delivery *d, u32 blocked)
{
	if (blocked & LODGE_BLOCK_NMI_HANDLER ||
	    d->in_flight.type == LODGE_EVENT_NMI ||
	    d->reinject.type == LODGE_EVENT_NMI)
		atomic_cmpxchg(&d->nmis, LODGE_MAX_NMIS, 1);
}

void lodge_event_init(struct lodge_delivery *d)
{
	/* A start-up IPI that came earlier is void. */
	clear_bit(LODGE_LATCH_SIPI, &d->latches);
	lodge_event_latch(d, LODGE_LATCH_INIT);
}

void lodge_event_sipi(struct lodge_delivery *d, u8 vector)
{
	WRITE_ONCE(d->sipi_vector, vector);
	lodge_event_latch(d, LODGE_LATCH_SIPI);
}

int lodge_event_extint(struct lodge_delivery *d, u8 vector)
{
	if (test_and_set_bit_lock(LODGE_LATCH_EXTINT_BUSY, &d->latches))
		return -EBUSY;
	WRITE_ONCE(d->extint, vector);
	lodge_event_latch(d, LODGE_LATCH_EXTINT);
	return 0;
}

void lodge_event_extint_done(struct lodge_delivery *d)
{
	clear_bit(LODGE_LATCH_EXTINT, &d->latches);
	clear_bit_unlock(LODGE_LATCH_EXTINT_BUSY, &d->latches);
}

static void lodge_event_take_init(struct lodge_delivery *d)
{
	clear_bit(LODGE_LATCH_INIT, &d->latches);
	lodge_state_reset(d->vcpu, true);
}

/* AMD APM vol. 2, section 15.27.8: execution starts at a page below 1 MiB. */
static void lodge_event_take_sipi(struct lodge_delivery *d)
{
	struct lodge_segment *cs = &d->regs->segments.seg[LODGE_CS];
	u8 vector = READ_ONCE(d->sipi_vector);

	clear_bit(LODGE_LATCH_SIPI, &d->latches);
	if (d->mp_state != LODGE_MP_WAIT_SIPI)
		return;
	lodge_backend->get_state(d->vcpu, LODGE_GROUP_SEGMENTS);
	cs->selector = vector << 8;
	cs->base = vector << 12;
	d->regs->general.rip = 0;
	lodge_backend->set_state(d->vcpu, LODGE_GROUP_SEGMENTS);
	d->mp_state = LODGE_MP_RUNNABLE;
}

/*
 * Faults point at the instruction that they came before, and the image of RFLAGS
 * for their handler has RF, so that its IRET passes a breakpoint there.  For an
 * injected event the processor pushes RFLAGS as they are (Intel SDM vol. 3B,
 * section 17.3.1.1; AMD APM vol. 2, section 3.1.6).  #DB, #BP and #OF that wait
 * here are traps, #DF and #MC are aborts.
 */
static bool lodge_event_sets_rf(const struct lodge_event *event)
{
	const u32 others = BIT(X86_TRAP_DB) | BIT(X86_TRAP_BP) |
			   BIT(X86_TRAP_OF) | BIT(X86_TRAP_DF) |
			   BIT(X86_TRAP_MC);

	return event->type == LODGE_EVENT_FAULT &&
	       !(others & BIT(event->vector));
}

/*
 * Delivery of #DB clears DR7.GD, so that its handler can access debug registers.
 * For an injected #DB the processor leaves this to us (AMD APM vol. 2, sections
 * 13.1.1 and 15.20; Intel SDM vol. 3, section 27.6.1).
 */
static void lodge_event_deliver_debug(struct lodge_delivery *d)
{
	struct lodge_debug *debug = &d->regs->debug;

	lodge_backend->get_state(d->vcpu, LODGE_GROUP_DEBUG);
	if (!(debug->dr7 & LODGE_DR7_GD))
		return;
	debug->dr7 &= ~LODGE_DR7_GD;
	lodge_backend->set_state(d->vcpu, LODGE_GROUP_DEBUG);
}

/* What is delivered ends a HLT: it may have come before the vCPU could sleep. */
static void lodge_event_hand_over(struct lodge_delivery *d,
				  struct lodge_event *event)
{
	if (d->mp_state == LODGE_MP_HALTED)
		d->mp_state = LODGE_MP_RUNNABLE;
	if (lodge_event_sets_rf(event))
		d->regs->general.rflags |= X86_EFLAGS_RF;
	if (event->type == LODGE_EVENT_FAULT && event->vector == X86_TRAP_DB)
		lodge_event_deliver_debug(d);
	d->in_flight = *event;
	event->type = LODGE_EVENT_NONE;
	lodge_backend->inject(d->vcpu, &d->in_flight);
}

static void lodge_event_take_nmi(struct lodge_delivery *d)
{
	struct lodge_event nmi = {
		.type = LODGE_EVENT_NMI,
		.vector = X86_TRAP_NMI,
	};

	atomic_dec(&d->nmis);
	lodge_count_event(d->stats, LODGE_EVENT_NMI);
	lodge_event_hand_over(d, &nmi);
}

bool lodge_event_has_extint(struct lodge_delivery *d)
{
	return test_bit(LODGE_LATCH_EXTINT, &d->latches);
}

/* The APIC's interrupt, if its priority lets one pass. */
static void lodge_event_take_apic(struct lodge_delivery *d)
{
	int vector = lodge_lapic_pending(d->apic);
	struct lodge_event interrupt = {
		.type = LODGE_EVENT_EXTERNAL,
		.vector = vector,
	};

	if (vector < 0)
		return;
	lodge_lapic_acknowledge(d->apic, vector);
	lodge_count_event(d->stats, LODGE_EVENT_EXTERNAL);
	lodge_event_hand_over(d, &interrupt);
}

static void lodge_event_take_extint(struct lodge_delivery *d)
{
	struct lodge_event interrupt = {
		.type = LODGE_EVENT_EXTERNAL,
		.vector = READ_ONCE(d->extint),
	};

	lodge_event_extint_done(d);
	lodge_count_event(d->stats, LODGE_EVENT_EXTERNAL);
	lodge_event_hand_over(d, &interrupt);
}

/* An interrupt cut short comes first, then the PIC's, then the APIC's. */
static void lodge_event_take_interrupt(struct lodge_delivery *d)
{
	if (d->acknowledged.type != LODGE_EVENT_NONE)
		lodge_event_hand_over(d, &d->acknowledged);
	else if (lodge_event_has_extint(d))
		lodge_event_take_extint(d);
	else
		lodge_event_take_apic(d);
}

static void lodge_event_take_exception(struct lodge_delivery *d)
{
	if (!d->counted)
		lodge_count_event(d->stats, LODGE_EVENT_FAULT);
	d->counted = false;
	lodge_event_hand_over(d, &d->exception);
}

/* Hand over at most one event, in the order of their priority. */
static void lodge_event_choose(struct lodge_delivery *d, u32 blocked)
{
	if (d->in_flight.type != LODGE_EVENT_NONE)
		return;
	if (d->exception.type != LODGE_EVENT_NONE)
		lodge_event_take_exception(d);
	else if (d->reinject.type != LODGE_EVENT_NONE)
		lodge_event_hand_over(d, &d->reinject);
	else if (lodge_event_has_nmi(d) && !(blocked & LODGE_BLOCK_NMI))
		lodge_event_take_nmi(d);
	else if (!(blocked & LODGE_BLOCK_INTERRUPT))
		lodge_event_take_interrupt(d);
}

bool lodge_event_window_open(struct lodge_delivery *d)
{
	return d->mp_state != LODGE_MP_WAIT_SIPI &&
	       lodge_lapic_accepts_extint(d->apic) &&
	       !(lodge_event_blocked(d) & LODGE_BLOCK_INTERRUPT) &&
	       d->in_flight.type == LODGE_EVENT_NONE &&
	       d->exception.type == LODGE_EVENT_NONE &&
	       d->reinject.type == LODGE_EVENT_NONE &&
	       d->acknowledged.type == LODGE_EVENT_NONE &&
	       !lodge_event_has_extint(d);
}

/* What is still waiting decides when the guest must be left. */
static void lodge_event_set_window(struct lodge_delivery *d)
{
	bool nmi = lodge_event_has_nmi(d) ||
		   d->reinject.type == LODGE_EVENT_NMI;
	bool in_flight = d->in_flight.type != LODGE_EVENT_NONE;
	u32 wanted = lodge_lapic_window(d->apic);

	if (d->acknowledged.type != LODGE_EVENT_NONE ||
	    lodge_event_has_extint(d) ||
	    (d->wants_window && lodge_lapic_accepts_extint(d->apic)))
		wanted |= LODGE_BLOCK_INTERRUPT;
	/* The window may need a single step, whose TF the event in flight would save. */
	if (nmi && !in_flight)
		wanted |= LODGE_BLOCK_NMI;
	d->exit_at_once = nmi && in_flight;
	d->window = wanted;
	lodge_backend->window(d->vcpu, wanted);
}

bool lodge_event_window_opened(struct lodge_delivery *d)
{
	u32 wanted = d->window & (LODGE_BLOCK_INTERRUPT | LODGE_BLOCK_NMI);

	if (!wanted || d->in_flight.type != LODGE_EVENT_NONE)
		return false;
	return wanted & ~lodge_event_blocked(d);
}

static void lodge_event_prepare(struct lodge_delivery *d)
{
	u32 blocked = lodge_event_blocked(d);

	lodge_event_latch_nmi(d, blocked);
	lodge_event_choose(d, blocked);
	lodge_event_set_window(d);
}

enum lodge_delivered lodge_event_deliver(struct lodge_delivery *d)
{
	if (unlikely(READ_ONCE(d->latches))) {
		if (test_bit(LODGE_LATCH_INIT, &d->latches))
			lodge_event_take_init(d);
		if (test_bit(LODGE_LATCH_SIPI, &d->latches))
			lodge_event_take_sipi(d);
	}
	if (d->mp_state == LODGE_MP_WAIT_SIPI)
		return LODGE_DELIVERED;
	if (unlikely(d->shutdown)) {
		d->shutdown = false;
		return LODGE_SHUTDOWN;
	}
	if (d->wants_window && lodge_event_window_open(d))
		return LODGE_WINDOW;
	lodge_event_prepare(d);
	return LODGE_DELIVERED;
}

bool lodge_event_deliver_quick(struct lodge_delivery *d)
{
	/* First: who latches something asks afterwards. */
	if (!test_and_clear_bit(LODGE_REQ_EVENT, d->requests))
		return true;
	if (unlikely(READ_ONCE(d->latches) || d->shutdown || d->wants_window)) {
		set_bit(LODGE_REQ_EVENT, d->requests);
		return false;
	}
	lodge_event_prepare(d);
	return !d->window && !d->exit_at_once;
}

void lodge_event_delivered(struct lodge_delivery *d,
			   const struct lodge_event *interrupted)
{
	d->in_flight.type = LODGE_EVENT_NONE;
	if (d->exit_at_once)
		set_bit(LODGE_REQ_EVENT, d->requests);
	if (likely(interrupted->type == LODGE_EVENT_NONE))
		return;
	if (interrupted->type == LODGE_EVENT_EXTERNAL)
		d->acknowledged = *interrupted;
	else
		d->reinject = *interrupted;
	set_bit(LODGE_REQ_EVENT, d->requests);
}

void lodge_event_take_back(struct lodge_delivery *d)
{
	const struct lodge_event none = { .type = LODGE_EVENT_NONE };

	if (d->in_flight.type == LODGE_EVENT_NONE)
		return;
	lodge_backend->inject(d->vcpu, &none);
	d->counted = d->in_flight.type == LODGE_EVENT_FAULT;
	if (d->in_flight.type == LODGE_EVENT_FAULT)
		d->exception = d->in_flight;
	else if (d->in_flight.type == LODGE_EVENT_EXTERNAL)
		d->acknowledged = d->in_flight;
	else
		d->reinject = d->in_flight;
	d->in_flight.type = LODGE_EVENT_NONE;
	set_bit(LODGE_REQ_EVENT, d->requests);
}

static bool lodge_event_has_interrupt(struct lodge_delivery *d)
{
	return d->acknowledged.type != LODGE_EVENT_NONE ||
	       lodge_event_has_extint(d) || lodge_lapic_pending(d->apic) >= 0;
}

bool lodge_event_wakes(struct lodge_delivery *d)
{
	unsigned long latches = READ_ONCE(d->latches);
	u32 blocked;

	if (latches & (BIT(LODGE_LATCH_INIT) | BIT(LODGE_LATCH_SIPI)))
		return true;
	if (d->mp_state == LODGE_MP_WAIT_SIPI)
		return false;
	blocked = lodge_event_blocked(d);
	if (lodge_event_has_nmi(d) && !(blocked & LODGE_BLOCK_NMI))
		return true;
	if (blocked & LODGE_BLOCK_INTERRUPT)
		return false;
	return lodge_event_has_interrupt(d) ||
	       (d->wants_window && lodge_lapic_accepts_extint(d->apic));
}
