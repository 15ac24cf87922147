// SPDX-License-Identifier: GPL-2.0
/*
 * Multiboot images.
 */
#include "boot/multiboot.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot/bios.h"
#include "board/e820.h"
#include "boot/elf.h"
#include "boot/modules.h"

#define SEARCH 8192
#define HEADER_MAGIC 0x1badb002
#define BOOT_MAGIC 0x2badb002
#define MB2_SEARCH 32768
#define MB2_MAGIC 0xe85250d6

/*
 * The image's requests.  A loader must refuse unknown ones in the low half (section
 * 3.1.2).
 */
#define WANT_ALIGNED (1U << 0)
#define WANT_MEMORY (1U << 1)
#define WANT_VIDEO (1U << 2)
#define WANT_MASK 0xffffU
#define HAS_ADDRESSES (1U << 16)

/* Valid parts of the information. */
#define INFO_MEMORY (1U << 0)
#define INFO_CMDLINE (1U << 2)
#define INFO_MODULES (1U << 3)
#define INFO_MEMORY_MAP (1U << 6)
#define INFO_LOADER (1U << 9)

#define LOADER_NAME "Lodge"
/* The specification leaves the selector open; this is that of other loaders. */
#define MULTIBOOT_CS 0x08
/* The information lies above this address. */
#define INFO_MIN 0x10000

struct mb_header {
	uint32_t magic;
	uint32_t flags;
	uint32_t checksum;
	/* The following fields are valid with HAS_ADDRESSES only. */
	uint32_t header_addr;
	uint32_t load_addr;
	uint32_t load_end_addr;
	uint32_t bss_end_addr;
	uint32_t entry_addr;
};

#define HEADER_SHORT offsetof(struct mb_header, header_addr)

struct mb_info {
	uint32_t flags;
	uint32_t mem_lower;
	uint32_t mem_upper;
	uint32_t boot_device;
	uint32_t cmdline;
	uint32_t mods_count;
	uint32_t mods_addr;
	uint32_t syms[4];
	uint32_t mmap_length;
	uint32_t mmap_addr;
	uint32_t drives_length;
	uint32_t drives_addr;
	uint32_t config_table;
	uint32_t boot_loader_name;
	uint32_t apm_table;
};

struct mb_module {
	uint32_t start;
	uint32_t end;
	uint32_t string;
	uint32_t reserved;
};

/* @size does not count itself. */
struct mb_memory {
	uint32_t size;
	struct e820_entry entry;
};

/**
 * struct mb_program - a loaded image
 * @entry: address of its first instruction
 * @end: end of its BSS
 */
struct mb_program {
	uint64_t entry;
	uint64_t end;
};

/* Finds the header; the fields that the file does not have become zero. */
static bool multiboot_header(const struct image *image,
			     struct mb_header *header, size_t *offset)
{
	size_t rest, end = image->size < SEARCH ? image->size : SEARCH;
	const char *data = image->data;

	for (*offset = 0; *offset + HEADER_SHORT <= end; *offset += 4) {
		memset(header, 0, sizeof(*header));
		rest = image->size - *offset;
		memcpy(header, data + *offset,
		       rest < sizeof(*header) ? rest : sizeof(*header));
		if (header->magic == HEADER_MAGIC &&
		    header->magic + header->flags + header->checksum == 0)
			return true;
	}
	return false;
}

bool multiboot_probe(const struct image *image)
{
	struct mb_header header;
	size_t offset;

	return multiboot_header(image, &header, &offset);
}

bool multiboot2_probe(const struct image *image)
{
	const size_t end = image->size < MB2_SEARCH ? image->size : MB2_SEARCH;
	uint32_t words[4];

	for (size_t at = 0; at + sizeof(words) <= end; at += 8) {
		memcpy(words, (const char *)image->data + at, sizeof(words));
		if (words[0] == MB2_MAGIC &&
		    words[0] + words[1] + words[2] + words[3] == 0)
			return true;
	}
	return false;
}

/* Loads an image by the addresses in its header, which is at @offset of the file. */
static int multiboot_flat(struct place *place, const struct image *image,
			  const struct mb_header *header, size_t offset,
			  struct mb_program *program, struct boot_error *error)
{
	uint64_t from, size, room;
	const void *data;
	int ret;

	if (header->header_addr < header->load_addr ||
	    header->header_addr - header->load_addr > offset)
		return boot_error_set(
			error, -EINVAL,
			"%s: multiboot load_addr %#x is before the file's start or behind the header",
			image->path, header->load_addr);
	from = offset - (header->header_addr - header->load_addr);
	size = image->size - from;
	if (header->load_end_addr) {
		if (header->load_end_addr <= header->load_addr)
			return boot_error_set(
				error, -EINVAL,
				"%s: multiboot load_end_addr %#x is not above load_addr",
				image->path, header->load_end_addr);
		size = header->load_end_addr - header->load_addr;
	}
	data = image_at(image, from, size);
	if (!data)
		return boot_error_set(
			error, -EINVAL,
			"%s: truncated: multiboot load_end_addr %#x is beyond the file",
			image->path, header->load_end_addr);
	room = size;
	if (header->bss_end_addr) {
		room = (uint64_t)header->bss_end_addr - header->load_addr;
		if (header->bss_end_addr < header->load_addr || room < size)
			return boot_error_set(
				error, -EINVAL,
				"%s: multiboot bss_end_addr %#x is below the data's end",
				image->path, header->bss_end_addr);
	}
	ret = place_put(place, header->load_addr, data, size, room);
	if (ret)
		return boot_error_set(error, -ENOSPC,
				      "%s: the image (%s at %#x) %s",
				      image->path, boot_size(room).text,
				      header->load_addr, place_reason(ret));
	program->entry = header->entry_addr;
	program->end = header->load_addr + room;
	return 0;
}

static int multiboot_elf(struct place *place, const struct image *image,
			 struct mb_program *program, struct boot_error *error)
{
	struct elf_program elf;
	int ret;

	if (!elf_probe(image))
		return boot_error_set(
			error, -ENOEXEC,
			"%s: a multiboot header without addresses, and not ELF",
			image->path);
	ret = elf_load(place, image, &elf, error);
	if (ret)
		return ret;
	if (elf.entry > UINT32_MAX)
		return boot_error_set(error, -EINVAL,
				      "%s: entry point %#llx is beyond 4 GiB",
				      image->path,
				      (unsigned long long)elf.entry);
	program->entry = elf.entry;
	program->end = elf.end;
	return 0;
}

/* A loader may ignore requests in the upper half, and for a video mode. */
static void multiboot_warn(const struct image *image,
			   const struct mb_header *header,
			   struct boot_error *error)
{
	uint32_t unknown = header->flags & ~(WANT_MASK | HAS_ADDRESSES);

	if (header->flags & WANT_VIDEO)
		boot_warn(error,
			  "%s: wants a video mode, and there is no display",
			  image->path);
	if (unknown)
		boot_warn(error,
			  "%s: unknown flags %#x of the multiboot header "
			  "are passed over",
			  image->path, unknown);
}

static int multiboot_program(struct place *place, const struct image *image,
			     struct mb_program *program,
			     struct boot_error *error)
{
	struct mb_header header;
	size_t offset;

	if (!multiboot_header(image, &header, &offset))
		return boot_error_set(error, -ENOEXEC,
				      "%s: no multiboot header", image->path);
	multiboot_warn(image, &header, error);
	if (header.flags & WANT_MASK &
	    ~(WANT_ALIGNED | WANT_MEMORY | WANT_VIDEO))
		return boot_error_set(
			error, -ENOEXEC,
			"%s: the multiboot header wants unknown features (flags %#x)",
			image->path, header.flags);
	if (!(header.flags & HAS_ADDRESSES))
		return multiboot_elf(place, image, program, error);
	if (!image_at(image, offset, sizeof(header)))
		return boot_error_set(
			error, -EINVAL,
			"%s: truncated within the multiboot header",
			image->path);
	return multiboot_flat(place, image, &header, offset, program, error);
}

/* Joins the image's name and its arguments; to be freed. */
static char *multiboot_cmdline(const struct image *image, const char *append)
{
	char *cmdline;

	if (asprintf(&cmdline, "%s%s%s", image->path, *append ? " " : "",
		     append) < 0)
		return NULL;
	return cmdline;
}

static void multiboot_memory(struct mb_info *info, struct mb_memory *memory,
			     const struct ram *ram)
{
	struct e820_entry map[E820_MAX];
	unsigned int count = e820_build(ram, map);
	unsigned int i;

	for (i = 0; i < count; i++) {
		memory[i].size = sizeof(memory[i].entry);
		memory[i].entry = map[i];
	}
	info->mmap_length = count * sizeof(*memory);
	info->mem_lower = BIOS_EBDA >> 10;
	info->mem_upper = (ram_low(ram) - BIOS_AREA_END) >> 10;
	info->flags |= INFO_MEMORY | INFO_MEMORY_MAP;
}

/*
 * Writes the information and its parts as one block: the fixed part, the
 * memory map, the modules, and then the texts.
 */
static int multiboot_info(struct place *place, const struct modules *modules,
			  const char *cmdline, uint64_t *gpa)
{
	const size_t map = sizeof(struct mb_info);
	const size_t mods = map + E820_MAX * sizeof(struct mb_memory);
	const size_t name = mods + modules->count * sizeof(struct mb_module);
	const size_t line = name + sizeof(LOADER_NAME);
	const size_t text = line + strlen(cmdline) + 1;
	const size_t size = text + modules->text_size;
	struct mb_module *module;
	struct mb_info *info;
	unsigned int i;
	void *at;
	int ret;

	ret = place_find(place, size, sizeof(uint64_t), INFO_MIN,
			 RAM_HOLE_START, PLACE_LOWEST, gpa, &at);
	if (ret)
		return ret;
	memset(at, 0, size);
	info = at;
	info->flags = INFO_CMDLINE | INFO_MODULES | INFO_LOADER;
	info->cmdline = *gpa + line;
	info->mods_count = modules->count;
	info->mods_addr = *gpa + mods;
	info->mmap_addr = *gpa + map;
	info->boot_loader_name = *gpa + name;
	multiboot_memory(info, (void *)((char *)at + map), place->ram);

	module = (void *)((char *)at + mods);
	for (i = 0; i < modules->count; i++) {
		module[i].start = modules->module[i].start;
		module[i].end = modules->module[i].end;
		module[i].string = *gpa + text + modules->module[i].line;
	}
	memcpy((char *)at + name, LOADER_NAME, sizeof(LOADER_NAME));
	memcpy((char *)at + line, cmdline, strlen(cmdline) + 1);
	if (modules->text_size)
		memcpy((char *)at + text, modules->text, modules->text_size);
	return 0;
}

int multiboot_load(struct place *place, const struct image *image,
		   const char *modules, struct image_store *store,
		   const char *append, struct boot_entry *entry,
		   struct boot_error *error)
{
	struct mb_program program = { 0 };
	struct modules loaded;
	uint64_t info;
	char *cmdline;
	int ret;

	ret = multiboot_program(place, image, &program, error);
	if (ret)
		return ret;
	cmdline = multiboot_cmdline(image, append);
	if (!cmdline)
		return boot_error_set(error, -ENOMEM, "out of memory");
	if (program.end < BIOS_AREA_END)
		program.end = BIOS_AREA_END;
	ret = modules_load(&loaded, modules, store, place, program.end, error);
	if (!ret && multiboot_info(place, &loaded, cmdline, &info))
		ret = boot_error_set(error, -ENOSPC,
				     "%s: no room for the command line",
				     image->path);
	if (!ret) {
		entry_protected(place->ram, entry, program.entry, MULTIBOOT_CS);
		entry->regs.general.gpr[LODGE_RAX] = BOOT_MAGIC;
		entry->regs.general.gpr[LODGE_RBX] = info;
	}
	modules_free(&loaded);
	free(cmdline);
	return ret;
}
