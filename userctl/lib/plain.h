/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Texts that messages may repeat.
 */
#ifndef LODGE_LIB_PLAIN_H
#define LODGE_LIB_PLAIN_H

#include <stdbool.h>

/**
 * text_is_plain() - true if a text has no control characters but newlines and tabs
 * @text: in UTF-8, or in any other encoding
 *
 * Messages repeat texts that others have written, and a terminal takes some characters of
 * theirs for commands.
 */
bool text_is_plain(const char *text);

#endif
