// SPDX-License-Identifier: GPL-2.0
/*
 * Files that exist in memory only.
 */
#include "memfile.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int memfile(const void *data, size_t size, char path[MEMFILE_PATH_SIZE])
{
	int fd = memfd_create("memfile", MFD_CLOEXEC);

	if (fd < 0)
		return -1;
	if (write(fd, data, size) != (ssize_t)size) {
		close(fd);
		return -1;
	}
	snprintf(path, MEMFILE_PATH_SIZE, "/proc/self/fd/%d", fd);
	return fd;
}
