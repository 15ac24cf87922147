/* SPDX-License-Identifier: GPL-2.0 */
/*
 * `lodge run --root DIRECTORY -- COMMAND`: a guest whose root is a directory of the
 * host's, and which runs one command as if it ran here.
 */
#ifndef LODGE_CMD_ROOT_H
#define LODGE_CMD_ROOT_H

#include "cmd/options.h"
#include "machine/machine.h"

struct root;

/**
 * root_open() - prepare a guest and its command
 * @root: out
 * @options: has a root; its machine gets what the guest needs
 *
 * Return: 0, or an exit code after a message.
 */
int root_open(struct root **root, struct run_options *options);

/**
 * root_console() - make the console at COM1, which keeps the kernel's messages
 *
 * Return: 0 or -errno.
 */
int root_console(struct root *root, struct console **console);

/**
 * root_serve() - run the command in a machine that was started, and end that
 */
void root_serve(struct root *root, struct machine *machine);

/**
 * root_exit_code() - tell the command's end, or why it has none
 * @code: the machine's exit code, or that of its failure
 *
 * Return: the exit code.
 */
int root_exit_code(struct root *root, int code);

/**
 * root_close() - free it, when the machine is freed
 */
void root_close(struct root *root);

#endif
