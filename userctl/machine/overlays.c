// SPDX-License-Identifier: GPL-2.0
/*
 * What the guest has written to disks whose files stay as they are.
 */
#include "machine/overlays.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "disk/overlay.h"
#include "snap/format.h"
#include "snap/write.h"

static struct overlay *overlay_of(const struct device_made *made)
{
	return made->kind->overlay ? made->kind->overlay(made->device) : NULL;
}

/*
 * Writing
 */

/* Return: 0 or -ENOMEM. */
static int list_runs(const struct overlay *overlay, struct overlays_plan *plan)
{
	uint64_t end = 0, block = 0, count;
	int err = 0;

	while (!err && overlay_next(overlay, &block, &count)) {
		err = snap_overlay_add(&plan->section, block - end, count);
		plan->flags = 0;
		end = block += count;
	}
	return err;
}

static int list_disk(const struct device_made *made,
		     const struct overlay *overlay, struct overlays_plan *plan,
		     uint64_t page)
{
	struct snap_overlay disk = {
		.number = made->number,
		.page = page,
		.size = overlay_disk_size(overlay),
		.block_size = overlay_block_size(overlay),
	};
	size_t place;
	int err;

	strncpy(disk.device, made->kind->name, sizeof(disk.device) - 1);
	err = snap_overlay_open(&plan->section, &disk, &place);
	if (!err)
		err = list_runs(overlay, plan);
	if (!err)
		record_close(&plan->section, place);
	return err;
}

int overlays_list(const struct devices *devices, struct overlays_plan *plan,
		  uint64_t *pages)
{
	const struct device_made *made;
	int err = 0;

	*plan = (struct overlays_plan){ .flags = SNAP_OPTIONAL };
	for (size_t i = 0; !err && (made = devices_at(devices, i)); i++) {
		const struct overlay *overlay = overlay_of(made);

		if (!overlay)
			continue;
		err = list_disk(made, overlay, plan, *pages);
		*pages += snap_overlay_pages(overlay_disk_size(overlay));
	}
	return err;
}

/**
 * struct piece - some of a disk, while it is copied
 * @overlay: of the disk
 * @page: of "memory", at which the disk begins
 * @first: the first page of the piece, in the disk
 * @end: the one behind the last
 * @bytes: the piece, SNAP_CHUNK_SIZE at most; what is not in the overlay is zero
 */
struct piece {
	const struct overlay *overlay;
	uint64_t page;
	uint64_t first;
	uint64_t end;
	char *bytes;
};

/* Reads a part of the run from @from to @to, bytes of the disk, which is in the piece. */
static int read_part(struct piece *piece, uint64_t from, uint64_t to)
{
	const uint64_t start = piece->first * SNAP_PAGE;

	return overlay_read(piece->overlay, from, piece->bytes + from - start,
			    to - from);
}

static int write_piece(struct piece *piece, struct snap_writer *writer)
{
	const uint64_t pages = piece->end - piece->first;
	const int err = pages ? snap_writer_pages(writer,
						  piece->page + piece->first,
						  pages, piece->bytes) :
				0;

	memset(piece->bytes, 0, pages * SNAP_PAGE);
	return err;
}

/*
 * Runs may share a page.  So a piece is written when a run goes on, or begins, in a page
 * behind those that it can have.
 *
 * @failed: out: what the overlay could not read, or 0
 */
static int write_run(struct piece *piece, struct snap_writer *writer,
		     uint64_t from, uint64_t to, int *failed)
{
	int err = 0;

	while (from < to && !err) {
		const uint64_t page = from / SNAP_PAGE;
		uint64_t stop = to;

		if (page > piece->end || page - piece->first >= SNAP_CHUNK) {
			err = write_piece(piece, writer);
			piece->first = page;
			if (err)
				break;
		}
		if (stop > (piece->first + SNAP_CHUNK) * SNAP_PAGE)
			stop = (piece->first + SNAP_CHUNK) * SNAP_PAGE;
		piece->end = (stop - 1) / SNAP_PAGE + 1;
		err = *failed = read_part(piece, from, stop);
		from = stop;
	}
	return err;
}

static int write_disk(struct piece *piece, struct snap_writer *writer,
		      int *failed)
{
	const uint32_t size = overlay_block_size(piece->overlay);
	uint64_t block = 0, count;
	int err = 0;

	while (!err && overlay_next(piece->overlay, &block, &count)) {
		err = write_run(piece, writer, block * size,
				(block + count) * size, failed);
		block += count;
	}
	return err ? err : write_piece(piece, writer);
}

int overlays_write(const struct devices *devices, struct snap_writer *writer,
		   uint64_t page, struct device_error *error)
{
	char *bytes = calloc(1, SNAP_CHUNK_SIZE);
	const struct device_made *made;
	int err = bytes ? 0 : -ENOMEM, failed = 0;

	*error = (struct device_error){ 0 };
	for (size_t i = 0; !err && (made = devices_at(devices, i)); i++) {
		struct piece piece = { .overlay = overlay_of(made),
				       .page = page,
				       .bytes = bytes };

		if (!piece.overlay)
			continue;
		err = write_disk(&piece, writer, &failed);
		page += snap_overlay_pages(overlay_disk_size(piece.overlay));
		if (failed)
			devices_name(error, made->kind, made->number);
	}
	free(bytes);
	return err;
}

/*
 * Reading
 */

static const struct device_made *find(const struct devices *devices,
				      const struct snap_overlay *disk)
{
	const struct device_made *made;

	for (size_t i = 0; (made = devices_at(devices, i)); i++)
		if (made->number == disk->number &&
		    !strcmp(made->kind->name, disk->device))
			return made;
	return NULL;
}

/* Return: the path of the device's file, or NULL. */
static const char *path_of(const struct device_made *made)
{
	const struct device_option *options = made->kind->options;

	for (size_t i = 0; options && options[i].name; i++)
		if (options[i].is_path)
			return made->values[i].text;
	return NULL;
}

static void take_blocks(struct overlay *overlay,
			const struct snap_overlay *disk, int fd,
			uint64_t memory)
{
	uint64_t block = 0, count;
	size_t at = 0;

	overlay_set_saved(overlay, fd, memory + disk->page * SNAP_PAGE);
	while (snap_overlay_next(disk, &at, &block, &count)) {
		overlay_add_saved(overlay, block, count);
		block += count;
	}
}

static int fail(struct device_error *error, const struct device_made *made,
		const char *reason, const char *remedy)
{
	devices_name(error, made->kind, made->number);
	device_fail(error, -ESTALE, path_of(made), reason, remedy);
	return -ESTALE;
}

static int take(const struct devices *devices, const struct snap_overlay *disk,
		int fd, uint64_t memory, struct device_error *error)
{
	const struct device_made *made = find(devices, disk);
	struct overlay *overlay = made ? overlay_of(made) : NULL;

	if (overlay && overlay_disk_size(overlay) != disk->size)
		return fail(error, made,
			    "has another size than when the machine was saved",
			    "put back the file as it was then");
	if (overlay && overlay_block_size(overlay) != disk->block_size)
		return fail(error, made,
			    "is read in blocks of another size than when the "
			    "machine was saved",
			    "put it where its file system takes blocks as the "
			    "one did then, which counts with direct=on");
	if (overlay)
		take_blocks(overlay, disk, fd, memory);
	if (overlay || !disk->blocks)
		return 0;
	if (made)
		return fail(error, made,
			    "has what the guest has written to it in the saved "
			    "file, and no snapshot=on",
			    NULL);
	*error = (struct device_error){ 0 };
	device_fail(error, -ESTALE, disk->device,
		    "is a disk of the saved file and no device of the machine",
		    NULL);
	return -ESTALE;
}

int overlays_take(const struct devices *devices,
		  const struct snap_overlay *list, size_t count, int fd,
		  uint64_t memory, struct device_error *error)
{
	int err = 0;

	for (size_t i = 0; i < count && !err; i++)
		err = take(devices, &list[i], fd, memory, error);
	return err;
}
