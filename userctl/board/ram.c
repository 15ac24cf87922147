// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory: one mapping, low part first, high part behind it.
 *
 * It starts at a multiple of 2 MiB, and so does each part in guest physical
 * addresses, so that the host's huge pages can back it and nested paging can
 * map them as such.
 */
#include "board/ram.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <linux/memfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "board/page_log.h"
#include "lib/read.h"

#define RAM_PAGE 4096ULL
#define RAM_HUGE (2ULL << 20)
#define RAM_MIN (1ULL << 20)

#define RAM_GIGANTIC (1ULL << 30)

/* A shorter hole of a file costs less as a part of a mapping than a mapping more does. */
#define MIN_HOLE (64ULL << 10)
/* The host allows a process 65530 mappings. */
#define MAX_PIECES 16384

/*
 * Nothing but @log changes after ram_new(), and that while nobody else uses the memory:
 * so any thread may read it without a lock.  The mapping begins before @base, so that
 * @base is aligned.  @covers: it is a private mapping of another file, which shows again
 * where pages are dropped.
 */
struct ram {
	unsigned char *base;
	uint64_t low;
	uint64_t high;
	int fd;
	bool covers;
	uint64_t file_size;
	void *mapping;
	size_t mapping_size;
	struct page_log *log;
};

/* Bytes of the pages of which the memory can be made. */
static uint64_t page_of(enum ram_backing backing)
{
	return backing == RAM_HUGE_1G ? RAM_GIGANTIC : RAM_HUGE;
}

static unsigned int memfd_flags(enum ram_backing backing)
{
	const unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;

	if (backing == RAM_HUGE_2M)
		return flags | MFD_HUGETLB | MFD_HUGE_2MB;
	if (backing == RAM_HUGE_1G)
		return flags | MFD_HUGETLB | MFD_HUGE_1GB;
	return flags;
}

/*
 * Makes the file.  It is sealed: a process that it is given to could otherwise make it
 * shorter, and accesses behind its end would end this process.
 */
static int open_file(struct ram *ram, enum ram_backing backing)
{
	if (backing == RAM_ANONYMOUS)
		return 0;
	ram->fd = memfd_create("lodge-ram", memfd_flags(backing));
	if (ram->fd < 0 || ftruncate(ram->fd, ram->file_size) ||
	    fcntl(ram->fd, F_ADD_SEALS,
		  F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		return -errno;
	return 0;
}

/* Takes addresses for it, and maps it at a multiple of @page. */
static int map(struct ram *ram, uint64_t page)
{
	const int flags = ram->fd < 0 ?
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE :
				  MAP_SHARED;

	ram->mapping = mmap(NULL, ram->mapping_size, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (ram->mapping == MAP_FAILED) {
		ram->mapping = NULL;
		return -errno;
	}
	ram->base = (void *)(((uintptr_t)ram->mapping + page - 1) &
			     ~(uintptr_t)(page - 1));
	if (mmap(ram->base, ram->file_size, PROT_READ | PROT_WRITE,
		 flags | MAP_FIXED, ram->fd, 0) == MAP_FAILED)
		return -errno;
	/* This may fail: hosts without transparent huge pages refuse it. */
	madvise(ram->base, ram->file_size, MADV_HUGEPAGE);
	return 0;
}

struct ram *ram_new_backed(uint64_t size, enum ram_backing backing)
{
	const uint64_t page = page_of(backing);
	struct ram *ram;
	size_t room;
	int err;

	if (size < RAM_MIN || size % RAM_PAGE ||
	    __builtin_add_overflow(size, 2 * page, &room)) {
		errno = EINVAL;
		return NULL;
	}
	ram = calloc(1, sizeof(*ram));
	if (!ram)
		return NULL;
	ram->fd = -1;
	ram->mapping_size = room;
	ram->low = size < RAM_HOLE_START ? size : RAM_HOLE_START;
	ram->high = size - ram->low;
	ram->file_size = size;
	if (backing == RAM_HUGE_2M || backing == RAM_HUGE_1G)
		ram->file_size = (size + page - 1) & ~(page - 1);
	err = open_file(ram, backing);
	if (!err)
		err = map(ram, page);
	if (err) {
		ram_free(ram);
		errno = -err;
		return NULL;
	}
	return ram;
}

struct ram *ram_new(uint64_t size)
{
	return ram_new_backed(size, RAM_ANONYMOUS);
}

/*
 * Finds the next piece of the file that is no hole, from *@at on.  A file system that
 * does not tell has one piece.
 */
static void find_piece(int fd, uint64_t offset, uint64_t size, uint64_t *at,
		       uint64_t *end)
{
	off_t hole;

	*at = skip_hole(fd, offset + *at, offset + size) - offset;
	*end = size;
	hole = lseek(fd, offset + *at, SEEK_HOLE);
	if (hole >= 0 && (uint64_t)hole - offset < size)
		*end = hole - offset;
}

/* Maps a piece of the file in place of the pages that are there. */
static int cover(struct ram *ram, int fd, uint64_t offset, uint64_t at,
		 uint64_t end)
{
	return mmap(ram->base + at, end - at, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, fd,
		    offset + at) == MAP_FAILED ?
		       -errno :
		       0;
}

/* As find_piece(), in whole pages, and with short holes as a part of it. */
static void find_wide_piece(int fd, uint64_t offset, uint64_t size,
			    uint64_t *at, uint64_t *end)
{
	uint64_t next, next_end;

	find_piece(fd, offset, size, at, end);
	for (next = *end; next < size; next = next_end) {
		find_piece(fd, offset, size, &next, &next_end);
		if (next - *end >= MIN_HOLE)
			break;
		*end = next_end;
	}
	*at &= ~(RAM_PAGE - 1);
	*end = (*end + RAM_PAGE - 1) & ~(RAM_PAGE - 1);
}

/*
 * A read of a hole would have the file system store it, and end this process by SIGBUS
 * where that is full.  So holes stay memory of this process.  A file in memory that nobody
 * may write to has no such limit, and is mapped at once.
 */
static int cover_all(struct ram *ram, int fd, uint64_t offset)
{
	const uint64_t size = ram->low + ram->high;
	const int seals = fcntl(fd, F_GET_SEALS);
	uint64_t at = 0, end;
	int err = 0;

	ram->covers = true;
	if (seals >= 0 && seals & F_SEAL_WRITE)
		return cover(ram, fd, offset, 0, size);
	for (unsigned int pieces = 1; at < size && !err; pieces++) {
		find_wide_piece(fd, offset, size, &at, &end);
		if (pieces == MAX_PIECES)
			end = size;
		if (at < end)
			err = cover(ram, fd, offset, at, end);
		at = end;
	}
	return err;
}

static int copy_file(struct ram *ram, int fd, uint64_t offset)
{
	const uint64_t size = ram->low + ram->high;
	uint64_t at = 0, end;
	int err = 0;

	while (at < size && !err) {
		find_piece(fd, offset, size, &at, &end);
		err = read_at(fd, ram->base + at, end - at, offset + at);
		at = end;
	}
	return err;
}

struct ram *ram_new_mapped(uint64_t size, enum ram_backing backing, int fd,
			   uint64_t offset)
{
	struct ram *ram;
	struct stat file;
	uint64_t end;
	int err = 0;

	if (__builtin_add_overflow(offset, size, &end) || end > INT64_MAX ||
	    offset % RAM_PAGE) {
		errno = EINVAL;
		return NULL;
	}
	/* Behind the end of the file a mapping has no pages, but SIGBUS. */
	if (fstat(fd, &file) || (uint64_t)file.st_size < end) {
		errno = ENODATA;
		return NULL;
	}
	ram = ram_new_backed(size, backing);
	if (!ram)
		return NULL;
	err = ram->fd < 0 ? cover_all(ram, fd, offset) :
			    copy_file(ram, fd, offset);
	if (!err)
		return ram;
	ram_free(ram);
	errno = -err;
	return NULL;
}

int ram_replace(struct ram *ram, int fd, uint64_t offset)
{
	off_t file_end = lseek(fd, 0, SEEK_END);
	uint64_t end;

	if (ram->fd >= 0)
		return -EOPNOTSUPP;
	if (__builtin_add_overflow(offset, ram->file_size, &end) ||
	    offset % RAM_PAGE)
		return -EINVAL;
	if (file_end < 0 || (uint64_t)file_end < end)
		return -ENODATA;
	ram->covers = true;
	return cover(ram, fd, offset, 0, ram->file_size);
}

void ram_free(struct ram *ram)
{
	if (!ram)
		return;
	if (ram->mapping)
		munmap(ram->mapping, ram->mapping_size);
	if (ram->fd >= 0)
		close(ram->fd);
	page_log_free(ram->log);
	free(ram);
}

int ram_fd(const struct ram *ram)
{
	return ram->fd;
}

size_t ram_ranges(const struct ram *ram,
		  struct ram_range ranges[RAM_MAX_RANGES])
{
	ranges[0] = (struct ram_range){
		.size = ram->low,
		.address = ram->base,
	};
	ranges[1] = (struct ram_range){
		.gpa = RAM_HOLE_END,
		.size = ram->high,
		.offset = ram->low,
		.address = ram->base + ram->low,
	};
	return ram->high ? 2 : 1;
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

/* Puts pages that read as zero in place of those of a private mapping of a file. */
static int renew(void *address, uint64_t size)
{
	return mmap(address, size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1,
		    0) == MAP_FAILED ?
		       -errno :
		       0;
}

int ram_log_begin(struct ram *ram)
{
	ram_log_end(ram);
	ram->log = page_log_new((ram->low + ram->high) / RAM_PAGE);
	return ram->log ? 0 : -ENOMEM;
}

void ram_log_end(struct ram *ram)
{
	page_log_free(ram->log);
	ram->log = NULL;
}

struct page_log *ram_log(const struct ram *ram)
{
	return ram->log;
}

void ram_wrote(const struct ram *ram, const void *address, uint64_t size)
{
	const uint64_t start = (uintptr_t)address - (uintptr_t)ram->base;

	if (ram->log && size)
		page_log_add(ram->log, start / RAM_PAGE,
			     (start + size - 1) / RAM_PAGE + 1);
}

void *ram_write_at(const struct ram *ram, uint64_t gpa, uint64_t size)
{
	void *address = ram_at(ram, gpa, size);

	if (address)
		ram_wrote(ram, address, size);
	return address;
}

uint64_t ram_discard(const struct ram *ram, void *address, uint64_t size)
{
	const uintptr_t start = (uintptr_t)address;
	const uintptr_t first = (start + RAM_PAGE - 1) & ~(RAM_PAGE - 1);
	const uintptr_t end = (start + size) & ~(RAM_PAGE - 1);

	if (end <= first)
		return 0;
	ram_wrote(ram, address, size);
	if (ram->covers)
		return renew((void *)first, end - first) ? 0 : end - first;
	/* A shared file keeps its pages unless they are removed from it. */
	if (madvise((void *)first, end - first, MADV_REMOVE) &&
	    madvise((void *)first, end - first, MADV_DONTNEED))
		return 0;
	return end - first;
}

static uint64_t nr_pages(const struct ram *ram)
{
	return (ram->low + ram->high) / RAM_PAGE;
}

/* Reading a page that the file has not would allocate it. */
uint64_t ram_skip_holes(const struct ram *ram, uint64_t page)
{
	const uint64_t pages = nr_pages(ram);

	if (ram->fd < 0 || page >= pages)
		return page < pages ? page : pages;
	return skip_hole(ram->fd, page * RAM_PAGE, pages * RAM_PAGE) / RAM_PAGE;
}
