/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The oracle: a VMCS is broken field by field, judged by module/vmx/check.c, and
 * entered; judge and processor must agree.
 *
 * No guest ever runs an instruction.  With EPT there is no memory that it could
 * fetch one from, and without, no page: an entry that succeeds ends at once.
 * All is done on one processor, each entry with interrupts off.
 */
#ifndef LODGE_ORACLE_H
#define LODGE_ORACLE_H

#include <linux/types.h>

#include "vmx/check.h"

#define ORACLE_MAX_RULES 64

/**
 * enum oracle_outcome - the result of an entry, as bits
 * @ORACLE_ENTERED: all checks passed
 * @ORACLE_CONTROL: VMfail with VM-instruction error 7
 * @ORACLE_HOST: VMfail with VM-instruction error 8
 * @ORACLE_GUEST: VM exit with basic exit reason 33
 * @ORACLE_OTHER: anything else
 */
enum oracle_outcome {
	ORACLE_ENTERED = 1,
	ORACLE_CONTROL = 2,
	ORACLE_HOST = 4,
	ORACLE_GUEST = 8,
	ORACLE_OTHER = 16,
};

/* Valid VMCSs to begin with. */
enum oracle_preset {
	/* A guest in 64-bit mode. */
	ORACLE_LONG,
	/* The same with every control that brings an address. */
	ORACLE_ALL,
	/* Protected mode with PAE paging. */
	ORACLE_PAE,
	/* The same without the control unrestricted guest. */
	ORACLE_RESTRICTED,
	ORACLE_REAL,
	ORACLE_V86,
	/* Protected mode, and a timer that ends HLT and shutdown at once. */
	ORACLE_TIMER,
	ORACLE_NR_PRESETS,
};

#define ORACLE_GUESTS                                                  \
	(BIT(ORACLE_LONG) | BIT(ORACLE_PAE) | BIT(ORACLE_RESTRICTED) | \
	 BIT(ORACLE_REAL) | BIT(ORACLE_V86))

/**
 * struct oracle_pages - physical addresses of pages, all zero but as told
 * @vmxon: begins with the revision
 * @vmcs: the VMCS
 * @linked: begins with the revision
 * @shadow: begins with the revision, as a shadow VMCS
 * @apic: the virtual TPR is 0x50
 * @msrs: no MSR, so that loading from there fails
 * @zero: for all else
 */
struct oracle_pages {
	u64 vmxon;
	u64 vmcs;
	u64 linked;
	u64 shadow;
	u64 apic;
	u64 msrs;
	u64 zero;
};

/* processor.c */
extern struct oracle_pages oracle_pages;
extern struct vmx_check_host oracle_host;

/**
 * oracle_on() - enter VMX operation with a VMCS of our own
 *
 * Return: 0, -EOPNOTSUPP without VT-x, -EBUSY when it is in use, -ENOMEM.
 */
int oracle_on(void);

/* Leaves VMX operation; also after oracle_on() has failed. */
void oracle_off(void);

/* Return: true if the processor has the field. */
bool oracle_has(u32 field);
u64 oracle_read(u32 field);
void oracle_write(u32 field, u64 value);

/**
 * oracle_enter() - try a VM entry, with interrupts off
 * @preset: what to enter with afterwards, when the host state that an exit
 *	loads is not the host's; negative: it is
 */
enum oracle_outcome oracle_enter(int preset);

/* preset.c */
void oracle_presets_init(void);
const char *oracle_preset_name(enum oracle_preset preset);
u64 oracle_preset_value(enum oracle_preset preset, u32 field);
/* Fills in the whole VMCS, with interrupts off. */
void oracle_preset_write(enum oracle_preset preset);

/* attempt.c: the report, TAP, of which a group is a test */

/**
 * struct oracle_set - one write to the VMCS
 */
struct oracle_set {
	u32 field;
	u64 value;
};

void oracle_group_begin(const char *name);
void oracle_group_end(void);

/**
 * oracle_attempt() - judge and enter a preset with some fields changed
 * @preset: enum oracle_preset
 * @sets: what is changed
 * @count: how many
 * @host: host state is changed
 */
void oracle_attempt(enum oracle_preset preset, const struct oracle_set *sets,
		    u32 count, bool host);

/* A line of the report. */
__printf(1, 2) void oracle_print(const char *format, ...);
/* One test more. */
__printf(2, 3) void oracle_test(bool passed, const char *format, ...);

/* An attempt with a preset and some { field, value }. */
#define ATTEMPT(preset, ...)                                           \
	do {                                                           \
		const struct oracle_set sets[] = { __VA_ARGS__ };      \
                                                                       \
		oracle_attempt(preset, sets, ARRAY_SIZE(sets), false); \
	} while (0)

#define EVENT(type, vector) (INTR_INFO_VALID_MASK | INTR_TYPE_##type | (vector))

static inline u32 when(bool set, u32 bits)
{
	return set ? bits : 0;
}

/**
 * struct oracle_combination - a group of attempts
 */
struct oracle_combination {
	const char *name;
	void (*combine)(void);
};

void oracle_combine(const struct oracle_combination *combinations, u32 count);

/* sweep.c, combine_control.c, combine_guest.c: all their attempts */
void oracle_sweep(void);
void oracle_combine_controls(void);
void oracle_combine_guest(void);

/* emulator.c: where Bochs 3.0 is not as the manual says */

/* The outcomes that the manual allows for broken rules, as bits. */
u32 oracle_manual_outcomes(const struct lodge_rule *rules, u32 count);

/* The emulator's outcomes for them, and for the VMCS as it is. */
u32 oracle_emulator_outcomes(const struct lodge_rule *rules, u32 count);

/* Return: true if the emulator would stop at this VMCS for want of an answer. */
bool oracle_emulator_stops(void);

/* The emulator did what the last oracle_emulator_outcomes() said. */
void oracle_emulator_differed(void);

/* One test for each known difference: it was seen. */
void oracle_emulator_report(void);

#endif
