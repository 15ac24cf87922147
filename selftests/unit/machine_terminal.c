// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of a machine with its user: the serial port on a pipe or a terminal, the
 * controller's keys, and signals.
 */
#include <fcntl.h>
#include <pthread.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "machine_fixture.h"

#define COM1_STATUS 0x3fd
#define DATA_READY 1

static int guest_prints(struct lodge_run *run)
{
	static const char text[] = "hello";

	if (runs < (int)strlen(text))
		return fake_out(run, COM1, 1, text[runs++]);
	return guest_powers_off(run);
}

TEST(the_serial_port_writes_to_the_console)
{
	char text[16] = "";

	ASSERT_EQ(0, run_machine(guest_prints, 1));
	ASSERT_EQ(5, pread(output, text, sizeof(text), 0));
	EXPECT_STREQ("hello", text);
	EXPECT_EQ(0, end.lost_output);
}

/* Waits for a byte and ends with it as its code. */
static int guest_reads(struct lodge_run *run)
{
	enum { POLL, LOOK, TAKE, TELL };
	static int step = POLL;

	if (step == LOOK && !(run->data[0] & DATA_READY))
		step = POLL;
	switch (step) {
	case POLL:
		step = LOOK;
		return fake_in(run, COM1_STATUS);
	case LOOK:
		step = TAKE;
		return fake_in(run, COM1);
	}
	return fake_out(run, DEBUG_EXIT, 1, run->data[0]);
}

TEST(what_comes_from_a_pipe_reaches_the_guest)
{
	int ends[2];

	ASSERT_EQ(0, pipe(ends));
	ASSERT_EQ(1, write(ends[1], "\x01", 1));
	close(ends[1]);
	ASSERT_EQ(STDIN_FILENO, dup2(ends[0], STDIN_FILENO));
	ASSERT_EQ(0, console_open(&console, CONSOLE_STDIO, NULL));
	ASSERT_EQ(0, run_machine(guest_reads, 1));
	EXPECT_EQ(MACHINE_EXITED, end.fate);
	EXPECT_EQ(3, end.code);
}

static int input_ends[2];
#define INPUT_SIZE 2000

/* Return: the number of bytes in the pipe. */
static int waiting(void)
{
	int count = 0;

	ioctl(input_ends[0], FIONREAD, &count);
	return count;
}

/* Lets its queue fill up, resets, and then reads all input. */
static int guest_resets_with_a_full_queue(struct lodge_run *run)
{
	static int before = -1;

	if (fake.resets)
		return waiting() ? fake_in(run, COM1) : guest_powers_off(run);
	usleep(1000);
	/* The queue is full when no more bytes leave the pipe. */
	if (waiting() < INPUT_SIZE && waiting() == before)
		return guest_resets(run);
	before = waiting();
	return fake_in(run, COM1_STATUS);
}

TEST(a_reset_with_a_full_queue_does_not_stop_the_input)
{
	static char bytes[INPUT_SIZE];

	ASSERT_EQ(0, pipe(input_ends));
	ASSERT_EQ(INPUT_SIZE, write(input_ends[1], bytes, INPUT_SIZE));
	ASSERT_EQ(STDIN_FILENO, dup2(input_ends[0], STDIN_FILENO));
	ASSERT_EQ(0, console_open(&console, CONSOLE_STDIO, NULL));
	ASSERT_EQ(0, run_machine(guest_resets_with_a_full_queue, 1));
	EXPECT_EQ(MACHINE_POWERED_OFF, end.fate);
}

static int guest_is_interrupted(struct lodge_run *run)
{
	if (!runs++)
		kill(getpid(), SIGTERM);
	return fake_wait(run);
}

TEST(a_signal_ends_a_guest_that_does_nothing)
{
	ASSERT_EQ(0, run_machine(guest_is_interrupted, 2));
	EXPECT_EQ(MACHINE_SIGNALLED, end.fate);
	EXPECT_EQ(SIGTERM, end.code);
	EXPECT_EQ(0, fake.vcpus);
}

static int guest_floods(struct lodge_run *run)
{
	return fake_out(run, COM1, 1, 'x');
}

/* The signal comes while the guest waits for the pipe, or before. */
static int guest_floods_after_signal(struct lodge_run *run)
{
	if (!runs++)
		kill(getpid(), SIGINT);
	return guest_floods(run);
}

/* Makes standard output a pipe that is full and that nobody reads. */
static bool stall_output(void)
{
	static char filling[4096];
	int ends[2];

	if (pipe2(ends, O_NONBLOCK))
		return false;
	while (write(ends[1], filling, sizeof(filling)) > 0)
		;
	return !fcntl(ends[1], F_SETFL, 0) &&
	       dup2(ends[1], STDOUT_FILENO) == STDOUT_FILENO;
}

TEST(a_signal_ends_a_guest_that_waits_for_a_slow_reader)
{
	ASSERT_TRUE(stall_output());
	ASSERT_EQ(0, console_open(&console, CONSOLE_STDIO, NULL));
	ASSERT_EQ(0, run_machine(guest_floods_after_signal, 1));
	EXPECT_EQ(MACHINE_SIGNALLED, end.fate);
	EXPECT_EQ(SIGINT, end.code);
}

TEST(a_reader_that_goes_away_ends_the_machine)
{
	int ends[2];

	signal(SIGPIPE, SIG_IGN);
	ASSERT_EQ(0, pipe(ends));
	close(ends[0]);
	ASSERT_EQ(STDOUT_FILENO, dup2(ends[1], STDOUT_FILENO));
	ASSERT_EQ(0, console_open(&console, CONSOLE_STDIO, NULL));
	ASSERT_EQ(0, run_machine(guest_floods, 1));
	EXPECT_EQ(MACHINE_SIGNALLED, end.fate);
	EXPECT_EQ(SIGPIPE, end.code);
	EXPECT_EQ(-EPIPE, end.lost_output);
}

/* Both sides of standard input, which open_terminal() makes a terminal. */
static int keyboard, terminal;

static bool open_terminal(void)
{
	return !openpty(&keyboard, &terminal, NULL, NULL, NULL) &&
	       dup2(terminal, STDIN_FILENO) == STDIN_FILENO;
}

TEST(ctrl_a_x_ends_the_machine_and_the_terminal_is_as_before)
{
	struct termios before, after;

	ASSERT_TRUE(open_terminal());
	ASSERT_EQ(0, tcgetattr(terminal, &before));
	ASSERT_EQ(4, write(keyboard, "ls\x01x", 4));
	ASSERT_EQ(0, console_open(&console, CONSOLE_STDIO, NULL));
	ASSERT_EQ(0, run_machine(NULL, 2));
	EXPECT_EQ(MACHINE_QUIT, end.fate);
	ASSERT_EQ(0, tcgetattr(terminal, &after));
	EXPECT_EQ(before.c_lflag, after.c_lflag);
	EXPECT_EQ(before.c_iflag, after.c_iflag);
	EXPECT_EQ(before.c_oflag, after.c_oflag);
}

static int shown;
static struct vcpu_exit shown_exit;

static void count_shown(const struct crash *state, const struct vcpu_exit *last)
{
	if (state->vcpu == (uint32_t)shown)
		shown++;
	if (!state->vcpu)
		shown_exit = *last;
}

static void count_shown_and_quit(const struct crash *state,
				 const struct vcpu_exit *last)
{
	count_shown(state, last);
	if (shown == 2)
		write(keyboard, "\x01x", 2);
}

TEST(ctrl_a_i_shows_every_vcpu_and_the_guest_goes_on)
{
	ASSERT_TRUE(open_terminal());
	ASSERT_EQ(2, write(keyboard, "\x01i", 2));
	ASSERT_EQ(0, console_open(&console, CONSOLE_STDIO, NULL));
	config.show = count_shown_and_quit;
	ASSERT_EQ(0, run_machine(NULL, 2));
	EXPECT_EQ(2, shown);
	EXPECT_EQ(MACHINE_QUIT, end.fate);
}

#define PASTE_SIZE 1000

/* Pastes, and lets the terminal's reader have it all before the loop's thread goes on. */
static void paste(const struct crash *state, const struct vcpu_exit *last)
{
	static char text[PASTE_SIZE];

	memset(text, 'l', sizeof(text));
	count_shown(state, last);
	write(keyboard, text, sizeof(text));
	usleep(100000);
}

/* Reads what there is, until it has all of the paste or nothing comes for a while. */
static int guest_reads_a_paste(struct lodge_run *run)
{
	static bool looked;
	static int idle;

	if (looked && run->data[0] & DATA_READY) {
		looked = false;
		idle = 0;
		runs++;
		return fake_in(run, COM1);
	}
	if (looked)
		usleep(1000);
	if (runs == PASTE_SIZE || (shown && ++idle > 5000))
		return guest_powers_off(run);
	looked = true;
	return fake_in(run, COM1_STATUS);
}

TEST(a_paste_is_kept_while_the_loop_is_busy)
{
	ASSERT_TRUE(open_terminal());
	ASSERT_EQ(2, write(keyboard, "\x01i", 2));
	ASSERT_EQ(0, console_open(&console, CONSOLE_STDIO, NULL));
	config.show = paste;
	ASSERT_EQ(0, run_machine(guest_reads_a_paste, 1));
	EXPECT_EQ(PASTE_SIZE, runs);
}

FIXTURE(slow_reader){};

FIXTURE_VARIANT(slow_reader)
{
	const char *keys;
};

FIXTURE_VARIANT_ADD(slow_reader, after_a_key_for_the_guest){
	.keys = "l",
};

FIXTURE_VARIANT_ADD(slow_reader, after_ctrl_a_i){
	.keys = "\x01i",
};

#define SOME_KEYS \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define MANY_KEYS SOME_KEYS SOME_KEYS SOME_KEYS SOME_KEYS SOME_KEYS SOME_KEYS

FIXTURE_VARIANT_ADD(slow_reader, after_more_keys_than_are_kept){
	.keys = MANY_KEYS MANY_KEYS MANY_KEYS,
};

FIXTURE_SETUP(slow_reader)
{
}

FIXTURE_TEARDOWN(slow_reader)
{
}

static int counted_floods(struct lodge_run *run)
{
	__atomic_add_fetch(&runs, 1, __ATOMIC_SEQ_CST);
	return guest_floods(run);
}

/* Waits until the guest waits for the reader, types, and quits a while later. */
static void *type_and_quit(void *keys)
{
	int before = 0;

	while (!before || before != __atomic_load_n(&runs, __ATOMIC_SEQ_CST)) {
		before = __atomic_load_n(&runs, __ATOMIC_SEQ_CST);
		usleep(50000);
	}
	write(keyboard, keys, strlen(keys));
	usleep(100000);
	write(keyboard, "\x01x", 2);
	return NULL;
}

TEST_F(slow_reader, does_not_keep_ctrl_a_x_from_ending_the_machine)
{
	pthread_t typist;

	ASSERT_TRUE(open_terminal());
	ASSERT_TRUE(stall_output());
	ASSERT_EQ(0, console_open(&console, CONSOLE_STDIO, NULL));
	config.show = count_shown;
	ASSERT_EQ(0, pthread_create(&typist, NULL, type_and_quit,
				    (void *)variant->keys));
	ASSERT_EQ(0, run_machine(counted_floods, 1));
	EXPECT_EQ(MACHINE_QUIT, end.fate);
	pthread_join(typist, NULL);
}

/* Requests its state to be shown, waits until that is done, and powers off. */
static int guest_asks_for_its_state(struct lodge_run *run)
{
	if (!runs++)
		return fake_out(run, COM1, 1, 'x');
	if (runs == 2)
		kill(getpid(), SIGUSR1);
	return shown ? guest_powers_off(run) : fake_wait(run);
}

TEST(sigusr1_shows_the_vcpus_with_their_last_exit)
{
	config.show = count_shown;
	ASSERT_EQ(0, run_machine(guest_asks_for_its_state, 1));
	EXPECT_EQ(MACHINE_POWERED_OFF, end.fate);
	EXPECT_EQ(1, shown);
	EXPECT_EQ(LODGE_EXIT_IO, shown_exit.reason);
	EXPECT_EQ(COM1, shown_exit.where);
}

TEST_HARNESS_MAIN
