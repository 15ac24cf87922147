// SPDX-License-Identifier: GPL-2.0
/*
 * Exits for ports: IN and OUT, and INS and OUTS, which the emulator carries out.
 */
#include <asm/processor-flags.h>

#include "emulate.h"
#include "insn.h"
#include "portio.h"
#include "vm.h"

static int lodge_portio_report(struct lodge_vcpu *vcpu, u16 port, u8 size,
			       bool in, u32 count)
{
	struct lodge_exit_io *io = &vcpu->run->exit.io;

	if (!lodge_emulate_sound(vcpu,
				 (size == 1 || size == 2 || size == 4) &&
					 count <= LODGE_RUN_DATA_SIZE / size))
		return -EIO;
	io->port = port;
	io->size = size;
	io->in = in;
	io->count = count;
	vcpu->run->reason = LODGE_EXIT_IO;
	return LODGE_TO_USER;
}

/* Bytes of an exit of INS or OUTS; a guest that single-steps hears of each element. */
static size_t lodge_portio_room(const struct lodge_vcpu *vcpu)
{
	if (vcpu->regs.general.rflags & X86_EFLAGS_TF)
		return vcpu->emul.insn.operand_size;
	return LODGE_RUN_DATA_SIZE;
}

/* OUTS: as many elements as fit the data area, in one exit. */
static int lodge_portio_outs(struct lodge_vcpu *vcpu)
{
	struct lodge_emul *e = &vcpu->emul;
	u64 rip = vcpu->regs.general.rip;
	u32 count;
	int answer;

	vcpu->io.next = 0;
	answer = lodge_emul_outs(e, vcpu->run->data, lodge_portio_room(vcpu),
				 &count);
	if (answer)
		return lodge_emulate_outcome(vcpu, answer);
	lodge_emul_outs_commit(e, count);
	lodge_emulate_advance(vcpu, rip);
	if (!count)
		return LODGE_ENTER_AGAIN;
	return lodge_portio_report(vcpu, vcpu->io.port, e->insn.operand_size,
				   false, count);
}

/* INS, its first half: ask for elements. */
static int lodge_portio_ins(struct lodge_vcpu *vcpu)
{
	struct lodge_emul *e = &vcpu->emul;
	struct lodge_io *io = &vcpu->io;
	u64 rip = vcpu->regs.general.rip;
	int answer = lodge_emul_ins(e, lodge_portio_room(vcpu), &io->count);

	if (!answer && !io->count) {
		answer = lodge_emul_ins_commit(e, NULL, &io->count);
		if (!answer)
			lodge_emulate_advance(vcpu, rip);
		return LODGE_ENTER_AGAIN;
	}
	if (answer)
		return lodge_emulate_outcome(vcpu, answer);
	io->stored = 0;
	io->completion = LODGE_COMPLETE_INS;
	return lodge_portio_report(vcpu, io->port, e->insn.operand_size, true,
				   io->count);
}

/*
 * INS, its second half: store what has come.  A single element is kept for the
 * exits of a device that it goes to: the port is not read again.
 */
static int lodge_portio_store(struct lodge_vcpu *vcpu)
{
	struct lodge_emul *e = &vcpu->emul;
	struct lodge_io *io = &vcpu->io;
	u64 rip = vcpu->regs.general.rip;
	const u8 *data;
	u32 count;
	int answer;

	while (io->stored < io->count) {
		io->next = 0;
		data = io->count == 1 ?
			       io->element :
			       vcpu->run->data +
				       io->stored * e->insn.operand_size;
		count = io->count - io->stored;
		answer = lodge_emul_ins_commit(e, data, &count);
		if (answer)
			return lodge_emulate_outcome(vcpu, answer);
		io->nr = 0;
		io->stored += count;
	}
	lodge_emulate_advance(vcpu, rip);
	return LODGE_ENTER_AGAIN;
}

/*
 * Whether what was read is what has left the guest: another vCPU may have written
 * there.  A processor may or may not call REPNE a repetition here.
 */
static bool lodge_portio_same_string(const struct lodge_insn *insn,
				     const struct lodge_vmexit *exit)
{
	if (insn->op != (exit->io.in ? LODGE_OP_INS : LODGE_OP_OUTS) ||
	    insn->operand_size != exit->io.size)
		return false;
	if (exit->io.address_size &&
	    insn->address_size != exit->io.address_size)
		return false;
	return insn->rep == exit->io.rep || insn->prefixes & LODGE_PREFIX_REPNE;
}

/* A guest whose code has changed tries again. */
static int lodge_portio_string(struct lodge_vcpu *vcpu,
			       const struct lodge_vmexit *exit)
{
	int answer = lodge_insn_fetch(vcpu);

	if (answer)
		return lodge_insn_doubt(vcpu, answer, ~0ULL);
	if (!lodge_portio_same_string(&vcpu->emul.insn, exit))
		return LODGE_ENTER_AGAIN;
	lodge_emulate_prepare(vcpu);
	vcpu->io.port = exit->io.port;
	return exit->io.in ? lodge_portio_ins(vcpu) : lodge_portio_outs(vcpu);
}

int lodge_portio_exit(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit)
{
	struct lodge_io *io = &vcpu->io;

	if (exit->io.string)
		return lodge_portio_string(vcpu, exit);
	if (exit->io.in) {
		io->completion = LODGE_COMPLETE_IN;
		io->size = exit->io.size;
		io->next_rip = exit->next_rip;
	} else {
		/* An output is over once it is on its way. */
		memcpy(vcpu->run->data, &vcpu->regs.general.gpr[LODGE_RAX],
		       sizeof(u32));
		lodge_insn_done(vcpu, exit->next_rip);
	}
	return lodge_portio_report(vcpu, exit->io.port, exit->io.size,
				   exit->io.in, 1);
}

void lodge_portio_finish_in(struct lodge_vcpu *vcpu)
{
	__u64 *rax = &vcpu->regs.general.gpr[LODGE_RAX];
	const u8 *data = vcpu->run->data;

	switch (vcpu->io.size) {
	case 1:
		*rax = (*rax & ~0xffULL) | READ_ONCE(*data);
		break;
	case 2:
		*rax = (*rax & ~0xffffULL) | READ_ONCE(*(const u16 *)data);
		break;
	case 4:
		*rax = READ_ONCE(*(const u32 *)data);
		break;
	}
	lodge_insn_done(vcpu, vcpu->io.next_rip);
}

int lodge_portio_finish_ins(struct lodge_vcpu *vcpu)
{
	struct lodge_io *io = &vcpu->io;

	if (io->count == 1)
		memcpy(io->element, vcpu->run->data, sizeof(io->element));
	return lodge_portio_store(vcpu);
}

int lodge_portio_resume(struct lodge_vcpu *vcpu)
{
	if (vcpu->emul.insn.op == LODGE_OP_OUTS)
		return lodge_portio_outs(vcpu);
	return lodge_portio_store(vcpu);
}
