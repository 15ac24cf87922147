// SPDX-License-Identifier: GPL-2.0
/*
 * Control groups, version 2.
 */
#include "lib/cgroup.h"

#include <dirent.h>
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
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

/* systemd answers before it has moved the process; an end, too, takes some time. */
#define WAIT_STEP_NS 10000000L
#define WAIT_STEPS 500
/* Of busctl's command line. */
#define MAX_WORDS 32

extern char **environ;

/* Return: 0 or -ENAMETOOLONG. */
__attribute__((format(printf, 3, 4))) static int join(char *text, size_t size,
						      const char *format, ...)
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
	int fd = join(path, sizeof(path), "%s/%s", directory, name);

	if (fd)
		return fd;
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Return: 0 or -errno. */
static int write_file(const char *directory, const char *name, const char *text)
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

static int write_number(const char *directory, const char *name,
			uint64_t number)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	return write_file(directory, name, text);
}

/* Return: true if the file has a text. */
static bool read_text(const char *directory, const char *name, char *text,
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

/* Return: the number in a file, CGROUP_NO_LIMIT for "max", or 0. */
static uint64_t read_number(const char *directory, const char *name)
{
	uint64_t number = 0;
	char text[32];

	if (!read_text(directory, name, text, sizeof(text)))
		return 0;
	if (!strncmp(text, "max", 3))
		return CGROUP_NO_LIMIT;
	return sscanf(text, "%" SCNu64, &number) == 1 ? number : 0;
}

/* Finds the mount of the whole unified hierarchy: proc_pid_mountinfo(5). */
static int find_mount(const char *root, char *mount, size_t size)
{
	char path[PATH_MAX], line[PATH_MAX], top[PATH_MAX], place[PATH_MAX];
	int err = join(path, sizeof(path), "%s/proc/self/mountinfo", root);
	FILE *file;

	if (err)
		return err;
	file = fopen(path, "re");
	if (!file)
		return -errno;
	err = -ENOENT;
	while (err == -ENOENT && fgets(line, sizeof(line), file))
		if (strstr(line, " - cgroup2 ") &&
		    sscanf(line, "%*s %*s %*s %s %s", top, place) == 2 &&
		    !strcmp(top, "/"))
			err = join(mount, size, "%s%s", root, place);
	fclose(file);
	return err;
}

/* Reads the path of a process's cgroup: the line of hierarchy 0. */
static int read_path(const char *root, const char *process, char *group)
{
	char path[PATH_MAX], line[PATH_MAX];
	int err = join(path, sizeof(path), "%s/proc/%s/cgroup", root, process);
	FILE *file;

	if (err)
		return err;
	file = fopen(path, "re");
	if (!file)
		return -errno;
	err = -ENOENT;
	while (err == -ENOENT && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "0::/", 4))
			err = join(group, CGROUP_PATH_SIZE, "%s", line + 3);
	}
	fclose(file);
	return err;
}

/* The root of the hierarchy is "/", which adds nothing to the mount's path. */
static int directory_of(const char *mount, const char *group, char *directory)
{
	return join(directory, CGROUP_DIRECTORY_SIZE, "%s%s", mount,
		    strcmp(group, "/") ? group : "");
}

static int read_group(const char *root, const char *process,
		      struct cgroup *cgroup)
{
	char mount[CGROUP_PATH_SIZE], directory[CGROUP_DIRECTORY_SIZE];
	int err;

	err = read_path(root, process, cgroup->path);
	if (!err)
		err = find_mount(root, mount, sizeof(mount));
	if (!err)
		err = directory_of(mount, cgroup->path, directory);
	cgroup->cpu_weight = 0;
	cgroup->memory_max = 0;
	/* Outside of the caller's cgroup namespace, where the path leads elsewhere. */
	if (err || !strncmp(cgroup->path, "/../", strlen("/../")))
		return err;
	cgroup->cpu_weight = read_number(directory, "cpu.weight");
	cgroup->memory_max = read_number(directory, "memory.max");
	return 0;
}

int cgroup_read(const char *root, struct cgroup *cgroup, pid_t pid)
{
	char process[16];

	snprintf(process, sizeof(process), "%d", (int)pid);
	return read_group(root, process, cgroup);
}

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
		err = read_path(root, "self", path);
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
	int err = read_group(root, "self", &cgroup);

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
	int err;

	err = find_mount(root, mount, sizeof(mount));
	if (!err)
		err = read_path(root, "self", path);
	if (!err)
		err = directory_of(mount, path, own->before);
	if (!err)
		err = join(parent, CGROUP_DIRECTORY_SIZE, "%s", own->before);
	if (!err && strcmp(path, "/"))
		*strrchr(parent, '/') = '\0';
	return err;
}

/*
 * Keeps others of this program from making groups here, or from switching controllers
 * off.  Anybody may hold the lock: who waits for too long goes on without it.
 *
 * Return: a descriptor; closing it gives the lock back; -1 after an error.
 */
static int lock_parent(const char *parent)
{
	const struct timespec step = { .tv_nsec = WAIT_STEP_NS };
	int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (int i = 0;
	     i < WAIT_STEPS && fd >= 0 && flock(fd, LOCK_EX | LOCK_NB); i++)
		nanosleep(&step, NULL);
	return fd;
}

static void unlock_parent(int lock)
{
	if (lock >= 0)
		close(lock);
}

/* The mark of a parent for which this program has switched a controller on. */
static void mark_of(const char *controller, char *mark, size_t size)
{
	snprintf(mark, size, "user.lodge.%s", controller);
}

/*
 * Has the parent pass a controller on to its groups, for as long as there are groups.
 * Where it cannot be marked, it goes on to do so.
 */
static int switch_on(const char *parent, const char *controller)
{
	char text[16], mark[32];
	int err;

	snprintf(text, sizeof(text), "+%s", controller);
	err = write_file(parent, "cgroup.subtree_control", text);
	if (err)
		return err;
	mark_of(controller, mark, sizeof(mark));
	setxattr(parent, mark, "", 0, 0);
	return 0;
}

/**
 * struct value - a file of a group, and what it has until somebody writes there
 */
struct value {
	const char *file;
	const char *unused;
};

static const struct controller {
	const char *name;
	struct value values[9];
} controllers[] = {
	{ "cpu",
	  { { "cpu.weight", "100\n" },
	    { "cpu.max", "max 100000\n" },
	    { "cpu.max.burst", "0\n" },
	    { "cpu.idle", "0\n" },
	    { "cpu.uclamp.min", "0.00\n" },
	    { "cpu.uclamp.max", "max\n" } } },
	{ "memory",
	  { { "memory.min", "0\n" },
	    { "memory.low", "0\n" },
	    { "memory.high", "max\n" },
	    { "memory.max", "max\n" },
	    { "memory.oom.group", "0\n" },
	    { "memory.swap.high", "max\n" },
	    { "memory.swap.max", "max\n" },
	    { "memory.zswap.max", "max\n" } } },
};

/* Return: true if a group has a value of its own, or is another one of this program. */
static bool is_used(const char *parent, const char *group,
		    const struct controller *controller)
{
	const struct value *value = controller->values;
	char directory[PATH_MAX], text[32];

	if (!strncmp(group, "lodge-", strlen("lodge-")) ||
	    join(directory, sizeof(directory), "%s/%s", parent, group))
		return true;
	for (; value->file; value++)
		if (read_text(directory, value->file, text, sizeof(text)) &&
		    strcmp(text, value->unused))
			return true;
	return false;
}

static bool has_user(const char *parent, const struct controller *controller)
{
	DIR *directory = opendir(parent);
	const struct dirent *entry;
	bool found = !directory;

	while (!found && (entry = readdir(directory)))
		found = entry->d_type == DT_DIR && *entry->d_name != '.' &&
			is_used(parent, entry->d_name, controller);
	if (directory)
		closedir(directory);
	return found;
}

/*
 * Undoes switch_on(), unless there is a group that would lose a value.  If that is this
 * program's, too, its own end comes here again.  The kernel refuses while a group passes
 * the controller on itself.
 */
static void switch_off(const char *parent)
{
	int lock = lock_parent(parent);
	char text[16], mark[32];

	for (size_t i = 0; i < sizeof(controllers) / sizeof(controllers[0]);
	     i++) {
		if (has_user(parent, &controllers[i]))
			continue;
		mark_of(controllers[i].name, mark, sizeof(mark));
		if (removexattr(parent, mark))
			continue;
		snprintf(text, sizeof(text), "-%s", controllers[i].name);
		write_file(parent, "cgroup.subtree_control", text);
	}
	unlock_parent(lock);
}

/* Sets a value of a new group, whose parent may have to pass the controller on first. */
static int set_value(const char *parent, const char *group,
		     const char *controller, const char *name, uint64_t value)
{
	int err = write_number(group, name, value);

	if (err != -ENOENT)
		return err;
	err = switch_on(parent, controller);
	return err ?: write_number(group, name, value);
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
	return write_number(group, "cgroup.procs", getpid());
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
	switch_off(parent);
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

/* Removes the group.  Where it has processes yet, the keeper goes on trying. */
static void remove_group(struct cgroup_own *own)
{
	bool gone = !rmdir(own->directory);

	close(own->life);
	if (gone)
		waitpid(own->keeper, NULL, 0);
	*own->directory = '\0';
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
	err = find_parent(root, own, parent);
	if (err)
		return err;
	*step = CGROUP_STEP_MAKE;
	err = join(own->directory, sizeof(own->directory), "%s/lodge-%d",
		   parent, (int)getpid());
	lock = lock_parent(parent);
	if (!err)
		err = make_group(own, parent);
	if (err) {
		*own->directory = '\0';
		unlock_parent(lock);
		return err;
	}
	err = fill_group(parent, own->directory, cpu_weight, memory_max, step);
	unlock_parent(lock);
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
	err = join(booted, sizeof(booted), "%s/run/systemd/system", root);
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
	write_number(own->before, "cgroup.procs", getpid());
	remove_group(own);
}
