/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Unpacks files that were packed by xz, zstd or gzip, as kernels' modules are.
 */
#ifndef LODGE_BOOT_UNPACK_H
#define LODGE_BOOT_UNPACK_H

#include <stddef.h>

/**
 * unpack() - unpack the contents of a file; others are copied
 * @most: bytes that the result may have
 * @unpacked: out: to be freed
 * @size: out
 *
 * Return: 0; -EINVAL it is damaged; -EFBIG it is larger than @most; -ENOMEM.
 */
int unpack(const void *packed, size_t packed_size, size_t most, void **unpacked,
	   size_t *size);

#endif
