/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The virtual machine control structure: getting at it (Intel SDM vol. 3,
 * chapter 25).  Encodings and bits are those of <asm/vmx.h>.
 *
 * Its fields can be reached only on the one CPU on which it is current, so
 * whoever reads or writes one stands between vmx_vmcs_begin() and
 * vmx_vmcs_end(), or has preemption off after vmx_vmcs_load().
 *
 * No instruction here faults once somebody has switched VMX off (reboot): a
 * field then reads as zero, and a write is lost.
 */
#ifndef LODGE_VMX_VMCS_H
#define LODGE_VMX_VMCS_H

#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <asm/asm.h>
#include <asm/extable.h>
#include <asm/vmx.h>

#include "compat.h"

/**
 * struct vmx_vmcs - a control structure
 * @region: the page that the processor uses; it begins with the revision
 * @cpu: CPU that may hold parts of it, or -1; changed on that CPU with
 *	interrupts off, or by its owner while it is -1
 * @launched: VMLAUNCH has succeeded since it was last cleared
 * @link: in vmx_cpu.loaded of @cpu
 */
struct vmx_vmcs {
	u32 *region;
	int cpu;
	bool launched;
	struct list_head link;
};

/* The one that is current on this CPU, or NULL. */
DECLARE_PER_CPU(struct vmx_vmcs *, vmx_vmcs_current);

static __always_inline u64 vmx_read(u32 field)
{
	u64 value;

	/* clang-format would separate % from the operand's name. */
	/* clang-format off */
	asm volatile("1:	vmread %[field], %[value]\n"
		     "2:\n" _ASM_EXTABLE_TYPE_REG(1b, 2b, EX_TYPE_ZERO_REG,
						  %[value])
		     : [value] "=r"(value)
		     : [field] "r"((u64)field)
		     : "cc");
	/* clang-format on */
	return value;
}

static __always_inline void vmx_write(u32 field, u64 value)
{
	asm volatile("1:	vmwrite %[value], %[field]\n"
		     "2:\n" _ASM_EXTABLE(1b, 2b)
		     :
		     : [field] "r"((u64)field), [value] "rm"(value)
		     : "cc");
}

/**
 * vmx_vmcs_alloc() - a cleared structure
 *
 * May sleep.  Return: 0 or -ENOMEM.
 */
int vmx_vmcs_alloc(struct vmx_vmcs *vmcs);

/**
 * vmx_vmcs_free() - take it from its CPU and free it; also one never allocated
 */
void vmx_vmcs_free(struct vmx_vmcs *vmcs);

/**
 * vmx_vmcs_load() - make it current here; preemption is off, interrupts are on
 *
 * If another CPU holds it, that CPU clears it first.
 */
void vmx_vmcs_load(struct vmx_vmcs *vmcs);

/**
 * vmx_vmcs_clear_cpu() - clear every structure that this CPU holds
 *
 * Interrupts are off.  It may be an NMI that has stopped anything, even a change
 * of the list.
 */
void vmx_vmcs_clear_cpu(void);

/**
 * vmx_vmcs_cpu_init() - this CPU holds none
 */
void vmx_vmcs_cpu_init(int cpu);

static inline void vmx_vmcs_begin(struct vmx_vmcs *vmcs)
{
	preempt_disable();
	if (unlikely(__this_cpu_read(vmx_vmcs_current) != vmcs))
		vmx_vmcs_load(vmcs);
}

static inline void vmx_vmcs_end(void)
{
	preempt_enable();
}

#endif
