// SPDX-License-Identifier: GPL-2.0
/*
 * AMD-V: whether the processor has it, and the vendor part of a vCPU.
 */
#include <linux/io.h>
#include <linux/mem_encrypt.h>
#include <linux/pgtable.h>
#include <linux/slab.h>
#include <asm/cpufeature.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "compat.h"
#include "npt/npt.h"
#include "svm/check.h"
#include "svm/svm.h"

#define SVM_CPUID_FEATURES 0x8000000a
#define SVM_CPUID_NESTED BIT(0)
#define SVM_CPUID_SVM BIT(2) /* of leaf 0x80000001, ECX */
#define SVM_CPUID_PAGE_1G BIT(26) /* of leaf 0x80000001, EDX */
#define SVM_CPUID_ENCRYPTION 0x8000001f
#define SVM_CPUID_ENCRYPTION_BIT GENMASK(5, 0) /* of its EBX */

DEFINE_PER_CPU(struct svm_cpu, svm_cpu);

static struct svm_check_host svm_host;
static struct lodge_npt_format svm_format;

/* CR4 bits that every processor with SVM has. */
#define SVM_CR4_ALWAYS                                                        \
	(X86_CR4_VME | X86_CR4_PVI | X86_CR4_TSD | X86_CR4_DE | X86_CR4_PSE | \
	 X86_CR4_PAE | X86_CR4_MCE | X86_CR4_PGE | X86_CR4_PCE |              \
	 X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT)

#define SVM_EFER_ALWAYS                                                      \
	(EFER_SCE | EFER_LME | EFER_LMA | EFER_NX | EFER_SVME | EFER_LMSLE | \
	 EFER_FFXSR)

/* The others, with the feature that brings each. */
static const struct {
	u64 bit;
	u16 feature;
} svm_cr4_features[] = {
	{ X86_CR4_UMIP, X86_FEATURE_UMIP },
	{ X86_CR4_FSGSBASE, X86_FEATURE_FSGSBASE },
	{ X86_CR4_PCIDE, X86_FEATURE_PCID },
	{ X86_CR4_OSXSAVE, X86_FEATURE_XSAVE },
	{ X86_CR4_SMEP, X86_FEATURE_SMEP },
	{ X86_CR4_SMAP, X86_FEATURE_SMAP },
	{ X86_CR4_PKE, X86_FEATURE_PKU },
};

/* Section 15.30.5: MSR TSC_RATIO has 8 bits before the point and 32 behind it. */
#define SVM_TSC_RATIO_SHIFT 32
#define SVM_TSC_RATIO_BITS 40

/* Note the processor's features, to name the rules that a state breaks. */
static void svm_host_init(void)
{
	unsigned int i;

	svm_host.phys_bits = boot_cpu_data.x86_phys_bits;
	svm_host.nr_asids = cpuid_ebx(SVM_CPUID_FEATURES);
	svm_host.efer = SVM_EFER_ALWAYS;
	if (boot_cpu_has(X86_FEATURE_AUTOIBRS))
		svm_host.efer |= EFER_AUTOIBRS;
	svm_host.cr4 = SVM_CR4_ALWAYS;
	for (i = 0; i < ARRAY_SIZE(svm_cr4_features); i++)
		if (boot_cpu_has(svm_cr4_features[i].feature))
			svm_host.cr4 |= svm_cr4_features[i].bit;
}

/* AMD APM vol. 2, section 15.4. */
static enum lodge_status svm_probe(void)
{
	u64 vm_cr;

	if (boot_cpu_data.x86_vendor != X86_VENDOR_AMD &&
	    boot_cpu_data.x86_vendor != X86_VENDOR_HYGON)
		return LODGE_STATUS_NO_VIRTUALIZATION;
	if (cpuid_eax(0x80000000) < SVM_CPUID_FEATURES ||
	    !(cpuid_ecx(0x80000001) & SVM_CPUID_SVM))
		return LODGE_STATUS_NO_VIRTUALIZATION;
	if (rdmsrq_safe(MSR_VM_CR, &vm_cr))
		return LODGE_STATUS_NO_VIRTUALIZATION;
	if (vm_cr & SVM_VM_CR_SVM_DIS_MASK)
		return LODGE_STATUS_FIRMWARE_DISABLED;
	if (!(cpuid_edx(SVM_CPUID_FEATURES) & SVM_CPUID_NESTED))
		return LODGE_STATUS_NO_NESTED_PAGING;
	return LODGE_STATUS_READY;
}

static void svm_free_cpus(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct svm_cpu *svm = per_cpu_ptr(&svm_cpu, cpu);

		if (svm->host_save)
			__free_page(svm->host_save);
		if (svm->host_state)
			__free_page(svm->host_state);
		svm->host_save = NULL;
		svm->host_state = NULL;
	}
}

/*
 * By an erratum, a processor with SNP enabled faults on a large page that begins with
 * a control block or with another page that VMRUN uses.  So these pages do not lie on a
 * boundary of 2 MiB.
 */
static struct page *svm_alloc_page(int node, gfp_t gfp)
{
	struct page *pages;

	if (!lodge_host_has_snp())
		return alloc_pages_node(node, gfp | __GFP_ZERO, 0);
	pages = alloc_pages_node(node, gfp | __GFP_ZERO, 1);
	if (!pages)
		return NULL;
	split_page(pages, 1);
	if (!IS_ALIGNED(page_to_phys(pages), PMD_SIZE)) {
		__free_page(pages + 1);
		return pages;
	}
	__free_page(pages);
	return pages + 1;
}

static int svm_alloc_cpus(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct svm_cpu *svm = per_cpu_ptr(&svm_cpu, cpu);

		svm->host_save = svm_alloc_page(cpu_to_node(cpu), GFP_KERNEL);
		svm->host_state = svm_alloc_page(cpu_to_node(cpu), GFP_KERNEL);
		if (!svm->host_save || !svm->host_state) {
			svm_free_cpus();
			return -ENOMEM;
		}
	}
	return 0;
}

static u64 svm_info_flags(void)
{
	u64 flags = 0;

	if (boot_cpu_has(X86_FEATURE_NRIPS))
		flags |= LODGE_INFO_NEXT_RIP;
	if (boot_cpu_has(X86_FEATURE_FLUSHBYASID))
		flags |= LODGE_INFO_FLUSH_BY_ASID;
	if (boot_cpu_has(X86_FEATURE_DECODEASSISTS))
		flags |= LODGE_INFO_DECODE_ASSISTS;
	if (cpuid_edx(0x80000001) & SVM_CPUID_PAGE_1G)
		flags |= LODGE_INFO_HUGE_1G;
	if (boot_cpu_has(X86_FEATURE_TSCRATEMSR))
		flags |= LODGE_INFO_TSC_SCALING;
	return flags;
}

/*
 * Bits of an address that this processor does not have.  Memory encryption takes the
 * uppermost ones away, and makes one of them its own (section 15.34.1).
 */
static u64 svm_reserved_bits(void)
{
	u64 reserved = GENMASK_ULL(51, 0) &
		       ~(BIT_ULL(boot_cpu_data.x86_phys_bits) - 1);

	if (boot_cpu_data.extended_cpuid_level >= SVM_CPUID_ENCRYPTION)
		reserved &= ~BIT_ULL(cpuid_ebx(SVM_CPUID_ENCRYPTION) &
				     SVM_CPUID_ENCRYPTION_BIT);
	return reserved;
}

static int svm_setup(void)
{
	int error = svm_alloc_cpus();

	if (error)
		return error;
	error = svm_bitmap_init();
	if (error)
		svm_free_cpus();
	svm_host_init();
	lodge_svm_backend.info_flags = svm_info_flags();
	if (boot_cpu_has(X86_FEATURE_TSCRATEMSR)) {
		lodge_svm_backend.tsc_shift = SVM_TSC_RATIO_SHIFT;
		lodge_svm_backend.tsc_bits = SVM_TSC_RATIO_BITS;
	}
	/* The nested walk has the paging mode of the host. */
	lodge_npt_format_amd(&svm_format, pgtable_l5_enabled() ? 5 : 4,
			     boot_cpu_has(X86_FEATURE_GBPAGES),
			     svm_reserved_bits());
	return error;
}

static void svm_teardown(void)
{
	svm_bitmap_exit();
	svm_free_cpus();
}

static void svm_vcpu_fini(struct lodge_vcpu *vcpu)
{
	struct svm_vcpu *svm = to_svm(vcpu);

	if (!svm)
		return;
	free_page((unsigned long)svm->vmcb);
	kfree(svm);
	vcpu->backend = NULL;
}

static int svm_vcpu_init(struct lodge_vcpu *vcpu)
{
	struct svm_vcpu *svm = kzalloc(sizeof(*svm), GFP_KERNEL_ACCOUNT);
	struct page *page;

	if (!svm)
		return -ENOMEM;
	vcpu->backend = svm;
	page = svm_alloc_page(NUMA_NO_NODE, GFP_KERNEL_ACCOUNT);
	if (!page) {
		svm_vcpu_fini(vcpu);
		return -ENOMEM;
	}
	svm->vmcb = page_address(page);
	svm->entry.vmcb_pa = __sme_set(__pa(svm->vmcb));
	svm->entry.general = &vcpu->regs.general;
	svm_vmcb_init(vcpu);
	svm_set_state(vcpu, LODGE_GROUPS_INLINE);
	return 0;
}

/*
 * VMSAVE catches the thread's FS and GS, which it can change only in user space,
 * and this CPU's TR and system-call entry points.
 */
static void svm_vcpu_load(struct lodge_vcpu *vcpu, int cpu_number)
{
	struct svm_vcpu *svm = to_svm(vcpu);
	struct svm_cpu *cpu = this_cpu_ptr(&svm_cpu);

	if (vcpu->cpu != cpu_number) {
		lodge_tag_drop(&svm->asid);
		svm->vmcb->control.clean = 0;
	}
	/* Another CPU's cached copy of this VMCB is stale: see section 15.15. */
	if (cpu->vcpu != vcpu) {
		cpu->vcpu = vcpu;
		svm->vmcb->control.clean = 0;
	}
	if (unlikely(cpu->tsc_ratio != svm->tsc_ratio))
		svm_set_tsc_ratio(cpu, svm->tsc_ratio);
	svm->entry.host_pa = __sme_set(page_to_phys(cpu->host_state));
	svm_vmsave(svm->entry.host_pa);
}

static void svm_skip(struct lodge_vcpu *vcpu, u64 rip)
{
	vcpu->regs.general.rip = rip;
	to_svm(vcpu)->vmcb->control.int_state &= ~SVM_INTERRUPT_SHADOW_MASK;
}

static void svm_tsc_offset(struct lodge_vcpu *vcpu, u64 offset)
{
	struct svm_vcpu *svm = to_svm(vcpu);

	svm->vmcb->control.tsc_offset = offset;
	svm_dirty(svm, SVM_CLEAN_INTERCEPTS);
}

static u32 svm_check(struct lodge_vcpu *vcpu, struct lodge_rule *rules, u32 max)
{
	return svm_check_vmcb(to_svm(vcpu)->vmcb, &svm_host, rules, max);
}

struct lodge_backend lodge_svm_backend __ro_after_init = {
	.name = "svm",
	.format = &svm_format,

	.probe = svm_probe,
	.setup = svm_setup,
	.teardown = svm_teardown,
	.cpu_busy = svm_cpu_busy,
	.cpu_enable = svm_cpu_enable,
	.cpu_disable = svm_cpu_disable,

	.vcpu_size = sizeof(struct svm_vcpu) + PAGE_SIZE,
	.vcpu_init = svm_vcpu_init,
	.vcpu_fini = svm_vcpu_fini,
	.vcpu_load = svm_vcpu_load,

	.get_state = svm_get_state,
	.set_state = svm_set_state,

	.run = svm_run,
	.skip = svm_skip,
	.inject = svm_inject,
	.interruptibility = svm_interruptibility,
	.window = svm_window,

	.flush_tlb = svm_flush_tlb,
	.tsc_offset = svm_tsc_offset,
	.tsc_scale = svm_tsc_scale,
	.check = svm_check,
};
