// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the kinds of console, and of the controller's keys.
 */
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "machine/console.h"
#include "machine/terminal.h"
#include "memfile.h"

#define CTRL_A 1

static enum terminal_key press(bool *escaped, uint8_t key)
{
	return terminal_key(escaped, &key);
}

TEST(keys_are_the_guests)
{
	bool escaped = false;

	for (unsigned int key = 0; key < 256; key++)
		if (key != CTRL_A)
			EXPECT_EQ(TERMINAL_PASS, press(&escaped, key));
}

TEST(ctrl_a_x_quits)
{
	bool escaped = false;

	EXPECT_EQ(TERMINAL_DROP, press(&escaped, CTRL_A));
	EXPECT_EQ(TERMINAL_QUIT, press(&escaped, 'x'));
	EXPECT_EQ(TERMINAL_PASS, press(&escaped, 'x'));
}

TEST(ctrl_a_h_helps)
{
	bool escaped = false;

	EXPECT_EQ(TERMINAL_DROP, press(&escaped, CTRL_A));
	EXPECT_EQ(TERMINAL_HELP, press(&escaped, 'h'));
}

TEST(ctrl_a_a_and_ctrl_a_twice_send_one)
{
	static const uint8_t seconds[] = { 'a', CTRL_A };

	for (size_t i = 0; i < sizeof(seconds); i++) {
		bool escaped = false;
		uint8_t key = seconds[i];

		EXPECT_EQ(TERMINAL_DROP, press(&escaped, CTRL_A));
		EXPECT_EQ(TERMINAL_PASS, terminal_key(&escaped, &key));
		EXPECT_EQ(CTRL_A, key);
		EXPECT_FALSE(escaped);
	}
}

TEST(other_keys_after_ctrl_a_are_dropped)
{
	bool escaped = false;

	EXPECT_EQ(TERMINAL_DROP, press(&escaped, CTRL_A));
	EXPECT_EQ(TERMINAL_DROP, press(&escaped, 'q'));
	EXPECT_EQ(TERMINAL_PASS, press(&escaped, 'q'));
}

TEST(a_process_that_dies_of_a_fault_leaves_the_terminal_as_before)
{
	struct termios before, raw, after;
	int keyboard, terminal, status;
	pid_t child;

	ASSERT_EQ(0, openpty(&keyboard, &terminal, NULL, NULL, NULL));
	ASSERT_EQ(0, tcgetattr(terminal, &before));
	child = fork();
	if (!child) {
		dup2(terminal, STDIN_FILENO);
		if (terminal_raw() || tcgetattr(terminal, &raw) ||
		    raw.c_lflag & ICANON)
			_exit(1);
		abort();
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	ASSERT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGABRT, WTERMSIG(status));
	ASSERT_EQ(0, tcgetattr(terminal, &after));
	EXPECT_EQ(before.c_lflag, after.c_lflag);
}

TEST(a_file_takes_output_and_gives_no_input)
{
	char path[MEMFILE_PATH_SIZE], text[8] = "";
	int fd = memfile("old text", 8, path);
	struct console *console;

	ASSERT_EQ(0, console_open(&console, CONSOLE_FILE, path));
	EXPECT_EQ(-1, console_input(console));
	EXPECT_EQ(0, console_write(console, "new", 3));
	console_close(console);
	EXPECT_EQ(3, pread(fd, text, sizeof(text), 0));
	EXPECT_STREQ("new", text);
}

TEST(a_file_that_cannot_be_made_is_an_error)
{
	struct console *console;

	EXPECT_EQ(-ENOENT,
		  console_open(&console, CONSOLE_FILE, "/nonexistent/file"));
}

TEST(none_swallows_output)
{
	struct console *console;

	ASSERT_EQ(0, console_open(&console, CONSOLE_NONE, NULL));
	EXPECT_EQ(-1, console_input(console));
	EXPECT_EQ(0, console_write(console, "text", 4));
	EXPECT_EQ(NULL, console_path(console));
	console_close(console);
}

TEST(a_pty_carries_bytes_unchanged_both_ways)
{
	static const char text[] = "\r\n\x03\x04\x1a";
	struct console *console;
	char got[8] = "";
	int fd;

	ASSERT_EQ(0, console_open(&console, CONSOLE_PTY, NULL));
	fd = open(console_path(console), O_RDWR | O_NOCTTY);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, console_write(console, text, 5));
	ASSERT_EQ(5, read(fd, got, sizeof(got)));
	EXPECT_EQ(0, memcmp(text, got, 5));
	ASSERT_EQ(5, write(fd, text, 5));
	ASSERT_EQ(5, console_read(console, got, sizeof(got)));
	EXPECT_EQ(0, memcmp(text, got, 5));
	EXPECT_EQ(-EAGAIN, console_read(console, got, sizeof(got)));
	console_close(console);
}

TEST(a_pty_outlives_its_reader)
{
	struct console *console;
	char got[8];

	ASSERT_EQ(0, console_open(&console, CONSOLE_PTY, NULL));
	close(open(console_path(console), O_RDWR | O_NOCTTY));
	EXPECT_EQ(-EAGAIN, console_read(console, got, sizeof(got)));
	EXPECT_LE(0, console_input(console));
	console_close(console);
}

TEST(a_pty_that_nobody_reads_loses_output_without_an_error)
{
	static const char text[4096];
	struct console *console;

	ASSERT_EQ(0, console_open(&console, CONSOLE_PTY, NULL));
	for (int i = 0; i < 64; i++)
		ASSERT_EQ(0, console_write(console, text, sizeof(text)));
	console_close(console);
}

TEST(after_hanging_up_output_is_dropped)
{
	char path[MEMFILE_PATH_SIZE], got;
	int fd = memfile("", 0, path);
	struct console *console;

	ASSERT_EQ(0, console_open(&console, CONSOLE_FILE, path));
	console_hang_up(console);
	EXPECT_EQ(0, console_write(console, "text", 4));
	EXPECT_EQ(0, pread(fd, &got, 1, 0));
	console_close(console);
}

TEST(the_end_of_input_is_told_once)
{
	struct console *console;
	char got;

	ASSERT_EQ(STDIN_FILENO,
		  dup2(open("/dev/null", O_RDONLY), STDIN_FILENO));
	ASSERT_EQ(0, console_open(&console, CONSOLE_STDIO, NULL));
	EXPECT_EQ(STDIN_FILENO, console_input(console));
	EXPECT_EQ(0, console_read(console, &got, 1));
	EXPECT_EQ(-1, console_input(console));
	console_close(console);
}

TEST(output_to_a_terminal_that_does_not_end_its_line_is_known)
{
	struct console *console;
	int keyboard, terminal;

	ASSERT_EQ(0, openpty(&keyboard, &terminal, NULL, NULL, NULL));
	ASSERT_EQ(STDOUT_FILENO, dup2(terminal, STDOUT_FILENO));
	ASSERT_EQ(0, console_open(&console, CONSOLE_STDIO, NULL));
	EXPECT_FALSE(console_in_line(console));
	EXPECT_EQ(0, console_write(console, "login: ", 7));
	EXPECT_TRUE(console_in_line(console));
	EXPECT_EQ(0, console_write(console, "\r\n", 2));
	EXPECT_FALSE(console_in_line(console));
	console_close(console);
}

TEST_HARNESS_MAIN
