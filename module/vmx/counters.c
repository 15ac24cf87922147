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
 * Counters that perf would have write records while the guest runs: by addresses,
 * which then are the guest's.  Lodge's guests have no such buffer, whatever perf
 * takes them for.
 */
static u64 vmx_counters_recording(const struct perf_guest_switch_msr *msrs,
				  int count)
{
	int i;

	for (i = 0; i < count; i++)
		if (msrs[i].msr == MSR_IA32_PEBS_ENABLE)
			return msrs[i].guest;
	return 0;
}

/*
 * All by the entry and the exit themselves: an NMI of perf's own just before
 * would undo what was written by then.  Nothing is recorded while a guest runs, so
 * that where to may stay as it is.
 */
bool vmx_counters_fill(struct vmx_msr_lists *lists, u32 first,
		       const struct perf_guest_switch_msr *msrs, int count,
		       bool by_control, struct vmx_counters *counters)
{
	struct perf_guest_switch_msr msr;
	bool quiesce = false;
	u64 recording;
	int i;

	counters->nr = first;
	if (!msrs)
		return false;
	recording = vmx_counters_recording(msrs, count);
	for (i = 0; i < count; i++) {
		msr = msrs[i];
		switch (msr.msr) {
		case MSR_IA32_DS_AREA:
		case MSR_PEBS_DATA_CFG:
			continue;
		case MSR_CORE_PERF_GLOBAL_CTRL:
			msr.guest &= ~recording;
			if (!by_control)
				break;
			counters->guest_ctrl = msr.guest;
			counters->host_ctrl = msr.host;
			continue;
		case MSR_IA32_PEBS_ENABLE:
			msr.guest = 0;
			quiesce = msr.host;
			break;
		}
		vmx_counters_add(lists, &msr, counters);
	}
	return quiesce;
}
