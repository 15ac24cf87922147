// SPDX-License-Identifier: GPL-2.0
/*
 * A host that crashes while guests run: the kernel that is to save its memory
 * starts, finds it, and has a processor without virtualization.
 */
#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"
#include "runner.h"
#include "life.h"

#define TESTS 4
#define MODULE "/tests/life/lodge_life.ko"
#define DUMP "/proc/vmcore"

static int lead_to_crash(bool kvm)
{
	int error = kvm ? kvm_load() : 0;

	tell("TAP version 13\n1..%d", TESTS);
	if (error)
		tell("# KVM does not load: %d", error);
	error = error ? error : next_load(true);
	if (error)
		tell("# the kernel for a crash: %d", error);
	if (!tell_result(!error && guests_start() && on_first_processor(), 1,
			 "guests run where a crash has its kernel"))
		return 1;
	tell("@@leaves");
	host_write("/dev/kmsg", "lodge: the host leaves");
	/* This does not return. */
	error = module_insert(MODULE, "crash=1");
	tell("# no crash: %d", error);
	return 1;
}

/* The dump is a core file whose notes hold the registers of the processors. */
static bool dump_is_there(void)
{
	int fd = open(DUMP, O_RDONLY | O_CLOEXEC);
	Elf64_Ehdr header = {};
	Elf64_Phdr notes = {};
	Elf64_Nhdr note = {};
	bool found;

	found = pread(fd, &header, sizeof(header), 0) == sizeof(header) &&
		!memcmp(header.e_ident, ELFMAG, SELFMAG) &&
		header.e_type == ET_CORE &&
		pread(fd, &notes, sizeof(notes), header.e_phoff) ==
			sizeof(notes) &&
		notes.p_type == PT_NOTE &&
		pread(fd, &note, sizeof(note), notes.p_offset) ==
			sizeof(note) &&
		note.n_type == NT_PRSTATUS;
	close(fd);
	return found;
}

/* All of it: what is lost is mostly lost in the middle. */
static bool dump_can_be_read(void)
{
	static char block[1 << 16];
	int fd = open(DUMP, O_RDONLY | O_CLOEXEC);
	ssize_t size;

	do
		size = read(fd, block, sizeof(block));
	while (size > 0);
	close(fd);
	return !size;
}

static bool vm_can_be_made(void)
{
	struct machine machine;
	bool made = !machine_make(&machine, 1);

	machine_end(&machine);
	return made;
}

static int look_at_dump(void)
{
	bool passed;

	passed = tell_result(dump_is_there(), 2, "the crash has left a dump");
	passed &= tell_result(dump_can_be_read(), 3, "the dump can be saved");
	passed &= tell_result(vm_can_be_made(), 4,
			      "the crash has switched virtualization off");
	return !passed;
}

int crash(bool kvm)
{
	return getenv("captured") ? look_at_dump() : lead_to_crash(kvm);
}
