/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The x86 instruction decoder: bytes in, one struct lodge_insn out.
 *
 * It knows the instructions that can touch memory or a port on behalf of a
 * device, those that use the stack, which may lie on one, and those that a
 * hypervisor intercepts and must step over.  All else is refused, as is a
 * register form that can neither touch memory nor be intercepted.  It is pure: no state, no allocation, no kernel call, and no
 * byte beyond @length is ever read.
 *
 * Sources: AMD APM vol. 3, chapter 1 and appendix A; Intel SDM vol. 2,
 * chapter 2 and appendix A.
 */
#ifndef LODGE_DECODE_H
#define LODGE_DECODE_H

#include <lodge.h>

#include "pure.h"

#define LODGE_INSN_MAX_LENGTH 15

/**
 * enum lodge_cpu_mode - default sizes of the code segment
 * @LODGE_MODE_16: real mode, virtual-8086 mode, or CS.D = 0 and CS.L = 0
 * @LODGE_MODE_32: CS.D = 1 and CS.L = 0
 * @LODGE_MODE_64: EFER.LMA = 1 and CS.L = 1
 */
enum lodge_cpu_mode {
	LODGE_MODE_16,
	LODGE_MODE_32,
	LODGE_MODE_64,
};

/**
 * enum lodge_op - operations
 *
 * Several mnemonics share an op when only their operands tell them apart: MOVNTI
 * is MOV, MOVSXD is MOVSX, CMPXCHG16B is CMPXCHG_PAIR with a size of 16.
 *
 * @LODGE_OP_INVALID: none; never in a struct that lodge_decode() has filled
 * @LODGE_OP_MOV: operand 1 to operand 0
 * @LODGE_OP_MOVBE: MOV with the bytes reversed
 * @LODGE_OP_MOVZX: zero-extend the memory operand into the register
 * @LODGE_OP_MOVSX: sign-extend the memory operand into the register
 * @LODGE_OP_IMUL: of rAX, the product in rDX:rAX
 * @LODGE_OP_IMUL_REG: of two or three operands, the product in the first one
 * @LODGE_OP_SETCC: byte to 1 or 0 by struct lodge_insn.condition
 * @LODGE_OP_CMOVCC: memory to register by struct lodge_insn.condition
 * @LODGE_OP_FLUSH: CLFLUSH, CLFLUSHOPT, CLWB
 * @LODGE_OP_MOV_TO_SEG: selector to segment register operand[0].reg
 * @LODGE_OP_LOAD_FAR: LES, LSS, LDS, LFS, LGS: far pointer to register
 *	operand[0] and segment register operand[2].reg
 * @LODGE_OP_MMX_MOV: memory from or to MMX
 * @LODGE_OP_SSE_MOV: memory to XMM, the upper bytes become zero; or XMM's lower
 *	bytes to memory.  With VEX also YMM
 * @LODGE_OP_SSE_MOV_LOW: 8 bytes from or to the lower half of XMM, the upper
 *	half is kept; with VEX, taken from operand[2]
 * @LODGE_OP_SSE_MOV_HIGH: 8 bytes from or to the upper half of XMM, the lower
 *	half is kept; with VEX, taken from operand[2]
 * @LODGE_OP_CALL_FAR: through memory, or to the immediate: the offset, and the
 *	selector above it
 * @LODGE_OP_JMP_FAR: likewise
 * @LODGE_OP_CMPXCHG_PAIR: CMPXCHG8B, CMPXCHG16B
 * @LODGE_OP_MOV_FROM_CR: CR operand[1].reg to a general register
 * @LODGE_OP_MOV_TO_CR: general register to CR operand[0].reg
 * @LODGE_OP_MOV_FROM_DR: DR operand[1].reg to a general register
 * @LODGE_OP_MOV_TO_DR: general register to DR operand[0].reg
 * @LODGE_OP_INT: INT n, the vector is the immediate
 * @LODGE_OP_ICEBP: INT1, opcode 0xf1
 *
 * The others are the mnemonic of the same name.
 */
enum lodge_op {
	LODGE_OP_INVALID,

	/* Arithmetic and logic; the first eight in the order of their codes. */
	LODGE_OP_ADD,
	LODGE_OP_OR,
	LODGE_OP_ADC,
	LODGE_OP_SBB,
	LODGE_OP_AND,
	LODGE_OP_SUB,
	LODGE_OP_XOR,
	LODGE_OP_CMP,
	LODGE_OP_TEST,
	LODGE_OP_NOT,
	LODGE_OP_NEG,
	LODGE_OP_INC,
	LODGE_OP_DEC,
	LODGE_OP_BT,
	LODGE_OP_BTS,
	LODGE_OP_BTR,
	LODGE_OP_BTC,
	LODGE_OP_XCHG,
	LODGE_OP_XADD,
	LODGE_OP_CMPXCHG,
	LODGE_OP_CMPXCHG_PAIR,
	LODGE_OP_ROL,
	LODGE_OP_ROR,
	LODGE_OP_RCL,
	LODGE_OP_RCR,
	LODGE_OP_SHL,
	LODGE_OP_SHR,
	LODGE_OP_SAR,
	LODGE_OP_SHLD,
	LODGE_OP_SHRD,
	LODGE_OP_MUL,
	LODGE_OP_IMUL,
	LODGE_OP_DIV,
	LODGE_OP_IDIV,
	LODGE_OP_IMUL_REG,
	LODGE_OP_BSF,
	LODGE_OP_BSR,
	LODGE_OP_TZCNT,
	LODGE_OP_LZCNT,
	LODGE_OP_POPCNT,
	LODGE_OP_SETCC,
	LODGE_OP_BOUND,

	/* Moves. */
	LODGE_OP_MOV,
	LODGE_OP_MOVBE,
	LODGE_OP_MOVZX,
	LODGE_OP_MOVSX,
	LODGE_OP_CMOVCC,
	LODGE_OP_XLAT,
	LODGE_OP_FLUSH,
	LODGE_OP_MOV_TO_SEG,
	LODGE_OP_LOAD_FAR,
	LODGE_OP_MMX_MOV,
	LODGE_OP_SSE_MOV,
	LODGE_OP_SSE_MOV_LOW,
	LODGE_OP_SSE_MOV_HIGH,

	/* x87 and MXCSR: those that read memory, then those that write it. */
	LODGE_OP_FLD,
	LODGE_OP_FILD,
	LODGE_OP_FLDCW,
	LODGE_OP_LDMXCSR,
	LODGE_OP_FST,
	LODGE_OP_FSTP,
	LODGE_OP_FIST,
	LODGE_OP_FISTP,
	LODGE_OP_FISTTP,
	LODGE_OP_FNSTCW,
	LODGE_OP_FNSTSW,
	LODGE_OP_STMXCSR,

	/* Stack, and branches that use it or memory. */
	LODGE_OP_PUSH,
	LODGE_OP_POP,
	LODGE_OP_PUSHA,
	LODGE_OP_POPA,
	LODGE_OP_PUSHF,
	LODGE_OP_POPF,
	LODGE_OP_ENTER,
	LODGE_OP_LEAVE,
	LODGE_OP_CALL,
	LODGE_OP_JMP,
	LODGE_OP_RET,
	LODGE_OP_CALL_FAR,
	LODGE_OP_JMP_FAR,
	LODGE_OP_RET_FAR,
	LODGE_OP_IRET,

	/* String instructions, and ports. */
	LODGE_OP_MOVS,
	LODGE_OP_CMPS,
	LODGE_OP_STOS,
	LODGE_OP_LODS,
	LODGE_OP_SCAS,
	LODGE_OP_INS,
	LODGE_OP_OUTS,
	LODGE_OP_IN,
	LODGE_OP_OUT,

	/* Of the system, with an operand in memory. */
	LODGE_OP_LMSW,
	LODGE_OP_SMSW,
	LODGE_OP_SGDT,
	LODGE_OP_SIDT,
	LODGE_OP_LGDT,
	LODGE_OP_LIDT,
	LODGE_OP_SLDT,
	LODGE_OP_STR,
	LODGE_OP_LLDT,
	LODGE_OP_LTR,
	LODGE_OP_VERR,
	LODGE_OP_VERW,
	LODGE_OP_LAR,
	LODGE_OP_LSL,
	LODGE_OP_ARPL,

	/* Intercepted: the backend acts on them, lodge_emul_step() does not. */
	LODGE_OP_CPUID,
	LODGE_OP_RDMSR,
	LODGE_OP_WRMSR,
	LODGE_OP_RDTSC,
	LODGE_OP_RDTSCP,
	LODGE_OP_RDPMC,
	LODGE_OP_HLT,
	LODGE_OP_PAUSE,
	LODGE_OP_MONITOR,
	LODGE_OP_MWAIT,
	LODGE_OP_INVD,
	LODGE_OP_WBINVD,
	LODGE_OP_INVLPG,
	LODGE_OP_XSETBV,
	LODGE_OP_VMCALL,
	LODGE_OP_VMMCALL,
	LODGE_OP_VMRUN,
	LODGE_OP_VMLOAD,
	LODGE_OP_VMSAVE,
	LODGE_OP_STGI,
	LODGE_OP_CLGI,
	LODGE_OP_SKINIT,
	LODGE_OP_INVLPGA,
	LODGE_OP_MOV_FROM_CR,
	LODGE_OP_MOV_TO_CR,
	LODGE_OP_MOV_FROM_DR,
	LODGE_OP_MOV_TO_DR,
	LODGE_OP_CLTS,
	LODGE_OP_INT3,
	LODGE_OP_ICEBP,
	LODGE_OP_INT,
	LODGE_OP_INTO,

	LODGE_NR_OPS,
};

/**
 * enum lodge_operand_kind - the place of an operand
 * @LODGE_OPERAND_NONE: there is none
 * @LODGE_OPERAND_MEMORY: in memory, at struct lodge_insn.memory
 * @LODGE_OPERAND_IMMEDIATE: it is struct lodge_insn.immediate
 * @LODGE_OPERAND_GPR: general register @reg
 * @LODGE_OPERAND_GPR_HIGH: bits 15:8 of general register @reg: AH, CH, DH, BH
 * @LODGE_OPERAND_SEGMENT: selector of segment register @reg, enum lodge_seg
 * @LODGE_OPERAND_MMX: MMX register @reg
 * @LODGE_OPERAND_XMM: XMM register @reg, or YMM when @size is 32
 * @LODGE_OPERAND_CONTROL: control register @reg
 * @LODGE_OPERAND_DEBUG: debug register @reg
 */
enum lodge_operand_kind {
	LODGE_OPERAND_NONE,
	LODGE_OPERAND_MEMORY,
	LODGE_OPERAND_IMMEDIATE,
	LODGE_OPERAND_GPR,
	LODGE_OPERAND_GPR_HIGH,
	LODGE_OPERAND_SEGMENT,
	LODGE_OPERAND_MMX,
	LODGE_OPERAND_XMM,
	LODGE_OPERAND_CONTROL,
	LODGE_OPERAND_DEBUG,
};

/**
 * struct lodge_operand - one explicit operand
 * @kind: enum lodge_operand_kind
 * @reg: number of the register, for the kinds that have one
 * @size: bytes the instruction uses of it: 1, 2, 4, 6, 8, 10, 16 or 32; 0 when
 *	the operand is only an address (INVLPG)
 */
struct lodge_operand {
	u8 kind;
	u8 reg;
	u8 size;
};

/* Values of struct lodge_address.base and .index beside enum lodge_gpr. */
#define LODGE_REG_RIP 16
#define LODGE_REG_NONE 0xff

/**
 * struct lodge_address - the parts of a memory operand's address
 * @segment: enum lodge_seg, after overrides and defaults
 * @base: general register, LODGE_REG_RIP (the next instruction's address) or
 *	LODGE_REG_NONE
 * @index: general register or LODGE_REG_NONE
 * @scale: 1, 2, 4 or 8; 0 without index
 * @displacement: sign-extended; of a MOV with an absolute offset, that offset
 *	zero-extended
 */
struct lodge_address {
	u8 segment;
	u8 base;
	u8 index;
	u8 scale;
	u64 displacement;
};

/* Bits of struct lodge_insn.prefixes. */
#define LODGE_PREFIX_OPERAND 0x01
#define LODGE_PREFIX_ADDRESS 0x02
#define LODGE_PREFIX_LOCK 0x04
#define LODGE_PREFIX_REPNE 0x08
#define LODGE_PREFIX_REP 0x10
#define LODGE_PREFIX_SEGMENT 0x20
#define LODGE_PREFIX_REX 0x40

#define LODGE_NR_OPERANDS 3

/**
 * struct lodge_insn - a decoded instruction
 * @op: enum lodge_op
 * @mode: enum lodge_cpu_mode it was decoded for
 * @length: bytes, prefixes included, 1 to 15
 * @prefixes: LODGE_PREFIX_*: those that are present; of F2 and F3 only the last
 *	counts.  Whether it means repetition is up to @rep
 * @rex: the REX prefix in force, or what VEX has in its place, or 0
 * @vex: has a VEX prefix; the prefix that it implies is among @prefixes
 * @condition: of SETCC and CMOVCC, bits 3:0 of the opcode
 * @fpu_opcode: of an x87 instruction, what the processor notes of it (FOP)
 * @rep: the string instruction repeats, under LODGE_PREFIX_REP or _REPNE
 * @aligned: the memory operand must be aligned to its size (#GP(0))
 * @operand_size: effective operand size: 1, 2, 4 or 8; of a string or port
 *	instruction, the bytes that one access moves; of an MMX, SSE or AVX
 *	move, the bytes moved, up to 32; of an x87 instruction, likewise, up to 10
 * @address_size: 2, 4 or 8
 * @operand: the explicit operands, destination first.  String instructions
 *	have none: they use rSI and rDI; of them memory.segment is the segment
 *	of rSI.  IN and OUT: the accumulator, and the port as an immediate or DX
 * @memory: the address, when one of @operand is in memory
 * @immediate: sign-extended to 64 bits where the instruction does so; of ENTER,
 *	the size in bits 15:0 and the nesting level above it
 */
struct lodge_insn {
	u8 op;
	u8 mode;
	u8 length;
	u8 prefixes;
	u8 rex;
	bool vex;
	u8 condition;
	u16 fpu_opcode;
	bool rep;
	bool aligned;
	u8 operand_size;
	u8 address_size;
	struct lodge_operand operand[LODGE_NR_OPERANDS];
	struct lodge_address memory;
	u64 immediate;
};

/**
 * lodge_decode() - decode one instruction
 * @insn: out: the instruction; undefined when the answer is not 0
 * @mode: of the code segment
 * @bytes: the instruction and what follows
 * @length: bytes that are valid at @bytes; 15 always suffice
 *
 * Feature bits are not considered: an instruction is decoded whether or not the
 * guest's CPUID lists it.
 *
 * Return: 0; -EINVAL: undefined, or not one of those that Lodge knows; -E2BIG:
 * longer than 15 bytes, which is #GP(0); -ENODATA: @length ends before the
 * instruction does.
 */
int lodge_decode(struct lodge_insn *insn, enum lodge_cpu_mode mode,
		 const u8 *bytes, size_t length);

/**
 * lodge_insn_next_rip() - address of the instruction that follows
 * @regs: general registers, with @regs->rip at the instruction
 * @mode: of the code segment
 * @length: bytes of the instruction
 *
 * Return: the next RIP, wrapped to 16 or 32 bits outside 64-bit mode.
 */
u64 lodge_insn_next_rip(const struct lodge_general *regs,
			enum lodge_cpu_mode mode, unsigned int length);

/**
 * lodge_insn_offset() - effective address of the memory operand
 * @insn: an instruction with a memory operand
 * @regs: general registers, with @regs->rip at the instruction
 *
 * Return: the offset into the segment, cut to the address size.
 */
u64 lodge_insn_offset(const struct lodge_insn *insn,
		      const struct lodge_general *regs);

#endif
