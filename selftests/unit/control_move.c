// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the requests "migrate" and "migration": a machine is told to move over a socket,
 * and nothing else, and tells how far it is.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/protocol.h"
#include "kselftest_harness.h"

static struct {
	int calls;
	int fd;
	struct control_move move;
	int error;
	const char *why;
	bool frozen;
	bool never;
	struct mover_progress progress;
} asked;

static int asked_migrate(void *opaque, int fd, int client,
			 const struct control_move *move, char *why)
{
	asked.calls++;
	asked.fd = fd;
	asked.move = *move;
	if (asked.error)
		snprintf(why, CONTROL_WHY_SIZE, "%s",
			 asked.why ? asked.why : "another one moves it");
	return asked.error;
}

static int asked_migration(void *opaque, int client,
			   struct mover_progress *progress)
{
	*progress = asked.progress;
	return asked.never ? -ENOENT : 0;
}

static bool asked_is_frozen(void *opaque)
{
	return asked.frozen;
}

static struct control_machine machine = {
	.is_frozen = asked_is_frozen,
	.migrate = asked_migrate,
	.migration = asked_migration,
};

static struct control_reply reply;

/* Return: true if the answer to a request has a text in it. */
static bool answers(const char *request, int file, const char *text)
{
	bool found;

	control_request(&machine, request, strlen(request), -1, file, &reply);
	found = reply.line && strstr(reply.line, text);
	if (!found)
		printf("# %s\n", reply.line ? reply.line : "no answer");
	free(reply.line);
	return found;
}

static int socket_of(int ends[2])
{
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) ?
		       -1 :
		       ends[0];
}

TEST(a_machine_moves_over_the_socket_that_comes_with_the_request)
{
	int ends[2], fd = socket_of(ends);

	EXPECT_TRUE(answers("{\"id\":1,\"command\":\"migrate\"}", fd,
			    "{\"id\":1,\"ok\":{}}"));
	EXPECT_EQ(1, asked.calls);
	EXPECT_EQ(fd, asked.fd);
	EXPECT_EQ(50, asked.move.downtime_ms);
	EXPECT_EQ(0, asked.move.bandwidth);
	/* The descriptor is the machine's, and the connection's end cancels it. */
	EXPECT_TRUE(reply.took_file);
	EXPECT_EQ(CONTROL_HOLDS_MOVE, reply.holds);
}

TEST(its_arguments_are_numbers)
{
	int ends[2], fd = socket_of(ends);

	EXPECT_TRUE(answers("{\"id\":1,\"command\":\"migrate\","
			    "\"downtime-ms\":7,\"bandwidth\":8000000000}",
			    fd, "\"ok\""));
	EXPECT_EQ(7, asked.move.downtime_ms);
	EXPECT_EQ(8000000000, asked.move.bandwidth);
	EXPECT_TRUE(answers("{\"id\":1,\"command\":\"migrate\","
			    "\"bandwidth\":1}",
			    fd, "\"ok\""));
	EXPECT_EQ(MOVER_BANDWIDTH_MIN, asked.move.bandwidth);
	EXPECT_TRUE(answers("{\"id\":1,\"command\":\"migrate\","
			    "\"downtime-ms\":99999999999}",
			    fd, "\"ok\""));
	EXPECT_EQ(3600000, asked.move.downtime_ms);
	EXPECT_TRUE(answers("{\"id\":1,\"command\":\"migrate\","
			    "\"bandwidth\":-1}",
			    fd, "bad-argument"));
	EXPECT_TRUE(answers("{\"id\":1,\"command\":\"migrate\","
			    "\"bandwidth\":true}",
			    fd, "no number"));
	EXPECT_TRUE(answers("{\"id\":1,\"command\":\"migrate\",\"hold\":1}", fd,
			    "no such argument"));
	EXPECT_EQ(3, asked.calls);
}

TEST(what_is_no_socket_is_refused)
{
	int file = memfd_create("file", MFD_CLOEXEC), ends[2];

	ASSERT_EQ(0, pipe(ends));
	EXPECT_TRUE(answers("{\"id\":1,\"command\":\"migrate\"}", file,
			    "bad-argument"));
	EXPECT_TRUE(answers("{\"id\":1,\"command\":\"migrate\"}", ends[1],
			    "bad-argument"));
	EXPECT_TRUE(answers("{\"id\":1,\"command\":\"migrate\"}",
			    CONTROL_NO_FILE, "bad-argument"));
	EXPECT_TRUE(answers("{\"id\":1,\"command\":\"migrate\"}",
			    CONTROL_MANY_FILES, "bad-argument"));
	EXPECT_FALSE(reply.took_file);
	EXPECT_EQ(0, asked.calls);
}

TEST(a_machine_that_is_taken_says_so)
{
	int ends[2], fd = socket_of(ends);

	asked.error = CONTROL_HELD;
	EXPECT_TRUE(answers("{\"id\":1,\"command\":\"migrate\"}", fd,
			    "\"busy\",\"message\":\"another one moves it\""));
	EXPECT_FALSE(reply.took_file);
	EXPECT_EQ(0, reply.holds);
}

TEST(a_machine_that_is_a_template_stays)
{
	int fds[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	asked.frozen = true;
	EXPECT_TRUE(answers("{\"id\":1,\"command\":\"migrate\"}", fds[0],
			    CONTROL_IS_FROZEN));
	EXPECT_EQ(0, asked.calls);
	close(fds[0]);
	close(fds[1]);
}

TEST(it_tells_how_far_it_is)
{
	static const char *const states[] = {
		"asking", "copying",   "holding",     "migrated",
		"failed", "undecided", "replicating",
	};
	char text[64];

	asked.progress = (struct mover_progress){ .pages = 9, .why = "full" };
	for (int i = MOVER_OFFERS; i <= MOVER_REPLICATES; i++) {
		asked.progress.state = i;
		snprintf(text, sizeof(text), "\"state\":\"%s\",", states[i]);
		EXPECT_TRUE(answers("{\"id\":1,\"command\":\"migration\"}",
				    CONTROL_NO_FILE, text));
	}
	EXPECT_TRUE(answers("{\"id\":1,\"command\":\"migration\"}",
			    CONTROL_NO_FILE, "\"pages\":9,"));
	EXPECT_TRUE(answers("{\"id\":1,\"command\":\"migration\"}",
			    CONTROL_NO_FILE, "\"why\":\"full\""));
	asked.never = true;
	EXPECT_TRUE(answers("{\"id\":1,\"command\":\"migration\"}",
			    CONTROL_NO_FILE, "\"no-migration\""));
}

/* A text that was cut to fit may end in the midst of a character. */
TEST(a_reason_that_is_no_utf_8_is_told_all_the_same)
{
	int ends[2], fd = socket_of(ends);

	asked.progress =
		(struct mover_progress){ .pages = 9, .why = "k\xc3\xa9 k\xc3" };
	EXPECT_TRUE(answers("{\"id\":1,\"command\":\"migration\"}",
			    CONTROL_NO_FILE, "\"why\":\"k?? k?\""));
	asked.error = -EIO;
	asked.why = "k\xc3";
	EXPECT_TRUE(answers("{\"id\":1,\"command\":\"migrate\"}", fd,
			    "\"message\":\"k?\""));
	asked.why = "k\xc3\xa9";
	EXPECT_TRUE(answers("{\"id\":1,\"command\":\"migrate\"}", fd,
			    "\"message\":\"k\xc3\xa9\""));
}

TEST(a_machine_is_replicated_over_the_socket_that_comes_with_the_request)
{
	int ends[2], fd = socket_of(ends);

	EXPECT_TRUE(answers("{\"id\":1,\"command\":\"replicate\"}", fd,
			    "{\"id\":1,\"ok\":{}}"));
	EXPECT_EQ(fd, asked.fd);
	EXPECT_EQ(500, asked.move.every_ms);
	/* The connection's end ends it. */
	EXPECT_TRUE(reply.took_file);
	EXPECT_EQ(CONTROL_HOLDS_MOVE, reply.holds);
	EXPECT_TRUE(answers("{\"id\":1,\"command\":\"replicate\","
			    "\"every-ms\":0}",
			    fd, "\"ok\""));
	EXPECT_EQ(10, asked.move.every_ms);
	EXPECT_TRUE(answers("{\"id\":1,\"command\":\"replicate\","
			    "\"every-ms\":99999999999}",
			    fd, "\"ok\""));
	EXPECT_EQ(60000, asked.move.every_ms);
	EXPECT_TRUE(
		answers("{\"id\":1,\"command\":\"migrate\"}", fd, "\"ok\""));
	EXPECT_EQ(0, asked.move.every_ms);
	EXPECT_TRUE(answers("{\"id\":1,\"command\":\"replicate\"}",
			    CONTROL_NO_FILE, "bad-argument"));
}

TEST(it_tells_of_the_last_increment)
{
	asked.progress = (struct mover_progress){
		.increment = { .number = 3,
			       .pages = 4,
			       .bytes = 5,
			       .pause_us = 6,
			       .took_ms = 7 },
	};
	EXPECT_TRUE(answers("{\"id\":1,\"command\":\"migration\"}",
			    CONTROL_NO_FILE,
			    "\"increment\":{\"number\":3,\"pages\":4,"
			    "\"bytes\":5,\"pause-us\":6,\"took-ms\":7}"));
}

static int taken_over;

static int asked_takeover(void *opaque, char *why)
{
	if (asked.error)
		snprintf(why, CONTROL_WHY_SIZE, "its source is connected");
	else
		taken_over++;
	return asked.error;
}

static void asked_end(void *opaque)
{
	asked.calls++;
}

static bool asked_is_paused(void *opaque)
{
	return false;
}

TEST(a_machine_that_runs_is_not_taken_over)
{
	EXPECT_TRUE(answers("{\"id\":1,\"command\":\"takeover\"}",
			    CONTROL_NO_FILE, "\"no-standby\""));
}

/* Nothing else of it is there: whatever called it would find no machine. */
TEST(a_machine_that_stands_by_is_taken_over_and_ended_and_nothing_else)
{
	static const char *const others[] = {
		"pause",	"resume",    "checkpoint", "rewind", "save",
		"power-button", "console",   "exec",	   "freeze", "template",
		"migrate",	"replicate", "migration",
	};
	char line[64];
	int ends[2], fd = socket_of(ends);

	machine = (struct control_machine){
		.name = "web",
		.config = "{}",
		.is_frozen = asked_is_frozen,
		.is_paused = asked_is_paused,
		.takeover = asked_takeover,
		.end = asked_end,
	};
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		snprintf(line, sizeof(line), "{\"id\":1,\"command\":\"%s\"}",
			 others[i]);
		EXPECT_TRUE(answers(line, fd, "\"is-standby\""));
	}
	EXPECT_TRUE(answers("{\"id\":1,\"command\":\"status\"}",
			    CONTROL_NO_FILE, "\"state\":\"standby\""));
	EXPECT_TRUE(answers("{\"id\":1,\"command\":\"end\"}", CONTROL_NO_FILE,
			    "\"ok\""));
	EXPECT_EQ(1, asked.calls);
	asked.error = -EBUSY;
	EXPECT_TRUE(answers("{\"id\":1,\"command\":\"takeover\"}",
			    CONTROL_NO_FILE, "its source is connected"));
	EXPECT_EQ(0, taken_over);
	asked.error = 0;
	EXPECT_TRUE(answers("{\"id\":1,\"command\":\"takeover\"}",
			    CONTROL_NO_FILE, "\"ok\""));
	EXPECT_EQ(1, taken_over);
}

TEST_HARNESS_MAIN
