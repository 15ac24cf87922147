// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the barriers between vCPUs, and of what a guest commands by MSR PRED_CMD and
 * FLUSH_CMD: on which CPU module/run.c carries them out, and how often.
 */
#include "fake_run.h"

#include "kselftest_harness.h"

FIXTURE(command)
{
	struct lodge_vm vm;
	struct lodge_apic apic;
	struct lodge_vcpu vcpu;
	struct lodge_vcpu other;
};

/* No barrier between vCPUs, so that each write is the guest's command. */
FIXTURE_SETUP(command)
{
	memset(self, 0, sizeof(*self));
	fake_run_reset();
	kernel_features = BIT(X86_FEATURE_IBPB_ON_VMEXIT);
	fake_run_vcpu(&self->vcpu, &self->vm, &self->apic, 1);
	fake_run_vcpu(&self->other, &self->vm, &self->apic, 2);
}

FIXTURE_TEARDOWN(command)
{
	EXPECT_EQ(0, kernel_thread.preempt_count);
}

static unsigned int writes_before_entry;

static void note_writes(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit)
{
	if (fake.entries == 1)
		writes_before_entry = fake.writes;
}

/* Return: the number of MSRs written for a run on @cpu, before its first entry. */
static unsigned int run_on(int cpu, struct lodge_vcpu *vcpu)
{
	kernel_here = cpu;
	fake.entries = 0;
	fake.writes = 0;
	fake.enter = note_writes;
	lodge_vcpu_run(vcpu, false, false);
	return writes_before_entry;
}

/* The guest gives both, by exits that take time. */
static void give_both(struct lodge_vcpu *vcpu)
{
	lodge_vcpu_command(vcpu, &vcpu->ibpb, MSR_IA32_PRED_CMD, PRED_CMD_IBPB);
	lodge_vcpu_command(vcpu, &vcpu->flush_l1d, MSR_IA32_FLUSH_CMD,
			   L1D_FLUSH);
}

static void give_ibpb(struct lodge_vcpu *vcpu)
{
	lodge_vcpu_command(vcpu, &vcpu->ibpb, MSR_IA32_PRED_CMD, PRED_CMD_IBPB);
}

/* The thread moves before the command is carried out. */
static void move_and_give(struct lodge_vcpu *vcpu)
{
	kernel_here = !kernel_here;
	give_ibpb(vcpu);
}

/* True if both have just been carried out, in any order. */
static bool wrote_both(void)
{
	unsigned int ibpb = fake.msr[0] == MSR_IA32_PRED_CMD ? 0 : 1;

	return fake.writes == 2 && fake.msr[ibpb] == MSR_IA32_PRED_CMD &&
	       fake.value[ibpb] == PRED_CMD_IBPB &&
	       fake.msr[!ibpb] == MSR_IA32_FLUSH_CMD &&
	       fake.value[!ibpb] == L1D_FLUSH;
}

TEST_F(command, that_was_never_given_is_never_carried_out)
{
	EXPECT_EQ(0U, run_on(0, &self->vcpu));
	EXPECT_EQ(0U, run_on(1, &self->vcpu));
	EXPECT_EQ(0U, run_on(0, &self->vcpu));
}

TEST_F(command, is_carried_out_at_once_and_not_again_on_the_same_cpu)
{
	fake.handle = give_both;
	EXPECT_EQ(0U, run_on(0, &self->vcpu));
	EXPECT_TRUE(wrote_both());
	fake.handle = NULL;
	EXPECT_EQ(0U, run_on(0, &self->vcpu));
	EXPECT_EQ(0U, run_on(0, &self->vcpu));
}

TEST_F(command, is_carried_out_once_on_each_cpu_that_the_vcpu_comes_to)
{
	fake.handle = give_both;
	run_on(0, &self->vcpu);
	fake.handle = NULL;
	EXPECT_EQ(2U, run_on(1, &self->vcpu));
	EXPECT_TRUE(wrote_both());
	EXPECT_EQ(0U, run_on(1, &self->vcpu));
	/* Its traces there are from before the command. */
	EXPECT_EQ(2U, run_on(0, &self->vcpu));
	EXPECT_EQ(0U, run_on(0, &self->vcpu));
}

TEST_F(command, of_one_kind_does_not_carry_out_the_other)
{
	fake.handle = give_ibpb;
	run_on(0, &self->vcpu);
	fake.handle = NULL;
	EXPECT_EQ(1U, run_on(1, &self->vcpu));
	EXPECT_EQ(MSR_IA32_PRED_CMD, fake.msr[0]);
}

TEST_F(command, of_one_vcpu_is_not_carried_out_for_another)
{
	fake.handle = give_both;
	run_on(0, &self->vcpu);
	fake.handle = NULL;
	EXPECT_EQ(0U, run_on(0, &self->other));
	EXPECT_EQ(0U, run_on(1, &self->other));
}

TEST_F(command, waits_for_the_entry_if_the_thread_has_moved)
{
	fake.handle = move_and_give;
	run_on(0, &self->vcpu);
	EXPECT_EQ(0U, fake.writes);
	fake.handle = NULL;
	EXPECT_EQ(1U, run_on(1, &self->vcpu));
	EXPECT_EQ(0U, run_on(1, &self->vcpu));
}

TEST_F(command, waits_for_the_entry_if_the_thread_has_moved_and_come_back)
{
	fake.handle = move_and_give;
	run_on(0, &self->vcpu);
	fake.handle = NULL;
	EXPECT_EQ(1U, run_on(0, &self->vcpu));
	EXPECT_EQ(0U, run_on(0, &self->vcpu));
}

/* Another vCPU's thread had the CPU, or user mode. */
static void lose_and_give(struct lodge_vcpu *vcpu)
{
	preempt_disable();
	lodge_cpu_unload();
	preempt_enable();
	give_ibpb(vcpu);
}

TEST_F(command, waits_for_the_entry_if_the_cpu_has_lost_the_vcpu)
{
	fake.handle = lose_and_give;
	run_on(0, &self->vcpu);
	EXPECT_EQ(0U, fake.writes);
	fake.handle = NULL;
	EXPECT_EQ(1U, run_on(0, &self->vcpu));
	EXPECT_EQ(0U, run_on(0, &self->vcpu));
}

TEST_F(command, is_the_guests_own_value)
{
	self->vcpu.loaded_cpu = 0;
	lodge_run_loaded[0] = &self->vcpu;
	lodge_vcpu_command(&self->vcpu, &self->vcpu.ibpb, MSR_IA32_PRED_CMD,
			   BIT(7));
	EXPECT_EQ(1U, fake.writes);
	EXPECT_EQ(MSR_IA32_PRED_CMD, fake.msr[0]);
	EXPECT_EQ(BIT(7), fake.value[0]);
}

/* Serials that no other test has used: a CPU keeps that of the last one. */
TEST_F(command, of_the_hosts_parts_vcpus_that_share_a_cpu)
{
	kernel_features = 0;
	self->vcpu.serial = 3;
	self->other.serial = 4;
	EXPECT_EQ(1U, run_on(0, &self->vcpu));
	EXPECT_EQ(MSR_IA32_PRED_CMD, fake.msr[0]);
	EXPECT_EQ(0U, run_on(0, &self->vcpu));
	EXPECT_EQ(1U, run_on(0, &self->other));
	EXPECT_EQ(1U, run_on(0, &self->vcpu));
	/* It comes back to a CPU where nobody else ran meanwhile. */
	EXPECT_EQ(1U, run_on(1, &self->vcpu));
	EXPECT_EQ(1U, run_on(0, &self->vcpu));
}

TEST_F(command, of_the_hosts_is_none_where_each_exit_is_a_barrier)
{
	EXPECT_EQ(0U, run_on(0, &self->vcpu));
	EXPECT_EQ(0U, run_on(0, &self->other));
	EXPECT_EQ(0U, run_on(0, &self->vcpu));
}

TEST_HARNESS_MAIN
