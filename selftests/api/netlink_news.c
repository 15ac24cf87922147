// SPDX-License-Identifier: GPL-2.0
/*
 * Events: what happens is remembered, in order and with its explanation; who listens
 * hears that there is something, and who does not read costs nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "host.h"
#include "lib/client.h"
#include "netlink_fixture.h"
#include "runner.h"
#include "waiting.h"

#include "kselftest_harness.h"

#define PARAMETER "/sys/module/lodge/parameters/user_vms"
/* More than are remembered. */
#define MANY_EVENTS 3000
#define SMALL_BUFFER 4096

/**
 * struct event - one of them: the attributes of enum lodge_news_attr
 */
struct event {
	uint64_t seq;
	uint32_t kind;
	uint64_t time;
	uint32_t vm;
	char name[LODGE_NAME_SIZE];
	uint32_t uid;
	bool has_uid;
	uint32_t vcpu;
	uint32_t reason;
	uint32_t limit;
	uint32_t scope;
	char text[LODGE_TEXT_SIZE];
};

/**
 * struct news - events of a list that are of one kind
 * @kind: the kind; 0: all
 * @count: how many
 * @last: the last one of them
 * @lost: the sum of LODGE_NEWS_LOST
 * @highest: number of the last event of the list
 * @disorder: a number was not higher than the one before
 * @answers: events of all kinds
 */
struct news {
	uint32_t kind;
	int count;
	struct event last;
	uint64_t lost;
	uint64_t highest;
	bool disorder;
	int answers;
};

static void event_take(struct event *event, const struct talk_answer *answer)
{
	*event = (struct event){
		.seq = talk_u64(answer, LODGE_NEWS_SEQ),
		.kind = talk_u32(answer, LODGE_NEWS_KIND),
		.time = talk_u64(answer, LODGE_NEWS_TIME),
		.vm = talk_u32(answer, LODGE_NEWS_VM),
		.uid = talk_u32(answer, LODGE_NEWS_UID),
		.has_uid = answer->attribute[LODGE_NEWS_UID],
		.vcpu = talk_u32(answer, LODGE_NEWS_VCPU),
		.reason = talk_u32(answer, LODGE_NEWS_REASON),
		.limit = talk_u32(answer, LODGE_NEWS_LIMIT),
		.scope = talk_u32(answer, LODGE_NEWS_SCOPE),
	};
	strncpy(event->name, talk_string(answer, LODGE_NEWS_NAME),
		sizeof(event->name) - 1);
	strncpy(event->text, talk_string(answer, LODGE_NEWS_TEXT),
		sizeof(event->text) - 1);
}

static int news_take(void *context, const struct talk_answer *answer)
{
	struct news *news = context;
	struct event event;

	if (answer->command != LODGE_CMD_NEWS_GET)
		return -EPROTO;
	event_take(&event, answer);
	news->lost += talk_u64(answer, LODGE_NEWS_LOST);
	if (news->answers++ && event.seq <= news->highest)
		news->disorder = true;
	news->highest = event.seq;
	if (!news->kind || event.kind == news->kind) {
		news->count++;
		news->last = event;
	}
	return 0;
}

/* The events from @from on; 0: all. */
static int news_get(struct talk *talk, uint64_t from, uint32_t kind,
		    struct news *news)
{
	union talk_message message;

	*news = (struct news){ .kind = kind };
	talk_begin(talk, &message, LODGE_CMD_NEWS_GET, NLM_F_DUMP);
	if (from)
		talk_put_u64(&message, LODGE_NEWS_SEQ, from);
	return talk_do(talk, &message, news_take, news);
}

FIXTURE(news)
{
	struct talk talk;
	struct machine machine;
	struct runner runner;
	struct news news;
	uint64_t from;
	char vms[16];
};

FIXTURE_SETUP(news)
{
	ASSERT_EQ(0, talk_open(&self->talk));
	ASSERT_EQ(0, machine_make(&self->machine, 1));
	ASSERT_EQ(0, news_get(&self->talk, 0, 0, &self->news));
	self->from = self->news.highest + 1;
	snprintf(self->vms, sizeof(self->vms), "%ld", host_read(PARAMETER));
}

FIXTURE_TEARDOWN(news)
{
	EXPECT_EQ(0, host_write(PARAMETER, self->vms));
	machine_end(&self->machine);
	talk_close(&self->talk);
}

/* The events of a kind since the test began. */
static int since(FIXTURE_DATA(news) * self, uint32_t kind)
{
	if (news_get(&self->talk, self->from, kind, &self->news) ||
	    self->news.disorder)
		return -1;
	return self->news.count;
}

/* Make a VM and close it, so often. */
static int come_and_go(FIXTURE_DATA(news) * self, const char *name, int times)
{
	int vm;

	for (int i = 0; i < times; i++) {
		vm = vm_create(self->machine.lodge, name);
		if (vm < 0)
			return vm;
		close(vm);
	}
	return 0;
}

static uint64_t real_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/*
 * Kinds
 */

TEST_F(news, a_vm_that_comes_and_goes_is_told_of)
{
	const struct event *event = &self->news.last;
	uint64_t before = real_time();
	uint32_t id;

	ASSERT_EQ(0, come_and_go(self, "comes", 1));
	ASSERT_EQ(1, since(self, LODGE_NEWS_VM_CREATED));
	id = event->vm;
	EXPECT_NE(0, id);
	EXPECT_STREQ("comes", event->name);
	EXPECT_EQ(getuid(), event->uid);
	EXPECT_TRUE(event->has_uid);
	EXPECT_LE(before, event->time);
	EXPECT_GE(real_time(), event->time);
	ASSERT_EQ(1, since(self, LODGE_NEWS_VM_GONE));
	EXPECT_EQ(id, event->vm);
	EXPECT_STREQ("comes", event->name);
	EXPECT_EQ(getuid(), event->uid);
}

TEST_F(news, a_vm_that_is_killed_is_told_of_once)
{
	struct seen seen;
	int vm = vm_create(self->machine.lodge, "killed");

	ASSERT_LE(0, vm);
	ASSERT_EQ(0, see_name(&self->talk, "killed", &seen));
	EXPECT_EQ(0, kill_id(&self->talk, seen.id));
	EXPECT_EQ(0, kill_id(&self->talk, seen.id));
	ASSERT_EQ(1, since(self, LODGE_NEWS_VM_KILLED));
	EXPECT_EQ(seen.id, self->news.last.vm);
	EXPECT_STREQ("killed", self->news.last.name);
	close(vm);
}

/* A guest without an IDT that faults. */
static int shut_down(FIXTURE_DATA(news) * self)
{
	struct lodge_state state = { .groups = LODGE_GROUP_SEGMENTS };
	int vcpu = self->machine.cpu[0].fd;
	int error = machine_enter(&self->machine, 0, guest_spin);

	if (!error)
		error = lodge_state_get(vcpu, &state);
	if (error)
		return error;
	state.regs.segments.idt.limit = 0;
	error = lodge_state_set(vcpu, &state);
	if (!error)
		error = lodge_nmi(vcpu);
	return error ? error : lodge_run(vcpu);
}

TEST_F(news, a_guest_that_cannot_go_on_is_told_of_with_the_reason)
{
	ASSERT_EQ(0, shut_down(self));
	ASSERT_EQ(LODGE_EXIT_SHUTDOWN, self->machine.cpu[0].run->reason);
	ASSERT_EQ(1, since(self, LODGE_NEWS_VCPU_STOPPED));
	EXPECT_EQ(LODGE_EXIT_SHUTDOWN, self->news.last.reason);
	EXPECT_EQ(0, self->news.last.vcpu);
	EXPECT_NE(0, self->news.last.vm);
	EXPECT_NE(0, self->news.last.text[0]);
	printf("# %s\n", self->news.last.text);
}

TEST_F(news, exits_that_are_usual_are_not_told_of)
{
	ASSERT_EQ(0, machine_enter(&self->machine, 0, guest_out));
	for (int i = 0; i < 10; i++)
		ASSERT_EQ(0, lodge_run(self->machine.cpu[0].fd));
	EXPECT_EQ(0, since(self, LODGE_NEWS_VCPU_STOPPED));
}

TEST_F(news, a_limit_that_refuses_is_told_of)
{
	ASSERT_EQ(0, host_write(PARAMETER, "1"));
	EXPECT_EQ(-EDQUOT, lodge_vm_create(self->machine.lodge));
	ASSERT_LE(1, since(self, LODGE_NEWS_LIMIT_HIT));
	EXPECT_EQ(LODGE_LIMIT_VMS, self->news.last.limit);
	EXPECT_EQ(LODGE_SCOPE_DEFAULT, self->news.last.scope);
	EXPECT_EQ(getuid(), self->news.last.uid);
	EXPECT_NE(0, self->news.last.text[0]);
}

TEST_F(news, the_first_vm_switches_the_hardware_on_and_the_last_off)
{
	machine_end(&self->machine);
	EXPECT_EQ(1, since(self, LODGE_NEWS_HARDWARE_OFF));
	EXPECT_EQ(0, since(self, LODGE_NEWS_HARDWARE_ON));
	ASSERT_EQ(0, machine_make(&self->machine, 1));
	EXPECT_EQ(1, since(self, LODGE_NEWS_HARDWARE_ON));
	EXPECT_EQ(0, self->news.last.vm);
}

/*
 * The list
 */

TEST_F(news, the_list_begins_where_it_is_asked_to)
{
	ASSERT_EQ(0, come_and_go(self, "list", 4));
	ASSERT_EQ(4, since(self, LODGE_NEWS_VM_GONE));
	ASSERT_EQ(0,
		  news_get(&self->talk, self->news.last.seq, 0, &self->news));
	EXPECT_EQ(1, self->news.answers);
	EXPECT_EQ(LODGE_NEWS_VM_GONE, self->news.last.kind);
	EXPECT_EQ(0, self->news.lost);
	ASSERT_EQ(0, news_get(&self->talk, self->news.highest + 1, 0,
			      &self->news));
	EXPECT_EQ(0, self->news.answers);
	ASSERT_EQ(0, news_get(&self->talk, ~0ULL, 0, &self->news));
	EXPECT_EQ(0, self->news.answers);
}

TEST_F(news, what_was_forgotten_is_counted)
{
	uint64_t last;

	ASSERT_EQ(0, come_and_go(self, "forgotten", MANY_EVENTS / 2));
	ASSERT_EQ(0, news_get(&self->talk, self->from, 0, &self->news));
	EXPECT_FALSE(self->news.disorder);
	EXPECT_LT(0, self->news.lost);
	last = self->news.highest;
	EXPECT_LE(self->from + MANY_EVENTS - 1, last);
	EXPECT_EQ(last + 1 - self->from, self->news.lost + self->news.answers);
	/* Who does not say from where has lost nothing. */
	ASSERT_EQ(0, news_get(&self->talk, 0, 0, &self->news));
	EXPECT_EQ(0, self->news.lost);
	EXPECT_LT(0, self->news.answers);
}

/**
 * struct comer - a thread that makes events
 */
struct comer {
	pthread_t thread;
	int lodge;
	bool stop;
};

static void *comer_thread(void *argument)
{
	struct comer *comer = argument;

	while (!SEEN(comer->stop)) {
		int vm = lodge_vm_create(comer->lodge);

		if (vm >= 0)
			close(vm);
	}
	return NULL;
}

TEST_F(news, a_list_is_in_order_while_more_happens)
{
	struct comer comer[2];

	for (int i = 0; i < 2; i++) {
		comer[i] = (struct comer){ .lodge = self->machine.lodge };
		pthread_create(&comer[i].thread, NULL, comer_thread, &comer[i]);
	}
	for (int i = 0; i < 60; i++) {
		ASSERT_EQ(0, news_get(&self->talk, i % 2 ? self->from : 0, 0,
				      &self->news));
		EXPECT_FALSE(self->news.disorder);
		/* Since the test began there may have been none yet. */
		if (!(i % 2))
			EXPECT_LT(0, self->news.answers);
	}
	for (int i = 0; i < 2; i++) {
		__atomic_store_n(&comer[i].stop, true, __ATOMIC_SEQ_CST);
		pthread_join(comer[i].thread, NULL);
	}
}

/*
 * Listeners
 */

static int listen_open(struct talk *talk)
{
	int error = talk_open(talk);

	if (error)
		return error;
	return setsockopt(talk->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP,
			  &talk->group, sizeof(talk->group)) ?
		       -errno :
		       0;
}

/* Return: the number that the next message says, or 0. */
static uint64_t listen_next(struct talk *talk)
{
	const struct nlmsghdr *header = talk_next(talk);
	struct talk_answer answer;

	if (!header && !talk_read(talk, 0))
		header = talk_next(talk);
	if (!header || !talk_parse(talk, header, &answer) ||
	    answer.command != LODGE_CMD_NEWS)
		return 0;
	return talk_u64(&answer, LODGE_NEWS_SEQ);
}

TEST_F(news, a_listener_hears_that_there_is_something_and_no_more)
{
	struct talk *listener = malloc(sizeof(*listener));
	uint64_t heard = 0;

	ASSERT_NE(NULL, listener);
	ASSERT_EQ(0, listen_open(listener));
	ASSERT_EQ(0, come_and_go(self, "heard", 1));
	ASSERT_EQ(1, since(self, LODGE_NEWS_VM_GONE));
	/* One message may stand for several events, and one more come for the last. */
	while (heard < self->news.last.seq) {
		uint64_t next = listen_next(listener);

		ASSERT_NE(0, next);
		ASSERT_LE(heard, next);
		heard = next;
	}
	talk_close(listener);
	free(listener);
}

/* Bytes in the buffer of a netlink socket, by the kernel's list of them, or -1. */
static long buffered(const struct talk *talk)
{
	FILE *file = fopen("/proc/net/netlink", "re");
	struct sockaddr_nl name = { 0 };
	socklen_t size = sizeof(name);
	unsigned int protocol, port;
	long bytes = -1, used;
	char line[256];

	if (!file || getsockname(talk->fd, (struct sockaddr *)&name, &size))
		return -1;
	while (bytes < 0 && fgets(line, sizeof(line), file))
		if (sscanf(line, "%*s %u %u %*x %ld", &protocol, &port,
			   &used) == 3 &&
		    protocol == NETLINK_GENERIC && port == name.nl_pid)
			bytes = used;
	fclose(file);
	return bytes;
}

TEST_F(news, a_listener_that_does_not_read_fills_its_buffer_and_no_more)
{
	struct talk *listener = malloc(sizeof(*listener));
	const int size = SMALL_BUFFER;
	int error = 0, read = 0;
	uint64_t heard;

	ASSERT_NE(NULL, listener);
	ASSERT_EQ(0, listen_open(listener));
	ASSERT_EQ(0, setsockopt(listener->fd, SOL_SOCKET, SO_RCVBUF, &size,
				sizeof(size)));
	ASSERT_EQ(0, come_and_go(self, "deaf", 200));
	EXPECT_LT(0, buffered(listener));
	/* The kernel doubles what it is told, and the last message may go beyond. */
	EXPECT_GE(4 * SMALL_BUFFER, buffered(listener));
	while (!error) {
		error = talk_read(listener, MSG_DONTWAIT);
		read += !error;
		if (error == -ENOBUFS)
			break;
	}
	EXPECT_EQ(-ENOBUFS, error);
	while (!talk_read(listener, MSG_DONTWAIT))
		read++;
	EXPECT_GT(400, read);
	/* Nothing is lost: it asks for all that it has not seen. */
	EXPECT_EQ(200, since(self, LODGE_NEWS_VM_CREATED));
	EXPECT_EQ(0, self->news.lost);
	/* And it hears what comes next. */
	ASSERT_EQ(0, come_and_go(self, "deaf", 1));
	do {
		heard = listen_next(listener);
		ASSERT_NE(0, heard);
	} while (heard <= self->news.highest);
	talk_close(listener);
	free(listener);
}

TEST_F(news, listeners_can_come_and_go_while_much_happens)
{
	struct talk *listener = malloc(sizeof(*listener));
	struct comer comer = { .lodge = self->machine.lodge };

	ASSERT_NE(NULL, listener);
	pthread_create(&comer.thread, NULL, comer_thread, &comer);
	for (int i = 0; i < 100; i++) {
		ASSERT_EQ(0, listen_open(listener));
		EXPECT_LT(0, listen_next(listener));
		talk_close(listener);
	}
	__atomic_store_n(&comer.stop, true, __ATOMIC_SEQ_CST);
	pthread_join(comer.thread, NULL);
	free(listener);
}

TEST_HARNESS_MAIN
