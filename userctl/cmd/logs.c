// SPDX-License-Identifier: GPL-2.0
/*
 * `lodge logs`: shows what a machine in the background has written.
 */
#include "cmd/command.h"

#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/exit_code.h"
#include "cmd/harmless.h"
#include "cmd/named.h"
#include "control/log.h"

#define KEY_MESSAGES 0x100
/* The end of a controller that is killed changes no file. */
#define LOOK_MS 1000

/**
 * struct logs_options - the command line
 * @list: the machine
 * @messages: show the controller's messages
 * @follow: go on until the machine ends
 */
struct logs_options {
	struct named_list list;
	bool messages;
	bool follow;
};

/**
 * struct logs - a log while it is read
 * @directory: where it is
 * @file: its name
 * @fd: descriptor of the part that is read now, or -1
 * @terminal: it is shown at a terminal
 * @harmless: for @terminal
 */
struct logs {
	const struct directory *directory;
	const char *file;
	int fd;
	bool terminal;
	struct harmless harmless;
};

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct logs_options *options = state->input;

	switch (key) {
	case KEY_MESSAGES:
		options->messages = true;
		return 0;
	case 'f':
		options->follow = true;
		return 0;
	}
	return named_parse_one(key, state, &options->list);
}

static int open_part(const struct logs *logs, const char *name)
{
	return openat(logs->directory->fd, name,
		      O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

/* Return: false if the output takes no more. */
static bool copy(struct logs *logs, int fd)
{
	char text[4096];
	ssize_t length;

	while ((length = read(fd, text, sizeof(text))) > 0) {
		if (logs->terminal)
			harmless_write(&logs->harmless, text, length, stdout);
		else
			fwrite(text, 1, length, stdout);
	}
	return !fflush(stdout);
}

/* True if the log's name belongs to another file than that which is read. */
static bool has_turned(const struct logs *logs)
{
	struct stat read, named;

	return !fstatat(logs->directory->fd, logs->file, &named,
			AT_SYMLINK_NOFOLLOW) &&
	       (logs->fd < 0 ||
		(!fstat(logs->fd, &read) && read.st_ino != named.st_ino));
}

/* Return: false if the output takes no more. */
static bool copy_newest(struct logs *logs)
{
	do {
		if (logs->fd >= 0 && !copy(logs, logs->fd))
			return false;
		if (!has_turned(logs))
			return true;
		/* What came between the two lines above. */
		if (logs->fd >= 0) {
			copy(logs, logs->fd);
			close(logs->fd);
		}
		logs->fd = open_part(logs, logs->file);
	} while (logs->fd >= 0);
	return true;
}

static bool copy_old(struct logs *logs)
{
	char name[NAME_MAX];
	bool more = true;
	int fd;

	snprintf(name, sizeof(name), "%s" LOG_OLD, logs->file);
	fd = open_part(logs, name);
	if (fd >= 0) {
		more = copy(logs, fd);
		close(fd);
	}
	return more;
}

/* Return: a descriptor that is readable when something in the directory changes. */
static int watch(const struct directory *directory)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", directory->fd);
	if (fd >= 0)
		inotify_add_watch(fd, path,
				  IN_MODIFY | IN_CREATE | IN_MOVED_TO |
					  IN_DELETE | IN_DELETE_SELF);
	return fd;
}

static bool still_lives(const struct directory *directory)
{
	struct directory again;
	bool lives = false;

	if (directory_find(&again, directory->parent, directory->name, &lives))
		return false;
	directory_close(&again);
	return lives;
}

static void wait_for_change(int watched)
{
	struct pollfd fd = { .fd = watched, .events = POLLIN };
	char events[4096];

	poll(&fd, 1, LOOK_MS);
	while (watched >= 0 && read(watched, events, sizeof(events)) > 0)
		;
}

static void follow(struct logs *logs)
{
	int watched = watch(logs->directory);
	bool lives = true;

	while (lives) {
		lives = still_lives(logs->directory);
		if (!copy_newest(logs))
			break;
		if (lives)
			wait_for_change(watched);
	}
	if (watched >= 0)
		close(watched);
}

static int show(const char *name, const struct logs_options *options)
{
	struct directory directory;
	struct logs logs = {
		.directory = &directory,
		.file = options->messages ? DIRECTORY_MESSAGES :
					    DIRECTORY_SERIAL,
		.fd = -1,
		.terminal = isatty(STDOUT_FILENO),
	};
	bool lives;
	int code = named_open(&directory, name, &lives);

	if (code)
		return code;
	if (copy_old(&logs) && copy_newest(&logs) && options->follow && lives)
		follow(&logs);
	if (logs.fd >= 0)
		close(logs.fd);
	named_close(&directory);
	return 0;
}

int logs_command(int argc, char **argv)
{
	static const struct argp_option descriptions[] = {
		{ "follow", 'f', NULL, 0,
		  "Go on with what is written, until the machine ends", 0 },
		{ "messages", KEY_MESSAGES, NULL, 0,
		  "Show the controller's messages: a crash's report, warnings",
		  0 },
		{ NULL, 0, NULL, 0, NULL, 0 },
	};
	static const struct argp argp = {
		.options = descriptions,
		.parser = parse_option,
		.args_doc = "NAME",
		.doc = "Show what a machine in the background has written to its "
		       "serial port: the last 512K to 1M of it.  On a terminal "
		       "only colours are; other control sequences are shown, "
		       "and not carried out."
		       "\v"
		       "Examples:\n"
		       "  lodge logs web\n"
		       "  lodge logs --follow web\n"
		       "  lodge logs --messages web\n"
		       "\n"
		       "Exit codes: 0 done; " NAMED_EXIT_CODES ".",
	};
	struct logs_options options = { 0 };

	if (argp_parse(&argp, argc, argv, 0, NULL, &options))
		return EXIT_CODE_USAGE;
	return show(*options.list.names, &options);
}
