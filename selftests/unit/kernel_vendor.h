/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parts of the kernel and of its <asm/svm.h> that the vendors' files use, for user
 * space.  Included after kernel.h.
 */
#ifndef LODGE_UNIT_KERNEL_VENDOR_H
#define LODGE_UNIT_KERNEL_VENDOR_H

#include <asm/processor-flags.h>

#include "kernel.h"

#define _ASM_EXTABLE(from, to)
#define array_index_nospec(index, size) (index)

#define SVM_IOIO_SIZE_SHIFT 4
#define SVM_IOIO_ASIZE_SHIFT 7
#define SVM_IOIO_TYPE_MASK 1
#define SVM_IOIO_STR_MASK (1 << 2)
#define SVM_IOIO_REP_MASK (1 << 3)
#define SVM_IOIO_SIZE_MASK (7 << SVM_IOIO_SIZE_SHIFT)
#define SVM_IOIO_ASIZE_MASK (7 << SVM_IOIO_ASIZE_SHIFT)
#define SVM_EXITINTINFO_VALID (1U << 31)
#define SVM_EXITINFOSHIFT_TS_REASON_IRET 36
#define SVM_EXITINFOSHIFT_TS_REASON_JMP 38

#define U32_MAX 0xffffffffU

#define X86_FEATURE_HYPERVISOR 16

/* The host is itself a guest. */
__attribute__((weak)) bool kernel_is_guest;

#undef cpu_feature_enabled
#define cpu_feature_enabled(feature)                             \
	((feature) == X86_FEATURE_HYPERVISOR ? kernel_is_guest : \
					       boot_cpu_has(feature))

struct pt_regs {
	unsigned long ip;
	unsigned long cs;
	unsigned long flags;
};

void lodge_host_machine_check(struct pt_regs *regs);

/* This header replaces module/vmx/counters.h and vmcs.h; a test has its own fields. */
#define LODGE_VMX_COUNTERS_H
#define LODGE_VMX_VMCS_H

struct vmx_counters {
	u64 guest_ctrl;
	u64 host_ctrl;
	u32 nr;
};

struct vmx_vmcs {
	bool launched;
};

u64 vmx_read(u32 field);
void vmx_write(u32 field, u64 value);
void vmx_vmcs_begin(struct vmx_vmcs *vmcs);
void vmx_vmcs_end(void);

#endif
