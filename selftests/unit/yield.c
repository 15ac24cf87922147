// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of directed yield: the vCPU to which a spinning one gives its time.
 */
#include "kernel_run.h"

#include "kselftest_harness.h"

#include "vcpu.h"
#include "vm.h"
#include "yield.h"

#define NR 5
#define SPINNING 1

static struct lodge_vm vm;
static struct lodge_vcpu vcpus[NR];
static struct task_struct threads[NR];
/* The answer of yield_to() for each vCPU's thread; and how often it was asked. */
static int answers[NR];
static unsigned int asked[NR];
static unsigned int unheld;
/* The number of times that the thread gave way to any other. */
static unsigned int yields;

int yield_to(struct task_struct *thread, bool preempt)
{
	unsigned int id = thread - threads;

	unheld += !thread->users;
	asked[id]++;
	return answers[id];
}

void yield(void)
{
	yields++;
}

FIXTURE(yield){};

/* All wait for a processor. */
FIXTURE_SETUP(yield)
{
	unsigned int i;

	memset(&vm, 0, sizeof(vm));
	memset(vcpus, 0, sizeof(vcpus));
	memset(threads, 0, sizeof(threads));
	memset(asked, 0, sizeof(asked));
	unheld = 0;
	yields = 0;
	for (i = 0; i < NR; i++) {
		answers[i] = 1;
		vcpus[i].vm = &vm;
		vcpus[i].thread = &threads[i];
		vm.vcpus[i] = &vcpus[i];
	}
	vm.nr_vcpus = NR;
}

/* No reference on a thread is left, and none was used without one. */
FIXTURE_TEARDOWN(yield)
{
	unsigned int i;

	EXPECT_EQ(0U, unheld);
	for (i = 0; i < NR; i++)
		EXPECT_EQ(0, threads[i].users);
}

static void spin(void)
{
	lodge_yield(&vcpus[SPINNING]);
}

static unsigned int all_asked(void)
{
	return asked[0] + asked[1] + asked[2] + asked[3] + asked[4];
}

TEST_F(yield, goes_to_each_of_the_others_in_its_turn)
{
	unsigned int round, i;

	for (round = 1; round <= 3; round++) {
		for (i = 1; i < NR; i++)
			spin();
		for (i = 0; i < NR; i++)
			EXPECT_EQ(i == SPINNING ? 0 : round, asked[i]);
	}
	EXPECT_EQ(0U, yields);
}

TEST_F(yield, goes_to_one_that_waits_and_ends_there)
{
	answers[0] = answers[3] = answers[4] = 0;
	spin();
	EXPECT_EQ(1U, asked[2]);
	EXPECT_EQ(1U, all_asked());
	spin();
	EXPECT_EQ(2U, asked[2]);
	EXPECT_EQ(1U, asked[3]);
	EXPECT_EQ(1U, asked[4]);
	EXPECT_EQ(1U, asked[0]);
	EXPECT_EQ(0U, yields);
}

TEST_F(yield, never_goes_to_the_spinning_vcpu_itself)
{
	memset(answers, 0, sizeof(answers));
	spin();
	EXPECT_EQ(0U, asked[SPINNING]);
	EXPECT_EQ(NR - 1U, all_asked());
}

static void never_asks_vcpu_2(struct __test_metadata *_metadata)
{
	int i;

	for (i = 0; i < 4; i++)
		spin();
	EXPECT_EQ(0U, asked[2]);
	EXPECT_EQ(4U, all_asked());
}

TEST_F(yield, never_goes_to_one_in_the_guest)
{
	vcpus[2].mode = LODGE_IN_GUEST;
	never_asks_vcpu_2(_metadata);
}

TEST_F(yield, never_goes_to_one_that_is_halted)
{
	vcpus[2].wait.task = 1;
	never_asks_vcpu_2(_metadata);
}

TEST_F(yield, passes_over_one_that_nobody_runs_and_one_that_does_not_exist)
{
	vcpus[2].thread = NULL;
	vm.vcpus[3] = NULL;
	spin();
	EXPECT_EQ(1U, asked[4]);
	EXPECT_EQ(1U, all_asked());
}

TEST_F(yield, goes_to_any_thread_if_no_vcpu_waits)
{
	memset(answers, 0, sizeof(answers));
	spin();
	EXPECT_EQ(NR - 1U, all_asked());
	EXPECT_EQ(1U, yields);
}

TEST_F(yield, of_a_vcpu_alone_goes_to_any_thread)
{
	vm.nr_vcpus = SPINNING + 1;
	vm.vcpus[0] = NULL;
	spin();
	EXPECT_EQ(0U, all_asked());
	EXPECT_EQ(1U, yields);
}

/* yield_to() answers so where one thread each runs here and on the other's CPU. */
TEST_F(yield, tries_three_processors_that_have_nobody_waiting)
{
	unsigned int i;

	for (i = 0; i < NR; i++)
		answers[i] = -ESRCH;
	answers[1] = answers[0] = 1;
	spin();
	/* The turn begins behind vCPU 0: 2, 3 and 4 are asked. */
	EXPECT_EQ(0U, asked[0]);
	EXPECT_EQ(3U, all_asked());
	EXPECT_EQ(1U, yields);
	/* It is a processor that runs one that has waited, which is not counted. */
	answers[2] = 0;
	spin();
	EXPECT_EQ(1U, asked[0]);
	EXPECT_EQ(1U, yields);
}

TEST_HARNESS_MAIN
