// SPDX-License-Identifier: GPL-2.0
/*
 * SeaBIOS: its ROM, and the files that it reads from fw_cfg.
 */
#include "boot/seabios.h"

#include <endian.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "board/layout.h"
#include "boot/acpi.h"
#include "boot/order.h"

/* A ROM ends at 4 GiB, and its copy at 1 MiB. */
#define ROM_MIN (64U << 10)
#define ROM_MAX (256U << 10)
#define ROM_UNIT (64U << 10)
/* The far jump at the reset vector. */
#define RESET_VECTOR 16
#define JUMP_FAR 0xea

/* For the console of a machine without a display; times are in milliseconds. */
#define FILE_CONSOLE "etc/sercon-port"
#define FILE_RETRY "etc/boot-fail-wait"
#define RETRY_NEVER UINT32_MAX
/* Of each sleep state, SLP_TYP and whether there is one. */
#define FILE_SLEEP "etc/system-states"
#define SLEEP_STATES 6
#define SLEEP_EXISTS 0x80

/* The option ROM of virtio's network cards, by vendor and device. */
#define FILE_NET_ROM "pci1af4,1041.rom"
#define NET_ROM "/usr/lib/ipxe/qemu/pxe-virtio.rom"

/* Where distributions install it; the first one is Debian's. */
static const char *const places[] = {
	"/usr/share/seabios/bios-256k.bin",
	"/usr/share/qemu/bios-256k.bin",
};

/* A machine that starts again finds it in the store: files are out of reach then. */
static int find(const struct image_store *store, const char **path,
		struct boot_error *error)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		*path = places[i];
		if (image_find(store, *path) || !access(*path, R_OK))
			return 0;
	}
	return boot_error_set(error, -ENOENT,
			      "%s: %s; without --kernel a machine starts from "
			      "SeaBIOS: apt install seabios, or name another "
			      "BIOS by --firmware",
			      places[0], strerror(ENOENT));
}

static bool is_rom(const struct image *image)
{
	const uint8_t *vector;

	if (image->size < ROM_MIN || image->size > ROM_MAX ||
	    image->size % ROM_UNIT)
		return false;
	vector = image_at(image, image->size - RESET_VECTOR, RESET_VECTOR);
	return *vector == JUMP_FAR;
}

int seabios_rom(const char *path, struct image_store *store,
		struct boot_entry *entry, struct boot_error *error)
{
	const struct image *rom;
	int ret = path ? 0 : find(store, &path, error);

	if (!ret)
		ret = image_get_held(store, path, &rom, error);
	if (ret)
		return ret;
	if (!is_rom(rom))
		return boot_error_set(
			error, -ENOEXEC,
			"%s: no BIOS of 64 to 256 KiB that starts "
			"at its reset vector, such as SeaBIOS",
			path);
	*entry = (struct boot_entry){
		.rom = rom->data,
		.rom_size = rom->size,
	};
	return 0;
}

int seabios_load(const struct ram *ram, const char *path,
		 struct image_store *store, struct boot_entry *entry,
		 struct boot_error *error)
{
	int ret = seabios_rom(path, store, entry, error);

	if (ret)
		return ret;
	if (ram_low(ram) < SEABIOS_MIN_MEMORY)
		return boot_error_set(error, -ENOSPC,
				      "%s: needs %s of memory; see --memory",
				      path ? path : "SeaBIOS",
				      boot_size(SEABIOS_MIN_MEMORY).text);
	memcpy(ram_write_at(ram, BIOS_AREA_END - entry->rom_size,
			    entry->rom_size),
	       entry->rom, entry->rom_size);
	return 0;
}

/**
 * struct file - a file of a fixed size
 */
struct file {
	const char *name;
	const void *data;
	size_t size;
};

int seabios_describe(const struct ram *ram, const struct dsdt_parts *parts,
		     int (*add)(void *opaque, const char *name,
				const void *data, size_t size),
		     void *opaque, struct boot_error *error)
{
	static const uint8_t sleep[SLEEP_STATES] = {
		[0] = SLEEP_EXISTS,
		[3] = SLEEP_EXISTS | PM_SLP_TYP_S3,
		[5] = SLEEP_EXISTS | PM_SLP_TYP_S5,
	};
	const uint64_t console = htole64(SERIAL_COM1);
	const uint32_t retry = htole32(RETRY_NEVER);
	struct acpi_files acpi;
	int ret = acpi_files_make(&acpi, ram, parts, error);

	if (ret)
		return ret;
	const struct file files[] = {
		{ ACPI_FILE_RSDP, acpi.rsdp, acpi.rsdp_size },
		{ ACPI_FILE_TABLES, acpi.tables, acpi.tables_size },
		{ LINKER_FILE, acpi.linker.commands,
		  acpi.linker.count * sizeof(acpi.linker.commands[0]) },
		{ FILE_CONSOLE, &console, sizeof(console) },
		{ FILE_RETRY, &retry, sizeof(retry) },
		{ FILE_SLEEP, sleep, sizeof(sleep) },
	};

	for (size_t i = 0; !ret && i < sizeof(files) / sizeof(files[0]); i++) {
		ret = add(opaque, files[i].name, files[i].data, files[i].size);
		if (ret)
			boot_error_set(error, ret, "%s: %s", files[i].name,
				       strerror(-ret));
	}
	acpi_files_free(&acpi);
	return ret;
}

static int add_order(const struct device_boot *list, size_t count,
		     int (*add)(void *opaque, const char *name,
				const void *data, size_t size),
		     void *opaque)
{
	size_t size;
	char *text = boot_order_text(list, count, &size);
	int ret = text ? add(opaque, BOOT_ORDER_FILE, text, size) : -ENOMEM;

	free(text);
	return ret;
}

static int add_rom(const char *path,
		   int (*add)(void *opaque, const char *name, const void *data,
			      size_t size),
		   void *opaque, struct boot_error *error)
{
	struct image rom;
	int ret = image_open(&rom, path, error);

	if (ret)
		return ret;
	ret = image_hold(&rom, error);
	if (!ret) {
		ret = add(opaque, FILE_NET_ROM, rom.data, rom.size);
		if (ret)
			boot_error_set(error, ret, "%s: %s", path,
				       strerror(-ret));
	}
	image_close(&rom);
	return ret;
}

/* Return: 0, or -errno as seabios_describe_boot(). */
static int add_net_rom(const struct device_boot *list, size_t count,
		       int (*add)(void *opaque, const char *name,
				  const void *data, size_t size),
		       void *opaque, struct boot_error *error)
{
	bool has_net = false, wants_net = false;

	for (size_t i = 0; i < count; i++) {
		bool net = list[i].class == BOOT_NETWORK;

		has_net |= net;
		wants_net |= net && list[i].index != BOOT_NO_INDEX;
	}
	if (!has_net)
		return 0;
	if (!access(NET_ROM, R_OK))
		return add_rom(NET_ROM, add, opaque, error);
	if (!wants_net)
		return 0;
	return boot_error_set(error, -ENOENT,
			      "%s: %s; it starts machines from a network: apt "
			      "install ipxe-qemu, or leave bootindex out",
			      NET_ROM, strerror(ENOENT));
}

int seabios_describe_boot(struct device_boot *list, size_t count,
			  int (*add)(void *opaque, const char *name,
				     const void *data, size_t size),
			  void *opaque, struct boot_error *error)
{
	int ret = add_net_rom(list, count, add, opaque, error);

	if (ret)
		return ret;
	boot_order_sort(list, count);
	ret = add_order(list, count, add, opaque);
	return ret ? boot_error_set(error, ret, "%s: %s", BOOT_ORDER_FILE,
				    strerror(-ret)) :
		     0;
}
