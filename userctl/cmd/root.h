/* SPDX-License-Identifier: GPL-2.0 */
/*
 * `lodge run --root DIRECTORY [-- COMMAND]`: a guest whose root is a directory of the
 * host's, and which runs commands as if they ran here: one whose end is the guest's, and
 * those of `lodge exec`.
 */
#ifndef LODGE_CMD_ROOT_H
#define LODGE_CMD_ROOT_H

#include "cmd/background.h"
#include "cmd/options.h"
#include "control/mux.h"
#include "machine/machine.h"

struct root;

/**
 * root_open() - prepare a guest and its command
 * @root: out
 * @options: has a root; its machine gets what the guest needs
 *
 * In the background, without a command, the guest runs until it is stopped.
 *
 * Return: 0, or an exit code after a message.
 */
int root_open(struct root **root, struct run_options *options);

/**
 * root_loaded() - free what the guest's memory has by now: its initrd
 *
 * The machine is not to load it again: a reset ends it.
 */
void root_loaded(struct root *root);

/**
 * root_console() - make the console at COM1 of a machine in the foreground, which keeps
 * the kernel's messages
 *
 * Return: 0 or -errno.
 */
int root_console(struct root *root, struct console **console);

/**
 * root_start() - run the command in a machine that was started, and end that after it
 * @background: in the background: takes what the command writes
 *
 * Return: 0, or an exit code after a message.
 */
int root_start(struct root *root, struct machine *machine,
	       struct background *background);

/**
 * root_mux() - get what shares the agent in the guest
 */
struct mux *root_mux(struct root *root);

/**
 * root_join() - wait for the end of the machine, after root_start()
 */
void root_join(struct root *root);

/**
 * root_end() - tell programs of the end, after root_join()
 * @code: out: with a word: the exit code
 *
 * Return: a word; or NULL: the machine's own end counts.
 */
const char *root_end(const struct root *root, int *code);

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
