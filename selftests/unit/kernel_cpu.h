/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A fake processor, for the module's files that ask for its features and write its
 * MSRs.  Included after kernel.h and kernel_vendor.h.
 */
#ifndef LODGE_UNIT_KERNEL_CPU_H
#define LODGE_UNIT_KERNEL_CPU_H

#include "kernel_vendor.h"

/* Features and bugs, as numbers of bits in struct kernel_cpu. */
enum {
	X86_FEATURE_ARCH_CAPABILITIES = 16,
	X86_FEATURE_FLUSH_L1D,
	X86_FEATURE_BUS_LOCK_DETECT,
	X86_FEATURE_TSCRATEMSR,
	X86_FEATURE_FSGSBASE,
	X86_FEATURE_PEBS,
	X86_BUG_L1TF,
};

#define MSR_IA32_ARCH_CAPABILITIES 0x10a
#define ARCH_CAP_SKIP_VMENTRY_L1DFLUSH BIT(3)
#define MSR_IA32_FLUSH_CMD 0x10b
#define L1D_FLUSH BIT(0)
#define MSR_IA32_DEBUGCTLMSR 0x1d9

#define MSR_EFER 0xc0000080
#define MSR_AMD64_TSC_RATIO 0xc0000104
#define MSR_VM_HSAVE_PA 0xc0010117
#define SVM_TSC_RATIO_DEFAULT 0x100000000ULL

/* Size of the table of MSRs; the low bits of an MSR's number are its index. */
#define KERNEL_MSRS 0x200
#define KERNEL_WRITES 16

/**
 * struct kernel_cpu - the processor
 * @features: bits of the features and bugs that it has
 * @msr: its MSRs
 * @written: numbers of the MSRs that were written, in order
 * @writes: number of writes
 * @locked: writes that can fault do fault
 */
struct kernel_cpu {
	u64 features;
	u64 msr[KERNEL_MSRS];
	u32 written[KERNEL_WRITES];
	unsigned int writes;
	bool locked;
};

extern struct kernel_cpu kernel_cpu;

#undef boot_cpu_has
#undef cpu_feature_enabled
#define boot_cpu_has(feature) (kernel_cpu.features >> (feature)&1)
#define boot_cpu_has_bug boot_cpu_has
#define cpu_feature_enabled boot_cpu_has

static inline u64 *kernel_msr(u32 index)
{
	return &kernel_cpu.msr[index % KERNEL_MSRS];
}

static inline void kernel_wrmsr(u32 index, u64 value)
{
	*kernel_msr(index) = value;
	kernel_cpu.written[kernel_cpu.writes++ % KERNEL_WRITES] = index;
}

#define rdmsrq(index, value) ((value) = *kernel_msr(index))
#define wrmsrq kernel_wrmsr
#define wrmsrq_safe(index, value) \
	(kernel_cpu.locked ? -EIO : (kernel_wrmsr(index, value), 0))

static inline unsigned long get_debugctlmsr(void)
{
	return kernel_cpu.msr[MSR_IA32_DEBUGCTLMSR];
}

static inline void update_debugctlmsr(unsigned long value)
{
	kernel_wrmsr(MSR_IA32_DEBUGCTLMSR, value);
}

/* The current thread. */
struct task_struct {
	unsigned long nvcsw;
	unsigned long nivcsw;
	bool steps_branches;
};

extern struct task_struct kernel_thread;

#define current (&kernel_thread)
#define TIF_BLOCKSTEP 0
#define test_thread_flag(flag) (kernel_thread.steps_branches)

#define noinstr
#define this_cpu_ptr(variable) (variable)
#define __sme_set(address) (address)
#define page_to_phys(page) ((u64)(page))
#define this_cpu_read(variable) (variable)
extern u64 x86_spec_ctrl_current;

/* This header replaces module/context.h. */
#define LODGE_CONTEXT_H
#define lodge_context_enter(told)
#define guest_state_exit_irqoff()
#define raw_local_irq_enable()
#define raw_local_irq_disable()
#define amd_clear_divider()

/* Linux's policy against L1TF, and its flag for a flush of the L1 data cache. */
enum l1tf_mitigations {
	L1TF_MITIGATION_OFF,
	L1TF_MITIGATION_FLUSH_NOWARN,
	L1TF_MITIGATION_FLUSH,
	L1TF_MITIGATION_FULL,
	L1TF_MITIGATION_FULL_FORCE,
};

extern enum l1tf_mitigations l1tf_mitigation;
extern bool kernel_interrupted;

#define IS_ENABLED(option) 1
#define kvm_get_cpu_l1tf_flush_l1d() (kernel_interrupted)
#define kvm_clear_cpu_l1tf_flush_l1d() (kernel_interrupted = false)

#define GFP_KERNEL 0
void *kernel_pages(unsigned int order);
#define __get_free_pages(flags, order) ((unsigned long)kernel_pages(order))
#define free_pages(pages, order) free((void *)(pages))
#define sched_smt_active() true
#define pr_info_once(...)

bool lodge_host_has_stale_data(void);
void x86_clear_cpu_buffers(void);
void lodge_predict_less(bool on);

#define V_TPR_MASK 0x0f
#define SVM_INTERRUPT_SHADOW_MASK 1
/* Intercepts of control registers and IRET: APM vol. 2, appendix B. */
#define INTERCEPT_CR0_READ 0
#define INTERCEPT_CR4_READ 4
#define INTERCEPT_IRET 116

/* Replacements for AMD's privileged instructions. */
#include "svm/svm.h"

void kernel_gif(bool on);
#define svm_clgi() kernel_gif(false)
#define svm_stgi() kernel_gif(true)
#define svm_vmsave(pa)

#endif
