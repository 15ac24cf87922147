/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The options of a command that lets a machine go on, as words for options_parse(), behind
 * those of the machine's description, whose place they take.
 */
#ifndef LODGE_CMD_OWN_WORDS_H
#define LODGE_CMD_OWN_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#define OWN_WORDS_MAX 16

/**
 * struct own_words - the command's own options
 * @words: they, which are allocated
 * @count: how many
 */
struct own_words {
	char *words[OWN_WORDS_MAX];
	size_t count;
};

/**
 * own_words_add() - add an option
 * @name: its long name
 * @value: its value, or NULL
 *
 * Return: 0, E2BIG or ENOMEM, as argp has it.
 */
int own_words_add(struct own_words *own, const char *name, const char *value);

/**
 * own_words_drop() - true if an option of a description only says how the machine was run,
 * and not what it is
 * @word: the option
 * @detach: the machine goes on in the background
 */
bool own_words_drop(const char *word, bool detach);

/**
 * own_words_free() - free them
 */
void own_words_free(struct own_words *own);

#endif
