// SPDX-License-Identifier: GPL-2.0
/*
 * A machine in a file.
 */
#include "machine/saved.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "board/ram.h"
#include "lib/plain.h"
#include "machine/overlays.h"
#include "machine/parts.h"
#include "snap/file.h"
#include "snap/host.h"
#include "snap/write.h"

#define IMAGE_SECTION "image"

/* An image in the section "images"; its path follows, without a zero. */
struct image_head {
	uint64_t page;
	uint64_t size;
};

/*
 * Writing
 */

static uint64_t pages_of(uint64_t size)
{
	return size / SNAP_PAGE + !!(size % SNAP_PAGE);
}

static uint64_t ram_pages(const struct machine *machine)
{
	return (ram_low(machine->ram) + ram_high(machine->ram)) / SNAP_PAGE;
}

static int add_image(struct record *images, uint32_t number,
		     const struct image *image, uint64_t page)
{
	const struct image_head head = { htole64(page), htole64(image->size) };
	size_t place;
	int err = record_open(images, IMAGE_SECTION, number, &place);

	if (!err)
		err = record_append(images, &head, sizeof(head));
	if (!err)
		err = record_append(images, image->path, strlen(image->path));
	if (!err)
		record_close(images, place);
	return err;
}

/* @pages: in: those of RAM; out: those of the images, too. */
static int list_images(const struct machine *machine, struct record *images,
		       uint64_t *pages)
{
	const struct image *image;
	int err = 0;

	for (uint32_t i = 0;
	     !err && (image = image_store_list(&machine->images, i)); i++) {
		err = add_image(images, i, image, *pages);
		*pages += pages_of(image->size);
	}
	return err;
}

static int write_range(struct snap_writer *writer, const struct ram *ram,
		       const struct ram_range *range)
{
	const uint64_t first = range->offset / SNAP_PAGE;
	const uint64_t end = first + range->size / SNAP_PAGE;
	uint64_t page = ram_skip_holes(ram, first), count;
	int err = 0;

	while (page < end && !err) {
		count = SNAP_CHUNK - page % SNAP_CHUNK;
		if (count > end - page)
			count = end - page;
		err = snap_writer_pages(writer, page, count,
					(char *)range->address +
						(page - first) * SNAP_PAGE);
		page = ram_skip_holes(ram, page + count);
	}
	return err;
}

static int write_ram(struct snap_writer *writer, const struct ram *ram)
{
	struct ram_range ranges[RAM_MAX_RANGES];
	size_t count = ram_ranges(ram, ranges);
	int err = 0;

	for (size_t i = 0; i < count && !err; i++)
		err = write_range(writer, ram, &ranges[i]);
	return err;
}

/* @piece: SNAP_CHUNK_SIZE bytes */
static int write_image(struct snap_writer *writer, const struct image *image,
		       uint64_t page, char *piece)
{
	uint64_t at = 0;
	int err = 0;

	while (at < image->size && !err) {
		const uint64_t left = image->size - at;
		const size_t size = left < SNAP_CHUNK_SIZE ? left :
							     SNAP_CHUNK_SIZE;

		memset(piece, 0, SNAP_CHUNK_SIZE);
		err = image_read(image, at, piece, size);
		if (!err)
			err = snap_writer_pages(writer, page + at / SNAP_PAGE,
						pages_of(size), piece);
		at += size;
	}
	return err;
}

static int write_images(struct snap_writer *writer,
			const struct machine *machine)
{
	uint64_t page = ram_pages(machine);
	char *piece = malloc(SNAP_CHUNK_SIZE);
	const struct image *image;
	int err = piece ? 0 : -ENOMEM;

	for (size_t i = 0;
	     !err && (image = image_store_list(&machine->images, i)); i++) {
		err = write_image(writer, image, page, piece);
		page += pages_of(image->size);
	}
	free(piece);
	return err;
}

static int write_host(struct snap_writer *writer, const struct machine *machine)
{
	const struct lodge_info *info = &machine->error.info;
	struct snap_host host = { .time = time(NULL) };
	char *text;
	int err;

	snprintf(host.lodge, sizeof(host.lodge), "%s", LODGE_VERSION);
	snprintf(host.backend, sizeof(host.backend), "%.*s",
		 (int)sizeof(info->backend), info->backend);
	snprintf(host.machine, sizeof(host.machine), "%s",
		 machine->config->name ? machine->config->name : "");
	text = snap_host_text(&host);
	err = text ? snap_writer_section(writer, SNAP_HOST,
					 SNAP_SECTION_VERSION, 0, text,
					 strlen(text)) :
		     -ENOMEM;
	free(text);
	return err;
}

/**
 * struct contents - what is written besides RAM
 * @config: the machine's description
 * @wish: who wants the file, or NULL
 * @state: its state
 * @images: the section "images"
 * @overlays: the section "overlays"
 * @disks: the page at which the first of their disks begins
 * @memory: out: where the pages of RAM begin in the file
 * @failed: out: the device whose blocks cannot be read; its name is empty if there is none
 */
struct contents {
	const char *config;
	const struct saved_wish *wish;
	struct record state;
	struct record images;
	struct overlays_plan overlays;
	uint64_t disks;
	uint64_t memory;
	struct device_error failed;
};

static int write_sections(struct snap_writer *writer,
			  const struct machine *machine,
			  const struct contents *contents)
{
	const struct overlays_plan *overlays = &contents->overlays;
	int err = snap_writer_section(writer, SNAP_CONFIG, SNAP_SECTION_VERSION,
				      0, contents->config,
				      strlen(contents->config));

	if (!err)
		err = write_host(writer, machine);
	if (!err)
		err = snap_writer_section(writer, SNAP_STATE,
					  SNAP_SECTION_VERSION, 0,
					  contents->state.data,
					  contents->state.size);
	if (!err)
		err = snap_writer_section(writer, SAVED_IMAGES,
					  SAVED_IMAGES_VERSION, SNAP_OPTIONAL,
					  contents->images.data,
					  contents->images.size);
	if (!err && overlays->section.size)
		err = snap_writer_section(writer, SNAP_OVERLAYS,
					  SNAP_SECTION_VERSION, overlays->flags,
					  overlays->section.data,
					  overlays->section.size);
	return err;
}

static int write_all(struct snap_writer *writer, struct machine *machine,
		     struct contents *contents)
{
	int err = write_sections(writer, machine, contents);

	if (!err)
		err = write_ram(writer, machine->ram);
	if (!err)
		err = write_images(writer, machine);
	if (!err)
		err = overlays_write(machine->devices, writer, contents->disks,
				     &contents->failed);
	return err ? err : snap_writer_end(writer);
}

static int plan_file(struct machine *machine, struct contents *contents,
		     struct snap_plan *plan)
{
	int err = machine_save_state(machine, &contents->state);

	plan->form = SNAP_PLAIN;
	plan->pages = ram_pages(machine);
	plan->gone = contents->wish ? contents->wish->gone : NULL;
	plan->opaque = contents->wish ? contents->wish->opaque : NULL;
	if (!err)
		err = list_images(machine, &contents->images, &plan->pages);
	contents->disks = plan->pages;
	return err ? err :
		     overlays_list(machine->devices, &contents->overlays,
				   &plan->pages);
}

static int write_file(struct machine *machine, int fd,
		      struct contents *contents, struct snap_error *error)
{
	struct snap_writer *writer = NULL;
	struct snap_plan plan = { 0 };
	int err = plan_file(machine, contents, &plan);

	if (!err && plan.pages > SNAP_MAX_PAGES)
		return snap_error_set(error, -E2BIG, NULL,
				      "its memory and its disks with "
				      "snapshot=on have more than the 2 TiB "
				      "that a file has room for");
	if (!err)
		err = snap_writer_new(&writer, fd, &plan);
	if (!err)
		err = write_all(writer, machine, contents);
	if (!err)
		contents->memory = snap_writer_memory(writer);
	snap_writer_free(writer);
	if (err && *contents->failed.name)
		return snap_error_set(error, err, NULL,
				      "what its device %s has written cannot "
				      "be read: %s",
				      contents->failed.name, strerror(-err));
	return err ? snap_error_set(error, err, NULL, "%s", strerror(-err)) : 0;
}

/* A reader refuses what a terminal could take for commands. */
static int check_paths(const struct machine *machine, struct snap_error *error)
{
	const struct image *image;

	for (size_t i = 0; (image = image_store_list(&machine->images, i)); i++)
		if (!text_is_plain(image->path))
			return snap_error_set(
				error, -EILSEQ, NULL,
				"it was started from a file whose name has "
				"control characters; start it from one without");
	return 0;
}

/* The images must be those that the machine has started from. */
static int check_machine(struct machine *machine, struct snap_error *error)
{
	struct boot_error boot;
	char name[DEVICE_NAME_SIZE];
	const char *why = devices_unsaved(machine->devices, name);
	int err;

	if (why)
		return snap_error_set(error, -EOPNOTSUPP, NULL,
				      "its device %s cannot be saved: %s", name,
				      why);
	if (image_store_list(&machine->images, SAVED_MAX_IMAGES))
		return snap_error_set(
			error, -E2BIG, NULL,
			"it was started from more than %d files, "
			"which a file has no room for; pack their "
			"content into fewer",
			SAVED_MAX_IMAGES);
	err = check_paths(machine, error);
	if (err)
		return err;
	err = image_store_check(&machine->images, &boot);
	return err ? snap_error_set(error, err, NULL, "%s", boot.text) : 0;
}

/* The guest counts on what it has written, also where it has asked for no flush. */
static int settle(const struct machine *machine, struct snap_error *error)
{
	char name[DEVICE_NAME_SIZE];
	int err = devices_settle(machine->devices, name);

	return err ? snap_error_set(error, err, NULL,
				    "what its device %s has written is not on "
				    "the disk: %s",
				    name, strerror(-err)) :
		     0;
}

static int write_machine(struct machine *machine, int fd,
			 struct contents *contents, struct snap_error *error)
{
	int err = check_machine(machine, error);

	if (!err)
		err = settle(machine, error);
	if (!err)
		err = write_file(machine, fd, contents, error);
	free(contents->state.data);
	free(contents->images.data);
	free(contents->overlays.section.data);
	return err;
}

int saved_write(struct machine *machine, int fd, const char *config,
		const struct saved_wish *wish, struct snap_error *error)
{
	struct contents contents = { .config = config, .wish = wish };

	return write_machine(machine, fd, &contents, error);
}

/*
 * Templates
 */

/*
 * RAM that has a file is another process's, too, which would not see it replaced: it stays,
 * beside its copy.
 */
static int share_ram(struct machine *machine, int fd, uint64_t memory,
		     struct snap_error *error)
{
	int err = ram_fd(machine->ram) < 0 ?
			  ram_replace(machine->ram, fd, memory) :
			  0;

	if (!err)
		return 0;
	/* What it holds is not known. */
	machine_end(machine);
	return snap_error_set(error, -ENOTRECOVERABLE, NULL,
			      "its memory cannot be mapped from the file: %s; "
			      "it has been ended",
			      strerror(-err));
}

/* A machine that others read the disks of must not run on. */
static int lend_disks(struct machine *machine, struct snap_error *error)
{
	char name[DEVICE_NAME_SIZE];
	const int err = devices_lend(machine->devices, true, name);

	if (err == -ENOTRECOVERABLE)
		machine_end(machine);
	return err ? snap_error_set(error, err, NULL,
				    "the file of its device %s cannot be "
				    "lent: %s",
				    name, strerror(-err)) :
		     0;
}

int saved_freeze(struct machine *machine, int fd, const char *config,
		 const struct saved_wish *wish, struct snap_error *error)
{
	struct contents contents = { .config = config, .wish = wish };
	int err = write_machine(machine, fd, &contents, error);

	if (err)
		return err;
	if (fcntl(fd, F_ADD_SEALS,
		  F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		return snap_error_set(error, -errno, NULL,
				      "the file cannot be sealed: %s; a "
				      "template is a memfd that allows it",
				      strerror(errno));
	err = share_ram(machine, fd, contents.memory, error);
	return err ? err : lend_disks(machine, error);
}

int saved_thaw(struct machine *machine, struct snap_error *error)
{
	char name[DEVICE_NAME_SIZE];
	int err = devices_lend(machine->devices, false, name);

	if (err == -EBUSY)
		return snap_error_set(
			error, err, NULL,
			"the file of its device %s is being read, "
			"as by clones; end them first",
			name);
	return err ? snap_error_set(error, err, NULL,
				    "the file of its device %s cannot be "
				    "locked: %s",
				    name, strerror(-err)) :
		     0;
}

/*
 * Reading
 */

/**
 * struct saved - the file of a saved machine
 * @file: it
 * @record: its section "state", of which it has the bytes
 * @images: the images, with paths that are allocated
 * @state: the state, which points to all these
 */
struct saved {
	struct snap_file *file;
	struct record record;
	struct machine_image images[SAVED_MAX_IMAGES];
	struct machine_saved state;
};

/* Return: 0, -EBADMSG or -ENOMEM. */
static int take_image(struct saved *saved, const struct record *body)
{
	struct machine_image *image = &saved->images[saved->state.nr_images];
	struct image_head head;
	uint64_t page;

	if (saved->state.nr_images == SAVED_MAX_IMAGES ||
	    body->size <= sizeof(head) || body->size - sizeof(head) > PATH_MAX)
		return -EBADMSG;
	memcpy(&head, body->data, sizeof(head));
	page = le64toh(head.page);
	image->size = le64toh(head.size);
	if (page > saved->file->pages ||
	    pages_of(image->size) > saved->file->pages - page)
		return -EBADMSG;
	image->offset = saved->file->memory + page * SNAP_PAGE;
	image->path = strndup((char *)body->data + sizeof(head),
			      body->size - sizeof(head));
	if (!image->path)
		return -ENOMEM;
	saved->state.nr_images++;
	return strlen(image->path) == body->size - sizeof(head) &&
			       text_is_plain(image->path) ?
		       0 :
		       -EBADMSG;
}

static int take_images(struct saved *saved)
{
	const struct snap_section *images =
		snap_file_section(saved->file, SAVED_IMAGES);
	struct record_section section;
	struct record record;
	size_t at = 0;
	int err;

	if (!images)
		return 0;
	if (images->version != SAVED_IMAGES_VERSION)
		return -EBADMSG;
	record = (struct record){ (uint8_t *)images->bytes, images->length };
	while (!(err = record_next(&record, &at, &section))) {
		if (strcmp(section.name, IMAGE_SECTION))
			return -EBADMSG;
		err = take_image(saved, &section.body);
		if (err)
			return err;
	}
	return err == -ENOENT ? 0 : -EBADMSG;
}

static int take(struct saved *saved, int fd, struct snap_error *error)
{
	const struct snap_section *state =
		snap_file_section(saved->file, SNAP_STATE);
	int err;

	if (saved->file->form != SNAP_PLAIN)
		return snap_error_set(error, -ENOTSUP, NULL,
				      "it is packed; unpack it by `lodge image "
				      "unpack`");
	if (saved->file->incremental)
		return snap_error_set(
			error, -ENOTSUP, NULL,
			"it has only what has changed; join it to "
			"its base by `lodge image join`");
	saved->record =
		(struct record){ (uint8_t *)state->bytes, state->length };
	saved->state = (struct machine_saved){
		.state = &saved->record,
		.fd = fd,
		.memory = saved->file->memory,
		.images = saved->images,
		.overlays = saved->file->overlays,
		.nr_overlays = saved->file->nr_overlays,
	};
	err = take_images(saved);
	if (err == -EBADMSG)
		return snap_error_set(error, err, SAVED_IMAGES,
				      "does not list the images");
	return err ? snap_error_set(error, err, NULL, "%s", strerror(-err)) : 0;
}

int saved_open(struct saved **saved, int fd, struct snap_error *error)
{
	struct saved *new = calloc(1, sizeof(*new));
	int err;

	if (!new)
		return snap_error_set(error, -ENOMEM, NULL, "%s",
				      strerror(ENOMEM));
	err = snap_file_open(&new->file, fd, error);
	if (!err)
		err = take(new, fd, error);
	if (err)
		saved_close(new);
	else
		*saved = new;
	return err;
}

int saved_check(const struct saved *saved, struct snap_error *error)
{
	return snap_file_check(saved->file, error);
}

const struct machine_saved *saved_state(const struct saved *saved)
{
	return &saved->state;
}

const char *saved_config(const struct saved *saved, size_t *size)
{
	const struct snap_section *config =
		snap_file_section(saved->file, SNAP_CONFIG);

	*size = config->length;
	return config->bytes;
}

void saved_close(struct saved *saved)
{
	if (!saved)
		return;
	for (size_t i = 0; i < saved->state.nr_images; i++)
		free((char *)saved->images[i].path);
	snap_file_free(saved->file);
	free(saved);
}
