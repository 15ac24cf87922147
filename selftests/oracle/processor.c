// SPDX-License-Identifier: GPL-2.0
/*
 * VMX operation for the oracle: on, off, fields, entries.
 */
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <asm/cpufeature.h>
#include <asm/desc.h>
#include <asm/msr-index.h>
#include <asm/processor.h>
#include <asm/special_insns.h>
#include <asm/tlbflush.h>
#include <asm/vmx.h>

#include "oracle.h"

#define ORACLE_VIRTUAL_TPR 0x50

/* From enter.S. */
int oracle_enter_guest(bool launched);

struct oracle_pages oracle_pages;

static bool oracle_operates;

static u64 oracle_msr(u32 index)
{
	u32 low = 0, high = 0;

	rdmsr_safe(index, &low, &high);
	return (u64)high << 32 | low;
}

static bool oracle_memory(void *context, u64 address, u64 *value)
{
	if (!pfn_valid(address >> PAGE_SHIFT))
		return false;
	*value = *(u64 *)phys_to_virt(address);
	return true;
}

/* The features of Bochs, and of any processor by its capabilities. */
struct vmx_check_host oracle_host = {
	.efer = EFER_SCE | EFER_LME | EFER_LMA | EFER_NX,
	.debugctl = 0xffc3,
	.perf_global_ctrl = 0x70000000fULL,
	.memory = oracle_memory,
	.linear_bits = 48,
	.sti_blocks_nmi = true,
};

static void oracle_read_capabilities(void)
{
	struct vmx_check_host *host = &oracle_host;
	bool has_true;

	host->basic = oracle_msr(MSR_IA32_VMX_BASIC);
	has_true = host->basic & BIT_ULL(55);
	host->pin = oracle_msr(has_true ? MSR_IA32_VMX_TRUE_PINBASED_CTLS :
					  MSR_IA32_VMX_PINBASED_CTLS);
	host->proc = oracle_msr(has_true ? MSR_IA32_VMX_TRUE_PROCBASED_CTLS :
					   MSR_IA32_VMX_PROCBASED_CTLS);
	host->exit = oracle_msr(has_true ? MSR_IA32_VMX_TRUE_EXIT_CTLS :
					   MSR_IA32_VMX_EXIT_CTLS);
	host->entry = oracle_msr(has_true ? MSR_IA32_VMX_TRUE_ENTRY_CTLS :
					    MSR_IA32_VMX_ENTRY_CTLS);
	host->proc2 = oracle_msr(MSR_IA32_VMX_PROCBASED_CTLS2);
	host->misc = oracle_msr(MSR_IA32_VMX_MISC);
	host->cr0_fixed0 = oracle_msr(MSR_IA32_VMX_CR0_FIXED0);
	host->cr0_fixed1 = oracle_msr(MSR_IA32_VMX_CR0_FIXED1);
	host->cr4_fixed0 = oracle_msr(MSR_IA32_VMX_CR4_FIXED0);
	host->cr4_fixed1 = oracle_msr(MSR_IA32_VMX_CR4_FIXED1);
	host->ept_vpid = oracle_msr(MSR_IA32_VMX_EPT_VPID_CAP);
	host->vmfunc = oracle_msr(MSR_IA32_VMX_VMFUNC);
	host->phys_bits = boot_cpu_data.x86_phys_bits;
	host->vmcs = oracle_pages.vmcs;
}

static bool oracle_vmx(u8 failed)
{
	return !failed;
}

static bool oracle_vmxon(u64 address)
{
	u8 failed;

	asm volatile("vmxon %1; setbe %0"
		     : "=qm"(failed)
		     : "m"(address)
		     : "cc", "memory");
	return oracle_vmx(failed);
}

static bool oracle_vmclear(u64 address)
{
	u8 failed;

	asm volatile("vmclear %1; setbe %0"
		     : "=qm"(failed)
		     : "m"(address)
		     : "cc", "memory");
	return oracle_vmx(failed);
}

static bool oracle_vmptrld(u64 address)
{
	u8 failed;

	asm volatile("vmptrld %1; setbe %0"
		     : "=qm"(failed)
		     : "m"(address)
		     : "cc", "memory");
	return oracle_vmx(failed);
}

static bool oracle_vmread(u32 field, u64 *value)
{
	u8 failed;

	asm volatile("vmread %2, %1; setbe %0"
		     : "=qm"(failed), "=r"(*value)
		     : "r"((u64)field)
		     : "cc");
	return oracle_vmx(failed);
}

bool oracle_has(u32 field)
{
	u64 value;

	return oracle_vmread(field, &value);
}

u64 oracle_read(u32 field)
{
	u64 value = 0;

	WARN_ONCE(!oracle_vmread(field, &value), "no field %#x", field);
	return value;
}

void oracle_write(u32 field, u64 value)
{
	u8 failed;

	asm volatile("vmwrite %1, %2; setbe %0"
		     : "=qm"(failed)
		     : "r"(value), "r"((u64)field)
		     : "cc");
	WARN_ONCE(failed, "no field %#x", field);
}

static u64 *oracle_page(u64 *address)
{
	unsigned long page = get_zeroed_page(GFP_KERNEL);

	*address = page ? virt_to_phys((void *)page) : 0;
	return (u64 *)page;
}

static bool oracle_make_pages(void)
{
	u32 revision =
		vmx_basic_vmcs_revision_id(oracle_msr(MSR_IA32_VMX_BASIC));
	u64 *vmxon = oracle_page(&oracle_pages.vmxon);
	u64 *vmcs = oracle_page(&oracle_pages.vmcs);
	u64 *linked = oracle_page(&oracle_pages.linked);
	u64 *shadow = oracle_page(&oracle_pages.shadow);
	u64 *apic = oracle_page(&oracle_pages.apic);
	u64 *msrs = oracle_page(&oracle_pages.msrs);
	u64 *zero = oracle_page(&oracle_pages.zero);

	if (!vmxon || !vmcs || !linked || !shadow || !apic || !msrs || !zero)
		return false;
	*vmxon = *vmcs = *linked = revision;
	*shadow = BIT(31) | revision;
	apic[0x80 / sizeof(*apic)] = ORACLE_VIRTUAL_TPR;
	/* The index's reserved half is not zero. */
	memset(msrs, 0xff, PAGE_SIZE);
	return true;
}

static void oracle_free_pages(void)
{
	u64 *address = (u64 *)&oracle_pages;
	size_t i;

	for (i = 0; i < sizeof(oracle_pages) / sizeof(*address); i++)
		if (address[i])
			free_page((unsigned long)phys_to_virt(address[i]));
}

int oracle_on(void)
{
	u64 control = oracle_msr(MSR_IA32_FEAT_CTL);

	if (!(cpuid_ecx(1) & BIT(X86_FEATURE_VMX & 31)) ||
	    !(control & FEAT_CTL_VMX_ENABLED_OUTSIDE_SMX))
		return -EOPNOTSUPP;
	if (cr4_read_shadow() & X86_CR4_VMXE)
		return -EBUSY;
	if (!oracle_make_pages())
		return -ENOMEM;
	oracle_read_capabilities();
	cr4_set_bits(X86_CR4_VMXE);
	oracle_operates = oracle_vmxon(oracle_pages.vmxon);
	if (!oracle_operates || !oracle_vmclear(oracle_pages.vmcs) ||
	    !oracle_vmptrld(oracle_pages.vmcs))
		return -EIO;
	return 0;
}

void oracle_off(void)
{
	if (oracle_operates) {
		oracle_vmclear(oracle_pages.vmcs);
		asm volatile("vmxoff" : : : "cc", "memory");
		oracle_operates = false;
		cr4_clear_bits(X86_CR4_VMXE);
	}
	oracle_free_pages();
}

static enum oracle_outcome oracle_failed(void)
{
	switch (oracle_read(VM_INSTRUCTION_ERROR)) {
	case 7:
		return ORACLE_CONTROL;
	case 8:
		return ORACLE_HOST;
	}
	return ORACLE_OTHER;
}

/* To load MSRs comes after the checks, and fails by an exit reason of its own. */
static enum oracle_outcome oracle_exited_for(u32 reason)
{
	switch (reason) {
	case VMX_EXIT_REASONS_FAILED_VMENTRY | EXIT_REASON_INVALID_STATE:
		return ORACLE_GUEST;
	case VMX_EXIT_REASONS_FAILED_VMENTRY | EXIT_REASON_MSR_LOAD_FAIL:
		return ORACLE_ENTERED;
	}
	return reason & VMX_EXIT_REASONS_FAILED_VMENTRY ? ORACLE_OTHER :
							  ORACLE_ENTERED;
}

/* A VMCS that was entered is to be entered by another instruction. */
static enum oracle_outcome oracle_enter_once(void)
{
	static bool launched;
	enum oracle_outcome outcome;

	if (launched) {
		oracle_vmclear(oracle_pages.vmcs);
		oracle_vmptrld(oracle_pages.vmcs);
		launched = false;
	}
	if (oracle_enter_guest(false))
		return oracle_failed();
	outcome = oracle_exited_for(oracle_read(VM_EXIT_REASON));
	launched = outcome == ORACLE_ENTERED;
	return outcome;
}

/*
 * No interrupt that is pending may reach a guest, which would lose it: none is
 * above this priority.
 */
static u64 oracle_hold_interrupts(void)
{
	u64 priority;

	asm volatile("mov %%cr8, %0" : "=r"(priority));
	asm volatile("mov %0, %%cr8" : : "r"(15UL));
	return priority;
}

static void oracle_release_interrupts(u64 priority)
{
	asm volatile("mov %0, %%cr8" : : "r"(priority));
}

enum oracle_outcome oracle_enter(int preset)
{
	enum oracle_outcome outcome;
	struct desc_ptr gdt, idt;
	u64 priority = oracle_hold_interrupts();

	native_store_gdt(&gdt);
	store_idt(&idt);
	outcome = oracle_enter_once();
	if (outcome == ORACLE_ENTERED && preset >= 0) {
		oracle_preset_write(preset);
		WARN_ONCE(oracle_enter_once() != ORACLE_ENTERED,
			  "the host's own state is refused");
	}
	/* An exit leaves other limits, or none. */
	native_load_gdt(&gdt);
	native_load_idt(&idt);
	invalidate_tss_limit();
	oracle_release_interrupts(priority);
	return outcome;
}
