/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest of the emulator: registers, and memory from linear address 0 on, which is
 * the same as the physical one.
 */
#ifndef LODGE_UNIT_EMUL_FIXTURE_H
#define LODGE_UNIT_EMUL_FIXTURE_H

#include "alu.h"
#include "emul.h"

#include "kselftest_harness.h"

#define GP 13
#define SS 12
#define PF 14

#define MEMORY_BYTES 0x20000
#define RIP 0x1000U

/* Registers, memory from linear address 0 on, and the next result of callbacks. */
struct guest {
	u8 memory[MEMORY_BYTES];
	int answer;
	int reads;
	int writes;
	int swaps;
	int probes;
	bool device;
	int access;
	struct lodge_general regs;
	struct lodge_segments segs;
	struct lodge_control control;
	u64 mmx[8];
	u8 ymm[16];
	struct lodge_fxsave fpu;
	int nmis_ended;
	struct lodge_emul e;
};

static int touch(struct guest *g, u64 linear, size_t size,
		 struct lodge_fault *fault)
{
	if (g->answer == LODGE_FAULT)
		*fault = (struct lodge_fault){ PF, true, 2, linear };
	if (g->answer)
		return g->answer;
	return linear > MEMORY_BYTES - size ? -ENXIO : 0;
}

static int guest_read(void *opaque, u64 linear, void *data, size_t size,
		      unsigned int access, struct lodge_fault *fault)
{
	struct guest *g = opaque;
	int error = touch(g, linear, size, fault);

	g->reads++;
	g->access = access;
	if (!error)
		memcpy(data, g->memory + linear, size);
	return error;
}

static int guest_write(void *opaque, u64 linear, const void *data, size_t size,
		       struct lodge_fault *fault)
{
	struct guest *g = opaque;
	int error = touch(g, linear, size, fault);

	g->writes++;
	if (!error)
		memcpy(g->memory + linear, data, size);
	return error;
}

/* The result -EBUSY stands for a write of another processor after the read. */
static int guest_cmpxchg(void *opaque, u64 linear, const void *old,
			 const void *new, size_t size, unsigned int access,
			 struct lodge_fault *fault)
{
	struct guest *g = opaque;

	g->swaps++;
	if (memcmp(g->memory + linear, old, size))
		return -EBUSY;
	memcpy(g->memory + linear, new, size);
	return 0;
}

static int guest_probe(void *opaque, u64 linear, size_t size,
		       unsigned int access, struct lodge_fault *fault)
{
	struct guest *g = opaque;

	g->probes++;
	g->access = access;
	return touch(g, linear, size, fault);
}

static int guest_gather(void *opaque, u64 linear, void *data, size_t size,
			struct lodge_fault *fault)
{
	struct guest *g = opaque;
	int error = g->device ? -ENXIO : touch(g, linear, size, fault);

	if (!error)
		memcpy(data, g->memory + linear, size);
	return error;
}

static int guest_scatter(void *opaque, u64 linear, const void *data,
			 size_t size, struct lodge_fault *fault)
{
	struct guest *g = opaque;
	int error = g->device ? -ENXIO : touch(g, linear, size, fault);

	if (!error && data)
		memcpy(g->memory + linear, data, size);
	return error;
}

static void guest_get_xmm(void *opaque, unsigned int reg, u8 data[16])
{
	memset(data, reg, 16);
}

static void guest_set_xmm(void *opaque, unsigned int reg, const u8 data[16])
{
}

static void guest_get_ymm(void *opaque, unsigned int reg, u8 data[16])
{
	memset(data, reg | 0x80, 16);
}

static void guest_set_ymm(void *opaque, unsigned int reg, const u8 data[16])
{
	struct guest *g = opaque;

	memcpy(g->ymm, data, 16);
}

static void guest_get_mmx(void *opaque, unsigned int reg, u64 *data)
{
	*data = 0x1111111111111111 * reg;
}

static void guest_set_mmx(void *opaque, unsigned int reg, u64 data)
{
	struct guest *g = opaque;

	g->mmx[reg] = data;
}

static void guest_get_fpu(void *opaque, struct lodge_fxsave *state)
{
	struct guest *g = opaque;

	*state = g->fpu;
}

static void guest_set_fpu(void *opaque, const struct lodge_fxsave *state)
{
	struct guest *g = opaque;

	g->fpu = *state;
}

static int guest_set_cr0(void *opaque, u64 value)
{
	struct guest *g = opaque;

	if (value & 0x8)
		return LODGE_FAULT;
	g->control.cr0 = value;
	return 0;
}

static void guest_set_segment(void *opaque, enum lodge_seg seg,
			      const struct lodge_segment *segment)
{
	struct guest *g = opaque;

	g->segs.seg[seg] = *segment;
}

static void guest_set_table(void *opaque, bool idt, u64 base, u16 limit)
{
	struct guest *g = opaque;
	struct lodge_segment *table = idt ? &g->segs.idt : &g->segs.gdt;

	table->base = base;
	table->limit = limit;
}

static void guest_end_nmi(void *opaque)
{
	struct guest *g = opaque;

	g->nmis_ended++;
}

static const struct lodge_emul_ops guest_ops = {
	.read = guest_read,
	.write = guest_write,
	.cmpxchg = guest_cmpxchg,
	.probe = guest_probe,
	.gather = guest_gather,
	.scatter = guest_scatter,
	.get_xmm = guest_get_xmm,
	.set_xmm = guest_set_xmm,
	.get_ymm = guest_get_ymm,
	.set_ymm = guest_set_ymm,
	.get_mmx = guest_get_mmx,
	.set_mmx = guest_set_mmx,
	.get_fpu = guest_get_fpu,
	.set_fpu = guest_set_fpu,
	.set_cr0 = guest_set_cr0,
	.set_segment = guest_set_segment,
	.set_table = guest_set_table,
	.end_nmi = guest_end_nmi,
};

static void guest_setup(struct guest *g)
{
	int i;

	memset(g, 0, sizeof(*g));
	for (i = 0; i < LODGE_NR_SEGS; i++)
		g->segs.seg[i] = (struct lodge_segment){ .limit = 0xffffffff,
							 .attr = 0xc93 };
	g->regs.rip = RIP;
	g->regs.rflags = 2;
	g->e.regs = &g->regs;
	g->e.segmentation.segs = &g->segs;
	g->e.segmentation.protect = true;
	g->control.cr0 = 0x11;
	g->e.control = &g->control;
	g->e.features = LODGE_EMUL_AVX | LODGE_EMUL_BMI1 | LODGE_EMUL_ABM;
	g->e.ops = &guest_ops;
	g->e.opaque = g;
}

/* Decodes the bytes for @mode_ as the next instruction. */
#define LOAD(mode_, ...)                                                    \
	do {                                                                \
		const u8 _bytes[] = { __VA_ARGS__ };                        \
                                                                            \
		self->g.e.segmentation.mode = (mode_);                      \
		ASSERT_EQ(0, lodge_decode(&self->g.e.insn, (mode_), _bytes, \
					  sizeof(_bytes)));                 \
	} while (0)
#define STEP() lodge_emul_step(&self->g.e)
#define GPR(name) (self->g.regs.gpr[LODGE_##name])

/* Writes up to eight bytes to the guest's memory. */
static inline void put(struct guest *g, u64 at, u64 value, unsigned int size)
{
	memcpy(g->memory + at, &value, size);
}

static inline u64 get(const struct guest *g, u64 at, unsigned int size)
{
	u64 value = 0;

	memcpy(&value, g->memory + at, size);
	return value;
}

#endif
