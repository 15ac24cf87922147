// SPDX-License-Identifier: GPL-2.0
/*
 * What tests do to the host: see host.h.
 */
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int module_insert(const char *file, const char *parameters)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	int error = 0;

	if (fd < 0)
		return -errno;
	if (syscall(SYS_finit_module, fd, parameters, 0))
		error = -errno;
	close(fd);
	return error;
}

int module_remove(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

int lodge_insert(void)
{
	const char *file = getenv("LODGE_MODULE");

	return file ? module_insert(file, "") : -ENOENT;
}

int lodge_users(void)
{
	FILE *file = fopen("/sys/module/lodge/refcnt", "re");
	int users;

	if (!file)
		return -errno;
	if (fscanf(file, "%d", &users) != 1)
		users = -EIO;
	fclose(file);
	return users;
}

int cpu_set_online(int cpu, bool online)
{
	char path[64];
	int fd, error = 0;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online",
		 cpu);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, online ? "1" : "0", 1) != 1)
		error = -errno;
	close(fd);
	return error;
}

int cpus_set_online(bool online)
{
	int cpu = 1, error;

	do {
		error = cpu_set_online(cpu++, online);
	} while (!error);
	return error == -ENOENT ? 0 : error;
}
