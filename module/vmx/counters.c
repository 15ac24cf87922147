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
 * Return: the counters that perf would let write records (PEBS) while the guest runs.
 * The buffer's address would then be one in the guest's address space, and no guest of
 * Lodge has such a buffer.
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
 * The entry and the exit themselves switch all MSRs: an NMI of perf's could undo a write
 * before the entry.  Nothing is recorded while a guest runs, so the MSR with the
 * buffer's address may stay as it is.
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
