// SPDX-License-Identifier: GPL-2.0
/*
 * Exits for ports: IN and OUT, and INS and OUTS, which the emulator carries out.
 */
#include <linux/sched.h>
#include <asm/processor-flags.h>

#include "emulate.h"
#include "emulation.h"
#include "exit.h"
#include "insn.h"
#include "iobus.h"
#include "portio.h"
#include "vcpu.h"
#include "vm.h"

static int lodge_portio_report(struct lodge_vcpu *vcpu, u16 port, u8 size,
			       bool in, u32 count)
{
	struct lodge_exit_io *io = &vcpu->answer.exit.io;

	if (!lodge_emulate_sound(vcpu,
				 (size == 1 || size == 2 || size == 4) &&
					 count <= LODGE_RUN_DATA_SIZE / size))
		return -EIO;
	io->port = port;
	io->size = size;
	io->in = in;
	io->count = count;
	vcpu->answer.reason = LODGE_EXIT_IO;
	return LODGE_TO_USER;
}

/*
 * Let devices in the kernel answer elements of INS or OUTS, which are in the data
 * area.  User space writes there meanwhile: a device gets a copy.
 *
 * Return: how many, up to the first that none answers.
 */
static u32 lodge_portio_transfer(struct lodge_vcpu *vcpu, bool in, u32 count)
{
	const u8 size = vcpu->emulation->emul.insn.operand_size;
	const u16 port = vcpu->emulation->io.port;
	u8 *data = vcpu->data;
	u32 i, element = 0;

	if (!lodge_emulate_sound(vcpu,
				 size <= sizeof(element) &&
					 count <= LODGE_RUN_DATA_SIZE / size))
		return 0;
	for (i = 0; i < count; i++, data += size) {
		cond_resched();
		if (in) {
			if (!lodge_iobus_read(vcpu, LODGE_IOBUS_PORT, port,
					      &element, size))
				break;
			memcpy(data, &element, size);
		} else {
			memcpy(&element, data, size);
			if (!lodge_iobus_write(vcpu, LODGE_IOBUS_PORT, port,
					       &element, size))
				break;
		}
	}
	return i;
}

/* Bytes of an exit of INS or OUTS; a guest that single-steps hears of each element. */
static size_t lodge_portio_room(const struct lodge_vcpu *vcpu)
{
	if (vcpu->regs.general.rflags & X86_EFLAGS_TF)
		return vcpu->emulation->emul.insn.operand_size;
	return LODGE_RUN_DATA_SIZE;
}

/* OUTS: as many elements as fit the data area, in one exit. */
static int lodge_portio_outs(struct lodge_vcpu *vcpu)
{
	struct lodge_emul *e = &vcpu->emulation->emul;
	struct lodge_io *io = &vcpu->emulation->io;
	u64 rip = vcpu->regs.general.rip;
	const u8 size = e->insn.operand_size;
	u32 count, sent;
	int answer;

	io->next = 0;
	answer =
		lodge_emul_outs(e, vcpu->data, lodge_portio_room(vcpu), &count);
	if (answer)
		return lodge_emulate_outcome(vcpu, answer);
	lodge_emul_outs_commit(e, count);
	lodge_emulate_advance(vcpu, rip);
	sent = lodge_portio_transfer(vcpu, false, count);
	if (sent == count)
		return LODGE_ENTER_AGAIN;
	memmove(vcpu->data, vcpu->data + sent * size, (count - sent) * size);
	return lodge_portio_report(vcpu, io->port, size, false, count - sent);
}

/* INS, its first half: ask for elements. */
static int lodge_portio_ins(struct lodge_vcpu *vcpu)
{
	struct lodge_emul *e = &vcpu->emulation->emul;
	struct lodge_io *io = &vcpu->emulation->io;
	u64 rip = vcpu->regs.general.rip;
	int answer = lodge_emul_ins(e, lodge_portio_room(vcpu), &io->count);
	u32 got;

	if (!answer && !io->count) {
		answer = lodge_emul_ins_commit(e, NULL, &io->count);
		if (!answer)
			lodge_emulate_advance(vcpu, rip);
		return LODGE_ENTER_AGAIN;
	}
	if (answer)
		return lodge_emulate_outcome(vcpu, answer);
	io->stored = 0;
	got = lodge_portio_transfer(vcpu, true, io->count);
	if (got) {
		io->count = got;
		return lodge_portio_finish_ins(vcpu);
	}
	vcpu->completion = LODGE_COMPLETE_INS;
	return lodge_portio_report(vcpu, io->port, e->insn.operand_size, true,
				   io->count);
}

/*
 * INS, its second half: store what has come.  A single element is kept for the
 * exits of a device that it goes to: the port is not read again.
 */
static int lodge_portio_store(struct lodge_vcpu *vcpu)
{
	struct lodge_emul *e = &vcpu->emulation->emul;
	struct lodge_io *io = &vcpu->emulation->io;
	u64 rip = vcpu->regs.general.rip;
	const u8 *data;
	u32 count;
	int answer;

	while (io->stored < io->count) {
		io->next = 0;
		data = io->count == 1 ?
			       io->element :
			       vcpu->data + io->stored * e->insn.operand_size;
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
 * Return: true if the instruction that was read can be the one that caused the
 * exit: another vCPU may have written there.  A processor may or may not treat
 * REPNE as a repetition here.
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
		return lodge_insn_changed(vcpu, answer);
	if (!lodge_portio_same_string(&vcpu->emulation->emul.insn, exit))
		return LODGE_ENTER_AGAIN;
	lodge_emulate_prepare(vcpu);
	vcpu->emulation->io.port = exit->io.port;
	return exit->io.in ? lodge_portio_ins(vcpu) : lodge_portio_outs(vcpu);
}

/* A 32-bit input clears the upper half of RAX. */
static void lodge_portio_set_rax(struct lodge_vcpu *vcpu, u8 size, u32 value)
{
	__u64 *rax = &vcpu->regs.general.gpr[LODGE_RAX];

	switch (size) {
	case 1:
		*rax = (*rax & ~0xffULL) | (u8)value;
		break;
	case 2:
		*rax = (*rax & ~0xffffULL) | (u16)value;
		break;
	case 4:
		*rax = value;
		break;
	}
}

/* Return: true if a device in the kernel has answered IN or taken OUT. */
static noinline bool lodge_portio_ask(struct lodge_vcpu *vcpu,
				      const struct lodge_vmexit *exit)
{
	const u8 size = exit->io.size;
	u32 value = vcpu->regs.general.gpr[LODGE_RAX];

	if (!lodge_emulate_sound(vcpu, size == 1 || size == 2 || size == 4))
		return false;
	if (!exit->io.in)
		return lodge_iobus_write(vcpu, LODGE_IOBUS_PORT, exit->io.port,
					 &value, size);
	if (!lodge_iobus_read(vcpu, LODGE_IOBUS_PORT, exit->io.port, &value,
			      size))
		return false;
	lodge_portio_set_rax(vcpu, size, value);
	return true;
}

bool lodge_portio_quick(struct lodge_vcpu *vcpu,
			const struct lodge_vmexit *exit)
{
	u32 value = vcpu->regs.general.gpr[LODGE_RAX];

	if (exit->io.in || exit->io.string || exit->io.size > sizeof(value) ||
	    !lodge_iobus_write_quick(vcpu, LODGE_IOBUS_PORT, exit->io.port,
				     &value, exit->io.size))
		return false;
	lodge_insn_done(vcpu, exit->next_rip);
	return true;
}

int lodge_portio_exit(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit)
{
	if (exit->io.string)
		return lodge_portio_string(vcpu, exit);
	if (unlikely(lodge_iobus_has(&vcpu->vm->iobus, LODGE_IOBUS_PORT)) &&
	    lodge_portio_ask(vcpu, exit)) {
		lodge_insn_done(vcpu, exit->next_rip);
		return LODGE_ENTER_AGAIN;
	}
	if (exit->io.in) {
		vcpu->completion = LODGE_COMPLETE_IN;
		vcpu->emulation->io.size = exit->io.size;
		vcpu->emulation->io.next_rip = exit->next_rip;
	} else {
		/* An output is over once it is on its way. */
		memcpy(vcpu->data, &vcpu->regs.general.gpr[LODGE_RAX],
		       sizeof(u32));
		lodge_insn_done(vcpu, exit->next_rip);
	}
	return lodge_portio_report(vcpu, exit->io.port, exit->io.size,
				   exit->io.in, 1);
}

void lodge_portio_finish_in(struct lodge_vcpu *vcpu)
{
	const struct lodge_io *io = &vcpu->emulation->io;

	lodge_portio_set_rax(vcpu, io->size,
			     READ_ONCE(*(const u32 *)vcpu->data));
	lodge_insn_done(vcpu, io->next_rip);
}

int lodge_portio_finish_ins(struct lodge_vcpu *vcpu)
{
	struct lodge_io *io = &vcpu->emulation->io;

	if (io->count == 1)
		memcpy(io->element, vcpu->data, sizeof(io->element));
	return lodge_portio_store(vcpu);
}

int lodge_portio_resume(struct lodge_vcpu *vcpu)
{
	if (vcpu->emulation->emul.insn.op == LODGE_OP_OUTS)
		return lodge_portio_outs(vcpu);
	return lodge_portio_store(vcpu);
}
