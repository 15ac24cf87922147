/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The memory slots of a machine.
 */
#ifndef LODGE_MACHINE_MEMORY_H
#define LODGE_MACHINE_MEMORY_H

#include "board/ram.h"
#include "boot/entry.h"

/* Slots: RAM below the hole, RAM at 4 GiB, and the ROM below 4 GiB. */
#define MEMORY_SLOT_LOW 0
#define MEMORY_SLOT_HIGH 1
#define MEMORY_SLOT_ROM 2

/**
 * memory_map() - let a VM see all of a machine's RAM, and its ROM
 * @vm: the VM's descriptor
 * @ram: must not be freed before the VM is closed
 * @entry: has the ROM, which must not be freed either
 *
 * Return: 0 or -errno.
 */
int memory_map(int vm, const struct ram *ram, const struct boot_entry *entry);

#endif
