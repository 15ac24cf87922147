// SPDX-License-Identifier: GPL-2.0
/*
 * Who sees and kills whose VMs: users, the superuser, and those who are it only in a
 * namespace of their own.
 *
 * Each test is a talk between this process, which is root, and a child that is somebody
 * else.  The child does one step after the other, as it is told; each answers with
 * a number.
 */
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"
#include "lib/client.h"
#include "netlink_fixture.h"

#include "kselftest_harness.h"

#define NOBODY 65534
#define SOMEBODY 65533
/* More than one datagram can tell of. */
#define MANY_VMS 200
/* More than all events that are remembered. */
#define MANY_EVENTS 1500

/* Who the child is. */
enum who {
	IS_ROOT,
	IS_NOBODY,
	/* root, whose effective user is nobody's */
	IS_HALF_NOBODY,
	/* nobody, who is root in a user namespace of its own */
	IS_LORD,
	/* root in a network namespace of its own */
	IS_APART,
	/* root in a PID namespace of its own */
	IS_INSIDE,
	/* the same without capabilities, as containers are run */
	IS_CONTAINER,
};

enum step {
	OPEN,
	MAKE,
	MAKE_MANY,
	COME_AND_GO,
	CLOSE,
	SEE,
	SEE_NUMBER,
	SEE_UID,
	SEE_PID,
	SEE_STATE,
	COUNT,
	COUNT_CPUS,
	COUNT_STATS,
	COUNT_NEWS,
	COUNT_NEWS_OF,
	KILL,
	SET_LIMIT,
	BEGIN_LIST,
	END_LIST,
	HEAR,
};

/**
 * struct order - a step, and what it is about
 * @uid: LODGE_VM_UID that goes with the name, if @with_uid
 */
struct order {
	enum step step;
	uint32_t id;
	uint32_t uid;
	bool with_uid;
	char name[LODGE_NAME_SIZE];
};

/**
 * struct actor - one who carries out steps: the child, or this process
 */
struct actor {
	struct talk talk;
	struct list list;
	int lodge;
	int vm;
};

static int count_take(void *context, const struct talk_answer *answer)
{
	++*(int *)context;
	return 0;
}

/* Return: how many answers a list has, or -errno. */
static int count(struct actor *actor, uint8_t command)
{
	union talk_message message;
	int answers = 0, error;

	talk_begin(&actor->talk, &message, command, NLM_F_DUMP);
	error = talk_do(&actor->talk, &message, count_take, &answers);
	return error ? error : answers;
}

/**
 * struct heard - how many events are of a VM of that name
 */
struct heard {
	const char *name;
	int events;
};

static int heard_take(void *context, const struct talk_answer *answer)
{
	struct heard *heard = context;

	if (!strcmp(talk_string(answer, LODGE_NEWS_NAME), heard->name))
		heard->events++;
	return 0;
}

static int count_news_of(struct actor *actor, const char *name)
{
	struct heard heard = { .name = name };
	union talk_message message;
	int error;

	talk_begin(&actor->talk, &message, LODGE_CMD_NEWS_GET, NLM_F_DUMP);
	error = talk_do(&actor->talk, &message, heard_take, &heard);
	return error ? error : heard.events;
}

static int see(struct actor *actor, const struct order *order, uint8_t command,
	       struct seen *seen)
{
	union talk_message message;

	*seen = (struct seen){ 0 };
	talk_begin(&actor->talk, &message, command, 0);
	if (order->name[0])
		talk_put_string(&message, LODGE_VM_NAME, order->name);
	else
		talk_put_u32(&message, LODGE_VM_ID, order->id);
	if (order->with_uid)
		talk_put_u32(&message, LODGE_VM_UID, order->uid);
	return talk_do(&actor->talk, &message, seen_take, seen);
}

static int set_limit(struct actor *actor)
{
	union talk_message message;

	talk_begin(&actor->talk, &message, LODGE_CMD_LIMIT_SET, 0);
	talk_put_u32(&message, LODGE_LIMIT_SCOPE, LODGE_SCOPE_USER);
	talk_put_u32(&message, LODGE_LIMIT_UID, SOMEBODY);
	talk_put_u64(&message, LODGE_LIMIT_VMS, 1);
	return talk_do(&actor->talk, &message, NULL, NULL);
}

static int begin_list(struct actor *actor)
{
	union talk_message message;

	actor->list.count = 0;
	talk_begin(&actor->talk, &message, LODGE_CMD_VM_GET, NLM_F_DUMP);
	return talk_send(&actor->talk, &message);
}

/* Return: how many VMs the list has that was begun, maybe by somebody else. */
static int end_list(struct actor *actor)
{
	const struct nlmsghdr *header;
	struct talk_answer answer;

	actor->list.count = 0;
	while (!talk_read(&actor->talk, 0)) {
		while ((header = talk_next(&actor->talk))) {
			if (header->nlmsg_type == NLMSG_DONE)
				return actor->list.count;
			if (talk_parse(&actor->talk, header, &answer))
				list_take(&actor->list, &answer);
		}
	}
	return -EPROTO;
}

/* Return: 1 if a message comes to the group. */
static int hear(struct actor *actor)
{
	struct talk *talk = &actor->talk;
	int vm;

	if (setsockopt(talk->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP,
		       &talk->group, sizeof(talk->group)))
		return -errno;
	vm = lodge_vm_create(actor->lodge);
	if (vm < 0)
		return vm;
	close(vm);
	return talk_read(talk, 0) ? 0 : 1;
}

/* They last as long as the process. */
static int make_many(struct actor *actor)
{
	int vm = 0;

	for (int i = 0; i < MANY_VMS && vm >= 0; i++)
		vm = lodge_vm_create(actor->lodge);
	return vm < 0 ? vm : 0;
}

/* VMs of that name, one after the other, until so many events have happened. */
static int come_and_go(struct actor *actor, const char *name)
{
	int vm;

	for (int i = 0; i < MANY_EVENTS / 2; i++) {
		vm = vm_create(actor->lodge, name);
		if (vm < 0)
			return vm;
		close(vm);
	}
	return 0;
}

static int carry_out(struct actor *actor, const struct order *order)
{
	struct seen seen;
	int error;

	switch (order->step) {
	case OPEN:
		return talk_open(&actor->talk);
	case MAKE:
		actor->vm = vm_create(actor->lodge, order->name);
		return actor->vm < 0 ? actor->vm : 0;
	case MAKE_MANY:
		return make_many(actor);
	case COME_AND_GO:
		return come_and_go(actor, order->name);
	case CLOSE:
		return close(actor->vm);
	case SEE:
		return see(actor, order, LODGE_CMD_VM_GET, &seen);
	case SEE_NUMBER:
		error = see(actor, order, LODGE_CMD_VM_GET, &seen);
		return error ? error : (int)seen.id;
	case SEE_UID:
		error = see(actor, order, LODGE_CMD_VM_GET, &seen);
		return error ? error : (int)seen.uid;
	case SEE_PID:
		error = see(actor, order, LODGE_CMD_VM_GET, &seen);
		return error ? error : (int)seen.pid;
	case SEE_STATE:
		error = see(actor, order, LODGE_CMD_VM_GET, &seen);
		return error ? error : (int)seen.state;
	case COUNT:
		return count(actor, LODGE_CMD_VM_GET);
	case COUNT_CPUS:
		return count(actor, LODGE_CMD_VCPU_GET);
	case COUNT_STATS:
		return count(actor, LODGE_CMD_STATS_GET);
	case COUNT_NEWS:
		return count(actor, LODGE_CMD_NEWS_GET);
	case COUNT_NEWS_OF:
		return count_news_of(actor, order->name);
	case KILL:
		return see(actor, order, LODGE_CMD_VM_KILL, &seen);
	case SET_LIMIT:
		return set_limit(actor);
	case BEGIN_LIST:
		return begin_list(actor);
	case END_LIST:
		return end_list(actor);
	case HEAR:
		return hear(actor);
	}
	return -EINVAL;
}

FIXTURE(users)
{
	struct actor *root;
	pid_t child;
	int orders;
	bool absent;
};

static int become_lord(void)
{
	if (setresuid(NOBODY, NOBODY, NOBODY))
		return -errno;
	/* What has changed its user may not write to its own files else. */
	if (prctl(PR_SET_DUMPABLE, 1))
		return -errno;
	/* Debian's kernels say EPERM where there are none for such a user. */
	if (unshare(CLONE_NEWUSER))
		return errno == EPERM ? -EINVAL : -errno;
	return host_write("/proc/self/uid_map", "0 65534 1");
}

static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct none[2] = { 0 };

	return syscall(SYS_capset, &header, none) ? -errno : 0;
}

static int become(enum who who)
{
	switch (who) {
	case IS_NOBODY:
		return setresuid(NOBODY, NOBODY, NOBODY) ? -errno : 0;
	case IS_HALF_NOBODY:
		return seteuid(NOBODY) ? -errno : 0;
	case IS_LORD:
		return become_lord();
	case IS_APART:
		return unshare(CLONE_NEWNET) ? -errno : 0;
	case IS_CONTAINER:
		return drop_capabilities();
	default:
		return 0;
	}
}

/* In the child: never comes back.  The socket is the parent's, until it opens one. */
static void act(struct actor *actor, enum who who, int orders)
{
	struct order order;
	int answer = become(who);

	if (write(orders, &answer, sizeof(answer)) != sizeof(answer))
		_exit(1);
	while (read(orders, &order, sizeof(order)) == sizeof(order)) {
		answer = carry_out(actor, &order);
		if (write(orders, &answer, sizeof(answer)) != sizeof(answer))
			_exit(1);
	}
	_exit(0);
}

static pid_t fork_as(enum who who)
{
	pid_t child;

	if (who != IS_INSIDE && who != IS_CONTAINER)
		return fork();
	child = syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, 0);
	return child < 0 ? -errno : child;
}

/* Start the child. Return: 0; -ENOSYS if this host has no such namespaces; -errno */
static int start(FIXTURE_DATA(users) * self, enum who who)
{
	int pair[2], answer;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	self->child = fork_as(who);
	if (!self->child) {
		close(pair[0]);
		act(self->root, who, pair[1]);
	}
	close(pair[1]);
	self->orders = pair[0];
	if (self->child < 0)
		return self->child == -EINVAL ? -ENOSYS : self->child;
	if (read(pair[0], &answer, sizeof(answer)) != sizeof(answer))
		return -EPIPE;
	return answer == -EINVAL ? -ENOSYS : answer;
}

/* Let the child do something with a VM of that name. */
static int tell_uid(FIXTURE_DATA(users) * self, enum step step,
		    const char *name, bool with_uid, uint32_t uid)
{
	struct order order = { .step = step, .with_uid = with_uid, .uid = uid };
	int answer;

	strncpy(order.name, name, sizeof(order.name) - 1);
	if (write(self->orders, &order, sizeof(order)) != sizeof(order) ||
	    read(self->orders, &answer, sizeof(answer)) != sizeof(answer))
		return -EPIPE;
	return answer;
}

static int tell(FIXTURE_DATA(users) * self, enum step step, const char *name)
{
	return tell_uid(self, step, name, false, 0);
}

/* Or with a VM of that number. */
static int tell_number(FIXTURE_DATA(users) * self, enum step step, uint32_t id)
{
	struct order order = { .step = step, .id = id };
	int answer;

	if (write(self->orders, &order, sizeof(order)) != sizeof(order) ||
	    read(self->orders, &answer, sizeof(answer)) != sizeof(answer))
		return -EPIPE;
	return answer;
}

/* What this process sees. */
static int own(FIXTURE_DATA(users) * self, enum step step, const char *name)
{
	struct order order = { .step = step };

	strncpy(order.name, name, sizeof(order.name) - 1);
	return carry_out(self->root, &order);
}

static int own_uid(FIXTURE_DATA(users) * self, enum step step, const char *name,
		   uint32_t uid)
{
	struct order order = { .step = step, .with_uid = true, .uid = uid };

	strncpy(order.name, name, sizeof(order.name) - 1);
	return carry_out(self->root, &order);
}

FIXTURE_SETUP(users)
{
	struct lodge_run *run;

	self->root = calloc(1, sizeof(*self->root));
	ASSERT_NE(NULL, self->root);
	self->root->lodge = lodge_open();
	ASSERT_LE(0, self->root->lodge);
	ASSERT_EQ(0, talk_open(&self->root->talk));
	ASSERT_EQ(0, own(self, MAKE, "roots"));
	ASSERT_LE(0, lodge_vcpu_create(self->root->vm, 0, &run));
	self->orders = -1;
}

FIXTURE_TEARDOWN(users)
{
	close(self->orders);
	if (self->child > 0)
		waitpid(self->child, NULL, 0);
	close(self->root->vm);
	talk_close(&self->root->talk);
	close(self->root->lodge);
	free(self->root);
}

/* Begin a test as @who, with a socket of the child's; skip it where that cannot be. */
#define START(who)                                                          \
	do {                                                                \
		int started = start(self, who);                             \
                                                                            \
		if (started == -ENOSYS)                                     \
			SKIP(return, "this kernel has no such namespaces"); \
		ASSERT_EQ(0, started);                                      \
		ASSERT_EQ(0, tell(self, OPEN, ""));                         \
	} while (0)

/* None of what is root's can be seen or killed. */
static void expect_nothing_seen(struct __test_metadata *_metadata,
				FIXTURE_DATA(users) * self)
{
	int id = own(self, SEE_NUMBER, "roots");

	EXPECT_LT(0, id);
	EXPECT_EQ(-ENOENT, tell(self, SEE, "roots"));
	EXPECT_EQ(-ENOENT, tell_uid(self, SEE, "roots", true, 0));
	EXPECT_EQ(-ENOENT, tell_number(self, SEE, id));
	EXPECT_EQ(-ENOENT, tell(self, KILL, "roots"));
	EXPECT_EQ(-ENOENT, tell_number(self, KILL, id));
	EXPECT_EQ(0, tell(self, COUNT, ""));
	EXPECT_EQ(0, tell(self, COUNT_CPUS, ""));
	EXPECT_EQ(0, tell(self, COUNT_STATS, ""));
	EXPECT_EQ(0, own(self, SEE, "roots"));
}

/* Events of others are not told, those of the hardware are everybody's. */
static void expect_own_events(struct __test_metadata *_metadata,
			      FIXTURE_DATA(users) * self)
{
	int before = tell(self, COUNT_NEWS, "");

	EXPECT_LE(0, before);
	close(vm_create(self->root->lodge, "secret"));
	EXPECT_EQ(before, tell(self, COUNT_NEWS, ""));
	EXPECT_EQ(0, tell(self, MAKE, "mine"));
	EXPECT_EQ(before + 1, tell(self, COUNT_NEWS, ""));
	EXPECT_EQ(0, tell(self, CLOSE, ""));
	EXPECT_EQ(before + 2, tell(self, COUNT_NEWS, ""));
}

TEST_F(users, a_user_does_not_see_others)
{
	START(IS_NOBODY);
	expect_nothing_seen(_metadata, self);
	EXPECT_EQ(-EPERM, tell(self, SET_LIMIT, ""));
}

TEST_F(users, a_user_sees_and_kills_its_own)
{
	START(IS_NOBODY);
	ASSERT_EQ(0, tell(self, MAKE, "mine"));
	EXPECT_EQ(1, tell(self, COUNT, ""));
	EXPECT_EQ(NOBODY, tell(self, SEE_UID, "mine"));
	EXPECT_EQ(self->child, tell(self, SEE_PID, "mine"));
	EXPECT_EQ(0, tell(self, KILL, "mine"));
	EXPECT_EQ(0, tell(self, CLOSE, ""));
	EXPECT_EQ(-ENOENT, tell(self, SEE, "mine"));
}

TEST_F(users, root_sees_and_kills_all)
{
	START(IS_NOBODY);
	ASSERT_EQ(0, tell(self, MAKE, "theirs"));
	/* By its name alone it is looked for among root's. */
	EXPECT_EQ(-ENOENT, own(self, SEE, "theirs"));
	EXPECT_EQ(0, own_uid(self, SEE, "theirs", NOBODY));
	EXPECT_EQ(NOBODY, own_uid(self, SEE_UID, "theirs", NOBODY));
	EXPECT_EQ(self->child, own_uid(self, SEE_PID, "theirs", NOBODY));
	EXPECT_EQ(2, own(self, COUNT, ""));
	EXPECT_EQ(0, own_uid(self, KILL, "theirs", NOBODY));
}

TEST_F(users, two_users_can_have_the_same_name)
{
	int mine, theirs;

	START(IS_NOBODY);
	ASSERT_EQ(0, tell(self, MAKE, "roots"));
	theirs = tell(self, SEE_NUMBER, "roots");
	mine = own(self, SEE_NUMBER, "roots");
	EXPECT_LT(0, mine);
	EXPECT_LT(0, theirs);
	EXPECT_NE(mine, theirs);
	EXPECT_EQ(theirs, own_uid(self, SEE_NUMBER, "roots", NOBODY));
	EXPECT_EQ(mine, own_uid(self, SEE_NUMBER, "roots", 0));
}

TEST_F(users, a_user_hears_of_its_own_events_only)
{
	START(IS_NOBODY);
	expect_own_events(_metadata, self);
}

/* The real user counts, as for limits. */
TEST_F(users, a_user_makes_nobody_elses_events_be_forgotten)
{
	ASSERT_EQ(0, own(self, COME_AND_GO, "many"));
	START(IS_NOBODY);
	ASSERT_EQ(0, tell(self, MAKE, "few"));
	ASSERT_EQ(0, own(self, COME_AND_GO, "many"));
	EXPECT_EQ(1, tell(self, COUNT_NEWS_OF, "few"));
	EXPECT_EQ(0, tell(self, COUNT_NEWS_OF, "many"));
	/* Nor root's own are. */
	ASSERT_EQ(0, tell(self, COME_AND_GO, "more"));
	EXPECT_LT(1, own(self, COUNT_NEWS_OF, "many"));
	EXPECT_LT(1, tell(self, COUNT_NEWS_OF, "more"));
}

TEST_F(users, the_effective_user_does_not_count)
{
	START(IS_HALF_NOBODY);
	EXPECT_EQ(0, tell(self, SEE, "roots"));
	EXPECT_EQ(-EPERM, tell(self, SET_LIMIT, ""));
}

/*
 * Sockets that change hands
 */

TEST_F(users, a_socket_of_roots_gives_nobody_more_than_it_may)
{
	int started = start(self, IS_NOBODY);

	ASSERT_EQ(0, started);
	expect_nothing_seen(_metadata, self);
	EXPECT_EQ(-EPERM, tell(self, SET_LIMIT, ""));
}

/* Each list has several datagrams, of which all but the first are made by a reader. */
TEST_F(users, a_list_has_what_may_be_seen_by_who_has_asked)
{
	int started = start(self, IS_NOBODY);

	ASSERT_EQ(0, started);
	ASSERT_EQ(0, tell(self, MAKE_MANY, ""));
	ASSERT_EQ(0, own(self, MAKE_MANY, ""));
	ASSERT_EQ(0, tell(self, BEGIN_LIST, ""));
	EXPECT_EQ(MANY_VMS, own(self, END_LIST, ""));
	ASSERT_EQ(0, own(self, BEGIN_LIST, ""));
	EXPECT_EQ(2 * MANY_VMS + 1, tell(self, END_LIST, ""));
}

/*
 * Namespaces
 */

TEST_F(users, root_of_a_user_namespace_is_not_root)
{
	START(IS_LORD);
	expect_nothing_seen(_metadata, self);
	EXPECT_EQ(-EPERM, tell(self, SET_LIMIT, ""));
}

TEST_F(users, a_user_namespace_has_its_own_numbers_for_users)
{
	START(IS_LORD);
	ASSERT_EQ(0, tell(self, MAKE, "lords"));
	EXPECT_EQ(0, tell(self, SEE_UID, "lords"));
	EXPECT_EQ(0, tell_uid(self, SEE, "lords", true, 0));
	/* There is no such user in it. */
	EXPECT_NE(0, tell_uid(self, SEE, "lords", true, NOBODY));
	EXPECT_EQ(NOBODY, own_uid(self, SEE_UID, "lords", NOBODY));
	EXPECT_EQ(0, tell(self, KILL, "lords"));
}

TEST_F(users, the_family_is_in_every_network_namespace)
{
	START(IS_APART);
	EXPECT_EQ(0, tell(self, SEE, "roots"));
	EXPECT_EQ(1, tell(self, COUNT, ""));
	EXPECT_EQ(1, tell(self, HEAR, ""));
}

TEST_F(users, a_pid_namespace_does_not_show_those_outside)
{
	START(IS_INSIDE);
	EXPECT_EQ(0, tell(self, SEE_PID, "roots"));
	ASSERT_EQ(0, tell(self, MAKE, "inside"));
	EXPECT_EQ(1, tell(self, SEE_PID, "inside"));
	EXPECT_EQ(self->child, own(self, SEE_PID, "inside"));
}

TEST_F(users, root_of_a_container_sees_what_was_made_in_it)
{
	int id = own(self, SEE_NUMBER, "roots");
	int inside;

	START(IS_CONTAINER);
	expect_nothing_seen(_metadata, self);
	ASSERT_EQ(0, tell(self, MAKE, "roots"));
	inside = tell(self, SEE_NUMBER, "roots");
	EXPECT_LT(0, inside);
	EXPECT_NE(id, inside);
	EXPECT_EQ(1, tell(self, COUNT, ""));
	/* The host's root sees both, and means its own by the name. */
	EXPECT_EQ(2, own(self, COUNT, ""));
	EXPECT_EQ(id, own(self, SEE_NUMBER, "roots"));
	EXPECT_EQ(id, own_uid(self, SEE_NUMBER, "roots", 0));
	EXPECT_EQ(0, tell(self, KILL, "roots"));
	EXPECT_EQ(0, own(self, SEE, "roots"));
}

TEST_F(users, root_of_a_container_does_not_hear_of_the_hosts_events)
{
	START(IS_CONTAINER);
	expect_own_events(_metadata, self);
}

TEST_F(users, of_a_name_in_two_containers_none_is_guessed)
{
	int first, orders, second;

	START(IS_CONTAINER);
	ASSERT_EQ(0, tell(self, MAKE, "twin"));
	EXPECT_EQ(0, own(self, SEE, "twin"));
	first = self->child;
	orders = self->orders;
	START(IS_CONTAINER);
	ASSERT_EQ(0, tell(self, MAKE, "twin"));
	EXPECT_EQ(-ENOTUNIQ, own(self, SEE, "twin"));
	EXPECT_EQ(-ENOTUNIQ, own_uid(self, KILL, "twin", 0));
	EXPECT_NE(NULL, strstr(self->root->talk.text, "give the ID of one"));
	EXPECT_EQ(LODGE_VM_ALIVE, tell(self, SEE_STATE, "twin"));
	second = self->orders;
	self->orders = orders;
	EXPECT_EQ(LODGE_VM_ALIVE, tell(self, SEE_STATE, "twin"));
	self->orders = second;
	ASSERT_EQ(0, own(self, MAKE, "twin"));
	EXPECT_EQ(0, own(self, SEE, "twin"));
	/* The other one has a copy of this end of the talk. */
	close(orders);
	kill(first, SIGKILL);
	EXPECT_EQ(first, waitpid(first, NULL, 0));
}

TEST_HARNESS_MAIN
