// SPDX-License-Identifier: GPL-2.0
/*
 * The console: the host's end of the serial port.
 */
#include "machine/console.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <termios.h>
#include <unistd.h>

#include "machine/terminal.h"

/* A full pseudo-terminal blocks the guest for this time; then output is lost. */
#define PTY_PATIENCE_MS 200
/* A pipe or terminal that is writable takes this many bytes without blocking. */
#define CHUNK_SIZE 256

/**
 * struct console - an open console
 * @kind: never changes
 * @in: descriptor to read, or -1; only the reader changes it
 * @out: descriptor to write, or -1; never changes
 * @peer: the pseudo-terminal's other side, or -1; held open so that the terminal
 *	does not hang up while no program uses it
 * @hang_up: eventfd, readable once output is to be dropped
 * @path: name of the pseudo-terminal
 * @last: last byte of output
 * @take: with CONSOLE_CALLS: takes output
 * @opaque: for @take
 * @stalled: the pseudo-terminal was full last time, so do not wait for it again
 */
struct console {
	enum console_kind kind;
	int in;
	int out;
	int peer;
	int hang_up;
	char path[PATH_MAX];
	void (*take)(void *opaque, const void *data, size_t size);
	void *opaque;
	_Atomic char last;
	atomic_bool stalled;
};

static int open_pty(struct console *console)
{
	struct termios raw;
	int err;

	console->out = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (console->out < 0)
		return -errno;
	console->in = console->out;
	if (grantpt(console->out) || unlockpt(console->out))
		return -errno;
	err = ptsname_r(console->out, console->path, sizeof(console->path));
	if (err)
		return -err;
	console->peer = open(console->path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (console->peer < 0 || tcgetattr(console->peer, &raw))
		return -errno;
	cfmakeraw(&raw);
	if (tcsetattr(console->peer, TCSANOW, &raw))
		return -errno;
	return 0;
}

static int open_kind(struct console *console, const char *path)
{
	switch (console->kind) {
	case CONSOLE_STDIO:
		console->in = STDIN_FILENO;
		console->out = STDOUT_FILENO;
		return 0;
	case CONSOLE_FILE:
		console->out = open(path,
				    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC |
					    O_NOCTTY,
				    0666);
		return console->out < 0 ? -errno : 0;
	case CONSOLE_PTY:
		return open_pty(console);
	case CONSOLE_NONE:
		return 0;
	case CONSOLE_CALLS:
		break;
	}
	return -EINVAL;
}

int console_open(struct console **console, enum console_kind kind,
		 const char *path)
{
	struct console *new = calloc(1, sizeof(*new));
	int err;

	if (!new)
		return -ENOMEM;
	new->kind = kind;
	new->in = new->out = new->peer = -1;
	new->hang_up = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = new->hang_up < 0 ? -errno : open_kind(new, path);
	if (err) {
		console_close(new);
		return err;
	}
	*console = new;
	return 0;
}

int console_open_calls(struct console **console, int in,
		       void (*take)(void *opaque, const void *data,
				    size_t size),
		       void *opaque)
{
	struct console *new;
	int err = console_open(&new, CONSOLE_NONE, NULL);

	if (err)
		return err;
	new->kind = CONSOLE_CALLS;
	new->in = in;
	new->take = take;
	new->opaque = opaque;
	*console = new;
	return 0;
}

void console_close(struct console *console)
{
	if (!console)
		return;
	if (console->hang_up >= 0)
		close(console->hang_up);
	if (console->peer >= 0)
		close(console->peer);
	if (console->out >= 0 && console->kind != CONSOLE_STDIO)
		close(console->out);
	free(console);
}

const char *console_path(const struct console *console)
{
	return console->kind == CONSOLE_PTY ? console->path : NULL;
}

int console_input(const struct console *console)
{
	return console->in;
}

ssize_t console_read(struct console *console, void *data, size_t size)
{
	ssize_t length = read(console->in, data, size);

	if (!length)
		console->in = -1;
	return length < 0 ? -errno : length;
}

bool console_is_terminal(const struct console *console)
{
	return console->kind == CONSOLE_STDIO && terminal_present();
}

/*
 * Waits until the descriptor takes more output.  A vCPU's thread must not block in
 * write(), which console_hang_up() cannot end.
 *
 * Return: 1; 0 output is to be dropped; -errno.
 */
static int wait_writable(struct console *console)
{
	struct pollfd fds[] = {
		{ .fd = console->out, .events = POLLOUT },
		{ .fd = console->hang_up, .events = POLLIN },
	};
	int patience = -1;
	int ready;

	if (console->kind == CONSOLE_PTY)
		patience = atomic_load(&console->stalled) ? 0 : PTY_PATIENCE_MS;
	do {
		ready = poll(fds, 2, patience);
	} while (ready < 0 && errno == EINTR);
	if (ready < 0)
		return -errno;
	atomic_store(&console->stalled, !ready);
	return ready && !fds[1].revents;
}

int console_write(struct console *console, const void *data, size_t size)
{
	const char *next = data;
	ssize_t length;
	int ready;

	if (console->take)
		console->take(console->opaque, data, size);
	if (console->out < 0)
		return 0;
	while (size) {
		ready = wait_writable(console);
		if (ready <= 0)
			return ready;
		length = write(console->out, next,
			       size < CHUNK_SIZE ? size : CHUNK_SIZE);
		if (length < 0 && errno != EINTR && errno != EAGAIN)
			return -errno;
		if (length > 0) {
			atomic_store(&console->last, next[length - 1]);
			next += length;
			size -= length;
		}
	}
	return 0;
}

bool console_in_line(const struct console *console)
{
	char last = atomic_load(&console->last);

	return console->kind == CONSOLE_STDIO && isatty(console->out) && last &&
	       last != '\n';
}

void console_hang_up(struct console *console)
{
	eventfd_write(console->hang_up, 1);
}
