// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzes the way of an exit, from the instruction to the last answer.  The input
 * plays the guest (code, registers, what its pages are), the processor (what it
 * says of an exit) and the controller (its answers, and what it does to the run
 * page and to memory meanwhile).
 */
#include "fake_vcpu.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* More exits than any one instruction or batch has. */
#define MANY_EXITS (2 * LODGE_RUN_DATA_SIZE * LODGE_NR_FRAGMENTS)

#define NR_GPRS 16

#define FLAG_16_BIT 0x01
#define FLAG_32_BIT 0x02
#define FLAG_REWRITTEN 0x04
#define FLAG_SCRIBBLES 0x08
#define FLAG_REMAPS 0x10
#define FLAG_USER 0x20

/* The input, before the controller's bytes. */
struct input {
	u8 flags;
	u8 page[FAKE_PAGES];
	u8 code[2][16];
	u8 kind;
	u8 width;
	u8 bits;
	u8 number;
	u8 gpr;
	u8 registers[NR_GPRS][4];
	u8 rflags[3];
} __attribute__((packed));

struct controller {
	const u8 *data;
	size_t left;
	u8 flags;
};

static u8 next_byte(struct controller *c)
{
	if (!c->left)
		return 0x5a;
	c->left--;
	return *c->data++;
}

static void fill_guest(struct lodge_vcpu *vcpu, const struct input *in)
{
	struct lodge_segment *cs = &vcpu->regs.segments.seg[LODGE_CS];
	u32 value;
	int i;

	memset(&fake_guest, 0, sizeof(fake_guest));
	for (i = 0; i < FAKE_PAGES; i++)
		fake_guest.page[i] = in->page[i] % FAKE_NR_PAGE_KINDS;
	memcpy(fake_guest.code, in->code, sizeof(in->code));
	if (in->flags & FLAG_16_BIT)
		cs->attr = 0x9b;
	else if (in->flags & FLAG_32_BIT)
		cs->attr = 0xc9b;
	if (in->flags & FLAG_USER)
		cs->selector = 3;
	for (i = 0; i < NR_GPRS; i++) {
		memcpy(&value, in->registers[i], sizeof(value));
		vcpu->regs.general.gpr[i] = value;
	}
	memcpy(&vcpu->regs.general.rflags, in->rflags, sizeof(in->rflags));
	vcpu->regs.general.rflags |= 2;
	vcpu->regs.general.rip = 0x1000;
}

static void fill_exit(const struct lodge_vcpu *vcpu, const struct input *in,
		      struct lodge_vmexit *exit)
{
	static const u8 kinds[] = {
		LODGE_VMEXIT_IO,  LODGE_VMEXIT_IO,     LODGE_VMEXIT_FAULT,
		LODGE_VMEXIT_CR,  LODGE_VMEXIT_DR,     LODGE_VMEXIT_CPUID,
		LODGE_VMEXIT_MSR, LODGE_VMEXIT_FAULT,  LODGE_VMEXIT_RDPMC,
		LODGE_VMEXIT_HLT, LODGE_VMEXIT_XSETBV, LODGE_VMEXIT_HYPERCALL
	};

	memset(exit, 0, sizeof(*exit));
	exit->kind = kinds[in->kind % sizeof(kinds)];
	switch (exit->kind) {
	case LODGE_VMEXIT_IO:
		exit->io.port = (u16)vcpu->regs.general.gpr[LODGE_RDX];
		exit->io.size = (u8)(1U << in->width % 3);
		exit->io.in = in->bits & 1;
		exit->io.string = in->bits & 2;
		exit->io.rep = in->bits & 4;
		exit->next_rip = 0x1002;
		break;
	case LODGE_VMEXIT_FAULT:
		exit->fault.gpa = in->number * PAGE_SIZE;
		exit->fault.device = in->bits & 1;
		exit->fault.error = in->bits & LODGE_PF_WRITE;
		break;
	case LODGE_VMEXIT_MSR:
		exit->msr.write = in->bits & 1;
		break;
	default:
		exit->reg.number = in->number & 15;
		exit->reg.write = in->bits & 1;
		exit->reg.gpr = in->bits & 2 ? in->gpr & 15 :
					       LODGE_VMEXIT_NO_GPR;
		break;
	}
}

/* What user space sees must be within the ABI. */
static void check_exit(const struct lodge_vcpu *vcpu)
{
	const struct lodge_run *run = vcpu->run;
	const struct lodge_exit_io *io = &run->exit.io;
	const struct lodge_exit_mmio *mmio = &run->exit.mmio;

	switch ((enum lodge_exit_reason)run->reason) {
	case LODGE_EXIT_IO:
		fake_require(io->size == 1 || io->size == 2 || io->size == 4);
		fake_require(io->count >= 1);
		fake_require(io->count <= LODGE_RUN_DATA_SIZE / io->size);
		break;
	case LODGE_EXIT_MMIO:
		fake_require(mmio->size >= 1 && mmio->size <= 16);
		break;
	case LODGE_EXIT_CANNOT_EMULATE:
		fake_require(run->exit.emulate.length <= 15);
		break;
	default:
		break;
	}
}

static void check_vcpu(const struct lodge_vcpu *vcpu)
{
	const struct lodge_io *io = &vcpu->io;
	u32 i;

	fake_require(!vcpu->vm->dead);
	fake_require(io->nr <= LODGE_NR_FRAGMENTS);
	if (io->pending == LODGE_PENDING_EMULATE)
		fake_require(io->next + 1 == io->nr);
	for (i = 0; i < io->nr; i++)
		fake_require(io->fragment[i].size >= 1 &&
			     io->fragment[i].size <= 16);
}

/* The controller's turn: it answers, and may do more than that. */
static void answer(struct lodge_vcpu *vcpu, struct controller *c)
{
	u8 byte = next_byte(c);

	if (c->flags & FLAG_SCRIBBLES)
		memset(vcpu->run, byte, sizeof(*vcpu->run));
	else if (vcpu->run->reason == LODGE_EXIT_MMIO)
		memset(vcpu->run->exit.mmio.data, byte, 16);
	else
		memset(vcpu->run->data, byte, sizeof(vcpu->run->data));
	if (c->flags & FLAG_REMAPS)
		fake_guest.page[byte % FAKE_PAGES] =
			next_byte(c) % FAKE_NR_PAGE_KINDS;
}

static void one_exit(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit,
		     struct controller *c)
{
	unsigned int exits = 0;
	int result = lodge_exit_handle(vcpu, exit);

	for (;;) {
		check_vcpu(vcpu);
		if (result != 1)
			break;
		check_exit(vcpu);
		fake_require(exits++ < MANY_EXITS);
		answer(vcpu, c);
		if (vcpu->io.pending == LODGE_PENDING_NONE)
			break;
		result = lodge_iobus_complete(vcpu);
	}
	fake_require(result == 0 || result == 1);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct lodge_vmexit exit;
	struct lodge_vcpu *vcpu;
	struct controller c;
	struct input in;
	int i;

	if (size < sizeof(in))
		return 0;
	memcpy(&in, data, sizeof(in));
	c = (struct controller){ data + sizeof(in), size - sizeof(in),
				 in.flags };
	vcpu = fake_vcpu_new();
	fill_guest(vcpu, &in);
	for (i = 0; i < 4; i++) {
		fill_exit(vcpu, &in, &exit);
		fake_guest.rewritten = in.flags & FLAG_REWRITTEN && i & 1;
		one_exit(vcpu, &exit, &c);
	}
	fake_vcpu_free(vcpu);
	return 0;
}
