/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Register groups, and the rules for control registers.
 */
#ifndef LODGE_STATE_H
#define LODGE_STATE_H

#include <asm/processor-flags.h>

#include <lodge.h>

#include "decode.h"

struct lodge_vcpu;

/* state.c */

/**
 * lodge_state_reset() - the state after reset (@init false) or INIT
 *
 * AMD APM vol. 2, section 14.1.3.
 */
void lodge_state_reset(struct lodge_vcpu *vcpu, bool init);
int lodge_state_get(struct lodge_vcpu *vcpu, struct lodge_state *state);

/**
 * lodge_state_xsave_size() - bytes of the largest XSAVE area a vCPU can need
 */
u32 lodge_state_xsave_size(void);
int lodge_state_set(struct lodge_vcpu *vcpu, const struct lodge_state *state);

/**
 * lodge_state_get_inline() - write inline groups to @out, which is never read
 */
void lodge_state_get_inline(struct lodge_vcpu *vcpu, u64 groups,
			    struct lodge_regs *out);

/**
 * lodge_state_load() - set inline groups
 * @shared: user space may write there meanwhile
 *
 * Return: 0, or -EINVAL as LODGE_SET_STATE.
 */
int lodge_state_load(struct lodge_vcpu *vcpu, u64 groups,
		     const struct lodge_regs *shared);

/**
 * lodge_state_init() - note the host's CR4, XCR0 and XSS, for all vCPUs
 */
void lodge_state_init(void);

/* XCR0 and MSR XSS of the host, 0 where it has none; by lodge_state_init(). */
extern u64 lodge_host_xcr0;
extern u64 lodge_host_xss;

/*
 * Bits of CR4 that are the host's while a guest runs, and how the host has them:
 * where MCE is clear, a machine check shuts the whole machine down.
 */
#define LODGE_HOST_CR4_BITS X86_CR4_MCE
extern u64 lodge_host_cr4;

/**
 * lodge_state_hardware_cr4() - the processor's CR4 while the guest's is @cr4
 */
static inline u64 lodge_state_hardware_cr4(u64 cr4)
{
	return (cr4 & ~(u64)LODGE_HOST_CR4_BITS) | lodge_host_cr4;
}

/**
 * lodge_segments_cpl() - the privilege level, which is SS's
 */
static inline u8 lodge_segments_cpl(const struct lodge_segments *segments)
{
	return (segments->seg[LODGE_SS].attr & LODGE_SEG_DPL) >>
	       LODGE_SEG_DPL_SHIFT;
}

/**
 * lodge_state_mode() - code-segment mode and privilege level; needs SEGMENTS
 */
enum lodge_cpu_mode lodge_state_mode(const struct lodge_vcpu *vcpu);
u8 lodge_state_cpl(const struct lodge_vcpu *vcpu);

/* control.c: control registers and their rules */

/**
 * lodge_control_valid() - check a group's values
 *
 * Return: true if a vCPU can have them.
 */
bool lodge_control_valid(const struct lodge_vcpu *vcpu,
			 const struct lodge_control *control);

/**
 * lodge_control_set_cr0() - the guest writes CR0
 *
 * Return: true if the guest gets #GP: nothing has changed.  So do the others.
 */
bool lodge_control_set_cr0(struct lodge_vcpu *vcpu, u64 value);
bool lodge_control_set_cr3(struct lodge_vcpu *vcpu, u64 value);
bool lodge_control_set_cr4(struct lodge_vcpu *vcpu, u64 value);
bool lodge_control_set_efer(struct lodge_vcpu *vcpu, u64 value);
bool lodge_control_set_xcr0(struct lodge_vcpu *vcpu, u64 value);

/**
 * lodge_control_read_pdptes() - load PAE's page-directory pointers
 *
 * For a processor that keeps them, before the next entry after CR3 has come from
 * user space.  The calling thread's mm is vm->mm.
 */
void lodge_control_read_pdptes(struct lodge_vcpu *vcpu);

#endif
