// SPDX-License-Identifier: GPL-2.0
/*
 * Lends a disk's file to others for reading, while its guest stands still.
 */
#include "disk/disk.h"
#include "disk/lock.h"

/* One that only reads has admitted others from the beginning. */
int disk_lend(const struct disk *disk, bool lend)
{
	if (disk_overlay(disk) || disk_geometry(disk)->read_only)
		return 0;
	return lend ? disk_lock_lend(disk_fd(disk)) :
		      disk_lock_regain(disk_fd(disk));
}
