// SPDX-License-Identifier: GPL-2.0
/*
 * Features of processors by their names.
 *
 * The words are those of the module's default CPUID (module/cpuid_default.c).  Names are
 * those of the features that a guest of Lodge can have (Intel SDM vol. 2, CPUID; AMD APM
 * vol. 3, appendix E).
 */
#include "machine/features.h"

#include <stdio.h>
#include <string.h>

#define WORD_BITS 32
#define ADDRESSES 0x80000008
#define WIDTH 0xff
#define XSAVE_LEAF 0xd
#define SUBLEAVES_LEAF 7

/* The bits of leaf 1's EDX that AMD repeats in leaf 0x80000001's. */
#define EXTENDED_LEAF 0x80000001
#define ALIASES 0x0183f3ffU

enum { EAX, EBX, ECX, EDX };

/**
 * struct word - a register of CPUID that has features
 * @leaf: EAX in
 * @subleaf: ECX in
 * @reg: the register
 * @names: by bit; NULL: it has none
 */
struct word {
	uint32_t leaf;
	uint32_t subleaf;
	unsigned int reg;
	const char *names[WORD_BITS];
};

static const struct word words[FEATURES_WORDS] = {
	{ 1,
	  0,
	  EDX,
	  { [0] = "fpu",    [1] = "vme",      [2] = "de",    [3] = "pse",
	    [4] = "tsc",    [5] = "msr",      [6] = "pae",   [7] = "mce",
	    [8] = "cx8",    [9] = "apic",     [11] = "sep",  [12] = "mtrr",
	    [13] = "pge",   [14] = "mca",     [15] = "cmov", [16] = "pat",
	    [17] = "pse36", [19] = "clflush", [23] = "mmx",  [24] = "fxsr",
	    [25] = "sse",   [26] = "sse2" } },
	{ 1,
	  0,
	  ECX,
	  { [0] = "sse3",
	    [1] = "pclmulqdq",
	    [9] = "ssse3",
	    [12] = "fma",
	    [13] = "cx16",
	    [17] = "pcid",
	    [19] = "sse4_1",
	    [20] = "sse4_2",
	    [21] = "x2apic",
	    [22] = "movbe",
	    [23] = "popcnt",
	    [24] = "tsc_deadline_timer",
	    [25] = "aes",
	    [26] = "xsave",
	    [28] = "avx",
	    [29] = "f16c",
	    [30] = "rdrand",
	    [31] = "hypervisor" } },
	{ 6, 0, EAX, { [2] = "arat" } },
	{ 7,
	  0,
	  EBX,
	  { [0] = "fsgsbase",  [1] = "tsc_adjust",  [3] = "bmi1",
	    [5] = "avx2",      [7] = "smep",	    [8] = "bmi2",
	    [9] = "erms",      [10] = "invpcid",    [16] = "avx512f",
	    [17] = "avx512dq", [18] = "rdseed",	    [19] = "adx",
	    [20] = "smap",     [21] = "avx512ifma", [23] = "clflushopt",
	    [24] = "clwb",     [28] = "avx512cd",   [29] = "sha_ni",
	    [30] = "avx512bw", [31] = "avx512vl" } },
	{ 7,
	  0,
	  ECX,
	  { [1] = "avx512vbmi",
	    [2] = "umip",
	    [3] = "pku",
	    [6] = "avx512_vbmi2",
	    [8] = "gfni",
	    [9] = "vaes",
	    [10] = "vpclmulqdq",
	    [11] = "avx512_vnni",
	    [12] = "avx512_bitalg",
	    [14] = "avx512_vpopcntdq",
	    [22] = "rdpid",
	    [25] = "cldemote",
	    [27] = "movdiri",
	    [28] = "movdir64b" } },
	{ 7,
	  0,
	  EDX,
	  { [4] = "fsrm",
	    [8] = "avx512_vp2intersect",
	    [10] = "md_clear",
	    [14] = "serialize",
	    [23] = "avx512_fp16",
	    [26] = "spec_ctrl",
	    [27] = "intel_stibp",
	    [28] = "flush_l1d",
	    [29] = "arch_capabilities",
	    [31] = "spec_ctrl_ssbd" } },
	{ 7, 1, EAX, { [4] = "avx_vnni", [5] = "avx512_bf16" } },
	{ 7, 2, EDX, { NULL } },
	{ 0xd,
	  1,
	  EAX,
	  { [0] = "xsaveopt", [1] = "xsavec", [2] = "xgetbv1", [3] = "xsaves" } },
	{ 0x80000001,
	  0,
	  EDX,
	  { [11] = "syscall",
	    [20] = "nx",
	    [22] = "mmxext",
	    [26] = "pdpe1gb",
	    [27] = "rdtscp",
	    [29] = "lm",
	    [30] = "3dnowext",
	    [31] = "3dnow" } },
	{ 0x80000001,
	  0,
	  ECX,
	  { [0] = "lahf_lm",
	    [4] = "cr8_legacy",
	    [5] = "abm",
	    [6] = "sse4a",
	    [7] = "misalignsse",
	    [8] = "3dnowprefetch",
	    [11] = "xop",
	    [16] = "fma4",
	    [21] = "tbm",
	    [22] = "topoext" } },
	{ 0x80000007, 0, EDX, { [8] = "nonstop_tsc" } },
	{ ADDRESSES,
	  0,
	  EBX,
	  { [0] = "clzero",
	    [2] = "xsaveerptr",
	    [9] = "wbnoinvd",
	    [12] = "ibpb",
	    [14] = "ibrs",
	    [15] = "stibp",
	    [24] = "ssbd" } },
	{ 0x80000021, 0, EAX, { [8] = "autoibrs" } },
	{ 0x80000021, 0, ECX, { NULL } },
};

static uint32_t *reg_of(struct lodge_cpuid_entry *entry, unsigned int reg)
{
	uint32_t *const regs[] = { &entry->eax, &entry->ebx, &entry->ecx,
				   &entry->edx };

	return regs[reg];
}

/* Return: a leaf, or NULL. */
static struct lodge_cpuid_entry *find(struct cpu_state *state, uint32_t leaf,
				      uint32_t subleaf)
{
	for (uint32_t i = 0; i < state->nr_leaves; i++) {
		struct lodge_cpuid_entry *entry = &state->leaves[i];

		if (entry->leaf == leaf && entry->subleaf == subleaf)
			return entry;
	}
	return NULL;
}

/* Return: a register of a leaf; 0 if there is no such leaf. */
static uint32_t value_of(const struct cpu_state *state, uint32_t leaf,
			 uint32_t subleaf, unsigned int reg)
{
	/* It is only read. */
	struct lodge_cpuid_entry *entry =
		find((struct cpu_state *)state, leaf, subleaf);

	return entry ? *reg_of(entry, reg) : 0;
}

static uint32_t word_of(const struct cpu_state *state, const struct word *word)
{
	return value_of(state, word->leaf, word->subleaf, word->reg);
}

/* Return: the bits of a word that a processor may have beside those of its features. */
static uint32_t aliases_of(const struct cpu_state *state,
			   const struct word *word)
{
	return word->leaf == EXTENDED_LEAF && word->reg == EDX ?
		       value_of(state, 1, 0, EDX) & ALIASES :
		       0;
}

static void write_name(const struct word *word, unsigned int bit,
		       char name[static FEATURE_NAME_SIZE])
{
	static const char *const regs[] = { "EAX", "EBX", "ECX", "EDX" };

	if (word->names[bit])
		snprintf(name, FEATURE_NAME_SIZE, "%s", word->names[bit]);
	else
		snprintf(name, FEATURE_NAME_SIZE,
			 "bit %u of %s of CPUID %#x.%u", bit, regs[word->reg],
			 word->leaf, word->subleaf);
}

static bool is_narrower(const struct cpu_state *own,
			const struct cpu_state *wanted,
			char name[static FEATURE_NAME_SIZE])
{
	const uint32_t width = value_of(wanted, ADDRESSES, 0, EAX) & WIDTH;

	if (width <= (value_of(own, ADDRESSES, 0, EAX) & WIDTH))
		return false;
	snprintf(name, FEATURE_NAME_SIZE, "physical addresses of %u bits",
		 width);
	return true;
}

bool features_lack(const struct cpu_state *own, const struct cpu_state *wanted,
		   char name[static FEATURE_NAME_SIZE])
{
	for (size_t i = 0; i < FEATURES_WORDS; i++) {
		const uint32_t lacking = word_of(wanted, &words[i]) &
					 ~word_of(own, &words[i]) &
					 ~aliases_of(own, &words[i]);

		if (lacking) {
			write_name(&words[i], __builtin_ctz(lacking), name);
			return true;
		}
	}
	return is_narrower(own, wanted, name);
}

bool features_add(struct feature_set *set, const char *name, size_t length)
{
	for (unsigned int at = 0; at < FEATURES_WORDS * WORD_BITS; at++) {
		const char *own = words[at / WORD_BITS].names[at % WORD_BITS];

		if (!own || strncmp(own, name, length) || own[length])
			continue;
		set->words[at / WORD_BITS] |= 1U << at % WORD_BITS;
		return true;
	}
	return false;
}

const char *features_next(const struct feature_set *set, unsigned int *at)
{
	while (*at < FEATURES_WORDS * WORD_BITS) {
		const unsigned int word = *at / WORD_BITS;
		const unsigned int bit = *at % WORD_BITS;

		++*at;
		if (set->words[word] >> bit & 1)
			return words[word].names[bit];
	}
	return NULL;
}

/* Return: the bits of a word that have names. */
static uint32_t named(const struct word *word)
{
	uint32_t bits = 0;

	for (unsigned int bit = 0; bit < WORD_BITS; bit++)
		if (word->names[bit])
			bits |= 1U << bit;
	return bits;
}

void features_of(struct feature_set *set, const struct cpu_state *state)
{
	for (size_t i = 0; i < FEATURES_WORDS; i++)
		set->words[i] = word_of(state, &words[i]) & named(&words[i]);
}

const char *features_miss(const struct feature_set *set,
			  const struct cpu_state *state)
{
	struct feature_set missing;
	unsigned int at = 0;

	features_of(&missing, state);
	for (size_t i = 0; i < FEATURES_WORDS; i++)
		missing.words[i] = set->words[i] & ~missing.words[i];
	return features_next(&missing, &at);
}

/* Return: the components of XSAVE that belong to the features of a CPUID. */
static uint64_t components_of(const struct cpu_state *state)
{
	static const struct {
		uint32_t leaf;
		unsigned int reg;
		uint32_t bit;
		uint64_t components;
	} rows[] = {
		{ 1, ECX, 1U << 28, 1 << 2 }, /* AVX */
		{ 7, EBX, 1U << 16, 7 << 5 }, /* AVX-512 */
		{ 7, ECX, 1U << 3, 1 << 9 }, /* PKRU */
	};
	/* x87 and SSE, with XSAVE. */
	uint64_t components = value_of(state, 1, 0, ECX) >> 26 & 1 ? 3 : 0;

	for (size_t i = 0; components && i < sizeof(rows) / sizeof(rows[0]);
	     i++)
		if (value_of(state, rows[i].leaf, 0, rows[i].reg) & rows[i].bit)
			components |= rows[i].components;
	return components;
}

static bool is_kept(const struct lodge_cpuid_entry *entry, uint64_t components)
{
	if (entry->leaf != XSAVE_LEAF || entry->subleaf == 1)
		return true;
	if (!entry->subleaf)
		return components;
	return entry->subleaf < 64 && components >> entry->subleaf & 1;
}

/* Takes the components of XSAVE away that no feature needs any more. */
static void keep_components(struct cpu_state *state)
{
	const uint64_t components = components_of(state);
	struct lodge_cpuid_entry *entry = find(state, XSAVE_LEAF, 0);
	uint32_t kept = 0;

	if (entry) {
		entry->eax &= (uint32_t)components;
		entry->edx &= (uint32_t)(components >> WORD_BITS);
	}
	for (uint32_t i = 0; i < state->nr_leaves; i++)
		if (is_kept(&state->leaves[i], components))
			state->leaves[kept++] = state->leaves[i];
	state->nr_leaves = kept;
}

static void count_subleaves(struct cpu_state *state)
{
	struct lodge_cpuid_entry *entry = find(state, SUBLEAVES_LEAF, 0);

	if (!entry)
		return;
	entry->eax = 0;
	if (value_of(state, SUBLEAVES_LEAF, 1, EAX))
		entry->eax = 1;
	if (value_of(state, SUBLEAVES_LEAF, 2, EDX))
		entry->eax = 2;
}

void features_keep(struct cpu_state *state, const struct feature_set *set)
{
	for (size_t i = 0; i < FEATURES_WORDS; i++) {
		struct lodge_cpuid_entry *entry =
			find(state, words[i].leaf, words[i].subleaf);
		const uint32_t allowed = set->words[i] |
					 aliases_of(state, &words[i]);

		if (entry)
			*reg_of(entry, words[i].reg) &= allowed;
	}
	keep_components(state);
	count_subleaves(state);
}
