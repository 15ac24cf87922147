/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The arguments of --memory and --memory-backing.
 */
#ifndef LODGE_CMD_MEMORY_OPTION_H
#define LODGE_CMD_MEMORY_OPTION_H

#include <stdint.h>

#include "board/ram.h"

/**
 * memory_option_size() - read how much memory a guest has
 * @size: set to it, in bytes, on success
 *
 * Return: NULL, or what is wrong with the text.
 */
const char *memory_option_size(const char *text, uint64_t *size);

/**
 * memory_option_backing() - read what is behind it
 * @backing: set on success
 *
 * Return: NULL, or what is wrong with the text.
 */
const char *memory_option_backing(const char *text, enum ram_backing *backing);

#endif
