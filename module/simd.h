/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The running guest's x87, MMX and vector registers, for its emulator: see struct
 * lodge_emul_ops.  The upper half of a YMM register is there where the host has
 * AVX.
 */
#ifndef LODGE_SIMD_H
#define LODGE_SIMD_H

#include <linux/types.h>

void lodge_simd_get_xmm(void *opaque, unsigned int reg, u8 data[16]);
void lodge_simd_set_xmm(void *opaque, unsigned int reg, const u8 data[16]);
void lodge_simd_get_ymm(void *opaque, unsigned int reg, u8 data[16]);
void lodge_simd_set_ymm(void *opaque, unsigned int reg, const u8 data[16]);
void lodge_simd_get_mmx(void *opaque, unsigned int reg, u64 *data);
void lodge_simd_set_mmx(void *opaque, unsigned int reg, u64 data);

struct lodge_fxsave;

void lodge_simd_get_fpu(void *opaque, struct lodge_fxsave *state);
void lodge_simd_set_fpu(void *opaque, const struct lodge_fxsave *state);

#endif
