// SPDX-License-Identifier: GPL-2.0
/*
 * Directories of the host's in a Linux guest: a tree is copied there and is the same on the
 * host, and a read-only directory stays as it is.
 *
 * One guest serves all tests; guest/share.sh is what it runs.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest.h"
#include "kselftest_harness.h"

#define FILES 20
#define LARGE (3 << 20)
#define PATH_SIZE 128

/* What became of the guest, for the tests to look at. */
static struct {
	struct guest guest;
	char work[32];
	char fixed[32];
	int status;
} life;

/* Return: @format below a directory, until the next but three. */
static const char *below(const char *directory, const char *format, int number)
{
	static char paths[4][PATH_SIZE];
	static unsigned int next;
	char *path = paths[next++ % 4];
	size_t length = snprintf(path, PATH_SIZE, "%s/", directory);

	snprintf(path + length, PATH_SIZE - length, format, number);
	return path;
}

/* Each file has other bytes. */
static int make_file(const char *path, size_t size, unsigned int seed)
{
	FILE *file = fopen(path, "we");

	if (!file)
		return -1;
	for (size_t i = 0; i < size; i++) {
		seed = seed * 1103515245 + 12345;
		fputc(seed >> 16, file);
	}
	return fclose(file);
}

static int make_tree(const char *work)
{
	int err = mkdir(below(work, "in", 0), 0755) ||
		  mkdir(below(work, "in/a", 0), 0750) ||
		  mkdir(below(work, "in/b", 0), 0755);

	for (int i = 0; i < FILES && !err; i++)
		err = make_file(below(work, "in/a/%d", i), i * 1000, i);
	return err || make_file(below(work, "in/large", 0), LARGE, FILES) ||
	       chmod(below(work, "in/large", 0), 0751) ||
	       symlink("a/3", below(work, "in/link", 0));
}

static int start(void)
{
	static char fixed[64];
	const char *arguments[] = {
		"--kernel",   "vmlinuz-6.1", "--initrd",
		"guest.cpio", "--append",    "console=ttyS0 quiet run=share",
		"--memory",   "256M",	     "--cpus",
		"2",	      "--share",     life.work,
		"--share",    fixed,	     NULL
	};

	strcpy(life.work, "/tmp/work-XXXXXX");
	strcpy(life.fixed, "/tmp/fixed-XXXXXX");
	if (!mkdtemp(life.work) || !mkdtemp(life.fixed) ||
	    make_tree(life.work) ||
	    make_file(below(life.fixed, "file", 0), 0, 0) ||
	    truncate(below(life.fixed, "file", 0), 0))
		return -1;
	snprintf(fixed, sizeof(fixed), "%s:fixed,ro", life.fixed);
	return guest_start(&life.guest, arguments);
}

static const char *fact(const char *name)
{
	return guest_fact(&life.guest, name);
}

/* Return: true if both files have the same bytes and the same mode. */
static bool are_equal(const char *one, const char *other)
{
	static char bytes[2][LARGE + 1];
	const char *const paths[] = { one, other };
	ssize_t sizes[2];
	mode_t modes[2];

	for (int i = 0; i < 2; i++) {
		struct stat status;
		int fd = open(paths[i], O_RDONLY | O_CLOEXEC);

		if (fd < 0 || fstat(fd, &status))
			return false;
		modes[i] = status.st_mode;
		sizes[i] = read(fd, bytes[i], sizeof(bytes[i]));
		close(fd);
	}
	return sizes[0] >= 0 && sizes[0] == sizes[1] && modes[0] == modes[1] &&
	       !memcmp(bytes[0], bytes[1], sizes[0]);
}

TEST(the_guest_ends_well)
{
	EXPECT_EQ(0, life.status);
	EXPECT_STREQ("yes", fact("told"))
	{
		TH_LOG("%s", guest_tail(&life.guest));
	}
	EXPECT_STREQ("", life.guest.errors);
}

TEST(a_directory_is_mounted_by_its_tag)
{
	EXPECT_STREQ("0", fact("mount-work"));
	EXPECT_STREQ("0", fact("mount-fixed"));
	EXPECT_STRNE("0", fact("mount-other"));
}

TEST(a_tree_that_the_guest_copies_is_the_same_on_the_host)
{
	EXPECT_STREQ("0", fact("copy"));
	EXPECT_STREQ("21", fact("files"));
	EXPECT_TRUE(are_equal(below(life.work, "in/large", 0),
			      below(life.work, "out/large", 0)));
	for (int i = 3; i < FILES; i++)
		EXPECT_TRUE(are_equal(below(life.work, "in/a/%d", i),
				      below(life.work, "out/a/%d", i)));
}

TEST(a_symbolic_link_stays_one)
{
	char target[16] = "";

	EXPECT_STREQ("a/3", fact("link"));
	EXPECT_EQ(3, readlink(below(life.work, "out/link", 0), target,
			      sizeof(target)));
}

TEST(files_are_moved_and_removed)
{
	EXPECT_STREQ("0", fact("moved"));
	EXPECT_STREQ("0", fact("removed"));
	EXPECT_TRUE(are_equal(below(life.work, "in/a/1", 0),
			      below(life.work, "out/b/moved", 0)));
	EXPECT_NE(0, access(below(life.work, "out/a/1", 0), F_OK));
	EXPECT_NE(0, access(below(life.work, "out/a/2", 0), F_OK));
}

TEST(a_read_only_directory_stays_as_it_is)
{
	struct stat status;

	EXPECT_STREQ("1", fact("fixed-new"));
	EXPECT_STREQ("1", fact("fixed-write"));
	EXPECT_STREQ("1", fact("fixed-mode"));
	EXPECT_STREQ("1", fact("fixed-remove"));
	EXPECT_NE(0, access(below(life.fixed, "new", 0), F_OK));
	ASSERT_EQ(0, stat(below(life.fixed, "file", 0), &status));
	EXPECT_EQ(0, status.st_size);
	EXPECT_EQ(0, status.st_mode & 0002);
}

/* Of the machine's own and of those that virtiofsd has started. */
TEST(no_process_is_left)
{
	DIR *processes = opendir("/proc");
	struct dirent *entry;
	char name[32];

	while ((entry = readdir(processes))) {
		char path[300];
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		file = fopen(path, "re");
		if (!file)
			continue;
		if (fgets(name, sizeof(name), file))
			EXPECT_STRNE("virtiofsd\n", name);
		fclose(file);
	}
	closedir(processes);
}

int main(int argc, char **argv)
{
	life.status = -1;
	if (!start())
		life.status = guest_end(&life.guest, PATIENCE);
	return test_harness_run(argc, argv);
}
