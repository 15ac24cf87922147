// SPDX-License-Identifier: GPL-2.0
/*
 * The arguments of --memory and --memory-backing.
 */
#include "cmd/memory_option.h"

#include <stddef.h>
#include <string.h>

#include "lib/size.h"
#include "machine/machine.h"

const char *memory_option_size(const char *text, uint64_t *size)
{
	uint64_t bytes;

	if (size_parse(text, &bytes))
		return "not a size; write for example 512M or 2G";
	if (bytes < MACHINE_MEMORY_MIN || bytes > MACHINE_MEMORY_MAX)
		return "must be from 1M to 1024G; without K, M or G it is in "
		       "bytes";
	if (bytes % MACHINE_MEMORY_UNIT)
		return "must be a multiple of 4K";
	*size = bytes;
	return NULL;
}

const char *memory_option_backing(const char *text, enum ram_backing *backing)
{
	static const char *const words[] = {
		[RAM_ANONYMOUS] = "anonymous",
		[RAM_MEMFD] = "memfd",
		[RAM_HUGE_2M] = "2M",
		[RAM_HUGE_1G] = "1G",
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(text, words[i])) {
			*backing = i;
			return NULL;
		}
	return "must be anonymous, memfd, 2M or 1G";
}
