/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The host's performance counters while a guest runs, and the lists of MSRs that
 * an entry and an exit load (Intel SDM vol. 3, sections 25.7.2 and 25.8.2).
 *
 * Pure: builds in user space too, where its test plays perf.
 */
#ifndef LODGE_VMX_COUNTERS_H
#define LODGE_VMX_COUNTERS_H

#ifdef __KERNEL__
#include <asm/msr-index.h>
#include <asm/perf_event.h>
#include <asm/vmx.h>
#endif

#include "pure.h"

#ifndef __KERNEL__
#define MSR_IA32_PEBS_ENABLE 0x3f1
#define MSR_PEBS_DATA_CFG 0x3f2
#define MSR_CORE_PERF_GLOBAL_CTRL 0x38f
#define MSR_IA32_DS_AREA 0x600

struct perf_guest_switch_msr {
	unsigned int msr;
	u64 host, guest;
};

struct vmx_msr_entry {
	u32 index;
	u32 reserved;
	u64 value;
};
#endif

#define VMX_MSRS_MAX 128

/**
 * struct vmx_msr_lists - MSRs that both an entry and an exit load; fills a page
 * @guest: MSRs that the entry loads
 * @host: the same MSRs, as the exit loads them
 */
struct vmx_msr_lists {
	struct vmx_msr_entry guest[VMX_MSRS_MAX];
	struct vmx_msr_entry host[VMX_MSRS_MAX];
};

/**
 * struct vmx_counters - what the VMCS has of the counters
 * @guest_ctrl: PERF_GLOBAL_CTRL that the entry loads by its control
 * @host_ctrl: that the exit loads
 * @nr: MSRs in the lists
 */
struct vmx_counters {
	u64 guest_ctrl;
	u64 host_ctrl;
	u32 nr;
};

/**
 * vmx_counters_fill() - note the MSRs that perf wants changed while a guest runs
 * @lists: out: MSRs that have to be loaded from memory
 * @first: how many of @lists are not the counters'
 * @msrs: perf's answer; NULL: it has none, and @count says nothing
 * @count: how many
 * @by_control: the entry and the exit load PERF_GLOBAL_CTRL by a control
 * @counters: out
 *
 * Return: true if MSR PEBS_ENABLE is to be cleared before the entry, for the
 * processor to write its last record while addresses are the host's.
 */
bool vmx_counters_fill(struct vmx_msr_lists *lists, u32 first,
		       const struct perf_guest_switch_msr *msrs, int count,
		       bool by_control, struct vmx_counters *counters);

#endif
