// SPDX-License-Identifier: GPL-2.0
/*
 * Features of processors by their names.
 *
 * The words are those of the module's default CPUID (module/cpuid_default.c).  Names are
 * those of the features that a guest of Lodge can have (Intel SDM vol. 2, CPUID; AMD APM
 * vol. 3, appendix E).
 */
#include "machine/features.h"

#include <stdint.h>
#include <stdio.h>

#define WORD_BITS 32

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

static const struct word words[] = {
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
	{ 0x80000008,
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
};

static uint32_t value_of(const struct cpu_state *state, const struct word *word)
{
	for (uint32_t i = 0; i < state->nr_leaves; i++) {
		const struct lodge_cpuid_entry *entry = &state->leaves[i];
		const uint32_t regs[] = { entry->eax, entry->ebx, entry->ecx,
					  entry->edx };

		if (entry->leaf == word->leaf &&
		    entry->subleaf == word->subleaf)
			return regs[word->reg];
	}
	return 0;
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

bool features_lack(const struct cpu_state *own, const struct cpu_state *wanted,
		   char name[static FEATURE_NAME_SIZE])
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const uint32_t lacking = value_of(wanted, &words[i]) &
					 ~value_of(own, &words[i]);

		if (lacking) {
			write_name(&words[i], __builtin_ctz(lacking), name);
			return true;
		}
	}
	return false;
}
