// SPDX-License-Identifier: GPL-2.0
/*
 * Lists of buffers.
 */
#include "disk/iov.h"

unsigned int iov_slice(const struct iovec *from, unsigned int count,
		       uint64_t offset, uint64_t size, struct iovec *to)
{
	unsigned int used = 0;

	for (unsigned int i = 0; i < count && size; i++) {
		size_t length = from[i].iov_len;

		if (offset >= length) {
			offset -= length;
			continue;
		}
		length -= offset;
		if (length > size)
			length = size;
		to[used].iov_base = (char *)from[i].iov_base + offset;
		to[used++].iov_len = length;
		size -= length;
		offset = 0;
	}
	return used;
}

uint64_t iov_size(const struct iovec *iov, unsigned int count)
{
	uint64_t size = 0;

	for (unsigned int i = 0; i < count; i++)
		if (__builtin_add_overflow(size, iov[i].iov_len, &size))
			return UINT64_MAX;
	return size;
}
