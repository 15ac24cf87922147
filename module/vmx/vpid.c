// SPDX-License-Identifier: GPL-2.0
/*
 * Virtual-processor identifiers: each host CPU hands its own out one by one; when
 * none is left it flushes all and starts a new generation.
 *
 * A translation of the guest's own tables is tagged with the VPID, and one of the
 * nested tables with their root: each goes by an instruction of its own.
 */
#include "vmx/vmx.h"

/* VPID 0 is the host's. */
#define VMX_FIRST_VPID 1
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

/* What ran here before, in this life of VMX or an earlier one, has left its own. */
void vmx_vpid_cpu_init(struct vmx_cpu *cpu)
{
	cpu->vpid_generation++;
	cpu->next_vpid = VMX_LAST_VPID + 1;
	vmx_invept(VMX_EPT_EXTENT_GLOBAL, 0);
}

static void vmx_vpid_new(struct vmx_vcpu *vmx, struct vmx_cpu *cpu)
{
	if (cpu->next_vpid > VMX_LAST_VPID) {
		cpu->vpid_generation++;
		cpu->next_vpid = VMX_FIRST_VPID;
		vmx_invvpid(VMX_VPID_EXTENT_ALL_CONTEXT, 0);
	}
	vmx->vpid_generation = cpu->vpid_generation;
	vmx->vpid = cpu->next_vpid++;
	vmx_write(VIRTUAL_PROCESSOR_ID, vmx->vpid);
}

/* Without VPIDs each entry and each exit drops the guest's own translations. */
static void vmx_vpid_flush(struct vmx_vcpu *vmx, struct vmx_cpu *cpu)
{
	const u64 single = VMX_CAP_VPID(VMX_VPID_EXTENT_SINGLE_CONTEXT_BIT);

	vmx->flush = false;
	if (!(vmx_caps.proc2 & SECONDARY_EXEC_ENABLE_VPID)) {
		vmx->vpid_generation = cpu->vpid_generation;
		return;
	}
	if (vmx->vpid_generation == cpu->vpid_generation &&
	    vmx_caps.ept & single)
		vmx_invvpid(VMX_VPID_EXTENT_SINGLE_CONTEXT, vmx->vpid);
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

	if (vmx->flush || vmx->vpid_generation != cpu->vpid_generation)
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
