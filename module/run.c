// SPDX-License-Identifier: GPL-2.0
/*
 * The run loop: enters the guest until something needs user space.
 */
#include <linux/hw_breakpoint.h>
#include <linux/kcsan-checks.h>
#include <linux/kvm_host.h>
#include <asm/debugreg.h>
#include <asm/fpu/xcr.h>
#include <asm/fpu/xstate.h>
#include <asm/nospec-branch.h>
#include <asm/special_insns.h>
#include <trace/events/ipi.h>

#include "apic.h"
#include "backend.h"
#include "compat.h"
#include "emulate.h"
#include "event.h"
#include "exit.h"
#include "fpu.h"
#include "guard.h"
#include "hold.h"
#include "hw.h"
#include "iobus.h"
#include "irqfd.h"
#include "lapic.h"
#include "notify.h"
#include "policy.h"
#include "poll.h"
#include "processor.h"
#include "pv.h"
#include "request.h"
#include "state.h"
#include "tsc.h"
#include "userreturn.h"
#include "vcpu.h"
#include "vm.h"

/* The most exits in a row that are answered before interrupts go on again. */
#define LODGE_RUN_ROW 64

DEFINE_PER_CPU(struct lodge_vcpu *, lodge_run_loaded);
/* Serial of the vCPU that ran here last. */
static DEFINE_PER_CPU(u64, lodge_run_last);

static __always_inline bool lodge_run_has_pkru(const struct lodge_vcpu *vcpu)
{
	return cpu_feature_enabled(X86_FEATURE_OSPKE) &&
	       (vcpu->regs.control.cr4 & X86_CR4_PKE ||
		vcpu->regs.control.xcr0 & XFEATURE_MASK_PKRU);
}

/*
 * XCR0, XSS and PKRU are live registers that the FPU switch leaves alone.  The
 * host's XCR0 has every bit that the guest's can have; the guest's XSS is 0.
 */
static void lodge_run_load_xstate(struct lodge_vcpu *vcpu, bool has_pkru)
{
	if (vcpu->regs.control.cr4 & X86_CR4_OSXSAVE &&
	    vcpu->regs.control.xcr0 != lodge_host_xcr0)
		xsetbv(XCR_XFEATURE_ENABLED_MASK, vcpu->regs.control.xcr0);
	if (lodge_host_xss)
		wrmsrq(MSR_IA32_XSS, 0);
	if (has_pkru) {
		vcpu->host_pkru = rdpkru();
		if (vcpu->host_pkru != vcpu->pkru)
			wrpkru(vcpu->pkru);
	}
}

static void lodge_run_save_xstate(struct lodge_vcpu *vcpu, bool has_pkru)
{
	if (has_pkru) {
		vcpu->pkru = rdpkru();
		if (vcpu->host_pkru != vcpu->pkru)
			wrpkru(vcpu->host_pkru);
	}
	if (lodge_host_xss)
		wrmsrq(MSR_IA32_XSS, lodge_host_xss);
	if (vcpu->regs.control.cr4 & X86_CR4_OSXSAVE &&
	    vcpu->regs.control.xcr0 != lodge_host_xcr0)
		xsetbv(XCR_XFEATURE_ENABLED_MASK, lodge_host_xcr0);
}

/* XSETBV may have passed unseen: QEMU's TCG (7.2) does not intercept it. */
static __always_inline void lodge_run_note_xcr0(struct lodge_control *control)
{
	if (cpu_feature_enabled(X86_FEATURE_HYPERVISOR) &&
	    control->cr4 & X86_CR4_OSXSAVE)
		control->xcr0 = xgetbv(XCR_XFEATURE_ENABLED_MASK);
}

/* The host's breakpoints. */
struct lodge_breakpoints {
	unsigned long address[4];
	unsigned long dr7;
};

/* Each exit clears DR7, and a guest with breakpoints has them in DR0 to DR3. */
static void lodge_run_save_breakpoints(struct lodge_breakpoints *host)
{
	get_debugreg(host->address[0], 0);
	get_debugreg(host->address[1], 1);
	get_debugreg(host->address[2], 2);
	get_debugreg(host->address[3], 3);
	get_debugreg(host->dr7, 7);
	/* It must not watch addresses that the guest has chosen. */
	set_debugreg(0, 7);
}

static void lodge_run_restore_breakpoints(const struct lodge_breakpoints *host)
{
	set_debugreg(host->address[0], 0);
	set_debugreg(host->address[1], 1);
	set_debugreg(host->address[2], 2);
	set_debugreg(host->address[3], 3);
	set_debugreg(DR6_RESERVED, 6);
	set_debugreg(host->dr7, 7);
}

static void lodge_run_load_breakpoints(const struct lodge_debug *debug)
{
	set_debugreg(debug->dr[0], 0);
	set_debugreg(debug->dr[1], 1);
	set_debugreg(debug->dr[2], 2);
	set_debugreg(debug->dr[3], 3);
}

/*
 * True if something came up since the loop looked.  vcpu->mode says that the guest
 * runs, and a sender that finds this interrupts the CPU: see lodge_vcpu_request().
 */
static __always_inline bool lodge_run_aborts(const struct lodge_vcpu *vcpu)
{
	return READ_ONCE(vcpu->requests) || xfer_to_guest_mode_work_pending() ||
	       !lodge_hw_ready();
}

/* One entry, and what its exit says of events and of the task priority. */
static __always_inline void
lodge_run_once(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit, bool again)
{
	struct lodge_control *control = &vcpu->regs.control;

	if (unlikely(vcpu->regs.debug.dr7 & LODGE_DR7_ENABLED))
		lodge_run_load_breakpoints(&vcpu->regs.debug);
	control->cr8 = lapic_cr8(vcpu->apic);
	lodge_backend_call(run)(vcpu, exit, again);
	lodge_run_note_xcr0(control);
	/* A refused entry has delivered nothing: lodge_vcpu_run() takes it back. */
	if (likely(exit->kind != LODGE_VMEXIT_INVALID))
		lodge_event_delivered(&vcpu->delivery, &exit->interrupted);
	if (unlikely(control->cr8 != lapic_cr8(vcpu->apic)))
		lodge_lapic_set_cr8(vcpu->apic, control->cr8);
}

/* Most exits are not of these kinds, and cost no call. */
static __always_inline bool
lodge_run_may_answer(const struct lodge_vcpu *vcpu,
		     const struct lodge_vmexit *exit, unsigned long kind)
{
	if (kind == LODGE_VMEXIT_CPUID || kind == LODGE_VMEXIT_MSR)
		return true;
	if (kind == LODGE_VMEXIT_IO)
		return lodge_iobus_has(&vcpu->vm->iobus, LODGE_IOBUS_PORT);
	return kind == LODGE_VMEXIT_FAULT && exit->next_rip;
}

/*
 * Each exit is counted here, where its kind is in a register anyway: as long as an index,
 * or the compiler copies it.
 */
static __always_inline bool lodge_run_answers(struct lodge_vcpu *vcpu,
					      struct lodge_vmexit *exit)
{
	const unsigned long kind = exit->kind;

	lodge_count_exit(&vcpu->stats, kind);
	return lodge_run_may_answer(vcpu, exit, kind) &&
	       lodge_exit_quick(vcpu, exit);
}

/*
 * Whether the row goes on.  An answer may have raised an interrupt or a fault: that is
 * delivered without leaving the row.  Whoever asks for something from here on finds that
 * the guest runs, and interrupts the CPU.
 */
static __always_inline bool lodge_run_goes_on(struct lodge_vcpu *vcpu)
{
	/* What waits for its window is looked at by lodge_run_loop(). */
	if (unlikely(vcpu->delivery.window))
		return false;
	if (likely(!lodge_run_aborts(vcpu)))
		return true;
	return READ_ONCE(vcpu->requests) == BIT(LODGE_REQ_EVENT) &&
	       lodge_event_deliver_quick(&vcpu->delivery) &&
	       !lodge_run_aborts(vcpu);
}

/*
 * Enter the guest until it leaves for something that takes time.  Interrupts are off
 * all the while: one that comes for the host, an NMI too, makes the next entry leave
 * at once, for a reason that is not answered here.  LODGE_RUN_ROW is for an emulated
 * processor that lets such a guest go on all the same (Bochs, 2.7, if it has IF clear).
 */
static __always_inline void lodge_run_guest(struct lodge_vcpu *vcpu,
					    struct lodge_vmexit *exit)
{
	unsigned int left = LODGE_RUN_ROW;
	bool again = false;

	lodge_vcputime_enter(&vcpu->time);
	for (;;) {
		lodge_run_once(vcpu, exit, again);
		if (!lodge_run_answers(vcpu, exit))
			break;
		if (!--left || unlikely(!lodge_run_goes_on(vcpu))) {
			vcpu->stats.answered = exit->kind;
			exit->kind = LODGE_VMEXIT_ANSWERED;
			break;
		}
		again = true;
	}
	lodge_vcputime_leave(&vcpu->time);
	lodge_guest_has_run();
}

/* Out of line: kernels that clear the stack would do so at each entry. */
static noinline void lodge_run_watched(struct lodge_vcpu *vcpu,
				       struct lodge_vmexit *exit)
{
	struct lodge_breakpoints host;

	lodge_run_save_breakpoints(&host);
	lodge_run_guest(vcpu, exit);
	lodge_run_restore_breakpoints(&host);
}

/* The guest's turn.  Interrupts are off. */
static void lodge_run_switch(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit)
{
	/* Asked once: the guest may change XCR0 unseen, but PKRU is here or not. */
	const bool has_pkru = lodge_run_has_pkru(vcpu);

	lodge_fpu_load(&vcpu->fpu);
	lodge_run_load_xstate(vcpu, has_pkru);
	if (unlikely(hw_breakpoint_active()))
		lodge_run_watched(vcpu, exit);
	else
		lodge_run_guest(vcpu, exit);
	lodge_run_save_xstate(vcpu, has_pkru);
	lodge_fpu_save(&vcpu->fpu);
}

/* IBPB between two vCPUs, unless the kernel has a barrier at each exit. */
static void lodge_run_barrier(const struct lodge_vcpu *vcpu, int cpu)
{
	if (!lodge_guard_barrier(__this_cpu_read(lodge_run_last), vcpu->serial,
				 vcpu->cpu, cpu))
		return;
	__this_cpu_write(lodge_run_last, vcpu->serial);
	if (!cpu_feature_enabled(X86_FEATURE_IBPB_ON_VMEXIT))
		lodge_ibpb();
}

void lodge_vcpu_command(struct lodge_vcpu *vcpu,
			struct lodge_guard_command *command, u32 msr, u64 value)
{
	preempt_disable();
	if (lodge_guard_give(command, lodge_vcpu_loaded(vcpu)))
		wrmsrq(msr, value);
	preempt_enable();
}

/* Carry out what the guest has commanded by lodge_vcpu_command() on other CPUs. */
static void lodge_run_obey(struct lodge_vcpu *vcpu, int cpu)
{
	if (lodge_guard_take(&vcpu->ibpb, vcpu->cpu, cpu))
		wrmsrq(MSR_IA32_PRED_CMD, PRED_CMD_IBPB);
	if (lodge_guard_take(&vcpu->flush_l1d, vcpu->cpu, cpu))
		wrmsrq(MSR_IA32_FLUSH_CMD, L1D_FLUSH);
}

/*
 * Make this CPU hold the vCPU's state; preemption is off.  Another thread's return
 * to user space takes it away at any time: see lodge_userreturn_arm().
 */
static void lodge_run_load(struct lodge_vcpu *vcpu)
{
	int cpu = smp_processor_id();

	if (likely(lodge_vcpu_loaded(vcpu)))
		return;
	lodge_run_barrier(vcpu, cpu);
	lodge_run_obey(vcpu, cpu);
	lodge_userreturn_set(LODGE_USERRETURN_TSC_AUX, vcpu->regs.msrs.tsc_aux);
	lodge_backend->vcpu_load(vcpu, cpu);
	if (unlikely(vcpu->tsc_moved != lodge_tsc_moved))
		lodge_msr_load_tsc(vcpu);
	if (vcpu->cpu != cpu && !lodge_pv_clock_stable())
		set_bit(LODGE_REQ_CLOCK, &vcpu->requests);
	__this_cpu_write(lodge_run_loaded, vcpu);
	vcpu->loaded_cpu = cpu;
	WRITE_ONCE(vcpu->cpu, cpu);
}

/* Signals, rescheduling, task work.  Return: true if the thread must go back. */
static bool lodge_run_work(struct lodge_vcpu *vcpu)
{
	return unlikely(__xfer_to_guest_mode_work_pending()) &&
	       lodge_handle_work();
}

/*
 * The first half of an entry.  Return: true if the guest is entered now, with
 * preemption and interrupts off.
 */
static bool lodge_run_begin(struct lodge_vcpu *vcpu)
{
	preempt_disable();
	if (unlikely(!lodge_hw_ready())) {
		preempt_enable();
		schedule_timeout_interruptible(1);
		return false;
	}
	lodge_run_load(vcpu);
	local_irq_disable();
	/* The mode is visible before the requests are read. */
	smp_store_mb(vcpu->mode, LODGE_IN_GUEST);
	if (unlikely(lodge_run_aborts(vcpu))) {
		WRITE_ONCE(vcpu->mode, LODGE_OUTSIDE_GUEST);
		local_irq_enable();
		preempt_enable();
		return false;
	}
	if (unlikely(vcpu->delivery.exit_at_once))
		smp_send_reschedule(vcpu->cpu);
	/* KCSAN is told to look away: the kernel accesses the thread's flags plainly. */
	kcsan_disable_current();
	guest_timing_enter_irqoff();
	kcsan_enable_current();
	return true;
}

/* The second half: interrupts and preemption go on again. */
static void lodge_run_end(struct lodge_vcpu *vcpu,
			  const struct lodge_vmexit *exit)
{
	WRITE_ONCE(vcpu->mode, LODGE_OUTSIDE_GUEST);
	/*
	 * The interrupt that ended the guest's run is accounted to the guest.
	 * STI lets it in only after one more instruction.
	 */
	if (exit->kind == LODGE_VMEXIT_HOST_EVENT) {
		local_irq_enable();
		asm volatile("nop");
		local_irq_disable();
	}
	kcsan_disable_current();
	guest_timing_exit_irqoff();
	kcsan_enable_current();
	local_irq_enable();
	preempt_enable();
}

/* The guest runs.  Return: true if it was entered. */
static bool lodge_run_enter(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit)
{
	if (!lodge_run_begin(vcpu))
		return false;
	lodge_run_switch(vcpu, exit);
	lodge_run_end(vcpu, exit);
	return true;
}

static enum lodge_outcome lodge_run_deliver(struct lodge_vcpu *vcpu)
{
	switch (lodge_event_deliver(&vcpu->delivery)) {
	case LODGE_DELIVERED:
		break;
	case LODGE_WINDOW:
		vcpu->answer.reason = LODGE_EXIT_WINDOW;
		return LODGE_TO_USER;
	case LODGE_SHUTDOWN:
		vcpu->answer.reason = LODGE_EXIT_SHUTDOWN;
		return LODGE_TO_USER;
	}
	return LODGE_ENTER_AGAIN;
}

static enum lodge_outcome lodge_run_requests(struct lodge_vcpu *vcpu)
{
	int vector;

	if (test_and_clear_bit(LODGE_REQ_FLUSH, &vcpu->requests))
		lodge_vcpu_flush_tlb(vcpu, true);
	if (test_and_clear_bit(LODGE_REQ_PDPTES, &vcpu->requests))
		lodge_control_read_pdptes(vcpu);
	if (test_and_clear_bit(LODGE_REQ_CLOCK, &vcpu->requests))
		lodge_pv_clock_update(vcpu);
	clear_bit(LODGE_REQ_KICK, &vcpu->requests);
	if (test_and_clear_bit(LODGE_REQ_EOI, &vcpu->requests)) {
		vector = lodge_lapic_take_eoi(vcpu->apic);
		if (vector >= 0 && !lodge_irqfd_ended(vcpu, vector)) {
			vcpu->answer.exit.eoi.vector = vector;
			vcpu->answer.reason = LODGE_EXIT_EOI;
			return LODGE_TO_USER;
		}
	}
	if (test_and_clear_bit(LODGE_REQ_EVENT, &vcpu->requests))
		return lodge_run_deliver(vcpu);
	return LODGE_ENTER_AGAIN;
}

/* Wait in HLT, or for a start-up IPI. */
static void lodge_run_sleep(struct lodge_vcpu *vcpu)
{
	lodge_poll_wait(vcpu);
	/* What is delivered then makes the vCPU runnable. */
	if (lodge_event_wakes(&vcpu->delivery))
		set_bit(LODGE_REQ_EVENT, &vcpu->requests);
}

static int lodge_run_interrupted(struct lodge_vcpu *vcpu)
{
	vcpu->answer.reason = LODGE_EXIT_INTERRUPTED;
	return -EINTR;
}

/* Return: true if LODGE_HOLD has asked for it and is still in force. */
static bool lodge_run_held(struct lodge_vcpu *vcpu)
{
	/* Most requests are others, and need no atomic access for this one. */
	return unlikely(test_bit(LODGE_REQ_HOLD, &vcpu->requests)) &&
	       test_and_clear_bit(LODGE_REQ_HOLD, &vcpu->requests) &&
	       lodge_hold_is_on(vcpu->vm);
}

/* Return: enum lodge_outcome but LODGE_ENTER_AGAIN, or -errno. */
static int lodge_run_loop(struct lodge_vcpu *vcpu)
{
	struct lodge_vmexit *exit = &vcpu->exit;
	int outcome = LODGE_ENTER_AGAIN;

	while (outcome == LODGE_ENTER_AGAIN) {
		if (unlikely(vcpu->delivery.window) &&
		    lodge_event_window_opened(&vcpu->delivery))
			set_bit(LODGE_REQ_EVENT, &vcpu->requests);
		/* First, so that an EOI is told before a signal is. */
		if (READ_ONCE(vcpu->requests)) {
			outcome = lodge_run_requests(vcpu);
			if (outcome != LODGE_ENTER_AGAIN)
				break;
			if (lodge_run_held(vcpu)) {
				vcpu->answer.reason = LODGE_EXIT_INTERRUPTED;
				return -EAGAIN;
			}
		}
		if (unlikely(lodge_run_work(vcpu)))
			return lodge_run_interrupted(vcpu);
		if (unlikely(READ_ONCE(vcpu->vm->state) != LODGE_VM_ALIVE))
			return lodge_vm_error(vcpu->vm);
		if (unlikely(vcpu->delivery.mp_state != LODGE_MP_RUNNABLE)) {
			lodge_run_sleep(vcpu);
			continue;
		}
		if (lodge_run_enter(vcpu, exit))
			outcome = lodge_exit_handle(vcpu, exit);
	}
	return outcome;
}

/* Answers after which the guest cannot go on by itself. */
#define LODGE_RUN_STOPS                                                 \
	(BIT(LODGE_EXIT_SHUTDOWN) | BIT(LODGE_EXIT_FAIL_ENTRY) |        \
	 BIT(LODGE_EXIT_CANNOT_EMULATE) | BIT(LODGE_EXIT_TASK_SWITCH) | \
	 BIT(LODGE_EXIT_MEMORY_ERROR) | BIT(LODGE_EXIT_UNKNOWN))

static bool lodge_run_stops(const struct lodge_vcpu *vcpu, int outcome)
{
	return outcome >= 0 && BIT(vcpu->answer.reason) & LODGE_RUN_STOPS;
}

/* Done once for each call, before the guest is entered. */
static void lodge_run_prepare(struct lodge_vcpu *vcpu, bool window)
{
	vcpu->has_run = true;
	lodge_vcpu_unload(vcpu);
	lodge_emulate_forget_store(vcpu);
	vcpu->delivery.wants_window = window;
	if (window)
		set_bit(LODGE_REQ_EVENT, &vcpu->requests);
}

int lodge_vcpu_run(struct lodge_vcpu *vcpu, bool window, bool at_once)
{
	int outcome = LODGE_ENTER_AGAIN;

	lodge_run_prepare(vcpu, window);
	if (LODGE_COUNTS && unlikely(vcpu->time.thread != current))
		lodge_vcputime_adopt(&vcpu->time);
	rcu_assign_pointer(vcpu->thread, current);
	lodge_fpu_begin(vcpu);
	if (vcpu->completion != LODGE_COMPLETE_NONE)
		outcome = lodge_emulate_complete(vcpu);
	if (outcome == LODGE_ENTER_AGAIN) {
		if (at_once)
			outcome = lodge_run_interrupted(vcpu);
		else
			outcome = lodge_run_loop(vcpu);
	}
	lodge_fpu_end(vcpu);
	RCU_INIT_POINTER(vcpu->thread, NULL);
	if (unlikely(lodge_run_stops(vcpu, outcome)))
		lodge_notify_stopped(vcpu);

	lodge_event_take_back(&vcpu->delivery);
	vcpu->answer.window_open = lodge_event_window_open(&vcpu->delivery);
	lodge_count_return(&vcpu->stats);
	return outcome < 0 ? outcome : 0;
}
