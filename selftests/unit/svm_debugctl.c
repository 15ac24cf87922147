// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the MSR DEBUGCTL while a guest of AMD-V runs.  The processor does not switch
 * it; svm/run.c does.
 */
#include "kernel_cpu.h"

#include "kselftest_harness.h"

#define BTF BIT(1)
#define BUS_LOCK BIT(2)

struct kernel_cpu kernel_cpu;
struct task_struct kernel_thread;
u64 x86_spec_ctrl_current;
struct svm_cpu svm_cpu;

/* The value that the guest finds; true if the host could take an interrupt then. */
static u64 guest_debugctl;
static bool gif;
static bool gif_in_guest;

void kernel_gif(bool on)
{
	gif = on;
}

void svm_enter(struct svm_entry *entry)
{
	guest_debugctl = kernel_cpu.msr[MSR_IA32_DEBUGCTLMSR];
	gif_in_guest = gif;
}

void svm_asid_prepare(struct svm_vcpu *svm, struct svm_cpu *cpu)
{
}

void svm_asid_cpu_init(struct svm_cpu *cpu)
{
}

void svm_event_step_load(struct lodge_vcpu *vcpu)
{
}

void svm_event_step_save(struct lodge_vcpu *vcpu)
{
}

void svm_event_after_exit(struct lodge_vcpu *vcpu)
{
}

void svm_exit_translate(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit)
{
}

FIXTURE(debugctl)
{
	struct lodge_vcpu vcpu;
	struct svm_vcpu svm;
	struct svm_vmcb *vmcb;
	struct lodge_vmexit exit;
};

FIXTURE_SETUP(debugctl)
{
	memset(self, 0, sizeof(*self));
	memset(&kernel_cpu, 0, sizeof(kernel_cpu));
	memset(&kernel_thread, 0, sizeof(kernel_thread));
	self->vmcb = calloc(1, sizeof(*self->vmcb));
	ASSERT_NE(NULL, self->vmcb);
	self->svm.vmcb = self->vmcb;
	self->vcpu.backend = &self->svm;
	guest_debugctl = ~0ULL;
	gif = true;
}

FIXTURE_TEARDOWN(debugctl)
{
	free(self->vmcb);
}

static void run(FIXTURE_DATA(debugctl) * self, u64 host)
{
	kernel_cpu.msr[MSR_IA32_DEBUGCTLMSR] = host;
	kernel_cpu.writes = 0;
	svm_run(&self->vcpu, &self->exit, false);
}

TEST_F(debugctl, of_a_thread_that_steps_by_branches_is_kept_from_the_guest)
{
	kernel_thread.steps_branches = true;
	run(self, BTF);
	EXPECT_EQ(0ULL, guest_debugctl);
	EXPECT_EQ(BTF, kernel_cpu.msr[MSR_IA32_DEBUGCTLMSR]);
}

TEST_F(debugctl, of_a_processor_that_traps_bus_locks_is_kept_from_the_guest)
{
	kernel_cpu.features = BIT(X86_FEATURE_BUS_LOCK_DETECT);
	run(self, BUS_LOCK);
	EXPECT_EQ(0ULL, guest_debugctl);
	EXPECT_EQ(BUS_LOCK, kernel_cpu.msr[MSR_IA32_DEBUGCTLMSR]);
}

TEST_F(debugctl, is_cleared_while_no_interrupt_of_the_hosts_can_change_it)
{
	kernel_thread.steps_branches = true;
	run(self, BTF);
	EXPECT_FALSE(gif_in_guest);
	EXPECT_TRUE(gif);
}

TEST_F(debugctl, is_not_written_where_it_holds_nothing)
{
	run(self, 0);
	EXPECT_EQ(0U, kernel_cpu.writes);
	kernel_cpu.features = BIT(X86_FEATURE_BUS_LOCK_DETECT);
	kernel_thread.steps_branches = true;
	run(self, 0);
	EXPECT_EQ(0U, kernel_cpu.writes);
	EXPECT_EQ(0ULL, guest_debugctl);
}

TEST_HARNESS_MAIN
