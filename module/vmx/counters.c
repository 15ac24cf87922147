// SPDX-License-Identifier: GPL-2.0
/*
 * The host's performance counters while a guest runs: see counters.h.
 */
#include "vmx/counters.h"

static void vmx_counters_add(struct vmx_msr_lists *lists,
			     const struct perf_guest_switch_msr *msr,
			     struct vmx_counters *counters)
{
	if (msr->host == msr->guest || counters->nr == VMX_MSRS_MAX)
		return;
	lists->guest[counters->nr].index = msr->msr;
	lists->guest[counters->nr].value = msr->guest;
	lists->host[counters->nr].index = msr->msr;
	lists->host[counters->nr].value = msr->host;
	counters->nr++;
}

/*
 * All by the entry and the exit themselves: an NMI of perf's own just before
 * would undo what was written by then.  A guest has no counters, so that with the
 * host's switched off nothing is recorded, and where to may stay as it is.
 */
bool vmx_counters_fill(struct vmx_msr_lists *lists, u32 first,
		       const struct perf_guest_switch_msr *msrs, int count,
		       bool by_control, struct vmx_counters *counters)
{
	bool quiesce = false;
	int i;

	counters->nr = first;
	if (!msrs)
		return false;
	for (i = 0; i < count; i++) {
		switch (msrs[i].msr) {
		case MSR_IA32_DS_AREA:
		case MSR_PEBS_DATA_CFG:
			continue;
		case MSR_CORE_PERF_GLOBAL_CTRL:
			if (!by_control)
				break;
			counters->guest_ctrl = msrs[i].guest;
			counters->host_ctrl = msrs[i].host;
			continue;
		case MSR_IA32_PEBS_ENABLE:
			quiesce = msrs[i].host != msrs[i].guest;
			break;
		}
		vmx_counters_add(lists, &msrs[i], counters);
	}
	return quiesce;
}
