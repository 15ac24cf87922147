/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Macros by which the world switches of both vendors move registers; for assembly only,
 * after offsets.h.  Each vendor's entry.S switches the other registers.
 */
#ifndef LODGE_SWITCH_H
#define LODGE_SWITCH_H

#include <asm/cpufeatures.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>

/* clang-format off */

/* From struct lodge_general at %rdi: all but RAX and RSP.  Flags stay. */
.macro LOAD_GENERAL
	mov	GENERAL_RCX(%rdi), %rcx
	mov	GENERAL_RDX(%rdi), %rdx
	mov	GENERAL_RBX(%rdi), %rbx
	mov	GENERAL_RBP(%rdi), %rbp
	mov	GENERAL_RSI(%rdi), %rsi
	mov	GENERAL_R8(%rdi), %r8
	mov	GENERAL_R9(%rdi), %r9
	mov	GENERAL_R10(%rdi), %r10
	mov	GENERAL_R11(%rdi), %r11
	mov	GENERAL_R12(%rdi), %r12
	mov	GENERAL_R13(%rdi), %r13
	mov	GENERAL_R14(%rdi), %r14
	mov	GENERAL_R15(%rdi), %r15
	mov	GENERAL_RDI(%rdi), %rdi
.endm

/* The same to struct lodge_general at %rax. */
.macro SAVE_GENERAL
	mov	%rcx, GENERAL_RCX(%rax)
	mov	%rdx, GENERAL_RDX(%rax)
	mov	%rbx, GENERAL_RBX(%rax)
	mov	%rbp, GENERAL_RBP(%rax)
	mov	%rsi, GENERAL_RSI(%rax)
	mov	%rdi, GENERAL_RDI(%rax)
	mov	%r8, GENERAL_R8(%rax)
	mov	%r9, GENERAL_R9(%rax)
	mov	%r10, GENERAL_R10(%rax)
	mov	%r11, GENERAL_R11(%rax)
	mov	%r12, GENERAL_R12(%rax)
	mov	%r13, GENERAL_R13(%rax)
	mov	%r14, GENERAL_R14(%rax)
	mov	%r15, GENERAL_R15(%rax)
.endm

/* No register but %rax keeps a guest's value that speculation could use. */
.macro CLEAR_GENERAL
	xor	%ecx, %ecx
	xor	%edx, %edx
	xor	%esi, %esi
	xor	%edi, %edi
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r11d, %r11d
	xor	%r12d, %r12d
	xor	%r13d, %r13d
	xor	%r14d, %r14d
	xor	%r15d, %r15d
	xor	%ebx, %ebx
	xor	%ebp, %ebp
.endm

/* Registers that belong to the caller of a world switch. */
.macro PUSH_CALLERS
	push	%rbp
	push	%r15
	push	%r14
	push	%r13
	push	%r12
	push	%rbx
.endm

.macro POP_CALLERS
	pop	%rbx
	pop	%r12
	pop	%r13
	pop	%r14
	pop	%r15
	pop	%rbp
.endm

/*
 * VM_CLEAR_CPU_BUFFERS: the processor's buffers hold nothing of the host's when
 * the guest runs.  Newer kernels have the feature, but no macro for it, and keep
 * the operand that VERW wants to KVM.
 */
#if !defined(LODGE_HAVE_VM_CLEAR_CPU_BUFFERS) && \
	defined(X86_FEATURE_CLEAR_CPU_BUF_VM)
#define VM_CLEAR_CPU_BUFFERS                          \
	ALTERNATIVE "", "verw lodge_verw_sel(%rip)", \
		    X86_FEATURE_CLEAR_CPU_BUF_VM
#elif !defined(LODGE_HAVE_VM_CLEAR_CPU_BUFFERS)
#define VM_CLEAR_CPU_BUFFERS
#endif

/*
 * The guest writes SPEC_CTRL without an exit where \own, a flag in the entry's
 * structure at %rdi, is set: keep in \guest what it has left there.
 * Changes %rax, %rcx and %rdx.
 */
.macro SAVE_SPEC_CTRL own guest
	cmpl	$0, \own(%rdi)
	je	.Lknown_\@
	movl	$MSR_IA32_SPEC_CTRL, %ecx
	rdmsr
	movl	%eax, \guest(%rdi)
.Lknown_\@:
.endm

/*
 * Write \value to MSR SPEC_CTRL unless \current, which is in it, is the same; both
 * lie in the entry's structure at %rdi.  With \always it is written in any case on
 * kernels with legacy IBRS: there the write itself keeps the host from using the
 * guest's branch targets.  Changes %rax, %rcx and %rdx.
 */
.macro WRITE_SPEC_CTRL value current always=0
	movl	\value(%rdi), %eax
	.if \always
	ALTERNATIVE "jmp .Lcompare_\@", "jmp .Lwrite_\@", X86_FEATURE_KERNEL_IBRS
	.endif
.Lcompare_\@:
	cmpl	\current(%rdi), %eax
	je	.Lsame_\@
.Lwrite_\@:
	movl	$MSR_IA32_SPEC_CTRL, %ecx
	xorl	%edx, %edx
	wrmsr
.Lsame_\@:
.endm

#endif
