// SPDX-License-Identifier: GPL-2.0
/*
 * Offsets of the members that assembly uses.  Kbuild turns what this compiles to
 * into offsets.h; nothing of it is linked.
 */
#include <linux/kbuild.h>
#include <linux/stddef.h>
#include <asm/vmx.h>

#include <lodge.h>

#include "svm/entry.h"
#include "vmx/entry.h"

static void __used lodge_offsets(void)
{
	OFFSET(SVM_ENTRY_VMCB_PA, svm_entry, vmcb_pa);
	OFFSET(SVM_ENTRY_HOST_PA, svm_entry, host_pa);
	OFFSET(SVM_ENTRY_GENERAL, svm_entry, general);
	OFFSET(SVM_ENTRY_GUEST_SPEC_CTRL, svm_entry, guest_spec_ctrl);
	OFFSET(SVM_ENTRY_HOST_SPEC_CTRL, svm_entry, host_spec_ctrl);
	OFFSET(SVM_ENTRY_OWN_SPEC_CTRL, svm_entry, own_spec_ctrl);

	OFFSET(VMX_ENTRY_GENERAL, vmx_entry, general);
	OFFSET(VMX_ENTRY_HOST_RSP, vmx_entry, host_rsp);
	OFFSET(VMX_ENTRY_LAUNCHED, vmx_entry, launched);
	OFFSET(VMX_ENTRY_GUEST_SPEC_CTRL, vmx_entry, guest_spec_ctrl);
	OFFSET(VMX_ENTRY_HOST_SPEC_CTRL, vmx_entry, host_spec_ctrl);
	OFFSET(VMX_ENTRY_OWN_SPEC_CTRL, vmx_entry, own_spec_ctrl);
	DEFINE(VMX_HOST_RSP_FIELD, HOST_RSP);
	DEFINE(VMX_L1D_BYTES, VMX_L1D_SIZE);

	OFFSET(GENERAL_RAX, lodge_general, gpr[LODGE_RAX]);
	OFFSET(GENERAL_RCX, lodge_general, gpr[LODGE_RCX]);
	OFFSET(GENERAL_RDX, lodge_general, gpr[LODGE_RDX]);
	OFFSET(GENERAL_RBX, lodge_general, gpr[LODGE_RBX]);
	OFFSET(GENERAL_RBP, lodge_general, gpr[LODGE_RBP]);
	OFFSET(GENERAL_RSI, lodge_general, gpr[LODGE_RSI]);
	OFFSET(GENERAL_RDI, lodge_general, gpr[LODGE_RDI]);
	OFFSET(GENERAL_R8, lodge_general, gpr[LODGE_R8]);
	OFFSET(GENERAL_R9, lodge_general, gpr[LODGE_R9]);
	OFFSET(GENERAL_R10, lodge_general, gpr[LODGE_R10]);
	OFFSET(GENERAL_R11, lodge_general, gpr[LODGE_R11]);
	OFFSET(GENERAL_R12, lodge_general, gpr[LODGE_R12]);
	OFFSET(GENERAL_R13, lodge_general, gpr[LODGE_R13]);
	OFFSET(GENERAL_R14, lodge_general, gpr[LODGE_R14]);
	OFFSET(GENERAL_R15, lodge_general, gpr[LODGE_R15]);
}
