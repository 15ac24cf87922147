// SPDX-License-Identifier: GPL-2.0
/*
 * Commands in guests whose root is this host's: Debian's kernel with the modules that
 * `lodge run --root` finds for it.
 *
 * Each test starts a guest of its own, from a shell, as people do.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"
#include "kselftest_harness.h"
#include "patience.h"

#define RUN                                                                  \
	"timeout -s KILL 400 lodge run --kernel $LODGE_PAYLOAD/vmlinuz-6.1 " \
	"--memory 256M --root / -- "
#define OUT "/tmp/lodge-root-out"
#define ERR "/tmp/lodge-root-err"
#define IN "/tmp/lodge-root-in"
#define MAX_TEXT 65536
#define RUNS 2

/* Return: the start of a file; the second one of two calls is not the first. */
static const char *text_of(const char *path)
{
	static char texts[2][MAX_TEXT];
	static unsigned int turn;
	char *text = texts[turn++ % 2];
	FILE *file = fopen(path, "re");
	size_t size = file ? fread(text, 1, MAX_TEXT - 1, file) : 0;

	if (file)
		fclose(file);
	text[size] = 0;
	return text;
}

/* Return: the exit code of a shell's command line. */
static int shell(const char *line)
{
	const int status = system(line);

	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(a_command_is_as_if_it_ran_here)
{
	const int code = shell(
		": >" IN "; cd /usr/bin && umask 027 && WORD='of two' " RUN
		"sh -c 'echo $WORD; pwd; id -u; umask; "
		"uname -r; echo to err >&2; exit 42' <" IN " >" OUT " 2>" ERR);

	EXPECT_EQ(42, code)
	{
		TH_LOG("lodge: %s", text_of(ERR));
	}
	EXPECT_EQ(0,
		  strncmp("of two\n/usr/bin\n0\n0027\n6.1.", text_of(OUT), 27))
	{
		TH_LOG("output: %s", text_of(OUT));
	}
	EXPECT_STREQ("to err\n", text_of(ERR));
}

TEST(megabytes_pass_and_the_host_s_files_stay)
{
	ASSERT_EQ(0, shell("head -c 3000001 /dev/urandom >" IN));
	EXPECT_EQ(139, shell(RUN "sh -c 'cat && echo new >/etc/new && "
				 "cat /etc/new >&2 && kill -SEGV $$' <" IN
				 " >" OUT " 2>" ERR));
	EXPECT_EQ(0, shell("cmp " IN " " OUT));
	EXPECT_STREQ("new\n", text_of(ERR));
	EXPECT_NE(0, access("/etc/new", F_OK));
}

TEST(a_program_that_is_not_there_has_a_code_of_its_own)
{
	EXPECT_EQ(127, shell(RUN "no-such-program 2>" ERR));
	EXPECT_NE(NULL, strstr(text_of(ERR), "no-such-program"));
}

TEST(a_command_has_the_terminal_and_its_size)
{
	static const char *const arguments[] = {
		"--kernel",
		"vmlinuz-6.1",
		"--memory",
		"256M",
		"--root",
		"/",
		"--",
		"sh",
		"-c",
		"trap 'stty size; exit 7' WINCH; tty; stty size; "
		"while true; do sleep 1; done",
		NULL
	};
	static struct guest guest;
	const struct winsize first = { .ws_row = 33, .ws_col = 101 };
	const struct winsize second = { .ws_row = 44, .ws_col = 55 };

	ASSERT_EQ(0, guest_start_on_terminal(&guest, arguments));
	ioctl(guest.input, TIOCSWINSZ, &first);
	EXPECT_TRUE(guest_wait(&guest, "/dev/pts/0", PATIENCE));
	EXPECT_TRUE(guest_wait(&guest, "33 101", PATIENCE));
	ioctl(guest.input, TIOCSWINSZ, &second);
	EXPECT_TRUE(guest_wait(&guest, "44 55", PATIENCE));
	EXPECT_EQ(7, guest_end(&guest, PATIENCE))
	{
		TH_LOG("terminal: %s", guest_tail(&guest));
	}
}

/*
 * What there is of programs that run, mounts and files, for a comparison.  The kernel's
 * threads, which come and go, are no programs, and busybox is what looks.
 */
#define LOOK                                        \
	"{ ls -l /proc/[0-9]*/exe 2>/dev/null | "   \
	"sed -n '/busybox/d; s/.* -> //p' | sort; " \
	"cat /proc/mounts; ls /run /dev/shm; }"

TEST(runs_leave_nothing_behind)
{
	ASSERT_EQ(0, shell(LOOK " >/tmp/lodge-root-before"));
	for (int i = 0; i < RUNS; i++)
		EXPECT_EQ(i, shell(i ? RUN "sh -c 'exit 1'" : RUN "true"));
	ASSERT_EQ(0, shell(LOOK " >/tmp/lodge-root-after"));
	EXPECT_EQ(
		0,
		shell("cmp /tmp/lodge-root-before "
		      "/tmp/lodge-root-after || { diff /tmp/lodge-root-before "
		      "/tmp/lodge-root-after | sed 's/^/# /'; false; }"));
}

TEST_HARNESS_MAIN
