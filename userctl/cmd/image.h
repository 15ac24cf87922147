/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What `lodge image` shows of files.
 */
#ifndef LODGE_CMD_IMAGE_H
#define LODGE_CMD_IMAGE_H

#include <stdbool.h>
#include <stddef.h>

/**
 * image_config() - show the options of the machines in files
 *
 * Return: as image_info().
 */
int image_config(char **paths, size_t count);

/**
 * image_info() - show what files have
 * @json: as JSON
 *
 * Return: 0, or the exit code of the first that failed, after messages.
 */
int image_info(char **paths, size_t count, bool json);

#endif
