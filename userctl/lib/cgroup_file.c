// SPDX-License-Identifier: GPL-2.0
/*
 * Files of control groups: see cgroup_file.h.
 */
#include "lib/cgroup_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/cgroup.h"

int cgroup_join(char *text, size_t size, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(text, size, format, arguments);
	va_end(arguments);
	return length < 0 || (size_t)length >= size ? -ENAMETOOLONG : 0;
}

static int open_file(const char *directory, const char *name, int flags)
{
	char path[PATH_MAX];
	int fd = cgroup_join(path, sizeof(path), "%s/%s", directory, name);

	if (fd)
		return fd;
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int cgroup_write(const char *directory, const char *name, const char *text)
{
	int fd = open_file(directory, name, O_WRONLY);
	int err = 0;

	if (fd < 0)
		return fd;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

int cgroup_write_number(const char *directory, const char *name,
			uint64_t number)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	return cgroup_write(directory, name, text);
}

bool cgroup_read_text(const char *directory, const char *name, char *text,
		      size_t size)
{
	int fd = open_file(directory, name, O_RDONLY);
	ssize_t length;

	if (fd < 0)
		return false;
	length = read(fd, text, size - 1);
	close(fd);
	if (length <= 0)
		return false;
	text[length] = '\0';
	return true;
}

uint64_t cgroup_read_number(const char *directory, const char *name)
{
	uint64_t number = 0;
	char text[32];

	if (!cgroup_read_text(directory, name, text, sizeof(text)))
		return 0;
	if (!strncmp(text, "max", 3))
		return CGROUP_NO_LIMIT;
	return sscanf(text, "%" SCNu64, &number) == 1 ? number : 0;
}
