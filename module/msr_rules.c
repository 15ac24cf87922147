// SPDX-License-Identifier: GPL-2.0
/*
 * The MSRs that the guest finds, as a table: one that is not in it raises #GP.
 *
 * Found are those that CPUID announces and those that every processor of the
 * vendor has, whether Lodge carries what they steer or not: software finds them
 * by family, not by feature bit.
 *
 * LS_CFG, which later AMD processors have, is left out on purpose: a guest that
 * finds it believes that it can switch off speculative stores there.
 */
#include <linux/nospec.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/mtrr.h>
#include <asm/processor.h>

#include "apic.h"
#include "arch_caps.h"
#include "backend.h"
#include "compat.h"
#include "msr.h"
#include "npt/npt.h"
#include "policy.h"
#include "processor.h"
#include "pv.h"
#include "state.h"
#include "tsc.h"
#include "userreturn.h"
#include "vcpu.h"
#include "vm.h"

#define MTRR_NR_VARIABLE 8
/* Fixed ranges and write-combining, too. */
#define MTRR_CAP (BIT_ULL(10) | BIT_ULL(8) | MTRR_NR_VARIABLE)

#define MISC_ENABLE_BITS                                                       \
	(LODGE_MISC_ENABLE_RESET | MSR_IA32_MISC_ENABLE_TM1 |                  \
	 MSR_IA32_MISC_ENABLE_EMON | MSR_IA32_MISC_ENABLE_ENHANCED_SPEEDSTEP | \
	 MSR_IA32_MISC_ENABLE_MWAIT | MSR_IA32_MISC_ENABLE_LIMIT_CPUID |       \
	 MSR_IA32_MISC_ENABLE_XD_DISABLE)

/* HWCR: TSC counts at the rate of P-state 0; Linux complains otherwise. */
#define HWCR_TSC_FREQ BIT_ULL(24)
/* Cache and interrupt knobs of firmware, and McStatusWrEn. */
#define HWCR_BITS                                                          \
	(BIT_ULL(3) | BIT_ULL(4) | BIT_ULL(6) | BIT_ULL(8) | BIT_ULL(18) | \
	 HWCR_TSC_FREQ)

/* MtrrFixDramEn up to Tom2ForceMemTypeWB. */
#define SYSCFG_BITS GENMASK_ULL(22, 18)
/* SVM is off, and locked: SVMDIS and LOCK. */
#define VM_CR_VALUE (BIT_ULL(4) | BIT_ULL(3))
#define TOP_MEM_BITS GENMASK_ULL(51, 23)
/* LBR, BTF and the pins: AMD's and Intel's common part. */
#define DEBUGCTL_BITS 0x3fULL

/* All of AMD's processors have four performance counters, of 48 bits. */
#define AMD_NR_COUNTERS 4
#define AMD_COUNTER_BITS GENMASK_ULL(47, 0)

#define MSR_AMD BIT(0)
#define MSR_INTEL BIT(1)
#define MSR_ANY (MSR_AMD | MSR_INTEL)

static bool msr_canonical(const struct lodge_vcpu *vcpu, u32 index, u64 value)
{
	return lodge_is_canonical(value);
}

static bool msr_pat_valid(const struct lodge_vcpu *vcpu, u32 index, u64 value)
{
	return lodge_pat_valid(value);
}

static bool msr_mtrr_fixed_valid(const struct lodge_vcpu *vcpu, u32 index,
				 u64 value)
{
	int i;

	for (i = 0; i < 8; i++, value >>= 8)
		if (!lodge_memory_type_valid(value))
			return false;
	return true;
}

/* Base and mask registers alternate; bit 11 of a mask is its valid bit. */
static bool msr_mtrr_variable_valid(const struct lodge_vcpu *vcpu, u32 index,
				    u64 value)
{
	u64 address = GENMASK_ULL(vcpu->features.phys_bits - 1, PAGE_SHIFT);

	if (index & 1)
		return !(value & ~(address | BIT_ULL(11)));
	return !(value & ~(address | 0xff)) && lodge_memory_type_valid(value);
}

static bool msr_mtrr_def_type_valid(const struct lodge_vcpu *vcpu, u32 index,
				    u64 value)
{
	return !(value & ~0xcffULL) && lodge_memory_type_valid(value);
}

static bool msr_spec_ctrl_valid(const struct lodge_vcpu *vcpu, u32 index,
				u64 value)
{
	return !(value & ~vcpu->features.spec_ctrl_bits);
}

/*
 * CPUID announces it only where the host's processor has it.  Of the two barriers
 * the one that does more is made.
 */
static bool msr_pred_cmd_write(struct lodge_vcpu *vcpu, u32 index, u64 value)
{
	if (value & ~(u64)vcpu->features.pred_cmd)
		return true;
	if (value)
		lodge_vcpu_command(vcpu, &vcpu->ibpb, MSR_IA32_PRED_CMD,
				   PRED_CMD_IBPB);
	return false;
}

static bool msr_flush_cmd_write(struct lodge_vcpu *vcpu, u32 index, u64 value)
{
	if (value & ~(u64)L1D_FLUSH)
		return true;
	if (value)
		lodge_vcpu_command(vcpu, &vcpu->flush_l1d, MSR_IA32_FLUSH_CMD,
				   L1D_FLUSH);
	return false;
}

/* A guest need not work around "iTLB multihit" if the nested tables do it. */
static u32 msr_arch_bugs(void)
{
	u32 bugs = 0;

	if (boot_cpu_has_bug(X86_BUG_CPU_MELTDOWN))
		bugs |= BIT(LODGE_BUG_MELTDOWN);
	if (boot_cpu_has_bug(X86_BUG_SPEC_STORE_BYPASS))
		bugs |= BIT(LODGE_BUG_SPEC_STORE_BYPASS);
	if (boot_cpu_has_bug(X86_BUG_MDS))
		bugs |= BIT(LODGE_BUG_MDS);
	if (boot_cpu_has_bug(X86_BUG_TAA))
		bugs |= BIT(LODGE_BUG_TAA);
	if (lodge_host_has_gds())
		bugs |= BIT(LODGE_BUG_GDS);
	if (boot_cpu_has_bug(X86_BUG_RFDS))
		bugs |= BIT(LODGE_BUG_RFDS);
	if (boot_cpu_has_bug(X86_BUG_ITS))
		bugs |= BIT(LODGE_BUG_ITS);
	if (boot_cpu_has_bug(X86_BUG_ITLB_MULTIHIT) &&
	    !lodge_backend->format->small_exec)
		bugs |= BIT(LODGE_BUG_ITLB_MULTIHIT);
	return bugs;
}

static bool msr_arch_caps_read(struct lodge_vcpu *vcpu, u32 index, u64 *value)
{
	u64 host = 0;

	if (boot_cpu_has(X86_FEATURE_ARCH_CAPABILITIES))
		rdmsrq(MSR_IA32_ARCH_CAPABILITIES, host);
	*value = lodge_arch_caps(host, msr_arch_bugs());
	return false;
}

static bool msr_tsc_aux_read(struct lodge_vcpu *vcpu, u32 index, u64 *value)
{
	*value = vcpu->regs.msrs.tsc_aux;
	return false;
}

static bool msr_tsc_aux_write(struct lodge_vcpu *vcpu, u32 index, u64 value)
{
	if (value >> 32)
		return true;
	vcpu->regs.msrs.tsc_aux = value;
	preempt_disable();
	if (lodge_vcpu_loaded(vcpu))
		lodge_userreturn_set(LODGE_USERRETURN_TSC_AUX, value);
	preempt_enable();
	return false;
}

static bool msr_tsc_read(struct lodge_vcpu *vcpu, u32 index, u64 *value)
{
	*value = lodge_msr_tsc(vcpu, lodge_tsc());
	return false;
}

/* TSC_ADJUST is the sum of all steps that the guest has made: SDM vol. 3, 18.17.3. */
static bool msr_tsc_write(struct lodge_vcpu *vcpu, u32 index, u64 value)
{
	u64 offset = value - lodge_tsc_scaled(&vcpu->vm->tsc, lodge_tsc());

	vcpu->regs.msrs.tsc_adjust += offset - vcpu->tsc_offset;
	lodge_msr_set_tsc_offset(vcpu, offset);
	return false;
}

static bool msr_tsc_adjust_read(struct lodge_vcpu *vcpu, u32 index, u64 *value)
{
	*value = vcpu->regs.msrs.tsc_adjust;
	return false;
}

static bool msr_tsc_adjust_write(struct lodge_vcpu *vcpu, u32 index, u64 value)
{
	u64 step = value - vcpu->regs.msrs.tsc_adjust;

	vcpu->regs.msrs.tsc_adjust = value;
	lodge_msr_set_tsc_offset(vcpu, vcpu->tsc_offset + step);
	return false;
}

/*
 * Without the execute-disable bit there is nothing to disable.  AMD's processors do
 * not have this MSR: there, no bit of it may have an effect.
 */
static bool msr_misc_enable_valid(const struct lodge_vcpu *vcpu, u32 index,
				  u64 value)
{
	if (!vcpu->features.intel)
		return !(value & ~LODGE_MISC_ENABLE_RESET);
	return !(value & MSR_IA32_MISC_ENABLE_XD_DISABLE) ||
	       vcpu->features.efer & EFER_NX;
}

static bool msr_efer_read(struct lodge_vcpu *vcpu, u32 index, u64 *value)
{
	*value = vcpu->regs.control.efer;
	return false;
}

static bool msr_efer_write(struct lodge_vcpu *vcpu, u32 index, u64 value)
{
	return lodge_control_set_efer(vcpu, value);
}

static u64 *msr_segment_base(struct lodge_vcpu *vcpu, u32 index)
{
	unsigned int seg = index == MSR_FS_BASE ? LODGE_FS : LODGE_GS;

	lodge_backend->get_state(vcpu, LODGE_GROUP_SEGMENTS);
	return &vcpu->regs.segments.seg[seg].base;
}

static bool msr_segment_read(struct lodge_vcpu *vcpu, u32 index, u64 *value)
{
	*value = *msr_segment_base(vcpu, index);
	return false;
}

static bool msr_segment_write(struct lodge_vcpu *vcpu, u32 index, u64 value)
{
	if (!msr_canonical(vcpu, index, value))
		return true;
	*msr_segment_base(vcpu, index) = value;
	lodge_backend->set_state(vcpu, LODGE_GROUP_SEGMENTS);
	return false;
}

/*
 * The host's microcode: errata are judged by it.  Intel has it in the high half.  That of
 * the other vendor's would say nothing.
 */
static bool msr_microcode_read(struct lodge_vcpu *vcpu, u32 index, u64 *value)
{
	const bool intel = boot_cpu_data.x86_vendor == X86_VENDOR_INTEL;

	*value = intel == vcpu->features.intel ? boot_cpu_data.microcode : 0;
	if (intel)
		*value <<= 32;
	return false;
}

static bool msr_write_ignored(struct lodge_vcpu *vcpu, u32 index, u64 value)
{
	return false;
}

/* AMD's brand string: two of CPUID's registers an MSR. */
static bool msr_brand_read(struct lodge_vcpu *vcpu, u32 index, u64 *value)
{
	u32 part = index - 0xc0010030;
	const u32 *answer = lodge_cpuid_answer(vcpu, 0x80000002 + part / 2, 0);

	part = part % 2 * 2;
	*value = (u64)answer[part + 1] << 32 | answer[part];
	return false;
}

static bool msr_de_cfg_read(struct lodge_vcpu *vcpu, u32 index, u64 *value)
{
	*value = 0;
	if (boot_cpu_has(X86_FEATURE_LFENCE_RDTSC))
		*value = MSR_AMD64_DE_CFG_LFENCE_SERIALIZE;
	return false;
}

#define RANGE(first, last, vendors, kind) first, last, vendors, kind
#define ONE(index, vendors, kind) RANGE(index, index, vendors, kind)
#define NAMED(member) .offset = offsetof(struct lodge_msrs, member)
#define HAVING(member) .feature = offsetof(struct lodge_features, member)
#define ANY_BITS .mask = ~0ULL

/*
 * Sorted by index.  An MSR that only stores is saved and restored by its row alone:
 * its value has a place in vcpu->msr, and its number is on user space's list.
 */
static struct lodge_msr_rule msr_rules[] __ro_after_init = {
	{ RANGE(MSR_IA32_P5_MC_ADDR, MSR_IA32_P5_MC_TYPE, MSR_ANY, MSR_IGNORED),
	  ANY_BITS },
	{ ONE(MSR_IA32_TSC, MSR_ANY, MSR_CALLED), .read = msr_tsc_read,
	  .write = msr_tsc_write },
	{ ONE(MSR_IA32_PLATFORM_ID, MSR_ANY, MSR_READ_ONLY) },
	{ ONE(MSR_IA32_EBL_CR_POWERON, MSR_INTEL, MSR_IGNORED), ANY_BITS },
	{ ONE(MSR_IA32_FEAT_CTL, MSR_INTEL, MSR_READ_ONLY),
	  .value = FEAT_CTL_LOCKED },
	{ ONE(MSR_IA32_TSC_ADJUST, MSR_ANY, MSR_CALLED), HAVING(tsc_adjust),
	  .read = msr_tsc_adjust_read, .write = msr_tsc_adjust_write },
	{ ONE(MSR_IA32_SPEC_CTRL, MSR_ANY, MSR_NAMED), NAMED(spec_ctrl),
	  ANY_BITS, HAVING(spec_ctrl), .valid = msr_spec_ctrl_valid },
	{ ONE(MSR_IA32_PRED_CMD, MSR_ANY, MSR_CALLED), HAVING(pred_cmd),
	  .write = msr_pred_cmd_write },
	{ ONE(MSR_IA32_UCODE_WRITE, MSR_INTEL, MSR_IGNORED), ANY_BITS },
	{ ONE(MSR_IA32_UCODE_REV, MSR_ANY, MSR_CALLED),
	  .read = msr_microcode_read, .write = msr_write_ignored },
	{ RANGE(0xc1, 0xc2, MSR_INTEL, MSR_IGNORED), ANY_BITS },
	{ ONE(MSR_MTRRcap, MSR_ANY, MSR_READ_ONLY), .value = MTRR_CAP },
	{ ONE(MSR_IA32_ARCH_CAPABILITIES, MSR_INTEL, MSR_CALLED),
	  HAVING(arch_caps), .read = msr_arch_caps_read },
	{ ONE(MSR_IA32_FLUSH_CMD, MSR_INTEL, MSR_CALLED), HAVING(flush_l1d),
	  .write = msr_flush_cmd_write },
	{ ONE(MSR_IA32_SYSENTER_CS, MSR_ANY, MSR_NAMED), NAMED(sysenter_cs),
	  ANY_BITS },
	{ RANGE(MSR_IA32_SYSENTER_ESP, MSR_IA32_SYSENTER_EIP, MSR_ANY,
		MSR_NAMED),
	  NAMED(sysenter_esp), ANY_BITS, .valid = msr_canonical },
	{ ONE(MSR_IA32_MCG_CAP, MSR_ANY, MSR_READ_ONLY) },
	{ ONE(MSR_IA32_MCG_STATUS, MSR_ANY, MSR_STORED), ANY_BITS },
	{ ONE(MSR_IA32_MCG_CTL, MSR_ANY, MSR_IGNORED), ANY_BITS },
	{ RANGE(0x186, 0x187, MSR_INTEL, MSR_IGNORED), ANY_BITS },
	{ ONE(MSR_IA32_MISC_ENABLE, MSR_INTEL, MSR_NAMED), NAMED(misc_enable),
	  .mask = MISC_ENABLE_BITS, .valid = msr_misc_enable_valid },
	{ ONE(MSR_IA32_DEBUGCTLMSR, MSR_ANY, MSR_IGNORED),
	  .mask = DEBUGCTL_BITS },
	/* the last branch and the last exception, from and to */
	{ RANGE(MSR_IA32_LASTBRANCHFROMIP, MSR_IA32_LASTINTTOIP, MSR_ANY,
		MSR_IGNORED),
	  ANY_BITS },
	{ RANGE(0x200, 0x200 + 2 * MTRR_NR_VARIABLE - 1, MSR_ANY, MSR_STORED),
	  ANY_BITS, .valid = msr_mtrr_variable_valid },
	{ ONE(MSR_MTRRfix64K_00000, MSR_ANY, MSR_STORED), ANY_BITS,
	  .valid = msr_mtrr_fixed_valid },
	{ RANGE(MSR_MTRRfix16K_80000, MSR_MTRRfix16K_A0000, MSR_ANY,
		MSR_STORED),
	  ANY_BITS, .valid = msr_mtrr_fixed_valid },
	{ RANGE(MSR_MTRRfix4K_C0000, MSR_MTRRfix4K_F8000, MSR_ANY, MSR_STORED),
	  ANY_BITS, .valid = msr_mtrr_fixed_valid },
	{ ONE(MSR_IA32_CR_PAT, MSR_ANY, MSR_NAMED), NAMED(pat), ANY_BITS,
	  .valid = msr_pat_valid },
	{ ONE(MSR_MTRRdefType, MSR_ANY, MSR_NAMED), NAMED(mtrr_def_type),
	  ANY_BITS, .valid = msr_mtrr_def_type_valid },
	/* no supervisor state is carried */
	{ ONE(MSR_IA32_XSS, MSR_ANY, MSR_IGNORED) },
	{ RANGE(0x4b564d00, 0x4b564dff, MSR_ANY, MSR_CALLED),
	  .read = lodge_pv_msr_read, .write = lodge_pv_msr_write },
	{ ONE(MSR_EFER, MSR_ANY, MSR_CALLED), .read = msr_efer_read,
	  .write = msr_efer_write },
	{ ONE(MSR_STAR, MSR_ANY, MSR_NAMED), NAMED(star), ANY_BITS },
	{ RANGE(MSR_LSTAR, MSR_CSTAR, MSR_ANY, MSR_NAMED), NAMED(lstar),
	  ANY_BITS, .valid = msr_canonical },
	{ ONE(MSR_SYSCALL_MASK, MSR_ANY, MSR_NAMED), NAMED(sfmask),
	  .mask = GENMASK_ULL(31, 0) },
	{ RANGE(MSR_FS_BASE, MSR_GS_BASE, MSR_ANY, MSR_CALLED),
	  .read = msr_segment_read, .write = msr_segment_write },
	{ ONE(MSR_KERNEL_GS_BASE, MSR_ANY, MSR_NAMED), NAMED(kernel_gs_base),
	  ANY_BITS, .valid = msr_canonical },
	{ ONE(MSR_TSC_AUX, MSR_ANY, MSR_CALLED), HAVING(rdtscp),
	  .read = msr_tsc_aux_read, .write = msr_tsc_aux_write },
	/* the four performance counters keep what they are given: they never count */
	{ RANGE(MSR_K7_EVNTSEL0, MSR_K7_EVNTSEL0 + AMD_NR_COUNTERS - 1, MSR_AMD,
		MSR_STORED),
	  ANY_BITS },
	{ RANGE(MSR_K7_PERFCTR0, MSR_K7_PERFCTR3, MSR_AMD, MSR_STORED),
	  .mask = AMD_COUNTER_BITS, .drops = true },
	{ ONE(MSR_AMD64_SYSCFG, MSR_AMD, MSR_STORED), .mask = SYSCFG_BITS },
	{ ONE(MSR_K7_HWCR, MSR_AMD, MSR_STORED), .value = HWCR_TSC_FREQ,
	  .mask = HWCR_BITS },
	/* I/O range registers */
	{ RANGE(0xc0010016, 0xc0010019, MSR_AMD, MSR_IGNORED), ANY_BITS },
	{ ONE(MSR_K8_TOP_MEM1, MSR_AMD, MSR_STORED), .mask = TOP_MEM_BITS },
	{ ONE(MSR_K8_TOP_MEM2, MSR_AMD, MSR_STORED), .mask = TOP_MEM_BITS },
	{ RANGE(MSR_AMD64_NB_CFG, MSR_AMD64_PATCH_LOADER, MSR_AMD, MSR_IGNORED),
	  ANY_BITS },
	{ RANGE(0xc0010030, 0xc0010035, MSR_AMD, MSR_CALLED),
	  .read = msr_brand_read, .write = msr_write_ignored },
	/* masks of the machine-check banks */
	{ RANGE(0xc0010044, 0xc001004a, MSR_AMD, MSR_IGNORED), ANY_BITS },
	/* SMI traps, interrupt-pending message, MMIO configuration space */
	{ RANGE(0xc0010050, MSR_FAM10H_MMIO_CONF_BASE, MSR_AMD, MSR_IGNORED),
	  ANY_BITS },
	/* P-states */
	{ RANGE(0xc0010061, 0xc001006b, MSR_AMD, MSR_IGNORED), ANY_BITS },
	{ RANGE(0xc0010070, 0xc0010071, MSR_AMD, MSR_IGNORED), ANY_BITS },
	{ ONE(MSR_VM_CR, MSR_AMD, MSR_IGNORED), .value = VM_CR_VALUE,
	  ANY_BITS },
	{ ONE(MSR_VM_IGNNE, MSR_AMD, MSR_IGNORED), ANY_BITS },
	{ RANGE(MSR_F15H_IC_CFG, MSR_AMD64_TW_CFG, MSR_AMD, MSR_IGNORED),
	  ANY_BITS },
	{ ONE(MSR_AMD64_DE_CFG, MSR_AMD, MSR_CALLED), .read = msr_de_cfg_read,
	  .write = msr_write_ignored },
	{ RANGE(MSR_AMD64_BU_CFG2, 0xc001102c, MSR_AMD, MSR_IGNORED),
	  ANY_BITS },
};

unsigned int lodge_msr_nr_stored __ro_after_init;

int lodge_msr_rules_init(void)
{
	struct lodge_msr_rule *rule = msr_rules;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(msr_rules); i++, rule++) {
		if (WARN_ON(i && rule[-1].last >= rule->first))
			return -EIO;
		if (rule->kind != MSR_STORED)
			continue;
		rule->offset = lodge_msr_nr_stored * sizeof(u64);
		lodge_msr_nr_stored += rule->last - rule->first + 1;
	}
	return WARN_ON(lodge_msr_nr_stored > LODGE_MAX_MSRS) ? -EIO : 0;
}

const struct lodge_msr_rule *lodge_msr_rule_at(unsigned int place)
{
	return place < ARRAY_SIZE(msr_rules) ? &msr_rules[place] : NULL;
}

bool lodge_msr_rule_applies(const struct lodge_vcpu *vcpu,
			    const struct lodge_msr_rule *rule)
{
	const u8 *features = (const u8 *)&vcpu->features;

	return rule->vendors & (vcpu->features.intel ? MSR_INTEL : MSR_AMD) &&
	       (!rule->feature || features[rule->feature]);
}

bool lodge_msr_rule_allows(const struct lodge_vcpu *vcpu,
			   const struct lodge_msr_rule *rule, u32 index,
			   u64 value)
{
	return !(value & ~rule->mask) &&
	       (!rule->valid || rule->valid(vcpu, index, value));
}

const struct lodge_msr_rule *lodge_msr_rule_find(const struct lodge_vcpu *vcpu,
						 u32 index)
{
	const struct lodge_msr_rule *rule = msr_rules;
	unsigned int nr = ARRAY_SIZE(msr_rules);

	while (nr > 1) {
		unsigned int half = nr / 2;

		if (rule[half].first <= index)
			rule += half;
		nr -= half;
	}
	if (index < rule->first || index > rule->last)
		return NULL;
	return lodge_msr_rule_applies(vcpu, rule) ? rule : NULL;
}

/* The values of rule @rule in @msrs. */
static bool msr_named_valid(const struct lodge_vcpu *vcpu,
			    const struct lodge_msr_rule *rule,
			    const struct lodge_msrs *msrs)
{
	const u64 *value = (const void *)msrs + rule->offset;
	u32 index;

	for (index = rule->first; index <= rule->last; index++, value++)
		if (!lodge_msr_rule_allows(vcpu, rule, index, *value))
			return false;
	return true;
}

int lodge_msr_check(struct lodge_vcpu *vcpu, const struct lodge_msrs *msrs)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(msr_rules); i++)
		if (msr_rules[i].kind == MSR_NAMED &&
		    !msr_named_valid(vcpu, &msr_rules[i], msrs))
			return -EINVAL;
	if (msrs->tsc_adjust && !vcpu->features.tsc_adjust)
		return -EINVAL;
	if (msrs->tsc_aux >> 32 || (msrs->tsc_aux && !vcpu->features.rdtscp))
		return -EINVAL;
	return memchr_inv(msrs->reserved, 0, sizeof(msrs->reserved)) ? -EINVAL :
								       0;
}
