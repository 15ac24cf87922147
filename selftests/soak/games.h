/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a host does to the memory of a process, of which the process must not notice
 * anything.
 */
#ifndef LODGE_SOAK_GAMES_H
#define LODGE_SOAK_GAMES_H

#include <stddef.h>

#include "chance.h"

/**
 * games_play() - swap, merge, collapse, move, copy or protect memory, at random
 * @from: private memory, writable, page-aligned
 * @size: bytes, a multiple of 4 KiB
 */
void games_play(struct chance *chance, void *from, size_t size);

/**
 * games_merge() - have the host look for pages that are alike, and merge them, or end
 * that and take merged ones apart
 *
 * Where the host cannot, nothing happens.
 */
void games_merge(bool merge);

#endif
