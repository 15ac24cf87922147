/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A `lodge run` in the hands of a test: what it is given to read, what it says,
 * and how it ends.
 */
#ifndef LODGE_BOOT_GUEST_H
#define LODGE_BOOT_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define GUEST_TEXT_SIZE (1 << 20)
#define GUEST_ERRORS_SIZE (1 << 16)

/**
 * struct guest - a controller and its guest
 * @pid: the controller's process
 * @input: what is written here is typed at the guest's console
 * @output: what the guest's console shows comes from here
 * @error: the controller's standard error
 * @text: all that has come from @output, with spaces for zero bytes
 * @length: of @text
 * @seen: how much of @text has been waited for
 * @errors: after guest_end(): what has come from @error
 */
struct guest {
	pid_t pid;
	int input;
	int output;
	int error;
	char text[GUEST_TEXT_SIZE];
	size_t length;
	size_t seen;
	char errors[GUEST_ERRORS_SIZE];
};

/**
 * guest_start() - start `lodge run`, with pipes for its console
 * @arguments: what follows `lodge run`; NULL ends them.  Files without a path
 *	are those of the payload: vmlinuz-6.1, vmlinuz-6.12, guest.cpio, cd.iso,
 *	memtest.bin, and linux and initrd.gz of Debian's installer
 *
 * The controller dies with the thread that calls this.
 *
 * Return: 0 or -errno.
 */
int guest_start(struct guest *guest, const char *const arguments[]);

/**
 * guest_start_on_terminal() - the same, with a terminal of its own for console
 *
 * Both @input and @output are then the terminal's other side.
 *
 * Return: 0 or -errno.
 */
int guest_start_on_terminal(struct guest *guest, const char *const arguments[]);

/**
 * guest_exec_on_terminal() - start `lodge exec` likewise
 * @arguments: what follows `lodge exec`; NULL ends them
 */
int guest_exec_on_terminal(struct guest *guest, const char *const arguments[]);

/**
 * guest_wait() - read on until the console has shown a text
 * @text: what to wait for, behind all that has been waited for before
 * @seconds: how long at most
 *
 * Return: true if it came.
 */
bool guest_wait(struct guest *guest, const char *text, int seconds);

/**
 * guest_fact() - find what the guest has told in a line "NAME: VALUE"
 *
 * Return: the value, kept for seven calls more; "absent" without such a line.
 */
const char *guest_fact(const struct guest *guest, const char *name);

/**
 * guest_type() - type a text at the guest's console
 *
 * Return: 0 or -errno.
 */
int guest_type(struct guest *guest, const char *text);

/**
 * guest_end() - read on until the controller has ended, and free what it held
 * @seconds: how long at most; it is then killed
 *
 * Return: its exit status, or -1 when a signal ended it.
 */
int guest_end(struct guest *guest, int seconds);

/**
 * guest_tail() - the last lines of what the console has shown, for a log
 */
const char *guest_tail(const struct guest *guest);

#endif
