// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzes the handling of an exit, from the instruction to the last answer.  The input
 * plays the guest (its code, registers and pages), the processor (its information
 * about an exit) and the controller (its answers, and its changes to the run page and
 * to memory).
 *
 * The input's bytes are choices: instructions come from a grammar, registers get
 * values at limits, and most exits fit the instruction.  An input that is too short
 * continues with pseudo-random bytes, so that a few bytes make a whole guest.
 */
#include "fake_vcpu.h"
#include "fuzz_input.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* More exits than any instruction needs; a repeated one is abandoned after so many. */
#define MANY_EXITS 100

#define NR_EXITS 2
#define GDT_ENTRIES 8

#define FLAG_REWRITTEN 0x01
#define FLAG_SCRIBBLES 0x02
#define FLAG_REMAPS 0x04
#define FLAG_PLUGS 0x08

#define NR_DEVICES 3

static bool one_in(struct input *in, unsigned int n)
{
	return next_byte(in) % n == 0;
}

#define PICK(in, table) ((table)[next_byte(in) % ARRAY_SIZE(table)])

/* Return: a value at a limit: of a page, a size, a width or the address space. */
static u64 next_value(struct input *in)
{
	static const u16 near[] = { 0,	   1,	  8,	 0x10,	0x7ff, 0x800,
				    0xf00, 0xff0, 0xff9, 0xffc, 0xffe, 0xfff };
	static const u64 ends[] = {
		0,	    1,	    2,		15,
		16,	    17,	    255,	LODGE_RUN_DATA_SIZE,
		4096,	    0xffff, 0x80000000, 0xffffffff,
		1ULL << 47, ~0ULL
	};

	switch (next_byte(in) % 8) {
	case 0:
		return next_bytes(in, 8);
	case 1 ... 3:
		return PICK(in, ends);
	default:
		return next_byte(in) % FAKE_PAGES * PAGE_SIZE + PICK(in, near);
	}
}

static void choose_page(struct input *in, u8 page)
{
	u8 byte = next_byte(in);

	fake_guest.page[page % FAKE_PAGES] =
		byte & 1 ? FAKE_RAM : byte / 2 % FAKE_NR_PAGE_KINDS;
}

/*
 * Makes prefixes and an opcode: one with a large handler, one of a known map, or any
 * byte.
 */
static void choose_code(struct input *in, u8 code[16])
{
	static const u8 prefixes[] = { 0x66, 0x67, 0xf2, 0xf3, 0xf3,
				       0xf0, 0x2e, 0x64, 0x48, 0x4f };
	static const u8 opcodes[] = { 0x6c, 0x6d, 0x6e, 0x6f, 0x6c, 0x6d, 0x6e,
				      0x6f, 0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab,
				      0xac, 0xad, 0xae, 0xaf, 0x87, 0x88, 0x89,
				      0x8b, 0x8e, 0x8f, 0x60, 0x61, 0xc4, 0xc5,
				      0xc8, 0xca, 0xd9, 0xdb, 0xdd, 0xec, 0xef,
				      0xf7, 0xff, 0xff };
	size_t at = 0;

	while (at < 4 && one_in(in, 2))
		code[at++] = PICK(in, prefixes);
	switch (next_byte(in) % 8) {
	case 0:
		break;
	case 1:
		code[at++] = 0x0f;
		break;
	default:
		code[at++] = PICK(in, opcodes);
		break;
	}
	while (at < 16)
		code[at++] = next_byte(in);
}

static void choose_segments(struct input *in, struct lodge_segments *segs)
{
	static const u16 modes[] = { 0x9b, 0xc9b, 0xa9b, 0xa9b };
	struct lodge_segment *cs = &segs->seg[LODGE_CS];
	size_t i;

	cs->attr = PICK(in, modes);
	if (one_in(in, 4))
		cs->selector = 3;
	if (one_in(in, 4)) {
		i = next_byte(in) % LODGE_NR_SEGS;
		segs->seg[i].base = next_value(in);
		segs->seg[i].limit = (u32)next_value(in);
	}
	segs->gdt.limit = 8 * GDT_ENTRIES - 1;
	for (i = 0; i < 8 * GDT_ENTRIES; i++)
		fake_guest.memory[i] = next_byte(in);
}

static void choose_guest(struct lodge_vcpu *vcpu, struct input *in)
{
	struct lodge_general *general = &vcpu->regs.general;
	u8 i;

	memset(&fake_guest, 0, sizeof(fake_guest));
	for (i = 0; i < FAKE_PAGES; i++)
		choose_page(in, i);
	choose_code(in, fake_guest.code[0]);
	memcpy(fake_guest.code[1], fake_guest.code[0], 16);
	if (one_in(in, 2))
		choose_code(in, fake_guest.code[1]);
	for (i = 0; i < ARRAY_SIZE(general->gpr); i++)
		general->gpr[i] = next_value(in);
	general->rflags = 2 | next_bytes(in, 3);
	if (!one_in(in, 8))
		general->rflags &= ~(u64)(X86_EFLAGS_TF | X86_EFLAGS_VM);
	general->rip = 0x1000;
	choose_segments(in, &vcpu->regs.segments);
}

/* Devices of the kernel: the answer of each depends on its number and the address. */

static struct lodge_iodevice devices[NR_DEVICES];

static bool device_read(struct lodge_vcpu *vcpu, struct lodge_iodevice *device,
			u64 offset, void *data, size_t size)
{
	fake_require(size >= 1 && size <= 16);
	memset(data, (u8)offset, size);
	return (offset ^ (u64)(device - devices)) % 4;
}

static bool device_write(struct lodge_vcpu *vcpu, struct lodge_iodevice *device,
			 u64 offset, const void *data, size_t size)
{
	u8 copy[16];

	fake_require(size >= 1 && size <= 16);
	memcpy(copy, data, size);
	return (offset ^ (u64)(device - devices)) % 4;
}

static bool device_write_quick(struct lodge_vcpu *vcpu,
			       struct lodge_iodevice *device, u64 offset,
			       const void *data, size_t size)
{
	fake_require(!data == !size);
	return data ? device_write(vcpu, device, offset, data, size) :
		      offset % 2;
}

static const struct lodge_iodevice_ops device_ops = {
	.read = device_read,
	.write = device_write,
	.write_quick = device_write_quick,
};

static void plug_device(struct lodge_vcpu *vcpu, struct input *in)
{
	u8 byte = next_byte(in);
	struct lodge_iodevice *device = &devices[byte / 2 % NR_DEVICES];
	enum lodge_iobus_space space = byte % LODGE_NR_IOBUS_SPACES;

	device->ops = &device_ops;
	if (lodge_iobus_remove(vcpu->vm, space, device))
		lodge_iobus_add(vcpu->vm, space, next_value(in), next_value(in),
				device);
}

/* Sets the exit that the processor would have for the present instruction. */
static void expect_exit(const struct lodge_vcpu *vcpu,
			const struct lodge_insn *insn,
			struct lodge_vmexit *exit)
{
	bool in = insn->op == LODGE_OP_INS || insn->op == LODGE_OP_IN;

	switch (insn->op) {
	case LODGE_OP_INS ... LODGE_OP_OUT:
		exit->kind = LODGE_VMEXIT_IO;
		exit->io.port = (u16)vcpu->regs.general.gpr[LODGE_RDX];
		exit->io.size = insn->operand_size;
		exit->io.in = in;
		exit->io.string = insn->op <= LODGE_OP_OUTS;
		exit->io.rep = insn->rep;
		break;
	case LODGE_OP_MOV_FROM_CR ... LODGE_OP_MOV_TO_DR:
		exit->kind = insn->op <= LODGE_OP_MOV_TO_CR ? LODGE_VMEXIT_CR :
							      LODGE_VMEXIT_DR;
		exit->reg.write = insn->op == LODGE_OP_MOV_TO_CR ||
				  insn->op == LODGE_OP_MOV_TO_DR;
		exit->reg.number = insn->operand[!exit->reg.write].reg;
		exit->reg.gpr = insn->operand[exit->reg.write].reg;
		break;
	default:
		exit->kind = LODGE_VMEXIT_FAULT;
		exit->fault.gpa = lodge_insn_offset(insn, &vcpu->regs.general) %
				  sizeof(fake_guest.memory);
		exit->fault.device = true;
		break;
	}
}

/* Changes the exit to one that the processor would not have. */
static void garble_exit(struct input *in, struct lodge_vmexit *exit)
{
	static const u8 kinds[] = {
		LODGE_VMEXIT_IO,       LODGE_VMEXIT_FAULT, LODGE_VMEXIT_CR,
		LODGE_VMEXIT_DR,       LODGE_VMEXIT_CPUID, LODGE_VMEXIT_MSR,
		LODGE_VMEXIT_RDPMC,    LODGE_VMEXIT_HLT,   LODGE_VMEXIT_XSETBV,
		LODGE_VMEXIT_HYPERCALL
	};
	u8 bits = next_byte(in);

	exit->kind = PICK(in, kinds);
	switch (exit->kind) {
	case LODGE_VMEXIT_IO:
		exit->io.port = (u16)next_bytes(in, 2);
		exit->io.size = (u8)(1U << next_byte(in) % 3);
		exit->io.in = bits & 1;
		exit->io.string = bits & 2;
		exit->io.rep = bits & 4;
		exit->next_rip = 0x1002;
		break;
	case LODGE_VMEXIT_FAULT:
		exit->fault.gpa = next_value(in);
		exit->fault.device = bits & 1;
		exit->fault.error = bits & LODGE_PF_WRITE;
		break;
	case LODGE_VMEXIT_MSR:
		exit->msr.write = bits & 1;
		break;
	default:
		exit->reg.number = next_byte(in) & 15;
		exit->reg.write = bits & 1;
		exit->reg.gpr = bits & 2 ? next_byte(in) & 15 :
					   LODGE_VMEXIT_NO_GPR;
		break;
	}
}

static void choose_exit(const struct lodge_vcpu *vcpu, struct input *in,
			struct lodge_vmexit *exit)
{
	struct lodge_insn insn;
	int error = lodge_decode(&insn, lodge_state_mode(vcpu),
				 fake_guest.code[fake_guest.rewritten], 16);

	memset(exit, 0, sizeof(*exit));
	if (error || one_in(in, 4)) {
		garble_exit(in, exit);
		return;
	}
	expect_exit(vcpu, &insn, exit);
	if (one_in(in, 2))
		exit->next_rip = vcpu->regs.general.rip + insn.length;
}

/* The exit to user space must be within the ABI. */
static void check_exit(const struct lodge_vcpu *vcpu)
{
	const union lodge_exit *exit = &vcpu->answer.exit;
	const struct lodge_exit_io *io = &exit->io;
	const struct lodge_exit_mmio *mmio = &exit->mmio;

	switch ((enum lodge_exit_reason)vcpu->answer.reason) {
	case LODGE_EXIT_IO:
		fake_require(io->size == 1 || io->size == 2 || io->size == 4);
		fake_require(io->count >= 1);
		fake_require(io->count <= LODGE_RUN_DATA_SIZE / io->size);
		break;
	case LODGE_EXIT_MMIO:
		fake_require(mmio->size >= 1 && mmio->size <= 16);
		break;
	case LODGE_EXIT_CANNOT_EMULATE:
		fake_require(exit->emulate.length <= 15);
		break;
	default:
		break;
	}
}

static void check_vcpu(const struct lodge_vcpu *vcpu)
{
	const struct lodge_io *io = &vcpu->emulation->io;
	u32 i;

	fake_require(vcpu->vm->state == LODGE_VM_ALIVE);
	fake_require(io->nr <= LODGE_NR_FRAGMENTS);
	if (vcpu->completion == LODGE_COMPLETE_EMULATE)
		fake_require(io->next + 1 == io->nr);
	for (i = 0; i < io->nr; i++)
		fake_require(io->fragment[i].size >= 1 &&
			     io->fragment[i].size <= 16);
}

/* Acts as the controller, which answers the exit and may change state. */
static void answer(struct lodge_vcpu *vcpu, struct input *in, u8 flags)
{
	u8 byte = next_byte(in);

	if (flags & FLAG_SCRIBBLES || vcpu->answer.reason == LODGE_EXIT_MMIO)
		memset(vcpu->answer.exit.mmio.data, byte, 16);
	if (flags & FLAG_SCRIBBLES || vcpu->answer.reason != LODGE_EXIT_MMIO)
		memset(vcpu->data, byte, LODGE_RUN_DATA_SIZE);
	if (flags & FLAG_REMAPS)
		choose_page(in, byte);
	if (flags & FLAG_PLUGS)
		plug_device(vcpu, in);
}

/* Return: true if the guest can go on. */
static bool one_exit(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit,
		     struct input *in, u8 flags)
{
	unsigned int exits = 0;
	int outcome = lodge_exit_handle(vcpu, exit);

	for (;;) {
		check_vcpu(vcpu);
		if (outcome != LODGE_TO_USER && outcome != LODGE_CANNOT_EMULATE)
			break;
		check_exit(vcpu);
		if (exits++ == MANY_EXITS) {
			fake_require(vcpu->emulation->emul.insn.rep ||
				     flags & (FLAG_REMAPS | FLAG_PLUGS));
			return false;
		}
		answer(vcpu, in, flags);
		if (vcpu->completion == LODGE_COMPLETE_NONE)
			break;
		outcome = lodge_emulate_complete(vcpu);
	}
	fake_require(outcome >= LODGE_ENTER_AGAIN);
	return true;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = input_of(data, size);
	struct lodge_vcpu *vcpu = fake_vcpu_new();
	u8 flags = next_byte(&in);
	struct lodge_vmexit exit;
	bool goes_on = true;
	int i;

	/* Only one in eight: a controller that only answers finds more. */
	if (!one_in(&in, 8))
		flags &= FLAG_REWRITTEN | FLAG_PLUGS;
	choose_guest(vcpu, &in);
	for (i = 0; flags & FLAG_PLUGS && i < NR_DEVICES; i++)
		plug_device(vcpu, &in);
	for (i = 0; i < NR_EXITS && goes_on; i++) {
		choose_exit(vcpu, &in, &exit);
		if (flags & FLAG_REWRITTEN)
			fake_guest.rewritten = i & 1;
		if (i & 1 && lodge_exit_quick(vcpu, &exit))
			check_vcpu(vcpu);
		else
			goes_on = one_exit(vcpu, &exit, &in, flags);
	}
	fake_vcpu_free(vcpu);
	return 0;
}
