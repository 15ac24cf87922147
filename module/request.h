/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Requests to the owner of a vCPU, for work before it enters the guest again.
 */
#ifndef LODGE_REQUEST_H
#define LODGE_REQUEST_H

struct lodge_vcpu;

/* Bits of vcpu->requests. */
enum lodge_request {
	LODGE_REQ_EVENT, /* something may be deliverable */
	LODGE_REQ_FLUSH, /* the nested tables changed */
	LODGE_REQ_PDPTES, /* CR3 came from user space */
	LODGE_REQ_CLOCK, /* the paravirtual clock page is stale */
	LODGE_REQ_EOI, /* lodge_lapic_take_eoi() has news for user space */
	LODGE_REQ_KICK, /* only leave guest mode */
	LODGE_REQ_HOLD, /* leave LODGE_RUN, if vm->holds */
};

/**
 * lodge_vcpu_request() - ask for something before the next entry, and kick
 *
 * Any context.
 */
void lodge_vcpu_request(struct lodge_vcpu *vcpu, enum lodge_request request);

#endif
