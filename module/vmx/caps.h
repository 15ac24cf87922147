/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The capabilities of this processor's VT-x, and those that Lodge uses.
 *
 * AMD-V has no such file: there a feature is one bit of CPUID.
 */
#ifndef LODGE_VMX_CAPS_H
#define LODGE_VMX_CAPS_H

#include <linux/types.h>
#include <asm/vmx.h>

#include <lodge.h>

/* Spelled in two ways by <asm/vmx.h>, from kernel to kernel. */
#define VMX_PROC2_XSAVES VMCS_CONTROL_BIT(XSAVES)

/* The place of bits about VPID in vmx_caps.ept. */
#define VMX_CAP_VPID(bits) ((u64)(bits) << 32)

/**
 * struct vmx_caps - fixed once vmx_caps_init() has run
 * @revision: identifier that begins a VMCS
 * @pin: pin-based controls that a VMCS starts with
 * @proc: primary processor-based controls, the same
 * @proc2: secondary ones, which vary with nothing
 * @exit: VM-exit controls
 * @entry: VM-entry controls, but for IA-32e mode
 * @timer_shift: the bit of the TSC that counts the preemption timer down
 * @ept: MSR IA32_VMX_EPT_VPID_CAP, less what we are to do without
 * @switches_efer: VM entry and exit switch EFER
 * @describes_strings: an exit for INS or OUTS tells its address size
 * @has_counters: perf has counters of the host's to be switched at entry and exit
 */
struct vmx_caps {
	u32 revision;
	u32 pin;
	u32 proc;
	u32 proc2;
	u32 exit;
	u32 entry;
	u32 timer_shift;
	u64 ept;
	bool switches_efer;
	bool describes_strings;
	bool has_counters;
};

extern struct vmx_caps vmx_caps;

struct vmx_check_host;

/**
 * vmx_caps_init() - read the capability MSRs and choose the controls
 *
 * Intel SDM vol. 3, appendix A.
 *
 * Return: LODGE_STATUS_READY, or what the processor lacks.
 */
enum lodge_status vmx_caps_init(void);

/**
 * vmx_caps_describe() - the processor, for naming the rules that a state breaks
 *
 * After vmx_caps_init().
 */
void vmx_caps_describe(struct vmx_check_host *host);

/**
 * vmx_caps_timer() - true if an entry can set the time of the next exit
 *
 * Section 26.5.1: the preemption timer.
 */
bool vmx_caps_timer(void);

/**
 * vmx_caps_feature() - true if a guest can use a feature of this processor
 * @feature: X86_FEATURE_*
 *
 * Some instructions exist in a guest only by leave of a control.
 */
bool vmx_caps_feature(unsigned int feature);

#endif
