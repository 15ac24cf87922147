// SPDX-License-Identifier: GPL-2.0
/*
 * The module can be removed while sockets are open, but not while a list is read; and
 * what comes after has new numbers.
 */
#include <stdlib.h>
#include <sys/socket.h>

#include "host.h"
#include "lib/client.h"
#include "netlink_fixture.h"
#include "waiting.h"

#include "kselftest_harness.h"

/* More than one datagram can tell of: of VMs, and of events. */
#define MANY_VMS 200
#define ROUNDS 12

FIXTURE(unload)
{
	struct talk talk;
	union talk_message message;
	struct seen seen;
};

FIXTURE_SETUP(unload)
{
	ASSERT_EQ(0, talk_open(&self->talk));
}

FIXTURE_TEARDOWN(unload)
{
	int error = lodge_insert();

	EXPECT_TRUE(!error || error == -EEXIST);
	talk_close(&self->talk);
}

TEST_F(unload, an_open_socket_does_not_keep_the_module)
{
	EXPECT_EQ(-ENOENT, see_name(&self->talk, "none", &self->seen));
	ASSERT_EQ(0, module_remove("lodge"));
	/* The family's number is nobody's now. */
	EXPECT_EQ(-ENOENT, see_name(&self->talk, "none", &self->seen));
	EXPECT_EQ(-ENOENT, talk_open(&self->talk));
	ASSERT_EQ(0, lodge_insert());
	ASSERT_EQ(0, talk_open(&self->talk));
	EXPECT_EQ(-ENOENT, see_name(&self->talk, "none", &self->seen));
}

TEST_F(unload, a_listener_does_not_keep_the_module)
{
	ASSERT_EQ(0,
		  setsockopt(self->talk.fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP,
			     &self->talk.group, sizeof(self->talk.group)));
	ASSERT_EQ(0, module_remove("lodge"));
	ASSERT_EQ(0, lodge_insert());
}

/* Remember more events than one datagram can tell of. */
static bool make_events(void)
{
	int lodge = lodge_open();

	for (int i = 0; i < MANY_VMS; i++) {
		int vm = lodge_vm_create(lodge);

		if (vm < 0)
			return false;
		close(vm);
	}
	return !close(lodge);
}

/* Ask for a list, and read the first of its datagrams. */
static int begin_list(FIXTURE_DATA(unload) * self)
{
	int error;

	talk_begin(&self->talk, &self->message, LODGE_CMD_NEWS_GET, NLM_F_DUMP);
	error = talk_send(&self->talk, &self->message);
	return error ? error : talk_read(&self->talk, 0);
}

static int nothing(void *context, const struct talk_answer *answer)
{
	return 0;
}

TEST_F(unload, a_list_that_is_half_read_keeps_the_module)
{
	ASSERT_TRUE(make_events());
	ASSERT_EQ(0, begin_list(self));
	EXPECT_EQ(-EWOULDBLOCK, module_remove("lodge"));
	EXPECT_EQ(0, talk_end(&self->talk, nothing, NULL));
	EXPECT_EQ(0, module_remove("lodge"));
}

TEST_F(unload, a_list_that_is_given_up_lets_the_module_go)
{
	ASSERT_TRUE(make_events());
	ASSERT_EQ(0, begin_list(self));
	EXPECT_EQ(-EWOULDBLOCK, module_remove("lodge"));
	talk_close(&self->talk);
	EXPECT_TRUE(EVENTUALLY(!module_remove("lodge")));
	ASSERT_EQ(0, lodge_insert());
	ASSERT_EQ(0, talk_open(&self->talk));
}

/* Asks and listens, whether there is a family or not. */
struct asker {
	pthread_t thread;
	bool stop;
	int answers;
};

static void ask_for_all(struct asker *asker, struct talk *talk)
{
	const uint8_t commands[] = { LODGE_CMD_VM_GET, LODGE_CMD_VCPU_GET,
				     LODGE_CMD_STATS_GET, LODGE_CMD_LIMIT_GET,
				     LODGE_CMD_NEWS_GET };
	union talk_message message;

	setsockopt(talk->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &talk->group,
		   sizeof(talk->group));
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		talk_begin(talk, &message, commands[i], NLM_F_DUMP);
		if (!talk_do(talk, &message, nothing, NULL))
			__atomic_add_fetch(&asker->answers, 1,
					   __ATOMIC_SEQ_CST);
	}
}

static void *asker_thread(void *argument)
{
	struct talk *talk = malloc(sizeof(*talk));
	struct asker *asker = argument;

	while (talk && !SEEN(asker->stop))
		if (!talk_open(talk)) {
			ask_for_all(asker, talk);
			talk_close(talk);
		}
	free(talk);
	return NULL;
}

TEST_F(unload, the_module_comes_and_goes_while_others_ask)
{
	struct asker asker[2] = {};

	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&asker[i].thread, NULL,
					    asker_thread, &asker[i]));
	for (int i = 0; i < ROUNDS; i++) {
		int answers = SEEN(asker[0].answers);

		EXPECT_TRUE(EVENTUALLY(SEEN(asker[0].answers) != answers));
		EXPECT_TRUE(EVENTUALLY(!module_remove("lodge")));
		ASSERT_EQ(0, lodge_insert());
	}
	for (int i = 0; i < 2; i++) {
		__atomic_store_n(&asker[i].stop, true, __ATOMIC_SEQ_CST);
		pthread_join(asker[i].thread, NULL);
	}
}

TEST_HARNESS_MAIN
