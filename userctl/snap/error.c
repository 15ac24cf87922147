// SPDX-License-Identifier: GPL-2.0
/*
 * Why the file of a saved machine is refused.
 */
#include "snap/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int snap_error_set(struct snap_error *error, int code, const char *section,
		   const char *format, ...)
{
	size_t used = 0;
	va_list args;

	memset(error, 0, sizeof(*error));
	if (section) {
		strncpy(error->section, section, sizeof(error->section) - 1);
		used = snprintf(error->text, sizeof(error->text),
				"%s: ", error->section);
	}
	va_start(args, format);
	vsnprintf(error->text + used, sizeof(error->text) - used, format, args);
	va_end(args);
	return code;
}

int snap_error_read(struct snap_error *error, const char *section, int err)
{
	if (err == -ENODATA)
		return snap_error_set(error, -EBADMSG, section,
				      "the file became shorter");
	return snap_error_set(error, err, section, "cannot be read: %s",
			      strerror(-err));
}
