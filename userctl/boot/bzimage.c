// SPDX-License-Identifier: GPL-2.0
/*
 * Linux bzImage.
 *
 * The setup header is copied once.  Fields that the kernel's protocol version lacks
 * get the protocol's default, so that the rest of the code need not look at the
 * version.  The header is not trusted: each field may have any value.
 */
#include "boot/bzimage.h"

#include <asm/bootparam.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "boot/acpi.h"
#include "boot/bios.h"
#include "board/e820.h"

#define SECTOR 512
#define HEADER_OFFSET offsetof(struct boot_params, hdr)
#define HEADER_MAGIC 0x53726448 /* "HdrS" */
#define BOOT_FLAG 0xaa55
/* This byte gives the end of the header, counted from HEADER_JUMP_END. */
#define HEADER_JUMP 0x201
#define HEADER_JUMP_END 0x202

#define DEFAULT_SECTS 4
#define DEFAULT_LOAD 0x100000
#define DEFAULT_INITRD 0x37ffffff
#define DEFAULT_CMDLINE 255
/* Without init_size, a kernel is assumed to unpack to this multiple of its size. */
#define DEFAULT_UNPACK 3

#define LOADER_UNKNOWN 0xff
#define VID_MODE_NORMAL 0xffff
#define ENTRY_64 0x200

/* The zero page and the command line lie above this address. */
#define PARAMS_MIN 0x10000
#define PAGE 4096

/**
 * struct bzimage - a kernel while it is loaded
 * @image: its file
 * @header: its setup header, all fields valid
 * @code: where the protected-mode part begins in the file
 * @code_size: its size in the file
 * @load: guest physical address of @code
 */
struct bzimage {
	const struct image *image;
	struct setup_header header;
	uint64_t code;
	uint64_t code_size;
	uint64_t load;
};

bool bzimage_probe(const struct image *image)
{
	struct setup_header header;

	return !image_read(image, HEADER_OFFSET, &header,
			   offsetof(struct setup_header, version)) &&
	       header.boot_flag == BOOT_FLAG && header.header == HEADER_MAGIC;
}

/*
 * Sets fields that are newer than the kernel's version to their defaults, and
 * those that a loader need not use to neutral values.
 */
static void bzimage_defaults(struct setup_header *header)
{
	header->ramdisk_image = 0;
	header->ramdisk_size = 0;
	header->setup_data = 0;
	if (!header->setup_sects)
		header->setup_sects = DEFAULT_SECTS;
	if (header->version < 0x0203)
		header->initrd_addr_max = DEFAULT_INITRD;
	if (header->version < 0x0205)
		header->relocatable_kernel = 0;
	if (header->version < 0x0206)
		header->cmdline_size = DEFAULT_CMDLINE;
	if (header->version < 0x020a) {
		header->pref_address = DEFAULT_LOAD;
		header->init_size = 0;
	}
	if (header->version < 0x020c)
		header->xloadflags = 0;
}

static int bzimage_header(struct bzimage *kernel, struct boot_error *error)
{
	const struct image *image = kernel->image;
	struct setup_header *header = &kernel->header;
	uint8_t jump;
	size_t size;
	int ret = image_load(image, HEADER_JUMP, &jump, sizeof(jump), error);

	if (ret)
		return ret;
	size = HEADER_JUMP_END + jump - HEADER_OFFSET;
	if (HEADER_OFFSET + size > image->size)
		return boot_error_set(error, -EINVAL,
				      "%s: truncated within the setup header",
				      image->path);
	memset(header, 0, sizeof(*header));
	ret = image_load(image, HEADER_OFFSET, header,
			 size < sizeof(*header) ? size : sizeof(*header),
			 error);
	if (ret)
		return ret;
	if (header->version < 0x0202)
		return boot_error_set(
			error, -ENOEXEC,
			"%s: boot protocol %u.%02u is older than 2.02",
			image->path, header->version >> 8,
			header->version & 0xff);
	if (!(header->loadflags & LOADED_HIGH))
		return boot_error_set(
			error, -ENOEXEC,
			"%s: a zImage, which wants to be loaded low",
			image->path);
	bzimage_defaults(header);
	if (header->relocatable_kernel &&
	    (!header->kernel_alignment ||
	     header->kernel_alignment & (header->kernel_alignment - 1)))
		return boot_error_set(
			error, -EINVAL,
			"%s: kernel_alignment %#x is no power of two",
			image->path, header->kernel_alignment);
	return 0;
}

/*
 * Finds the protected-mode part.  syssize counts paragraphs of 16 bytes; the file
 * may end within the last one, or go on behind it, for example with a signature.
 */
static int bzimage_code(struct bzimage *kernel, struct boot_error *error)
{
	const struct image *image = kernel->image;
	uint64_t offset = (kernel->header.setup_sects + 1ULL) * SECTOR;
	uint64_t wanted = kernel->header.syssize * 16ULL;
	uint64_t rest;

	if (offset >= image->size)
		return boot_error_set(
			error, -EINVAL,
			"%s: truncated before the end of its setup code",
			image->path);
	rest = image->size - offset;
	/* Before 2.04 the field has 16 bits, too few for most kernels: do not use it. */
	if (kernel->header.version < 0x0204)
		wanted = rest;
	if (wanted > rest + 15)
		return boot_error_set(
			error, -EINVAL,
			"%s: truncated: %llu bytes of the kernel are missing",
			image->path, (unsigned long long)(wanted - rest));
	kernel->code_size = wanted < rest ? wanted : rest;
	if (kernel->code_size <= ENTRY_64)
		return boot_error_set(error, -EINVAL,
				      "%s: its kernel has only %llu bytes",
				      image->path,
				      (unsigned long long)kernel->code_size);
	kernel->code = offset;
	return 0;
}

/* Return: the bytes that the kernel uses before it reads the memory map. */
static uint64_t bzimage_room(const struct bzimage *kernel)
{
	uint64_t room = kernel->header.init_size;

	if (!room)
		room = kernel->code_size * DEFAULT_UNPACK;
	return room > kernel->code_size ? room : kernel->code_size;
}

/* Loads the kernel at its preferred address, or else at the lowest it accepts. */
static int bzimage_place(struct bzimage *kernel, struct place *place,
			 struct boot_error *error)
{
	const struct setup_header *header = &kernel->header;
	uint64_t room = bzimage_room(kernel);
	int ret = -ENOSPC;
	void *at;

	kernel->load = header->pref_address;
	if (kernel->load < RAM_HOLE_START)
		ret = place_claim(place, kernel->load, room, &at);
	if (ret && header->relocatable_kernel)
		ret = place_find(place, room, header->kernel_alignment,
				 BIOS_AREA_END, RAM_HOLE_START, PLACE_LOWEST,
				 &kernel->load, &at);
	if (ret)
		return boot_error_set(
			error, -ENOSPC,
			"%s: does not fit in %s of RAM (needs %s at %#llx); --memory gives more",
			kernel->image->path,
			boot_size(ram_low(place->ram)).text,
			boot_size(room).text,
			(unsigned long long)header->pref_address);
	return image_load(kernel->image, kernel->code, at, kernel->code_size,
			  error);
}

static int bzimage_initrd(struct bzimage *kernel, struct place *place,
			  const struct image *initrd, struct boot_error *error)
{
	uint64_t max = kernel->header.initrd_addr_max + 1ULL;
	uint64_t gpa;
	void *at;

	if (max > ram_low(place->ram))
		max = ram_low(place->ram);
	if (place_find(place, initrd->size, PAGE, BIOS_AREA_END, max,
		       PLACE_HIGHEST, &gpa, &at))
		return boot_error_set(
			error, -ENOSPC,
			"%s: does not fit below %s (needs %s); --memory gives more",
			initrd->path, boot_size(max).text,
			boot_size(initrd->size).text);
	kernel->header.ramdisk_image = gpa;
	kernel->header.ramdisk_size = initrd->size;
	return image_load(initrd, 0, at, initrd->size, error);
}

static int bzimage_cmdline(struct bzimage *kernel, struct place *place,
			   const char *append, struct boot_error *error)
{
	size_t length = strlen(append);
	uint64_t gpa;
	void *at;

	if (length > kernel->header.cmdline_size)
		return boot_error_set(
			error, -E2BIG,
			"%s: takes a command line of %u bytes, not of %zu",
			kernel->image->path, kernel->header.cmdline_size,
			length);
	if (place_find(place, length + 1, 16, PARAMS_MIN, RAM_HOLE_START,
		       PLACE_LOWEST, &gpa, &at))
		return boot_error_set(error, -ENOSPC,
				      "%s: no room for the command line",
				      kernel->image->path);
	memcpy(at, append, length + 1);
	kernel->header.cmd_line_ptr = gpa;
	return 0;
}

/* Writes the zero page, when all other fields of the header are set. */
static int bzimage_params(struct bzimage *kernel, struct place *place,
			  uint64_t *gpa, struct boot_error *error)
{
	struct setup_header *header = &kernel->header;
	struct e820_entry map[E820_MAX];
	struct boot_params *params;
	void *at;

	if (place_find(place, sizeof(*params), PAGE, PARAMS_MIN, RAM_HOLE_START,
		       PLACE_LOWEST, gpa, &at))
		return boot_error_set(error, -ENOSPC,
				      "%s: no room for its parameters",
				      kernel->image->path);
	header->type_of_loader = LOADER_UNKNOWN;
	header->loadflags &= ~(CAN_USE_HEAP | KEEP_SEGMENTS);
	header->vid_mode = VID_MODE_NORMAL;
	header->code32_start = kernel->load;

	params = at;
	memset(params, 0, sizeof(*params));
	params->hdr = *header;
	params->acpi_rsdp_addr = ACPI_RSDP;
	params->alt_mem_k = (ram_low(place->ram) - BIOS_AREA_END) >> 10;
	params->e820_entries = e820_build(place->ram, map);
	memcpy(params->e820_table, map, params->e820_entries * sizeof(*map));
	return 0;
}

static void bzimage_enter(const struct bzimage *kernel, const struct ram *ram,
			  uint64_t params, struct boot_entry *entry)
{
	if (kernel->header.xloadflags & XLF_KERNEL_64)
		entry_long(ram, entry, kernel->load + ENTRY_64);
	else
		entry_protected(ram, entry, kernel->load, ENTRY_CS);
	entry->regs.general.gpr[LODGE_RSI] = params;
}

int bzimage_load(struct place *place, const struct image *image,
		 const struct image *initrd, const char *append,
		 struct boot_entry *entry, struct boot_error *error)
{
	struct bzimage kernel = { .image = image };
	uint64_t params;
	int ret;

	ret = bzimage_header(&kernel, error);
	if (!ret)
		ret = bzimage_code(&kernel, error);
	if (!ret)
		ret = bzimage_place(&kernel, place, error);
	if (!ret && initrd)
		ret = bzimage_initrd(&kernel, place, initrd, error);
	if (!ret)
		ret = bzimage_cmdline(&kernel, place, append, error);
	if (!ret)
		ret = bzimage_params(&kernel, place, &params, error);
	if (!ret)
		bzimage_enter(&kernel, place->ram, params, entry);
	return ret;
}
