// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that is all zero.
 */
#include "board/zero.h"

#include <string.h>

bool is_zero(const void *bytes, size_t size)
{
	const unsigned char *at = bytes;

	return !size || (!*at && !memcmp(at, at + 1, size - 1));
}
