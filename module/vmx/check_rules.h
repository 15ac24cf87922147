/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shared by the tables of entry rules: the row, the VMCS as the rules see it,
 * and the predicates that more than one of them needs.
 */
#ifndef LODGE_VMX_CHECK_RULES_H
#define LODGE_VMX_CHECK_RULES_H

#include "vmx/check.h"

#include <asm/msr-index.h>
#include <asm/vmx.h>

#include "processor.h"

/* Fields (SDM vol. 3D, appendix B) and controls that older headers lack. */
#define VMX_FIELD_UINV 0x0814
#define VMX_FIELD_VE_INFORMATION 0x202a
#define VMX_FIELD_SPPTP 0x2030
#define VMX_FIELD_PASID_LOW 0x2038
#define VMX_FIELD_PASID_HIGH 0x203a
#define VMX_FIELD_HLATP 0x2040
#define VMX_FIELD_EXIT2_CONTROLS 0x2044
#define VMX_FIELD_LBR_CTL 0x2816
#define VMX_FIELD_PKRS 0x2818
#define VMX_FIELD_HOST_PKRS 0x2c06
#define VMX_FIELD_S_CET 0x6828
#define VMX_FIELD_SSP 0x682a
#define VMX_FIELD_SSP_TABLE 0x682c
#define VMX_FIELD_HOST_S_CET 0x6c18
#define VMX_FIELD_HOST_SSP 0x6c1a
#define VMX_FIELD_HOST_SSP_TABLE 0x6c1c

/* Entry and exit change neither NW nor CD, and so neither is checked. */
#define VMX_CR0_UNCHECKED (X86_CR0_NW | X86_CR0_CD)

#define VMX_PROC2_PASID BIT(21)
#define VMX_PROC2_SPP BIT(23)
#define VMX_PROC3_HLAT BIT(1)
#define VMX_PROC3_PAGING_WRITE BIT(2)
#define VMX_PROC3_VERIFY_PAGING BIT(3)
#define VMX_EXIT_LOAD_CET BIT(28)
#define VMX_EXIT_LOAD_PKRS BIT(29)
#define VMX_EXIT_SECONDARY BIT(31)
#define VMX_ENTRY_LOAD_UINV BIT(19)
#define VMX_ENTRY_LOAD_CET BIT(20)
#define VMX_ENTRY_LOAD_LBR_CTL BIT(21)
#define VMX_ENTRY_LOAD_PKRS BIT(22)

/* IA32_VMX_BASIC: addresses have 32 bits; exceptions need no fitting error code;
 * an event may be a nested exception.
 */
#define VMX_BASIC_NARROW BIT_ULL(48)
#define VMX_BASIC_ANY_ERROR_CODE BIT_ULL(56)
#define VMX_BASIC_NESTED_EXCEPTION BIT_ULL(58)

/* IA32_S_CET: SUPPRESS and TRACKER; the base of the legacy bitmap. */
#define VMX_S_CET_TRACKER (BIT_ULL(10) | BIT_ULL(11))
#define VMX_S_CET_BITMAP GENMASK_ULL(63, 12)

#define VMX_HIGH_HALF GENMASK_ULL(63, 32)

enum vmx_word {
	VMX_WORD_PIN,
	VMX_WORD_PROC,
	VMX_WORD_PROC2,
	VMX_WORD_PROC3,
	VMX_WORD_EXIT,
	VMX_WORD_EXIT2,
	VMX_WORD_ENTRY,
	VMX_WORD_VMFUNC,
	VMX_NR_WORDS,
};

/* In the order of the encodings. */
enum vmx_segment_index {
	VMX_ES,
	VMX_CS,
	VMX_SS,
	VMX_DS,
	VMX_FS,
	VMX_GS,
	VMX_LDTR,
	VMX_TR,
	VMX_NR_SEGMENTS,
};

/**
 * struct vmx_segment - a segment register of the guest
 * @selector: visible part
 * @limit: bytes
 * @access: access rights
 * @base: linear address
 */
struct vmx_segment {
	u16 selector;
	u32 limit;
	u32 access;
	u64 base;
};

/**
 * struct vmx_checker - a VMCS as the rules see it
 * @read: reads its fields
 * @context: for @read and for the host's memory
 * @host: the processor's features
 * @controls: words of controls; of bits that the processor lacks, none, so that
 *	no field is read which they would bring
 * @event: VM-entry interruption information; 0: there is none
 * @cr0: the guest's, as the next two
 * @cr4: the guest's
 * @rflags: the guest's
 * @segments: by enum vmx_segment_index
 * @rules: vmx_check()'s
 * @max: room in @rules
 * @found: rules stored there
 */
struct vmx_checker {
	vmx_check_read_fn read;
	void *context;
	const struct vmx_check_host *host;
	u64 controls[VMX_NR_WORDS];
	u32 event;
	u64 cr0;
	u64 cr4;
	u64 rflags;
	struct vmx_segment segments[VMX_NR_SEGMENTS];
	struct lodge_rule *rules;
	u32 max;
	u32 found;
};

/**
 * struct vmx_rule - one entry rule about one field
 * @id: enum vmx_rule_id
 * @name: of the field that breaks it
 * @text: the rule, in short, with its section of the manual
 * @field: its encoding
 * @word: enum vmx_word; with @with: the rule is for a VMCS that has all these
 *	controls set, and so the field is there
 * @with: bits of @word; 0: for every VMCS
 * @broken: true if this value breaks the rule; NULL: the rest decides
 * @zero: bits that must be zero
 * @one: bits that must be one
 * @known: the u64 in struct vmx_check_host, by its offset, that has the bits known
 *	to the processor: others must be zero; 0: there is none
 * @needs_word: enum vmx_word; with @needs: the controls that must be set
 * @needs: bits of @needs_word
 */
struct vmx_rule {
	u32 id;
	char name[16];
	char text[64];
	u32 field;
	u32 word;
	u64 with;
	bool (*broken)(const struct vmx_checker *check, u64 value);
	u64 zero;
	u64 one;
	u16 known;
	u32 needs_word;
	u64 needs;
};

#define VMX_ALWAYS .word = VMX_WORD_PIN, .with = 0
#define VMX_WITH(name, bits) .word = VMX_WORD_##name, .with = (bits)
#define VMX_ZERO(bits) .zero = (bits)
#define VMX_ONE(bits) .one = (bits)
#define VMX_NEEDS(name, bits) .needs_word = VMX_WORD_##name, .needs = (bits)
#define VMX_KNOWN(member) .known = offsetof(struct vmx_check_host, member)

/* Stores a broken rule, where there is room; @name and @text are theirs. */
void vmx_check_found(struct vmx_checker *check, u32 id, const char *name,
		     const char *text, u64 value);

/* Judges @count rules, one after the other. */
void vmx_check_table(struct vmx_checker *check, const struct vmx_rule *table,
		     u32 count);

void vmx_check_controls(struct vmx_checker *check);
void vmx_check_transitions(struct vmx_checker *check);
void vmx_check_host_state(struct vmx_checker *check);
void vmx_check_guest_state(struct vmx_checker *check);
void vmx_check_segments(struct vmx_checker *check);
void vmx_check_non_registers(struct vmx_checker *check);

/* Predicates: true if a value is not what its field must hold. */
bool vmx_check_not_page(const struct vmx_checker *check, u64 value);
bool vmx_check_not_canonical(const struct vmx_checker *check, u64 value);
bool vmx_check_not_pat(const struct vmx_checker *check, u64 value);
bool vmx_check_not_cr3(const struct vmx_checker *check, u64 value);
bool vmx_check_not_cr4(const struct vmx_checker *check, u64 value);
bool vmx_check_tracker_suppressed(const struct vmx_checker *check, u64 value);

static inline bool vmx_check_has(const struct vmx_checker *check,
				 enum vmx_word word, u64 bits)
{
	return (check->controls[word] & bits) == bits;
}

/* A capability tells bits that must be 1 and, above, those that may be. */
static inline bool vmx_check_not_allowed(u64 capability, u64 value)
{
	return (value & ~(capability >> 32)) || (~value & (u32)capability);
}

static inline bool vmx_check_unrestricted(const struct vmx_checker *check)
{
	return vmx_check_has(check, VMX_WORD_PROC2,
			     SECONDARY_EXEC_UNRESTRICTED_GUEST);
}

static inline bool vmx_check_ia32e_guest(const struct vmx_checker *check)
{
	return vmx_check_has(check, VMX_WORD_ENTRY, VM_ENTRY_IA32E_MODE);
}

static inline bool vmx_check_64bit_guest(const struct vmx_checker *check)
{
	return vmx_check_ia32e_guest(check) &&
	       (check->segments[VMX_CS].access & VMX_AR_L_MASK);
}

/* Bits of an address in a VMCS's controls that must be clear. */
static inline u64 vmx_check_beyond(const struct vmx_checker *check)
{
	if (check->host->basic & VMX_BASIC_NARROW)
		return VMX_HIGH_HALF;
	return GENMASK_ULL(63, check->host->phys_bits);
}

/* True if an event of this INTR_TYPE_* is injected. */
static inline bool vmx_check_injects(const struct vmx_checker *check, u32 type)
{
	return check->event &&
	       (check->event & INTR_INFO_INTR_TYPE_MASK) == type;
}

#endif
