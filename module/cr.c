// SPDX-License-Identifier: GPL-2.0
/*
 * MOV to and from control registers, CLTS, LMSW and SMSW.
 */
#include <asm/processor-flags.h>

#include "apic.h"
#include "backend.h"
#include "cr.h"
#include "emulation.h"
#include "state.h"
#include "vcpu.h"

static u64 lodge_cr_read(struct lodge_vcpu *vcpu, u8 number)
{
	const struct lodge_control *c = &vcpu->regs.control;

	switch (number) {
	case 0:
		return c->cr0;
	case 2:
		return c->cr2;
	case 3:
		lodge_backend->get_state(vcpu, LODGE_GROUP_CONTROL);
		return c->cr3;
	case 4:
		return c->cr4;
	default:
		return lodge_lapic_cr8(vcpu->apic);
	}
}

/* Return: true for #GP. */
static bool lodge_cr_write(struct lodge_vcpu *vcpu, u8 number, u64 value)
{
	switch (number) {
	case 0:
		return lodge_control_set_cr0(vcpu, value);
	case 3:
		return lodge_control_set_cr3(vcpu, value);
	case 4:
		return lodge_control_set_cr4(vcpu, value);
	case 8:
		if (value > 15)
			return true;
		lodge_lapic_set_cr8(vcpu->apic, value);
		vcpu->regs.control.cr8 = value;
		return false;
	default:
		return true;
	}
}

/* LMSW sets the four lowest bits but cannot clear PE. */
static bool lodge_cr_lmsw(struct lodge_vcpu *vcpu, u64 source)
{
	u64 cr0 = vcpu->regs.control.cr0;

	return lodge_control_set_cr0(vcpu, (cr0 & ~0xeULL) | (source & 0xf));
}

enum lodge_execute lodge_cr_execute(struct lodge_vcpu *vcpu)
{
	const struct lodge_insn *insn = &vcpu->emulation->emul.insn;
	const struct lodge_operand *to = &insn->operand[0];
	const struct lodge_operand *from = &insn->operand[1];
	__u64 *gpr = vcpu->regs.general.gpr;
	bool gp = false;
	u64 value;

	/* The code may be another by now than the one that left the guest. */
	if (insn->op != LODGE_OP_SMSW && lodge_state_cpl(vcpu))
		return LODGE_EXECUTE_GP;

	switch (insn->op) {
	case LODGE_OP_MOV_FROM_CR:
		value = lodge_cr_read(vcpu, from->reg);
		gpr[to->reg] = insn->mode == LODGE_MODE_64 ? value : (u32)value;
		break;
	case LODGE_OP_MOV_TO_CR:
		value = gpr[from->reg];
		if (insn->mode != LODGE_MODE_64)
			value = (u32)value;
		gp = lodge_cr_write(vcpu, to->reg, value);
		break;
	case LODGE_OP_CLTS:
		gp = lodge_control_set_cr0(vcpu, vcpu->regs.control.cr0 &
							 ~X86_CR0_TS);
		break;
	case LODGE_OP_LMSW:
		gp = lodge_cr_lmsw(vcpu, gpr[to->reg]);
		break;
	case LODGE_OP_SMSW:
		value = vcpu->regs.control.cr0;
		if (insn->operand_size == 2)
			value = (gpr[to->reg] & ~0xffffULL) | (u16)value;
		gpr[to->reg] = insn->operand_size == 4 ? (u32)value : value;
		break;
	default:
		return LODGE_EXECUTE_UNKNOWN;
	}
	return gp ? LODGE_EXECUTE_GP : LODGE_EXECUTE_DONE;
}

bool lodge_cr_same(const struct lodge_insn *insn,
		   const struct lodge_vmexit *exit)
{
	bool write = exit->reg.write;
	u8 number = exit->reg.number, gpr = exit->reg.gpr;

	if (exit->kind != LODGE_VMEXIT_CR)
		return false;
	switch (insn->op) {
	case LODGE_OP_MOV_FROM_CR:
		return !write && insn->operand[1].reg == number &&
		       (gpr == LODGE_VMEXIT_NO_GPR ||
			gpr == insn->operand[0].reg);
	case LODGE_OP_MOV_TO_CR:
		return write && insn->operand[0].reg == number &&
		       (gpr == LODGE_VMEXIT_NO_GPR ||
			gpr == insn->operand[1].reg);
	case LODGE_OP_CLTS:
	case LODGE_OP_LMSW:
		return write && !number;
	case LODGE_OP_SMSW:
		return !write && !number;
	default:
		return false;
	}
}
