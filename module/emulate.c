// SPDX-License-Identifier: GPL-2.0
/*
 * The emulator's way to the machine: memory, devices and registers.
 *
 * An instruction that touches a device in user space is carried out from its start
 * each time another answer has come, and the earlier answers are replayed from
 * struct lodge_io: see emul.h.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <asm/cpufeature.h>
#include <asm/processor-flags.h>

#include "apic.h"
#include "backend.h"
#include "emulate.h"
#include "emulation.h"
#include "exit.h"
#include "insn.h"
#include "iobus.h"
#include "mem.h"
#include "portio.h"
#include "request.h"
#include "simd.h"
#include "state.h"
#include "translate.h"
#include "vcpu.h"
#include "vm.h"

/* Iterations of a string instruction before signals are looked at again. */
#define LODGE_EMULATE_BATCH 256

int lodge_emulate_init(struct lodge_vcpu *vcpu)
{
	vcpu->emulation = kzalloc(sizeof(*vcpu->emulation), GFP_KERNEL_ACCOUNT);
	return vcpu->emulation ? 0 : -ENOMEM;
}

void lodge_emulate_fini(struct lodge_vcpu *vcpu)
{
	kfree(vcpu->emulation);
	vcpu->emulation = NULL;
}

bool lodge_emulate_sound(struct lodge_vcpu *vcpu, bool sound)
{
	if (likely(sound))
		return true;
	WARN_ONCE(1, "lodge: an access of a size that there is not\n");
	lodge_vm_break(vcpu->vm);
	return false;
}

/* The only place that makes a fragment; there is room for one more. */
static void lodge_emulate_begin(struct lodge_vcpu *vcpu, u64 gpa,
				const void *data, size_t size, bool write)
{
	struct lodge_io *io = &vcpu->emulation->io;
	struct lodge_fragment *fragment = &io->fragment[io->next];

	fragment->gpa = gpa;
	fragment->size = size;
	fragment->write = write;
	io->nr = io->next + 1;
	if (write) {
		memcpy(fragment->data, data, size);
		fragment->done = lodge_iobus_write(vcpu, LODGE_IOBUS_MMIO, gpa,
						   fragment->data, size);
	} else {
		fragment->done = lodge_iobus_read(vcpu, LODGE_IOBUS_MMIO, gpa,
						  fragment->data, size);
	}
}

/* Return: true if the replay is at this very access: memory may have come or gone. */
static bool lodge_emulate_known(const struct lodge_io *io, u64 gpa, size_t size,
				bool write)
{
	const struct lodge_fragment *fragment = &io->fragment[io->next];

	return io->next < io->nr && fragment->gpa == gpa &&
	       fragment->size == size && fragment->write == write;
}

/*
 * A write needs no answer: the instruction goes on, and user space hears of the
 * write when it is over.  INS may have more elements to store.
 */
static bool lodge_emulate_post(struct lodge_vcpu *vcpu, bool write)
{
	struct lodge_emulation *emulation = vcpu->emulation;

	emulation->io.posted = write && emulation->emul.insn.op != LODGE_OP_INS;
	return emulation->io.posted;
}

/*
 * A device's answer, from the replay or from the bus; -EAGAIN when user space must
 * give it, or must first hear of a write before this access.
 */
static int lodge_emulate_device(struct lodge_vcpu *vcpu, u64 gpa, void *data,
				size_t size, bool write)
{
	struct lodge_io *io = &vcpu->emulation->io;
	struct lodge_fragment *fragment;

	if (!lodge_emulate_sound(vcpu, size && size <= sizeof(fragment->data)))
		return -EIO;
	if (io->posted)
		return -EAGAIN;
	if (io->next == LODGE_NR_FRAGMENTS)
		return -EOPNOTSUPP;
	fragment = &io->fragment[io->next];
	if (!lodge_emulate_known(io, gpa, size, write))
		lodge_emulate_begin(vcpu, gpa, data, size, write);
	if (!fragment->done)
		return lodge_emulate_post(vcpu, write) ? 0 : -EAGAIN;
	io->next++;
	if (!write)
		memcpy(data, fragment->data, size);
	return 0;
}

/* An access within one page, by guest physical address. */
static int lodge_emulate_physical(struct lodge_vcpu *vcpu, u64 gpa, void *data,
				  size_t size, bool write)
{
	int error;

	/* The bus, too, asks the local APIC first. */
	if (lodge_translate_missed(vcpu, gpa) ||
	    lodge_lapic_claims(vcpu->apic, gpa))
		return lodge_emulate_device(vcpu, gpa, data, size, write);
	if (write)
		error = lodge_mem_write(vcpu->vm, gpa, data, size);
	else
		error = lodge_mem_read(vcpu->vm, gpa, data, size);
	if (error == -ENXIO || error == -EROFS)
		return lodge_emulate_device(vcpu, gpa, data, size, write);
	return error;
}

/* Outside 64-bit mode linear addresses wrap at 4 GiB. */
static u64 lodge_emulate_wrap(const struct lodge_vcpu *vcpu, u64 linear)
{
	return vcpu->emulation->emul.insn.mode == LODGE_MODE_64 ? linear :
								  (u32)linear;
}

/*
 * Walk the pages of an access before any of it is carried out, so that one that
 * faults on its second page has no effect on the first.
 */
static int lodge_emulate_translate(struct lodge_vcpu *vcpu, u64 linear,
				   size_t size, unsigned int access, u64 gpa[2],
				   struct lodge_fault *fault)
{
	size_t first = min_t(size_t, size, PAGE_SIZE - offset_in_page(linear));
	int answer = lodge_translate(vcpu, linear, access, &gpa[0], fault);

	/* There is no third page. */
	BUILD_BUG_ON(LODGE_EMUL_MAX_PROBE > PAGE_SIZE);
	if (answer || first == size)
		return answer;
	return lodge_translate(vcpu, lodge_emulate_wrap(vcpu, linear + first),
			       access, &gpa[1], fault);
}

static noinline int lodge_emulate_two_pages(struct lodge_vcpu *vcpu, u64 linear,
					    void *data, size_t size,
					    unsigned int access, bool write,
					    struct lodge_fault *fault)
{
	size_t first = PAGE_SIZE - offset_in_page(linear);
	u64 gpa[2];
	int answer;

	answer =
		lodge_emulate_translate(vcpu, linear, size, access, gpa, fault);
	if (!answer)
		answer = lodge_emulate_physical(vcpu, gpa[0], data, first,
						write);
	if (!answer)
		answer = lodge_emulate_physical(vcpu, gpa[1], data + first,
						size - first, write);
	return answer;
}

static int lodge_emulate_access(struct lodge_vcpu *vcpu, u64 linear, void *data,
				size_t size, unsigned int access, bool write,
				struct lodge_fault *fault)
{
	u64 gpa;
	int answer;

	if (unlikely(offset_in_page(linear) + size > PAGE_SIZE))
		return lodge_emulate_two_pages(vcpu, linear, data, size, access,
					       write, fault);
	answer = lodge_translate(vcpu, linear, access, &gpa, fault);
	if (answer)
		return answer;
	return lodge_emulate_physical(vcpu, gpa, data, size, write);
}

static int lodge_emulate_read(void *opaque, u64 linear, void *data, size_t size,
			      unsigned int access, struct lodge_fault *fault)
{
	return lodge_emulate_access(opaque, linear, data, size, access, false,
				    fault);
}

static int lodge_emulate_write(void *opaque, u64 linear, const void *data,
			       size_t size, struct lodge_fault *fault)
{
	return lodge_emulate_access(opaque, linear, (void *)data, size,
				    LODGE_ACCESS_WRITE, true, fault);
}

/* An exchange on a device, or across the end of a page, is a plain write. */
static int lodge_emulate_cmpxchg(void *opaque, u64 linear, const void *old,
				 const void *new, size_t size,
				 unsigned int access, struct lodge_fault *fault)
{
	struct lodge_vcpu *vcpu = opaque;
	u8 expected[16];
	u64 gpa[2];
	int answer;

	if (offset_in_page(linear) + size > PAGE_SIZE || linear & (size - 1))
		return lodge_emulate_access(opaque, linear, (void *)new, size,
					    access, true, fault);
	answer =
		lodge_emulate_translate(vcpu, linear, size, access, gpa, fault);
	if (answer)
		return answer;
	memcpy(expected, old, size);
	answer = -ENXIO;
	if (!lodge_lapic_claims(vcpu->apic, gpa[0]))
		answer = lodge_mem_cmpxchg(vcpu->vm, gpa[0], expected, new,
					   size);
	if (answer == -ENXIO || answer == -EROFS)
		return lodge_emulate_device(vcpu, gpa[0], (void *)new, size,
					    true);
	return answer == -EAGAIN ? -EBUSY : answer;
}

static int lodge_emulate_probe(void *opaque, u64 linear, size_t size,
			       unsigned int access, struct lodge_fault *fault)
{
	u64 gpa[2];

	return lodge_emulate_translate(opaque, linear, size, access, gpa,
				       fault);
}

/* A batch's one page, if the local APIC is not there. */
static int lodge_emulate_page(struct lodge_vcpu *vcpu, u64 linear, size_t size,
			      unsigned int access, u64 *gpa,
			      struct lodge_fault *fault)
{
	int answer;

	if (!lodge_emulate_sound(vcpu,
				 offset_in_page(linear) + size <= PAGE_SIZE))
		return -EIO;
	answer = lodge_translate(vcpu, linear, access, gpa, fault);
	if (!answer && lodge_lapic_claims(vcpu->apic, *gpa))
		return -ENXIO;
	return answer;
}

static int lodge_emulate_gather(void *opaque, u64 linear, void *data,
				size_t size, struct lodge_fault *fault)
{
	struct lodge_vcpu *vcpu = opaque;
	u64 gpa;
	int answer = lodge_emulate_page(vcpu, linear, size, LODGE_ACCESS_READ,
					&gpa, fault);

	return answer ? answer : lodge_mem_read(vcpu->vm, gpa, data, size);
}

static int lodge_emulate_scatter(void *opaque, u64 linear, const void *data,
				 size_t size, struct lodge_fault *fault)
{
	struct lodge_vcpu *vcpu = opaque;
	u64 gpa;
	int answer = lodge_emulate_page(vcpu, linear, size, LODGE_ACCESS_WRITE,
					&gpa, fault);

	if (answer)
		return answer;
	if (!data)
		return lodge_mem_user(vcpu->vm, gpa, true) ? 0 : -ENXIO;
	answer = lodge_mem_write(vcpu->vm, gpa, data, size);
	return answer == -EROFS ? -ENXIO : answer;
}

static int lodge_emulate_set_cr0(void *opaque, u64 value)
{
	return lodge_control_set_cr0(opaque, value) ? LODGE_FAULT : 0;
}

static void lodge_emulate_set_segment(void *opaque, enum lodge_seg seg,
				      const struct lodge_segment *segment)
{
	struct lodge_vcpu *vcpu = opaque;

	vcpu->regs.segments.seg[seg] = *segment;
	lodge_backend->set_state(vcpu, LODGE_GROUP_SEGMENTS);
}

static void lodge_emulate_set_table(void *opaque, bool idt, u64 base, u16 limit)
{
	struct lodge_vcpu *vcpu = opaque;
	struct lodge_segments *segs = &vcpu->regs.segments;
	struct lodge_segment *table = idt ? &segs->idt : &segs->gdt;

	table->base = base;
	table->limit = limit;
	lodge_backend->set_state(vcpu, LODGE_GROUP_SEGMENTS);
}

static void lodge_emulate_end_nmi(void *opaque)
{
	struct lodge_vcpu *vcpu = opaque;

	vcpu->regs.events.flags =
		lodge_backend->interruptibility(vcpu) &
		~(LODGE_EVENT_NMI_BLOCKED | LODGE_EVENT_SHADOW);
	lodge_backend->set_state(vcpu, LODGE_GROUP_EVENTS);
	set_bit(LODGE_REQ_EVENT, &vcpu->requests);
}

static const struct lodge_emul_ops lodge_emulate_ops = {
	.read = lodge_emulate_read,
	.write = lodge_emulate_write,
	.cmpxchg = lodge_emulate_cmpxchg,
	.probe = lodge_emulate_probe,
	.gather = lodge_emulate_gather,
	.scatter = lodge_emulate_scatter,
	.get_xmm = lodge_simd_get_xmm,
	.set_xmm = lodge_simd_set_xmm,
	.get_ymm = lodge_simd_get_ymm,
	.set_ymm = lodge_simd_set_ymm,
	.get_mmx = lodge_simd_get_mmx,
	.set_mmx = lodge_simd_set_mmx,
	.get_fpu = lodge_simd_get_fpu,
	.set_fpu = lodge_simd_set_fpu,
	.set_cr0 = lodge_emulate_set_cr0,
	.set_segment = lodge_emulate_set_segment,
	.set_table = lodge_emulate_set_table,
	.end_nmi = lodge_emulate_end_nmi,
};

/* LODGE_EMUL_*: what this processor would do in the guest's place. */
static unsigned int lodge_emulate_features(const struct lodge_control *c)
{
	const u64 avx = XFEATURE_MASK_SSE | XFEATURE_MASK_YMM;
	unsigned int features = 0;

	if (cpu_feature_enabled(X86_FEATURE_AVX) && c->cr4 & X86_CR4_OSXSAVE &&
	    (c->xcr0 & avx) == avx)
		features |= LODGE_EMUL_AVX;
	if (cpu_feature_enabled(X86_FEATURE_BMI1))
		features |= LODGE_EMUL_BMI1;
	if (cpu_feature_enabled(X86_FEATURE_ABM))
		features |= LODGE_EMUL_ABM;
	if (boot_cpu_data.x86_vendor == X86_VENDOR_INTEL)
		features |= LODGE_EMUL_INTEL;
	return features;
}

/*
 * In 64-bit mode no segment but FS and GS has a part in an address.  Return: false
 * if segment registers other than CS and SS matter to the instruction.
 */
static bool lodge_emulate_is_plain(const struct lodge_insn *insn)
{
	return insn->mode == LODGE_MODE_64 && insn->op >= LODGE_OP_ADD &&
	       insn->op <= LODGE_OP_CMOVCC &&
	       insn->memory.segment != LODGE_FS &&
	       insn->memory.segment != LODGE_GS &&
	       insn->operand[0].kind != LODGE_OPERAND_SEGMENT &&
	       insn->operand[1].kind != LODGE_OPERAND_SEGMENT;
}

void lodge_emulate_prepare(struct lodge_vcpu *vcpu)
{
	struct lodge_emul *e = &vcpu->emulation->emul;
	struct lodge_io *io = &vcpu->emulation->io;

	if (!lodge_emulate_is_plain(&e->insn))
		lodge_backend->get_state(vcpu, LODGE_GROUP_SEGMENTS);
	e->regs = &vcpu->regs.general;
	e->rflags = e->regs->rflags;
	e->segmentation.segs = &vcpu->regs.segments;
	e->segmentation.mode = e->insn.mode;
	e->segmentation.protect = vcpu->regs.control.cr0 & X86_CR0_PE &&
				  !(vcpu->regs.general.rflags & X86_EFLAGS_VM);
	e->control = &vcpu->regs.control;
	e->cpl = lodge_segments_cpl(&vcpu->regs.segments);
	e->features = lodge_emulate_features(e->control);
	e->ops = &lodge_emulate_ops;
	e->opaque = vcpu;
	io->nr = 0;
	io->next = 0;
	io->posted = false;
}

/* The last fragment is the one that user space hears of. */
static int lodge_emulate_report(struct lodge_vcpu *vcpu)
{
	const struct lodge_io *io = &vcpu->emulation->io;
	const struct lodge_fragment *f = &io->fragment[io->next];
	struct lodge_exit_mmio *mmio = &vcpu->answer.exit.mmio;

	if (!lodge_emulate_sound(vcpu, io->nr == io->next + 1))
		return -EIO;
	BUILD_BUG_ON(sizeof(f->data) != sizeof(mmio->data));
	mmio->gpa = f->gpa;
	mmio->size = f->size;
	mmio->write = f->write;
	if (f->write)
		memcpy(mmio->data, f->data, f->size);
	vcpu->answer.reason = LODGE_EXIT_MMIO;
	return LODGE_TO_USER;
}

static int lodge_emulate_ask(struct lodge_vcpu *vcpu)
{
	vcpu->completion = LODGE_COMPLETE_EMULATE;
	return lodge_emulate_report(vcpu);
}

int lodge_emulate_outcome(struct lodge_vcpu *vcpu, int answer)
{
	const struct lodge_io *io = &vcpu->emulation->io;

	if (answer == LODGE_FAULT) {
		lodge_insn_raise(vcpu, &vcpu->emulation->emul.fault);
		return LODGE_ENTER_AGAIN;
	}
	if (answer == -EAGAIN)
		return lodge_emulate_ask(vcpu);
	if (answer == -EBUSY)
		return LODGE_ENTER_AGAIN;
	if (answer == -EIO)
		return answer;
	if (answer == -EOPNOTSUPP && !io->nr)
		return lodge_insn_doubt(vcpu, answer, ~0ULL);
	return lodge_insn_refuse(vcpu, io->nr ? io->fragment[0].gpa : ~0ULL);
}

/* It can lead to itself, even in another code segment. */
static bool lodge_emulate_branches(const struct lodge_insn *insn)
{
	return insn->op >= LODGE_OP_CALL && insn->op <= LODGE_OP_IRET;
}

/* MOV SS and POP SS, but not LSS (SDM vol. 3, 6.8.3; APM vol. 2, 8.5). */
static bool lodge_emulate_shadows(const struct lodge_insn *insn)
{
	return (insn->op == LODGE_OP_MOV_TO_SEG || insn->op == LODGE_OP_POP) &&
	       insn->operand[0].kind == LODGE_OPERAND_SEGMENT &&
	       insn->operand[0].reg == LODGE_SS;
}

static bool lodge_emulate_loads_flags(const struct lodge_insn *insn)
{
	return insn->op == LODGE_OP_POPF || insn->op == LODGE_OP_IRET;
}

bool lodge_emulate_advance(struct lodge_vcpu *vcpu, u64 rip)
{
	const struct lodge_general *general = &vcpu->regs.general;
	const struct lodge_emul *e = &vcpu->emulation->emul;

	if (general->rip == rip && !lodge_emulate_branches(&e->insn) &&
	    !(e->insn.rep && general->rflags & X86_EFLAGS_TF))
		return false;
	if (lodge_emulate_shadows(&e->insn))
		lodge_insn_done_shadow(vcpu, general->rip);
	else if (lodge_emulate_loads_flags(&e->insn))
		lodge_insn_done_flags(vcpu, general->rip, e->rflags);
	else
		lodge_insn_done(vcpu, general->rip);
	return true;
}

static int lodge_emulate_run(struct lodge_vcpu *vcpu)
{
	struct lodge_io *io = &vcpu->emulation->io;
	u64 rip = vcpu->regs.general.rip;
	unsigned int i;
	int answer;
	bool over;

	for (i = 0; i < LODGE_EMULATE_BATCH; i++) {
		io->next = 0;
		io->posted = false;
		answer = lodge_emul_step(&vcpu->emulation->emul);
		if (answer)
			return lodge_emulate_outcome(vcpu, answer);
		over = lodge_emulate_advance(vcpu, rip);
		if (io->posted)
			return lodge_emulate_report(vcpu);
		if (over)
			break;
		io->nr = 0;
	}
	return LODGE_ENTER_AGAIN;
}

int lodge_emulate_instruction(struct lodge_vcpu *vcpu)
{
	lodge_emulate_prepare(vcpu);
	return lodge_emulate_run(vcpu);
}

/* Return: true if the instruction at hand has made one access: a device has taken it. */
static bool lodge_emulate_has_stored(const struct lodge_emulation *emulation,
				     u64 gpa)
{
	const struct lodge_insn *insn = &emulation->emul.insn;
	const struct lodge_io *io = &emulation->io;
	const struct lodge_fragment *fragment = &io->fragment[0];

	return insn->op == LODGE_OP_MOV &&
	       insn->operand[0].kind == LODGE_OPERAND_MEMORY && io->nr == 1 &&
	       io->next == 1 && fragment->write && fragment->done &&
	       fragment->gpa == gpa;
}

/* The instruction at @rip was carried out. */
static void lodge_emulate_note_store(struct lodge_vcpu *vcpu,
				     const struct lodge_vmexit *exit, u64 rip)
{
	struct lodge_emulation *emulation = vcpu->emulation;

	if (vcpu->regs.general.rip != exit->next_rip ||
	    !lodge_emulate_has_stored(emulation, exit->fault.gpa))
		return;
	emulation->store = (struct lodge_store){
		.gpa = exit->fault.gpa,
		.rip = rip,
		.next_rip = exit->next_rip,
		.generation = READ_ONCE(vcpu->vm->slots_generation),
	};
}

bool lodge_emulate_store_again(struct lodge_vcpu *vcpu,
			       const struct lodge_vmexit *exit)
{
	const struct lodge_store *store = &vcpu->emulation->store;

	if (!exit->fault.device || !exit->next_rip ||
	    exit->interrupted.type != LODGE_EVENT_NONE ||
	    store->next_rip != exit->next_rip ||
	    store->rip != vcpu->regs.general.rip ||
	    store->gpa != exit->fault.gpa ||
	    store->generation != READ_ONCE(vcpu->vm->slots_generation) ||
	    !lodge_iobus_write_quick(vcpu, LODGE_IOBUS_MMIO, store->gpa, NULL,
				     0))
		return false;
	lodge_insn_done(vcpu, store->next_rip);
	return true;
}

void lodge_emulate_forget_store(struct lodge_vcpu *vcpu)
{
	vcpu->emulation->store.next_rip = 0;
}

int lodge_emulate_mmio(struct lodge_vcpu *vcpu, const struct lodge_vmexit *exit)
{
	const u64 rip = vcpu->regs.general.rip;
	int answer = lodge_insn_fetch(vcpu);

	if (answer)
		return lodge_insn_doubt(vcpu, answer, exit->fault.gpa);
	answer = lodge_emulate_instruction(vcpu);
	if (exit->next_rip)
		lodge_emulate_note_store(vcpu, exit, rip);
	return answer;
}

static int lodge_emulate_finish_emulation(struct lodge_vcpu *vcpu)
{
	struct lodge_io *io = &vcpu->emulation->io;
	struct lodge_fragment *f = &io->fragment[io->nr - 1];
	struct lodge_emul *emul = &vcpu->emulation->emul;
	u64 rip = vcpu->regs.general.rip;

	if (!f->write)
		memcpy(f->data, vcpu->answer.exit.mmio.data, sizeof(f->data));
	f->done = true;
	if (emul->insn.op == LODGE_OP_OUTS || emul->insn.op == LODGE_OP_INS)
		return lodge_portio_resume(vcpu);
	if (io->nr > 1 || !lodge_emul_finish_load(emul, f->data, f->size))
		return lodge_emulate_run(vcpu);
	lodge_emulate_advance(vcpu, rip);
	return LODGE_ENTER_AGAIN;
}

int lodge_emulate_complete(struct lodge_vcpu *vcpu)
{
	enum lodge_completion completion = vcpu->completion;

	vcpu->completion = LODGE_COMPLETE_NONE;
	switch (completion) {
	case LODGE_COMPLETE_NONE:
		break;
	case LODGE_COMPLETE_IN:
		lodge_portio_finish_in(vcpu);
		break;
	case LODGE_COMPLETE_INS:
		return lodge_portio_finish_ins(vcpu);
	case LODGE_COMPLETE_EMULATE:
		return lodge_emulate_finish_emulation(vcpu);
	}
	return LODGE_ENTER_AGAIN;
}
