// SPDX-License-Identifier: GPL-2.0
/*
 * Switching AMD-V on and off on a CPU (AMD APM vol. 2, sections 15.4 and 15.30).
 */
#include <linux/mem_encrypt.h>
#include <asm/cpufeature.h>
#include <asm/io.h>
#include <asm/msr-index.h>

#include "compat.h"
#include "svm/erratum.h"
#include "svm/svm.h"

bool svm_cpu_busy(void)
{
	u64 efer;

	rdmsrq(MSR_EFER, efer);
	return efer & EFER_SVME;
}

/* With a constant in place of @ratio, sparse warns that wrmsrq() cuts it in halves. */
void svm_set_tsc_ratio(struct svm_cpu *cpu, u64 ratio)
{
	wrmsrq(MSR_AMD64_TSC_RATIO, ratio);
	cpu->tsc_ratio = ratio;
}

int svm_cpu_enable(void)
{
	struct svm_cpu *cpu = this_cpu_ptr(&svm_cpu);
	u64 efer;

	rdmsrq(MSR_EFER, efer);
	if (efer & EFER_SVME)
		return -EBUSY;

	rdmsrq(MSR_VM_HSAVE_PA, cpu->found_hsave);
	if (wrmsrq_safe(MSR_EFER, efer | EFER_SVME))
		return -EIO;
	wrmsrq(MSR_VM_HSAVE_PA, __sme_set(page_to_phys(cpu->host_save)));
	/* A kernel that crashed into this one may have left guests another rate. */
	cpu->tsc_ratio = SVM_TSC_RATIO_DEFAULT;
	if (boot_cpu_has(X86_FEATURE_TSCRATEMSR))
		svm_set_tsc_ratio(cpu, SVM_TSC_RATIO_DEFAULT);
	lodge_predict_less(true);
	svm_erratum_cpu_enable();
	svm_asid_cpu_init(cpu);
	cpu->vcpu = NULL;
	return 0;
}

void svm_cpu_disable(void)
{
	struct svm_cpu *cpu = this_cpu_ptr(&svm_cpu);
	u64 efer;

	rdmsrq(MSR_EFER, efer);
	if (!(efer & EFER_SVME))
		return;
	/* A crash may have come after CLGI.  Without SVM nothing ends that. */
	svm_stgi();
	if (cpu->tsc_ratio != SVM_TSC_RATIO_DEFAULT)
		svm_set_tsc_ratio(cpu, SVM_TSC_RATIO_DEFAULT);
	wrmsrq(MSR_VM_HSAVE_PA, cpu->found_hsave);
	lodge_predict_less(false);
	wrmsrq(MSR_EFER, efer & ~EFER_SVME);
}
