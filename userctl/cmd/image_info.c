// SPDX-License-Identifier: GPL-2.0
/*
 * `lodge image info`: shows what files of saved machines have.
 */
#include "cmd/image.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/complain.h"
#include "cmd/exit_code.h"
#include "cmd/image_file.h"
#include "cmd/json.h"
#include "cmd/table.h"
#include "control/config.h"
#include "lib/size.h"
#include "snap/host.h"

/* Bytes of an id that a table shows: enough to tell files apart. */
#define SHORT_ID 6

static const struct table_column columns[] = {
	{ "FILE", false },  { "MACHINE", false }, { "SAVED (UTC)", false },
	{ "FORM", false },  { "MEMORY", true },	  { "DISKS", true },
	{ "STORED", true }, { "ID", false },	  { "BASE", false },
};

#define NR_COLUMNS (sizeof(columns) / sizeof(columns[0]))

/* Where files are shown: as JSON, or in a table. */
struct report {
	bool as_json;
	struct json json;
	struct table table;
};

static const char *form_of(const struct snap_file *file)
{
	return file->form == SNAP_PACKED ? "packed" : "plain";
}

/* Return: bytes of "memory" but for the places of disks. */
static uint64_t memory_of(const struct snap_file *file)
{
	return SNAP_PAGE *
	       (file->nr_overlays ? file->overlays[0].page : file->pages);
}

static uint64_t written_of(const struct snap_overlay *disk)
{
	return disk->blocks * disk->block_size;
}

static void tell_size(struct table *table, uint64_t bytes)
{
	char text[SIZE_TEXT_SIZE];

	size_format(text, sizeof(text), bytes);
	table_add(table, "%s", text);
}

/* What was written to all disks. */
static void tell_disks(struct table *table, const struct snap_file *file)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < file->nr_overlays; i++)
		bytes += written_of(&file->overlays[i]);
	if (file->nr_overlays)
		tell_size(table, bytes);
	else
		table_add(table, "-");
}

static void tell_time(struct table *table, uint64_t seconds)
{
	const time_t when = seconds;
	char text[64] = "?";
	struct tm utc;

	if (gmtime_r(&when, &utc))
		strftime(text, sizeof(text), "%F %T", &utc);
	table_add(table, "%s", text);
}

static void tell_id(struct table *table, const uint8_t *id, bool is_there)
{
	char text[2 * SHORT_ID + 1] = "-";

	for (size_t i = 0; i < SHORT_ID && is_there; i++)
		sprintf(text + 2 * i, "%02x", id[i]);
	table_add(table, "%s", text);
}

static void tell(struct table *table, const char *path,
		 const struct snap_file *file, const struct snap_host *host)
{
	table_add(table, "%s", path);
	table_add(table, "%s", *host->machine ? host->machine : "-");
	tell_time(table, host->time);
	table_add(table, "%s", form_of(file));
	tell_size(table, memory_of(file));
	tell_disks(table, file);
	tell_size(table, file->stored * SNAP_PAGE);
	tell_id(table, file->id, true);
	tell_id(table, file->base, file->incremental);
}

static void list_sections(struct json *json, const struct snap_file *file)
{
	json_open(json, "sections", '[');
	for (uint32_t i = 0; i < file->nr_sections; i++) {
		const struct snap_section *section = &file->sections[i];

		json_open(json, NULL, '{');
		json_text(json, "tag", section->tag);
		json_number(json, "version", section->version);
		json_bool(json, "optional", section->flags & SNAP_OPTIONAL);
		json_number(json, "offset", section->offset);
		json_number(json, "length", section->length);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void list_disks(struct json *json, const struct snap_file *file)
{
	json_open(json, "disks", '[');
	for (uint32_t i = 0; i < file->nr_overlays; i++) {
		const struct snap_overlay *disk = &file->overlays[i];

		json_open(json, NULL, '{');
		json_text(json, "device", disk->device);
		json_number(json, "number", disk->number);
		json_number(json, "size", disk->size);
		json_number(json, "block_size", disk->block_size);
		json_number(json, "written", written_of(disk));
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void list(struct json *json, const char *path,
		 const struct snap_file *file, const struct snap_host *host)
{
	json_open(json, NULL, '{');
	json_text(json, "file", path);
	json_number(json, "version", SNAP_VERSION);
	json_text(json, "form", form_of(file));
	json_bytes(json, "id", file->id, SNAP_ID_SIZE);
	if (file->incremental)
		json_bytes(json, "base", file->base, SNAP_ID_SIZE);
	else
		json_none(json, "base");
	json_text(json, "machine", host->machine);
	json_number(json, "time", host->time);
	json_text(json, "lodge", host->lodge);
	json_text(json, "backend", host->backend);
	json_number(json, "size", file->size);
	json_number(json, "memory", memory_of(file));
	json_number(json, "stored", file->stored * SNAP_PAGE);
	json_number(json, "zero", file->zero * SNAP_PAGE);
	list_disks(json, file);
	list_sections(json, file);
	json_close(json, '}');
}

/* Return: 0, or the exit code after a message. */
static int show(struct report *report, const struct image_file *image)
{
	const struct snap_section *section =
		snap_file_section(image->file, SNAP_HOST);
	struct snap_error error;
	struct snap_host host;
	int err =
		snap_host_read(&host, section->bytes, section->length, &error);

	if (err)
		return image_complain(image->path, err, &error);
	if (report->as_json)
		list(&report->json, image->path, image->file, &host);
	else
		tell(&report->table, image->path, image->file, &host);
	return 0;
}

int image_info(char **paths, size_t count, bool json)
{
	struct report report = { .as_json = json };
	struct image_file image;
	int first = 0, code;

	if (json) {
		json_start(&report.json, stdout);
		json_open(&report.json, NULL, '[');
	} else {
		table_start(&report.table, columns, NR_COLUMNS);
	}
	for (size_t i = 0; i < count; i++) {
		code = image_file_open(&image, paths[i]);
		if (!code)
			code = show(&report, &image);
		image_file_close(&image);
		first = first ? first : code;
	}
	if (json) {
		json_close(&report.json, ']');
		json_finish(&report.json);
	} else if (report.table.count && table_finish(&report.table, stdout)) {
		return complain(EXIT_CODE_RESOURCES, "image info",
				strerror(ENOMEM), NULL);
	}
	return first;
}

/* Return: 0, or the exit code after a message. */
static int show_config(const struct image_file *image)
{
	const struct snap_section *section =
		snap_file_section(image->file, SNAP_CONFIG);
	char *text = config_show(section->bytes, section->length);

	if (!text)
		return complain(EXIT_CODE_IMAGE, image->path,
				"its options are none of a machine's", NULL);
	fputs(text, stdout);
	free(text);
	return 0;
}

int image_config(char **paths, size_t count)
{
	struct image_file image;
	int first = 0, code;

	for (size_t i = 0; i < count; i++) {
		code = image_file_open(&image, paths[i]);
		if (!code)
			code = show_config(&image);
		image_file_close(&image);
		first = first ? first : code;
	}
	return first;
}
