// SPDX-License-Identifier: GPL-2.0
/*
 * Starts a controller, talks to its guest and takes its end.
 */
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <utmp.h>

#define MAX_ARGUMENTS 32
#define NS_PER_MS 1000000L
#define TAIL_SIZE 2000

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000L + now.tv_nsec / NS_PER_MS;
}

/* The child's part of guest_start(); does not return. */
static void become_lodge(const char *command, int input, int output, int error,
			 const char *const arguments[])
{
	const char *lodge = getenv("LODGE"), *payload = getenv("LODGE_PAYLOAD");
	const char *argv[MAX_ARGUMENTS] = { "lodge", command };
	int count = 2;

	while (*arguments && count < MAX_ARGUMENTS - 1)
		argv[count++] = *arguments++;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!lodge || !payload || chdir(payload))
		_exit(EXIT_FAILURE);
	if (isatty(input) && login_tty(input))
		_exit(EXIT_FAILURE);
	if (!isatty(STDIN_FILENO)) {
		dup2(input, STDIN_FILENO);
		dup2(output, STDOUT_FILENO);
	}
	dup2(error, STDERR_FILENO);
	execv(lodge, (char *const *)argv);
	_exit(EXIT_FAILURE);
}

/* Starts it on its sides of pipes or a terminal, and closes those here. */
static int start(struct guest *guest, const char *command, int input,
		 int output, const char *const arguments[])
{
	int error[2];

	if (pipe2(error, O_CLOEXEC))
		return -errno;
	guest->error = error[0];
	guest->pid = fork();
	if (guest->pid < 0)
		return -errno;
	if (!guest->pid)
		become_lodge(command, input, output, error[1], arguments);
	close(error[1]);
	close(input);
	if (output != input)
		close(output);
	return 0;
}

int guest_start(struct guest *guest, const char *const arguments[])
{
	int input[2], output[2];

	memset(guest, 0, sizeof(*guest));
	/* A guest that has ended reads nothing any more. */
	signal(SIGPIPE, SIG_IGN);
	if (pipe2(input, O_CLOEXEC) || pipe2(output, O_CLOEXEC))
		return -errno;
	guest->input = input[1];
	guest->output = output[0];
	return start(guest, "run", input[0], output[1], arguments);
}

static int start_on_terminal(struct guest *guest, const char *command,
			     const char *const arguments[])
{
	int other, terminal;

	memset(guest, 0, sizeof(*guest));
	if (openpty(&other, &terminal, NULL, NULL, NULL))
		return -errno;
	fcntl(other, F_SETFD, FD_CLOEXEC);
	guest->input = other;
	guest->output = other;
	return start(guest, command, terminal, terminal, arguments);
}

int guest_start_on_terminal(struct guest *guest, const char *const arguments[])
{
	return start_on_terminal(guest, "run", arguments);
}

int guest_exec_on_terminal(struct guest *guest, const char *const arguments[])
{
	return start_on_terminal(guest, "exec", arguments);
}

/* Return: true if there can be more. */
static bool read_on(struct guest *guest, long deadline)
{
	struct pollfd ready = { .fd = guest->output, .events = POLLIN };
	size_t room = sizeof(guest->text) - 1 - guest->length;
	long left = deadline - now_ms();
	char *end = guest->text + guest->length;
	ssize_t size;

	if (!room || left <= 0 || poll(&ready, 1, left) <= 0)
		return false;
	size = read(guest->output, end, room);
	if (size <= 0)
		return false;
	for (ssize_t i = 0; i < size; i++)
		if (!end[i])
			end[i] = ' ';
	guest->length += size;
	end[size] = '\0';
	return true;
}

bool guest_wait(struct guest *guest, const char *text, int seconds)
{
	long deadline = now_ms() + seconds * 1000L;
	const char *found;

	while (!(found = strstr(guest->text + guest->seen, text)))
		if (!read_on(guest, deadline))
			return false;
	guest->seen = found - guest->text + strlen(text);
	return true;
}

const char *guest_fact(const struct guest *guest, const char *name)
{
	static char values[8][64];
	static unsigned int next;
	char *value = values[next++ % 8];
	char line[64];
	const char *found;

	snprintf(line, sizeof(line), "%s: ", name);
	found = strstr(guest->text, line);
	if (!found)
		return "absent";
	found += strlen(line);
	snprintf(value, sizeof(values[0]), "%.*s", (int)strcspn(found, "\r\n"),
		 found);
	return value;
}

int guest_type(struct guest *guest, const char *text)
{
	size_t size = strlen(text);

	return write(guest->input, text, size) == (ssize_t)size ? 0 : -errno;
}

/* Return: its status as wait() gives it. */
static int wait_for_process(pid_t pid, long deadline)
{
	const struct timespec pause = { .tv_nsec = 10 * NS_PER_MS };
	int status;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (now_ms() >= deadline)
			kill(pid, SIGKILL);
		nanosleep(&pause, NULL);
	}
	return status;
}

int guest_end(struct guest *guest, int seconds)
{
	long deadline = now_ms() + seconds * 1000L;
	ssize_t size;
	int status;

	while (read_on(guest, deadline))
		;
	status = wait_for_process(guest->pid, deadline);
	/* A report is shorter than what a pipe holds. */
	size = read(guest->error, guest->errors, sizeof(guest->errors) - 1);
	guest->errors[size > 0 ? size : 0] = '\0';
	close(guest->error);
	close(guest->output);
	if (guest->input != guest->output)
		close(guest->input);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

const char *guest_tail(const struct guest *guest)
{
	size_t start = guest->length > TAIL_SIZE ? guest->length - TAIL_SIZE :
						   0;

	return guest->text + start;
}
