// SPDX-License-Identifier: GPL-2.0
/*
 * The valid VMCSs that the oracle breaks: this host's state, and a guest of each
 * kind.
 */
#include <linux/kernel.h>
#include <asm/desc.h>
#include <asm/msr.h>
#include <asm/processor-flags.h>
#include <asm/segment.h>
#include <asm/special_insns.h>
#include <asm/vmx.h>

#include "oracle.h"

/* Of <asm/vmx.h> of newer kernels. */
#define ORACLE_VE_INFORMATION 0x202a

/* An exit ends here (enter.S). */
extern const char oracle_exited[];

static const char *const oracle_preset_names[ORACLE_NR_PRESETS] = {
	[ORACLE_LONG] = "64-bit",    [ORACLE_ALL] = "all controls",
	[ORACLE_PAE] = "PAE",	     [ORACLE_RESTRICTED] = "restricted",
	[ORACLE_REAL] = "real mode", [ORACLE_V86] = "virtual-8086",
	[ORACLE_TIMER] = "timer",
};

static const u32 oracle_fields[] = {
	VIRTUAL_PROCESSOR_ID,
	GUEST_ES_SELECTOR,
	GUEST_CS_SELECTOR,
	GUEST_SS_SELECTOR,
	GUEST_DS_SELECTOR,
	GUEST_FS_SELECTOR,
	GUEST_GS_SELECTOR,
	GUEST_LDTR_SELECTOR,
	GUEST_TR_SELECTOR,
	GUEST_INTR_STATUS,
	GUEST_PML_INDEX,
	HOST_ES_SELECTOR,
	HOST_CS_SELECTOR,
	HOST_SS_SELECTOR,
	HOST_DS_SELECTOR,
	HOST_FS_SELECTOR,
	HOST_GS_SELECTOR,
	HOST_TR_SELECTOR,
	IO_BITMAP_A,
	IO_BITMAP_B,
	MSR_BITMAP,
	VM_EXIT_MSR_STORE_ADDR,
	VM_EXIT_MSR_LOAD_ADDR,
	VM_ENTRY_MSR_LOAD_ADDR,
	PML_ADDRESS,
	TSC_OFFSET,
	VIRTUAL_APIC_PAGE_ADDR,
	APIC_ACCESS_ADDR,
	VM_FUNCTION_CONTROL,
	EPT_POINTER,
	EOI_EXIT_BITMAP0,
	EOI_EXIT_BITMAP1,
	EOI_EXIT_BITMAP2,
	EOI_EXIT_BITMAP3,
	EPTP_LIST_ADDRESS,
	VMREAD_BITMAP,
	VMWRITE_BITMAP,
	ORACLE_VE_INFORMATION,
	XSS_EXIT_BITMAP,
	TSC_MULTIPLIER,
	VMCS_LINK_POINTER,
	GUEST_IA32_DEBUGCTL,
	GUEST_IA32_PAT,
	GUEST_IA32_EFER,
	GUEST_IA32_PERF_GLOBAL_CTRL,
	GUEST_PDPTR0,
	GUEST_PDPTR1,
	GUEST_PDPTR2,
	GUEST_PDPTR3,
	HOST_IA32_PAT,
	HOST_IA32_EFER,
	HOST_IA32_PERF_GLOBAL_CTRL,
	PIN_BASED_VM_EXEC_CONTROL,
	CPU_BASED_VM_EXEC_CONTROL,
	EXCEPTION_BITMAP,
	PAGE_FAULT_ERROR_CODE_MASK,
	PAGE_FAULT_ERROR_CODE_MATCH,
	CR3_TARGET_COUNT,
	VM_EXIT_CONTROLS,
	VM_EXIT_MSR_STORE_COUNT,
	VM_EXIT_MSR_LOAD_COUNT,
	VM_ENTRY_CONTROLS,
	VM_ENTRY_MSR_LOAD_COUNT,
	VM_ENTRY_INTR_INFO_FIELD,
	VM_ENTRY_EXCEPTION_ERROR_CODE,
	VM_ENTRY_INSTRUCTION_LEN,
	TPR_THRESHOLD,
	SECONDARY_VM_EXEC_CONTROL,
	PLE_GAP,
	PLE_WINDOW,
	GUEST_ES_LIMIT,
	GUEST_CS_LIMIT,
	GUEST_SS_LIMIT,
	GUEST_DS_LIMIT,
	GUEST_FS_LIMIT,
	GUEST_GS_LIMIT,
	GUEST_LDTR_LIMIT,
	GUEST_TR_LIMIT,
	GUEST_GDTR_LIMIT,
	GUEST_IDTR_LIMIT,
	GUEST_ES_AR_BYTES,
	GUEST_CS_AR_BYTES,
	GUEST_SS_AR_BYTES,
	GUEST_DS_AR_BYTES,
	GUEST_FS_AR_BYTES,
	GUEST_GS_AR_BYTES,
	GUEST_LDTR_AR_BYTES,
	GUEST_TR_AR_BYTES,
	GUEST_INTERRUPTIBILITY_INFO,
	GUEST_ACTIVITY_STATE,
	GUEST_SYSENTER_CS,
	VMX_PREEMPTION_TIMER_VALUE,
	HOST_IA32_SYSENTER_CS,
	CR0_GUEST_HOST_MASK,
	CR4_GUEST_HOST_MASK,
	CR0_READ_SHADOW,
	CR4_READ_SHADOW,
	GUEST_CR0,
	GUEST_CR3,
	GUEST_CR4,
	GUEST_ES_BASE,
	GUEST_CS_BASE,
	GUEST_SS_BASE,
	GUEST_DS_BASE,
	GUEST_FS_BASE,
	GUEST_GS_BASE,
	GUEST_LDTR_BASE,
	GUEST_TR_BASE,
	GUEST_GDTR_BASE,
	GUEST_IDTR_BASE,
	GUEST_DR7,
	GUEST_RSP,
	GUEST_RIP,
	GUEST_RFLAGS,
	GUEST_PENDING_DBG_EXCEPTIONS,
	GUEST_SYSENTER_ESP,
	GUEST_SYSENTER_EIP,
	HOST_CR0,
	HOST_CR4,
	HOST_FS_BASE,
	HOST_GS_BASE,
	HOST_TR_BASE,
	HOST_GDTR_BASE,
	HOST_IDTR_BASE,
	HOST_IA32_SYSENTER_ESP,
	HOST_IA32_SYSENTER_EIP,
	HOST_RIP,
};

static bool oracle_there[ARRAY_SIZE(oracle_fields)];
static u64 oracle_values[ORACLE_NR_PRESETS][ARRAY_SIZE(oracle_fields)];

const char *oracle_preset_name(enum oracle_preset preset)
{
	return oracle_preset_names[preset];
}

static int oracle_field_index(u32 field)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(oracle_fields); i++)
		if (oracle_fields[i] == field)
			return i;
	WARN_ONCE(1, "no preset has field %#x", field);
	return 0;
}

u64 oracle_preset_value(enum oracle_preset preset, u32 field)
{
	return oracle_values[preset][oracle_field_index(field)];
}

void oracle_preset_write(enum oracle_preset preset)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(oracle_fields); i++)
		if (oracle_there[i])
			oracle_write(oracle_fields[i],
				     oracle_values[preset][i]);
	/* A thread of the kernel lives in whatever tables are loaded. */
	oracle_write(HOST_CR3, __read_cr3());
}

static void preset_set(enum oracle_preset preset, u32 field, u64 value)
{
	oracle_values[preset][oracle_field_index(field)] = value;
}

/* The controls of @wanted that there are, and those that must be set. */
static u32 preset_controls(u64 capability, u32 wanted)
{
	return (wanted & (capability >> 32)) | (u32)capability;
}

static void preset_set_controls(enum oracle_preset preset)
{
	const struct vmx_check_host *host = &oracle_host;
	u32 pin = PIN_BASED_EXT_INTR_MASK | PIN_BASED_NMI_EXITING;
	u32 proc = CPU_BASED_ACTIVATE_SECONDARY_CONTROLS;
	u32 proc2 = SECONDARY_EXEC_ENABLE_EPT |
		    SECONDARY_EXEC_UNRESTRICTED_GUEST;
	u32 exit = VM_EXIT_HOST_ADDR_SPACE_SIZE | VM_EXIT_LOAD_IA32_PAT |
		   VM_EXIT_LOAD_IA32_EFER;
	u32 entry = VM_ENTRY_LOAD_DEBUG_CONTROLS | VM_ENTRY_LOAD_IA32_PAT |
		    VM_ENTRY_LOAD_IA32_EFER;

	if (preset == ORACLE_ALL) {
		pin |= PIN_BASED_VIRTUAL_NMIS;
		proc |= CPU_BASED_USE_IO_BITMAPS | CPU_BASED_USE_MSR_BITMAPS |
			CPU_BASED_TPR_SHADOW;
		proc2 |= SECONDARY_EXEC_ENABLE_VPID |
			 SECONDARY_EXEC_VIRTUALIZE_APIC_ACCESSES |
			 SECONDARY_EXEC_ENABLE_VMFUNC |
			 SECONDARY_EXEC_SHADOW_VMCS |
			 SECONDARY_EXEC_ENABLE_PML |
			 SECONDARY_EXEC_TSC_SCALING |
			 VMCS_CONTROL_BIT(EPT_VIOLATION_VE);
		exit |= VM_EXIT_LOAD_IA32_PERF_GLOBAL_CTRL;
		entry |= VM_ENTRY_LOAD_IA32_PERF_GLOBAL_CTRL;
	}
	if (preset == ORACLE_TIMER)
		pin |= PIN_BASED_VMX_PREEMPTION_TIMER | PIN_BASED_VIRTUAL_NMIS;
	if (preset == ORACLE_RESTRICTED)
		proc2 &= ~SECONDARY_EXEC_UNRESTRICTED_GUEST;
	if (preset == ORACLE_LONG || preset == ORACLE_ALL)
		entry |= VM_ENTRY_IA32E_MODE;
	preset_set(preset, PIN_BASED_VM_EXEC_CONTROL,
		   preset_controls(host->pin, pin));
	preset_set(preset, CPU_BASED_VM_EXEC_CONTROL,
		   preset_controls(host->proc, proc));
	preset_set(preset, SECONDARY_VM_EXEC_CONTROL,
		   preset_controls(host->proc2, proc2));
	preset_set(preset, VM_EXIT_CONTROLS, preset_controls(host->exit, exit));
	preset_set(preset, VM_ENTRY_CONTROLS,
		   preset_controls(host->entry, entry));
}

static void preset_set_addresses(enum oracle_preset preset)
{
	static const u32 pages[] = {
		IO_BITMAP_A,	  IO_BITMAP_B,		 MSR_BITMAP,
		APIC_ACCESS_ADDR, EPTP_LIST_ADDRESS,	 VMREAD_BITMAP,
		VMWRITE_BITMAP,	  ORACLE_VE_INFORMATION, PML_ADDRESS,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pages); i++)
		preset_set(preset, pages[i], oracle_pages.zero);
	preset_set(preset, VIRTUAL_APIC_PAGE_ADDR, oracle_pages.apic);
	preset_set(preset, VM_ENTRY_MSR_LOAD_ADDR, oracle_pages.msrs);
	preset_set(preset, EPT_POINTER,
		   oracle_pages.zero | VMX_EPTP_PWL_4 | VMX_EPTP_MT_WB);
	preset_set(preset, VM_FUNCTION_CONTROL, oracle_host.vmfunc);
	preset_set(preset, VIRTUAL_PROCESSOR_ID, 1);
	preset_set(preset, TSC_MULTIPLIER, BIT_ULL(48));
	/* Whatever is delivered to the guest is an exit. */
	preset_set(preset, EXCEPTION_BITMAP, ~0U);
}

static void preset_set_host(enum oracle_preset preset)
{
	struct desc_ptr gdt, idt;
	u16 selector;
	u64 value;

	native_store_gdt(&gdt);
	store_idt(&idt);
	savesegment(es, selector);
	preset_set(preset, HOST_ES_SELECTOR, selector & ~7);
	savesegment(ds, selector);
	preset_set(preset, HOST_DS_SELECTOR, selector & ~7);
	preset_set(preset, HOST_CS_SELECTOR, __KERNEL_CS);
	preset_set(preset, HOST_SS_SELECTOR, __KERNEL_DS);
	preset_set(preset, HOST_TR_SELECTOR, GDT_ENTRY_TSS * 8);
	preset_set(preset, HOST_CR0, read_cr0());
	preset_set(preset, HOST_CR4, __read_cr4());
	rdmsrl(MSR_FS_BASE, value);
	preset_set(preset, HOST_FS_BASE, value);
	rdmsrl(MSR_GS_BASE, value);
	preset_set(preset, HOST_GS_BASE, value);
	preset_set(preset, HOST_TR_BASE,
		   (unsigned long)&get_cpu_entry_area(raw_smp_processor_id())
			   ->tss.x86_tss);
	preset_set(preset, HOST_GDTR_BASE, gdt.address);
	preset_set(preset, HOST_IDTR_BASE, idt.address);
	rdmsrl(MSR_IA32_SYSENTER_CS, value);
	preset_set(preset, HOST_IA32_SYSENTER_CS, value);
	rdmsrl(MSR_IA32_SYSENTER_ESP, value);
	preset_set(preset, HOST_IA32_SYSENTER_ESP, value);
	rdmsrl(MSR_IA32_SYSENTER_EIP, value);
	preset_set(preset, HOST_IA32_SYSENTER_EIP, value);
	rdmsrl(MSR_IA32_CR_PAT, value);
	preset_set(preset, HOST_IA32_PAT, value);
	preset_set(preset, GUEST_IA32_PAT, value);
	rdmsrl(MSR_EFER, value);
	preset_set(preset, HOST_IA32_EFER, value);
	preset_set(preset, GUEST_IA32_EFER, value);
	preset_set(preset, HOST_RIP, (unsigned long)oracle_exited);
}

static void preset_set_segment(enum oracle_preset preset, int index,
			       u16 selector, u32 limit, u32 access)
{
	preset_set(preset, GUEST_ES_SELECTOR + 2 * index, selector);
	preset_set(preset, GUEST_ES_LIMIT + 2 * index, limit);
	preset_set(preset, GUEST_ES_AR_BYTES + 2 * index, access);
	preset_set(preset, GUEST_ES_BASE + 2 * index, (u64)selector << 4);
}

/* Segments: ES is 0, CS 1, GS 5, LDTR 6, TR 7. */
static void preset_set_segments(enum oracle_preset preset, u16 selector,
				u32 limit, u32 code, u32 data)
{
	int i;

	for (i = 0; i < 6; i++)
		preset_set_segment(preset, i, selector, limit,
				   i == 1 ? code : data);
	preset_set_segment(preset, 6, 0, 0, VMX_AR_UNUSABLE_MASK);
	preset_set_segment(preset, 7, 0x18, 0x67, 0x8b);
}

static void preset_set_guest(enum oracle_preset preset)
{
	u64 efer = oracle_preset_value(preset, GUEST_IA32_EFER);

	preset_set(preset, GUEST_CR0,
		   X86_CR0_PG | X86_CR0_PE | X86_CR0_NE | X86_CR0_WP |
			   X86_CR0_ET);
	preset_set(preset, GUEST_CR4, X86_CR4_VMXE | X86_CR4_PAE);
	preset_set(preset, GUEST_CR3, oracle_pages.zero);
	preset_set(preset, GUEST_DR7, 0x400);
	preset_set(preset, GUEST_RFLAGS, X86_EFLAGS_FIXED);
	preset_set(preset, GUEST_GDTR_LIMIT, 0xffff);
	preset_set(preset, GUEST_IDTR_LIMIT, 0xffff);
	preset_set(preset, VMCS_LINK_POINTER, ~0ULL);
	preset_set_segments(preset, 8, ~0U, 0xc09b, 0xc093);
	switch (preset) {
	case ORACLE_LONG:
	case ORACLE_ALL:
		preset_set_segments(preset, 8, ~0U, 0xa09b, 0xc093);
		return;
	case ORACLE_REAL:
		preset_set(preset, GUEST_CR0, X86_CR0_NE | X86_CR0_ET);
		preset_set_segments(preset, 8, 0xffff, 0x9b, 0x93);
		break;
	case ORACLE_V86:
		preset_set(preset, GUEST_RFLAGS,
			   X86_EFLAGS_VM | X86_EFLAGS_FIXED);
		preset_set_segments(preset, 0x123, 0xffff, 0xf3, 0xf3);
		break;
	default:
		break;
	}
	preset_set(preset, GUEST_IA32_EFER, efer & ~(EFER_LME | EFER_LMA));
}

void oracle_presets_init(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(oracle_fields); i++)
		oracle_there[i] = oracle_has(oracle_fields[i]);
	for (i = 0; i < ORACLE_NR_PRESETS; i++) {
		preset_set_controls(i);
		preset_set_addresses(i);
		preset_set_host(i);
		preset_set_guest(i);
	}
}
