/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory that is all zero.
 */
#ifndef LODGE_BOARD_ZERO_H
#define LODGE_BOARD_ZERO_H

#include <stdbool.h>
#include <stddef.h>

/**
 * is_zero() - true if all bytes are zero
 */
bool is_zero(const void *bytes, size_t size);

#endif
