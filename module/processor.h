/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The processor's bits, vectors and rules that several files need, once.
 *
 * Names are those of the kernel's headers.  Some of these are not for user space,
 * where the unit tests and the controller build the pure files: for those the values
 * stand here.
 */
#ifndef LODGE_PROCESSOR_H
#define LODGE_PROCESSOR_H

#ifdef __KERNEL__
#include <asm/msr-index.h>
#include <asm/trapnr.h>
#include <uapi/asm/debugreg.h>
#else
#include <asm/debugreg.h>
#endif
#include <asm/processor-flags.h>

#include "pure.h"

#ifndef __KERNEL__
/* A test may have the kernel's header, which uses macros. */
#ifndef EFER_LMA
enum {
	EFER_LME = 1 << 8,
	EFER_LMA = 1 << 10,
	EFER_NX = 1 << 11,
	EFER_SVME = 1 << 12,
	EFER_LMSLE = 1 << 13,
};
#endif

enum {
	X86_TRAP_DE = 0,
	X86_TRAP_DB = 1,
	X86_TRAP_NMI = 2,
	X86_TRAP_BP = 3,
	X86_TRAP_OF = 4,
	X86_TRAP_BR = 5,
	X86_TRAP_UD = 6,
	X86_TRAP_DF = 8,
	X86_TRAP_TS = 10,
	X86_TRAP_NP = 11,
	X86_TRAP_SS = 12,
	X86_TRAP_GP = 13,
	X86_TRAP_PF = 14,
	X86_TRAP_AC = 17,
	X86_TRAP_MC = 18,
};
#endif

/* RFLAGS: the bits that software can set (SDM vol. 1, 3.4.3); FIXED is always set. */
#define LODGE_RFLAGS_BITS 0x3f7fd5ULL

/* DR6 and DR7: the bits that always read as one. */
#define LODGE_DR6_FIXED ((u64)DR6_RESERVED)
#define LODGE_DR7_FIXED 0x400ULL
/* DR6: a debug register was touched under DR7.GD. */
#define LODGE_DR6_BD BIT_ULL(13)
/* DR7: general detect. */
#define LODGE_DR7_GD BIT_ULL(13)
/* DR7: the enable bits of all breakpoints. */
#define LODGE_DR7_ENABLED (DR_LOCAL_ENABLE_MASK | DR_GLOBAL_ENABLE_MASK)
/* DR7: a task's own breakpoints, L0 to L3 and LE. */
#define LODGE_DR7_LOCAL (DR_LOCAL_ENABLE_MASK | DR_LOCAL_SLOWDOWN)

/* A PDPTE of PAE paging: bits that must be zero while it is present. */
#define LODGE_PDPTE_PRESENT BIT_ULL(0)
#define LODGE_PDPTE_RESERVED (GENMASK_ULL(2, 1) | GENMASK_ULL(8, 5))

/**
 * lodge_is_canonical_in() - true if a linear address is canonical
 * @bits: width of linear addresses
 */
static inline bool lodge_is_canonical_in(u64 linear, u8 bits)
{
	return (u64)((s64)(linear << (64 - bits)) >> (64 - bits)) == linear;
}

/**
 * lodge_is_canonical() - the same for a guest's: it has no LA57
 */
static inline bool lodge_is_canonical(u64 linear)
{
	return lodge_is_canonical_in(linear, 48);
}

/**
 * lodge_memory_type_valid() - true if an MTRR can hold this memory type
 *
 * UC, WC, WT, WP and WB: APM vol. 2, section 7.7.
 */
static inline bool lodge_memory_type_valid(u8 type)
{
	return type <= 6 && type != 2 && type != 3;
}

/**
 * lodge_pat_valid() - true if MSR PAT can hold @pat
 *
 * An entry can also be UC-, which is 7: APM vol. 2, section 7.8.
 */
static inline bool lodge_pat_valid(u64 pat)
{
	int i;

	for (i = 0; i < 8; i++, pat >>= 8)
		if (!lodge_memory_type_valid(pat) && (u8)pat != 7)
			return false;
	return true;
}

#endif
