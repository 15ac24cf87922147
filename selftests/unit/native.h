/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Instructions that this machine's own processor carries out.
 */
#ifndef LODGE_UNIT_NATIVE_H
#define LODGE_UNIT_NATIVE_H

#include "pure.h"

#define XMMS 2

/**
 * struct machine - the registers of an instruction; native_run() depends on the layout
 * @ymm: the upper halves of the YMM registers
 */
struct machine {
	u64 gpr[16];
	u64 rflags;
	u8 xmm[XMMS][16];
	u8 ymm[XMMS][16];
	u64 mmx[8];
};

/**
 * native_run() - run code on this machine's processor with the registers of @m
 * @code: ends with a jump to native_return
 */
void native_run(struct machine *m, const void *code);
extern const char native_return[];
/* True if the registers include YMM. */
extern bool native_avx;

#endif
