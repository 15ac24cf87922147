// SPDX-License-Identifier: GPL-2.0
/*
 * Files without a name.
 */
#include "board/unnamed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>

/* The last two are what a kernel says that does not know of them. */
static bool lacks(int error)
{
	return error == EOPNOTSUPP || error == EISDIR || error == ENOENT;
}

int unnamed_open(int folder, const char *path, int flags)
{
	const int fd = openat(folder, path,
			      O_TMPFILE | O_RDWR | O_CLOEXEC | flags,
			      S_IRUSR | S_IWUSR);

	if (fd >= 0)
		return fd;
	return lacks(errno) ? -EOPNOTSUPP : -errno;
}
