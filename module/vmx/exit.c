// SPDX-License-Identifier: GPL-2.0
/*
 * From the VMCS's exit fields to the neutral exit (Intel SDM vol. 3, section 25.9
 * and appendix C).  Nothing is decided here.
 */
#include <linux/nospec.h>
#include <asm/cpufeature.h>
#include <asm/trapnr.h>

#include "vmx/vmx.h"

/* Instructions of TDX, which <asm/vmx.h> does not know yet. */
#define EXIT_REASON_SEAMCALL 76
#define EXIT_REASON_TDCALL 77

#define VMX_AR_L BIT(13)

/* Exit qualifications: section 28.2.1. */
#define VMX_IO_SIZE 7
#define VMX_IO_IN BIT(3)
#define VMX_IO_STRING BIT(4)
#define VMX_IO_REP BIT(5)
#define VMX_IO_PORT_SHIFT 16
/* VM-exit instruction information of INS and OUTS: table 28-8. */
#define VMX_STRING_ADDRESS_SHIFT 7
#define VMX_STRING_ADDRESS_MASK 7
#define VMX_CR_NUMBER 0xf
#define VMX_CR_TYPE_SHIFT 4
#define VMX_CR_TYPE_MASK 3
#define VMX_DR_NUMBER 7
#define VMX_DR_FROM BIT(4)
#define VMX_REGISTER_GPR_SHIFT 8
#define VMX_REGISTER_GPR_MASK 0xf
#define VMX_TASK_CAUSE_SHIFT 30
#define VMX_FAULT_WRITE BIT(1)
#define VMX_FAULT_FETCH BIT(2)
#define VMX_FAULT_PRESENT GENMASK(5, 3)
#define VMX_FAULT_UNBLOCKED_NMI BIT(12)

static bool vmx_in_64bit(const struct lodge_vcpu *vcpu)
{
	return vcpu->regs.control.efer & EFER_LMA &&
	       vmx_read(GUEST_CS_AR_BYTES) & VMX_AR_L;
}

static u64 vmx_next_rip(const struct lodge_vcpu *vcpu)
{
	u64 rip = vcpu->regs.general.rip;
	u64 next = rip + vmx_read(VM_EXIT_INSTRUCTION_LEN);

	/* Only 64-bit code goes on beyond 4 GiB. */
	if (unlikely((rip ^ next) >> 32) && !vmx_in_64bit(vcpu))
		next = (u32)next;
	return next;
}

static u8 vmx_string_address_size(void)
{
	u32 info = vmx_read(VMX_INSTRUCTION_INFO) >> VMX_STRING_ADDRESS_SHIFT;

	return 2 << (info & VMX_STRING_ADDRESS_MASK);
}

static void vmx_exit_io(struct lodge_vmexit *exit)
{
	u32 info = vmx_read(EXIT_QUALIFICATION);

	exit->kind = LODGE_VMEXIT_IO;
	exit->io.port = info >> VMX_IO_PORT_SHIFT;
	exit->io.size = (info & VMX_IO_SIZE) + 1;
	exit->io.in = info & VMX_IO_IN;
	exit->io.string = info & VMX_IO_STRING;
	exit->io.rep = info & VMX_IO_REP;
	exit->io.address_size = 0;
	if (unlikely(exit->io.string) && vmx_caps.describes_strings)
		exit->io.address_size = vmx_string_address_size();
}

/* CLTS and LMSW, whose numbers are not defined, write CR0. */
static void vmx_exit_cr(struct lodge_vmexit *exit)
{
	enum { TYPE_MOV_TO, TYPE_MOV_FROM, TYPE_CLTS, TYPE_LMSW };
	u64 info = vmx_read(EXIT_QUALIFICATION);
	u8 type = info >> VMX_CR_TYPE_SHIFT & VMX_CR_TYPE_MASK;

	exit->kind = LODGE_VMEXIT_CR;
	exit->reg.number = 0;
	exit->reg.write = type != TYPE_MOV_FROM;
	exit->reg.gpr = LODGE_VMEXIT_NO_GPR;
	if (type > TYPE_MOV_FROM)
		return;
	exit->reg.number = info & VMX_CR_NUMBER;
	exit->reg.gpr = info >> VMX_REGISTER_GPR_SHIFT & VMX_REGISTER_GPR_MASK;
}

static void vmx_exit_dr(struct lodge_vmexit *exit)
{
	u64 info = vmx_read(EXIT_QUALIFICATION);

	exit->kind = LODGE_VMEXIT_DR;
	exit->reg.number = info & VMX_DR_NUMBER;
	exit->reg.write = !(info & VMX_DR_FROM);
	exit->reg.gpr = info >> VMX_REGISTER_GPR_SHIFT & VMX_REGISTER_GPR_MASK;
}

/*
 * An IRET that faults here has let NMIs in already; it will be repeated.  In the
 * delivery of an event the bit that says so means nothing.
 */
static void vmx_exit_unblocked(struct lodge_vcpu *vcpu)
{
	if (!(vmx_read(IDT_VECTORING_INFO_FIELD) & VECTORING_INFO_VALID_MASK))
		vmx_event_iret(to_vmx(vcpu));
}

static void vmx_exit_fault(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit)
{
	u64 info = vmx_read(EXIT_QUALIFICATION);

	exit->kind = LODGE_VMEXIT_FAULT;
	exit->next_rip = 0;
	exit->fault.gpa = vmx_read(GUEST_PHYSICAL_ADDRESS);
	exit->fault.device = false;
	exit->fault.error = 0;
	if (info & VMX_FAULT_WRITE)
		exit->fault.error |= LODGE_PF_WRITE;
	if (info & VMX_FAULT_FETCH)
		exit->fault.error |= LODGE_PF_FETCH;
	if (info & VMX_FAULT_PRESENT)
		exit->fault.error |= LODGE_PF_PRESENT;
	if (unlikely(info & VMX_FAULT_UNBLOCKED_NMI))
		vmx_exit_unblocked(vcpu);
}

/*
 * The entry that the nested tables have for devices (see npt.h).
 *
 * The length of an instruction that meets it is not defined (section 28.2.5).
 * Processors write it all the same, but of a compare and a jump, which they carry out as
 * one, that of both; a hypervisor below may leave there what was there.
 */
static void vmx_exit_device(const struct lodge_vcpu *vcpu,
			    struct lodge_vmexit *exit)
{
	exit->kind = LODGE_VMEXIT_FAULT;
	exit->next_rip = 0;
	if (!cpu_feature_enabled(X86_FEATURE_HYPERVISOR))
		exit->next_rip = vmx_next_rip(vcpu);
	exit->fault.gpa = vmx_read(GUEST_PHYSICAL_ADDRESS);
	exit->fault.device = true;
	exit->fault.error = 0;
}

/* RFLAGS is what would have been saved (section 28.3.3). */
static void vmx_exit_task_switch(struct lodge_vcpu *vcpu,
				 struct lodge_vmexit *exit)
{
	static const u8 causes[] = { LODGE_TASK_CALL, LODGE_TASK_IRET,
				     LODGE_TASK_JMP, LODGE_TASK_GATE };
	u32 info = vmx_read(EXIT_QUALIFICATION);

	exit->kind = LODGE_VMEXIT_TASK_SWITCH;
	exit->task.selector = info;
	exit->task.cause = causes[info >> VMX_TASK_CAUSE_SHIFT];
	exit->task.resume = vcpu->regs.general.rflags & X86_EFLAGS_RF;
	exit->next_rip = vmx_next_rip(vcpu);
}

/* The trap of INT1 is taken behind it, but this exit leaves RIP at it. */
static void vmx_exit_debug(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit,
			   u32 info)
{
	exit->exception.payload = vmx_read(EXIT_QUALIFICATION);
	if ((info & INTR_INFO_INTR_TYPE_MASK) == INTR_TYPE_PRIV_SW_EXCEPTION)
		vcpu->regs.general.rip = vmx_next_rip(vcpu);
}

static void vmx_exit_exception(struct lodge_vcpu *vcpu,
			       struct lodge_vmexit *exit)
{
	u32 info = vmx_read(VM_EXIT_INTR_INFO);

	exit->next_rip = 0;
	/* The world switch has called the handler. */
	if ((info & INTR_INFO_INTR_TYPE_MASK) == INTR_TYPE_NMI_INTR) {
		exit->kind = LODGE_VMEXIT_HOST_EVENT;
		return;
	}
	exit->kind = LODGE_VMEXIT_EXCEPTION;
	exit->exception.vector = info & INTR_INFO_VECTOR_MASK;
	exit->exception.payload = 0;
	exit->exception.error = 0;
	if (info & INTR_INFO_DELIVER_CODE_MASK)
		exit->exception.error = vmx_read(VM_EXIT_INTR_ERROR_CODE);
	if (info & INTR_INFO_UNBLOCK_NMI)
		vmx_exit_unblocked(vcpu);

	if (exit->exception.vector == X86_TRAP_MC) {
		lodge_machine_check();
		exit->kind = LODGE_VMEXIT_HOST_EVENT;
	} else if (exit->exception.vector == X86_TRAP_DB) {
		vmx_exit_debug(vcpu, exit, info);
	}
}

/* The exits that translate to a kind and nothing more; others are UNKNOWN. */
static const u8 vmx_plain_exits[] = {
	[EXIT_REASON_EXTERNAL_INTERRUPT] = LODGE_VMEXIT_HOST_EVENT,
	[EXIT_REASON_TRIPLE_FAULT] = LODGE_VMEXIT_SHUTDOWN,
	[EXIT_REASON_INIT_SIGNAL] = LODGE_VMEXIT_IGNORED,
	[EXIT_REASON_INTERRUPT_WINDOW] = LODGE_VMEXIT_WINDOW,
	[EXIT_REASON_NMI_WINDOW] = LODGE_VMEXIT_WINDOW,
	[EXIT_REASON_CPUID] = LODGE_VMEXIT_CPUID,
	[EXIT_REASON_HLT] = LODGE_VMEXIT_HLT,
	[EXIT_REASON_INVD] = LODGE_VMEXIT_INVD,
	[EXIT_REASON_RDPMC] = LODGE_VMEXIT_RDPMC,
	[EXIT_REASON_VMCALL] = LODGE_VMEXIT_HYPERCALL,
	[EXIT_REASON_VMCLEAR] = LODGE_VMEXIT_UD,
	[EXIT_REASON_VMLAUNCH] = LODGE_VMEXIT_UD,
	[EXIT_REASON_VMPTRLD] = LODGE_VMEXIT_UD,
	[EXIT_REASON_VMPTRST] = LODGE_VMEXIT_UD,
	[EXIT_REASON_VMREAD] = LODGE_VMEXIT_UD,
	[EXIT_REASON_VMRESUME] = LODGE_VMEXIT_UD,
	[EXIT_REASON_VMWRITE] = LODGE_VMEXIT_UD,
	[EXIT_REASON_VMOFF] = LODGE_VMEXIT_UD,
	[EXIT_REASON_VMON] = LODGE_VMEXIT_UD,
	[EXIT_REASON_MWAIT_INSTRUCTION] = LODGE_VMEXIT_MONITOR,
	[EXIT_REASON_MONITOR_INSTRUCTION] = LODGE_VMEXIT_MONITOR,
	[EXIT_REASON_PAUSE_INSTRUCTION] = LODGE_VMEXIT_PAUSE,
	[EXIT_REASON_INVEPT] = LODGE_VMEXIT_UD,
	[EXIT_REASON_INVVPID] = LODGE_VMEXIT_UD,
	[EXIT_REASON_WBINVD] = LODGE_VMEXIT_INVD,
	[EXIT_REASON_PREEMPTION_TIMER] = LODGE_VMEXIT_TIMER,
	[EXIT_REASON_XSETBV] = LODGE_VMEXIT_XSETBV,
	[EXIT_REASON_VMFUNC] = LODGE_VMEXIT_UD,
	[EXIT_REASON_ENCLS] = LODGE_VMEXIT_UD,
	[EXIT_REASON_SEAMCALL] = LODGE_VMEXIT_UD,
	[EXIT_REASON_TDCALL] = LODGE_VMEXIT_UD,
};

static void vmx_exit_plain(struct lodge_vmexit *exit, u32 reason)
{
	exit->kind = LODGE_VMEXIT_UNKNOWN;
	if (reason < ARRAY_SIZE(vmx_plain_exits))
		exit->kind = vmx_plain_exits[array_index_nospec(
			reason, ARRAY_SIZE(vmx_plain_exits))];
	if (unlikely(exit->kind == LODGE_VMEXIT_UNKNOWN)) {
		exit->info[0] = vmx_read(EXIT_QUALIFICATION);
		exit->info[1] = vmx_read(GUEST_PHYSICAL_ADDRESS);
	}
}

/*
 * The processor has refused the guest's state; or VMLAUNCH or VMRESUME has failed, or
 * faulted: then there is no number.
 */
static void vmx_exit_refused(const struct vmx_vcpu *vmx,
			     struct lodge_vmexit *exit)
{
	exit->kind = LODGE_VMEXIT_INVALID;
	if (vmx->failed)
		exit->code = vmx_read(VM_INSTRUCTION_ERROR);
	else if ((u16)vmx->reason == EXIT_REASON_MCE_DURING_VMENTRY)
		lodge_machine_check();
}

void vmx_exit_translate(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	u32 reason = vmx->reason;
	u32 vectoring;

	exit->interrupted.type = LODGE_EVENT_NONE;
	exit->next_rip = 0;
	exit->code = reason;
	if (unlikely(reason & VMX_EXIT_REFUSED)) {
		vmx_exit_refused(vmx, exit);
		return;
	}
	vmx->vmcs.launched = true;
	vectoring = vmx_read(IDT_VECTORING_INFO_FIELD);
	if (unlikely(vectoring & VECTORING_INFO_VALID_MASK))
		vmx_event_interrupted(vcpu, vectoring, &exit->interrupted);

	switch (reason) {
	case EXIT_REASON_EXCEPTION_NMI:
		vmx_exit_exception(vcpu, exit);
		return;
	case EXIT_REASON_IO_INSTRUCTION:
		vmx_exit_io(exit);
		break;
	case EXIT_REASON_MSR_READ:
	case EXIT_REASON_MSR_WRITE:
		exit->kind = LODGE_VMEXIT_MSR;
		exit->msr.write = reason == EXIT_REASON_MSR_WRITE;
		break;
	case EXIT_REASON_RDTSC:
	case EXIT_REASON_RDTSCP:
		exit->kind = LODGE_VMEXIT_RDTSC;
		exit->rdtsc.aux = reason == EXIT_REASON_RDTSCP;
		break;
	case EXIT_REASON_CR_ACCESS:
		vmx_exit_cr(exit);
		break;
	case EXIT_REASON_DR_ACCESS:
		vmx_exit_dr(exit);
		break;
	case EXIT_REASON_EPT_VIOLATION:
		vmx_exit_fault(vcpu, exit);
		return;
	case EXIT_REASON_EPT_MISCONFIG:
		vmx_exit_device(vcpu, exit);
		return;
	case EXIT_REASON_TASK_SWITCH:
		vmx_exit_task_switch(vcpu, exit);
		return;
	default:
		vmx_exit_plain(exit, reason);
		break;
	}
	/* The rest are instructions, or events that nobody skips. */
	exit->next_rip = vmx_next_rip(vcpu);
}
