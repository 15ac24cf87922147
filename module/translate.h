/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From the guest's linear addresses to its physical ones, with the last walk of
 * each kind remembered.
 *
 * A remembered answer is believed only after each page-table entry of that walk
 * was read again and is what it was: the answer is always the one that a walk
 * would give now, whatever the guest has written meanwhile.
 */
#ifndef LODGE_TRANSLATE_H
#define LODGE_TRANSLATE_H

#include "gva.h"

struct lodge_vcpu;

/* Levels of 4-level paging. */
#define LODGE_WALK_STEPS 4

/**
 * struct lodge_walk_key - the state that a walk depends on beside the entries
 * @page: linear address of the page
 * @cr0: CR0
 * @cr3: CR3
 * @cr4: CR4
 * @efer: EFER
 * @rflags: RFLAGS.AC, with which a supervisor reaches user pages under SMAP
 * @pkru: PKRU
 * @cpl: current privilege level
 * @access: LODGE_ACCESS_*
 */
struct lodge_walk_key {
	u64 page;
	u64 cr0;
	u64 cr3;
	u64 cr4;
	u64 efer;
	u64 rflags;
	u32 pkru;
	u16 cpl;
	u16 access;
};

/**
 * struct lodge_walk_step - an entry that a walk has read
 * @where: its address in user space
 * @value: its content then
 */
struct lodge_walk_step {
	const u64 __user *where;
	u64 value;
};

/**
 * struct lodge_walk - a walk that came to an end without a fault
 * @usable: the rest is filled in
 * @nr: entries that were read
 * @key: the state that the walk depended on
 * @generation: vm->slots_generation at the time
 * @gpa: guest physical address of the page
 * @memory: the page's address in user space; NULL: there is no slot
 * @step: the entries, from the root down
 */
struct lodge_walk {
	bool usable;
	u8 nr;
	struct lodge_walk_key key;
	u64 generation;
	u64 gpa;
	const u8 __user *memory;
	struct lodge_walk_step step[LODGE_WALK_STEPS];
};

/**
 * lodge_translate() - walk the guest's page tables
 * @linear: linear address
 * @access: LODGE_ACCESS_*
 * @gpa: out: guest physical address
 * @fault: out: the page fault
 *
 * CONTROL of vcpu->regs, and SS, are up to date.  May sleep.
 *
 * Return: as lodge_gva_walk().
 */
int lodge_translate(struct lodge_vcpu *vcpu, u64 linear, unsigned int access,
		    u64 *gpa, struct lodge_fault *fault);

/**
 * lodge_translate_missed() - see if the last lodge_translate() has met no memory
 * @gpa: its answer
 *
 * Return: true if there is no slot at @gpa; false: look there.
 */
bool lodge_translate_missed(const struct lodge_vcpu *vcpu, u64 gpa);

/**
 * lodge_translate_code_again() - read instruction bytes by the last walk
 * @linear: the address of the first
 * @bytes: out: 16 of them
 *
 * Never sleeps; interrupts may be off.
 *
 * Return: false if it cannot do that; lodge_translate_code() can.
 */
bool lodge_translate_code_again(struct lodge_vcpu *vcpu, u64 linear, u8 *bytes);

/**
 * lodge_translate_code() - read instruction bytes, not beyond the page's end
 * @linear: the address of the first
 * @bytes: out
 * @size: how many are wanted, at most 16
 * @got: out: how many there are
 * @fault: out: the page fault
 *
 * Return: as lodge_gva_walk() and lodge_mem_read().
 */
int lodge_translate_code(struct lodge_vcpu *vcpu, u64 linear, u8 *bytes,
			 size_t size, size_t *got, struct lodge_fault *fault);

#endif
