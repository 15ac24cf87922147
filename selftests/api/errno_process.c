// SPDX-License-Identifier: GPL-2.0
/*
 * A VM belongs to the process that made it: another one, by fork or by exec, is
 * refused and disturbs nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "lib/client.h"
#include "runner.h"

#include "kselftest_harness.h"

/* Tells this program, after an exec, which descriptor it has inherited. */
#define INHERITED "INHERITED_DESCRIPTOR"

static int child_status(pid_t child)
{
	int status;

	return waitpid(child, &status, 0) == child ? status : -1;
}

/* A bit for each call that does not answer EIO. */
static int calls_allowed(const struct machine *machine)
{
	struct lodge_state state = { .groups = LODGE_GROUP_GENERAL };
	struct lodge_run *run;
	struct lodge_clock clock = {};
	uint32_t count = 0;
	int vcpu = machine->cpu[0].fd, vm = machine->vm;

	return (lodge_run(vcpu) != -EIO) << 0 | (lodge_nmi(vcpu) != -EIO) << 1 |
	       (lodge_extint(vcpu, 0x20) != -EIO) << 2 |
	       (lodge_state_get(vcpu, &state) != -EIO) << 3 |
	       (lodge_state_set(vcpu, &state) != -EIO) << 4 |
	       (lodge_cpuid_get(vcpu, NULL, &count) != -EIO) << 5 |
	       (lodge_cpuid_set(vcpu, NULL, 0) != -EIO) << 6 |
	       (lodge_memory_delete(vm, 0) != -EIO) << 7 |
	       (lodge_vcpu_create(vm, 1, &run) != -EIO) << 8 |
	       (lodge_msi_send(vm, 0xfee00000, 0x400) != -EIO) << 9 |
	       (lodge_clock_get(vm, &clock) != -EIO) << 10 |
	       (lodge_clock_set(vm, 0, 0) != -EIO) << 11 |
	       (ioctl(vm, 0) != -1 || errno != EIO) << 12;
}

FIXTURE(process)
{
	struct machine machine;
};

FIXTURE_SETUP(process)
{
	ASSERT_EQ(0, machine_make(&self->machine, 1));
	ASSERT_EQ(0, machine_enter(&self->machine, 0, guest_out));
}

FIXTURE_TEARDOWN(process)
{
	machine_end(&self->machine);
}

static bool still_runs(const struct machine *machine)
{
	return !lodge_run(machine->cpu[0].fd) &&
	       machine->cpu[0].run->reason == LODGE_EXIT_IO;
}

TEST_F(process, a_forked_child_is_refused_every_call)
{
	struct lodge_state state = { .groups = LODGE_GROUP_EVENTS };
	pid_t child = fork();
	int status;

	if (!child) {
		status = calls_allowed(&self->machine);
		_exit(status ? 2 + __builtin_ctz(status) : 1);
	}
	ASSERT_LT(0, child);
	status = child_status(child);
	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(1, WEXITSTATUS(status))
	TH_LOG("call %d was not refused", WEXITSTATUS(status) - 2);
	ASSERT_EQ(0, lodge_state_get(self->machine.cpu[0].fd, &state));
	EXPECT_EQ(0, state.regs.events.flags);
	EXPECT_TRUE(still_runs(&self->machine));
}

TEST_F(process, a_forked_child_does_not_inherit_the_run_page)
{
	pid_t child = fork();
	int status;

	if (!child) {
		signal(SIGSEGV, SIG_DFL);
		self->machine.cpu[0].run->immediate_exit = 1;
		_exit(0);
	}
	status = child_status(child);
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGSEGV, WTERMSIG(status));
	EXPECT_TRUE(still_runs(&self->machine));
}

TEST_F(process, a_forked_child_can_make_its_own_vm)
{
	pid_t child = fork();
	struct machine own;

	if (!child) {
		if (machine_make(&own, 1) || machine_enter(&own, 0, guest_out))
			_exit(1);
		_exit(!still_runs(&own));
	}
	EXPECT_EQ(0, child_status(child));
	EXPECT_TRUE(still_runs(&self->machine));
}

TEST_F(process, what_a_forked_child_closes_stays_open_here)
{
	pid_t child = fork();

	if (!child) {
		close(self->machine.vm);
		close(self->machine.cpu[0].fd);
		close(self->machine.lodge);
		_exit(0);
	}
	EXPECT_EQ(0, child_status(child));
	EXPECT_TRUE(still_runs(&self->machine));
}

TEST_F(process, a_child_may_keep_the_descriptors_longer)
{
	int stay[2];
	pid_t child;
	char byte;

	ASSERT_EQ(0, pipe(stay));
	child = fork();
	if (!child) {
		close(stay[1]);
		/* Until the parent closes the pipe. */
		_exit(read(stay[0], &byte, 1) != 0 ||
		      lodge_run(self->machine.cpu[0].fd) != -EIO);
	}
	machine_end(&self->machine);
	close(stay[1]);
	EXPECT_EQ(0, child_status(child));
	ASSERT_EQ(0, machine_make(&self->machine, 1));
}

TEST_F(process, a_child_outlives_the_process_of_the_vm)
{
	int stay[2], told[2];
	pid_t child, grandchild;
	struct machine own;
	char byte = 0;

	ASSERT_EQ(0, pipe(stay));
	ASSERT_EQ(0, pipe(told));
	child = fork();
	if (!child) {
		close(stay[1]);
		if (machine_make(&own, 1))
			_exit(1);
		grandchild = fork();
		if (grandchild)
			_exit(grandchild < 0);
		/* The VM's process is gone once the pipe is closed. */
		byte = read(stay[0], &byte, 1) == 0 && !calls_allowed(&own);
		_exit(write(told[1], &byte, 1) != 1);
	}
	EXPECT_EQ(0, child_status(child));
	close(stay[1]);
	ASSERT_EQ(1, read(told[0], &byte, 1));
	EXPECT_EQ(1, byte);
}

TEST_F(process, descriptors_are_closed_on_exec)
{
	EXPECT_EQ(FD_CLOEXEC, fcntl(self->machine.vm, F_GETFD));
	EXPECT_EQ(FD_CLOEXEC, fcntl(self->machine.cpu[0].fd, F_GETFD));
}

static int exec_with(int fd)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", fd);
	setenv(INHERITED, text, 1);
	fcntl(fd, F_SETFD, 0);
	execl("/proc/self/exe", "errno_process", NULL);
	return -errno;
}

/* Runs before main(): answers for the test that has called exec. */
static void __attribute__((constructor)) after_exec(void)
{
	const char *text = getenv(INHERITED);
	int fd;

	if (!text)
		return;
	fd = atoi(text);
	_exit(ioctl(fd, LODGE_RUN) == -1 && errno == EIO ? 0 : 1);
}

TEST_F(process, a_program_after_exec_is_refused)
{
	pid_t child = fork();
	struct machine own;

	if (!child) {
		if (machine_make(&own, 1))
			_exit(2);
		_exit(exec_with(own.cpu[0].fd) ? 3 : 4);
	}
	EXPECT_EQ(0, child_status(child));
	child = fork();
	if (!child) {
		if (machine_make(&own, 1))
			_exit(2);
		_exit(exec_with(own.vm) ? 3 : 4);
	}
	EXPECT_EQ(0, child_status(child));
	EXPECT_TRUE(still_runs(&self->machine));
}

TEST_HARNESS_MAIN
