// SPDX-License-Identifier: GPL-2.0
/*
 * Accesses that a device answers: ports, and memory without a slot.
 *
 * An instruction that touches a device in user space is applied from its start
 * each time a further answer has come, with the earlier ones replayed from
 * vcpu->io.fragment: see emul.h.
 */
#include <asm/cpufeature.h>
#include <asm/processor-flags.h>

#include "apic.h"
#include "insn.h"
#include "iobus.h"
#include "mem.h"
#include "simd.h"
#include "state.h"
#include "translate.h"
#include "vm.h"

/* Iterations of a string instruction before signals are looked at again. */
#define LODGE_IOBUS_BATCH 256

/*
 * What is not a size that a device can have would be a defect of the emulator's:
 * the VM ends, and no byte is copied.
 */
static bool lodge_iobus_sound(struct lodge_vcpu *vcpu, bool sound)
{
	if (likely(sound))
		return true;
	WARN_ONCE(1, "lodge: an access of a size that there is not\n");
	lodge_vm_kill(vcpu->vm);
	return false;
}

/* The only place that makes a fragment; there is room for one more. */
static void lodge_iobus_begin(struct lodge_vcpu *vcpu, u64 gpa,
			      const void *data, size_t size, bool write)
{
	struct lodge_io *io = &vcpu->io;
	struct lodge_fragment *fragment = &io->fragment[io->next];

	fragment->gpa = gpa;
	fragment->size = size;
	fragment->write = write;
	fragment->done = lodge_lapic_claims(vcpu, gpa);
	if (write)
		memcpy(fragment->data, data, size);
	io->nr = io->next + 1;
	if (!fragment->done)
		return;
	if (write)
		lodge_lapic_write(vcpu, offset_in_page(gpa), fragment->data,
				  size);
	else
		lodge_lapic_read(vcpu, offset_in_page(gpa), fragment->data,
				 size);
}

/* Whether the replay is at this very access: memory may have come or gone. */
static bool lodge_iobus_known(const struct lodge_io *io, u64 gpa, size_t size,
			      bool write)
{
	const struct lodge_fragment *fragment = &io->fragment[io->next];

	return io->next < io->nr && fragment->gpa == gpa &&
	       fragment->size == size && fragment->write == write;
}

/*
 * A device's answer, from the replay or from the local APIC; -EAGAIN when user
 * space must give it.
 */
static int lodge_iobus_device(struct lodge_vcpu *vcpu, u64 gpa, void *data,
			      size_t size, bool write)
{
	struct lodge_io *io = &vcpu->io;
	struct lodge_fragment *fragment;

	if (!lodge_iobus_sound(vcpu, size && size <= sizeof(fragment->data)))
		return -EIO;
	if (io->next == LODGE_NR_FRAGMENTS)
		return -EOPNOTSUPP;
	fragment = &io->fragment[io->next];
	if (!lodge_iobus_known(io, gpa, size, write))
		lodge_iobus_begin(vcpu, gpa, data, size, write);
	if (!fragment->done)
		return -EAGAIN;
	io->next++;
	if (!write)
		memcpy(data, fragment->data, size);
	return 0;
}

/* An access within one page, by guest physical address. */
static int lodge_iobus_physical(struct lodge_vcpu *vcpu, u64 gpa, void *data,
				size_t size, bool write)
{
	int error;

	if (unlikely(lodge_lapic_claims(vcpu, gpa)))
		return lodge_iobus_device(vcpu, gpa, data, size, write);
	if (write)
		error = lodge_mem_write(vcpu->vm, gpa, data, size);
	else
		error = lodge_mem_read(vcpu->vm, gpa, data, size);
	if (error == -ENXIO || error == -EROFS)
		return lodge_iobus_device(vcpu, gpa, data, size, write);
	return error;
}

/* Outside 64-bit mode linear addresses wrap at 4 GiB. */
static u64 lodge_iobus_wrap(const struct lodge_vcpu *vcpu, u64 linear)
{
	return vcpu->emul.insn.mode == LODGE_MODE_64 ? linear : (u32)linear;
}

/*
 * Walk the pages of an access before any of it is carried out, so that one that
 * faults on its second page has no effect on the first.
 */
static int lodge_iobus_translate(struct lodge_vcpu *vcpu, u64 linear,
				 size_t size, unsigned int access, u64 gpa[2],
				 struct lodge_fault *fault)
{
	size_t first = min_t(size_t, size, PAGE_SIZE - offset_in_page(linear));
	int answer = lodge_translate(vcpu, linear, access, &gpa[0], fault);

	if (answer || first == size)
		return answer;
	return lodge_translate(vcpu, lodge_iobus_wrap(vcpu, linear + first),
			       access, &gpa[1], fault);
}

static int lodge_iobus_access(struct lodge_vcpu *vcpu, u64 linear, void *data,
			      size_t size, unsigned int access, bool write,
			      struct lodge_fault *fault)
{
	size_t first = min_t(size_t, size, PAGE_SIZE - offset_in_page(linear));
	u64 gpa[2];
	int answer;

	answer = lodge_iobus_translate(vcpu, linear, size, access, gpa, fault);
	if (!answer)
		answer = lodge_iobus_physical(vcpu, gpa[0], data, first, write);
	if (!answer && first < size)
		answer = lodge_iobus_physical(vcpu, gpa[1], data + first,
					      size - first, write);
	return answer;
}

static int lodge_iobus_read(void *opaque, u64 linear, void *data, size_t size,
			    unsigned int access, struct lodge_fault *fault)
{
	return lodge_iobus_access(opaque, linear, data, size, access, false,
				  fault);
}

static int lodge_iobus_write(void *opaque, u64 linear, const void *data,
			     size_t size, struct lodge_fault *fault)
{
	return lodge_iobus_access(opaque, linear, (void *)data, size,
				  LODGE_ACCESS_WRITE, true, fault);
}

/* On a device, and over a page's end, an exchange is a plain write. */
static int lodge_iobus_cmpxchg(void *opaque, u64 linear, const void *old,
			       const void *new, size_t size,
			       unsigned int access, struct lodge_fault *fault)
{
	struct lodge_vcpu *vcpu = opaque;
	u8 expected[16];
	u64 gpa[2];
	int answer;

	if (offset_in_page(linear) + size > PAGE_SIZE || linear & (size - 1))
		return lodge_iobus_access(opaque, linear, (void *)new, size,
					  access, true, fault);
	answer = lodge_iobus_translate(vcpu, linear, size, access, gpa, fault);
	if (answer)
		return answer;
	memcpy(expected, old, size);
	answer = -ENXIO;
	if (!lodge_lapic_claims(vcpu, gpa[0]))
		answer = lodge_mem_cmpxchg(vcpu->vm, gpa[0], expected, new,
					   size);
	if (answer == -ENXIO || answer == -EROFS)
		return lodge_iobus_device(vcpu, gpa[0], (void *)new, size,
					  true);
	return answer == -EAGAIN ? -EBUSY : answer;
}

static int lodge_iobus_probe(void *opaque, u64 linear, size_t size,
			     unsigned int access, struct lodge_fault *fault)
{
	u64 gpa[2];

	return lodge_iobus_translate(opaque, linear, size, access, gpa, fault);
}

/* A batch's one page, if the local APIC is not there. */
static int lodge_iobus_page(struct lodge_vcpu *vcpu, u64 linear, size_t size,
			    unsigned int access, u64 *gpa,
			    struct lodge_fault *fault)
{
	int answer;

	if (!lodge_iobus_sound(vcpu,
			       offset_in_page(linear) + size <= PAGE_SIZE))
		return -EIO;
	answer = lodge_translate(vcpu, linear, access, gpa, fault);
	if (!answer && lodge_lapic_claims(vcpu, *gpa))
		return -ENXIO;
	return answer;
}

static int lodge_iobus_gather(void *opaque, u64 linear, void *data, size_t size,
			      struct lodge_fault *fault)
{
	struct lodge_vcpu *vcpu = opaque;
	u64 gpa;
	int answer = lodge_iobus_page(vcpu, linear, size, LODGE_ACCESS_READ,
				      &gpa, fault);

	return answer ? answer : lodge_mem_read(vcpu->vm, gpa, data, size);
}

static int lodge_iobus_scatter(void *opaque, u64 linear, const void *data,
			       size_t size, struct lodge_fault *fault)
{
	struct lodge_vcpu *vcpu = opaque;
	u64 gpa;
	int answer = lodge_iobus_page(vcpu, linear, size, LODGE_ACCESS_WRITE,
				      &gpa, fault);

	if (answer)
		return answer;
	if (!data)
		return lodge_mem_user(vcpu->vm, gpa, true) ? 0 : -ENXIO;
	answer = lodge_mem_write(vcpu->vm, gpa, data, size);
	return answer == -EROFS ? -ENXIO : answer;
}

static int lodge_iobus_set_cr0(void *opaque, u64 value)
{
	return lodge_control_set_cr0(opaque, value) ? LODGE_FAULT : 0;
}

static void lodge_iobus_set_segment(void *opaque, enum lodge_seg seg,
				    const struct lodge_segment *segment)
{
	struct lodge_vcpu *vcpu = opaque;

	vcpu->regs.segments.seg[seg] = *segment;
	lodge_backend->set_state(vcpu, LODGE_GROUP_SEGMENTS);
}

static void lodge_iobus_set_table(void *opaque, bool idt, u64 base, u16 limit)
{
	struct lodge_vcpu *vcpu = opaque;
	struct lodge_segments *segs = &vcpu->regs.segments;
	struct lodge_segment *table = idt ? &segs->idt : &segs->gdt;

	table->base = base;
	table->limit = limit;
	lodge_backend->set_state(vcpu, LODGE_GROUP_SEGMENTS);
}

static const struct lodge_emul_ops lodge_iobus_ops = {
	.read = lodge_iobus_read,
	.write = lodge_iobus_write,
	.cmpxchg = lodge_iobus_cmpxchg,
	.probe = lodge_iobus_probe,
	.gather = lodge_iobus_gather,
	.scatter = lodge_iobus_scatter,
	.get_xmm = lodge_simd_get_xmm,
	.set_xmm = lodge_simd_set_xmm,
	.get_ymm = lodge_simd_get_ymm,
	.set_ymm = lodge_simd_set_ymm,
	.get_mmx = lodge_simd_get_mmx,
	.set_mmx = lodge_simd_set_mmx,
	.set_cr0 = lodge_iobus_set_cr0,
	.set_segment = lodge_iobus_set_segment,
	.set_table = lodge_iobus_set_table,
};

/* LODGE_EMUL_*: what this processor would do in the guest's place. */
static unsigned int lodge_iobus_features(const struct lodge_control *c)
{
	const u64 avx = XFEATURE_MASK_SSE | XFEATURE_MASK_YMM;
	unsigned int features = 0;

	if (boot_cpu_has(X86_FEATURE_AVX) && c->cr4 & X86_CR4_OSXSAVE &&
	    (c->xcr0 & avx) == avx)
		features |= LODGE_EMUL_AVX;
	if (boot_cpu_has(X86_FEATURE_BMI1))
		features |= LODGE_EMUL_BMI1;
	if (boot_cpu_has(X86_FEATURE_ABM))
		features |= LODGE_EMUL_ABM;
	if (boot_cpu_data.x86_vendor == X86_VENDOR_INTEL)
		features |= LODGE_EMUL_INTEL;
	return features;
}

/* After lodge_insn_fetch(): what the emulator needs beside the instruction. */
static void lodge_iobus_setup(struct lodge_vcpu *vcpu)
{
	struct lodge_emul *e = &vcpu->emul;

	e->regs = &vcpu->regs.general;
	e->segmentation.segs = &vcpu->regs.segments;
	e->segmentation.mode = e->insn.mode;
	e->segmentation.protect = vcpu->regs.control.cr0 & X86_CR0_PE &&
				  !(vcpu->regs.general.rflags & X86_EFLAGS_VM);
	e->control = &vcpu->regs.control;
	e->cpl = lodge_state_cpl(vcpu);
	e->features = lodge_iobus_features(e->control);
	e->ops = &lodge_iobus_ops;
	e->opaque = vcpu;
	vcpu->io.nr = 0;
	vcpu->io.next = 0;
}

/* The last fragment is the one that waits for user space. */
static int lodge_iobus_ask(struct lodge_vcpu *vcpu)
{
	const struct lodge_fragment *f = &vcpu->io.fragment[vcpu->io.next];
	struct lodge_exit_mmio *mmio = &vcpu->run->exit.mmio;

	if (!lodge_iobus_sound(vcpu, vcpu->io.nr == vcpu->io.next + 1))
		return -EIO;
	BUILD_BUG_ON(sizeof(f->data) != sizeof(mmio->data));
	mmio->gpa = f->gpa;
	mmio->size = f->size;
	mmio->write = f->write;
	if (f->write)
		memcpy(mmio->data, f->data, f->size);
	vcpu->run->reason = LODGE_EXIT_MMIO;
	vcpu->io.pending = LODGE_PENDING_EMULATE;
	return 1;
}

/* The emulator is not done, or the guest has faulted, or it cannot be done. */
static int lodge_iobus_outcome(struct lodge_vcpu *vcpu, int answer)
{
	if (answer == LODGE_FAULT) {
		lodge_insn_raise(vcpu, &vcpu->emul.fault);
		return 0;
	}
	if (answer == -EAGAIN)
		return lodge_iobus_ask(vcpu);
	if (answer == -EBUSY)
		return 0;
	if (answer == -EIO)
		return answer;
	if (answer == -EOPNOTSUPP && !vcpu->io.nr)
		return lodge_insn_doubt(vcpu, answer, ~0ULL);
	return lodge_insn_refuse(vcpu, vcpu->io.nr ? vcpu->io.fragment[0].gpa :
						     ~0ULL);
}

/* Can go to itself, in another code segment even. */
static bool lodge_iobus_branches(const struct lodge_insn *insn)
{
	return insn->op >= LODGE_OP_CALL && insn->op <= LODGE_OP_RET_FAR;
}

/* MOV SS and POP SS (SDM vol. 3, 6.8.3; APM vol. 2, 8.5): LSS is none of them. */
static bool lodge_iobus_shadows(const struct lodge_insn *insn)
{
	return (insn->op == LODGE_OP_MOV_TO_SEG || insn->op == LODGE_OP_POP) &&
	       insn->operand[0].kind == LODGE_OPERAND_SEGMENT &&
	       insn->operand[0].reg == LODGE_SS;
}

/*
 * Part of the instruction at @rip is carried out.  Return: whether the guest is
 * to hear of it: it is over, or an iteration is and the guest single-steps.
 */
static bool lodge_iobus_advance(struct lodge_vcpu *vcpu, u64 rip)
{
	const struct lodge_general *general = &vcpu->regs.general;

	if (general->rip == rip && !lodge_iobus_branches(&vcpu->emul.insn) &&
	    !(vcpu->emul.insn.rep && general->rflags & X86_EFLAGS_TF))
		return false;
	if (lodge_iobus_shadows(&vcpu->emul.insn))
		lodge_insn_done_shadow(vcpu, general->rip);
	else
		lodge_insn_done(vcpu, general->rip);
	return true;
}

static int lodge_iobus_emulate(struct lodge_vcpu *vcpu)
{
	u64 rip = vcpu->regs.general.rip;
	unsigned int i;
	int answer;

	for (i = 0; i < LODGE_IOBUS_BATCH; i++) {
		vcpu->io.next = 0;
		answer = lodge_emul_step(&vcpu->emul);
		if (answer)
			return lodge_iobus_outcome(vcpu, answer);
		vcpu->io.nr = 0;
		if (lodge_iobus_advance(vcpu, rip))
			break;
	}
	return 0;
}

int lodge_iobus_instruction(struct lodge_vcpu *vcpu)
{
	lodge_iobus_setup(vcpu);
	return lodge_iobus_emulate(vcpu);
}

int lodge_iobus_mmio(struct lodge_vcpu *vcpu, u64 gpa)
{
	int answer = lodge_insn_fetch(vcpu);

	if (answer > 0)
		return 0;
	if (answer)
		return lodge_insn_doubt(vcpu, answer, gpa);
	return lodge_iobus_instruction(vcpu);
}

static int lodge_iobus_io_exit(struct lodge_vcpu *vcpu, u16 port, u8 size,
			       bool in, u32 count)
{
	struct lodge_exit_io *io = &vcpu->run->exit.io;

	if (!lodge_iobus_sound(vcpu,
			       (size == 1 || size == 2 || size == 4) &&
				       count <= LODGE_RUN_DATA_SIZE / size))
		return -EIO;
	io->port = port;
	io->size = size;
	io->in = in;
	io->count = count;
	vcpu->run->reason = LODGE_EXIT_IO;
	return 1;
}

/* Bytes of an exit of INS or OUTS; a guest that single-steps hears of each element. */
static size_t lodge_iobus_room(const struct lodge_vcpu *vcpu)
{
	if (vcpu->regs.general.rflags & X86_EFLAGS_TF)
		return vcpu->emul.insn.operand_size;
	return LODGE_RUN_DATA_SIZE;
}

/* OUTS: as many elements as fit the data area, in one exit. */
static int lodge_iobus_outs(struct lodge_vcpu *vcpu)
{
	struct lodge_emul *e = &vcpu->emul;
	u64 rip = vcpu->regs.general.rip;
	u32 count;
	int answer;

	vcpu->io.next = 0;
	answer = lodge_emul_outs(e, vcpu->run->data, lodge_iobus_room(vcpu),
				 &count);
	if (answer)
		return lodge_iobus_outcome(vcpu, answer);
	lodge_emul_outs_commit(e, count);
	lodge_iobus_advance(vcpu, rip);
	if (!count)
		return 0;
	return lodge_iobus_io_exit(vcpu, vcpu->io.port, e->insn.operand_size,
				   false, count);
}

/* INS, its first half: ask for elements. */
static int lodge_iobus_ins(struct lodge_vcpu *vcpu)
{
	struct lodge_emul *e = &vcpu->emul;
	struct lodge_io *io = &vcpu->io;
	u64 rip = vcpu->regs.general.rip;
	int answer = lodge_emul_ins(e, lodge_iobus_room(vcpu), &io->count);

	if (!answer && !io->count) {
		answer = lodge_emul_ins_commit(e, NULL, &io->count);
		if (!answer)
			lodge_iobus_advance(vcpu, rip);
		return 0;
	}
	if (answer)
		return lodge_iobus_outcome(vcpu, answer);
	io->stored = 0;
	io->pending = LODGE_PENDING_INS;
	return lodge_iobus_io_exit(vcpu, io->port, e->insn.operand_size, true,
				   io->count);
}

/*
 * INS, its second half: store what has come.  A single element is kept for the
 * exits of a device that it goes to: the port is not read again.
 */
static int lodge_iobus_store(struct lodge_vcpu *vcpu)
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
			return lodge_iobus_outcome(vcpu, answer);
		io->nr = 0;
		io->stored += count;
	}
	lodge_iobus_advance(vcpu, rip);
	return 0;
}

/*
 * Whether what was read is what has left the guest: another vCPU may have written
 * there.  A processor may or may not call REPNE a repetition here.
 */
static bool lodge_iobus_same_string(const struct lodge_insn *insn,
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

/* Return: as lodge_exit_handle(); a guest whose code has changed tries again. */
static int lodge_iobus_string(struct lodge_vcpu *vcpu,
			      const struct lodge_vmexit *exit)
{
	int answer = lodge_insn_fetch(vcpu);

	if (answer > 0)
		return 0;
	if (answer)
		return lodge_insn_doubt(vcpu, answer, ~0ULL);
	if (!lodge_iobus_same_string(&vcpu->emul.insn, exit))
		return 0;
	lodge_iobus_setup(vcpu);
	vcpu->io.port = exit->io.port;
	return exit->io.in ? lodge_iobus_ins(vcpu) : lodge_iobus_outs(vcpu);
}

int lodge_iobus_port(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit)
{
	struct lodge_io *io = &vcpu->io;

	if (exit->io.string)
		return lodge_iobus_string(vcpu, exit);
	if (exit->io.in) {
		io->pending = LODGE_PENDING_IN;
		io->size = exit->io.size;
		io->next_rip = exit->next_rip;
	} else {
		/* An output is over once it is on its way. */
		memcpy(vcpu->run->data, &vcpu->regs.general.gpr[LODGE_RAX],
		       sizeof(u32));
		lodge_insn_done(vcpu, exit->next_rip);
	}
	return lodge_iobus_io_exit(vcpu, exit->io.port, exit->io.size,
				   exit->io.in, 1);
}

static void lodge_iobus_finish_in(struct lodge_vcpu *vcpu)
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

static int lodge_iobus_finish_ins(struct lodge_vcpu *vcpu)
{
	struct lodge_io *io = &vcpu->io;

	if (io->count == 1)
		memcpy(io->element, vcpu->run->data, sizeof(io->element));
	return lodge_iobus_store(vcpu);
}

static int lodge_iobus_finish_emulation(struct lodge_vcpu *vcpu)
{
	struct lodge_fragment *f = &vcpu->io.fragment[vcpu->io.nr - 1];

	if (!f->write)
		memcpy(f->data, vcpu->run->exit.mmio.data, f->size);
	f->done = true;
	switch (vcpu->emul.insn.op) {
	case LODGE_OP_OUTS:
		return lodge_iobus_outs(vcpu);
	case LODGE_OP_INS:
		return lodge_iobus_store(vcpu);
	default:
		return lodge_iobus_emulate(vcpu);
	}
}

int lodge_iobus_complete(struct lodge_vcpu *vcpu)
{
	enum lodge_pending pending = vcpu->io.pending;

	vcpu->io.pending = LODGE_PENDING_NONE;
	switch (pending) {
	case LODGE_PENDING_NONE:
		break;
	case LODGE_PENDING_IN:
		lodge_iobus_finish_in(vcpu);
		break;
	case LODGE_PENDING_INS:
		return lodge_iobus_finish_ins(vcpu);
	case LODGE_PENDING_EMULATE:
		return lodge_iobus_finish_emulation(vcpu);
	}
	return 0;
}
