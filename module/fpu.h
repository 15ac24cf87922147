/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest's x87, SSE and extended state.
 *
 * If modules may use the kernel's switch for guests (LODGE_HAVE_GUEST_FPU) the
 * thread in LODGE_RUN has the guest's state for its own, and the kernel switches it
 * as any thread's: fpu_thread.c.  Elsewhere each entry loads it and each exit
 * saves it: fpu_area.c.
 */
#ifndef LODGE_FPU_H
#define LODGE_FPU_H

#include <linux/sched.h>
#include <linux/types.h>
#include <asm/fpu/api.h>
#include <asm/fpu/types.h>

struct lodge_vcpu;

/**
 * struct lodge_fpu - a vCPU's state while no CPU's registers hold it
 * @guest: the kernel's
 * @area: as XSAVE leaves it in the standard form, or FXSAVE without XSAVE
 * @size: bytes of @area
 * @mxcsr: bits of MXCSR that the processor has
 */
struct lodge_fpu {
#ifdef LODGE_HAVE_GUEST_FPU
	struct fpu_guest guest;
#else
	struct xregs_state *area;
	u32 size;
	u32 mxcsr;
#endif
};

/**
 * lodge_fpu_init() - the state after reset
 *
 * Return: 0 or -ENOMEM.
 */
int lodge_fpu_init(struct lodge_vcpu *vcpu);

/* Also after an init that failed. */
void lodge_fpu_fini(struct lodge_vcpu *vcpu);

/**
 * lodge_fpu_size() - bytes of the areas for lodge_fpu_get() and lodge_fpu_set()
 */
u32 lodge_fpu_size(const struct lodge_vcpu *vcpu);

/**
 * lodge_fpu_get() - the state in XSAVE's standard form
 * @area: zeroed
 */
void lodge_fpu_get(struct lodge_vcpu *vcpu, struct xregs_state *area);

/**
 * lodge_fpu_set() - take it from there
 * @area: its header is that of the standard form
 *
 * Return: 0, or -EINVAL for what the vCPU has not got.
 */
int lodge_fpu_set(struct lodge_vcpu *vcpu, const struct xregs_state *area);

/**
 * lodge_fpu_begin() - the thread begins a LODGE_RUN
 *
 * Outside of lodge_fpu_begin() and lodge_fpu_end() nothing but the three above is
 * called.
 */
void lodge_fpu_begin(struct lodge_vcpu *vcpu);
void lodge_fpu_end(struct lodge_vcpu *vcpu);

/**
 * lodge_fpu_load() - have the guest's state in this CPU's registers
 *
 * Interrupts are off, and stay so until lodge_fpu_save().  XCR0 is the host's.
 */
#ifdef LODGE_HAVE_GUEST_FPU
static inline void lodge_fpu_load(struct lodge_fpu *fpu)
{
	/* They are the thread's, unless somebody else has used them meanwhile. */
	if (unlikely(test_thread_flag(TIF_NEED_FPU_LOAD)))
		switch_fpu_return();
}

static inline void lodge_fpu_save(struct lodge_fpu *fpu)
{
}
#else
void lodge_fpu_load(struct lodge_fpu *fpu);
void lodge_fpu_save(struct lodge_fpu *fpu);
#endif

/**
 * lodge_fpu_lock() - the same with interrupts on, until lodge_fpu_unlock()
 *
 * Nothing sleeps in between.
 */
void lodge_fpu_lock(struct lodge_vcpu *vcpu);
void lodge_fpu_unlock(struct lodge_vcpu *vcpu);

#endif
