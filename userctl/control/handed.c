// SPDX-License-Identifier: GPL-2.0
/*
 * Descriptors that clients hand to the controller.
 */
#include "control/handed.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* glibc's fstat() may ask newfstatat(2), which takes a path: the sandbox lets it fail. */
bool handed_is_kind(int fd, mode_t kind)
{
	struct stat status;

	return !syscall(SYS_fstat, fd, &status) &&
	       (status.st_mode & S_IFMT) == kind;
}

/* A descriptor of O_PATH can be no file to write, and with O_APPEND no place is chosen. */
bool handed_can_write(int fd)
{
	const int flags = fcntl(fd, F_GETFL);
	const int access = flags & O_ACCMODE;

	return flags >= 0 && (access == O_WRONLY || access == O_RDWR) &&
	       !(flags & (O_APPEND | O_PATH));
}
