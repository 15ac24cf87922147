// SPDX-License-Identifier: GPL-2.0
/*
 * Processes with guests run out of their control group's memory, at random moments:
 * the kernel kills one of them, or refuses an allocation.  Nothing of theirs stays, and
 * whoever is left goes on.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"
#include "runner.h"
#include "waiting.h"
#include "chance.h"
#include "lib/client.h"

#include "kselftest_harness.h"

#define NAME "limited"
#define GROUP HOST_GROUPS "/" NAME
#define SLOT 1
#define VCPUS 2
#define PROCESSES 2
#define ROUNDS 8
#define KIB 1024
/* Ends of processes, of which the kernel will have killed one. */
#define ENOUGH 40
/* Of a process: what it has by itself, and what its guest and their tables take. */
#define LEAST (512 * KIB)
#define MOST (48 * 1024 * KIB)

FIXTURE(memory_limit)
{
	struct chance chance;
	struct span span;
	pid_t child[PROCESSES];
	unsigned int killed;
	unsigned int refused;
	unsigned int done;
};

static int limit_to(uint32_t bytes)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", bytes);
	return host_write(GROUP "/memory.max", text);
}

FIXTURE_SETUP(memory_limit)
{
	self->chance = chance_start(3);
	self->span = span_start();
	if (host_group(NAME))
		SKIP(return, "the host has no control groups of memory");
	host_write(GROUP "/memory.swap.max", "0");
}

FIXTURE_TEARDOWN(memory_limit)
{
	rmdir(GROUP);
}

/* Guests of two vCPUs that touch all their memory.  Return: 0 or -errno. */
static int guests_run(struct machine *machine)
{
	struct runner runner[VCPUS];
	uint8_t *vast = mmap(NULL, GUEST_VAST_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
			     0);
	int error, i;

	if (vast == MAP_FAILED)
		return -errno;
	madvise(vast, GUEST_VAST_SIZE, MADV_NOHUGEPAGE);
	error = lodge_memory_set(machine->vm, SLOT, 0, GUEST_VAST,
				 GUEST_VAST_SIZE, vast);
	for (i = 0; i < VCPUS && !error; i++)
		error = machine_enter(machine, i, guest_stride);
	if (error)
		return error;
	for (i = 0; i < VCPUS; i++)
		runner_start(&runner[i], machine, i);
	while (machine_word(machine, GUEST_ROUNDS) < ROUNDS &&
	       !SEEN(runner[0].error) && !SEEN(runner[1].error))
		usleep(1000);
	for (i = 0; i < VCPUS; i++) {
		error = runner_stop(&runner[i]);
		if (error)
			return error;
	}
	return 0;
}

/* The child's exit status is the errno of the call that was refused. */
static void child_live(void)
{
	struct machine machine;
	int error = host_write(GROUP "/cgroup.procs", "0");

	if (!error)
		error = machine_make(&machine, VCPUS);
	if (!error)
		error = guests_run(&machine);
	_exit(error < 0 ? -error : error);
}

static void children_start(FIXTURE_DATA(memory_limit) * self)
{
	for (int i = 0; i < PROCESSES; i++) {
		self->child[i] = fork();
		if (!self->child[i])
			child_live();
	}
}

/* Less and more memory while they run, and pages taken away. */
static void disturb(struct chance *chance)
{
	if (chance_one_in(chance, 2))
		limit_to(LEAST + chance_below(chance, MOST - LEAST));
	if (chance_one_in(chance, 2))
		host_write(GROUP "/memory.reclaim", "256K");
	usleep(chance_below(chance, 20000));
}

/* Return: its status; one that gets on too slowly is killed. */
static int end_of(pid_t child, struct chance *chance)
{
	int left = 3000, status;

	while (waitpid(child, &status, WNOHANG) != child) {
		if (!left--)
			kill(child, SIGKILL);
		disturb(chance);
	}
	return status;
}

/* Return: true if it has ended as it may. */
static bool count_end(FIXTURE_DATA(memory_limit) * self, int status)
{
	if (WIFSIGNALED(status)) {
		self->killed++;
		return WTERMSIG(status) == SIGKILL;
	}
	if (WEXITSTATUS(status))
		self->refused++;
	else
		self->done++;
	return !WEXITSTATUS(status) || WEXITSTATUS(status) == ENOMEM;
}

TEST_F_TIMEOUT(memory_limit, ends_guests_and_leaves_nothing_behind,
	       SOAK_TIMEOUT)
{
	int status;

	/* On a slow host the time is over before much has happened. */
	while (span_goes_on(&self->span) ||
	       (!self->killed && self->done + self->refused < ENOUGH)) {
		limit_to(LEAST + chance_below(&self->chance, MOST - LEAST));
		children_start(self);
		for (int i = 0; i < PROCESSES; i++) {
			status = end_of(self->child[i], &self->chance);
			ASSERT_TRUE(count_end(self, status))
			TH_LOG("a process has ended with status %#x", status);
		}
		ASSERT_TRUE(EVENTUALLY(!lodge_users()));
	}
	TH_LOG("%u killed, %u refused, %u done", self->killed, self->refused,
	       self->done);
	EXPECT_LT(0, self->killed);
}

TEST_HARNESS_MAIN
