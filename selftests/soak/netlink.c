// SPDX-License-Identifier: GPL-2.0
/*
 * Messages at random to the netlink family, nearly right ones, from several threads:
 * while VMs come, run, are killed and go, and limits change.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "chance.h"
#include "lib/client.h"
#include "talk.h"
#include "runner.h"
#include "waiting.h"

#include "kselftest_harness.h"

#define TALKERS 3
#define MAKERS 2
#define MAX_SCOPES 64
/* Highest numbers tried, of commands and attributes. */
#define COMMANDS (LODGE_CMD_MAX + 3)
#define ATTRIBUTES (LODGE_STATS_MAX + 3)

/**
 * struct scope - limits as they were
 */
struct scope {
	uint32_t scope;
	uint32_t uid;
	uint64_t limit[4];
};

/**
 * struct limits - all of them
 */
struct limits {
	struct scope scope[MAX_SCOPES];
	int count;
};

/**
 * struct worker - a thread
 * @messages: a talker's messages that the kernel has taken
 * @machines: a maker's machines
 */
struct worker {
	pthread_t thread;
	struct chance chance;
	const struct span *span;
	unsigned long long messages;
	unsigned long long machines;
	bool defect;
};

FIXTURE(netlink)
{
	struct talk talk;
	struct limits before;
	struct span span;
	struct worker worker[TALKERS + MAKERS];
};

static int take_scope(void *context, const struct talk_answer *answer)
{
	struct limits *limits = context;
	struct scope *scope = &limits->scope[limits->count];

	if (limits->count == MAX_SCOPES)
		return -ENOSPC;
	limits->count++;
	scope->scope = talk_u32(answer, LODGE_LIMIT_SCOPE);
	scope->uid = talk_u32(answer, LODGE_LIMIT_UID);
	for (int i = 0; i < 4; i++)
		scope->limit[i] = talk_u64(answer, LODGE_LIMIT_VMS + i);
	return 0;
}

static int get_limits(struct talk *talk, struct limits *limits)
{
	union talk_message message;

	limits->count = 0;
	talk_begin(talk, &message, LODGE_CMD_LIMIT_GET, NLM_F_DUMP);
	return talk_do(talk, &message, take_scope, limits);
}

/* A user's scope has no limits of its own again, others have those from before. */
static int put_limits(struct talk *talk, const struct scope *scope)
{
	union talk_message message;

	talk_begin(talk, &message, LODGE_CMD_LIMIT_SET, 0);
	talk_put_u32(&message, LODGE_LIMIT_SCOPE, scope->scope);
	if (scope->scope == LODGE_SCOPE_USER) {
		talk_put_u32(&message, LODGE_LIMIT_UID, scope->uid);
		talk_put(&message, LODGE_LIMIT_INHERIT, NULL, 0);
	} else {
		for (int i = 0; i < 4; i++)
			talk_put_u64(&message, LODGE_LIMIT_VMS + i,
				     scope->limit[i]);
	}
	return talk_do(talk, &message, NULL, NULL);
}

static void restore_limits(struct talk *talk, const struct limits *before)
{
	struct limits now;

	for (int i = 0; i < before->count; i++)
		if (before->scope[i].scope != LODGE_SCOPE_USER)
			put_limits(talk, &before->scope[i]);
	/* One more time while there are more than fit. */
	while (get_limits(talk, &now) == -ENOSPC)
		for (int i = 0; i < now.count; i++)
			if (now.scope[i].scope == LODGE_SCOPE_USER)
				put_limits(talk, &now.scope[i]);
	for (int i = 0; i < now.count; i++)
		if (now.scope[i].scope == LODGE_SCOPE_USER)
			put_limits(talk, &now.scope[i]);
}

FIXTURE_SETUP(netlink)
{
	ASSERT_EQ(0, talk_open(&self->talk));
	ASSERT_EQ(0, get_limits(&self->talk, &self->before));
	self->span = span_start();
	for (int i = 0; i < TALKERS + MAKERS; i++)
		self->worker[i] = (struct worker){ .chance = chance_start(i),
						   .span = &self->span };
}

FIXTURE_TEARDOWN(netlink)
{
	restore_limits(&self->talk, &self->before);
	talk_close(&self->talk);
}

/*
 * Talkers
 */

static void put_any(struct worker *worker, union talk_message *message)
{
	static const uint8_t sizes[] = { 4, 4, 4, 8, 8, 0, 1, 64, 65, 200 };
	struct chance *chance = &worker->chance;
	uint16_t type = chance_below(chance, ATTRIBUTES);
	size_t size = sizes[chance_below(chance, ARRAY_SIZE(sizes))];
	uint8_t data[200] = { 0 };

	/* Numbers that there are: of VMs, vCPUs, users, scopes. */
	if (chance_one_in(chance, 2))
		data[0] = chance_below(chance, 32);
	else if (chance_one_in(chance, 2))
		snprintf((char *)data, sizeof(data), "vm-%u",
			 chance_below(chance, 1000));
	else
		chance_fill(chance, data, sizeof(data));
	if (chance_one_in(chance, 20))
		type |= NLA_F_NESTED;
	talk_put(message, type, data, size);
}

static void send_any(struct worker *worker, struct talk *talk)
{
	struct chance *chance = &worker->chance;
	union talk_message message;
	uint32_t attributes = chance_below(chance, 4);

	talk_begin(talk, &message, chance_below(chance, COMMANDS),
		   chance_one_in(chance, 2) ? NLM_F_DUMP : 0);
	while (attributes--)
		put_any(worker, &message);
	if (chance_one_in(chance, 4))
		chance_flip(chance, message.bytes + NLMSG_HDRLEN,
			    message.header.nlmsg_len - NLMSG_HDRLEN, 3);
	if (chance_one_in(chance, 20))
		message.header.nlmsg_len -= chance_below(chance, 8);
	worker->messages += !talk_send(talk, &message);
}

/* Some answers are left unread: those of a dump hold its end up. */
static void read_some(struct worker *worker, struct talk *talk)
{
	uint32_t left = chance_below(&worker->chance, 20);

	while (left-- && !talk_read(talk, MSG_DONTWAIT))
		;
}

static void *talk_thread(void *argument)
{
	struct worker *worker = argument;
	struct talk *talk = malloc(sizeof(*talk));
	int left;

	while (talk && span_goes_on(worker->span)) {
		if (talk_open(talk)) {
			worker->defect = true;
			break;
		}
		if (chance_one_in(&worker->chance, 2))
			setsockopt(talk->fd, SOL_NETLINK,
				   NETLINK_ADD_MEMBERSHIP, &talk->group,
				   sizeof(talk->group));
		for (left = chance_below(&worker->chance, 100); left; left--) {
			send_any(worker, talk);
			read_some(worker, talk);
		}
		talk_close(talk);
	}
	free(talk);
	return NULL;
}

/*
 * Makers
 */

static int use_machine(struct worker *worker, struct machine *machine)
{
	int error = machine_make(machine, 1 + chance_below(&worker->chance, 2));
	int left = chance_below(&worker->chance, 200);

	if (!error)
		error = machine_enter(machine, 0, guest_out);
	while (!error && left--)
		error = lodge_run(machine->cpu[0].fd);
	return error;
}

static void *make_thread(void *argument)
{
	struct worker *worker = argument;
	struct machine machine;

	while (span_goes_on(worker->span)) {
		if (use_machine(worker, &machine) == -EIO)
			worker->defect = true;
		machine_end(&machine);
		worker->machines++;
	}
	return NULL;
}

TEST_F_TIMEOUT(netlink, goes_on_whatever_it_is_told, SOAK_TIMEOUT)
{
	unsigned long long messages = 0, machines = 0;
	struct worker *worker = self->worker;

	for (int i = 0; i < TALKERS + MAKERS; i++)
		ASSERT_EQ(0, pthread_create(&worker[i].thread, NULL,
					    i < TALKERS ? talk_thread :
							  make_thread,
					    &worker[i]));
	for (int i = 0; i < TALKERS + MAKERS; i++) {
		pthread_join(worker[i].thread, NULL);
		EXPECT_FALSE(worker[i].defect);
		messages += worker[i].messages;
		machines += worker[i].machines;
	}
	TH_LOG("%llu messages, %llu machines", messages, machines);
	EXPECT_LT(0, messages);
	EXPECT_LT(0, machines);
}

TEST_HARNESS_MAIN
