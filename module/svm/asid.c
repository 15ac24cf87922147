// SPDX-License-Identifier: GPL-2.0
/*
 * Address-space identifiers: an ASID tags the guest's own translations and the
 * nested ones.
 */
#include <asm/cpufeature.h>

#include "compat.h"
#include "svm/svm.h"

void svm_asid_cpu_init(struct svm_cpu *cpu)
{
	lodge_tags_init(&cpu->asids, cpuid_ebx(0x8000000a) - 1);
}

static void svm_asid_new(struct svm_vcpu *svm, struct svm_cpu *cpu)
{
	struct svm_vmcb_control *control = &svm->vmcb->control;

	if (lodge_tag_new(&svm->asid, &cpu->asids))
		control->tlb_ctl = TLB_CONTROL_FLUSH_ALL_ASID;
	control->asid = svm->asid.number;
	svm_dirty(svm, SVM_CLEAN_ASID);
}

void svm_asid_prepare(struct svm_vcpu *svm, struct svm_cpu *cpu)
{
	struct svm_vmcb_control *control = &svm->vmcb->control;

	control->tlb_ctl = TLB_CONTROL_DO_NOTHING;
	if (unlikely(lodge_tag_is_stale(&svm->asid, &cpu->asids))) {
		svm_asid_new(svm, cpu);
	} else if (unlikely(svm->flush)) {
		if (boot_cpu_has(X86_FEATURE_FLUSHBYASID))
			control->tlb_ctl = TLB_CONTROL_FLUSH_ASID;
		else
			svm_asid_new(svm, cpu);
	}
	svm->flush = false;
}

void svm_flush_tlb(struct lodge_vcpu *vcpu, bool nested)
{
	to_svm(vcpu)->flush = true;
}
