/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Guest memory as devices and loaders see it.
 *
 * RAM lies at 0 to ram_low() and, beyond the hole below 4 GiB, at 4 GiB to
 * 4 GiB + ram_high().
 */
#ifndef LODGE_BOARD_RAM_H
#define LODGE_BOARD_RAM_H

#include <stdint.h>

#include "board/record.h"

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
 * Return: the address, or NULL if the range is not all RAM.
 */
void *ram_at(const struct ram *ram, uint64_t gpa, uint64_t size);

/**
 * ram_save() - append the pages that are not all zero to a record
 *
 * Return: 0 or -ENOMEM.
 */
int ram_save(const struct ram *ram, struct record *record);

/**
 * ram_load() - replace the contents by those of a record
 * @record: from ram_save() of a RAM of the same size; it is not trusted
 *
 * Return: 0, or -EINVAL: nothing has changed.
 */
int ram_load(struct ram *ram, const struct record *record);

#endif
