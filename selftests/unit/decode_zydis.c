// SPDX-License-Identifier: GPL-2.0
/*
 * Compares the decoder with Zydis, over generated instructions.  Zydis must decode
 * all that Lodge decodes, with the same result.  Lodge must decode all instructions
 * with a memory operand that Zydis decodes, if it knows the mnemonic.
 *
 * The seed is fixed, so that a failure repeats; LODGE_SEED sets another one.
 */
#include <stdio.h>

#include <Zydis/Zydis.h>

#include "alu.h"
#include "decode.h"
#include "decode_random.h"
#include "decode_zydis_ops.h"

#include "kselftest_harness.h"

#define INSTRUCTIONS 700000
#define MAX_REPORTS 20

struct reference {
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand operand[ZYDIS_MAX_OPERAND_COUNT];
};

static ZydisRegisterClass class_of(const ZydisDecodedOperand *o)
{
	if (o->type != ZYDIS_OPERAND_TYPE_REGISTER)
		return ZYDIS_REGCLASS_INVALID;
	return ZydisRegisterGetClass(o->reg.value);
}

static const ZydisDecodedOperand *explicit_memory(const struct reference *z)
{
	int i;

	for (i = 0; i < z->insn.operand_count_visible; i++) {
		if (z->operand[i].type == ZYDIS_OPERAND_TYPE_MEMORY)
			return &z->operand[i];
	}
	return NULL;
}

static bool has_class(const struct reference *z, ZydisRegisterClass class)
{
	return class_of(&z->operand[0]) == class ||
	       class_of(&z->operand[1]) == class;
}

static bool has_operand_prefix(const struct reference *z)
{
	int i;

	for (i = 0; i < z->insn.raw.prefix_count; i++) {
		if (z->insn.raw.prefixes[i].value == 0x66)
			return true;
	}
	return false;
}

static u8 op_of_branch(const struct reference *z, u8 op)
{
	bool far = z->insn.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR;

	if (op == LODGE_OP_CALL && far)
		return LODGE_OP_CALL_FAR;
	if (op == LODGE_OP_RET && far)
		return LODGE_OP_RET_FAR;
	if (op == LODGE_OP_JMP && far)
		return LODGE_OP_JMP_FAR;
	if (op == LODGE_OP_JMP && !explicit_memory(z))
		return LODGE_OP_INVALID;
	/* Vendors differ here. */
	if (z->insn.machine_mode == ZYDIS_MACHINE_MODE_LONG_64 &&
	    has_operand_prefix(z) && !z->insn.raw.rex.W)
		return LODGE_OP_INVALID;
	return op;
}

static u8 op_of_imul(const struct reference *z)
{
	return z->insn.operand_count_visible == 1 ? LODGE_OP_IMUL :
						    LODGE_OP_IMUL_REG;
}

static u8 op_of_mov(const struct reference *z)
{
	if (class_of(&z->operand[0]) == ZYDIS_REGCLASS_CONTROL)
		return LODGE_OP_MOV_TO_CR;
	if (class_of(&z->operand[1]) == ZYDIS_REGCLASS_CONTROL)
		return LODGE_OP_MOV_FROM_CR;
	if (class_of(&z->operand[0]) == ZYDIS_REGCLASS_DEBUG)
		return LODGE_OP_MOV_TO_DR;
	if (class_of(&z->operand[1]) == ZYDIS_REGCLASS_DEBUG)
		return LODGE_OP_MOV_FROM_DR;
	if (class_of(&z->operand[0]) == ZYDIS_REGCLASS_SEGMENT)
		return z->operand[0].reg.value == ZYDIS_REGISTER_CS ?
			       LODGE_OP_INVALID :
			       LODGE_OP_MOV_TO_SEG;
	return LODGE_OP_MOV;
}

/* Return: the op that Lodge must find, or LODGE_OP_INVALID if it may refuse. */
static u8 expected_op(const struct reference *z)
{
	u8 op = LODGE_OP_INVALID;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known); i++) {
		if (known[i].mnemonic == z->insn.mnemonic)
			op = known[i].op;
	}
	if (z->insn.mnemonic == ZYDIS_MNEMONIC_MOV)
		op = op_of_mov(z);
	if (op == LODGE_OP_MOVS && has_class(z, ZYDIS_REGCLASS_XMM) &&
	    explicit_memory(z))
		op = LODGE_OP_SSE_MOV;
	/* Zydis 4.0 decodes F3 41 90 as PAUSE, but it exchanges EAX and R8D. */
	if (op == LODGE_OP_PAUSE && z->insn.raw.rex.B)
		return LODGE_OP_INVALID;
	if (z->insn.encoding == ZYDIS_INSTRUCTION_ENCODING_EVEX)
		return LODGE_OP_INVALID;
	if (op == LODGE_OP_CALL || op == LODGE_OP_JMP || op == LODGE_OP_RET)
		return op_of_branch(z, op);
	if (op == LODGE_OP_IMUL)
		op = op_of_imul(z);
	/* Ops before LODGE_OP_PUSH are decoded with a memory operand only. */
	if ((op < LODGE_OP_PUSH ||
	     (op >= LODGE_OP_VERR && op <= LODGE_OP_ARPL)) &&
	    op != LODGE_OP_XLAT && op != LODGE_OP_MOV_TO_SEG &&
	    !explicit_memory(z))
		return LODGE_OP_INVALID;
	/* Strings have no visible operand; SSE's MOVSD and CMPSD have. */
	if (op >= LODGE_OP_MOVS && op <= LODGE_OP_SCAS &&
	    has_class(z, ZYDIS_REGCLASS_XMM))
		return LODGE_OP_INVALID;
	if (op == LODGE_OP_SSE_MOV && has_class(z, ZYDIS_REGCLASS_MMX))
		return LODGE_OP_MMX_MOV;
	return op;
}

static ZydisRegister gpr(u8 reg, unsigned int size)
{
	static const ZydisRegister first[] = {
		[1] = ZYDIS_REGISTER_AL,
		[2] = ZYDIS_REGISTER_AX,
		[4] = ZYDIS_REGISTER_EAX,
		[8] = ZYDIS_REGISTER_RAX,
	};

	if (reg == LODGE_REG_NONE)
		return ZYDIS_REGISTER_NONE;
	if (reg == LODGE_REG_RIP)
		return size == 8 ? ZYDIS_REGISTER_RIP : ZYDIS_REGISTER_EIP;
	/* Zydis numbers AH to BH between BL and SPL. */
	return first[size] + reg + (size == 1 && reg >= 4 ? 4 : 0);
}

static ZydisRegister segment_register(u8 seg)
{
	return ZYDIS_REGISTER_ES + seg;
}

static ZydisRegister register_of(const struct lodge_operand *o)
{
	switch (o->kind) {
	case LODGE_OPERAND_GPR:
		return gpr(o->reg, o->size);
	case LODGE_OPERAND_GPR_HIGH:
		return ZYDIS_REGISTER_AH + o->reg;
	case LODGE_OPERAND_SEGMENT:
		return ZYDIS_REGISTER_ES + o->reg;
	case LODGE_OPERAND_MMX:
		return ZYDIS_REGISTER_MM0 + o->reg;
	case LODGE_OPERAND_XMM:
		return (o->size == 32 ? ZYDIS_REGISTER_YMM0 :
					ZYDIS_REGISTER_XMM0) +
		       o->reg;
	case LODGE_OPERAND_CONTROL:
		return ZYDIS_REGISTER_CR0 + o->reg;
	case LODGE_OPERAND_DEBUG:
		return ZYDIS_REGISTER_DR0 + o->reg;
	default:
		return ZYDIS_REGISTER_NONE;
	}
}

/*
 * With SIB.base = 101b, ModRM.mod = 00b, REX.B and 32-bit addresses, Zydis 4.0 finds
 * the base R13D and a displacement of 0.  In fact there is no base, and a displacement
 * of 4 bytes (APM vol. 3, table 1-13).
 */
static bool zydis_adds_r13d(const struct lodge_insn *insn,
			    const ZydisDecodedOperand *z)
{
	return insn->memory.base == LODGE_REG_NONE && insn->rex & 1 &&
	       insn->address_size == 4 && z->mem.base == ZYDIS_REGISTER_R13D;
}

/* For Zydis, 3E before an indirect branch is CET's prefix, not a segment prefix. */
static const char *memory_differs(const struct lodge_insn *insn,
				  const struct lodge_operand *o,
				  const ZydisDecodedOperand *z)
{
	const struct lodge_address *a = &insn->memory;
	u64 mask = lodge_alu_mask(insn->address_size);
	bool adds_r13d = zydis_adds_r13d(insn, z);
	bool notrack =
		(insn->op == LODGE_OP_CALL || insn->op == LODGE_OP_JMP) &&
		a->segment == LODGE_DS;

	if (z->type != ZYDIS_OPERAND_TYPE_MEMORY)
		return "operand is not in memory";
	if (o->size && o->size * 8 != z->size)
		return "memory size";
	if (z->mem.segment != segment_register(a->segment) && o->size &&
	    !notrack)
		return "segment";
	if (z->mem.base != gpr(a->base, insn->address_size) && !adds_r13d)
		return "base";
	if (z->mem.index != gpr(a->index, insn->address_size))
		return "index";
	if (z->mem.scale != a->scale)
		return "scale";
	if (((u64)z->mem.disp.value ^ a->displacement) & mask && !adds_r13d)
		return "displacement";
	return NULL;
}

static const char *operand_differs(const struct lodge_insn *insn,
				   const struct lodge_operand *o,
				   const ZydisDecodedOperand *z)
{
	u64 mask = lodge_alu_mask(insn->operand_size);

	switch (o->kind) {
	case LODGE_OPERAND_NONE:
		return NULL;
	case LODGE_OPERAND_MEMORY:
		return memory_differs(insn, o, z);
	case LODGE_OPERAND_IMMEDIATE:
		if (z->type != ZYDIS_OPERAND_TYPE_IMMEDIATE)
			return "operand is no immediate";
		return (z->imm.value.u ^ insn->immediate) & mask ? "immediate" :
								   NULL;
	default:
		if (z->type != ZYDIS_OPERAND_TYPE_REGISTER)
			return "operand is no register";
		return z->reg.value != register_of(o) ? "register" : NULL;
	}
}

static bool is_string(u8 op)
{
	return op >= LODGE_OP_MOVS && op <= LODGE_OP_OUTS;
}

static const char *string_differs(const struct lodge_insn *insn,
				  const struct reference *z)
{
	bool rep = z->insn.attributes &
		   (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE |
		    ZYDIS_ATTRIB_HAS_REPNE);
	const ZydisDecodedOperand *o;
	int i;

	if (rep && !insn->rep)
		return "repetition";
	for (i = 0; i < z->insn.operand_count; i++) {
		o = &z->operand[i];
		if (o->type != ZYDIS_OPERAND_TYPE_MEMORY)
			continue;
		if (o->size != 8 * insn->operand_size)
			return "string size";
		if (o->mem.base == gpr(LODGE_RSI, insn->address_size) &&
		    o->mem.segment != segment_register(insn->memory.segment))
			return "string segment";
	}
	return NULL;
}

/*
 * True if Zydis' operand_width is the size that the instruction moves.  It is not for
 * string I/O with REX.W, for MOVNTI and MOVDIRI in 16-bit mode (only the operands have
 * the 32 bits), and for XLAT, cache flushes and segment loads (of one size or none).
 */
static bool has_operand_size(const struct reference *z, u8 op)
{
	if (op == LODGE_OP_XLAT || op == LODGE_OP_MOV_TO_SEG ||
	    op == LODGE_OP_FLUSH)
		return false;
	return op < LODGE_OP_MMX_MOV &&
	       z->insn.mnemonic != ZYDIS_MNEMONIC_MOVNTI &&
	       z->insn.mnemonic != ZYDIS_MNEMONIC_MOVDIRI;
}

/* Lodge has one operand for ENTER's two immediates, and one for a far pointer. */
static bool has_compound_immediate(u8 op)
{
	return op == LODGE_OP_ENTER || op == LODGE_OP_CALL_FAR ||
	       op == LODGE_OP_JMP_FAR;
}

static const char *operands_differ(const struct lodge_insn *insn,
				   const struct reference *z)
{
	bool second = insn->operand[2].kind == LODGE_OPERAND_XMM;
	const char *what = NULL;
	int i;

	if (insn->operand[0].kind == LODGE_OPERAND_IMMEDIATE &&
	    has_compound_immediate(insn->op))
		return NULL;
	/* The register that a far pointer is loaded to is implied. */
	for (i = 0; i < LODGE_NR_OPERANDS && !what; i++) {
		if (i == 2 && insn->op == LODGE_OP_LOAD_FAR)
			break;
		/* With VEX, memory is the last operand. */
		what = operand_differs(insn, &insn->operand[i],
				       &z->operand[second && i ? 3 - i : i]);
	}
	return what;
}

static const char *differs(const struct lodge_insn *insn,
			   const struct reference *z)
{
	const char *what = NULL;

	if (insn->length != z->insn.length)
		return "length";
	if (insn->op != expected_op(z))
		return "op";
	if (insn->address_size * 8 != z->insn.address_width)
		return "address size";
	if (has_operand_size(z, insn->op) &&
	    insn->operand_size * 8 != z->insn.operand_width)
		return "operand size";
	if (!(insn->prefixes & LODGE_PREFIX_LOCK) !=
	    !(z->insn.attributes & ZYDIS_ATTRIB_HAS_LOCK))
		return "lock";
	if (is_string(insn->op))
		what = string_differs(insn, z);
	return what ? what : operands_differ(insn, z);
}

/* True for AMD's other encoding of CR8, which Zydis does not know. */
static bool is_alternative_cr8(const struct lodge_insn *insn)
{
	return insn->prefixes & LODGE_PREFIX_LOCK &&
	       (insn->op == LODGE_OP_MOV_FROM_CR ||
		insn->op == LODGE_OP_MOV_TO_CR);
}

/* Return: the error in Lodge's decoding of @bytes, or NULL. */
static const char *judge(const ZydisDecoder *decoder, enum lodge_cpu_mode mode,
			 const u8 bytes[BUFFER_BYTES], bool *decoded)
{
	struct lodge_insn insn;
	struct reference z;
	int error = lodge_decode(&insn, mode, bytes, BUFFER_BYTES);
	ZyanStatus status = ZydisDecoderDecodeFull(decoder, bytes, BUFFER_BYTES,
						   &z.insn, z.operand);

	*decoded = !error;
	if (error == -ENODATA)
		return "wants more than 15 bytes";
	if (!ZYAN_SUCCESS(status))
		return error || is_alternative_cr8(&insn) ? NULL :
							    "Zydis refuses it";
	if (!error)
		return differs(&insn, &z);
	return expected_op(&z) ? "Lodge refuses it" : NULL;
}

static void report(const ZydisDecoder *decoder, const char *what,
		   const u8 bytes[BUFFER_BYTES])
{
	ZydisFormatter formatter;
	struct reference z;
	char text[128] = "?";
	int i;

	ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL);
	if (ZYAN_SUCCESS(ZydisDecoderDecodeFull(decoder, bytes, BUFFER_BYTES,
						&z.insn, z.operand)))
		ZydisFormatterFormatInstruction(&formatter, &z.insn, z.operand,
						z.insn.operand_count_visible,
						text, sizeof(text), 0, NULL);
	printf("# %s:", what);
	for (i = 0; i < BUFFER_BYTES; i++)
		printf(" %02x", bytes[i]);
	printf("  (%s)\n", text);
}

/* Return: the number of differences; *@decoded: the number of decoded instructions. */
static int compare(enum lodge_cpu_mode mode, int *decoded)
{
	static const ZydisMachineMode machine_mode[] = {
		[LODGE_MODE_16] = ZYDIS_MACHINE_MODE_LEGACY_16,
		[LODGE_MODE_32] = ZYDIS_MACHINE_MODE_LEGACY_32,
		[LODGE_MODE_64] = ZYDIS_MACHINE_MODE_LONG_64,
	};
	static const ZydisStackWidth stack_width[] = {
		[LODGE_MODE_16] = ZYDIS_STACK_WIDTH_16,
		[LODGE_MODE_32] = ZYDIS_STACK_WIDTH_32,
		[LODGE_MODE_64] = ZYDIS_STACK_WIDTH_64,
	};
	ZydisDecoder decoder;
	u8 bytes[BUFFER_BYTES];
	const char *what;
	int i, differing = 0;
	bool ok;

	ZydisDecoderInit(&decoder, machine_mode[mode], stack_width[mode]);
	random_start(mode);
	*decoded = 0;
	for (i = 0; i < INSTRUCTIONS; i++) {
		random_code(mode, bytes);
		what = judge(&decoder, mode, bytes, &ok);
		*decoded += ok;
		if (what && differing++ < MAX_REPORTS)
			report(&decoder, what, bytes);
	}
	printf("# %d instructions, %d decoded, %d differ\n", INSTRUCTIONS,
	       *decoded, differing);
	fflush(stdout);
	return differing;
}

TEST(sixteen_bit_code_decodes_as_zydis_does)
{
	int decoded;

	EXPECT_EQ(0, compare(LODGE_MODE_16, &decoded));
	EXPECT_LT(INSTRUCTIONS / 4, decoded);
}

TEST(thirty_two_bit_code_decodes_as_zydis_does)
{
	int decoded;

	EXPECT_EQ(0, compare(LODGE_MODE_32, &decoded));
	EXPECT_LT(INSTRUCTIONS / 4, decoded);
}

TEST(sixty_four_bit_code_decodes_as_zydis_does)
{
	int decoded;

	EXPECT_EQ(0, compare(LODGE_MODE_64, &decoded));
	EXPECT_LT(INSTRUCTIONS / 4, decoded);
}

TEST_HARNESS_MAIN
