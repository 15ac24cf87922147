// SPDX-License-Identifier: GPL-2.0
/*
 * From the capability MSRs to the controls that every VMCS starts with (Intel
 * SDM vol. 3, appendix A): what we cannot do without, and what we use where the
 * processor has it.
 */
#include <linux/moduleparam.h>
#include <linux/string.h>
#include <asm/cpufeature.h>
#include <asm/msr-index.h>

#include "compat.h"
#include "vmx/caps.h"
#include "vmx/check.h"

struct vmx_caps vmx_caps;

static char *vmx_without;
module_param(vmx_without, charp, 0444);
MODULE_PARM_DESC(vmx_without,
		 "VT-x features to do without, for tests, with commas between");

/* IA32_VMX_BASIC: the TRUE_* MSRs exist. */
#define VMX_BASIC_HAS_TRUE_CONTROLS BIT_ULL(55)
#ifndef VMX_BASIC_INOUT
#define VMX_BASIC_INOUT BIT_ULL(54)
#endif

/* An exit that must not happen: what it tells, the guest may change unseen. */
#define VMX_PROC_NEVER CPU_BASED_INVLPG_EXITING

/* Bits of IA32_DEBUGCTL: 0, 1 and 14:6; and that of RTM. */
#define VMX_DEBUGCTL_ALWAYS (GENMASK_ULL(1, 0) | GENMASK_ULL(14, 6))
#define VMX_DEBUGCTL_RTM BIT_ULL(15)

enum vmx_control {
	VMX_PIN,
	VMX_PROC,
	VMX_PROC2,
	VMX_EXIT,
	VMX_ENTRY,
	VMX_NR_CONTROLS,
};

/**
 * struct vmx_choice - a word of controls
 * @msr: its capabilities
 * @true_msr: those that also tell which of the first processors' fixed bits may
 *	be clear; 0: it has no such bits
 * @needed: bits without which there are no guests
 * @wanted: bits that we set where we can
 */
struct vmx_choice {
	u32 msr;
	u32 true_msr;
	u32 needed;
	u32 wanted;
};

static const struct vmx_choice vmx_choices[VMX_NR_CONTROLS] = {
	[VMX_PIN] = {
		.msr = MSR_IA32_VMX_PINBASED_CTLS,
		.true_msr = MSR_IA32_VMX_TRUE_PINBASED_CTLS,
		.needed = PIN_BASED_EXT_INTR_MASK | PIN_BASED_NMI_EXITING,
		.wanted = PIN_BASED_VIRTUAL_NMIS |
			  PIN_BASED_VMX_PREEMPTION_TIMER,
	},
	[VMX_PROC] = {
		.msr = MSR_IA32_VMX_PROCBASED_CTLS,
		.true_msr = MSR_IA32_VMX_TRUE_PROCBASED_CTLS,
		.needed = CPU_BASED_USE_TSC_OFFSETTING |
			  CPU_BASED_HLT_EXITING | CPU_BASED_MWAIT_EXITING |
			  CPU_BASED_MONITOR_EXITING | CPU_BASED_RDPMC_EXITING |
			  CPU_BASED_MOV_DR_EXITING |
			  CPU_BASED_UNCOND_IO_EXITING |
			  CPU_BASED_ACTIVATE_SECONDARY_CONTROLS,
		.wanted = CPU_BASED_TPR_SHADOW | CPU_BASED_USE_MSR_BITMAPS,
	},
	[VMX_PROC2] = {
		.msr = MSR_IA32_VMX_PROCBASED_CTLS2,
		.needed = SECONDARY_EXEC_ENABLE_EPT |
			  SECONDARY_EXEC_UNRESTRICTED_GUEST,
		.wanted = SECONDARY_EXEC_ENABLE_VPID |
			  SECONDARY_EXEC_ENABLE_RDTSCP |
			  SECONDARY_EXEC_ENABLE_INVPCID | VMX_PROC2_XSAVES |
			  SECONDARY_EXEC_WBINVD_EXITING |
			  SECONDARY_EXEC_PAUSE_LOOP_EXITING |
			  SECONDARY_EXEC_ENCLS_EXITING |
			  SECONDARY_EXEC_TSC_SCALING,
	},
	[VMX_EXIT] = {
		.msr = MSR_IA32_VMX_EXIT_CTLS,
		.true_msr = MSR_IA32_VMX_TRUE_EXIT_CTLS,
		.needed = VM_EXIT_HOST_ADDR_SPACE_SIZE,
		.wanted = VM_EXIT_LOAD_IA32_PAT | VM_EXIT_LOAD_IA32_EFER |
			  VM_EXIT_LOAD_IA32_PERF_GLOBAL_CTRL,
	},
	[VMX_ENTRY] = {
		.msr = MSR_IA32_VMX_ENTRY_CTLS,
		.true_msr = MSR_IA32_VMX_TRUE_ENTRY_CTLS,
		.needed = VM_ENTRY_LOAD_DEBUG_CONTROLS,
		.wanted = VM_ENTRY_LOAD_IA32_PAT | VM_ENTRY_LOAD_IA32_EFER |
			  VM_ENTRY_LOAD_IA32_PERF_GLOBAL_CTRL,
	},
};

/* The names for the parameter; EPT's bits are not a word of controls. */
static const struct {
	const char *name;
	u8 word;
	u32 bits;
	u64 ept;
} vmx_names[] = {
	{ "virtual-nmi", VMX_PIN, PIN_BASED_VIRTUAL_NMIS },
	{ "preemption-timer", VMX_PIN, PIN_BASED_VMX_PREEMPTION_TIMER },
	{ "tpr-shadow", VMX_PROC, CPU_BASED_TPR_SHADOW },
	{ "msr-bitmap", VMX_PROC, CPU_BASED_USE_MSR_BITMAPS },
	{ "vpid", VMX_PROC2, SECONDARY_EXEC_ENABLE_VPID },
	{ "rdtscp", VMX_PROC2, SECONDARY_EXEC_ENABLE_RDTSCP },
	{ "invpcid", VMX_PROC2, SECONDARY_EXEC_ENABLE_INVPCID },
	{ "xsaves", VMX_PROC2, VMX_PROC2_XSAVES },
	{ "tsc-scaling", VMX_PROC2, SECONDARY_EXEC_TSC_SCALING },
	{ "wbinvd-exit", VMX_PROC2, SECONDARY_EXEC_WBINVD_EXITING },
	{ "pause-loop", VMX_PROC2, SECONDARY_EXEC_PAUSE_LOOP_EXITING },
	{ "pat", VMX_ENTRY, VM_ENTRY_LOAD_IA32_PAT },
	{ "efer", VMX_ENTRY, VM_ENTRY_LOAD_IA32_EFER },
	{ "counters", VMX_ENTRY, VM_ENTRY_LOAD_IA32_PERF_GLOBAL_CTRL },
	{ "accessed-dirty", .ept = VMX_EPT_AD_BIT },
	{ "execute-only", .ept = VMX_EPT_EXECUTE_ONLY_BIT },
	{ "1g", .ept = VMX_EPT_1GB_PAGE_BIT },
	{ "2m", .ept = VMX_EPT_2MB_PAGE_BIT },
	{ "invept-context", .ept = VMX_EPT_EXTENT_CONTEXT_BIT },
	{ "invvpid-context",
	  .ept = VMX_CAP_VPID(VMX_VPID_EXTENT_SINGLE_CONTEXT_BIT) },
};

/* True if the parameter names a feature: a word between commas. */
static bool vmx_is_without(const char *name)
{
	size_t length = strlen(name);
	const char *at = vmx_without;

	while (at && *at) {
		const char *end = strchrnul(at, ',');

		if (end - at == length && !strncmp(at, name, length))
			return true;
		at = *end ? end + 1 : end;
	}
	return false;
}

static u32 vmx_without_bits(enum vmx_control word)
{
	u32 bits = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vmx_names); i++)
		if (vmx_names[i].word == word &&
		    vmx_is_without(vmx_names[i].name))
			bits |= vmx_names[i].bits;
	return bits;
}

static u64 vmx_without_ept(void)
{
	u64 bits = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vmx_names); i++)
		if (vmx_is_without(vmx_names[i].name))
			bits |= vmx_names[i].ept;
	return bits;
}

/* Bits 31:0 must be set, others than bits 63:32 must be clear (A.2). */
static u64 vmx_allowed(const struct vmx_choice *choice, bool has_true)
{
	u32 msr = has_true && choice->true_msr ? choice->true_msr : choice->msr;
	u64 allowed;

	/* Without secondary controls the processor has no MSR for them. */
	if (rdmsrq_safe(msr, &allowed))
		return 0;
	return allowed;
}

static u32 vmx_choose(enum vmx_control word, bool has_true, u32 *lacking)
{
	const struct vmx_choice *choice = &vmx_choices[word];
	u64 allowed = vmx_allowed(choice, has_true);
	u32 wanted = choice->wanted & ~vmx_without_bits(word);

	*lacking = choice->needed & ~(u32)(allowed >> 32);
	return ((choice->needed | wanted) & (allowed >> 32)) | (u32)allowed;
}

/* By an erratum the preemption timer of these counts at another rate. */
static bool vmx_timer_is_wrong(void)
{
	static const struct {
		u8 model;
		u8 stepping;
	} wrong[] = {
		{ 0x25, 2 }, /* Clarkdale, Arrandale: AAT59, AAU65, AAX65 */
		{ 0x25, 5 },
		{ 0x3a, 8 }, /* Ivy Bridge */
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		if (boot_cpu_data.x86 == 6 &&
		    boot_cpu_data.x86_model == wrong[i].model &&
		    boot_cpu_data.x86_stepping == wrong[i].stepping)
			return true;
	return false;
}

/*
 * By an erratum an exit of these clears bits of PERF_GLOBAL_CTRL that it should
 * load: AAK155, AAP115, AAT100, BC86, AAY89, BD102 and BA97.
 */
static bool vmx_counters_are_wrong(void)
{
	static const u8 models[] = {
		0x1a, 0x1e, 0x2e, /* Nehalem */
		0x25, 0x2c, /* Westmere */
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(models); i++)
		if (boot_cpu_data.x86 == 6 &&
		    boot_cpu_data.x86_model == models[i])
			return true;
	return false;
}

/* Controls that an entry and an exit can have only together. */
static void vmx_caps_pair(u32 entry, u32 exit)
{
	if (vmx_caps.entry & entry && vmx_caps.exit & exit)
		return;
	vmx_caps.entry &= ~entry;
	vmx_caps.exit &= ~exit;
}

/* Give up what is of no use without another control or capability. */
static void vmx_caps_match(void)
{
	const u64 invept = VMX_EPT_INVEPT_BIT | VMX_EPT_EXTENT_GLOBAL_BIT;
	const u64 invvpid = VMX_CAP_VPID(VMX_VPID_INVVPID_BIT |
					 VMX_VPID_EXTENT_GLOBAL_CONTEXT_BIT);

	vmx_caps_pair(VM_ENTRY_LOAD_IA32_EFER, VM_EXIT_LOAD_IA32_EFER);
	vmx_caps_pair(VM_ENTRY_LOAD_IA32_PAT, VM_EXIT_LOAD_IA32_PAT);
	if (!vmx_caps.has_counters || vmx_counters_are_wrong())
		vmx_caps.entry &= ~VM_ENTRY_LOAD_IA32_PERF_GLOBAL_CTRL;
	vmx_caps_pair(VM_ENTRY_LOAD_IA32_PERF_GLOBAL_CTRL,
		      VM_EXIT_LOAD_IA32_PERF_GLOBAL_CTRL);
	vmx_caps.switches_efer = vmx_caps.entry & VM_ENTRY_LOAD_IA32_EFER;
	if ((vmx_caps.ept & invvpid) != invvpid)
		vmx_caps.proc2 &= ~SECONDARY_EXEC_ENABLE_VPID;
	if ((vmx_caps.ept & invept) != invept)
		vmx_caps.proc2 &= ~SECONDARY_EXEC_ENABLE_EPT;
	if (vmx_timer_is_wrong())
		vmx_caps.pin &= ~PIN_BASED_VMX_PREEMPTION_TIMER;
	if (!(vmx_caps.proc & CPU_BASED_TPR_SHADOW))
		vmx_caps.proc |= CPU_BASED_CR8_LOAD_EXITING |
				 CPU_BASED_CR8_STORE_EXITING;
	if (!(vmx_caps.proc2 & SECONDARY_EXEC_PAUSE_LOOP_EXITING))
		vmx_caps.proc |= CPU_BASED_PAUSE_EXITING;
}

/* The kernel chooses perf's driver, which answers or does not, when it boots. */
static bool vmx_caps_counters(void)
{
	bool answers;
	int count;

	if (!boot_cpu_has(X86_FEATURE_PEBS))
		return false;
	preempt_disable();
	answers = lodge_perf_guest_msrs(&count);
	preempt_enable();
	return answers;
}

enum lodge_status vmx_caps_init(void)
{
	u32 lacking[VMX_NR_CONTROLS];
	bool has_true;
	u64 basic, misc;

	rdmsrq(MSR_IA32_VMX_BASIC, basic);
	rdmsrq(MSR_IA32_VMX_MISC, misc);
	vmx_caps.timer_shift = vmx_misc_preemption_timer_rate(misc);
	has_true = basic & VMX_BASIC_HAS_TRUE_CONTROLS;
	vmx_caps.describes_strings = basic & VMX_BASIC_INOUT;
	vmx_caps.has_counters = vmx_caps_counters();
	vmx_caps.revision = vmx_basic_vmcs_revision_id(basic);
	vmx_caps.pin = vmx_choose(VMX_PIN, has_true, &lacking[VMX_PIN]);
	vmx_caps.proc = vmx_choose(VMX_PROC, has_true, &lacking[VMX_PROC]);
	vmx_caps.proc2 = vmx_choose(VMX_PROC2, has_true, &lacking[VMX_PROC2]);
	vmx_caps.exit = vmx_choose(VMX_EXIT, has_true, &lacking[VMX_EXIT]);
	vmx_caps.entry = vmx_choose(VMX_ENTRY, has_true, &lacking[VMX_ENTRY]);

	if (lacking[VMX_PROC] & CPU_BASED_ACTIVATE_SECONDARY_CONTROLS ||
	    lacking[VMX_PROC2] & SECONDARY_EXEC_ENABLE_EPT)
		return LODGE_STATUS_NO_NESTED_PAGING;
	if (lacking[VMX_PROC2] & SECONDARY_EXEC_UNRESTRICTED_GUEST)
		return LODGE_STATUS_NO_UNRESTRICTED_GUEST;
	if (lacking[VMX_PIN] || lacking[VMX_PROC] || lacking[VMX_EXIT] ||
	    lacking[VMX_ENTRY] || vmx_caps.proc & VMX_PROC_NEVER)
		return LODGE_STATUS_NO_VIRTUALIZATION;

	/* It exists where EPT or VPID does. */
	rdmsrq(MSR_IA32_VMX_EPT_VPID_CAP, vmx_caps.ept);
	vmx_caps.ept &= ~vmx_without_ept();
	vmx_caps_match();
	if (!(vmx_caps.proc2 & SECONDARY_EXEC_ENABLE_EPT))
		return LODGE_STATUS_NO_NESTED_PAGING;
	return LODGE_STATUS_READY;
}

/* The bits that it knows of registers whose other bits are reserved. */
static void vmx_describe_registers(struct vmx_check_host *host)
{
	rdmsrq(MSR_IA32_VMX_CR0_FIXED0, host->cr0_fixed0);
	rdmsrq(MSR_IA32_VMX_CR0_FIXED1, host->cr0_fixed1);
	rdmsrq(MSR_IA32_VMX_CR4_FIXED0, host->cr4_fixed0);
	rdmsrq(MSR_IA32_VMX_CR4_FIXED1, host->cr4_fixed1);
	host->efer = EFER_SCE | EFER_LME | EFER_LMA;
	if (boot_cpu_has(X86_FEATURE_NX))
		host->efer |= EFER_NX;
	host->debugctl = VMX_DEBUGCTL_ALWAYS;
	if (boot_cpu_has(X86_FEATURE_BUS_LOCK_DETECT))
		host->debugctl |= DEBUGCTLMSR_BUS_LOCK_DETECT;
	if (boot_cpu_has(X86_FEATURE_RTM))
		host->debugctl |= VMX_DEBUGCTL_RTM;
	/* Lodge puts nothing into these. */
	host->perf_global_ctrl = ~0ULL;
	host->rtit_ctl = ~0ULL;
	host->lbr_ctl = ~0ULL;
	host->s_cet = ~0ULL;
}

void vmx_caps_describe(struct vmx_check_host *host)
{
	bool has_true;

	rdmsrq(MSR_IA32_VMX_BASIC, host->basic);
	has_true = host->basic & VMX_BASIC_HAS_TRUE_CONTROLS;
	host->pin = vmx_allowed(&vmx_choices[VMX_PIN], has_true);
	host->proc = vmx_allowed(&vmx_choices[VMX_PROC], has_true);
	host->proc2 = vmx_allowed(&vmx_choices[VMX_PROC2], has_true);
	host->exit = vmx_allowed(&vmx_choices[VMX_EXIT], has_true);
	host->entry = vmx_allowed(&vmx_choices[VMX_ENTRY], has_true);
	rdmsrq(MSR_IA32_VMX_MISC, host->misc);
	rdmsrq(MSR_IA32_VMX_EPT_VPID_CAP, host->ept_vpid);
	vmx_describe_registers(host);
	host->vmcs = ~0ULL;
	host->phys_bits = boot_cpu_data.x86_phys_bits;
	host->linear_bits = boot_cpu_data.x86_virt_bits;
	host->sgx = boot_cpu_has(X86_FEATURE_SGX);
	host->rtm = boot_cpu_has(X86_FEATURE_RTM);
	host->bus_lock = boot_cpu_has(X86_FEATURE_BUS_LOCK_DETECT);
}

bool vmx_caps_timer(void)
{
	return vmx_caps.pin & PIN_BASED_VMX_PREEMPTION_TIMER;
}

bool vmx_caps_feature(unsigned int feature)
{
	switch (feature) {
	case X86_FEATURE_RDTSCP:
	case X86_FEATURE_RDPID:
		return vmx_caps.proc2 & SECONDARY_EXEC_ENABLE_RDTSCP;
	case X86_FEATURE_INVPCID:
		return vmx_caps.proc2 & SECONDARY_EXEC_ENABLE_INVPCID;
	case X86_FEATURE_XSAVES:
		return vmx_caps.proc2 & VMX_PROC2_XSAVES;
	default:
		return true;
	}
}
