// SPDX-License-Identifier: GPL-2.0
/*
 * Filters of system calls, as the build has made them: FILTERS is the header that
 * make_filters.c wrote.
 */
#include "sandbox/filter.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include FILTERS

/* A thread may send a signal to the threads of its own process. */
static void set_pid(struct sock_filter *filter, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (filter[i].k == OWN_PID)
			filter[i].k = getpid();
}

int filter_build(struct sock_fprog *program, enum sandbox_kind kind)
{
	const size_t count = made[kind].count;
	struct sock_filter *filter = calloc(count, sizeof(*filter));

	if (!filter)
		return -ENOMEM;
	memcpy(filter, made[kind].code, count * sizeof(*filter));
	set_pid(filter, count);
	program->filter = filter;
	program->len = count;
	return 0;
}

int filter_check_kernel(void)
{
	/* One that has filters looks for the program first. */
	if (!syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL))
		return 0;
	if (errno == EINVAL)
		return -ENOSYS;
	return errno == EFAULT ? 0 : -errno;
}

int filter_install(const struct sock_fprog *program)
{
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, program) ?
		       -errno :
		       0;
}
