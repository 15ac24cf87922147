// SPDX-License-Identifier: GPL-2.0
/*
 * Disks of a Linux guest: what it writes is in the file, a read-only disk and a snapshot
 * leave theirs as they were, a discard frees blocks, and of what the guest has made stable
 * nothing is lost when its controller is killed.
 *
 * One guest serves all tests; guest/disk.sh is what it runs.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest.h"
#include "kselftest_harness.h"

#define CODE_CANNOT_OPEN 66
#define SIZE (16 << 20)
#define BLOCK 4096
#define FIRST_BLOCK 2048
#define NR_BLOCKS 2048
#define STABLE_BLOCKS 20

/* What became of the guest, for the tests to look at. */
static struct {
	struct guest guest;
	char data[32];
	char fixed[32];
	blkcnt_t full;
	blkcnt_t after_discard;
	struct guest second;
	int second_status;
	bool told;
	bool killed;
} life;

static int make_file(char *path)
{
	static char bytes[1 << 20];
	int fd;

	strcpy(path, "/tmp/disk-XXXXXX");
	fd = mkstemp(path);
	memset(bytes, 'x', sizeof(bytes));
	for (size_t i = 0; i < SIZE / sizeof(bytes); i++)
		if (write(fd, bytes, sizeof(bytes)) != sizeof(bytes))
			return -1;
	close(fd);
	return 0;
}

static blkcnt_t blocks_of(const char *path)
{
	struct stat file = { .st_blocks = 0 };

	stat(path, &file);
	return file.st_blocks;
}

static bool is_unchanged(const char *path)
{
	static char bytes[SIZE];
	int fd = open(path, O_RDONLY);
	ssize_t size = read(fd, bytes, SIZE);

	close(fd);
	for (ssize_t i = 0; i < size; i++)
		if (bytes[i] != 'x')
			return false;
	return size == SIZE;
}

static int start(void)
{
	static char options[3][128];
	const char *arguments[] = {
		"--kernel",   "vmlinuz-6.1", "--initrd",
		"guest.cpio", "--append",    "console=ttyS0 quiet run=disk",
		"--memory",   "128M",	     "--cpus",
		"2",	      "--disk",	     options[0],
		"--disk",     options[1],    "--disk",
		options[2],   NULL
	};

	if (make_file(life.data) || make_file(life.fixed))
		return -1;
	snprintf(options[0], sizeof(options[0]),
		 "%s,serial=LODGE-0001,queues=2", life.data);
	snprintf(options[1], sizeof(options[1]), "%s,ro", life.fixed);
	snprintf(options[2], sizeof(options[2]), "%s,snapshot=on", life.fixed);
	setenv("TMPDIR", "/tmp", 1);
	life.full = blocks_of(life.data);
	return guest_start(&life.guest, arguments);
}

/* A second guest is not let to the disk of the first. */
static void start_second(void)
{
	const char *arguments[] = { "--kernel", "vmlinuz-6.1", "--disk",
				    life.data, NULL };

	if (!guest_start(&life.second, arguments))
		life.second_status = guest_end(&life.second, PATIENCE);
}

static void live(void)
{
	if (start())
		return;
	life.told = guest_wait(&life.guest, "facts: told", PATIENCE);
	life.after_discard = blocks_of(life.data);
	start_second();
	for (int i = 0; i < STABLE_BLOCKS; i++)
		if (!guest_wait(&life.guest, "stable: ", PATIENCE))
			return;
	life.killed = !kill(life.guest.pid, SIGKILL);
	guest_end(&life.guest, PATIENCE);
}

static const char *fact(const char *name)
{
	return guest_fact(&life.guest, name);
}

TEST(the_guest_has_told_its_facts)
{
	EXPECT_TRUE(life.told)
	{
		TH_LOG("%s", guest_tail(&life.guest));
		TH_LOG("%s", life.guest.errors);
	}
	EXPECT_STREQ("0", fact("complaints"));
}

TEST(disks_have_the_size_of_their_files_and_what_was_asked_for)
{
	EXPECT_STREQ("32768", fact("vda-sectors"));
	EXPECT_STREQ("32768", fact("vdc-sectors"));
	EXPECT_STREQ("0", fact("vda-read-only"));
	EXPECT_STREQ("1", fact("vdb-read-only"));
	EXPECT_STREQ("0", fact("vdc-read-only"));
	EXPECT_STREQ("LODGE-0001", fact("serial"));
	EXPECT_STREQ("2", fact("queues"));
	EXPECT_STREQ("write back", fact("cache"));
}

TEST(what_is_written_is_read_back)
{
	EXPECT_STRNE("absent", fact("written"));
	EXPECT_STREQ(fact("written"), fact("read-back"));
	EXPECT_STREQ(fact("first-part"), fact("first-read"));
}

TEST(a_read_only_disk_refuses_writes_and_discards)
{
	EXPECT_STREQ("1", fact("read-only-write"));
	EXPECT_STREQ("1", fact("discard-read-only"));
}

TEST(a_snapshot_shows_what_was_written_and_leaves_its_file)
{
	EXPECT_STRNE("absent", fact("snapshot"));
	EXPECT_STREQ(fact("snapshot-expected"), fact("snapshot"));
	EXPECT_TRUE(is_unchanged(life.fixed));
}

TEST(a_discard_frees_blocks_of_the_host)
{
	EXPECT_STREQ("0", fact("discard"));
	EXPECT_LE(life.after_discard + (4 << 20) / 512, life.full);
}

TEST(a_second_machine_cannot_have_the_disk)
{
	char process[32];

	snprintf(process, sizeof(process), "process %d", life.guest.pid);
	EXPECT_EQ(CODE_CANNOT_OPEN, life.second_status);
	EXPECT_NE(NULL, strstr(life.second.errors, life.data));
	EXPECT_NE(NULL, strstr(life.second.errors, process))
	{
		TH_LOG("%s", life.second.errors);
	}
}

TEST(what_was_stable_is_in_the_file_after_a_kill)
{
	const char *line = life.guest.text;
	int fd = open(life.data, O_RDONLY);
	unsigned int count = 0;

	ASSERT_TRUE(life.killed);
	while ((line = strstr(line, "stable: ")) && strchr(line, '\n')) {
		char expected[32], found[32] = "";
		int number = atoi(line + strlen("stable: "));

		ASSERT_LE(FIRST_BLOCK, number);
		ASSERT_GT(FIRST_BLOCK + NR_BLOCKS, number);
		snprintf(expected, sizeof(expected), "block %08d", number);
		EXPECT_LT(0, pread(fd, found, strlen(expected),
				   (off_t)number * BLOCK));
		EXPECT_STREQ(expected, found);
		line += strlen("stable: ");
		count++;
	}
	EXPECT_LE(STABLE_BLOCKS - 1, count);
	close(fd);
}

int main(int argc, char **argv)
{
	int status;

	live();
	status = test_harness_run(argc, argv);
	unlink(life.data);
	unlink(life.fixed);
	return status;
}
