// SPDX-License-Identifier: GPL-2.0
/*
 * The user's terminal: raw while a guest uses it, and always restored.
 *
 * A process has one standard input, so the state is global.
 */
#include "machine/terminal.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define CTRL_A 0x01

static struct termios saved;
static volatile sig_atomic_t is_raw;
/* Output passes unchanged, too. */
static bool is_whole;

bool terminal_present(void)
{
	return isatty(STDIN_FILENO);
}

bool terminal_restore(void)
{
	bool was_raw = is_raw;
	int err = errno;

	is_raw = 0;
	if (was_raw)
		tcsetattr(STDIN_FILENO, TCSANOW, &saved);
	errno = err;
	return was_raw;
}

static void restore_at_exit(void)
{
	terminal_restore();
}

/* With SA_RESETHAND, the signal that is raised again has its default action. */
static void die(int signal)
{
	terminal_restore();
	raise(signal);
}

static void guard_exits(void)
{
	static const int fatal[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL };
	static bool guarded;
	struct sigaction action = { .sa_handler = die };

	if (guarded)
		return;
	guarded = true;
	action.sa_flags = SA_RESETHAND;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
		sigaction(fatal[i], &action, NULL);
	atexit(restore_at_exit);
}

int terminal_raw(void)
{
	struct termios raw;

	if (is_raw || !terminal_present())
		return 0;
	if (tcgetattr(STDIN_FILENO, &saved))
		return -errno;
	guard_exits();
	raw = saved;
	cfmakeraw(&raw);
	/* Keep output processing, for the controller's own lines. */
	if (!is_whole)
		raw.c_oflag = saved.c_oflag;
	is_raw = 1;
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw)) {
		is_raw = 0;
		return -errno;
	}
	return 0;
}

int terminal_raw_whole(void)
{
	is_whole = true;
	return terminal_raw();
}

enum terminal_key terminal_key(bool *escaped, uint8_t *key)
{
	if (!*escaped) {
		*escaped = *key == CTRL_A;
		return *escaped ? TERMINAL_DROP : TERMINAL_PASS;
	}
	*escaped = false;
	switch (*key) {
	case CTRL_A:
	case 'a':
		*key = CTRL_A;
		return TERMINAL_PASS;
	case 'x':
		return TERMINAL_QUIT;
	case 'p':
		return TERMINAL_POWER;
	case 'i':
		return TERMINAL_INFO;
	case 'h':
	case '?':
		return TERMINAL_HELP;
	}
	return TERMINAL_DROP;
}

bool terminal_size(uint16_t *cols, uint16_t *rows)
{
	struct winsize size;

	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) || !size.ws_col ||
	    !size.ws_row)
		return false;
	*cols = size.ws_col;
	*rows = size.ws_row;
	return true;
}
