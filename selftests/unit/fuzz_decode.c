// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzes decoder and emulator.  The input is a mode, the registers and an instruction,
 * whose accesses have no effect.  No byte beyond the input may be read, and the result
 * must be as struct lodge_insn describes.
 */
#include "emul.h"
#include "fuzz_check.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* The first byte of the input. */
#define MODE 0x03
#define ANSWER_AGAIN 0x04
#define ANSWER_FAULT 0x08
#define PROTECT 0x10
#define STACK_16 0x20

static int answer(const u8 *flags)
{
	if (*flags & ANSWER_AGAIN)
		return -EAGAIN;
	return *flags & ANSWER_FAULT ? LODGE_FAULT : 0;
}

static int fuzz_read(void *opaque, u64 linear, void *data, size_t size,
		     unsigned int access, struct lodge_fault *fault)
{
	require(size >= 1 && size <= LODGE_EMUL_MAX_ACCESS);
	memset(data, (u8)linear, size);
	return answer(opaque);
}

static int fuzz_write(void *opaque, u64 linear, const void *data, size_t size,
		      struct lodge_fault *fault)
{
	u8 copy[LODGE_EMUL_MAX_ACCESS];

	require(size >= 1 && size <= sizeof(copy));
	memcpy(copy, data, size);
	return answer(opaque);
}

static int fuzz_gather(void *opaque, u64 linear, void *data, size_t size,
		       struct lodge_fault *fault)
{
	require(size >= 1 && (linear & 0xfff) + size <= 0x1000);
	memset(data, (u8)linear, size);
	return linear & 0x1000 ? -ENXIO : answer(opaque);
}

static int fuzz_scatter(void *opaque, u64 linear, const void *data, size_t size,
			struct lodge_fault *fault)
{
	u8 copy[64];

	require(size >= 1 && size <= sizeof(copy));
	require((linear & 0xfff) + size <= 0x1000);
	if (data)
		memcpy(copy, data, size);
	return linear & 0x1000 ? -ENXIO : answer(opaque);
}

static int fuzz_cmpxchg(void *opaque, u64 linear, const void *old,
			const void *new, size_t size, unsigned int access,
			struct lodge_fault *fault)
{
	require(size >= 1 && size <= 16);
	return memcmp(old, new, size) ? answer(opaque) : -EBUSY;
}

static int fuzz_probe(void *opaque, u64 linear, size_t size,
		      unsigned int access, struct lodge_fault *fault)
{
	require(size >= 1 && size <= LODGE_EMUL_MAX_PROBE);
	return answer(opaque);
}

static void fuzz_get_xmm(void *opaque, unsigned int reg, u8 data[16])
{
	require(reg < 16);
	memset(data, (u8)reg, 16);
}

static void fuzz_set_xmm(void *opaque, unsigned int reg, const u8 data[16])
{
	require(reg < 16);
}

static void fuzz_get_mmx(void *opaque, unsigned int reg, u64 *data)
{
	require(reg < 8);
	*data = reg;
}

static void fuzz_set_mmx(void *opaque, unsigned int reg, u64 data)
{
	require(reg < 8);
}

/* Gives any bytes, even states that no processor can have. */
static void fuzz_get_fpu(void *opaque, struct lodge_fxsave *state)
{
	memset(state, *(const u8 *)opaque, sizeof(*state));
}

static void fuzz_set_fpu(void *opaque, const struct lodge_fxsave *state)
{
}

static int fuzz_set_cr0(void *opaque, u64 value)
{
	return value & 2 ? LODGE_FAULT : 0;
}

static void fuzz_set_segment(void *opaque, enum lodge_seg seg,
			     const struct lodge_segment *segment)
{
	require(seg < LODGE_NR_SEGS);
}

static void fuzz_set_table(void *opaque, bool idt, u64 base, u16 limit)
{
}

static void fuzz_end_nmi(void *opaque)
{
}

static const struct lodge_emul_ops fuzz_ops = {
	.read = fuzz_read,
	.write = fuzz_write,
	.cmpxchg = fuzz_cmpxchg,
	.probe = fuzz_probe,
	.gather = fuzz_gather,
	.scatter = fuzz_scatter,
	.get_xmm = fuzz_get_xmm,
	.set_xmm = fuzz_set_xmm,
	.get_ymm = fuzz_get_xmm,
	.set_ymm = fuzz_set_xmm,
	.get_mmx = fuzz_get_mmx,
	.set_mmx = fuzz_set_mmx,
	.get_fpu = fuzz_get_fpu,
	.set_fpu = fuzz_set_fpu,
	.set_cr0 = fuzz_set_cr0,
	.set_segment = fuzz_set_segment,
	.set_table = fuzz_set_table,
	.end_nmi = fuzz_end_nmi,
};

static void check_insn(const struct lodge_insn *insn, size_t size)
{
	const struct lodge_address *a = &insn->memory;
	int i;

	require(insn->op > LODGE_OP_INVALID && insn->op < LODGE_NR_OPS);
	require(insn->length >= 1 && insn->length <= LODGE_INSN_MAX_LENGTH);
	require(insn->length <= size);
	require(insn->address_size == 2 || insn->address_size == 4 ||
		insn->address_size == 8);
	require(a->segment <= LODGE_GS);
	require(a->base <= LODGE_REG_RIP || a->base == LODGE_REG_NONE);
	require(a->index < 16 || a->index == LODGE_REG_NONE);
	for (i = 0; i < LODGE_NR_OPERANDS; i++)
		require(insn->operand[i].reg < 16);
}

static void emulate_string_io(struct lodge_emul *e)
{
	u8 data[64] = { 0 };
	u32 count;

	if (!lodge_emul_outs(e, data, sizeof(data), &count)) {
		require(count * e->insn.operand_size <= sizeof(data));
		lodge_emul_outs_commit(e, count);
	}
	if (!lodge_emul_ins(e, sizeof(data), &count)) {
		require(count * e->insn.operand_size <= sizeof(data));
		lodge_emul_ins_commit(e, data, &count);
	}
}

static void emulate(const struct lodge_insn *insn,
		    const struct lodge_general *start, u8 flags)
{
	struct lodge_general regs = *start;
	struct lodge_segments segs;
	const struct lodge_control control = {
		.efer = insn->mode == LODGE_MODE_64 ? 0x400 : 0,
	};
	struct lodge_emul e = {
		.insn = *insn,
		.regs = &regs,
		.control = &control,
		.cpl = flags >> 6,
		.features = (unsigned int)start->rip,
		.segmentation = { .segs = &segs,
				  .mode = insn->mode,
				  .protect = flags & PROTECT },
		.ops = &fuzz_ops,
		.opaque = &flags,
	};
	int i, error;

	memset(&segs, 0, sizeof(segs));
	for (i = 0; i < LODGE_NR_SEGS; i++) {
		segs.seg[i].limit = 0xffffffff;
		segs.seg[i].attr = flags & STACK_16 ? 0x93 : 0xc93;
	}
	segs.gdt.limit = 0xffff;
	error = lodge_emul_step(&e);
	if (error)
		require(!memcmp(&regs, start, sizeof(regs)));
	if (error == -EOPNOTSUPP)
		emulate_string_io(&e);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct lodge_general regs;
	struct lodge_insn insn;
	enum lodge_cpu_mode mode;

	if (size < 1 + sizeof(regs))
		return 0;
	mode = data[0] & MODE;
	if (mode > LODGE_MODE_64)
		return 0;
	memcpy(&regs, data + 1, sizeof(regs));
	if (lodge_decode(&insn, mode, data + 1 + sizeof(regs),
			 size - 1 - sizeof(regs)))
		return 0;
	check_insn(&insn, size - 1 - sizeof(regs));
	emulate(&insn, &regs, data[0]);
	return 0;
}
