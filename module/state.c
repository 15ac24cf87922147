// SPDX-License-Identifier: GPL-2.0
/*
 * Register groups: reset, and their way to and from user space.
 */
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/fpu/xcr.h>
#include <asm/fpu/xstate.h>
#include <asm/processor-flags.h>
#include <asm/special_insns.h>
#include <asm/trapnr.h>

#include "apic.h"
#include "backend.h"
#include "compat.h"
#include "decode.h"
#include "event.h"
#include "fpu.h"
#include "policy.h"
#include "processor.h"
#include "pv.h"
#include "request.h"
#include "state.h"
#include "vcpu.h"

/* The legacy FXSAVE area and the XSAVE header: there is always room for them. */
#define LODGE_XSAVE_MIN (512 + 64)

/* Bits of RFLAGS that user space can set; the entry fails with some of them. */
#define LODGE_STATE_RFLAGS GENMASK_ULL(21, 0)
#define LODGE_SEG_ALL GENMASK(11, 0)

u64 lodge_host_xcr0;
u64 lodge_host_xss;
u64 lodge_host_cr4;

void lodge_state_init(void)
{
	lodge_host_cr4 = __read_cr4() & LODGE_HOST_CR4_BITS;
	if (boot_cpu_has(X86_FEATURE_OSXSAVE))
		lodge_host_xcr0 = xgetbv(XCR_XFEATURE_ENABLED_MASK);
	if (boot_cpu_has(X86_FEATURE_XSAVES))
		rdmsrq(MSR_IA32_XSS, lodge_host_xss);
}

u32 lodge_state_xsave_size(void)
{
	u32 eax, size, ecx, edx;

	if (!lodge_host_xcr0)
		return LODGE_XSAVE_MIN;
	/* With the host's XCR0, which no guest's can exceed. */
	cpuid_count(0xd, 0, &eax, &size, &ecx, &edx);
	return max_t(u32, size, LODGE_XSAVE_MIN);
}

enum lodge_cpu_mode lodge_state_mode(const struct lodge_vcpu *vcpu)
{
	u16 attr = vcpu->regs.segments.seg[LODGE_CS].attr;

	if (!(vcpu->regs.control.cr0 & X86_CR0_PE) ||
	    vcpu->regs.general.rflags & X86_EFLAGS_VM)
		return LODGE_MODE_16;
	if (vcpu->regs.control.efer & EFER_LMA && attr & LODGE_SEG_L)
		return LODGE_MODE_64;
	return attr & LODGE_SEG_DB ? LODGE_MODE_32 : LODGE_MODE_16;
}

u8 lodge_state_cpl(const struct lodge_vcpu *vcpu)
{
	return lodge_segments_cpl(&vcpu->regs.segments);
}

/* AMD APM vol. 2, table 14-1. */
static void lodge_state_reset_segments(struct lodge_segments *segs)
{
	const u16 data = LODGE_SEG_P | LODGE_SEG_S | 3;
	const u16 code = LODGE_SEG_P | LODGE_SEG_S | 11;
	unsigned int i;

	memset(segs, 0, sizeof(*segs));
	for (i = 0; i < LODGE_NR_SEGS; i++) {
		segs->seg[i].limit = 0xffff;
		segs->seg[i].attr = data;
	}
	segs->seg[LODGE_CS].selector = 0xf000;
	segs->seg[LODGE_CS].base = 0xffff0000;
	segs->seg[LODGE_CS].attr = code;
	segs->seg[LODGE_LDTR].attr = LODGE_SEG_P | 2;
	segs->seg[LODGE_TR].attr = LODGE_SEG_P | 11;
	segs->gdt.limit = 0xffff;
	segs->idt.limit = 0xffff;
}

static void lodge_state_reset_control(struct lodge_control *c, bool init)
{
	u64 caches = X86_CR0_CD | X86_CR0_NW;

	/* INIT leaves the caches as they are. */
	c->cr0 = X86_CR0_ET | (init ? c->cr0 & caches : caches);
	c->cr2 = 0;
	c->cr3 = 0;
	c->cr4 = 0;
	c->cr8 = 0;
	c->efer = 0;
	if (!init)
		c->xcr0 = XFEATURE_MASK_FP;
}

static void lodge_state_reset_events(struct lodge_vcpu *vcpu)
{
	vcpu->delivery.exception.type = LODGE_EVENT_NONE;
	vcpu->delivery.reinject.type = LODGE_EVENT_NONE;
	vcpu->delivery.acknowledged.type = LODGE_EVENT_NONE;
	vcpu->delivery.in_flight.type = LODGE_EVENT_NONE;
	vcpu->delivery.shutdown = false;
	vcpu->delivery.exit_at_once = false;
	vcpu->completion = LODGE_COMPLETE_NONE;
	vcpu->regs.events.flags = 0;
	vcpu->delivery.mp_state = vcpu->id ? LODGE_MP_WAIT_SIPI :
					     LODGE_MP_RUNNABLE;
}

void lodge_state_reset(struct lodge_vcpu *vcpu, bool init)
{
	struct lodge_regs *regs = &vcpu->regs;

	/* The event that the next entry would have injected is void, too. */
	lodge_event_take_back(&vcpu->delivery);
	memset(&regs->general, 0, sizeof(regs->general));
	regs->general.gpr[LODGE_RDX] = *lodge_cpuid_answer(vcpu, 1, 0);
	regs->general.rip = 0xfff0;
	regs->general.rflags = X86_EFLAGS_FIXED;
	lodge_state_reset_segments(&regs->segments);
	lodge_backend->get_state(vcpu, LODGE_GROUP_MSRS);
	memset(&regs->debug, 0, sizeof(regs->debug));
	regs->debug.dr6 = LODGE_DR6_FIXED;
	regs->debug.dr7 = LODGE_DR7_FIXED;

	lodge_lapic_reset(vcpu->apic, init);
	lodge_state_reset_control(&regs->control, init);
	lodge_msr_reset(vcpu, init);
	lodge_pv_reset(vcpu);
	lodge_state_reset_events(vcpu);
	lodge_backend->set_state(vcpu, LODGE_GROUPS_INLINE);
	lodge_vcpu_flush_tlb(vcpu, false);
}

static void lodge_state_get_nmis(const struct lodge_vcpu *vcpu,
				 struct lodge_events *e)
{
	int nmis = atomic_read(&vcpu->delivery.nmis);

	if (vcpu->delivery.reinject.type == LODGE_EVENT_NMI) {
		/* It is this one, yet to be repeated, that blocks others. */
		nmis++;
		e->flags &= ~LODGE_EVENT_NMI_BLOCKED;
	}
	if (nmis > 0)
		e->flags |= LODGE_EVENT_NMI_PENDING;
	if (nmis > 1)
		e->flags |= LODGE_EVENT_NMI_LATCHED;
}

/* Gather the events that wait for delivery; each kind waits in a place of its own. */
static void lodge_state_get_events(struct lodge_vcpu *vcpu)
{
	struct lodge_events *e = &vcpu->regs.events;
	const struct lodge_event *fault = &vcpu->delivery.exception;
	unsigned long latches = READ_ONCE(vcpu->delivery.latches);

	e->flags = lodge_backend->interruptibility(vcpu);
	e->mp_state = vcpu->delivery.mp_state;

	if (fault->type == LODGE_EVENT_NONE &&
	    vcpu->delivery.reinject.type == LODGE_EVENT_FAULT)
		fault = &vcpu->delivery.reinject;
	if (fault->type != LODGE_EVENT_NONE) {
		e->flags |= LODGE_EVENT_EXCEPTION;
		e->flags |= fault->has_error ? LODGE_EVENT_ERROR_CODE : 0;
		e->exception = fault->vector;
		e->error_code = fault->error;
	}
	if (vcpu->delivery.acknowledged.type != LODGE_EVENT_NONE)
		e->flags |= LODGE_EVENT_INTERRUPT;
	e->interrupt = vcpu->delivery.acknowledged.vector;
	if (latches & BIT(LODGE_LATCH_EXTINT))
		e->flags |= LODGE_EVENT_EXTINT;
	e->extint = READ_ONCE(vcpu->delivery.extint);
	lodge_state_get_nmis(vcpu, e);
	if (latches & BIT(LODGE_LATCH_INIT))
		e->flags |= LODGE_EVENT_INIT_PENDING;
	if (latches & BIT(LODGE_LATCH_SIPI))
		e->flags |= LODGE_EVENT_SIPI_PENDING;
	e->sipi_vector = READ_ONCE(vcpu->delivery.sipi_vector);
	if (vcpu->delivery.shutdown)
		e->flags |= LODGE_EVENT_SHUTDOWN;
}

static void lodge_state_set_events(struct lodge_vcpu *vcpu)
{
	const struct lodge_events *e = &vcpu->regs.events;

	vcpu->delivery.mp_state = e->mp_state;
	vcpu->delivery.shutdown = e->flags & LODGE_EVENT_SHUTDOWN;
	vcpu->delivery.exception = (struct lodge_event){
		.type = e->flags & LODGE_EVENT_EXCEPTION ? LODGE_EVENT_FAULT :
							   LODGE_EVENT_NONE,
		.vector = e->exception,
		.has_error = e->flags & LODGE_EVENT_ERROR_CODE,
		.error = e->error_code,
	};
	vcpu->delivery.reinject.type = LODGE_EVENT_NONE;
	vcpu->delivery.acknowledged = (struct lodge_event){
		.type = e->flags & LODGE_EVENT_INTERRUPT ?
				LODGE_EVENT_EXTERNAL :
				LODGE_EVENT_NONE,
		.vector = e->interrupt,
	};
	if (lodge_event_has_extint(&vcpu->delivery))
		lodge_event_extint_done(&vcpu->delivery);
	if (e->flags & LODGE_EVENT_EXTINT)
		lodge_event_extint(&vcpu->delivery, e->extint);
	vcpu->delivery.sipi_vector = e->sipi_vector;
	atomic_set(&vcpu->delivery.nmis,
		   !!(e->flags & LODGE_EVENT_NMI_PENDING) +
			   !!(e->flags & LODGE_EVENT_NMI_LATCHED));
	assign_bit(LODGE_LATCH_INIT, &vcpu->delivery.latches,
		   e->flags & LODGE_EVENT_INIT_PENDING);
	assign_bit(LODGE_LATCH_SIPI, &vcpu->delivery.latches,
		   e->flags & LODGE_EVENT_SIPI_PENDING);
	set_bit(LODGE_REQ_EVENT, &vcpu->requests);
}

void lodge_state_get_inline(struct lodge_vcpu *vcpu, u64 groups,
			    struct lodge_regs *to)
{
	const struct lodge_regs *regs = &vcpu->regs;

	if (groups & ~(LODGE_GROUP_GENERAL | LODGE_GROUP_EVENTS))
		lodge_backend->get_state(vcpu, groups & ~LODGE_GROUP_EVENTS);
	if (groups & LODGE_GROUP_GENERAL)
		to->general = regs->general;
	if (groups & LODGE_GROUP_SEGMENTS)
		to->segments = regs->segments;
	if (groups & LODGE_GROUP_CONTROL)
		to->control = regs->control;
	if (groups & LODGE_GROUP_DEBUG)
		to->debug = regs->debug;
	if (groups & LODGE_GROUP_MSRS) {
		lodge_msr_get_state(vcpu);
		to->msrs = regs->msrs;
	}
	if (groups & LODGE_GROUP_EVENTS) {
		lodge_state_get_events(vcpu);
		to->events = regs->events;
	}
}

/* Only FS, GS and the system segments have bases of 64 bits. */
static bool lodge_state_segments_valid(const struct lodge_segments *segs)
{
	unsigned int i;

	for (i = 0; i < LODGE_NR_SEGS; i++) {
		const struct lodge_segment *seg = &segs->seg[i];

		if (seg->attr & ~LODGE_SEG_ALL)
			return false;
		if (i >= LODGE_FS ? !lodge_is_canonical(seg->base) :
				    seg->base >> 32)
			return false;
	}
	return lodge_is_canonical(segs->gdt.base) &&
	       lodge_is_canonical(segs->idt.base) &&
	       segs->gdt.limit <= U16_MAX && segs->idt.limit <= U16_MAX;
}

static bool lodge_state_events_valid(const struct lodge_events *e)
{
	if (e->flags & ~LODGE_EVENT_ALL || e->mp_state > LODGE_MP_WAIT_SIPI)
		return false;
	if (e->flags & LODGE_EVENT_EXCEPTION &&
	    (e->exception > 31 || e->exception == X86_TRAP_NMI))
		return false;
	if (e->flags & LODGE_EVENT_NMI_LATCHED &&
	    !(e->flags & LODGE_EVENT_NMI_PENDING))
		return false;
	return !e->reserved[0] && !e->reserved[1];
}

static bool lodge_state_valid(struct lodge_vcpu *vcpu, u64 groups,
			      const struct lodge_regs *regs)
{
	if (groups & LODGE_GROUP_GENERAL &&
	    regs->general.rflags & ~LODGE_STATE_RFLAGS)
		return false;
	if (groups & LODGE_GROUP_SEGMENTS &&
	    !lodge_state_segments_valid(&regs->segments))
		return false;
	if (groups & LODGE_GROUP_CONTROL &&
	    !lodge_control_valid(vcpu, &regs->control))
		return false;
	if (groups & LODGE_GROUP_DEBUG &&
	    (regs->debug.dr6 | regs->debug.dr7) >> 32)
		return false;
	if (groups & LODGE_GROUP_MSRS && lodge_msr_check(vcpu, &regs->msrs))
		return false;
	if (groups & LODGE_GROUP_EVENTS &&
	    !lodge_state_events_valid(&regs->events))
		return false;
	return true;
}

/* Everything has been checked: this cannot fail. */
static void lodge_state_set_inline(struct lodge_vcpu *vcpu, u64 groups,
				   const struct lodge_regs *from)
{
	struct lodge_regs *regs = &vcpu->regs;

	if (groups & LODGE_GROUP_GENERAL) {
		regs->general = from->general;
		regs->general.rflags |= X86_EFLAGS_FIXED;
	}
	if (groups & LODGE_GROUP_SEGMENTS)
		regs->segments = from->segments;
	if (groups & LODGE_GROUP_CONTROL) {
		regs->control = from->control;
		regs->control.cr0 |= X86_CR0_ET;
		lodge_lapic_set_cr8(vcpu->apic, from->control.cr8);
		lodge_vcpu_flush_tlb(vcpu, false);
		set_bit(LODGE_REQ_PDPTES, &vcpu->requests);
	}
	if (groups & LODGE_GROUP_DEBUG)
		regs->debug = from->debug;
	if (groups & LODGE_GROUP_MSRS) {
		regs->msrs = from->msrs;
		lodge_msr_set_state(vcpu);
	}
	if (groups & LODGE_GROUP_TSC)
		lodge_msr_set_tsc(vcpu, &from->msrs);
	if (groups & LODGE_GROUP_EVENTS) {
		regs->events = from->events;
		lodge_state_set_events(vcpu);
	}
	/* The instruction under way belongs to the registers that were there before. */
	if (groups & (LODGE_GROUP_GENERAL | LODGE_GROUP_EVENTS))
		vcpu->completion = LODGE_COMPLETE_NONE;
	lodge_backend->set_state(vcpu, groups);
}

static int lodge_state_get_xsave(struct lodge_vcpu *vcpu, u64 user, u32 size)
{
	u32 needed = lodge_state_xsave_size();
	void *area;
	int error = 0;

	if (size < needed)
		return -ENOSPC;
	area = kvzalloc(max(needed, lodge_fpu_size(vcpu)), GFP_KERNEL_ACCOUNT);
	if (!area)
		return -ENOMEM;
	lodge_fpu_get(vcpu, area);
	if (copy_to_user(u64_to_user_ptr(user), area, needed))
		error = -EFAULT;
	kvfree(area);
	return error;
}

/* The standard form; the kernel looks only where the host has XSAVE. */
static bool lodge_state_xsave_valid(const void *area)
{
	const struct xregs_state *xsave = area;

	return !xsave->header.xcomp_bv &&
	       !memchr_inv(xsave->header.reserved, 0,
			   sizeof(xsave->header.reserved));
}

static int lodge_state_set_xsave(struct lodge_vcpu *vcpu, u64 user, u32 size)
{
	u32 needed = max(lodge_state_xsave_size(), lodge_fpu_size(vcpu));
	void *area;
	int error = 0;

	if (size < LODGE_XSAVE_MIN)
		return -EINVAL;
	area = kvzalloc(needed, GFP_KERNEL_ACCOUNT);
	if (!area)
		return -ENOMEM;
	if (copy_from_user(area, u64_to_user_ptr(user), min(size, needed)))
		error = -EFAULT;
	if (!error && !lodge_state_xsave_valid(area))
		error = -EINVAL;
	if (!error)
		error = lodge_fpu_set(vcpu, area);
	kvfree(area);
	return error ? (error == -EFAULT ? -EFAULT : -EINVAL) : 0;
}

/* Size of the structure at state->lapic; 0 is what first callers have said. */
static u32 lodge_state_lapic_size(const struct lodge_state *state)
{
	return state->lapic_size ?: LODGE_LAPIC_FIRST_SIZE;
}

static int lodge_state_check_args(const struct lodge_state *state)
{
	u32 size = lodge_state_lapic_size(state);

	if (state->groups & ~LODGE_GROUPS_ALL)
		return -EINVAL;
	if (!(state->groups & LODGE_GROUP_LAPIC))
		return 0;
	if (size < LODGE_LAPIC_FIRST_SIZE)
		return -EINVAL;
	return size > PAGE_SIZE ? -E2BIG : 0;
}

static int lodge_state_give_lapic(const struct lodge_state *state,
				  const struct lodge_lapic *lapic)
{
	void __user *user = u64_to_user_ptr(state->lapic);
	size_t size = lodge_state_lapic_size(state);

	if (copy_to_user(user, lapic, min(size, sizeof(*lapic))))
		return -EFAULT;
	if (size > sizeof(*lapic) &&
	    clear_user(user + sizeof(*lapic), size - sizeof(*lapic)))
		return -EFAULT;
	return 0;
}

static int lodge_state_get_lapic(struct lodge_vcpu *vcpu,
				 const struct lodge_state *state)
{
	struct lodge_lapic *lapic = kzalloc(sizeof(*lapic), GFP_KERNEL_ACCOUNT);
	int error;

	if (!lapic)
		return -ENOMEM;
	lodge_lapic_get(vcpu->apic, lapic);
	error = lodge_state_give_lapic(state, lapic);
	kfree(lapic);
	return error;
}

int lodge_state_get(struct lodge_vcpu *vcpu, struct lodge_state *state)
{
	int error = lodge_state_check_args(state);

	if (!error && state->groups & LODGE_GROUP_XSAVE)
		error = lodge_state_get_xsave(vcpu, state->xsave,
					      state->xsave_size);
	if (!error && state->groups & LODGE_GROUP_LAPIC)
		error = lodge_state_get_lapic(vcpu, state);
	if (!error)
		lodge_state_get_inline(vcpu,
				       state->groups & LODGE_GROUPS_INLINE,
				       &state->regs);
	return error;
}

/* The APIC's mode is in APIC_BASE, which may be set in the same call. */
static int lodge_state_take_lapic(struct lodge_vcpu *vcpu,
				  const struct lodge_state *state,
				  struct lodge_lapic **lapic)
{
	int error;

	*lapic = NULL;
	if (!(state->groups & LODGE_GROUP_LAPIC))
		return 0;
	*lapic = kmalloc(sizeof(**lapic), GFP_KERNEL_ACCOUNT);
	if (!*lapic)
		return -ENOMEM;
	error = copy_struct_from_user(*lapic, sizeof(**lapic),
				      u64_to_user_ptr(state->lapic),
				      lodge_state_lapic_size(state));
	if (!error)
		error = lodge_lapic_check(vcpu->apic, *lapic);
	return error;
}

int lodge_state_set(struct lodge_vcpu *vcpu, const struct lodge_state *state)
{
	u64 groups = state->groups & LODGE_GROUPS_INLINE;
	struct lodge_lapic *lapic = NULL;
	int error = lodge_state_check_args(state);

	if (!error && !lodge_state_valid(vcpu, groups, &state->regs))
		error = -EINVAL;
	if (!error)
		error = lodge_state_take_lapic(vcpu, state, &lapic);
	/* The last step that can fail; it changes nothing when it does. */
	if (!error && state->groups & LODGE_GROUP_XSAVE)
		error = lodge_state_set_xsave(vcpu, state->xsave,
					      state->xsave_size);
	if (!error) {
		lodge_state_set_inline(vcpu, groups, &state->regs);
		if (lapic)
			lodge_lapic_set(vcpu->apic, lapic);
	}
	kfree(lapic);
	return error;
}

int lodge_state_load(struct lodge_vcpu *vcpu, u64 groups,
		     const struct lodge_regs *shared)
{
	struct lodge_regs regs;

	if (groups & ~LODGE_GROUPS_INLINE)
		return -EINVAL;
	memcpy(&regs, shared, sizeof(regs));
	barrier();
	if (!lodge_state_valid(vcpu, groups, &regs))
		return -EINVAL;
	lodge_state_set_inline(vcpu, groups, &regs);
	return 0;
}
