/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Applies one decoded instruction to a vCPU's registers and memory.
 *
 * An instruction makes its accesses in an order that depends on registers and
 * on earlier answers only, and writes registers after the last access has
 * succeeded.  So when an access has to be answered by user space the callback
 * says -EAGAIN, nothing has changed, and the instruction is applied again from
 * its start, the callbacks then replaying the answers they have noted.
 *
 * Pure: memory, and registers but the general ones, are reached through callbacks
 * only.
 */
#ifndef LODGE_EMUL_H
#define LODGE_EMUL_H

#include <lodge.h>

#include "decode.h"
#include "gva.h"
#include "pure.h"
#include "x87.h"

/* Bytes of the longest access that may meet a device. */
#define LODGE_EMUL_MAX_ACCESS 16
/* The most that is probed at once: ENTER's frame of 32 pointers. */
#define LODGE_EMUL_MAX_PROBE 256

/**
 * struct lodge_emul_ops - how the emulator reaches the machine
 * @read: read @size bytes at @linear; @access has LODGE_ACCESS_WRITE too when
 *	the instruction will write them back, so that the fault is that of a
 *	write
 * @write: write @size bytes at @linear
 * @cmpxchg: replace @size (1 to 16) bytes at @linear by @new if they still are
 *	@old, atomically; -EBUSY when they are not.  @access has READ and
 *	WRITE
 * @probe: fault as an @access to @size bytes at @linear would, at most
 *	LODGE_EMUL_MAX_PROBE; moves no data, and does nothing that user space sees
 * @gather: read @size bytes at @linear, which lie in one page, if they are
 *	memory; -ENXIO: they are not, and nothing was read
 * @scatter: the same to write them; -ENXIO also where memory is read-only.  With
 *	@data NULL it only says whether it could
 * @get_xmm: read an XMM register
 * @set_xmm: write an XMM register
 * @get_ymm: read the upper half of a YMM register
 * @set_ymm: write it
 * @get_mmx: read an MMX register
 * @set_mmx: write it, as an MMX instruction does that makes the x87 state MMX's
 * @get_fpu: read the x87 state, and MXCSR
 * @set_fpu: write it
 * @set_cr0: load CR0: 0, or LODGE_FAULT for #GP(0)
 * @set_segment: load a segment register, LDTR or TR
 * @set_table: load GDTR, or IDTR
 * @end_nmi: an IRET is done: NMIs are let in
 *
 * An access has at most LODGE_EMUL_MAX_ACCESS bytes and may cross a page
 * boundary; only those of probe, gather and scatter may be longer.  Linear addresses are
 * canonical; outside 64-bit mode an access that goes beyond 4 GiB wraps to 0.
 *
 * Those that access memory return 0; LODGE_FAULT with @fault filled in; or a
 * negative errno, which ends the instruction and is passed on.  Of read, write
 * and cmpxchg -EAGAIN means: ask user space, then apply the instruction again.
 */
struct lodge_emul_ops {
	int (*read)(void *opaque, u64 linear, void *data, size_t size,
		    unsigned int access, struct lodge_fault *fault);
	int (*write)(void *opaque, u64 linear, const void *data, size_t size,
		     struct lodge_fault *fault);
	int (*cmpxchg)(void *opaque, u64 linear, const void *old,
		       const void *new, size_t size, unsigned int access,
		       struct lodge_fault *fault);
	int (*probe)(void *opaque, u64 linear, size_t size, unsigned int access,
		     struct lodge_fault *fault);
	int (*gather)(void *opaque, u64 linear, void *data, size_t size,
		      struct lodge_fault *fault);
	int (*scatter)(void *opaque, u64 linear, const void *data, size_t size,
		       struct lodge_fault *fault);
	void (*get_xmm)(void *opaque, unsigned int reg, u8 data[16]);
	void (*set_xmm)(void *opaque, unsigned int reg, const u8 data[16]);
	void (*get_ymm)(void *opaque, unsigned int reg, u8 data[16]);
	void (*set_ymm)(void *opaque, unsigned int reg, const u8 data[16]);
	void (*get_mmx)(void *opaque, unsigned int reg, u64 *data);
	void (*set_mmx)(void *opaque, unsigned int reg, u64 data);
	void (*get_fpu)(void *opaque, struct lodge_fxsave *state);
	void (*set_fpu)(void *opaque, const struct lodge_fxsave *state);
	int (*set_cr0)(void *opaque, u64 value);
	void (*set_segment)(void *opaque, enum lodge_seg seg,
			    const struct lodge_segment *segment);
	void (*set_table)(void *opaque, bool idt, u64 base, u16 limit);
	void (*end_nmi)(void *opaque);
};

/* Bits of struct lodge_emul.features. */
#define LODGE_EMUL_AVX 0x1 /* by the guest's XCR0 and CR4 too */
#define LODGE_EMUL_BMI1 0x2 /* TZCNT is not BSF */
#define LODGE_EMUL_ABM 0x4 /* LZCNT is not BSR */
#define LODGE_EMUL_INTEL 0x8 /* Intel's way where vendors differ */

/**
 * struct lodge_emul - one instruction about to be applied
 * @insn: the instruction at regs->rip, decoded
 * @regs: general registers; changed only when an instruction completes
 * @rflags: RFLAGS at the start of the instruction, for the caller
 * @segmentation: segment registers and mode; its mode is that of @insn
 * @control: control registers
 * @cpl: current privilege level
 * @features: LODGE_EMUL_*
 * @ops: callbacks
 * @opaque: their first argument
 * @fault: out: the exception, when LODGE_FAULT is the answer
 */
struct lodge_emul {
	struct lodge_insn insn;
	struct lodge_general *regs;
	u64 rflags;
	struct lodge_segmentation segmentation;
	const struct lodge_control *control;
	u8 cpl;
	unsigned int features;
	const struct lodge_emul_ops *ops;
	void *opaque;
	struct lodge_fault fault;
};

/**
 * lodge_emul_step() - apply the instruction, or one iteration of it
 * @e: the instruction
 *
 * With a repeat prefix one iteration is done: rCX, rSI and rDI move on, and RIP
 * only with the last one; the caller calls again or lets the guest run.
 * RFLAGS.TF, RFLAGS.RF (but for IRET, which loads it) and the interrupt shadow are the
 * caller's business.
 *
 * A locked instruction whose memory another processor has just changed answers
 * 0 too and has changed nothing: RIP still points at it.  A far branch, which may lead
 * to itself, answers -EBUSY then.
 *
 * Return: 0; LODGE_FAULT with @e->fault; -EOPNOTSUPP: the instruction is
 * intercepted or does port I/O; or a callback's error, -EAGAIN among them.
 */
int lodge_emul_step(struct lodge_emul *e);

/**
 * lodge_emul_finish_load() - finish a load whose one access has been answered
 * @e: an instruction for which @read has answered -EAGAIN, registers unchanged
 * @data: what was read there
 * @size: bytes of that access
 *
 * The same as to apply the instruction again, with less work.
 *
 * Return: true if it is done; false with nothing changed: the instruction is not a
 * move of @size bytes of memory to a register, and has to be applied again.
 */
bool lodge_emul_finish_load(struct lodge_emul *e, const void *data,
			    size_t size);

/**
 * lodge_emul_outs() - gather what OUTS sends
 * @e: an OUTS instruction
 * @data: out: the elements, in the order in which they are sent
 * @size: bytes at @data, at least one element
 * @count: out: elements gathered: as many as are asked for, fit @data and lie
 *	in one page of memory, at least one; 0 when rCX is 0
 *
 * Changes no register: lodge_emul_outs_commit() does, once they are sent.
 *
 * Return: 0; LODGE_FAULT with @e->fault; -EOPNOTSUPP: not OUTS; or a callback's
 * error.
 */
int lodge_emul_outs(struct lodge_emul *e, void *data, size_t size, u32 *count);

/**
 * lodge_emul_outs_commit() - move on behind elements that were sent
 * @e: the same OUTS instruction, registers unchanged
 * @count: elements, as lodge_emul_outs() has answered, or fewer
 */
void lodge_emul_outs_commit(struct lodge_emul *e, u32 count);

/**
 * lodge_emul_ins() - see how much INS can receive
 * @e: an INS instruction
 * @size: bytes that the caller can fetch at once, at least one element
 * @count: out: elements to fetch, as for lodge_emul_outs()
 *
 * The destination is known to be writable when the answer is 0.
 *
 * Return: as lodge_emul_outs().
 */
int lodge_emul_ins(struct lodge_emul *e, size_t size, u32 *count);

/**
 * lodge_emul_ins_commit() - store what was received and move on
 * @e: the same INS instruction, registers unchanged
 * @data: the elements, in the order in which they came
 * @count: in: how many, as lodge_emul_ins() has answered, or fewer; out: how many
 *	of them are stored, at least one where there is one
 *
 * The caller calls again for those that are left; when the answer is -EAGAIN it
 * keeps @data and calls again with the same.
 *
 * Return: as lodge_emul_outs(); registers change only with 0.
 */
int lodge_emul_ins_commit(struct lodge_emul *e, const void *data, u32 *count);

#endif
