// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the inner loop of module/run.c, which answers exits with interrupts off: how
 * many in a row, and what ends a row.
 */
#include "fake_run.h"

#include "kselftest_harness.h"

/* The most entries in a row. */
#define ROW 64
/* The entry at which something happens in the guest's time. */
#define AT 5

FIXTURE(run)
{
	struct lodge_vm vm;
	struct lodge_apic apic;
	struct lodge_vcpu vcpu;
};

FIXTURE_SETUP(run)
{
	memset(self, 0, sizeof(*self));
	fake_run_reset();
	fake_run_vcpu(&self->vcpu, &self->vm, &self->apic, 1);
}

FIXTURE_TEARDOWN(run)
{
	EXPECT_EQ(0, kernel_thread.preempt_count);
	EXPECT_FALSE(kernel_thread.irqs_off);
	EXPECT_EQ(LODGE_OUTSIDE_GUEST, self->vcpu.mode);
	EXPECT_EQ(NULL, self->vcpu.thread);
}

/* Return: the kind of exit that ended the first row. */
static enum lodge_vmexit_kind run(FIXTURE_DATA(run) * self)
{
	if (lodge_vcpu_run(&self->vcpu, false, false))
		return -1;
	return fake.handled;
}

/* Return: true if an answer at @entry was the row's last. */
static bool ends_at(FIXTURE_DATA(run) * self, unsigned int entry)
{
	return run(self) == LODGE_VMEXIT_ANSWERED && fake.entries == entry;
}

TEST_F(run, has_at_most_sixty_four_entries_with_interrupts_off)
{
	EXPECT_TRUE(ends_at(self, ROW));
	EXPECT_EQ(ROW, fake.answered);
	EXPECT_EQ(ROW, fake.delivered);
	EXPECT_EQ(1U, fake.loads);
}

TEST_F(run, of_a_vcpu_that_is_to_be_held_ends_before_the_guest_is_entered)
{
	self->vm.holds.counter = 1;
	self->vcpu.requests |= BIT(LODGE_REQ_HOLD);
	EXPECT_EQ(-EAGAIN, lodge_vcpu_run(&self->vcpu, false, false));
	EXPECT_EQ(0U, fake.entries);
	EXPECT_EQ(LODGE_EXIT_INTERRUPTED, self->vcpu.answer.reason);
	EXPECT_FALSE(self->vcpu.requests & BIT(LODGE_REQ_HOLD));
}

TEST_F(run, goes_on_if_nobody_holds_the_vcpu_any_more)
{
	self->vcpu.requests |= BIT(LODGE_REQ_HOLD);
	EXPECT_TRUE(ends_at(self, ROW));
	EXPECT_FALSE(self->vcpu.requests & BIT(LODGE_REQ_HOLD));
}

/* fake_enter() looks whether the backend hears of interrupts between two entries. */
TEST_F(run, tells_of_interrupts_before_the_first_entry_of_each_row)
{
	fake.rows = 2;
	fake.refuses = AT;
	run(self);
	EXPECT_EQ(AT + 2 * ROW, fake.entries);
}

TEST_F(run, of_msr_accesses_is_the_same)
{
	fake.kind = LODGE_VMEXIT_MSR;
	EXPECT_TRUE(ends_at(self, ROW));
}

TEST_F(run, ends_with_the_first_exit_that_is_not_quick)
{
	fake.refuses = AT;
	EXPECT_EQ(LODGE_VMEXIT_CPUID, run(self));
	EXPECT_EQ(AT, fake.entries);
	EXPECT_EQ(AT - 1, fake.answered);
}

TEST_F(run, goes_on_after_an_output_where_the_kernel_has_devices_at_ports)
{
	struct lodge_iobus_table *table = (void *)&self->vm;

	fake.kind = LODGE_VMEXIT_IO;
	self->vm.iobus.table[LODGE_IOBUS_PORT] = table;
	EXPECT_TRUE(ends_at(self, ROW));
}

static void tell_what_follows(struct lodge_vcpu *vcpu,
			      struct lodge_vmexit *exit)
{
	exit->next_rip = 3;
}

TEST_F(run, goes_on_after_an_access_to_a_device_by_an_instruction_with_an_end)
{
	fake.kind = LODGE_VMEXIT_FAULT;
	fake.enter = tell_what_follows;
	EXPECT_TRUE(ends_at(self, ROW));
}

TEST_F(run, begins_without_knowledge_of_an_instruction)
{
	fake.rows = 1;
	run(self);
	EXPECT_EQ(1U, fake.forgets);
	run(self);
	EXPECT_EQ(2U, fake.forgets);
}

/*
 * An exit that says that an interrupt for the host has come is one of them.  The VM has
 * no devices in the kernel.
 */
TEST_F(run, ends_with_each_exit_but_cpuid_and_msr_accesses)
{
	enum lodge_vmexit_kind kind;

	for (kind = 0; kind <= LODGE_VMEXIT_INVALID; kind++) {
		if (kind == LODGE_VMEXIT_CPUID || kind == LODGE_VMEXIT_MSR)
			continue;
		fake.kind = kind;
		fake.entries = 0;
		EXPECT_EQ(kind, run(self));
		EXPECT_EQ(1U, fake.entries);
	}
	EXPECT_EQ(0U, fake.answered);
}

static void interrupt_at(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit)
{
	if (fake.entries == AT)
		exit->kind = LODGE_VMEXIT_HOST_EVENT;
}

TEST_F(run, is_left_for_an_interrupt_of_the_hosts)
{
	fake.enter = interrupt_at;
	EXPECT_EQ(LODGE_VMEXIT_HOST_EVENT, run(self));
	EXPECT_EQ(AT, fake.entries);
}

static void request_at(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit)
{
	if (fake.entries == AT)
		set_bit(LODGE_REQ_KICK, &vcpu->requests);
}

TEST_F(run, ends_with_a_request)
{
	fake.enter = request_at;
	EXPECT_TRUE(ends_at(self, AT));
	EXPECT_EQ(AT, fake.answered);
	/* The loop around it has work to do. */
	EXPECT_EQ(BIT(LODGE_REQ_KICK), self->vcpu.requests);
}

static void request(struct lodge_vcpu *vcpu)
{
	if (fake.entries == AT)
		set_bit(LODGE_REQ_EVENT, &vcpu->requests);
}

TEST_F(run, delivers_an_event_that_the_answer_makes_and_goes_on)
{
	fake.quick = request;
	EXPECT_TRUE(ends_at(self, ROW));
	EXPECT_EQ(1U, fake.given);
	EXPECT_EQ(0U, self->vcpu.requests);
}

static void request_always(struct lodge_vcpu *vcpu)
{
	set_bit(LODGE_REQ_EVENT, &vcpu->requests);
}

/* The last answer's is left to the run loop. */
TEST_F(run, has_no_more_entries_for_a_guest_with_an_event_at_each)
{
	fake.quick = request_always;
	EXPECT_TRUE(ends_at(self, ROW));
	EXPECT_EQ(ROW - 1U, fake.given);
	EXPECT_EQ(BIT(LODGE_REQ_EVENT), self->vcpu.requests);
}

static bool give_and_request(struct lodge_delivery *d)
{
	set_bit(LODGE_REQ_EVENT, d->requests);
	return true;
}

TEST_F(run, delivers_once_between_two_entries)
{
	fake.quick = request;
	fake.give = give_and_request;
	EXPECT_TRUE(ends_at(self, AT));
	EXPECT_EQ(1U, fake.given);
	EXPECT_EQ(BIT(LODGE_REQ_EVENT), self->vcpu.requests);
}

static bool give_and_lose_hardware(struct lodge_delivery *d)
{
	lodge_hw_on[kernel_here] = false;
	return true;
}

TEST_F(run, ends_when_virtualization_is_off_after_an_event)
{
	fake.quick = request;
	fake.give = give_and_lose_hardware;
	EXPECT_TRUE(ends_at(self, AT));
}

static bool give_no_more(struct lodge_delivery *d)
{
	return false;
}

TEST_F(run, ends_with_an_event_that_the_run_loop_is_to_deliver)
{
	fake.quick = request;
	fake.give = give_no_more;
	EXPECT_TRUE(ends_at(self, AT));
}

static bool give_and_kick(struct lodge_delivery *d)
{
	set_bit(LODGE_REQ_KICK, d->requests);
	return true;
}

TEST_F(run, ends_with_a_request_that_comes_as_an_event_is_delivered)
{
	fake.quick = request;
	fake.give = give_and_kick;
	EXPECT_TRUE(ends_at(self, AT));
}

static void request_more(struct lodge_vcpu *vcpu)
{
	if (fake.entries == AT)
		vcpu->requests |= BIT(LODGE_REQ_EVENT) | BIT(LODGE_REQ_FLUSH);
}

TEST_F(run, delivers_no_event_before_another_request_is_carried_out)
{
	fake.quick = request_more;
	EXPECT_TRUE(ends_at(self, AT));
	EXPECT_EQ(0U, fake.given);
}

static void request_and_work(struct lodge_vcpu *vcpu)
{
	request(vcpu);
	kernel_thread.work = fake.entries == AT;
}

TEST_F(run, ends_with_work_for_the_thread_after_an_event_is_delivered)
{
	fake.quick = request_and_work;
	EXPECT_TRUE(ends_at(self, AT));
}

static void work_at(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit)
{
	if (fake.entries == AT)
		kernel_thread.work = true;
}

TEST_F(run, ends_with_work_for_the_thread)
{
	fake.enter = work_at;
	EXPECT_TRUE(ends_at(self, AT));
}

static void hardware_off_at(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit)
{
	if (fake.entries == AT)
		lodge_hw_on[kernel_here] = false;
}

TEST_F(run, ends_when_virtualization_is_switched_off)
{
	fake.enter = hardware_off_at;
	EXPECT_TRUE(ends_at(self, AT));
}

TEST_F(run, ends_with_each_exit_while_an_event_waits_for_its_window)
{
	self->vcpu.delivery.window = LODGE_BLOCK_INTERRUPT;
	EXPECT_TRUE(ends_at(self, 1));
	EXPECT_EQ(1U, fake.answered);
}

TEST_F(run, loads_a_vcpu_once_while_the_cpu_holds_it)
{
	fake.rows = 2;
	run(self);
	EXPECT_EQ(3U * ROW, fake.entries);
	EXPECT_EQ(1U, fake.loads);
}

static void lose(struct lodge_vcpu *vcpu)
{
	preempt_disable();
	lodge_cpu_unload();
	preempt_enable();
}

TEST_F(run, loads_a_vcpu_that_the_cpu_has_lost)
{
	fake.rows = 2;
	fake.handle = lose;
	run(self);
	EXPECT_EQ(3U, fake.loads);
}

static void raise_priority(struct lodge_vcpu *vcpu)
{
	vcpu->apic->tpr = fake.entries % 16 << 4;
}

/* Each entry has what the answer before it has stored. */
static void check_priority(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit)
{
	fake_require(vcpu->regs.control.cr8 == (fake.entries - 1) % 16);
}

TEST_F(run, has_the_apics_task_priority_at_each_entry)
{
	fake.quick = raise_priority;
	fake.enter = check_priority;
	run(self);
	EXPECT_EQ(ROW, fake.entries);
	EXPECT_EQ(0U, fake.cr8_writes);
}

static void write_cr8(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit)
{
	fake_require(vcpu->regs.control.cr8 == (fake.entries - 1) % 16);
	vcpu->regs.control.cr8 = fake.entries % 16;
}

TEST_F(run, gives_the_apic_each_priority_that_the_guest_writes)
{
	fake.enter = write_cr8;
	run(self);
	EXPECT_EQ(ROW, fake.cr8_writes);
	EXPECT_EQ(ROW % 16 << 4, self->apic.tpr);
}

static void interrupt_delivery(struct lodge_vcpu *vcpu,
			       struct lodge_vmexit *exit)
{
	/* What was cut short at the entry before has been noted. */
	fake_require(vcpu->delivery.in_flight.vector == fake.entries - 1);
	exit->interrupted = (struct lodge_event){ .type = LODGE_EVENT_EXTERNAL,
						  .vector = fake.entries };
}

TEST_F(run, notes_what_each_exit_says_of_events)
{
	fake.enter = interrupt_delivery;
	run(self);
	EXPECT_EQ(ROW, fake.delivered);
	EXPECT_EQ(ROW, self->vcpu.delivery.in_flight.vector);
}

TEST_F(run, regards_nothing_as_delivered_by_a_refused_entry)
{
	fake.kind = LODGE_VMEXIT_INVALID;
	run(self);
	EXPECT_EQ(1U, fake.entries);
	EXPECT_EQ(0U, fake.delivered);
}

static void request_in_load(struct lodge_vcpu *vcpu)
{
	if (fake.loads == 1)
		set_bit(LODGE_REQ_KICK, &vcpu->requests);
}

static void check_requests(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit)
{
	fake_require(!vcpu->requests);
}

TEST_F(run, does_not_begin_with_a_request_that_came_after_the_loop_looked)
{
	fake.load = request_in_load;
	fake.enter = check_requests;
	EXPECT_TRUE(ends_at(self, ROW));
}

TEST_F(run, begins_once_virtualization_is_on_again)
{
	lodge_hw_on[kernel_here] = false;
	EXPECT_TRUE(ends_at(self, ROW));
}

TEST_F(run, does_not_begin_with_work_for_the_thread)
{
	kernel_thread.work = true;
	EXPECT_EQ(-EINTR, lodge_vcpu_run(&self->vcpu, false, false));
	EXPECT_EQ(LODGE_EXIT_INTERRUPTED, self->vcpu.answer.reason);
	EXPECT_EQ(0U, fake.entries);
}

TEST_F(run, does_not_begin_with_a_vm_that_is_dead)
{
	self->vm.state = LODGE_VM_KILLED;
	EXPECT_EQ(-ECANCELED, lodge_vcpu_run(&self->vcpu, false, false));
	self->vm.state = LODGE_VM_BROKEN;
	EXPECT_EQ(-EIO, lodge_vcpu_run(&self->vcpu, false, false));
	EXPECT_EQ(0U, fake.entries);
	EXPECT_EQ(0U, fake.stops);
}

static void kill_vm(struct lodge_vcpu *vcpu)
{
	vcpu->vm->state = LODGE_VM_KILLED;
}

TEST_F(run, ends_once_the_vm_is_killed)
{
	fake.rows = 1;
	fake.handle = kill_vm;
	EXPECT_EQ(-ECANCELED, lodge_vcpu_run(&self->vcpu, false, false));
	EXPECT_EQ(ROW, fake.entries);
}

static enum lodge_exit_reason reason;

static void answer(struct lodge_vcpu *vcpu)
{
	vcpu->answer.reason = reason;
}

TEST_F(run, tells_of_each_answer_after_which_the_guest_cannot_go_on)
{
	fake.handle = answer;
	for (reason = 0; reason <= LODGE_EXIT_UNKNOWN; reason++) {
		fake.stops = 0;
		EXPECT_EQ(0, lodge_vcpu_run(&self->vcpu, false, false));
		EXPECT_EQ(reason >= LODGE_EXIT_SHUTDOWN, fake.stops)
		TH_LOG("reason %u", reason);
	}
}

TEST_HARNESS_MAIN
