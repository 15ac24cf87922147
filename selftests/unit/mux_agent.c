// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of how several clients share the agent in a guest: the agent is a child of the
 * test, and the clients are the real ones, with sockets in place of a guest and of the
 * control socket.
 */
#include <errno.h>
#include <fcntl.h>
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

#include "control/errand.h"
#include "control/mux.h"
#include "guest/agent.h"
#include "guest/spec.h"
#include "kselftest_harness.h"

FIXTURE(shared)
{
	struct mux *mux;
	int over;
	int port;
	pid_t agent;
};

FIXTURE_SETUP(shared)
{
	const struct agent_hooks hooks = {};
	int ends[2];

	signal(SIGPIPE, SIG_IGN);
	ASSERT_EQ(0, socketpair(AF_UNIX,
				SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
				ends));
	self->agent = fork();
	ASSERT_LE(0, self->agent);
	if (!self->agent) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ends[0]);
		_exit(agent_serve(ends[1], &hooks) ? 1 : 0);
	}
	close(ends[1]);
	self->port = ends[0];
	self->over = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	self->mux = mux_new(self->port);
	ASSERT_NE(NULL, self->mux);
	ASSERT_EQ(0, mux_start(self->mux, self->over));
}

FIXTURE_TEARDOWN(shared)
{
	int status = -1;

	eventfd_write(self->over, 1);
	mux_join(self->mux);
	mux_free(self->mux);
	close(self->port);
	EXPECT_EQ(self->agent, waitpid(self->agent, &status, 0));
	EXPECT_EQ(0, status);
	close(self->over);
}

/* A command of a client of its own. */
struct command {
	struct errand *errand;
	struct errand_end end;
	void *description;
	int fd;
	int out;
};

static void prepare(FIXTURE_DATA(shared) * self, struct command *command,
		    char *script)
{
	static char *env[] = { "PATH=/bin:/usr/bin", NULL };
	const struct spec spec = {
		.uid = geteuid(),
		.gid = getegid(),
		.directory = "/",
		.argv = (char *[]){ "sh", "-c", script, NULL },
		.envp = env,
	};
	struct errand_config config = {};
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		       ends) ||
	    mux_add(self->mux, ends[0], NULL, 0) ||
	    spec_write(&spec, &command->description, &config.size))
		abort();
	command->fd = config.fd = ends[1];
	command->out = memfd_create("out", MFD_CLOEXEC);
	config.fds[WIRE_IN] = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	config.fds[WIRE_OUT] = config.fds[WIRE_ERR] = command->out;
	config.description = command->description;
	command->errand = errand_new(&config);
	if (!command->errand)
		abort();
}

static void *run(void *opaque)
{
	struct command *command = opaque;

	errand_run(command->errand, -1, &command->end);
	return NULL;
}

static void drop(struct command *command)
{
	errand_free(command->errand);
	free(command->description);
	close(command->fd);
	close(command->out);
}

static size_t size_of(int fd)
{
	struct stat st = {};

	fstat(fd, &st);
	return st.st_size;
}

TEST_F(shared, megabytes_of_several_commands_pass_at_once)
{
	struct command commands[4];
	pthread_t threads[4];

	for (int i = 0; i < 4; i++) {
		prepare(self, &commands[i],
			"head -c 2000000; head -c 100000 /dev/zero >&2; exit 5");
		ASSERT_EQ(0,
			  pthread_create(&threads[i], NULL, run, &commands[i]));
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		EXPECT_EQ(ERRAND_EXITED, commands[i].end.fate);
		EXPECT_EQ(5, commands[i].end.code);
		EXPECT_EQ(2100000, size_of(commands[i].out));
		drop(&commands[i]);
	}
}

static void wait_for_output(int fd, size_t size)
{
	while (size_of(fd) < size)
		usleep(1000);
}

TEST_F(shared, a_command_whose_client_goes_gets_a_hangup)
{
	struct command gone, left;
	char name[64];
	int file = memfd_create("file", 0);
	pthread_t thread;
	char script[256];

	snprintf(name, sizeof(name), "/proc/%d/fd/%d", getpid(), file);
	snprintf(script, sizeof(script),
		 "trap 'echo lost; head -c 300000 /dev/zero; "
		 "echo hung up >%s; exit' HUP; echo up; "
		 "while :; do sleep 0.01; done",
		 name);
	prepare(self, &gone, script);
	ASSERT_EQ(0, pthread_create(&thread, NULL, run, &gone));
	wait_for_output(gone.out, 3);
	shutdown(gone.fd, SHUT_RDWR);
	pthread_join(thread, NULL);
	EXPECT_EQ(ERRAND_GONE, gone.end.fate);
	wait_for_output(file, 8);
	drop(&gone);
	prepare(self, &left, "echo still here");
	run(&left);
	EXPECT_EQ(ERRAND_EXITED, left.end.fate);
	EXPECT_EQ(11, size_of(left.out));
	drop(&left);
	close(file);
}

TEST_F(shared, without_a_command_a_client_hears_of_the_end)
{
	struct errand_config config = { .fds = { -1, -1, -1 } };
	struct command idle = { .out = -1 }, other;
	pthread_t thread;
	int ends[2];

	ASSERT_EQ(0, socketpair(AF_UNIX,
				SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
				ends));
	ASSERT_EQ(0, mux_add(self->mux, ends[0], NULL, 0));
	idle.fd = config.fd = ends[1];
	idle.errand = errand_new(&config);
	ASSERT_EQ(0, pthread_create(&thread, NULL, run, &idle));
	/* After this one the agent is up. */
	prepare(self, &other, "true");
	run(&other);
	drop(&other);
	eventfd_write(self->over, 1);
	pthread_join(thread, NULL);
	EXPECT_EQ(ERRAND_GONE, idle.end.fate);
	drop(&idle);
}

TEST_HARNESS_MAIN
