/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The VM entry.  The guest runs no instruction, and so has no registers.
 */
#include <linux/linkage.h>
#include <asm/unwind_hints.h>

#define HOST_RSP_FIELD 0x6c14

.section .noinstr.text, "ax"

/* int oracle_enter_guest(bool launched): 0 after an exit, 1 after a VMfail */
SYM_FUNC_START(oracle_enter_guest)
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	$HOST_RSP_FIELD, %eax
	vmwrite	%rsp, %rax
	test	%dil, %dil
	jnz	1f
	UNWIND_HINT_SAVE
	vmlaunch
	jmp	2f
1:	vmresume
2:	mov	$1, %eax
	jmp	3f

SYM_INNER_LABEL(oracle_exited, SYM_L_GLOBAL)
	UNWIND_HINT_RESTORE
	ENDBR
	xor	%eax, %eax
3:	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	RET
SYM_FUNC_END(oracle_enter_guest)
