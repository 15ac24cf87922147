/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Users by name and by number.
 */
#ifndef LODGE_LIB_USER_H
#define LODGE_LIB_USER_H

#include <stddef.h>
#include <stdint.h>

/**
 * user_parse() - find a user
 * @text: name or number; a name of digits counts as a name first
 * @uid: out
 *
 * Return: 0; -ENOENT there is no user of that name.
 */
int user_parse(const char *text, uint32_t *uid);

/**
 * user_format() - write a user's name, or its number if it has none
 * @text: filled
 */
void user_format(char *text, size_t size, uint32_t uid);

#endif
