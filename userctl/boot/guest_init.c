// SPDX-License-Identifier: GPL-2.0
/*
 * The first process of a guest, as the build has made it: GUEST_INIT is its file.
 */
#include "boot/guest_init.h"

extern const char guest_init_start[], guest_init_end[];

__asm__(".pushsection .rodata\n"
	".balign 16\n"
	".globl guest_init_start, guest_init_end\n"
	"guest_init_start:\n"
	".incbin \"" GUEST_INIT "\"\n"
	"guest_init_end:\n"
	".popsection\n");

const void *guest_init(size_t *size)
{
	*size = guest_init_end - guest_init_start;
	return guest_init_start;
}
