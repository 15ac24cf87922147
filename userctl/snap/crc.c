// SPDX-License-Identifier: GPL-2.0
/*
 * A CRC-32 of all of a machine's memory, which by zlib's tables takes far longer than to copy
 * it; libdeflate has the processor multiply polynomials.
 */
#include "snap/crc.h"

#include <libdeflate.h>

uint32_t snap_crc(uint32_t crc, const void *bytes, size_t size)
{
	/* Without bytes, the library answers as at first. */
	return size ? libdeflate_crc32(crc, bytes, size) : crc;
}
