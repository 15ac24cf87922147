/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Guest memory as devices and loaders see it.
 *
 * RAM lies at 0 to ram_low() and, beyond the hole below 4 GiB, at 4 GiB to
 * 4 GiB + ram_high().
 */
#ifndef LODGE_BOARD_RAM_H
#define LODGE_BOARD_RAM_H

#include <stddef.h>
#include <stdint.h>

#include "board/page_log.h"

/* The hole for devices begins here: RAM above it moves to 4 GiB. */
#define RAM_HOLE_START 0xc0000000ULL
#define RAM_HOLE_END 0x100000000ULL

struct ram;

/**
 * ram_new() - allocate guest memory, without host pages behind it at first
 * @size: bytes, a multiple of 4 KiB, at least 1 MiB
 *
 * Return: the memory, or NULL with errno set.
 */
struct ram *ram_new(uint64_t size);

/**
 * enum ram_backing - what is behind guest memory
 * @RAM_ANONYMOUS: memory of this process, in huge pages where the host has them free,
 *	and which the host may merge
 * @RAM_MEMFD: a file in memory, which other processes can map; the host uses huge
 *	pages for it only if /sys/kernel/mm/transparent_hugepage/shmem_enabled says so
 * @RAM_HUGE_2M: the same, of reserved pages of 2 MiB
 * @RAM_HUGE_1G: the same, of 1 GiB
 */
enum ram_backing {
	RAM_ANONYMOUS,
	RAM_MEMFD,
	RAM_HUGE_2M,
	RAM_HUGE_1G,
};

/**
 * ram_new_backed() - as ram_new(), with a choice of what is behind it
 *
 * Return: the memory, or NULL with errno set: ENODEV the host has no pages of that
 * size; ENOMEM not enough of them are reserved.
 */
struct ram *ram_new_backed(uint64_t size, enum ram_backing backing);

/**
 * ram_new_mapped() - make guest memory that begins as a private copy of a piece of a file
 * @size: as ram_new() has it
 * @fd: file that can be read; the caller may close it afterwards
 * @offset: of the piece, in bytes, a multiple of 4 KiB
 *
 * With RAM_ANONYMOUS the file is mapped but for its long holes: its pages are read as the
 * guest uses them, and shared with all others that have mapped it until they are written.
 * A file in memory that is sealed against writing (F_SEAL_WRITE) is mapped in a time that
 * does not grow with it.  The file must neither change nor become shorter then, as with
 * any mapping.  With other backings it is copied.
 *
 * Return: the memory, or NULL with errno set: as ram_new_backed(); ENODATA the file ends
 * before the piece does; EINVAL.
 */
struct ram *ram_new_mapped(uint64_t size, enum ram_backing backing, int fd,
			   uint64_t offset);

/**
 * ram_replace() - let guest memory begin anew as a private copy of a piece of a file, in
 * place of what it holds, while nobody else uses it
 * @fd: as for ram_new_mapped() with RAM_ANONYMOUS
 * @offset: likewise
 *
 * Return: 0; -EOPNOTSUPP there is a file behind the memory, which others may have mapped;
 * -EINVAL and -ENODATA as ram_new_mapped(); another -errno: what the memory holds is not
 * known.
 */
int ram_replace(struct ram *ram, int fd, uint64_t offset);

/**
 * ram_fd() - get the file behind guest memory, whose size cannot change
 *
 * Return: the descriptor, which stays the memory's; -1 with RAM_ANONYMOUS.
 */
int ram_fd(const struct ram *ram);

/**
 * struct ram_range - a part of guest memory
 * @gpa: guest physical address
 * @size: bytes
 * @offset: where it lies in ram_fd()
 * @address: where it lies in this process
 */
struct ram_range {
	uint64_t gpa;
	uint64_t size;
	uint64_t offset;
	void *address;
};

#define RAM_MAX_RANGES 2

/**
 * ram_ranges() - list all guest memory, for a process that is to map it
 *
 * Return: the number of ranges.
 */
size_t ram_ranges(const struct ram *ram,
		  struct ram_range ranges[RAM_MAX_RANGES]);

/**
 * ram_free() - free guest memory; NULL is fine
 */
void ram_free(struct ram *ram);

/**
 * ram_low() - size of the RAM below the hole, in bytes
 */
uint64_t ram_low(const struct ram *ram);

/**
 * ram_high() - size of the RAM at 4 GiB, in bytes
 */
uint64_t ram_high(const struct ram *ram);

/**
 * ram_at() - translate a guest physical range to an address of this process
 * @gpa: guest physical address
 * @size: bytes wanted
 *
 * It is for reading.  Whoever writes there, or has the host write, tells ram_wrote().
 *
 * Return: the address, or NULL if the range is not all RAM.
 */
void *ram_at(const struct ram *ram, uint64_t gpa, uint64_t size);

/**
 * ram_write_at() - the same for who writes there before the machine is held
 */
void *ram_write_at(const struct ram *ram, uint64_t gpa, uint64_t size);

/**
 * ram_wrote() - note that this process writes to memory
 * @address: from ram_at()
 * @size: bytes, all of them RAM
 *
 * To be called before the machine is held again, earlier or later than the write; any
 * thread may.
 */
void ram_wrote(const struct ram *ram, const void *address, uint64_t size);

/**
 * ram_log_begin() - begin an empty log of the pages that ram_wrote() is told of; an
 * earlier one is ended
 *
 * While the machine is held, as ram_log_end().
 *
 * Return: 0 or -ENOMEM.
 */
int ram_log_begin(struct ram *ram);

/**
 * ram_log_end() - keep no log
 */
void ram_log_end(struct ram *ram);

/**
 * ram_log() - get the log: page n is at n * 4 KiB behind the address of gpa 0
 *
 * Return: the log, or NULL.
 */
struct page_log *ram_log(const struct ram *ram);

/**
 * ram_discard() - give pages back to the host; they read as zero from now on
 * @address: in this process, from ram_at()
 * @size: bytes; a page that is not all within stays as it is
 *
 * Return: how many bytes.
 */
uint64_t ram_discard(const struct ram *ram, void *address, uint64_t size);

/**
 * ram_skip_holes() - find pages that may be other than zero, without making any
 * @page: page n is at n * 4 KiB behind the address of gpa 0
 *
 * Return: the next such page from @page on; at least the number of pages if there is none.
 */
uint64_t ram_skip_holes(const struct ram *ram, uint64_t page);

#endif
