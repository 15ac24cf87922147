// SPDX-License-Identifier: GPL-2.0
/*
 * A vCPU's CPUID: its own copy of the defaults, which LODGE_SET_CPUID may narrow
 * down, the features that follow from it, and the answer to the guest.
 *
 * Values that depend on the vCPU's number, the number of vCPUs or the vCPU's state
 * are filled in when the guest asks.
 */
#include <linux/log2.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/uaccess.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "compat.h"
#include "cpuid.h"
#include "msr.h"
#include "policy.h"
#include "pv.h"
#include "vcpu.h"
#include "vm.h"

/* The leaves of hypervisors, which pv.c answers. */
#define CPUID_IS_HYPERVISOR(leaf) ((leaf) >> 28 == 4)

/* Bytes of an XSAVE area that are always there: x87, SSE and the header. */
#define XSAVE_FIXED_SIZE 576

/* Highest leaf while MISC_ENABLE limits it, for systems that bear no more. */
#define CPUID_LIMITED_BASIC 2U

/* No leaf stands at this place of vcpu->cpuid_index. */
#define CPUID_NO_ENTRY 0xff

/* Extended leaves follow the basic ones in vcpu->cpuid_index. */
#define CPUID_BASIC_SLOTS 32
#define CPUID_SLOT(leaf)                       \
	((leaf) < CPUID_BASIC_SLOTS ? (leaf) : \
				      (leaf)-0x80000000U + CPUID_BASIC_SLOTS)

static_assert(LODGE_MAX_CPUID <= CPUID_NO_ENTRY);

/* Answers that are kept; a power of two. */
#define CPUID_KEPT 16

/* The bits of CR4 that answers depend on. */
#define CPUID_CR4 (X86_CR4_OSXSAVE | X86_CR4_PKE)

/**
 * struct cpuid_answer - an answer that is kept
 * @leaf: EAX, as the guest asked
 * @subleaf: ECX, as the guest asked
 * @reg: EAX, EBX, ECX, EDX of the answer
 */
struct cpuid_answer {
	u32 leaf;
	u32 subleaf;
	u32 reg[4];
};

/**
 * struct lodge_cpuid_kept - the last answers, each at the place of its leaf
 * @cr4: CR4 when they were worked out: see CPUID_CR4
 * @xcr0: XCR0 at that time
 * @apic_base: APIC_BASE at that time
 * @misc_enable: MISC_ENABLE at that time
 * @nr_vcpus: the VM's vCPUs at that time
 * @valid: bits of the places that hold an answer
 * @answer: the answers
 */
struct lodge_cpuid_kept {
	u64 cr4;
	u64 xcr0;
	u64 apic_base;
	u64 misc_enable;
	u32 nr_vcpus;
	u32 valid;
	struct cpuid_answer answer[CPUID_KEPT];
};

/* The first of a leaf's entries is known, the others follow it. */
static const struct lodge_cpuid_entry *cpuid_find(const struct lodge_vcpu *vcpu,
						  u32 leaf, u32 subleaf)
{
	u32 slot = CPUID_SLOT(leaf);
	u32 i;

	if (slot >= ARRAY_SIZE(vcpu->cpuid_index))
		return NULL;
	slot = array_index_nospec(slot, ARRAY_SIZE(vcpu->cpuid_index));
	for (i = vcpu->cpuid_index[slot];
	     i < vcpu->nr_cpuid && vcpu->cpuid[i].leaf == leaf; i++)
		if (!(vcpu->cpuid[i].flags & LODGE_CPUID_SUBLEAF) ||
		    vcpu->cpuid[i].subleaf == subleaf)
			return &vcpu->cpuid[i];
	return NULL;
}

static u32 cpuid_value(const struct lodge_vcpu *vcpu, u32 leaf, u32 subleaf,
		       enum lodge_cpuid_reg reg)
{
	const struct lodge_cpuid_entry *entry = cpuid_find(vcpu, leaf, subleaf);

	return entry ? *(&entry->eax + reg) : 0;
}

/* Entries beyond the index are empty: see cpuid_entry_valid(). */
static void cpuid_settle_index(struct lodge_vcpu *vcpu)
{
	u32 i = vcpu->nr_cpuid;

	memset(vcpu->cpuid_index, CPUID_NO_ENTRY, sizeof(vcpu->cpuid_index));
	while (i--) {
		u32 slot = CPUID_SLOT(vcpu->cpuid[i].leaf);

		if (slot >= ARRAY_SIZE(vcpu->cpuid_index))
			continue;
		slot = array_index_nospec(slot, ARRAY_SIZE(vcpu->cpuid_index));
		vcpu->cpuid_index[slot] = i;
	}
}

/**
 * struct cpuid_cr4 - bits of CR4 that a feature needs
 * @leaf: its leaf, subleaf 0
 * @reg: its register
 * @feature: its bit
 * @cr4: the bits of CR4 that the guest may then set
 */
struct cpuid_cr4 {
	u32 leaf;
	u8 reg;
	u32 feature;
	u64 cr4;
};

static const struct cpuid_cr4 cpuid_cr4s[] = {
	{ 1, EDX, F(VME), X86_CR4_VME | X86_CR4_PVI },
	{ 1, EDX, F(TSC), X86_CR4_TSD | X86_CR4_PCE },
	{ 1, EDX, F(DE), X86_CR4_DE },
	{ 1, EDX, F(PSE), X86_CR4_PSE },
	{ 1, EDX, F(PAE), X86_CR4_PAE },
	{ 1, EDX, F(MCE), X86_CR4_MCE },
	{ 1, EDX, F(PGE), X86_CR4_PGE },
	{ 1, EDX, F(FXSR), X86_CR4_OSFXSR },
	{ 1, EDX, F(XMM), X86_CR4_OSXMMEXCPT },
	{ 1, ECX, F(PCID), X86_CR4_PCIDE },
	{ 1, ECX, F(XSAVE), X86_CR4_OSXSAVE },
	{ 7, EBX, F(FSGSBASE), X86_CR4_FSGSBASE },
	{ 7, EBX, F(SMEP), X86_CR4_SMEP },
	{ 7, EBX, F(SMAP), X86_CR4_SMAP },
	{ 7, ECX, F(UMIP), X86_CR4_UMIP },
	{ 7, ECX, F(PKU), X86_CR4_PKE },
};

static u64 cpuid_spec_ctrl(const struct lodge_vcpu *vcpu)
{
	u32 amd = cpuid_value(vcpu, 0x80000008, 0, EBX);
	u32 intel = cpuid_value(vcpu, 7, 0, EDX);
	u32 controls = cpuid_value(vcpu, 7, 2, EDX);
	u64 bits = 0;

	if ((amd & F(AMD_IBRS)) || (intel & F(SPEC_CTRL)))
		bits |= SPEC_CTRL_IBRS;
	if ((amd & F(AMD_STIBP)) || (intel & F(INTEL_STIBP)))
		bits |= SPEC_CTRL_STIBP;
	if ((amd & F(AMD_SSBD)) || (intel & F(SPEC_CTRL_SSBD)))
		bits |= SPEC_CTRL_SSBD;
	if ((amd & LODGE_CPUID_PSFD) || (controls & CPUID_INTEL_PSFD))
		bits |= BIT_ULL(7); /* PSFD */
	if (controls & CPUID_IPRED_CTRL)
		bits |= GENMASK_ULL(4, 3); /* IPRED_DIS_U and _S */
	if (controls & CPUID_RRSBA_CTRL)
		bits |= GENMASK_ULL(6, 5); /* RRSBA_DIS_U and _S */
	if (controls & CPUID_DDPD_U)
		bits |= BIT_ULL(8); /* DDPD_U */
	if (controls & CPUID_BHI_CTRL)
		bits |= SPEC_CTRL_BHI_DIS_S;
	return bits;
}

static u8 cpuid_pred_cmd(const struct lodge_vcpu *vcpu)
{
	u8 commands = 0;

	if (cpuid_value(vcpu, 0x80000008, 0, EBX) & F(AMD_IBPB) ||
	    cpuid_value(vcpu, 7, 0, EDX) & F(SPEC_CTRL))
		commands |= PRED_CMD_IBPB;
	if (cpuid_value(vcpu, 0x80000021, 0, EAX) & F(SBPB))
		commands |= PRED_CMD_SBPB;
	return commands;
}

/* "GenuineIntel", as the guest reads it; all others are taken for AMD's. */
static bool cpuid_is_intel(const struct lodge_vcpu *vcpu)
{
	return cpuid_value(vcpu, 0, 0, EBX) == 0x756e6547 &&
	       cpuid_value(vcpu, 0, 0, EDX) == 0x49656e69 &&
	       cpuid_value(vcpu, 0, 0, ECX) == 0x6c65746e;
}

static void cpuid_settle_features(struct lodge_vcpu *vcpu)
{
	struct lodge_features *features = &vcpu->features;
	u32 ecx_1 = cpuid_value(vcpu, 1, 0, ECX);
	u32 ecx_7 = cpuid_value(vcpu, 7, 0, ECX);
	u32 edx_ext = cpuid_value(vcpu, 0x80000001, 0, EDX);
	u32 i;

	features->intel = cpuid_is_intel(vcpu);
	features->cr4 = 0;
	for (i = 0; i < ARRAY_SIZE(cpuid_cr4s); i++)
		if (cpuid_value(vcpu, cpuid_cr4s[i].leaf, 0,
				cpuid_cr4s[i].reg) &
		    cpuid_cr4s[i].feature)
			features->cr4 |= cpuid_cr4s[i].cr4;

	features->efer = 0;
	if (edx_ext & F(SYSCALL))
		features->efer |= EFER_SCE;
	if (edx_ext & F(LM))
		features->efer |= EFER_LME | EFER_LMA;
	if (edx_ext & F(NX))
		features->efer |= EFER_NX;
	if (cpuid_value(vcpu, 0x80000021, 0, EAX) & F(AUTOIBRS))
		features->efer |= EFER_AUTOIBRS;

	features->xcr0 =
		lodge_cpuid_xcr0(ecx_1, cpuid_value(vcpu, 7, 0, EBX), ecx_7) &
		((u64)cpuid_value(vcpu, 0xd, 0, EDX) << 32 |
		 cpuid_value(vcpu, 0xd, 0, EAX));
	features->phys_bits = cpuid_value(vcpu, 0x80000008, 0, EAX) & 0xff;
	if (!features->phys_bits)
		features->phys_bits = 36;
	features->x2apic = ecx_1 & F(X2APIC);
	features->tsc_deadline = ecx_1 & F(TSC_DEADLINE_TIMER);
	features->rdtscp = (edx_ext & F(RDTSCP)) || (ecx_7 & F(RDPID));
	features->tsc_adjust = cpuid_value(vcpu, 7, 0, EBX) & F(TSC_ADJUST);
	features->spec_ctrl_bits = cpuid_spec_ctrl(vcpu);
	features->spec_ctrl = features->spec_ctrl_bits;
	features->pred_cmd = cpuid_pred_cmd(vcpu);
	features->flush_l1d = cpuid_value(vcpu, 7, 0, EDX) & F(FLUSH_L1D);
	features->arch_caps = cpuid_value(vcpu, 7, 0, EDX) &
			      F(ARCH_CAPABILITIES);
}

u64 lodge_cpuid_memory(void)
{
	return LODGE_MAX_CPUID * sizeof(struct lodge_cpuid_entry) +
	       sizeof(struct lodge_cpuid_kept);
}

int lodge_cpuid_init(struct lodge_vcpu *vcpu)
{
	u32 nr;
	const struct lodge_cpuid_entry *entries = lodge_cpuid_default(&nr);

	vcpu->cpuid =
		kmemdup(entries, nr * sizeof(*entries), GFP_KERNEL_ACCOUNT);
	if (!vcpu->cpuid)
		return -ENOMEM;
	vcpu->cpuid_kept =
		kzalloc(sizeof(*vcpu->cpuid_kept), GFP_KERNEL_ACCOUNT);
	if (!vcpu->cpuid_kept)
		return -ENOMEM;
	vcpu->nr_cpuid = nr;
	cpuid_settle_index(vcpu);
	cpuid_settle_features(vcpu);
	return 0;
}

void lodge_cpuid_free(struct lodge_vcpu *vcpu)
{
	kfree(vcpu->cpuid_kept);
	vcpu->cpuid_kept = NULL;
	kfree(vcpu->cpuid);
	vcpu->cpuid = NULL;
	vcpu->nr_cpuid = 0;
}

static u32 cpuid_nr_vcpus(const struct lodge_vcpu *vcpu)
{
	return max(READ_ONCE(vcpu->vm->nr_vcpus), vcpu->id + 1);
}

/* The number of bits of an APIC ID that tell the vCPUs from each other. */
static u32 cpuid_order(const struct lodge_vcpu *vcpu)
{
	return order_base_2(cpuid_nr_vcpus(vcpu));
}

/* The number of vCPUs, less one, that share the cache of leaf 4 or 0x8000001d. */
static u32 cpuid_sharing(const struct lodge_vcpu *vcpu, const u32 answer[4])
{
	return (answer[EAX] >> 5 & 7) > 2 ? (1U << cpuid_order(vcpu)) - 1 : 0;
}

/*
 * One thread a core, all cores in one package; a cache above level 2 is shared
 * by all.  The counts are those of LODGE_SET_CPUID, once it was called.
 */
static void cpuid_add_topology(const struct lodge_vcpu *vcpu, u32 leaf,
			       u32 subleaf, u32 answer[4])
{
	u32 sharing;

	switch (leaf) {
	case 1:
		answer[EBX] &= ~0x00ff0000U;
		answer[EBX] |= cpuid_nr_vcpus(vcpu) << 16;
		if (cpuid_nr_vcpus(vcpu) > 1)
			answer[EDX] |= F(HT);
		break;
	case 4:
		sharing = cpuid_sharing(vcpu, answer);
		answer[EAX] &= 0x3fff;
		answer[EAX] |= sharing << 14;
		answer[EAX] |= ((1U << cpuid_order(vcpu)) - 1) << 26;
		break;
	case 0xb:
		if (subleaf == 1) {
			answer[EAX] = cpuid_order(vcpu);
			answer[EBX] = cpuid_nr_vcpus(vcpu);
		}
		break;
	case 0x80000001:
		if (cpuid_nr_vcpus(vcpu) > 1 && !vcpu->features.intel)
			answer[ECX] |= F(CMP_LEGACY);
		break;
	case 0x80000008:
		answer[ECX] = cpuid_order(vcpu) << 12 |
			      (cpuid_nr_vcpus(vcpu) - 1);
		break;
	case 0x8000001d:
		sharing = cpuid_sharing(vcpu, answer);
		answer[EAX] &= 0x3fff;
		answer[EAX] |= sharing << 14;
		break;
	case 0x8000001e:
		answer[EBX] = vcpu->id;
		break;
	}
}

/* Bytes that XSAVE or, @compacted, XSAVEC writes with these components. */
static u32 cpuid_xsave_size(const struct lodge_vcpu *vcpu, u64 xcr0,
			    bool compacted)
{
	u32 size = XSAVE_FIXED_SIZE;
	u32 i;

	for (i = 2; xcr0 >> i; i++) {
		const struct lodge_cpuid_entry *entry;

		if (!(xcr0 & BIT_ULL(i)))
			continue;
		entry = cpuid_find(vcpu, 0xd, i);
		if (!entry)
			continue;
		if (compacted && (entry->ecx & BIT(1)))
			size = ALIGN(size, 64);
		if (compacted)
			size += entry->eax;
		else
			size = max(size, entry->ebx + entry->eax);
	}
	return size;
}

/* The APIC ID is the vCPU's number, whatever the topology. */
static void cpuid_add_state(const struct lodge_vcpu *vcpu, u32 leaf,
			    u32 subleaf, u32 answer[4])
{
	const struct lodge_control *control = &vcpu->regs.control;
	u64 misc_enable = vcpu->regs.msrs.misc_enable;

	switch (leaf) {
	case 0:
		if (misc_enable & MSR_IA32_MISC_ENABLE_LIMIT_CPUID)
			answer[EAX] = min(answer[EAX], CPUID_LIMITED_BASIC);
		break;
	case 1:
		answer[EBX] = (answer[EBX] & 0x00ffffff) | vcpu->id << 24;
		if (control->cr4 & X86_CR4_OSXSAVE)
			answer[ECX] |= F(OSXSAVE);
		if (!(control->apic_base & MSR_IA32_APICBASE_ENABLE))
			answer[EDX] &= ~F(APIC);
		break;
	case 7:
		if (subleaf == 0 && (control->cr4 & X86_CR4_PKE))
			answer[ECX] |= F(OSPKE);
		break;
	case 0xb:
		answer[EDX] = vcpu->id;
		break;
	case 0xd:
		if (subleaf == 0) {
			answer[EBX] =
				cpuid_xsave_size(vcpu, control->xcr0, false);
			answer[ECX] = cpuid_xsave_size(
				vcpu, vcpu->features.xcr0, false);
		} else if (subleaf == 1 &&
			   (answer[EAX] & (F(XSAVEC) | F(XSAVES)))) {
			answer[EBX] =
				cpuid_xsave_size(vcpu, control->xcr0, true);
		}
		break;
	case 0x80000001:
		if (!(control->apic_base & MSR_IA32_APICBASE_ENABLE))
			answer[EDX] &= ~F(APIC);
		if (misc_enable & MSR_IA32_MISC_ENABLE_XD_DISABLE)
			answer[EDX] &= ~F(NX);
		break;
	case 0x8000001e:
		answer[EAX] = vcpu->id;
		break;
	}
}

/* True if one of the two functions above changes this leaf. */
static bool cpuid_varies(u32 leaf)
{
	const u32 basic = BIT(0) | BIT(1) | BIT(4) | BIT(7) | BIT(0xb) |
			  BIT(0xd);
	const u32 extended = BIT(1) | BIT(8) | BIT(0x1d) | BIT(0x1e);

	return (leaf >> 31 ? extended : basic) >> (leaf & 31) & 1;
}

static void cpuid_entry_answer(const struct lodge_vcpu *vcpu,
			       const struct lodge_cpuid_entry *entry,
			       u32 subleaf, u32 answer[4])
{
	answer[EAX] = entry->eax;
	answer[EBX] = entry->ebx;
	answer[ECX] = entry->ecx;
	answer[EDX] = entry->edx;
	if (!cpuid_varies(entry->leaf))
		return;
	if (!vcpu->cpuid_set)
		cpuid_add_topology(vcpu, entry->leaf, subleaf, answer);
	cpuid_add_state(vcpu, entry->leaf, subleaf, answer);
}

/* Return: true if the answer stays the same as long as struct lodge_cpuid_kept says. */
static bool cpuid_work_out(struct lodge_vcpu *vcpu, u32 leaf, u32 subleaf,
			   u32 answer[4])
{
	const struct lodge_cpuid_entry *entry;

	entry = cpuid_find(vcpu, leaf, subleaf);
	if (likely(entry)) {
		cpuid_entry_answer(vcpu, entry, subleaf, answer);
		return true;
	}
	if (CPUID_IS_HYPERVISOR(leaf) && lodge_pv_leaf(vcpu, leaf, answer))
		return false;
	memset(answer, 0, 4 * sizeof(u32));
	/* Beyond the last level of the topology. */
	if (leaf == 0xb && cpuid_value(vcpu, 0xb, 0, EBX)) {
		answer[ECX] = subleaf & 0xff;
		answer[EDX] = vcpu->id;
	}
	return true;
}

/* True if nothing that the kept answers depend on has changed. */
static bool cpuid_holds(const struct lodge_vcpu *vcpu,
			const struct lodge_cpuid_kept *kept)
{
	const struct lodge_control *control = &vcpu->regs.control;

	return !(((kept->cr4 ^ control->cr4) & CPUID_CR4) |
		 (kept->xcr0 ^ control->xcr0) |
		 (kept->apic_base ^ control->apic_base) |
		 (kept->misc_enable ^ vcpu->regs.msrs.misc_enable) |
		 (kept->nr_vcpus ^ READ_ONCE(vcpu->vm->nr_vcpus)));
}

static void cpuid_forget(const struct lodge_vcpu *vcpu,
			 struct lodge_cpuid_kept *kept)
{
	const struct lodge_control *control = &vcpu->regs.control;

	kept->cr4 = control->cr4;
	kept->xcr0 = control->xcr0;
	kept->apic_base = control->apic_base;
	kept->misc_enable = vcpu->regs.msrs.misc_enable;
	kept->nr_vcpus = READ_ONCE(vcpu->vm->nr_vcpus);
	kept->valid = 0;
}

static noinline const u32 *cpuid_keep(struct lodge_vcpu *vcpu, u32 leaf,
				      u32 subleaf)
{
	struct lodge_cpuid_kept *kept = vcpu->cpuid_kept;
	u32 place = leaf % CPUID_KEPT;
	struct cpuid_answer *answer = &kept->answer[place];

	if (!cpuid_holds(vcpu, kept))
		cpuid_forget(vcpu, kept);
	kept->valid &= ~BIT(place);
	if (cpuid_work_out(vcpu, leaf, subleaf, answer->reg))
		kept->valid |= BIT(place);
	answer->leaf = leaf;
	answer->subleaf = subleaf;
	return answer->reg;
}

const u32 *lodge_cpuid_answer(struct lodge_vcpu *vcpu, u32 leaf, u32 subleaf)
{
	const struct lodge_cpuid_kept *kept = vcpu->cpuid_kept;
	u32 place = leaf % CPUID_KEPT;
	const struct cpuid_answer *answer = &kept->answer[place];

	if (likely(cpuid_holds(vcpu, kept) && kept->valid & BIT(place) &&
		   answer->leaf == leaf && answer->subleaf == subleaf))
		return answer->reg;
	return cpuid_keep(vcpu, leaf, subleaf);
}

int lodge_cpuid_get(struct lodge_vcpu *vcpu, struct lodge_cpuid *arg)
{
	struct lodge_cpuid_entry __user *user = u64_to_user_ptr(arg->entries);
	u32 room = arg->count;
	u32 i;

	if (arg->flags)
		return -EINVAL;
	arg->count = vcpu->nr_cpuid;
	if (room < vcpu->nr_cpuid)
		return -ENOSPC;
	for (i = 0; i < vcpu->nr_cpuid; i++) {
		struct lodge_cpuid_entry entry = vcpu->cpuid[i];
		u32 answer[4];

		cpuid_entry_answer(vcpu, &vcpu->cpuid[i], entry.subleaf,
				   answer);
		entry.eax = answer[EAX];
		entry.ebx = answer[EBX];
		entry.ecx = answer[ECX];
		entry.edx = answer[EDX];
		if (copy_to_user(&user[i], &entry, sizeof(entry)))
			return -EFAULT;
	}
	return 0;
}

/* Clears the values that cpuid_add_state() adds: a caller may give back what it got. */
static void cpuid_drop_state(struct lodge_cpuid_entry *entry)
{
	switch (entry->leaf) {
	case 1:
		entry->ecx &= ~F(OSXSAVE);
		break;
	case 7:
		if (entry->subleaf == 0)
			entry->ecx &= ~F(OSPKE);
		break;
	case 0xd:
		if (entry->subleaf < 2)
			entry->ebx = 0;
		if (entry->subleaf == 0)
			entry->ecx = 0;
		break;
	}
}

/* Feature bits that only say something of the topology. */
static u32 cpuid_topology_bits(u32 leaf, enum lodge_cpuid_reg reg)
{
	if (leaf == 1 && reg == EDX)
		return F(HT);
	if (leaf == 0x80000001 && reg == ECX)
		return F(CMP_LEGACY);
	return 0;
}

static bool cpuid_widths_valid(u32 given, u32 carried)
{
	return !(given >> 16) && (given & 0xff) >= 32 &&
	       (given & 0xff) <= (carried & 0xff) &&
	       (given & 0xff00) <= (carried & 0xff00);
}

/*
 * A register may be freely chosen when nothing hangs on it; all others may only
 * hold bits that the default has.  So a leaf that Lodge does not know must be
 * empty.
 */
static bool cpuid_entry_valid(struct lodge_cpuid_entry *entry)
{
	u32 unconstrained = lodge_cpuid_free_registers(entry->leaf);
	bool indexed = entry->flags & LODGE_CPUID_SUBLEAF;
	const struct lodge_cpuid_entry *defaults;
	u32 nr, reg;

	if ((entry->flags & ~LODGE_CPUID_SUBLEAF) || entry->reserved ||
	    CPUID_IS_HYPERVISOR(entry->leaf))
		return false;
	if (indexed != lodge_cpuid_indexed(entry->leaf) ||
	    (!indexed && entry->subleaf))
		return false;

	defaults = lodge_cpuid_default(&nr);
	for (reg = EAX; reg <= EDX; reg++) {
		u32 given = *lodge_cpuid_reg(entry, reg);
		u32 carried = lodge_cpuid_value(defaults, nr, entry->leaf,
						entry->subleaf, reg);

		if (unconstrained & BIT(reg))
			continue;
		if (entry->leaf == 0x80000008 && reg == EAX) {
			if (!cpuid_widths_valid(given, carried))
				return false;
			continue;
		}
		/* The processor decides where a component lies. */
		if (entry->leaf == 0xd && entry->subleaf > 1 &&
		    given != carried)
			return false;
		carried |= cpuid_topology_bits(entry->leaf, reg);
		if (entry->leaf == 0x80000001 && reg == EDX)
			carried |= LODGE_CPUID_AMD_ALIASES &
				   lodge_cpuid_value(defaults, nr, 1, 0, EDX);
		if (given & ~carried)
			return false;
	}
	return true;
}

static int cpuid_compare(const void *left, const void *right)
{
	const struct lodge_cpuid_entry *a = left, *b = right;

	if (a->leaf != b->leaf)
		return a->leaf < b->leaf ? -1 : 1;
	if (a->subleaf != b->subleaf)
		return a->subleaf < b->subleaf ? -1 : 1;
	return 0;
}

static int cpuid_entries_check(struct lodge_cpuid_entry *entries, u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++) {
		cpuid_drop_state(&entries[i]);
		if (!cpuid_entry_valid(&entries[i]))
			return -EINVAL;
	}
	sort(entries, nr, sizeof(*entries), cpuid_compare, NULL);
	for (i = 1; i < nr; i++)
		if (!cpuid_compare(&entries[i - 1], &entries[i]))
			return -EINVAL;
	return 0;
}

int lodge_cpuid_set(struct lodge_vcpu *vcpu, const struct lodge_cpuid *arg)
{
	const bool intel = vcpu->features.intel;
	struct lodge_cpuid_entry *entries;
	int error;

	if (arg->flags || arg->count > LODGE_MAX_CPUID)
		return -EINVAL;
	if (vcpu->has_run)
		return -EBUSY;
	entries = memdup_user(u64_to_user_ptr(arg->entries),
			      arg->count * sizeof(*entries));
	if (IS_ERR(entries))
		return PTR_ERR(entries);
	error = cpuid_entries_check(entries, arg->count);
	if (error) {
		kfree(entries);
		return error;
	}

	kfree(vcpu->cpuid);
	vcpu->cpuid = entries;
	vcpu->nr_cpuid = arg->count;
	vcpu->cpuid_set = true;
	vcpu->cpuid_kept->valid = 0;
	cpuid_settle_index(vcpu);
	cpuid_settle_features(vcpu);
	if (vcpu->features.intel != intel)
		vcpu->regs.msrs.misc_enable = lodge_misc_enable_reset(!intel);
	return 0;
}
