// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's MMX and vector registers, which are in the processor while its vCPU
 * runs: see simd.h.
 */
#include <linux/mm.h>
#include <linux/string.h>
#include <asm/fpu/types.h>

#include "fpu.h"
#include "simd.h"
#include "x87.h"

/* FXSAVE's words: four to an x87 register, and its stack's top in the status. */
#define LODGE_ST_WORDS 4
#define LODGE_ST_COUNT 8
#define LODGE_TOP_SHIFT 11
#define LODGE_TOP 0x3800

/* A case for each number, which an instruction has in its encoding. */
/* clang-format off */
#define EACH_REGISTER(CASE) \
	CASE(0) CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) \
	CASE(8) CASE(9) CASE(10) CASE(11) CASE(12) CASE(13) CASE(14) CASE(15)
/* clang-format on */

void lodge_simd_get_xmm(void *opaque, unsigned int reg, u8 data[16])
{
	struct {
		u8 bytes[16];
	} *to = (void *)data;

#define READ_XMM(n)                                                 \
	case n:                                                     \
		asm volatile("movdqu %%xmm" #n ", %0" : "=m"(*to)); \
		break;
	lodge_fpu_lock(opaque);
	switch (reg) {
		EACH_REGISTER(READ_XMM)
	}
	lodge_fpu_unlock(opaque);
#undef READ_XMM
}

void lodge_simd_set_xmm(void *opaque, unsigned int reg, const u8 data[16])
{
	const struct {
		u8 bytes[16];
	} *from = (const void *)data;

#define WRITE_XMM(n)                                                \
	case n:                                                     \
		asm volatile("movdqu %0, %%xmm" #n : : "m"(*from)); \
		break;
	lodge_fpu_lock(opaque);
	switch (reg) {
		EACH_REGISTER(WRITE_XMM)
	}
	lodge_fpu_unlock(opaque);
#undef WRITE_XMM
}

/* Clears the bits above 255, as VEX instructions do. */
void lodge_simd_set_ymm(void *opaque, unsigned int reg, const u8 data[16])
{
	const struct {
		u8 bytes[16];
	} *from = (const void *)data;

#define WRITE_YMM(n)                                                     \
	case n:                                                          \
		asm volatile("vinsertf128 $1, %0, %%ymm" #n ", %%ymm" #n \
			     :                                           \
			     : "m"(*from));                              \
		break;
	lodge_fpu_lock(opaque);
	switch (reg) {
		EACH_REGISTER(WRITE_YMM)
	}
	lodge_fpu_unlock(opaque);
#undef WRITE_YMM
}

void lodge_simd_get_ymm(void *opaque, unsigned int reg, u8 data[16])
{
	struct {
		u8 bytes[16];
	} *to = (void *)data;

#define READ_YMM(n)                                                           \
	case n:                                                               \
		asm volatile("vextractf128 $1, %%ymm" #n ", %0" : "=m"(*to)); \
		break;
	lodge_fpu_lock(opaque);
	switch (reg) {
		EACH_REGISTER(READ_YMM)
	}
	lodge_fpu_unlock(opaque);
#undef READ_YMM
}

/*
 * MMX register n is the mantissa of physical x87 register n, while FXSAVE counts
 * from the stack's top; MMX instructions set the top to 0 and all tags to valid
 * (SDM vol. 1, 9.5.1).  Unlike them, FXSAVE and FXRSTOR do not raise exceptions
 * that the guest has pending.
 */
static void lodge_simd_to_mmx(struct fxregs_state *fx)
{
	unsigned int top = (fx->swd & LODGE_TOP) >> LODGE_TOP_SHIFT, i;
	u32 old[LODGE_ST_COUNT * LODGE_ST_WORDS];

	memcpy(old, fx->st_space, sizeof(old));
	for (i = 0; i < LODGE_ST_COUNT; i++)
		memcpy(&fx->st_space[(top + i) % LODGE_ST_COUNT *
				     LODGE_ST_WORDS],
		       &old[i * LODGE_ST_WORDS], LODGE_ST_WORDS * sizeof(u32));
	fx->swd &= ~LODGE_TOP;
	fx->twd = 0xff;
}

static void lodge_simd_mmx(struct lodge_vcpu *vcpu, unsigned int reg, u64 *data,
			   bool write)
{
	struct fxregs_state fx __aligned(16);
	u32 *st = &fx.st_space[reg % LODGE_ST_COUNT * LODGE_ST_WORDS];

	lodge_fpu_lock(vcpu);
	asm volatile("fxsaveq %0" : "=m"(fx));
	lodge_simd_to_mmx(&fx);
	if (write) {
		memcpy(st, data, sizeof(*data));
		st[2] |= 0xffff;
	} else {
		memcpy(data, st, sizeof(*data));
	}
	asm volatile("fxrstorq %0" : : "m"(fx));
	lodge_fpu_unlock(vcpu);
}

void lodge_simd_get_mmx(void *opaque, unsigned int reg, u64 *data)
{
	lodge_simd_mmx(opaque, reg, data, false);
}

void lodge_simd_set_mmx(void *opaque, unsigned int reg, u64 data)
{
	lodge_simd_mmx(opaque, reg, &data, true);
}

/*
 * Unlike the x87 instructions, these raise no exception that the guest has pending.
 * AMD's older processors save pointers only where one is: what they leave alone must
 * not be the host's (see X86_BUG_FXSAVE_LEAK).
 */
void lodge_simd_get_fpu(void *opaque, struct lodge_fxsave *state)
{
	struct fxregs_state fx __aligned(16) = {};

	lodge_fpu_lock(opaque);
	asm volatile("fxsaveq %0" : "+m"(fx));
	lodge_fpu_unlock(opaque);
	memcpy(state, &fx, sizeof(*state));
}

void lodge_simd_set_fpu(void *opaque, const struct lodge_fxsave *state)
{
	struct fxregs_state fx __aligned(16);

	lodge_fpu_lock(opaque);
	asm volatile("fxsaveq %0" : "=m"(fx));
	memcpy(&fx, state, sizeof(*state));
	asm volatile("fxrstorq %0" : : "m"(fx));
	lodge_fpu_unlock(opaque);
}
