/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sizes and numbers as people write them.
 */
#ifndef LODGE_LIB_SIZE_H
#define LODGE_LIB_SIZE_H

#include <stddef.h>
#include <stdint.h>

/* Room for any size. */
#define SIZE_TEXT_SIZE 24

/**
 * size_parse() - read a size in bytes, such as 4096, 0x1000, 4K, 512M or 1g
 * @text: digits, decimal or with 0x hexadecimal, and an optional suffix K, M, G or T, powers of 1024
 * @bytes: out
 *
 * Return: 0; -EINVAL it is not a size; -ERANGE it needs more than 64 bits.
 */
int size_parse(const char *text, uint64_t *bytes);

/**
 * number_parse() - read an unsigned number, decimal or, with 0x, hexadecimal
 * @text: the whole string must be the number, without sign or blanks
 * @value: out
 *
 * Return: 0; -EINVAL; -ERANGE.
 */
int number_parse(const char *text, uint64_t *value);

/**
 * size_format() - write a size in at most five characters, such as 96K, 1.5G or 1023T
 * @text: filled; one digit behind the point below 10
 * @size: at least SIZE_TEXT_SIZE
 * @bytes: the size, which is rounded down
 */
void size_format(char *text, size_t size, uint64_t bytes);

#endif
