// SPDX-License-Identifier: GPL-2.0
/*
 * What the netlink family tells of VMs and vCPUs: each attribute, their names, and the
 * end of a VM that is killed.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "host.h"
#include "lib/client.h"
#include "netlink_fixture.h"
#include "runner.h"
#include "waiting.h"

#include "kselftest_harness.h"

#define PAGE 0x1000
/* The range after which each number would have come again. */
#define MANY_VMS 300

FIXTURE(view)
{
	struct talk talk;
	struct machine machine;
	struct runner runner;
	struct seen seen;
	struct list *list;
	int vm[4];
};

static int device(FIXTURE_DATA(view) * self)
{
	return self->machine.lodge;
}

/* The fixture's machine in the view: the only VM with so many vCPUs. */
static bool see_machine(FIXTURE_DATA(view) * self)
{
	if (see_all(&self->talk, self->list))
		return false;
	for (int i = 0; i < self->list->count; i++)
		if (self->list->seen[i].vcpus == 2) {
			self->seen = self->list->seen[i];
			return true;
		}
	return false;
}

FIXTURE_SETUP(view)
{
	self->list = malloc(sizeof(*self->list));
	ASSERT_NE(NULL, self->list);
	for (int i = 0; i < 4; i++)
		self->vm[i] = -1;
	ASSERT_EQ(0, machine_make(&self->machine, 2));
	ASSERT_EQ(0, talk_open(&self->talk));
	ASSERT_TRUE(see_machine(self));
}

FIXTURE_TEARDOWN(view)
{
	for (int i = 0; i < 4; i++)
		if (self->vm[i] >= 0)
			close(self->vm[i]);
	talk_close(&self->talk);
	machine_end(&self->machine);
	free(self->list);
}

/*
 * VMs
 */

static uint64_t boot_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

TEST_F(view, a_vm_has_the_numbers_of_its_maker)
{
	uint64_t before = boot_time();
	struct seen *seen = &self->seen;

	self->vm[0] = vm_create(device(self), "numbers");
	ASSERT_LE(0, self->vm[0]);
	ASSERT_EQ(0, see_name(&self->talk, "numbers", seen));
	EXPECT_NE(0, seen->id);
	EXPECT_STREQ("numbers", seen->name);
	EXPECT_EQ(getuid(), seen->uid);
	EXPECT_EQ(getpid(), seen->pid);
	EXPECT_LE(before, seen->start);
	EXPECT_GE(boot_time(), seen->start);
	EXPECT_EQ(0, seen->vcpus);
	EXPECT_EQ(0, seen->memory);
	EXPECT_EQ(0, seen->resident);
	EXPECT_EQ(LODGE_VM_ALIVE, seen->state);
}

/* Return: the type of an attribute that is absent or has another size, or 0. */
static int incomplete(void *context, const struct talk_answer *answer)
{
	const int size[LODGE_VM_MAX + 1] = {
		[LODGE_VM_ID] = 4,	 [LODGE_VM_UID] = 4,
		[LODGE_VM_PID] = 4,	 [LODGE_VM_START] = 8,
		[LODGE_VM_VCPUS] = 4,	 [LODGE_VM_MEMORY] = 8,
		[LODGE_VM_RESIDENT] = 8, [LODGE_VM_TABLES] = 8,
		[LODGE_VM_CGROUP] = 8,	 [LODGE_VM_STATE] = 4,
	};

	for (int type = LODGE_VM_ID; type <= LODGE_VM_MAX; type++)
		if (size[type] &&
		    talk_size(answer->attribute[type]) != size[type])
			return type;
	for (int type = LODGE_VM_MAX + 1; type < TALK_ATTRIBUTES; type++)
		if (answer->attribute[type])
			return type;
	return *talk_string(answer, LODGE_VM_NAME) ? 0 : LODGE_VM_NAME;
}

TEST_F(view, an_answer_has_every_attribute_and_no_other)
{
	union talk_message message;

	talk_begin(&self->talk, &message, LODGE_CMD_VM_GET, 0);
	talk_put_u32(&message, LODGE_VM_ID, self->seen.id);
	EXPECT_EQ(0, talk_do(&self->talk, &message, incomplete, NULL));
	talk_begin(&self->talk, &message, LODGE_CMD_VM_GET, NLM_F_DUMP);
	EXPECT_EQ(0, talk_do(&self->talk, &message, incomplete, NULL));
}

TEST_F(view, number_and_name_find_the_same_vm)
{
	union talk_message message;
	struct seen seen;

	EXPECT_EQ(0, see_id(&self->talk, self->seen.id, &seen));
	EXPECT_STREQ(self->seen.name, seen.name);
	EXPECT_EQ(0, see_name(&self->talk, self->seen.name, &seen));
	EXPECT_EQ(self->seen.id, seen.id);
	talk_begin(&self->talk, &message, LODGE_CMD_VM_GET, 0);
	talk_put_u32(&message, LODGE_VM_ID, seen.id);
	talk_put_string(&message, LODGE_VM_NAME, "another");
	EXPECT_EQ(-ENOENT, talk_do(&self->talk, &message, seen_take, &seen));
	talk_begin(&self->talk, &message, LODGE_CMD_VM_GET, 0);
	talk_put_string(&message, LODGE_VM_NAME, self->seen.name);
	talk_put_u32(&message, LODGE_VM_UID, getuid());
	EXPECT_EQ(0, talk_do(&self->talk, &message, seen_take, &seen));
	talk_begin(&self->talk, &message, LODGE_CMD_VM_GET, 0);
	talk_put_string(&message, LODGE_VM_NAME, self->seen.name);
	talk_put_u32(&message, LODGE_VM_UID, getuid() + 1);
	EXPECT_EQ(-ENOENT, talk_do(&self->talk, &message, seen_take, &seen));
}

TEST_F(view, a_vm_that_is_closed_is_not_there_any_more)
{
	struct seen seen;

	self->vm[0] = vm_create(device(self), "closed");
	ASSERT_EQ(0, see_name(&self->talk, "closed", &self->seen));
	close(self->vm[0]);
	self->vm[0] = -1;
	EXPECT_EQ(-ENOENT, see_name(&self->talk, "closed", &seen));
	EXPECT_EQ(-ENOENT, see_id(&self->talk, self->seen.id, &seen));
	EXPECT_EQ(-ENOENT, see_id(&self->talk, 0, &seen));
	EXPECT_EQ(-ENOENT, see_id(&self->talk, ~0U, &seen));
	ASSERT_EQ(0, see_all(&self->talk, self->list));
	EXPECT_EQ(NULL, list_find(self->list, self->seen.id));
}

TEST_F(view, the_number_of_a_vm_that_is_gone_is_not_used_again)
{
	uint32_t first = 0;

	for (int i = 0; i < MANY_VMS; i++) {
		int vm = vm_create(device(self), "again");

		ASSERT_LE(0, vm);
		ASSERT_EQ(0, see_name(&self->talk, "again", &self->seen));
		if (!first)
			first = self->seen.id;
		else
			ASSERT_NE(first, self->seen.id);
		close(vm);
	}
}

/*
 * Names
 */

TEST_F(view, a_vm_without_a_name_gets_its_number_as_one)
{
	char name[LODGE_NAME_SIZE];

	snprintf(name, sizeof(name), "vm-%u", self->seen.id);
	EXPECT_STREQ(name, self->seen.name);
}

TEST_F(view, two_vms_of_a_user_do_not_have_the_same_name)
{
	self->vm[0] = vm_create(device(self), "same");
	ASSERT_LE(0, self->vm[0]);
	EXPECT_EQ(-EEXIST, vm_create(device(self), "same"));
	EXPECT_EQ(-EEXIST, vm_create(device(self), self->seen.name));
	close(self->vm[0]);
	self->vm[0] = vm_create(device(self), "same");
	EXPECT_LE(0, self->vm[0]);
}

/* Numbers that come next cannot be taken away from those who give no name. */
TEST_F(view, a_name_that_looks_made_up_stops_nobody)
{
	struct lodge_vm_create none = { 0 };
	char name[LODGE_NAME_SIZE];
	int own;

	for (uint32_t i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "vm-%u", self->seen.id + 5 + i);
		self->vm[i] = vm_create(device(self), name);
		ASSERT_LE(0, self->vm[i]);
	}
	for (int i = 0; i < 8; i++) {
		own = ioctl(device(self), LODGE_CREATE_VM, &none);
		EXPECT_LE(0, own);
		close(own);
	}
	ASSERT_EQ(0, see_all(&self->talk, self->list));
	EXPECT_TRUE(list_is_a_set(self->list));
}

TEST_F(view, names_that_could_deceive_are_refused)
{
	const char *const names[] = {
		"-kill", ".hidden", "_x",    "two words", "a/b",   "a\nb",
		"a\tb",	 "\033[2J", "a\x7f", "\xc3\xa4",  "a\xff", "a%s",
		"a\"",	 "a\\",	    "a;b",   "a:b",	  "a{}",   " ",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		EXPECT_EQ(-EINVAL, vm_create(device(self), names[i]))
		TH_LOG("name %zu", i);
	}
}

TEST_F(view, a_name_has_its_zero_and_nothing_behind_it)
{
	struct lodge_vm_create create = { 0 };

	memset(create.name, 'a', sizeof(create.name));
	EXPECT_EQ(-1, ioctl(device(self), LODGE_CREATE_VM, &create));
	EXPECT_EQ(EINVAL, errno);
	create.name[LODGE_NAME_SIZE - 1] = 0;
	self->vm[0] = ioctl(device(self), LODGE_CREATE_VM, &create);
	EXPECT_LE(0, self->vm[0]);
	EXPECT_EQ(0, see_name(&self->talk, create.name, &self->seen));
	EXPECT_STREQ(create.name, self->seen.name);
	create.name[10] = 0;
	EXPECT_EQ(-1, ioctl(device(self), LODGE_CREATE_VM, &create));
	EXPECT_EQ(EINVAL, errno);
	memset(create.name, 0, sizeof(create.name));
	create.name[1] = 'a';
	EXPECT_EQ(-1, ioctl(device(self), LODGE_CREATE_VM, &create));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(view, every_letter_digit_dot_dash_and_underscore_can_be_in_a_name)
{
	self->vm[0] =
		vm_create(device(self), "abcdefghijklmnopqrstuvwxyz-._01");
	EXPECT_LE(0, self->vm[0]);
	self->vm[1] =
		vm_create(device(self), "9ABCDEFGHIJKLMNOPQRSTUVWXYZ.234");
	EXPECT_LE(0, self->vm[1]);
	EXPECT_EQ(0, see_name(&self->talk, "9ABCDEFGHIJKLMNOPQRSTUVWXYZ.234",
			      &self->seen));
}

/*
 * Memory
 */

TEST_F(view, memory_is_the_size_of_all_slots)
{
	uint64_t size = self->machine.size;

	EXPECT_EQ(size, self->seen.memory);
	ASSERT_EQ(0, lodge_memory_set(self->machine.vm, 1, 0, 1ULL << 32,
				      4 * PAGE, self->machine.memory));
	ASSERT_TRUE(see_machine(self));
	EXPECT_EQ(size + 4 * PAGE, self->seen.memory);
	ASSERT_EQ(0, lodge_memory_set(self->machine.vm, 1, 0, 1ULL << 32, PAGE,
				      self->machine.memory));
	ASSERT_TRUE(see_machine(self));
	EXPECT_EQ(size + PAGE, self->seen.memory);
	ASSERT_EQ(0, lodge_memory_delete(self->machine.vm, 1));
	ASSERT_TRUE(see_machine(self));
	EXPECT_EQ(size, self->seen.memory);
}

/* Let the guest write to each page of its window. */
static bool touch_window(FIXTURE_DATA(view) * self)
{
	runner_start(&self->runner, &self->machine, 0);
	return EVENTUALLY(machine_word(&self->machine, GUEST_ROUNDS) >
			  GUEST_WINDOW_PAGES);
}

TEST_F(view, what_the_guest_touches_is_resident_until_it_is_taken_away)
{
	void *window = mmap(NULL, GUEST_WINDOW_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t tables = self->seen.tables;

	ASSERT_NE(MAP_FAILED, window);
	EXPECT_EQ(0, madvise(window, GUEST_WINDOW_SIZE, MADV_NOHUGEPAGE));
	EXPECT_EQ(0, self->seen.resident);
	ASSERT_EQ(0, lodge_memory_set(self->machine.vm, 1, 0, GUEST_WINDOW,
				      GUEST_WINDOW_SIZE, window));
	ASSERT_EQ(0, machine_enter(&self->machine, 0, guest_touch));
	EXPECT_TRUE(touch_window(self));
	EXPECT_EQ(0, runner_stop(&self->runner));
	ASSERT_TRUE(see_machine(self));
	EXPECT_LE(GUEST_WINDOW_SIZE + PAGE, self->seen.resident);
	EXPECT_GE(self->machine.size + GUEST_WINDOW_SIZE, self->seen.resident);
	EXPECT_LT(tables, self->seen.tables);
	EXPECT_EQ(0, self->seen.tables % PAGE);
	ASSERT_EQ(0, munmap(window, GUEST_WINDOW_SIZE));
	ASSERT_TRUE(see_machine(self));
	EXPECT_GE(self->machine.size, self->seen.resident);
	ASSERT_EQ(0, lodge_memory_delete(self->machine.vm, 1));
	ASSERT_EQ(0, lodge_memory_delete(self->machine.vm, 0));
	ASSERT_TRUE(see_machine(self));
	EXPECT_EQ(0, self->seen.resident);
}

/*
 * The process
 */

/* Makes a VM and leaves; the descriptor stays with its parent. */
static void make_and_leave(int lodge, int from, int to)
{
	int vm = vm_create(lodge, "orphan");
	char word = 0;

	if (write(to, &vm, sizeof(vm)) != sizeof(vm) ||
	    read(from, &word, 1) != 1)
		_exit(1);
	_exit(0);
}

TEST_F(view, a_vm_whose_process_has_ended_has_none)
{
	int in[2], out[2], vm, status;
	pid_t child;
	int pidfd;

	ASSERT_EQ(0, pipe(in));
	ASSERT_EQ(0, pipe(out));
	child = fork();
	if (!child)
		make_and_leave(device(self), in[0], out[1]);
	ASSERT_EQ(sizeof(vm), read(out[0], &vm, sizeof(vm)));
	ASSERT_LE(0, vm);
	pidfd = syscall(SYS_pidfd_open, child, 0);
	ASSERT_LE(0, pidfd);
	self->vm[0] = syscall(SYS_pidfd_getfd, pidfd, vm, 0);
	ASSERT_LE(0, self->vm[0]);
	close(pidfd);
	ASSERT_EQ(0, see_name(&self->talk, "orphan", &self->seen));
	EXPECT_EQ(child, self->seen.pid);
	ASSERT_EQ(1, write(in[1], "x", 1));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	ASSERT_EQ(0, see_name(&self->talk, "orphan", &self->seen));
	EXPECT_EQ(0, self->seen.pid);
	for (int i = 0; i < 2; i++) {
		close(in[i]);
		close(out[i]);
	}
}

/*
 * vCPUs
 */

/**
 * struct cpu - what is told of a vCPU: some attributes of enum lodge_vcpu_attr
 * @seen: how many vCPUs of that VM and number were told of
 */
struct cpu {
	uint32_t vm;
	uint32_t id;
	int seen;
	uint32_t state;
	uint32_t tid;
	bool has_cpu;
	bool has_exit;
	uint32_t exit;
	uint64_t guest;
};

static int cpu_take(void *context, const struct talk_answer *answer)
{
	struct cpu *cpu = context;

	if (answer->command != LODGE_CMD_VCPU_GET)
		return -EPROTO;
	if (talk_u32(answer, LODGE_VCPU_VM) != cpu->vm ||
	    talk_u32(answer, LODGE_VCPU_ID) != cpu->id)
		return 0;
	cpu->seen++;
	cpu->state = talk_u32(answer, LODGE_VCPU_STATE);
	cpu->tid = talk_u32(answer, LODGE_VCPU_TID);
	cpu->has_cpu = answer->attribute[LODGE_VCPU_CPU];
	cpu->has_exit = answer->attribute[LODGE_VCPU_EXIT];
	cpu->exit = talk_u32(answer, LODGE_VCPU_EXIT);
	cpu->guest = talk_u64(answer, LODGE_VCPU_GUEST);
	return 0;
}

static bool see_cpu(FIXTURE_DATA(view) * self, uint32_t id, bool of_all,
		    struct cpu *cpu)
{
	union talk_message message;

	*cpu = (struct cpu){ .vm = self->seen.id, .id = id };
	talk_begin(&self->talk, &message, LODGE_CMD_VCPU_GET, NLM_F_DUMP);
	if (!of_all)
		talk_put_u32(&message, LODGE_VCPU_VM, cpu->vm);
	return !talk_do(&self->talk, &message, cpu_take, cpu) && cpu->seen == 1;
}

TEST_F(view, a_vcpu_that_has_not_run_is_outside)
{
	struct cpu cpu;

	for (uint32_t id = 0; id < 2; id++) {
		ASSERT_TRUE(see_cpu(self, id, id, &cpu));
		EXPECT_EQ(LODGE_VCPU_OUTSIDE, cpu.state);
		EXPECT_EQ(0, cpu.tid);
		EXPECT_FALSE(cpu.has_cpu);
		EXPECT_FALSE(cpu.has_exit);
		EXPECT_EQ(0, cpu.guest);
	}
}

TEST_F(view, a_vcpu_that_is_not_of_a_vm_is_not_told_of)
{
	struct cpu cpu;

	EXPECT_FALSE(see_cpu(self, 2, true, &cpu));
	EXPECT_EQ(0, cpu.seen);
	self->seen.id += 1000;
	EXPECT_FALSE(see_cpu(self, 0, false, &cpu));
}

static bool cpu_is(FIXTURE_DATA(view) * self, uint32_t id,
		   enum lodge_vcpu_state state)
{
	struct cpu cpu;

	return see_cpu(self, id, false, &cpu) && cpu.state == state;
}

/* On a host with one processor, who looks has it, and the vCPU has not. */
static bool is_preempted(FIXTURE_DATA(view) * self, uint32_t id)
{
	return sysconf(_SC_NPROCESSORS_ONLN) == 1 &&
	       cpu_is(self, id, LODGE_VCPU_HOST_MODE);
}

TEST_F(view, a_vcpu_that_runs_has_its_state_and_its_thread)
{
	struct cpu cpu;

	ASSERT_EQ(0, machine_enter(&self->machine, 0, guest_spin));
	runner_start(&self->runner, &self->machine, 0);
	ASSERT_TRUE(EVENTUALLY(machine_word(&self->machine, GUEST_ROUNDS)));
	EXPECT_TRUE(EVENTUALLY(cpu_is(self, 0, LODGE_VCPU_GUEST_MODE) ||
			       is_preempted(self, 0)));
	ASSERT_TRUE(see_cpu(self, 0, false, &cpu));
	EXPECT_LT(0, cpu.tid);
	EXPECT_NE(getpid(), cpu.tid);
	EXPECT_TRUE(cpu.has_cpu);
	EXPECT_EQ(0, runner_stop(&self->runner));
	ASSERT_TRUE(see_cpu(self, 0, false, &cpu));
	EXPECT_EQ(LODGE_VCPU_OUTSIDE, cpu.state);
	EXPECT_EQ(0, cpu.tid);
	EXPECT_TRUE(cpu.has_cpu);
	EXPECT_TRUE(cpu.has_exit);
	EXPECT_LT(0, cpu.guest);
}

TEST_F(view, a_vcpu_that_waits_says_what_for)
{
	struct runner second;

	ASSERT_EQ(0, machine_enter(&self->machine, 0, guest_halt));
	runner_start(&self->runner, &self->machine, 0);
	EXPECT_TRUE(EVENTUALLY(cpu_is(self, 0, LODGE_VCPU_HALTED)));
	runner_start(&second, &self->machine, 1);
	EXPECT_TRUE(EVENTUALLY(cpu_is(self, 1, LODGE_VCPU_INITIAL)));
	EXPECT_EQ(0, runner_stop(&second));
	EXPECT_EQ(0, runner_stop(&self->runner));
	EXPECT_TRUE(cpu_is(self, 0, LODGE_VCPU_OUTSIDE));
	EXPECT_TRUE(cpu_is(self, 1, LODGE_VCPU_OUTSIDE));
}

TEST_F(view, a_vcpu_that_is_closed_is_not_there_any_more)
{
	struct lodge_run *run;
	struct cpu cpu;
	int vcpu = lodge_vcpu_create(self->machine.vm, 5, &run);

	ASSERT_LE(0, vcpu);
	EXPECT_TRUE(see_cpu(self, 5, false, &cpu));
	EXPECT_EQ(0, see_id(&self->talk, self->seen.id, &self->seen));
	EXPECT_EQ(3, self->seen.vcpus);
	lodge_vcpu_close(vcpu, run);
	EXPECT_TRUE(see_machine(self));
	EXPECT_FALSE(see_cpu(self, 5, false, &cpu));
	EXPECT_EQ(0, cpu.seen);
}

TEST_HARNESS_MAIN
