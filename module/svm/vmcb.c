// SPDX-License-Identifier: GPL-2.0
/*
 * The part of a VMCB that stays the same for its vCPU's life: what is
 * intercepted, the permission maps, nested paging.
 */
#include <linux/mem_encrypt.h>
#include <asm/cpufeature.h>
#include <asm/trapnr.h>

#include "npt/npt.h"
#include "vm.h"
#include "svm/svm.h"

/*
 * SMI and INIT are the host's; the instructions of SVM itself do not exist for
 * the guest.  #DB and #AC are intercepted because a guest could otherwise keep
 * the processor in an endless loop of exceptions, without an exit; #MC because
 * it is the host's.
 */
static const u8 svm_intercepts[] = {
	INTERCEPT_CR0_WRITE,
	INTERCEPT_CR4_WRITE,
	INTERCEPT_EXCEPTION_OFFSET + X86_TRAP_DB,
	INTERCEPT_EXCEPTION_OFFSET + X86_TRAP_AC,
	INTERCEPT_EXCEPTION_OFFSET + X86_TRAP_MC,
	INTERCEPT_INTR,
	INTERCEPT_NMI,
	INTERCEPT_SMI,
	INTERCEPT_INIT,
	INTERCEPT_RDPMC,
	INTERCEPT_CPUID,
	INTERCEPT_INVD,
	INTERCEPT_PAUSE,
	INTERCEPT_HLT,
	INTERCEPT_INVLPGA,
	INTERCEPT_IOIO_PROT,
	INTERCEPT_MSR_PROT,
	INTERCEPT_TASK_SWITCH,
	INTERCEPT_SHUTDOWN,
	INTERCEPT_VMRUN,
	INTERCEPT_VMMCALL,
	INTERCEPT_VMLOAD,
	INTERCEPT_VMSAVE,
	INTERCEPT_STGI,
	INTERCEPT_CLGI,
	INTERCEPT_SKINIT,
	INTERCEPT_WBINVD,
	INTERCEPT_MONITOR,
	INTERCEPT_MWAIT,
	INTERCEPT_XSETBV,
	INTERCEPT_RDPRU,
};

/* Debug registers 0 to 15, read and write. */
#define SVM_INTERCEPT_ALL_DR 0xffffffff

/* A guest exits after so many PAUSEs with at most so many cycles between two. */
#define SVM_PAUSE_COUNT 3000
#define SVM_PAUSE_THRESHOLD 128

/* A rate that the processor cannot show is shown by exits. */
void svm_tsc_scale(struct lodge_vcpu *vcpu)
{
	const struct lodge_tsc_scale *tsc = &vcpu->vm->tsc;
	const bool exits = tsc->ratio && !tsc->by_processor;
	struct svm_vcpu *svm = to_svm(vcpu);

	svm->tsc_ratio = tsc->by_processor ? tsc->ratio : SVM_TSC_RATIO_DEFAULT;
	svm_intercept(svm, INTERCEPT_RDTSC, exits);
	svm_intercept(svm, INTERCEPT_RDTSCP, exits);
	/* The CPU has the old ratio until the vCPU is loaded again. */
	lodge_vcpu_unload(vcpu);
}

void svm_vmcb_init(struct lodge_vcpu *vcpu)
{
	struct svm_vcpu *svm = to_svm(vcpu);
	struct svm_vmcb_control *control = &svm->vmcb->control;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(svm_intercepts); i++)
		svm_intercept(svm, svm_intercepts[i], true);
	control->intercepts[INTERCEPT_DR] = SVM_INTERCEPT_ALL_DR;

	control->iopm_base_pa = __sme_set(svm_bitmap_io());
	control->msrpm_base_pa = __sme_set(svm_bitmap_msr(false));
	control->int_ctl = V_INTR_MASKING_MASK;
	control->nested_ctl = SVM_NP_ENABLE;
	control->nested_cr3 = __sme_set(lodge_npt_root(&vcpu->vm->npt));
	control->tsc_offset = vcpu->tsc_offset;
	svm_tsc_scale(vcpu);

	if (boot_cpu_has(X86_FEATURE_PAUSEFILTER)) {
		control->pause_filter_count = SVM_PAUSE_COUNT;
		control->pause_filter_thresh = SVM_PAUSE_THRESHOLD;
	}
}
