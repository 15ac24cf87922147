// SPDX-License-Identifier: GPL-2.0
/*
 * VT-x: whether the processor has it, switching it on and off on a CPU, and the
 * vendor part of a vCPU.
 */
#include <linux/cpu.h>
#include <linux/slab.h>
#include <asm/cpufeature.h>
#include <asm/desc.h>
#include <asm/msr-index.h>
#include <asm/perf_event.h>
#include <asm/processor-flags.h>
#include <asm/tlbflush.h>

#include "compat.h"
#include "npt/npt.h"
#include "userreturn.h"
#include "vmx/check.h"
#include "vmx/vmx.h"

#define VMX_CPUID_VMX BIT(5) /* of leaf 1, ECX */

DEFINE_PER_CPU(struct vmx_cpu, vmx_cpu);

static struct lodge_npt_format vmx_format;
static struct vmx_check_host vmx_host;

/* Intel SDM vol. 3, sections 24.6 and 24.7. */
static enum lodge_status vmx_probe(void)
{
	const u64 enabled = FEAT_CTL_LOCKED | FEAT_CTL_VMX_ENABLED_OUTSIDE_SMX;
	u64 control;

	/* VMX is also what Zhaoxin calls its own. */
	if (cpuid_eax(0) < 1 || !(cpuid_ecx(1) & VMX_CPUID_VMX) ||
	    boot_cpu_data.x86_vendor == X86_VENDOR_AMD)
		return LODGE_STATUS_NO_VIRTUALIZATION;
	/* The kernel has set it where the firmware had left it open. */
	if (rdmsrq_safe(MSR_IA32_FEAT_CTL, &control) ||
	    (control & enabled) != enabled)
		return LODGE_STATUS_FIRMWARE_DISABLED;
	if (lodge_host_has_fred())
		return LODGE_STATUS_FRED;
	return vmx_caps_init();
}

static void vmx_free_cpus(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct vmx_cpu *vmx = per_cpu_ptr(&vmx_cpu, cpu);

		free_page((unsigned long)vmx->vmxon);
		vmx->vmxon = NULL;
	}
}

static int vmx_alloc_cpus(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct vmx_cpu *vmx = per_cpu_ptr(&vmx_cpu, cpu);

		vmx->vmxon = (u32 *)get_zeroed_page(GFP_KERNEL);
		if (!vmx->vmxon) {
			vmx_free_cpus();
			return -ENOMEM;
		}
		vmx->vmxon[0] = vmx_caps.revision;
		vmx_vmcs_cpu_init(cpu);
	}
	return 0;
}

static void vmx_teardown(void)
{
	vmx_flush_teardown();
	vmx_bitmap_exit();
	vmx_free_cpus();
}

/*
 * The guest's memory types count only where its PAT does.  A processor with the
 * erratum "iTLB multihit" stops when a guest changes the size of a page under
 * which it executes: then only small pages are executable.
 */
static int vmx_setup_format(void)
{
	bool types = boot_cpu_has(X86_FEATURE_SELFSNOOP) &&
		     vmx_caps.entry & VM_ENTRY_LOAD_IA32_PAT;
	int error = lodge_npt_format_ept(&vmx_format, vmx_caps.ept,
					 boot_cpu_data.x86_phys_bits, types);

	vmx_format.small_exec = boot_cpu_has_bug(X86_BUG_ITLB_MULTIHIT) &&
				!cpu_mitigations_off();
	return error;
}

static u64 vmx_info_flags(void)
{
	u64 flags = LODGE_INFO_NEXT_RIP;

	if (vmx_caps.proc2 & SECONDARY_EXEC_ENABLE_VPID)
		flags |= LODGE_INFO_FLUSH_BY_ASID;
	if (vmx_caps.ept & VMX_EPT_1GB_PAGE_BIT)
		flags |= LODGE_INFO_HUGE_1G;
	if (vmx_caps.proc2 & SECONDARY_EXEC_TSC_SCALING)
		flags |= LODGE_INFO_TSC_SCALING;
	return flags;
}

static int vmx_setup(void)
{
	int error = vmx_setup_format();

	vmx_caps_describe(&vmx_host);
	lodge_vmx_backend.info_flags = vmx_info_flags();
	lodge_vmx_backend.has_timer = vmx_caps_timer();
	if (vmx_caps.proc2 & SECONDARY_EXEC_TSC_SCALING) {
		lodge_vmx_backend.tsc_shift = VMX_TSC_SHIFT;
		lodge_vmx_backend.tsc_bits = 64;
	}
	if (!error)
		error = vmx_alloc_cpus();
	if (!error)
		error = vmx_bitmap_init();
	if (!error)
		error = vmx_flush_setup();
	if (error)
		vmx_teardown();
	return error;
}

static bool vmx_cpu_busy(void)
{
	return __read_cr4() & X86_CR4_VMXE;
}

/* Return: true if VMX is on; it faults where another CPU's firmware forbids it. */
static bool vmx_vmxon(u64 pa)
{
	bool failed = true;

	asm volatile("1:	vmxon %[pa]\n"
		     "	setna %[failed]\n"
		     "2:\n" _ASM_EXTABLE(1b, 2b)
		     : [failed] "+qm"(failed)
		     : [pa] "m"(pa)
		     : "cc", "memory");
	return !failed;
}

static int vmx_cpu_enable(void)
{
	struct vmx_cpu *cpu = this_cpu_ptr(&vmx_cpu);

	if (vmx_cpu_busy())
		return -EBUSY;
	intel_pt_handle_vmx(1);
	cr4_set_bits_irqsoff(X86_CR4_VMXE);
	if (!vmx_vmxon(__pa(cpu->vmxon))) {
		cr4_clear_bits_irqsoff(X86_CR4_VMXE);
		intel_pt_handle_vmx(0);
		return -EIO;
	}
	vmx_vpid_cpu_init(cpu);
	return 0;
}

static void vmx_cpu_disable(void)
{
	if (!vmx_cpu_busy())
		return;
	vmx_vmcs_clear_cpu();
	asm volatile("1:	vmxoff\n2:\n" _ASM_EXTABLE(1b, 2b)
		     :
		     :
		     : "cc", "memory");
	cr4_clear_bits_irqsoff(X86_CR4_VMXE);
	intel_pt_handle_vmx(0);
}

/* Each exit leaves limits that are greater, and smaller, than the host's. */
static void vmx_cpu_leave(void)
{
	load_fixmap_gdt(smp_processor_id());
	invalidate_tss_limit();
}

static void vmx_vcpu_fini(struct lodge_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	if (!vmx)
		return;
	vmx_vmcs_free(&vmx->vmcs);
	free_page((unsigned long)vmx->virtual_apic);
	free_page((unsigned long)vmx->msrs);
	kfree(vmx);
	vcpu->backend = NULL;
}

static int vmx_vcpu_alloc(struct vmx_vcpu *vmx)
{
	int error = vmx_vmcs_alloc(&vmx->vmcs);

	if (error)
		return error;
	if (vmx_caps.proc & CPU_BASED_TPR_SHADOW) {
		vmx->virtual_apic = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
		if (!vmx->virtual_apic)
			return -ENOMEM;
	}
	if (!vmx_caps.switches_efer || vmx_caps.has_counters) {
		vmx->msrs = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
		if (!vmx->msrs)
			return -ENOMEM;
	}
	return 0;
}

static int vmx_vcpu_init(struct lodge_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = kzalloc(sizeof(*vmx), GFP_KERNEL_ACCOUNT);
	int error;

	if (!vmx)
		return -ENOMEM;
	vcpu->backend = vmx;
	error = vmx_vcpu_alloc(vmx);
	if (error) {
		vmx_vcpu_fini(vcpu);
		return error;
	}
	vmx->entry.general = &vcpu->regs.general;
	vmx_vmcs_init(vcpu);
	vmx_set_state(vcpu, LODGE_GROUPS_INLINE);
	return 0;
}

void vmx_load_syscall(struct lodge_vcpu *vcpu)
{
	const struct lodge_msrs *msrs = &vcpu->regs.msrs;

	if (!(vcpu->regs.control.efer & EFER_SCE))
		return;
	lodge_userreturn_set(LODGE_USERRETURN_STAR, msrs->star);
	lodge_userreturn_set(LODGE_USERRETURN_LSTAR, msrs->lstar);
	lodge_userreturn_set(LODGE_USERRETURN_SFMASK, msrs->sfmask);
}

static void vmx_vcpu_load(struct lodge_vcpu *vcpu, int cpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	vmx_begin(vcpu);
	if (vcpu->cpu != cpu) {
		vmx_vmcs_init_cpu(cpu);
		/* It may hold what was flushed while the vCPU was elsewhere. */
		lodge_tag_drop(&vmx->vpid);
		vmx->flush_nested = true;
	}
	vmx_run_load(vmx);
	vmx_end();
	lodge_userreturn_arm();
	vmx_load_syscall(vcpu);
}

static void vmx_skip(struct lodge_vcpu *vcpu, u64 rip)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	vcpu->regs.general.rip = rip;
	if (likely(!(vmx->interruptibility & VMX_SHADOW)))
		return;
	vmx->interruptibility &= ~VMX_SHADOW;
	/* The trap that waited for it is raised by the core. */
	vmx_begin(vcpu);
	vmx_write(GUEST_PENDING_DBG_EXCEPTIONS, 0);
	vmx_end();
}

static void vmx_tsc_offset(struct lodge_vcpu *vcpu, u64 offset)
{
	vmx_begin(vcpu);
	vmx_write(TSC_OFFSET, offset);
	vmx_end();
}

static void vmx_tsc_scale(struct lodge_vcpu *vcpu)
{
	vmx_begin(vcpu);
	vmx_vmcs_scale_tsc(vcpu);
	vmx_end();
}

static u64 vmx_check_field(void *unused, u32 field)
{
	return vmx_read(field);
}

static u32 vmx_check_rules(struct lodge_vcpu *vcpu, struct lodge_rule *rules,
			   u32 max)
{
	u32 found;

	vmx_begin(vcpu);
	found = vmx_check(vmx_check_field, NULL, &vmx_host, rules, max);
	vmx_end();
	return found;
}

struct lodge_backend lodge_vmx_backend __ro_after_init = {
	.name = "vmx",
	.format = &vmx_format,

	.probe = vmx_probe,
	.setup = vmx_setup,
	.teardown = vmx_teardown,
	.cpu_busy = vmx_cpu_busy,
	.cpu_enable = vmx_cpu_enable,
	.cpu_disable = vmx_cpu_disable,
	.cpu_leave = vmx_cpu_leave,
	.feature = vmx_caps_feature,

	.vm_init = vmx_flush_warn,

	.vcpu_size = sizeof(struct vmx_vcpu) + 3 * PAGE_SIZE,
	.vcpu_init = vmx_vcpu_init,
	.vcpu_fini = vmx_vcpu_fini,
	.vcpu_load = vmx_vcpu_load,

	.get_state = vmx_get_state,
	.set_state = vmx_set_state,
	.set_pdptes = vmx_set_pdptes,

	.run = vmx_run,
	.skip = vmx_skip,
	.inject = vmx_inject,
	.interruptibility = vmx_interruptibility,
	.window = vmx_window,

	.flush_tlb = vmx_flush_tlb,
	.tsc_offset = vmx_tsc_offset,
	.tsc_scale = vmx_tsc_scale,
	.check = vmx_check_rules,
};
