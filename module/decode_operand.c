// SPDX-License-Identifier: GPL-2.0
/*
 * The operands of an instruction whose row is found: addresses, registers and
 * immediates.
 */
#include "decoder.h"

static u8 memory_size(const struct lodge_insn *insn, const struct row *row)
{
	switch (row->width) {
	case W_OPERAND:
		return insn->operand_size;
	case W_PAIR:
	case W_BOUND:
		return 2 * insn->operand_size;
	case W_16:
		return insn->operand_size;
	case W_FAR:
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

/* The registers that exist, by number: CR0, CR2, CR3, CR4, CR8; DR0 to DR7; ES to GS. */
#define CONTROL_REGISTERS 0x11d
#define DEBUG_REGISTERS 0xff
#define SEGMENT_REGISTERS 0x3f

static int set_special(struct lodge_operand *o, u8 kind, u8 reg, u8 size,
		       unsigned int existing)
{
	set_operand(o, kind, reg, size);
	return existing & 1 << reg ? 0 : -EINVAL;
}

/* Outside 64-bit mode there are eight. */
static u8 vex_register(const struct decoder *d)
{
	return d->insn->mode == LODGE_MODE_64 ? d->vvvv : d->vvvv & 7;
}

static void take_immediate(struct decoder *d, struct lodge_operand *o, u8 form)
{
	struct lodge_insn *insn = d->insn;
	u8 size = 1;

	if (form == IMM)
		size = insn->operand_size > 4 ? 4 : insn->operand_size;
	else if (form == UIMM16)
		size = 2;
	else if (form == FRAME)
		size = 3;
	else if (form == FAR)
		size = insn->operand_size + 2;
	if (form == ONE)
		insn->immediate = 1;
	else if (form == IMM || form == IMM8)
		insn->immediate = take_signed(d, size);
	else
		insn->immediate = take(d, size);
	set_operand(o, LODGE_OPERAND_IMMEDIATE, 0, size);
}

/* LES and LDS have opcodes of their own kind; LSS, LFS, LGS end in theirs. */
static u8 far_segment(u8 opcode)
{
	switch (opcode) {
	case 0xc4:
		return LODGE_ES;
	case 0xc5:
		return LODGE_DS;
	default:
		return opcode & 7;
	}
}

/* A register that the opcode or VEX names, not ModRM. */
static void take_implied(const struct decoder *d, struct lodge_operand *o,
			 u8 form)
{
	switch (form) {
	case OPREG:
		set_gpr(d, o, (d->opcode & 7) | rex_bit(d, REX_B));
		break;
	case OPSEG:
		set_operand(o, LODGE_OPERAND_SEGMENT, d->opcode >> 3 & 7, 2);
		break;
	case FARSEG:
		set_operand(o, LODGE_OPERAND_SEGMENT, far_segment(d->opcode),
			    2);
		break;
	case VVVV:
		if (d->insn->vex)
			set_operand(o, LODGE_OPERAND_XMM, vex_register(d), 16);
		break;
	}
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
		return set_special(o, LODGE_OPERAND_SEGMENT, modrm_reg(d), 2,
				   SEGMENT_REGISTERS);
	case MMX:
		set_operand(o, LODGE_OPERAND_MMX, modrm_reg(d), 8);
		break;
	case XMM:
		set_operand(o, LODGE_OPERAND_XMM, reg,
			    is_wide(d, row) ? 32 : 16);
		break;
	case CR:
		return set_special(o, LODGE_OPERAND_CONTROL, reg,
				   insn->operand_size, CONTROL_REGISTERS);
	case DR:
		return set_special(o, LODGE_OPERAND_DEBUG, reg,
				   insn->operand_size, DEBUG_REGISTERS);
	case GPR:
		set_gpr(d, o, modrm_rm(d) | rex_bit(d, REX_B));
		break;
	case IMM:
	case IMM8:
	case UIMM8:
	case UIMM16:
	case FRAME:
	case FAR:
	case ONE:
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
	case CL:
		set_operand(o, LODGE_OPERAND_GPR, LODGE_RCX, 1);
		break;
	case OPREG:
	case OPSEG:
	case FARSEG:
	case VVVV:
		take_implied(d, o, row->form[i]);
		break;
	}
	return 0;
}

/* Memory comes before an immediate in the encoding as among the operands. */
int lodge_decoder_operands(struct decoder *d, const struct row *row)
{
	int i, error = 0;

	for (i = 0; i < LODGE_NR_OPERANDS && !error; i++)
		error = take_operand(d, row, i);
	return d->error ? d->error : error;
}
