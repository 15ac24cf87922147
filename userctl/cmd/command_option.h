/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The command of `lodge run --root`, at the end of the line or by --command.
 */
#ifndef LODGE_CMD_COMMAND_OPTION_H
#define LODGE_CMD_COMMAND_OPTION_H

#include "cmd/options.h"

/**
 * command_option_add() - add a word of --command to the command
 * @word: must stay as long as @options
 *
 * Return: 0 or ENOMEM.
 */
int command_option_add(struct run_options *options, char *word);

/**
 * command_option_take() - take a command that ends the line, in place of any other
 * @words: with NULL at the end; must stay as long as @options
 *
 * It is noted for `lodge inspect`.  What a description has no room for, or cannot say,
 * runs all the same, but is not repeated by it.
 */
void command_option_take(struct run_options *options, char **words);

#endif
