/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The data of one world switch, for entry.S.
 */
#ifndef LODGE_SVM_ENTRY_H
#define LODGE_SVM_ENTRY_H

#include <linux/types.h>

#include <lodge.h>

/**
 * struct svm_entry - argument of svm_enter()
 * @vmcb_pa: physical address of the VMCB
 * @host_pa: physical address of the page into which VMSAVE has put this CPU's
 *	and task's FS, GS, TR, LDTR and system-call state
 * @general: guest's general registers; RAX and RSP are in the VMCB
 * @guest_spec_ctrl: what MSR SPEC_CTRL holds as the guest is entered
 * @host_spec_ctrl: and after the exit; where both are the same it is not written
 * @own_spec_ctrl: the guest writes the MSR without an exit: the exit updates
 *	@guest_spec_ctrl
 */
struct svm_entry {
	u64 vmcb_pa;
	u64 host_pa;
	struct lodge_general *general;
	u32 guest_spec_ctrl;
	u32 host_spec_ctrl;
	u32 own_spec_ctrl;
};

/**
 * svm_enter() - switch to the guest, and back at its next exit
 *
 * Global interrupts are off (CLGI), RFLAGS.IF is on.  When an instruction faults
 * because somebody has switched SVM off (emergency reboot), the VMCB's exit code
 * stays what it was.
 */
void svm_enter(struct svm_entry *entry);

#endif
