/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The world switch of VT-x: moves registers, applies the host's mitigations,
 * decides nothing (Intel SDM vol. 3, chapters 27 and 28).
 */
#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/cpufeatures.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>
#include <asm/unwind_hints.h>

#include "offsets.h"

/*
 * Make %rax, %rcx and %rdx carry \value to MSR SPEC_CTRL unless it is there.  With
 * \always the write itself matters where the kernel lives by it: it is what keeps
 * a guest's branch targets from the host.
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

/* The second one is AMD's alone in some kernels, and the only one in others. */
.macro CLEAR_BUFFERS
	CLEAR_CPU_BUFFERS
#ifdef LODGE_HAVE_VM_CLEAR_CPU_BUFFERS
	VM_CLEAR_CPU_BUFFERS
#endif
.endm

.section .noinstr.text, "ax"

SYM_FUNC_START(vmx_enter)
	push	%rbp
	push	%r15
	push	%r14
	push	%r13
	push	%r12
	push	%rbx
	push	%rdi

	mov	VMX_ENTRY_GENERAL(%rdi), %rsi
	push	%rsi

	/* The stack is nearly always where it was. */
	cmp	%rsp, VMX_ENTRY_HOST_RSP(%rdi)
	je	1f
	mov	%rsp, VMX_ENTRY_HOST_RSP(%rdi)
	mov	$VMX_HOST_RSP_FIELD, %eax
2:	vmwrite	%rsp, %rax
1:
	/* No return and no indirect branch from here to the guest. */
	WRITE_SPEC_CTRL VMX_ENTRY_GUEST_SPEC_CTRL VMX_ENTRY_HOST_SPEC_CTRL

	/* Loads and moves leave the flags alone. */
	cmpl	$0, VMX_ENTRY_LAUNCHED(%rdi)
	mov	GENERAL_RAX(%rsi), %rax
	mov	GENERAL_RCX(%rsi), %rcx
	mov	GENERAL_RDX(%rsi), %rdx
	mov	GENERAL_RBX(%rsi), %rbx
	mov	GENERAL_RBP(%rsi), %rbp
	mov	GENERAL_RDI(%rsi), %rdi
	mov	GENERAL_R8(%rsi), %r8
	mov	GENERAL_R9(%rsi), %r9
	mov	GENERAL_R10(%rsi), %r10
	mov	GENERAL_R11(%rsi), %r11
	mov	GENERAL_R12(%rsi), %r12
	mov	GENERAL_R13(%rsi), %r13
	mov	GENERAL_R14(%rsi), %r14
	mov	GENERAL_R15(%rsi), %r15
	mov	GENERAL_RSI(%rsi), %rsi
	je	.Llaunch

	CLEAR_BUFFERS
.Lresume:
	vmresume
	jmp	.Lfailed

.Llaunch:
	CLEAR_BUFFERS
	/* An exit goes on below, with the stack that is here. */
	UNWIND_HINT_SAVE
.Lenter:
	vmlaunch
	jmp	.Lfailed

SYM_INNER_LABEL(vmx_exited, SYM_L_GLOBAL)
	UNWIND_HINT_RESTORE
	ENDBR

	/* RSP alone is the host's now. */
	push	%rax
	mov	8(%rsp), %rax
	pop	GENERAL_RAX(%rax)
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
	mov	$1, %ebx

.Lleave:
	pop	%rax
	pop	%rdi

	/* Before the first RET: the guest has filled the return buffer. */
	FILL_RETURN_BUFFER %rax, RSB_CLEAR_LOOPS, X86_FEATURE_RSB_VMEXIT, \
			   X86_FEATURE_RSB_VMEXIT_LITE

	WRITE_SPEC_CTRL VMX_ENTRY_HOST_SPEC_CTRL VMX_ENTRY_GUEST_SPEC_CTRL always=1
	/* No RET speculates past the write. */
	ALTERNATIVE "", "lfence", X86_FEATURE_MSR_SPEC_CTRL

	CLEAR_BRANCH_HISTORY_VMEXIT

	/* No register keeps a guest's value that speculation could use. */
	mov	%ebx, %eax
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

	pop	%rbx
	pop	%r12
	pop	%r13
	pop	%r14
	pop	%r15
	pop	%rbp
	RET

/* The guest did not run, and its registers are those that it has. */
.Lfailed:
	xor	%ebx, %ebx
	jmp	.Lleave

	_ASM_EXTABLE(2b, 1b)
	_ASM_EXTABLE(.Lresume, .Lfailed)
	_ASM_EXTABLE(.Lenter, .Lfailed)
SYM_FUNC_END(vmx_enter)

/* First each page, so that the reads that count find it in the TLB. */
SYM_FUNC_START(vmx_flush_l1d)
	xor	%eax, %eax
1:	mov	(%rdi, %rax), %ecx
	add	$4096, %eax
	cmp	$VMX_L1D_BYTES, %eax
	jne	1b
	/* The reads of a page are not to run ahead of those. */
	lfence
	lea	VMX_L1D_BYTES(%rdi), %rax
2:
	.set	line, 0
	.rept	32
	mov	line(%rdi), %ecx
	.set	line, line + 64
	.endr
	add	$32 * 64, %rdi
	cmp	%rax, %rdi
	jne	2b
	lfence
	RET
SYM_FUNC_END(vmx_flush_l1d)
