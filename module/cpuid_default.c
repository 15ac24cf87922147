// SPDX-License-Identifier: GPL-2.0
/*
 * The policy of CPUID: the host's answers, less all that Lodge does not carry.
 *
 * Made once, from tables: words of feature bits (a bit passes when the host's
 * processor has it, the host's kernel uses it, and Lodge carries it) and leaves
 * that only describe.
 */
#include <linux/mutex.h>
#include <asm/cpufeature.h>
#include <asm/fpu/types.h>
#include <asm/fpu/xcr.h>
#include <asm/processor.h>

#include "backend.h"
#include "compat.h"
#include "cpuid.h"
#include "mem.h"

/* Highest leaves that the guest is told of. */
#define CPUID_MAX_BASIC 0xdU
#define CPUID_MAX_EXTENDED 0x80000021U

/**
 * struct cpuid_word - a register full of feature bits
 * @leaf: EAX in
 * @subleaf: ECX in
 * @reg: the register
 * @kernel: the same word in the kernel's notes, or -1
 * @host: bits that the guest has when the host has them
 * @always: bits that it has on every host
 */
struct cpuid_word {
	u32 leaf;
	u32 subleaf;
	u8 reg;
	s8 kernel;
	u32 host;
	u32 always;
};

static const struct cpuid_word cpuid_words[] = {
	{ 1, 0, EDX, CPUID_1_EDX,
	  F(FPU) | F(VME) | F(DE) | F(PSE) | F(TSC) | F(MSR) | F(PAE) | F(MCE) |
		  F(CX8) | F(SEP) | F(MTRR) | F(PGE) | F(MCA) | F(CMOV) |
		  F(PAT) | F(PSE36) | F(CLFLUSH) | F(MMX) | F(FXSR) | F(XMM) |
		  F(XMM2),
	  F(APIC) },
	{ 1, 0, ECX, CPUID_1_ECX,
	  F(XMM3) | F(PCLMULQDQ) | F(SSSE3) | F(FMA) | F(CX16) | F(PCID) |
		  F(XMM4_1) | F(XMM4_2) | F(MOVBE) | F(POPCNT) | F(AES) |
		  F(XSAVE) | F(AVX) | F(F16C) | F(RDRAND),
	  F(X2APIC) | F(TSC_DEADLINE_TIMER) | F(HYPERVISOR) },
	{ 6, 0, EAX, -1, 0, F(ARAT) },
	{ 7, 0, EBX, CPUID_7_0_EBX,
	  F(FSGSBASE) | F(BMI1) | F(AVX2) | F(FDP_EXCPTN_ONLY) | F(SMEP) |
		  F(BMI2) | F(ERMS) | F(INVPCID) | F(ZERO_FCS_FDS) |
		  F(AVX512F) | F(AVX512DQ) | F(RDSEED) | F(ADX) | F(SMAP) |
		  F(AVX512IFMA) | F(CLFLUSHOPT) | F(CLWB) | F(AVX512CD) |
		  F(SHA_NI) | F(AVX512BW) | F(AVX512VL),
	  F(TSC_ADJUST) },
	{ 7, 0, ECX, CPUID_7_ECX,
	  F(AVX512VBMI) | F(UMIP) | F(PKU) | F(AVX512_VBMI2) | F(GFNI) |
		  F(VAES) | F(VPCLMULQDQ) | F(AVX512_VNNI) | F(AVX512_BITALG) |
		  F(AVX512_VPOPCNTDQ) | F(RDPID) | F(CLDEMOTE) | F(MOVDIRI) |
		  F(MOVDIR64B) },
	{ 7, 0, EDX, CPUID_7_EDX,
	  F(FSRM) | F(AVX512_VP2INTERSECT) | F(MD_CLEAR) | F(SERIALIZE) |
		  F(AVX512_FP16) | F(SPEC_CTRL) | F(INTEL_STIBP) |
		  F(FLUSH_L1D) | F(SPEC_CTRL_SSBD) },
	{ 7, 1, EAX, CPUID_7_1_EAX, F(AVX_VNNI) | F(AVX512_BF16) },
	{ 7, 2, EDX, -1,
	  CPUID_INTEL_PSFD | CPUID_IPRED_CTRL | CPUID_RRSBA_CTRL |
		  CPUID_DDPD_U | CPUID_BHI_CTRL | CPUID_MCDT_NO },
	{ 0xd, 1, EAX, CPUID_D_1_EAX,
	  F(XSAVEOPT) | F(XSAVEC) | F(XGETBV1) | F(XSAVES) },
	{ 0x80000001, 0, EDX, CPUID_8000_0001_EDX,
	  F(SYSCALL) | F(NX) | F(MMXEXT) | F(GBPAGES) | F(RDTSCP) | F(LM) |
		  F(3DNOWEXT) | F(3DNOW) },
	{ 0x80000001, 0, ECX, CPUID_8000_0001_ECX,
	  F(LAHF_LM) | F(CR8_LEGACY) | F(ABM) | F(SSE4A) | F(MISALIGNSSE) |
		  F(3DNOWPREFETCH) | F(XOP) | F(FMA4) | F(TBM) | F(TOPOEXT) },
	{ 0x80000008, 0, EBX, CPUID_8000_0008_EBX,
	  F(CLZERO) | F(XSAVEERPTR) | F(WBNOINVD) | F(AMD_IBPB) | F(AMD_IBRS) |
		  F(AMD_STIBP) | F(AMD_STIBP_ALWAYS_ON) | F(AMD_SSBD) |
		  F(AMD_SSB_NO) | LODGE_CPUID_PSFD | F(BTC_NO) |
		  F(AMD_IBPB_RET) | CPUID_IBRS_ALWAYS_ON |
		  CPUID_IBRS_PREFERRED | CPUID_IBRS_SAME_MODE },
	{ 0x80000021, 0, EAX, CPUID_8000_0021_EAX,
	  CPUID_NO_NESTED_DATA_BP | CPUID_BASES_NOT_SERIALIZING |
		  CPUID_LFENCE_SERIALIZING | F(VERW_CLEAR) |
		  CPUID_NULL_CLEARS_BASE | F(AUTOIBRS) | F(SBPB) |
		  F(IBPB_BRTYPE) | F(SRSO_NO) | CPUID_SRSO_USER_KERNEL_NO },
	{ 0x80000021, 0, ECX, -1,
	  CPUID_TSA_SQ_NO | CPUID_TSA_L1_NO | CPUID_TSA_FILL_NO },
};

/**
 * struct cpuid_note - a bit that AMD's processors do not have and the kernel knows
 * @leaf: EAX in, subleaf 0
 * @reg: register
 * @bit: the bit that the guest is to read there
 * @feature: when this X86_FEATURE_* is set
 */
struct cpuid_note {
	u32 leaf;
	u8 reg;
	u32 bit;
	u16 feature;
};

static const struct cpuid_note cpuid_notes[] = {
	{ 0x80000008, EBX, F(BTC_NO), X86_FEATURE_BTC_NO },
	{ 0x80000021, EAX, CPUID_LFENCE_SERIALIZING, X86_FEATURE_LFENCE_RDTSC },
	{ 0x80000021, EAX, F(VERW_CLEAR), X86_FEATURE_VERW_CLEAR },
	{ 0x80000021, EAX, F(SBPB), X86_FEATURE_SBPB },
	{ 0x80000021, EAX, F(IBPB_BRTYPE), X86_FEATURE_IBPB_BRTYPE },
	{ 0x80000021, EAX, F(SRSO_NO), X86_FEATURE_SRSO_NO },
	{ 0x80000021, ECX, CPUID_TSA_SQ_NO, X86_FEATURE_TSA_SQ_NO },
	{ 0x80000021, ECX, CPUID_TSA_L1_NO, X86_FEATURE_TSA_L1_NO },
#ifdef X86_FEATURE_TSA_FILL_NO
	{ 0x80000021, ECX, CPUID_TSA_FILL_NO, X86_FEATURE_TSA_FILL_NO },
#endif
};

#define ALL_REGISTERS (BIT(EAX) | BIT(EBX) | BIT(ECX) | BIT(EDX))

/**
 * struct cpuid_info - a leaf that describes: nothing hangs on its value
 * @leaf: EAX in
 * @subleaves: how many are looked at; the first without a type ends them
 * @copy: registers that come from the host
 * @free: registers that LODGE_SET_CPUID may fill at will
 */
struct cpuid_info {
	u32 leaf;
	u8 subleaves;
	u8 copy;
	u8 free;
};

static const struct cpuid_info cpuid_infos[] = {
	{ 0, 0, ALL_REGISTERS, ALL_REGISTERS },
	{ 1, 0, BIT(EAX) | BIT(EBX), BIT(EAX) | BIT(EBX) },
	{ 2, 0, ALL_REGISTERS, ALL_REGISTERS },
	{ 4, 8, ALL_REGISTERS, ALL_REGISTERS },
	{ 7, 0, 0, BIT(EAX) },
	{ 0xb, 0, 0, ALL_REGISTERS },
	{ 0x15, 0, 0, ALL_REGISTERS },
	{ 0x16, 0, 0, ALL_REGISTERS },
	{ 0x1f, 0, 0, ALL_REGISTERS },
	{ 0x80000000, 0, ALL_REGISTERS, ALL_REGISTERS },
	{ 0x80000001, 0, BIT(EAX) | BIT(EBX), BIT(EAX) | BIT(EBX) },
	{ 0x80000002, 0, ALL_REGISTERS, ALL_REGISTERS },
	{ 0x80000003, 0, ALL_REGISTERS, ALL_REGISTERS },
	{ 0x80000004, 0, ALL_REGISTERS, ALL_REGISTERS },
	{ 0x80000005, 0, ALL_REGISTERS, ALL_REGISTERS },
	{ 0x80000006, 0, ALL_REGISTERS, ALL_REGISTERS },
	{ 0x80000008, 0, 0, BIT(ECX) },
	{ 0x80000019, 0, BIT(EAX) | BIT(EBX), ALL_REGISTERS },
	{ 0x8000001a, 0, BIT(EAX), ALL_REGISTERS },
	{ 0x8000001d, 8, ALL_REGISTERS, ALL_REGISTERS },
	{ 0x8000001e, 0, 0, ALL_REGISTERS },
};

bool lodge_cpuid_indexed(u32 leaf)
{
	switch (leaf) {
	case 4:
	case 7:
	case 0xb:
	case 0xd:
	case 0x1f:
	case 0x8000001d:
		return true;
	}
	return false;
}

u32 lodge_cpuid_free_registers(u32 leaf)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(cpuid_infos); i++)
		if (cpuid_infos[i].leaf == leaf)
			return cpuid_infos[i].free;
	return 0;
}

/* The defaults, sorted; made by the first vCPU and never changed. */
static struct lodge_cpuid_entry cpuid_default[LODGE_MAX_CPUID];
static u32 cpuid_nr_default;
static DEFINE_MUTEX(cpuid_default_lock);

/* The processor's own answer; zeros where it has no such leaf or subleaf. */
static void cpuid_host(u32 leaf, u32 subleaf, u32 answer[4])
{
	memset(answer, 0, 4 * sizeof(u32));
	if (leaf == 7 && subleaf && subleaf > cpuid_eax(7))
		return;
	if (leaf <= cpuid_eax(leaf & BIT(31)))
		cpuid_count(leaf, subleaf, &answer[EAX], &answer[EBX],
			    &answer[ECX], &answer[EDX]);
}

static u64 cpuid_key(u32 leaf, u32 subleaf)
{
	return (u64)leaf << 32 | subleaf;
}

/* Answers the default entry, which it makes where there is none. */
static struct lodge_cpuid_entry *cpuid_add(u32 leaf, u32 subleaf)
{
	const u64 key = cpuid_key(leaf, subleaf);
	struct lodge_cpuid_entry *entry;
	u32 i;

	for (i = 0; i < cpuid_nr_default; i++) {
		u64 other;

		entry = &cpuid_default[i];
		other = cpuid_key(entry->leaf, entry->subleaf);
		if (other == key)
			return entry;
		if (other > key)
			break;
	}

	memmove(&cpuid_default[i + 1], &cpuid_default[i],
		(cpuid_nr_default - i) * sizeof(cpuid_default[0]));
	cpuid_nr_default++;
	cpuid_default[i] = (struct lodge_cpuid_entry){
		.leaf = leaf,
		.subleaf = subleaf,
		.flags = lodge_cpuid_indexed(leaf) ? LODGE_CPUID_SUBLEAF : 0,
	};
	return &cpuid_default[i];
}

static void cpuid_add_infos(void)
{
	u32 i, subleaf, reg;

	for (i = 0; i < ARRAY_SIZE(cpuid_infos); i++) {
		const struct cpuid_info *info = &cpuid_infos[i];

		if (!info->copy)
			continue;
		for (subleaf = 0; subleaf < max_t(u32, info->subleaves, 1);
		     subleaf++) {
			struct lodge_cpuid_entry *entry;
			u32 host[4];

			cpuid_host(info->leaf, subleaf, host);
			/* A cache without a type ends the list. */
			if (info->subleaves && !(host[EAX] & 0x1f))
				break;
			entry = cpuid_add(info->leaf, subleaf);
			for (reg = EAX; reg <= EDX; reg++)
				if (info->copy & BIT(reg))
					*lodge_cpuid_reg(entry, reg) =
						host[reg];
		}
	}
}

/* Less the features that this processor does not let guests use. */
static u32 cpuid_usable(u32 bits, unsigned int kernel)
{
	unsigned int bit;

	if (!lodge_backend->feature)
		return bits;
	for (bit = 0; bit < 32; bit++)
		if (bits & BIT(bit) &&
		    !lodge_backend->feature(32 * kernel + bit))
			bits &= ~BIT(bit);
	return bits;
}

static void cpuid_add_words(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(cpuid_words); i++) {
		const struct cpuid_word *word = &cpuid_words[i];
		u32 host[4];
		u32 value;

		cpuid_host(word->leaf, word->subleaf, host);
		value = host[word->reg] & word->host;
		if (word->kernel >= 0)
			value &= boot_cpu_data.x86_capability[word->kernel];
		if (word->kernel >= 0)
			value = cpuid_usable(value, word->kernel);
		*lodge_cpuid_reg(cpuid_add(word->leaf, word->subleaf),
				 word->reg) = value | word->always;
	}
}

static u32 cpuid_default_value(u32 leaf, u32 subleaf, enum lodge_cpuid_reg reg)
{
	return lodge_cpuid_value(cpuid_default, cpuid_nr_default, leaf, subleaf,
				 reg);
}

u64 lodge_cpuid_xcr0(u32 ecx_1, u32 ebx_7, u32 ecx_7)
{
	u64 mask = XFEATURE_MASK_FP | XFEATURE_MASK_SSE;
	u64 host;

	if (!(ecx_1 & F(XSAVE)))
		return 0;
	host = xgetbv(XCR_XFEATURE_ENABLED_MASK);
	if (ecx_1 & F(AVX))
		mask |= XFEATURE_MASK_YMM;
	if ((ebx_7 & F(AVX512F)) &&
	    (host & XFEATURE_MASK_AVX512) == XFEATURE_MASK_AVX512)
		mask |= XFEATURE_MASK_AVX512;
	if (ecx_7 & F(PKU))
		mask |= XFEATURE_MASK_PKRU;
	return host & mask;
}

/*
 * The processor decides where each component lies; the size follows from what the
 * guest may switch on (APM vol. 3, appendix E.4.12).
 */
static void cpuid_add_xsave(void)
{
	u64 xcr0 = lodge_cpuid_xcr0(cpuid_default_value(1, 0, ECX),
				    cpuid_default_value(7, 0, EBX),
				    cpuid_default_value(7, 0, ECX));
	struct lodge_cpuid_entry *entry;
	u32 i;

	if (!xcr0) {
		cpuid_add(0xd, 1)->eax = 0;
		return;
	}
	entry = cpuid_add(0xd, 0);
	entry->eax = lower_32_bits(xcr0);
	entry->edx = upper_32_bits(xcr0);
	for (i = 2; i < 63; i++) {
		u32 host[4];

		if (!(xcr0 & BIT_ULL(i)))
			continue;
		cpuid_host(0xd, i, host);
		entry = cpuid_add(0xd, i);
		entry->eax = host[EAX];
		entry->ebx = host[EBX];
		entry->ecx = host[ECX] & BIT(1); /* aligned when compacted */
	}
}

/*
 * Bits that tell a guest on AMD what it need not look for or work around.  No guest
 * has LMSLE or an MSR for SMM.  A processor older than the leaf has room for it.
 */
static void cpuid_add_notes(void)
{
	struct lodge_cpuid_entry *highest = cpuid_add(0x80000000, 0);
	u32 i;

	if (highest->eax < 0x8000001d)
		return;
	highest->eax = max(highest->eax, CPUID_MAX_EXTENDED);
	for (i = 0; i < ARRAY_SIZE(cpuid_notes); i++)
		if (boot_cpu_has(cpuid_notes[i].feature))
			*lodge_cpuid_reg(cpuid_add(cpuid_notes[i].leaf, 0),
					 cpuid_notes[i].reg) |=
				cpuid_notes[i].bit;
	cpuid_add(0x80000008, 0)->ebx |= CPUID_NO_EFER_LMSLE;
	if (!boot_cpu_has_bug(X86_BUG_SPEC_STORE_BYPASS))
		cpuid_add(0x80000008, 0)->ebx |= F(AMD_SSB_NO);
	cpuid_add(0x80000021, 0)->eax |= CPUID_NO_SMM_CTL_MSR;
	if (!boot_cpu_has_bug(X86_BUG_NULL_SEG))
		cpuid_add(0x80000021, 0)->eax |= CPUID_NULL_CLEARS_BASE;
}

/* The highest subleaf of leaf 7 that says anything. */
static u32 cpuid_highest_7(void)
{
	if (cpuid_default_value(7, 2, EDX))
		return 2;
	return !!cpuid_default_value(7, 1, EAX);
}

static void cpuid_add_rest(void)
{
	struct lodge_cpuid_entry *entry;

	if (boot_cpu_data.x86_vendor != X86_VENDOR_INTEL)
		cpuid_add(0x80000001, 0)->edx |=
			cpuid_default_value(1, 0, EDX) &
			LODGE_CPUID_AMD_ALIASES;

	cpuid_add(0, 0)->eax = CPUID_MAX_BASIC;
	entry = cpuid_add(0x80000000, 0);
	entry->eax = clamp(entry->eax, 0x80000008U, CPUID_MAX_EXTENDED);

	if (boot_cpu_data.x86_vendor == X86_VENDOR_INTEL)
		cpuid_add(7, 0)->edx |= F(ARCH_CAPABILITIES);
	else
		cpuid_add_notes();
	cpuid_add(7, 0)->eax = cpuid_highest_7();

	/* One thread a core, all cores in one package. */
	entry = cpuid_add(0xb, 0);
	entry->ebx = 1;
	entry->ecx = 1 << 8;
	cpuid_add(0xb, 1)->ecx = 1 | 2 << 8;
	cpuid_add(0x8000001e, 0);

	if (boot_cpu_has(X86_FEATURE_CONSTANT_TSC) &&
	    boot_cpu_has(X86_FEATURE_NONSTOP_TSC))
		cpuid_add(0x80000007, 0)->edx = BIT(8);
	cpuid_add(0x80000008, 0)->eax = lodge_mem_phys_bits() | 48 << 8;
}

const struct lodge_cpuid_entry *lodge_cpuid_default(u32 *nr)
{
	mutex_lock(&cpuid_default_lock);
	if (!cpuid_nr_default) {
		cpuid_add_infos();
		cpuid_add_words();
		cpuid_add_xsave();
		cpuid_add_rest();
	}
	mutex_unlock(&cpuid_default_lock);
	*nr = cpuid_nr_default;
	return cpuid_default;
}
