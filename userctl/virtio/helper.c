// SPDX-License-Identifier: GPL-2.0
/*
 * A back end that this process starts and ends.
 *
 * It gets a socket that listens and has one connection waiting, ours: the socket's name
 * was in a directory of this user's, and is gone before the program starts.
 */
#include "virtio/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where the new process says what has failed. */
#define REPORT_FD 4
#define FREE_FD 5

/* So long a program may take to end by itself, and then to end when it is told to. */
#define PATIENCE_MS 3000

extern char **environ;

struct report {
	enum helper_step step;
	int err;
};

/* Connects a socket to one that listens. */
static int connect_at(int listener, int client, const char *path)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(name.sun_path))
		return -ENAMETOOLONG;
	strcpy(name.sun_path, path);
	if (bind(listener, (struct sockaddr *)&name, sizeof(name)) ||
	    listen(listener, 1) ||
	    connect(client, (struct sockaddr *)&name, sizeof(name)))
		return -errno;
	return 0;
}

static int connect_in_directory(int listener, int client)
{
	const char *above = getenv("XDG_RUNTIME_DIR");
	char *directory, *path;
	int err = -ENOMEM;

	if (!above || *above != '/' || access(above, W_OK))
		above = "/tmp";
	if (asprintf(&directory, "%s/lodge-XXXXXX", above) < 0)
		return -ENOMEM;
	if (!mkdtemp(directory)) {
		err = -errno;
	} else {
		if (asprintf(&path, "%s/socket", directory) >= 0) {
			err = connect_at(listener, client, path);
			unlink(path);
			free(path);
		}
		rmdir(directory);
	}
	free(directory);
	return err;
}

/* Return: 0 and two sockets; or -errno. */
static int make_sockets(int *listener, int *client)
{
	int err;

	*listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	*client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	err = *listener < 0 || *client < 0 ?
		      -errno :
		      connect_in_directory(*listener, *client);
	if (!err)
		return 0;
	if (*listener >= 0)
		close(*listener);
	if (*client >= 0)
		close(*client);
	return err;
}

/* It gets signals as a program that a shell starts, but none of the terminal's. */
static void set_signals(void)
{
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setpgid(0, 0);
}

/* Moves the descriptors to their places; no others stay open. */
static int set_descriptors(int listener, int report)
{
	int spare;

	/* Neither is overwritten by the other. */
	listener = fcntl(listener, F_DUPFD, FREE_FD);
	report = fcntl(report, F_DUPFD, FREE_FD);
	spare = open("/dev/null", O_RDWR);
	if (listener < 0 || report < 0 || spare < 0 ||
	    dup2(spare, STDIN_FILENO) < 0 || dup2(spare, STDOUT_FILENO) < 0 ||
	    dup2(listener, HELPER_FD) < 0 ||
	    dup3(report, REPORT_FD, O_CLOEXEC) < 0)
		return -errno;
	return syscall(SYS_close_range, FREE_FD, ~0U, 0) ? -errno : 0;
}

/* In the new process. */
static int prepare(const struct helper_config *config, pid_t parent)
{
	int err = config->prepare ? config->prepare(config->opaque) : 0;

	if (err)
		return err;
	if (prctl(PR_SET_PDEATHSIG, SIGTERM))
		return -errno;
	/* It may have ended before. */
	return getppid() == parent ? 0 : -ESRCH;
}

_Noreturn static void become(const struct helper_config *config, int listener,
			     int report_fd, pid_t parent)
{
	struct report report = { .step = HELPER_STEP_START };

	set_signals();
	report.err = set_descriptors(listener, report_fd);
	if (!report.err) {
		report_fd = REPORT_FD;
		report.step = HELPER_STEP_PREPARE;
		report.err = prepare(config, parent);
	}
	if (!report.err) {
		report.step = HELPER_STEP_EXEC;
		execve(config->words[0], (char **)config->words, environ);
		report.err = -errno;
	}
	if (write(report_fd, &report, sizeof(report)) < 0)
		_exit(EXIT_FAILURE);
	_exit(EXIT_FAILURE);
}

static void reap(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* Waits until the program runs, or says why it does not. */
static int await_start(pid_t pid, int report_fd, enum helper_step *step)
{
	struct report report;
	ssize_t got;

	do {
		got = read(report_fd, &report, sizeof(report));
	} while (got < 0 && errno == EINTR);
	if (!got)
		return 0;
	reap(pid);
	if (got != sizeof(report))
		return -EIO;
	*step = report.step;
	return report.err;
}

static int start(pid_t *pid, const struct helper_config *config, int listener,
		 enum helper_step *step)
{
	const pid_t parent = getpid();
	int report[2], err = 0;

	if (pipe2(report, O_CLOEXEC))
		return -errno;
	*pid = fork();
	if (!*pid)
		become(config, listener, report[1], parent);
	if (*pid < 0)
		err = -errno;
	close(report[1]);
	if (!err)
		err = await_start(*pid, report[0], step);
	close(report[0]);
	return err;
}

int helper_start(struct child *child, const struct helper_config *config,
		 enum helper_step *step)
{
	int listener, client, err;
	pid_t pid = 0;

	*step = HELPER_STEP_START;
	err = make_sockets(&listener, &client);
	if (err)
		return err;
	err = start(&pid, config, listener, step);
	close(listener);
	if (!err)
		err = child_take(child, pid);
	if (!err)
		return client;
	close(client);
	return err;
}

void helper_end(struct child *child, bool by_itself)
{
	if (!by_itself && child->pid)
		syscall(SYS_pidfd_send_signal, child->fd, SIGTERM, NULL, 0);
	child_end(child, PATIENCE_MS);
}
