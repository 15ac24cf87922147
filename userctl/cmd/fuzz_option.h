/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The command line of `lodge fuzz`: its own options, those of `lodge run`, and the words
 * of the guest's harness.
 */
#ifndef LODGE_CMD_FUZZ_OPTION_H
#define LODGE_CMD_FUZZ_OPTION_H

#include <stddef.h>

#include "cmd/options.h"

/**
 * struct fuzz_options - the command line
 * @run: the machine
 * @words: what @run was read from
 * @append: the kernel's command line with the harness's words, or NULL
 * @inputs: files of inputs, which are given in place of a fuzzer's
 * @input_fds: the same, opened
 * @nr_inputs: how many
 * @timeout_ms: for each of them, in milliseconds
 */
struct fuzz_options {
	struct run_options run;
	char **words;
	char *append;
	const char **inputs;
	int *input_fds;
	size_t nr_inputs;
	int timeout_ms;
};

/**
 * fuzz_options_parse() - read the command line, and open what it names
 *
 * Return: 0, or the exit code after a message: fuzz_options_free() is to be called then,
 * too.
 */
int fuzz_options_parse(struct fuzz_options *options, int argc, char **argv);

/**
 * fuzz_options_free() - free what fuzz_options_parse() has allocated
 */
void fuzz_options_free(struct fuzz_options *options);

#endif
