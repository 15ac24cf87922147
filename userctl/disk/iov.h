/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lists of buffers, as readv(2) takes them.
 */
#ifndef LODGE_DISK_IOV_H
#define LODGE_DISK_IOV_H

#include <stdint.h>
#include <sys/uio.h>

/**
 * iov_slice() - list a part of what buffers have
 * @from: the buffers
 * @count: number of them
 * @offset: of the part, in bytes
 * @size: bytes of the part
 * @to: out: the list, with room for @count buffers
 *
 * Return: the number of buffers in @to.
 */
unsigned int iov_slice(const struct iovec *from, unsigned int count,
		       uint64_t offset, uint64_t size, struct iovec *to);

/**
 * iov_size() - get the bytes of all buffers
 *
 * Return: the bytes; UINT64_MAX: more than a number can say.
 */
uint64_t iov_size(const struct iovec *iov, unsigned int count);

#endif
