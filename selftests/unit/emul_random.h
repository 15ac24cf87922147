/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random instructions for the emulator, with operands that stay in the memory of its
 * test.
 */
#ifndef LODGE_UNIT_EMUL_RANDOM_H
#define LODGE_UNIT_EMUL_RANDOM_H

#include "alu.h"
#include "emul.h"

#include "native.h"
#include "random.h"

static const u8 opcodes[] = {
	0x63, 0x80, 0x81, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a,
	0x8b, 0x8c, 0x8f, 0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad,
	0xae, 0xaf, 0xc6, 0xc7, 0xf6, 0xf7, 0xfe, 0xff, 0x50, 0x57, 0x59,
	0x5f, 0x68, 0x6a, 0x69, 0x6b, 0xc0, 0xc1, 0xd0, 0xd1, 0xd2, 0xd3,
	0xc8, 0xc9, 0xd7, 0x9c, 0xc0, 0xc1, 0xd2, 0xd3,
};
static const u8 opcodes_0f[] = {
	0x10, 0x11, 0x12, 0x13, 0x16, 0x17, 0x28, 0x29, 0x2b, 0x6e,
	0x6f, 0x7e, 0x7f, 0xa3, 0xab, 0xb0, 0xb1, 0xb3, 0xb6, 0xb7,
	0xba, 0xbb, 0xbe, 0xbf, 0xc0, 0xc1, 0xc3, 0xc7, 0xd6, 0xe7,
	0xf0, 0x40, 0x4c, 0x4f, 0x90, 0x9d, 0x9e, 0xa4, 0xa5, 0xac,
	0xad, 0xae, 0xaf, 0xb8, 0xbc, 0xbd, 0x47, 0x46, 0x95,
};
/* Opcodes of the second map, with a VEX prefix. */
static const u8 opcodes_vex[] = {
	0x10, 0x11, 0x12, 0x13, 0x16, 0x17, 0x28, 0x29,
	0x2b, 0x6e, 0x6f, 0x7e, 0x7f, 0xd6, 0xe7, 0xf0,
};
static const u8 opcodes_0f38[] = { 0x2a, 0xf0, 0xf1, 0xf9 };
static const u8 prefixes[] = { 0x66, 0x67, 0xf0, 0xf2, 0xf3, 0xf3 };

/* Uses a base that random_machine() points into memory, and a small displacement. */
static u32 random_modrm(u8 *bytes)
{
	static const u8 rm[] = { LODGE_RBX, LODGE_RSI, LODGE_RDI, 4 };
	u8 modrm = random_below(8) << 3 | PICK(rm);
	u32 n = 0;

	if (random_below(2))
		modrm |= 0x40;
	bytes[n++] = modrm;
	if ((modrm & 7) == 4)
		bytes[n++] = random_below(4) << 6 | LODGE_RAX << 3 | LODGE_RBX;
	if (modrm & 0x40)
		bytes[n++] = random_below(256);
	return n;
}

/* Keeps base and index; the second source is XMM0 or XMM1. */
static u32 random_vex(u8 *bytes)
{
	u8 last = (random_below(2) ? 0x78 : 0x70) | random_below(8);
	u32 n = 0;

	if (random_below(2)) {
		bytes[n++] = 0xc5;
		bytes[n++] = 0x80 | last;
		bytes[n++] = PICK(opcodes_vex);
		return n;
	}
	bytes[n++] = 0xc4;
	bytes[n++] = random_below(4) ? 0xe1 : 0xe2;
	bytes[n++] = random_below(2) << 7 | last;
	bytes[n] = bytes[1] == 0xe1 ? PICK(opcodes_vex) : 0x2a;
	return n + 1;
}

static void random_instruction(u8 bytes[16])
{
	u32 n = 0, i;

	if (native_avx && !random_below(5)) {
		n = random_vex(bytes);
		n += random_modrm(bytes + n);
		while (n < 16)
			bytes[n++] = random_below(256);
		return;
	}
	for (i = random_below(3); i; i--)
		bytes[n++] = PICK(prefixes);
	/* REX.B would change the base; REX.X makes R8 the index. */
	if (random_below(2))
		bytes[n++] = 0x42 | (random_below(16) & ~1);
	switch (random_below(4)) {
	case 0:
		bytes[n++] = random_below(0x40) & ~4;
		break;
	case 1:
		bytes[n++] = PICK(opcodes);
		break;
	case 2:
		bytes[n++] = 0x0f;
		bytes[n++] = PICK(opcodes_0f);
		break;
	default:
		bytes[n++] = 0x0f;
		bytes[n++] = 0x38;
		bytes[n++] = PICK(opcodes_0f38);
		break;
	}
	n += random_modrm(bytes + n);
	while (n < 16)
		bytes[n++] = random_below(256);
}

#endif
