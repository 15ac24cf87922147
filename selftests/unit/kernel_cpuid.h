/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parts of the kernel that module/cpuid.c uses, for user space.  Included after
 * kernel.h.
 */
#ifndef LODGE_UNIT_KERNEL_CPUID_H
#define LODGE_UNIT_KERNEL_CPUID_H

#include <asm/processor-flags.h>

#include "kernel.h"

/* Bits of features, in the word of their register. */
enum {
	/* Leaf 1, EDX */
	X86_FEATURE_VME = 1,
	X86_FEATURE_DE = 2,
	X86_FEATURE_PSE = 3,
	X86_FEATURE_TSC = 4,
	X86_FEATURE_PAE = 6,
	X86_FEATURE_MCE = 7,
	X86_FEATURE_APIC = 9,
	X86_FEATURE_PGE = 13,
	X86_FEATURE_FXSR = 24,
	X86_FEATURE_XMM = 25,
	X86_FEATURE_HT = 28,
	/* Leaf 1, ECX */
	X86_FEATURE_PCID = 17,
	X86_FEATURE_X2APIC = 21,
	X86_FEATURE_TSC_DEADLINE_TIMER = 24,
	X86_FEATURE_XSAVE = 26,
	X86_FEATURE_OSXSAVE = 27,
	/* Leaf 7 */
	X86_FEATURE_FSGSBASE = 0,
	X86_FEATURE_TSC_ADJUST = 1,
	X86_FEATURE_SMEP = 7,
	X86_FEATURE_SMAP = 20,
	X86_FEATURE_UMIP = 2,
	X86_FEATURE_PKU = 3,
	X86_FEATURE_RDPID = 22,
	X86_FEATURE_SPEC_CTRL = 26,
	X86_FEATURE_INTEL_STIBP = 27,
	X86_FEATURE_FLUSH_L1D = 28,
	X86_FEATURE_ARCH_CAPABILITIES = 29,
	X86_FEATURE_SPEC_CTRL_SSBD = 31,
	/* Leaf 0xd */
	X86_FEATURE_XSAVEC = 1,
	X86_FEATURE_XSAVES = 3,
	/* Leaf 0x80000001 */
	X86_FEATURE_CMP_LEGACY = 1,
	X86_FEATURE_SYSCALL = 11,
	X86_FEATURE_NX = 20,
	X86_FEATURE_RDTSCP = 27,
	X86_FEATURE_LM = 29,
	/* Leaves 0x80000008 and 0x80000021 */
	X86_FEATURE_AMD_IBPB = 12,
	X86_FEATURE_AMD_IBRS = 14,
	X86_FEATURE_AMD_STIBP = 15,
	X86_FEATURE_AMD_SSBD = 24,
	X86_FEATURE_AUTOIBRS = 8,
	X86_FEATURE_SBPB = 27,
};

/* The controller has functions of the same names: see fake_lodge.c. */
#define lodge_cpuid_get lodge_cpuid_module_get
#define lodge_cpuid_set lodge_cpuid_module_set

#define EFER_SCE BIT(0)
#define EFER_AUTOIBRS BIT(21)
#define SPEC_CTRL_IBRS BIT(0)
#define SPEC_CTRL_STIBP BIT(1)
#define SPEC_CTRL_SSBD BIT(2)
#define SPEC_CTRL_BHI_DIS_S BIT(10)
#define PRED_CMD_IBPB BIT(0)
#define PRED_CMD_SBPB BIT(7)
#define MSR_IA32_APICBASE_ENABLE BIT(11)
#define MSR_IA32_MISC_ENABLE_FAST_STRING BIT(0)
#define MSR_IA32_MISC_ENABLE_BTS_UNAVAIL BIT(11)
#define MSR_IA32_MISC_ENABLE_PEBS_UNAVAIL BIT(12)
#define MSR_IA32_MISC_ENABLE_LIMIT_CPUID BIT(22)
#define MSR_IA32_MISC_ENABLE_XD_DISABLE BIT(34)

#define array_index_nospec(index, size) ((index) < (size) ? (index) : 0)
#define ALIGN(value, to) (((value) + (to)-1) / (to) * (to))
#define order_base_2(n) ((n) > 1 ? fls64((n)-1) : 0U)
#define sort(base, nr, size, compare, swap) qsort(base, nr, size, compare)
#define IS_ERR(pointer) (!(pointer))
#define PTR_ERR(pointer) (-ENOMEM)
#define u64_to_user_ptr(address) ((void *)(address))
#define copy_to_user(to, from, size) (memcpy(to, from, size), 0)
#define memdup_user(from, size) kmemdup(from, size, 0)

static inline void *kmemdup(const void *from, size_t size, int flags)
{
	void *copy = malloc(size);

	return copy ? memcpy(copy, from, size) : NULL;
}

#endif
