/* SPDX-License-Identifier: GPL-2.0 */
/*
 * QEMU's firmware configuration device (docs/specs/fw_cfg in QEMU): a 16-bit selector
 * at port 0x510, the selected item's bytes at port 0x511, and from port 0x514 on the
 * address of a request that has them copied to guest memory.
 */
#ifndef LODGE_DEV_FWCFG_H
#define LODGE_DEV_FWCFG_H

#include <stddef.h>
#include <stdint.h>

#include "board/bus.h"
#include "board/device.h"
#include "board/layout.h"
#include "board/ram.h"

/* Keys, with QEMU's numbers. */
enum fwcfg_key {
	FWCFG_SIGNATURE = 0x00,
	FWCFG_ID = 0x01,
	FWCFG_RAM_SIZE = 0x03,
	FWCFG_NB_CPUS = 0x05,
	FWCFG_KERNEL_ADDR = 0x07,
	FWCFG_KERNEL_SIZE = 0x08,
	FWCFG_INITRD_ADDR = 0x0a,
	FWCFG_INITRD_SIZE = 0x0b,
	FWCFG_MAX_CPUS = 0x0f,
	FWCFG_KERNEL_ENTRY = 0x10,
	FWCFG_KERNEL_DATA = 0x11,
	FWCFG_INITRD_DATA = 0x12,
	FWCFG_CMDLINE_ADDR = 0x13,
	FWCFG_CMDLINE_SIZE = 0x14,
	FWCFG_CMDLINE_DATA = 0x15,
	FWCFG_SETUP_ADDR = 0x16,
	FWCFG_SETUP_SIZE = 0x17,
	FWCFG_SETUP_DATA = 0x18,
	FWCFG_DIRECTORY = 0x19,
	FWCFG_FIRST_FILE = 0x20,
	FWCFG_LOCAL = 0x8000,
	FWCFG_ACPI_TABLES = 0x8000,
	FWCFG_SMBIOS = 0x8001,
	FWCFG_IRQ0_OVERRIDE = 0x8002,
	FWCFG_E820 = 0x8003,
};

/* Size of the longest name of a file, with the zero at its end. */
#define FWCFG_NAME_SIZE 56
#define FWCFG_MAX_FILES 64

struct fwcfg;

/**
 * struct fwcfg_config - configuration of the device
 * @bus: bus for its ports
 * @ram: guest memory, for its DMA; must outlive the device
 * @cpus: number of vCPUs
 * @ram_size: bytes of RAM
 * @e820: memory map in E820's form, 20 bytes an entry; copied
 * @e820_count: number of its entries
 */
struct fwcfg_config {
	struct bus *bus;
	const struct ram *ram;
	uint16_t cpus;
	uint64_t ram_size;
	const void *e820;
	uint32_t e820_count;
};

/**
 * fwcfg_new() - make the device with the items that @config describes
 *
 * Return: the device, or NULL with errno set.
 */
struct fwcfg *fwcfg_new(const struct fwcfg_config *config);

/**
 * fwcfg_free() - free it, once nothing calls it any more; NULL is fine
 */
void fwcfg_free(void *fwcfg);

/**
 * fwcfg_add() - add an item
 * @key: its number, below FWCFG_DIRECTORY or FWCFG_LOCAL and above
 * @data: its bytes, copied
 *
 * Return: 0; -EEXIST the item exists; -EINVAL @key is out of range; -ENOMEM.
 */
int fwcfg_add(struct fwcfg *fwcfg, uint16_t key, const void *data, size_t size);

/**
 * fwcfg_add_file() - add an item that is found by name
 * @data: its bytes, copied
 *
 * Return: 0; -EEXIST the file exists; -EINVAL the name is empty or too long; -E2BIG
 * @size is 4 GiB or more; -ENOSPC there are FWCFG_MAX_FILES files; -ENOMEM.
 */
int fwcfg_add_file(struct fwcfg *fwcfg, const char *name, const void *data,
		   size_t size);

/* The device, for a machine. */
extern const struct device_kind fwcfg_device;

#endif
