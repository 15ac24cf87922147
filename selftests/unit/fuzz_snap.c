// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzes the reader of saved machines' files, and what is made of them.
 *
 * The input is changes to a file that the writer has written, or a file.  Its checksums
 * are made to fit, or left as they are.  A file that is taken must be one that can be
 * converted to the other form and back without a change to its memory.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz_check.h"
#include "board/zero.h"
#include "snap/convert.h"
#include "snap/crc.h"
#include "snap/file.h"
#include "snap/host.h"
#include "snap/walk.h"
#include "snap_fixture.h"
#include "snap_forge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PAGES 5
#define ABSENT UINT8_MAX
#define KINDS 8
/* Of the machines that are tried: a larger one would only take longer. */
#define MAX_PAGES 4096

/* Bits of the first byte. */
#define CHOICE_KIND 3
#define CHOICE_RAW 4
#define CHOICE_SUMS 8
#define CHOICE_DISK 16

/* A change: 16 bits say where, in the half of the file that the top bit says. */
#define CHANGE_SIZE 3
#define PAST_MEMORY 0x8000

static struct forged seeds[KINDS];

static struct forged write_seed(unsigned int kind)
{
	static const uint8_t salts[PAGES] = { 1, 2, 0, 3, ABSENT };
	const bool disk = kind & 4;
	const struct snap_plan plan = {
		.form = kind & 1 ? SNAP_PACKED : SNAP_PLAIN,
		.pages = PAGES,
		.id = snap_test_id,
		.base = kind & 2 ? snap_test_base : NULL,
	};
	struct forged seed;
	int fd = snap_test_file();

	require(fd >= 0 && !snap_test_write_all(fd, &plan, salts, disk));
	require(!forged_take(&seed, fd));
	close(fd);
	return seed;
}

/* Changes what a seed has in its first page and sections, or from "memory" on. */
static void change(struct forged *forged, const uint8_t *data, size_t size)
{
	const uint64_t memory = forged_section(forged, SNAP_MEMORY)->offset;

	for (; size >= CHANGE_SIZE; data += CHANGE_SIZE, size -= CHANGE_SIZE) {
		const unsigned int place = data[0] << 8 | data[1];
		const uint64_t at =
			place & PAST_MEMORY ?
				forged->size - 1 -
					(place & ~PAST_MEMORY) %
						(forged->size - memory) :
				place % memory;

		forged->bytes[at] = data[2];
	}
}

static struct forged make_input(const uint8_t *data, size_t size)
{
	const uint8_t choice = data[0];
	const struct forged *seed =
		&seeds[(choice & CHOICE_KIND) | (choice & CHOICE_DISK ? 4 : 0)];
	struct forged made;

	data++;
	size--;
	made.size = choice & CHOICE_RAW ? size : seed->size;
	made.bytes = malloc(made.size ? made.size : 1);
	require(made.bytes);
	if (choice & CHOICE_RAW) {
		memcpy(made.bytes, data, size);
	} else {
		memcpy(made.bytes, seed->bytes, seed->size);
		change(&made, data, size);
	}
	if (choice & CHOICE_SUMS && made.size >= sizeof(struct snap_table))
		forged_sum(&made);
	return made;
}

/* Return: a checksum of all pages, and of which of them there are. */
static uint32_t sum_memory(const struct snap_file *file)
{
	static uint8_t bytes[SNAP_CHUNK_SIZE];
	struct snap_walk *walk = snap_walk_new(file);
	struct snap_error error;
	struct snap_run run;
	uint32_t sum = 0;

	require(walk);
	while (!snap_walk_next(walk, &run, &error)) {
		require(!snap_walk_read(walk, &run, bytes, &error));
		for (uint32_t i = 0; i < run.count; i++) {
			const uint8_t *page = bytes + i * SNAP_PAGE;
			const uint64_t number = run.first + i;

			/* What has no run in a whole file is zero, too. */
			if (!file->incremental && is_zero(page, SNAP_PAGE))
				continue;
			sum = snap_crc(sum, &number, sizeof(number));
			sum = snap_crc(sum, page, SNAP_PAGE);
		}
	}
	snap_walk_free(walk);
	return sum;
}

static void convert(const struct snap_file *file)
{
	const enum snap_form form = file->form == SNAP_PLAIN ? SNAP_PACKED :
							       SNAP_PLAIN;
	int fd = snap_test_file();
	struct snap_error error;
	struct snap_file *made;
	struct snap_blame blame;

	require(fd >= 0);
	require(!snap_convert(&file, 1, NULL, fd, form, &blame, &error));
	require(!snap_file_open(&made, fd, &error));
	require(!snap_file_check(made, &error));
	require(made->form == form && made->pages == file->pages);
	require(sum_memory(made) == sum_memory(file));
	snap_file_free(made);
	close(fd);
}

static void read_host(const struct snap_file *file)
{
	const struct snap_section *section = snap_file_section(file, SNAP_HOST);
	struct snap_error error;
	struct snap_host host;

	snap_host_read(&host, section->bytes, section->length, &error);
}

/* Blocks are all within their disks, and disks within memory. */
static void read_disks(const struct snap_file *file)
{
	for (uint32_t i = 0; i < file->nr_overlays; i++) {
		const struct snap_overlay *disk = &file->overlays[i];
		uint64_t block = 0, end = 0, count, blocks = 0;
		size_t at = 0;

		require(disk->page <= file->pages &&
			disk->size <= (file->pages - disk->page) * SNAP_PAGE);
		while (snap_overlay_next(disk, &at, &block, &count)) {
			require(block >= end && count);
			end = block += count;
			blocks += count;
			require(end <= disk->size / disk->block_size);
		}
		require(blocks == disk->blocks && at == disk->runs_size);
	}
}

static void try_file(int fd)
{
	struct snap_error error = { 0 };
	struct snap_file *file;
	int err = snap_file_open(&file, fd, &error);

	if (!err) {
		read_host(file);
		read_disks(file);
		err = snap_file_check(file, &error);
		if (!err && file->pages <= MAX_PAGES)
			convert(file);
	}
	/* A refusal has a reason, of one line that can be printed. */
	require(!err || *error.text);
	for (const char *at = error.text; *at && err; at++)
		require(*at >= ' ' && *at <= '~');
	snap_file_free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct forged input;
	int fd;

	for (unsigned int i = 0; i < KINDS && !seeds[i].bytes; i++)
		seeds[i] = write_seed(i);
	if (!size)
		return 0;
	input = make_input(data, size);
	fd = snap_test_file();
	require(fd >= 0 && !snap_write(fd, input.bytes, input.size, 0));
	try_file(fd);
	close(fd);
	forged_free(&input);
	return 0;
}
