// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of `lodge top` at a terminal, of which tmux tells what it shows.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/command.h"
#include "fake_netlink.h"
#include "kselftest_harness.h"
#include "samples.h"

/* Looks at the screen before it is given up; the machine may be busy. */
#define MANY_LOOKS 3000

static char shown[16384];
static char directory[32];

/* In tmux this program is `lodge top`, with two VMs. */
__attribute__((constructor)) static void be_top(void)
{
	const char *mode = getenv("TEST_TOP");
	char *arguments[] = { "lodge top", "--delay=0.2", NULL };
	static struct fixed fixed;
	static struct netlink_vm vms[NR_FIXED_VMS];

	if (!mode)
		return;
	fixed_make(&fixed);
	for (size_t i = 0; i < NR_FIXED_VMS; i++)
		vms[i] = fixed.vms[i].vm;
	fake_netlink.vms = vms;
	fake_netlink.nr_vms = NR_FIXED_VMS;
	fake_netlink.vcpus = fixed.vcpus;
	fake_netlink.nr_vcpus = NR_FIXED_VCPUS;
	fake_netlink.stats = fixed.stats;
	fake_netlink.nr_stats = NR_FIXED_VCPUS;
	if (!strcmp(mode, "lost"))
		fake_netlink.error = -ENOENT;
	/* What curses keeps is no leak of ours. */
	_exit(top_command(2, arguments));
}

/* Runs tmux with a command of its own, and reads what it says.  Return: its success. */
__attribute__((format(printf, 1, 2))) static bool tmux(const char *format, ...)
{
	char command[1024];
	va_list arguments;
	size_t length = 0;
	FILE *pipe;
	int used;

	used = snprintf(command, sizeof(command),
			"tmux -S %s/socket -f /dev/null ", directory);
	va_start(arguments, format);
	vsnprintf(command + used, sizeof(command) - used, format, arguments);
	va_end(arguments);
	pipe = popen(command, "r");
	if (pipe)
		length = fread(shown, 1, sizeof(shown) - 1, pipe);
	shown[length] = '\0';
	return pipe && !pclose(pipe);
}

/* Return: true when the screen has the text, or, with @absent, has it no more. */
static bool wait_for(const char *text, bool absent)
{
	const struct timespec pause = { .tv_nsec = 20000000 };

	/* The server may be too busy to answer once. */
	for (int i = 0; i < MANY_LOOKS; i++) {
		if (tmux("capture-pane -p") && !strstr(shown, text) == absent)
			return true;
		nanosleep(&pause, NULL);
	}
	ksft_print_msg("waited for \"%s\"; shown:\n%s\n", text, shown);
	return false;
}

/* Starts it at a terminal of a kind, in 80 columns and 24 rows. */
static void start(const char *terminal, const char *mode)
{
	char self[256];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (length < 0)
		abort();
	self[length] = '\0';
	tmux("new-session -d -x 80 -y 24 'TEST_TOP=%s TERM=%s %s; echo code $?; "
	     "read x'",
	     mode, terminal, self);
}

FIXTURE(top_terminal){};

FIXTURE_SETUP(top_terminal)
{
	strcpy(directory, "/tmp/top.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(directory));
}

FIXTURE_TEARDOWN(top_terminal)
{
	char socket[64];

	tmux("kill-server");
	snprintf(socket, sizeof(socket), "%s/socket", directory);
	unlink(socket);
	rmdir(directory);
}

FIXTURE_VARIANT(top_terminal)
{
	const char *terminal;
};

/* With colours, and without. */
FIXTURE_VARIANT_ADD(top_terminal, screen){
	.terminal = "screen-256color",
};

FIXTURE_VARIANT_ADD(top_terminal, vt100){
	.terminal = "vt100",
};

TEST_F(top_terminal, it_shows_the_vms_and_quits)
{
	start(variant->terminal, "here");
	ASSERT_TRUE(wait_for("q quit", false));
	EXPECT_NE(NULL, strstr(shown, "lodge top - "));
	EXPECT_NE(NULL, strstr(shown, ", 2 VMs, 3 vCPUs: guest "));
	EXPECT_NE(NULL, strstr(shown, "\n>    3 root     web "));
	EXPECT_NE(NULL, strstr(shown, "\n     7 root     batch "));
	EXPECT_NE(NULL, strstr(shown, "\nweb: alive, process 301"));
	tmux("send-keys q");
	/* The shell's screen is back. */
	ASSERT_TRUE(wait_for("code 0", false));
}

TEST_F(top_terminal, keys_select_sort_and_filter)
{
	start(variant->terminal, "here");
	ASSERT_TRUE(wait_for("\n>    3 ", false));
	tmux("send-keys Down");
	ASSERT_TRUE(wait_for("\n>    7 ", false));
	tmux("send-keys Left Left");
	ASSERT_TRUE(wait_for("\nby NAME", false));
	tmux("send-keys / w e x BSpace b");
	ASSERT_TRUE(wait_for("Show VMs with: web_", false));
	tmux("send-keys Enter");
	ASSERT_TRUE(wait_for("batch", true));
	ASSERT_TRUE(wait_for("1 of 2 VMs, with \"web\"", false));
	tmux("send-keys Escape");
	ASSERT_TRUE(wait_for("batch", false));
}

TEST_F(top_terminal, a_vm_is_killed_after_a_question)
{
	start(variant->terminal, "here");
	ASSERT_TRUE(wait_for("q quit", false));
	tmux("send-keys Down k");
	ASSERT_TRUE(wait_for("Kill VM batch (ID 7) for ever?", false));
	tmux("send-keys y");
	ASSERT_TRUE(wait_for("VM 7 is killed", false));
}

TEST_F(top_terminal, it_follows_the_size_of_its_terminal)
{
	start(variant->terminal, "here");
	ASSERT_TRUE(wait_for("q quit", false));
	tmux("resize-window -x 60 -y 10");
	ASSERT_TRUE(wait_for("web: alive", true));
	ASSERT_TRUE(wait_for("q quit", false));
	tmux("resize-window -x 120 -y 40");
	ASSERT_TRUE(wait_for("web: alive", false));
}

TEST_F(top_terminal, without_the_module_it_says_so_and_goes_on)
{
	start(variant->terminal, "lost");
	ASSERT_TRUE(wait_for("load it: modprobe lodge", false));
	EXPECT_NE(NULL, strstr(shown, " no VMs"));
	tmux("send-keys q");
	ASSERT_TRUE(wait_for("code 0", false));
}

TEST_HARNESS_MAIN
