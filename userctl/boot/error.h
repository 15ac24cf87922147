/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages of the loaders.
 *
 * The loaders print nothing.  On failure they write one line with the file and the
 * reason, which the command shows.
 */
#ifndef LODGE_BOOT_ERROR_H
#define LODGE_BOOT_ERROR_H

#include <stdint.h>

/**
 * struct boot_error - the reason of a failure
 * @text: one line without a newline, such as "initrd.img: does not fit below
 *	3072 MiB (needs 812 MiB)"
 * @warning: a request of the image that is ignored, as one line of the same kind;
 *	or empty
 */
struct boot_error {
	char text[256];
	char warning[256];
};

/**
 * boot_error_set() - format the reason of a failure, cut to fit
 * @error: gets it
 * @code: -errno
 *
 * Return: @code, so that a caller can fail in one statement.
 */
int boot_error_set(struct boot_error *error, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * boot_warn() - format a warning, and append it to earlier ones
 */
void boot_warn(struct boot_error *error, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * struct boot_size - a size for a message, such as "812 MiB" or "300 bytes"
 */
struct boot_size {
	char text[32];
};

/**
 * boot_size() - format a size: exact below 1 MiB, else rounded up
 */
struct boot_size boot_size(uint64_t bytes);

#endif
