// SPDX-License-Identifier: GPL-2.0
/*
 * The script by which firmware loads files and links them to each other.
 */
#include "boot/linker.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

enum {
	COMMAND_ALLOCATE = 1,
	COMMAND_ADD_POINTER = 2,
	COMMAND_ADD_CHECKSUM = 3,
};

_Static_assert(sizeof(struct linker_command) == 128, "as firmware reads it");

static struct linker_command *linker_next(struct linker *linker,
					  uint32_t command)
{
	struct linker_command *next = &linker->commands[LINKER_MAX - 1];

	if (linker->count < LINKER_MAX)
		next = &linker->commands[linker->count];
	linker->count++;
	memset(next, 0, sizeof(*next));
	next->command = htole32(command);
	return next;
}

static void put_name(char to[static LINKER_NAME_SIZE], const char *name)
{
	snprintf(to, LINKER_NAME_SIZE, "%s", name);
}

void linker_allocate(struct linker *linker, const char *file, uint32_t align,
		     enum linker_zone zone)
{
	struct linker_command *next = linker_next(linker, COMMAND_ALLOCATE);

	put_name(next->allocate.file, file);
	next->allocate.align = htole32(align);
	next->allocate.zone = zone;
}

void linker_add_pointer(struct linker *linker, const char *file,
			uint32_t offset, uint8_t size, const char *to)
{
	struct linker_command *next = linker_next(linker, COMMAND_ADD_POINTER);

	put_name(next->pointer.file, file);
	put_name(next->pointer.to, to);
	next->pointer.offset = htole32(offset);
	next->pointer.size = size;
}

void linker_add_checksum(struct linker *linker, const char *file,
			 uint32_t offset, uint32_t start, uint32_t length)
{
	struct linker_command *next = linker_next(linker, COMMAND_ADD_CHECKSUM);

	put_name(next->checksum.file, file);
	next->checksum.offset = htole32(offset);
	next->checksum.start = htole32(start);
	next->checksum.length = htole32(length);
}
