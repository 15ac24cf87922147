// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of commands that a guest's agent runs: the agent is a child of the test, and the
 * controller's side is the real one, with a socket between them in place of a guest.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "cmd/command_end.h"
#include "control/errand.h"
#include "guest/agent.h"
#include "guest/spec.h"
#include "guest/wire.h"

#define MEGABYTE (1u << 20)
#define MAX_TEXT 4096

FIXTURE(agent)
{
	int controller;
	int over;
	pid_t agent;
	int in;
	int out;
	int err;
	char **env;
	char *directory;
	unsigned int mask;
	struct errand *errand;
	struct errand_end end;
	bool taken[3];
};

/*
 * If the controller goes before it has read the agent's greeting, a socket says that the
 * connection was reset.
 */
static int serve(int fd)
{
	const struct agent_hooks hooks = {};
	const int err = agent_serve(fd, &hooks);

	return err && err != -ECONNRESET;
}

FIXTURE_SETUP(agent)
{
	static char *no_env[] = { "PATH=/bin:/usr/bin", NULL };
	int fds[2];

	memset(self, 0, sizeof(*self));
	self->env = no_env;
	self->directory = "/";
	self->mask = 022;
	ASSERT_EQ(0, socketpair(AF_UNIX,
				SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
				fds));
	self->agent = fork();
	ASSERT_LE(0, self->agent);
	if (!self->agent) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(fds[0]);
		_exit(serve(fds[1]));
	}
	close(fds[1]);
	self->controller = fds[0];
	self->over = eventfd(0, EFD_CLOEXEC);
	self->in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	self->out = memfd_create("out", MFD_CLOEXEC);
	self->err = memfd_create("err", MFD_CLOEXEC);
}

FIXTURE_TEARDOWN(agent)
{
	int status = -1;

	close(self->controller);
	/* The agent ends as the controller goes. */
	EXPECT_EQ(self->agent, waitpid(self->agent, &status, 0));
	EXPECT_EQ(0, status);
	close(self->over);
	close(self->in);
	close(self->out);
	close(self->err);
}

static void prepare(FIXTURE_DATA(agent) * self, char **argv)
{
	const struct spec spec = {
		.uid = geteuid(),
		.gid = getegid(),
		.mask = self->mask,
		.directory = self->directory,
		.argv = argv,
		.envp = self->env,
	};
	struct errand_config config = {
		.fd = self->controller,
		.fds = { self->in, self->out, self->err },
	};
	void *bytes;

	if (spec_write(&spec, &bytes, &config.size))
		abort();
	config.description = bytes;
	self->errand = errand_new(&config);
}

static void run(FIXTURE_DATA(agent) * self, char **argv)
{
	prepare(self, argv);
	if (errand_run(self->errand, self->over, &self->end))
		abort();
	errand_free(self->errand);
}

static void shell(FIXTURE_DATA(agent) * self, char *script)
{
	run(self, (char *[]){ "sh", "-c", script, NULL });
}

static const char *text_of(int fd)
{
	static char text[MAX_TEXT];
	const ssize_t size = pread(fd, text, sizeof(text) - 1, 0);

	text[size < 0 ? 0 : size] = 0;
	return text;
}

TEST_F(agent, a_command_s_exit_status_comes_back)
{
	shell(self, "exit 0");
	EXPECT_EQ(ERRAND_EXITED, self->end.fate);
	EXPECT_EQ(0, self->end.code);
	EXPECT_TRUE(self->end.up);
}

TEST_F(agent, the_largest_exit_status_comes_back)
{
	shell(self, "exit 255");
	EXPECT_EQ(ERRAND_EXITED, self->end.fate);
	EXPECT_EQ(255, self->end.code);
}

TEST_F(agent, the_signal_that_killed_a_command_comes_back)
{
	shell(self, "kill -SEGV $$");
	EXPECT_EQ(ERRAND_KILLED, self->end.fate);
	EXPECT_EQ(SIGSEGV, self->end.code);
}

TEST_F(agent, output_and_errors_stay_apart)
{
	shell(self, "echo to out; echo to err >&2");
	EXPECT_STREQ("to out\n", text_of(self->out));
	EXPECT_STREQ("to err\n", text_of(self->err));
}

TEST_F(agent, input_ends_where_the_controller_s_ends)
{
	shell(self, "wc -c");
	EXPECT_STREQ("0\n", text_of(self->out));
}

TEST_F(agent, megabytes_of_any_bytes_pass_unchanged)
{
	const size_t size = 5 * MEGABYTE + 7;
	uint32_t random = 1;
	uint8_t *bytes, *copy;
	struct stat st;

	self->in = memfd_create("in", MFD_CLOEXEC);
	ASSERT_EQ(0, ftruncate(self->in, size));
	bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, self->in,
		     0);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (random = random * 1664525 + 1013904223) >> 24;
	run(self, (char *[]){ "cat", NULL });
	EXPECT_EQ(ERRAND_EXITED, self->end.fate);
	ASSERT_EQ(0, fstat(self->out, &st));
	ASSERT_EQ(size, st.st_size);
	copy = mmap(NULL, size, PROT_READ, MAP_SHARED, self->out, 0);
	EXPECT_EQ(0, memcmp(bytes, copy, size));
	munmap(bytes, size);
	munmap(copy, size);
}

TEST_F(agent, what_is_left_of_the_output_comes_before_the_end)
{
	struct stat st;

	shell(self, "head -c 3000000 /dev/zero; head -c 100 /dev/zero >&2");
	ASSERT_EQ(0, fstat(self->out, &st));
	EXPECT_EQ(3000000, st.st_size);
	ASSERT_EQ(0, fstat(self->err, &st));
	EXPECT_EQ(100, st.st_size);
}

TEST_F(agent, a_command_that_reads_nothing_ends_all_the_same)
{
	self->in = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	shell(self, "exit 3");
	EXPECT_EQ(ERRAND_EXITED, self->end.fate);
	EXPECT_EQ(3, self->end.code);
}

TEST_F(agent, a_process_left_behind_does_not_keep_the_end_back)
{
	shell(self, "sleep 1000 & echo here; echo $! >&2");
	EXPECT_EQ(ERRAND_EXITED, self->end.fate);
	EXPECT_STREQ("here\n", text_of(self->out));
	kill(atoi(text_of(self->err)), SIGKILL);
}

TEST_F(agent, environment_directory_and_mask_are_those_described)
{
	self->env =
		(char *[]){ "PATH=/bin:/usr/bin", "WORD=of two\nlines", NULL };
	self->directory = "/usr/bin";
	self->mask = 027;
	shell(self, "echo \"$WORD\"; pwd; umask");
	EXPECT_STREQ("of two\nlines\n/usr/bin\n0027\n", text_of(self->out));
}

TEST_F(agent, a_program_that_is_not_there_is_told_from_one_that_fails)
{
	run(self, (char *[]){ "no-such-program", NULL });
	EXPECT_EQ(ERRAND_NO_PROGRAM, self->end.fate);
	EXPECT_EQ(ENOENT, self->end.code);
}

TEST_F(agent, a_file_that_is_no_program_is_told)
{
	run(self, (char *[]){ "/etc/passwd", NULL });
	EXPECT_EQ(ERRAND_NO_PROGRAM, self->end.fate);
	EXPECT_EQ(EACCES, self->end.code);
}

TEST_F(agent, a_directory_that_is_not_there_is_told)
{
	self->directory = "/no/such/directory";
	run(self, (char *[]){ "true", NULL });
	EXPECT_EQ(ERRAND_NO_DIRECTORY, self->end.fate);
	EXPECT_EQ(ENOENT, self->end.code);
}

/* Sends a signal as soon as the command has said that it waits for it. */
static void *send_signal(void *opaque)
{
	FIXTURE_DATA(agent) *self = opaque;
	struct stat st = {};

	while (!st.st_size && !fstat(self->out, &st))
		usleep(1000);
	errand_signal(self->errand, SIGTERM);
	return NULL;
}

TEST_F(agent, a_signal_reaches_the_command)
{
	pthread_t thread;

	prepare(self, (char *[]){ "sh", "-c",
				  "trap 'echo caught; exit 9' TERM; echo up; "
				  "sleep 1000 & wait",
				  NULL });
	ASSERT_EQ(0, pthread_create(&thread, NULL, send_signal, self));
	errand_run(self->errand, self->over, &self->end);
	pthread_join(thread, NULL);
	errand_free(self->errand);
	EXPECT_EQ(ERRAND_EXITED, self->end.fate);
	EXPECT_EQ(9, self->end.code);
	EXPECT_STREQ("up\ncaught\n", text_of(self->out));
}

/* Sends a signal as soon as the command's output has no more room. */
static void *send_signal_when_full(void *opaque)
{
	FIXTURE_DATA(agent) *self = opaque;
	struct pollfd room = { .fd = self->out, .events = POLLOUT };
	struct stat st = {};

	while (!st.st_size && !fstat(self->err, &st))
		usleep(1000);
	while (poll(&room, 1, 0))
		usleep(1000);
	errand_signal(self->errand, SIGTERM);
	return NULL;
}

TEST_F(agent, a_signal_ends_a_command_whose_output_stands_still)
{
	pthread_t thread;
	int fds[2];

	ASSERT_EQ(0, pipe2(fds, O_CLOEXEC));
	close(self->out);
	self->out = fds[1];
	prepare(self, (char *[]){ "sh", "-c", "echo up >&2; exec cat /dev/zero",
				  NULL });
	ASSERT_EQ(0,
		  pthread_create(&thread, NULL, send_signal_when_full, self));
	errand_run(self->errand, self->over, &self->end);
	pthread_join(thread, NULL);
	errand_free(self->errand);
	close(fds[0]);
	EXPECT_EQ(ERRAND_KILLED, self->end.fate);
	EXPECT_EQ(SIGTERM, self->end.code);
}

static void say(struct wire *wire, enum wire_type type, unsigned int stream,
		const void *payload, size_t size)
{
	if (wire_put(wire, type, 1, stream, payload, size))
		abort();
}

/* Says all that a command may say on two streams, and how it ends. */
static void say_all(int fd)
{
	static const uint8_t bytes[WIRE_MAX];
	const struct wire_exit end = { .how = WIRE_EXITED, .code = 3 };
	static struct wire wire;

	wire.fd = fd;
	for (size_t said = 0; said < WIRE_WINDOW; said += WIRE_MAX) {
		say(&wire, WIRE_DATA, WIRE_OUT, bytes, WIRE_MAX);
		say(&wire, WIRE_DATA, WIRE_ERR, bytes, WIRE_MAX);
	}
	say(&wire, WIRE_EXIT, 0, &end, sizeof(end));
	if (wire_flush(&wire) || wire_waits(&wire))
		abort();
}

/* Greets, and waits until a command is to be started. */
static void await_command(int fd)
{
	static struct wire wire;
	struct wire_frame frame = {};
	const void *payload;

	memset(&wire, 0, sizeof(wire));
	wire.fd = fd;
	if (wire_put_number(&wire, WIRE_HELLO, 0, 0, WIRE_VERSION) ||
	    wire_flush(&wire))
		abort();
	while (frame.type != WIRE_START) {
		wire_fill(&wire);
		while (frame.type != WIRE_START &&
		       wire_next(&wire, &frame, &payload) > 0)
			;
	}
}

struct breaking_agent {
	int fd;
	bool starts;
};

/* Fails before or after a command was to be started. */
static void *fail(void *opaque)
{
	const struct breaking_agent *agent = opaque;
	static struct wire wire;

	memset(&wire, 0, sizeof(wire));
	wire.fd = agent->fd;
	if (agent->starts)
		await_command(agent->fd);
	if (wire_put(&wire, WIRE_FAILED, 0, 0, "broken", 6) ||
	    wire_flush(&wire))
		abort();
	return NULL;
}

TEST_F(agent, an_agent_that_fails_ends_a_command_only_if_it_was_started)
{
	struct breaking_agent agent;
	pthread_t thread;
	int fds[2];

	for (int starts = 0; starts < 2; starts++) {
		ASSERT_EQ(0,
			  socketpair(AF_UNIX,
				     SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
				     0, fds));
		agent = (struct breaking_agent){ fds[1], starts };
		close(self->controller);
		self->controller = fds[0];
		ASSERT_EQ(0, pthread_create(&thread, NULL, fail, &agent));
		run(self, (char *[]){ "true", NULL });
		pthread_join(thread, NULL);
		EXPECT_EQ(ERRAND_FAILED, self->end.fate);
		EXPECT_EQ(starts, self->end.started);
		EXPECT_EQ(starts ? 124 : 125, command_end_code(&self->end));
		close(fds[1]);
	}
}

/* With this process in place of the agent; the controller's side is stopped meanwhile. */
TEST_F(agent, an_end_is_heard_that_was_told_before_the_other_side_went)
{
	const int room = 1 << 20;
	struct stat st;
	pid_t controller;
	int fds[2], status;

	ASSERT_EQ(0, socketpair(AF_UNIX,
				SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
				fds));
	ASSERT_EQ(0, setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &room,
				sizeof(room)));
	controller = fork();
	ASSERT_LE(0, controller);
	if (!controller) {
		close(fds[1]);
		signal(SIGPIPE, SIG_IGN);
		self->controller = fds[0];
		run(self, (char *[]){ "true", NULL });
		_exit(self->end.fate == ERRAND_EXITED ? self->end.code : 99);
	}
	await_command(fds[1]);
	kill(controller, SIGSTOP);
	ASSERT_EQ(controller, waitpid(controller, &status, WUNTRACED));
	say_all(fds[1]);
	close(fds[1]);
	kill(controller, SIGCONT);
	ASSERT_EQ(controller, waitpid(controller, &status, 0));
	EXPECT_EQ(3, WEXITSTATUS(status));
	ASSERT_EQ(0, fstat(self->out, &st));
	EXPECT_EQ(WIRE_WINDOW, st.st_size);
	ASSERT_EQ(0, fstat(self->err, &st));
	EXPECT_EQ(WIRE_WINDOW, st.st_size);
	close(fds[0]);
}

TEST_F(agent, a_signal_before_the_agent_is_up_is_the_caller_s)
{
	prepare(self, (char *[]){ "true", NULL });
	EXPECT_FALSE(errand_signal(self->errand, SIGINT));
	errand_run(self->errand, self->over, &self->end);
	errand_free(self->errand);
}

/* Three in a row, to a guest that stands still from when the command has said something. */
static void *insist(void *opaque)
{
	FIXTURE_DATA(agent) *self = opaque;
	const int numbers[] = { SIGINT, SIGTERM, SIGTERM };
	struct stat st = {};

	while (!st.st_size && !fstat(self->out, &st))
		usleep(1000);
	kill(self->agent, SIGSTOP);
	/* What it has sent before is taken. */
	usleep(100000);
	for (int i = 0; i < 3; i++)
		self->taken[i] = errand_signal(self->errand, numbers[i]);
	kill(self->agent, SIGCONT);
	return NULL;
}

TEST_F(agent, the_third_signal_to_a_guest_that_stands_still_is_the_caller_s)
{
	pthread_t thread;

	prepare(self, (char *[]){ "sh", "-c",
				  "trap '' INT TERM; echo up; sleep 1", NULL });
	ASSERT_EQ(0, pthread_create(&thread, NULL, insist, self));
	errand_run(self->errand, self->over, &self->end);
	pthread_join(thread, NULL);
	errand_free(self->errand);
	EXPECT_TRUE(self->taken[0]);
	EXPECT_TRUE(self->taken[1]);
	EXPECT_FALSE(self->taken[2]);
	EXPECT_EQ(ERRAND_EXITED, self->end.fate);
}

TEST_F(agent, without_a_command_a_signal_is_the_caller_s)
{
	const struct errand_config config = {
		.fd = self->controller,
		.fds = { -1, -1, -1 },
	};
	struct pollfd greeting = { .fd = self->controller, .events = POLLIN };

	self->errand = errand_new(&config);
	ASSERT_NE(NULL, self->errand);
	ASSERT_EQ(1, poll(&greeting, 1, -1));
	eventfd_write(self->over, 1);
	errand_run(self->errand, self->over, &self->end);
	EXPECT_TRUE(self->end.up);
	EXPECT_FALSE(errand_signal(self->errand, SIGTERM));
	errand_free(self->errand);
}

/* A user who types and sends signals while the guest stands still. */
struct user {
	FIXTURE_DATA(agent) * self;
	int keys;
};

/* More than the connection holds, and what both pipes take without blocking. */
#define KEYS 50000

static void *type_and_send(void *opaque)
{
	const struct user *user = opaque;
	FIXTURE_DATA(agent) *self = user->self;
	struct stat st = {};

	while (!st.st_size && !fstat(self->out, &st))
		usleep(1000);
	kill(self->agent, SIGSTOP);
	for (int i = 0; i < KEYS; i++) {
		errand_signal(self->errand, SIGCONT);
		if (write(user->keys, "x", 1) != 1)
			abort();
	}
	/* Without this it would not stand still for long enough to show anything. */
	usleep(100000);
	kill(self->agent, SIGCONT);
	close(user->keys);
	return NULL;
}

TEST_F(agent, what_it_takes_late_is_neither_lost_nor_the_end)
{
	struct user user = { .self = self };
	struct stat st = {};
	pthread_t thread;
	int fds[2];

	ASSERT_EQ(0, pipe2(fds, O_CLOEXEC));
	self->in = fds[0];
	user.keys = fds[1];
	prepare(self, (char *[]){ "sh", "-c", "echo up; exec cat", NULL });
	ASSERT_EQ(0, pthread_create(&thread, NULL, type_and_send, &user));
	errand_run(self->errand, self->over, &self->end);
	pthread_join(thread, NULL);
	errand_free(self->errand);
	EXPECT_EQ(ERRAND_EXITED, self->end.fate);
	EXPECT_EQ(0, self->end.code);
	fstat(self->out, &st);
	EXPECT_EQ(3 + KEYS, st.st_size);
}

TEST_F(agent, a_command_whose_output_nobody_reads_dies_of_sigpipe)
{
	int fds[2];

	ASSERT_EQ(0, pipe2(fds, O_CLOEXEC));
	close(fds[0]);
	signal(SIGPIPE, SIG_IGN);
	self->out = fds[1];
	run(self, (char *[]){ "yes", NULL });
	EXPECT_EQ(ERRAND_KILLED, self->end.fate);
	EXPECT_EQ(SIGPIPE, self->end.code);
}

TEST_F(agent, the_end_of_the_machine_is_an_end)
{
	eventfd_write(self->over, 1);
	shell(self, "sleep 1000");
	EXPECT_EQ(ERRAND_GONE, self->end.fate);
}

TEST_HARNESS_MAIN
