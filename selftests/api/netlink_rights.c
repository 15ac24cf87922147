// SPDX-License-Identifier: GPL-2.0
/*
 * Whose rights count at the netlink family: those of who has opened a socket, too; how
 * a namespace sees users and threads; and that a list gives up what it has held.
 */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host.h"
#include "lib/client.h"
#include "netlink_fixture.h"
#include "runner.h"
#include "waiting.h"

#include "kselftest_harness.h"

#define NOBODY 65534
#define SPACES "/proc/sys/user/max_user_namespaces"
/* User namespaces that there may be, and how often one is made and given up. */
#define FEW_SPACES "8"
#define MANY_ROUNDS 40
/* Exit statuses of children: there are no such namespaces, or no more of them. */
#define NO_SPACES 8
#define TOO_MANY_SPACES 9

static int set_users(uid_t real, uid_t effective)
{
	return syscall(SYS_setresuid, real, effective, 0) ? -errno : 0;
}

static int set_limit(struct talk *talk)
{
	union talk_message message;

	talk_begin(talk, &message, LODGE_CMD_LIMIT_SET, 0);
	talk_put_u32(&message, LODGE_LIMIT_SCOPE, LODGE_SCOPE_USER);
	talk_put_u32(&message, LODGE_LIMIT_UID, NOBODY);
	talk_put_u64(&message, LODGE_LIMIT_VMS, 1);
	return talk_do(talk, &message, NULL, NULL);
}

TEST(a_socket_that_a_user_has_opened_gives_root_no_more_than_that_user_may)
{
	static struct talk roots, users;
	static struct list list;
	int lodge = lodge_open();
	int vm = vm_create(lodge, "roots");
	struct seen seen;
	uint32_t id;

	ASSERT_LE(0, vm);
	ASSERT_EQ(0, talk_open(&roots));
	ASSERT_EQ(0, see_name(&roots, "roots", &seen));
	id = seen.id;
	ASSERT_EQ(0, set_users(NOBODY, NOBODY));
	ASSERT_EQ(0, talk_open(&users));
	ASSERT_EQ(0, set_users(0, 0));
	EXPECT_EQ(-ENOENT, see_id(&users, id, &seen));
	EXPECT_EQ(-ENOENT, see_name(&users, "roots", &seen));
	EXPECT_EQ(-ENOENT, kill_id(&users, id));
	EXPECT_EQ(0, see_all(&users, &list));
	EXPECT_EQ(0, list.count);
	EXPECT_EQ(-EPERM, set_limit(&users));
	EXPECT_EQ(0, see_id(&roots, id, &seen));
	EXPECT_EQ(LODGE_VM_ALIVE, seen.state);
	talk_close(&users);
	talk_close(&roots);
	close(vm);
	close(lodge);
}

static int used_take(void *context, const struct talk_answer *answer)
{
	uint32_t *found = context;

	*found += !!answer->attribute[LODGE_LIMIT_USED_VMS];
	*found += !!answer->attribute[LODGE_LIMIT_USED_VCPUS];
	*found += !!answer->attribute[LODGE_LIMIT_USED_TABLES];
	*found += !!answer->attribute[LODGE_LIMIT_USED_KERNEL];
	return 0;
}

/* Return: how many numbers are told of what all users together hold. */
static uint32_t used_of_total(struct talk *talk)
{
	union talk_message message;
	uint32_t found = 0;

	talk_begin(talk, &message, LODGE_CMD_LIMIT_GET, 0);
	talk_put_u32(&message, LODGE_LIMIT_SCOPE, LODGE_SCOPE_TOTAL);
	return talk_do(talk, &message, used_take, &found) ? ~0U : found;
}

TEST(only_root_is_told_what_all_users_together_hold)
{
	static struct talk roots, users;

	ASSERT_EQ(0, talk_open(&roots));
	EXPECT_EQ(4, used_of_total(&roots));
	ASSERT_EQ(0, set_users(NOBODY, NOBODY));
	ASSERT_EQ(0, talk_open(&users));
	EXPECT_EQ(0, used_of_total(&users));
	EXPECT_EQ(0, used_of_total(&roots));
	ASSERT_EQ(0, set_users(0, 0));
	EXPECT_EQ(0, used_of_total(&users));
	talk_close(&users);
	talk_close(&roots);
}

/* Nobody, who is root in a user namespace of its own.  Return: 0 or an exit status. */
static int become_lord(void)
{
	if (setresuid(NOBODY, NOBODY, NOBODY) || prctl(PR_SET_DUMPABLE, 1))
		return 2;
	if (unshare(CLONE_NEWUSER))
		return errno == ENOSPC ? TOO_MANY_SPACES : NO_SPACES;
	return host_write("/proc/self/uid_map", "0 65534 1") ? 2 : 0;
}

static int limit_uid(void *context, const struct talk_answer *answer)
{
	*(uint32_t *)context = talk_u32(answer, LODGE_LIMIT_UID);
	return 0;
}

static int news_uid(void *context, const struct talk_answer *answer)
{
	if (answer->attribute[LODGE_NEWS_UID])
		*(uint32_t *)context = talk_u32(answer, LODGE_NEWS_UID);
	return 0;
}

/* Return: 0 if events and limits have the number by which the namespace knows the user. */
static int lord_is_root(int lodge)
{
	static struct talk talk;
	union talk_message message;
	uint32_t of_limit = ~0U, of_news = ~0U;
	int error = become_lord();

	if (error)
		return error;
	if (talk_open(&talk) || vm_create(lodge, "lords") < 0)
		return 3;
	talk_begin(&talk, &message, LODGE_CMD_LIMIT_GET, 0);
	talk_put_u32(&message, LODGE_LIMIT_SCOPE, LODGE_SCOPE_USER);
	talk_put_u32(&message, LODGE_LIMIT_UID, 0);
	if (talk_do(&talk, &message, limit_uid, &of_limit))
		return 4;
	talk_begin(&talk, &message, LODGE_CMD_NEWS_GET, NLM_F_DUMP);
	if (talk_do(&talk, &message, news_uid, &of_news))
		return 5;
	return of_limit ? 6 : of_news ? 7 : 0;
}

static int status_of(pid_t child)
{
	int status;

	if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/* Return: what a child returns that does this, with /dev/lodge. */
static int in_child(int (*deed)(int lodge))
{
	int lodge = lodge_open();
	pid_t child = fork();

	if (!child)
		_exit(deed(lodge));
	close(lodge);
	return status_of(child);
}

TEST(events_and_limits_name_the_user_as_its_namespace_does)
{
	int status = in_child(lord_is_root);

	if (status == NO_SPACES)
		SKIP(return, "this kernel has no such namespaces");
	EXPECT_EQ(0, status);
}

/* Return: what the namespace's clock shows, ns. */
static uint64_t boottime(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* Return: 0 if a VM has started by the clock of this process. */
static int start_is_now(int lodge)
{
	static struct talk talk;
	uint64_t before = boottime();
	int vm = vm_create(lodge, "timed");
	uint64_t after = boottime();
	struct seen seen;

	if (vm < 0 || talk_open(&talk) || see_name(&talk, "timed", &seen))
		return 2;
	return before <= seen.start && seen.start <= after ? 0 : 3;
}

/* In a time namespace of which the clock shows ten days more. */
static int start_is_now_in_ten_days(int lodge)
{
	pid_t child;

	if (unshare(CLONE_NEWTIME))
		return NO_SPACES;
	if (host_write("/proc/self/timens_offsets", "boottime 864000 0"))
		return 4;
	child = fork();
	if (!child)
		_exit(start_is_now(lodge));
	return status_of(child);
}

TEST(a_vm_has_started_by_the_clock_of_the_caller_s_namespace)
{
	int status = in_child(start_is_now_in_ten_days);

	if (status == NO_SPACES)
		SKIP(return, "this kernel has no such namespaces");
	EXPECT_EQ(0, status);
}

static int tid_take(void *context, const struct talk_answer *answer)
{
	*(uint32_t *)context = talk_u32(answer, LODGE_VCPU_TID);
	return 0;
}

static uint32_t tid(struct talk *talk)
{
	union talk_message message;
	uint32_t tid = 0;

	talk_begin(talk, &message, LODGE_CMD_VCPU_GET, NLM_F_DUMP);
	if (talk_do(talk, &message, tid_take, &tid))
		return 0;
	return tid;
}

/* The first process of a PID namespace; its second thread runs the vCPU. */
static int thread_is_second(void)
{
	static struct talk talk;
	struct machine machine;
	struct runner runner;
	uint32_t seen = 0;

	if (talk_open(&talk) || machine_make(&machine, 1))
		return 2;
	if (machine_enter(&machine, 0, guest_spin))
		return 3;
	runner_start(&runner, &machine, 0);
	if (!EVENTUALLY((seen = tid(&talk))))
		return 4;
	runner_stop(&runner);
	machine_end(&machine);
	return seen == 2 ? 0 : 5;
}

TEST(a_thread_has_the_number_that_its_namespace_knows)
{
	pid_t child =
		syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, 0);

	if (child < 0)
		SKIP(return, "this kernel has no such namespaces");
	if (!child)
		_exit(thread_is_second());
	EXPECT_EQ(0, status_of(child));
}

static int nothing(void *context, const struct talk_answer *answer)
{
	return 0;
}

/* A list, read to its end or given up, in a user namespace of its own. */
static int list_as_lord(bool whole)
{
	static struct talk talk;
	union talk_message message;
	int error = become_lord();

	if (error)
		return error;
	if (talk_open(&talk))
		return 3;
	talk_begin(&talk, &message, LODGE_CMD_LIMIT_GET, NLM_F_DUMP);
	if (whole)
		return talk_do(&talk, &message, nothing, NULL) ? 4 : 0;
	return talk_send(&talk, &message) ? 5 : 0;
}

static int list_in_child(bool whole)
{
	pid_t child = fork();

	if (!child)
		_exit(list_as_lord(whole));
	return status_of(child);
}

TEST(a_list_holds_its_namespaces_no_longer_than_it_lasts)
{
	char before[32];
	int status;

	if (list_in_child(true) == NO_SPACES)
		SKIP(return, "this kernel has no such namespaces");
	snprintf(before, sizeof(before), "%ld", host_read(SPACES));
	ASSERT_EQ(0, host_write(SPACES, FEW_SPACES));
	for (int i = 0; i < MANY_ROUNDS; i++) {
		int tries = PATIENCE;

		/* The kernel gives a namespace up a little later. */
		while ((status = list_in_child(i % 2)) == TOO_MANY_SPACES &&
		       tries--)
			usleep(50000);
		EXPECT_EQ(0, status);
		if (status)
			break;
	}
	EXPECT_EQ(0, host_write(SPACES, before));
}

TEST_HARNESS_MAIN
