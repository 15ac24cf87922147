/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Allocates guest memory to the parts of an image.
 *
 * Loaders write guest memory only through these calls.  So no file, however bad,
 * makes them write outside RAM, to the tables of the first MiB, or to another part
 * of the image.
 */
#ifndef LODGE_BOOT_PLACE_H
#define LODGE_BOOT_PLACE_H

#include <stdint.h>

#include "board/ram.h"

/* The most ranges; adjacent ones are merged. */
#define PLACE_MAX 64

/**
 * struct place - the ranges in use
 * @ram: guest memory
 * @count: ranges in @taken
 * @taken: in ascending order, with gaps between them; @end is exclusive
 */
struct place {
	const struct ram *ram;
	unsigned int count;
	struct place_range {
		uint64_t start;
		uint64_t end;
	} taken[PLACE_MAX];
};

enum place_order {
	PLACE_LOWEST,
	PLACE_HIGHEST,
};

/**
 * place_init() - start with all RAM free, except for the interrupt table, the BIOS
 * data areas, video memory and the BIOS area
 */
void place_init(struct place *place, const struct ram *ram);

/**
 * place_claim() - allocate a given range
 * @at: out: its address in this process
 *
 * Return: 0; -ENOSPC it is empty, or not all of it is RAM; -EEXIST part of it is
 * taken; -EMFILE PLACE_MAX is reached.
 */
int place_claim(struct place *place, uint64_t gpa, uint64_t size, void **at);

/**
 * place_find() - allocate a free range of RAM below the hole
 * @size: bytes, not 0
 * @align: alignment of its first address, a power of two
 * @min: lowest address
 * @max: highest end
 * @order: take the lowest or the highest free range
 * @gpa: out: its guest physical address
 * @at: out: its address in this process
 *
 * Return: 0; -ENOSPC there is none; -EMFILE PLACE_MAX is reached.
 */
int place_find(struct place *place, uint64_t size, uint64_t align, uint64_t min,
	       uint64_t max, enum place_order order, uint64_t *gpa, void **at);

/**
 * place_put() - allocate a given range and fill it
 * @data: bytes for its beginning
 * @size: bytes of @data, at most @room
 * @room: bytes of the range; those beyond @size become zero
 *
 * Return: as place_claim() does.
 */
int place_put(struct place *place, uint64_t gpa, const void *data,
	      uint64_t size, uint64_t room);

/**
 * place_reason() - describe an error of place_claim()
 *
 * Return: text for a message, to follow the name of the part, such as "is not
 * within RAM".
 */
const char *place_reason(int code);

#endif
