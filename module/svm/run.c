// SPDX-License-Identifier: GPL-2.0
/*
 * One entry into the guest (AMD APM vol. 2, sections 15.5 and 15.6).
 */
#include <linux/kvm_host.h>
#include <linux/sched.h>
#include <asm/cpufeature.h>
#include <asm/nospec-branch.h>
#include <asm/processor.h>

#include "context.h"
#include "svm/svm.h"

/*
 * Global interrupts are off all the time, so that RFLAGS.IF, which decides
 * whether an interrupt ends the guest's run, can already be on.
 */
static noinstr void svm_switch(struct lodge_vcpu *vcpu, struct svm_entry *entry)
{
	lodge_context_enter(&vcpu->context_told);
	raw_local_irq_enable();
	amd_clear_divider();
	svm_enter(entry);
	raw_local_irq_disable();
	guest_state_exit_irqoff();
}

static void svm_load_registers(struct lodge_vcpu *vcpu)
{
	struct svm_vmcb *vmcb = to_svm(vcpu)->vmcb;
	const struct lodge_general *general = &vcpu->regs.general;

	vmcb->save.rax = general->gpr[LODGE_RAX];
	vmcb->save.rsp = general->gpr[LODGE_RSP];
	vmcb->save.rip = general->rip;
	vmcb->save.rflags = general->rflags;
	/*
	 * What an injected #BP or #OF pushes as its return address, where the
	 * processor has the field: RIP is behind the instruction (section 15.20).
	 */
	vmcb->control.next_rip = general->rip;
	if (unlikely(to_svm(vcpu)->stepping))
		svm_event_step_load(vcpu);
	if ((vmcb->control.int_ctl & V_TPR_MASK) != vcpu->regs.control.cr8) {
		vmcb->control.int_ctl &= ~V_TPR_MASK;
		vmcb->control.int_ctl |= vcpu->regs.control.cr8;
		svm_dirty(to_svm(vcpu), SVM_CLEAN_INTERRUPT);
	}
}

static void svm_save_registers(struct lodge_vcpu *vcpu)
{
	const struct svm_vmcb *vmcb = to_svm(vcpu)->vmcb;
	struct lodge_general *general = &vcpu->regs.general;

	general->gpr[LODGE_RAX] = vmcb->save.rax;
	general->gpr[LODGE_RSP] = vmcb->save.rsp;
	general->rip = vmcb->save.rip;
	general->rflags = vmcb->save.rflags;
	if (unlikely(to_svm(vcpu)->stepping))
		svm_event_step_save(vcpu);
	vcpu->regs.control.cr8 = vmcb->control.int_ctl & V_TPR_MASK;
}

/*
 * Another thread's modify_ldt() gives this CPU a new LDT by an interrupt, and
 * then frees the old one, which the next exit would load again.  With interrupts
 * off the interrupt comes after that exit.  A process never loses its LDT.
 */
static void svm_save_ldt(const struct svm_entry *entry)
{
#ifdef CONFIG_MODIFY_LDT_SYSCALL
	if (unlikely(READ_ONCE(current->mm->context.ldt)))
		svm_vmsave(entry->host_pa);
#endif
}

/*
 * An entry that was refused has delivered nothing, and perhaps not flushed.  As in
 * svm_exit_translate(), the upper half of the code tells nothing.
 */
static bool svm_refused(const struct svm_vmcb_control *control)
{
	u32 code = control->exit_code;

	return code == SVM_EXIT_NOT_ENTERED || code == (u32)SVM_EXIT_ERR;
}

/* The thread's own value: with interrupts off it stays until the exit. */
static void svm_load_spec_ctrl(struct svm_entry *entry)
{
	if (svm_switches_spec_ctrl())
		entry->host_spec_ctrl = this_cpu_read(x86_spec_ctrl_current);
}

/*
 * Without virtualization of branch records the processor leaves DEBUGCTL as it is.
 * The guest must not get the host's branch steps and traps of bus locks.  A flag of the
 * thread turns branch steps on and off; traps of bus locks are on from boot, if the
 * processor has them.  A guest does not notice that perf freezes branch records.
 */
static unsigned long svm_clear_debugctl(void)
{
	unsigned long debugctl;

	if (likely(!cpu_feature_enabled(X86_FEATURE_BUS_LOCK_DETECT) &&
		   !test_thread_flag(TIF_BLOCKSTEP)))
		return 0;
	debugctl = get_debugctlmsr();
	if (debugctl)
		update_debugctlmsr(0);
	return debugctl;
}

void svm_run(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit, bool again)
{
	struct svm_vcpu *svm = to_svm(vcpu);
	struct svm_vmcb_control *control = &svm->vmcb->control;
	unsigned long debugctl;

	svm_load_registers(vcpu);
	svm_asid_prepare(svm, this_cpu_ptr(&svm_cpu));
	svm_load_spec_ctrl(&svm->entry);
	svm_save_ldt(&svm->entry);
	control->exit_code = SVM_EXIT_NOT_ENTERED;

	svm_clgi();
	debugctl = svm_clear_debugctl();
	svm_switch(vcpu, &svm->entry);
	if (unlikely(debugctl))
		update_debugctlmsr(debugctl);
	svm_stgi();

	control->clean = SVM_CLEAN_ALL;
	if (unlikely(svm_refused(control))) {
		control->clean = 0;
		svm_asid_cpu_init(this_cpu_ptr(&svm_cpu));
	} else {
		control->event_inj = 0;
	}
	svm_save_registers(vcpu);
	svm_exit_translate(vcpu, exit);
	svm_event_after_exit(vcpu);
}
