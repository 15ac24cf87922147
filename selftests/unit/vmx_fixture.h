/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fixture of the tests of VT-x's entry rules: processors, and a VMCS as an array,
 * valid for each kind of guest.  A program includes it once.
 */
#ifndef LODGE_UNIT_VMX_FIXTURE_H
#define LODGE_UNIT_VMX_FIXTURE_H

#include "vmx/check_rules.h"

#define MAX_RULES 64

/* Controls of the valid VMCS: those that must be 1, and some more. */
#define PIN (0x16UL | PIN_BASED_EXT_INTR_MASK | PIN_BASED_NMI_EXITING)
#define PROC (0x04006172UL | CPU_BASED_ACTIVATE_SECONDARY_CONTROLS)
#define PROC2 (SECONDARY_EXEC_ENABLE_EPT | SECONDARY_EXEC_UNRESTRICTED_GUEST)
#define RESTRICTED_PROC2 SECONDARY_EXEC_ENABLE_EPT
#define EXIT                                                                   \
	(0x36dfbUL | VM_EXIT_HOST_ADDR_SPACE_SIZE | VM_EXIT_ACK_INTR_ON_EXIT | \
	 VM_EXIT_LOAD_IA32_EFER | VM_EXIT_LOAD_IA32_PAT)
#define ENTRY                                                                \
	(0x11fbUL | VM_ENTRY_LOAD_DEBUG_CONTROLS | VM_ENTRY_LOAD_IA32_EFER | \
	 VM_ENTRY_LOAD_IA32_PAT)
#define TERTIARY (PROC | CPU_BASED_ACTIVATE_TERTIARY_CONTROLS)
#define SHADOW (PROC | CPU_BASED_TPR_SHADOW)

#define GUEST_CR0_VALUE (X86_CR0_PG | X86_CR0_PE | X86_CR0_NE | X86_CR0_WP)
#define GUEST_CR4_VALUE (X86_CR4_VMXE | X86_CR4_PAE)
#define LONG_EFER (EFER_SCE | EFER_LME | EFER_LMA)
#define PAT_VALUE 0x0007040600070406ULL

#define EVENT(type, vector) (INTR_INFO_VALID_MASK | INTR_TYPE_##type | (vector))
#define WITH_CODE INTR_INFO_DELIVER_CODE_MASK

/* Bits beyond physical addresses (46 bits) and linear ones (48 bits). */
#define NOT_PHYSICAL BIT_ULL(46)
#define NOT_CANONICAL BIT_ULL(47)
#define LAST_PAGE (NOT_PHYSICAL - 0x1000)

/* Pages of memory that rules read. */
#define VIRTUAL_APIC 0x8000ULL
#define VIRTUAL_TPR (VIRTUAL_APIC + 0x80)
#define THIS_VMCS 0x9000ULL
#define LINKED_VMCS 0xa000ULL
#define SHADOW_VMCS 0xb000ULL
#define FOREIGN_VMCS 0xc000ULL
#define PDPT 0xd000ULL
#define BAD_PDPT 0xe000ULL
#define REVISION 18

static bool fake_memory(void *context, u64 address, u64 *value)
{
	switch (address) {
	case VIRTUAL_TPR:
		*value = 0xffffff50;
		return true;
	case THIS_VMCS:
	case LINKED_VMCS:
		*value = REVISION;
		return true;
	case SHADOW_VMCS:
		*value = BIT(31) | REVISION;
		return true;
	case FOREIGN_VMCS:
		*value = REVISION + 1;
		return true;
	case BAD_PDPT + 24:
		*value = BIT(1) | BIT(0);
		return true;
	}
	*value = 0;
	return (address & ~0x1fULL) == PDPT || (address & ~0x1fULL) == BAD_PDPT;
}

/* The features of the processor CPU_FULL. */
static const struct vmx_check_host full = {
	.basic = REVISION | BIT_ULL(55),
	.pin = 0xffULL << 32 | 0x16,
	.proc = 0xfffffffeULL << 32 | 0x04006172,
	.proc2 = 0xdfffffffULL << 32,
	.proc3 = 0x1f,
	.exit = 0xbfffffffULL << 32 | 0x36dfb,
	.exit2 = BIT_ULL(3),
	.entry = 0xffffffULL << 32 | 0x11fb,
	.misc = 4 << 16 | 0x1c0,
	.cr0_fixed0 = X86_CR0_PG | X86_CR0_PE | X86_CR0_NE,
	.cr0_fixed1 = 0xffffffff,
	.cr4_fixed0 = X86_CR4_VMXE,
	.cr4_fixed1 = 0x3f77fff,
	.ept_vpid = VMX_EPTP_UC_BIT | VMX_EPTP_WB_BIT |
		    VMX_EPT_PAGE_WALK_4_BIT | VMX_EPT_PAGE_WALK_5_BIT |
		    VMX_EPT_AD_BIT | BIT_ULL(23),
	.vmfunc = VMX_VMFUNC_EPTP_SWITCHING,
	.efer = EFER_SCE | EFER_LME | EFER_LMA | EFER_NX,
	.debugctl = 0x7fc3,
	.perf_global_ctrl = 0x70000000fULL,
	.rtit_ctl = 0xffff,
	.lbr_ctl = 0x7f000f,
	.s_cet = VMX_S_CET_BITMAP | 0xc3f,
	.vmcs = THIS_VMCS,
	.memory = fake_memory,
	.phys_bits = 46,
	.linear_bits = 48,
	.sgx = true,
	.rtm = true,
	.bus_lock = true,
	.sti_blocks_nmi = true,
};

enum guest_mode {
	/* 64-bit mode */
	GUEST_LONG,
	/* PAE paging, and so protected mode */
	GUEST_PAE,
	GUEST_REAL,
	GUEST_V86,
	/* As GUEST_PAE, without the control unrestricted guest */
	GUEST_RESTRICTED,
};

/**
 * struct fake_vmcs - a VMCS
 * @fields: by their encodings
 * @minimal: the processor has only the fields of the first processors with VT-x
 * @misread: a field that was read though the processor lacks it
 */
struct fake_vmcs {
	u64 fields[0x8000];
	bool minimal;
	u32 misread;
};

static struct fake_vmcs vmcs;

/* True if a field came with a later feature, as most 64-bit fields did. */
static bool field_is_optional(u32 field)
{
	static const u32 always[] = {
		IO_BITMAP_A,
		IO_BITMAP_B,
		VM_EXIT_MSR_STORE_ADDR,
		VM_EXIT_MSR_LOAD_ADDR,
		VM_ENTRY_MSR_LOAD_ADDR,
		VMCS_LINK_POINTER,
		GUEST_IA32_DEBUGCTL,
	};
	size_t i;

	if ((field & 0x6000) == 0x2000) {
		for (i = 0; i < ARRAY_SIZE(always); i++)
			if (field == always[i])
				return false;
		return true;
	}
	return field < GUEST_ES_SELECTOR || field == VMX_FIELD_UINV ||
	       field == TPR_THRESHOLD || field == SECONDARY_VM_EXEC_CONTROL ||
	       field == VMX_FIELD_S_CET || field == VMX_FIELD_SSP ||
	       field == VMX_FIELD_SSP_TABLE || field >= VMX_FIELD_HOST_S_CET;
}

static u64 fake_read(void *context, u32 field)
{
	struct fake_vmcs *from = context;

	if (from->minimal && field_is_optional(field))
		from->misread = field;
	return from->fields[field];
}

static void set(u32 field, u64 value)
{
	vmcs.fields[field] = value;
}

static void set_segment(int index, u16 selector, u32 limit, u32 access)
{
	set(GUEST_ES_SELECTOR + 2 * index, selector);
	set(GUEST_ES_LIMIT + 2 * index, limit);
	set(GUEST_ES_AR_BYTES + 2 * index, access);
	set(GUEST_ES_BASE + 2 * index, 0);
}

static void set_controls_and_host(void)
{
	int i;

	set(PIN_BASED_VM_EXEC_CONTROL, PIN);
	set(CPU_BASED_VM_EXEC_CONTROL, PROC);
	set(SECONDARY_VM_EXEC_CONTROL, PROC2);
	set(VM_EXIT_CONTROLS, EXIT);
	set(VM_ENTRY_CONTROLS, ENTRY | VM_ENTRY_IA32E_MODE);
	set(EPT_POINTER, 0x1000 | VMX_EPTP_PWL_4 | 6);
	set(HOST_CR0, X86_CR0_PG | X86_CR0_PE | X86_CR0_NE | X86_CR0_WP);
	set(HOST_CR3, 0x1000);
	set(HOST_CR4, X86_CR4_VMXE | X86_CR4_PAE);
	set(HOST_IA32_EFER, LONG_EFER);
	set(HOST_IA32_PAT, PAT_VALUE);
	for (i = 0; i < 7; i++)
		set(HOST_ES_SELECTOR + 2 * i, 8 * (i + 1));
}

static void set_guest(void)
{
	int i;

	set(GUEST_CR0, GUEST_CR0_VALUE);
	set(GUEST_CR3, 0x2000);
	set(GUEST_CR4, GUEST_CR4_VALUE);
	set(GUEST_DR7, 0x400);
	set(GUEST_RFLAGS, X86_EFLAGS_FIXED);
	set(GUEST_IA32_EFER, LONG_EFER);
	set(GUEST_IA32_PAT, PAT_VALUE);
	set(VMCS_LINK_POINTER, ~0ULL);
	set(GUEST_GDTR_LIMIT, 0xffff);
	set(GUEST_IDTR_LIMIT, 0xffff);
	for (i = VMX_ES; i <= VMX_GS; i++)
		set_segment(i, 0x10, ~0U, 0xc093);
	set_segment(VMX_CS, 8, ~0U, 0xa09b);
	set_segment(VMX_LDTR, 0, 0, VMX_AR_UNUSABLE_MASK);
	set_segment(VMX_TR, 0x18, 0x67, 0x8b);
}

/* Fills in a VMCS that breaks no rule. */
static void valid_vmcs(enum guest_mode mode)
{
	int i;

	memset(&vmcs, 0, sizeof(vmcs));
	set_controls_and_host();
	set_guest();
	if (mode == GUEST_LONG)
		return;
	set(VM_ENTRY_CONTROLS, ENTRY);
	set(GUEST_IA32_EFER, 0);
	for (i = 0; i < 4; i++)
		set(GUEST_PDPTR0 + 2 * i, 0x3001);
	set_segment(VMX_CS, 8, ~0U, 0xc09b);
	if (mode == GUEST_RESTRICTED)
		set(SECONDARY_VM_EXEC_CONTROL, RESTRICTED_PROC2);
	if (mode == GUEST_REAL) {
		set(GUEST_CR0, X86_CR0_NE);
		for (i = VMX_ES; i <= VMX_GS; i++)
			set_segment(i, 0, 0xffff, 0x93);
	}
	if (mode == GUEST_V86) {
		set(GUEST_RFLAGS, X86_EFLAGS_VM | X86_EFLAGS_FIXED);
		for (i = VMX_ES; i <= VMX_GS; i++) {
			set_segment(i, 0x123, 0xffff, 0xf3);
			set(GUEST_ES_BASE + 2 * i, 0x1230);
		}
	}
}

#endif
