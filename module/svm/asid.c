// SPDX-License-Identifier: GPL-2.0
/*
 * Address-space identifiers: each host CPU hands its own out one by one; when
 * none is left it flushes all and starts a new generation.
 */
#include <asm/cpufeature.h>

#include "svm/svm.h"

/* ASID 0 is the host's. */
#define SVM_FIRST_ASID 1

void svm_asid_cpu_init(struct svm_cpu *cpu)
{
	/* What ran here before has left its translations: a new generation. */
	cpu->asid_generation++;
	cpu->max_asid = cpuid_ebx(0x8000000a) - 1;
	cpu->next_asid = cpu->max_asid + 1;
}

static void svm_asid_new(struct svm_vcpu *svm, struct svm_cpu *cpu)
{
	struct svm_vmcb_control *control = &svm->vmcb->control;

	if (cpu->next_asid > cpu->max_asid) {
		cpu->asid_generation++;
		cpu->next_asid = SVM_FIRST_ASID;
		control->tlb_ctl = TLB_CONTROL_FLUSH_ALL_ASID;
	}
	svm->asid_generation = cpu->asid_generation;
	control->asid = cpu->next_asid++;
	svm_dirty(svm, SVM_CLEAN_ASID);
}

void svm_asid_prepare(struct svm_vcpu *svm, struct svm_cpu *cpu)
{
	struct svm_vmcb_control *control = &svm->vmcb->control;

	control->tlb_ctl = TLB_CONTROL_DO_NOTHING;
	if (unlikely(svm->asid_generation != cpu->asid_generation)) {
		svm_asid_new(svm, cpu);
	} else if (unlikely(svm->flush)) {
		if (boot_cpu_has(X86_FEATURE_FLUSHBYASID))
			control->tlb_ctl = TLB_CONTROL_FLUSH_ASID;
		else
			svm_asid_new(svm, cpu);
	}
	svm->flush = false;
}

/* An ASID tags both kinds of translation. */
void svm_flush_tlb(struct lodge_vcpu *vcpu, bool nested)
{
	to_svm(vcpu)->flush = true;
}
