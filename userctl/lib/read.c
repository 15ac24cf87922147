// SPDX-License-Identifier: GPL-2.0
/*
 * Reading of files, which may have holes.
 */
#include "lib/read.h"

#include <errno.h>
#include <sys/types.h>
#include <unistd.h>

int read_at(int fd, void *bytes, size_t size, uint64_t offset)
{
	char *at = bytes;

	while (size) {
		const ssize_t count = pread(fd, at, size, (off_t)offset);

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			return count ? -errno : -ENODATA;
		at += count;
		size -= (size_t)count;
		offset += (uint64_t)count;
	}
	return 0;
}

uint64_t skip_hole(int fd, uint64_t offset, uint64_t end)
{
	const off_t data = lseek(fd, (off_t)offset, SEEK_DATA);

	if (data < 0)
		return errno == ENXIO ? end : offset;
	return (uint64_t)data < end ? (uint64_t)data : end;
}
