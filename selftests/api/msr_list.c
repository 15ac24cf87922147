// SPDX-License-Identifier: GPL-2.0
/*
 * MSRs by number: the list of those that are in no register group, what can be
 * written to them, and every error of the two calls.  That the guest reads the
 * same is in guest/msr.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "lib/client.h"
#include "runner.h"

#include "kselftest_harness.h"

#define UNMAPPED 0x1000
#define PAGE 4096

#define MTRR_BASE_0 0x200
#define MTRR_MASK_0 0x201
#define MTRR_FIX_64K 0x250
#define HWCR 0xc0010015

FIXTURE(list)
{
	struct machine machine;
	int vcpu;
	uint32_t count;
	struct lodge_msr_entry entries[LODGE_MAX_MSRS];
};

FIXTURE_SETUP(list)
{
	ASSERT_EQ(0, machine_make(&self->machine, 1));
	self->vcpu = self->machine.cpu[0].fd;
	self->count = LODGE_MAX_MSRS;
	ASSERT_EQ(0, lodge_msr_list(self->vcpu, self->entries, &self->count));
}

FIXTURE_TEARDOWN(list)
{
	machine_end(&self->machine);
}

static const struct lodge_msr_entry *find(const struct lodge_msr_entry *entries,
					  uint32_t count, uint32_t index)
{
	for (uint32_t i = 0; i < count; i++)
		if (entries[i].index == index)
			return &entries[i];
	return NULL;
}

#define FIND(index) find(self->entries, self->count, index)

/* True if the vCPU still holds what it held at first. */
static bool unchanged(int vcpu, const struct lodge_msr_entry *was,
		      uint32_t count)
{
	struct lodge_msr_entry now[LODGE_MAX_MSRS];
	uint32_t nr = LODGE_MAX_MSRS;

	return !lodge_msr_list(vcpu, now, &nr) && nr == count &&
	       !memcmp(was, now, count * sizeof(*now));
}

#define EXPECT_UNCHANGED() \
	EXPECT_TRUE(unchanged(self->vcpu, self->entries, self->count))

TEST_F(list, the_list_has_the_mtrrs_and_no_number_twice)
{
	for (uint32_t i = 0x200; i <= 0x20f; i++)
		EXPECT_NE(NULL, FIND(i));
	EXPECT_NE(NULL, FIND(MTRR_FIX_64K));
	EXPECT_NE(NULL, FIND(0x17a)); /* MCG_STATUS */
	for (uint32_t i = 0; i < self->count; i++) {
		EXPECT_EQ(&self->entries[i], FIND(self->entries[i].index));
		EXPECT_EQ(0, self->entries[i].reserved);
	}
}

TEST_F(list, none_of_the_list_is_in_a_register_group)
{
	static const uint32_t in_groups[] = {
		0x10,	    0x1b,	0x3b,	    0x48,	0x174,
		0x175,	    0x176,	0x1a0,	    0x277,	0x2ff,
		0x6e0,	    0x802,	0x4b564d00, 0x4b564d01, 0xc0000080,
		0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, 0xc0000100,
		0xc0000101, 0xc0000102, 0xc0000103,
	};

	for (size_t i = 0; i < sizeof(in_groups) / sizeof(*in_groups); i++) {
		EXPECT_EQ(NULL, FIND(in_groups[i]))
		TH_LOG("%#x", in_groups[i]);
	}
}

TEST_F(list, each_can_be_read_by_its_number_alone)
{
	for (uint32_t i = 0; i < self->count; i++) {
		struct lodge_msr_entry entry = {
			.index = self->entries[i].index,
			.value = ~0ULL,
		};

		EXPECT_EQ(0, lodge_msr_get(self->vcpu, &entry, 1));
		EXPECT_EQ(self->entries[i].value, entry.value);
	}
}

TEST_F(list, what_is_written_can_be_read_back)
{
	struct lodge_msr_entry given[] = {
		{ .index = MTRR_MASK_0, .value = 0xc0000800 },
		{ .index = MTRR_BASE_0, .value = 0x40000006 },
		{ .index = MTRR_FIX_64K, .value = 0x0606060606060606 },
	};
	struct lodge_msr_entry now[3];

	memcpy(now, given, sizeof(now));
	for (int i = 0; i < 3; i++)
		now[i].value = 0;
	ASSERT_EQ(0, lodge_msr_set(self->vcpu, given, 3));
	ASSERT_EQ(0, lodge_msr_get(self->vcpu, now, 3));
	EXPECT_EQ(0, memcmp(given, now, sizeof(now)));
}

TEST_F(list, the_whole_list_can_be_given_back)
{
	EXPECT_EQ(0, lodge_msr_set(self->vcpu, self->entries, self->count));
	EXPECT_UNCHANGED();
}

TEST_F(list, of_a_number_given_twice_the_last_value_counts)
{
	const struct lodge_msr_entry twice[] = {
		{ .index = MTRR_BASE_0, .value = 0x1000 },
		{ .index = MTRR_BASE_0, .value = 0x2000 },
	};
	struct lodge_msr_entry now = { .index = MTRR_BASE_0 };

	ASSERT_EQ(0, lodge_msr_set(self->vcpu, twice, 2));
	ASSERT_EQ(0, lodge_msr_get(self->vcpu, &now, 1));
	EXPECT_EQ(0x2000, now.value);
}

/* Behind a good entry, of which nothing may be taken. */
static int set_behind(int vcpu, uint32_t index, uint32_t reserved,
		      uint64_t value)
{
	const struct lodge_msr_entry entries[] = {
		{ .index = MTRR_BASE_0, .value = 0x5000 },
		{ .index = index, .reserved = reserved, .value = value },
	};

	return lodge_msr_set(vcpu, entries, 2);
}

TEST_F(list, a_number_that_is_not_on_it_is_invalid)
{
	const uint32_t bad[] = { 0,	0x10,	    0x2ff,	0x802,
				 0x210, 0x12345678, 0xc0000082, ~0U };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct lodge_msr_entry entries[] = {
			{ .index = MTRR_BASE_0, .value = 1 },
			{ .index = bad[i], .value = 1 },
		};

		EXPECT_EQ(-EINVAL, lodge_msr_get(self->vcpu, entries, 2))
		TH_LOG("%#x", bad[i]);
		EXPECT_EQ(1, entries[0].value);
		EXPECT_EQ(-EINVAL, set_behind(self->vcpu, bad[i], 0, 0))
		TH_LOG("%#x", bad[i]);
	}
	EXPECT_UNCHANGED();
}

TEST_F(list, a_value_that_the_msr_cannot_hold_is_invalid)
{
	EXPECT_EQ(-EINVAL, set_behind(self->vcpu, MTRR_BASE_0, 0, 2));
	EXPECT_EQ(-EINVAL, set_behind(self->vcpu, MTRR_MASK_0, 0, 1));
	EXPECT_EQ(-EINVAL, set_behind(self->vcpu, MTRR_MASK_0, 0, 1ULL << 63));
	EXPECT_EQ(-EINVAL, set_behind(self->vcpu, MTRR_FIX_64K, 0, 7));
	if (FIND(HWCR)) {
		EXPECT_EQ(-EINVAL, set_behind(self->vcpu, HWCR, 0, 1));
		/* The guest's write to a counter drops the high bits. */
		EXPECT_EQ(-EINVAL,
			  set_behind(self->vcpu, 0xc0010004, 0, 1ULL << 48));
	}
	EXPECT_UNCHANGED();
}

TEST_F(list, a_reserved_field_is_zero)
{
	struct lodge_msr_entry entry = { .index = MTRR_BASE_0, .reserved = 1 };

	EXPECT_EQ(-EINVAL, lodge_msr_get(self->vcpu, &entry, 1));
	EXPECT_EQ(-EINVAL, set_behind(self->vcpu, MTRR_BASE_0, 1, 0));
	EXPECT_UNCHANGED();
}

static int issue(int vcpu, unsigned long number, uint32_t count, uint32_t flags,
		 const void *entries)
{
	struct lodge_msr_list list = { count, flags, (uintptr_t)entries };

	return ioctl(vcpu, number, &list) ? -errno : (int)list.count;
}

TEST_F(list, unknown_flags_are_invalid)
{
	for (int bit = 0; bit < 32; bit++) {
		if (1U << bit != LODGE_MSR_LIST_ALL)
			EXPECT_EQ(-EINVAL, issue(self->vcpu, LODGE_GET_MSR_LIST,
						 0, 1U << bit, NULL));
		EXPECT_EQ(-EINVAL, issue(self->vcpu, LODGE_SET_MSR_LIST, 0,
					 1U << bit, NULL));
	}
}

TEST_F(list, a_count_above_the_highest_is_invalid)
{
	const uint32_t bad[] = { LODGE_MAX_MSRS + 1, 1U << 28, 1U << 31, ~0U };
	struct lodge_msr_entry many[LODGE_MAX_MSRS + 1];

	for (int i = 0; i <= LODGE_MAX_MSRS; i++)
		many[i] = (struct lodge_msr_entry){ .index = MTRR_BASE_0 };
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		EXPECT_EQ(-EINVAL, issue(self->vcpu, LODGE_GET_MSR_LIST, bad[i],
					 0, many));
		EXPECT_EQ(-EINVAL, issue(self->vcpu, LODGE_GET_MSR_LIST, bad[i],
					 LODGE_MSR_LIST_ALL, many));
		EXPECT_EQ(-EINVAL, issue(self->vcpu, LODGE_SET_MSR_LIST, bad[i],
					 0, many));
	}
	EXPECT_EQ(0, lodge_msr_get(self->vcpu, many, LODGE_MAX_MSRS));
	EXPECT_EQ(0, lodge_msr_set(self->vcpu, many, LODGE_MAX_MSRS));
}

TEST_F(list, too_small_an_array_is_told_how_many_there_are)
{
	struct lodge_msr_entry entry = { .value = 1 };
	uint32_t count = 0;

	EXPECT_EQ(-ENOSPC, lodge_msr_list(self->vcpu, NULL, &count));
	EXPECT_EQ(self->count, count);
	count = 1;
	EXPECT_EQ(-ENOSPC, lodge_msr_list(self->vcpu, &entry, &count));
	EXPECT_EQ(self->count, count);
	EXPECT_EQ(1, entry.value);
}

TEST_F(list, a_bad_address_is_a_fault)
{
	void *unmapped = (void *)UNMAPPED;
	struct lodge_msr_entry *entry = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
					     MAP_PRIVATE | MAP_ANONYMOUS, -1,
					     0);
	uint32_t count = LODGE_MAX_MSRS;

	ASSERT_NE(MAP_FAILED, entry);
	entry->index = MTRR_BASE_0;
	ASSERT_EQ(0, mprotect(entry, PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, lodge_msr_list(self->vcpu, unmapped, &count));
	EXPECT_EQ(-EFAULT, lodge_msr_get(self->vcpu, unmapped, 1));
	EXPECT_EQ(-EFAULT, lodge_msr_get(self->vcpu, entry, 1));
	EXPECT_EQ(-EFAULT, lodge_msr_set(self->vcpu, unmapped, 1));
	EXPECT_EQ(0, lodge_msr_set(self->vcpu, entry, 1));
	munmap(entry, PAGE);
}

TEST_F(list, an_empty_array_changes_nothing)
{
	EXPECT_EQ(0, lodge_msr_get(self->vcpu, NULL, 0));
	EXPECT_EQ(0, lodge_msr_set(self->vcpu, NULL, 0));
	EXPECT_UNCHANGED();
}

TEST_HARNESS_MAIN
