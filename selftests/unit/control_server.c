// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the control socket's protocol and its server, with clients that behave and
 * such that do not.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/client.h"
#include "control/directory.h"
#include "control/endpoint.h"
#include "control/server.h"
#include "control_machine.h"
#include "kselftest_harness.h"

/* More than the sockets' buffers and the feed hold. */
#define MUCH (4 << 20)
#define END "{\"end\": \"power-off\", \"code\": 0}\n"

/* Return: the answer to a line, to be released. */
static json_t *answer_to(const char *line, size_t size)
{
	struct control_reply reply;
	json_t *answer;

	control_request(&control_machine, line, size, -1, CONTROL_NO_FILE,
			&reply);
	answer = reply.line ? json_loads(reply.line, 0, NULL) : NULL;
	free(reply.line);
	free(reply.id);
	return answer;
}

/* Return: the word of the error with which a line is answered. */
static const char *error_of(const char *line)
{
	static char word[64];
	json_t *answer = answer_to(line, strlen(line));
	json_t *error = json_object_get(answer, "error");
	const char *code = json_string_value(json_object_get(error, "code"));

	snprintf(word, sizeof(word), "%s", code ? code : "none");
	json_decref(answer);
	return word;
}

TEST(what_is_no_request_is_refused)
{
	static const char *const lines[] = {
		"",
		"x",
		"[]",
		"1",
		"null",
		"\"status\"",
		"{",
		"{}",
		"{\"id\":1}",
		"{\"command\":\"status\"}",
		"{\"id\":1,\"command\":2}",
		"{\"id\":1.5,\"command\":\"status\"}",
		"{\"id\":null,\"command\":\"status\"}",
		"{\"id\":{},\"command\":\"status\"}",
		"{\"id\":1,\"command\":\"status\"}}",
		"{\"id\":1,\"command\":\"status\"} {}",
		"{\"id\":1,\"command\":\"end\",\"command\":\"status\"}",
		"{\"id\":1,\"command\":\"\xff\"}",
		"{\"id\":1,\"command\":\"end\\u0000\"}",
		"{\"id\":99999999999999999999,\"command\":\"status\"}",
		"{'id':1,'command':'status'}",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		EXPECT_STREQ(CONTROL_BAD_REQUEST, error_of(lines[i]))
		{
			TH_LOG("%s", lines[i]);
		}
	}
	EXPECT_EQ(0, asked.ends);
}

TEST(values_that_are_nested_for_ever_are_refused)
{
	char line[CONTROL_REQUEST_MAX] = "{\"id\":";

	memset(line + 6, '[', sizeof(line) - 7);
	EXPECT_STREQ(CONTROL_BAD_REQUEST, error_of(line));
}

TEST(commands_and_arguments_that_do_not_exist_are_refused)
{
	EXPECT_STREQ(CONTROL_UNKNOWN,
		     error_of("{\"id\":1,\"command\":\"format-disk\"}"));
	EXPECT_STREQ(CONTROL_BAD_ARGUMENT,
		     error_of("{\"id\":1,\"command\":\"end\",\"now\":true}"));
	EXPECT_STREQ(CONTROL_BAD_ARGUMENT,
		     error_of("{\"id\":1,\"command\":\"console\","
			      "\"history\":1}"));
	EXPECT_EQ(0, asked.ends);
}

TEST(an_answer_has_the_id_of_its_request)
{
	static const char line[] = "{\"id\":\"a\",\"command\":\"pause\"}";
	json_t *answer = answer_to(line, sizeof(line) - 1);

	EXPECT_STREQ("a", json_string_value(json_object_get(answer, "id")));
	EXPECT_TRUE(json_is_object(json_object_get(answer, "ok")));
	EXPECT_TRUE(asked.paused);
	json_decref(answer);
}

TEST(a_long_id_is_refused)
{
	char line[256];

	snprintf(line, sizeof(line),
		 "{\"id\":\"%0100d\",\"command\":\"status\"}", 0);
	EXPECT_STREQ(CONTROL_BAD_REQUEST, error_of(line));
}

TEST(a_call_that_fails_is_an_error)
{
	asked.error = -EIO;
	EXPECT_STREQ(CONTROL_FAILED,
		     error_of("{\"id\":1,\"command\":\"pause\"}"));
}

/* True if each request that changes the machine ends with this error. */
static bool all_end_with(const char *word)
{
	static const char *const lines[] = {
		"{\"id\":1,\"command\":\"pause\"}",
		"{\"id\":1,\"command\":\"resume\"}",
		"{\"id\":1,\"command\":\"checkpoint\"}",
		"{\"id\":1,\"command\":\"checkpoint\",\"drop\":true}",
		"{\"id\":1,\"command\":\"rewind\"}",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (strcmp(word, error_of(lines[i])))
			return false;
	return true;
}

TEST(a_machine_that_is_held_by_another_is_not_one_that_the_host_calls_busy)
{
	asked.error = CONTROL_HELD;
	EXPECT_TRUE(all_end_with(CONTROL_BUSY));
	asked.error = -EBUSY;
	EXPECT_TRUE(all_end_with(CONTROL_FAILED));
}

TEST(a_checkpoint_is_made_and_dropped)
{
	static const char make[] = "{\"id\":1,\"command\":\"checkpoint\"}";
	static const char drop[] =
		"{\"id\":1,\"command\":\"checkpoint\",\"drop\":true}";

	json_decref(answer_to(make, sizeof(make) - 1));
	EXPECT_EQ(1, asked.checkpoints);
	EXPECT_EQ(0, asked.drops);
	json_decref(answer_to(drop, sizeof(drop) - 1));
	EXPECT_EQ(1, asked.checkpoints);
	EXPECT_EQ(1, asked.drops);
}

TEST(a_checkpoint_that_cannot_be_made_tells_why)
{
	static const char line[] = "{\"id\":1,\"command\":\"checkpoint\"}";
	json_t *answer;

	asked.error = -EOPNOTSUPP;
	asked.why = "virtio-fs 0: no; yes";
	EXPECT_STREQ(CONTROL_FAILED, error_of(line));
	answer = answer_to(line, sizeof(line) - 1);
	EXPECT_STREQ("virtio-fs 0: no; yes",
		     json_string_value(json_object_get(
			     json_object_get(answer, "error"), "message")));
	json_decref(answer);
}

TEST(a_rewind_tells_the_pass_and_how_many_pages_it_took)
{
	static const char line[] = "{\"id\":1,\"command\":\"rewind\"}";
	json_t *answer = answer_to(line, sizeof(line) - 1);
	const json_t *ok = json_object_get(answer, "ok");

	EXPECT_EQ(1, asked.rewinds);
	EXPECT_EQ(7, json_integer_value(json_object_get(ok, "pass")));
	EXPECT_EQ(1234, json_integer_value(json_object_get(ok, "pages")));
	json_decref(answer);
	asked.error = -ENOENT;
	EXPECT_STREQ(CONTROL_NO_CHECKPOINT, error_of(line));
	asked.error = -EIO;
	EXPECT_STREQ(CONTROL_FAILED, error_of(line));
}

TEST(without_a_console_there_is_none)
{
	control_machine.has_console = false;
	EXPECT_STREQ(CONTROL_NO_CONSOLE,
		     error_of("{\"id\":1,\"command\":\"console\"}"));
}

TEST(without_an_agent_the_reason_and_the_remedy_are_told)
{
	static const char line[] = "{\"id\":1,\"command\":\"exec\"}";
	json_t *answer;
	const char *why;

	control_machine.has_agent = false;
	answer = answer_to(line, sizeof(line) - 1);
	why = json_string_value(
		json_object_get(json_object_get(answer, "error"), "message"));
	ASSERT_NE(NULL, why);
	EXPECT_NE(NULL, strstr(why, "--root"));
	EXPECT_NE(NULL, strstr(why, "lodge console"));
	json_decref(answer);
	EXPECT_STREQ(CONTROL_NO_AGENT, error_of(line));
}

FIXTURE(served)
{
	char above[32];
	int parent;
	struct directory directory;
	int listener;
	int input[2];
	int stop;
	struct feed *feed;
	struct server *server;
	pthread_t thread;
};

static void *serve(void *opaque)
{
	FIXTURE_DATA(served) *self = opaque;

	server_run(self->server, self->stop);
	return NULL;
}

FIXTURE_SETUP(served)
{
	struct server_config config = { .machine = &control_machine };
	char path[64];

	snprintf(self->above, sizeof(self->above), "/tmp/lodge-unit-XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->above));
	snprintf(path, sizeof(path), "%s/lodge", self->above);
	self->parent = directory_parent_open(path, true);
	ASSERT_EQ(0, directory_take(&self->directory, self->parent, "web"));
	self->listener = endpoint_listen(&self->directory);
	ASSERT_GE(self->listener, 0);
	ASSERT_EQ(0, pipe2(self->input, O_NONBLOCK));
	self->stop = eventfd(0, 0);
	self->feed = feed_new();
	config.listener = self->listener;
	config.feed = self->feed;
	config.input = self->input[1];
	self->server = server_new(&config);
	ASSERT_NE(NULL, self->server);
	ASSERT_EQ(0, pthread_create(&self->thread, NULL, serve, self));
}

FIXTURE_TEARDOWN(served)
{
	char command[64];

	eventfd_write(self->stop, 1);
	pthread_join(self->thread, NULL);
	server_free(self->server);
	feed_free(self->feed);
	snprintf(command, sizeof(command), "rm -rf %s", self->above);
	EXPECT_EQ(0, system(command));
}

static struct client *connect_to(const struct directory *directory)
{
	struct client *client = NULL;

	return client_open(&client, directory) ? NULL : client;
}

/* Reads a line by single bytes.  Return: false at the end. */
static bool read_line(int fd, char *line, size_t size)
{
	size_t used = 0;

	while (used < size - 1 && read(fd, line + used, 1) == 1)
		if (line[used++] == '\n')
			break;
	line[used] = '\0';
	return used;
}

static int connect_raw(const struct directory *directory)
{
	pid_t pid;

	return endpoint_connect(directory, &pid);
}

static int call(struct client *client, const char *command)
{
	char why[128];

	return client_call(client, command, NULL, NULL, why, sizeof(why));
}

TEST_F(served, a_client_is_greeted_with_the_version)
{
	int fd = connect_raw(&self->directory);
	char line[256];
	json_t *greeting;

	ASSERT_TRUE(read_line(fd, line, sizeof(line)));
	greeting = json_loads(line, 0, NULL);
	EXPECT_EQ(CONTROL_PROTOCOL,
		  json_integer_value(json_object_get(greeting, "protocol")));
	EXPECT_STREQ("web",
		     json_string_value(json_object_get(greeting, "name")));
	json_decref(greeting);
	close(fd);
}

TEST_F(served, requests_reach_the_machine)
{
	struct client *client = connect_to(&self->directory);

	ASSERT_NE(NULL, client);
	EXPECT_EQ(0, call(client, "pause"));
	EXPECT_TRUE(asked.paused);
	EXPECT_EQ(0, call(client, "resume"));
	EXPECT_FALSE(asked.paused);
	EXPECT_EQ(0, call(client, "power-button"));
	EXPECT_EQ(1, asked.presses);
	EXPECT_EQ(0, call(client, "end"));
	EXPECT_EQ(1, asked.ends);
	EXPECT_EQ(-EREMOTEIO, call(client, "dance"));
	client_close(client);
}

TEST_F(served, the_description_is_told)
{
	struct client *client = connect_to(&self->directory);
	json_t *config = NULL;
	char why[128];

	ASSERT_NE(NULL, client);
	ASSERT_EQ(0, client_call(client, "inspect", NULL, &config, why,
				 sizeof(why)));
	EXPECT_EQ(2, json_integer_value(json_object_get(config, "cpus")));
	json_decref(config);
	client_close(client);
}

TEST_F(served, requests_may_come_in_pieces_or_many_at_once)
{
	static const char request[] =
		"{\"id\":7,\"command\":\"power-button\"}\n";
	int fd = connect_raw(&self->directory);
	char line[256];

	ASSERT_TRUE(read_line(fd, line, sizeof(line)));
	for (const char *c = request; *c; c++)
		ASSERT_EQ(1, write(fd, c, 1));
	ASSERT_TRUE(read_line(fd, line, sizeof(line)));
	EXPECT_STREQ("{\"id\":7,\"ok\":{}}\n", line);
	for (int i = 0; i < 100; i++)
		ASSERT_EQ(sizeof(request) - 1,
			  write(fd, request, sizeof(request) - 1));
	for (int i = 0; i < 100; i++)
		ASSERT_TRUE(read_line(fd, line, sizeof(line)));
	EXPECT_EQ(101, asked.presses);
	close(fd);
}

TEST_F(served, a_line_without_an_end_is_refused_and_the_connection_closed)
{
	int fd = connect_raw(&self->directory);
	char line[CONTROL_REQUEST_MAX];

	ASSERT_TRUE(read_line(fd, line, sizeof(line)));
	memset(line, '{', sizeof(line));
	ASSERT_EQ(sizeof(line), write(fd, line, sizeof(line)));
	ASSERT_TRUE(read_line(fd, line, sizeof(line)));
	EXPECT_NE(NULL, strstr(line, CONTROL_TOO_LONG));
	EXPECT_FALSE(read_line(fd, line, sizeof(line)));
	close(fd);
}

TEST_F(served, a_connection_becomes_one_to_the_agent_after_the_answer)
{
	static const char request[] = "{\"id\":7,\"command\":\"exec\"}\nrest";
	int fd = connect_raw(&self->directory);
	struct client *other;
	char line[256];

	ASSERT_TRUE(read_line(fd, line, sizeof(line)));
	ASSERT_EQ(sizeof(request) - 1, write(fd, request, sizeof(request) - 1));
	ASSERT_TRUE(read_line(fd, line, sizeof(line)));
	EXPECT_STREQ("{\"id\":7,\"ok\":{}}\n", line);
	/* An answer to another one says that the server is done with it. */
	other = connect_to(&self->directory);
	EXPECT_EQ(0, call(other, "status"));
	ASSERT_EQ(1, asked.clients);
	EXPECT_EQ(4, asked.rest_size);
	EXPECT_EQ(0, memcmp("rest", asked.rest, 4));
	/* It is open, and nobody else's. */
	ASSERT_EQ(1, write(asked.client, "!", 1));
	ASSERT_EQ(1, read(fd, line, 1));
	EXPECT_EQ('!', line[0]);
	close(asked.client);
	client_close(other);
	close(fd);
}

TEST_F(served, what_is_no_request_does_not_end_the_connection)
{
	struct client *client = connect_to(&self->directory);

	ASSERT_NE(NULL, client);
	ASSERT_EQ(5, write(client_fd(client), "what\n", 5));
	EXPECT_EQ(-EREMOTEIO, call(client, "status"));
	close(client_fd(client));
}

TEST_F(served, clients_that_only_connect_leave_room_for_no_more_than_there_is)
{
	int fds[SERVER_MAX_CLIENTS];
	struct client *client;
	char line[256];
	int one_more;

	for (int i = 0; i < SERVER_MAX_CLIENTS; i++) {
		fds[i] = connect_raw(&self->directory);
		ASSERT_TRUE(read_line(fds[i], line, sizeof(line)));
	}
	one_more = connect_raw(&self->directory);
	ASSERT_TRUE(read_line(one_more, line, sizeof(line)));
	EXPECT_NE(NULL, strstr(line, CONTROL_BUSY));
	EXPECT_FALSE(read_line(one_more, line, sizeof(line)));
	for (int i = 0; i < SERVER_MAX_CLIENTS; i++)
		close(fds[i]);
	/* The server may see a client before it sees the end of the others. */
	do {
		client = connect_to(&self->directory);
	} while (!client);
	EXPECT_EQ(0, call(client, "status"));
	client_close(client);
}

TEST_F(served, a_client_that_reads_no_answers_does_not_stop_the_others)
{
	static const char request[] = "{\"id\":7,\"command\":\"inspect\"}\n";
	int fd = connect_raw(&self->directory);
	struct client *client;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	while (write(fd, request, sizeof(request) - 1) > 0)
		;
	ASSERT_EQ(EAGAIN, errno);
	client = connect_to(&self->directory);
	ASSERT_NE(NULL, client);
	EXPECT_EQ(0, call(client, "status"));
	client_close(client);
	close(fd);
}

TEST_F(served, clients_that_vanish_are_forgotten)
{
	struct client *client;
	char line[256];

	for (int i = 0; i < 10 * SERVER_MAX_CLIENTS; i++) {
		int fd = connect_raw(&self->directory);

		ASSERT_TRUE(read_line(fd, line, sizeof(line)));
		EXPECT_EQ(NULL, strstr(line, CONTROL_BUSY));
		ASSERT_EQ(8, write(fd, "{\"id\":1,", 8));
		/* The server has seen its end once it closes its own side. */
		shutdown(fd, SHUT_WR);
		EXPECT_FALSE(read_line(fd, line, sizeof(line)));
		close(fd);
	}
	client = connect_to(&self->directory);
	ASSERT_NE(NULL, client);
	EXPECT_EQ(0, call(client, "status"));
	client_close(client);
}

TEST_F(served, who_waits_is_told_of_the_end)
{
	struct client *client = connect_to(&self->directory);
	json_t *end = NULL;
	char why[128];

	ASSERT_NE(NULL, client);
	ASSERT_EQ(0, client_send(client, "wait", NULL));
	EXPECT_EQ(-ETIMEDOUT,
		  client_receive(client, 0, &end, why, sizeof(why)));
	/* Another request shows that this one was received. */
	EXPECT_EQ(0, call(connect_to(&self->directory), "status"));
	eventfd_write(self->stop, 1);
	pthread_join(self->thread, NULL);
	server_finish(self->server, END);
	ASSERT_EQ(0, client_receive(client, CLIENT_FOREVER, &end, why,
				    sizeof(why)));
	EXPECT_STREQ("power-off",
		     json_string_value(json_object_get(end, "end")));
	json_decref(end);
	client_close(client);
	pthread_create(&self->thread, NULL, serve, self);
}

/* Return: a connection to the serial port. */
static int open_console(const struct directory *directory, bool history)
{
	static const char request[] = "{\"id\":1,\"command\":\"console\"}\n";
	static const char with_history[] =
		"{\"id\":1,\"command\":\"console\",\"history\":true}\n";
	const char *text = history ? with_history : request;
	int fd = connect_raw(directory);
	char line[256];

	read_line(fd, line, sizeof(line));
	if (write(fd, text, strlen(text)) < 0)
		return -1;
	read_line(fd, line, sizeof(line));
	return fd;
}

static bool reads(int fd, const char *text)
{
	char bytes[256] = "";
	size_t used = 0, wanted = strlen(text);

	while (used < wanted) {
		ssize_t length = read(fd, bytes + used, wanted - used);

		if (length <= 0)
			return false;
		used += length;
	}
	return !memcmp(bytes, text, wanted);
}

TEST_F(served, each_console_gets_the_output)
{
	int first = open_console(&self->directory, false);
	int second = open_console(&self->directory, false);

	feed_write(self->feed, "login: ", 7);
	EXPECT_TRUE(reads(first, "login: "));
	EXPECT_TRUE(reads(second, "login: "));
	close(first);
	close(second);
}

TEST_F(served, history_is_what_was_written_before)
{
	int fd;

	feed_write(self->feed, "before ", 7);
	fd = open_console(&self->directory, true);
	feed_write(self->feed, "after", 5);
	EXPECT_TRUE(reads(fd, "before after"));
	close(fd);
}

TEST_F(served, a_consoles_bytes_are_the_guests_input)
{
	int fd = open_console(&self->directory, false);
	struct pollfd ready = { .fd = self->input[0], .events = POLLIN };

	ASSERT_EQ(8, write(fd, "{\"id\":1\n", 8));
	ASSERT_EQ(1, poll(&ready, 1, -1));
	EXPECT_TRUE(reads(self->input[0], "{\"id\":1\n"));
	close(fd);
}

TEST_F(served, a_console_that_is_not_read_misses_output_and_is_told)
{
	int fd = open_console(&self->directory, false);
	char text[1024];
	ssize_t length;
	char *all = calloc(1, MUCH), *found;
	size_t used = 0;

	memset(text, '.', sizeof(text));
	/* This would not end if the guest had to wait for the client. */
	for (int i = 0; i < MUCH / (int)sizeof(text); i++)
		feed_write(self->feed, text, sizeof(text));
	feed_write(self->feed, "!", 1);
	while (used < MUCH - 1 && !memchr(all, '!', used)) {
		length = read(fd, all + used, MUCH - 1 - used);
		ASSERT_GT(length, 0);
		used += length;
	}
	found = strstr(all, "[lodge: ");
	EXPECT_NE(NULL, found);
	EXPECT_NE(NULL, strstr(all, "bytes of output are left out]"));
	EXPECT_LT(used, MUCH - 1);
	free(all);
	close(fd);
}

TEST_F(served, input_that_the_guest_does_not_take_stops_its_client_alone)
{
	int fd = open_console(&self->directory, false);
	struct client *client;
	char text[4096] = "";

	fcntl(fd, F_SETFL, O_NONBLOCK);
	while (write(fd, text, sizeof(text)) > 0)
		;
	client = connect_to(&self->directory);
	ASSERT_NE(NULL, client);
	EXPECT_EQ(0, call(client, "status"));
	client_close(client);
	close(fd);
}

static long cpu_ms(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_utime.tv_sec * 1000 + usage.ru_utime.tv_usec / 1000 +
	       usage.ru_stime.tv_sec * 1000 + usage.ru_stime.tv_usec / 1000;
}

TEST_F(served, clients_that_stand_still_take_no_processor_time)
{
	int stuck = open_console(&self->directory, false);
	int half = connect_raw(&self->directory);
	int closed = open_console(&self->directory, false);
	char text[4096] = "";
	long before;

	fcntl(stuck, F_SETFL, O_NONBLOCK);
	while (write(stuck, text, sizeof(text)) > 0)
		;
	ASSERT_EQ(8, write(half, "{\"id\":1,", 8));
	shutdown(closed, SHUT_WR);
	usleep(200000);
	before = cpu_ms();
	usleep(1000000);
	EXPECT_LT(cpu_ms() - before, 500);
	close(stuck);
	close(half);
	close(closed);
}

TEST_HARNESS_MAIN
