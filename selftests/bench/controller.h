/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A controller, `lodge run` or QEMU, with a Linux guest that bench/devices talks to, or
 * that ends by itself; and what the two of them take of the host's memory.
 */
#ifndef BENCH_CONTROLLER_H
#define BENCH_CONTROLLER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CONTROLLER_TEXT_SIZE 16384

/**
 * struct controller - a process, in a cgroup of its own
 * @pid: the process
 * @input: what is written here is typed at the guest's console
 * @output: what the guest's console shows, and the controller's messages
 * @text: the last of what has come from @output
 * @length: of @text
 */
struct controller {
	pid_t pid;
	int input;
	int output;
	char text[CONTROLLER_TEXT_SIZE];
	size_t length;
};

/**
 * struct footprint - memory that a machine takes, in KiB
 * @own: what the controller and its helpers have mapped, without the guest's memory; of
 *	pages that several processes map, their share (Pss)
 * @kernel: what the kernel holds for them
 */
struct footprint {
	uint64_t own;
	uint64_t kernel;
};

/**
 * controller_start() - start a controller
 * @arguments: its command line, which NULL ends; files without a path are those of the
 *	payload
 *
 * There is one at a time.  Without cgroups in the kernel it cannot be measured.
 *
 * Return: 0 or -errno.
 */
int controller_start(struct controller *controller,
		     const char *const arguments[]);

/**
 * controller_ask() - type a line at the guest's console, and read the answer
 * @line: the line with its end, or NULL to wait for a line that was not asked for
 * @answer: a line of the guest's that begins so
 *
 * Return: 0; -EPROTO: the guest has said something else; -EPIPE: the controller has
 * ended; or another -errno.
 */
int controller_ask(struct controller *controller, const char *line,
		   const char *answer);

/**
 * controller_measure() - find what memory a machine takes now
 * @guest_memory: size of the guest's memory in bytes; a mapping of this size or above
 *	is taken for it
 *
 * Return: 0 or -errno.
 */
int controller_measure(size_t guest_memory, struct footprint *footprint);

/**
 * controller_wait() - wait until a controller that was started ends by itself
 *
 * Its last words are in @text.
 *
 * Return: 0; -EPROTO: it has ended with another status than 0; or another -errno.
 */
int controller_wait(struct controller *controller);

/**
 * controller_stop() - end a controller that was started, and all that it has started
 */
void controller_stop(struct controller *controller);

/**
 * controller_explain() - print an error, and as TAP's comments what was said last
 * @name: what has failed
 * @error: -errno
 */
void controller_explain(struct controller *controller, const char *name,
			int error);

#endif
