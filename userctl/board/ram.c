// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory: one anonymous mapping, low part first, high part behind it.
 *
 * It starts at a multiple of 2 MiB, and so does each part in guest physical
 * addresses, so that the host's huge pages can back it and nested paging can
 * map them as such.
 */
#include "board/ram.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define RAM_PAGE 4096ULL
#define RAM_HUGE (2ULL << 20)
#define RAM_MIN (1ULL << 20)

/*
 * Nothing changes after ram_new(), so any thread may read it without a lock.
 */
struct ram {
	unsigned char *base;
	uint64_t low;
	uint64_t high;
	void *mapping;
	size_t mapping_size;
};

struct ram *ram_new(uint64_t size)
{
	struct ram *ram;
	size_t room;

	if (size < RAM_MIN || size % RAM_PAGE ||
	    __builtin_add_overflow(size, RAM_HUGE, &room)) {
		errno = EINVAL;
		return NULL;
	}
	ram = calloc(1, sizeof(*ram));
	if (!ram)
		return NULL;

	ram->mapping_size = room;
	ram->mapping = mmap(NULL, room, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (ram->mapping == MAP_FAILED) {
		free(ram);
		return NULL;
	}
	ram->base = (void *)(((uintptr_t)ram->mapping + RAM_HUGE - 1) &
			     ~(uintptr_t)(RAM_HUGE - 1));
	ram->low = size < RAM_HOLE_START ? size : RAM_HOLE_START;
	ram->high = size - ram->low;

	/* This may fail: hosts without transparent huge pages refuse it. */
	madvise(ram->base, size, MADV_HUGEPAGE);
	return ram;
}

void ram_free(struct ram *ram)
{
	if (!ram)
		return;
	munmap(ram->mapping, ram->mapping_size);
	free(ram);
}

uint64_t ram_low(const struct ram *ram)
{
	return ram->low;
}

uint64_t ram_high(const struct ram *ram)
{
	return ram->high;
}

void *ram_at(const struct ram *ram, uint64_t gpa, uint64_t size)
{
	if (gpa < ram->low) {
		if (size > ram->low - gpa)
			return NULL;
		return ram->base + gpa;
	}
	if (gpa < RAM_HOLE_END)
		return NULL;
	gpa -= RAM_HOLE_END;
	if (gpa >= ram->high || size > ram->high - gpa)
		return NULL;
	return ram->base + ram->low + gpa;
}

/* A run of pages in a record.  The pages' bytes follow it. */
struct run_head {
	uint64_t first;
	uint64_t count;
};

static bool page_is_zero(const struct ram *ram, uint64_t page)
{
	const unsigned char *bytes = ram->base + page * RAM_PAGE;

	return !bytes[0] && !memcmp(bytes, bytes + 1, RAM_PAGE - 1);
}

static uint64_t nr_pages(const struct ram *ram)
{
	return (ram->low + ram->high) / RAM_PAGE;
}

int ram_save(const struct ram *ram, struct record *record)
{
	uint64_t pages = nr_pages(ram), page = 0, end;
	int err = 0;

	while (!err && page < pages) {
		struct run_head head;

		if (page_is_zero(ram, page)) {
			page++;
			continue;
		}
		for (end = page + 1; end < pages && !page_is_zero(ram, end);)
			end++;
		head.first = htole64(page);
		head.count = htole64(end - page);
		err = record_append(record, &head, sizeof(head));
		if (!err)
			err = record_append(record, ram->base + page * RAM_PAGE,
					    (end - page) * RAM_PAGE);
		page = end;
	}
	return err;
}

/*
 * Reads the head of the run at @*at, and moves @*at and @*page behind the run.  A run
 * must not begin below @*page.
 */
static int run_next(const struct ram *ram, const struct record *record,
		    size_t *at, uint64_t *page, struct run_head *run)
{
	size_t left = record->size - *at;

	if (left < sizeof(*run))
		return -EINVAL;
	memcpy(run, record->data + *at, sizeof(*run));
	*at += sizeof(*run);
	left -= sizeof(*run);
	run->first = le64toh(run->first);
	run->count = le64toh(run->count);
	if (run->first < *page || run->first >= nr_pages(ram) || !run->count ||
	    run->count > nr_pages(ram) - run->first ||
	    run->count > left / RAM_PAGE)
		return -EINVAL;
	*page = run->first + run->count;
	*at += run->count * RAM_PAGE;
	return 0;
}

int ram_load(struct ram *ram, const struct record *record)
{
	uint64_t page = 0;
	struct run_head run;
	size_t at = 0;
	int err = 0;

	while (!err && at < record->size)
		err = run_next(ram, record, &at, &page, &run);
	if (err)
		return err;
	/* Dropped pages read as zero. */
	madvise(ram->base, nr_pages(ram) * RAM_PAGE, MADV_DONTNEED);
	for (at = 0, page = 0; at < record->size;) {
		run_next(ram, record, &at, &page, &run);
		memcpy(ram->base + run.first * RAM_PAGE,
		       record->data + at - run.count * RAM_PAGE,
		       run.count * RAM_PAGE);
	}
	return 0;
}
