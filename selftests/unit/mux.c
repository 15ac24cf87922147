// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of how several clients share the agent in a guest: with a fake agent and fake
 * clients, which say what they should and what they should not.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/mux.h"
#include "guest/wire.h"
#include "kselftest_harness.h"

#define MOST_CLIENTS (WIRE_SESSIONS + 1)
/* Turns after which there is nothing to be passed on. */
#define TURNS 20

/* The agent's end, or a client's; frames are looked at as they come. */
struct end {
	struct wire wire;
	struct wire_frame frame;
	const uint8_t *payload;
};

/* A socket takes all at once that waits in a wire. */
static const int buffer = 2 * WIRE_OUT_MAX;

FIXTURE(mux)
{
	struct mux *mux;
	int over;
	int port;
	struct end *agent;
	struct end *clients[MOST_CLIENTS];
};

static struct end *new_end(int fd)
{
	struct end *end = calloc(1, sizeof(*end));

	if (!end)
		abort();
	end->wire.fd = fd;
	return end;
}

FIXTURE_SETUP(mux)
{
	int ends[2];

	memset(self, 0, sizeof(*self));
	signal(SIGPIPE, SIG_IGN);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends));
	setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
	self->port = ends[0];
	self->mux = mux_new(ends[0]);
	ASSERT_NE(NULL, self->mux);
	self->agent = new_end(ends[1]);
	self->over = eventfd(0, EFD_NONBLOCK);
}

FIXTURE_TEARDOWN(mux)
{
	mux_free(self->mux);
	for (int i = 0; i < MOST_CLIENTS; i++)
		free(self->clients[i]);
	free(self->agent);
	close(self->port);
	close(self->over);
}

/* Lets it pass on all that there is. */
static void work(FIXTURE_DATA(mux) * self)
{
	for (int i = 0; i < TURNS; i++) {
		wire_flush(&self->agent->wire);
		mux_work(self->mux, self->over, 0);
	}
}

static struct end *add(FIXTURE_DATA(mux) * self, int number)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) ||
	    setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &buffer,
		       sizeof(buffer)) ||
	    mux_add(self->mux, ends[0], NULL, 0))
		abort();
	self->clients[number] = new_end(ends[1]);
	return self->clients[number];
}

static void say(struct end *end, enum wire_type type, unsigned int session,
		unsigned int stream, const void *payload, size_t size)
{
	if (wire_put(&end->wire, type, session, stream, payload, size) ||
	    wire_flush(&end->wire))
		abort();
}

static void say_number(struct end *end, enum wire_type type,
		       unsigned int session, unsigned int stream,
		       uint32_t number)
{
	say(end, type, session, stream, &number, sizeof(number));
}

static void say_exit(struct end *end, unsigned int session, uint32_t how,
		     uint32_t code)
{
	const struct wire_exit exit = { how, code };

	say(end, WIRE_EXIT, session, 0, &exit, sizeof(exit));
}

/* Return: the type of the next frame; 0: there is none; -1: the connection has ended. */
static int hear(struct end *end)
{
	const void *payload;
	int err = wire_fill(&end->wire);

	if (wire_next(&end->wire, &end->frame, &payload) <= 0)
		return err == -EPIPE || err == -ECONNRESET ? -1 : 0;
	end->payload = payload;
	return end->frame.type;
}

/* Hears frames up to one of a type.  Return: false if there is none. */
static bool hear_of(struct end *end, enum wire_type type)
{
	int got;

	while ((got = hear(end)) > 0)
		if (got == (int)type)
			return true;
	return false;
}

static uint32_t number_of(const struct end *end)
{
	uint32_t number = 0;

	if (end->frame.size == sizeof(number))
		memcpy(&number, end->payload, sizeof(number));
	return number;
}

/* Brings the agent up. */
static void greet(FIXTURE_DATA(mux) * self)
{
	say_number(self->agent, WIRE_HELLO, 0, 0, WIRE_VERSION);
	work(self);
}

/* Has a client start a command.  Return: the agent's number of its session. */
static unsigned int start(FIXTURE_DATA(mux) * self, struct end *client)
{
	unsigned int session;

	work(self);
	if (!hear_of(client, WIRE_HELLO))
		abort();
	say(client, WIRE_SPEC, 1, 0, "what", 4);
	say(client, WIRE_START, 1, 0, NULL, 0);
	work(self);
	if (!hear_of(self->agent, WIRE_SPEC))
		abort();
	session = self->agent->frame.session;
	if (hear(self->agent) != WIRE_START ||
	    self->agent->frame.session != session)
		abort();
	return session;
}

TEST_F(mux, a_client_that_comes_before_the_agent_is_greeted_after_it)
{
	struct end *client = add(self, 0);

	work(self);
	EXPECT_EQ(0, hear(client));
	greet(self);
	EXPECT_EQ(WIRE_HELLO, hear(client));
	EXPECT_EQ(WIRE_VERSION, number_of(client));
}

TEST_F(mux, each_client_has_a_session_of_its_own)
{
	unsigned int first, second;

	greet(self);
	first = start(self, add(self, 0));
	second = start(self, add(self, 1));
	EXPECT_NE(first, second);
	say(self->agent, WIRE_DATA, second, WIRE_OUT, "two", 3);
	say(self->agent, WIRE_DATA, first, WIRE_ERR, "one", 3);
	work(self);
	ASSERT_EQ(WIRE_DATA, hear(self->clients[0]));
	EXPECT_EQ(WIRE_ERR, self->clients[0]->frame.stream);
	EXPECT_EQ(1, self->clients[0]->frame.session);
	EXPECT_EQ(0, memcmp("one", self->clients[0]->payload, 3));
	ASSERT_EQ(WIRE_DATA, hear(self->clients[1]));
	EXPECT_EQ(0, memcmp("two", self->clients[1]->payload, 3));
}

TEST_F(mux, what_a_client_says_reaches_its_command)
{
	static const enum wire_type types[] = { WIRE_DATA, WIRE_SIGNAL,
						WIRE_RESIZE, WIRE_CLOSE };
	unsigned int session;
	struct end *client;

	greet(self);
	start(self, add(self, 0));
	client = add(self, 1);
	session = start(self, client);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		say(client, types[i], 1, WIRE_IN, "abcd", 4);
		work(self);
		EXPECT_EQ(types[i], hear(self->agent));
		EXPECT_EQ(session, self->agent->frame.session);
		EXPECT_EQ(0, memcmp("abcd", self->agent->payload, 4));
	}
}

TEST_F(mux, the_end_comes_after_all_output_and_closes_the_connection)
{
	static const uint8_t much[WIRE_MAX];
	struct end *client = add(self, 0);
	unsigned int session;
	size_t size = 0;
	int got;

	greet(self);
	session = start(self, client);
	for (int i = 0; i < 4; i++)
		say(self->agent, WIRE_DATA, session,
		    i % 2 ? WIRE_ERR : WIRE_OUT, much, sizeof(much));
	say(self->agent, WIRE_CLOSE, session, WIRE_OUT, NULL, 0);
	say_exit(self->agent, session, WIRE_EXITED, 7);
	for (int i = 0; i < TURNS; i++) {
		work(self);
		while ((got = hear(client)) == WIRE_DATA)
			size += client->frame.size;
		if (got == WIRE_EXIT)
			break;
	}
	EXPECT_EQ(4 * WIRE_MAX, size);
	ASSERT_EQ(WIRE_EXIT, got);
	EXPECT_EQ(7, client->payload[4]);
	work(self);
	EXPECT_EQ(-1, hear(client));
}

TEST_F(mux, a_session_is_free_after_its_end)
{
	unsigned int session;

	greet(self);
	for (int i = 0; i < 3 * WIRE_SESSIONS; i++) {
		session = start(self, add(self, 0));
		say_exit(self->agent, session, WIRE_KILLED, 9);
		work(self);
		EXPECT_TRUE(hear_of(self->clients[0], WIRE_EXIT));
		close(self->clients[0]->wire.fd);
		free(self->clients[0]);
	}
	self->clients[0] = NULL;
}

TEST_F(mux, one_client_more_than_the_agent_takes_is_told_so)
{
	greet(self);
	for (int i = 0; i < WIRE_SESSIONS; i++)
		start(self, add(self, i));
	add(self, WIRE_SESSIONS);
	work(self);
	EXPECT_EQ(WIRE_FAILED, hear(self->clients[WIRE_SESSIONS]));
	EXPECT_EQ(-1, hear(self->clients[WIRE_SESSIONS]));
}

TEST_F(mux, a_client_that_does_not_read_holds_up_no_other)
{
	static const uint8_t byte;
	unsigned int slow, quick;

	greet(self);
	slow = start(self, add(self, 0));
	quick = start(self, add(self, 1));
	/* As many frames as its credit allows, which are more than its socket holds. */
	for (int i = 0; i < WIRE_WINDOW; i++) {
		say(self->agent, WIRE_DATA, slow, WIRE_OUT, &byte, 1);
		if (i % 1000 == 0)
			work(self);
	}
	say(self->agent, WIRE_DATA, quick, WIRE_OUT, "here", 4);
	work(self);
	EXPECT_TRUE(hear_of(self->clients[1], WIRE_DATA));
}

TEST_F(mux, credit_passes_both_ways)
{
	struct end *client = add(self, 0);
	static const uint8_t much[WIRE_MAX];
	unsigned int session;

	greet(self);
	session = start(self, client);
	say(client, WIRE_DATA, 1, WIRE_IN, much, sizeof(much));
	say(self->agent, WIRE_DATA, session, WIRE_OUT, much, sizeof(much));
	work(self);
	ASSERT_EQ(WIRE_DATA, hear(self->agent));
	ASSERT_EQ(WIRE_DATA, hear(client));
	say_number(self->agent, WIRE_CREDIT, session, WIRE_IN, WIRE_MAX);
	say_number(client, WIRE_CREDIT, 1, WIRE_OUT, WIRE_MAX);
	work(self);
	ASSERT_EQ(WIRE_CREDIT, hear(self->agent));
	EXPECT_EQ(session, self->agent->frame.session);
	EXPECT_EQ(WIRE_OUT, self->agent->frame.stream);
	EXPECT_EQ(WIRE_MAX, number_of(self->agent));
	ASSERT_EQ(WIRE_CREDIT, hear(client));
	EXPECT_EQ(WIRE_IN, client->frame.stream);
	EXPECT_EQ(WIRE_MAX, number_of(client));
}

TEST_F(mux, the_agent_hears_once_of_a_client_that_goes)
{
	struct end *client = add(self, 0);
	unsigned int session;

	greet(self);
	session = start(self, client);
	close(client->wire.fd);
	work(self);
	EXPECT_EQ(WIRE_HANGUP, hear(self->agent));
	EXPECT_EQ(session, self->agent->frame.session);
	EXPECT_EQ(0, hear(self->agent));
}

TEST_F(mux, a_command_whose_client_has_gone_can_go_on_writing)
{
	static const uint8_t much[WIRE_MAX];
	struct end *client = add(self, 0);
	uint32_t credit = WIRE_WINDOW;
	unsigned int session;

	greet(self);
	session = start(self, client);
	close(client->wire.fd);
	work(self);
	for (int i = 0; i < 100; i++) {
		ASSERT_LE(WIRE_MAX, credit);
		credit -= WIRE_MAX;
		say(self->agent, WIRE_DATA, session, WIRE_OUT, much,
		    sizeof(much));
		work(self);
		while (hear_of(self->agent, WIRE_CREDIT))
			credit += number_of(self->agent);
	}
	say_exit(self->agent, session, WIRE_EXITED, 0);
	work(self);
	EXPECT_EQ(session, start(self, add(self, 1)));
}

TEST_F(mux, a_client_that_goes_before_it_starts_leaves_no_session)
{
	struct end *client = add(self, 0);

	greet(self);
	ASSERT_TRUE(hear_of(client, WIRE_HELLO));
	close(client->wire.fd);
	work(self);
	EXPECT_EQ(0, hear(self->agent));
}

/* What a client must not say, after its command was started. */
FIXTURE(rude)
{
	FIXTURE_DATA(mux) mux;
};

FIXTURE_VARIANT(rude)
{
	enum wire_type type;
	unsigned int session;
	unsigned int stream;
	uint32_t number;
	size_t size;
};

FIXTURE_SETUP(rude)
{
	mux_setup(_metadata, &self->mux, NULL);
}

FIXTURE_TEARDOWN(rude)
{
	mux_teardown(_metadata, &self->mux, NULL);
}

#define RUDE(name, ...)                 \
	FIXTURE_VARIANT_ADD(rude, name) \
	{                               \
		__VA_ARGS__             \
	}

RUDE(another_session, .type = WIRE_DATA, .session = 2, .size = 1);
RUDE(a_hello, .type = WIRE_HELLO, .session = 1, .size = 4);
RUDE(an_exit, .type = WIRE_EXIT, .session = 1, .size = 8);
RUDE(another_description, .type = WIRE_SPEC, .session = 1, .size = 4);
RUDE(another_start, .type = WIRE_START, .session = 1);
RUDE(a_hangup, .type = WIRE_HANGUP, .session = 1);
RUDE(the_end_of_the_machine, .type = WIRE_POWER_OFF, .session = 1);
RUDE(output, .type = WIRE_DATA, .session = 1, .stream = WIRE_OUT, .size = 1);
RUDE(credit_for_its_input, .type = WIRE_CREDIT, .session = 1, .number = 1,
     .size = 4);
RUDE(credit_for_what_it_has_not_got, .type = WIRE_CREDIT, .session = 1,
     .stream = WIRE_OUT, .number = 1, .size = 4);
RUDE(credit_of_another_size, .type = WIRE_CREDIT, .session = 1,
     .stream = WIRE_OUT, .size = 2);
RUDE(an_unknown_frame, .type = 200, .session = 1);

TEST_F(rude, client_is_let_go)
{
	struct end *client = add(&self->mux, 0);
	uint8_t payload[8] = { variant->number };

	greet(&self->mux);
	start(&self->mux, client);
	say(client, variant->type, variant->session, variant->stream, payload,
	    variant->size);
	work(&self->mux);
	EXPECT_EQ(-1, hear(client));
	EXPECT_EQ(WIRE_HANGUP, hear(self->mux.agent));
}

TEST_F(mux, a_client_that_sends_more_than_its_credit_is_let_go)
{
	static const uint8_t much[WIRE_MAX];
	struct end *client = add(self, 0);

	greet(self);
	start(self, client);
	for (int i = 0; i < WIRE_WINDOW / WIRE_MAX; i++)
		say(client, WIRE_DATA, 1, WIRE_IN, much, sizeof(much));
	work(self);
	EXPECT_EQ(0, hear(client));
	say(client, WIRE_DATA, 1, WIRE_IN, much, 1);
	work(self);
	EXPECT_EQ(-1, hear(client));
}

/* What an agent must not say, while one command runs in session 1. */
FIXTURE(broken)
{
	FIXTURE_DATA(mux) mux;
};

FIXTURE_VARIANT(broken)
{
	enum wire_type type;
	unsigned int session;
	unsigned int stream;
	uint8_t payload[8];
	size_t size;
};

FIXTURE_SETUP(broken)
{
	mux_setup(_metadata, &self->mux, NULL);
}

FIXTURE_TEARDOWN(broken)
{
	mux_teardown(_metadata, &self->mux, NULL);
}

#define BROKEN(name, ...)                 \
	FIXTURE_VARIANT_ADD(broken, name) \
	{                                 \
		__VA_ARGS__               \
	}

BROKEN(no_session, .type = WIRE_DATA, .stream = WIRE_OUT, .size = 1);
BROKEN(an_unused_session, .type = WIRE_DATA, .session = 2, .stream = WIRE_OUT,
       .size = 1);
BROKEN(a_session_beyond_all, .type = WIRE_EXIT, .session = WIRE_SESSIONS + 1,
       .size = 8);
BROKEN(another_hello, .type = WIRE_HELLO, .payload = { WIRE_VERSION },
       .size = 4);
BROKEN(input, .type = WIRE_DATA, .session = 1, .stream = WIRE_IN, .size = 1);
BROKEN(credit_beyond_the_window, .type = WIRE_CREDIT, .session = 1,
       .payload = { 1 }, .size = 4);
BROKEN(credit_for_output, .type = WIRE_CREDIT, .session = 1, .stream = WIRE_OUT,
       .size = 4);
BROKEN(an_end_of_another_size, .type = WIRE_EXIT, .session = 1, .size = 7);
BROKEN(an_end_by_no_signal, .type = WIRE_EXIT, .session = 1,
       .payload = { WIRE_KILLED }, .size = 8);
BROKEN(an_end_by_a_status_that_is_none, .type = WIRE_EXIT, .session = 1,
       .payload = { WIRE_EXITED, 0, 0, 0, 0, 1 }, .size = 8);
BROKEN(a_start, .type = WIRE_START, .session = 1);
BROKEN(an_unknown_frame, .type = 200, .session = 1);

TEST_F(broken, agent_is_heard_no_more)
{
	struct end *client = add(&self->mux, 0), *late;

	greet(&self->mux);
	ASSERT_EQ(1, start(&self->mux, client));
	say(self->mux.agent, variant->type, variant->session, variant->stream,
	    variant->payload, variant->size);
	say(self->mux.agent, WIRE_DATA, 1, WIRE_OUT, "more", 4);
	work(&self->mux);
	EXPECT_EQ(WIRE_FAILED, hear(client));
	EXPECT_EQ(-1, hear(client));
	late = add(&self->mux, 1);
	work(&self->mux);
	EXPECT_EQ(WIRE_FAILED, hear(late));
	EXPECT_EQ(-1, hear(late));
}

TEST_F(mux, output_beyond_the_credit_breaks_the_agent)
{
	static const uint8_t much[WIRE_MAX];
	struct end *client = add(self, 0);

	greet(self);
	start(self, client);
	for (int i = 0; i <= WIRE_WINDOW / WIRE_MAX; i++) {
		say(self->agent, WIRE_DATA, 1, WIRE_ERR, much, sizeof(much));
		work(self);
	}
	EXPECT_TRUE(hear_of(client, WIRE_FAILED));
}

TEST_F(mux, an_agent_of_another_version_is_none)
{
	struct end *client = add(self, 0);

	say_number(self->agent, WIRE_HELLO, 0, 0, WIRE_VERSION + 1);
	work(self);
	EXPECT_EQ(WIRE_FAILED, hear(client));
}

TEST_F(mux, why_a_guest_fails_is_passed_on)
{
	struct end *client = add(self, 0);

	say(self->agent, WIRE_FAILED, 0, 0, "no disk", 7);
	work(self);
	ASSERT_EQ(WIRE_FAILED, hear(client));
	EXPECT_EQ(7, client->frame.size);
	EXPECT_EQ(0, memcmp("no disk", client->payload, 7));
}

TEST_F(mux, clients_wait_for_an_agent_that_does_not_listen)
{
	static const uint8_t word[4];
	struct end *client = add(self, 0);
	int sent = 0;

	greet(self);
	start(self, client);
	/* Neither its wires nor the sockets hold so many. */
	while (sent < 1000000 && !wire_waits(&client->wire)) {
		say(client, WIRE_SIGNAL, 1, 0, word, sizeof(word));
		mux_work(self->mux, self->over, 0);
		sent++;
	}
	EXPECT_LT(sent, 1000000);
	work(self);
	EXPECT_EQ(0, hear(client));
	for (int i = 0; i < 1000; i++) {
		while (hear(self->agent) > 0)
			;
		work(self);
		wire_flush(&client->wire);
	}
	EXPECT_FALSE(wire_waits(&client->wire));
}

/*
 * The mux sleeps until poll() finds something to do.  Sockets pass on at once what they
 * have room for, so that a turn in which there is nothing would be the last one.
 */
TEST_F(mux, what_found_no_room_is_passed_on_without_another_event)
{
	static const uint8_t word[4];
	struct end *client = add(self, 0);
	int sent = 0, heard = 0, before = -1;

	greet(self);
	start(self, client);
	for (; !wire_waits(&client->wire); sent++) {
		say(client, WIRE_SIGNAL, 1, 0, word, sizeof(word));
		mux_work(self->mux, self->over, 0);
	}
	while (heard != before) {
		before = heard;
		for (int i = 0; i < TURNS; i++) {
			while (hear(self->agent) == WIRE_SIGNAL)
				heard++;
			wire_flush(&client->wire);
			mux_work(self->mux, self->over, 0);
		}
	}
	EXPECT_EQ(sent, heard);
}

TEST_F(mux, output_that_found_no_room_is_passed_on_without_another_event)
{
	static const uint8_t byte;
	struct end *client = add(self, 0);
	size_t heard = 0, before = 1;

	greet(self);
	start(self, client);
	for (int i = 0; i < WIRE_WINDOW; i++) {
		say(self->agent, WIRE_DATA, 1, WIRE_OUT, &byte, 1);
		mux_work(self->mux, self->over, 0);
	}
	while (heard != before) {
		before = heard;
		for (int i = 0; i < TURNS; i++) {
			while (hear(client) == WIRE_DATA)
				heard += client->frame.size;
			mux_work(self->mux, self->over, 0);
		}
	}
	EXPECT_EQ(WIRE_WINDOW, heard);
}

TEST_F(mux, the_power_button_waits_for_the_agent)
{
	mux_power_off(self->mux);
	work(self);
	EXPECT_EQ(0, hear(self->agent));
	greet(self);
	EXPECT_EQ(WIRE_POWER_OFF, hear(self->agent));
	EXPECT_EQ(0, hear(self->agent));
}

TEST_F(mux, what_the_agent_has_said_last_still_reaches_a_client)
{
	struct end *client = add(self, 0);

	greet(self);
	start(self, client);
	say(self->agent, WIRE_DATA, 1, WIRE_OUT, "last", 4);
	eventfd_write(self->over, 1);
	EXPECT_FALSE(mux_work(self->mux, self->over, 0));
	EXPECT_EQ(WIRE_DATA, hear(client));
	EXPECT_EQ(-1, hear(client));
}

TEST_HARNESS_MAIN
