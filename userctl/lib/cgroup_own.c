// SPDX-License-Identifier: GPL-2.0
/*
 * A control group of the calling process's own: see cgroup_own.h.
 */
#include "lib/cgroup_own.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/cgroup_file.h"
#include "lib/cgroup_parent.h"

/* systemd answers before it has moved the process; an end, too, takes some time. */
#define WAIT_STEP_NS 10000000L
#define WAIT_STEPS 500
/* Of busctl's command line. */
#define MAX_WORDS 32

extern char **environ;

/**
 * struct words - the command line of busctl
 */
struct words {
	char *list[MAX_WORDS + 1];
	size_t count;
};

/* Adds words that are in order, up to NULL; the list has room for all there can be. */
static void add_words(struct words *words, const char *word, ...)
{
	va_list rest;

	va_start(rest, word);
	for (; word; word = va_arg(rest, const char *))
		words->list[words->count++] = (char *)word;
	va_end(rest);
}

/* Runs busctl, which tells the user why systemd refuses. */
static int run_busctl(struct words *words)
{
	pid_t child;
	int status;
	int err = posix_spawnp(&child, words->list[0], NULL, NULL, words->list,
			       environ);

	if (err)
		return -err;
	if (waitpid(child, &status, 0) < 0)
		return -errno;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -EPROTO;
}

/*
 * Has systemd make a scope with this process in it: org.freedesktop.systemd1(5).
 *
 * Return: 0; -EPROTO it has refused; -errno.
 */
static int call_systemd(const char *unit, uint64_t cpu_weight,
			uint64_t memory_max)
{
	char pid[16], weight[32], memory[32], properties[16];
	struct words words = { .count = 0 };

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	snprintf(weight, sizeof(weight), "%" PRIu64, cpu_weight);
	snprintf(memory, sizeof(memory), "%" PRIu64, memory_max);
	snprintf(properties, sizeof(properties), "%d",
		 1 + !!cpu_weight + !!memory_max);
	add_words(&words, "busctl", geteuid() ? "--user" : "--system",
		  "--quiet", "call", "org.freedesktop.systemd1",
		  "/org/freedesktop/systemd1",
		  "org.freedesktop.systemd1.Manager", "StartTransientUnit",
		  "ssa(sv)a(sa(sv))", unit, "fail", properties, "PIDs", "au",
		  "1", pid, NULL);
	if (cpu_weight)
		add_words(&words, "CPUWeight", "t", weight, NULL);
	if (memory_max)
		add_words(&words, "MemoryMax", "t", memory, NULL);
	/* No further units. */
	add_words(&words, "0", NULL);
	return run_busctl(&words);
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text);

	return length >= strlen(end) &&
	       !strcmp(text + length - strlen(end), end);
}

/* Return: 0; -ETIMEDOUT; -errno. */
static int wait_for_scope(const char *root, const char *unit)
{
	const struct timespec step = { .tv_nsec = WAIT_STEP_NS };
	char path[CGROUP_PATH_SIZE];
	int err;

	for (int i = 0; i < WAIT_STEPS; i++) {
		err = cgroup_path(root, "self", path);
		if (err)
			return err;
		if (ends_with(path, unit))
			return 0;
		nanosleep(&step, NULL);
	}
	return -ETIMEDOUT;
}

/* A user's own instance of systemd may have been given no controllers. */
static int check_scope(const char *root, uint64_t cpu_weight,
		       uint64_t memory_max, enum cgroup_step *step)
{
	struct cgroup cgroup;
	int err = cgroup_read_of(root, "self", &cgroup);

	if (err)
		return err;
	*step = CGROUP_STEP_WEIGHT;
	if (cpu_weight && cgroup.cpu_weight != cpu_weight)
		return -ENOENT;
	*step = CGROUP_STEP_MEMORY;
	if (memory_max &&
	    (!cgroup.memory_max || cgroup.memory_max == CGROUP_NO_LIMIT))
		return -ENOENT;
	return 0;
}

static int enter_scope(const char *root, uint64_t cpu_weight,
		       uint64_t memory_max, enum cgroup_step *step)
{
	char unit[32];
	int err;

	*step = CGROUP_STEP_SYSTEMD;
	snprintf(unit, sizeof(unit), "lodge-%d.scope", (int)getpid());
	err = call_systemd(unit, cpu_weight, memory_max);
	if (!err)
		err = wait_for_scope(root, unit);
	if (!err)
		err = check_scope(root, cpu_weight, memory_max, step);
	return err;
}

/* Chooses the parent of the new group: only the root may have groups and processes. */
static int find_parent(const char *root, struct cgroup_own *own, char *parent)
{
	char mount[CGROUP_PATH_SIZE], path[CGROUP_PATH_SIZE];
	char procs[PATH_MAX];
	int err;

	err = cgroup_mount(root, mount, sizeof(mount));
	if (!err)
		err = cgroup_path(root, "self", path);
	if (!err)
		err = cgroup_directory(mount, path, parent);
	if (!err)
		err = cgroup_join(procs, sizeof(procs), "%s/cgroup.procs",
				  parent);
	if (err)
		return err;
	/* Where it cannot be opened, the process stays until it ends. */
	own->back = open(procs, O_WRONLY | O_CLOEXEC);
	if (strcmp(path, "/"))
		*strrchr(parent, '/') = '\0';
	return 0;
}

/* Sets a value of a new group, whose parent may have to pass the controller on first. */
static int set_value(const char *parent, const char *group,
		     const char *controller, const char *name, uint64_t value)
{
	int err = cgroup_write_number(group, name, value);

	if (err != -ENOENT)
		return err;
	err = cgroup_parent_switch_on(parent, controller);
	return err ?: cgroup_write_number(group, name, value);
}

static int fill_group(const char *parent, const char *group,
		      uint64_t cpu_weight, uint64_t memory_max,
		      enum cgroup_step *step)
{
	int err = 0;

	*step = CGROUP_STEP_WEIGHT;
	if (cpu_weight)
		err = set_value(parent, group, "cpu", "cpu.weight", cpu_weight);
	if (err)
		return err;
	*step = CGROUP_STEP_MEMORY;
	if (memory_max)
		err = set_value(parent, group, "memory", "memory.max",
				memory_max);
	if (err)
		return err;
	*step = CGROUP_STEP_MOVE;
	return cgroup_write_number(group, "cgroup.procs", getpid());
}

/*
 * The keeper: waits until the caller has ended, and removes its group and what was
 * switched on for it.  It holds none of the caller's files, and no signal to the caller's
 * terminal or session reaches it.
 */
__attribute__((noreturn)) static void keep(int life, const char *parent,
					   const char *directory)
{
	const struct timespec step = { .tv_nsec = WAIT_STEP_NS };
	char byte;

	prctl(PR_SET_NAME, "lodge-cgroup");
	setsid();
	if (dup2(life, STDIN_FILENO) < 0 || close_range(1, UINT_MAX, 0) ||
	    chdir("/"))
		_exit(1);
	while (read(STDIN_FILENO, &byte, sizeof(byte)) < 0 && errno == EINTR)
		;
	/* The end of its files comes shortly before a process leaves its group. */
	for (int i = 0; i < WAIT_STEPS && rmdir(directory) && errno == EBUSY;
	     i++)
		nanosleep(&step, NULL);
	cgroup_parent_switch_off(parent);
	_exit(0);
}

/* Return: 0 or -errno. */
static int start_keeper(struct cgroup_own *own, const char *parent)
{
	sigset_t all, before;
	int ends[2];
	int err;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	own->keeper = fork();
	if (!own->keeper)
		keep(ends[0], parent, own->directory);
	err = own->keeper < 0 ? -errno : 0;
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(ends[0]);
	own->life = ends[1];
	if (err)
		close(ends[1]);
	return err;
}

static void forget(struct cgroup_own *own)
{
	if (own->back >= 0)
		close(own->back);
	own->back = -1;
	*own->directory = '\0';
}

/* Lets the keeper remove the group, and waits for that. */
static void remove_group(struct cgroup_own *own)
{
	close(own->life);
	waitpid(own->keeper, NULL, 0);
	forget(own);
}

/* Makes the group, when there is somebody who will remove it.  Return: 0 or -errno. */
static int make_group(struct cgroup_own *own, const char *parent)
{
	int err = start_keeper(own, parent);

	if (err)
		return err;
	if (!mkdir(own->directory, 0755))
		return 0;
	err = -errno;
	/* What is there is not ours to remove. */
	kill(own->keeper, SIGKILL);
	waitpid(own->keeper, NULL, 0);
	close(own->life);
	return err;
}

static int enter_directory(const char *root, struct cgroup_own *own,
			   uint64_t cpu_weight, uint64_t memory_max,
			   enum cgroup_step *step)
{
	char parent[CGROUP_DIRECTORY_SIZE];
	int err, lock;

	*step = CGROUP_STEP_FIND;
	own->back = -1;
	err = find_parent(root, own, parent);
	if (err)
		return err;
	*step = CGROUP_STEP_MAKE;
	err = cgroup_join(own->directory, sizeof(own->directory), "%s/lodge-%d",
			  parent, (int)getpid());
	lock = cgroup_parent_lock(parent);
	if (!err)
		err = make_group(own, parent);
	if (err) {
		forget(own);
		cgroup_parent_unlock(lock);
		return err;
	}
	err = fill_group(parent, own->directory, cpu_weight, memory_max, step);
	cgroup_parent_unlock(lock);
	if (err)
		remove_group(own);
	return err;
}

int cgroup_enter(const char *root, struct cgroup_own *own, uint64_t cpu_weight,
		 uint64_t memory_max, enum cgroup_step *step)
{
	char booted[PATH_MAX];
	int err;

	memset(own, 0, sizeof(*own));
	*step = CGROUP_STEP_FIND;
	/* sd_booted(3) */
	err = cgroup_join(booted, sizeof(booted), "%s/run/systemd/system",
			  root);
	if (err)
		return err;
	if (!access(booted, F_OK))
		return enter_scope(root, cpu_weight, memory_max, step);
	return enter_directory(root, own, cpu_weight, memory_max, step);
}

void cgroup_leave(struct cgroup_own *own)
{
	if (!*own->directory)
		return;
	/* The keeper goes on trying as long as the group has a process. */
	if (own->back >= 0 && dprintf(own->back, "%d", (int)getpid()) > 0) {
		remove_group(own);
		return;
	}
	close(own->life);
	forget(own);
}
