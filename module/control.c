// SPDX-License-Identifier: GPL-2.0
/*
 * Control registers: the values that a guest or a caller may give CR0, CR3, CR4, EFER
 * and XCR0, alone and together (AMD APM vol. 2, sections 3.1, 11.5 and 14.6).
 */
#include <linux/mm.h>
#include <asm/fpu/types.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "apic.h"
#include "backend.h"
#include "descriptor.h"
#include "mem.h"
#include "processor.h"
#include "state.h"
#include "vcpu.h"

#define LODGE_CR0_BITS                                                    \
	(X86_CR0_PE | X86_CR0_MP | X86_CR0_EM | X86_CR0_TS | X86_CR0_ET | \
	 X86_CR0_NE | X86_CR0_WP | X86_CR0_AM | X86_CR0_NW | X86_CR0_CD | \
	 X86_CR0_PG)

/* A change of these invalidates translations that the guest's TLB may hold. */
#define LODGE_CR0_TRANSLATION (X86_CR0_PG | X86_CR0_WP)
#define LODGE_CR4_TRANSLATION                                      \
	(X86_CR4_PSE | X86_CR4_PAE | X86_CR4_PGE | X86_CR4_PCIDE | \
	 X86_CR4_SMEP | X86_CR4_SMAP | X86_CR4_PKE)
#define LODGE_EFER_TRANSLATION (EFER_LME | EFER_LMA | EFER_NX)

/* A change of these reads PAE's page-directory pointers (SDM vol. 3, 4.4.1). */
#define LODGE_CR0_PDPTES (X86_CR0_CD | X86_CR0_NW | X86_CR0_PG)
#define LODGE_CR4_PDPTES \
	(X86_CR4_PAE | X86_CR4_PGE | X86_CR4_PSE | X86_CR4_SMEP)

#define LODGE_PDPTES_BASE GENMASK_ULL(31, 5)

static bool lodge_control_cr0_valid(u64 cr0)
{
	if (cr0 & ~GENMASK_ULL(31, 0))
		return false;
	if (cr0 & X86_CR0_NW && !(cr0 & X86_CR0_CD))
		return false;
	return !(cr0 & X86_CR0_PG) || cr0 & X86_CR0_PE;
}

static bool lodge_control_cr3_valid(const struct lodge_vcpu *vcpu, u64 cr3)
{
	return !(cr3 >> vcpu->features.phys_bits);
}

static bool lodge_control_xcr0_valid(const struct lodge_vcpu *vcpu, u64 xcr0)
{
	const u64 avx512 = XFEATURE_MASK_AVX512;

	/* The reset value, also where the vCPU has no XSAVE. */
	if (xcr0 == XFEATURE_MASK_FP)
		return true;
	if (!(xcr0 & XFEATURE_MASK_FP) || xcr0 & ~vcpu->features.xcr0)
		return false;
	if (xcr0 & XFEATURE_MASK_YMM && !(xcr0 & XFEATURE_MASK_SSE))
		return false;
	if (!(xcr0 & avx512))
		return true;
	return (xcr0 & avx512) == avx512 && xcr0 & XFEATURE_MASK_YMM;
}

bool lodge_control_valid(const struct lodge_vcpu *vcpu,
			 const struct lodge_control *c)
{
	bool long_mode = c->efer & EFER_LME && c->cr0 & X86_CR0_PG;

	if (!lodge_control_cr0_valid(c->cr0) || c->cr0 & ~LODGE_CR0_BITS)
		return false;
	if (c->cr4 & ~vcpu->features.cr4 || c->efer & ~vcpu->features.efer)
		return false;
	if (!lodge_control_cr3_valid(vcpu, c->cr3) || c->cr8 > 15)
		return false;
	if (!lodge_control_xcr0_valid(vcpu, c->xcr0))
		return false;
	if (long_mode != !!(c->efer & EFER_LMA))
		return false;
	if (long_mode && !(c->cr4 & X86_CR4_PAE))
		return false;
	if (c->cr4 & X86_CR4_PCIDE && !long_mode)
		return false;
	return lodge_lapic_base_valid(vcpu->apic, c->apic_base);
}

/* Make the backend's state what vcpu->regs.control says. */
static void lodge_control_commit(struct lodge_vcpu *vcpu, bool flush)
{
	lodge_backend->set_state(vcpu, LODGE_GROUP_CONTROL);
	if (flush)
		lodge_vcpu_flush_tlb(vcpu, false);
}

static bool lodge_control_keeps_pdptes(const struct lodge_control *c)
{
	return lodge_backend->set_pdptes && c->cr0 & X86_CR0_PG &&
	       c->cr4 & X86_CR4_PAE && !(c->efer & EFER_LMA);
}

/* Return: true for #GP: one has a reserved bit, or there is no memory. */
static bool lodge_control_load_pdptes(struct lodge_vcpu *vcpu,
				      const struct lodge_control *c)
{
	u64 reserved = LODGE_PDPTE_RESERVED |
		       GENMASK_ULL(63, vcpu->features.phys_bits);
	u64 pdptes[4];
	unsigned int i;

	if (!lodge_control_keeps_pdptes(c))
		return false;
	if (lodge_mem_read(vcpu->vm, c->cr3 & LODGE_PDPTES_BASE, pdptes,
			   sizeof(pdptes)))
		return true;
	for (i = 0; i < ARRAY_SIZE(pdptes); i++)
		if (pdptes[i] & LODGE_PDPTE_PRESENT && pdptes[i] & reserved)
			return true;
	lodge_backend->set_pdptes(vcpu, pdptes);
	return false;
}

/* Bad PDPTEs make the entry fail; without memory none is present. */
void lodge_control_read_pdptes(struct lodge_vcpu *vcpu)
{
	const struct lodge_control *c = &vcpu->regs.control;
	u64 pdptes[4];

	lodge_backend->get_state(vcpu, LODGE_GROUP_CONTROL);
	if (!lodge_control_keeps_pdptes(c))
		return;
	if (lodge_mem_read(vcpu->vm, c->cr3 & LODGE_PDPTES_BASE, pdptes,
			   sizeof(pdptes)))
		memset(pdptes, 0, sizeof(pdptes));
	lodge_backend->set_pdptes(vcpu, pdptes);
}

static bool lodge_control_in_64bit(struct lodge_vcpu *vcpu)
{
	lodge_backend->get_state(vcpu, LODGE_GROUP_SEGMENTS);
	return vcpu->regs.segments.seg[LODGE_CS].attr & LODGE_SEG_L;
}

/*
 * Intel's processors do not enter long mode with a TSS of 16 bits, which VM entry
 * would refuse (SDM vol. 2, MOV to control registers); AMD's do not look.
 */
static bool lodge_control_has_16bit_task(struct lodge_vcpu *vcpu)
{
	u8 type;

	if (boot_cpu_data.x86_vendor != X86_VENDOR_INTEL)
		return false;
	lodge_backend->get_state(vcpu, LODGE_GROUP_SEGMENTS);
	type = vcpu->regs.segments.seg[LODGE_TR].attr & LODGE_SEG_TYPE;
	return (type & ~LODGE_SYSTEM_BUSY) == LODGE_SYSTEM_TSS16;
}

/* With LME the processor enters long mode.  Return: true for #GP. */
static bool lodge_control_paging_on(struct lodge_vcpu *vcpu,
				    struct lodge_control *c)
{
	if (!(c->efer & EFER_LME))
		return false;
	if (!(c->cr4 & X86_CR4_PAE) || lodge_control_in_64bit(vcpu) ||
	    lodge_control_has_16bit_task(vcpu))
		return true;
	c->efer |= EFER_LMA;
	return false;
}

/* Return: true for #GP. */
static bool lodge_control_paging_off(struct lodge_vcpu *vcpu,
				     struct lodge_control *c)
{
	if (c->cr4 & X86_CR4_PCIDE)
		return true;
	if (c->efer & EFER_LMA && lodge_control_in_64bit(vcpu))
		return true;
	c->efer &= ~EFER_LMA;
	return false;
}

bool lodge_control_set_cr0(struct lodge_vcpu *vcpu, u64 value)
{
	struct lodge_control *c = &vcpu->regs.control;
	struct lodge_control new;
	u64 changed;
	bool fault = false;

	if (!lodge_control_cr0_valid(value))
		return true;
	lodge_backend->get_state(vcpu, LODGE_GROUP_CONTROL);
	new = *c;
	/* Reserved bits of the lower half are ignored; ET is fixed. */
	new.cr0 = (value & LODGE_CR0_BITS) | X86_CR0_ET;
	changed = c->cr0 ^ new.cr0;
	if (changed & X86_CR0_PG)
		fault = new.cr0 &X86_CR0_PG ?
				lodge_control_paging_on(vcpu, &new) :
				lodge_control_paging_off(vcpu, &new);
	if (!fault && changed & LODGE_CR0_PDPTES)
		fault = lodge_control_load_pdptes(vcpu, &new);
	if (fault)
		return true;
	*c = new;
	lodge_control_commit(vcpu, changed & LODGE_CR0_TRANSLATION);
	return false;
}

/* Bit 63 asks to keep translations; that they go all the same is allowed. */
bool lodge_control_set_cr3(struct lodge_vcpu *vcpu, u64 value)
{
	struct lodge_control *c = &vcpu->regs.control;
	struct lodge_control new;

	lodge_backend->get_state(vcpu, LODGE_GROUP_CONTROL);
	if (c->cr4 & X86_CR4_PCIDE)
		value &= ~X86_CR3_PCID_NOFLUSH;
	if (!lodge_control_cr3_valid(vcpu, value))
		return true;
	new = *c;
	new.cr3 = value;
	if (lodge_control_load_pdptes(vcpu, &new))
		return true;
	*c = new;
	lodge_control_commit(vcpu, true);
	return false;
}

bool lodge_control_set_cr4(struct lodge_vcpu *vcpu, u64 value)
{
	struct lodge_control *c = &vcpu->regs.control;
	struct lodge_control new;
	u64 changed;

	if (value & ~vcpu->features.cr4)
		return true;
	lodge_backend->get_state(vcpu, LODGE_GROUP_CONTROL);
	new = *c;
	new.cr4 = value;
	changed = c->cr4 ^ value;
	if (c->efer & EFER_LMA && !(value & X86_CR4_PAE))
		return true;
	if (changed & value & X86_CR4_PCIDE &&
	    (!(c->efer & EFER_LMA) || c->cr3 & X86_CR3_PCID_MASK))
		return true;
	if (changed & LODGE_CR4_PDPTES && lodge_control_load_pdptes(vcpu, &new))
		return true;
	*c = new;
	lodge_control_commit(vcpu, changed & LODGE_CR4_TRANSLATION);
	return false;
}

bool lodge_control_set_efer(struct lodge_vcpu *vcpu, u64 value)
{
	struct lodge_control *c = &vcpu->regs.control;
	u64 changed;

	/* LMA is the processor's: a write leaves it alone. */
	value = (value & ~EFER_LMA) | (c->efer & EFER_LMA);
	changed = c->efer ^ value;
	if (value & ~vcpu->features.efer)
		return true;
	if (changed & value & EFER_NX &&
	    vcpu->regs.msrs.misc_enable & MSR_IA32_MISC_ENABLE_XD_DISABLE)
		return true;
	if (changed & EFER_LME && c->cr0 & X86_CR0_PG)
		return true;
	lodge_backend->get_state(vcpu, LODGE_GROUP_CONTROL);
	c->efer = value;
	lodge_control_commit(vcpu, changed & LODGE_EFER_TRANSLATION);
	return false;
}

bool lodge_control_set_xcr0(struct lodge_vcpu *vcpu, u64 value)
{
	if (!lodge_control_xcr0_valid(vcpu, value))
		return true;
	vcpu->regs.control.xcr0 = value;
	return false;
}
