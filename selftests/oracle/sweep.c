// SPDX-License-Identifier: GPL-2.0
/*
 * Field by field: each bit of it flipped, and values that stand at the edge of
 * what is allowed.  Left out is what an entry that succeeds must not have, since
 * it would reach memory or break the host on the way back.
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <asm/processor-flags.h>
#include <asm/vmx.h>

#include "oracle.h"

#define ORACLE_BITS(count) GENMASK_ULL((count)-1, 0)
#define ORACLE_64 ~0ULL
/* Bits whose change makes a host's address not canonical, and so is refused. */
#define ORACLE_NOT_CANONICAL GENMASK_ULL(63, 47)
/* Bits of an address: those are not flipped that lead to other pages of RAM. */
#define ORACLE_ADDRESS 0
#define ORACLE_RAM GENMASK_ULL(35, PAGE_SHIFT)

#define ORACLE_ANY (BIT(ORACLE_NR_PRESETS) - 1)
#define ORACLE_ONE BIT(ORACLE_LONG)
#define ORACLE_WITH BIT(ORACLE_ALL)

/**
 * struct oracle_sweep - attempts with one field
 * @name: the test's
 * @field: its encoding
 * @presets: those that it is changed in, as bits
 * @flips: bits to flip; ORACLE_ADDRESS: those that are outside of RAM
 * @host: it is host state
 */
struct oracle_sweep {
	const char *name;
	u32 field;
	u32 presets;
	u64 flips;
	bool host;
};

#define ORACLE_SEGMENT(name)                                             \
	{ #name " selector", GUEST_##name##_SELECTOR, ORACLE_GUESTS,     \
	  ORACLE_BITS(16) },                                             \
		{ #name " base", GUEST_##name##_BASE, ORACLE_GUESTS,     \
		  ORACLE_64 },                                           \
		{ #name " limit", GUEST_##name##_LIMIT, ORACLE_GUESTS,   \
		  ORACLE_BITS(32) },                                     \
	{                                                                \
#name " access", GUEST_##name##_AR_BYTES, ORACLE_GUESTS, \
			ORACLE_BITS(32)                                  \
	}

static const struct oracle_sweep oracle_sweeps[] = {
	{ "pin controls", PIN_BASED_VM_EXEC_CONTROL, ORACLE_ANY,
	  ORACLE_BITS(32) },
	{ "proc controls", CPU_BASED_VM_EXEC_CONTROL, ORACLE_ANY,
	  ORACLE_BITS(32) },
	{ "secondary controls", SECONDARY_VM_EXEC_CONTROL, ORACLE_ANY,
	  ORACLE_BITS(32) },
	{ "exit controls", VM_EXIT_CONTROLS, ORACLE_ANY, ORACLE_BITS(32) },
	{ "entry controls", VM_ENTRY_CONTROLS, ORACLE_ANY, ORACLE_BITS(32) },
	{ "CR3 targets", CR3_TARGET_COUNT, ORACLE_ONE, ORACLE_BITS(32) },
	{ "I/O bitmap A", IO_BITMAP_A, ORACLE_WITH, ORACLE_ADDRESS },
	{ "I/O bitmap B", IO_BITMAP_B, ORACLE_WITH, ORACLE_ADDRESS },
	{ "MSR bitmap", MSR_BITMAP, ORACLE_WITH, ORACLE_ADDRESS },
	{ "APIC access address", APIC_ACCESS_ADDR, ORACLE_WITH,
	  ORACLE_ADDRESS },
	{ "virtual APIC address", VIRTUAL_APIC_PAGE_ADDR, ORACLE_WITH,
	  ORACLE_ADDRESS },
	{ "TPR threshold", TPR_THRESHOLD, ORACLE_WITH, ORACLE_BITS(32) },
	{ "EPT pointer", EPT_POINTER, ORACLE_ONE, ORACLE_ADDRESS },
	{ "VPID", VIRTUAL_PROCESSOR_ID, ORACLE_WITH, ORACLE_BITS(16) },
	{ "VM-function controls", VM_FUNCTION_CONTROL, ORACLE_WITH, ORACLE_64 },
	{ "EPTP list", EPTP_LIST_ADDRESS, ORACLE_WITH, ORACLE_ADDRESS },
	{ "VMREAD bitmap", VMREAD_BITMAP, ORACLE_WITH, ORACLE_ADDRESS },
	{ "VMWRITE bitmap", VMWRITE_BITMAP, ORACLE_WITH, ORACLE_ADDRESS },
	{ "PML address", PML_ADDRESS, ORACLE_WITH, ORACLE_ADDRESS },
	{ "TSC multiplier", TSC_MULTIPLIER, ORACLE_WITH, ORACLE_64 },
	{ "event", VM_ENTRY_INTR_INFO_FIELD, ORACLE_GUESTS, ORACLE_BITS(32) },

	{ "host CR0", HOST_CR0, ORACLE_ONE, ORACLE_64, true },
	{ "host CR4", HOST_CR4, ORACLE_ONE, ORACLE_64, true },
	{ "host SYSENTER_CS", HOST_IA32_SYSENTER_CS, ORACLE_ONE,
	  ORACLE_BITS(32), true },
	{ "host SYSENTER_ESP", HOST_IA32_SYSENTER_ESP, ORACLE_ONE, ORACLE_64,
	  true },
	{ "host SYSENTER_EIP", HOST_IA32_SYSENTER_EIP, ORACLE_ONE, ORACLE_64,
	  true },
	{ "host PAT", HOST_IA32_PAT, ORACLE_ONE, ORACLE_64, true },
	/* Without NX, tables that have it are malformed. */
	{ "host EFER", HOST_IA32_EFER, ORACLE_ONE, ORACLE_64 & ~EFER_NX, true },
	{ "host PERF_GLOBAL_CTRL", HOST_IA32_PERF_GLOBAL_CTRL, ORACLE_WITH,
	  ORACLE_64, true },
	{ "host ES", HOST_ES_SELECTOR, ORACLE_ONE, ORACLE_BITS(16), true },
	{ "host CS", HOST_CS_SELECTOR, ORACLE_ONE, ORACLE_BITS(16), true },
	{ "host SS", HOST_SS_SELECTOR, ORACLE_ONE, ORACLE_BITS(16), true },
	{ "host DS", HOST_DS_SELECTOR, ORACLE_ONE, ORACLE_BITS(16), true },
	{ "host FS", HOST_FS_SELECTOR, ORACLE_ONE, ORACLE_BITS(16), true },
	{ "host GS", HOST_GS_SELECTOR, ORACLE_ONE, ORACLE_BITS(16), true },
	{ "host TR", HOST_TR_SELECTOR, ORACLE_ONE, ORACLE_BITS(16), true },
	{ "host FS base", HOST_FS_BASE, ORACLE_ONE, ORACLE_64, true },
	{ "host GS base", HOST_GS_BASE, ORACLE_ONE, ORACLE_NOT_CANONICAL },
	{ "host TR base", HOST_TR_BASE, ORACLE_ONE, ORACLE_64, true },
	{ "host GDTR base", HOST_GDTR_BASE, ORACLE_ONE, ORACLE_64, true },
	{ "host IDTR base", HOST_IDTR_BASE, ORACLE_ONE, ORACLE_64, true },
	{ "host RIP", HOST_RIP, ORACLE_ONE, ORACLE_NOT_CANONICAL },

	{ "CR0", GUEST_CR0, ORACLE_GUESTS, ORACLE_64 },
	{ "CR3", GUEST_CR3, ORACLE_GUESTS, ORACLE_64 },
	{ "CR4", GUEST_CR4, ORACLE_GUESTS, ORACLE_64 },
	{ "DR7", GUEST_DR7, ORACLE_GUESTS, ORACLE_64 },
	{ "DEBUGCTL", GUEST_IA32_DEBUGCTL, ORACLE_ONE, ORACLE_64 },
	{ "SYSENTER_CS", GUEST_SYSENTER_CS, ORACLE_ONE, ORACLE_BITS(32) },
	{ "SYSENTER_ESP", GUEST_SYSENTER_ESP, ORACLE_GUESTS, ORACLE_64 },
	{ "SYSENTER_EIP", GUEST_SYSENTER_EIP, ORACLE_GUESTS, ORACLE_64 },
	{ "PERF_GLOBAL_CTRL", GUEST_IA32_PERF_GLOBAL_CTRL, ORACLE_WITH,
	  ORACLE_64 },
	{ "PAT", GUEST_IA32_PAT, ORACLE_GUESTS, ORACLE_64 },
	{ "EFER", GUEST_IA32_EFER, ORACLE_GUESTS, ORACLE_64 },
	ORACLE_SEGMENT(ES),
	ORACLE_SEGMENT(CS),
	ORACLE_SEGMENT(SS),
	ORACLE_SEGMENT(DS),
	ORACLE_SEGMENT(FS),
	ORACLE_SEGMENT(GS),
	ORACLE_SEGMENT(LDTR),
	ORACLE_SEGMENT(TR),
	{ "GDTR base", GUEST_GDTR_BASE, ORACLE_GUESTS, ORACLE_64 },
	{ "GDTR limit", GUEST_GDTR_LIMIT, ORACLE_GUESTS, ORACLE_BITS(32) },
	{ "IDTR base", GUEST_IDTR_BASE, ORACLE_GUESTS, ORACLE_64 },
	{ "IDTR limit", GUEST_IDTR_LIMIT, ORACLE_GUESTS, ORACLE_BITS(32) },
	{ "RIP", GUEST_RIP, ORACLE_GUESTS, ORACLE_64 },
	{ "RSP", GUEST_RSP, ORACLE_ONE, ORACLE_64 },
	{ "RFLAGS", GUEST_RFLAGS, ORACLE_GUESTS, ORACLE_64 },
	/* A guest that waits for SIPI would wait for ever. */
	{ "activity state", GUEST_ACTIVITY_STATE, BIT(ORACLE_TIMER),
	  ORACLE_BITS(32) },
	{ "interruptibility state", GUEST_INTERRUPTIBILITY_INFO, ORACLE_GUESTS,
	  ORACLE_BITS(32) },
	{ "pending debug exceptions", GUEST_PENDING_DBG_EXCEPTIONS,
	  ORACLE_GUESTS, ORACLE_64 },
	{ "PDPTE 0", GUEST_PDPTR0, ORACLE_GUESTS, ORACLE_64 },
	{ "PDPTE 3", GUEST_PDPTR3, ORACLE_GUESTS, ORACLE_64 },
};

/* Values at the edges: of a word's half, an address, a page, a type, a count. */
static u32 oracle_edges(const struct oracle_sweep *sweep, u64 *edges)
{
	u64 phys = BIT_ULL(oracle_host.phys_bits);
	u64 canonical = BIT_ULL(oracle_host.linear_bits - 1);
	u64 wide = sweep->flips == ORACLE_64;
	u32 count = 0;

	/* Addresses outside of RAM, where nothing is. */
	if (sweep->flips == ORACLE_ADDRESS) {
		edges[count++] = phys - PAGE_SIZE;
		edges[count++] = phys;
		return count;
	}
	if (sweep->host || sweep->flips == ORACLE_NOT_CANONICAL)
		return 0;
	for (edges[count++] = 0; count < 8; count++)
		edges[count] = count;
	if (sweep->flips == ORACLE_BITS(16)) {
		edges[count++] = 0xffff;
		return count;
	}
	edges[count++] = 0xfff;
	edges[count++] = 0xffff;
	edges[count++] = 0xfffff;
	edges[count++] = 0x1fffff;
	edges[count++] = 0xffffffff;
	if (!wide)
		return count;
	edges[count++] = phys - PAGE_SIZE;
	edges[count++] = phys;
	edges[count++] = canonical - 1;
	edges[count++] = canonical;
	edges[count++] = 2 * canonical;
	edges[count++] = -canonical;
	edges[count++] = -canonical - 1;
	edges[count++] = ~0ULL;
	return count;
}

#define ORACLE_MAX_EDGES 24

static u64 oracle_flips(const struct oracle_sweep *sweep)
{
	if (sweep->flips != ORACLE_ADDRESS)
		return sweep->flips;
	return ~ORACLE_RAM;
}

/* States with which the guest would be entered and not come back. */
static bool oracle_is_fatal(const struct oracle_set *set)
{
	return set->field == GUEST_ACTIVITY_STATE &&
	       set->value == GUEST_ACTIVITY_WAIT_SIPI;
}

static void oracle_try(const struct oracle_sweep *sweep,
		       enum oracle_preset preset, u64 value)
{
	struct oracle_set set = { sweep->field, value };

	if (!oracle_is_fatal(&set))
		oracle_attempt(preset, &set, 1, sweep->host);
}

static void oracle_sweep_preset(const struct oracle_sweep *sweep,
				enum oracle_preset preset)
{
	u64 valid = oracle_preset_value(preset, sweep->field);
	u64 flips = oracle_flips(sweep);
	u64 edges[ORACLE_MAX_EDGES];
	u32 count = oracle_edges(sweep, edges);
	int bit;
	u32 i;

	oracle_try(sweep, preset, valid);
	for (bit = 0; bit < 64; bit++)
		if (flips & BIT_ULL(bit))
			oracle_try(sweep, preset, valid ^ BIT_ULL(bit));
	for (i = 0; i < count; i++)
		oracle_try(sweep, preset, edges[i]);
}

void oracle_sweep(void)
{
	unsigned int i;
	int preset;

	for (i = 0; i < ARRAY_SIZE(oracle_sweeps); i++) {
		const struct oracle_sweep *sweep = &oracle_sweeps[i];

		if (!oracle_has(sweep->field)) {
			oracle_print("# no field %s\n", sweep->name);
			continue;
		}
		oracle_group_begin(sweep->name);
		for (preset = 0; preset < ORACLE_NR_PRESETS; preset++)
			if (sweep->presets & BIT(preset))
				oracle_sweep_preset(sweep, preset);
		oracle_group_end();
	}
}
