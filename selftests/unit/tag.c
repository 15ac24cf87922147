// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the TLB's tags, with a TLB that keeps all translations until it is flushed.
 */
#include "tag.h"

#include "kselftest_harness.h"

#define CPUS 2
#define LAST 7
#define VCPUS 12

/**
 * struct cpu - a host CPU
 * @tags: the code under test
 * @tlb: the vCPU that has translations in the TLB, or NOBODY; by tag
 */
struct cpu {
	struct lodge_tags tags;
	int tlb[LAST + 1];
};

struct vcpu {
	struct lodge_tag tag;
	int cpu;
};

#define NOBODY -1

FIXTURE(tags)
{
	struct cpu cpu[CPUS];
	struct vcpu vcpu[VCPUS];
	unsigned int flushes;
};

FIXTURE_SETUP(tags)
{
	memset(self, 0, sizeof(*self));
	/* Before, every tag has translations that are of none of the vCPUs. */
	for (int i = 0; i < CPUS; i++) {
		for (int tag = 0; tag <= LAST; tag++)
			self->cpu[i].tlb[tag] = VCPUS;
		lodge_tags_init(&self->cpu[i].tags, LAST);
	}
	for (int i = 0; i < VCPUS; i++)
		self->vcpu[i].cpu = NOBODY;
}

FIXTURE_TEARDOWN(tags)
{
}

static void flush(FIXTURE_DATA(tags) * self, struct cpu *cpu)
{
	self->flushes++;
	for (int tag = 0; tag <= LAST; tag++)
		cpu->tlb[tag] = NOBODY;
}

/*
 * Runs vCPU @number on CPU @here, as a vendor's files do.
 *
 * Return: true if it finds only its own translations.
 */
static bool runs(FIXTURE_DATA(tags) * self, int number, int here)
{
	struct vcpu *vcpu = &self->vcpu[number];
	struct cpu *cpu = &self->cpu[here];
	int *found;

	if (vcpu->cpu != here)
		lodge_tag_drop(&vcpu->tag);
	vcpu->cpu = here;
	if (lodge_tag_is_stale(&vcpu->tag, &cpu->tags) &&
	    lodge_tag_new(&vcpu->tag, &cpu->tags))
		flush(self, cpu);
	if (!vcpu->tag.number || vcpu->tag.number > LAST)
		return false;
	found = &cpu->tlb[vcpu->tag.number];
	if (*found != NOBODY && *found != number)
		return false;
	*found = number;
	return true;
}

TEST_F(tags, of_the_first_vcpu_follow_a_flush)
{
	ASSERT_TRUE(runs(self, 0, 0));
	EXPECT_EQ(1U, self->flushes);
}

TEST_F(tags, last_as_long_as_the_vcpu_stays_and_others_find_some)
{
	for (int i = 0; i < LAST; i++)
		ASSERT_TRUE(runs(self, i, 0));
	for (int i = 0; i < LAST; i++)
		ASSERT_TRUE(runs(self, i, 0));
	EXPECT_EQ(1U, self->flushes);
}

TEST_F(tags, of_an_older_generation_are_never_used_again)
{
	for (int round = 0; round < 4; round++)
		for (int i = 0; i < VCPUS; i++)
			ASSERT_TRUE(runs(self, i, 0));
	EXPECT_GE(self->flushes, 4U);
}

TEST_F(tags, of_another_cpu_are_not_taken_along)
{
	ASSERT_TRUE(runs(self, 0, 0));
	ASSERT_TRUE(runs(self, 1, 1));
	ASSERT_TRUE(runs(self, 0, 1));
	ASSERT_TRUE(runs(self, 1, 0));
	ASSERT_TRUE(runs(self, 0, 0));
}

TEST_F(tags, are_all_stale_after_virtualization_was_off)
{
	ASSERT_TRUE(runs(self, 0, 0));
	ASSERT_TRUE(runs(self, 1, 0));
	for (int tag = 0; tag <= LAST; tag++)
		self->cpu[0].tlb[tag] = VCPUS;
	lodge_tags_init(&self->cpu[0].tags, LAST);
	ASSERT_TRUE(runs(self, 1, 0));
	ASSERT_TRUE(runs(self, 0, 0));
	EXPECT_EQ(2U, self->flushes);
}

TEST_F(tags, part_vcpus_that_wander_at_random)
{
	unsigned int seed = 1;

	for (int i = 0; i < 100000; i++) {
		seed = seed * 1103515245 + 12345;
		ASSERT_TRUE(
			runs(self, (seed >> 16) % VCPUS, (seed >> 24) % CPUS));
	}
}

TEST_HARNESS_MAIN
