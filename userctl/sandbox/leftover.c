// SPDX-License-Identifier: GPL-2.0
/*
 * Names that must not outlive this process.
 *
 * They are global, as a process's end is.  The process that removes them learns of it by
 * a pipe.
 *
 * Somebody may have removed a name before, and may have given it to something else, such
 * as the socket of another machine: what is removed is what the name was noted for.  While
 * this process lives, it has that open, so nothing else has its inode.
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
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/**
 * struct leftover - a name
 * @path: from the root
 * @device: of the file system
 * @inode: on it
 */
struct leftover {
	char *path;
	dev_t device;
	ino_t inode;
};

static struct leftover leftovers[LEFTOVERS_MAX];
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
	struct leftover *leftover = &leftovers[count];
	struct stat status;

	if (count == LEFTOVERS_MAX)
		return -ENOSPC;
	if (lstat(path, &status))
		return -errno;
	leftover->device = status.st_dev;
	leftover->inode = status.st_ino;
	leftover->path = absolute(path);
	if (!leftover->path)
		return -errno;
	count++;
	return 0;
}

/* Return: its number, or @count. */
static size_t find(const char *path)
{
	char *whole = absolute(path);
	size_t i = 0;

	while (whole && i < count && strcmp(leftovers[i].path, whole))
		i++;
	free(whole);
	return whole ? i : count;
}

static void remove_name(const struct leftover *leftover)
{
	struct stat status;

	if (!lstat(leftover->path, &status) &&
	    status.st_dev == leftover->device &&
	    status.st_ino == leftover->inode)
		unlink(leftover->path);
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
	remove_name(&leftovers[i]);
	free(leftovers[i].path);
	leftovers[i] = leftovers[--count];
}

/* It keeps no file or directory of the caller's, and no signal of the terminal's reaches it. */
__attribute__((noreturn)) static void keep(int end)
{
	char byte;

	prctl(PR_SET_NAME, "lodge-leftover");
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	setsid();
	if (dup2(end, STDIN_FILENO) < 0 || close_range(1, UINT_MAX, 0) ||
	    chdir("/"))
		_exit(1);
	while (read(STDIN_FILENO, &byte, sizeof(byte)) < 0 && errno == EINTR)
		;
	for (size_t i = 0; i < count; i++)
		remove_name(&leftovers[i]);
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
		free(leftovers[--count].path);
}
