/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The images of tiny.h.  All that an instruction needs is in itself, so that
 * it does not matter where an image is loaded.
 */
#define COM1 0x3f8
#define COM1_LINE_STATUS 0x3fd
#define DATA_READY 1
#define PM_CONTROL 0x604
#define PM_OFF 0x2000 /* SLP_EN, SLP_TYP 0 */
#define ACPI_RESET 0xcf9
#define I8042_COMMAND 0x64
#define DEBUG_EXIT 0xf4
#define APIC_ICR_LOW 0xfee00300
#define APIC_ICR_HIGH 0xfee00310
#define APIC_ICR_INIT 0x4500

#define MULTIBOOT_ADDRESS 0x100000
#define MULTIBOOT_MAGIC 0x1badb002
#define MULTIBOOT_LOADED 0x2badb002
#define MULTIBOOT_CMDLINE 16

.macro image name
	.section .data.rel.ro, "aw"
	.balign	8
	.globl	image_\name
image_\name:
	.quad	image_\name\()_start, image_\name\()_end
	.section .rodata
	.balign	8
image_\name\()_start:
.endm

.macro end name
image_\name\()_end:
.endm

.macro say_here
	mov	$COM1, %dx
	.irp	letter, 'h, 'e, 'r, 'e, 10
	mov	$\letter, %al
	out	%al, %dx
	.endr
.endm

.macro write port value
	mov	$\port, %dx
	mov	$\value, %al
	out	%al, %dx
.endm

.macro power_off
	mov	$PM_CONTROL, %dx
	mov	$PM_OFF, %ax
	out	%ax, %dx
.endm

.macro stop
	cli
88:	hlt
	jmp	88b
.endm

	.code16
image off_16
	say_here
	power_off
	stop
end off_16

image debug_exit
	say_here
	write	DEBUG_EXIT, 21
	stop
end debug_exit

image reset_acpi
	say_here
	write	ACPI_RESET, 6
	stop
end reset_acpi

image reset_i8042
	say_here
	write	I8042_COMMAND, 0xfe
	stop
end reset_i8042

image reset_bios
	say_here
	ljmp	$0xffff, $0
end reset_bios

image idle
	say_here
	stop
end idle

image echo
	say_here
	mov	$COM1_LINE_STATUS, %dx
1:	in	%dx, %al
	test	$DATA_READY, %al
	jz	1b
	mov	$COM1, %dx
	in	%dx, %al
	out	%al, $DEBUG_EXIT
	stop
end echo

	.code32
image off_32
	say_here
	power_off
	stop
end off_32

image reset_init
	say_here
	movl	$0, APIC_ICR_HIGH
	movl	$APIC_ICR_INIT, APIC_ICR_LOW
	stop
end reset_init

image multiboot
	.byte	0x7f
	.ascii	"ELF"
	.byte	1, 1, 1			/* 32 bits, little endian */
	.zero	9
	.short	2, 3			/* an executable for the 80386 */
	.long	1
	.long	MULTIBOOT_ADDRESS + 3f - image_multiboot_start
	.long	1f - image_multiboot_start
	.long	0, 0
	.short	52, 32, 1, 0, 0, 0
1:	.long	1, 0			/* all of the file is loaded */
	.long	MULTIBOOT_ADDRESS, MULTIBOOT_ADDRESS
	.long	image_multiboot_end - image_multiboot_start
	.long	image_multiboot_end - image_multiboot_start
	.long	7, 0x1000
	.balign	4
	.long	MULTIBOOT_MAGIC, 0, -MULTIBOOT_MAGIC
3:	cmp	$MULTIBOOT_LOADED, %eax
	jne	5f
	mov	MULTIBOOT_CMDLINE(%ebx), %esi
	mov	$COM1, %dx
4:	lodsb
	out	%al, %dx
	test	%al, %al
	jnz	4b
	power_off
5:	stop
end multiboot

	.code64
image off_64
	say_here
	power_off
	stop
end off_64

image triple_fault
	say_here
	lidt	1f(%rip)
	int3
1:	.zero	10
end triple_fault

	.section .note.GNU-stack, "", @progbits
