/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Programs in real mode with flat data segments, copied to GUEST_CODE.  guest_code.h
 * says what each label does.
 */
#include "guest_code.h"

#define APIC_EOI	0xfee000b0
#define APIC_SVR	0xfee000f0
#define APIC_LINT0	0xfee00350
#define APIC_ENABLED	0x1ff
#define APIC_EXTINT	0x700

	.section .rodata
	.code16

.macro label name
	.globl \name
\name:
.endm

label guest_first

label guest_spin
	lock incl GUEST_ROUNDS
	jmp guest_spin

label guest_halt
	cli
	hlt
	jmp guest_halt

label guest_tell_nmis
	mov GUEST_NMIS, %eax
	mov %eax, GUEST_ROUNDS
	jmp guest_tell_nmis

label guest_out
	mov $GUEST_PORT_DATA, %al
	out %al, $GUEST_PORT
	lock incl GUEST_ROUNDS
	jmp guest_out

label guest_in
	in $GUEST_PORT, %al
	mov %al, %bl
	jmp guest_spin

label guest_touch
	mov $GUEST_WINDOW, %esi
1:	addr32 incl (%esi)
	add $0x1000, %esi
	cmp $GUEST_WINDOW + GUEST_WINDOW_SIZE, %esi
	jb 1b
	lock incl GUEST_ROUNDS
	jmp guest_touch

label guest_scatter
	rdtsc
	mov %eax, %ebx
	mov $GUEST_PORT, %dx
1:	imul $1103515245, %ebx, %ebx
	add $12345, %ebx
	mov %ebx, %edi
	shr $12, %edi
	and $GUEST_SCATTER_PAGES - 1, %edi
	shl $12, %edi
	add $GUEST_SCATTER, %edi
	addr32 lock incl (%edi)
	test $0xf0000000, %ebx
	jnz 1b
	addr32 insl
	lock incl GUEST_ROUNDS
	jmp 1b

label guest_out_string
	mov $GUEST_WINDOW, %esi
	mov $GUEST_PORT, %dx
	addr32 outsb
	lock incl GUEST_ROUNDS
	jmp guest_out_string

label guest_stride
	mov $GUEST_VAST, %esi
1:	addr32 incl (%esi)
	add $GUEST_STRIDE, %esi
	cmp $GUEST_VAST + GUEST_VAST_SIZE, %esi
	jb 1b
	lock incl GUEST_ROUNDS
	jmp guest_stride

label guest_serve
	call enable_apic
	sti
	jmp guest_spin

label guest_serve_halted
	call enable_apic
1:	sti
	hlt
	lock incl GUEST_ROUNDS
	jmp 1b

enable_apic:
	mov $APIC_SVR, %esi
	addr32 movl $APIC_ENABLED, (%esi)
	mov $APIC_LINT0, %esi
	addr32 movl $APIC_EXTINT, (%esi)
	ret

label guest_interrupt
	push %esi
	lock incl GUEST_INTERRUPTS
	mov $APIC_EOI, %esi
	addr32 movl $0, (%esi)
	pop %esi
	iret

label guest_nmi
	lock incl GUEST_NMIS
	iret

label guest_last

	.section .note.GNU-stack, "", @progbits
