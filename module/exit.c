// SPDX-License-Identifier: GPL-2.0
/*
 * One switch over the neutral exits, without a default: the compiler finds the
 * one that was forgotten.
 */
#include <linux/sched.h>
#include <asm/cpu.h>
#include <asm/cpufeature.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "apic.h"
#include "backend.h"
#include "compat.h"
#include "cr.h"
#include "debugreg.h"
#include "emulate.h"
#include "emulation.h"
#include "event.h"
#include "exit.h"
#include "insn.h"
#include "mem.h"
#include "page_fault.h"
#include "policy.h"
#include "portio.h"
#include "pv.h"
#include "request.h"
#include "state.h"
#include "task_switch.h"
#include "vcpu.h"
#include "vm.h"
#include "yield.h"

/* Counters that every AMD processor has. */
#define LODGE_NR_COUNTERS 4

static u64 lodge_exit_pair(const struct lodge_vcpu *vcpu)
{
	const __u64 *gpr = vcpu->regs.general.gpr;

	return (u32)gpr[LODGE_RAX] | gpr[LODGE_RDX] << 32;
}

static void lodge_exit_set_pair(struct lodge_vcpu *vcpu, u64 value)
{
	__u64 *gpr = vcpu->regs.general.gpr;

	gpr[LODGE_RAX] = (u32)value;
	gpr[LODGE_RDX] = value >> 32;
}

static enum lodge_outcome lodge_exit_skip(struct lodge_vcpu *vcpu,
					  const struct lodge_vmexit *exit)
{
	lodge_insn_done(vcpu, exit->next_rip);
	return LODGE_ENTER_AGAIN;
}

static enum lodge_outcome lodge_exit_raise(struct lodge_vcpu *vcpu, u8 vector)
{
	lodge_event_raise(&vcpu->delivery, vector, 0);
	return LODGE_ENTER_AGAIN;
}

static enum lodge_outcome lodge_exit_cpuid(struct lodge_vcpu *vcpu,
					   const struct lodge_vmexit *exit)
{
	__u64 *gpr = vcpu->regs.general.gpr;
	const u32 *answer =
		lodge_cpuid_answer(vcpu, gpr[LODGE_RAX], gpr[LODGE_RCX]);

	gpr[LODGE_RAX] = answer[0];
	gpr[LODGE_RBX] = answer[1];
	gpr[LODGE_RCX] = answer[2];
	gpr[LODGE_RDX] = answer[3];
	return lodge_exit_skip(vcpu, exit);
}

static enum lodge_outcome lodge_exit_msr(struct lodge_vcpu *vcpu,
					 const struct lodge_vmexit *exit)
{
	u32 index = vcpu->regs.general.gpr[LODGE_RCX];
	u64 value;
	bool gp;

	if (exit->msr.write) {
		gp = lodge_msr_write(vcpu, index, lodge_exit_pair(vcpu));
	} else {
		gp = lodge_msr_read(vcpu, index, &value);
		if (!gp)
			lodge_exit_set_pair(vcpu, value);
	}
	if (gp)
		return lodge_exit_raise(vcpu, X86_TRAP_GP);
	return lodge_exit_skip(vcpu, exit);
}

static enum lodge_outcome lodge_exit_hlt(struct lodge_vcpu *vcpu,
					 const struct lodge_vmexit *exit)
{
	lodge_insn_done(vcpu, exit->next_rip);
	/* A pending single-step trap comes before the halt. */
	if (vcpu->delivery.exception.type == LODGE_EVENT_NONE)
		vcpu->delivery.mp_state = LODGE_MP_HALTED;
	return LODGE_ENTER_AGAIN;
}

static enum lodge_outcome
lodge_exit_memory_error(struct lodge_vcpu *vcpu,
			const struct lodge_vmexit *exit, u64 hva, int error)
{
	struct lodge_exit_memory *memory = &vcpu->answer.exit.memory;

	memory->gpa = exit->fault.gpa;
	memory->hva = hva;
	memory->error = -error;
	memory->write = !!(exit->fault.error & LODGE_PF_WRITE);
	vcpu->answer.reason = LODGE_EXIT_MEMORY_ERROR;
	return LODGE_TO_USER;
}

/* Code on a device, and the delivery of an event, cannot be emulated. */
static int lodge_exit_mmio(struct lodge_vcpu *vcpu,
			   const struct lodge_vmexit *exit)
{
	vcpu->emulation->insn_bytes.length = 0;
	if (exit->fault.error & LODGE_PF_FETCH ||
	    exit->interrupted.type != LODGE_EVENT_NONE)
		return lodge_insn_refuse(vcpu, exit->fault.gpa);
	return lodge_emulate_mmio(vcpu, exit);
}

/*
 * The nested tables, not the slots, have said that this is a device.  Memory may
 * have come there since: the emulator then uses that, and the guest tries an
 * instruction again that the emulator does not know.  A fetch looks like any other
 * access here, and ends as the emulator's own.
 */
static int lodge_exit_device(struct lodge_vcpu *vcpu,
			     const struct lodge_vmexit *exit)
{
	int outcome = lodge_exit_mmio(vcpu, exit);

	if (outcome == LODGE_CANNOT_EMULATE &&
	    lodge_mem_user(vcpu->vm, exit->fault.gpa, false))
		return LODGE_ENTER_AGAIN;
	return outcome;
}

static int lodge_exit_fault(struct lodge_vcpu *vcpu,
			    const struct lodge_vmexit *exit)
{
	u64 hva = 0;
	int error;

	if (exit->fault.device)
		return lodge_exit_device(vcpu, exit);
	error = lodge_mem_fault(vcpu, exit->fault.gpa, exit->fault.error, &hva);
	/* -EINTR: the run loop finds the signal. */
	if (likely(!error) || error == -EINTR)
		return LODGE_ENTER_AGAIN;
	if (error == -ENXIO || error == -EROFS)
		return lodge_exit_mmio(vcpu, exit);
	return lodge_exit_memory_error(vcpu, exit, hva, error);
}

static bool lodge_exit_is_debugreg(const struct lodge_insn *insn)
{
	return insn->op == LODGE_OP_MOV_FROM_DR ||
	       insn->op == LODGE_OP_MOV_TO_DR;
}

/*
 * True if the instruction that was read is the one that has left the guest, as far
 * as the processor has described that: another vCPU may have written there.
 */
static bool lodge_exit_same_register(const struct lodge_insn *insn,
				     const struct lodge_vmexit *exit)
{
	if (lodge_exit_is_debugreg(insn))
		return lodge_debugreg_same(insn, exit);
	return lodge_cr_same(insn, exit);
}

static enum lodge_outcome lodge_exit_execute(struct lodge_vcpu *vcpu)
{
	const struct lodge_insn *insn = &vcpu->emulation->emul.insn;
	enum lodge_execute answer = lodge_exit_is_debugreg(insn) ?
					    lodge_debugreg_execute(vcpu) :
					    lodge_cr_execute(vcpu);

	switch (answer) {
	case LODGE_EXECUTE_DONE:
		lodge_insn_done(vcpu,
				lodge_insn_next_rip(&vcpu->regs.general,
						    insn->mode, insn->length));
		return LODGE_ENTER_AGAIN;
	case LODGE_EXECUTE_GP:
		return lodge_exit_raise(vcpu, X86_TRAP_GP);
	case LODGE_EXECUTE_RAISED:
		return LODGE_ENTER_AGAIN;
	case LODGE_EXECUTE_UNKNOWN:
		break;
	}
	return lodge_insn_refuse(vcpu, ~0ULL);
}

/* An instruction that the processor does not describe: decode it first. */
static int lodge_exit_register(struct lodge_vcpu *vcpu,
			       const struct lodge_vmexit *exit)
{
	const struct lodge_insn *insn = &vcpu->emulation->emul.insn;
	int answer = lodge_insn_fetch(vcpu);

	if (answer)
		return lodge_insn_changed(vcpu, answer);
	if (unlikely(!lodge_exit_same_register(insn, exit)))
		return LODGE_ENTER_AGAIN;
	/* SMSW and LMSW: the operand may be on a device. */
	if (insn->operand[0].kind == LODGE_OPERAND_MEMORY)
		return lodge_emulate_instruction(vcpu);
	return lodge_exit_execute(vcpu);
}

static enum lodge_outcome lodge_exit_xsetbv(struct lodge_vcpu *vcpu,
					    const struct lodge_vmexit *exit)
{
	u32 index = vcpu->regs.general.gpr[LODGE_RCX];

	lodge_backend->get_state(vcpu, LODGE_GROUP_SEGMENTS);
	if (lodge_state_cpl(vcpu) || index ||
	    lodge_control_set_xcr0(vcpu, lodge_exit_pair(vcpu)))
		return lodge_exit_raise(vcpu, X86_TRAP_GP);
	return lodge_exit_skip(vcpu, exit);
}

static enum lodge_outcome lodge_exit_rdpmc(struct lodge_vcpu *vcpu,
					   const struct lodge_vmexit *exit)
{
	u32 index = vcpu->regs.general.gpr[LODGE_RCX];
	u64 value;

	if (index >= LODGE_NR_COUNTERS)
		return lodge_exit_raise(vcpu, X86_TRAP_GP);
	/* A vCPU of another vendor lacks these MSRs: its counters read as zero. */
	if (lodge_msr_read(vcpu, MSR_K7_PERFCTR0 + index, &value))
		value = 0;
	lodge_exit_set_pair(vcpu, value);
	return lodge_exit_skip(vcpu, exit);
}

/* The guest's counter has another rate than the processor can show. */
static enum lodge_outcome lodge_exit_rdtsc(struct lodge_vcpu *vcpu,
					   const struct lodge_vmexit *exit)
{
	lodge_exit_set_pair(vcpu, lodge_msr_tsc_now(vcpu));
	if (exit->rdtsc.aux)
		vcpu->regs.general.gpr[LODGE_RCX] =
			(u32)vcpu->regs.msrs.tsc_aux;
	return lodge_exit_skip(vcpu, exit);
}

static enum lodge_outcome lodge_exit_hypercall(struct lodge_vcpu *vcpu,
					       const struct lodge_vmexit *exit)
{
	lodge_pv_hypercall(vcpu);
	return lodge_exit_skip(vcpu, exit);
}

/*
 * #AC where the guest has not asked for it: the host wants to hear of locks across
 * cache lines, and deals with the thread as with one of user space.
 */
static bool lodge_exit_split_lock(struct lodge_vcpu *vcpu)
{
	if (!boot_cpu_has(X86_FEATURE_SPLIT_LOCK_DETECT))
		return false;
	lodge_backend->get_state(vcpu, LODGE_GROUP_SEGMENTS);
	if (lodge_state_cpl(vcpu) == 3 && vcpu->regs.control.cr0 & X86_CR0_AM &&
	    vcpu->regs.general.rflags & X86_EFLAGS_AC)
		return false;
	return lodge_handle_split_lock(vcpu->regs.general.rip);
}

static enum lodge_outcome lodge_exit_exception(struct lodge_vcpu *vcpu,
					       const struct lodge_vmexit *exit)
{
	if (exit->exception.vector == X86_TRAP_DB && exit->exception.payload)
		lodge_debugreg_trap(vcpu, exit->exception.payload);
	if (exit->exception.vector == X86_TRAP_AC &&
	    lodge_exit_split_lock(vcpu))
		return LODGE_ENTER_AGAIN;
	lodge_event_raise(&vcpu->delivery, exit->exception.vector,
			  exit->exception.error);
	return LODGE_ENTER_AGAIN;
}

static enum lodge_outcome lodge_exit_invalid(struct lodge_vcpu *vcpu,
					     const struct lodge_vmexit *exit)
{
	struct lodge_exit_fail_entry *fail = &vcpu->answer.exit.fail_entry;

	fail->code = exit->code;
	fail->count = lodge_backend->check(vcpu, vcpu->data,
					   LODGE_RUN_DATA_SIZE /
						   sizeof(struct lodge_rule));
	vcpu->answer.reason = LODGE_EXIT_FAIL_ENTRY;
	return LODGE_TO_USER;
}

static enum lodge_outcome lodge_exit_unknown(struct lodge_vcpu *vcpu,
					     const struct lodge_vmexit *exit)
{
	struct lodge_exit_unknown *unknown = &vcpu->answer.exit.unknown;

	unknown->code = exit->code;
	unknown->info[0] = exit->info[0];
	unknown->info[1] = exit->info[1];
	vcpu->answer.reason = LODGE_EXIT_UNKNOWN;
	return LODGE_TO_USER;
}

/* Exits of instructions whose handlers go on at exit->next_rip. */
#define LODGE_EXIT_SKIPS                                          \
	(BIT(LODGE_VMEXIT_CPUID) | BIT(LODGE_VMEXIT_MSR) |        \
	 BIT(LODGE_VMEXIT_HLT) | BIT(LODGE_VMEXIT_PAUSE) |        \
	 BIT(LODGE_VMEXIT_XSETBV) | BIT(LODGE_VMEXIT_HYPERCALL) | \
	 BIT(LODGE_VMEXIT_RDPMC) | BIT(LODGE_VMEXIT_RDTSC) |      \
	 BIT(LODGE_VMEXIT_INVD))

/* The instruction that has left the guest is known. */
static void lodge_exit_located(const struct lodge_vcpu *vcpu,
			       struct lodge_vmexit *exit)
{
	const struct lodge_insn *insn = &vcpu->emulation->emul.insn;

	exit->next_rip = lodge_insn_next_rip(&vcpu->regs.general, insn->mode,
					     insn->length);
	if (exit->kind == LODGE_VMEXIT_RDTSC)
		exit->rdtsc.aux = insn->op == LODGE_OP_RDTSCP;
}

/*
 * If the processor does not say where the next instruction starts, read the
 * one that has left the guest, before it has any effect.  Behind the last one below
 * 4 GiB that is 0, too.
 *
 * Return: true to go on; if false, @outcome says what the run loop does next.
 */
static bool lodge_exit_locate(struct lodge_vcpu *vcpu,
			      struct lodge_vmexit *exit,
			      enum lodge_outcome *outcome)
{
	const struct lodge_insn *insn = &vcpu->emulation->emul.insn;
	int answer = lodge_insn_fetch(vcpu);

	*outcome = LODGE_ENTER_AGAIN;
	if (answer)
		*outcome = lodge_insn_changed(vcpu, answer);
	if (answer || !lodge_insn_causes(insn, exit))
		return false;
	lodge_exit_located(vcpu, exit);
	return true;
}

/* The same where nothing may sleep.  Return: true if that is possible. */
static bool lodge_exit_locate_again(struct lodge_vcpu *vcpu,
				    struct lodge_vmexit *exit)
{
	const struct lodge_insn *insn = &vcpu->emulation->emul.insn;

	/*
	 * PKRU is still the guest's, and the instruction is in the host's user space.
	 * No processor that has PKRU leaves the next instruction's place open.
	 */
	if (cpu_feature_enabled(X86_FEATURE_OSPKE) ||
	    !lodge_insn_fetch_again(vcpu) || !lodge_insn_causes(insn, exit))
		return false;
	lodge_exit_located(vcpu, exit);
	return true;
}

static bool lodge_exit_is_quick(const struct lodge_vcpu *vcpu,
				const struct lodge_vmexit *exit)
{
	if (exit->kind == LODGE_VMEXIT_CPUID ||
	    exit->kind == LODGE_VMEXIT_RDTSC)
		return true;
	return exit->kind == LODGE_VMEXIT_MSR &&
	       lodge_lapic_msr_quick(vcpu->regs.general.gpr[LODGE_RCX],
				     exit->msr.write, lodge_exit_pair(vcpu));
}

bool lodge_exit_quick(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit)
{
	if (exit->kind == LODGE_VMEXIT_IO)
		return lodge_portio_quick(vcpu, exit);
	if (exit->kind == LODGE_VMEXIT_FAULT)
		return lodge_emulate_store_again(vcpu, exit);
	if (!lodge_exit_is_quick(vcpu, exit))
		return false;
	if (unlikely(!exit->next_rip) && !lodge_exit_locate_again(vcpu, exit))
		return false;
	if (exit->kind == LODGE_VMEXIT_CPUID)
		lodge_exit_cpuid(vcpu, exit);
	else if (exit->kind == LODGE_VMEXIT_RDTSC)
		lodge_exit_rdtsc(vcpu, exit);
	else
		lodge_exit_msr(vcpu, exit);
	return true;
}

int lodge_exit_handle(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit)
{
	enum lodge_outcome outcome;

	if (unlikely(!exit->next_rip) && BIT(exit->kind) & LODGE_EXIT_SKIPS &&
	    !lodge_exit_locate(vcpu, exit, &outcome))
		return outcome;
	switch (exit->kind) {
	case LODGE_VMEXIT_HOST_EVENT:
	case LODGE_VMEXIT_IGNORED:
	case LODGE_VMEXIT_ANSWERED:
		return LODGE_ENTER_AGAIN;
	case LODGE_VMEXIT_CPUID:
		return lodge_exit_cpuid(vcpu, exit);
	case LODGE_VMEXIT_IO:
		return lodge_portio_exit(vcpu, exit);
	case LODGE_VMEXIT_MSR:
		return lodge_exit_msr(vcpu, exit);
	case LODGE_VMEXIT_FAULT:
		return lodge_exit_fault(vcpu, exit);
	case LODGE_VMEXIT_HLT:
		return lodge_exit_hlt(vcpu, exit);
	case LODGE_VMEXIT_PAUSE:
		lodge_yield(vcpu);
		return lodge_exit_skip(vcpu, exit);
	case LODGE_VMEXIT_WINDOW:
		set_bit(LODGE_REQ_EVENT, &vcpu->requests);
		return LODGE_ENTER_AGAIN;
	case LODGE_VMEXIT_TIMER:
		lodge_lapic_deadline(vcpu->apic);
		return LODGE_ENTER_AGAIN;
	case LODGE_VMEXIT_CR:
	case LODGE_VMEXIT_DR:
		return lodge_exit_register(vcpu, exit);
	case LODGE_VMEXIT_XSETBV:
		return lodge_exit_xsetbv(vcpu, exit);
	case LODGE_VMEXIT_HYPERCALL:
		return lodge_exit_hypercall(vcpu, exit);
	case LODGE_VMEXIT_RDPMC:
		return lodge_exit_rdpmc(vcpu, exit);
	case LODGE_VMEXIT_RDTSC:
		return lodge_exit_rdtsc(vcpu, exit);
	case LODGE_VMEXIT_INVD:
		return lodge_exit_skip(vcpu, exit);
	case LODGE_VMEXIT_MONITOR:
	case LODGE_VMEXIT_UD:
		return lodge_exit_raise(vcpu, X86_TRAP_UD);
	case LODGE_VMEXIT_EXCEPTION:
		return lodge_exit_exception(vcpu, exit);
	case LODGE_VMEXIT_TASK_SWITCH:
		return lodge_task_exit(vcpu, exit);
	case LODGE_VMEXIT_SHUTDOWN:
		vcpu->answer.reason = LODGE_EXIT_SHUTDOWN;
		return LODGE_TO_USER;
	case LODGE_VMEXIT_INVALID:
		return lodge_exit_invalid(vcpu, exit);
	case LODGE_VMEXIT_UNKNOWN:
		return lodge_exit_unknown(vcpu, exit);
	}
	lodge_vm_break(vcpu->vm);
	return -EIO;
}
