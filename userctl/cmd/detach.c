// SPDX-License-Identifier: GPL-2.0
/*
 * A process in the background, whose caller waits until it runs.
 *
 * A pipe between the two is closed without a word if the process ends before.
 */
#include "cmd/detach.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/complain.h"
#include "cmd/exit_code.h"

#define MAX_WORD 128

/* Standard error of the caller, until the process is in the background. */
static FILE *callers_error;

/* Return: the exit code of a process that has ended before it was ready. */
static int code_of(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return EXIT_CODE_INTERNAL;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	return complain(EXIT_CODE_SIGNAL(WTERMSIG(status)), "starting",
			strsignal(WTERMSIG(status)), NULL);
}

/* Reads the word up to the end of its line.  Return: false if there is none. */
static bool read_word(int from, char word[MAX_WORD])
{
	size_t used = 0;
	ssize_t length;

	while (used < MAX_WORD - 1) {
		length = read(from, word + used, MAX_WORD - 1 - used);
		if (length < 0 && errno == EINTR)
			continue;
		if (length <= 0)
			return false;
		used += length;
		word[used] = '\0';
		if (word[used - 1] == '\n')
			return true;
	}
	return false;
}

static int wait_for_word(int from, pid_t child)
{
	char word[MAX_WORD];

	if (!read_word(from, word))
		return code_of(child);
	fputs(word, stdout);
	return 0;
}

void detach_close_inherited(void)
{
	DIR *list = opendir("/proc/self/fd");
	struct dirent *entry;

	if (!list)
		return;
	while ((entry = readdir(list))) {
		int fd = atoi(entry->d_name);

		if (fd > STDERR_FILENO && !(fcntl(fd, F_GETFD) & FD_CLOEXEC))
			close(fd);
	}
	closedir(list);
}

static void leave_standard_descriptors(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	if (null >= 0)
		close(null);
}

/*
 * Messages still go to the caller, but the processes that are started in the background
 * must not hold its descriptors: who reads them would wait for the end of the machine.
 */
static void keep_error(void)
{
	int copy = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	callers_error = copy < 0 ? NULL : fdopen(copy, "w");
	if (!callers_error)
		return;
	setvbuf(callers_error, NULL, _IONBF, 0);
	stderr = callers_error;
}

int detach(int (*run)(void *opaque, int caller), void *opaque, int *code)
{
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	fflush(NULL);
	child = fork();
	if (!child) {
		close(ends[0]);
		setsid();
		keep_error();
		leave_standard_descriptors();
		exit(run(opaque, ends[1]));
	}
	close(ends[1]);
	if (child > 0)
		*code = wait_for_word(ends[0], child);
	close(ends[0]);
	return child < 0 ? -EAGAIN : 0;
}

void detach_leave(void)
{
	detach_close_inherited();
	/* It would keep a file system from being unmounted. */
	if (chdir("/"))
		complain(EXIT_CODE_INTERNAL, "/", strerror(errno), NULL);
}

int detach_ready(int caller, const char *word)
{
	int length = dprintf(caller, "%s\n", word);
	int err = length < 0 ? -errno : 0;

	close(caller);
	if (callers_error)
		fclose(callers_error);
	callers_error = NULL;
	return err;
}
