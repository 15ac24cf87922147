/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The console: the host's end of the serial port.  A reset of the machine does not
 * affect it.
 */
#ifndef LODGE_MACHINE_CONSOLE_H
#define LODGE_MACHINE_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum console_kind {
	CONSOLE_STDIO, /* standard input and output */
	CONSOLE_FILE, /* a file; output only */
	CONSOLE_PTY, /* a new pseudo-terminal, for another program */
	CONSOLE_NONE, /* no input; output is dropped */
	CONSOLE_CALLS, /* what console_open_calls() is given */
};

struct console;

/**
 * console_open() - open a console
 * @console: set to it
 * @kind: kind of console, but for CONSOLE_CALLS
 * @path: with CONSOLE_FILE: the file to write, which is created or emptied
 *
 * Return: 0 or -errno.
 */
int console_open(struct console **console, enum console_kind kind,
		 const char *path);

/**
 * console_open_calls() - open a console whose output is taken by a function
 * @console: set to it
 * @in: descriptor to read for input, which stays the caller's
 * @take: takes the guest's output, from any thread, and must not wait for anybody
 * @opaque: for @take
 *
 * Return: 0 or -errno.
 */
int console_open_calls(struct console **console, int in,
		       void (*take)(void *opaque, const void *data,
				    size_t size),
		       void *opaque);

/**
 * console_close() - close a console; NULL is fine
 */
void console_close(struct console *console);

/**
 * console_path() - get the name of the pseudo-terminal
 *
 * Return: its name, or NULL if the console is not a CONSOLE_PTY.
 */
const char *console_path(const struct console *console);

/**
 * console_input() - get the descriptor to poll for input
 *
 * Return: the descriptor, or -1 if there is no input or it has ended.
 */
int console_input(const struct console *console);

/**
 * console_read() - read input, when console_input() is readable
 *
 * Return: the number of bytes; 0 at the end of input, after which console_input()
 * is -1; or -errno, which may be -EAGAIN or -EINTR.
 */
ssize_t console_read(struct console *console, void *data, size_t size);

/**
 * console_is_terminal() - true if input comes from the process's own terminal
 */
bool console_is_terminal(const struct console *console);

/**
 * console_write() - write the guest's output; any thread may call
 *
 * It waits while standard output or a file is slow, until console_hang_up().  For a
 * pseudo-terminal that nobody reads, it drops output instead and returns 0.
 *
 * Return: 0, or -errno if output was lost.
 */
int console_write(struct console *console, const void *data, size_t size);

/**
 * console_in_line() - true if the last output went to a terminal and did not end
 * its line
 */
bool console_in_line(const struct console *console);

/**
 * console_hang_up() - end all waits in console_write(), and drop output from now on
 */
void console_hang_up(struct console *console);

#endif
