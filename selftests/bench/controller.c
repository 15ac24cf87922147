// SPDX-License-Identifier: GPL-2.0
/*
 * A controller's process, its pipes and its cgroup.
 */
#include "controller.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "linux/requests.h"

#define CGROUPS "/sys/fs/cgroup"
#define CGROUP CGROUPS "/bench"
#define MAX_LINE 512

/* Return: 0 or -errno. */
static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int error = fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return error;
}

/* A kernel may have none: what fails then is to measure. */
static void make_cgroup(void)
{
	mount("cgroup2", CGROUPS, "cgroup2", 0, NULL);
	if (!write_text(CGROUPS "/cgroup.subtree_control", "+memory"))
		mkdir(CGROUP, 0755);
}

/* Does not return. */
static void become(const char *const *arguments, int input, int output)
{
	const char *payload = getenv("LODGE_PAYLOAD");

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(input, STDIN_FILENO);
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	write_text(CGROUP "/cgroup.procs", "0");
	if (payload && !chdir(payload))
		execvp(arguments[0], (char *const *)arguments);
	dprintf(STDERR_FILENO, "%s: %s\n", arguments[0], strerror(errno));
	_exit(EXIT_FAILURE);
}

int controller_start(struct controller *controller,
		     const char *const arguments[])
{
	int error, input[2], output[2];

	make_cgroup();
	if (pipe2(input, O_CLOEXEC))
		return -errno;
	if (pipe2(output, O_CLOEXEC)) {
		error = -errno;
		close(input[0]);
		close(input[1]);
		return error;
	}
	*controller =
		(struct controller){ .input = input[1], .output = output[0] };
	controller->pid = fork();
	error = controller->pid < 0 ? -errno : 0;
	if (!controller->pid)
		become(arguments, input[0], output[1]);
	close(input[0]);
	close(output[1]);
	if (error) {
		close(input[1]);
		close(output[0]);
	}
	return error;
}

/* Makes room for more: the older half is forgotten. */
static void forget(struct controller *controller)
{
	const size_t half = CONTROLLER_TEXT_SIZE / 2;

	if (controller->length + MAX_LINE < CONTROLLER_TEXT_SIZE)
		return;
	controller->length -= half;
	memmove(controller->text, controller->text + half,
		controller->length + 1);
}

/* Return: the line that has just been read, without its end; NULL: the end of all. */
static const char *read_line(struct controller *controller)
{
	size_t start;
	char c = 0;

	forget(controller);
	start = controller->length;
	while (controller->length - start < MAX_LINE - 2 && c != '\n') {
		if (read(controller->output, &c, 1) != 1)
			return NULL;
		if (c && c != '\r')
			controller->text[controller->length++] = c;
	}
	controller->text[controller->length] = '\0';
	return controller->text + start;
}

int controller_ask(struct controller *controller, const char *line,
		   const char *answer)
{
	const char *said;

	if (line && write(controller->input, line, strlen(line)) < 0)
		return -errno;
	do {
		said = read_line(controller);
		if (!said)
			return -EPIPE;
	} while (said[0] != REQUESTS_MARK);
	return strncmp(said, answer, strlen(answer)) ? -EPROTO : 0;
}

/* Return: the sum of a process's shares, in KiB. */
static uint64_t share_of(int pid, size_t guest_memory)
{
	uint64_t from, to, kib, sum = 0;
	bool is_guest = false;
	char line[MAX_LINE];
	FILE *file;

	snprintf(line, sizeof(line), "/proc/%d/smaps", pid);
	file = fopen(line, "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " ", &from, &to) == 2)
			is_guest = to - from >= guest_memory;
		else if (!is_guest && sscanf(line, "Pss: %" SCNu64, &kib) == 1)
			sum += kib;
	}
	if (file)
		fclose(file);
	return sum;
}

/* Return: 0 or -errno. */
static int read_kernel(uint64_t *kib)
{
	FILE *file = fopen(CGROUP "/memory.stat", "re");
	char line[MAX_LINE];
	uint64_t bytes = 0;

	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file) &&
	       sscanf(line, "kernel %" SCNu64, &bytes) != 1)
		;
	fclose(file);
	*kib = bytes >> 10;
	return bytes ? 0 : -ENOENT;
}

int controller_measure(size_t guest_memory, struct footprint *footprint)
{
	FILE *file = fopen(CGROUP "/cgroup.procs", "re");
	int pid;

	if (!file)
		return -errno;
	footprint->own = 0;
	while (fscanf(file, "%d", &pid) == 1)
		footprint->own += share_of(pid, guest_memory);
	fclose(file);
	return read_kernel(&footprint->kernel);
}

static void close_pipes(struct controller *controller)
{
	close(controller->input);
	close(controller->output);
}

int controller_wait(struct controller *controller)
{
	int status, error = 0;

	while (read_line(controller))
		;
	controller->text[controller->length] = '\0';
	if (waitpid(controller->pid, &status, 0) < 0)
		error = -errno;
	else if (status)
		error = -EPROTO;
	close_pipes(controller);
	return error;
}

void controller_stop(struct controller *controller)
{
	write_text(CGROUP "/cgroup.kill", "1");
	kill(controller->pid, SIGKILL);
	waitpid(controller->pid, NULL, 0);
	close_pipes(controller);
}

void controller_explain(struct controller *controller, const char *name,
			int error)
{
	char *line;

	printf("# %s: %s\n", name, strerror(-error));
	for (line = strtok(controller->text, "\n"); line;
	     line = strtok(NULL, "\n"))
		printf("# | %s\n", line);
}
