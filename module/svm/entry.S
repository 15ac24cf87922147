/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The world switch of AMD-V: moves registers, applies the host's mitigations,
 * decides nothing (AMD APM vol. 2, sections 15.5 and 15.6).
 */
#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/cpufeatures.h>
#include <asm/nospec-branch.h>
#include <asm/segment.h>

#include "offsets.h"
#include "switch.h"

.section .noinstr.text, "ax"

SYM_FUNC_START(svm_enter)
	PUSH_CALLERS
	push	%rdi

	WRITE_SPEC_CTRL SVM_ENTRY_GUEST_SPEC_CTRL SVM_ENTRY_HOST_SPEC_CTRL

	mov	SVM_ENTRY_VMCB_PA(%rdi), %rax
1:	vmload	%rax

	mov	SVM_ENTRY_GENERAL(%rdi), %rdi
	push	%rdi
	LOAD_GENERAL

	VM_CLEAR_CPU_BUFFERS

2:	vmrun	%rax
3:
	/* Only RAX and RSP are the host's now. */
	pop	%rax
	SAVE_GENERAL

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

	SAVE_SPEC_CTRL SVM_ENTRY_OWN_SPEC_CTRL SVM_ENTRY_GUEST_SPEC_CTRL
	WRITE_SPEC_CTRL SVM_ENTRY_HOST_SPEC_CTRL SVM_ENTRY_GUEST_SPEC_CTRL

#if !defined(LODGE_HAVE_IBPB)
	CALL_UNTRAIN_RET
	ALTERNATIVE "jmp .Luntrained", "", X86_FEATURE_IBPB_ON_VMEXIT
	mov	$MSR_IA32_PRED_CMD, %ecx
	mov	$PRED_CMD_IBPB, %eax
	xor	%edx, %edx
	wrmsr
#ifdef X86_BUG_IBPB_NO_RET
	/* Of these the barrier leaves the return buffer as it is. */
	FILL_RETURN_BUFFER %rax, RSB_CLEAR_LOOPS, X86_BUG_IBPB_NO_RET
#endif
.Luntrained:
#elif defined(LODGE_HAVE_UNTRAIN_RET_VM)
	UNTRAIN_RET_VM
#else
	UNTRAIN_RET
	ALTERNATIVE "", "call entry_ibpb", X86_FEATURE_IBPB_ON_VMEXIT
#endif

	CLEAR_GENERAL
	POP_CALLERS
	RET

/* The guest's state was not loaded: its general registers are not either. */
8:	pop	%rdi
	jmp	7b

	_ASM_EXTABLE(1b, 8b)
	_ASM_EXTABLE(2b, 3b)
	_ASM_EXTABLE(4b, 5b)
	_ASM_EXTABLE(6b, 7b)
SYM_FUNC_END(svm_enter)

#ifndef LODGE_HAVE_VM_CLEAR_CPU_BUFFERS
/* VERW clears them when its selector comes from memory; this one is quickest. */
.section .rodata, "a"
SYM_DATA(lodge_verw_sel, .word __KERNEL_DS)
#endif
