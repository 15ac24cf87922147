// SPDX-License-Identifier: GPL-2.0
/*
 * The hardware task switch on a vCPU: its memory, and what becomes of the event
 * that it has delivered.
 */
#include <linux/mm.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "apic.h"
#include "backend.h"
#include "emulation.h"
#include "event.h"
#include "exit.h"
#include "insn.h"
#include "mem.h"
#include "processor.h"
#include "request.h"
#include "state.h"
#include "task.h"
#include "task_switch.h"
#include "translate.h"
#include "vcpu.h"

#define LODGE_TASK_GROUPS                                                 \
	(LODGE_GROUP_SEGMENTS | LODGE_GROUP_CONTROL | LODGE_GROUP_DEBUG | \
	 LODGE_GROUP_EVENTS)

/* An access to a piece of memory that lies within a page. */
typedef int (*lodge_task_access)(struct lodge_vm *vm, u64 gpa, void *data,
				 size_t size);

static int lodge_task_put(struct lodge_vm *vm, u64 gpa, void *data, size_t size)
{
	return lodge_mem_write(vm, gpa, data, size);
}

static int lodge_task_find(struct lodge_vm *vm, u64 gpa, void *data,
			   size_t size)
{
	return lodge_mem_user(vm, gpa, true) ? 0 : -ENXIO;
}

/* Page by page; the linear address wraps at 4 GiB. */
static int lodge_task_memory(struct lodge_vcpu *vcpu, u64 linear, void *data,
			     size_t size, unsigned int access,
			     lodge_task_access act, struct lodge_fault *fault)
{
	size_t done, part;
	u64 at, gpa;
	int answer;

	for (done = 0; done < size; done += part) {
		at = (u32)(linear + done);
		part = min_t(size_t, size - done,
			     PAGE_SIZE - offset_in_page(at));
		answer = lodge_translate(vcpu, at, access, &gpa, fault);
		if (answer)
			return answer;
		if (lodge_lapic_claims(vcpu->apic, gpa))
			return -ENXIO;
		answer = act(vcpu->vm, gpa, data ? data + done : NULL, part);
		if (answer)
			return answer;
	}
	return 0;
}

static int lodge_task_read(void *opaque, u64 linear, void *data, size_t size,
			   struct lodge_fault *fault)
{
	return lodge_task_memory(opaque, linear, data, size,
				 LODGE_ACCESS_READ | LODGE_ACCESS_IMPLICIT,
				 lodge_mem_read, fault);
}

static int lodge_task_write(void *opaque, u64 linear, const void *data,
			    size_t size, unsigned int access,
			    struct lodge_fault *fault)
{
	return lodge_task_memory(opaque, linear, (void *)data, size, access,
				 lodge_task_put, fault);
}

static int lodge_task_probe(void *opaque, u64 linear, size_t size,
			    unsigned int access, struct lodge_fault *fault)
{
	return lodge_task_memory(opaque, linear, NULL, size, access,
				 lodge_task_find, fault);
}

static int lodge_task_exchange(void *opaque, u64 linear, u8 old, u8 new,
			       struct lodge_fault *fault)
{
	struct lodge_vcpu *vcpu = opaque;
	u64 gpa;
	int answer = lodge_translate(vcpu, (u32)linear,
				     LODGE_ACCESS_READ | LODGE_ACCESS_WRITE |
					     LODGE_ACCESS_IMPLICIT,
				     &gpa, fault);

	if (answer)
		return answer;
	if (lodge_lapic_claims(vcpu->apic, gpa))
		return -ENXIO;
	answer = lodge_mem_cmpxchg(vcpu->vm, gpa, &old, &new, sizeof(new));
	/* In read-only memory the bits of descriptors stay as they are. */
	if (answer == -EROFS)
		return 0;
	return answer == -EAGAIN ? -EBUSY : answer;
}

static int lodge_task_load_cr3(void *opaque, u64 cr3)
{
	return lodge_control_set_cr3(opaque, cr3) ? -EINVAL : 0;
}

static const struct lodge_task_ops lodge_task_ops = {
	.read = lodge_task_read,
	.write = lodge_task_write,
	.exchange = lodge_task_exchange,
	.probe = lodge_task_probe,
	.load_cr3 = lodge_task_load_cr3,
};

/*
 * An event leaves the guest at the instruction that it interrupts, where the
 * old task goes on.  Instructions are over with the switch.
 *
 * Return: 0, or as lodge_insn_fetch().
 */
static int lodge_task_return(struct lodge_vcpu *vcpu,
			     const struct lodge_vmexit *exit,
			     struct lodge_task *task)
{
	const struct lodge_insn *insn = &vcpu->emulation->emul.insn;
	const struct lodge_general *general = &vcpu->regs.general;
	int answer;

	task->rip = general->rip;
	task->rflags = general->rflags & ~X86_EFLAGS_RF;
	if (task->external) {
		task->rflags |= exit->task.resume ? X86_EFLAGS_RF : 0;
		return 0;
	}
	task->rip = exit->next_rip;
	if (exit->next_rip)
		return 0;
	answer = lodge_insn_fetch(vcpu);
	if (!answer)
		task->rip =
			lodge_insn_next_rip(general, insn->mode, insn->length);
	return answer;
}

/* NMIs stay blocked in the task that handles one, and until its IRET. */
static void lodge_task_end_event(struct lodge_vcpu *vcpu,
				 const struct lodge_task *task)
{
	struct lodge_events *events = &vcpu->regs.events;

	events->flags = lodge_backend->interruptibility(vcpu) &
			~LODGE_EVENT_SHADOW;
	if (task->cause == LODGE_TASK_IRET)
		events->flags &= ~LODGE_EVENT_NMI_BLOCKED;
	if (!task->external)
		return;
	if (vcpu->delivery.reinject.type == LODGE_EVENT_NMI) {
		vcpu->delivery.reinject.type = LODGE_EVENT_NONE;
		events->flags |= LODGE_EVENT_NMI_BLOCKED;
	}
	vcpu->delivery.acknowledged.type = LODGE_EVENT_NONE;
}

/* The registers are the new task's: let the processor and the events know. */
static void lodge_task_commit(struct lodge_vcpu *vcpu,
			      const struct lodge_task *task)
{
	lodge_task_end_event(vcpu, task);
	if (task->trap)
		vcpu->regs.debug.dr6 |= DR_SWITCH;
	lodge_backend->skip(vcpu, vcpu->regs.general.rip);
	lodge_backend->set_state(vcpu, LODGE_TASK_GROUPS);
	set_bit(LODGE_REQ_EVENT, &vcpu->requests);
}

static enum lodge_outcome lodge_task_refuse(struct lodge_vcpu *vcpu,
					    const struct lodge_task *task)
{
	static const u8 causes[] = {
		[LODGE_TASK_JMP] = LODGE_TASK_SWITCH_JMP,
		[LODGE_TASK_IRET] = LODGE_TASK_SWITCH_IRET,
		[LODGE_TASK_CALL] = LODGE_TASK_SWITCH_CALL,
		[LODGE_TASK_GATE] = LODGE_TASK_SWITCH_CALL,
	};

	vcpu->answer.exit.task_switch.selector = task->selector;
	vcpu->answer.exit.task_switch.cause = causes[task->cause];
	vcpu->answer.reason = LODGE_EXIT_TASK_SWITCH;
	return LODGE_TO_USER;
}

/*
 * A fault of the exception that is being delivered makes a double fault, in the
 * new task as in the old one; else that exception has been delivered.
 */
static enum lodge_outcome lodge_task_outcome(struct lodge_vcpu *vcpu,
					     const struct lodge_task *task,
					     int answer)
{
	if (answer == LODGE_FAULT)
		lodge_insn_raise(vcpu, &task->fault);
	if (!task->committed)
		return answer < 0 && answer != -EBUSY ?
			       lodge_task_refuse(vcpu, task) :
			       LODGE_ENTER_AGAIN;
	vcpu->delivery.reinject.type = LODGE_EVENT_NONE;
	if (answer < 0)
		return lodge_task_refuse(vcpu, task);
	if (!answer && task->trap)
		lodge_event_raise(&vcpu->delivery, X86_TRAP_DB, 0);
	return LODGE_ENTER_AGAIN;
}

enum lodge_outcome lodge_task_exit(struct lodge_vcpu *vcpu,
				   const struct lodge_vmexit *exit)
{
	struct lodge_task task = {
		.cause = exit->task.cause,
		.selector = exit->task.selector,
		.external = exit->task.cause == LODGE_TASK_GATE &&
			    exit->interrupted.type != LODGE_EVENT_NONE,
		.regs = &vcpu->regs,
		.ops = &lodge_task_ops,
		.opaque = vcpu,
	};
	int answer;

	if (task.external && exit->interrupted.has_error) {
		task.has_error = true;
		task.error = exit->interrupted.error;
	}
	lodge_backend->get_state(vcpu, LODGE_TASK_GROUPS);
	answer = lodge_task_return(vcpu, exit, &task);
	if (answer == LODGE_FAULT)
		return LODGE_ENTER_AGAIN;
	if (answer)
		return lodge_task_refuse(vcpu, &task);
	answer = lodge_task_switch(&task);
	if (task.committed)
		lodge_task_commit(vcpu, &task);
	return lodge_task_outcome(vcpu, &task, answer);
}
