// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory: one anonymous mapping, low part first, high part behind it.
 *
 * It starts at a multiple of 2 MiB, and so does each part in guest physical
 * addresses, so that the host's huge pages can back it and nested paging can
 * map them as such.
 */
#include "board/ram.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>

#define RAM_PAGE 4096ULL
#define RAM_HUGE (2ULL << 20)
#define RAM_MIN (1ULL << 20)

/*
 * Nothing changes after ram_new(), so any thread may look without a lock.
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

	/* A wish: hosts without transparent huge pages refuse it. */
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
