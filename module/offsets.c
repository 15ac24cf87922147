// SPDX-License-Identifier: GPL-2.0
/*
 * Offsets of the members that assembly uses.  Kbuild turns what this compiles to
 * into offsets.h; nothing of it is linked.
 */
#include <linux/kbuild.h>
#include <linux/stddef.h>

#include <lodge.h>

#include "svm/entry.h"

static void __used lodge_offsets(void)
{
	OFFSET(ENTRY_VMCB_PA, svm_entry, vmcb_pa);
	OFFSET(ENTRY_HOST_PA, svm_entry, host_pa);
	OFFSET(ENTRY_GENERAL, svm_entry, general);
	OFFSET(ENTRY_GUEST_SPEC_CTRL, svm_entry, guest_spec_ctrl);
	OFFSET(ENTRY_HOST_SPEC_CTRL, svm_entry, host_spec_ctrl);

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
