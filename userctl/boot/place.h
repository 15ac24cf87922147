/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who has which place in guest memory while an image is loaded.
 *
 * Loaders get at guest memory only through here, so that nothing is written
 * outside RAM, upon the tables of the first MiB, or upon another part of the
 * same image, whatever a file says.
 */
#ifndef LODGE_BOOT_PLACE_H
#define LODGE_BOOT_PLACE_H

#include <stdint.h>

#include "board/ram.h"

/* Ranges that can be told apart; neighbours melt into one. */
#define PLACE_MAX 64

/**
 * struct place - the ranges in use
 * @ram: guest memory
 * @count: ranges in @taken
 * @taken: ascending, apart from each other; @end is exclusive
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
 * place_init() - begin with RAM that is free but for the interrupt table, the
 * BIOS data areas, video memory and the BIOS area
 */
void place_init(struct place *place, const struct ram *ram);

/**
 * place_claim() - take a given range
 * @at: out: where it lies in this process
 *
 * Return: 0; -ENOSPC it is empty, or not all of it is RAM; -EEXIST part of it is taken; -EMFILE
 * PLACE_MAX is reached.
 */
int place_claim(struct place *place, uint64_t gpa, uint64_t size, void **at);

/**
 * place_find() - take some free range
 * @size: bytes, not 0
 * @align: of its first address, a power of two
 * @min: not below this address
 * @max: its end is not above this address
 * @order: the lowest or the highest that there is
 * @gpa: out: the range
 * @at: out: where it lies in this process
 *
 * Looks only at RAM below the hole.
 *
 * Return: 0; -ENOSPC there is none; -EMFILE PLACE_MAX is reached.
 */
int place_find(struct place *place, uint64_t size, uint64_t align, uint64_t min,
	       uint64_t max, enum place_order order, uint64_t *gpa, void **at);

/**
 * place_put() - take a given range and fill it
 * @data: what it begins with
 * @size: bytes of @data, at most @room
 * @room: bytes of the range; those beyond @size become zero
 *
 * Return: as place_claim() does.
 */
int place_put(struct place *place, uint64_t gpa, const void *data,
	      uint64_t size, uint64_t room);

/**
 * place_reason() - an error of place_claim() for a message
 *
 * Return: words to follow the name of the part, such as "is not within RAM".
 */
const char *place_reason(int code);

#endif
