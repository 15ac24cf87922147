// SPDX-License-Identifier: GPL-2.0
/*
 * Programs that this process has started.
 */
#include "sandbox/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where the new process says what has failed. */
#define REPORT_FD (CHILD_FD + 1)
#define FREE_FD (REPORT_FD + 1)

struct report {
	enum child_step step;
	int err;
};

/* The least time for the end of one that cannot be killed. */
#define LAST_MS 1000

static void reap(pid_t pid, int options)
{
	while (waitpid(pid, NULL, options) < 0 && errno == EINTR)
		;
}

int child_take(struct child *child, pid_t pid)
{
	int err;

	child->pid = pid;
	child->fd = syscall(SYS_pidfd_open, pid, 0);
	if (child->fd >= 0)
		return 0;
	err = -errno;
	kill(pid, SIGKILL);
	reap(pid, 0);
	child->pid = 0;
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
static int set_descriptors(int fd, int report)
{
	int spare;

	/* Neither is overwritten by the other. */
	fd = fcntl(fd, F_DUPFD, FREE_FD);
	report = fcntl(report, F_DUPFD, FREE_FD);
	spare = open("/dev/null", O_RDWR);
	if (fd < 0 || report < 0 || spare < 0 ||
	    dup2(spare, STDIN_FILENO) < 0 || dup2(spare, STDOUT_FILENO) < 0 ||
	    dup2(fd, CHILD_FD) < 0 || dup3(report, REPORT_FD, O_CLOEXEC) < 0)
		return -errno;
	return syscall(SYS_close_range, FREE_FD, ~0U, 0) ? -errno : 0;
}

/* In the new process. */
static int prepare(const struct child_config *config, pid_t parent)
{
	int err = config->prepare ? config->prepare(config->opaque) : 0;

	if (err)
		return err;
	if (prctl(PR_SET_PDEATHSIG, SIGTERM))
		return -errno;
	/* It may have ended before. */
	return getppid() == parent ? 0 : -ESRCH;
}

_Noreturn static void become(const struct child_config *config, int report_fd,
			     pid_t parent)
{
	struct report report = { .step = CHILD_STEP_START };

	set_signals();
	report.err = set_descriptors(config->fd, report_fd);
	if (!report.err) {
		report_fd = REPORT_FD;
		report.step = CHILD_STEP_PREPARE;
		report.err = prepare(config, parent);
	}
	if (!report.err) {
		report.step = CHILD_STEP_EXEC;
		execvp(config->words[0], (char **)config->words);
		report.err = -errno;
	}
	if (write(report_fd, &report, sizeof(report)) < 0)
		_exit(EXIT_FAILURE);
	_exit(EXIT_FAILURE);
}

/* Waits until the program runs, or says why it does not. */
static int await_start(pid_t pid, int report_fd, enum child_step *step)
{
	struct report report;
	ssize_t got;

	do {
		got = read(report_fd, &report, sizeof(report));
	} while (got < 0 && errno == EINTR);
	if (!got)
		return 0;
	reap(pid, 0);
	if (got != sizeof(report))
		return -EIO;
	*step = report.step;
	return report.err;
}

int child_spawn(struct child *child, const struct child_config *config,
		enum child_step *step)
{
	const pid_t parent = getpid();
	int report[2], err = 0;
	pid_t pid;

	*step = CHILD_STEP_START;
	if (pipe2(report, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (!pid)
		become(config, report[1], parent);
	if (pid < 0)
		err = -errno;
	close(report[1]);
	if (!err)
		err = await_start(pid, report[0], step);
	close(report[0]);
	return err ? err : child_take(child, pid);
}

/* Return: true if it has ended. */
static bool await_end(const struct child *child, int patience)
{
	struct pollfd end = { .fd = child->fd, .events = POLLIN };

	return poll(&end, 1, patience) > 0;
}

/* Return: true if the signal is sent. */
static bool send_signal(const struct child *child, int number)
{
	return !syscall(SYS_pidfd_send_signal, child->fd, number, NULL, 0);
}

/* Return: true if it has ended, or must end now. */
static bool stop(const struct child *child, int patience)
{
	if (patience) {
		if (await_end(child, patience))
			return true;
		if (send_signal(child, SIGTERM) && await_end(child, patience))
			return true;
	}
	return send_signal(child, SIGKILL) || await_end(child, LAST_MS);
}

void child_end(struct child *child, int patience)
{
	int options = 0;

	if (!child->pid)
		return;
	if (!stop(child, patience))
		options = WNOHANG;
	/* Or it stays as a zombie. */
	reap(child->pid, options);
	close(child->fd);
	child->pid = 0;
	child->fd = -1;
}
