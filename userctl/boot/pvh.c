// SPDX-License-Identifier: GPL-2.0
/*
 * The PVH protocol.
 */
#include "boot/pvh.h"

#include <errno.h>
#include <string.h>

#include "boot/acpi.h"
#include "boot/bios.h"
#include "board/e820.h"
#include "boot/elf.h"

#define PVH_MAGIC 0x336ec578
#define PVH_VERSION 1

/* The start info lies above this address. */
#define INFO_MIN 0x10000
#define PAGE 4096

struct pvh_module {
	uint64_t address;
	uint64_t size;
	uint64_t cmdline;
	uint64_t reserved;
};

struct pvh_memory {
	uint64_t address;
	uint64_t size;
	uint32_t type;
	uint32_t reserved;
};

/**
 * struct pvh_info - struct hvm_start_info, followed by all it points to
 *
 * The types of @memory are E820's.
 */
struct pvh_info {
	uint32_t magic;
	uint32_t version;
	uint32_t flags;
	uint32_t nr_modules;
	uint64_t module_list;
	uint64_t cmdline;
	uint64_t rsdp;
	uint64_t memory_map;
	uint32_t memory_entries;
	uint32_t reserved;

	struct pvh_module module;
	struct pvh_memory memory[E820_MAX];
	char text[];
};

static int pvh_initrd(struct place *place, const struct image *initrd,
		      struct pvh_module *module, struct boot_error *error)
{
	void *at;

	if (place_find(place, initrd->size, PAGE, BIOS_AREA_END, RAM_HOLE_START,
		       PLACE_HIGHEST, &module->address, &at))
		return boot_error_set(
			error, -ENOSPC,
			"%s: does not fit below %s (needs %s); --memory gives more",
			initrd->path, boot_size(ram_low(place->ram)).text,
			boot_size(initrd->size).text);
	module->size = initrd->size;
	return image_load(initrd, 0, at, initrd->size, error);
}

static void pvh_memory_map(struct pvh_info *info, const struct ram *ram)
{
	struct e820_entry map[E820_MAX];
	unsigned int i;

	info->memory_entries = e820_build(ram, map);
	for (i = 0; i < info->memory_entries; i++)
		info->memory[i] = (struct pvh_memory){
			.address = map[i].addr,
			.size = map[i].size,
			.type = map[i].type,
		};
}

/* Writes the start info, with @module unless its size is 0. */
static int pvh_info(struct place *place, const struct pvh_module *module,
		    const char *append, uint64_t *gpa)
{
	size_t length = strlen(append) + 1;
	struct pvh_info *info;
	void *at;
	int ret;

	ret = place_find(place, sizeof(*info) + length, sizeof(uint64_t),
			 INFO_MIN, RAM_HOLE_START, PLACE_LOWEST, gpa, &at);
	if (ret)
		return ret;
	info = at;
	memset(info, 0, sizeof(*info));
	info->magic = PVH_MAGIC;
	info->version = PVH_VERSION;
	info->cmdline = *gpa + offsetof(struct pvh_info, text);
	info->rsdp = ACPI_RSDP;
	info->memory_map = *gpa + offsetof(struct pvh_info, memory);
	pvh_memory_map(info, place->ram);
	if (module->size) {
		info->nr_modules = 1;
		info->module_list = *gpa + offsetof(struct pvh_info, module);
		info->module = *module;
	}
	memcpy(info->text, append, length);
	return 0;
}

int pvh_load(struct place *place, const struct image *image,
	     const struct image *initrd, const char *append,
	     struct boot_entry *entry, struct boot_error *error)
{
	struct pvh_module module = { 0 };
	struct elf_program program;
	uint64_t info;
	int ret;

	ret = elf_load(place, image, &program, error);
	if (ret)
		return ret;
	if (!program.pvh)
		return boot_error_set(
			error, -ENOEXEC,
			"%s: ELF, but with neither a PVH note nor a multiboot header; of Linux take the bzImage, or build it with CONFIG_PVH",
			image->path);
	if (program.pvh_entry > UINT32_MAX)
		return boot_error_set(error, -EINVAL,
				      "%s: PVH entry %#llx is beyond 4 GiB",
				      image->path,
				      (unsigned long long)program.pvh_entry);
	if (initrd) {
		ret = pvh_initrd(place, initrd, &module, error);
		if (ret)
			return ret;
	}
	if (pvh_info(place, &module, append, &info))
		return boot_error_set(error, -ENOSPC,
				      "%s: no room for the command line",
				      image->path);

	entry_protected(place->ram, entry, program.pvh_entry, ENTRY_CS);
	entry->regs.general.gpr[LODGE_RBX] = info;
	return 0;
}
