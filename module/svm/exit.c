// SPDX-License-Identifier: GPL-2.0
/*
 * From the VMCB's exit fields to the neutral exit (AMD APM vol. 2, appendix C).
 * Nothing is decided here.
 */
#include <linux/nospec.h>
#include <asm/cpufeature.h>
#include <asm/trapnr.h>

#include "svm/erratum.h"
#include "svm/svm.h"

#define SVM_IOIO_PORT_SHIFT 16
/* Of a task switch, section 15.14.1: RF as it would be saved. */
#define SVM_TASK_RF BIT_ULL(48)

/* Of the exit codes of control and debug registers, and EXITINFO1's. */
#define SVM_REGISTER_NUMBER 0xf
#define SVM_REGISTER_WRITE 0x10
#define SVM_REGISTER_MOV_CR BIT_ULL(63)

static void svm_exit_io(const struct svm_vmcb_control *control,
			struct lodge_vmexit *exit)
{
	u32 info = control->exit_info_1;

	exit->kind = LODGE_VMEXIT_IO;
	exit->io.port = info >> SVM_IOIO_PORT_SHIFT;
	exit->io.size = (info & SVM_IOIO_SIZE_MASK) >> SVM_IOIO_SIZE_SHIFT;
	exit->io.in = info & SVM_IOIO_TYPE_MASK;
	exit->io.string = info & SVM_IOIO_STR_MASK;
	exit->io.rep = info & SVM_IOIO_REP_MASK;
	/* One of three bits: 2, 4 or 8 bytes. */
	exit->io.address_size = (info & SVM_IOIO_ASIZE_MASK) >>
				(SVM_IOIO_ASIZE_SHIFT - 1);
	/* For port I/O every processor says where the next one starts. */
	exit->next_rip = control->exit_info_2;
}

/*
 * The code has the register's number; the decode assists (section 15.33.1) tell
 * which general register a MOV names.
 */
static void svm_exit_register(const struct svm_vmcb_control *control,
			      struct lodge_vmexit *exit,
			      enum lodge_vmexit_kind kind, u32 code)
{
	exit->kind = kind;
	exit->reg.number = code & SVM_REGISTER_NUMBER;
	exit->reg.write = code & SVM_REGISTER_WRITE;
	exit->reg.gpr = LODGE_VMEXIT_NO_GPR;
	if (boot_cpu_has(X86_FEATURE_DECODEASSISTS) &&
	    (kind == LODGE_VMEXIT_DR ||
	     control->exit_info_1 & SVM_REGISTER_MOV_CR))
		exit->reg.gpr = control->exit_info_1 & SVM_REGISTER_NUMBER;
}

static void svm_exit_fault(const struct svm_vmcb_control *control,
			   struct lodge_vmexit *exit)
{
	exit->kind = LODGE_VMEXIT_FAULT;
	exit->fault.error = control->exit_info_1;
	exit->fault.gpa = control->exit_info_2;
	/* No other entry of the nested tables has a reserved bit: see npt.h. */
	exit->fault.device = exit->fault.error & LODGE_PF_RESERVED;
	exit->next_rip = 0;
}

static void svm_exit_task_switch(const struct svm_vmcb_control *control,
				 struct lodge_vmexit *exit)
{
	u64 info = control->exit_info_2;

	exit->kind = LODGE_VMEXIT_TASK_SWITCH;
	exit->task.selector = control->exit_info_1;
	exit->task.resume = info & SVM_TASK_RF;
	if (info & BIT_ULL(SVM_EXITINFOSHIFT_TS_REASON_IRET))
		exit->task.cause = LODGE_TASK_IRET;
	else if (info & BIT_ULL(SVM_EXITINFOSHIFT_TS_REASON_JMP))
		exit->task.cause = LODGE_TASK_JMP;
	else if (control->exit_int_info & SVM_EXITINTINFO_VALID)
		exit->task.cause = LODGE_TASK_GATE;
	else
		exit->task.cause = LODGE_TASK_CALL;
}

/*
 * The host's handler would panic for an error that a guest can cause at will: that
 * one ends the guest alone.
 */
static enum lodge_vmexit_kind svm_machine_check(void)
{
	if (unlikely(svm_erratum_take()))
		return LODGE_VMEXIT_SHUTDOWN;
	lodge_machine_check();
	return LODGE_VMEXIT_HOST_EVENT;
}

static void svm_exit_exception(struct lodge_vcpu *vcpu,
			       struct lodge_vmexit *exit, u8 vector)
{
	exit->kind = LODGE_VMEXIT_EXCEPTION;
	exit->exception.vector = vector;
	exit->exception.error = exit->info[0];
	exit->exception.payload = 0;
	exit->next_rip = 0;

	if (vector == X86_TRAP_MC)
		exit->kind = svm_machine_check();
	else if (vector == X86_TRAP_DB && svm_event_step_done(vcpu))
		exit->kind = LODGE_VMEXIT_WINDOW;
}

/* The exit codes that translate to a kind and nothing more; others are UNKNOWN. */
static const u8 svm_plain_exits[] = {
	[SVM_EXIT_INTR] = LODGE_VMEXIT_HOST_EVENT,
	[SVM_EXIT_NMI] = LODGE_VMEXIT_HOST_EVENT,
	[SVM_EXIT_SMI] = LODGE_VMEXIT_IGNORED,
	[SVM_EXIT_INIT] = LODGE_VMEXIT_IGNORED,
	[SVM_EXIT_VINTR] = LODGE_VMEXIT_WINDOW,
	[SVM_EXIT_RDPMC] = LODGE_VMEXIT_RDPMC,
	[SVM_EXIT_CPUID] = LODGE_VMEXIT_CPUID,
	[SVM_EXIT_INVD] = LODGE_VMEXIT_INVD,
	[SVM_EXIT_WBINVD] = LODGE_VMEXIT_INVD,
	[SVM_EXIT_PAUSE] = LODGE_VMEXIT_PAUSE,
	[SVM_EXIT_HLT] = LODGE_VMEXIT_HLT,
	[SVM_EXIT_SHUTDOWN] = LODGE_VMEXIT_SHUTDOWN,
	[SVM_EXIT_VMMCALL] = LODGE_VMEXIT_HYPERCALL,
	[SVM_EXIT_MONITOR] = LODGE_VMEXIT_MONITOR,
	[SVM_EXIT_MWAIT] = LODGE_VMEXIT_MONITOR,
	[SVM_EXIT_XSETBV] = LODGE_VMEXIT_XSETBV,
	[SVM_EXIT_VMRUN] = LODGE_VMEXIT_UD,
	[SVM_EXIT_VMLOAD] = LODGE_VMEXIT_UD,
	[SVM_EXIT_VMSAVE] = LODGE_VMEXIT_UD,
	[SVM_EXIT_STGI] = LODGE_VMEXIT_UD,
	[SVM_EXIT_CLGI] = LODGE_VMEXIT_UD,
	[SVM_EXIT_SKINIT] = LODGE_VMEXIT_UD,
	[SVM_EXIT_INVLPGA] = LODGE_VMEXIT_UD,
	[SVM_EXIT_RDPRU] = LODGE_VMEXIT_UD,
};

static void svm_exit_plain(struct lodge_vmexit *exit, u32 code)
{
	exit->kind = LODGE_VMEXIT_UNKNOWN;
	if (code < ARRAY_SIZE(svm_plain_exits))
		exit->kind = svm_plain_exits[array_index_nospec(
			code, ARRAY_SIZE(svm_plain_exits))];
}

void svm_exit_translate(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit)
{
	const struct svm_vmcb_control *control = &to_svm(vcpu)->vmcb->control;
	/* The upper half of VMEXIT_INVALID is not written by every processor. */
	u32 code = control->exit_code;

	exit->code = code;
	exit->info[0] = control->exit_info_1;
	exit->info[1] = control->exit_info_2;
	exit->next_rip = boot_cpu_has(X86_FEATURE_NRIPS) ? control->next_rip :
							   0;
	exit->interrupted.type = LODGE_EVENT_NONE;
	if (unlikely(control->exit_int_info & SVM_EXITINTINFO_VALID))
		svm_event_interrupted(vcpu, &exit->interrupted);

	switch (code) {
	case SVM_EXIT_IOIO:
		svm_exit_io(control, exit);
		return;
	case SVM_EXIT_MSR:
		exit->kind = LODGE_VMEXIT_MSR;
		exit->msr.write = control->exit_info_1;
		return;
	case SVM_EXIT_RDTSC:
	case SVM_EXIT_RDTSCP:
		exit->kind = LODGE_VMEXIT_RDTSC;
		exit->rdtsc.aux = code == SVM_EXIT_RDTSCP;
		return;
	case SVM_EXIT_NPF:
		svm_exit_fault(control, exit);
		return;
	case SVM_EXIT_READ_CR0 ... SVM_EXIT_WRITE_CR8:
		svm_exit_register(control, exit, LODGE_VMEXIT_CR, code);
		return;
	case SVM_EXIT_CR0_SEL_WRITE:
		svm_exit_register(control, exit, LODGE_VMEXIT_CR,
				  SVM_EXIT_WRITE_CR0);
		return;
	case SVM_EXIT_READ_DR0 ... SVM_EXIT_WRITE_DR7 + 8:
		svm_exit_register(control, exit, LODGE_VMEXIT_DR, code);
		return;
	case SVM_EXIT_EXCP_BASE ... SVM_EXIT_LAST_EXCP:
		svm_exit_exception(vcpu, exit, code - SVM_EXIT_EXCP_BASE);
		return;
	case SVM_EXIT_IRET:
		svm_event_iret(vcpu);
		exit->kind = LODGE_VMEXIT_IGNORED;
		return;
	case SVM_EXIT_TASK_SWITCH:
		svm_exit_task_switch(control, exit);
		return;
	case (u32)SVM_EXIT_ERR:
	case SVM_EXIT_NOT_ENTERED:
		exit->kind = LODGE_VMEXIT_INVALID;
		return;
	default:
		svm_exit_plain(exit, code);
		return;
	}
}
