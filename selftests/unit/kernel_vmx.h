/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parts of the kernel that VT-x's entry and registers use, for user space.
 * Included after kernel_cpu.h.
 */
#ifndef LODGE_UNIT_KERNEL_VMX_H
#define LODGE_UNIT_KERNEL_VMX_H

#include <signal.h>

#include "kernel_cpu.h"

/* Included after <signal.h>, with which it shares names. */
#include <asm/vmx.h>

#define MSR_IA32_SPEC_CTRL 0x48
#define MSR_IA32_SYSENTER_CS 0x174
#define MSR_IA32_SYSENTER_ESP 0x175
#define MSR_IA32_SYSENTER_EIP 0x176
#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102

#define __rdmsr(index) (*kernel_msr(index))
#define x86_fsbase_read_cpu() __rdmsr(MSR_FS_BASE)
#define native_wrmsrq kernel_wrmsr
#define savesegment(segment, value) ((value) = 0)
#define loadsegment(segment, value) ((void)(value))
#define load_gs_index(value) ((void)(value))
#define __read_cr3() 0x1000ULL
#define cr4_read_shadow() 0x2000ULL
#define native_read_cr2() 0ULL
#define native_write_cr2(value) ((void)(value))

static inline void __clear_bit(long number, unsigned long *bits)
{
	bits[number / 64] &= ~BIT(number % 64);
}

#define __get_free_page(flags) ((unsigned long)kernel_pages(0))
#define free_page(page) free((void *)(page))
#define __pa(address) ((u64)(address))

/* perf's counters, which no test here has: X86_FEATURE_PEBS. */
#define MSR_IA32_PEBS_ENABLE 0x3f1
#define VMX_MSRS_MAX 128

struct vmx_msr_lists {
	struct vmx_msr_entry guest[VMX_MSRS_MAX];
	struct vmx_msr_entry host[VMX_MSRS_MAX];
};

struct perf_guest_switch_msr;
const struct perf_guest_switch_msr *lodge_perf_guest_msrs(int *count);
bool vmx_counters_fill(struct vmx_msr_lists *lists, u32 first,
		       const struct perf_guest_switch_msr *msrs, int count,
		       bool by_control, struct vmx_counters *counters);

#endif
