// SPDX-License-Identifier: GPL-2.0
/*
 * Makes stable what a disk's guest has written, whether it has asked for that or not.
 */
#include <errno.h>
#include <unistd.h>

#include "disk/disk.h"

int disk_settle(const struct disk *disk)
{
	if (disk_overlay(disk) || disk_geometry(disk)->read_only)
		return 0;
	return fdatasync(disk_fd(disk)) ? -errno : 0;
}
