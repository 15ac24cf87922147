// SPDX-License-Identifier: GPL-2.0
/*
 * The limits of what each user, and all users together, hold: VMs, vCPUs and kernel
 * memory, by the module's parameters and by netlink.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"
#include "lib/client.h"
#include "lib/netlink.h"
#include "runner.h"
#include "waiting.h"

#include "kselftest_harness.h"

#define PARAMETER(name) "/sys/module/lodge/parameters/" name
#define PAGE 0x1000
#define NOBODY 65534

FIXTURE(users)
{
	struct machine machine;
	struct netlink *netlink;
	struct netlink_limit usual;
	struct netlink_limit total;
};

/* The limits that @limit had. */
static int limits_restore(struct netlink *netlink,
			  const struct netlink_limit *limit)
{
	struct netlink_limit_change change = {
		.scope = limit->scope,
		.changed = (1U << NETLINK_LIMITS) - 1,
	};

	memcpy(change.limits, limit->limits, sizeof(change.limits));
	return netlink_limit_set(netlink, &change);
}

FIXTURE_SETUP(users)
{
	ASSERT_EQ(0, netlink_open(&self->netlink));
	ASSERT_EQ(0, netlink_limit_get(self->netlink, LODGE_SCOPE_DEFAULT, 0,
				       &self->usual));
	ASSERT_EQ(0, netlink_limit_get(self->netlink, LODGE_SCOPE_TOTAL, 0,
				       &self->total));
	ASSERT_EQ(0, machine_make(&self->machine, 2));
}

FIXTURE_TEARDOWN(users)
{
	machine_end(&self->machine);
	EXPECT_EQ(0, limits_restore(self->netlink, &self->usual));
	EXPECT_EQ(0, limits_restore(self->netlink, &self->total));
	netlink_close(self->netlink);
}

static int set_limit(struct netlink *netlink, enum lodge_limit_scope scope,
		     uint32_t uid, enum netlink_limit_kind kind, uint64_t limit)
{
	struct netlink_limit_change change = {
		.scope = scope,
		.uid = uid,
		.changed = 1U << kind,
	};

	change.limits[kind] = limit;
	return netlink_limit_set(netlink, &change);
}

TEST_F(users, a_user_has_so_many_vms_and_no_more)
{
	int second, status;
	pid_t child;

	ASSERT_EQ(0, host_write(PARAMETER("user_vms"), "2"));
	second = lodge_vm_create(self->machine.lodge);
	EXPECT_LE(0, second);
	EXPECT_EQ(-EDQUOT, lodge_vm_create(self->machine.lodge));
	child = fork();
	if (!child)
		_exit(setuid(NOBODY) ||
		      lodge_vm_create(self->machine.lodge) < 0);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	close(second);
	second = lodge_vm_create(self->machine.lodge);
	EXPECT_LE(0, second);
	close(second);
}

TEST_F(users, a_user_has_so_many_vcpus_and_no_more)
{
	struct lodge_run *run;
	int vcpu;

	ASSERT_EQ(0, host_write(PARAMETER("user_vcpus"), "3"));
	vcpu = lodge_vcpu_create(self->machine.vm, 2, &run);
	EXPECT_LE(0, vcpu);
	EXPECT_EQ(-EDQUOT, lodge_vcpu_create(self->machine.vm, 3, &run));
	/* A closed one is not counted, though its id stays taken. */
	lodge_vcpu_close(vcpu, run);
	EXPECT_EQ(-EEXIST, lodge_vcpu_create(self->machine.vm, 2, &run));
	vcpu = lodge_vcpu_create(self->machine.vm, 3, &run);
	EXPECT_LE(0, vcpu);
	lodge_vcpu_close(vcpu, run);
}

static int inherit_limits(struct netlink *netlink, uint32_t uid)
{
	const struct netlink_limit_change change = {
		.scope = LODGE_SCOPE_USER,
		.uid = uid,
		.inherit = true,
	};

	return netlink_limit_set(netlink, &change);
}

/* How much of it all users have, or all ones. */
static uint64_t used(struct netlink *netlink, enum netlink_limit_kind kind)
{
	struct netlink_limit total;

	if (netlink_limit_get(netlink, LODGE_SCOPE_TOTAL, 0, &total))
		return UINT64_MAX;
	return total.used[kind];
}

/* Another user makes a VM.  Return: 0 or -errno. */
static int create_as_nobody(int lodge)
{
	pid_t child = fork();
	int status, vm;

	if (!child) {
		if (setuid(NOBODY))
			_exit(errno);
		vm = lodge_vm_create(lodge);
		_exit(vm < 0 ? -vm : 0);
	}
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return -ECHILD;
	return -WEXITSTATUS(status);
}

TEST_F(users, all_users_together_have_so_many_vms_and_no_more)
{
	ASSERT_EQ(0, set_limit(self->netlink, LODGE_SCOPE_TOTAL, 0,
			       NETLINK_LIMIT_VMS, 1));
	EXPECT_EQ(-EDQUOT, lodge_vm_create(self->machine.lodge));
	EXPECT_EQ(-EDQUOT, create_as_nobody(self->machine.lodge));
	ASSERT_EQ(0, set_limit(self->netlink, LODGE_SCOPE_TOTAL, 0,
			       NETLINK_LIMIT_VMS, 2));
	EXPECT_EQ(0, create_as_nobody(self->machine.lodge));
}

TEST_F(users, a_user_can_have_a_limit_of_its_own)
{
	struct netlink_limit limit;

	ASSERT_EQ(0, set_limit(self->netlink, LODGE_SCOPE_USER, NOBODY,
			       NETLINK_LIMIT_VMS, 0));
	EXPECT_EQ(-EDQUOT, create_as_nobody(self->machine.lodge));
	ASSERT_EQ(0, set_limit(self->netlink, LODGE_SCOPE_DEFAULT, 0,
			       NETLINK_LIMIT_VMS, 1));
	ASSERT_EQ(0, set_limit(self->netlink, LODGE_SCOPE_USER, NOBODY,
			       NETLINK_LIMIT_VMS, 1));
	EXPECT_EQ(0, create_as_nobody(self->machine.lodge));
	ASSERT_EQ(0, netlink_limit_get(self->netlink, LODGE_SCOPE_USER, NOBODY,
				       &limit));
	EXPECT_EQ(1, limit.limits[NETLINK_LIMIT_VMS]);
	EXPECT_FALSE(netlink_has(&limit, LODGE_LIMIT_INHERIT));
	ASSERT_EQ(0, set_limit(self->netlink, LODGE_SCOPE_DEFAULT, 0,
			       NETLINK_LIMIT_VMS, 0));
	EXPECT_EQ(0, create_as_nobody(self->machine.lodge));
	ASSERT_EQ(0, inherit_limits(self->netlink, NOBODY));
	EXPECT_EQ(-EDQUOT, create_as_nobody(self->machine.lodge));
}

/* In the child, as nobody: the superuser and another user of a user namespace. */
static int create_in_namespace(int lodge, int ready)
{
	int vm, status;
	pid_t child;
	char go;

	if (setresuid(NOBODY, NOBODY, NOBODY) || prctl(PR_SET_DUMPABLE, 1))
		return errno;
	/* Debian's kernels say EPERM where there are none for such a user. */
	if (unshare(CLONE_NEWUSER))
		return ENOSYS;
	/* Its parent maps the users. */
	if (write(ready, "", 1) != 1 || read(ready, &go, 1) != 1)
		return EPIPE;
	vm = lodge_vm_create(lodge);
	if (vm < 0)
		return -vm;
	child = fork();
	if (!child) {
		if (setresuid(1, 1, 1))
			_exit(errno);
		vm = lodge_vm_create(lodge);
		_exit(vm < 0 ? -vm : 0);
	}
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return ECHILD;
	return WEXITSTATUS(status);
}

/* Return: 0, or what has kept one of the two users from making its VM: -errno. */
static int create_as_two(int lodge)
{
	int ready[2], status;
	char path[64], byte;
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ready))
		return -errno;
	child = fork();
	if (!child) {
		close(ready[0]);
		_exit(create_in_namespace(lodge, ready[1]));
	}
	close(ready[1]);
	snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)child);
	if (read(ready[0], &byte, 1) == 1 &&
	    (host_write(path, "0 65534 1\n1 70000 1\n") ||
	     write(ready[0], &byte, 1) != 1))
		kill(child, SIGKILL);
	close(ready[0]);
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return -ECHILD;
	return -WEXITSTATUS(status);
}

TEST_F(users, users_of_a_namespace_share_the_limits_of_who_has_made_it)
{
	int error;

	ASSERT_EQ(0, set_limit(self->netlink, LODGE_SCOPE_USER, NOBODY,
			       NETLINK_LIMIT_VMS, 2));
	error = create_as_two(self->machine.lodge);
	ASSERT_EQ(0, set_limit(self->netlink, LODGE_SCOPE_USER, NOBODY,
			       NETLINK_LIMIT_VMS, 1));
	if (error != -ENOSYS)
		EXPECT_EQ(-EDQUOT, create_as_two(self->machine.lodge));
	ASSERT_EQ(0, inherit_limits(self->netlink, NOBODY));
	if (error == -ENOSYS)
		SKIP(return, "this kernel has no such namespaces");
	EXPECT_EQ(0, error);
}

TEST_F(users, what_a_vm_holds_is_counted_and_given_back)
{
	uint64_t before[NETLINK_LIMITS];
	struct machine second;

	for (int i = 0; i < NETLINK_LIMITS; i++)
		before[i] = used(self->netlink, i);
	ASSERT_EQ(0, machine_make(&second, 2));
	EXPECT_EQ(before[NETLINK_LIMIT_VMS] + 1,
		  used(self->netlink, NETLINK_LIMIT_VMS));
	EXPECT_EQ(before[NETLINK_LIMIT_VCPUS] + 2,
		  used(self->netlink, NETLINK_LIMIT_VCPUS));
	/* The top of the tables, and at least the run pages. */
	EXPECT_LE(before[NETLINK_LIMIT_TABLES] + PAGE,
		  used(self->netlink, NETLINK_LIMIT_TABLES));
	EXPECT_LE(before[NETLINK_LIMIT_KERNEL] + 2 * LODGE_RUN_SIZE,
		  used(self->netlink, NETLINK_LIMIT_KERNEL));
	machine_end(&second);
	for (int i = 0; i < NETLINK_LIMITS; i++)
		EXPECT_TRUE(EVENTUALLY(used(self->netlink, i) == before[i]));
}

TEST_F(users, a_closed_vcpu_is_counted_with_what_it_still_holds)
{
	uint64_t before = used(self->netlink, NETLINK_LIMIT_KERNEL), open;
	struct lodge_run *run;
	int vcpu = lodge_vcpu_create(self->machine.vm, 2, &run);

	ASSERT_LE(0, vcpu);
	open = used(self->netlink, NETLINK_LIMIT_KERNEL);
	lodge_vcpu_close(vcpu, run);
	/* Others may still send it messages. */
	EXPECT_TRUE(
		EVENTUALLY(used(self->netlink, NETLINK_LIMIT_KERNEL) < open));
	EXPECT_LT(before, used(self->netlink, NETLINK_LIMIT_KERNEL));
}

TEST_F(users, a_limit_of_kernel_memory_refuses_vcpus_and_vms)
{
	uint64_t now = used(self->netlink, NETLINK_LIMIT_KERNEL);
	struct lodge_run *run;
	int vcpu;

	ASSERT_EQ(0, set_limit(self->netlink, LODGE_SCOPE_TOTAL, 0,
			       NETLINK_LIMIT_KERNEL, now + PAGE - 1));
	EXPECT_EQ(-EDQUOT, lodge_vcpu_create(self->machine.vm, 2, &run));
	ASSERT_EQ(0, set_limit(self->netlink, LODGE_SCOPE_DEFAULT, 0,
			       NETLINK_LIMIT_KERNEL, now));
	EXPECT_EQ(-EDQUOT, lodge_vm_create(self->machine.lodge));
	EXPECT_EQ(now, used(self->netlink, NETLINK_LIMIT_KERNEL));
	EXPECT_EQ(2, used(self->netlink, NETLINK_LIMIT_VCPUS));
	ASSERT_EQ(0, limits_restore(self->netlink, &self->usual));
	ASSERT_EQ(0, limits_restore(self->netlink, &self->total));
	vcpu = lodge_vcpu_create(self->machine.vm, 2, &run);
	EXPECT_LE(0, vcpu);
	lodge_vcpu_close(vcpu, run);
}

/* A slot whose log takes half a mebibyte.  There need be no memory behind it. */
#define LOGGED 1
#define LOGGED_AT (16ULL << 30)
#define LOGGED_SIZE (16ULL << 30)
#define LOG_BYTES (LOGGED_SIZE / PAGE / 8)

static int set_logged(const struct machine *machine)
{
	return lodge_memory_set(machine->vm, LOGGED, 0, LOGGED_AT, LOGGED_SIZE,
				(void *)LOGGED_AT);
}

TEST_F(users, a_dirty_log_is_counted_until_it_or_its_slot_or_its_vm_ends)
{
	uint64_t before = used(self->netlink, NETLINK_LIMIT_KERNEL), now;
	struct machine second;

	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, set_logged(&self->machine));
		ASSERT_EQ(0, lodge_dirty_log_begin(self->machine.vm, LOGGED,
						   NULL));
		now = used(self->netlink, NETLINK_LIMIT_KERNEL);
		EXPECT_LE(before + LOG_BYTES, now);
		EXPECT_GE(before + LOG_BYTES + LOG_BYTES / 32, now);
		if (i)
			ASSERT_EQ(0, lodge_dirty_log_end(self->machine.vm,
							 LOGGED));
		ASSERT_EQ(0, lodge_memory_delete(self->machine.vm, LOGGED));
		EXPECT_EQ(before, used(self->netlink, NETLINK_LIMIT_KERNEL));
	}
	ASSERT_EQ(0, machine_make(&second, 1));
	ASSERT_EQ(0, set_logged(&second));
	ASSERT_EQ(0, lodge_dirty_log_begin(second.vm, LOGGED, NULL));
	machine_end(&second);
	EXPECT_TRUE(EVENTUALLY(used(self->netlink, NETLINK_LIMIT_KERNEL) ==
			       before));
}

TEST_F(users, a_limit_of_kernel_memory_refuses_a_dirty_log)
{
	uint64_t now = used(self->netlink, NETLINK_LIMIT_KERNEL);

	ASSERT_EQ(0, set_logged(&self->machine));
	ASSERT_EQ(0, set_limit(self->netlink, LODGE_SCOPE_DEFAULT, 0,
			       NETLINK_LIMIT_KERNEL, now + LOG_BYTES));
	EXPECT_EQ(-EDQUOT,
		  lodge_dirty_log_begin(self->machine.vm, LOGGED, NULL));
	EXPECT_EQ(now, used(self->netlink, NETLINK_LIMIT_KERNEL));
	ASSERT_EQ(0, limits_restore(self->netlink, &self->usual));
	EXPECT_EQ(0, lodge_dirty_log_begin(self->machine.vm, LOGGED, NULL));
}

TEST_F(users, a_limit_below_what_is_used_refuses_only_more)
{
	struct lodge_run *run;
	struct machine second;
	int vcpu;

	ASSERT_EQ(0, machine_make(&second, 1));
	ASSERT_EQ(0, set_limit(self->netlink, LODGE_SCOPE_DEFAULT, 0,
			       NETLINK_LIMIT_VMS, 1));
	EXPECT_EQ(2, used(self->netlink, NETLINK_LIMIT_VMS));
	EXPECT_EQ(-EDQUOT, lodge_vm_create(self->machine.lodge));
	/* Both go on, and may have what has a limit of another kind. */
	vcpu = lodge_vcpu_create(second.vm, 2, &run);
	EXPECT_LE(0, vcpu);
	lodge_vcpu_close(vcpu, run);
	machine_end(&second);
	EXPECT_EQ(-EDQUOT, lodge_vm_create(self->machine.lodge));
}

/* As another user.  Return: the number of the check that fails, or 0. */
static int look_as_nobody(const struct netlink_limit *usual)
{
	struct netlink *netlink;
	struct netlink_limit limit;

	if (setuid(NOBODY) || netlink_open(&netlink))
		return 1;
	if (netlink_limit_get(netlink, LODGE_SCOPE_USER, 0, &limit) != -ENOENT)
		return 2;
	if (netlink_limit_get(netlink, LODGE_SCOPE_USER, NOBODY, &limit) ||
	    !netlink_has(&limit, LODGE_LIMIT_INHERIT) ||
	    limit.limits[NETLINK_LIMIT_VMS] != usual->limits[NETLINK_LIMIT_VMS])
		return 3;
	if (netlink_limit_get(netlink, LODGE_SCOPE_TOTAL, 0, &limit) ||
	    !netlink_has(&limit, LODGE_LIMIT_VMS) ||
	    netlink_has(&limit, LODGE_LIMIT_USED_VMS))
		return 4;
	if (set_limit(netlink, LODGE_SCOPE_USER, NOBODY, NETLINK_LIMIT_VMS,
		      9) != -EPERM ||
	    set_limit(netlink, LODGE_SCOPE_TOTAL, 0, NETLINK_LIMIT_VMS, 9) !=
		    -EPERM ||
	    inherit_limits(netlink, NOBODY) != -EPERM)
		return 5;
	return 0;
}

TEST_F(users, a_user_sees_its_own_limits_and_changes_none)
{
	pid_t child = fork();
	int status;

	if (!child)
		_exit(look_as_nobody(&self->usual));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

/* The number of the last event, or 0. */
static uint64_t last_event(struct netlink *netlink)
{
	struct netlink_news *list;
	uint64_t seq = 0;
	size_t count;

	if (netlink_news_list(netlink, 0, &list, &count))
		return 0;
	if (count)
		seq = list[count - 1].seq;
	free(list);
	return seq;
}

TEST_F(users, a_refusal_is_an_event_that_names_its_limit)
{
	uint64_t last = last_event(self->netlink);
	struct netlink_news *list;
	size_t count, hits = 0;

	ASSERT_EQ(0, set_limit(self->netlink, LODGE_SCOPE_DEFAULT, 0,
			       NETLINK_LIMIT_VMS, 1));
	EXPECT_EQ(-EDQUOT, lodge_vm_create(self->machine.lodge));
	ASSERT_EQ(0, netlink_news_list(self->netlink, last + 1, &list, &count));
	for (size_t i = 0; i < count; i++) {
		if (list[i].kind != LODGE_NEWS_LIMIT_HIT)
			continue;
		hits++;
		EXPECT_EQ(LODGE_LIMIT_VMS, list[i].limit);
		EXPECT_EQ(LODGE_SCOPE_DEFAULT, list[i].scope);
		EXPECT_EQ(0, list[i].uid);
	}
	EXPECT_EQ(1, hits);
	free(list);
}

/* VMs that threads race for, beside the fixture's. */
#define RACERS 3
#define ROUNDS 40
#define MOST 2

struct race {
	int lodge;
	int now;
	int most;
	int wrong;
};

static void race_note(struct race *race, int change)
{
	int now = __atomic_add_fetch(&race->now, change, __ATOMIC_SEQ_CST);
	int most = __atomic_load_n(&race->most, __ATOMIC_SEQ_CST);

	while (now > most &&
	       !__atomic_compare_exchange_n(&race->most, &most, now, false,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
}

static void *race_thread(void *argument)
{
	struct race *race = argument;

	for (int i = 0; i < ROUNDS; i++) {
		int vm = lodge_vm_create(race->lodge);

		if (vm < 0) {
			if (vm != -EDQUOT)
				__atomic_store_n(&race->wrong, vm,
						 __ATOMIC_SEQ_CST);
			sched_yield();
			continue;
		}
		race_note(race, 1);
		sched_yield();
		race_note(race, -1);
		close(vm);
	}
	return NULL;
}

TEST_F(users, threads_that_race_never_exceed_a_limit_that_changes)
{
	struct race race = { .lodge = self->machine.lodge };
	pthread_t thread[RACERS];

	ASSERT_EQ(0, set_limit(self->netlink, LODGE_SCOPE_TOTAL, 0,
			       NETLINK_LIMIT_VMS, 1 + MOST));
	for (int i = 0; i < RACERS; i++)
		ASSERT_EQ(0,
			  pthread_create(&thread[i], NULL, race_thread, &race));
	for (int i = 0; i < ROUNDS; i++) {
		EXPECT_EQ(0, set_limit(self->netlink, LODGE_SCOPE_TOTAL, 0,
				       NETLINK_LIMIT_VMS, 1 + i % (MOST + 1)));
		EXPECT_GE(1 + MOST, used(self->netlink, NETLINK_LIMIT_VMS));
		sched_yield();
	}
	EXPECT_EQ(0, set_limit(self->netlink, LODGE_SCOPE_TOTAL, 0,
			       NETLINK_LIMIT_VMS, 1 + MOST));
	for (int i = 0; i < RACERS; i++)
		pthread_join(thread[i], NULL);
	EXPECT_EQ(0, race.wrong);
	EXPECT_GE(MOST, race.most);
	EXPECT_EQ(1, used(self->netlink, NETLINK_LIMIT_VMS));
}

TEST_HARNESS_MAIN
