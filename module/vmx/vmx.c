// SPDX-License-Identifier: GPL-2.0
/*
 * Intel VT-x: says whether the processor has it.  This version does not drive
 * it.
 */
#include <asm/cpufeature.h>
#include <asm/msr.h>

#include "backend.h"
#include "compat.h"

/* Intel SDM vol. 3C, section 24.7: what the firmware decided. */
static bool vmx_firmware_disabled(void)
{
	u64 control;

	if (rdmsrq_safe(MSR_IA32_FEAT_CTL, &control))
		return false;
	return (control & FEAT_CTL_LOCKED) &&
	       !(control & FEAT_CTL_VMX_ENABLED_OUTSIDE_SMX);
}

enum lodge_status lodge_vmx_probe(void)
{
	/*
	 * The processor's own word: the kernel clears its feature bit where
	 * the firmware has switched VT-x off.
	 */
	if (boot_cpu_data.x86_vendor == X86_VENDOR_AMD ||
	    boot_cpu_data.x86_vendor == X86_VENDOR_HYGON ||
	    !(cpuid_ecx(1) & BIT(X86_FEATURE_VMX & 31)))
		return LODGE_STATUS_NO_VIRTUALIZATION;
	if (vmx_firmware_disabled())
		return LODGE_STATUS_FIRMWARE_DISABLED;
	return LODGE_STATUS_UNSUPPORTED_VENDOR;
}
