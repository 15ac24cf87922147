// SPDX-License-Identifier: GPL-2.0
/*
 * LODGE_CMD_VM_KILL: whatever a VM does, it stops, its calls fail with ECANCELED, and
 * nothing but its descriptors stays.
 */
#include <stdlib.h>

#include "host.h"
#include "lib/client.h"
#include "netlink_fixture.h"
#include "random.h"
#include "runner.h"
#include "waiting.h"

#include "kselftest_harness.h"

#define MAKERS 3
#define KILLERS 2
#define DEAD_VMS 300

FIXTURE(kill)
{
	struct talk talk;
	struct machine machine;
	struct runner runner;
	struct seen seen;
};

FIXTURE_SETUP(kill)
{
	struct list *list = malloc(sizeof(*list));

	ASSERT_NE(NULL, list);
	ASSERT_EQ(0, machine_make(&self->machine, 2));
	ASSERT_EQ(0, talk_open(&self->talk));
	ASSERT_EQ(0, see_all(&self->talk, list));
	ASSERT_LT(0, list->count);
	/* The newest VM is the machine's. */
	for (int i = 0; i < list->count; i++)
		if (!i || list->seen[i].start > self->seen.start)
			self->seen = list->seen[i];
	ASSERT_EQ(2, self->seen.vcpus);
	free(list);
}

FIXTURE_TEARDOWN(kill)
{
	talk_close(&self->talk);
	machine_end(&self->machine);
}

static int kill_machine(FIXTURE_DATA(kill) * self)
{
	return kill_id(&self->talk, self->seen.id);
}

static enum lodge_vm_state state(FIXTURE_DATA(kill) * self)
{
	if (see_id(&self->talk, self->seen.id, &self->seen))
		return -1;
	return self->seen.state;
}

static bool starts(FIXTURE_DATA(kill) * self, const char *code)
{
	if (machine_enter(&self->machine, 0, code))
		return false;
	runner_start(&self->runner, &self->machine, 0);
	return EVENTUALLY(machine_word(&self->machine, GUEST_ROUNDS));
}

/* The end comes without a kick. */
static int ending(struct runner *runner)
{
	pthread_join(runner->thread, NULL);
	return runner->error;
}

TEST_F(kill, a_guest_that_spins_is_stopped)
{
	ASSERT_TRUE(starts(self, guest_spin));
	EXPECT_EQ(0, kill_machine(self));
	EXPECT_EQ(-ECANCELED, ending(&self->runner));
	EXPECT_EQ(LODGE_VM_KILLED, state(self));
}

TEST_F(kill, a_guest_that_exits_all_the_time_is_stopped)
{
	ASSERT_TRUE(starts(self, guest_out));
	EXPECT_EQ(0, kill_machine(self));
	EXPECT_EQ(-ECANCELED, ending(&self->runner));
}

/* In HLT, and for a start-up IPI. */
TEST_F(kill, vcpus_that_wait_are_woken)
{
	struct runner second;

	ASSERT_EQ(0, machine_enter(&self->machine, 0, guest_halt));
	runner_start(&self->runner, &self->machine, 0);
	runner_start(&second, &self->machine, 1);
	runner_kick(&self->runner);
	runner_kick(&second);
	EXPECT_TRUE(EVENTUALLY(SEEN(self->runner.kicks) && SEEN(second.kicks)));
	/* Longer, so that they wait again. */
	usleep(10000);
	EXPECT_EQ(0, kill_machine(self));
	EXPECT_EQ(-ECANCELED, ending(&self->runner));
	EXPECT_EQ(-ECANCELED, ending(&second));
}

TEST_F(kill, a_thread_that_waits_for_a_vcpu_is_told)
{
	struct runner second;

	ASSERT_TRUE(starts(self, guest_spin));
	runner_start(&second, &self->machine, 0);
	usleep(10000);
	EXPECT_EQ(0, kill_machine(self));
	EXPECT_EQ(-ECANCELED, ending(&self->runner));
	EXPECT_EQ(-ECANCELED, ending(&second));
}

TEST_F(kill, every_call_fails)
{
	struct lodge_state state = { .groups = LODGE_GROUP_GENERAL };
	struct machine *machine = &self->machine;
	struct lodge_clock clock;
	struct lodge_run *run;

	EXPECT_EQ(0, kill_machine(self));
	EXPECT_EQ(-ECANCELED, lodge_run(machine->cpu[0].fd));
	EXPECT_EQ(-ECANCELED, lodge_state_get(machine->cpu[0].fd, &state));
	EXPECT_EQ(-ECANCELED, lodge_state_set(machine->cpu[0].fd, &state));
	EXPECT_EQ(-ECANCELED, lodge_nmi(machine->cpu[0].fd));
	EXPECT_EQ(-ECANCELED, lodge_extint(machine->cpu[0].fd, 0x20));
	EXPECT_EQ(-ECANCELED, lodge_vcpu_create(machine->vm, 2, &run));
	EXPECT_EQ(-ECANCELED, lodge_memory_delete(machine->vm, 0));
	EXPECT_EQ(-ECANCELED, lodge_msi_send(machine->vm, 0xfee00000, 0x40));
	EXPECT_EQ(-ECANCELED, lodge_clock_get(machine->vm, &clock));
}

TEST_F(kill, a_vm_that_was_killed_stays_until_it_is_closed)
{
	struct seen seen;
	int vm = vm_create(self->machine.lodge, "stays");

	ASSERT_LE(0, vm);
	ASSERT_EQ(0, see_name(&self->talk, "stays", &seen));
	EXPECT_EQ(0, kill_id(&self->talk, seen.id));
	EXPECT_EQ(0, see_name(&self->talk, "stays", &seen));
	EXPECT_EQ(LODGE_VM_KILLED, seen.state);
	EXPECT_EQ(-EEXIST, vm_create(self->machine.lodge, "stays"));
	EXPECT_EQ(0, kill_id(&self->talk, seen.id));
	close(vm);
	EXPECT_EQ(-ENOENT, see_name(&self->talk, "stays", &seen));
	EXPECT_EQ(-ENOENT, kill_id(&self->talk, seen.id));
}

TEST_F(kill, a_vm_can_be_killed_by_its_name)
{
	union talk_message message;

	talk_begin(&self->talk, &message, LODGE_CMD_VM_KILL, 0);
	talk_put_string(&message, LODGE_VM_NAME, "nobody-has-this");
	EXPECT_EQ(-ENOENT, talk_do(&self->talk, &message, NULL, NULL));
	talk_begin(&self->talk, &message, LODGE_CMD_VM_KILL, 0);
	talk_put_string(&message, LODGE_VM_NAME, self->seen.name);
	EXPECT_EQ(0, talk_do(&self->talk, &message, NULL, NULL));
	EXPECT_EQ(LODGE_VM_KILLED, state(self));
}

TEST_F(kill, another_vm_runs_on)
{
	struct seen seen;
	int vm = vm_create(self->machine.lodge, "victim");

	ASSERT_LE(0, vm);
	ASSERT_EQ(0, see_name(&self->talk, "victim", &seen));
	ASSERT_TRUE(starts(self, guest_spin));
	EXPECT_EQ(0, kill_id(&self->talk, seen.id));
	runner_kick(&self->runner);
	EXPECT_TRUE(EVENTUALLY(SEEN(self->runner.kicks)));
	EXPECT_EQ(0, runner_stop(&self->runner));
	EXPECT_EQ(LODGE_VM_ALIVE, state(self));
	close(vm);
}

/*
 * Races
 */

/**
 * struct hand - a thread that makes VMs, or kills them
 * @keep: the first VM that may be killed: older ones stay
 */
struct hand {
	pthread_t thread;
	int lodge;
	uint32_t keep;
	bool stop;
	int done;
	int error;
};

/* A VM with a vCPU that runs until it is killed, or is closed before. */
static int make_one(int lodge)
{
	struct lodge_run *run;
	int vm = lodge_vm_create(lodge);
	int vcpu, error = 0;

	if (vm < 0)
		return vm;
	vcpu = lodge_vcpu_create(vm, 0, &run);
	if (vcpu >= 0) {
		error = lodge_run(vcpu);
		lodge_vcpu_close(vcpu, run);
	} else {
		error = vcpu;
	}
	close(vm);
	return error == -ECANCELED ? 0 : error;
}

static void *make_thread(void *argument)
{
	struct hand *hand = argument;

	while (!SEEN(hand->stop) && !hand->error) {
		hand->error = make_one(hand->lodge);
		__atomic_add_fetch(&hand->done, 1, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

static int kill_all(struct hand *hand, struct talk *talk, struct list *list)
{
	int error = see_all(talk, list);

	for (int i = 0; i < list->count && !error; i++) {
		if (list->seen[i].id == hand->keep)
			continue;
		error = kill_id(talk, list->seen[i].id);
		if (error == -ENOENT)
			error = 0;
		__atomic_add_fetch(&hand->done, 1, __ATOMIC_SEQ_CST);
	}
	return error;
}

static void *kill_thread(void *argument)
{
	struct talk *talk = malloc(sizeof(*talk));
	struct list *list = malloc(sizeof(*list));
	struct hand *hand = argument;

	hand->error = talk && list ? talk_open(talk) : -ENOMEM;
	while (!SEEN(hand->stop) && !hand->error)
		hand->error = kill_all(hand, talk, list);
	talk_close(talk);
	free(list);
	free(talk);
	return NULL;
}

TEST_F(kill, vms_can_be_killed_while_they_are_made_and_closed)
{
	struct hand hand[MAKERS + KILLERS];
	int made = 0;

	for (int i = 0; i < MAKERS + KILLERS; i++) {
		hand[i] = (struct hand){ .lodge = self->machine.lodge,
					 .keep = self->seen.id };
		pthread_create(&hand[i].thread, NULL,
			       i < MAKERS ? make_thread : kill_thread,
			       &hand[i]);
	}
	EXPECT_TRUE(EVENTUALLY(SEEN(hand[MAKERS].done) > DEAD_VMS ||
			       SEEN(hand[0].error)));
	for (int i = 0; i < MAKERS + KILLERS; i++) {
		/* Those who kill go on until nobody waits for them. */
		__atomic_store_n(&hand[i].stop, true, __ATOMIC_SEQ_CST);
		pthread_join(hand[i].thread, NULL);
		EXPECT_EQ(0, hand[i].error);
		made += i < MAKERS ? hand[i].done : 0;
	}
	EXPECT_LT(0, made);
	EXPECT_EQ(LODGE_VM_ALIVE, state(self));
	EXPECT_TRUE(starts(self, guest_spin));
	EXPECT_EQ(0, runner_stop(&self->runner));
}

TEST_HARNESS_MAIN
