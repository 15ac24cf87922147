/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The effect of x87 instructions that move a value between memory and the register
 * stack, on the value and on the state.
 *
 * Pure.  Sources: Intel SDM vol. 1, chapters 4 and 8, and vol. 2 (FLD, FST, FILD,
 * FIST, FISTTP, FLDCW).
 */
#ifndef LODGE_X87_H
#define LODGE_X87_H

#include "pure.h"

/* The longest value in memory. */
#define LODGE_X87_BYTES 10

/**
 * struct lodge_fxsave - the first part of what FXSAVE64 writes
 * @cw: control word
 * @sw: status word
 * @tw: a bit for each physical register that is not empty
 * @reserved: zero
 * @op: opcode of the last instruction that was no control instruction
 * @ip: its address, as an offset in its segment
 * @dp: of its operand, likewise
 * @mxcsr: control and status of SSE
 * @mxcsr_mask: its bits that exist; 0 stands for all but 6
 * @st: registers, from the top of the stack on
 */
struct lodge_fxsave {
	u16 cw;
	u16 sw;
	u8 tw;
	u8 reserved;
	u16 op;
	u64 ip;
	u64 dp;
	u32 mxcsr;
	u32 mxcsr_mask;
	u8 st[8][16];
};

static_assert(sizeof(struct lodge_fxsave) == 160, "FXSAVE64");

/**
 * enum lodge_x87_type - how a value stands in memory
 * @LODGE_X87_INTEGER: of 2, 4 or 8 bytes
 * @LODGE_X87_REAL: of 4, 8 or 10 bytes
 */
enum lodge_x87_type {
	LODGE_X87_INTEGER,
	LODGE_X87_REAL,
};

/**
 * lodge_x87_load() - push a value
 * @x: the state
 * @data: @size bytes, of @type
 *
 * The status word has what the instruction would report, in any case.  An exception
 * that is not masked leaves the stack alone.
 */
void lodge_x87_load(struct lodge_fxsave *x, enum lodge_x87_type type,
		    const u8 *data, unsigned int size);

/**
 * lodge_x87_store() - take the value at the top of the stack for memory
 * @truncate: as FISTTP, whatever the control word says of rounding
 * @data: out: @size bytes
 *
 * The value stays: lodge_x87_pop() takes it away, once it is written.
 *
 * Return: true if there is a value to write, and to pop; false: an exception that is
 * not masked.
 */
bool lodge_x87_store(struct lodge_fxsave *x, enum lodge_x87_type type,
		     bool truncate, u8 *data, unsigned int size);

void lodge_x87_pop(struct lodge_fxsave *x);

/**
 * lodge_x87_set_control() - load the control word
 */
void lodge_x87_set_control(struct lodge_fxsave *x, u16 value);

#endif
