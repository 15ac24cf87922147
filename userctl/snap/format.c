// SPDX-License-Identifier: GPL-2.0
/*
 * The file of a saved machine: what its writer and its reader both compute.
 */
#include "snap/format.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "board/zero.h"
#include "snap/crc.h"

uint32_t snap_table_crc(const struct snap_table *table, uint32_t sections)
{
	struct snap_disk_header header = table->header;

	header.crc = 0;
	return snap_crc(snap_crc(0, &header, sizeof(header)), table->sections,
			sections * sizeof(table->sections[0]));
}

const char *snap_required(size_t number)
{
	static const char *const tags[] = {
		SNAP_CONFIG, SNAP_HOST,	 SNAP_STATE,
		SNAP_MEMORY, SNAP_PAGES, NULL,
	};

	return tags[number];
}

bool snap_tag_is_sound(const char *tag)
{
	size_t length = 0;

	while (length < SNAP_TAG_SIZE &&
	       ((tag[length] >= 'a' && tag[length] <= 'z') ||
		(tag[length] >= '0' && tag[length] <= '9') ||
		tag[length] == '.' || tag[length] == '-'))
		length++;
	return length && length < SNAP_TAG_SIZE &&
	       is_zero(tag + length, SNAP_TAG_SIZE - length);
}

bool snap_is_known(const char *tag, uint32_t version, uint32_t flags)
{
	for (size_t i = 0; snap_required(i); i++)
		if (!strcmp(tag, snap_required(i)))
			return version == SNAP_SECTION_VERSION && !flags;
	if (!strcmp(tag, SNAP_OVERLAYS))
		return version == SNAP_SECTION_VERSION &&
		       !(flags & ~SNAP_OPTIONAL);
	return flags == SNAP_OPTIONAL;
}

uint64_t snap_place(const char *tag, uint64_t end)
{
	const uint64_t unit = strcmp(tag, SNAP_MEMORY) ? SNAP_ALIGN : SNAP_PAGE;
	uint64_t place;

	if (__builtin_add_overflow(end, unit - 1, &place))
		return UINT64_MAX;
	return place & ~(unit - 1);
}

size_t snap_chunk_size(uint64_t pages)
{
	return pages < SNAP_CHUNK ? pages * SNAP_PAGE : SNAP_CHUNK_SIZE;
}

int snap_write(int fd, const void *bytes, size_t size, uint64_t offset)
{
	const char *at = bytes;

	while (size) {
		ssize_t count = pwrite(fd, at, size, offset);

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			return count ? -errno : -EIO;
		at += count;
		size -= count;
		offset += count;
	}
	return 0;
}
