/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shared by cpuid.c and cpuid_default.c: tables of leaves, and the host's defaults.
 */
#ifndef LODGE_CPUID_H
#define LODGE_CPUID_H

#include <asm/cpufeature.h>

#include <lodge.h>

#include "pure.h"

/* Index of a register in an answer. */
enum lodge_cpuid_reg { EAX, EBX, ECX, EDX };

/* A feature's bit in its register; the kernel names the word as well. */
#define F(feature) ((u32)BIT(X86_FEATURE_##feature & 31))
/* Features that the oldest kernel does not name. */
#define LODGE_CPUID_PSFD BIT(28)

/* The bits of leaf 1's EDX that AMD repeats in leaf 0x80000001's. */
#define LODGE_CPUID_AMD_ALIASES 0x0183f3ffU

/* Leaf 7, subleaf 2, EDX: what of prediction MSR SPEC_CTRL can switch off. */
#define CPUID_INTEL_PSFD BIT(0)
#define CPUID_IPRED_CTRL BIT(1)
#define CPUID_RRSBA_CTRL BIT(2)
#define CPUID_DDPD_U BIT(3)
#define CPUID_BHI_CTRL BIT(4)
#define CPUID_MCDT_NO BIT(5)

/* Leaf 0x80000008, EBX. */
#define CPUID_IBRS_ALWAYS_ON BIT(16)
#define CPUID_IBRS_PREFERRED BIT(18)
#define CPUID_IBRS_SAME_MODE BIT(19)
#define CPUID_NO_EFER_LMSLE BIT(20)

/* Leaf 0x80000021, EAX, and then ECX. */
#define CPUID_NO_NESTED_DATA_BP BIT(0)
#define CPUID_BASES_NOT_SERIALIZING BIT(1)
#define CPUID_LFENCE_SERIALIZING BIT(2)
#define CPUID_NULL_CLEARS_BASE BIT(6)
#define CPUID_NO_SMM_CTL_MSR BIT(9)
#define CPUID_SRSO_USER_KERNEL_NO BIT(30)
#define CPUID_TSA_SQ_NO BIT(1)
#define CPUID_TSA_L1_NO BIT(2)
#define CPUID_TSA_FILL_NO BIT(7)

/**
 * lodge_cpuid_default() - all that Lodge carries on this host
 * @nr: out: their number
 *
 * Return: the entries, sorted by leaf and subleaf; they never change.
 */
const struct lodge_cpuid_entry *lodge_cpuid_default(u32 *nr);

/**
 * lodge_cpuid_xcr0() - bits of XCR0 that these features need
 * @ecx_1: ECX of leaf 1
 * @ebx_7: EBX of leaf 7
 * @ecx_7: ECX of leaf 7
 *
 * Return: those that the host's kernel has switched on too.
 */
u64 lodge_cpuid_xcr0(u32 ecx_1, u32 ebx_7, u32 ecx_7);

/**
 * lodge_cpuid_indexed() - true if a leaf has subleaves; others ignore ECX
 */
bool lodge_cpuid_indexed(u32 leaf);

/**
 * lodge_cpuid_free_registers() - registers of a leaf that only describe
 *
 * Return: BIT(EAX) and so on.
 */
u32 lodge_cpuid_free_registers(u32 leaf);

static inline u32 *lodge_cpuid_reg(struct lodge_cpuid_entry *entry,
				   unsigned int reg)
{
	return &entry->eax + reg;
}

/**
 * lodge_cpuid_find() - the entry that answers a leaf and subleaf, or NULL
 * @entries: in any order
 * @nr: how many
 */
static inline const struct lodge_cpuid_entry *
lodge_cpuid_find(const struct lodge_cpuid_entry *entries, u32 nr, u32 leaf,
		 u32 subleaf)
{
	u32 i;

	for (i = 0; i < nr; i++) {
		if (entries[i].leaf != leaf)
			continue;
		if (!(entries[i].flags & LODGE_CPUID_SUBLEAF) ||
		    entries[i].subleaf == subleaf)
			return &entries[i];
	}
	return NULL;
}

/**
 * lodge_cpuid_value() - one register of a leaf; 0 where there is no such leaf
 */
static inline u32 lodge_cpuid_value(const struct lodge_cpuid_entry *entries,
				    u32 nr, u32 leaf, u32 subleaf,
				    enum lodge_cpuid_reg reg)
{
	const struct lodge_cpuid_entry *entry;

	entry = lodge_cpuid_find(entries, nr, leaf, subleaf);
	return entry ? *(&entry->eax + reg) : 0;
}

#endif
