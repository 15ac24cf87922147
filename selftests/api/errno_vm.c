// SPDX-License-Identifier: GPL-2.0
/*
 * The errors of the calls on /dev/lodge and on a VM, and that a call which
 * failed has changed nothing.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "lib/client.h"
#include "host.h"
#include "runner.h"
#include "registers.h"
#include "waiting.h"

#include "kselftest_harness.h"

#define PAGE 4096ULL
#define USER_END 0x7ffffffff000ULL

FIXTURE(vm)
{
	struct machine machine;
	struct lodge_info info;
	uint64_t hva;
};

FIXTURE_SETUP(vm)
{
	ASSERT_EQ(0, machine_make(&self->machine, 1));
	ASSERT_EQ(0, lodge_info(self->machine.lodge, &self->info));
	self->hva = (uintptr_t)self->machine.memory;
}

FIXTURE_TEARDOWN(vm)
{
	machine_end(&self->machine);
}

static int set_memory(const struct machine *machine, struct lodge_memory memory)
{
	return ioctl(machine->vm, LODGE_SET_MEMORY, &memory) ? -errno : 0;
}

/* The guest still runs from slot 0. */
static bool guest_runs(struct machine *machine)
{
	return !machine_enter(machine, 0, guest_out) &&
	       !lodge_run(machine->cpu[0].fd) &&
	       machine->cpu[0].run->reason == LODGE_EXIT_IO &&
	       machine->cpu[0].run->exit.io.port == GUEST_PORT &&
	       machine->cpu[0].run->data[0] == GUEST_PORT_DATA;
}

static void limit_descriptors(struct rlimit *old)
{
	struct rlimit none;

	getrlimit(RLIMIT_NOFILE, old);
	none = *old;
	none.rlim_cur = 3;
	setrlimit(RLIMIT_NOFILE, &none);
}

TEST_F(vm, creating_a_vm_with_flags_is_invalid)
{
	for (int bit = 0; bit < 64; bit++) {
		struct lodge_vm_create create = { .flags = 1ULL << bit };

		EXPECT_EQ(-1,
			  ioctl(self->machine.lodge, LODGE_CREATE_VM, &create));
		EXPECT_EQ(EINVAL, errno);
	}
}

TEST_F(vm, creating_a_vm_without_a_free_descriptor_leaves_none)
{
	int before = descriptors_open();
	struct rlimit limit;

	limit_descriptors(&limit);
	EXPECT_EQ(-EMFILE, lodge_vm_create(self->machine.lodge));
	setrlimit(RLIMIT_NOFILE, &limit);
	EXPECT_EQ(before, descriptors_open());
	EXPECT_LT(0, lodge_vm_create(self->machine.lodge));
}

TEST_F(vm, a_vcpu_beyond_the_last_id_is_invalid)
{
	struct lodge_run *run;

	EXPECT_EQ(-EINVAL, lodge_vcpu_create(self->machine.vm,
					     self->info.max_vcpus, &run));
	EXPECT_EQ(-EINVAL, lodge_vcpu_create(self->machine.vm, ~0U, &run));
	EXPECT_LT(0, lodge_vcpu_create(self->machine.vm,
				       self->info.max_vcpus - 1, &run));
}

TEST_F(vm, creating_a_vcpu_with_flags_is_invalid)
{
	struct lodge_run *run;

	for (int bit = 0; bit < 32; bit++) {
		struct lodge_vcpu_create create = { 1, 1U << bit };

		EXPECT_EQ(-1,
			  ioctl(self->machine.vm, LODGE_CREATE_VCPU, &create));
		EXPECT_EQ(EINVAL, errno);
	}
	EXPECT_LT(0, lodge_vcpu_create(self->machine.vm, 1, &run));
}

TEST_F(vm, a_vcpu_is_made_only_once)
{
	int before = descriptors_open();
	struct lodge_run *run;

	EXPECT_EQ(-EEXIST, lodge_vcpu_create(self->machine.vm, 0, &run));
	EXPECT_EQ(before, descriptors_open());
	EXPECT_TRUE(guest_runs(&self->machine));
}

TEST_F(vm, a_closed_vcpu_keeps_its_id)
{
	struct lodge_run *run;

	lodge_vcpu_close(self->machine.cpu[0].fd, self->machine.cpu[0].run);
	self->machine.cpus = 0;
	EXPECT_EQ(-EEXIST, lodge_vcpu_create(self->machine.vm, 0, &run));
}

TEST_F(vm, creating_a_vcpu_without_a_free_descriptor_takes_no_id)
{
	struct lodge_run *run;
	struct rlimit limit;

	limit_descriptors(&limit);
	EXPECT_EQ(-EMFILE, lodge_vcpu_create(self->machine.vm, 1, &run));
	setrlimit(RLIMIT_NOFILE, &limit);
	EXPECT_LT(0, lodge_vcpu_create(self->machine.vm, 1, &run));
}

TEST_F(vm, bad_memory_is_invalid_and_changes_no_slot)
{
	const uint64_t end = 1ULL << self->info.phys_bits;
	const struct lodge_memory bad[] = {
		{ self->info.max_slots, 0, 1 << 30, PAGE, self->hva },
		{ ~0U, 0, 1 << 30, PAGE, self->hva },
		{ 0, 2, 1 << 30, PAGE, self->hva },
		{ 0, 1U << 31, 1 << 30, PAGE, self->hva },
		{ 0, 0, (1 << 30) + 1, PAGE, self->hva },
		{ 0, 0, 1 << 30, PAGE + 1, self->hva },
		{ 0, 0, 1 << 30, PAGE - 1, self->hva },
		{ 0, 0, 1 << 30, PAGE, self->hva + 8 },
		{ 0, 0, -PAGE, 2 * PAGE, self->hva },
		{ 0, 0, 0, -PAGE, self->hva },
		{ 0, 0, end, PAGE, self->hva },
		{ 0, 0, end - PAGE, 2 * PAGE, self->hva },
		{ 0, 0, 1ULL << 63, PAGE, self->hva },
		{ 0, 0, 1 << 30, PAGE, -PAGE },
		{ 0, 0, 1 << 30, 2 * PAGE, -PAGE },
		{ 0, 0, 1 << 30, PAGE, USER_END },
		{ 0, 0, 1 << 30, 2 * PAGE, USER_END - PAGE },
		{ 0, 0, 1 << 30, PAGE, 1ULL << 63 },
		{ 0, 2, 0, 0, 0 },
		{ self->info.max_slots, 0, 0, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		EXPECT_EQ(-EINVAL, set_memory(&self->machine, bad[i]))
		TH_LOG("case %zu", i);
	}
	EXPECT_TRUE(guest_runs(&self->machine));
	/* Slot 0 is where it was, and nothing came to 1 GiB. */
	EXPECT_EQ(-EEXIST, set_memory(&self->machine,
				      (struct lodge_memory){
					      1, 0, self->machine.size - PAGE,
					      PAGE, self->hva }));
	EXPECT_EQ(0, set_memory(&self->machine,
				(struct lodge_memory){ 1, 0, 1 << 30, PAGE,
						       self->hva }));
}

TEST_F(vm, memory_at_both_ends_is_accepted)
{
	const uint64_t end = 1ULL << self->info.phys_bits;

	EXPECT_EQ(0, set_memory(&self->machine,
				(struct lodge_memory){ self->info.max_slots - 1,
						       0, end - PAGE, PAGE,
						       self->hva }));
	EXPECT_EQ(0,
		  set_memory(&self->machine,
			     (struct lodge_memory){ 1, 0, end - 2 * PAGE, PAGE,
						    USER_END - PAGE }));
}

TEST_F(vm, slots_may_touch_but_not_overlap)
{
	const uint64_t at = 1 << 30, size = 4 * PAGE;
	const struct {
		uint64_t gpa, size;
		int answer;
	} cases[] = {
		{ at - PAGE, PAGE, 0 },
		{ at + size, PAGE, 0 },
		{ at - PAGE, 2 * PAGE, -EEXIST },
		{ at, PAGE, -EEXIST },
		{ at, size, -EEXIST },
		{ at + PAGE, PAGE, -EEXIST },
		{ at + size - PAGE, PAGE, -EEXIST },
		{ at + size - PAGE, 2 * PAGE, -EEXIST },
		{ at - PAGE, size + 2 * PAGE, -EEXIST },
	};

	ASSERT_EQ(0, set_memory(&self->machine,
				(struct lodge_memory){ 1, 0, at, size,
						       self->hva }));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct lodge_memory memory = { 2, 0, cases[i].gpa,
					       cases[i].size, self->hva };

		EXPECT_EQ(cases[i].answer, set_memory(&self->machine, memory))
		TH_LOG("case %zu", i);
		/* The refused slot is not there. */
		EXPECT_EQ(cases[i].answer ? -ENOENT : 0,
			  lodge_memory_delete(self->machine.vm, 2))
		TH_LOG("case %zu", i);
	}
}

TEST_F(vm, a_slot_that_is_refused_a_new_place_keeps_the_old)
{
	ASSERT_EQ(0, set_memory(&self->machine,
				(struct lodge_memory){ 1, 0, 1 << 30, PAGE,
						       self->hva }));
	EXPECT_EQ(-EEXIST, set_memory(&self->machine,
				      (struct lodge_memory){ 1, 0, 0, PAGE,
							     self->hva }));
	EXPECT_EQ(-EEXIST,
		  set_memory(&self->machine,
			     (struct lodge_memory){ 2, 0, 1 << 30, PAGE,
						    self->hva }));
	EXPECT_TRUE(guest_runs(&self->machine));
}

TEST_F(vm, a_slot_can_be_moved_over_its_own_place)
{
	EXPECT_EQ(0, set_memory(&self->machine,
				(struct lodge_memory){ 0, 0, PAGE,
						       self->machine.size,
						       self->hva }));
	EXPECT_EQ(0,
		  set_memory(&self->machine,
			     (struct lodge_memory){ 0, 0, 0, self->machine.size,
						    self->hva }));
	EXPECT_TRUE(guest_runs(&self->machine));
}

TEST_F(vm, deleting_what_is_not_there_is_no_entry)
{
	EXPECT_EQ(-ENOENT, lodge_memory_delete(self->machine.vm, 1));
	EXPECT_EQ(-ENOENT, lodge_memory_delete(self->machine.vm,
					       self->info.max_slots - 1));
	EXPECT_EQ(0, lodge_memory_delete(self->machine.vm, 0));
	EXPECT_EQ(-ENOENT, lodge_memory_delete(self->machine.vm, 0));
}

TEST_F(vm, all_slots_can_be_used_at_once)
{
	for (uint32_t i = 1; i < self->info.max_slots; i++)
		EXPECT_EQ(0, set_memory(&self->machine,
					(struct lodge_memory){
						i, 0, (1 << 30) - i * 2 * PAGE,
						PAGE, self->hva }));
	EXPECT_TRUE(guest_runs(&self->machine));
}

static int send_msi(const struct machine *machine, uint64_t address,
		    uint32_t data, uint32_t flags)
{
	const struct lodge_msi msi = { address, data, flags };

	return ioctl(machine->vm, LODGE_SEND_MSI, &msi) ? -errno : 0;
}

static int enable_apic(const struct machine *machine)
{
	struct lodge_lapic lapic;
	int error = lapic_get(machine->cpu[0].fd, &lapic);

	*lapic_word(&lapic, APIC_SVR) |= 0x100;
	return error ? error : lapic_set(machine->cpu[0].fd, &lapic);
}

/* The requests that wait in the APIC, of all vectors. */
static uint32_t requested(const struct machine *machine)
{
	struct lodge_lapic lapic;
	uint32_t all = 0;

	if (lapic_get(machine->cpu[0].fd, &lapic))
		return ~0U;
	for (int i = 0; i < 8; i++)
		all |= *lapic_word(&lapic, APIC_IRR + 16 * i);
	return all;
}

static uint32_t pending(const struct machine *machine)
{
	struct lodge_state state = { .groups = LODGE_GROUP_EVENTS };

	if (lodge_state_get(machine->cpu[0].fd, &state))
		return ~0U;
	return state.regs.events.flags;
}

TEST_F(vm, a_bad_message_is_invalid_and_reaches_nobody)
{
	const uint64_t at = 0xfee00000;
	const struct {
		uint64_t address;
		uint32_t data, flags;
	} bad[] = {
		{ 0, 0x40, 0 },		 { 0xfed00000, 0x40, 0 },
		{ 0xfef00000, 0x40, 0 }, { 0x1fee00000, 0x40, 0 },
		{ 0xffffffff, 0x40, 0 }, { at, 0x240, 0 },
		{ at, 0x340, 0 },	 { at, 0x640, 0 },
		{ at, 0x740, 0 },	 { at, 0x40, 1 },
		{ at, 0x40, 1U << 31 },
	};

	ASSERT_EQ(0, enable_apic(&self->machine));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		EXPECT_EQ(-EINVAL, send_msi(&self->machine, bad[i].address,
					    bad[i].data, bad[i].flags))
		TH_LOG("case %zu", i);
	}
	EXPECT_EQ(0, requested(&self->machine));
	EXPECT_EQ(0, pending(&self->machine));
	/* It takes a good one. */
	EXPECT_EQ(0, send_msi(&self->machine, at, 0x41, 0));
	EXPECT_EQ(1U << 1, requested(&self->machine));
}

TEST_F(vm, a_message_that_no_vcpu_takes_has_no_destination)
{
	/* There is no vCPU 1; the APIC of vCPU 0 is disabled. */
	EXPECT_EQ(-ENXIO, send_msi(&self->machine, 0xfee01000, 0x40, 0));
	EXPECT_EQ(-ENXIO, send_msi(&self->machine, 0xfee3f000, 0x40, 0));
	EXPECT_EQ(-ENXIO, send_msi(&self->machine, 0xfeefe000, 0x440, 0));
	EXPECT_EQ(-ENXIO, send_msi(&self->machine, 0xfee00000, 0x40, 0));
	EXPECT_EQ(-ENXIO, send_msi(&self->machine, 0xfee00004, 0x40, 0));
	EXPECT_EQ(-ENXIO,
		  send_msi(&self->machine, 0xffffff00feeff000, 0x40, 0));
	EXPECT_EQ(0, pending(&self->machine));
}

TEST_F(vm, an_nmi_message_reaches_an_apic_that_is_disabled)
{
	EXPECT_EQ(0, send_msi(&self->machine, 0xfee00000, 0x400, 0));
	EXPECT_EQ(LODGE_EVENT_NMI_PENDING, pending(&self->machine));
}

TEST_F(vm, a_clock_call_with_flags_is_invalid)
{
	struct lodge_clock clock;

	ASSERT_EQ(0, lodge_clock_set(self->machine.vm, 1000, 0));
	for (int bit = 0; bit < 64; bit++) {
		clock = (struct lodge_clock){ .ns = 1ULL << 60,
					      .flags = 1ULL << bit };
		EXPECT_EQ(-1, ioctl(self->machine.vm, LODGE_SET_CLOCK, &clock));
		EXPECT_EQ(EINVAL, errno);
		EXPECT_EQ(-1, ioctl(self->machine.vm, LODGE_GET_CLOCK, &clock));
		EXPECT_EQ(EINVAL, errno);
		EXPECT_EQ(1ULL << 60, clock.ns);
	}
	ASSERT_EQ(0, lodge_clock_get(self->machine.vm, &clock));
	EXPECT_GT(1ULL << 59, clock.ns);
}

TEST_F(vm, a_rate_of_counters_with_flags_is_invalid)
{
	for (int bit = 0; bit < 32; bit++) {
		const struct lodge_tsc_rate rate = { .khz = 1000000,
						     .flags = 1U << bit };

		EXPECT_EQ(-1,
			  ioctl(self->machine.vm, LODGE_SET_TSC_RATE, &rate));
		EXPECT_EQ(EINVAL, errno);
	}
}

TEST_F(vm, counters_have_a_rate_within_reach)
{
	struct lodge_info info;
	uint64_t most;

	ASSERT_EQ(0, lodge_info(self->machine.lodge, &info));
	most = info.tsc_khz * 65536ULL;
	EXPECT_EQ(-EINVAL, lodge_tsc_rate_set(self->machine.vm, 0));
	EXPECT_EQ(0, lodge_tsc_rate_set(self->machine.vm, 1));
	EXPECT_EQ(most > UINT32_MAX ? 0 : -EINVAL,
		  lodge_tsc_rate_set(self->machine.vm, UINT32_MAX));
	EXPECT_EQ(0, lodge_tsc_rate_set(self->machine.vm, info.tsc_khz));
}

struct rates {
	int vm;
	int fd[LODGE_MAX_VCPUS];
	int read;
	bool done;
	long refused;
};

static void *rates_thread(void *argument)
{
	struct rates *rates = argument;
	uint32_t khz = 1000000;

	while (!SEEN(rates->done))
		if (lodge_tsc_rate_set(rates->vm, khz++))
			rates->refused++;
	return NULL;
}

/* Reads each vCPU until its descriptor is closed: so most end here, at the end of a call. */
static void *readers_thread(void *argument)
{
	struct lodge_state state = { .groups = LODGE_GROUP_GENERAL };
	struct rates *rates = argument;

	for (int id = 1; id < LODGE_MAX_VCPUS; id++) {
		__atomic_store_n(&rates->read, id, __ATOMIC_SEQ_CST);
		while (!lodge_state_get(rates->fd[id], &state))
			;
	}
	return NULL;
}

TEST_F(vm, counters_may_be_given_a_rate_while_their_vcpus_end)
{
	struct rates rates = { .vm = self->machine.vm };
	struct lodge_run *run[LODGE_MAX_VCPUS];
	pthread_t thread[2];

	for (int id = 1; id < LODGE_MAX_VCPUS; id++) {
		rates.fd[id] =
			lodge_vcpu_create(self->machine.vm, id, &run[id]);
		ASSERT_LE(0, rates.fd[id]);
	}
	pthread_create(&thread[0], NULL, rates_thread, &rates);
	pthread_create(&thread[1], NULL, readers_thread, &rates);
	for (int id = 1; id < LODGE_MAX_VCPUS; id++) {
		EXPECT_TRUE(EVENTUALLY(SEEN(rates.read) >= id));
		lodge_vcpu_close(rates.fd[id], run[id]);
	}
	pthread_join(thread[1], NULL);
	__atomic_store_n(&rates.done, true, __ATOMIC_SEQ_CST);
	pthread_join(thread[0], NULL);
	EXPECT_EQ(0, rates.refused);
	EXPECT_TRUE(guest_runs(&self->machine));
}

TEST_F(vm, a_clock_of_a_time_to_come_is_invalid)
{
	struct lodge_clock clock, later;

	ASSERT_EQ(0, lodge_clock_get(self->machine.vm, &clock));
	EXPECT_EQ(-EINVAL, lodge_clock_set(self->machine.vm, 1ULL << 60,
					   clock.host_tsc + (1ULL << 50)));
	EXPECT_EQ(-EINVAL, lodge_clock_set(self->machine.vm, 1ULL << 60,
					   clock.host_tsc + (1ULL << 63) - 1));
	ASSERT_EQ(0, lodge_clock_get(self->machine.vm, &later));
	EXPECT_LE(clock.ns, later.ns);
	EXPECT_GT(1ULL << 59, later.ns);
}

TEST_F(vm, a_clock_that_is_given_back_with_its_host_time_goes_on_unmoved)
{
	struct lodge_clock first, set, second;

	ASSERT_EQ(0, lodge_clock_get(self->machine.vm, &first));
	for (int i = 0; i < 100; i++) {
		ASSERT_EQ(0, lodge_clock_get(self->machine.vm, &set));
		ASSERT_EQ(0, lodge_clock_set(self->machine.vm, first.ns,
					     first.host_tsc));
		ASSERT_EQ(0, lodge_clock_get(self->machine.vm, &second));
		ASSERT_LE(set.ns, second.ns + 1);
	}
}

TEST_F(vm, the_clock_goes_on_from_what_it_is_set_to)
{
	struct lodge_clock first, second;

	ASSERT_EQ(0, lodge_clock_set(self->machine.vm, 1ULL << 60, 0));
	ASSERT_EQ(0, lodge_clock_get(self->machine.vm, &first));
	ASSERT_EQ(0, lodge_clock_get(self->machine.vm, &second));
	EXPECT_LE(1ULL << 60, first.ns);
	EXPECT_LE(first.ns, second.ns);
	EXPECT_LT(first.host_tsc, second.host_tsc);
}

TEST_F(vm, a_vm_has_no_memory_to_map)
{
	EXPECT_EQ(MAP_FAILED,
		  mmap(NULL, PAGE, PROT_READ, MAP_SHARED, self->machine.vm, 0));
	EXPECT_EQ(ENODEV, errno);
}

TEST_HARNESS_MAIN
