// SPDX-License-Identifier: GPL-2.0
/*
 * The errors of the calls on a vCPU, but for the values of registers (state.c),
 * and the mapping of its run page.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "lib/client.h"
#include "runner.h"

#include "kselftest_harness.h"

#define PAGE 4096
#define UNMAPPED 0x1000

FIXTURE(vcpu)
{
	struct machine machine;
	int fd;
	struct lodge_run *run;
};

FIXTURE_SETUP(vcpu)
{
	ASSERT_EQ(0, machine_make(&self->machine, 1));
	ASSERT_EQ(0, machine_enter(&self->machine, 0, guest_out));
	self->fd = self->machine.cpu[0].fd;
	self->run = self->machine.cpu[0].run;
}

FIXTURE_TEARDOWN(vcpu)
{
	machine_end(&self->machine);
}

static uint32_t pending(int vcpu)
{
	struct lodge_state state = { .groups = LODGE_GROUP_EVENTS };

	return lodge_state_get(vcpu, &state) ? ~0U : state.regs.events.flags;
}

/*
 * The run page
 */

static int map_error(int vcpu, size_t size, int flags, off_t offset)
{
	void *page =
		mmap(NULL, size, PROT_READ | PROT_WRITE, flags, vcpu, offset);

	if (page == MAP_FAILED)
		return -errno;
	munmap(page, size);
	return 0;
}

TEST_F(vcpu, the_run_page_is_mapped_whole_and_shared_or_not_at_all)
{
	EXPECT_EQ(0, map_error(self->fd, LODGE_RUN_SIZE, MAP_SHARED, 0));
	EXPECT_EQ(-EINVAL,
		  map_error(self->fd, 2 * LODGE_RUN_SIZE, MAP_SHARED, 0));
	EXPECT_EQ(-EINVAL, map_error(self->fd, 1 << 30, MAP_SHARED, 0));
	EXPECT_EQ(-EINVAL,
		  map_error(self->fd, LODGE_RUN_SIZE, MAP_SHARED, PAGE));
	EXPECT_EQ(-EINVAL,
		  map_error(self->fd, LODGE_RUN_SIZE, MAP_SHARED, 1ULL << 40));
	EXPECT_EQ(-EINVAL, map_error(self->fd, LODGE_RUN_SIZE, MAP_PRIVATE, 0));
}

TEST_F(vcpu, every_mapping_shows_the_same_run_page)
{
	struct lodge_run *other =
		mmap(NULL, LODGE_RUN_SIZE, PROT_READ, MAP_SHARED, self->fd, 0);

	ASSERT_NE(MAP_FAILED, other);
	ASSERT_EQ(0, lodge_run(self->fd));
	EXPECT_EQ(LODGE_EXIT_IO, other->reason);
	EXPECT_EQ(0, memcmp(self->run, other, LODGE_RUN_SIZE));
}

TEST_F(vcpu, the_run_page_does_not_grow)
{
	EXPECT_EQ(MAP_FAILED, mremap(self->run, LODGE_RUN_SIZE,
				     2 * LODGE_RUN_SIZE, MREMAP_MAYMOVE));
	EXPECT_EQ(EFAULT, errno);
}

TEST_F(vcpu, the_run_page_outlives_its_descriptors)
{
	close(self->fd);
	close(self->machine.vm);
	self->run->save = 1;
	EXPECT_EQ(1, self->run->save);
}

TEST_F(vcpu, a_vcpu_runs_without_its_run_page_mapped)
{
	ASSERT_EQ(0, munmap(self->run, LODGE_RUN_SIZE));
	EXPECT_EQ(0, lodge_run(self->fd));
	self->run =
		mmap(NULL, LODGE_RUN_SIZE, PROT_READ, MAP_SHARED, self->fd, 0);
	ASSERT_NE(MAP_FAILED, self->run);
	EXPECT_EQ(LODGE_EXIT_IO, self->run->reason);
}

/*
 * RUN
 */

TEST_F(vcpu, run_with_unknown_groups_to_load_is_invalid)
{
	const uint64_t bad[] = { LODGE_GROUP_XSAVE, LODGE_GROUP_LAPIC, 1 << 20,
				 1ULL << 63 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		self->run->load = bad[i] | LODGE_GROUP_GENERAL;
		EXPECT_EQ(-EINVAL, lodge_run(self->fd));
		EXPECT_EQ(bad[i] | LODGE_GROUP_GENERAL, self->run->load);
	}
	/* The registers of the page, all zero, were not taken. */
	self->run->load = 0;
	EXPECT_EQ(0, lodge_run(self->fd));
	EXPECT_EQ(LODGE_EXIT_IO, self->run->reason);
	EXPECT_EQ(GUEST_PORT, self->run->exit.io.port);
}

TEST_F(vcpu, run_with_bad_registers_to_load_is_invalid)
{
	struct lodge_state before = { .groups = LODGE_GROUPS_INLINE };
	struct lodge_state after = { .groups = LODGE_GROUPS_INLINE };

	ASSERT_EQ(0, lodge_state_get(self->fd, &before));
	self->run->regs = before.regs;
	self->run->regs.general.gpr[LODGE_RBX] = 0x1234;
	self->run->regs.control.cr0 = 1ULL << 32;
	self->run->load = LODGE_GROUP_GENERAL | LODGE_GROUP_CONTROL;
	EXPECT_EQ(-EINVAL, lodge_run(self->fd));
	ASSERT_EQ(0, lodge_state_get(self->fd, &after));
	after.regs.msrs.tsc = before.regs.msrs.tsc;
	after.regs.msrs.host_tsc = before.regs.msrs.host_tsc;
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
}

TEST_F(vcpu, run_with_immediate_exit_is_interrupted_and_runs_nothing)
{
	self->run->immediate_exit = 1;
	EXPECT_EQ(-EINTR, lodge_run(self->fd));
	EXPECT_EQ(LODGE_EXIT_INTERRUPTED, self->run->reason);
	EXPECT_EQ(0, machine_word(&self->machine, GUEST_ROUNDS));
	self->run->immediate_exit = 0;
	EXPECT_EQ(0, lodge_run(self->fd));
}

TEST_F(vcpu, immediate_exit_finishes_what_is_pending)
{
	struct lodge_state state = { .groups = LODGE_GROUP_GENERAL };

	ASSERT_EQ(0, machine_enter(&self->machine, 0, guest_in));
	ASSERT_EQ(0, lodge_run(self->fd));
	ASSERT_EQ(LODGE_EXIT_IO, self->run->reason);
	ASSERT_EQ(1, self->run->exit.io.in);
	self->run->data[0] = 0x77;
	self->run->immediate_exit = 1;
	EXPECT_EQ(-EINTR, lodge_run(self->fd));
	ASSERT_EQ(0, lodge_state_get(self->fd, &state));
	EXPECT_EQ(0x77, state.regs.general.gpr[LODGE_RAX] & 0xff);
	EXPECT_EQ(GUEST_CODE + (guest_in - guest_first) + 2,
		  state.regs.general.rip);
}

/*
 * CPUID
 */

static struct lodge_cpuid_entry leaves[LODGE_MAX_CPUID + 1];

static int set_cpuid(int vcpu, uint32_t count, uint32_t flags, void *entries)
{
	const struct lodge_cpuid cpuid = { count, flags, (uintptr_t)entries };

	return ioctl(vcpu, LODGE_SET_CPUID, &cpuid) ? -errno : 0;
}

static struct lodge_cpuid_entry *leaf(uint32_t count, uint32_t number)
{
	uint32_t i;

	for (i = 0; i < count; i++)
		if (leaves[i].leaf == number)
			return &leaves[i];
	return NULL;
}

static uint32_t read_cpuid(int vcpu)
{
	uint32_t count = LODGE_MAX_CPUID;

	return lodge_cpuid_get(vcpu, leaves, &count) ? 0 : count;
}

/* Return: true if the vCPU's leaves are those that @before holds. */
static bool same_cpuid(int vcpu, const struct lodge_cpuid_entry *before,
		       uint32_t count)
{
	return read_cpuid(vcpu) == count &&
	       !memcmp(before, leaves, count * sizeof(*before));
}

TEST_F(vcpu, reading_cpuid_with_flags_is_invalid)
{
	struct lodge_cpuid cpuid = {
		.count = LODGE_MAX_CPUID,
		.flags = 1,
		.entries = (uintptr_t)leaves,
	};

	EXPECT_EQ(-1, ioctl(self->fd, LODGE_GET_CPUID, &cpuid));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(LODGE_MAX_CPUID, cpuid.count);
	EXPECT_EQ(0, leaves[0].eax);
}

TEST_F(vcpu, reading_cpuid_into_too_little_says_how_much_it_takes)
{
	uint32_t count = read_cpuid(self->fd), given;

	ASSERT_LT(1, count);
	memset(leaves, 0, sizeof(leaves));
	given = count - 1;
	EXPECT_EQ(-ENOSPC, lodge_cpuid_get(self->fd, leaves, &given));
	EXPECT_EQ(count, given);
	EXPECT_EQ(0, leaves[0].eax);
	EXPECT_EQ(0, lodge_cpuid_get(self->fd, leaves, &given));
	EXPECT_EQ(count, given);
	EXPECT_NE(0, leaves[0].eax);
}

TEST_F(vcpu, cpuid_at_a_bad_address_is_a_fault_and_changes_nothing)
{
	struct lodge_cpuid_entry before[LODGE_MAX_CPUID];
	struct lodge_cpuid cpuid = { LODGE_MAX_CPUID, 0, UNMAPPED };
	uint32_t count = read_cpuid(self->fd);

	memcpy(before, leaves, sizeof(before));
	EXPECT_EQ(-1, ioctl(self->fd, LODGE_GET_CPUID, &cpuid));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-EFAULT, set_cpuid(self->fd, 1, 0, (void *)UNMAPPED));
	EXPECT_EQ(-EFAULT, set_cpuid(self->fd, 1, 0, (void *)(1ULL << 63)));
	EXPECT_TRUE(same_cpuid(self->fd, before, count));
}

TEST_F(vcpu, cpuid_can_be_given_back)
{
	struct lodge_cpuid_entry before[LODGE_MAX_CPUID];
	uint32_t count = read_cpuid(self->fd);

	memcpy(before, leaves, sizeof(before));
	ASSERT_EQ(0, lodge_cpuid_set(self->fd, leaves, count));
	EXPECT_TRUE(same_cpuid(self->fd, before, count));
}

TEST_F(vcpu, bad_cpuid_is_invalid_and_changes_nothing)
{
	struct lodge_cpuid_entry before[LODGE_MAX_CPUID];
	uint32_t count = read_cpuid(self->fd);
	const struct {
		uint32_t leaf;
		size_t reg;
		uint32_t value;
	} cases[] = {
		/* VMX, MONITOR, MCA's unknown neighbour, MPX, SGX, SVM */
		{ 1, offsetof(struct lodge_cpuid_entry, ecx), 1U << 5 },
		{ 1, offsetof(struct lodge_cpuid_entry, ecx), 1U << 3 },
		{ 1, offsetof(struct lodge_cpuid_entry, edx), 1U << 30 },
		{ 7, offsetof(struct lodge_cpuid_entry, ebx), 1U << 14 },
		{ 7, offsetof(struct lodge_cpuid_entry, ebx), 1U << 2 },
		{ 0x80000001, offsetof(struct lodge_cpuid_entry, ecx),
		  1U << 2 },
		{ 0x80000008, offsetof(struct lodge_cpuid_entry, eax),
		  1U << 6 },
		{ 1, offsetof(struct lodge_cpuid_entry, flags), 1U << 1 },
		{ 1, offsetof(struct lodge_cpuid_entry, flags),
		  LODGE_CPUID_SUBLEAF },
		{ 1, offsetof(struct lodge_cpuid_entry, reserved), 1 },
		{ 1, offsetof(struct lodge_cpuid_entry, subleaf), 1 },
		{ 1, offsetof(struct lodge_cpuid_entry, leaf), 0x40000000 },
		{ 1, offsetof(struct lodge_cpuid_entry, leaf), 0x20 },
		{ 1, offsetof(struct lodge_cpuid_entry, leaf), 0x8000ffff },
		/* A leaf given twice. */
		{ 1, offsetof(struct lodge_cpuid_entry, leaf), 0 },
	};

	memcpy(before, leaves, sizeof(before));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct lodge_cpuid_entry *entry;

		memcpy(leaves, before, sizeof(before));
		entry = leaf(count, cases[i].leaf);
		ASSERT_NE(NULL, entry);
		if (cases[i].reg == offsetof(struct lodge_cpuid_entry, leaf))
			*entry = (struct lodge_cpuid_entry){
				.leaf = cases[i].value, .eax = 1
			};
		else
			*(uint32_t *)((char *)entry + cases[i].reg) |=
				cases[i].value;
		EXPECT_EQ(-EINVAL, lodge_cpuid_set(self->fd, leaves, count))
		TH_LOG("case %zu", i);
	}
	memcpy(leaves, before, sizeof(before));
	EXPECT_EQ(-EINVAL, set_cpuid(self->fd, count, 1, leaves));
	EXPECT_EQ(-EINVAL, set_cpuid(self->fd, count, 1U << 31, leaves));
	EXPECT_EQ(-EINVAL, set_cpuid(self->fd, LODGE_MAX_CPUID + 1, 0, leaves));
	EXPECT_EQ(-EINVAL, set_cpuid(self->fd, ~0U, 0, leaves));
	EXPECT_TRUE(same_cpuid(self->fd, before, count));
}

/* 1 if the leaves are Intel's. */
static int be_the_other_vendor(struct lodge_cpuid_entry *vendor)
{
	int intel = vendor->ecx == 0x6c65746e;

	memcpy(&vendor->ebx, intel ? "Auth" : "Genu", 4);
	memcpy(&vendor->edx, intel ? "enti" : "ineI", 4);
	memcpy(&vendor->ecx, intel ? "cAMD" : "ntel", 4);
	return !intel;
}

TEST_F(vcpu, the_other_vendors_cpuid_brings_what_a_reset_of_it_sets)
{
	/* Fast strings; no branch trace store, no precise events. */
	const uint64_t intels = 1 | 1 << 11 | 1 << 12;
	uint32_t count = read_cpuid(self->fd);
	struct lodge_state state = { .groups = LODGE_GROUP_MSRS };

	for (int i = 0; i < 2; i++) {
		int intel = be_the_other_vendor(leaf(count, 0));

		ASSERT_EQ(0, lodge_cpuid_set(self->fd, leaves, count));
		ASSERT_EQ(0, lodge_state_get(self->fd, &state));
		EXPECT_EQ(intel ? intels : 0, state.regs.msrs.misc_enable);
	}
}

TEST_F(vcpu, cpuid_is_settled_once_the_vcpu_has_run)
{
	struct lodge_cpuid_entry before[LODGE_MAX_CPUID];
	uint32_t count;

	ASSERT_EQ(0, lodge_run(self->fd));
	count = read_cpuid(self->fd);
	memcpy(before, leaves, sizeof(before));
	EXPECT_EQ(-EBUSY, lodge_cpuid_set(self->fd, leaves, count));
	EXPECT_EQ(-EBUSY, lodge_cpuid_set(self->fd, leaves, count - 1));
	EXPECT_TRUE(same_cpuid(self->fd, before, count));
}

/*
 * EXTINT and NMI
 */

TEST_F(vcpu, a_bad_external_interrupt_is_invalid_and_does_not_wait)
{
	const struct lodge_extint bad[] = {
		{ 256, 0 },
		{ ~0U, 0 },
		{ 0x20, 1 },
		{ 0x20, 1U << 31 },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		EXPECT_EQ(-1, ioctl(self->fd, LODGE_EXTINT, &bad[i]));
		EXPECT_EQ(EINVAL, errno);
	}
	EXPECT_EQ(0, pending(self->fd));
	EXPECT_EQ(0, lodge_extint(self->fd, 255));
}

TEST_F(vcpu, a_second_external_interrupt_is_refused_and_the_first_waits)
{
	struct lodge_state state = { .groups = LODGE_GROUP_EVENTS };

	ASSERT_EQ(0, lodge_extint(self->fd, 0x21));
	EXPECT_EQ(-EBUSY, lodge_extint(self->fd, 0x22));
	ASSERT_EQ(0, lodge_state_get(self->fd, &state));
	EXPECT_EQ(LODGE_EVENT_EXTINT, state.regs.events.flags);
	EXPECT_EQ(0x21, state.regs.events.extint);
}

TEST_F(vcpu, two_nmis_that_wait_are_read_set_and_taken)
{
	const uint32_t both = LODGE_EVENT_NMI_PENDING | LODGE_EVENT_NMI_LATCHED;
	struct lodge_state state = { .groups = LODGE_GROUP_EVENTS };

	for (int i = 0; i < 3; i++)
		EXPECT_EQ(0, lodge_nmi(self->fd));
	ASSERT_EQ(0, lodge_state_get(self->fd, &state));
	EXPECT_EQ(both, state.regs.events.flags);
	/* As into a vCPU that has none. */
	state.regs.events.flags = 0;
	ASSERT_EQ(0, lodge_state_set(self->fd, &state));
	EXPECT_EQ(0, pending(self->fd));
	state.regs.events.flags = both;
	ASSERT_EQ(0, lodge_state_set(self->fd, &state));
	EXPECT_EQ(0, lodge_run(self->fd));
	EXPECT_EQ(LODGE_EXIT_IO, self->run->reason);
	EXPECT_EQ(2, machine_word(&self->machine, GUEST_NMIS));
	EXPECT_EQ(0, pending(self->fd));
}

TEST_F(vcpu, an_nmi_waits_for_the_next_run)
{
	EXPECT_EQ(0, lodge_nmi(self->fd));
	EXPECT_EQ(LODGE_EVENT_NMI_PENDING, pending(self->fd));
	/* It is taken before the first instruction, then the port exits. */
	EXPECT_EQ(0, lodge_run(self->fd));
	EXPECT_EQ(LODGE_EXIT_IO, self->run->reason);
	EXPECT_EQ(1, machine_word(&self->machine, GUEST_NMIS));
	EXPECT_EQ(0, pending(self->fd));
}

TEST_HARNESS_MAIN
