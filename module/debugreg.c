// SPDX-License-Identifier: GPL-2.0
/*
 * MOV to and from debug registers, and DR6 at a #DB.
 */
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "backend.h"
#include "debugreg.h"
#include "emulation.h"
#include "event.h"
#include "processor.h"
#include "state.h"
#include "vcpu.h"

/* Not every processor makes these checks before the intercept. */
static bool lodge_debugreg_faults(struct lodge_vcpu *vcpu, u8 number)
{
	struct lodge_debug *debug = &vcpu->regs.debug;

	if ((number | 1) == 5 && vcpu->regs.control.cr4 & X86_CR4_DE) {
		lodge_event_raise(&vcpu->delivery, X86_TRAP_UD, 0);
		return true;
	}
	if (!(debug->dr7 & LODGE_DR7_GD))
		return false;
	debug->dr6 |= LODGE_DR6_BD;
	lodge_backend->set_state(vcpu, LODGE_GROUP_DEBUG);
	lodge_event_raise(&vcpu->delivery, X86_TRAP_DB, 0);
	return true;
}

/* DR4 and DR5 are other names of DR6 and DR7. */
static u8 lodge_debugreg_number(u8 number)
{
	return number < 4 ? number : number | 2;
}

static u64 lodge_debugreg_read(const struct lodge_debug *debug, u8 number)
{
	if (number < 4)
		return debug->dr[number];
	return number == 6 ? debug->dr6 : debug->dr7;
}

static enum lodge_execute lodge_debugreg_write(struct lodge_vcpu *vcpu,
					       u8 number, u64 value)
{
	struct lodge_debug *debug = &vcpu->regs.debug;

	if (number < 4) {
		debug->dr[number] = value;
		return LODGE_EXECUTE_DONE;
	}
	if (value >> 32)
		return LODGE_EXECUTE_GP;
	if (number == 6)
		debug->dr6 = (value & ~BIT_ULL(12)) | LODGE_DR6_FIXED;
	else
		debug->dr7 = (value & ~0xd000ULL) | LODGE_DR7_FIXED;
	lodge_backend->set_state(vcpu, LODGE_GROUP_DEBUG);
	return LODGE_EXECUTE_DONE;
}

enum lodge_execute lodge_debugreg_execute(struct lodge_vcpu *vcpu)
{
	const struct lodge_insn *insn = &vcpu->emulation->emul.insn;
	bool write = insn->op == LODGE_OP_MOV_TO_DR;
	u8 number = insn->operand[write ? 0 : 1].reg & 7;
	__u64 *gpr = &vcpu->regs.general.gpr[insn->operand[write ? 1 : 0].reg];

	if (!write && insn->op != LODGE_OP_MOV_FROM_DR)
		return LODGE_EXECUTE_UNKNOWN;
	if (lodge_state_cpl(vcpu))
		return LODGE_EXECUTE_GP;
	lodge_backend->get_state(vcpu, LODGE_GROUP_DEBUG);
	if (lodge_debugreg_faults(vcpu, number))
		return LODGE_EXECUTE_RAISED;
	number = lodge_debugreg_number(number);
	if (write)
		return lodge_debugreg_write(
			vcpu, number,
			insn->mode == LODGE_MODE_64 ? *gpr : (u32)*gpr);
	*gpr = lodge_debugreg_read(&vcpu->regs.debug, number);
	return LODGE_EXECUTE_DONE;
}

bool lodge_debugreg_same(const struct lodge_insn *insn,
			 const struct lodge_vmexit *exit)
{
	bool write = insn->op == LODGE_OP_MOV_TO_DR;
	u8 gpr = insn->operand[write ? 1 : 0].reg;
	u8 number = insn->operand[write ? 0 : 1].reg;

	if (!write && insn->op != LODGE_OP_MOV_FROM_DR)
		return false;
	return exit->kind == LODGE_VMEXIT_DR && exit->reg.write == write &&
	       lodge_debugreg_number(exit->reg.number) ==
		       lodge_debugreg_number(number) &&
	       (exit->reg.gpr == LODGE_VMEXIT_NO_GPR || exit->reg.gpr == gpr);
}

void lodge_debugreg_trap(struct lodge_vcpu *vcpu, u64 payload)
{
	__u64 *dr6 = &vcpu->regs.debug.dr6;

	lodge_backend->get_state(vcpu, LODGE_GROUP_DEBUG);
	*dr6 = (*dr6 & ~DR_TRAP_BITS) | LODGE_DR6_FIXED | payload;
	*dr6 ^= payload & LODGE_DR6_FIXED;
	lodge_backend->set_state(vcpu, LODGE_GROUP_DEBUG);
}
