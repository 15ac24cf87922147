/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Why a machine could not be given its image, in words.
 *
 * The loaders print nothing: each failure leaves one line that names the file
 * and the reason, for the command to show.
 */
#ifndef LODGE_BOOT_ERROR_H
#define LODGE_BOOT_ERROR_H

#include <stdint.h>

/**
 * struct boot_error - the reason of a failure
 * @text: one line without a newline, such as "initrd.img: does not fit below
 *	3072 MiB (needs 812 MiB)"
 * @warning: what is not as the image wants it and does not keep it from starting;
 *	one line of the same kind, or empty
 */
struct boot_error {
	char text[256];
	char warning[256];
};

/**
 * boot_error_set() - write down a reason, as printf() would, cut to fit
 * @error: where to
 * @code: -errno
 *
 * Return: @code, so that a caller can fail in one statement.
 */
int boot_error_set(struct boot_error *error, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * boot_warn() - write down a warning, as printf() would, behind those there are
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
 * boot_size() - put a size in words: exact below 1 MiB, else rounded up
 */
struct boot_size boot_size(uint64_t bytes);

#endif
