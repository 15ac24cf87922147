/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The checksum in files of saved machines, and in the stream of those that move.
 */
#ifndef LODGE_SNAP_CRC_H
#define LODGE_SNAP_CRC_H

#include <stddef.h>
#include <stdint.h>

/**
 * snap_crc() - go on with a CRC-32 of zlib's kind
 * @crc: of the bytes before; 0 at first
 * @bytes: may be NULL if @size is 0
 *
 * Return: that of the bytes before and of these.
 */
uint32_t snap_crc(uint32_t crc, const void *bytes, size_t size);

#endif
