// SPDX-License-Identifier: GPL-2.0
/*
 * `lodge top`: a live view of all VMs.
 */
#include "cmd/command.h"

#include <argp.h>
#include <curses.h>
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "cmd/complain.h"
#include "cmd/exit_code.h"
#include "cmd/family.h"
#include "lib/now.h"
#include "lib/size.h"
#include "view/screen.h"

#define DEFAULT_DELAY 2.0
#define MIN_DELAY 0.1
#define MAX_DELAY 3600.0
#define BATCH_COLUMNS 80
#define MAX_COLUMNS 512
/* The rest of a key's sequence comes at once, and Esc alone must not seem lost. */
#define ESCAPE_MS 50

/**
 * struct top - a live view
 * @view: what the user has chosen
 * @delay: seconds between two samples
 * @iterations: number of samples to show; 0: no end
 * @netlink: connection to the module, or NULL while it is not there
 * @samples: the last two
 * @now: index of the last one
 * @have: the number of samples that there are, at most two
 * @rates: made from them
 */
struct top {
	struct view view;
	double delay;
	uint64_t iterations;
	struct netlink *netlink;
	struct sample samples[2];
	int now;
	int have;
	struct rates rates;
};

static const char *const column_names[RATES_COLUMNS] = {
	[RATES_ID] = "id",	  [RATES_USER] = "user",
	[RATES_NAME] = "name",	  [RATES_VCPUS] = "cpus",
	[RATES_GUEST] = "guest",  [RATES_HOST] = "host",
	[RATES_STEAL] = "steal",  [RATES_EXITS] = "exits",
	[RATES_RESIDENT] = "res", [RATES_SHARED] = "shr",
};

static const struct argp_option descriptions[] = {
	{ "delay", 'd', "SECONDS", 0,
	  "Time between two looks, from 0.1 to 3600 (default 2)", 0 },
	{ "iterations", 'n', "N", 0, "End after N looks", 0 },
	{ "batch", 'b', NULL, 0,
	  "Write plain text to standard output, and read no keys", 0 },
	{ "sort", 's', "COLUMN", 0,
	  "Sort by id, user, name, cpus, guest (default), host, steal, exits, "
	  "res or shr",
	  0 },
	{ "reverse", 'r', NULL, 0, "Sort the other way round", 0 },
	{ "filter", 'f', "TEXT", 0,
	  "Show only VMs with TEXT in their name or their user's", 0 },
	{ NULL, 0, NULL, 0, NULL, 0 },
};

static const char about[] =
	"Show all virtual machines, and what they do, until q is pressed."
	"\v"
	"Examples:\n"
	"  lodge top\n"
	"  lodge top --sort exits --delay 1\n"
	"  lodge top --batch --iterations 1 --filter web\n"
	"\n"
	"h shows the keys.  The first look has the averages of each VM's life.\n"
	"\n"
	"Exit codes: 0 ended by the user, or after --iterations; 1 ended by SIGINT or\n"
	"SIGTERM, without --batch; 64 the command line is wrong; 69 the module is not\n"
	"loaded; " FAMILY_EXIT_CODES ".";

static error_t set_delay(struct argp_state *state, struct top *top,
			 const char *text)
{
	char *end;
	double delay = strtod(text, &end);

	if (end == text || *end || !(delay >= MIN_DELAY && delay <= MAX_DELAY))
		argp_error(state,
			   "--delay %s: must be a number of seconds from 0.1 "
			   "to 3600",
			   text);
	top->delay = delay;
	return 0;
}

static error_t set_column(struct argp_state *state, struct top *top,
			  const char *text)
{
	for (int i = 0; i < RATES_COLUMNS; i++) {
		if (strcasecmp(text, column_names[i]))
			continue;
		top->view.column = i;
		return 0;
	}
	argp_error(state,
		   "--sort %s: there is no such column; there are id, user, "
		   "name, cpus, guest, host, steal, exits, res and shr",
		   text);
	return EINVAL;
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct top *top = state->input;

	switch (key) {
	case 'd':
		return set_delay(state, top, argument);
	case 'n':
		if (number_parse(argument, &top->iterations) ||
		    !top->iterations)
			argp_error(
				state,
				"--iterations %s: must be a number from 1 on",
				argument);
		return 0;
	case 'b':
		top->view.batch = true;
		return 0;
	case 's':
		return set_column(state, top, argument);
	case 'r':
		top->view.reverse = true;
		return 0;
	case 'f':
		if (strlen(argument) >= sizeof(top->view.filter))
			argp_error(state, "--filter: longer than any name");
		snprintf(top->view.filter, sizeof(top->view.filter), "%s",
			 argument);
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "%s: it takes no arguments; see --filter",
			   argument);
		return EINVAL;
	}
	return ARGP_ERR_UNKNOWN;
}

/* Computes the rates again, of the same samples, for another order or filter. */
static int make_rates(struct top *top)
{
	const struct sample *before = NULL;

	rates_free(&top->rates);
	if (top->have == 2)
		before = &top->samples[!top->now];
	return rates_make(&top->rates, before, &top->samples[top->now],
			  top->view.column, top->view.reverse,
			  top->view.filter);
}

/* The module is gone: shows no VMs, and tries again at the next look. */
static void lose_module(struct top *top, int err)
{
	netlink_close(top->netlink);
	top->netlink = NULL;
	sample_free(&top->samples[0]);
	sample_free(&top->samples[1]);
	top->have = 0;
	snprintf(top->view.message, sizeof(top->view.message),
		 "the module lodge does not answer (%s); load it: modprobe "
		 "lodge",
		 err == -ENOENT ? "it is not loaded" : strerror(-err));
}

/* Connects to the module if it was not there.  Return: 0 or -errno. */
static int connect_again(struct top *top)
{
	return top->netlink ? 0 : netlink_open(&top->netlink);
}

/* Looks at the VMs.  Return: 0 or -ENOMEM. */
static int look(struct top *top)
{
	struct sample sample;
	int err = connect_again(top);

	if (!err)
		err = sample_take(&sample, top->netlink);
	rates_free(&top->rates);
	if (err == -ENOMEM)
		return err;
	if (err) {
		lose_module(top, err);
	} else {
		/* It is back. */
		if (!top->have)
			top->view.message[0] = '\0';
		top->now = !top->now;
		sample_free(&top->samples[top->now]);
		top->samples[top->now] = sample;
		top->have += top->have < 2;
	}
	return make_rates(top);
}

static void write_clock(char *text, size_t size)
{
	time_t now = time(NULL);
	struct tm local;

	if (!localtime_r(&now, &local) ||
	    !strftime(text, size, "%H:%M:%S", &local))
		*text = '\0';
}

static int make_screen(struct top *top, struct screen *screen, size_t rows,
		       size_t columns)
{
	char clock[16];

	write_clock(clock, sizeof(clock));
	return screen_make(screen, &top->view, &top->rates, clock, rows,
			   columns);
}

/* Return: the width that the environment asks for, as top has it. */
static size_t batch_columns(void)
{
	const char *text = getenv("COLUMNS");
	uint64_t columns;

	if (!text || number_parse(text, &columns) || !columns)
		return BATCH_COLUMNS;
	return columns < MAX_COLUMNS ? columns : MAX_COLUMNS;
}

static void sleep_for(double seconds)
{
	struct timespec time = { .tv_sec = seconds };

	time.tv_nsec = (seconds - time.tv_sec) * 1e9;
	nanosleep(&time, NULL);
}

/* Return: 0 or -ENOMEM; a reader that is gone ends it, too. */
static int run_batch(struct top *top)
{
	struct screen screen;
	int err = 0;

	for (uint64_t i = 0; !err && (!top->iterations || i < top->iterations);
	     i++) {
		if (i) {
			sleep_for(top->delay);
			putchar('\n');
		}
		err = look(top) ?:
				  make_screen(top, &screen, 0, batch_columns());
		if (err)
			break;
		screen_print(&screen, stdout);
		screen_free(&screen);
		if (fflush(stdout))
			break;
	}
	return err;
}

static int attributes_of(enum screen_look look)
{
	switch (look) {
	case SCREEN_STRONG:
		return A_BOLD;
	case SCREEN_TITLE:
		return A_REVERSE;
	case SCREEN_SELECTED:
		return A_BOLD | A_UNDERLINE;
	case SCREEN_PLAIN:
		break;
	}
	return A_NORMAL;
}

static int draw(struct top *top)
{
	struct screen screen;
	int err;

	view_scroll(&top->view, &top->rates,
		    screen_shown(&top->view, &top->rates, LINES));
	err = make_screen(top, &screen, LINES, COLS);
	if (err)
		return err;
	erase();
	for (size_t row = 0; row < screen.rows; row++) {
		const char *text = screen_line(&screen, row);
		int rest = COLS - (int)strlen(text);

		attrset(attributes_of(screen.looks[row]));
		mvaddstr(row, 0, text);
		/* A title reaches from one side to the other. */
		if (screen.looks[row] == SCREEN_TITLE && rest > 0)
			printw("%*s", rest, "");
	}
	attrset(A_NORMAL);
	screen_free(&screen);
	refresh();
	return 0;
}

static int key_of(int key)
{
	switch (key) {
	case KEY_UP:
		return VIEW_KEY_UP;
	case KEY_DOWN:
		return VIEW_KEY_DOWN;
	case KEY_LEFT:
		return VIEW_KEY_LEFT;
	case KEY_RIGHT:
		return VIEW_KEY_RIGHT;
	case KEY_PPAGE:
		return VIEW_KEY_PAGE_UP;
	case KEY_NPAGE:
		return VIEW_KEY_PAGE_DOWN;
	case KEY_HOME:
		return VIEW_KEY_HOME;
	case KEY_END:
		return VIEW_KEY_END;
	case KEY_BACKSPACE:
	case '\b':
		return VIEW_KEY_BACKSPACE;
	case KEY_ENTER:
	case '\r':
		return VIEW_KEY_ENTER;
	}
	/* Of the others, such as a change of size, none means anything here. */
	return key < VIEW_KEY_UP ? key : 0;
}

static void kill_selected(struct top *top)
{
	const struct netlink_which which = { .id = top->view.selected };
	struct view *view = &top->view;
	const char *why = "";
	int err = connect_again(top);

	if (!err) {
		err = netlink_vm_kill(top->netlink, &which);
		why = netlink_message(top->netlink);
	}
	if (err)
		snprintf(view->message, sizeof(view->message),
			 "VM %" PRIu32 " was not killed: %s", which.id,
			 *why ? why : strerror(-err));
	else
		snprintf(view->message, sizeof(view->message),
			 "VM %" PRIu32 " is killed", which.id);
}

/*
 * Waits for a key, but not longer than until @due.
 *
 * Return: the key; 0: none; ERR: the terminal is gone.
 */
static int wait_for_key(int64_t due)
{
	struct pollfd terminal = { .fd = STDIN_FILENO, .events = POLLIN };
	int64_t left = due - now_ms();
	int key;

	/* A change of the terminal's size interrupts it, and is a key. */
	poll(&terminal, 1, left > 0 ? left : 0);
	key = getch();
	if (key != ERR)
		return key_of(key);
	return terminal.revents & (POLLHUP | POLLERR | POLLNVAL) ? ERR : 0;
}

/* Return: true to go on. */
static bool serve_key(struct top *top, int64_t *due)
{
	int key = wait_for_key(*due);

	if (key == ERR)
		return false;
	if (!key)
		return true;
	switch (view_press(&top->view, &top->rates,
			   screen_shown(&top->view, &top->rates, LINES), key)) {
	case VIEW_QUIT:
		return false;
	case VIEW_DO_KILL:
		kill_selected(top);
		*due = 0;
		break;
	case VIEW_REFRESH:
		*due = 0;
		break;
	case VIEW_REDRAW:
		break;
	}
	return true;
}

/* Return: 0 or -ENOMEM. */
static int run_screen(struct top *top)
{
	uint64_t looks = 0;
	int64_t due = 0;
	int err;

	do {
		if (now_ms() >= due) {
			if (top->iterations && looks++ == top->iterations)
				return 0;
			err = look(top);
			due = now_ms() + top->delay * 1000;
		} else {
			err = make_rates(top);
		}
		err = err ?: draw(top);
		if (err)
			return err;
	} while (serve_key(top, &due));
	return 0;
}

static int run_terminal(struct top *top)
{
	SCREEN *terminal;
	int err;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return complain(EXIT_CODE_USAGE, "top",
				"standard input and output are no terminal",
				"give --batch");
	setlocale(LC_CTYPE, "");
	set_escdelay(ESCAPE_MS);
	terminal = newterm(NULL, stdout, stdin);
	if (!terminal)
		return complain(EXIT_CODE_USAGE, "top",
				"the terminal is of an unknown kind",
				"set TERM, for example to vt100, or give "
				"--batch");
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	curs_set(0);
	err = run_screen(top);
	endwin();
	delscreen(terminal);
	return err ? complain(EXIT_CODE_RESOURCES, "top", strerror(-err),
			      NULL) :
		     0;
}

static int run(struct top *top)
{
	int code, err;

	/* While the view lasts the module may come and go; at first it must be there. */
	code = family_open(&top->netlink);
	if (code)
		return code;
	if (!top->view.batch)
		return run_terminal(top);
	err = run_batch(top);
	return err ? complain(EXIT_CODE_RESOURCES, "top", strerror(-err),
			      NULL) :
		     0;
}

int top_command(int argc, char **argv)
{
	static const struct argp argp = {
		.options = descriptions,
		.parser = parse_option,
		.doc = about,
	};
	struct top top = {
		.view = { .column = RATES_GUEST },
		.delay = DEFAULT_DELAY,
	};
	int code;

	if (argp_parse(&argp, argc, argv, 0, NULL, &top))
		return EXIT_CODE_USAGE;
	code = run(&top);
	rates_free(&top.rates);
	sample_free(&top.samples[0]);
	sample_free(&top.samples[1]);
	netlink_close(top.netlink);
	return code;
}
