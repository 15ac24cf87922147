/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The console: where the serial port's other end leads on the host.  It outlives
 * a reset of the machine.
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
	CONSOLE_PTY, /* a pseudo-terminal for another program to open */
	CONSOLE_NONE, /* output is dropped, and there is no input */
};

struct console;

/**
 * console_open() - open a console
 * @console: set to it
 * @kind: which one
 * @path: the file to write (created or emptied), for CONSOLE_FILE
 *
 * Return: 0 or -errno.
 */
int console_open(struct console **console, enum console_kind kind,
		 const char *path);

/**
 * console_close() - close it; NULL is fine
 */
void console_close(struct console *console);

/**
 * console_path() - the pseudo-terminal to open, for CONSOLE_PTY
 *
 * Return: its name, or NULL with other kinds.
 */
const char *console_path(const struct console *console);

/**
 * console_input() - the descriptor to wait on for input
 *
 * Return: the descriptor, or -1 when there is no (more) input.
 */
int console_input(const struct console *console);

/**
 * console_read() - read what has been typed
 *
 * Call it when console_input() can be read.
 *
 * Return: number of bytes; 0 at the end of input, and console_input() is -1
 * from then on; -errno, among them -EAGAIN and -EINTR.
 */
ssize_t console_read(struct console *console, void *data, size_t size);

/**
 * console_is_terminal() - true if a person types at it in this process's own
 * terminal
 */
bool console_is_terminal(const struct console *console);

/**
 * console_write() - write the guest's output; from any thread
 *
 * Waits while standard output or a file is slow, until console_hang_up().  A
 * pseudo-terminal that nobody reads loses output instead, and that is no error.
 *
 * Return: 0, or the -errno with which output was lost.
 */
int console_write(struct console *console, const void *data, size_t size);

/**
 * console_in_line() - true if the last output to the process's own terminal has
 * not ended its line
 */
bool console_in_line(const struct console *console);

/**
 * console_hang_up() - release whoever waits in console_write(); from now on
 * output is dropped
 */
void console_hang_up(struct console *console);

#endif
