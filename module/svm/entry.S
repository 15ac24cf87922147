/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The world switch of AMD-V: moves registers, applies the host's mitigations,
 * decides nothing (AMD APM vol. 2, sections 15.5 and 15.6).
 */
#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/cpufeatures.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>

#include "offsets.h"

/* Make %rax, %rcx and %rdx carry \value to MSR SPEC_CTRL unless it is there. */
.macro WRITE_SPEC_CTRL value current
	movl	\value(%rdi), %eax
	cmpl	\current(%rdi), %eax
	je	.Lsame_\@
	movl	$MSR_IA32_SPEC_CTRL, %ecx
	xorl	%edx, %edx
	wrmsr
.Lsame_\@:
.endm

.section .noinstr.text, "ax"

SYM_FUNC_START(svm_enter)
	push	%rbp
	push	%r15
	push	%r14
	push	%r13
	push	%r12
	push	%rbx
	push	%rdi

	WRITE_SPEC_CTRL SVM_ENTRY_GUEST_SPEC_CTRL SVM_ENTRY_HOST_SPEC_CTRL

	mov	SVM_ENTRY_VMCB_PA(%rdi), %rax
1:	vmload	%rax

	mov	SVM_ENTRY_GENERAL(%rdi), %rdi
	push	%rdi
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

#ifdef LODGE_HAVE_VM_CLEAR_CPU_BUFFERS
	VM_CLEAR_CPU_BUFFERS
#endif

2:	vmrun	%rax
3:
	/* Only RAX and RSP are the host's now. */
	pop	%rax
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

	pop	%rdi
	mov	SVM_ENTRY_VMCB_PA(%rdi), %rax
4:	vmsave	%rax
5:
	/* GS, and with it per-CPU data, is the host's from here on. */
	mov	SVM_ENTRY_HOST_PA(%rdi), %rax
6:	vmload	%rax
7:
	/* Before the first RET: the guest has filled the return buffer. */
	FILL_RETURN_BUFFER %rax, RSB_CLEAR_LOOPS, X86_FEATURE_RSB_VMEXIT

	WRITE_SPEC_CTRL SVM_ENTRY_HOST_SPEC_CTRL SVM_ENTRY_GUEST_SPEC_CTRL

#ifdef LODGE_HAVE_UNTRAIN_RET_VM
	UNTRAIN_RET_VM
#else
	UNTRAIN_RET
	ALTERNATIVE "", "call entry_ibpb", X86_FEATURE_IBPB_ON_VMEXIT
#endif

	/* No register keeps a guest's value that speculation could use. */
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

/* The guest's state was not loaded: its general registers are not either. */
8:	pop	%rdi
	jmp	7b

	_ASM_EXTABLE(1b, 8b)
	_ASM_EXTABLE(2b, 3b)
	_ASM_EXTABLE(4b, 5b)
	_ASM_EXTABLE(6b, 7b)
SYM_FUNC_END(svm_enter)
