// SPDX-License-Identifier: GPL-2.0
/*
 * Virtual-processor identifiers.
 *
 * A translation of the guest's own tables is tagged with the VPID, and one of the
 * nested tables with their root: each kind has an instruction that drops it.
 */
#include "npt/npt.h"
#include "vm.h"
#include "vmx/vmx.h"

#define VMX_LAST_VPID 0xffff

static void vmx_invvpid(u64 type, u16 vpid)
{
	struct {
		u64 vpid;
		u64 address;
	} descriptor = { .vpid = vpid };

	asm volatile("1:	invvpid %[descriptor], %[type]\n"
		     "2:\n" _ASM_EXTABLE(1b, 2b)
		     :
		     : [descriptor] "m"(descriptor), [type] "r"(type)
		     : "cc", "memory");
}

static void vmx_invept(u64 type, u64 eptp)
{
	struct {
		u64 eptp;
		u64 reserved;
	} descriptor = { .eptp = eptp };

	asm volatile("1:	invept %[descriptor], %[type]\n"
		     "2:\n" _ASM_EXTABLE(1b, 2b)
		     :
		     : [descriptor] "m"(descriptor), [type] "r"(type)
		     : "cc", "memory");
}

/* An earlier user of VMX on this CPU may have left nested translations, too. */
void vmx_vpid_cpu_init(struct vmx_cpu *cpu)
{
	lodge_tags_init(&cpu->vpids, VMX_LAST_VPID);
	vmx_invept(VMX_EPT_EXTENT_GLOBAL, 0);
}

static void vmx_vpid_new(struct vmx_vcpu *vmx, struct vmx_cpu *cpu)
{
	if (lodge_tag_new(&vmx->vpid, &cpu->vpids))
		vmx_invvpid(VMX_VPID_EXTENT_ALL_CONTEXT, 0);
	vmx_write(VIRTUAL_PROCESSOR_ID, vmx->vpid.number);
}

/* Without VPIDs each entry and each exit drops the guest's own translations. */
static void vmx_vpid_flush(struct vmx_vcpu *vmx, struct vmx_cpu *cpu)
{
	const u64 single = VMX_CAP_VPID(VMX_VPID_EXTENT_SINGLE_CONTEXT_BIT);

	vmx->flush = false;
	if (!(vmx_caps.proc2 & SECONDARY_EXEC_ENABLE_VPID)) {
		vmx->vpid.generation = cpu->vpids.generation;
		return;
	}
	if (!lodge_tag_is_stale(&vmx->vpid, &cpu->vpids) &&
	    vmx_caps.ept & single)
		vmx_invvpid(VMX_VPID_EXTENT_SINGLE_CONTEXT, vmx->vpid.number);
	else
		vmx_vpid_new(vmx, cpu);
}

static void vmx_ept_flush(struct lodge_vcpu *vcpu)
{
	to_vmx(vcpu)->flush_nested = false;
	if (vmx_caps.ept & VMX_EPT_EXTENT_CONTEXT_BIT)
		vmx_invept(VMX_EPT_EXTENT_CONTEXT,
			   lodge_npt_eptp(&vcpu->vm->npt));
	else
		vmx_invept(VMX_EPT_EXTENT_GLOBAL, 0);
}

void vmx_vpid_prepare(struct lodge_vcpu *vcpu, struct vmx_cpu *cpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	if (vmx->flush || lodge_tag_is_stale(&vmx->vpid, &cpu->vpids))
		vmx_vpid_flush(vmx, cpu);
	if (vmx->flush_nested)
		vmx_ept_flush(vcpu);
}

void vmx_flush_tlb(struct lodge_vcpu *vcpu, bool nested)
{
	if (nested)
		to_vmx(vcpu)->flush_nested = true;
	else
		to_vmx(vcpu)->flush = true;
}
