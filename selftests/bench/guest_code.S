/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest's code.  Each sample begins and ends with RDTSC, which neither
 * hypervisor intercepts.  RDI counts the samples that are left, RSI points to the
 * next result, R8 holds the tick at which a sample began.  R9 points to the next page
 * that faults, R10 to MMIO.
 */
#include "guest.h"

#define MSR_APIC_BASE		0x1b
#define MSR_TSC_DEADLINE	0x6e0
#define MSR_X2APIC_EOI		0x80b
#define MSR_X2APIC_SVR		0x80f
#define MSR_X2APIC_LVT_TIMER	0x832
#define MSR_X2APIC_SELF_IPI	0x83f

#define APIC_BASE_X2APIC	0xfee00d00 /* at its address, BSP, on, x2APIC */
#define APIC_SVR_ON		0x1ff
#define APIC_TIMER_DEADLINE	(2 << 17)

	.macro	write_msr number, value
	mov	$\number, %ecx
	mov	$\value, %eax
	xor	%edx, %edx
	wrmsr
	.endm

	/* Arm the timer: it interrupts after that many ticks. */
	.macro	arm ticks
	rdtsc
	shl	$32, %rdx
	lea	\ticks(%rdx,%rax), %rax
	mov	%rax, %rdx
	shr	$32, %rdx
	mov	$MSR_TSC_DEADLINE, %ecx
	wrmsr
	.endm

	/* Begins a guest; its event follows, then `repeat`. */
	.macro	guest name
	.globl	guest_\name
guest_\name:
	mov	$GUEST_FAULTS, %r9d
	mov	$GUEST_MMIO, %r10d
	call	apic_enable
	sti
1:	rdtsc
	mov	%eax, %r8d
	.endm

	.macro	repeat
	rdtsc
	sub	%r8d, %eax
	mov	%rax, (%rsi)
	add	$8, %rsi
	add	$0x1000, %r9
	dec	%rdi
	jnz	1b
	jmp	guest_done
	.endm

	.section .rodata
	.globl	guest_code, guest_code_end, guest_interrupt
guest_code:

	guest	nothing
	repeat

	guest	cpuid
	mov	$1, %eax
	xor	%ecx, %ecx
	cpuid
	repeat

	guest	port_write
	mov	$GUEST_PORT, %edx
	out	%al, %dx
	repeat

	guest	port_read
	mov	$GUEST_PORT, %edx
	in	%dx, %al
	repeat

	guest	mmio_write
	mov	%eax, (%r10)
	repeat

	guest	mmio_read
	mov	(%r10), %eax
	repeat

	/* Minutes ahead: EDX counts in units of 2^32 ticks. */
	guest	wrmsr
	mov	$MSR_TSC_DEADLINE, %ecx
	add	$0x100, %edx
	wrmsr
	repeat

	guest	rdmsr
	mov	$MSR_APIC_BASE, %ecx
	rdmsr
	repeat

	guest	fault
	mov	%eax, (%r9)
	repeat

	guest	self_ipi
	write_msr MSR_X2APIC_SELF_IPI, GUEST_VECTOR
	repeat

	/* Spins until the timer's interrupt is handled; the spins are not counted. */
	guest	tick
	mov	GUEST_INTERRUPTS, %r11
	arm	GUEST_TICK
2:	add	$3, %r8d
	cmp	%r11, GUEST_INTERRUPTS
	je	2b
	repeat

	/* Sleeps; the host measures (see watch.h). */
	.globl	guest_timer
guest_timer:
	call	apic_enable
1:	arm	GUEST_PERIOD
	sti
	hlt
	cli
	dec	%rdi
	jnz	1b

	jmp	guest_done

	/* Tells that it is about to sleep, and sleeps; the host measures. */
	.globl	guest_wait
guest_wait:
	call	apic_enable
1:	mov	$GUEST_PORT, %edx
	out	%al, %dx
	sti
	hlt
	cli
	dec	%rdi
	jnz	1b

	.globl	guest_done
guest_done:
	cli
	mov	$GUEST_DONE_PORT, %edx
	out	%al, %dx
	jmp	guest_done

	/* Local APIC in x2APIC mode, with its timer in TSC-deadline mode. */
apic_enable:
	write_msr MSR_APIC_BASE, APIC_BASE_X2APIC
	write_msr MSR_X2APIC_SVR, APIC_SVR_ON
	write_msr MSR_X2APIC_LVT_TIMER, APIC_TIMER_DEADLINE | GUEST_VECTOR
	ret

	/* Between samples and within them EAX, ECX and EDX are free. */
guest_interrupt:
	incq	GUEST_INTERRUPTS
	write_msr MSR_X2APIC_EOI, 0
	iretq
guest_code_end:

	.section .note.GNU-stack, "", @progbits
