// SPDX-License-Identifier: GPL-2.0
/*
 * ELF executables.
 *
 * libelf reads the headers; their values are checked here against the file and
 * against guest memory.
 */
#include "boot/elf.h"

#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <string.h>

#define FOUR_GIB 0x100000000ULL
#define XEN_NOTE_NAME "Xen"
/* XEN_ELFNOTE_PHYS32_ENTRY */
#define XEN_NOTE_ENTRY 18

/**
 * struct elf_file - an ELF file while it is loaded
 * @image: the file
 * @place: guest memory
 * @elf: libelf's handle
 * @header: its file header
 * @program: the result
 * @segments: loaded so far
 * @notes: bytes of the notes seen so far
 * @error: the reason of a failure
 */
struct elf_file {
	const struct image *image;
	struct place *place;
	Elf *elf;
	GElf_Ehdr header;
	struct elf_program *program;
	unsigned int segments;
	uint64_t notes;
	struct boot_error *error;
};

bool elf_probe(const struct image *image)
{
	const char *ident = image_at(image, 0, SELFMAG);

	return ident && !memcmp(ident, ELFMAG, SELFMAG);
}

static int elf_header(struct elf_file *file)
{
	const GElf_Ehdr *header = gelf_getehdr(file->elf, &file->header);

	if (!header)
		return boot_error_set(file->error, -EINVAL,
				      "%s: truncated or damaged ELF header",
				      file->image->path);
	if (header->e_ident[EI_DATA] != ELFDATA2LSB ||
	    (header->e_machine != EM_386 && header->e_machine != EM_X86_64))
		return boot_error_set(file->error, -ENOEXEC,
				      "%s: ELF, but not for x86",
				      file->image->path);
	if (header->e_type != ET_EXEC)
		return boot_error_set(
			file->error, -ENOEXEC,
			"%s: ELF, but not linked to fixed addresses; link it with -no-pie",
			file->image->path);
	return 0;
}

/*
 * True if a segment has only the file's headers.  Linkers add such a segment before
 * the code unless told otherwise, and programs do not use it.
 */
static bool elf_only_headers(const struct elf_file *file,
			     const GElf_Phdr *segment)
{
	uint64_t end = file->header.e_phoff + (uint64_t)file->header.e_phnum *
						      file->header.e_phentsize;

	return !segment->p_offset && segment->p_filesz <= end &&
	       segment->p_memsz == segment->p_filesz;
}

static int elf_segment(struct elf_file *file, int index,
		       const GElf_Phdr *segment)
{
	struct elf_program *program = file->program;
	const char *path = file->image->path;
	const void *from;
	uint64_t end;
	int ret;

	if (!segment->p_memsz)
		return 0;
	from = image_at(file->image, segment->p_offset, segment->p_filesz);
	if (!from)
		return boot_error_set(
			file->error, -EINVAL,
			"%s: truncated: segment %d ends beyond the file", path,
			index);
	if (segment->p_filesz > segment->p_memsz)
		return boot_error_set(
			file->error, -EINVAL,
			"%s: segment %d is larger in the file than in memory",
			path, index);
	ret = place_put(file->place, segment->p_paddr, from, segment->p_filesz,
			segment->p_memsz);
	if (ret && elf_only_headers(file, segment))
		return 0;
	if (ret)
		return boot_error_set(file->error, -ENOSPC,
				      "%s: segment %d (%s at %#llx) %s", path,
				      index, boot_size(segment->p_memsz).text,
				      (unsigned long long)segment->p_paddr,
				      place_reason(ret));
	file->segments++;

	/* The segment is within RAM, so no sum overflows. */
	end = segment->p_paddr + segment->p_memsz;
	if (end <= FOUR_GIB && end > program->end)
		program->end = end;
	/* The entry point is a virtual address: translate it. */
	if (file->header.e_entry >= segment->p_vaddr &&
	    file->header.e_entry - segment->p_vaddr < segment->p_memsz)
		program->entry = file->header.e_entry - segment->p_vaddr +
				 segment->p_paddr;
	return 0;
}

/* Takes the entry point from a note, if it is the PVH note. */
static void elf_note(struct elf_file *file, const GElf_Nhdr *note,
		     const char *name, const void *desc)
{
	uint64_t entry64;
	uint32_t entry32;

	if (note->n_type != XEN_NOTE_ENTRY ||
	    note->n_namesz != sizeof(XEN_NOTE_NAME) ||
	    memcmp(name, XEN_NOTE_NAME, sizeof(XEN_NOTE_NAME)))
		return;
	if (note->n_descsz == sizeof(entry32)) {
		memcpy(&entry32, desc, sizeof(entry32));
		file->program->pvh_entry = entry32;
	} else if (note->n_descsz == sizeof(entry64)) {
		memcpy(&entry64, desc, sizeof(entry64));
		file->program->pvh_entry = entry64;
	} else {
		return;
	}
	file->program->pvh = true;
}

static void elf_notes_of(struct elf_file *file, const GElf_Phdr *segment,
			 Elf_Type type)
{
	size_t offset = 0, name, desc;
	GElf_Nhdr note;
	Elf_Data *data;

	data = elf_getdata_rawchunk(file->elf, segment->p_offset,
				    segment->p_filesz, type);
	while (data &&
	       (offset = gelf_getnote(data, offset, &note, &name, &desc)))
		elf_note(file, &note, (char *)data->d_buf + name,
			 (char *)data->d_buf + desc);
}

/*
 * Linkers put notes of both alignments into one segment with the larger alignment:
 * .note.gnu.property first, then the PVH note.  All sizes in .note.gnu.property are
 * multiples of eight, so the segment can be read with an alignment of four.
 */
static int elf_notes(struct elf_file *file, int index, const GElf_Phdr *segment)
{
	if (!image_at(file->image, segment->p_offset, segment->p_filesz))
		return boot_error_set(
			file->error, -EINVAL,
			"%s: truncated: notes of segment %d end beyond the file",
			file->image->path, index);
	/* This limits the work: thousands of segments could name the same bytes. */
	file->notes += segment->p_filesz;
	if (file->notes > file->image->size)
		return boot_error_set(
			file->error, -EINVAL,
			"%s: notes of segment %d overlap those of others",
			file->image->path, index);
	if (segment->p_align == 8)
		elf_notes_of(file, segment, ELF_T_NHDR8);
	if (!file->program->pvh)
		elf_notes_of(file, segment, ELF_T_NHDR);
	return 0;
}

static int elf_segments(struct elf_file *file)
{
	GElf_Phdr segment;
	int ret = 0;
	int i;

	for (i = 0; i < file->header.e_phnum && !ret; i++) {
		if (!gelf_getphdr(file->elf, i, &segment))
			return boot_error_set(
				file->error, -EINVAL,
				"%s: truncated within the program headers",
				file->image->path);
		if (segment.p_type == PT_LOAD)
			ret = elf_segment(file, i, &segment);
		else if (segment.p_type == PT_NOTE)
			ret = elf_notes(file, i, &segment);
	}
	if (!ret && !file->segments)
		ret = boot_error_set(file->error, -ENOEXEC,
				     "%s: ELF, but nothing in it to load",
				     file->image->path);
	return ret;
}

int elf_load(struct place *place, const struct image *image,
	     struct elf_program *program, struct boot_error *error)
{
	struct elf_file file = {
		.image = image,
		.place = place,
		.program = program,
		.error = error,
	};
	int ret;

	elf_version(EV_CURRENT);
	/* libelf does not write to the image, though the argument is not const. */
	file.elf = elf_memory((char *)image->data, image->size);
	if (!file.elf)
		return boot_error_set(error, -EINVAL, "%s: %s", image->path,
				      elf_errmsg(-1));
	memset(program, 0, sizeof(*program));
	ret = elf_header(&file);
	if (!ret) {
		program->entry = file.header.e_entry;
		ret = elf_segments(&file);
	}
	elf_end(file.elf);
	return ret;
}
