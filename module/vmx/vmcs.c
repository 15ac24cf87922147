// SPDX-License-Identifier: GPL-2.0
/*
 * VMCSs on the CPUs that hold them, and the part of a VMCS that stays the same
 * for its vCPU's life: controls, bitmaps, nested paging, the host's constants.
 */
#include <linux/gfp.h>
#include <linux/hardirq.h>
#include <linux/smp.h>
#include <asm/cpu_entry_area.h>
#include <asm/desc.h>
#include <asm/msr-index.h>
#include <asm/trapnr.h>

#include "compat.h"
#include "npt/npt.h"
#include "vm.h"
#include "vmx/vmx.h"

DEFINE_PER_CPU(struct vmx_vmcs *, vmx_vmcs_current);

/* The most cycles between two PAUSEs of a loop, and until the loop exits. */
#define VMX_PAUSE_GAP 128
#define VMX_PAUSE_WINDOW 4096

/*
 * #DB and #AC are intercepted because a guest could otherwise keep the processor
 * in an endless loop of exceptions, without an exit; #MC because it is the host's.
 */
#define VMX_EXCEPTIONS (BIT(X86_TRAP_DB) | BIT(X86_TRAP_AC) | BIT(X86_TRAP_MC))

static void vmx_vmptrld(u64 pa)
{
	asm volatile("1:	vmptrld %0\n2:\n" _ASM_EXTABLE(1b, 2b)
		     :
		     : "m"(pa)
		     : "cc", "memory");
}

static void vmx_vmclear(u64 pa)
{
	asm volatile("1:	vmclear %0\n2:\n" _ASM_EXTABLE(1b, 2b)
		     :
		     : "m"(pa)
		     : "cc", "memory");
}

int vmx_vmcs_alloc(struct vmx_vmcs *vmcs)
{
	vmcs->cpu = -1;
	vmcs->region = (u32 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!vmcs->region)
		return -ENOMEM;
	vmcs->region[0] = vmx_caps.revision;
	/* It begins cleared: any CPU that has VMX on can do that. */
	preempt_disable();
	vmx_vmclear(__pa(vmcs->region));
	preempt_enable();
	return 0;
}

/* A VMCS that the crash hook finds in the list is still to be cleared. */
static void vmx_vmcs_clear(struct vmx_vmcs *vmcs)
{
	vmx_vmclear(__pa(vmcs->region));
	vmcs->launched = false;
	list_del(&vmcs->link);
	if (__this_cpu_read(vmx_vmcs_current) == vmcs)
		__this_cpu_write(vmx_vmcs_current, NULL);
	/* A thread that reads -1 may put it into another list. */
	smp_store_release(&vmcs->cpu, -1);
}

static void vmx_vmcs_clear_here(void *argument)
{
	struct vmx_vmcs *vmcs = argument;

	if (vmcs->cpu == smp_processor_id())
		vmx_vmcs_clear(vmcs);
}

/* A CPU that is offline holds none. */
static void vmx_vmcs_fetch(struct vmx_vmcs *vmcs)
{
	int cpu = READ_ONCE(vmcs->cpu);

	if (cpu >= 0)
		smp_call_function_single(cpu, vmx_vmcs_clear_here, vmcs, true);
}

void vmx_vmcs_free(struct vmx_vmcs *vmcs)
{
	if (!vmcs->region)
		return;
	vmx_vmcs_fetch(vmcs);
	free_page((unsigned long)vmcs->region);
	vmcs->region = NULL;
}

void vmx_vmcs_load(struct vmx_vmcs *vmcs)
{
	int cpu = smp_processor_id();
	unsigned long flags;

	if (vmcs->cpu != cpu) {
		vmx_vmcs_fetch(vmcs);
		local_irq_save(flags);
		list_add(&vmcs->link, &this_cpu_ptr(&vmx_cpu)->loaded);
		vmcs->cpu = cpu;
		local_irq_restore(flags);
	}
	__this_cpu_write(vmx_vmcs_current, vmcs);
	/* A vCPU whose state this CPU held must load it again. */
	lodge_cpu_unload();
	vmx_vmptrld(__pa(vmcs->region));
}

void vmx_vmcs_cpu_init(int cpu)
{
	INIT_LIST_HEAD(&per_cpu_ptr(&vmx_cpu, cpu)->loaded);
	per_cpu(vmx_vmcs_current, cpu) = NULL;
}

/*
 * Forwards: a change of the list that an NMI has stopped does not disturb.  The
 * NMI of a crash itself changes nothing.
 */
void vmx_vmcs_clear_cpu(void)
{
	struct vmx_vmcs *vmcs, *next;

	if (in_nmi()) {
		list_for_each_entry(vmcs, &this_cpu_ptr(&vmx_cpu)->loaded, link)
			vmx_vmclear(__pa(vmcs->region));
		return;
	}
	list_for_each_entry_safe(vmcs, next, &this_cpu_ptr(&vmx_cpu)->loaded,
				 link)
		vmx_vmcs_clear(vmcs);
}

/*
 * Section 26.6.5: the multiplier has 16 bits before the point.  A rate that the processor
 * cannot show is shown by exits.
 */
void vmx_vmcs_scale_tsc(struct lodge_vcpu *vcpu)
{
	const struct lodge_tsc_scale *tsc = &vcpu->vm->tsc;
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	vmx->proc_fixed = vmx_caps.proc;
	if (tsc->ratio && !tsc->by_processor)
		vmx->proc_fixed |= CPU_BASED_RDTSC_EXITING;
	vmx->proc = vmx->proc_fixed;
	vmx_write(CPU_BASED_VM_EXEC_CONTROL, vmx->proc);
	if (vmx_caps.proc2 & SECONDARY_EXEC_TSC_SCALING)
		vmx_write(TSC_MULTIPLIER, tsc->by_processor ?
						  tsc->ratio :
						  BIT_ULL(VMX_TSC_SHIFT));
}

static void vmx_vmcs_init_controls(struct lodge_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	vmx->entry_controls = vmx_caps.entry;
	vmx_write(PIN_BASED_VM_EXEC_CONTROL, vmx_caps.pin);
	vmx_write(SECONDARY_VM_EXEC_CONTROL, vmx_caps.proc2);
	vmx_write(VM_EXIT_CONTROLS, vmx_caps.exit);
	vmx_write(VM_ENTRY_CONTROLS, vmx_caps.entry);
	vmx_write(EXCEPTION_BITMAP, VMX_EXCEPTIONS);
	vmx_write(PAGE_FAULT_ERROR_CODE_MASK, 0);
	vmx_write(PAGE_FAULT_ERROR_CODE_MATCH, 0);
	vmx_write(CR3_TARGET_COUNT, 0);
	/* The guest's control registers are what vcpu->regs says. */
	vmx_write(CR0_GUEST_HOST_MASK, ~0ULL);
	vmx_write(CR4_GUEST_HOST_MASK, ~0ULL);
	vmx_write(TSC_OFFSET, vcpu->tsc_offset);
	vmx_vmcs_scale_tsc(vcpu);
	vmx_write(EPT_POINTER, lodge_npt_eptp(&vcpu->vm->npt));
	vmx_write(VM_ENTRY_INTR_INFO_FIELD, 0);
}

/* Fields that are there only with a control of their own. */
static void vmx_vmcs_init_features(struct vmx_vcpu *vmx)
{
	if (vmx_caps.proc & CPU_BASED_USE_MSR_BITMAPS)
		vmx_write(MSR_BITMAP, vmx_bitmap_msr(false));
	if (vmx_caps.proc & CPU_BASED_TPR_SHADOW) {
		vmx_write(VIRTUAL_APIC_PAGE_ADDR, __pa(vmx->virtual_apic));
		vmx_write(TPR_THRESHOLD, 0);
	}
	vmx->timer = VMX_TIMER_MAX;
	if (vmx_caps_timer())
		vmx_write(VMX_PREEMPTION_TIMER_VALUE, vmx->timer);
	if (vmx_caps.proc2 & VMX_PROC2_XSAVES)
		vmx_write(XSS_EXIT_BITMAP, 0);
	if (vmx_caps.proc2 & SECONDARY_EXEC_ENCLS_EXITING)
		vmx_write(ENCLS_EXITING_BITMAP, ~0ULL);
	if (vmx_caps.proc2 & SECONDARY_EXEC_PAUSE_LOOP_EXITING) {
		vmx_write(PLE_GAP, VMX_PAUSE_GAP);
		vmx_write(PLE_WINDOW, VMX_PAUSE_WINDOW);
	}
}

/*
 * Lists of MSRs: what perf wants switched, and EFER first where the controls do
 * not switch it.
 */
static void vmx_vmcs_init_lists(struct vmx_vcpu *vmx)
{
	u32 nr = vmx_caps.switches_efer ? 0 : VMX_MSRS_EFER + 1;
	struct vmx_msr_lists *msrs = vmx->msrs;

	vmx->counters.nr = nr;
	vmx_write(VM_EXIT_MSR_STORE_COUNT, 0);
	vmx_write(VM_EXIT_MSR_LOAD_COUNT, nr);
	vmx_write(VM_ENTRY_MSR_LOAD_COUNT, nr);
	if (!msrs)
		return;
	vmx_write(VM_ENTRY_MSR_LOAD_ADDR, __pa(msrs->guest));
	vmx_write(VM_EXIT_MSR_LOAD_ADDR, __pa(msrs->host));
	if (!nr)
		return;
	msrs->guest[VMX_MSRS_EFER].index = MSR_EFER;
	msrs->host[VMX_MSRS_EFER].index = MSR_EFER;
	rdmsrq(MSR_EFER, msrs->host[VMX_MSRS_EFER].value);
}

static void vmx_vmcs_init_msrs(struct vmx_vcpu *vmx)
{
	u64 value;

	vmx_vmcs_init_lists(vmx);
	if (vmx_caps.exit & VM_EXIT_LOAD_IA32_PAT) {
		rdmsrq(MSR_IA32_CR_PAT, value);
		vmx_write(HOST_IA32_PAT, value);
	}
	if (vmx_caps.exit & VM_EXIT_LOAD_IA32_PERF_GLOBAL_CTRL) {
		rdmsrq(MSR_CORE_PERF_GLOBAL_CTRL, value);
		vmx->counters.guest_ctrl = value;
		vmx->counters.host_ctrl = value;
		vmx_write(GUEST_IA32_PERF_GLOBAL_CTRL, value);
		vmx_write(HOST_IA32_PERF_GLOBAL_CTRL, value);
	}
}

static void vmx_vmcs_init_host(void)
{
	struct desc_ptr idt;
	u64 value;

	vmx_write(HOST_CR0, read_cr0());
	vmx_write(HOST_CS_SELECTOR, __KERNEL_CS);
	vmx_write(HOST_SS_SELECTOR, __KERNEL_DS);
	vmx_write(HOST_DS_SELECTOR, 0);
	vmx_write(HOST_ES_SELECTOR, 0);
	vmx_write(HOST_FS_SELECTOR, 0);
	vmx_write(HOST_GS_SELECTOR, 0);
	vmx_write(HOST_FS_BASE, 0);
	vmx_write(HOST_TR_SELECTOR, GDT_ENTRY_TSS * 8);
	store_idt(&idt);
	vmx_write(HOST_IDTR_BASE, idt.address);
	rdmsrq(MSR_IA32_SYSENTER_CS, value);
	vmx_write(HOST_IA32_SYSENTER_CS, value);
	rdmsrq(MSR_IA32_SYSENTER_EIP, value);
	vmx_write(HOST_IA32_SYSENTER_EIP, value);
	if (vmx_caps.switches_efer) {
		rdmsrq(MSR_EFER, value);
		vmx_write(HOST_IA32_EFER, value);
	}
	vmx_write(HOST_RIP, (unsigned long)vmx_exited);
}

void vmx_vmcs_init_cpu(int cpu)
{
	u64 value;

	vmx_write(HOST_TR_BASE,
		  (unsigned long)&get_cpu_entry_area(cpu)->tss.x86_tss);
	vmx_write(HOST_GDTR_BASE, (unsigned long)get_cpu_gdt_ro(cpu));
	rdmsrq(MSR_GS_BASE, value);
	vmx_write(HOST_GS_BASE, value);
	rdmsrq(MSR_IA32_SYSENTER_ESP, value);
	vmx_write(HOST_IA32_SYSENTER_ESP, value);
}

static void vmx_vmcs_init_guest(void)
{
	vmx_write(VMCS_LINK_POINTER, ~0ULL);
	vmx_write(GUEST_IA32_DEBUGCTL, 0);
	vmx_write(GUEST_ACTIVITY_STATE, GUEST_ACTIVITY_ACTIVE);
	vmx_write(GUEST_PENDING_DBG_EXCEPTIONS, 0);
	vmx_write(GUEST_INTERRUPTIBILITY_INFO, 0);
	/* The values with which struct vmx_vcpu begins. */
	vmx_write(GUEST_RIP, 0);
	vmx_write(GUEST_RSP, 0);
	vmx_write(GUEST_RFLAGS, 0);
}

void vmx_vmcs_init(struct lodge_vcpu *vcpu)
{
	vmx_begin(vcpu);
	vmx_vmcs_init_controls(vcpu);
	vmx_vmcs_init_features(to_vmx(vcpu));
	vmx_vmcs_init_msrs(to_vmx(vcpu));
	vmx_vmcs_init_host();
	vmx_vmcs_init_guest();
	vmx_end();
}
