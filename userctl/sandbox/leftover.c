// SPDX-License-Identifier: GPL-2.0
/*
 * Names that must not outlive this process.
 *
 * They are global, as a process's end is.  The process that removes them learns of it by
 * a pipe.
 */
#include "sandbox/leftover.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static char *paths[LEFTOVERS_MAX];
static size_t count;
static pid_t guard;
static int life = -1;

/* Return: the path from the root, to be freed; or NULL with errno set. */
static char *absolute(const char *path)
{
	char here[PATH_MAX], *whole;

	if (*path == '/')
		return strdup(path);
	if (!getcwd(here, sizeof(here)))
		return NULL;
	return asprintf(&whole, "%s/%s", here, path) < 0 ? NULL : whole;
}

int leftover_note(const char *path)
{
	if (count == LEFTOVERS_MAX)
		return -ENOSPC;
	paths[count] = absolute(path);
	if (!paths[count])
		return -errno;
	count++;
	return 0;
}

/* Return: its number, or @count. */
static size_t find(const char *path)
{
	char *whole = absolute(path);
	size_t i = 0;

	while (whole && i < count && strcmp(paths[i], whole))
		i++;
	free(whole);
	return whole ? i : count;
}

void leftover_remove(const char *path)
{
	size_t i;

	/* The list is the guard's now. */
	if (guard > 0)
		return;
	i = find(path);
	if (i == count)
		return;
	unlink(paths[i]);
	free(paths[i]);
	paths[i] = paths[--count];
}

/* It keeps no file of the caller's, and no signal of the terminal's reaches it. */
__attribute__((noreturn)) static void keep(int end)
{
	char byte;

	prctl(PR_SET_NAME, "lodge-leftover");
	setsid();
	if (dup2(end, STDIN_FILENO) < 0 || close_range(1, UINT_MAX, 0))
		_exit(1);
	while (read(STDIN_FILENO, &byte, sizeof(byte)) < 0 && errno == EINTR)
		;
	for (size_t i = 0; i < count; i++)
		unlink(paths[i]);
	_exit(0);
}

int leftovers_guard(void)
{
	sigset_t all, before;
	int ends[2];
	int err;

	if (!count)
		return 0;
	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	guard = fork();
	if (!guard)
		keep(ends[0]);
	err = guard < 0 ? -errno : 0;
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(ends[0]);
	life = ends[1];
	return err;
}

void leftovers_finish(void)
{
	if (guard <= 0)
		return;
	close(life);
	while (waitpid(guard, NULL, 0) < 0 && errno == EINTR)
		;
	guard = 0;
	while (count)
		free(paths[--count]);
}
