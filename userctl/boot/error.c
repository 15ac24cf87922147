// SPDX-License-Identifier: GPL-2.0
/*
 * Why a machine could not be given its image, in words.
 */
#include "boot/error.h"

#include <stdarg.h>
#include <stdio.h>

int boot_error_set(struct boot_error *error, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return code;
}
