/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The data of one world switch, for entry.S.
 */
#ifndef LODGE_VMX_ENTRY_H
#define LODGE_VMX_ENTRY_H

#include <linux/types.h>
#include <asm/page_types.h>

#include <lodge.h>

/* The memory that vmx_flush_l1d() reads, as an order of pages and in bytes. */
#define VMX_L1D_ORDER 4
#define VMX_L1D_SIZE (PAGE_SIZE << VMX_L1D_ORDER)

/**
 * struct vmx_entry - argument of vmx_enter()
 * @general: guest's general registers; RSP is in the VMCS
 * @host_rsp: what the VMCS has as the host's RSP
 * @launched: enter by VMRESUME
 * @guest_spec_ctrl: what MSR SPEC_CTRL holds as the guest is entered
 * @host_spec_ctrl: and after the exit; where both are the same it is not written
 * @own_spec_ctrl: the guest writes the MSR without an exit: the exit updates
 *	@guest_spec_ctrl
 */
struct vmx_entry {
	struct lodge_general *general;
	u64 host_rsp;
	u32 launched;
	u32 guest_spec_ctrl;
	u32 host_spec_ctrl;
	u32 own_spec_ctrl;
};

/**
 * vmx_enter() - switch to the guest, and back at its next exit
 *
 * The VMCS is current, interrupts are off.
 *
 * Return: true when the guest was left by an exit (which can also say that its
 * state was refused), false when VMLAUNCH or VMRESUME failed or, because somebody
 * has switched VMX off (emergency reboot), faulted.
 */
bool vmx_enter(struct vmx_entry *entry);

/* The address at which the host goes on after an exit. */
void vmx_exited(void);

/**
 * vmx_flush_l1d() - displace the first-level data cache by reading @buffer
 * @buffer: VMX_L1D_SIZE bytes
 *
 * For processors without a command for it: twice the size of any that needs it.
 */
void vmx_flush_l1d(const void *buffer);

#endif
