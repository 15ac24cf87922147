// SPDX-License-Identifier: GPL-2.0
/*
 * Messages of the loaders.
 */
#include "boot/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int boot_error_set(struct boot_error *error, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return code;
}

void boot_warn(struct boot_error *error, const char *format, ...)
{
	size_t used = strlen(error->warning);
	va_list args;

	if (used)
		used += snprintf(error->warning + used,
				 sizeof(error->warning) - used, "; ");
	if (used >= sizeof(error->warning))
		return;
	va_start(args, format);
	vsnprintf(error->warning + used, sizeof(error->warning) - used, format,
		  args);
	va_end(args);
}

struct boot_size boot_size(uint64_t bytes)
{
	const uint64_t kib = 1 << 10, mib = 1 << 20;
	struct boot_size size;

	if (bytes >= mib)
		snprintf(size.text, sizeof(size.text), "%llu MiB",
			 (unsigned long long)((bytes + mib - 1) / mib));
	else if (bytes && bytes % kib == 0)
		snprintf(size.text, sizeof(size.text), "%llu KiB",
			 (unsigned long long)(bytes / kib));
	else
		snprintf(size.text, sizeof(size.text), "%llu bytes",
			 (unsigned long long)bytes);
	return size;
}
