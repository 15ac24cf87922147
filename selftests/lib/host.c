// SPDX-License-Identifier: GPL-2.0
/*
 * Actions of tests on the host: see host.h.
 */
#include "host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
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
	const char *parameters = getenv("LODGE_PARAMETERS");

	return file ? module_insert(file, parameters ? parameters : "") :
		      -ENOENT;
}

long host_read(const char *path)
{
	FILE *file = fopen(path, "re");
	long value;

	if (!file)
		return -errno;
	if (fscanf(file, "%ld", &value) != 1)
		value = -EIO;
	fclose(file);
	return value;
}

int host_write(const char *path, const char *value)
{
	ssize_t size = strlen(value);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int error = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, value, size) != size)
		error = -errno;
	close(fd);
	return error;
}

int host_group(const char *name)
{
	char path[sizeof(HOST_GROUPS) + 64];

	mkdir(HOST_GROUPS, 0700);
	if (mount("none", HOST_GROUPS, "cgroup2", 0, NULL) && errno != EBUSY)
		return -errno;
	if (host_write(HOST_GROUPS "/cgroup.subtree_control", "+memory"))
		return -ENOENT;
	snprintf(path, sizeof(path), HOST_GROUPS "/%s", name);
	return mkdir(path, 0700) && errno != EEXIST ? -errno : 0;
}

bool lodge_is_without(const char *feature)
{
	FILE *file = fopen("/sys/module/lodge/parameters/vmx_without", "re");
	char list[1024] = "";
	char *name, *rest = list;

	if (!file)
		return false;
	if (!fgets(list, sizeof(list), file))
		list[0] = '\0';
	fclose(file);
	while ((name = strsep(&rest, ",\n")))
		if (!strcmp(name, feature))
			return true;
	return false;
}

int lodge_users(void)
{
	return host_read("/sys/module/lodge/refcnt");
}

int cpu_set_online(int cpu, bool online)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online",
		 cpu);
	return host_write(path, online ? "1" : "0");
}

int cpu_first(void)
{
	cpu_set_t set;
	int cpu = 0;

	if (sched_getaffinity(0, sizeof(set), &set))
		return 0;
	while (cpu < CPU_SETSIZE - 1 && !CPU_ISSET(cpu, &set))
		cpu++;
	return cpu;
}

int cpu_pin(pthread_t thread, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return -pthread_setaffinity_np(thread, sizeof(set), &set);
}

int cpus_set_online(bool online)
{
	int first = online ? 0 : cpu_first();
	int cpu, error = 0;

	for (cpu = 1; !error; cpu++)
		if (cpu != first)
			error = cpu_set_online(cpu, online);
	return error == -ENOENT ? 0 : error;
}

int host_suspend(void)
{
	int error =
		host_write("/sys/module/suspend/parameters/pm_test_delay", "1");

	if (!error)
		error = host_write("/sys/power/pm_test", "core");
	if (!error)
		error = host_write("/sys/power/state", "mem");
	host_write("/sys/power/pm_test", "none");
	return error;
}

int descriptors_open(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int entries = 0;

	if (!dir)
		return -errno;
	while (readdir(dir))
		entries++;
	closedir(dir);
	return entries;
}
