// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that is a device: every form of instruction that Lodge carries out in
 * the processor's place, by what it accesses and what it leaves.
 */
#include <string.h>

#include "kselftest_harness.h"

#include "guest.h"

#define FLAGS_STATUS 0x8d5 /* OF SF ZF AF PF CF */

struct access {
	uint64_t offset; /* from GUEST_HOLE */
	uint32_t size; /* 0: no more accesses */
	bool write;
	uint64_t data; /* lower half where there are 10 or 16 bytes */
};

#define R(where, bytes, value)                                \
	{                                                     \
		.offset = where, .size = bytes, .data = value \
	}
#define W(where, bytes, value)                                               \
	{                                                                    \
		.offset = where, .size = bytes, .write = true, .data = value \
	}

/*
 * An instruction with RDI at the device, RSI at memory that holds DATA, RAX and
 * RCX as the row says and RBX 2; what it does, and RAX, RCX, RDI, RSI and the
 * flags after it.
 */
FIXTURE(mmio)
{
	struct machine m;
	struct guest_cpu *cpu;
};

FIXTURE_VARIANT(mmio)
{
	const struct guest_code *code;
	enum guest_mode mode;
	uint64_t rax;
	uint64_t rcx;
	struct access access[9];
	uint64_t rax_after;
	uint64_t rcx_after;
	int rdi_moves;
	int rsi_moves;
	uint64_t flags;
	uint64_t flag_mask;
};

FIXTURE_SETUP(mmio)
{
	machine_create(&self->m, 1);
	self->cpu = &self->m.cpu[0];
}

FIXTURE_TEARDOWN(mmio)
{
}

#define DATA 0x1122334455667788ULL

static bool is_access(const struct lodge_exit_mmio *mmio,
		      const struct access *a)
{
	size_t size = a->size < 8 ? a->size : 8;

	return mmio->gpa == GUEST_HOLE + a->offset && mmio->size == a->size &&
	       mmio->write == a->write &&
	       (!a->write || !memcmp(mmio->data, &a->data, size));
}

static bool makes_accesses(struct guest_cpu *cpu, const struct access *a)
{
	struct lodge_exit_mmio *mmio = &cpu->run->exit.mmio;

	for (; a->size; a++) {
		if (!cpu_exits(cpu, LODGE_EXIT_MMIO))
			return false;
		if (!is_access(mmio, a)) {
			cpu_explain(cpu);
			return false;
		}
		if (a->write)
			continue;
		memset(mmio->data, 0xee, 8);
		memset(mmio->data + 8, 0, 8);
		memcpy(mmio->data, &a->data, a->size < 8 ? a->size : 8);
	}
	return true;
}

TEST_F(mmio, has_the_right_accesses_and_results)
{
	struct guest_cpu *cpu = self->cpu;
	struct lodge_general *general = &cpu->run->regs.general;

	*machine_u64(&self->m, GUEST_DATA) = DATA;
	*machine_u64(&self->m, GUEST_DATA + 8) = DATA;
	cpu_start(cpu, variant->mode, *variant->code);
	general->gpr[LODGE_RDI] = GUEST_HOLE;
	general->gpr[LODGE_RSI] = GUEST_DATA;
	general->gpr[LODGE_RAX] = variant->rax;
	general->gpr[LODGE_RCX] = variant->rcx;
	general->gpr[LODGE_RBX] = 2;
	ASSERT_TRUE(makes_accesses(cpu, variant->access));
	ASSERT_TRUE(cpu_done(cpu));
	EXPECT_EQ(variant->rax_after, general->gpr[LODGE_RAX]);
	EXPECT_EQ(variant->rcx_after, general->gpr[LODGE_RCX]);
	EXPECT_EQ(GUEST_HOLE + variant->rdi_moves, general->gpr[LODGE_RDI]);
	EXPECT_EQ(GUEST_DATA + variant->rsi_moves, general->gpr[LODGE_RSI]);
	EXPECT_EQ(variant->flags, general->rflags & variant->flag_mask);
}

#define ROW(name, bits, where, text, ...)                   \
	CODE(name, bits, text DONE);                        \
	FIXTURE_VARIANT_ADD(mmio, name)                     \
	{                                                   \
		.code = &name, .mode = where, ##__VA_ARGS__ \
	}
/* Registers that stay: RAX and RCX. */
#define KEEP(a, c) .rax = a, .rcx = c, .rax_after = a, .rcx_after = c
#define STATUS(bits) .flags = bits, .flag_mask = FLAGS_STATUS

/* MOV and its kin */
ROW(mov_store_byte, 64, LONG64, "mov %al, 1(%rdi);", KEEP(0x1234, 0),
    .access = { W(1, 1, 0x34) });
ROW(mov_store_high_byte, 64, LONG64, "mov %ah, (%rdi);", KEEP(0x1234, 0),
    .access = { W(0, 1, 0x12) });
ROW(mov_store_word, 64, LONG64, "mov %ax, 2(%rdi);", KEEP(0x1234, 0),
    .access = { W(2, 2, 0x1234) });
ROW(mov_store_dword, 64, LONG64, "mov %eax, (%rdi,%rbx,4);",
    KEEP(0x12345678, 0), .access = { W(8, 4, 0x12345678) });
ROW(mov_store_qword, 64, LONG64, "mov %rax, (%rdi);",
    KEEP(0x123456789abcdef0, 0), .access = { W(0, 8, 0x123456789abcdef0) });
ROW(mov_store_extended, 64, LONG64, "mov %rax, %r14; mov %r14b, (%rdi);",
    KEEP(0x77, 0), .access = { W(0, 1, 0x77) });
ROW(mov_store_immediate, 64, LONG64, "movq $-2, 8(%rdi);", KEEP(0, 0),
    .access = { W(8, 8, -2) });
ROW(mov_store_immediate_byte, 64, LONG64, "movb $0x55, (%rdi);", KEEP(0, 0),
    .access = { W(0, 1, 0x55) });
ROW(mov_load_byte, 64, LONG64, "mov (%rdi), %al;", .rax = ~0ULL,
    .access = { R(0, 1, 0x12) }, .rax_after = 0xffffffffffffff12);
ROW(mov_load_dword_clears_the_upper_half, 64, LONG64, "mov (%rdi), %eax;",
    .rax = ~0ULL, .access = { R(0, 4, 0x9abcdef0) }, .rax_after = 0x9abcdef0);
ROW(mov_load_qword, 64, LONG64, "mov (%rdi), %rax;",
    .access = { R(0, 8, 0x123456789abcdef0) }, .rax_after = 0x123456789abcdef0);
ROW(mov_load_absolute, 64, LONG64, "movabs 0xd0000010, %eax;",
    .access = { R(0x10, 4, 0xcafe) }, .rax_after = 0xcafe);
ROW(mov_store_absolute, 64, LONG64, "movabs %al, 0xd0000011;", KEEP(0xca, 0),
    .access = { W(0x11, 1, 0xca) });
ROW(mov_store_segment, 64, LONG64, "mov %ds, (%rdi);", KEEP(0, 0),
    .access = { W(0, 2, SEL_DATA) });
ROW(mov_store_32_bit_mode, 32, PROT32, "mov %eax, 4(%edi,%ebx,8);",
    KEEP(0x1234567, 0), .access = { W(20, 4, 0x1234567) });
ROW(mov_store_through_pae, 32, PAE32, "mov %ax, (%edi);", KEEP(0x4321, 0),
    .access = { W(0, 2, 0x4321) });
ROW(mov_load_through_32_bit_paging, 32, PAGED32, "mov (%edi), %eax;",
    .access = { R(0, 4, 77) }, .rax_after = 77);
ROW(movzx_byte, 64, LONG64, "movzbl (%rdi), %eax;", .rax = ~0ULL,
    .access = { R(0, 1, 0x80) }, .rax_after = 0x80);
ROW(movzx_word, 64, LONG64, "movzwq (%rdi), %rax;", .rax = ~0ULL,
    .access = { R(0, 2, 0x8001) }, .rax_after = 0x8001);
ROW(movsx_byte, 64, LONG64, "movsbq (%rdi), %rax;", .access = { R(0, 1, 0x80) },
    .rax_after = -128ULL);
ROW(movsx_word_to_dword, 64, LONG64, "movswl (%rdi), %eax;", .rax = ~0ULL,
    .access = { R(0, 2, 0x8000) }, .rax_after = 0xffff8000);
ROW(movsxd, 64, LONG64, "movslq (%rdi), %rax;",
    .access = { R(0, 4, 0x80000000) }, .rax_after = 0xffffffff80000000);

/* Arithmetic with a memory operand */
ROW(add_to_device, 64, LONG64, "add %eax, (%rdi);", KEEP(3, 0),
    .access = { R(0, 4, 0xfffffffe), W(0, 4, 1) }, STATUS(0x11));
ROW(add_from_device, 64, LONG64, "add (%rdi), %al;", .rax = 1,
    .access = { R(0, 1, 0x7f) }, .rax_after = 0x80, STATUS(0x890));
ROW(adc_to_device, 64, LONG64, "stc; adcl $0, (%rdi);", KEEP(0, 0),
    .access = { R(0, 4, 4), W(0, 4, 5) }, STATUS(0x4));
ROW(sub_to_device, 64, LONG64, "subw $1, (%rdi);", KEEP(0, 0),
    .access = { R(0, 2, 0), W(0, 2, 0xffff) }, STATUS(0x95));
ROW(sbb_from_device, 64, LONG64, "stc; sbb (%rdi), %rax;", .rax = 10,
    .access = { R(0, 8, 3) }, .rax_after = 6, STATUS(0x4));
ROW(and_to_device, 64, LONG64, "and %al, (%rdi);", KEEP(0xf0, 0),
    .access = { R(0, 1, 0x3c), W(0, 1, 0x30) }, .flags = 0x4,
    .flag_mask = 0x8c5);
ROW(locked_or_to_device, 64, LONG64, "lock orl $0x100, (%rdi);", KEEP(0, 0),
    .access = { R(0, 4, 1), W(0, 4, 0x101) }, .flag_mask = 0x8c1);
ROW(xor_from_device, 64, LONG64, "xor (%rdi), %eax;", .rax = 0xff,
    .access = { R(0, 4, 0xff) }, .flags = 0x44, .flag_mask = 0x8c5);
ROW(cmp_with_device, 64, LONG64, "cmp %eax, (%rdi);", KEEP(5, 0),
    .access = { R(0, 4, 5) }, STATUS(0x44));
ROW(cmp_immediate, 64, LONG64, "cmpb $6, (%rdi);", KEEP(0, 0),
    .access = { R(0, 1, 5) }, STATUS(0x95));
ROW(test_device, 64, LONG64, "testb $0x80, (%rdi);", KEEP(0, 0),
    .access = { R(0, 1, 0x80) }, .flags = 0x80, .flag_mask = 0x8c1);
ROW(not_device, 64, LONG64, "notl (%rdi);", KEEP(0, 0),
    .access = { R(0, 4, 0xf), W(0, 4, 0xfffffff0) });
ROW(neg_device, 64, LONG64, "negb (%rdi);", KEEP(0, 0),
    .access = { R(0, 1, 1), W(0, 1, 0xff) }, STATUS(0x95));
ROW(inc_device_keeps_carry, 64, LONG64, "stc; incl (%rdi);", KEEP(0, 0),
    .access = { R(0, 4, 0xffffffff), W(0, 4, 0) }, STATUS(0x55));
ROW(dec_device, 64, LONG64, "decq (%rdi);", KEEP(0, 0),
    .access = { R(0, 8, 1), W(0, 8, 0) }, STATUS(0x44));

/* Exchange and bits */
ROW(xchg, 64, LONG64, "xchg %eax, (%rdi);", .rax = 1,
    .access = { R(0, 4, 2), W(0, 4, 1) }, .rax_after = 2);
ROW(xadd, 64, LONG64, "lock xadd %eax, (%rdi);", .rax = 5,
    .access = { R(0, 4, 7), W(0, 4, 12) }, .rax_after = 7);
ROW(cmpxchg_equal, 64, LONG64, "lock cmpxchg %ecx, (%rdi);", KEEP(4, 9),
    .access = { R(0, 4, 4), W(0, 4, 9) }, .flags = 0x40, .flag_mask = 0x40);
ROW(cmpxchg_unequal, 64, LONG64, "cmpxchg %cl, (%rdi);", .rax = 4, .rcx = 9,
    .access = { R(0, 1, 5), W(0, 1, 5) }, .rax_after = 5, .rcx_after = 9,
    .flag_mask = 0x40);
ROW(bt_immediate, 64, LONG64, "btl $3, (%rdi);", KEEP(0, 0),
    .access = { R(0, 4, 8) }, .flags = 1, .flag_mask = 1);
ROW(bts_register_reaches_beyond, 64, LONG64, "bts %ecx, (%rdi);", KEEP(0, 65),
    .access = { R(8, 4, 0), W(8, 4, 2) }, .flag_mask = 1);
ROW(btr, 64, LONG64, "lock btrl $0, (%rdi);", KEEP(0, 0),
    .access = { R(0, 4, 3), W(0, 4, 2) }, .flags = 1, .flag_mask = 1);
ROW(btc, 64, LONG64, "btcl $1, (%rdi);", KEEP(0, 0),
    .access = { R(0, 4, 2), W(0, 4, 0) }, .flags = 1, .flag_mask = 1);

/* Strings */
ROW(stosb, 64, LONG64, "stosb;", KEEP(0x41, 0), .access = { W(0, 1, 0x41) },
    .rdi_moves = 1);
ROW(rep_stosl, 64, LONG64, "rep stosl;", .rax = 7, .rcx = 3, .rax_after = 7,
    .access = { W(0, 4, 7), W(4, 4, 7), W(8, 4, 7) }, .rdi_moves = 12);
ROW(rep_stosb_of_nothing, 64, LONG64, "rep stosb;", KEEP(7, 0));
ROW(movsl_to_device, 64, LONG64, "movsl;", KEEP(0, 0),
    .access = { W(0, 4, 0x55667788) }, .rdi_moves = 4, .rsi_moves = 4);
ROW(rep_movsb_to_device_downwards, 64, LONG64, "add $7, %rsi; std; rep movsb;",
    .rcx = 2, .access = { W(0, 1, 0x11), W(-1ULL, 1, 0x22) }, .rdi_moves = -2,
    .rsi_moves = 5);
ROW(lodsw, 64, LONG64, "xchg %rsi, %rdi; lodsw; xchg %rsi, %rdi;",
    .access = { R(0, 2, 0x1234) }, .rax_after = 0x1234, .rdi_moves = 2);
ROW(scasb_finds, 64, LONG64, "repne scasb;", .rax = 3, .rcx = 9,
    .access = { R(0, 1, 1), R(1, 1, 2), R(2, 1, 3) }, .rax_after = 3,
    .rcx_after = 6, .rdi_moves = 3, .flags = 0x40, .flag_mask = 0x40);
ROW(cmpsb_differs, 64, LONG64, "repe cmpsb;", .rcx = 8,
    .access = { R(0, 1, 0x88), R(1, 1, 0x66) }, .rcx_after = 6, .rdi_moves = 2,
    .rsi_moves = 2, .flag_mask = 0x40);
ROW(movsb_with_32_bit_addresses, 64, LONG64, "addr32 movsb;", KEEP(0, 0),
    .access = { W(0, 1, 0x88) }, .rdi_moves = 1, .rsi_moves = 1);

/* Stack operands */
ROW(push_from_device, 64, LONG64, "push (%rdi); pop %rax;",
    .access = { R(0, 8, 0x1234) }, .rax_after = 0x1234);
ROW(pop_to_device, 64, LONG64, "push %rax; pop (%rdi);", KEEP(0x4321, 0),
    .access = { W(0, 8, 0x4321) });

/* SSE moves */
ROW(movups_store, 64, LONG64, "movups (%rsi), %xmm9; movups %xmm9, (%rdi);",
    KEEP(0, 0), .access = { W(0, 16, DATA) });
ROW(movdqa_load, 64, LONG64, "movdqa (%rdi), %xmm3; movq %xmm3, %rax;",
    .access = { R(0, 16, 0x5555666677778888) },
    .rax_after = 0x5555666677778888);
ROW(movq_store, 64, LONG64, "movq (%rsi), %xmm0; movq %xmm0, (%rdi);",
    KEEP(0, 0), .access = { W(0, 8, DATA) });
ROW(movd_load, 64, LONG64, "movd (%rdi), %xmm1; movq %xmm1, %rax;",
    .rax = ~0ULL, .access = { R(0, 4, 0x99) }, .rax_after = 0x99);
ROW(movss_store, 64, LONG64, "movss (%rsi), %xmm0; movss %xmm0, (%rdi);",
    KEEP(0, 0), .access = { W(0, 4, 0x55667788) });

/* Shifts, products, quotients, bits and conditions */
ROW(shl, 64, LONG64, "shll $4, (%rdi);", KEEP(0, 0),
    .access = { R(0, 4, 0x81), W(0, 4, 0x810) });
ROW(rcr, 64, LONG64, "stc; rcrb $1, (%rdi);", KEEP(0, 0),
    .access = { R(0, 1, 2), W(0, 1, 0x81) }, .flag_mask = 1);
ROW(shld, 64, LONG64, "shld $8, %eax, (%rdi);", KEEP(0xab000000, 0),
    .access = { R(0, 4, 0x11223344), W(0, 4, 0x223344ab) });
ROW(mul, 64, LONG64, "mull (%rdi);", .rax = 0x10, .access = { R(0, 4, 0x20) },
    .rax_after = 0x200, .flag_mask = 0x801);
ROW(imul_immediate, 64, LONG64, "imul $-3, (%rdi), %eax;",
    .access = { R(0, 4, 7) }, .rax_after = 0xffffffeb, .flag_mask = 0x801);
ROW(div_by_device, 64, LONG64, "xor %edx, %edx; divl (%rdi);", .rax = 100,
    .access = { R(0, 4, 7) }, .rax_after = 14);
ROW(bsf, 64, LONG64, "bsf (%rdi), %eax;", .access = { R(0, 4, 0x80) },
    .rax_after = 7, .flag_mask = 0x40);
ROW(bsr, 64, LONG64, "bsr (%rdi), %rax;", .access = { R(0, 8, 1ULL << 40) },
    .rax_after = 40, .flag_mask = 0x40);
ROW(setcc, 64, LONG64, "stc; setc (%rdi);", KEEP(0, 0),
    .access = { W(0, 1, 1) });
ROW(cmov_reads_all_the_same, 64, LONG64, "stc; cmovnc (%rdi), %eax;",
    .rax = ~0ULL, .access = { R(0, 4, 5) }, .rax_after = 0xffffffff);
ROW(xlat, 64, LONG64, "mov %rdi, %rbx; xlat;", .rax = 7,
    .access = { R(7, 1, 0x33) }, .rax_after = 0x33);
ROW(clflush_accesses_nothing, 64, LONG64, "clflush (%rdi);", KEEP(0, 0));

/* Segments and branches */
ROW(mov_to_segment, 64, LONG64, "mov (%rdi), %es; mov %es, %eax;",
    .access = { R(0, 2, SEL_DATA) }, .rax_after = SEL_DATA);
ROW(far_pointer, 64, LONG64, "lfs (%rdi), %eax;",
    .access = { R(0, 6, 0x1234 | (uint64_t)SEL_DATA << 32) },
    .rax_after = 0x1234);
ROW(near_jump, 64, LONG64, "jmp *(%rdi); ud2;",
    .access = { R(0, 8, GUEST_CODE_BASE + 4) });
ROW(near_call, 64, LONG64, "call *(%rdi); ud2; pop %rax;",
    .access = { R(0, 8, GUEST_CODE_BASE + 4) },
    .rax_after = GUEST_CODE_BASE + 2);
ROW(far_jump, 32, PROT32, "ljmp *(%edi); ud2;",
    .access = { R(0, 6, (GUEST_CODE_BASE + 4) | (uint64_t)SEL_CODE32 << 32) });
ROW(far_call, 32, PROT32, "lcall *(%edi); ud2; pop %eax;",
    .access = { R(0, 6, (GUEST_CODE_BASE + 4) | (uint64_t)SEL_CODE32 << 32) },
    .rax_after = GUEST_CODE_BASE + 2);
ROW(verr, 64, LONG64, "verr (%rdi);", KEEP(0, 0),
    .access = { R(0, 2, SEL_DATA) }, .flags = 0x40, .flag_mask = 0x40);
ROW(lar, 64, LONG64, "lar (%rdi), %eax; shr $12, %eax; and $0xf, %eax;",
    .access = { R(0, 2, SEL_DATA) }, .rax_after = 9);

/* A stack on the device */
ROW(push_to_device, 64, LONG64, "lea 8(%rdi), %rsp; push %rax;", KEEP(0x77, 0),
    .access = { W(0, 8, 0x77) });
ROW(pop_from_device, 64, LONG64, "mov %rdi, %rsp; pop %rax;",
    .access = { R(0, 8, 0x78) }, .rax_after = 0x78);
ROW(call_with_the_stack_there, 64, LONG64,
    "lea 8(%rdi), %rsp; call 1f; 1:", KEEP(0, 0),
    .access = { W(0, 8, GUEST_CODE_BASE + 9) });
ROW(ret_with_the_stack_there, 64, LONG64, "mov %rdi, %rsp; ret; ud2;",
    .access = { R(0, 8, GUEST_CODE_BASE + 6) });
ROW(pusha, 32, PROT32, "lea 32(%edi), %esp; pusha;", KEEP(0x11, 0x12),
    .access = { W(28, 4, 0x11), W(24, 4, 0x12), W(20, 4, 0), W(16, 4, 2),
		W(12, 4, GUEST_HOLE + 32), W(8, 4, 0), W(4, 4, GUEST_DATA),
		W(0, 4, GUEST_HOLE) });
ROW(enter_and_leave, 64, LONG64,
    "mov $5, %ebp; lea 8(%rdi), %rsp; enter $16, $0; leave; mov %rbp, %rax;",
    .access = { W(0, 8, 5), R(0, 8, 6) }, .rax_after = 6);

/* MMX */
ROW(mmx_store, 64, LONG64, "movq (%rsi), %mm3; movq %mm3, (%rdi);", KEEP(0, 0),
    .access = { W(0, 8, DATA) });
ROW(mmx_load, 64, LONG64, "movq (%rdi), %mm5; movq %mm5, %rax;",
    .access = { R(0, 8, 0x9999888877776666) }, .rax_after = 0x9999888877776666);
ROW(mmx_store_after_x87, 64, LONG64,
    "fninit; fldz; fldz; movq (%rsi), %mm1; movq %mm1, (%rdi);", KEEP(0, 0),
    .access = { W(0, 8, DATA) });

/* Accesses that are two */
ROW(qword_over_two_pages, 64, LONG64, "mov %rax, 0xffc(%rdi);",
    KEEP(0x1122334455667788, 0),
    .access = { W(0xffc, 4, 0x55667788), W(0x1000, 4, 0x11223344) });
ROW(device_to_device, 64, LONG64,
    "lea 64(%rdi), %rsi; movsl;"
    "mov $0x50004, %esi;",
    .access = { R(64, 4, 0xabcd), W(0, 4, 0xabcd) }, .rdi_moves = 4,
    .rsi_moves = 4);

/* Real mode reaches a hole only where a segment has a base there. */
CODE(real_mode, 16, "movb $0x12, 3; incw %fs:(0x10);" DONE);

TEST(real_mode_reaches_a_device_through_a_segments_base)
{
	static const struct access accesses[] = {
		W(3, 1, 0x12),
		R(0x10, 2, 1),
		W(0x10, 2, 2),
		{ 0 },
	};
	struct machine m;
	struct guest_cpu *cpu = &m.cpu[0];

	machine_create(&m, 1);
	cpu_start(cpu, REAL16, real_mode);
	cpu->run->regs.segments.seg[LODGE_DS].base = GUEST_HOLE;
	cpu->run->regs.segments.seg[LODGE_FS].base = GUEST_HOLE;
	ASSERT_TRUE(makes_accesses(cpu, accesses));
	ASSERT_TRUE(cpu_done(cpu));
}

CODE(partly, 64,
     "movabs $0x1122334455667788, %rax;"
     "mov %rax, 0x7ffffc; mov 0x7ffffc, %rbx;" DONE);

TEST(an_access_over_the_end_of_memory_is_memory_and_device)
{
	struct machine m;
	struct guest_cpu *cpu = &m.cpu[0];
	struct lodge_exit_mmio *mmio;

	machine_create(&m, 1);
	cpu_start(cpu, LONG64, partly);
	mmio = &cpu->run->exit.mmio;
	ASSERT_TRUE(cpu_exits(cpu, LODGE_EXIT_MMIO));
	EXPECT_EQ(GUEST_MEMORY, mmio->gpa);
	EXPECT_EQ(4, mmio->size);
	EXPECT_EQ(0, memcmp(mmio->data, "\x44\x33\x22\x11", 4));
	ASSERT_TRUE(cpu_exits(cpu, LODGE_EXIT_MMIO));
	EXPECT_EQ(0, mmio->write);
	memcpy(mmio->data, "\x01\x02\x03\x04", 4);
	ASSERT_TRUE(cpu_done(cpu));
	EXPECT_EQ(0x55667788, *machine_u32(&m, GUEST_MEMORY - 4));
	EXPECT_EQ(0x0403020155667788, *cpu_gpr(cpu, LODGE_RBX));
}

CODE(read_only, 64,
     "mov 0x100000, %eax; movl $5, 0x100000;"
     "mov 0x100000, %ebx;" DONE);

TEST(a_write_to_a_read_only_slot_is_a_device_access_and_changes_nothing)
{
	struct machine m;
	struct guest_cpu *cpu = &m.cpu[0];

	machine_create(&m, 1);
	ASSERT_EQ(0, lodge_memory_set(m.vm, 0, 0, 0, 0x100000, m.memory));
	ASSERT_EQ(0, lodge_memory_set(m.vm, 1, LODGE_MEM_READONLY, 0x100000,
				      0x1000, m.memory + 0x100000));
	*machine_u32(&m, 0x100000) = 0x77;
	cpu_start(cpu, LONG64, read_only);
	ASSERT_TRUE(cpu_exits(cpu, LODGE_EXIT_MMIO));
	EXPECT_EQ(0x100000, cpu->run->exit.mmio.gpa);
	EXPECT_EQ(1, cpu->run->exit.mmio.write);
	EXPECT_EQ(5, cpu->run->exit.mmio.data[0]);
	ASSERT_TRUE(cpu_done(cpu));
	EXPECT_EQ(0x77, *cpu_gpr(cpu, LODGE_RAX));
	EXPECT_EQ(0x77, *cpu_gpr(cpu, LODGE_RBX));
}

#define CPUID_1_ECX_XSAVE (1U << 26)
#define CPUID_1_ECX_AVX (1U << 28)
#define X86_CR4_OSXSAVE (1ULL << 18)

CODE(avx, 64,
     "xor %ecx, %ecx; xor %edx, %edx; mov $7, %eax; xsetbv;"
     "vmovdqu (%rsi), %ymm9; vmovdqu %ymm9, (%rdi);"
     "vmovdqu 64(%rdi), %ymm9; vmovdqu %ymm9, (%rsi);"
     "vmovd 8(%rdi), %xmm9; vmovdqu %ymm9, 32(%rsi);" DONE);

TEST(moves_of_32_bytes_are_two_accesses)
{
	static const struct access accesses[] = {
		W(0, 16, DATA), W(16, 16, ~DATA), R(64, 16, 5),
		R(80, 16, 6),	R(8, 4, 7),	  { 0 },
	};
	const uint32_t needs = CPUID_1_ECX_XSAVE | CPUID_1_ECX_AVX;
	struct machine m;
	struct guest_cpu *cpu = &m.cpu[0];

	machine_create(&m, 1);
	if ((cpu_feature(cpu, 1, 0, 2) & needs) != needs)
		SKIP(return, "no AVX");
	*machine_u64(&m, GUEST_DATA) = DATA;
	*machine_u64(&m, GUEST_DATA + 16) = ~DATA;
	cpu_start(cpu, LONG64, avx);
	cpu->run->regs.control.cr4 |= X86_CR4_OSXSAVE | X86_CR4_OSFXSR;
	*cpu_gpr(cpu, LODGE_RDI) = GUEST_HOLE;
	*cpu_gpr(cpu, LODGE_RSI) = GUEST_DATA;
	ASSERT_TRUE(makes_accesses(cpu, accesses));
	ASSERT_TRUE(cpu_done(cpu));
	EXPECT_EQ(5, *machine_u64(&m, GUEST_DATA));
	EXPECT_EQ(6, *machine_u64(&m, GUEST_DATA + 16));
	EXPECT_EQ(7, *machine_u64(&m, GUEST_DATA + 32));
	EXPECT_EQ(0, *machine_u64(&m, GUEST_DATA + 48));
}

/* GCC's atomic loads and stores of 64 bits in a 32-bit program. */
CODE(x87, 32,
     "fninit; fildll (%edi); fistpll (%esi); fildll (%esi); fistpll 8(%edi);"
     "flds 16(%edi); fstl 24(%edi); fstpt 32(%edi);"
     "fildl 48(%edi); fisttps 52(%edi);"
     "fldcw 56(%edi); fnstcw 58(%edi); fldl 64(%edi); fistl 72(%edi);"
     "fnstsw 76(%edi); fstp %st;" DONE);

TEST(x87_moves_values_to_and_from_a_device)
{
	static const struct access accesses[] = {
		R(0, 8, 0x8123456789abcdef),
		W(8, 8, 0x8123456789abcdef),
		R(16, 4, 0x40490fdb), /* 3.1415927 */
		W(24, 8, 0x400921fb60000000),
		W(32, 10, 0xc90fdb0000000000),
		R(48, 4, -7),
		W(52, 2, 0xfff9),
		R(56, 2, 0x0b7f), /* rounds up */
		W(58, 2, 0x0b7f),
		R(64, 8, 0x3ff4000000000000), /* 1.25 */
		W(72, 4, 2),
		W(76, 2, 0x3a20),
		{ 0 },
	};
	struct machine m;
	struct guest_cpu *cpu = &m.cpu[0];

	machine_create(&m, 1);
	cpu_start(cpu, PROT32, x87);
	*cpu_gpr(cpu, LODGE_RDI) = GUEST_HOLE;
	*cpu_gpr(cpu, LODGE_RSI) = GUEST_DATA;
	ASSERT_TRUE(makes_accesses(cpu, accesses));
	ASSERT_TRUE(cpu_done(cpu));
	EXPECT_EQ(0x8123456789abcdef, *machine_u64(&m, GUEST_DATA));
}

CODE(mxcsr, 64,
     "ldmxcsr (%rdi); stmxcsr (%rsi); ldmxcsr 4(%rsi); stmxcsr 4(%rdi);"
     "ldmxcsr 8(%rdi);" DONE);

TEST(mxcsr_is_loaded_from_a_device_and_stored_to_it)
{
	static const struct access accesses[] = {
		R(0, 4, 0x9fa0),
		W(4, 4, 0x1f80),
		R(8, 4, 0x10000),
		{ 0 },
	};
	struct machine m;
	struct guest_cpu *cpu = &m.cpu[0];

	machine_create(&m, 1);
	*machine_u32(&m, GUEST_DATA + 4) = 0x1f80;
	cpu_start(cpu, LONG64, mxcsr);
	cpu->run->regs.control.cr4 |= X86_CR4_OSFXSR;
	*cpu_gpr(cpu, LODGE_RDI) = GUEST_HOLE;
	*cpu_gpr(cpu, LODGE_RSI) = GUEST_DATA;
	ASSERT_TRUE(makes_accesses(cpu, accesses));
	EXPECT_TRUE(cpu_raises(cpu, GP, NULL));
	EXPECT_EQ(0x9fa0, *machine_u32(&m, GUEST_DATA));
}

/*
 * The instructions that lodge(1) lists as those that cannot have a device as their
 * operand.
 */
FIXTURE(refused)
{
	struct machine m;
	struct guest_cpu *cpu;
};

FIXTURE_VARIANT(refused)
{
	const struct guest_code *code;
	enum guest_mode mode;
};

FIXTURE_SETUP(refused)
{
	machine_create(&self->m, 1);
	self->cpu = &self->m.cpu[0];
}

FIXTURE_TEARDOWN(refused)
{
}

#define REFUSED(name, text)                   \
	CODE(name, 64, text DONE);            \
	FIXTURE_VARIANT_ADD(refused, name)    \
	{                                     \
		.code = &name, .mode = LONG64 \
	}

REFUSED(fxsave, "fxsave (%rdi);");
REFUSED(fxrstor, "fxrstor (%rdi);");
REFUSED(fldenv, "fldenv (%rdi);");
REFUSED(fnstenv, "fnstenv (%rdi);");
REFUSED(fnsave, "fnsave (%rdi);");
REFUSED(frstor, "frstor (%rdi);");
REFUSED(fbld, "fbld (%rdi);");
REFUSED(fbstp, "fbstp (%rdi);");
REFUSED(fadd, "fadds (%rdi);");
REFUSED(fiadd, "fiaddl (%rdi);");
REFUSED(paddb_mmx, "paddb (%rdi), %mm0;");
REFUSED(addps, "addps (%rdi), %xmm0;");

TEST_F(refused, ends_with_its_bytes_and_nothing_changed)
{
	const struct lodge_exit_emulate *emulate =
		&self->cpu->run->exit.emulate;
	const struct lodge_general *general = &self->cpu->run->regs.general;
	uint64_t rip;

	cpu_start(self->cpu, variant->mode, *variant->code);
	self->cpu->run->regs.control.cr4 |= X86_CR4_OSFXSR;
	*cpu_gpr(self->cpu, LODGE_RDI) = GUEST_HOLE;
	rip = general->rip;
	ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_CANNOT_EMULATE));
	EXPECT_EQ(rip, general->rip);
	EXPECT_EQ(GUEST_HOLE, emulate->gpa & ~0xfffULL);
	ASSERT_LE(3, emulate->length);
	EXPECT_EQ(0, memcmp(emulate->bytes, variant->code->start, 3));
}

CODE(system_stores, 64,
     "smsw (%rdi); sgdt 16(%rdi); sidt 32(%rdi); str (%rdi); sldt (%rdi);" DONE);

TEST(system_registers_are_stored_to_a_device)
{
	struct machine m;
	struct guest_cpu *cpu = &m.cpu[0];
	const struct lodge_regs *regs;

	machine_create(&m, 1);
	cpu_start(cpu, LONG64, system_stores);
	regs = &cpu->run->regs;
	*cpu_gpr(cpu, LODGE_RDI) = GUEST_HOLE;

	const struct access accesses[] = {
		W(0, 2, regs->control.cr0 & 0xffff),
		W(16, 10,
		  regs->segments.gdt.limit | regs->segments.gdt.base << 16),
		W(32, 10,
		  regs->segments.idt.limit | regs->segments.idt.base << 16),
		W(0, 2, regs->segments.seg[LODGE_TR].selector),
		W(0, 2, regs->segments.seg[LODGE_LDTR].selector),
		{ 0 },
	};

	ASSERT_TRUE(makes_accesses(cpu, accesses));
	ASSERT_TRUE(cpu_done(cpu));
}

CODE(system_loads, 64,
     "lmsw (%rdi); lgdt 16(%rdi); ltr 32(%rdi); lldt 48(%rdi);" DONE);

TEST(system_registers_are_loaded_from_a_device)
{
	static const struct access accesses[] = {
		R(0, 2, 3),
		R(16, 10, 0x67 | (uint64_t)GUEST_GDT << 16),
		R(32, 2, SEL_TSS),
		R(48, 2, 0),
		{ 0 },
	};
	struct machine m;
	struct guest_cpu *cpu = &m.cpu[0];

	machine_create(&m, 1);
	cpu_start(cpu, LONG64, system_loads);
	*cpu_gpr(cpu, LODGE_RDI) = GUEST_HOLE;
	/* LTR wants a TSS that is not busy. */
	m.memory[GUEST_GDT + SEL_TSS + 5] &= ~2;
	ASSERT_TRUE(makes_accesses(cpu, accesses));
	ASSERT_TRUE(cpu_done(cpu));
	EXPECT_EQ(2, cpu->run->regs.control.cr0 & 2);
	EXPECT_EQ(0x67, cpu->run->regs.segments.gdt.limit);
	EXPECT_EQ(SEL_TSS, cpu->run->regs.segments.seg[LODGE_TR].selector);
	EXPECT_EQ(2, m.memory[GUEST_GDT + SEL_TSS + 5] & 2);
}

CODE(divide_by_zero, 64, "xor %edx, %edx; divl (%rdi);" DONE);

TEST(a_quotient_that_does_not_fit_is_a_divide_error)
{
	static const struct access accesses[] = { R(0, 4, 0), { 0 } };
	struct machine m;
	struct guest_cpu *cpu = &m.cpu[0];
	struct guest_event event;

	machine_create(&m, 1);
	cpu_start(cpu, LONG64, divide_by_zero);
	*cpu_gpr(cpu, LODGE_RDI) = GUEST_HOLE;
	ASSERT_TRUE(makes_accesses(cpu, accesses));
	ASSERT_TRUE(cpu_raises(cpu, DE, &event));
	EXPECT_EQ(GUEST_CODE_BASE + 2, event.rip);
}

#define APIC_BASE 0xfee00000
#define APIC_TPR 0x80

/* The last one has its stack there. */
CODE(apic, 32,
     "movl $0x20, 0x80(%edi); shll $1, 0x80(%edi); mov 0x80(%edi), %eax;"
     "or %eax, %eax; cmovnz 0x80(%edi), %ecx; bsf 0x80(%edi), %edx;"
     "lea 0x84(%edi), %esp; push $0x30; mov 0x80(%edi), %ebx;" DONE);

TEST(the_apic_page_is_a_device_like_others)
{
	struct machine m;
	struct guest_cpu *cpu = &m.cpu[0];

	machine_create(&m, 1);
	cpu_start(cpu, PROT32, apic);
	*cpu_gpr(cpu, LODGE_RDI) = APIC_BASE;
	ASSERT_TRUE(cpu_done(cpu));
	EXPECT_EQ(0x40, *cpu_gpr(cpu, LODGE_RAX));
	EXPECT_EQ(0x40, *cpu_gpr(cpu, LODGE_RCX));
	EXPECT_EQ(6, *cpu_gpr(cpu, LODGE_RDX));
	EXPECT_EQ(0x30, *cpu_gpr(cpu, LODGE_RBX));
	EXPECT_EQ(APIC_BASE + APIC_TPR, *cpu_gpr(cpu, LODGE_RSP));
}

TEST_HARNESS_MAIN
