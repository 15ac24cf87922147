// SPDX-License-Identifier: GPL-2.0
/*
 * In place of VT-x, on kernels that keep it to themselves.
 *
 * VMX stays on for as long as CR4.VMXE is set, and clearing that bit then faults.
 * The kernel keeps a copy of CR4 on each CPU and writes the register from it, so
 * that whoever sets the bit must set it in the copy, too.  Since Linux 6.19 only
 * KVM's modules may (cr4_update_irqsoff); the same goes for switching VMX on by
 * the kernel (x86_virt_get_ref), for perf's buffers that are written while a guest
 * runs (perf_guest_get_msrs) and for clearing the branch history after it
 * (clear_bhb_loop).
 */
#include <asm/cpufeature.h>

#include "backend.h"
#include "compat.h"

#define VMX_CPUID_VMX BIT(5) /* of leaf 1, ECX */

static enum lodge_status vmx_probe(void)
{
	if (boot_cpu_data.x86_vendor == X86_VENDOR_AMD || cpuid_eax(0) < 1 ||
	    !(cpuid_ecx(1) & VMX_CPUID_VMX))
		return LODGE_STATUS_NO_VIRTUALIZATION;
	return LODGE_STATUS_KVM_ONLY;
}

struct lodge_backend lodge_vmx_backend __ro_after_init = {
	.name = "vmx",
	.probe = vmx_probe,
};
