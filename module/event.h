/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events that wait for delivery to a guest: exceptions, interrupts, NMI, INIT, SIPI.
 */
#ifndef LODGE_EVENT_H
#define LODGE_EVENT_H

#include <linux/atomic.h>
#include <linux/types.h>

#include <lodge.h>

#include "backend.h"

struct lodge_apic;
struct lodge_stats;
struct lodge_vcpu;

/* Bits of struct lodge_delivery.latches, set by other vCPUs and taken by the owner. */
enum lodge_latch {
	LODGE_LATCH_INIT,
	LODGE_LATCH_SIPI,
	LODGE_LATCH_EXTINT,
	LODGE_LATCH_EXTINT_BUSY, /* @extint is taken */
};

/* One NMI on its way to the handler, and one latched behind it. */
#define LODGE_MAX_NMIS 2

/**
 * struct lodge_delivery - the events that wait for a vCPU
 *
 * Unless stated otherwise, a member is the owner's, the thread that holds vcpu->lock.
 * The first group of members is set once: it is all that event.c knows of the vCPU.
 *
 * @vcpu: whose events they are; for the backend, and to be kicked
 * @apic: its local APIC
 * @regs: its registers
 * @requests: enum lodge_request, for what its owner is to do next
 * @stats: counts what is delivered
 * @latches: enum lodge_latch; set by anyone, with REQ_EVENT
 * @nmis: NMIs that wait, at most LODGE_MAX_NMIS; raised by anyone, with
 *	REQ_EVENT, and lowered by the owner alone
 * @mp_state: enum lodge_mp_state
 * @sipi_vector: with LATCH_SIPI
 * @extint: with LATCH_EXTINT
 * @exception: waits for delivery, or type NONE
 * @counted: @exception was given to the processor before, and taken back
 * @reinject: fault or NMI whose delivery an exit has cut short; or type NONE
 * @acknowledged: interrupt that its controller regards as delivered, but whose
 *	delivery was cut short; or type NONE
 * @in_flight: handed to the backend for the next entry; or type NONE
 * @window: what ops.window was asked for last
 * @wants_window: user space waits until an external interrupt can be taken
 * @shutdown: a triple fault: leave to user space
 * @exit_at_once: more waits behind @in_flight: leave right after its delivery
 */
struct lodge_delivery {
	struct lodge_vcpu *vcpu;
	struct lodge_apic *apic;
	struct lodge_regs *regs;
	unsigned long *requests;
	struct lodge_stats *stats;

	unsigned long latches;
	atomic_t nmis;
	u32 mp_state;
	u8 sipi_vector;
	u8 extint;
	struct lodge_event exception;
	struct lodge_event reinject;
	struct lodge_event acknowledged;
	struct lodge_event in_flight;
	u32 window;
	bool wants_window;
	bool shutdown;
	bool exit_at_once;
	bool counted;
};

/* event.c */

/**
 * lodge_event_raise() - an exception in the guest
 * @vector: 0 to 31
 * @error: error code; pushed where the exception has one
 *
 * Follows the rules for a fault while another one is pending or was being
 * delivered: double fault, then shutdown.
 */
void lodge_event_raise(struct lodge_delivery *d, u8 vector, u32 error);

/**
 * lodge_event_page_fault() - #PF in the guest, with CR2
 */
void lodge_event_page_fault(struct lodge_delivery *d, u64 address, u32 error);

/**
 * lodge_event_nmi() - a non-maskable interrupt
 *
 * Any context.  All that come while the guest handles one count as one.
 */
void lodge_event_nmi(struct lodge_delivery *d);

/**
 * lodge_event_has_nmi() - true if one waits that has not been handed over
 */
bool lodge_event_has_nmi(const struct lodge_delivery *d);

void lodge_event_init(struct lodge_delivery *d);
void lodge_event_sipi(struct lodge_delivery *d, u8 vector);

/**
 * lodge_event_extint() - LODGE_EXTINT: the PIC's interrupt
 *
 * Any thread.  Return: 0, or -EBUSY while an earlier one waits.
 */
int lodge_event_extint(struct lodge_delivery *d, u8 vector);

bool lodge_event_has_extint(struct lodge_delivery *d);

/**
 * lodge_event_extint_done() - the PIC's interrupt has been taken
 */
void lodge_event_extint_done(struct lodge_delivery *d);

/**
 * enum lodge_delivered - what becomes of the events that wait
 * @LODGE_DELIVERED: the next entry delivers the first of them, if there is any
 * @LODGE_WINDOW: user space can send the interrupt that it has announced
 * @LODGE_SHUTDOWN: a triple fault
 */
enum lodge_delivered {
	LODGE_DELIVERED,
	LODGE_WINDOW,
	LODGE_SHUTDOWN,
};

/**
 * lodge_event_deliver() - choose what the next entry delivers
 */
enum lodge_delivered lodge_event_deliver(struct lodge_delivery *d);

/**
 * lodge_event_deliver_quick() - the same between two entries, with interrupts off
 *
 * For a vCPU that runs, in answer to LODGE_REQ_EVENT.  It leaves alone what resets the
 * vCPU or returns to user space, and then asks for it again.
 *
 * Return: true if the guest can be entered again at once; false if the run loop is to
 * look at the events first.
 */
bool lodge_event_deliver_quick(struct lodge_delivery *d);

/**
 * lodge_event_delivered() - the guest was entered, and left again
 * @interrupted: the event whose delivery the exit cut short, or type NONE
 */
void lodge_event_delivered(struct lodge_delivery *d,
			   const struct lodge_event *interrupted);

/**
 * lodge_event_take_back() - the entry did not come about after all
 */
void lodge_event_take_back(struct lodge_delivery *d);

/**
 * lodge_event_window_opened() - true if what waits for its window can be taken now
 *
 * A window may open with an exit for another reason, or by an instruction that the
 * kernel has carried out.  To deliver then saves the exit right after the next
 * entry.  Bochs' AMD-V (2.7) never makes that exit: until IF changes it takes no
 * virtual interrupt that VMRUN finds pending.
 */
bool lodge_event_window_opened(struct lodge_delivery *d);

/**
 * lodge_event_wakes() - true if something ends the vCPU's sleep
 */
bool lodge_event_wakes(struct lodge_delivery *d);

/**
 * lodge_event_window_open() - true if the PIC's interrupt could be taken now
 */
bool lodge_event_window_open(struct lodge_delivery *d);

#endif
