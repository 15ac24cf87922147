/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The memory slots of a machine.
 */
#ifndef LODGE_MACHINE_MEMORY_H
#define LODGE_MACHINE_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "board/ram.h"
#include "boot/entry.h"

/* Slots: RAM below the hole, RAM at 4 GiB, and the ROM below 4 GiB. */
#define MEMORY_SLOT_LOW 0
#define MEMORY_SLOT_HIGH 1
#define MEMORY_SLOT_ROM 2
/* The first of those that are devices'. */
#define MEMORY_SLOT_DEVICES 3

/**
 * struct memory_room - the room for devices' memory, above all else
 * @used: bytes of it that are in use
 * @slots: slots that are
 */
struct memory_room {
	uint64_t used;
	uint32_t slots;
};

/**
 * memory_map() - let a VM see all of a machine's RAM, and its ROM
 * @vm: the VM's descriptor
 * @ram: must not be freed before the VM is closed
 * @entry: has the ROM, which must not be freed either
 *
 * Return: 0 or -errno.
 */
int memory_map(int vm, const struct ram *ram, const struct boot_entry *entry);

/**
 * memory_add() - let a VM see memory of a device's, behind the window of PCI
 * @size: bytes, a multiple of 2 MiB
 * @address: in this process, where it must stay as long as the VM
 * @read_only: the guest's writes go to the bus
 * @start: out: the guest's address, a multiple of 2 MiB
 *
 * Return: 0 or -errno.
 */
int memory_add(int vm, const struct ram *ram, struct memory_room *room,
	       uint64_t size, void *address, bool read_only, uint64_t *start);

#endif
