/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Decides what a guest sees of its processor: CPUID and MSRs.
 */
#ifndef LODGE_POLICY_H
#define LODGE_POLICY_H

#include <lodge.h>

struct lodge_vcpu;

/* cpuid.c: what the guest may see */

/**
 * lodge_cpuid_init() - give a new vCPU all that Lodge carries on this host
 *
 * Fills vcpu->cpuid, nr_cpuid and features.  Return: 0 or -ENOMEM.
 */
int lodge_cpuid_init(struct lodge_vcpu *vcpu);
void lodge_cpuid_free(struct lodge_vcpu *vcpu);

/**
 * lodge_cpuid_memory() - the most bytes of memory that it may take
 */
u64 lodge_cpuid_memory(void);

/**
 * lodge_cpuid_get() - LODGE_GET_CPUID; updates arg->count
 */
int lodge_cpuid_get(struct lodge_vcpu *vcpu, struct lodge_cpuid *arg);

/**
 * lodge_cpuid_set() - LODGE_SET_CPUID
 *
 * Registers that only describe (signature, name, caches, topology) are free; all
 * others may hold only bits that the default has, so a leaf that Lodge does not
 * know must be empty.  What the answer works in from the vCPU's state is taken
 * and dropped: what lodge_cpuid_get() gave can be given back.
 */
int lodge_cpuid_set(struct lodge_vcpu *vcpu, const struct lodge_cpuid *arg);

/**
 * lodge_cpuid_answer() - the answer of CPUID now: EAX, EBX, ECX, EDX
 *
 * Bits that follow the vCPU's state (OSXSAVE, OSPKE, APIC, XSAVE's current
 * size) are worked in from vcpu->regs.control.
 *
 * Return: the four, until the next call for this vCPU.
 */
const u32 *lodge_cpuid_answer(struct lodge_vcpu *vcpu, u32 leaf, u32 subleaf);

/* msr.c, msr_list.c, msr_rules.c: the guest's MSRs */

/**
 * lodge_msr_rules_init() - give each MSR that only stores a place; once
 *
 * Return: 0, or -EIO if the table is not sorted or has too many.
 */
int lodge_msr_rules_init(void);
int lodge_msr_init(struct lodge_vcpu *vcpu);
void lodge_msr_free(struct lodge_vcpu *vcpu);

/**
 * lodge_msr_reset() - after reset; INIT (@init) leaves MSRs as they are
 *
 * Sets vcpu->regs.msrs, but not the TSC's offset.  AMD APM vol. 2, section
 * 14.1.3.
 */
void lodge_msr_reset(struct lodge_vcpu *vcpu, bool init);

/**
 * lodge_msr_check() - refuse values that no vCPU with this CPUID can hold
 *
 * Return: 0 or -EINVAL.
 */
int lodge_msr_check(struct lodge_vcpu *vcpu, const struct lodge_msrs *msrs);

/**
 * lodge_msr_read() - RDMSR
 *
 * Return: true if the guest gets #GP.  So does lodge_msr_write().
 */
bool lodge_msr_read(struct lodge_vcpu *vcpu, u32 index, u64 *value);
bool lodge_msr_write(struct lodge_vcpu *vcpu, u32 index, u64 value);

/**
 * lodge_msr_list_get() - LODGE_GET_MSR_LIST; updates arg->count
 */
int lodge_msr_list_get(struct lodge_vcpu *vcpu, struct lodge_msr_list *arg);

/**
 * lodge_msr_list_set() - LODGE_SET_MSR_LIST: all entries or none
 */
int lodge_msr_list_set(struct lodge_vcpu *vcpu,
		       const struct lodge_msr_list *arg);

/**
 * lodge_msr_get_state() - bring the members of vcpu->regs.msrs up to date that are
 * not the backend's
 */
void lodge_msr_get_state(struct lodge_vcpu *vcpu);

/**
 * lodge_msr_set_state() - act on vcpu->regs.msrs, which lodge_msr_check() let
 * pass, where the backend does not
 */
void lodge_msr_set_state(struct lodge_vcpu *vcpu);

/**
 * lodge_msr_set_tsc() - group TSC: have the guest's time stamp counter show @tsc of
 * @msrs when the host's shows @host_tsc
 */
void lodge_msr_set_tsc(struct lodge_vcpu *vcpu, const struct lodge_msrs *msrs);

/**
 * lodge_msr_tsc() - what the guest's counter shows when lodge_tsc() is @host_tsc
 */
u64 lodge_msr_tsc(const struct lodge_vcpu *vcpu, u64 host_tsc);

/**
 * lodge_msr_tsc_now() - what the guest's RDTSC reads
 */
u64 lodge_msr_tsc_now(const struct lodge_vcpu *vcpu);

/**
 * lodge_msr_load_tsc() - have the processor show the guest its counter: whenever
 * vcpu->tsc_offset or lodge_tsc_moved is another than the last time
 */
void lodge_msr_load_tsc(struct lodge_vcpu *vcpu);

#endif
