// SPDX-License-Identifier: GPL-2.0
/*
 * String instructions: one iteration of those that stay in memory, and the
 * memory half of INS and OUTS in batches.
 */
#include "emul_access.h"

#define PAGE_BYTES 4096U

static u64 string_offset(const struct lodge_emul *e, unsigned int reg)
{
	return e->regs->gpr[reg] & lodge_alu_mask(e->insn.address_size);
}

static u64 string_count(const struct lodge_emul *e)
{
	return e->insn.rep ? string_offset(e, LODGE_RCX) : 1;
}

static void string_move(struct lodge_emul *e, unsigned int reg, u64 count)
{
	u64 bytes = count * e->insn.operand_size;
	u64 value = e->regs->gpr[reg];

	value = e->regs->rflags & X86_EFLAGS_DF ? value - bytes : value + bytes;
	emul_write_gpr(e, reg, value, e->insn.address_size);
}

/* Counts @count iterations; RIP moves on behind the last one, or with @stop. */
static int string_finish(struct lodge_emul *e, u64 count, bool stop)
{
	if (!e->insn.rep)
		return emul_advance(e);
	emul_write_gpr(e, LODGE_RCX, e->regs->gpr[LODGE_RCX] - count,
		       e->insn.address_size);
	return stop || !string_count(e) ? emul_advance(e) : 0;
}

static int translate_source(struct lodge_emul *e, u64 *linear)
{
	return emul_linear(e, e->insn.memory.segment,
			   string_offset(e, LODGE_RSI), e->insn.operand_size,
			   LODGE_ACCESS_READ, linear);
}

static int read_source(struct lodge_emul *e, u64 *value)
{
	u64 linear;
	int error = translate_source(e, &linear);

	return error ? error :
		       emul_read(e, linear, value, e->insn.operand_size,
				 LODGE_ACCESS_READ);
}

static int translate_destination(struct lodge_emul *e, unsigned int access,
				 u64 *linear)
{
	return emul_linear(e, LODGE_ES, string_offset(e, LODGE_RDI),
			   e->insn.operand_size, access, linear);
}

/*
 * The destination is probed first: a device's answer to the read must not be
 * lost to a page fault of the write.
 */
static int emul_movs(struct lodge_emul *e)
{
	unsigned int size = e->insn.operand_size;
	u64 from, to, value;
	int error;

	error = translate_source(e, &from);
	if (!error)
		error = translate_destination(e, LODGE_ACCESS_WRITE, &to);
	if (!error)
		error = e->ops->probe(e->opaque, to, size, LODGE_ACCESS_WRITE,
				      &e->fault);
	if (!error)
		error = emul_read(e, from, &value, size, LODGE_ACCESS_READ);
	if (!error)
		error = emul_write(e, to, value, size);
	if (error)
		return error;
	string_move(e, LODGE_RSI, 1);
	string_move(e, LODGE_RDI, 1);
	return string_finish(e, 1, false);
}

static int emul_stos(struct lodge_emul *e)
{
	u64 to;
	int error;

	error = translate_destination(e, LODGE_ACCESS_WRITE, &to);
	if (!error)
		error = emul_write(e, to, e->regs->gpr[LODGE_RAX],
				   e->insn.operand_size);
	if (error)
		return error;
	string_move(e, LODGE_RDI, 1);
	return string_finish(e, 1, false);
}

static int emul_lods(struct lodge_emul *e)
{
	u64 value;
	int error = read_source(e, &value);

	if (error)
		return error;
	emul_write_gpr(e, LODGE_RAX, value, e->insn.operand_size);
	string_move(e, LODGE_RSI, 1);
	return string_finish(e, 1, false);
}

/* CMPS compares [rSI] with [rDI], SCAS rAX with [rDI]. */
static int emul_compare_string(struct lodge_emul *e)
{
	const struct lodge_insn *insn = &e->insn;
	unsigned int size = insn->operand_size;
	u64 a = e->regs->gpr[LODGE_RAX] & lodge_alu_mask(size);
	u64 rflags = e->regs->rflags;
	u64 b, linear;
	bool equal;
	int error = 0;

	if (insn->op == LODGE_OP_CMPS)
		error = read_source(e, &a);
	if (!error)
		error = translate_destination(e, LODGE_ACCESS_READ, &linear);
	if (!error)
		error = emul_read(e, linear, &b, size, LODGE_ACCESS_READ);
	if (error)
		return error;
	lodge_alu(LODGE_OP_CMP, a, b, size, &rflags);
	e->regs->rflags = rflags;
	if (insn->op == LODGE_OP_CMPS)
		string_move(e, LODGE_RSI, 1);
	string_move(e, LODGE_RDI, 1);
	equal = rflags & X86_EFLAGS_ZF;
	return string_finish(
		e, 1, insn->prefixes & LODGE_PREFIX_REP ? !equal : equal);
}

/*
 * Without an iteration, Intel's processors cut some registers to the address size
 * all the same: seen, and in no manual.
 */
static int string_nothing(struct lodge_emul *e)
{
	unsigned int size = e->insn.address_size;
	u8 op = e->insn.op;

	if (e->features & LODGE_EMUL_INTEL) {
		emul_write_gpr(e, LODGE_RCX, 0, size);
		if (op == LODGE_OP_MOVS)
			emul_write_gpr(e, LODGE_RSI, e->regs->gpr[LODGE_RSI],
				       size);
		if (op == LODGE_OP_MOVS || op == LODGE_OP_STOS)
			emul_write_gpr(e, LODGE_RDI, e->regs->gpr[LODGE_RDI],
				       size);
	}
	return emul_advance(e);
}

int lodge_emul_string(struct lodge_emul *e)
{
	if (!string_count(e))
		return string_nothing(e);
	switch (e->insn.op) {
	case LODGE_OP_MOVS:
		return emul_movs(e);
	case LODGE_OP_STOS:
		return emul_stos(e);
	case LODGE_OP_LODS:
		return emul_lods(e);
	default:
		return emul_compare_string(e);
	}
}

/*
 * INS and OUTS: the memory half.  A batch lies in one page and does not wrap,
 * so one check of its whole range stands for all of its elements.
 */

static bool descends(const struct lodge_emul *e)
{
	return e->regs->rflags & X86_EFLAGS_DF;
}

/* Elements from @offset on, @room at most, before the address wraps. */
static u64 before_wrap(const struct lodge_emul *e, u64 offset, u64 room)
{
	u64 bytes = descends(e) ? offset :
				  lodge_alu_mask(e->insn.address_size) - offset;

	return min(bytes / e->insn.operand_size, room - 1) + 1;
}

/* Elements from @linear on that lie in its page, but at least one. */
static u64 within_page(const struct lodge_emul *e, u64 linear)
{
	unsigned int size = e->insn.operand_size;
	unsigned int in_page = linear & (PAGE_BYTES - 1);

	if (in_page + size > PAGE_BYTES)
		return 1;
	if (descends(e))
		return in_page / size + 1;
	return (PAGE_BYTES - in_page) / size;
}

/* The lowest address of @n elements of which the first is at @linear. */
static u64 lowest(const struct lodge_emul *e, u64 linear, u64 n)
{
	return descends(e) ? linear - (n - 1) * e->insn.operand_size : linear;
}

/**
 * find_batch() - find as many elements as can be moved at once
 * @e: the instruction
 * @access: READ: from rSI; WRITE: to rDI
 * @count: in: the most that the caller wants, at least 1; out: how many it is
 * @linear: out: address of the first element
 */
static int find_batch(struct lodge_emul *e, unsigned int access, u64 *count,
		      u64 *linear)
{
	bool write = access & LODGE_ACCESS_WRITE;
	enum lodge_seg seg = write ? LODGE_ES : e->insn.memory.segment;
	u64 offset = string_offset(e, write ? LODGE_RDI : LODGE_RSI);
	unsigned int size = e->insn.operand_size;
	u64 unused;
	int error;

	error = emul_linear(e, seg, offset, size, access, linear);
	if (error)
		return error;
	*count = min(before_wrap(e, offset, *count), within_page(e, *linear));
	if (emul_linear(e, seg, lowest(e, offset, *count), *count * size,
			access, &unused))
		*count = 1;
	return 0;
}

/* Elements that are asked for and fit @size bytes. */
static u64 wanted(const struct lodge_emul *e, size_t size)
{
	return min(string_count(e), (u64)size / e->insn.operand_size);
}

/* Elements that came from below upwards are sent from above downwards. */
static void reverse_elements(u8 *data, u64 n, unsigned int width)
{
	u8 *low = data, *high = data + (n - 1) * width;
	u8 held[4];

	for (; low < high; low += width, high -= width) {
		memcpy(held, low, width);
		memcpy(low, high, width);
		memcpy(high, held, width);
	}
}

/*
 * Read *@n elements from @linear on, at once where they are memory, and otherwise
 * the first alone.
 */
static int gather(struct lodge_emul *e, u64 linear, void *data, u64 *n)
{
	unsigned int width = e->insn.operand_size;
	int error = -ENXIO;

	if (*n > 1)
		error = e->ops->gather(e->opaque, lowest(e, linear, *n), data,
				       *n * width, &e->fault);
	if (error != -ENXIO) {
		if (!error && descends(e))
			reverse_elements(data, *n, width);
		return error;
	}
	*n = 1;
	return e->ops->read(e->opaque, linear, data, width, LODGE_ACCESS_READ,
			    &e->fault);
}

int lodge_emul_outs(struct lodge_emul *e, void *data, size_t size, u32 *count)
{
	u64 n, linear;
	int error;

	if (e->insn.op != LODGE_OP_OUTS)
		return -EOPNOTSUPP;
	*count = 0;
	n = wanted(e, size);
	if (!n)
		return 0;
	error = find_batch(e, LODGE_ACCESS_READ, &n, &linear);
	if (!error)
		error = gather(e, linear, data, &n);
	if (!error)
		*count = (u32)n;
	return error;
}

void lodge_emul_outs_commit(struct lodge_emul *e, u32 count)
{
	string_move(e, LODGE_RSI, count);
	string_finish(e, count, false);
}

int lodge_emul_ins(struct lodge_emul *e, size_t size, u32 *count)
{
	unsigned int width = e->insn.operand_size;
	u64 n, linear;
	int error;

	if (e->insn.op != LODGE_OP_INS)
		return -EOPNOTSUPP;
	*count = 0;
	n = wanted(e, size);
	if (!n)
		return 0;
	error = find_batch(e, LODGE_ACCESS_WRITE, &n, &linear);
	if (error)
		return error;
	error = -ENXIO;
	if (n > 1)
		error = e->ops->scatter(e->opaque, lowest(e, linear, n), NULL,
					n * width, &e->fault);
	if (error == -ENXIO) {
		n = 1;
		error = e->ops->probe(e->opaque, linear, width,
				      LODGE_ACCESS_WRITE, &e->fault);
	}
	if (!error)
		*count = (u32)n;
	return error;
}

/* Downwards one by one: the elements lie the other way round in @data. */
int lodge_emul_ins_commit(struct lodge_emul *e, const void *data, u32 *count)
{
	unsigned int width = e->insn.operand_size;
	u64 linear, n = *count;
	int error;

	if (e->insn.op != LODGE_OP_INS)
		return -EOPNOTSUPP;
	if (!n)
		return string_finish(e, 0, false);
	error = find_batch(e, LODGE_ACCESS_WRITE, &n, &linear);
	if (error)
		return error;
	error = -ENXIO;
	if (n > 1 && !descends(e))
		error = e->ops->scatter(e->opaque, linear, data, n * width,
					&e->fault);
	if (error == -ENXIO) {
		n = 1;
		error = e->ops->write(e->opaque, linear, data, width,
				      &e->fault);
	}
	if (error)
		return error;
	*count = (u32)n;
	string_move(e, LODGE_RDI, n);
	return string_finish(e, n, false);
}
