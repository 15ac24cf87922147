// SPDX-License-Identifier: GPL-2.0
/*
 * Debian's kernel in a machine that is held in the middle of its work: it goes on
 * after each pause, and in another machine that begins with its file, as if nothing had
 * been.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "machine/saved.h"
#include "patience.h"

#define TEXT_SIZE (1 << 20)
#define LINES 400
#define PROMPT "/ # "
/* Counts on both processors, now and then asleep. */
#define WORK                                                       \
	"i=0; while [ $i -lt 400 ]; do i=$((i+1)); echo line $i; " \
	"[ $((i % 40)) = 0 ] && sleep 1; done & wait; echo all 'counted'\n"
/* Forgets the messages of the boot; shows those that came since. */
#define FORGET "dmesg -c >/dev/null\n"
#define COMPLAINTS                                    \
	"dmesg; echo complaints: $(dmesg | grep -cE " \
	"'unstable|stall|lockup|BUG:|Call Trace')\n"

/* The events so far, for the tests to look at. */
static struct {
	struct machine *machine;
	struct console *console;
	int terminal;
	char text[TEXT_SIZE];
	size_t length;
	size_t seen;
	bool booted;
	bool worked;
	int pauses;
	int saved;
	int loaded;
	bool counted;
	bool answered;
	int ended;
	struct machine_end end;
} life;

static struct machine_config config = {
	.boot = {
		.kernel = "vmlinuz-6.1",
		.initrd = "guest.cpio",
		.initrds = 1,
		.append = "console=ttyS0 quiet run=shell",
		.cpus = 2,
	},
	.memory = 192ULL << 20,
};

/* Return: 0 or -errno. */
static int build(void)
{
	struct machine_error error;
	int err = console_open(&life.console, CONSOLE_PTY, NULL);

	if (err)
		return err;
	life.terminal = open(console_path(life.console),
			     O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	return machine_new(&life.machine, &config, &error);
}

/* Return: true if anything came. */
static bool read_on(int milliseconds)
{
	struct pollfd ready = { .fd = life.terminal, .events = POLLIN };
	size_t room = TEXT_SIZE - 1 - life.length;
	ssize_t size;

	if (poll(&ready, 1, milliseconds) <= 0)
		return false;
	size = read(life.terminal, life.text + life.length, room);
	if (size <= 0)
		return false;
	for (ssize_t i = 0; i < size; i++)
		if (!life.text[life.length + i])
			life.text[life.length + i] = ' ';
	life.length += size;
	return true;
}

static bool wait_for(const char *text)
{
	const char *found;

	for (int seconds = 0; seconds < PATIENCE;) {
		found = strstr(life.text + life.seen, text);
		if (found) {
			life.seen = found - life.text + strlen(text);
			return true;
		}
		seconds += !read_on(1000);
	}
	return false;
}

static void type(const char *text)
{
	if (write(life.terminal, text, strlen(text)) < 0)
		perror("write");
}

/* The guest's output is not lost with its machine. */
static void take_apart(void)
{
	while (read_on(0))
		;
	machine_free(life.machine);
	close(life.terminal);
	console_close(life.console);
	life.machine = NULL;
}

static void pause_and_resume(void)
{
	for (int i = 1; i <= 3; i++) {
		char line[16];

		snprintf(line, sizeof(line), "line %d\r", 40 * i + 10);
		if (!wait_for(line) || machine_pause(life.machine))
			return;
		usleep(500000);
		if (machine_resume(life.machine))
			return;
		life.pauses++;
	}
}

static bool start(void)
{
	struct machine_error error;

	return !machine_start(life.machine,
			      (struct console *[SERIAL_MAX]){ life.console },
			      &error);
}

/* @file: for the machine that was held */
static void live_in_one(int file)
{
	struct snap_error error;

	life.saved = build();
	if (life.saved || !start())
		return;
	life.booted = wait_for(PROMPT);
	type(FORGET);
	type(WORK);
	pause_and_resume();
	life.worked = wait_for("line 200\r");
	life.saved = machine_pause(life.machine);
	if (!life.saved)
		life.saved =
			saved_write(life.machine, file, "{}", NULL, &error);
	take_apart();
}

static void live_in_another(int file)
{
	struct machine_error error;
	struct snap_error why;
	struct saved *saved;

	life.loaded = saved_open(&saved, file, &why);
	if (life.loaded)
		return;
	config.saved = saved_state(saved);
	life.loaded = build();
	if (life.loaded || !start())
		return;
	life.counted = wait_for("all counted");
	type(COMPLAINTS);
	life.answered = wait_for("\ncomplaints: ");
	type("exit\n");
	life.ended = machine_wait(life.machine, &life.end, &error);
	take_apart();
	saved_close(saved);
}

TEST(a_guest_boots)
{
	EXPECT_TRUE(life.booted)
	{
		TH_LOG("%s", life.text);
	}
}

TEST(a_machine_goes_on_after_each_pause)
{
	EXPECT_EQ(3, life.pauses);
	EXPECT_TRUE(life.worked);
}

TEST(a_machine_is_saved_in_the_middle_of_its_work)
{
	EXPECT_EQ(0, life.saved);
}

TEST(another_machine_takes_its_state)
{
	EXPECT_EQ(0, life.loaded);
}

TEST(the_guest_goes_on_there_and_every_line_comes_once)
{
	const char *at = life.text;
	char line[16];

	EXPECT_TRUE(life.counted)
	{
		TH_LOG("%s", life.text);
	}
	for (int i = 1; i <= LINES && at; i++) {
		snprintf(line, sizeof(line), "\nline %d\r", i);
		at = strstr(at, line);
		ASSERT_NE(NULL, at);
		EXPECT_EQ(NULL, strstr(at + 1, line));
	}
}

TEST(the_guest_has_noticed_nothing)
{
	EXPECT_TRUE(life.answered);
	EXPECT_NE(NULL, strstr(life.text, "\ncomplaints: 0\r"))
	{
		TH_LOG("%s",
		       life.text +
			       (life.length > 2000 ? life.length - 2000 : 0));
	}
}

TEST(the_guest_powers_off)
{
	EXPECT_EQ(0, life.ended);
	EXPECT_EQ(MACHINE_POWERED_OFF, life.end.fate);
}

int main(int argc, char **argv)
{
	const char *payload = getenv("LODGE_PAYLOAD");
	int file = memfd_create("saved", MFD_CLOEXEC);

	if (!payload || chdir(payload))
		return EXIT_FAILURE;
	devices_default(&config.devices);
	life.saved = life.loaded = life.ended = -1;
	live_in_one(file);
	if (!life.saved)
		live_in_another(file);
	close(file);
	return test_harness_run(argc, argv);
}
