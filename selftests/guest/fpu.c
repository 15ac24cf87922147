// SPDX-License-Identifier: GPL-2.0
/*
 * x87, SSE and AVX state: kept over exits and between vCPUs, and the rules of
 * XSETBV.
 */
#include <string.h>

#include "kselftest_harness.h"

#include "guest.h"

#define OSXSAVE_ON "mov %cr4, %rax; bts $18, %rax; mov %rax, %cr4;"
#define SET_XCR0(low) \
	"xor %ecx, %ecx; xor %edx, %edx; mov $" #low ", %eax; xsetbv;"

FIXTURE(fpu)
{
	struct machine m;
	struct guest_cpu *cpu;
};

FIXTURE_SETUP(fpu)
{
	machine_create(&self->m, 2);
	self->cpu = &self->m.cpu[0];
}

FIXTURE_TEARDOWN(fpu)
{
}

static bool has_xsave(const struct guest_cpu *cpu)
{
	return cpu_feature(cpu, 1, 0, 2) & 1 << 26;
}

static bool has_avx(const struct guest_cpu *cpu)
{
	return cpu_feature(cpu, 1, 0, 2) & 1 << 28;
}

static void fill(unsigned char *to, size_t size, unsigned int seed)
{
	size_t i;

	for (i = 0; i < size; i++)
		to[i] = i * 7 + seed;
}

/* All sixteen registers from RSI; an exit; to RDI. */
#define EACH16(op)                                                         \
	op(0) op(1) op(2) op(3) op(4) op(5) op(6) op(7) op(8) op(9) op(10) \
		op(11) op(12) op(13) op(14) op(15)
#define LOAD_XMM(n) "movups " #n "*16(%rsi), %xmm" #n ";"
#define STORE_XMM(n) "movups %xmm" #n ", " #n "*16(%rdi);"

CODE(sse, 64, EACH16(LOAD_XMM) "out %al, $0x80; cpuid;" EACH16(STORE_XMM) DONE);

static void start_at(struct guest_cpu *cpu, struct guest_code code)
{
	cpu_start(cpu, LONG64, code);
	*cpu_gpr(cpu, LODGE_RSI) = GUEST_DATA + cpu->id * 4096;
	*cpu_gpr(cpu, LODGE_RDI) = GUEST_DATA + cpu->id * 4096 + 2048;
}

TEST_F(fpu, sse_registers_survive_exits_to_kernel_and_user_space)
{
	unsigned char *data = self->m.memory + GUEST_DATA;

	fill(data, 256, 3);
	start_at(self->cpu, sse);
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0, memcmp(data, data + 2048, 256));
}

TEST_F(fpu, two_vcpus_on_one_thread_keep_their_own)
{
	unsigned char *data = self->m.memory + GUEST_DATA;
	struct guest_cpu *second = &self->m.cpu[1];

	fill(data, 256, 3);
	fill(data + 4096, 256, 99);
	start_at(self->cpu, sse);
	start_at(second, sse);
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	ASSERT_TRUE(cpu_writes(second, 0x80));
	ASSERT_TRUE(cpu_done(self->cpu));
	ASSERT_TRUE(cpu_done(second));
	EXPECT_EQ(0, memcmp(data, data + 2048, 256));
	EXPECT_EQ(0, memcmp(data + 4096, data + 6144, 256));
}

TEST_F(fpu, the_callers_own_registers_are_not_the_guests)
{
	unsigned char before[16], after[16];

	fill(self->m.memory + GUEST_DATA, 256, 3);
	start_at(self->cpu, sse);
	memset(before, 0x5c, sizeof(before));
	asm volatile("movups %0, %%xmm7" : : "m"(before) : "xmm7");
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	asm volatile("movups %%xmm7, %0" : "=m"(after));
	EXPECT_NE(0, memcmp(after, self->m.memory + GUEST_DATA + 7 * 16, 16));
}

CODE(x87, 64,
     "fninit; fldpi; fld1; push $0x127f; fldcw (%rsp);"
     "out %al, $0x80; fstpt (%rdi); fstpt 16(%rdi); fnstcw 32(%rdi);" DONE);

TEST_F(fpu, the_x87_stack_and_control_word_survive)
{
	unsigned char *data = self->m.memory + GUEST_DATA + 2048;

	start_at(self->cpu, x87);
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0, memcmp(data, "\0\0\0\0\0\0\0\x80\xff\x3f", 10));
	EXPECT_EQ(0, memcmp(data + 16,
			    "\x35\xc2\x68\x21\xa2\xda\x0f\xc9\x00\x40", 10));
	EXPECT_EQ(0x127f, *(uint16_t *)(data + 32));
}

CODE(mxcsr, 64,
     "push $0x7f80; ldmxcsr (%rsp); out %al, $0x80;"
     "stmxcsr (%rdi);" DONE);

TEST_F(fpu, mxcsr_survives)
{
	start_at(self->cpu, mxcsr);
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0x7f80, *machine_u32(&self->m, GUEST_DATA + 2048));
}

#define LOAD_YMM(n) "vmovups " #n "*32(%rsi), %ymm" #n ";"
#define STORE_YMM(n) "vmovups %ymm" #n ", " #n "*32(%rdi);"

CODE(avx, 64,
     OSXSAVE_ON SET_XCR0(7)
	     EACH16(LOAD_YMM) "out %al, $0x80; cpuid;" EACH16(STORE_YMM) DONE);

TEST_F(fpu, avx_registers_survive_between_two_vcpus)
{
	unsigned char *data = self->m.memory + GUEST_DATA;
	struct guest_cpu *second = &self->m.cpu[1];

	if (!has_avx(self->cpu))
		SKIP(return, "the guest's CPUID has no AVX");
	fill(data, 512, 3);
	fill(data + 4096, 512, 99);
	start_at(self->cpu, avx);
	start_at(second, avx);
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	ASSERT_TRUE(cpu_writes(second, 0x80));
	ASSERT_TRUE(cpu_done(self->cpu));
	ASSERT_TRUE(cpu_done(second));
	EXPECT_EQ(0, memcmp(data, data + 2048, 512));
	EXPECT_EQ(0, memcmp(data + 4096, data + 6144, 512));
}

CODE(avx_hidden, 64,
     OSXSAVE_ON SET_XCR0(7) EACH16(LOAD_YMM)
	     SET_XCR0(1) "out %al, $0x80;"
			 "cpuid;" SET_XCR0(7) EACH16(STORE_YMM) DONE);

TEST_F(fpu, avx_registers_survive_while_xcr0_hides_them)
{
	unsigned char *data = self->m.memory + GUEST_DATA;

	if (!has_avx(self->cpu))
		SKIP(return, "the guest's CPUID has no AVX");
	fill(data, 512, 21);
	start_at(self->cpu, avx_hidden);
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	EXPECT_EQ(1, self->cpu->run->regs.control.xcr0);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0, memcmp(data, data + 2048, 512));
}

CODE(xgetbv, 64, OSXSAVE_ON SET_XCR0(3) "cpuid; xor %ecx, %ecx; xgetbv;" DONE);

TEST_F(fpu, xgetbv_reads_what_xsetbv_wrote)
{
	if (!has_xsave(self->cpu))
		SKIP(return, "the guest's CPUID has no XSAVE");
	cpu_start(self->cpu, LONG64, xgetbv);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(3, *cpu_gpr(self->cpu, LODGE_RAX));
	EXPECT_EQ(3, self->cpu->run->regs.control.xcr0);
}

/* XSETBV that faults. */
FIXTURE(xsetbv)
{
	struct machine m;
};

FIXTURE_VARIANT(xsetbv)
{
	uint32_t index;
	uint64_t value;
};

FIXTURE_SETUP(xsetbv)
{
	machine_create(&self->m, 1);
}

FIXTURE_TEARDOWN(xsetbv)
{
}

#define BAD(name, number, bits)                \
	FIXTURE_VARIANT_ADD(xsetbv, name)      \
	{                                      \
		.index = number, .value = bits \
	}

BAD(without_x87, 0, 2);
BAD(ymm_without_sse, 0, 5);
BAD(an_unknown_bit, 0, 1ULL << 62 | 3);
BAD(another_register, 1, 3);
BAD(half_of_avx512, 0, 0x27);

CODE(set, 64, "mov %cr4, %rbx; bts $18, %rbx; mov %rbx, %cr4; xsetbv;" DONE);

TEST_F(xsetbv, faults_and_changes_nothing)
{
	struct guest_cpu *cpu = &self->m.cpu[0];

	if (!has_xsave(cpu))
		SKIP(return, "the guest's CPUID has no XSAVE");
	cpu_start(cpu, LONG64, set);
	*cpu_gpr(cpu, LODGE_RCX) = variant->index;
	*cpu_gpr(cpu, LODGE_RAX) = (uint32_t)variant->value;
	*cpu_gpr(cpu, LODGE_RDX) = variant->value >> 32;
	ASSERT_TRUE(cpu_raises(cpu, GP, NULL));
	EXPECT_EQ(1, cpu->run->regs.control.xcr0);
}

CODE(user, 64,
     OSXSAVE_ON "push $0x23; push $0x30000; push $2; push $0x2b;"
		"push $" AT("1f") "; iretq; 1:" SET_XCR0(1));

TEST_F(fpu, level_3_may_not_set_xcr0)
{
	struct guest_event event;

	if (!has_xsave(self->cpu))
		SKIP(return, "the guest's CPUID has no XSAVE");
	cpu_start(self->cpu, LONG64, user);
	ASSERT_TRUE(cpu_raises(self->cpu, GP, &event));
	EXPECT_EQ(SEL_USER_CODE64, event.cs);
}

static struct lodge_state xsave_state(void *area, size_t size)
{
	return (struct lodge_state){
		.groups = LODGE_GROUP_XSAVE,
		.xsave = (uintptr_t)area,
		.xsave_size = size,
	};
}

TEST_F(fpu, the_caller_reads_and_writes_the_registers)
{
	static unsigned char area[8192];
	struct lodge_state state = xsave_state(area, sizeof(area));
	unsigned char *data = self->m.memory + GUEST_DATA;

	fill(data, 256, 40);
	start_at(self->cpu, sse);
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	ASSERT_EQ(0, lodge_state_get(self->cpu->fd, &state));
	/* XMM0 to XMM15 are at byte 160 of an FXSAVE area. */
	EXPECT_EQ(0, memcmp(area + 160, data, 256));
	memset(area + 160 + 5 * 16, 0xab, 16);
	ASSERT_EQ(0, lodge_state_set(self->cpu->fd, &state));
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0, memcmp(data, data + 2048, 80));
	EXPECT_EQ(0xab, data[2048 + 5 * 16]);
	EXPECT_EQ(0, memcmp(data + 96, data + 2048 + 96, 160));
}

CODE(pkru, 64,
     "mov %cr4, %rax; bts $22, %rax; mov %rax, %cr4; xor %ecx, %ecx;"
     "xor %edx, %edx; mov $0x5500, %eax; wrpkru; out %al, $0x80;"
     "cpuid; xor %ecx, %ecx; rdpkru;" DONE);

TEST_F(fpu, pkru_survives)
{
	if (!(cpu_feature(self->cpu, 7, 0, 2) & 1 << 3))
		SKIP(return, "the guest's CPUID has no PKU");
	cpu_start(self->cpu, LONG64, pkru);
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0x5500, *cpu_gpr(self->cpu, LODGE_RAX));
}

static uint32_t rdpkru(void)
{
	uint32_t eax, edx;

	asm volatile(".byte 0x0f, 0x01, 0xee" /* rdpkru */
		     : "=a"(eax), "=d"(edx)
		     : "c"(0));
	return eax;
}

CODE(pkru_in_xcr0, 64, OSXSAVE_ON SET_XCR0(0x203) DONE);

/* If the guest sets XCR0 without an exit, its PKRU is not loaded yet. */
TEST_F(fpu, the_callers_pkru_survives_when_the_guest_enables_its_own)
{
	uint32_t pkru;

	if (!(cpu_feature(self->cpu, 7, 0, 2) & 1 << 3) ||
	    !(cpu_feature(self->cpu, 0xd, 0, 0) & 1 << 9))
		SKIP(return, "the guest's CPUID has no PKU in XCR0");
	cpu_start(self->cpu, LONG64, pkru_in_xcr0);
	pkru = rdpkru();
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(pkru, rdpkru());
}

TEST_HARNESS_MAIN
