/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The world switch of VT-x: moves registers, applies the host's mitigations,
 * decides nothing (Intel SDM vol. 3, chapters 27 and 28).
 */
#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/cpufeatures.h>
#include <asm/nospec-branch.h>
#include <asm/unwind_hints.h>

#include "offsets.h"
#include "switch.h"

/* The second one is AMD's alone in some kernels, and the only one in others. */
.macro CLEAR_BUFFERS
	CLEAR_CPU_BUFFERS
	VM_CLEAR_CPU_BUFFERS
.endm

.section .noinstr.text, "ax"

SYM_FUNC_START(vmx_enter)
	PUSH_CALLERS
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
	mov	%rsi, %rdi
	mov	GENERAL_RAX(%rdi), %rax
	LOAD_GENERAL
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
	SAVE_GENERAL
	mov	$1, %ebx

.Lleave:
	pop	%rax
	pop	%rdi

	/* Before the first RET: the guest has filled the return buffer. */
	FILL_RETURN_BUFFER %rax, RSB_CLEAR_LOOPS, X86_FEATURE_RSB_VMEXIT, \
			   X86_FEATURE_RSB_VMEXIT_LITE

	SAVE_SPEC_CTRL VMX_ENTRY_OWN_SPEC_CTRL VMX_ENTRY_GUEST_SPEC_CTRL
	WRITE_SPEC_CTRL VMX_ENTRY_HOST_SPEC_CTRL VMX_ENTRY_GUEST_SPEC_CTRL always=1
	/* No RET speculates past the write. */
	ALTERNATIVE "", "lfence", X86_FEATURE_MSR_SPEC_CTRL

	CLEAR_BRANCH_HISTORY_VMEXIT

	mov	%ebx, %eax
	CLEAR_GENERAL
	POP_CALLERS
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
