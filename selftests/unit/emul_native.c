// SPDX-License-Identifier: GPL-2.0
/*
 * Compares the emulator with this machine's processor: generated instructions are run
 * natively and emulated with the same registers and memory, and must leave the same
 * registers, flags and memory.  Each is also stopped at each of its accesses in turn,
 * which must have no effect.
 *
 * The seed is fixed, so that a failure repeats; LODGE_SEED sets another one.
 */
#include <cpuid.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "alu.h"
#include "emul.h"
#include "emul_random.h"
#include "native.h"

#include "kselftest_harness.h"

#define INSTRUCTIONS 200000
#define MAX_REPORTS 20
#define MEMORY_BYTES 4096
/* Operands keep this distance from both ends of memory. */
#define MARGIN 256

/* Return: a value at which carry, sign or size changes, or any value. */
static u64 random_value(void)
{
	static const u64 edges[] = {
		0,	    1,		0x7f,	    0x80,
		0xff,	    0x7fff,	0x8000,	    0xffff,
		0x7fffffff, 0x80000000, 0xffffffff, 0x7fffffffffffffff,
		1ULL << 63, ~0ULL,
	};

	return random_below(2) ? PICK(edges) : random_u64();
}

/* The machine before an instruction, and the state of both sides. */
struct bench {
	u8 *memory; /* below 4 GiB, so that 32-bit addresses reach it */
	u8 *code;
	u8 initial[MEMORY_BYTES];
	struct machine before;
	struct lodge_segments segs;
	struct lodge_insn insn;
	u8 bytes[16];
	/* State of the emulated side. */
	struct machine after;
	int accesses;
	int stop_at;
};

static bool stop_here(struct bench *b)
{
	return b->accesses++ == b->stop_at;
}

static int bench_read(void *opaque, u64 linear, void *data, size_t size,
		      unsigned int access, struct lodge_fault *fault)
{
	if (stop_here(opaque))
		return -EAGAIN;
	memcpy(data, (void *)linear, size);
	return 0;
}

static int bench_write(void *opaque, u64 linear, const void *data, size_t size,
		       struct lodge_fault *fault)
{
	if (stop_here(opaque))
		return -EAGAIN;
	memcpy((void *)linear, data, size);
	return 0;
}

static int bench_cmpxchg(void *opaque, u64 linear, const void *old,
			 const void *new, size_t size, unsigned int access,
			 struct lodge_fault *fault)
{
	if (stop_here(opaque))
		return -EAGAIN;
	if (memcmp((void *)linear, old, size))
		return -EBUSY;
	memcpy((void *)linear, new, size);
	return 0;
}

static int bench_probe(void *opaque, u64 linear, size_t size,
		       unsigned int access, struct lodge_fault *fault)
{
	return 0;
}

static void bench_get_xmm(void *opaque, unsigned int reg, u8 data[16])
{
	struct bench *b = opaque;

	memcpy(data, b->after.xmm[reg], 16);
}

static void bench_set_xmm(void *opaque, unsigned int reg, const u8 data[16])
{
	struct bench *b = opaque;

	memcpy(b->after.xmm[reg], data, 16);
}

static void bench_get_ymm(void *opaque, unsigned int reg, u8 data[16])
{
	struct bench *b = opaque;

	memcpy(data, b->after.ymm[reg], 16);
}

static void bench_set_ymm(void *opaque, unsigned int reg, const u8 data[16])
{
	struct bench *b = opaque;

	memcpy(b->after.ymm[reg], data, 16);
}

static void bench_get_mmx(void *opaque, unsigned int reg, u64 *data)
{
	struct bench *b = opaque;

	*data = b->after.mmx[reg];
}

static void bench_set_mmx(void *opaque, unsigned int reg, u64 data)
{
	struct bench *b = opaque;

	b->after.mmx[reg] = data;
}

static const struct lodge_emul_ops bench_ops = {
	.read = bench_read,
	.write = bench_write,
	.cmpxchg = bench_cmpxchg,
	.probe = bench_probe,
	.get_xmm = bench_get_xmm,
	.set_xmm = bench_set_xmm,
	.get_ymm = bench_get_ymm,
	.set_ymm = bench_set_ymm,
	.get_mmx = bench_get_mmx,
	.set_mmx = bench_set_mmx,
};

static unsigned int features(void)
{
	unsigned int bits = native_avx ? LODGE_EMUL_AVX : 0;

	if (__builtin_cpu_supports("bmi"))
		bits |= LODGE_EMUL_BMI1;
	if (__builtin_cpu_supports("lzcnt"))
		bits |= LODGE_EMUL_ABM;
	if (__builtin_cpu_is("intel"))
		bits |= LODGE_EMUL_INTEL;
	return bits;
}

/* Emulates until RIP changes, or until access number @stop_at, which is refused. */
static int emulate(struct bench *b, int stop_at)
{
	struct lodge_general regs = {
		.rip = (u64)b->code,
		.rflags = b->after.rflags,
	};
	static const struct lodge_control control = { .efer = 0x500 };
	struct lodge_emul e = {
		.insn = b->insn,
		.regs = &regs,
		.control = &control,
		.cpl = 3,
		.features = features(),
		.segmentation = { .segs = &b->segs,
				  .mode = LODGE_MODE_64,
				  .protect = true },
		.ops = &bench_ops,
		.opaque = b,
	};
	int error;

	memcpy(regs.gpr, b->after.gpr, sizeof(regs.gpr));
	b->accesses = 0;
	b->stop_at = stop_at;
	do {
		error = lodge_emul_step(&e);
	} while (!error && regs.rip == (u64)b->code);
	memcpy(b->after.gpr, regs.gpr, sizeof(regs.gpr));
	b->after.rflags = regs.rflags;
	if (!error && regs.rip != (u64)b->code + b->insn.length)
		return -ERANGE;
	return error;
}

static u64 random_pointer(const struct bench *b)
{
	u64 at = MEMORY_BYTES / 4 + random_below(MEMORY_BYTES / 2);

	return (u64)b->memory + (random_below(2) ? at & ~15ULL : at);
}

static void clear_upper_halves(struct machine *m)
{
	m->gpr[LODGE_RCX] = (u32)m->gpr[LODGE_RCX];
	m->gpr[LODGE_RSI] = (u32)m->gpr[LODGE_RSI];
	m->gpr[LODGE_RDI] = (u32)m->gpr[LODGE_RDI];
}

static void random_machine(struct bench *b)
{
	struct machine *m = &b->before;
	u64 upper = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(m->gpr); i++)
		m->gpr[i] = random_value();
	if (b->insn.address_size == 4)
		upper = random_u64() << 32;
	m->gpr[LODGE_RBX] = random_pointer(b) | upper;
	m->gpr[LODGE_RSI] = random_pointer(b) | upper;
	m->gpr[LODGE_RDI] = random_pointer(b) | upper;
	m->gpr[LODGE_RSP] = random_pointer(b);
	m->gpr[LODGE_R8] = random_below(32) | upper;
	if (b->insn.memory.index == LODGE_RAX)
		m->gpr[LODGE_RAX] = random_below(32);
	if (b->insn.rep)
		m->gpr[LODGE_RCX] = random_below(5) | upper;
	/* Without an iteration, vendors other than Intel may clear the upper halves. */
	if (!__builtin_cpu_is("intel") && b->insn.rep &&
	    !(u32)m->gpr[LODGE_RCX])
		clear_upper_halves(m);
	m->rflags = 0x202 | (random_u64() & RFLAGS_ARITHMETIC);
	if (!random_below(4))
		m->rflags |= X86_EFLAGS_DF;
	for (i = 0; i < sizeof(m->xmm); i++)
		((u8 *)m->xmm)[i] = random_below(256);
	for (i = 0; native_avx && i < sizeof(m->ymm); i++)
		((u8 *)m->ymm)[i] = random_below(256);
	for (i = 0; i < ARRAY_SIZE(m->mmx); i++)
		m->mmx[i] = random_value();
	/* Use few values, so that comparisons find equal ones. */
	for (i = 0; i < MEMORY_BYTES; i++)
		b->initial[i] = random_below(8) ? 0 : random_below(256);
}

/* Makes half of the comparisons of CMPXCHG succeed. */
static void match_accumulator(struct bench *b, u64 operand)
{
	u64 at = operand - (u64)b->memory;

	if (random_below(2) || b->insn.memory.index == LODGE_RAX)
		return;
	if (b->insn.operand[0].size <= 8) {
		memcpy(&b->before.gpr[LODGE_RAX], b->initial + at, 8);
		b->before.gpr[LODGE_RDX] = b->before.gpr[LODGE_RAX] >> 32;
	} else {
		memcpy(&b->before.gpr[LODGE_RAX], b->initial + at, 8);
		memcpy(&b->before.gpr[LODGE_RDX], b->initial + at + 8, 8);
	}
}

static bool uses_far_xmm(const struct lodge_insn *insn)
{
	int i;

	for (i = 0; i < LODGE_NR_OPERANDS; i++) {
		if (insn->operand[i].kind == LODGE_OPERAND_XMM &&
		    insn->operand[i].reg >= XMMS)
			return true;
	}
	return false;
}

/* Keeps the bit number of a bit string instruction within memory. */
static void bound_bit_number(struct bench *b)
{
	const struct lodge_operand *o = &b->insn.operand[1];

	if (b->insn.op >= LODGE_OP_BT && b->insn.op <= LODGE_OP_BTC &&
	    o->kind == LODGE_OPERAND_GPR && o->reg != LODGE_RBX &&
	    o->reg != LODGE_RSI && o->reg != LODGE_RDI && o->reg != LODGE_R8)
		b->before.gpr[o->reg] = (u64)random_below(1024) - 512;
}

static bool has_memory(const struct lodge_insn *insn)
{
	int i;

	for (i = 0; i < LODGE_NR_OPERANDS; i++) {
		if (insn->operand[i].kind == LODGE_OPERAND_MEMORY)
			return true;
	}
	return false;
}

/* Keeps counts of 16-bit double shifts within 16, above which results are undefined. */
static void bound_count(struct bench *b)
{
	b->before.gpr[LODGE_RCX] &= ~0x1fULL;
	b->before.gpr[LODGE_RCX] |= random_below(16);
	if (b->insn.operand[2].kind == LODGE_OPERAND_IMMEDIATE) {
		b->bytes[b->insn.length - 1] &= ~0x10;
		b->insn.immediate &= ~0x10ULL;
	}
}

/* Makes quotients that fit; emul.c tests those that do not. */
static bool divides(struct bench *b, u64 operand)
{
	unsigned int size = b->insn.operand_size;
	u8 *at = b->initial + (operand - (u64)b->memory);
	u64 divisor = random_value() | 1;

	if (b->insn.memory.index == LODGE_RAX)
		return false;
	memcpy(at, &divisor, size);
	b->before.gpr[LODGE_RDX] = 0;
	b->before.gpr[LODGE_RAX] = random_u64();
	/* Keep the dividend positive, so that a signed quotient fits, too. */
	if (size == 1)
		b->before.gpr[LODGE_RAX] &= 0x7f;
	else if (b->insn.op == LODGE_OP_IDIV)
		b->before.gpr[LODGE_RAX] &= lodge_alu_mask(size) >> 1;
	if (b->insn.op == LODGE_OP_IDIV && b->before.gpr[LODGE_RAX] &&
	    random_below(2)) {
		b->before.gpr[LODGE_RAX] = -b->before.gpr[LODGE_RAX];
		b->before.gpr[LODGE_RDX] = ~0ULL;
	}
	return true;
}

/* True if the processor can run the instruction here without a fault. */
static bool runs_natively(struct bench *b)
{
	struct lodge_general regs = { .rip = (u64)b->code };
	const struct lodge_insn *insn = &b->insn;
	const struct lodge_operand *number = &insn->operand[1];
	u64 operand;

	if (insn->op >= LODGE_OP_MOVS && insn->op <= LODGE_OP_SCAS)
		return true;
	if (insn->op == LODGE_OP_LEAVE)
		b->before.gpr[LODGE_RBP] = random_pointer(b);
	if (insn->op == LODGE_OP_XLAT)
		return true;
	if (insn->op == LODGE_OP_SHLD || insn->op == LODGE_OP_SHRD)
		bound_count(b);
	if (!has_memory(insn))
		return true;
	memcpy(regs.gpr, b->before.gpr, sizeof(regs.gpr));
	if (insn->op >= LODGE_OP_BT && insn->op <= LODGE_OP_BTC &&
	    number->kind == LODGE_OPERAND_GPR &&
	    regs.gpr[number->reg] + 512 > 1024)
		return false;
	operand = lodge_insn_offset(insn, &regs);
	if (operand < (u64)b->memory + MARGIN ||
	    operand > (u64)b->memory + MEMORY_BYTES - MARGIN)
		return false;
	if (insn->aligned && operand & (insn->operand_size - 1))
		return false;
	if (insn->op == LODGE_OP_CMPXCHG_PAIR && insn->operand[0].size == 16 &&
	    operand & 15)
		return false;
	if (insn->op == LODGE_OP_DIV || insn->op == LODGE_OP_IDIV)
		return divides(b, operand);
	if (insn->op == LODGE_OP_CMPXCHG || insn->op == LODGE_OP_CMPXCHG_PAIR)
		match_accumulator(b, operand);
	return true;
}

/*
 * False for branches, loads of segments, changes of flags like TF, and instructions
 * that 64-bit mode lacks: emul.c tests them.
 */
static bool is_tried(struct lodge_insn *insn)
{
	switch (insn->op) {
	case LODGE_OP_PUSH ... LODGE_OP_POP:
		return insn->operand[0].kind != LODGE_OPERAND_SEGMENT;
	case LODGE_OP_MOV_TO_SEG:
	case LODGE_OP_LOAD_FAR:
	case LODGE_OP_CALL ... LODGE_OP_IRET:
	case LODGE_OP_FLD ... LODGE_OP_STMXCSR:
	case LODGE_OP_BOUND:
		return false;
	case LODGE_OP_PUSHA:
	case LODGE_OP_POPA:
	case LODGE_OP_POPF:
		return false;
	default:
		return insn->op <= LODGE_OP_SCAS;
	}
}

/* Keeps the frame of ENTER in memory, with at most one level. */
static void bound_frame(struct bench *b)
{
	if (b->insn.op != LODGE_OP_ENTER)
		return;
	b->bytes[b->insn.length - 2] = 0;
	b->bytes[b->insn.length - 1] &= 1;
	b->insn.immediate &= 0x100ff;
}

/* MOVDIRI is a MOV to whoever executes it: 0F 38 F9 behind the prefixes. */
static bool is_movdiri(const struct bench *b)
{
	static const u8 prefixes[] = { 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65,
				       0x66, 0x67, 0xf0, 0xf2, 0xf3 };
	const u8 *at = b->bytes;

	while (memchr(prefixes, *at, sizeof(prefixes)) || (*at & 0xf0) == 0x40)
		at++;
	return at[0] == 0x0f && at[1] == 0x38 && at[2] == 0xf9;
}

static bool processor_has_movdiri(void)
{
	unsigned int eax, ebx, ecx = 0, edx;

	return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && ecx >> 27 & 1;
}

static bool processor_has(const struct bench *b)
{
	if (b->insn.op == LODGE_OP_MOVBE)
		return __builtin_cpu_supports("movbe");
	return !is_movdiri(b) || processor_has_movdiri();
}

static void next_instruction(struct bench *b)
{
	for (;;) {
		random_instruction(b->bytes);
		if (lodge_decode(&b->insn, LODGE_MODE_64, b->bytes, 15) ||
		    !is_tried(&b->insn) || uses_far_xmm(&b->insn) ||
		    !processor_has(b))
			continue;
		random_machine(b);
		bound_frame(b);
		bound_bit_number(b);
		if (runs_natively(b))
			return;
	}
}

static void run_natively(struct bench *b, struct machine *m)
{
	const u8 jump[] = { 0xff, 0x25, 0, 0, 0, 0 };
	const void *target = native_return;
	u8 *end = b->code + b->insn.length;

	memcpy(b->code, b->bytes, b->insn.length);
	memcpy(end, jump, sizeof(jump));
	memcpy(end + sizeof(jump), &target, sizeof(target));
	memcpy(b->memory, b->initial, MEMORY_BYTES);
	*m = b->before;
	native_run(m, b->code);
}

/* OF is defined for a count of one, CF of SHL and SHR up to the operand's size. */
static u64 shift_flags(const struct bench *b)
{
	const struct lodge_insn *insn = &b->insn;
	int i = insn->op >= LODGE_OP_SHLD ? 2 : 1;
	u64 count = insn->operand[i].kind == LODGE_OPERAND_GPR ?
			    b->before.gpr[LODGE_RCX] :
			    insn->immediate;
	u64 flags = RFLAGS_ARITHMETIC | X86_EFLAGS_DF;

	count &= insn->operand_size == 8 ? 63 : 31;
	if (!count)
		return flags;
	if (insn->op >= LODGE_OP_SHL)
		flags &= ~X86_EFLAGS_AF;
	if (count != 1)
		flags &= ~X86_EFLAGS_OF;
	if (count >= 8 * insn->operand_size && insn->op >= LODGE_OP_SHL &&
	    insn->op != LODGE_OP_SAR)
		flags &= ~X86_EFLAGS_CF;
	return flags;
}

/* Return: the flags that the manual defines after the instruction. */
static u64 defined_flags(const struct bench *b)
{
	const struct lodge_insn *insn = &b->insn;
	u64 flags = RFLAGS_ARITHMETIC | X86_EFLAGS_DF;

	switch (insn->op) {
	case LODGE_OP_OR:
	case LODGE_OP_AND:
	case LODGE_OP_XOR:
	case LODGE_OP_TEST:
		return flags & ~X86_EFLAGS_AF;
	case LODGE_OP_BT:
	case LODGE_OP_BTS:
	case LODGE_OP_BTR:
	case LODGE_OP_BTC:
		return X86_EFLAGS_CF | X86_EFLAGS_ZF | X86_EFLAGS_DF;
	case LODGE_OP_MUL:
	case LODGE_OP_IMUL:
	case LODGE_OP_IMUL_REG:
		return X86_EFLAGS_CF | X86_EFLAGS_OF | X86_EFLAGS_DF;
	case LODGE_OP_DIV:
	case LODGE_OP_IDIV:
		return X86_EFLAGS_DF;
	case LODGE_OP_BSF:
	case LODGE_OP_BSR:
		return X86_EFLAGS_ZF | X86_EFLAGS_DF;
	case LODGE_OP_TZCNT:
	case LODGE_OP_LZCNT:
		return X86_EFLAGS_ZF | X86_EFLAGS_CF | X86_EFLAGS_DF;
	case LODGE_OP_ROL ... LODGE_OP_SHRD:
		return shift_flags(b);
	default:
		return flags;
	}
}

static const char *differs(struct bench *b, const struct machine *native,
			   const u8 *native_memory)
{
	u64 flags = defined_flags(b);

	if (memcmp(b->after.gpr, native->gpr, sizeof(native->gpr)))
		return "general registers";
	if ((b->after.rflags ^ native->rflags) & flags)
		return "flags";
	if (memcmp(b->after.xmm, native->xmm, sizeof(native->xmm)))
		return "XMM registers";
	if (memcmp(b->after.ymm, native->ymm, sizeof(native->ymm)))
		return "YMM registers";
	if (memcmp(b->after.mmx, native->mmx, sizeof(native->mmx)))
		return "MMX registers";
	if (memcmp(b->memory, native_memory, MEMORY_BYTES))
		return "memory";
	return NULL;
}

static void rewind_bench(struct bench *b)
{
	memcpy(b->memory, b->initial, MEMORY_BYTES);
	b->after = b->before;
}

/* True if an instruction makes several writes: stopped, it has made some of them. */
static bool writes_often(const struct lodge_insn *insn)
{
	return insn->op == LODGE_OP_ENTER || insn->operand_size > 16;
}

/* Stops at each access in turn, or at the first one of a repeated instruction. */
static const char *leaves_traces(struct bench *b, int accesses)
{
	int i;

	if (b->insn.rep && accesses)
		accesses = 1;
	for (i = 0; i < accesses; i++) {
		rewind_bench(b);
		if (emulate(b, i) != -EAGAIN)
			return "access not asked for";
		if (memcmp(&b->after, &b->before, sizeof(b->before)))
			return "stopped, but registers have changed";
		if (!writes_often(&b->insn) &&
		    memcmp(b->memory, b->initial, MEMORY_BYTES))
			return "stopped, but memory has changed";
	}
	return NULL;
}

static const char *judge(struct bench *b)
{
	static u8 native_memory[MEMORY_BYTES];
	struct machine native;
	const char *what;
	int error;

	run_natively(b, &native);
	memcpy(native_memory, b->memory, MEMORY_BYTES);
	rewind_bench(b);
	error = emulate(b, -1);
	if (error)
		return strerror(-error);
	what = differs(b, &native, native_memory);
	return what ? what : leaves_traces(b, b->accesses);
}

static void report(const struct bench *b, const char *what)
{
	int i;

	printf("# %s:", what);
	for (i = 0; i < b->insn.length; i++)
		printf(" %02x", b->bytes[i]);
	printf("\n");
}

static void set_up(struct bench *b)
{
	u8 *low = mmap(NULL, 2 * MEMORY_BYTES,
		       PROT_READ | PROT_WRITE | PROT_EXEC,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	u16 *selector[] = {
		&b->segs.seg[LODGE_ES].selector,
		&b->segs.seg[LODGE_CS].selector,
		&b->segs.seg[LODGE_SS].selector,
		&b->segs.seg[LODGE_DS].selector,
		&b->segs.seg[LODGE_FS].selector,
		&b->segs.seg[LODGE_GS].selector,
	};

	b->memory = low == MAP_FAILED ? NULL : low;
	b->code = low + MEMORY_BYTES;
	asm("mov %%es, %0" : "=r"(*selector[LODGE_ES]));
	asm("mov %%cs, %0" : "=r"(*selector[LODGE_CS]));
	asm("mov %%ss, %0" : "=r"(*selector[LODGE_SS]));
	asm("mov %%ds, %0" : "=r"(*selector[LODGE_DS]));
	asm("mov %%fs, %0" : "=r"(*selector[LODGE_FS]));
	asm("mov %%gs, %0" : "=r"(*selector[LODGE_GS]));
}

TEST(instructions_do_what_they_do_on_the_processor)
{
	static struct bench b;
	const char *what;
	int i, differing = 0, seen[LODGE_NR_OPS] = { 0 };

	native_avx = __builtin_cpu_supports("avx2");
	set_up(&b);
	ASSERT_NE(NULL, b.memory);
	random_start(0);
	for (i = 0; i < INSTRUCTIONS; i++) {
		next_instruction(&b);
		seen[b.insn.op]++;
		what = judge(&b);
		if (what && differing++ < MAX_REPORTS)
			report(&b, what);
	}
	printf("# %d instructions, %d differ\n", INSTRUCTIONS, differing);
	fflush(stdout);
	EXPECT_EQ(0, differing);
	for (i = LODGE_OP_ADD; i <= LODGE_OP_SCAS; i++) {
		struct lodge_insn insn = { .op = i };

		if (i != LODGE_OP_MOVBE && is_tried(&insn))
			EXPECT_LT(0, seen[i]);
	}
}

TEST_HARNESS_MAIN
