// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of perf's counters while a guest runs.
 */
#include "vmx/counters.h"

#include "kselftest_harness.h"

FIXTURE(counters)
{
	struct vmx_msr_lists lists;
	struct vmx_counters now;
};

FIXTURE_SETUP(counters)
{
	self->now.guest_ctrl = 0x55;
	self->now.host_ctrl = 0xaa;
	self->now.nr = 9;
}

FIXTURE_TEARDOWN(counters)
{
}

static const struct perf_guest_switch_msr global_ctrl = {
	.msr = MSR_CORE_PERF_GLOBAL_CTRL,
	.host = 7,
	.guest = 3
};

TEST_F(counters, where_perf_has_no_answer_its_count_is_not_read)
{
	EXPECT_FALSE(vmx_counters_fill(&self->lists, 1, NULL, 0x7fffffff, true,
				       &self->now));
	EXPECT_EQ(1, self->now.nr);
	EXPECT_EQ(0x55, self->now.guest_ctrl);
	EXPECT_EQ(0xaa, self->now.host_ctrl);
}

TEST_F(counters, the_control_switches_what_switches_all)
{
	EXPECT_FALSE(vmx_counters_fill(&self->lists, 0, &global_ctrl, 1, true,
				       &self->now));
	EXPECT_EQ(0, self->now.nr);
	EXPECT_EQ(3, self->now.guest_ctrl);
	EXPECT_EQ(7, self->now.host_ctrl);
}

TEST_F(counters, without_the_control_the_lists_do)
{
	EXPECT_FALSE(vmx_counters_fill(&self->lists, 1, &global_ctrl, 1, false,
				       &self->now));
	ASSERT_EQ(2, self->now.nr);
	EXPECT_EQ(0, self->lists.guest[0].index);
	EXPECT_EQ(MSR_CORE_PERF_GLOBAL_CTRL, self->lists.guest[1].index);
	EXPECT_EQ(MSR_CORE_PERF_GLOBAL_CTRL, self->lists.host[1].index);
	EXPECT_EQ(3, self->lists.guest[1].value);
	EXPECT_EQ(7, self->lists.host[1].value);
	EXPECT_EQ(0x55, self->now.guest_ctrl);
}

TEST_F(counters, recording_stops_before_the_entry_and_by_the_entry)
{
	const struct perf_guest_switch_msr msrs[] = {
		global_ctrl,
		{ .msr = MSR_IA32_PEBS_ENABLE, .host = 4, .guest = 0 },
	};

	EXPECT_TRUE(
		vmx_counters_fill(&self->lists, 0, msrs, 2, true, &self->now));
	ASSERT_EQ(1, self->now.nr);
	EXPECT_EQ(MSR_IA32_PEBS_ENABLE, self->lists.guest[0].index);
	EXPECT_EQ(0, self->lists.guest[0].value);
	EXPECT_EQ(MSR_IA32_PEBS_ENABLE, self->lists.host[0].index);
	EXPECT_EQ(4, self->lists.host[0].value);
}

TEST_F(counters, nothing_is_recorded_in_a_guest_even_if_perf_says_so)
{
	const struct perf_guest_switch_msr msrs[] = {
		{ .msr = MSR_CORE_PERF_GLOBAL_CTRL, .host = 7, .guest = 7 },
		{ .msr = MSR_IA32_DS_AREA, .host = 0x1000, .guest = 0x2000 },
		{ .msr = MSR_IA32_PEBS_ENABLE, .host = 4, .guest = 6 },
	};

	EXPECT_TRUE(
		vmx_counters_fill(&self->lists, 0, msrs, 3, true, &self->now));
	EXPECT_EQ(1, self->now.guest_ctrl);
	EXPECT_EQ(7, self->now.host_ctrl);
	ASSERT_EQ(1, self->now.nr);
	EXPECT_EQ(MSR_IA32_PEBS_ENABLE, self->lists.guest[0].index);
	EXPECT_EQ(0, self->lists.guest[0].value);
	EXPECT_EQ(4, self->lists.host[0].value);

	EXPECT_TRUE(
		vmx_counters_fill(&self->lists, 0, msrs, 3, false, &self->now));
	ASSERT_EQ(2, self->now.nr);
	EXPECT_EQ(MSR_CORE_PERF_GLOBAL_CTRL, self->lists.guest[0].index);
	EXPECT_EQ(1, self->lists.guest[0].value);
}

/* Even if guest and host have the same value, the processor must be written. */
TEST_F(counters, recording_stops_where_the_guest_would_record_as_the_host)
{
	const struct perf_guest_switch_msr msr = { .msr = MSR_IA32_PEBS_ENABLE,
						   .host = 4,
						   .guest = 4 };

	EXPECT_TRUE(
		vmx_counters_fill(&self->lists, 0, &msr, 1, true, &self->now));
	ASSERT_EQ(1, self->now.nr);
	EXPECT_EQ(0, self->lists.guest[0].value);
	EXPECT_EQ(4, self->lists.host[0].value);
}

TEST_F(counters, what_stays_the_same_is_not_loaded)
{
	const struct perf_guest_switch_msr msrs[] = {
		{ .msr = MSR_IA32_PEBS_ENABLE },
		{ .msr = 0x186, .host = 0x4300c0, .guest = 0x4300c0 },
		{ .msr = 0x187, .host = 0x4300c0, .guest = 0x0300c0 },
	};

	EXPECT_FALSE(
		vmx_counters_fill(&self->lists, 0, msrs, 3, true, &self->now));
	ASSERT_EQ(1, self->now.nr);
	EXPECT_EQ(0x187, self->lists.guest[0].index);
}

TEST_F(counters, buffers_stay_where_nothing_is_recorded)
{
	const struct perf_guest_switch_msr msrs[] = {
		global_ctrl,
		{ .msr = MSR_IA32_DS_AREA, .host = 0x1000, .guest = 0 },
		{ .msr = MSR_PEBS_DATA_CFG, .host = 1, .guest = 0 },
	};

	vmx_counters_fill(&self->lists, 0, msrs, 3, true, &self->now);
	EXPECT_EQ(0, self->now.nr);
}

TEST_F(counters, more_than_the_lists_hold_are_left_out)
{
	struct perf_guest_switch_msr msrs[VMX_MSRS_MAX + 1];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(msrs); i++)
		msrs[i] = (struct perf_guest_switch_msr){ 0x1000 + i, 1, 0 };
	vmx_counters_fill(&self->lists, 1, msrs, ARRAY_SIZE(msrs), true,
			  &self->now);
	EXPECT_EQ(VMX_MSRS_MAX, self->now.nr);
	EXPECT_EQ(0x1000, self->lists.guest[1].index);
}

TEST_HARNESS_MAIN
