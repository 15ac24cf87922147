// SPDX-License-Identifier: GPL-2.0
/*
 * Errata of AMD's processors that a guest could use against its host: see
 * erratum.h.
 */
#include <asm/cpufeature.h>
#include <asm/mce.h>
#include <asm/msr-index.h>

#include "compat.h"
#include "svm/erratum.h"
#include "svm/svm.h"

/* DC_CFG: two entries that match are a machine check. */
#define SVM_DC_CFG_MULTIMATCH BIT_ULL(47)

/* Never cleared: KVM wants it, too, and without it the behaviour is unpredictable. */
void svm_erratum_cpu_enable(void)
{
	u64 value;

	if (!boot_cpu_has_bug(X86_BUG_AMD_TLB_MMATCH))
		return;
	/* A processor that is itself virtual may not have it. */
	if (!rdmsrq_safe(MSR_AMD64_DC_CFG, &value))
		wrmsrq_safe(MSR_AMD64_DC_CFG, value | SVM_DC_CFG_MULTIMATCH);
}

/*
 * Does what the host's handler would do: clears the bank, and then MCG_STATUS.MCIP.
 * The kernel's poll will report other banks.
 */
bool svm_erratum_take(void)
{
	u64 status;

	if (!boot_cpu_has_bug(X86_BUG_AMD_TLB_MMATCH) ||
	    rdmsrq_safe(MSR_IA32_MC0_STATUS, &status) ||
	    !svm_is_multimatch(status))
		return false;
	wrmsrq_safe(MSR_IA32_MC0_STATUS, 0);
	if (!rdmsrq_safe(MSR_IA32_MCG_STATUS, &status))
		wrmsrq_safe(MSR_IA32_MCG_STATUS, status & ~MCG_STATUS_MCIP);
	svm_asid_cpu_init(this_cpu_ptr(&svm_cpu));
	return true;
}
