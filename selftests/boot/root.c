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
#include <time.h>
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
#define SAID "/tmp/lodge-root-said"
#define MAX_TEXT 65536
/* And as many more as the seconds of SOAK_SECONDS in the environment have room for. */
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

/* Return: the exit code of a shell's command line; what it complains of is in SAID. */
static int shell(const char *line)
{
	char *whole;
	int status;

	if (asprintf(&whole, "exec 2>" SAID "; %s", line) < 0)
		return -1;
	status = system(whole);
	free(whole);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* A command line that is to end with a code; if it does not, its complaints tell why. */
#define EXPECT_CODE(code, line)                                              \
	do {                                                                 \
		const char *const told = (line);                             \
		const int ended = shell(told);                               \
                                                                             \
		EXPECT_EQ(code, ended)                                       \
		{                                                            \
			TH_LOG("`%s` ended with %d and complains: %s", told, \
			       ended, text_of(SAID));                        \
		}                                                            \
	} while (0)

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
	EXPECT_CODE(139, RUN "sh -c 'cat && echo new >/etc/new && "
			     "cat /etc/new >&2 && kill -SEGV $$' <" IN " >" OUT
			     " 2>" ERR);
	EXPECT_CODE(0, "cmp " IN " " OUT);
	EXPECT_STREQ("new\n", text_of(ERR));
	EXPECT_NE(0, access("/etc/new", F_OK));
}

TEST(a_program_that_is_not_there_has_a_code_of_its_own)
{
	EXPECT_CODE(127, RUN "no-such-program 2>" ERR);
	EXPECT_NE(NULL, strstr(text_of(ERR), "no-such-program"));
}

TEST(what_fails_before_there_is_a_machine_is_no_end_of_a_command)
{
	EXPECT_CODE(125, "lodge run --directory /no/where --kernel vmlinuz-6.1 "
			 "--root / -- true");
	EXPECT_CODE(64, "lodge run --no-such-option --root / -- true");
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

#define START                                                    \
	"timeout -s KILL 400 lodge run -d --name idle --kernel " \
	"$LODGE_PAYLOAD/vmlinuz-6.1 --memory 256M --root / >/dev/null 2>" ERR
/*
 * As a shell's last command it takes the shell's place, and busybox's timeout then ends
 * with 1 if a child of that one was killed and is not waited for yet.
 */
#define EXEC "timeout -s KILL 100 lodge exec "

/* Has a machine without a command of its own, which waits for some. */
FIXTURE(idle){};

FIXTURE_SETUP(idle)
{
	ASSERT_EQ(0, shell(START))
	{
		TH_LOG("lodge: %s", text_of(ERR));
	}
}

FIXTURE_TEARDOWN(idle)
{
	EXPECT_EQ(0, shell("lodge stop --time 60 idle 2>" ERR))
	{
		TH_LOG("lodge: %s", text_of(ERR));
	}
	EXPECT_CODE(0, "lodge rm idle");
}

static void check_terminal(struct __test_metadata *_metadata)
{
	static const char *const arguments[] = {
		"-t",
		"idle",
		"--",
		"sh",
		"-c",
		"trap 'stty size' WINCH; trap 'echo interrupted; exit 7' INT; "
		"tty; stty size; while :; do sleep 0.1; done",
		NULL
	};
	const struct winsize first = { .ws_row = 33, .ws_col = 101 };
	const struct winsize second = { .ws_row = 44, .ws_col = 55 };
	static struct guest guest;

	ASSERT_EQ(0, guest_exec_on_terminal(&guest, arguments));
	ioctl(guest.input, TIOCSWINSZ, &first);
	EXPECT_TRUE(guest_wait(&guest, "/dev/pts/", PATIENCE));
	EXPECT_TRUE(guest_wait(&guest, "33 101", PATIENCE));
	ioctl(guest.input, TIOCSWINSZ, &second);
	EXPECT_TRUE(guest_wait(&guest, "44 55", PATIENCE));
	guest_type(&guest, "\003");
	EXPECT_TRUE(guest_wait(&guest, "interrupted", PATIENCE));
	EXPECT_EQ(7, guest_end(&guest, PATIENCE))
	{
		TH_LOG("terminal: %s", guest_tail(&guest));
	}
}

/* Without a command, and without --tty. */
static void check_shell(struct __test_metadata *_metadata)
{
	static const char *const arguments[] = { "idle", NULL };
	static struct guest guest;

	ASSERT_EQ(0, guest_exec_on_terminal(&guest, arguments));
	guest_type(&guest, "tty; exit 5\r");
	EXPECT_TRUE(guest_wait(&guest, "/dev/pts/", PATIENCE));
	EXPECT_EQ(5, guest_end(&guest, PATIENCE))
	{
		TH_LOG("terminal: %s", guest_tail(&guest));
	}
}

/* Whoever leaves a command hangs it up. */
static void check_leaving(struct __test_metadata *_metadata)
{
	static const char *const arguments[] = {
		"--tty",
		"idle",
		"--",
		"sh",
		"-c",
		"trap 'echo >/tmp/left; exit' HUP; echo up; "
		"while :; do sleep 0.1; done",
		NULL
	};
	static struct guest guest;

	ASSERT_EQ(0, guest_exec_on_terminal(&guest, arguments));
	EXPECT_TRUE(guest_wait(&guest, "up", PATIENCE));
	guest_type(&guest, "\035\035\035");
	EXPECT_EQ(124, guest_end(&guest, PATIENCE));
	EXPECT_CODE(0, EXEC "idle -- sh -c 'until [ -e /tmp/left ]; do "
			    "sleep 0.1; done'");
}

TEST_F(idle, machine_runs_commands_until_it_is_stopped)
{
	/* Input, both outputs, environment, directory and status, as for one here. */
	EXPECT_EQ(42, shell("cd /usr/bin && echo from in | WORD='of two' " EXEC
			    "idle -- sh -c 'cat; echo $WORD; pwd; uname "
			    "-r; echo to err >&2; exit 42' >" OUT " 2>" ERR))
	{
		TH_LOG("lodge: %s", text_of(ERR));
	}
	EXPECT_EQ(0,
		  strncmp("from in\nof two\n/usr/bin\n6.1.", text_of(OUT), 28))
	{
		TH_LOG("output: %s", text_of(OUT));
	}
	EXPECT_STREQ("to err\n", text_of(ERR));
	/* Another user, elsewhere, with a variable; what another one has made. */
	EXPECT_CODE(0, EXEC "idle touch /tmp/mine");
	EXPECT_CODE(0, EXEC "-u 1234:56 -w /tmp -e A=b idle -- sh -c "
			    "'id -u; id -g; pwd; echo $A; ls mine' >" OUT);
	EXPECT_STREQ("1234\n56\n/tmp\nb\nmine\n", text_of(OUT));
	EXPECT_NE(0, access("/tmp/mine", F_OK));
	/* Ends of other kinds. */
	EXPECT_CODE(139, EXEC "idle -- sh -c 'kill -SEGV $$'");
	EXPECT_CODE(127, EXEC "idle no-such-program 2>" ERR);
	EXPECT_NE(NULL, strstr(text_of(ERR), "no-such-program"));
	EXPECT_CODE(125, EXEC "-w /no/where idle true 2>" ERR);
	EXPECT_NE(NULL, strstr(text_of(ERR), "--workdir"));
	/* Several at once, and megabytes. */
	ASSERT_EQ(0, shell("head -c 1000001 /dev/urandom >" IN));
	EXPECT_CODE(0, "for i in 1 2 3; do " EXEC "idle cat <" IN " >" OUT
		       "$i & done; wait; for i in 1 2 3; do cmp " IN " " OUT
		       "$i || exit; done");
	/* A signal reaches it, and a hang-up if this side is killed. */
	EXPECT_CODE(9, ": >" OUT "; " EXEC
		       "idle -- sh -c 'trap \"exit 9\" TERM; echo; "
		       "while :; do sleep 0.1; done' >" OUT
		       " & p=$!; while [ ! -s " OUT " ]; do sleep 0.1; "
		       "done; kill $p; wait $p");
	EXPECT_CODE(0,
		    ": >" OUT "; lodge exec idle -- sh -c 'trap \"echo >/tmp/"
		    "hup; exit\" HUP; echo; while :; do sleep 0.1; done' >" OUT
		    " & p=$!; while [ ! -s " OUT " ]; do sleep 0.1; done; "
		    "kill -KILL $p; wait $p; " EXEC
		    "idle -- sh -c 'until [ -e /tmp/hup ]; do sleep 0.1; "
		    "done'");
	check_terminal(_metadata);
	check_shell(_metadata);
	check_leaving(_metadata);
	EXPECT_CODE(0, "lodge inspect idle | grep -q '\"root\": \"/\"'");
}

/*
 * What there is of programs that run, mounts and files, for a comparison.  The kernel's
 * threads, which come and go, are no programs, and busybox is what looks.
 */
#define LOOK                                        \
	"{ ls -l /proc/[0-9]*/exe 2>/dev/null | "   \
	"sed -n '/busybox/d; s/.* -> //p' | sort; " \
	"cat /proc/mounts; ls /run /dev/shm | "     \
	"sed '/^lodge$/d'; ls /run/lodge 2>/dev/null; }"

TEST(runs_leave_nothing_behind)
{
	const char *word = getenv("SOAK_SECONDS");
	const time_t end = time(NULL) + (word ? atoi(word) : 0);
	int runs = 0;

	ASSERT_EQ(0, shell(LOOK " >/tmp/lodge-root-before"));
	for (; runs < RUNS || time(NULL) < end; runs++)
		EXPECT_CODE(runs % 2,
			    runs % 2 ? RUN "sh -c 'exit 1'" : RUN "true");
	printf("# %d runs\n", runs);
	ASSERT_EQ(0, shell(LOOK " >/tmp/lodge-root-after"));
	EXPECT_CODE(0, "cmp /tmp/lodge-root-before "
		       "/tmp/lodge-root-after || { diff /tmp/lodge-root-before "
		       "/tmp/lodge-root-after | sed 's/^/# /'; false; }");
}

TEST_HARNESS_MAIN
