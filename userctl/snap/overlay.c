// SPDX-License-Identifier: GPL-2.0
/*
 * The section "overlays" of the file of a saved machine.
 *
 * A run is two numbers: the blocks that were left out before it, and its own.  A number is
 * written in bytes of seven bits, the lowest ones first; the top bit of a byte says that
 * there are more.  So most runs have two or three bytes.  A number has one form, and runs
 * do not touch: a section has one form, too.
 */
#include "snap/overlay.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "snap/format.h"

#define NUMBER_BITS 7
#define MORE 0x80
/* Bytes of the largest number. */
#define NUMBER_SIZE 10
#define MIN_BLOCK 512

uint64_t snap_overlay_pages(uint64_t size)
{
	return size / SNAP_PAGE + !!(size % SNAP_PAGE);
}

/* Return: false if there is no number at @*at, or not in its one form. */
static bool take_number(const struct snap_overlay *overlay, size_t *at,
			uint64_t *number)
{
	unsigned int shift = 0;
	uint8_t byte;

	*number = 0;
	do {
		if (*at == overlay->runs_size || shift > 63)
			return false;
		byte = overlay->runs[(*at)++];
		*number |= (uint64_t)(byte & ~MORE) << shift;
		/* The last byte of ten has one bit, and none but the first is zero. */
		if ((shift == 63 && byte > 1) || (shift && !byte))
			return false;
		shift += NUMBER_BITS;
	} while (byte & MORE);
	return true;
}

bool snap_overlay_next(const struct snap_overlay *overlay, size_t *at,
		       uint64_t *block, uint64_t *count)
{
	uint64_t gap;

	if (*at == overlay->runs_size || !take_number(overlay, at, &gap) ||
	    !take_number(overlay, at, count))
		return false;
	*block += gap;
	return true;
}

/* Counts the blocks.  Return: false if no writer has written the runs. */
static bool check_runs(struct snap_overlay *overlay)
{
	uint64_t left = overlay->size / overlay->block_size;
	size_t at = 0;

	while (at < overlay->runs_size) {
		const bool is_first = !at;
		uint64_t gap, count;

		if (!take_number(overlay, &at, &gap) ||
		    !take_number(overlay, &at, &count) || (!gap && !is_first) ||
		    gap > left || !count || count > left - gap)
			return false;
		left -= gap + count;
		overlay->blocks += count;
	}
	return true;
}

static bool is_sound(const struct snap_overlay *overlay, uint64_t pages)
{
	const uint32_t block = overlay->block_size;

	return block >= MIN_BLOCK && block <= SNAP_PAGE &&
	       !(block & (block - 1)) && overlay->size &&
	       !(overlay->size % block) && overlay->page <= pages &&
	       snap_overlay_pages(overlay->size) <= pages - overlay->page;
}

/* @end: where the disk before ends, or UINT64_MAX; moved to the end of this one */
static int take(struct snap_overlay *overlay,
		const struct record_section *section, uint64_t pages,
		uint64_t *end, struct snap_error *error)
{
	struct snap_disk_overlay head;

	if (section->body.size < sizeof(head))
		return snap_error_set(error, -EBADMSG, SNAP_OVERLAYS,
				      "is cut off");
	memcpy(&head, section->body.data, sizeof(head));
	*overlay = (struct snap_overlay){
		.number = section->number,
		.page = le64toh(head.page),
		.size = le64toh(head.size),
		.block_size = le32toh(head.block_size),
		.runs = section->body.data + sizeof(head),
		.runs_size = section->body.size - sizeof(head),
	};
	memcpy(overlay->device, section->name, sizeof(overlay->device));
	if (!snap_tag_is_sound(overlay->device) || head.reserved ||
	    !is_sound(overlay, pages) ||
	    (*end != UINT64_MAX && overlay->page != *end))
		return snap_error_set(error, -EBADMSG, SNAP_OVERLAYS,
				      "has an impossible disk");
	*end = overlay->page + snap_overlay_pages(overlay->size);
	if (!check_runs(overlay))
		return snap_error_set(error, -EBADMSG, SNAP_OVERLAYS,
				      "has impossible blocks of %s %" PRIu32,
				      overlay->device, overlay->number);
	return 0;
}

static bool is_there(const struct snap_overlay *list, uint32_t count,
		     const struct record_section *section)
{
	for (uint32_t i = 0; i < count; i++)
		if (!strcmp(list[i].device, section->name) &&
		    list[i].number == section->number)
			return true;
	return false;
}

/* What has been read as a whole. */
static int check_all(const struct snap_overlay *list, uint32_t count,
		     uint32_t flags, uint64_t end, uint64_t pages,
		     struct snap_error *error)
{
	uint64_t blocks = 0;

	for (uint32_t i = 0; i < count; i++)
		blocks |= list[i].blocks;
	if (!count || end != pages)
		return snap_error_set(error, -EBADMSG, SNAP_OVERLAYS,
				      "does not end with memory");
	if (!blocks != !!(flags & SNAP_OPTIONAL))
		return snap_error_set(error, -EBADMSG, SNAP_OVERLAYS,
				      blocks ? "has blocks, and is optional" :
					       "has no blocks, and is not "
					       "optional");
	return 0;
}

int snap_overlays_read(struct snap_overlay *list, uint32_t *count,
		       const void *bytes, size_t size, uint32_t flags,
		       uint64_t pages, struct snap_error *error)
{
	const struct record record = { (uint8_t *)bytes, size };
	struct record_section section;
	uint64_t end = UINT64_MAX;
	size_t at = 0;
	int err;

	*count = 0;
	while (!(err = record_next(&record, &at, &section))) {
		if (*count == SNAP_MAX_OVERLAYS ||
		    is_there(list, *count, &section))
			return snap_error_set(error, -EBADMSG, SNAP_OVERLAYS,
					      "has too many disks, or one "
					      "twice");
		err = take(&list[*count], &section, pages, &end, error);
		if (err)
			return err;
		++*count;
	}
	if (err != -ENOENT)
		return snap_error_set(error, -EBADMSG, SNAP_OVERLAYS,
				      "is no list");
	return check_all(list, *count, flags, end, pages, error);
}

int snap_overlay_open(struct record *section,
		      const struct snap_overlay *overlay, size_t *place)
{
	const struct snap_disk_overlay head = {
		.page = htole64(overlay->page),
		.size = htole64(overlay->size),
		.block_size = htole32(overlay->block_size),
	};
	const int err =
		record_open(section, overlay->device, overlay->number, place);

	return err ? err : record_append(section, &head, sizeof(head));
}

static size_t put_number(uint8_t *bytes, uint64_t number)
{
	size_t size = 0;

	for (; number >= MORE; number >>= NUMBER_BITS)
		bytes[size++] = (uint8_t)number | MORE;
	bytes[size++] = (uint8_t)number;
	return size;
}

int snap_overlay_add(struct record *section, uint64_t gap, uint64_t count)
{
	uint8_t bytes[2 * NUMBER_SIZE];
	size_t size = put_number(bytes, gap);

	size += put_number(bytes + size, count);
	return record_append(section, bytes, size);
}
