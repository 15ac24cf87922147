// SPDX-License-Identifier: GPL-2.0
/*
 * Writes an initial RAM disk for Linux.
 */
#include "boot/initrd.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAGIC "070701"
#define FIELDS 13
#define HEAD_SIZE (sizeof(MAGIC) - 1 + FIELDS * 8)
#define TRAILER "TRAILER!!!"
/* Names and contents begin at a multiple of it. */
#define ALIGNMENT 4
/* What the loader can place (IMAGE_MAX_SIZE), and what a field can express. */
#define LARGEST 0xffffffffULL

/**
 * struct entry - a file of an archive
 */
struct entry {
	const char *name;
	mode_t mode;
	const void *data;
	size_t size;
	unsigned int major;
	unsigned int minor;
};

static bool reserve(struct initrd *initrd, size_t size)
{
	size_t wanted, room = initrd->room ? initrd->room : 65536;
	uint8_t *grown;

	if (initrd->error)
		return false;
	if (__builtin_add_overflow(initrd->size, size, &wanted) ||
	    wanted > LARGEST) {
		initrd->error = -EFBIG;
		return false;
	}
	while (room < wanted)
		room *= 2;
	if (room == initrd->room)
		return true;
	grown = realloc(initrd->bytes, room);
	if (!grown) {
		initrd->error = -ENOMEM;
		return false;
	}
	initrd->bytes = grown;
	initrd->room = room;
	return true;
}

/* Appends bytes, and zeroes up to the next multiple of ALIGNMENT. */
static void append(struct initrd *initrd, const void *data, size_t size)
{
	const size_t end = initrd->size + size;
	const size_t padding = -end % ALIGNMENT;

	if (!reserve(initrd, size + padding))
		return;
	if (size)
		memcpy(initrd->bytes + initrd->size, data, size);
	memset(initrd->bytes + end, 0, padding);
	initrd->size = end + padding;
}

static void add(struct initrd *initrd, const struct entry *entry)
{
	const size_t length = strlen(entry->name) + 1;
	char *head;

	if (entry->size > LARGEST)
		initrd->error = -EFBIG;
	if (initrd->error)
		return;
	/* ino, mode, uid, gid, links, time, size, device, device of the file, name, sum */
	if (asprintf(&head,
		     MAGIC "%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x"
			   "%08zx%08x%s",
		     ++initrd->entries, entry->mode, 0, 0, 1, 0, entry->size, 0,
		     0, entry->major, entry->minor, length, 0,
		     entry->name) < 0) {
		initrd->error = -ENOMEM;
		return;
	}
	append(initrd, head, HEAD_SIZE + length);
	append(initrd, entry->data, entry->size);
	free(head);
}

void initrd_directory(struct initrd *initrd, const char *name)
{
	const struct entry entry = { .name = name, .mode = S_IFDIR | 0755 };

	add(initrd, &entry);
}

void initrd_file(struct initrd *initrd, const char *name, mode_t mode,
		 const void *data, size_t size)
{
	const struct entry entry = {
		.name = name,
		.mode = S_IFREG | mode,
		.data = data,
		.size = size,
	};

	add(initrd, &entry);
}

void initrd_character_device(struct initrd *initrd, const char *name,
			     unsigned int major, unsigned int minor)
{
	const struct entry entry = {
		.name = name,
		.mode = S_IFCHR | 0600,
		.major = major,
		.minor = minor,
	};

	add(initrd, &entry);
}

int initrd_finish(struct initrd *initrd)
{
	const struct entry entry = { .name = TRAILER };

	add(initrd, &entry);
	return initrd->error;
}

void initrd_free(struct initrd *initrd)
{
	free(initrd->bytes);
	memset(initrd, 0, sizeof(*initrd));
}
