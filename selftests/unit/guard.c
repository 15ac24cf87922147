// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the barriers and flushes before an entry, on processors with each bug.
 */
#include "guard.h"

#include "kselftest_harness.h"

/* State of a CPU for lodge_guard_barrier(). */
struct cpu {
	u64 last;
};

struct vcpu {
	u64 serial;
	int cpu;
};

static bool enters(struct cpu *cpus, struct vcpu *vcpu, int here)
{
	bool barrier = lodge_guard_barrier(cpus[here].last, vcpu->serial,
					   vcpu->cpu, here);

	cpus[here].last = vcpu->serial;
	vcpu->cpu = here;
	return barrier;
}

TEST(a_vcpu_that_stays_alone_on_its_cpu_needs_one_barrier)
{
	struct cpu cpus[2] = {};
	struct vcpu vcpu = { 1, -1 };

	EXPECT_TRUE(enters(cpus, &vcpu, 0));
	EXPECT_FALSE(enters(cpus, &vcpu, 0));
	EXPECT_FALSE(enters(cpus, &vcpu, 0));
}

TEST(two_vcpus_that_share_a_cpu_are_parted_each_time)
{
	struct cpu cpus[2] = {};
	struct vcpu first = { 1, -1 }, second = { 2, -1 };

	EXPECT_TRUE(enters(cpus, &first, 0));
	EXPECT_TRUE(enters(cpus, &second, 0));
	EXPECT_TRUE(enters(cpus, &first, 0));
	EXPECT_FALSE(enters(cpus, &first, 0));
	EXPECT_TRUE(enters(cpus, &second, 0));
}

/*
 * A guest's command makes an exit.  Afterwards this CPU still holds the vCPU's state,
 * or the thread has moved to another CPU.
 */
TEST(what_a_guest_commands_is_done_at_once_and_once)
{
	struct lodge_guard_command command = {};

	EXPECT_FALSE(lodge_guard_take(&command, -1, 0));
	EXPECT_TRUE(lodge_guard_give(&command, true));
	EXPECT_FALSE(lodge_guard_take(&command, 0, 0));
}

TEST(what_a_guest_commands_is_done_where_it_goes_on)
{
	struct lodge_guard_command command = {};

	EXPECT_TRUE(lodge_guard_give(&command, true));
	EXPECT_TRUE(lodge_guard_take(&command, 0, 1));
	EXPECT_FALSE(lodge_guard_take(&command, 1, 1));
}

TEST(what_a_guest_commands_is_not_done_on_a_cpu_that_does_not_hold_it)
{
	struct lodge_guard_command command = {};

	EXPECT_FALSE(lodge_guard_give(&command, false));
	EXPECT_TRUE(lodge_guard_take(&command, 0, 0));
	EXPECT_FALSE(lodge_guard_take(&command, 0, 0));
}

TEST(what_a_guest_commanded_on_one_cpu_is_done_on_those_it_comes_back_to)
{
	struct lodge_guard_command command = {};

	/* It has run on CPU 0, moves to CPU 1, and gives the command there. */
	EXPECT_FALSE(lodge_guard_take(&command, 0, 1));
	EXPECT_TRUE(lodge_guard_give(&command, true));
	EXPECT_TRUE(lodge_guard_take(&command, 1, 0));
	EXPECT_FALSE(lodge_guard_take(&command, 0, 0));
}

TEST(a_barrier_that_a_guest_asked_for_elsewhere_holds_where_it_comes_back)
{
	struct cpu cpus[2] = {};
	struct vcpu vcpu = { 1, -1 };

	EXPECT_TRUE(enters(cpus, &vcpu, 0));
	EXPECT_TRUE(enters(cpus, &vcpu, 1));
	/* Nobody else ran on CPU 0, but its predictors are from before the command. */
	EXPECT_TRUE(enters(cpus, &vcpu, 0));
}

FIXTURE(flush){};

FIXTURE_VARIANT(flush)
{
	enum lodge_guard_l1d l1d;
	bool stale_data;
	/* Expected results: unused, used, unused with a device, used with a device. */
	enum lodge_guard_flush expected[4];
};

FIXTURE_SETUP(flush)
{
}

FIXTURE_TEARDOWN(flush)
{
}

#define FLUSH(name, mode, stale, ...)                               \
	FIXTURE_VARIANT_ADD(flush, name)                            \
	{                                                           \
		.l1d = LODGE_GUARD_L1D_##mode, .stale_data = stale, \
		.expected = { __VA_ARGS__ },                        \
	}

FLUSH(no_bug, NEVER, false, LODGE_GUARD_NOTHING, LODGE_GUARD_NOTHING,
      LODGE_GUARD_NOTHING, LODGE_GUARD_NOTHING);
FLUSH(stale_data, NEVER, true, LODGE_GUARD_NOTHING, LODGE_GUARD_NOTHING,
      LODGE_GUARD_BUFFERS, LODGE_GUARD_BUFFERS);
FLUSH(l1tf, WHEN_USED, false, LODGE_GUARD_NOTHING, LODGE_GUARD_L1D,
      LODGE_GUARD_NOTHING, LODGE_GUARD_L1D);
FLUSH(l1tf_full, ALWAYS, false, LODGE_GUARD_L1D, LODGE_GUARD_L1D,
      LODGE_GUARD_L1D, LODGE_GUARD_L1D);
FLUSH(both, WHEN_USED, true, LODGE_GUARD_NOTHING, LODGE_GUARD_L1D,
      LODGE_GUARD_BUFFERS, LODGE_GUARD_L1D);

TEST_F(flush, follows_the_bugs_the_hosts_work_and_the_devices)
{
	const struct lodge_guard_host host = {
		.l1d = variant->l1d,
		.stale_data = variant->stale_data,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(variant->expected); i++)
		EXPECT_EQ(variant->expected[i],
			  lodge_guard_flush(&host, i & 1, i & 2));
}

TEST(a_device_is_what_is_no_memory_or_not_cached)
{
	EXPECT_FALSE(lodge_guard_page_is_mmio(true, true));
	EXPECT_TRUE(lodge_guard_page_is_mmio(true, false));
	EXPECT_TRUE(lodge_guard_page_is_mmio(false, true));
	EXPECT_TRUE(lodge_guard_page_is_mmio(false, false));
}

TEST_HARNESS_MAIN
