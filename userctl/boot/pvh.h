/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The PVH protocol, by which an ELF kernel starts without firmware (Xen's
 * docs/misc/pvh.pandoc and public/arch-x86/hvm/start_info.h).
 */
#ifndef LODGE_BOOT_PVH_H
#define LODGE_BOOT_PVH_H

#include "boot/entry.h"
#include "boot/error.h"
#include "boot/image.h"
#include "boot/place.h"

/**
 * pvh_load() - load an ELF kernel with its initrd and command line
 * @place: guest memory
 * @image: the kernel, for which elf_probe() is true
 * @initrd: NULL or its initrd
 * @append: the command line
 * @entry: out: the state for vCPU 0
 * @error: out: the reason of a failure
 *
 * Return: 0; what elf_load() returns; -ENOEXEC there is no PVH note; -ENOSPC
 * initrd or command line do not fit.
 */
int pvh_load(struct place *place, const struct image *image,
	     const struct image *initrd, const char *append,
	     struct boot_entry *entry, struct boot_error *error);

#endif
