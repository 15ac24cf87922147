// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of cgroups in a tree of files that looks like a host's.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/cgroup_own.h"

static char root[32];
static char path[512];

__attribute__((format(printf, 1, 2))) static const char *
place(const char *format, ...)
{
	va_list arguments;
	int used = snprintf(path, sizeof(path), "%s", root);

	va_start(arguments, format);
	vsnprintf(path + used, sizeof(path) - used, format, arguments);
	va_end(arguments);
	return path;
}

static void make_directory(const char *name)
{
	for (const char *c = name + 1; *c; c++)
		if (*c == '/')
			mkdir(place("%.*s", (int)(c - name), name), 0755);
	mkdir(place("%s", name), 0755);
}

static void make_file(const char *directory, const char *name, const char *text)
{
	FILE *file;

	make_directory(directory);
	file = fopen(place("%s/%s", directory, name), "w");
	if (!file || fputs(text, file) < 0)
		abort();
	fclose(file);
}

static const char *read_file(const char *name)
{
	static char text[1024];
	FILE *file = fopen(place("%s", name), "r");
	size_t length;

	if (!file)
		return "(absent)";
	length = fread(text, 1, sizeof(text) - 1, file);
	text[length] = '\0';
	fclose(file);
	return text;
}

static int remove_one(const char *name, const struct stat *file, int type,
		      struct FTW *walk)
{
	return remove(name);
}

/* A host with the unified hierarchy at /cg, where the caller is in @group. */
static void make_host(const char *group)
{
	char line[256];

	make_file("/proc/self", "mountinfo",
		  "20 1 0:18 / /sys rw - sysfs sysfs rw\n"
		  "30 20 0:26 /part /part rw - cgroup2 cgroup2 rw\n"
		  "31 20 0:26 / /cg rw,nosuid shared:4 - cgroup2 cgroup2 rw\n");
	snprintf(line, sizeof(line), "4:memory:/old\n0::%s\n", group);
	make_file("/proc/self", "cgroup", line);
	make_file("/cg", "cgroup.subtree_control", "");
	make_file("/cg", "cgroup.procs", "");
}

FIXTURE(cgroup)
{
	struct cgroup_own own;
	enum cgroup_step step;
	char name[32];
};

FIXTURE_SETUP(cgroup)
{
	strcpy(root, "/tmp/cgroup.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(root));
	snprintf(self->name, sizeof(self->name), "lodge-%d", (int)getpid());
}

FIXTURE_TEARDOWN(cgroup)
{
	nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

TEST_F(cgroup, of_a_process_are_read_its_path_and_its_values)
{
	struct cgroup cgroup;

	make_host("/");
	make_file("/proc/42", "cgroup", "1:name=systemd:/x\n0::/a/b\n");
	make_file("/cg/a/b", "cpu.weight", "50\n");
	make_file("/cg/a/b", "memory.max", "1048576\n");
	ASSERT_EQ(0, cgroup_read(root, &cgroup, 42));
	EXPECT_STREQ("/a/b", cgroup.path);
	EXPECT_EQ(50, cgroup.cpu_weight);
	EXPECT_EQ(1048576, cgroup.memory_max);
}

TEST_F(cgroup, max_is_no_limit_and_an_absent_file_is_no_value)
{
	struct cgroup cgroup;

	make_host("/");
	make_file("/proc/42", "cgroup", "0::/a\n");
	make_file("/cg/a", "memory.max", "max\n");
	ASSERT_EQ(0, cgroup_read(root, &cgroup, 42));
	EXPECT_EQ(0, cgroup.cpu_weight);
	EXPECT_EQ(CGROUP_NO_LIMIT, cgroup.memory_max);
}

/* Others may have made what is at such a path below the mount's parent. */
TEST_F(cgroup, of_a_group_outside_of_the_namespace_only_the_path_is_told)
{
	struct cgroup cgroup;

	make_host("/");
	make_file("/proc/42", "cgroup", "0::/../tmp/a\n");
	make_file("/tmp/a", "cpu.weight", "50\n");
	make_file("/tmp/a", "memory.max", "1048576\n");
	ASSERT_EQ(0, cgroup_read(root, &cgroup, 42));
	EXPECT_STREQ("/../tmp/a", cgroup.path);
	EXPECT_EQ(0, cgroup.cpu_weight);
	EXPECT_EQ(0, cgroup.memory_max);
}

TEST_F(cgroup, a_process_or_a_hierarchy_that_is_not_there_is_not_found)
{
	struct cgroup cgroup;

	make_host("/");
	EXPECT_EQ(-ENOENT, cgroup_read(root, &cgroup, 42));
	make_file("/proc/42", "cgroup", "4:memory:/old\n");
	EXPECT_EQ(-ENOENT, cgroup_read(root, &cgroup, 42));
	make_file("/proc/42", "cgroup", "0::/a\n");
	make_file("/proc/self", "mountinfo",
		  "20 1 0:18 / /sys rw - sysfs sysfs rw\n");
	EXPECT_EQ(-ENOENT, cgroup_read(root, &cgroup, 42));
}

TEST_F(cgroup, a_path_that_is_too_long_is_refused)
{
	struct cgroup cgroup;
	char line[400];

	make_host("/");
	snprintf(line, sizeof(line), "0::/%0300d\n", 0);
	make_file("/proc/42", "cgroup", line);
	EXPECT_EQ(-ENAMETOOLONG, cgroup_read(root, &cgroup, 42));
}

/*
 * Plain files stand for the kernel's, so that the new group has its files before, and
 * removing it fails.
 */
static void make_group(const char *parent, const char *name)
{
	char group[128];

	snprintf(group, sizeof(group), "%s/%s", parent, name);
	make_file(group, "cpu.weight", "100\n");
	make_file(group, "memory.max", "max\n");
	make_file(group, "cgroup.procs", "");
}

TEST_F(cgroup, a_new_group_is_made_and_gone_again_if_it_lacks_a_controller)
{
	make_host("/");
	EXPECT_EQ(-ENOENT, cgroup_enter(root, &self->own, 50, 0, &self->step));
	EXPECT_EQ(CGROUP_STEP_WEIGHT, self->step);
	EXPECT_NE(0, access(place("/cg/%s", self->name), F_OK));
	EXPECT_EQ(-ENOENT,
		  cgroup_enter(root, &self->own, 0, 1 << 20, &self->step));
	EXPECT_EQ(CGROUP_STEP_MEMORY, self->step);
	EXPECT_STREQ("", self->own.directory);
}

/* What comes of a group that needs a controller; the file has the last text. */
static const char *last_switched(FIXTURE_DATA(cgroup) * self)
{
	make_file("/cg", "cgroup.subtree_control", "");
	if (cgroup_enter(root, &self->own, 50, 0, &self->step) != -ENOENT)
		return "(not refused)";
	return read_file("/cg/cgroup.subtree_control");
}

TEST_F(cgroup, a_controller_that_was_switched_on_is_switched_off)
{
	make_host("/");
	if (setxattr(place("/cg"), "user.test", "", 0, 0))
		SKIP(return, "no extended attributes in /tmp");
	EXPECT_STREQ("-cpu", last_switched(self));
	EXPECT_NE(0, removexattr(place("/cg"), "user.lodge.cpu"));
	/* Its neighbours have nothing that they would lose. */
	make_group("/cg", "shell");
	make_file("/cg/shell", "cpu.max", "max 100000\n");
	make_file("/cg/shell", "memory.max", "4096\n");
	EXPECT_STREQ("-cpu", last_switched(self));
}

TEST_F(cgroup, a_controller_that_somebody_uses_stays_on)
{
	make_host("/");
	make_group("/cg", "shell");
	make_file("/cg/shell", "cpu.weight", "50\n");
	EXPECT_STREQ("+cpu", last_switched(self));
	make_file("/cg/shell", "cpu.weight", "100\n");
	make_file("/cg/shell", "cpu.max", "50000 100000\n");
	EXPECT_STREQ("+cpu", last_switched(self));
	make_file("/cg/shell", "cpu.max", "max 100000\n");
	/* Whatever its weight. */
	make_group("/cg", "lodge-1");
	EXPECT_STREQ("+cpu", last_switched(self));
}

TEST_F(cgroup, a_directory_of_this_name_is_not_taken_over)
{
	make_host("/");
	make_group("/cg", self->name);
	EXPECT_EQ(-EEXIST, cgroup_enter(root, &self->own, 50, 0, &self->step));
	EXPECT_EQ(CGROUP_STEP_MAKE, self->step);
	cgroup_leave(&self->own);
	EXPECT_EQ(0, access(place("/cg/%s", self->name), F_OK));
}

TEST_F(cgroup, it_is_made_beside_the_callers_since_only_leaves_have_processes)
{
	make_host("/user/shell");
	make_directory("/cg/user/shell");
	/* Nothing can be made at a place where a file stands. */
	rmdir(place("/cg/user/shell"));
	make_file("/cg/user", self->name, "");
	EXPECT_EQ(-EEXIST, cgroup_enter(root, &self->own, 50, 0, &self->step));
	EXPECT_EQ(CGROUP_STEP_MAKE, self->step);
}

TEST_F(cgroup, without_the_unified_hierarchy_nothing_is_made)
{
	make_file("/proc/self", "mountinfo", "");
	make_file("/proc/self", "cgroup", "4:memory:/old\n");
	EXPECT_EQ(-ENOENT, cgroup_enter(root, &self->own, 50, 0, &self->step));
	EXPECT_EQ(CGROUP_STEP_FIND, self->step);
}

/* Return: true when the directory is there, or gone, after some time at most. */
static bool comes_to_be(const char *directory, bool there)
{
	for (int i = 0; i < 3000; i++) {
		if (!access(place("%s", directory), F_OK) == there)
			return true;
		usleep(10000);
	}
	return false;
}

/* A FIFO holds the process where it sets a value: it has made the group by then. */
TEST_F(cgroup, a_process_that_is_killed_leaves_no_group)
{
	static const int signals[] = { SIGTERM, SIGKILL };

	make_host("/");
	unlink(place("/cg/cgroup.subtree_control"));
	ASSERT_EQ(0, mkfifo(place("/cg/cgroup.subtree_control"), 0600));
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		char group[64];
		pid_t child = fork();

		if (!child) {
			cgroup_enter(root, &self->own, 50, 0, &self->step);
			_exit(0);
		}
		snprintf(group, sizeof(group), "/cg/lodge-%d", (int)child);
		EXPECT_TRUE(comes_to_be(group, true));
		kill(child, signals[i]);
		waitpid(child, NULL, 0);
		EXPECT_TRUE(comes_to_be(group, false));
	}
}

/* A busctl that keeps its arguments, and moves the process as systemd would. */
static void make_busctl(const char *script)
{
	char directory[64];

	make_directory("/run/systemd/system");
	make_file("/bin", "busctl", script);
	chmod(place("/bin/busctl"), 0755);
	snprintf(directory, sizeof(directory), "%s/bin:/usr/bin:/bin", root);
	setenv("PATH", directory, 1);
	setenv("TEST_ROOT", root, 1);
}

static const char moves[] = "#!/bin/sh\n"
			    "echo \"$*\" >$TEST_ROOT/said\n"
			    "echo 0::/system.slice/lodge-$PPID.scope "
			    ">$TEST_ROOT/proc/self/cgroup\n";

TEST_F(cgroup, systemd_is_asked_for_a_scope_with_the_values)
{
	char group[128], wanted[512];

	make_host("/user/shell");
	make_busctl(moves);
	snprintf(group, sizeof(group), "/cg/system.slice/%s.scope", self->name);
	make_file(group, "cpu.weight", "50\n");
	make_file(group, "memory.max", "1048576\n");
	ASSERT_EQ(0, cgroup_enter(root, &self->own, 50, 1 << 20, &self->step));
	snprintf(
		wanted, sizeof(wanted),
		"%s --quiet call org.freedesktop.systemd1 "
		"/org/freedesktop/systemd1 org.freedesktop.systemd1.Manager "
		"StartTransientUnit ssa(sv)a(sa(sv)) %s.scope fail 3 PIDs au 1 "
		"%d CPUWeight t 50 MemoryMax t 1048576 0\n",
		geteuid() ? "--user" : "--system", self->name, (int)getpid());
	EXPECT_STREQ(wanted, read_file("/said"));
	/* It is systemd's to remove. */
	EXPECT_STREQ("", self->own.directory);
}

TEST_F(cgroup, a_scope_without_the_controller_is_not_good_enough)
{
	char group[128];

	make_host("/user/shell");
	make_busctl(moves);
	snprintf(group, sizeof(group), "/cg/system.slice/%s.scope", self->name);
	make_file(group, "memory.max", "max\n");
	EXPECT_EQ(-ENOENT, cgroup_enter(root, &self->own, 50, 0, &self->step));
	EXPECT_EQ(CGROUP_STEP_WEIGHT, self->step);
	EXPECT_EQ(-ENOENT,
		  cgroup_enter(root, &self->own, 0, 1 << 20, &self->step));
	EXPECT_EQ(CGROUP_STEP_MEMORY, self->step);
}

TEST_F(cgroup, a_systemd_that_refuses_is_told)
{
	make_host("/user/shell");
	make_busctl("#!/bin/sh\nexit 1\n");
	EXPECT_EQ(-EPROTO, cgroup_enter(root, &self->own, 50, 0, &self->step));
	EXPECT_EQ(CGROUP_STEP_SYSTEMD, self->step);
}

TEST_HARNESS_MAIN
