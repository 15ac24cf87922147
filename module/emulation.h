/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The instruction that a vCPU has the core carry out, and user space answer: for
 * those who take part in that.
 */
#ifndef LODGE_EMULATION_H
#define LODGE_EMULATION_H

#include <lodge.h>

#include "decode.h"
#include "emul.h"
#include "pure.h"
#include "translate.h"

/*
 * A call through a gate makes the most accesses, if all it needs is on devices: the
 * pointer, the gate, the TSS, two descriptors and their marks, each perhaps over a
 * page's end; 31 parameters that are read, and pushed behind SS and RSP, before CS and
 * RIP; and of each stack one more, over a page's end.  User space hears of an access
 * as it is made: an instruction that needs more than there is room for could be
 * refused only after that.
 */
#define LODGE_NR_FRAGMENTS (2 * 7 + 31 + 1 + 35 + 1)

/**
 * struct lodge_fragment - one access that a device answers
 * @gpa: guest physical address
 * @size: bytes, 1 to 16
 * @write: direction
 * @done: the device has carried it out
 * @data: the bytes
 */
struct lodge_fragment {
	u64 gpa;
	u8 size;
	bool write;
	bool done;
	u8 data[LODGE_EMUL_MAX_ACCESS];
};

/**
 * struct lodge_io - an instruction that user space answers
 * @size: bytes a port access moves
 * @port: of INS and OUTS
 * @count: elements that INS has received
 * @stored: number of those that are stored
 * @element: a copy of the only element that INS has received
 * @next_rip: RIP behind a port access
 * @nr: fragments known
 * @fragment: accesses of the instruction under emulation, in its order: those
 *	before @next are already answered and are replayed
 * @next: index of the fragment that the replay is at
 * @posted: that fragment is a write of which user space hears when the instruction
 *	is over
 */
struct lodge_io {
	u8 size;
	u16 port;
	u32 count;
	u32 stored;
	u8 element[4];
	u64 next_rip;
	u32 nr;
	u32 next;
	bool posted;
	struct lodge_fragment fragment[LODGE_NR_FRAGMENTS];
};

/**
 * struct lodge_insn_bytes - the instruction at RIP as it was read
 * @decoded: emul.insn is the decoded instruction
 * @doubts: calls of lodge_insn_doubt() since the last instruction that was carried out
 * @changes: calls of lodge_insn_changed(), likewise
 * @length: bytes that are valid
 * @data: the bytes
 */
struct lodge_insn_bytes {
	bool decoded;
	u32 doubts;
	u32 changes;
	u8 length;
	u8 data[LODGE_INSN_MAX_LENGTH];
};

/**
 * struct lodge_store - the last MOV in this call of lodge_vcpu_run() that has done nothing
 * but write to a device in the kernel
 * @gpa: where it has written
 * @rip: where it is
 * @next_rip: where the next instruction starts, by decoding and by what the processor
 *	has said; 0: there was none
 * @generation: vm->slots_generation at the time
 */
struct lodge_store {
	u64 gpa;
	u64 rip;
	u64 next_rip;
	u64 generation;
};

/**
 * struct lodge_emulation - a vCPU's, from its first instruction to its end
 *
 * The owner's: the thread that holds vcpu->lock.
 *
 * @io: instruction under way in user space
 * @emul: emulation under way
 * @insn_bytes: of the instruction in @emul
 * @store: see lodge_emulate_store_again()
 * @code_walk: last page walk for an instruction; see translate.h
 * @data_walk: last page walk for an operand
 */
struct lodge_emulation {
	struct lodge_io io;
	struct lodge_emul emul;
	struct lodge_insn_bytes insn_bytes;
	struct lodge_store store;
	struct lodge_walk code_walk;
	struct lodge_walk data_walk;
};

#endif
