// SPDX-License-Identifier: GPL-2.0
/*
 * A cgroup of its own for `lodge run`.
 */
#include "cmd/own_cgroup.h"

#include <errno.h>
#include <string.h>

#include "cmd/complain.h"
#include "cmd/exit_code.h"

static int code_of(int err)
{
	return err == -EACCES || err == -EPERM ? EXIT_CODE_PERMISSION :
						 EXIT_CODE_HOST;
}

/* Return: the remedy for a value that cannot be set. */
static const char *remedy_of(int err)
{
	if (err == -EACCES || err == -EPERM)
		return "run as root, or where systemd runs";
	return "have the hierarchy pass this controller on "
	       "(cgroup.subtree_control; with systemd: Delegate=)";
}

static int complain_value(int err, const char *option, const char *controller)
{
	return complain(code_of(err), option,
			err == -ENOENT ? controller : strerror(-err),
			remedy_of(err));
}

static int complain_step(int err, enum cgroup_step step)
{
	const char *why = strerror(-err);

	switch (step) {
	case CGROUP_STEP_FIND:
		return complain(code_of(err), "cgroups",
				err == -ENOENT ? "this host has no unified "
						 "hierarchy" :
						 why,
				"mount cgroup2, or leave out --cpu-weight and "
				"--memory-max");
	case CGROUP_STEP_SYSTEMD:
		if (err == -EPROTO)
			why = "systemd makes no scope";
		else if (err == -ENOENT)
			why = "there is no busctl, which systemd has";
		else if (err == -ETIMEDOUT)
			why = "systemd does not make its scope in time";
		return complain(EXIT_CODE_HOST, "cgroups", why,
				"log in again for an instance of systemd of "
				"your own, or run as root");
	case CGROUP_STEP_MAKE:
		return complain(code_of(err), "making a cgroup", why,
				"run as root, or where systemd runs");
	case CGROUP_STEP_WEIGHT:
		return complain_value(err, "--cpu-weight",
				      "the cgroup has no controller cpu");
	case CGROUP_STEP_MEMORY:
		return complain_value(err, "--memory-max",
				      "the cgroup has no controller memory");
	case CGROUP_STEP_MOVE:
		return complain(code_of(err), "entering a cgroup", why,
				"run as root, or where systemd runs");
	}
	return EXIT_CODE_INTERNAL;
}

int own_cgroup_enter(struct cgroup_own *own, uint64_t cpu_weight,
		     uint64_t memory_max)
{
	enum cgroup_step step;
	int err = cgroup_enter("", own, cpu_weight, memory_max, &step);

	return err ? complain_step(err, step) : 0;
}
