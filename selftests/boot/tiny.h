/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Images of a few instructions each (tiny.S).  Those for flat loading stand
 * at any address; each one first says `here` on the serial port.
 */
#ifndef LODGE_BOOT_TINY_H
#define LODGE_BOOT_TINY_H

/* struct image - an image as it would stand in a file */
struct image {
	const char *start;
	const char *end;
};

/* Power off by ACPI, in three modes of the processor. */
extern const struct image image_off_16, image_off_32, image_off_64;
/* Write 21 to isa-debug-exit. */
extern const struct image image_debug_exit;
/* Reset by ACPI's reset register, by the keyboard controller. */
extern const struct image image_reset_acpi, image_reset_i8042;
/* Reset by a jump into the BIOS (16 bits), by an INIT to itself (32 bits). */
extern const struct image image_reset_bios, image_reset_init;
/* Fault without an interrupt table. */
extern const struct image image_triple_fault;
/* Do nothing for ever. */
extern const struct image image_idle;
/* Write the first byte that is typed to isa-debug-exit. */
extern const struct image image_echo;
/* A multiboot ELF image: says its command line, then powers off. */
extern const struct image image_multiboot;

#endif
