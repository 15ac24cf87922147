/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The regular file or block device behind a disk: how it is opened, and what it wants.
 */
#ifndef LODGE_DISK_FILE_H
#define LODGE_DISK_FILE_H

#include "disk/disk.h"

/**
 * struct disk_file - an open file
 * @fd: descriptor
 * @is_device: a block device
 * @memory_alignment: of buffers, in bytes; 1: any
 * @geometry: what a guest is told
 */
struct disk_file {
	int fd;
	bool is_device;
	uint32_t memory_alignment;
	struct disk_geometry geometry;
};

/**
 * disk_file_open() - open and lock a disk's file
 * @why: out: on failure, the reason and the remedy
 * @size: bytes at @why
 *
 * Return: 0 or -errno.
 */
int disk_file_open(struct disk_file *file, const struct disk_options *options,
		   char *why, size_t size);

/**
 * disk_file_close() - close it, and give up its lock
 */
void disk_file_close(struct disk_file *file);

#endif
