// SPDX-License-Identifier: GPL-2.0
/*
 * `lodge console`: connects this terminal to the serial port of a machine in the
 * background.
 *
 * Neither side waits for the other: keys for which there is no room are lost, as they
 * are on a terminal, so that the keys of this command always work.
 */
#include "cmd/command.h"

#include <argp.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cmd/complain.h"
#include "cmd/exit_code.h"
#include "cmd/named.h"
#include "control/protocol.h"
#include "machine/signals.h"
#include "machine/terminal.h"

#define KEY_HISTORY 0x100
#define AT_ONCE 4096

/**
 * struct console_options - the command line
 * @list: the machine
 * @history: show the last output first
 */
struct console_options {
	struct named_list list;
	bool history;
};

/* Why a console is left. */
enum leaving {
	STAY,
	DETACHED, /* by a key or a signal, or because nothing takes the output */
	ENDED, /* the machine has ended */
};

/**
 * struct attached - a console
 * @name: the machine's name
 * @client: connection for the bytes
 * @typed: standard input is a terminal
 * @input: standard input has not ended
 * @escaped: the last key was Ctrl-A
 * @keys: for the guest, and not sent yet
 * @count: entries in @keys
 */
struct attached {
	const char *name;
	struct client *client;
	bool typed;
	bool input;
	bool escaped;
	char keys[AT_ONCE];
	size_t count;
};

static volatile sig_atomic_t signalled;

static void note_signal(int number)
{
	signalled = number;
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct console_options *options = state->input;

	switch (key) {
	case KEY_HISTORY:
		options->history = true;
		return 0;
	}
	return named_parse_one(key, state, &options->list);
}

static void show_keys(void)
{
	fputs("\nCtrl-A h    these keys\n"
	      "Ctrl-A d    leave the console; the machine runs on\n"
	      "Ctrl-A p    press the power button\n"
	      "Ctrl-A x    end the machine\n"
	      "Ctrl-A a    send Ctrl-A\n",
	      stderr);
}

/* By a connection of its own, since the console's has become the serial port. */
static void request(const struct attached *attached, const char *command)
{
	struct client *client;

	if (named_find(&client, attached->name))
		return;
	named_call(client, attached->name, command, NULL);
	client_close(client);
}

/* Return: false if the output takes no more. */
static bool write_out(const char *text, size_t size)
{
	while (size) {
		ssize_t length = write(STDOUT_FILENO, text, size);

		if (length < 0 && errno == EINTR && !signalled)
			continue;
		if (length <= 0)
			return false;
		text += length;
		size -= length;
	}
	return true;
}

static enum leaving take_output(const struct attached *attached)
{
	char text[AT_ONCE];
	ssize_t length = recv(client_fd(attached->client), text, sizeof(text),
			      MSG_DONTWAIT);

	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return STAY;
	if (length <= 0)
		return ENDED;
	return write_out(text, length) ? STAY : DETACHED;
}

static void send_keys(struct attached *attached)
{
	ssize_t length = send(client_fd(attached->client), attached->keys,
			      attached->count, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (length <= 0)
		return;
	attached->count -= length;
	memmove(attached->keys, attached->keys + length, attached->count);
}

static void pass_on(struct attached *attached, uint8_t key)
{
	if (attached->count < sizeof(attached->keys))
		attached->keys[attached->count++] = key;
}

static enum leaving take_key(struct attached *attached, uint8_t key)
{
	bool detach = attached->escaped && key == 'd';

	switch (terminal_key(&attached->escaped, &key)) {
	case TERMINAL_PASS:
		pass_on(attached, key);
		break;
	case TERMINAL_QUIT:
		request(attached, "end");
		break;
	case TERMINAL_POWER:
		request(attached, "power-button");
		break;
	case TERMINAL_HELP:
		show_keys();
		break;
	case TERMINAL_INFO:
	case TERMINAL_DROP:
		break;
	}
	return detach ? DETACHED : STAY;
}

static enum leaving take_input(struct attached *attached)
{
	uint8_t keys[AT_ONCE];
	enum leaving leaving = STAY;
	ssize_t count = read(STDIN_FILENO, keys, sizeof(keys));

	if (count < 0 && (errno == EINTR || errno == EAGAIN))
		return STAY;
	if (count <= 0) {
		attached->input = false;
		/* A terminal that is gone has nobody at it. */
		return attached->typed ? DETACHED : STAY;
	}
	for (ssize_t i = 0; i < count && leaving == STAY; i++) {
		if (attached->typed)
			leaving = take_key(attached, keys[i]);
		else
			pass_on(attached, keys[i]);
	}
	return leaving;
}

/* A file or a pipe waits until the guest takes what was read before. */
static bool wants_input(const struct attached *attached)
{
	return attached->input && (attached->typed || !attached->count);
}

static enum leaving work(struct attached *attached)
{
	struct pollfd fds[] = {
		{ .fd = client_fd(attached->client), .events = POLLIN },
		{ .fd = wants_input(attached) ? STDIN_FILENO : -1,
		  .events = POLLIN },
	};
	enum leaving leaving = STAY;

	if (attached->count)
		fds[0].events |= POLLOUT;
	if (signalled)
		return DETACHED;
	if (poll(fds, 2, -1) < 0)
		return errno == EINTR ? STAY : DETACHED;
	if (fds[0].revents & ~POLLOUT)
		leaving = take_output(attached);
	if (leaving == STAY && fds[1].revents)
		leaving = take_input(attached);
	if (leaving == STAY && attached->count)
		send_keys(attached);
	return leaving;
}

static void catch_signals(void)
{
	static const int caught[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction action = { .sa_handler = note_signal };

	for (size_t i = 0; i < sizeof(caught) / sizeof(caught[0]); i++)
		if (!signal_is_ignored(caught[i]))
			sigaction(caught[i], &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* Return: the exit code. */
static int stay(struct attached *attached)
{
	char text[AT_ONCE];
	enum leaving leaving = STAY;
	size_t size;

	while ((size = client_rest(attached->client, text, sizeof(text))))
		if (!write_out(text, size))
			leaving = DETACHED;
	while (leaving == STAY)
		leaving = work(attached);
	terminal_restore();
	if (attached->typed)
		fprintf(stderr, "\nlodge: %s: %s\n", attached->name,
			leaving == ENDED ? "the machine has ended" :
					   "the machine runs on");
	return signalled ? EXIT_CODE_SIGNAL(signalled) : 0;
}

static int attach(const char *name, bool history)
{
	struct attached attached = { .name = name, .input = true };
	char why[CONTROL_WHY_SIZE];
	int code = named_find(&attached.client, name);
	int err;

	if (code)
		return code;
	err = client_call(attached.client, "console",
			  history ? "history" : NULL, NULL, why, sizeof(why));
	if (err) {
		code = named_complain(name, err, why);
	} else {
		attached.typed = terminal_present();
		if (attached.typed)
			fprintf(stderr,
				"lodge: %s: Ctrl-A d leaves the console, Ctrl-A "
				"h shows all keys\n",
				name);
		catch_signals();
		err = terminal_raw();
		code = err ? complain(EXIT_CODE_INTERNAL, "the terminal",
				      strerror(-err), NULL) :
			     stay(&attached);
	}
	client_close(attached.client);
	return code;
}

int console_command(int argc, char **argv)
{
	static const struct argp_option descriptions[] = {
		{ "history", KEY_HISTORY, NULL, 0,
		  "Show the last output first, up to 64K", 0 },
		{ NULL, 0, NULL, 0, NULL, 0 },
	};
	static const struct argp argp = {
		.options = descriptions,
		.parser = parse_option,
		.args_doc = "NAME",
		.doc = "Connect this terminal to the serial port of a machine in "
		       "the background."
		       "\v"
		       "Ctrl-A d leaves the console, and the machine runs on; "
		       "Ctrl-A x ends the machine, Ctrl-A p presses its power "
		       "button, Ctrl-A h shows the keys, Ctrl-A a sends Ctrl-A.  "
		       "Several consoles may be connected.  Without a terminal, "
		       "every byte of standard input is sent, and the output is "
		       "written until the machine ends.\n"
		       "\n"
		       "Examples:\n"
		       "  lodge console web\n"
		       "  lodge console --history web\n"
		       "\n"
		       "Exit codes: 0 the console was left, or the machine has "
		       "ended; " NAMED_EXIT_CODES "; 128+N ended by signal N.",
	};
	struct console_options options = { 0 };

	if (argp_parse(&argp, argc, argv, 0, NULL, &options))
		return EXIT_CODE_USAGE;
	return attach(*options.list.names, options.history);
}
