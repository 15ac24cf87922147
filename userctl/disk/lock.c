// SPDX-License-Identifier: GPL-2.0
/*
 * Locks on bytes of a disk's file, which need not exist.
 *
 * Whoever uses a file in some way has a read lock on the byte of that way, and one on the
 * second byte of each way in which nobody else may use it.  Then it looks for locks of
 * others that do not go with its own.
 */
#include "disk/lock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The bytes, as in QEMU's block/file-posix.c. */
#define USED_BASE 100
#define ALONE_BASE 200

/* Ways to use a file, as in QEMU's include/block/block-common.h: bits of masks. */
enum {
	WAY_READ,
	WAY_WRITE,
	WAY_WRITE_UNCHANGED,
	WAY_RESIZE,
	WAYS,
};

#define MASK(way) (1U << (way))

/* What a writer does, and what nobody else may do beside any user. */
#define WRITING (MASK(WAY_WRITE) | MASK(WAY_RESIZE))

/* @type: F_RDLCK or F_UNLCK.  Return: 0 or -errno. */
static int set_bytes(int fd, short type, off_t base, unsigned int ways)
{
	for (unsigned int way = 0; way < WAYS; way++) {
		struct flock lock = { .l_type = type,
				      .l_whence = SEEK_SET,
				      .l_start = base + way,
				      .l_len = 1 };

		if (ways & MASK(way) && fcntl(fd, F_OFD_SETLK, &lock))
			return errno == EACCES || errno == EAGAIN ? -EBUSY :
								    -errno;
	}
	return 0;
}

/* Return: 0; -EBUSY somebody else has locked one of the bytes; or another -errno. */
static int test_bytes(int fd, off_t base, unsigned int ways)
{
	for (unsigned int way = 0; way < WAYS; way++) {
		struct flock lock = { .l_type = F_WRLCK,
				      .l_whence = SEEK_SET,
				      .l_start = base + way,
				      .l_len = 1 };

		if (!(ways & MASK(way)))
			continue;
		if (fcntl(fd, F_OFD_GETLK, &lock))
			return -errno;
		if (lock.l_type != F_UNLCK)
			return -EBUSY;
	}
	return 0;
}

/* True if a process has locks by its descriptor of this name. */
static bool has_locks(const char *pid, const char *fd)
{
	char path[64], line[128];
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%.16s/fdinfo/%.16s", pid, fd);
	file = fopen(path, "re");
	while (file && !found && fgets(line, sizeof(line), file))
		found = !strncmp(line, "lock:", strlen("lock:"));
	if (file)
		fclose(file);
	return found;
}

/* True if a process has locked the file by another descriptor than @own. */
static bool has_locked(const char *pid, const struct stat *file, int own)
{
	char path[64];
	struct dirent *entry;
	bool found = false;
	DIR *fds;

	snprintf(path, sizeof(path), "/proc/%.16s/fd", pid);
	fds = opendir(path);
	while (fds && !found && (entry = readdir(fds))) {
		struct stat stat;

		if (fstatat(dirfd(fds), entry->d_name, &stat, 0) ||
		    stat.st_dev != file->st_dev || stat.st_ino != file->st_ino)
			continue;
		if (atoi(pid) == getpid() && atoi(entry->d_name) == own)
			continue;
		found = has_locks(pid, entry->d_name);
	}
	if (fds)
		closedir(fds);
	return found;
}

/*
 * The locks of open files have no process, so look through those that can be seen.
 *
 * Return: the process, or 0.
 */
static int find_owner(int fd)
{
	DIR *processes = opendir("/proc");
	struct dirent *entry;
	struct stat file;
	int pid = 0;

	if (fstat(fd, &file) == 0)
		while (processes && !pid && (entry = readdir(processes)))
			if (atoi(entry->d_name) > 0 &&
			    has_locked(entry->d_name, &file, fd))
				pid = atoi(entry->d_name);
	if (processes)
		closedir(processes);
	return pid;
}

static void tell_owner(int fd, bool writing, char *why, size_t size)
{
	int pid = find_owner(fd);
	char owner[48] = "another process";

	if (pid == getpid())
		snprintf(owner, sizeof(owner), "another disk of this machine");
	else if (pid)
		snprintf(owner, sizeof(owner), "process %d", pid);
	snprintf(why, size,
		 writing ?
			 "it is in use by %s; end that, or add snapshot=on or "
			 "ro if it only reads" :
			 "it is being written by %s; end that first",
		 owner);
}

int disk_lock(int fd, bool writing, char *why, size_t size)
{
	const unsigned int used = MASK(WAY_READ) | (writing ? WRITING : 0);
	int err;

	err = set_bytes(fd, F_RDLCK, USED_BASE, used);
	if (!err)
		err = set_bytes(fd, F_RDLCK, ALONE_BASE, WRITING);
	if (!err)
		err = test_bytes(fd, ALONE_BASE, used);
	if (!err)
		err = test_bytes(fd, USED_BASE, WRITING);
	if (err == -EBUSY)
		tell_owner(fd, writing, why, size);
	else if (err)
		snprintf(why, size, "it cannot be locked: %s", strerror(-err));
	return err;
}

int disk_lock_lend(int fd)
{
	return set_bytes(fd, F_UNLCK, USED_BASE, WRITING);
}

/* Nobody else writes: the bytes that forbid it have been locked all the time. */
int disk_lock_regain(int fd)
{
	int err = set_bytes(fd, F_RDLCK, USED_BASE, WRITING);

	if (!err)
		err = test_bytes(fd, ALONE_BASE, WRITING);
	if (err)
		disk_lock_lend(fd);
	return err;
}
