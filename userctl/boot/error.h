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
 */
struct boot_error {
	char text[256];
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
 * boot_mib() - a size for a message
 *
 * Return: @bytes in MiB, rounded up.
 */
static inline unsigned long long boot_mib(uint64_t bytes)
{
	return (bytes >> 20) + !!(bytes & 0xfffff);
}

#endif
