// SPDX-License-Identifier: GPL-2.0
/*
 * One walk over prefixes, opcode, ModRM, SIB, displacement and immediate, which
 * fills struct lodge_insn as the tables in opcode.h say.
 *
 * A byte that is not there reads as zero and leaves its reason in
 * decoder.error, which is looked at before anything is concluded from it.
 */
#include "decode.h"
#include "opcode.h"

struct decoder {
	struct lodge_insn *insn;
	const u8 *bytes;
	size_t length;
	size_t at;
	int error;
	u8 modrm;
	bool has_modrm;
};

#define REX_W 0x8
#define REX_R 0x4
#define REX_X 0x2
#define REX_B 0x1

/* One more address bit of a register number, from the REX prefix. */
static u8 rex_bit(const struct decoder *d, u8 bit)
{
	return d->insn->rex & bit ? 8 : 0;
}

static u8 modrm_mod(const struct decoder *d)
{
	return d->modrm >> 6;
}

static u8 modrm_reg(const struct decoder *d)
{
	return d->modrm >> 3 & 7;
}

static u8 modrm_rm(const struct decoder *d)
{
	return d->modrm & 7;
}

static u8 peek(struct decoder *d)
{
	if (d->error)
		return 0;
	if (d->at == LODGE_INSN_MAX_LENGTH)
		d->error = -E2BIG;
	else if (d->at >= d->length)
		d->error = -ENODATA;
	else
		return d->bytes[d->at];
	return 0;
}

/* The next @size bytes, little-endian. */
static u64 take(struct decoder *d, unsigned int size)
{
	u64 value = 0;
	unsigned int i;

	for (i = 0; i < size; i++) {
		value |= (u64)peek(d) << (8 * i);
		d->at++;
	}
	return value;
}

static u64 take_signed(struct decoder *d, unsigned int size)
{
	unsigned int shift = 64 - 8 * size;

	return (u64)((s64)(take(d, size) << shift) >> shift);
}

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

static const struct row *find_prefixed(struct lodge_insn *insn, u8 map,
				       u8 opcode)
{
	u8 prefix = mandatory_prefix(insn);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(prefixed); i++) {
		if (prefixed[i].map != map || prefixed[i].opcode != opcode ||
		    prefixed[i].prefix != prefix)
			continue;
		insn->aligned = prefixed[i].aligned;
		return &prefixed[i].row;
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

static const struct row *find_opcode(struct decoder *d)
{
	u8 opcode = (u8)take(d, 1);
	const struct row *row;

	if (opcode != 0x0f)
		return &one_byte[opcode];
	opcode = (u8)take(d, 1);
	if (opcode == 0x38)
		return find_prefixed(d->insn, MAP_0F38, (u8)take(d, 1));
	row = &two_byte[opcode];
	if (row->op || row->flags)
		return row;
	return find_prefixed(d->insn, MAP_0F, opcode);
}

/* Replaces @row, which has GROUP, by what ModRM selects. */
static void select_from_group(struct decoder *d, struct row *row)
{
	const struct row outer = *row;
	const struct row *system;

	take_modrm(d);
	*row = group[outer.op][modrm_reg(d)];
	row->flags |= outer.flags & (BYTE | NO64);
	if (outer.op == GROUP_1)
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

	for (i = 0; i < 2; i++) {
		if (row->form[i] >= RM && row->form[i] <= GPR)
			return true;
	}
	return false;
}

/* Whether mode and prefixes allow the instruction at all. */
static bool row_allowed(const struct decoder *d, const struct row *row)
{
	const struct lodge_insn *insn = d->insn;
	bool mode64 = insn->mode == LODGE_MODE_64;

	if (!row->op || row->flags & (mode64 ? NO64 : ONLY64))
		return false;
	if (row->flags & BARE && mandatory_prefix(insn))
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

/* Instructions that do not follow the general rule for their sizes. */
static void correct_sizes(struct lodge_insn *insn, const struct row *row)
{
	bool mode64 = insn->mode == LODGE_MODE_64;

	if (row->form[0] == GPR || row->form[1] == GPR)
		insn->operand_size = mode64 ? 8 : 4;
	else if (row->width == W_TABLE)
		insn->operand_size = mode64 ? 8 : 4;
	else if (row->width == W_PAIR || (row->flags & BARE))
		insn->operand_size = insn->rex & REX_W ? 8 : 4;
	else if (row->form[0] == XMM || row->form[1] == XMM)
		insn->operand_size = row->width	       ? row->width :
				     insn->rex & REX_W ? 8 :
							 4;
	else if (row->op == LODGE_OP_LLDT || row->op == LODGE_OP_LTR ||
		 row->op == LODGE_OP_LMSW)
		insn->operand_size = 2;
}

static u8 memory_size(const struct lodge_insn *insn, const struct row *row)
{
	switch (row->width) {
	case W_OPERAND:
		return insn->operand_size;
	case W_PAIR:
		return 2 * insn->operand_size;
	case W_TABLE:
		return 2 + insn->operand_size;
	case W_ADDRESS:
		return 0;
	default:
		return row->width;
	}
}

/* ModRM with 16-bit addresses (APM vol. 3, table A-33). */
static void take_address16(struct decoder *d, struct lodge_address *a)
{
	static const u8 base[] = {
		LODGE_RBX, LODGE_RBX, LODGE_RBP, LODGE_RBP,
		LODGE_RSI, LODGE_RDI, LODGE_RBP, LODGE_RBX,
	};

	a->base = base[modrm_rm(d)];
	if (modrm_rm(d) < 4) {
		a->index = modrm_rm(d) & 1 ? LODGE_RDI : LODGE_RSI;
		a->scale = 1;
	}
	if (modrm_mod(d) == 0 && modrm_rm(d) == 6) {
		a->base = LODGE_REG_NONE;
		a->displacement = take_signed(d, 2);
	} else if (modrm_mod(d)) {
		a->displacement = take_signed(d, modrm_mod(d));
	}
}

static void take_sib(struct decoder *d, struct lodge_address *a)
{
	u8 sib = (u8)take(d, 1);
	u8 index = (sib >> 3 & 7) | rex_bit(d, REX_X);

	a->base = (sib & 7) | rex_bit(d, REX_B);
	if (modrm_mod(d) == 0 && (sib & 7) == 5)
		a->base = LODGE_REG_NONE;
	if (index != LODGE_RSP) {
		a->index = index;
		a->scale = 1 << (sib >> 6);
	}
}

/* ModRM and SIB with 32- and 64-bit addresses (APM vol. 3, 1.4). */
static void take_address32(struct decoder *d, struct lodge_address *a)
{
	u8 mod = modrm_mod(d);

	a->base = modrm_rm(d) | rex_bit(d, REX_B);
	if (modrm_rm(d) == 4)
		take_sib(d, a);
	else if (mod == 0 && modrm_rm(d) == 5)
		a->base = d->insn->mode == LODGE_MODE_64 ? LODGE_REG_RIP :
							   LODGE_REG_NONE;

	if (mod == 1)
		a->displacement = take_signed(d, 1);
	else if (mod == 2 || a->base == LODGE_REG_NONE ||
		 a->base == LODGE_REG_RIP)
		a->displacement = take_signed(d, 4);
}

static void take_memory(struct decoder *d)
{
	struct lodge_insn *insn = d->insn;
	struct lodge_address *a = &insn->memory;

	if (insn->address_size == 2)
		take_address16(d, a);
	else
		take_address32(d, a);
	if (!(insn->prefixes & LODGE_PREFIX_SEGMENT) &&
	    (a->base == LODGE_RBP || a->base == LODGE_RSP))
		a->segment = LODGE_SS;
}

static void set_operand(struct lodge_operand *o, u8 kind, u8 reg, u8 size)
{
	o->kind = kind;
	o->reg = reg;
	o->size = size;
}

/* Without REX, byte registers 4 to 7 are AH, CH, DH, BH. */
static void set_gpr(const struct decoder *d, struct lodge_operand *o, u8 reg)
{
	u8 size = d->insn->operand_size;

	if (size == 1 && reg >= 4 && !d->insn->rex)
		set_operand(o, LODGE_OPERAND_GPR_HIGH, reg - 4, size);
	else
		set_operand(o, LODGE_OPERAND_GPR, reg, size);
}

static int take_rm(struct decoder *d, struct lodge_operand *o,
		   const struct row *row)
{
	if (modrm_mod(d) != 3) {
		take_memory(d);
		set_operand(o, LODGE_OPERAND_MEMORY, 0,
			    memory_size(d->insn, row));
		return 0;
	}
	if (!(row->flags & REGS))
		return -EINVAL;
	set_gpr(d, o, modrm_rm(d) | rex_bit(d, REX_B));
	return 0;
}

/* CR0, CR2, CR3, CR4 and CR8; DR0 to DR7; ES to GS. */
static bool special_register_exists(u8 kind, u8 reg)
{
	switch (kind) {
	case LODGE_OPERAND_CONTROL:
		return reg <= 8 && 0x11d & 1 << reg;
	case LODGE_OPERAND_DEBUG:
		return reg <= 7;
	default:
		return reg <= LODGE_GS;
	}
}

static int set_special(struct lodge_operand *o, u8 kind, u8 reg, u8 size)
{
	set_operand(o, kind, reg, size);
	return special_register_exists(kind, reg) ? 0 : -EINVAL;
}

static void take_immediate(struct decoder *d, struct lodge_operand *o, u8 form)
{
	struct lodge_insn *insn = d->insn;
	u8 size = 1;

	if (form == IMM)
		size = insn->operand_size > 4 ? 4 : insn->operand_size;
	insn->immediate = form == UIMM8 ? take(d, 1) : take_signed(d, size);
	set_operand(o, LODGE_OPERAND_IMMEDIATE, 0, size);
}

static int take_operand(struct decoder *d, const struct row *row, int i)
{
	struct lodge_insn *insn = d->insn;
	struct lodge_operand *o = &insn->operand[i];
	u8 reg = modrm_reg(d) | rex_bit(d, REX_R);

	switch ((enum form)row->form[i]) {
	case NONE:
		break;
	case RM:
		return take_rm(d, o, row);
	case REG:
		set_gpr(d, o, reg);
		break;
	case SEGREG:
		return set_special(o, LODGE_OPERAND_SEGMENT, modrm_reg(d), 2);
	case XMM:
		set_operand(o, LODGE_OPERAND_XMM, reg, 16);
		break;
	case CR:
		return set_special(o, LODGE_OPERAND_CONTROL, reg,
				   insn->operand_size);
	case DR:
		return set_special(o, LODGE_OPERAND_DEBUG, reg,
				   insn->operand_size);
	case GPR:
		set_gpr(d, o, modrm_rm(d) | rex_bit(d, REX_B));
		break;
	case IMM:
	case IMM8:
	case UIMM8:
		take_immediate(d, o, row->form[i]);
		break;
	case ACC:
		set_operand(o, LODGE_OPERAND_GPR, LODGE_RAX,
			    insn->operand_size);
		break;
	case DX:
		set_operand(o, LODGE_OPERAND_GPR, LODGE_RDX, 2);
		break;
	case MOFFS:
		insn->memory.displacement = take(d, insn->address_size);
		set_operand(o, LODGE_OPERAND_MEMORY, 0, insn->operand_size);
		break;
	}
	return 0;
}

/* Of two operands only the later in the encoding can be an immediate. */
static int take_operands(struct decoder *d, const struct row *row)
{
	int error = take_operand(d, row, 0);

	if (!error)
		error = take_operand(d, row, 1);
	return d->error ? d->error : error;
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
	correct_sizes(insn, &row);
	error = take_operands(&d, &row);
	if (error)
		return error;
	if (insn->prefixes & LODGE_PREFIX_LOCK && !lock_allowed(insn))
		return -EINVAL;
	insn->rep = insn->op >= LODGE_OP_MOVS && insn->op <= LODGE_OP_OUTS &&
		    insn->prefixes & (LODGE_PREFIX_REP | LODGE_PREFIX_REPNE);
	insn->length = (u8)d.at;
	return 0;
}

static u64 cut(u64 value, unsigned int size)
{
	return size == 8 ? value : value & ((1ULL << (8 * size)) - 1);
}

u64 lodge_insn_next_rip(const struct lodge_general *regs,
			enum lodge_cpu_mode mode, unsigned int length)
{
	return cut(regs->rip + length, 2U << mode);
}

u64 lodge_insn_offset(const struct lodge_insn *insn,
		      const struct lodge_general *regs)
{
	const struct lodge_address *a = &insn->memory;
	u64 offset = a->displacement;

	/* A wrong guess at "none" must not index with it. */
	if (a->base == LODGE_REG_RIP)
		offset += regs->rip + insn->length;
	else if (a->base != LODGE_REG_NONE)
		offset += regs->gpr[a->base & LODGE_R15];
	if (a->index != LODGE_REG_NONE)
		offset += regs->gpr[a->index & LODGE_R15] * a->scale;
	return cut(offset, insn->address_size);
}
