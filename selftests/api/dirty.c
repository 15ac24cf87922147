// SPDX-License-Identifier: GPL-2.0
/*
 * The calls of the dirty log, of holding and of reset: their errors, and what happens
 * when others change slots or the caller is killed meanwhile.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "lib/client.h"
#include "runner.h"
#include "waiting.h"

#include "kselftest_harness.h"

#define PAGE 0x1000
/* Bit 1 is always set. */
#define RFLAGS_NONE 2
#define SLOT 1

FIXTURE(dirty)
{
	struct machine machine;
	struct runner runner;
	uint8_t *window;
	uint64_t *bitmap;
};

/* The guest writes to each page of the window in turn. */
FIXTURE_SETUP(dirty)
{
	ASSERT_EQ(0, machine_make(&self->machine, 1));
	self->window = mmap(NULL, GUEST_WINDOW_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->window);
	self->bitmap = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->bitmap);
	ASSERT_EQ(0, lodge_memory_set(self->machine.vm, SLOT, 0, GUEST_WINDOW,
				      GUEST_WINDOW_SIZE, self->window));
	ASSERT_EQ(0, machine_enter(&self->machine, 0, guest_touch));
	runner_start(&self->runner, &self->machine, 0);
}

FIXTURE_TEARDOWN(dirty)
{
	EXPECT_EQ(0, runner_stop(&self->runner));
	machine_end(&self->machine);
	munmap(self->window, GUEST_WINDOW_SIZE);
}

static int set_log(const struct machine *machine, struct lodge_dirty_log log)
{
	return ioctl(machine->vm, LODGE_SET_DIRTY_LOG, &log) ? -errno : 0;
}

static int get(const struct machine *machine, struct lodge_dirty dirty)
{
	return ioctl(machine->vm, LODGE_GET_DIRTY, &dirty) ? -errno : 0;
}

static bool goes_on(const struct machine *machine)
{
	uint32_t rounds = machine_word(machine, GUEST_ROUNDS);

	return EVENTUALLY(machine_word(machine, GUEST_ROUNDS) - rounds >= 2);
}

#define ON LODGE_DIRTY_LOG_ON
#define BASELINE (LODGE_DIRTY_LOG_ON | LODGE_DIRTY_LOG_BASELINE)

TEST_F(dirty, log_of_no_slot_is_refused)
{
	const struct machine *m = &self->machine;

	EXPECT_EQ(-EINVAL, set_log(m, (struct lodge_dirty_log){
					      .slot = LODGE_MAX_SLOTS }));
	EXPECT_EQ(-EINVAL, set_log(m, (struct lodge_dirty_log){ .slot = ~0U,
								.flags = ON }));
	EXPECT_EQ(-ENOENT, set_log(m, (struct lodge_dirty_log){
					      .slot = SLOT + 1, .flags = ON }));
	EXPECT_EQ(-ENOENT, get(m, (struct lodge_dirty){ .slot = SLOT + 1 }));
	EXPECT_EQ(-ENOENT, get(m, (struct lodge_dirty){ .slot = SLOT }));
	EXPECT_EQ(-EINVAL,
		  get(m, (struct lodge_dirty){ .slot = LODGE_MAX_SLOTS }));
	EXPECT_EQ(-ENOENT, lodge_vm_reset(m->vm, NULL));
}

TEST_F(dirty, log_with_bad_flags_or_baseline_is_refused)
{
	const struct lodge_dirty_log bad[] = {
		{ SLOT, 4, 0 },
		{ SLOT, 1U << 31 | ON, 0 },
		{ SLOT, LODGE_DIRTY_LOG_BASELINE, PAGE },
		{ SLOT, BASELINE, 0 },
		{ SLOT, BASELINE, PAGE + 1 },
		{ SLOT, BASELINE, -PAGE },
		{ SLOT, BASELINE, 0x7ffffffff000 },
		{ SLOT, ON, PAGE },
		{ SLOT, 0, PAGE },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_EQ(-EINVAL, set_log(&self->machine, bad[i]));
	EXPECT_EQ(-ENOENT,
		  get(&self->machine, (struct lodge_dirty){ .slot = SLOT }));
}

TEST_F(dirty, range_outside_of_the_slot_is_refused_and_takes_nothing)
{
	const uint64_t bitmap = (uintptr_t)self->bitmap;
	const struct lodge_dirty bad[] = {
		{ SLOT, 1, 0, 16, bitmap, 0 },
		{ SLOT, 0, 1, 1, bitmap, 0 },
		{ SLOT, 0, 0, GUEST_WINDOW_PAGES + 1, bitmap, 0 },
		{ SLOT, 0, 64, 0, bitmap, 0 },
		{ SLOT, 0, -64ULL, 64, bitmap, 0 },
		{ SLOT, 0, -64ULL, 80, bitmap, 0 },
		{ SLOT, 0, 0, -1ULL, bitmap, 0 },
		{ SLOT, 0, 0, 16, bitmap + 4, 0 },
	};

	ASSERT_EQ(0, lodge_dirty_log_begin(self->machine.vm, SLOT, NULL));
	ASSERT_TRUE(goes_on(&self->machine));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_EQ(-EINVAL, get(&self->machine, bad[i]));
	EXPECT_EQ(0, self->bitmap[0]);
	ASSERT_EQ(0, lodge_dirty_get(self->machine.vm, SLOT, 0,
				     GUEST_WINDOW_PAGES, self->bitmap, NULL));
	EXPECT_EQ(0xffff, self->bitmap[0]);
}

TEST_F(dirty, log_keeps_what_could_not_be_told)
{
	const uint64_t bad[] = { 8, -8ULL, 0x7ffffffff000,
				 (uintptr_t)self->bitmap };

	ASSERT_EQ(0, lodge_dirty_log_begin(self->machine.vm, SLOT, NULL));
	ASSERT_TRUE(goes_on(&self->machine));
	ASSERT_EQ(0, lodge_vm_hold(self->machine.vm));
	ASSERT_EQ(0, mprotect(self->bitmap, PAGE, PROT_READ));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_EQ(-EFAULT,
			  get(&self->machine,
			      (struct lodge_dirty){ .slot = SLOT,
						    .pages = 16,
						    .bitmap = bad[i] }));
	ASSERT_EQ(0, mprotect(self->bitmap, PAGE, PROT_READ | PROT_WRITE));
	ASSERT_EQ(0, lodge_dirty_get(self->machine.vm, SLOT, 0,
				     GUEST_WINDOW_PAGES, self->bitmap, NULL));
	EXPECT_EQ(0xffff, self->bitmap[0]);
	ASSERT_EQ(0, lodge_vm_release(self->machine.vm));
}

TEST_F(dirty, log_ends_with_its_slot)
{
	ASSERT_EQ(0, lodge_dirty_log_begin(self->machine.vm, SLOT, NULL));
	ASSERT_EQ(0, lodge_memory_set(self->machine.vm, SLOT, 0, GUEST_WINDOW,
				      GUEST_WINDOW_SIZE, self->window));
	EXPECT_EQ(-ENOENT,
		  get(&self->machine, (struct lodge_dirty){ .slot = SLOT }));
	ASSERT_EQ(0, lodge_dirty_log_begin(self->machine.vm, SLOT, NULL));
	ASSERT_EQ(0, lodge_memory_delete(self->machine.vm, SLOT));
	EXPECT_EQ(-ENOENT,
		  get(&self->machine, (struct lodge_dirty){ .slot = SLOT }));
}

TEST_F(dirty, log_stays_when_another_slot_changes)
{
	ASSERT_EQ(0, lodge_dirty_log_begin(self->machine.vm, SLOT, NULL));
	ASSERT_TRUE(goes_on(&self->machine));
	for (int i = 0; i < 10; i++) {
		ASSERT_EQ(0, lodge_memory_set(self->machine.vm, SLOT + 1, 0,
					      0x80000000, PAGE, self->window));
		ASSERT_EQ(0, lodge_memory_delete(self->machine.vm, SLOT + 1));
	}
	ASSERT_EQ(0, lodge_dirty_get(self->machine.vm, SLOT, 0,
				     GUEST_WINDOW_PAGES, self->bitmap, NULL));
	EXPECT_EQ(0xffff, self->bitmap[0]);
}

struct other {
	int vm;
	uint8_t *window;
	int done;
	bool wrong;
};

/* Each of these may fail, but nothing else may happen. */
static void *change(void *opaque)
{
	struct other *other = opaque;
	uint8_t *window = other->window;
	const int vm = other->vm;

	for (int i = 0; i < 50; i++) {
		lodge_memory_delete(vm, SLOT);
		lodge_memory_set(vm, SLOT, 0, GUEST_WINDOW, GUEST_WINDOW_SIZE,
				 window);
		lodge_dirty_log_begin(vm, SLOT, i % 2 ? window : NULL);
		usleep(100);
		lodge_dirty_log_end(vm, SLOT);
	}
	__atomic_store_n(&other->done, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

TEST_F(dirty, calls_may_meet_changes_of_the_slot)
{
	const int vm = self->machine.vm;
	struct other other = { .vm = vm, .window = self->window };
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, change, &other));
	while (!SEEN(other.done)) {
		int error = lodge_dirty_get(vm, SLOT, 0, GUEST_WINDOW_PAGES,
					    self->bitmap, NULL);

		EXPECT_TRUE(!error || error == -ENOENT);
		error = lodge_vm_reset(vm, NULL);
		EXPECT_TRUE(!error || error == -ENOENT);
	}
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_TRUE(goes_on(&self->machine));
}

TEST_F(dirty, vcpus_are_released_as_often_as_they_are_held)
{
	const int vm = self->machine.vm;

	EXPECT_EQ(-EINVAL, lodge_vm_release(vm));
	ASSERT_EQ(0, lodge_vm_hold(vm));
	ASSERT_EQ(0, lodge_vm_hold(vm));
	EXPECT_EQ(0, lodge_vm_release(vm));
	EXPECT_EQ(-EAGAIN, lodge_run(self->machine.cpu[0].fd));
	EXPECT_EQ(0, lodge_vm_release(vm));
	EXPECT_TRUE(goes_on(&self->machine));
	EXPECT_EQ(-EINVAL, lodge_vm_release(vm));
}

TEST_F(dirty, vcpus_are_released_when_the_vm_is_closed)
{
	ASSERT_EQ(0, lodge_vm_hold(self->machine.vm));
	EXPECT_TRUE(EVENTUALLY(SEEN(self->runner.held)));
	close(self->machine.vm);
	self->machine.vm = -1;
	EXPECT_TRUE(goes_on(&self->machine));
}

TEST_F(dirty, vcpu_that_is_made_while_others_are_held_is_held_too)
{
	const int vm = self->machine.vm;
	struct lodge_run *run;
	int vcpu;

	ASSERT_EQ(0, lodge_vm_hold(vm));
	vcpu = lodge_vcpu_create(vm, 1, &run);
	ASSERT_LE(0, vcpu);
	/* With nothing to take it could be left, held or not. */
	run->regs.general.rflags = RFLAGS_NONE;
	run->load = LODGE_GROUP_GENERAL;
	run->immediate_exit = 1;
	EXPECT_EQ(-EAGAIN, lodge_run(vcpu));
	ASSERT_EQ(0, lodge_vm_release(vm));
	EXPECT_EQ(-EINTR, lodge_run(vcpu));
	EXPECT_EQ(0, run->load);
	lodge_vcpu_close(vcpu, run);
}

/* Makes, runs and closes all vCPUs but the first. */
static void *make_vcpus(void *opaque)
{
	struct other *other = opaque;

	for (uint32_t id = 1; id < LODGE_MAX_VCPUS && !other->wrong; id++) {
		struct lodge_run *run;
		int vcpu = lodge_vcpu_create(other->vm, id, &run), error;

		if (vcpu < 0) {
			other->wrong = true;
			break;
		}
		run->immediate_exit = 1;
		error = lodge_run(vcpu);
		other->wrong = error != -EINTR && error != -EAGAIN;
		lodge_vcpu_close(vcpu, run);
	}
	__atomic_store_n(&other->done, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

TEST_F(dirty, vcpus_may_come_and_go_while_they_are_held)
{
	struct other other = { .vm = self->machine.vm };
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, make_vcpus, &other));
	while (!SEEN(other.done)) {
		ASSERT_EQ(0, lodge_vm_hold(other.vm));
		ASSERT_EQ(0, lodge_vm_release(other.vm));
	}
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_FALSE(other.wrong);
	EXPECT_TRUE(goes_on(&self->machine));
}

/* Takes back what it has not taken: each time it must be refused. */
static void *release_what_is_not_held(void *opaque)
{
	struct other *other = opaque;

	while (!SEEN(other->done))
		other->wrong |= lodge_vm_release(other->vm) != -EINVAL;
	return NULL;
}

/* A baseline of zeroes. */
static uint8_t *map_zeroes(void)
{
	return mmap(NULL, GUEST_WINDOW_SIZE, PROT_READ,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

TEST_F(dirty, reset_goes_on_when_somebody_releases_the_vcpus)
{
	struct other other = { .vm = self->machine.vm };
	uint8_t *baseline = map_zeroes();
	pthread_t thread;

	ASSERT_NE(MAP_FAILED, baseline);
	ASSERT_EQ(0, lodge_dirty_log_begin(other.vm, SLOT, baseline));
	ASSERT_EQ(0, pthread_create(&thread, NULL, release_what_is_not_held,
				    &other));
	for (int i = 0; i < 50; i++)
		EXPECT_EQ(0, lodge_vm_reset(other.vm, NULL));
	__atomic_store_n(&other.done, 1, __ATOMIC_SEQ_CST);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_FALSE(other.wrong);
	EXPECT_TRUE(goes_on(&self->machine));
}

static void *reset_often(void *opaque)
{
	struct other *other = opaque;

	for (int i = 0; i < 30; i++)
		other->wrong |= lodge_vm_reset(other->vm, NULL);
	return NULL;
}

/* What the guest writes to is memory of zeroes, and so is its baseline. */
static bool begin_with_zeroes(FIXTURE_DATA(dirty) * self, const void *baseline)
{
	const int vm = self->machine.vm;
	bool begun;

	if (lodge_vm_hold(vm))
		return false;
	memset(self->window, 0, GUEST_WINDOW_SIZE);
	begun = !lodge_dirty_log_begin(vm, SLOT, baseline);
	return !lodge_vm_release(vm) && begun;
}

static bool window_is(FIXTURE_DATA(dirty) * self, uint32_t value)
{
	for (size_t at = 0; at < GUEST_WINDOW_SIZE; at += 4)
		if (*(uint32_t *)(self->window + at) != (at % PAGE ? 0 : value))
			return false;
	return true;
}

TEST_F(dirty, resets_may_meet_while_the_guest_runs)
{
	struct other other = { .vm = self->machine.vm };
	uint8_t *baseline = map_zeroes();
	pthread_t thread;

	ASSERT_NE(MAP_FAILED, baseline);
	ASSERT_TRUE(begin_with_zeroes(self, baseline));
	ASSERT_EQ(0, pthread_create(&thread, NULL, reset_often, &other));
	reset_often(&other);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_FALSE(other.wrong);
	EXPECT_TRUE(goes_on(&self->machine));
	ASSERT_EQ(0, lodge_vm_hold(other.vm));
	ASSERT_EQ(0, lodge_vm_reset(other.vm, NULL));
	EXPECT_TRUE(window_is(self, 0));
	ASSERT_EQ(0, lodge_vm_release(other.vm));
}

/* A file of ones behind the baseline, or behind the slot, that is cut short. */
static uint8_t *map_file(int *file)
{
	static const uint32_t one = 1;
	uint8_t *memory;

	*file = memfd_create("memory", MFD_CLOEXEC);
	if (*file < 0 || ftruncate(*file, GUEST_WINDOW_SIZE))
		return MAP_FAILED;
	memory = mmap(NULL, GUEST_WINDOW_SIZE, PROT_READ | PROT_WRITE,
		      MAP_SHARED, *file, 0);
	for (size_t at = 0; memory != MAP_FAILED && at < GUEST_WINDOW_SIZE;
	     at += PAGE)
		memcpy(memory + at, &one, sizeof(one));
	return memory;
}

TEST_F(dirty, reset_fails_where_the_baseline_is_gone_and_may_be_made_again)
{
	const int vm = self->machine.vm;
	uint8_t *baseline;
	int file;

	baseline = map_file(&file);
	ASSERT_NE(MAP_FAILED, baseline);
	ASSERT_TRUE(begin_with_zeroes(self, baseline));
	ASSERT_TRUE(goes_on(&self->machine));
	ASSERT_EQ(0, lodge_vm_hold(vm));
	ASSERT_EQ(0, ftruncate(file, 0));
	EXPECT_EQ(-EFAULT, lodge_vm_reset(vm, NULL));
	ASSERT_EQ(0, munmap(baseline, GUEST_WINDOW_SIZE));
	EXPECT_EQ(-EFAULT, lodge_vm_reset(vm, NULL));
	EXPECT_FALSE(window_is(self, 1));
	baseline = map_file(&file);
	ASSERT_NE(MAP_FAILED, baseline);
	ASSERT_EQ(0, lodge_dirty_log_begin(vm, SLOT, baseline));
	ASSERT_EQ(0, lodge_vm_reset(vm, NULL));
	EXPECT_TRUE(window_is(self, 1));
	ASSERT_EQ(0, lodge_vm_release(vm));
	EXPECT_TRUE(goes_on(&self->machine));
}

TEST_F(dirty, reset_fails_where_the_slots_memory_is_gone)
{
	const int vm = self->machine.vm;
	void *mapped;

	ASSERT_TRUE(begin_with_zeroes(self, self->window));
	ASSERT_TRUE(goes_on(&self->machine));
	ASSERT_EQ(0, lodge_vm_hold(vm));
	ASSERT_EQ(0, mprotect(self->window, GUEST_WINDOW_SIZE, PROT_READ));
	EXPECT_EQ(-EFAULT, lodge_vm_reset(vm, NULL));
	ASSERT_EQ(0, munmap(self->window, GUEST_WINDOW_SIZE));
	EXPECT_EQ(-EFAULT, lodge_vm_reset(vm, NULL));
	mapped = mmap(self->window, GUEST_WINDOW_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	ASSERT_EQ(self->window, mapped);
	EXPECT_EQ(0, lodge_vm_reset(vm, NULL));
	ASSERT_EQ(0, lodge_vm_release(vm));
	EXPECT_TRUE(goes_on(&self->machine));
}

TEST_F(dirty, another_process_can_make_none_of_these_calls)
{
	const int vm = self->machine.vm;
	pid_t child;
	int status;

	ASSERT_EQ(0, lodge_vm_hold(vm));
	child = fork();
	if (!child)
		_exit(lodge_vm_hold(vm) != -EIO ||
		      lodge_vm_release(vm) != -EIO ||
		      lodge_vm_reset(vm, NULL) != -EIO ||
		      lodge_dirty_log_begin(vm, SLOT, NULL) != -EIO);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(-EAGAIN, lodge_run(self->machine.cpu[0].fd));
	ASSERT_EQ(0, lodge_vm_release(vm));
}

/* A process whose threads make all these calls, and which is killed. */
static void be_killed(void)
{
	static struct runner runner;
	static struct machine machine;
	static uint64_t bitmap;
	uint8_t *window = mmap(NULL, 2 * GUEST_WINDOW_SIZE,
			       PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (machine_make(&machine, 1) ||
	    lodge_memory_set(machine.vm, SLOT, 0, GUEST_WINDOW,
			     GUEST_WINDOW_SIZE, window) ||
	    machine_enter(&machine, 0, guest_touch) ||
	    lodge_dirty_log_begin(machine.vm, SLOT, window + GUEST_WINDOW_SIZE))
		_exit(1);
	runner_start(&runner, &machine, 0);
	for (;;) {
		lodge_dirty_get(machine.vm, SLOT, 0, GUEST_WINDOW_PAGES,
				&bitmap, NULL);
		lodge_vm_reset(machine.vm, NULL);
	}
}

TEST(a_caller_may_be_killed_in_the_middle)
{
	for (int i = 0; i < 4; i++) {
		pid_t child = fork();
		int status;

		if (!child)
			be_killed();
		usleep(20000 + i * 3000);
		ASSERT_EQ(0, kill(child, SIGKILL));
		ASSERT_EQ(child, waitpid(child, &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status));
	}
}

TEST_HARNESS_MAIN
