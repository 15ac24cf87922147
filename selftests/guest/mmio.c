// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that is a device: every form of instruction that Lodge carries out in
 * the processor's place, by what it accesses and what it leaves.
 */
#include <string.h>

#include "kselftest_harness.h"

#include "machine.h"

#define FLAGS_STATUS 0x8d5 /* OF SF ZF AF PF CF */

struct access {
	uint64_t offset; /* from GUEST_HOLE */
	uint32_t size; /* 0: no more accesses */
	bool write;
	uint64_t data; /* lower half where there are 16 bytes */
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
	struct access access[6];
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
		memset(mmio->data, 0xee, sizeof(mmio->data));
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
ROW(adc_to_device, 64, LONG64, "stc; adc $0, (%rdi);", KEEP(0, 0),
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

TEST_HARNESS_MAIN
