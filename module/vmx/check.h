/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The entry rules: why VMLAUNCH or VMRESUME refuses a VMCS.
 *
 * Pure: builds in user space too, where its test breaks rule by rule.
 */
#ifndef LODGE_VMX_CHECK_H
#define LODGE_VMX_CHECK_H

#include <lodge.h>

#include "pure.h"

/**
 * enum vmx_check_kind - the processor's answers to a broken rule
 * @VMX_CHECK_CONTROL: VMfail with VM-instruction error 7
 * @VMX_CHECK_HOST: VMfail with VM-instruction error 8
 * @VMX_CHECK_GUEST: a VM exit with basic exit reason 33
 */
enum vmx_check_kind {
	VMX_CHECK_CONTROL,
	VMX_CHECK_HOST,
	VMX_CHECK_GUEST,
};

/**
 * enum vmx_rule_id - struct lodge_rule.id; numbers are never used again
 *
 * From 1001 on about controls, from 2001 on about host state, from 3001 on
 * about guest state.  A rule that the manual states once for several fields has
 * one number.
 */
enum vmx_rule_id {
	/* VM-execution controls: Intel SDM vol. 3C, section 27.2.1.1 */
	VMX_RULE_PIN_CONTROLS = 1001,
	VMX_RULE_PROC_CONTROLS = 1002,
	VMX_RULE_PROC2_CONTROLS = 1003,
	VMX_RULE_PROC3_CONTROLS = 1004,
	VMX_RULE_CR3_TARGETS = 1005,
	VMX_RULE_IO_BITMAP = 1006,
	VMX_RULE_MSR_BITMAP = 1007,
	VMX_RULE_VIRTUAL_APIC = 1008,
	VMX_RULE_TPR_THRESHOLD = 1009,
	VMX_RULE_TPR_THRESHOLD_VTPR = 1010,
	VMX_RULE_VIRTUAL_NMIS = 1011,
	VMX_RULE_NMI_WINDOW = 1012,
	VMX_RULE_APIC_ACCESS = 1013,
	VMX_RULE_APIC_TPR_SHADOW = 1014,
	VMX_RULE_IPI_TPR_SHADOW = 1015,
	VMX_RULE_X2APIC_MODE = 1016,
	VMX_RULE_INTERRUPT_DELIVERY = 1017,
	VMX_RULE_POSTED_DELIVERY = 1018,
	VMX_RULE_POSTED_ACKNOWLEDGE = 1019,
	VMX_RULE_POSTED_VECTOR = 1020,
	VMX_RULE_POSTED_DESCRIPTOR = 1021,
	VMX_RULE_VPID = 1022,
	VMX_RULE_EPTP_MEMORY_TYPE = 1023,
	VMX_RULE_EPTP_WALK = 1024,
	VMX_RULE_EPTP_ACCESSED_DIRTY = 1025,
	VMX_RULE_EPTP_SHADOW_STACK = 1026,
	VMX_RULE_EPTP_RESERVED = 1027,
	VMX_RULE_NEEDS_EPT = 1028,
	VMX_RULE_PROC3_NEEDS_EPT = 1029,
	VMX_RULE_PML_ADDRESS = 1030,
	VMX_RULE_SPPTP = 1031,
	VMX_RULE_VMFUNC_CONTROLS = 1032,
	VMX_RULE_EPTP_SWITCHING = 1033,
	VMX_RULE_EPTP_LIST = 1034,
	VMX_RULE_VMCS_SHADOWING = 1035,
	VMX_RULE_VE_INFORMATION = 1036,
	VMX_RULE_PT_GUEST_PHYSICAL = 1037,
	VMX_RULE_PT_TRACING = 1038,
	VMX_RULE_TSC_MULTIPLIER = 1039,
	VMX_RULE_PASID_DIRECTORY = 1040,
	VMX_RULE_HLATP = 1041,
	VMX_RULE_PID_TABLE = 1042,
	VMX_RULE_PID_TABLE_END = 1043,
	/* VM-exit controls: 27.2.1.2 */
	VMX_RULE_EXIT_CONTROLS = 1044,
	VMX_RULE_EXIT2_CONTROLS = 1045,
	VMX_RULE_SAVE_TIMER = 1046,
	VMX_RULE_EXIT_STORE = 1047,
	VMX_RULE_EXIT_STORE_END = 1048,
	VMX_RULE_EXIT_LOAD = 1049,
	VMX_RULE_EXIT_LOAD_END = 1050,
	/* VM-entry controls: 27.2.1.3 */
	VMX_RULE_ENTRY_CONTROLS = 1051,
	VMX_RULE_EVENT_TYPE = 1052,
	VMX_RULE_EVENT_VECTOR = 1053,
	VMX_RULE_EVENT_CODE_MISSING = 1054,
	VMX_RULE_EVENT_CODE_EXCESS = 1055,
	VMX_RULE_EVENT_RESERVED = 1056,
	VMX_RULE_EVENT_CODE = 1057,
	VMX_RULE_EVENT_LENGTH = 1058,
	VMX_RULE_ENTRY_LOAD = 1059,
	VMX_RULE_ENTRY_LOAD_END = 1060,
	VMX_RULE_ENTRY_SMM = 1061,
	VMX_RULE_CONTROL_END,

	/* Control registers, MSRs and SSP: 27.2.2 */
	VMX_RULE_HOST_CR0 = 2001,
	VMX_RULE_HOST_CR4 = 2002,
	VMX_RULE_HOST_CET_WP = 2003,
	VMX_RULE_HOST_CR3 = 2004,
	VMX_RULE_HOST_SYSENTER = 2005,
	VMX_RULE_HOST_SSP_TABLE = 2006,
	VMX_RULE_HOST_PERF = 2007,
	VMX_RULE_HOST_PAT = 2008,
	VMX_RULE_HOST_EFER_RESERVED = 2009,
	VMX_RULE_HOST_EFER_MODE = 2010,
	VMX_RULE_HOST_S_CET_RESERVED = 2011,
	VMX_RULE_HOST_S_CET_TRACKER = 2012,
	VMX_RULE_HOST_SSP_ALIGNED = 2013,
	VMX_RULE_HOST_PKRS = 2014,
	/* Segment and descriptor-table registers: 27.2.3 */
	VMX_RULE_HOST_SELECTOR = 2015,
	VMX_RULE_HOST_NULL = 2016,
	VMX_RULE_HOST_NULL_SS = 2017,
	VMX_RULE_HOST_BASE = 2018,
	/* Address-space size: 27.2.4 */
	VMX_RULE_HOST_64BIT = 2019,
	VMX_RULE_HOST_32BIT_GUEST = 2020,
	VMX_RULE_HOST_32BIT_PCIDE = 2021,
	VMX_RULE_HOST_32BIT_HIGH = 2022,
	VMX_RULE_HOST_64BIT_PAE = 2023,
	VMX_RULE_HOST_64BIT_CANONICAL = 2024,
	VMX_RULE_HOST_END,

	/* Control registers, debug registers and MSRs: 27.3.1.1 */
	VMX_RULE_CR0 = 3001,
	VMX_RULE_CR0_PG_PE = 3002,
	VMX_RULE_CR4 = 3003,
	VMX_RULE_CET_WP = 3004,
	VMX_RULE_DEBUGCTL = 3005,
	VMX_RULE_IA32E_PG = 3006,
	VMX_RULE_IA32E_PAE = 3007,
	VMX_RULE_PCIDE = 3008,
	VMX_RULE_CR3 = 3009,
	VMX_RULE_DR7 = 3010,
	VMX_RULE_SYSENTER = 3011,
	VMX_RULE_CET_CANONICAL = 3012,
	VMX_RULE_PERF = 3013,
	VMX_RULE_PAT = 3014,
	VMX_RULE_EFER_RESERVED = 3015,
	VMX_RULE_EFER_LMA = 3016,
	VMX_RULE_EFER_LME = 3017,
	VMX_RULE_BNDCFGS_RESERVED = 3018,
	VMX_RULE_BNDCFGS_BASE = 3019,
	VMX_RULE_RTIT_CTL = 3020,
	VMX_RULE_S_CET_RESERVED = 3021,
	VMX_RULE_S_CET_TRACKER = 3022,
	VMX_RULE_LBR_CTL = 3023,
	VMX_RULE_PKRS = 3024,
	VMX_RULE_UINV = 3025,
	/* Segment registers: 27.3.1.2 */
	VMX_RULE_SEGMENT_TI = 3026,
	VMX_RULE_SS_RPL = 3027,
	VMX_RULE_V86_BASE = 3028,
	VMX_RULE_SEGMENT_CANONICAL = 3029,
	VMX_RULE_SEGMENT_HIGH = 3030,
	VMX_RULE_V86_LIMIT = 3031,
	VMX_RULE_V86_ACCESS = 3032,
	VMX_RULE_CS_TYPE = 3033,
	VMX_RULE_SS_TYPE = 3034,
	VMX_RULE_DATA_ACCESSED = 3035,
	VMX_RULE_DATA_READABLE = 3036,
	VMX_RULE_SEGMENT_S = 3037,
	VMX_RULE_CS_DATA_DPL = 3038,
	VMX_RULE_CS_DPL = 3039,
	VMX_RULE_CS_CONFORMING_DPL = 3040,
	VMX_RULE_SS_DPL = 3041,
	VMX_RULE_SS_DPL_ZERO = 3042,
	VMX_RULE_DATA_DPL = 3043,
	VMX_RULE_SEGMENT_PRESENT = 3044,
	VMX_RULE_SEGMENT_RESERVED = 3045,
	VMX_RULE_CS_L_AND_D = 3046,
	VMX_RULE_SEGMENT_G_EXCESS = 3047,
	VMX_RULE_SEGMENT_G_MISSING = 3048,
	VMX_RULE_TR_TYPE = 3049,
	VMX_RULE_TR_USABLE = 3050,
	VMX_RULE_LDTR_TYPE = 3051,
	VMX_RULE_SYSTEM_S = 3052,
	/* Descriptor-table registers: 27.3.1.3 */
	VMX_RULE_TABLE_BASE = 3053,
	VMX_RULE_TABLE_LIMIT = 3054,
	/* RIP, RFLAGS and SSP: 27.3.1.4 */
	VMX_RULE_RIP_HIGH = 3055,
	VMX_RULE_RIP_WIDTH = 3056,
	VMX_RULE_RFLAGS_RESERVED = 3057,
	VMX_RULE_RFLAGS_VM = 3058,
	VMX_RULE_RFLAGS_IF = 3059,
	VMX_RULE_SSP_ALIGNED = 3060,
	VMX_RULE_SSP_HIGH = 3061,
	VMX_RULE_SSP_WIDTH = 3062,
	/* Non-register state: 27.3.1.5 */
	VMX_RULE_ACTIVITY = 3063,
	VMX_RULE_ACTIVITY_HLT = 3064,
	VMX_RULE_ACTIVITY_BLOCKING = 3065,
	VMX_RULE_ACTIVITY_EVENT = 3066,
	VMX_RULE_BLOCKING_RESERVED = 3067,
	VMX_RULE_BLOCKING_BOTH = 3068,
	VMX_RULE_BLOCKING_STI = 3069,
	VMX_RULE_BLOCKING_INTERRUPT = 3070,
	VMX_RULE_BLOCKING_NMI_MOV_SS = 3071,
	VMX_RULE_BLOCKING_NMI_STI = 3072,
	VMX_RULE_BLOCKING_SMI = 3073,
	VMX_RULE_BLOCKING_NMI = 3074,
	VMX_RULE_BLOCKING_ENCLAVE = 3075,
	VMX_RULE_PENDING_RESERVED = 3076,
	VMX_RULE_PENDING_BS_MISSING = 3077,
	VMX_RULE_PENDING_BS_EXCESS = 3078,
	VMX_RULE_PENDING_RTM = 3079,
	VMX_RULE_LINK_ADDRESS = 3080,
	VMX_RULE_LINK_REVISION = 3081,
	VMX_RULE_LINK_CURRENT = 3082,
	/* Page-directory-pointer-table entries: 27.3.1.6 */
	VMX_RULE_PDPTE = 3083,
	VMX_RULE_PDPTE_MEMORY = 3084,
	VMX_RULE_GUEST_END,
};

/**
 * struct vmx_check_host - the processor's features
 * @basic: MSR IA32_VMX_BASIC
 * @pin: IA32_VMX_TRUE_PINBASED_CTLS, or without true controls the plain one, as
 *	in the next five: low half bits that must be 1, high half that may be 1
 * @proc: primary processor-based controls
 * @proc2: secondary ones; 0: the processor has none
 * @proc3: tertiary ones that may be 1; 0: the processor has none
 * @exit: VM-exit controls
 * @exit2: secondary VM-exit controls that may be 1; 0: the processor has none
 * @entry: VM-entry controls
 * @misc: IA32_VMX_MISC
 * @cr0_fixed0: bits of CR0 that must be 1 in VMX operation
 * @cr0_fixed1: those that may be 1
 * @cr4_fixed0: the same for CR4
 * @cr4_fixed1: the same for CR4
 * @ept_vpid: IA32_VMX_EPT_VPID_CAP
 * @vmfunc: IA32_VMX_VMFUNC
 * @cr3_lam: bits of CR3 above an address, which linear-address masking has
 * @efer: bits that the processor knows of this MSR, as in the next five
 * @debugctl: of IA32_DEBUGCTL
 * @perf_global_ctrl: of IA32_PERF_GLOBAL_CTRL
 * @rtit_ctl: of IA32_RTIT_CTL
 * @lbr_ctl: of IA32_LBR_CTL
 * @s_cet: of IA32_S_CET
 * @vmcs: address of the VMCS that is checked; all ones: not known
 * @memory: reads 8 bytes of memory at an address of the host, a multiple of 8,
 *	and says whether it could; NULL: rules about memory are not judged
 * @phys_bits: width of a physical address
 * @linear_bits: width of a linear address: 48, or 57
 * @sgx: it has enclaves
 * @rtm: it has restricted transactional memory
 * @bus_lock: it has debug exceptions for bus locks
 * @sti_blocks_nmi: it does not inject an NMI where STI blocks interrupts, which
 *	the manual leaves to the processor
 * @tracing: Intel PT is on
 */
struct vmx_check_host {
	u64 basic;
	u64 pin;
	u64 proc;
	u64 proc2;
	u64 proc3;
	u64 exit;
	u64 exit2;
	u64 entry;
	u64 misc;
	u64 cr0_fixed0;
	u64 cr0_fixed1;
	u64 cr4_fixed0;
	u64 cr4_fixed1;
	u64 ept_vpid;
	u64 vmfunc;
	u64 cr3_lam;
	u64 efer;
	u64 debugctl;
	u64 perf_global_ctrl;
	u64 rtit_ctl;
	u64 lbr_ctl;
	u64 s_cet;
	u64 vmcs;
	bool (*memory)(void *context, u64 address, u64 *value);
	u8 phys_bits;
	u8 linear_bits;
	bool sgx;
	bool rtm;
	bool bus_lock;
	bool sti_blocks_nmi;
	bool tracing;
};

/**
 * typedef vmx_check_read_fn - reads a field of the VMCS
 * @context: vmx_check()'s
 * @field: its encoding; only of fields that the processor has
 */
typedef u64 (*vmx_check_read_fn)(void *context, u32 field);

/**
 * vmx_check() - find the entry rules that a VMCS breaks
 * @read: reads its fields
 * @context: given to @read, and to @host's memory
 * @host: the processor's features
 * @rules: filled in, in the manual's order; may be NULL when @max is 0
 * @max: room in @rules, in rules
 *
 * Judged is an entry from IA-32e mode, outside SMM.  Not judged is what is no
 * field: the instruction's own preconditions (27.1), the MSR-load areas (27.4)
 * and the state that FRED adds, which no control of ours loads.
 *
 * Intel SDM vol. 3C, sections 27.2 and 27.3.
 *
 * Return: rules stored in @rules; 0 with room left: none known is broken.
 */
u32 vmx_check(vmx_check_read_fn read, void *context,
	      const struct vmx_check_host *host, struct lodge_rule *rules,
	      u32 max);

/**
 * vmx_check_kind() - the processor's answer to a broken rule
 * @rule_id: enum vmx_rule_id
 */
enum vmx_check_kind vmx_check_kind(u32 rule_id);

#endif
