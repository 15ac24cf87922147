/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A vCPU's whole state at one moment, to be compared with a later one; and the
 * names of what tests put into registers.
 */
#ifndef LODGE_API_REGISTERS_H
#define LODGE_API_REGISTERS_H

#include <stdbool.h>
#include <stdint.h>

#include <lodge.h>

#define NONCANONICAL 0x0000800000000000ULL

#define CR0_PE (1ULL << 0)
#define CR0_ET (1ULL << 4)
#define CR0_NE (1ULL << 5)
#define CR0_NW (1ULL << 29)
#define CR0_CD (1ULL << 30)
#define CR0_PG (1ULL << 31)
#define CR4_PAE (1ULL << 5)
#define CR4_VMXE (1ULL << 13)
#define CR4_PCIDE (1ULL << 17)
#define EFER_SCE (1ULL << 0)
#define EFER_LME (1ULL << 8)
#define EFER_LMA (1ULL << 10)
#define EFER_NX (1ULL << 11)
#define EFER_SVME (1ULL << 12)
#define APIC_BASE_BSP (1ULL << 8)
#define APIC_BASE_X2APIC (1ULL << 10)
#define APIC_BASE_ENABLE (1ULL << 11)

/* Offsets in an XSAVE area of the standard form. */
#define XSAVE_MXCSR 24
#define XSAVE_ST0 32
#define XSAVE_XMM0 160
#define XSAVE_LEGACY_END 416
#define XSAVE_BV 512
#define XSAVE_COMPACT 520
#define XSAVE_RESERVED 528
#define XSAVE_YMM 576

/* Offsets in the page of the local APIC. */
#define APIC_ID 0x20
#define APIC_VERSION 0x30
#define APIC_TPR 0x80
#define APIC_PPR 0xa0
#define APIC_LDR 0xd0
#define APIC_SVR 0xf0
#define APIC_ISR 0x100
#define APIC_IRR 0x200
#define APIC_LVT_TIMER 0x320
#define APIC_LINT0 0x350
#define APIC_INITIAL 0x380
#define APIC_CURRENT 0x390
#define APIC_DIVIDE 0x3e0

/**
 * struct snapshot - all groups of a vCPU
 * @state: the inline groups, and where the others are
 * @xsave: area of @state.xsave_size bytes
 * @lapic: the local APIC
 */
struct snapshot {
	struct lodge_state state;
	uint8_t *xsave;
	struct lodge_lapic lapic;
};

/**
 * snapshot_take() - read all of a vCPU's groups
 *
 * Return: 0 or -errno.
 */
int snapshot_take(struct snapshot *snapshot, int vcpu, uint32_t xsave_size);
void snapshot_free(struct snapshot *snapshot);

/**
 * snapshot_differs() - find a change since then, other than of time
 *
 * Return: the name of a group, or NULL: nothing has.
 */
const char *snapshot_differs(const struct snapshot *before, int vcpu);

/**
 * registers_set() - set inline groups
 *
 * Return: 0 or -errno.
 */
int registers_set(int vcpu, uint64_t groups, const struct lodge_regs *regs);

/**
 * registers_swap() - set inline groups and read them into @now
 *
 * Return: 0 or -errno.
 */
int registers_swap(int vcpu, uint64_t groups, const struct lodge_regs *regs,
		   struct lodge_regs *now);

int xsave_get(int vcpu, uint8_t *area, uint32_t size);
int xsave_set(int vcpu, const uint8_t *area, uint32_t size);
int lapic_get(int vcpu, struct lodge_lapic *lapic);
int lapic_set(int vcpu, const struct lodge_lapic *lapic);

static inline uint32_t *lapic_word(struct lodge_lapic *lapic, uint32_t offset)
{
	return (uint32_t *)(lapic->regs + offset);
}

#endif
