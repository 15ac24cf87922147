// SPDX-License-Identifier: GPL-2.0
/*
 * Register groups between vcpu->regs and the VMCS's guest-state area.
 *
 * A group that has been read stays valid until the next entry: vmx->fresh.
 */
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "state.h"
#include "vmx/vmx.h"

/* Access rights: the descriptor's bits, with a gap, and "unusable". */
#define VMX_AR_LOW 0xff
#define VMX_AR_GAP 4
#define VMX_AR_UNUSABLE BIT(16)
#define VMX_AR_BUSY 2
#define VMX_AR_ACCESSED 1

/* Bits of a limit that is counted in pages. */
#define VMX_LIMIT_LARGE GENMASK(31, 20)

/* The fields of a register lie this far apart, in the order of the ABI. */
#define VMX_FIELD_STEP 2
static_assert(GUEST_ES_SELECTOR + VMX_FIELD_STEP * LODGE_TR ==
	      GUEST_TR_SELECTOR);
static_assert(GUEST_ES_BASE + VMX_FIELD_STEP * LODGE_TR == GUEST_TR_BASE);
static_assert(GUEST_ES_LIMIT + VMX_FIELD_STEP * LODGE_TR == GUEST_TR_LIMIT);
static_assert(GUEST_ES_AR_BYTES + VMX_FIELD_STEP * LODGE_TR ==
	      GUEST_TR_AR_BYTES);

/* The content of a register that cannot be used is undefined but for its DPL. */
static u16 vmx_attr(u32 rights)
{
	if (rights & VMX_AR_UNUSABLE)
		return rights & LODGE_SEG_DPL;
	return (rights & VMX_AR_LOW) | ((rights >> VMX_AR_GAP) & ~VMX_AR_LOW);
}

/*
 * A register that can be used has been loaded: its descriptor is marked accessed,
 * or busy, and its granularity agrees with its limit.  Section 27.3.1.2.
 */
static u32 vmx_rights(enum lodge_seg seg, const struct lodge_segment *from)
{
	u16 attr = from->attr;

	if (attr & LODGE_SEG_S && attr & LODGE_SEG_P)
		attr |= VMX_AR_ACCESSED;
	if (seg == LODGE_TR)
		attr |= VMX_AR_BUSY;
	if (from->limit & VMX_LIMIT_LARGE)
		attr |= LODGE_SEG_G;
	else if ((from->limit & ~PAGE_MASK) != ~PAGE_MASK)
		attr &= ~LODGE_SEG_G;
	return (attr & VMX_AR_LOW) | (attr & ~VMX_AR_LOW) << VMX_AR_GAP |
	       (attr & LODGE_SEG_P ? 0 : VMX_AR_UNUSABLE);
}

static void vmx_get_segment(struct lodge_vcpu *vcpu, enum lodge_seg seg)
{
	struct lodge_segment *to = &vcpu->regs.segments.seg[seg];
	u32 at = VMX_FIELD_STEP * seg;

	to->selector = vmx_read(GUEST_ES_SELECTOR + at);
	to->base = vmx_read(GUEST_ES_BASE + at);
	to->limit = vmx_read(GUEST_ES_LIMIT + at);
	to->attr = vmx_attr(vmx_read(GUEST_ES_AR_BYTES + at));
}

static void vmx_get_segments(struct lodge_vcpu *vcpu)
{
	struct lodge_segments *segs = &vcpu->regs.segments;
	unsigned int i;

	for (i = 0; i < LODGE_NR_SEGS; i++)
		vmx_get_segment(vcpu, i);
	segs->gdt.base = vmx_read(GUEST_GDTR_BASE);
	segs->gdt.limit = vmx_read(GUEST_GDTR_LIMIT);
	segs->idt.base = vmx_read(GUEST_IDTR_BASE);
	segs->idt.limit = vmx_read(GUEST_IDTR_LIMIT);
}

static void vmx_set_segments(struct lodge_vcpu *vcpu)
{
	const struct lodge_segments *segs = &vcpu->regs.segments;
	unsigned int i;

	for (i = 0; i < LODGE_NR_SEGS; i++) {
		const struct lodge_segment *from = &segs->seg[i];
		u32 at = VMX_FIELD_STEP * i;

		vmx_write(GUEST_ES_SELECTOR + at, from->selector);
		vmx_write(GUEST_ES_BASE + at, from->base);
		vmx_write(GUEST_ES_LIMIT + at, from->limit);
		vmx_write(GUEST_ES_AR_BYTES + at, vmx_rights(i, from));
	}
	vmx_write(GUEST_GDTR_BASE, segs->gdt.base);
	vmx_write(GUEST_GDTR_LIMIT, segs->gdt.limit);
	vmx_write(GUEST_IDTR_BASE, segs->idt.base);
	vmx_write(GUEST_IDTR_LIMIT, segs->idt.limit);
}

/* CR2 is live, and so always up to date. */
static void vmx_get_control(struct lodge_vcpu *vcpu)
{
	vcpu->regs.control.cr3 = vmx_read(GUEST_CR3);
}

static void vmx_set_efer(struct vmx_vcpu *vmx, u64 efer)
{
	u32 controls = vmx_caps.entry;

	if (efer & EFER_LMA)
		controls |= VM_ENTRY_IA32E_MODE;
	if (controls != vmx->entry_controls) {
		vmx->entry_controls = controls;
		vmx_write(VM_ENTRY_CONTROLS, controls);
	}
	if (vmx_caps.switches_efer)
		vmx_write(GUEST_IA32_EFER, efer);
	else
		vmx->msrs->guest[VMX_MSRS_EFER].value = efer;
}

/*
 * The guest's caches and machine checks are the host's business: CD, NW and MCE
 * are shown to the guest, but never reach the processor.  VMX operation fixes CR0.NE and CR4.VMXE.
 */
static void vmx_set_control(struct lodge_vcpu *vcpu)
{
	const struct lodge_control *control = &vcpu->regs.control;
	u64 cr0 = control->cr0 & ~(X86_CR0_CD | X86_CR0_NW);

	vmx_write(GUEST_CR0, cr0 | X86_CR0_NE);
	vmx_write(CR0_READ_SHADOW, control->cr0);
	vmx_write(GUEST_CR3, control->cr3);
	vmx_write(GUEST_CR4,
		  lodge_state_hardware_cr4(control->cr4) | X86_CR4_VMXE);
	vmx_write(CR4_READ_SHADOW, control->cr4);
	vmx_set_efer(to_vmx(vcpu), control->efer);
	/* EFER may have switched SYSCALL on. */
	if (lodge_vcpu_loaded(vcpu))
		vmx_load_syscall(vcpu);
}

void vmx_set_pdptes(struct lodge_vcpu *vcpu, const u64 pdptes[4])
{
	vmx_begin(vcpu);
	vmx_write(GUEST_PDPTR0, pdptes[0]);
	vmx_write(GUEST_PDPTR1, pdptes[1]);
	vmx_write(GUEST_PDPTR2, pdptes[2]);
	vmx_write(GUEST_PDPTR3, pdptes[3]);
	vmx_end();
}

/*
 * Without an exit the guest can set bits that its CPUID does not announce and the
 * processor has.  They are not part of its state.
 */
static void vmx_get_spec_ctrl(struct lodge_vcpu *vcpu)
{
	vcpu->regs.msrs.spec_ctrl = to_vmx(vcpu)->entry.guest_spec_ctrl &
				    vcpu->features.spec_ctrl_bits;
}

/*
 * From the first value on that is not 0 the guest reaches SPEC_CTRL without an
 * exit: kernels with legacy IBRS write it twice a system call.  Others need not pay
 * for reading it at each exit.
 */
static void vmx_set_spec_ctrl(struct lodge_vcpu *vcpu)
{
	struct vmx_entry *entry = &to_vmx(vcpu)->entry;

	if (!cpu_feature_enabled(X86_FEATURE_MSR_SPEC_CTRL))
		return;
	entry->guest_spec_ctrl = vcpu->regs.msrs.spec_ctrl;
	if (!entry->guest_spec_ctrl || entry->own_spec_ctrl ||
	    !(vmx_caps.proc & CPU_BASED_USE_MSR_BITMAPS))
		return;
	entry->own_spec_ctrl = true;
	vmx_write(MSR_BITMAP, vmx_bitmap_msr(true));
}

/* Only exits reach SYSCALL's registers and the PAT: they are up to date. */
static void vmx_get_msrs(struct lodge_vcpu *vcpu)
{
	struct lodge_msrs *msrs = &vcpu->regs.msrs;

	msrs->sysenter_cs = vmx_read(GUEST_SYSENTER_CS);
	msrs->sysenter_esp = vmx_read(GUEST_SYSENTER_ESP);
	msrs->sysenter_eip = vmx_read(GUEST_SYSENTER_EIP);
	vmx_get_spec_ctrl(vcpu);
}

static void vmx_set_msrs(struct lodge_vcpu *vcpu)
{
	const struct lodge_msrs *msrs = &vcpu->regs.msrs;

	vmx_write(GUEST_SYSENTER_CS, msrs->sysenter_cs);
	vmx_write(GUEST_SYSENTER_ESP, msrs->sysenter_esp);
	vmx_write(GUEST_SYSENTER_EIP, msrs->sysenter_eip);
	if (vmx_caps.entry & VM_ENTRY_LOAD_IA32_PAT)
		vmx_write(GUEST_IA32_PAT, msrs->pat);
	vmx_set_spec_ctrl(vcpu);
	/* Else vcpu_load does it. */
	if (lodge_vcpu_loaded(vcpu))
		vmx_load_syscall(vcpu);
}

/*
 * That of a load of SS holds debug traps back, too; that of STI needs the flag that
 * STI sets.  The ABI does not tell them apart.
 */
static u32 vmx_shadow(const struct lodge_vcpu *vcpu)
{
	if (!(vcpu->regs.events.flags & LODGE_EVENT_SHADOW_SS) &&
	    vcpu->regs.general.rflags & X86_EFLAGS_IF)
		return GUEST_INTR_STATE_STI;
	return GUEST_INTR_STATE_MOV_SS;
}

static void vmx_set_events(struct lodge_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	u32 flags = vcpu->regs.events.flags;
	bool nmi_blocked = flags & LODGE_EVENT_NMI_BLOCKED;
	bool virtual = vmx_caps.pin & PIN_BASED_VIRTUAL_NMIS;

	vmx->interruptibility = 0;
	if (flags & LODGE_EVENT_SHADOW)
		vmx->interruptibility |= vmx_shadow(vcpu);
	if (nmi_blocked && virtual)
		vmx->interruptibility |= GUEST_INTR_STATE_NMI;
	vmx->nmi_blocked = nmi_blocked && !virtual;
	vmx_write(GUEST_PENDING_DBG_EXCEPTIONS, 0);
}

void vmx_get_state(struct lodge_vcpu *vcpu, u64 groups)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	groups &= ~vmx->fresh;
	if (vmx->fresh & LODGE_GROUP_SEGMENTS)
		groups &= ~LODGE_GROUP_MODE;
	if (!groups)
		return;
	vmx_begin(vcpu);
	if (groups & LODGE_GROUP_MODE) {
		vmx_get_segment(vcpu, LODGE_CS);
		vmx_get_segment(vcpu, LODGE_SS);
	}
	if (groups & LODGE_GROUP_SEGMENTS)
		vmx_get_segments(vcpu);
	if (groups & LODGE_GROUP_CONTROL)
		vmx_get_control(vcpu);
	if (groups & LODGE_GROUP_MSRS)
		vmx_get_msrs(vcpu);
	vmx_end();
	vmx->fresh |= groups;
}

void vmx_set_state(struct lodge_vcpu *vcpu, u64 groups)
{
	vmx_begin(vcpu);
	if (groups & LODGE_GROUP_SEGMENTS)
		vmx_set_segments(vcpu);
	if (groups & LODGE_GROUP_CONTROL)
		vmx_set_control(vcpu);
	if (groups & LODGE_GROUP_DEBUG)
		vmx_write(GUEST_DR7, vcpu->regs.debug.dr7);
	if (groups & LODGE_GROUP_MSRS)
		vmx_set_msrs(vcpu);
	if (groups & LODGE_GROUP_EVENTS)
		vmx_set_events(vcpu);
	vmx_end();
	to_vmx(vcpu)->fresh |= groups & ~LODGE_GROUP_EVENTS;
}
