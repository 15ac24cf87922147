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
#include "debugreg.h"
#include "event.h"
#include "state.h"
#include "vm.h"

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
static u32 lodge_event_blocked(struct lodge_vcpu *vcpu)
{
	u32 flags = lodge_backend->interruptibility(vcpu);
	u32 blocked = 0;

	if (flags & LODGE_EVENT_SHADOW)
		blocked = LODGE_BLOCK_INTERRUPT | LODGE_BLOCK_NMI;
	if (!(vcpu->regs.general.rflags & X86_EFLAGS_IF))
		blocked |= LODGE_BLOCK_INTERRUPT;
	if (flags & LODGE_EVENT_NMI_BLOCKED)
		blocked |= LODGE_BLOCK_NMI | LODGE_BLOCK_NMI_HANDLER;
	return blocked;
}

static bool lodge_event_has_error(struct lodge_vcpu *vcpu, u8 vector)
{
	const u32 vectors = BIT(X86_TRAP_DF) | BIT(X86_TRAP_TS) |
			    BIT(X86_TRAP_NP) | BIT(X86_TRAP_SS) |
			    BIT(X86_TRAP_GP) | BIT(X86_TRAP_PF) |
			    BIT(X86_TRAP_AC);

	return vcpu->regs.control.cr0 & X86_CR0_PE && vectors & BIT(vector);
}

static void lodge_event_set(struct lodge_vcpu *vcpu, u8 vector, u32 error)
{
	bool has_error = lodge_event_has_error(vcpu, vector);

	vcpu->exception = (struct lodge_event){
		.type = LODGE_EVENT_FAULT,
		.vector = vector,
		.has_error = has_error,
		.error = has_error ? error : 0,
	};
	set_bit(LODGE_REQ_EVENT, &vcpu->requests);
}

/* The fault that the new one came on top of, if any. */
static struct lodge_event *lodge_event_first(struct lodge_vcpu *vcpu)
{
	if (vcpu->exception.type == LODGE_EVENT_FAULT)
		return &vcpu->exception;
	if (vcpu->reinject.type == LODGE_EVENT_FAULT)
		return &vcpu->reinject;
	return NULL;
}

void lodge_event_raise(struct lodge_vcpu *vcpu, u8 vector, u32 error)
{
	struct lodge_event *first = lodge_event_first(vcpu);
	enum lodge_fault_class before, now = lodge_event_class(vector);

	if (!first) {
		lodge_event_set(vcpu, vector, error);
		return;
	}

	before = lodge_event_class(first->vector);
	first->type = LODGE_EVENT_NONE;
	if (before == LODGE_DOUBLE_FAULT && now != LODGE_BENIGN) {
		vcpu->shutdown = true;
		set_bit(LODGE_REQ_EVENT, &vcpu->requests);
	} else if ((before == LODGE_CONTRIBUTORY &&
		    now == LODGE_CONTRIBUTORY) ||
		   (before == LODGE_PAGE_FAULT && now != LODGE_BENIGN)) {
		lodge_event_set(vcpu, X86_TRAP_DF, 0);
	} else {
		/* One after the other: the first is raised again by itself. */
		lodge_event_set(vcpu, vector, error);
	}
}

void lodge_event_page_fault(struct lodge_vcpu *vcpu, u64 address, u32 error)
{
	lodge_backend->get_state(vcpu, LODGE_GROUP_CONTROL);
	vcpu->regs.control.cr2 = address;
	lodge_backend->set_state(vcpu, LODGE_GROUP_CONTROL);
	lodge_event_raise(vcpu, X86_TRAP_PF, error);
}

static void lodge_event_latch(struct lodge_vcpu *vcpu, enum lodge_latch latch)
{
	set_bit(latch, &vcpu->latches);
	lodge_vcpu_request(vcpu, LODGE_REQ_EVENT);
}

void lodge_event_nmi(struct lodge_vcpu *vcpu)
{
	atomic_add_unless(&vcpu->nmis, 1, LODGE_MAX_NMIS);
	lodge_vcpu_request(vcpu, LODGE_REQ_EVENT);
}

bool lodge_event_has_nmi(const struct lodge_vcpu *vcpu)
{
	return atomic_read(&vcpu->nmis);
}

/*
 * Behind an NMI that is being delivered or handled the processor latches one.  A
 * sender that comes later has the owner look again by its request.
 */
static void lodge_event_latch_nmi(struct lodge_vcpu *vcpu, u32 blocked)
{
	if (blocked & LODGE_BLOCK_NMI_HANDLER ||
	    vcpu->in_flight.type == LODGE_EVENT_NMI ||
	    vcpu->reinject.type == LODGE_EVENT_NMI)
		atomic_cmpxchg(&vcpu->nmis, LODGE_MAX_NMIS, 1);
}

void lodge_event_init(struct lodge_vcpu *vcpu)
{
	/* A start-up IPI that came earlier is void. */
	clear_bit(LODGE_LATCH_SIPI, &vcpu->latches);
	lodge_event_latch(vcpu, LODGE_LATCH_INIT);
}

void lodge_event_sipi(struct lodge_vcpu *vcpu, u8 vector)
{
	WRITE_ONCE(vcpu->sipi_vector, vector);
	lodge_event_latch(vcpu, LODGE_LATCH_SIPI);
}

int lodge_event_extint(struct lodge_vcpu *vcpu, u8 vector)
{
	if (test_and_set_bit_lock(LODGE_LATCH_EXTINT_BUSY, &vcpu->latches))
		return -EBUSY;
	WRITE_ONCE(vcpu->extint, vector);
	lodge_event_latch(vcpu, LODGE_LATCH_EXTINT);
	return 0;
}

void lodge_event_extint_done(struct lodge_vcpu *vcpu)
{
	clear_bit(LODGE_LATCH_EXTINT, &vcpu->latches);
	clear_bit_unlock(LODGE_LATCH_EXTINT_BUSY, &vcpu->latches);
}

static void lodge_event_take_init(struct lodge_vcpu *vcpu)
{
	clear_bit(LODGE_LATCH_INIT, &vcpu->latches);
	lodge_state_reset(vcpu, true);
}

/* AMD APM vol. 2, section 15.27.8: execution starts at a page below 1 MiB. */
static void lodge_event_take_sipi(struct lodge_vcpu *vcpu)
{
	struct lodge_segment *cs = &vcpu->regs.segments.seg[LODGE_CS];
	u8 vector = READ_ONCE(vcpu->sipi_vector);

	clear_bit(LODGE_LATCH_SIPI, &vcpu->latches);
	if (vcpu->mp_state != LODGE_MP_WAIT_SIPI)
		return;
	lodge_backend->get_state(vcpu, LODGE_GROUP_SEGMENTS);
	cs->selector = vector << 8;
	cs->base = vector << 12;
	vcpu->regs.general.rip = 0;
	lodge_backend->set_state(vcpu, LODGE_GROUP_SEGMENTS);
	vcpu->mp_state = LODGE_MP_RUNNABLE;
}

/*
 * Faults point at the instruction that they came before, and the image of RFLAGS
 * for their handler has RF, so that its IRET passes a breakpoint there.  Of an
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
 * Its delivery ends general detect, which its handler could not bear.  When it is
 * injected the processor leaves DR7 to us (AMD APM vol. 2, sections 13.1.1 and
 * 15.20; Intel SDM vol. 3, section 27.6.1).
 */
static void lodge_event_deliver_debug(struct lodge_vcpu *vcpu)
{
	struct lodge_debug *debug = &vcpu->regs.debug;

	lodge_backend->get_state(vcpu, LODGE_GROUP_DEBUG);
	if (!(debug->dr7 & LODGE_DR7_GD))
		return;
	debug->dr7 &= ~LODGE_DR7_GD;
	lodge_backend->set_state(vcpu, LODGE_GROUP_DEBUG);
}

/* What is delivered ends a HLT: it may have come before the vCPU could sleep. */
static void lodge_event_hand_over(struct lodge_vcpu *vcpu,
				  struct lodge_event *event)
{
	if (vcpu->mp_state == LODGE_MP_HALTED)
		vcpu->mp_state = LODGE_MP_RUNNABLE;
	if (lodge_event_sets_rf(event))
		vcpu->regs.general.rflags |= X86_EFLAGS_RF;
	if (event->type == LODGE_EVENT_FAULT && event->vector == X86_TRAP_DB)
		lodge_event_deliver_debug(vcpu);
	vcpu->in_flight = *event;
	event->type = LODGE_EVENT_NONE;
	lodge_backend->inject(vcpu, &vcpu->in_flight);
}

static void lodge_event_take_nmi(struct lodge_vcpu *vcpu)
{
	struct lodge_event nmi = {
		.type = LODGE_EVENT_NMI,
		.vector = X86_TRAP_NMI,
	};

	atomic_dec(&vcpu->nmis);
	lodge_event_hand_over(vcpu, &nmi);
}

bool lodge_event_has_extint(struct lodge_vcpu *vcpu)
{
	return test_bit(LODGE_LATCH_EXTINT, &vcpu->latches);
}

/* An interrupt cut short comes first, then the PIC's, then the APIC's. */
static bool lodge_event_has_interrupt(struct lodge_vcpu *vcpu)
{
	return vcpu->acknowledged.type != LODGE_EVENT_NONE ||
	       lodge_event_has_extint(vcpu) ||
	       lodge_lapic_pending(vcpu->apic) >= 0;
}

static void lodge_event_take_interrupt(struct lodge_vcpu *vcpu)
{
	struct lodge_event interrupt = { .type = LODGE_EVENT_EXTERNAL };

	if (vcpu->acknowledged.type != LODGE_EVENT_NONE) {
		lodge_event_hand_over(vcpu, &vcpu->acknowledged);
		return;
	}
	if (lodge_event_has_extint(vcpu)) {
		interrupt.vector = READ_ONCE(vcpu->extint);
		lodge_event_extint_done(vcpu);
	} else {
		interrupt.vector = lodge_lapic_pending(vcpu->apic);
		lodge_lapic_acknowledge(vcpu->apic, interrupt.vector);
	}
	lodge_event_hand_over(vcpu, &interrupt);
}

/* Hand over at most one event, in the order of their priority. */
static void lodge_event_choose(struct lodge_vcpu *vcpu, u32 blocked)
{
	if (vcpu->in_flight.type != LODGE_EVENT_NONE)
		return;
	if (vcpu->exception.type != LODGE_EVENT_NONE)
		lodge_event_hand_over(vcpu, &vcpu->exception);
	else if (vcpu->reinject.type != LODGE_EVENT_NONE)
		lodge_event_hand_over(vcpu, &vcpu->reinject);
	else if (lodge_event_has_nmi(vcpu) && !(blocked & LODGE_BLOCK_NMI))
		lodge_event_take_nmi(vcpu);
	else if (!(blocked & LODGE_BLOCK_INTERRUPT) &&
		 lodge_event_has_interrupt(vcpu))
		lodge_event_take_interrupt(vcpu);
}

bool lodge_event_window_open(struct lodge_vcpu *vcpu)
{
	return vcpu->mp_state != LODGE_MP_WAIT_SIPI &&
	       lodge_lapic_accepts_extint(vcpu->apic) &&
	       !(lodge_event_blocked(vcpu) & LODGE_BLOCK_INTERRUPT) &&
	       vcpu->in_flight.type == LODGE_EVENT_NONE &&
	       vcpu->exception.type == LODGE_EVENT_NONE &&
	       vcpu->reinject.type == LODGE_EVENT_NONE &&
	       vcpu->acknowledged.type == LODGE_EVENT_NONE &&
	       !lodge_event_has_extint(vcpu);
}

/* What is still waiting decides when the guest must be left. */
static void lodge_event_set_window(struct lodge_vcpu *vcpu)
{
	bool nmi = lodge_event_has_nmi(vcpu) ||
		   vcpu->reinject.type == LODGE_EVENT_NMI;
	bool in_flight = vcpu->in_flight.type != LODGE_EVENT_NONE;
	u32 wanted = 0;

	if (lodge_event_has_interrupt(vcpu) ||
	    (vcpu->wants_window && lodge_lapic_accepts_extint(vcpu->apic)))
		wanted |= LODGE_BLOCK_INTERRUPT;
	if (lodge_lapic_blocked_by_tpr(vcpu->apic))
		wanted |= LODGE_BLOCK_PRIORITY;
	/* A single step towards the NMI would be seen by what is in flight. */
	if (nmi && !in_flight)
		wanted |= LODGE_BLOCK_NMI;
	vcpu->exit_at_once = nmi && in_flight;
	vcpu->window = wanted;
	lodge_backend->window(vcpu, wanted);
}

bool lodge_event_window_opened(struct lodge_vcpu *vcpu)
{
	u32 wanted = vcpu->window & (LODGE_BLOCK_INTERRUPT | LODGE_BLOCK_NMI);

	return wanted && wanted & ~lodge_event_blocked(vcpu);
}

enum lodge_outcome lodge_event_deliver(struct lodge_vcpu *vcpu)
{
	u32 blocked;

	if (unlikely(READ_ONCE(vcpu->latches))) {
		if (test_bit(LODGE_LATCH_INIT, &vcpu->latches))
			lodge_event_take_init(vcpu);
		if (test_bit(LODGE_LATCH_SIPI, &vcpu->latches))
			lodge_event_take_sipi(vcpu);
	}
	if (vcpu->mp_state == LODGE_MP_WAIT_SIPI)
		return LODGE_ENTER_AGAIN;
	if (unlikely(vcpu->shutdown)) {
		vcpu->shutdown = false;
		vcpu->answer.reason = LODGE_EXIT_SHUTDOWN;
		return LODGE_TO_USER;
	}
	if (vcpu->wants_window && lodge_event_window_open(vcpu)) {
		vcpu->answer.reason = LODGE_EXIT_WINDOW;
		return LODGE_TO_USER;
	}
	blocked = lodge_event_blocked(vcpu);
	lodge_event_latch_nmi(vcpu, blocked);
	lodge_event_choose(vcpu, blocked);
	lodge_event_set_window(vcpu);
	return LODGE_ENTER_AGAIN;
}

void lodge_event_delivered(struct lodge_vcpu *vcpu,
			   const struct lodge_event *interrupted)
{
	vcpu->in_flight.type = LODGE_EVENT_NONE;
	if (vcpu->exit_at_once)
		set_bit(LODGE_REQ_EVENT, &vcpu->requests);
	if (likely(interrupted->type == LODGE_EVENT_NONE))
		return;
	if (interrupted->type == LODGE_EVENT_EXTERNAL)
		vcpu->acknowledged = *interrupted;
	else
		vcpu->reinject = *interrupted;
	set_bit(LODGE_REQ_EVENT, &vcpu->requests);
}

void lodge_event_take_back(struct lodge_vcpu *vcpu)
{
	const struct lodge_event none = { .type = LODGE_EVENT_NONE };

	if (vcpu->in_flight.type == LODGE_EVENT_NONE)
		return;
	lodge_backend->inject(vcpu, &none);
	if (vcpu->in_flight.type == LODGE_EVENT_FAULT)
		vcpu->exception = vcpu->in_flight;
	else if (vcpu->in_flight.type == LODGE_EVENT_EXTERNAL)
		vcpu->acknowledged = vcpu->in_flight;
	else
		vcpu->reinject = vcpu->in_flight;
	vcpu->in_flight.type = LODGE_EVENT_NONE;
	set_bit(LODGE_REQ_EVENT, &vcpu->requests);
}

bool lodge_event_wakes(struct lodge_vcpu *vcpu)
{
	unsigned long latches = READ_ONCE(vcpu->latches);
	u32 blocked;

	if (latches & (BIT(LODGE_LATCH_INIT) | BIT(LODGE_LATCH_SIPI)))
		return true;
	if (vcpu->mp_state == LODGE_MP_WAIT_SIPI)
		return false;
	blocked = lodge_event_blocked(vcpu);
	if (lodge_event_has_nmi(vcpu) && !(blocked & LODGE_BLOCK_NMI))
		return true;
	if (blocked & LODGE_BLOCK_INTERRUPT)
		return false;
	return lodge_event_has_interrupt(vcpu) ||
	       (vcpu->wants_window && lodge_lapic_accepts_extint(vcpu->apic));
}
