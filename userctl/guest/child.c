// SPDX-License-Identifier: GPL-2.0
/*
 * Starts a command in a guest.
 *
 * The child tells by a pipe that exec() closes why it could not become the command.
 */
#include "guest/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/**
 * struct ends - descriptors while a command is started; -1: there is none
 * @inner: the command's
 * @slave: its terminal
 * @why: struct wire_exit is written to 1 and read from 0
 */
struct ends {
	int inner[WIRE_STREAMS];
	int slave;
	int why[2];
};

static void drop(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void drop_all(struct child *child, struct ends *ends)
{
	for (int i = 0; i < WIRE_STREAMS; i++) {
		drop(&ends->inner[i]);
		if (child)
			drop(&child->streams[i]);
	}
	drop(&ends->slave);
	drop(&ends->why[0]);
	drop(&ends->why[1]);
	if (child)
		drop(&child->terminal);
}

static int open_terminal(struct child *child, struct ends *ends,
			 const struct spec *spec)
{
	const struct winsize size = {
		.ws_row = spec->rows,
		.ws_col = spec->cols,
	};
	char name[64];

	child->terminal =
		posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (child->terminal < 0 || grantpt(child->terminal) ||
	    unlockpt(child->terminal) ||
	    ptsname_r(child->terminal, name, sizeof(name)))
		return -errno;
	ends->slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (ends->slave < 0)
		return -errno;
	ioctl(ends->slave, TIOCSWINSZ, &size);
	tcsetattr(ends->slave, TCSANOW, &spec->modes);
	/* It is the command's, as a terminal is its user's. */
	if (fchown(ends->slave, spec->uid, -1))
		return 0;
	return 0;
}

/* The agent's end never blocks it; the command's is as a shell makes it. */
static int open_pipe(struct child *child, struct ends *ends, int stream)
{
	const int own = stream == WIRE_IN;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	child->streams[stream] = fds[own];
	ends->inner[stream] = fds[!own];
	return fcntl(fds[own], F_SETFL, O_NONBLOCK) ? -errno : 0;
}

static int open_ends(struct child *child, struct ends *ends,
		     const struct spec *spec)
{
	int err = 0;

	if (spec->flags & SPEC_TERMINALS)
		err = open_terminal(child, ends, spec);
	for (int i = 0; i < WIRE_STREAMS && !err; i++)
		if (!(spec->flags & SPEC_TERMINAL(i)))
			err = open_pipe(child, ends, i);
	if (!err && pipe2(ends->why, O_CLOEXEC))
		err = -errno;
	return err;
}

static void plain_signals(void)
{
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The pipe that tells why may stand where a stream is to be: it is moved before. */
static bool take_streams(const struct ends *ends, int *why)
{
	*why = fcntl(*why, F_DUPFD_CLOEXEC, WIRE_STREAMS);
	if (*why < 0)
		return false;
	for (int i = 0; i < WIRE_STREAMS; i++) {
		const int fd = ends->inner[i] >= 0 ? ends->inner[i] :
						     ends->slave;

		if (dup2(fd, i) < 0)
			return false;
	}
	return ends->slave < 0 || !ioctl(ends->slave, TIOCSCTTY, 0);
}

static bool take_user(const struct spec *spec)
{
	/* Only root can, and a command of this process's own user need not. */
	if (geteuid())
		return spec->uid == geteuid() && spec->gid == getegid();
	return !setgroups(spec->nr_groups, spec->groups) &&
	       !setresgid(spec->gid, spec->gid, spec->gid) &&
	       !setresuid(spec->uid, spec->uid, spec->uid);
}

static void become(const struct spec *spec, const struct ends *ends)
{
	struct wire_exit end = { .how = WIRE_NO_START };
	int why = ends->why[1];

	plain_signals();
	setsid();
	umask(spec->mask);
	environ = spec->envp;
	if (take_streams(ends, &why) && take_user(spec)) {
		end.how = WIRE_NO_DIRECTORY;
		if (!chdir(spec->directory)) {
			end.how = WIRE_NO_PROGRAM;
			execvp(spec->argv[0], spec->argv);
		}
	}
	end.code = errno;
	if (write(why, &end, sizeof(end)) != sizeof(end))
		_exit(1);
	_exit(0);
}

/* Streams at 0 to 2 would be overwritten while others are put there. */
static int move_up(int *fd)
{
	int moved;

	if (*fd < 0 || *fd >= WIRE_STREAMS)
		return 0;
	moved = fcntl(*fd, F_DUPFD_CLOEXEC, WIRE_STREAMS);
	if (moved < 0)
		return -errno;
	close(*fd);
	*fd = moved;
	return 0;
}

static int start(struct child *child, struct ends *ends,
		 const struct spec *spec)
{
	int err = open_ends(child, ends, spec);

	for (int i = 0; i < WIRE_STREAMS && !err; i++)
		err = move_up(&ends->inner[i]);
	if (!err)
		err = move_up(&ends->slave);
	if (err)
		return err;
	child->pid = fork();
	if (!child->pid)
		become(spec, ends);
	return child->pid < 0 ? -errno : 0;
}

int child_start(struct child *child, const struct spec *spec,
		struct wire_exit *end)
{
	struct ends ends = { { -1, -1, -1 }, -1, { -1, -1 } };
	int err;

	*child = (struct child){ -1, -1, { -1, -1, -1 } };
	err = start(child, &ends, spec);
	if (err) {
		drop_all(child, &ends);
		*end = (struct wire_exit){ WIRE_NO_START, -err };
		return -1;
	}
	drop(&ends.why[1]);
	if (read(ends.why[0], end, sizeof(*end)) != sizeof(*end)) {
		drop_all(NULL, &ends);
		return 0;
	}
	waitpid(child->pid, NULL, 0);
	drop_all(child, &ends);
	return -1;
}
