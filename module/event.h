/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What waits for delivery to a guest: exceptions, interrupts, NMI, INIT, SIPI.
 */
#ifndef LODGE_EVENT_H
#define LODGE_EVENT_H

#include <linux/types.h>

#include "exit.h"

struct lodge_event;
struct lodge_vcpu;

/* event.c */

/**
 * lodge_event_raise() - an exception in the guest
 * @vector: 0 to 31
 * @error: error code; pushed where the exception has one
 *
 * Follows the rules for a fault while another one is pending or was being
 * delivered: double fault, then shutdown.
 */
void lodge_event_raise(struct lodge_vcpu *vcpu, u8 vector, u32 error);

/**
 * lodge_event_page_fault() - #PF in the guest, with CR2
 */
void lodge_event_page_fault(struct lodge_vcpu *vcpu, u64 address, u32 error);

/**
 * lodge_event_nmi() - a non-maskable interrupt
 *
 * Any context.  Those that come while the guest handles one are one.
 */
void lodge_event_nmi(struct lodge_vcpu *vcpu);

/**
 * lodge_event_has_nmi() - whether one waits that has not been handed over
 */
bool lodge_event_has_nmi(const struct lodge_vcpu *vcpu);

void lodge_event_init(struct lodge_vcpu *vcpu);
void lodge_event_sipi(struct lodge_vcpu *vcpu, u8 vector);

/**
 * lodge_event_extint() - LODGE_EXTINT: the PIC's interrupt
 *
 * Any thread.  Return: 0, or -EBUSY while an earlier one waits.
 */
int lodge_event_extint(struct lodge_vcpu *vcpu, u8 vector);

bool lodge_event_has_extint(struct lodge_vcpu *vcpu);

/**
 * lodge_event_extint_done() - it has been taken
 */
void lodge_event_extint_done(struct lodge_vcpu *vcpu);

/**
 * lodge_event_deliver() - choose what the next entry delivers
 *
 * Return: LODGE_TO_USER for a window or a shutdown, else LODGE_ENTER_AGAIN.
 */
enum lodge_outcome lodge_event_deliver(struct lodge_vcpu *vcpu);

/**
 * lodge_event_delivered() - the guest was entered, and left again
 * @interrupted: the event whose delivery the exit cut short, or type NONE
 */
void lodge_event_delivered(struct lodge_vcpu *vcpu,
			   const struct lodge_event *interrupted);

/**
 * lodge_event_take_back() - the entry did not come about after all
 */
void lodge_event_take_back(struct lodge_vcpu *vcpu);

/**
 * lodge_event_window_opened() - whether what waits for its window can be taken now
 *
 * A window may open with an exit for another reason, or by an instruction that the
 * kernel has carried out.  To deliver then saves the exit right after the next
 * entry, which Bochs' AMD-V (2.7) moreover leaves out: it takes no virtual
 * interrupt that VMRUN finds pending before IF changes.
 */
bool lodge_event_window_opened(struct lodge_vcpu *vcpu);

/**
 * lodge_event_wakes() - whether something ends the vCPU's sleep
 */
bool lodge_event_wakes(struct lodge_vcpu *vcpu);

/**
 * lodge_event_window_open() - whether the PIC's interrupt could be taken now
 */
bool lodge_event_window_open(struct lodge_vcpu *vcpu);

#endif
