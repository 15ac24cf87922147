/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The file of --config.
 */
#ifndef LODGE_CMD_CONFIG_FILE_H
#define LODGE_CMD_CONFIG_FILE_H

#include "control/config.h"

/**
 * config_file_read() - read the options of a file as words of a command line
 * @path: the file
 * @keys: the options that there are
 * @words: out: as config_words()
 * @count: out: their number
 * @why: out: on failure, the reason
 * @size: bytes at @why
 *
 * Return: 0 or -errno.
 */
int config_file_read(const char *path, const struct config_key *keys,
		     char ***words, size_t *count, char *why, size_t size);

#endif
