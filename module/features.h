/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The features of a vCPU by its CPUID.
 */
#ifndef LODGE_FEATURES_H
#define LODGE_FEATURES_H

#include "pure.h"

/**
 * struct lodge_features - the effect of the vCPU's CPUID, worked out once
 * @intel: its vendor is Intel; that of the host may be another
 * @cr4: bits of CR4 that the guest may set
 * @efer: bits of EFER that the guest may set
 * @xcr0: bits of XCR0 that the guest may set
 * @phys_bits: width of a guest physical address
 * @x2apic: has x2APIC
 * @tsc_deadline: has the timer's TSC-deadline mode
 * @rdtscp: has RDTSCP or RDPID
 * @tsc_adjust: has MSR TSC_ADJUST
 * @spec_ctrl: has MSR SPEC_CTRL
 * @pred_cmd: commands that it may give to MSR PRED_CMD; 0: it has none
 * @flush_l1d: has MSR FLUSH_CMD
 * @arch_caps: has MSR ARCH_CAPABILITIES
 * @spec_ctrl_bits: bits of SPEC_CTRL that the guest may set
 */
struct lodge_features {
	bool intel;
	u64 cr4;
	u64 efer;
	u64 xcr0;
	u8 phys_bits;
	bool x2apic;
	bool tsc_deadline;
	bool rdtscp;
	bool tsc_adjust;
	bool spec_ctrl;
	u8 pred_cmd;
	bool flush_l1d;
	bool arch_caps;
	u64 spec_ctrl_bits;
};

#endif
