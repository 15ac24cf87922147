// SPDX-License-Identifier: GPL-2.0
/*
 * One walk over prefixes, opcode, ModRM, SIB, displacement and immediate, which
 * fills struct lodge_insn as the tables in opcode.h say.
 */
#include "decoder.h"
#include "opcode.h"

/* ES, CS, SS and DS count as no prefix in 64-bit mode. */
static void set_segment(struct lodge_insn *insn, u8 seg)
{
	if (insn->mode == LODGE_MODE_64 && seg < LODGE_FS)
		return;
	insn->prefixes |= LODGE_PREFIX_SEGMENT;
	insn->memory.segment = seg;
}

static bool legacy_prefix(struct lodge_insn *insn, u8 byte)
{
	switch (byte) {
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e:
		set_segment(insn, byte >> 3 & 3);
		return true;
	case 0x64:
	case 0x65:
		set_segment(insn, byte - 0x64 + LODGE_FS);
		return true;
	case 0x66:
		insn->prefixes |= LODGE_PREFIX_OPERAND;
		return true;
	case 0x67:
		insn->prefixes |= LODGE_PREFIX_ADDRESS;
		return true;
	case 0xf0:
		insn->prefixes |= LODGE_PREFIX_LOCK;
		return true;
	case 0xf2:
		insn->prefixes &= ~LODGE_PREFIX_REP;
		insn->prefixes |= LODGE_PREFIX_REPNE;
		return true;
	case 0xf3:
		insn->prefixes &= ~LODGE_PREFIX_REPNE;
		insn->prefixes |= LODGE_PREFIX_REP;
		return true;
	default:
		return false;
	}
}

/* A REX prefix counts only right before the opcode. */
static void take_prefixes(struct decoder *d)
{
	struct lodge_insn *insn = d->insn;
	u8 byte;

	for (; (byte = peek(d)), !d->error; d->at++) {
		if (legacy_prefix(insn, byte))
			insn->rex = 0;
		else if (insn->mode == LODGE_MODE_64 && (byte & 0xf0) == 0x40)
			insn->rex = byte;
		else
			break;
	}
	if (insn->rex)
		insn->prefixes |= LODGE_PREFIX_REX;
}

static void take_modrm(struct decoder *d)
{
	d->modrm = (u8)take(d, 1);
	d->has_modrm = true;
}

static u8 mandatory_prefix(const struct lodge_insn *insn)
{
	if (insn->prefixes & LODGE_PREFIX_REP)
		return 0xf3;
	if (insn->prefixes & LODGE_PREFIX_REPNE)
		return 0xf2;
	return insn->prefixes & LODGE_PREFIX_OPERAND ? 0x66 : 0;
}

/* True if the row has the form that a VEX prefix, or its absence, asks for. */
static bool vex_allowed(const struct decoder *d, const struct prefixed *p)
{
	if (!d->insn->vex)
		return true;
	switch ((enum vex_form)p->vex) {
	case VEX_NONE:
		return false;
	case VEX_128:
		return !d->vex_l && !d->vvvv;
	case VEX_256:
	case VEX_SCALAR:
		return !d->vvvv;
	case VEX_SECOND:
		return !d->vex_l;
	}
	return false;
}

static const struct row *find_prefixed(struct decoder *d, u8 map)
{
	u8 prefix = mandatory_prefix(d->insn);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(prefixed); i++) {
		if (prefixed[i].map != map || prefixed[i].opcode != d->opcode ||
		    prefixed[i].prefix != prefix)
			continue;
		d->insn->aligned = prefixed[i].aligned;
		return vex_allowed(d, &prefixed[i]) ? &prefixed[i].row : NULL;
	}
	return NULL;
}

static const struct row *find_system_op(u8 modrm)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(system_op); i++) {
		if (system_op[i].modrm == modrm)
			return &system_op[i].row;
	}
	return NULL;
}

/* C4 and C5 are LES and LDS where what follows looks like memory in ModRM. */
static bool is_vex(struct decoder *d)
{
	if (d->opcode != 0xc4 && d->opcode != 0xc5)
		return false;
	return d->insn->mode == LODGE_MODE_64 || (peek(d) & 0xc0) == 0xc0;
}

/* Prefix and map that a VEX prefix stands for (SDM vol. 2, figure 2-9). */
static const struct row *find_vex(struct decoder *d)
{
	static const u8 implied[] = { 0, LODGE_PREFIX_OPERAND, LODGE_PREFIX_REP,
				      LODGE_PREFIX_REPNE };
	struct lodge_insn *insn = d->insn;
	bool three = d->opcode == 0xc4;
	u8 first = (u8)take(d, 1);
	u8 last = three ? (u8)take(d, 1) : first;
	u8 map = three ? first & 0x1f : MAP_0F;
	u8 bits = (u8)~first >> 5 & (three ? REX_R | REX_X | REX_B : REX_R);

	if (insn->prefixes & ~(LODGE_PREFIX_ADDRESS | LODGE_PREFIX_SEGMENT))
		return NULL;
	insn->vex = true;
	insn->prefixes |= implied[last & 3];
	d->vex_l = last & 4;
	d->vvvv = ~last >> 3 & 0xf;
	if (three && last & 0x80)
		bits |= REX_W;
	if (insn->mode == LODGE_MODE_64)
		insn->rex = 0x40 | bits;
	d->opcode = (u8)take(d, 1);
	return find_prefixed(d, map);
}

static const struct row *find_opcode(struct decoder *d)
{
	const struct row *row;

	d->opcode = (u8)take(d, 1);
	if (is_vex(d))
		return find_vex(d);
	if (d->opcode == 0x63 && d->insn->mode != LODGE_MODE_64)
		return &arpl;
	if (d->opcode != 0x0f)
		return &one_byte[d->opcode];
	d->opcode = (u8)take(d, 1);
	if (d->opcode == 0x38) {
		d->opcode = (u8)take(d, 1);
		return find_prefixed(d, MAP_0F38);
	}
	row = &two_byte[d->opcode];
	if (row->op || row->flags)
		return row;
	return find_prefixed(d, MAP_0F);
}

/* Replaces @row, which has GROUP, by what ModRM selects. */
static void select_from_group(struct decoder *d, struct row *row)
{
	const struct row outer = *row;
	const struct row *system;

	take_modrm(d);
	*row = group[outer.op][modrm_reg(d)];
	row->flags |= outer.flags & (BYTE | NO64);
	if (outer.op == GROUP_1 || outer.op == GROUP_SHIFT)
		memcpy(row->form, outer.form, sizeof(row->form));
	if (outer.op != GROUP_SYSTEM_TABLE || modrm_mod(d) != 3 ||
	    row->flags & REGS)
		return;
	system = find_system_op(d->modrm);
	if (system)
		*row = *system;
	else
		row->op = LODGE_OP_INVALID;
}

static bool needs_modrm(const struct row *row)
{
	int i;

	for (i = 0; i < LODGE_NR_OPERANDS; i++) {
		if (row->form[i] >= RM && row->form[i] <= GPR)
			return true;
	}
	return false;
}

/* True if mode and prefixes allow the instruction at all. */
static bool row_allowed(const struct decoder *d, const struct row *row)
{
	const struct lodge_insn *insn = d->insn;
	bool mode64 = insn->mode == LODGE_MODE_64;

	if (!row->op || row->flags & (mode64 ? NO64 : ONLY64))
		return false;
	if (row->flags & BARE && mandatory_prefix(insn))
		return false;
	if (row->flags & NEAR && mode64 &&
	    insn->prefixes & LODGE_PREFIX_OPERAND && !(insn->rex & REX_W))
		return false;
	/* 90 alone is NOP, and with REX.B an exchange with R8 even after F3. */
	if (row->op == LODGE_OP_PAUSE)
		return insn->prefixes & LODGE_PREFIX_REP &&
		       !(insn->rex & REX_B);
	return true;
}

static int find_row(struct decoder *d, struct row *row)
{
	const struct row *found = find_opcode(d);

	if (d->error)
		return d->error;
	if (!found)
		return -EINVAL;
	*row = *found;
	if (row->flags & GROUP)
		select_from_group(d, row);
	else if (needs_modrm(row))
		take_modrm(d);
	if (d->error)
		return d->error;
	return row_allowed(d, row) ? 0 : -EINVAL;
}

static void set_sizes(struct lodge_insn *insn, const struct row *row)
{
	bool flip_operand = insn->prefixes & LODGE_PREFIX_OPERAND;
	bool flip_address = insn->prefixes & LODGE_PREFIX_ADDRESS;

	if (insn->mode == LODGE_MODE_64)
		insn->address_size = flip_address ? 4 : 8;
	else
		insn->address_size =
			(insn->mode == LODGE_MODE_32) != flip_address ? 4 : 2;

	if (row->flags & BYTE)
		insn->operand_size = 1;
	else if (insn->rex & REX_W)
		insn->operand_size = row->flags & IO ? 4 : 8;
	else if ((insn->mode == LODGE_MODE_16) != flip_operand)
		insn->operand_size = 2;
	else if (insn->mode == LODGE_MODE_64 && row->flags & STACK)
		insn->operand_size = 8;
	else
		insn->operand_size = 4;
}

static bool is_simd(const struct row *row)
{
	int i;

	for (i = 0; i < 2; i++) {
		if (row->form[i] == XMM || row->form[i] == MMX)
			return true;
	}
	return false;
}

static bool is_x87(const struct lodge_insn *insn)
{
	return insn->op >= LODGE_OP_FLD && insn->op <= LODGE_OP_STMXCSR;
}

/* Instructions that do not follow the general rule for their sizes. */
static void correct_sizes(const struct decoder *d, const struct row *row)
{
	struct lodge_insn *insn = d->insn;
	bool mode64 = insn->mode == LODGE_MODE_64;

	if (row->form[0] == GPR || row->form[1] == GPR)
		insn->operand_size = mode64 ? 8 : 4;
	else if (row->width == W_TABLE)
		insn->operand_size = mode64 ? 8 : 4;
	else if (row->width == W_PAIR || (row->flags & BARE))
		insn->operand_size = insn->rex & REX_W ? 8 : 4;
	else if (is_x87(insn))
		insn->operand_size = row->width;
	else if (is_simd(row))
		insn->operand_size = row->width	       ? row->width :
				     insn->rex & REX_W ? 8 :
							 4;
	else if (row->flags & WORD)
		insn->operand_size = 2;
	if (is_wide(d, row))
		insn->operand_size *= 2;
}

/* LOCK is for a memory destination that is read first (APM vol. 3, 1.2.5). */
static bool lock_allowed(const struct lodge_insn *insn)
{
	if (insn->operand[0].kind != LODGE_OPERAND_MEMORY)
		return false;
	return (insn->op >= LODGE_OP_ADD && insn->op <= LODGE_OP_XOR) ||
	       (insn->op >= LODGE_OP_NOT && insn->op <= LODGE_OP_DEC) ||
	       (insn->op >= LODGE_OP_BTS && insn->op <= LODGE_OP_CMPXCHG_PAIR);
}

/*
 * LOCK makes CR8 of CR0 (APM vol. 3, MOV CRn), in all modes.  Processors that do not
 * have this raise #UD, and do not intercept it.
 */
static bool name_cr8(struct lodge_insn *insn)
{
	int i;

	for (i = 0; i < 2; i++) {
		if (insn->operand[i].kind != LODGE_OPERAND_CONTROL ||
		    insn->operand[i].reg)
			continue;
		insn->operand[i].reg = 8;
		return true;
	}
	return false;
}

int lodge_decode(struct lodge_insn *insn, enum lodge_cpu_mode mode,
		 const u8 *bytes, size_t length)
{
	struct decoder d = { .insn = insn, .bytes = bytes, .length = length };
	struct row row;
	int error;

	memset(insn, 0, sizeof(*insn));
	insn->mode = (u8)mode;
	insn->memory.segment = LODGE_DS;
	insn->memory.base = LODGE_REG_NONE;
	insn->memory.index = LODGE_REG_NONE;

	take_prefixes(&d);
	error = find_row(&d, &row);
	if (error)
		return error;
	insn->op = row.op;
	set_sizes(insn, &row);
	correct_sizes(&d, &row);
	error = lodge_decoder_operands(&d, &row);
	if (error)
		return error;
	if (insn->prefixes & LODGE_PREFIX_LOCK && !name_cr8(insn) &&
	    !lock_allowed(insn))
		return -EINVAL;
	/* CS is loaded by branches only. */
	if (insn->op == LODGE_OP_MOV_TO_SEG && insn->operand[0].reg == LODGE_CS)
		return -EINVAL;
	if (insn->op == LODGE_OP_SETCC || insn->op == LODGE_OP_CMOVCC)
		insn->condition = d.opcode & 0xf;
	if (is_x87(insn))
		insn->fpu_opcode = (u16)((d.opcode & 7) << 8 | d.modrm);
	insn->rep = insn->op >= LODGE_OP_MOVS && insn->op <= LODGE_OP_OUTS &&
		    insn->prefixes & (LODGE_PREFIX_REP | LODGE_PREFIX_REPNE);
	insn->length = (u8)d.at;
	return 0;
}

u64 lodge_insn_next_rip(const struct lodge_general *regs,
			enum lodge_cpu_mode mode, unsigned int length)
{
	return (regs->rip + length) & lodge_alu_mask(2U << mode);
}

u64 lodge_insn_offset(const struct lodge_insn *insn,
		      const struct lodge_general *regs)
{
	const struct lodge_address *a = &insn->memory;
	u64 offset = a->displacement;

	/* The masks keep a processor that mispredicts "none" within the array. */
	if (a->base == LODGE_REG_RIP)
		offset += regs->rip + insn->length;
	else if (a->base != LODGE_REG_NONE)
		offset += regs->gpr[a->base & LODGE_R15];
	if (a->index != LODGE_REG_NONE)
		offset += regs->gpr[a->index & LODGE_R15] * a->scale;
	return offset & lodge_alu_mask(insn->address_size);
}
