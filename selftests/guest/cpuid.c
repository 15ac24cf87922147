// SPDX-License-Identifier: GPL-2.0
/*
 * A guest's view of CPUID.
 */
#include <cpuid.h>
#include <string.h>

#include "kselftest_harness.h"

#include "guest.h"

FIXTURE(cpuid)
{
	struct machine m;
	struct guest_cpu *cpu;
};

FIXTURE_SETUP(cpuid)
{
	machine_create(&self->m, 2);
	self->cpu = &self->m.cpu[0];
}

FIXTURE_TEARDOWN(cpuid)
{
}

CODE(ask, 64, "1: cpuid;" DONE "jmp 1b;");

/* Starts a vCPU that answers leaves, one at a run. */
static bool answers(struct guest_cpu *cpu, uint32_t leaf, uint32_t subleaf)
{
	*cpu_gpr(cpu, LODGE_RAX) = leaf;
	*cpu_gpr(cpu, LODGE_RCX) = subleaf;
	cpu->run->load |= LODGE_GROUP_GENERAL;
	return cpu_done(cpu);
}

#define EAX(cpu) ((uint32_t)*cpu_gpr(cpu, LODGE_RAX))
#define EBX(cpu) ((uint32_t)*cpu_gpr(cpu, LODGE_RBX))
#define ECX(cpu) ((uint32_t)*cpu_gpr(cpu, LODGE_RCX))
#define EDX(cpu) ((uint32_t)*cpu_gpr(cpu, LODGE_RDX))

TEST_F(cpuid, the_vendor_is_the_hosts)
{
	unsigned int eax, ebx, ecx, edx;

	__cpuid(0, eax, ebx, ecx, edx);
	cpu_start(self->cpu, LONG64, ask);
	ASSERT_TRUE(answers(self->cpu, 0, 0));
	EXPECT_EQ(ebx, EBX(self->cpu));
	EXPECT_EQ(ecx, ECX(self->cpu));
	EXPECT_EQ(edx, EDX(self->cpu));
	EXPECT_LE(0xdU, EAX(self->cpu));
}

TEST_F(cpuid, the_upper_halves_of_the_registers_become_zero)
{
	cpu_start(self->cpu, LONG64, ask);
	*cpu_gpr(self->cpu, LODGE_RAX) = 0xffffffff00000000;
	*cpu_gpr(self->cpu, LODGE_RBX) = ~0ULL;
	*cpu_gpr(self->cpu, LODGE_RCX) = 0xffffffff00000000;
	*cpu_gpr(self->cpu, LODGE_RDX) = ~0ULL;
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0, *cpu_gpr(self->cpu, LODGE_RAX) >> 32);
	EXPECT_EQ(0, *cpu_gpr(self->cpu, LODGE_RBX) >> 32);
	EXPECT_EQ(0, *cpu_gpr(self->cpu, LODGE_RCX) >> 32);
	EXPECT_EQ(0, *cpu_gpr(self->cpu, LODGE_RDX) >> 32);
	EXPECT_NE(0, EBX(self->cpu));
}

TEST_F(cpuid, other_registers_stay_as_they_are)
{
	unsigned int i;

	cpu_start(self->cpu, LONG64, ask);
	for (i = 5; i < 16; i++)
		*cpu_gpr(self->cpu, i) = 0x1111111111111111ULL * (i - 4);
	self->cpu->run->regs.general.rflags = 0xad7;
	ASSERT_TRUE(cpu_done(self->cpu));
	for (i = 5; i < 16; i++)
		EXPECT_EQ(0x1111111111111111ULL * (i - 4),
			  *cpu_gpr(self->cpu, i));
	EXPECT_EQ(0xad7, self->cpu->run->regs.general.rflags);
}

TEST_F(cpuid, a_hypervisor_announces_itself)
{
	cpu_start(self->cpu, LONG64, ask);
	ASSERT_TRUE(answers(self->cpu, 1, 0));
	EXPECT_TRUE(ECX(self->cpu) & 1U << 31);
	ASSERT_TRUE(answers(self->cpu, 0x40000000, 0));
	EXPECT_EQ(0, memcmp(cpu_gpr(self->cpu, LODGE_RBX), "KVMK", 4));
	EXPECT_EQ(0, memcmp(cpu_gpr(self->cpu, LODGE_RCX), "VMKV", 4));
	EXPECT_EQ(0, memcmp(cpu_gpr(self->cpu, LODGE_RDX), "M\0\0\0", 4));
}

TEST_F(cpuid, lodge_signs_at_0x40000100)
{
	cpu_start(self->cpu, LONG64, ask);
	ASSERT_TRUE(answers(self->cpu, 0x40000100, 0));
	EXPECT_LE(0x40000100U, EAX(self->cpu));
	EXPECT_EQ(0, memcmp(cpu_gpr(self->cpu, LODGE_RBX), "Lodg", 4));
	EXPECT_EQ(0, memcmp(cpu_gpr(self->cpu, LODGE_RCX), "eLod", 4));
	EXPECT_EQ(0, memcmp(cpu_gpr(self->cpu, LODGE_RDX), "geHV", 4));
}

TEST_F(cpuid, x2apic_and_tsc_deadline_are_offered_on_any_host)
{
	cpu_start(self->cpu, LONG64, ask);
	ASSERT_TRUE(answers(self->cpu, 1, 0));
	EXPECT_TRUE(ECX(self->cpu) & 1U << 21);
	EXPECT_TRUE(ECX(self->cpu) & 1U << 24);
}

TEST_F(cpuid, what_lodge_does_not_carry_is_not_offered)
{
	cpu_start(self->cpu, LONG64, ask);
	ASSERT_TRUE(answers(self->cpu, 1, 0));
	EXPECT_FALSE(ECX(self->cpu) & 1U << 3); /* MONITOR */
	EXPECT_FALSE(ECX(self->cpu) & 1U << 5); /* VMX */
	ASSERT_TRUE(answers(self->cpu, 0x80000001, 0));
	EXPECT_FALSE(ECX(self->cpu) & 1U << 2); /* SVM */
}

/* A bit that the processor itself has, and that must reach the guest. */
#define PASSES(leaf, reg, bit)                     \
	EXPECT_EQ(host_reg(leaf, reg) >> (bit)&1,  \
		  host_reg(leaf, reg) >> (bit)&1 & \
			  cpu_feature(self->cpu, leaf, 0, reg) >> (bit))

static uint32_t host_reg(uint32_t leaf, unsigned int reg)
{
	unsigned int value[4];

	if (leaf > __get_cpuid_max(leaf & 1U << 31, NULL))
		return 0;
	__cpuid_count(leaf, 0, value[0], value[1], value[2], value[3]);
	return value[reg];
}

TEST_F(cpuid, a_guest_of_amds_learns_what_it_need_not_work_around)
{
	static const unsigned int bits[] = { 0, 1, 2, 5, 6, 8, 27, 28, 29, 30 };
	unsigned int i;

	if (machine_is_intel())
		SKIP(return, "the processor is Intel's");
	if (host_reg(0x80000000, 0) < 0x8000001d)
		SKIP(return, "the processor is too old for the leaf");
	EXPECT_EQ(0x80000021, cpu_feature(self->cpu, 0x80000000, 0, 0));
	for (i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		PASSES(0x80000021, 0, bits[i]);
	/* TSA: L1, SQ and fill buffers. */
	PASSES(0x80000021, 2, 1);
	PASSES(0x80000021, 2, 2);
	PASSES(0x80000021, 2, 7);
	/* No SMM_CTL, no EFER.LMSLE: whatever the processor has. */
	EXPECT_TRUE(cpu_feature(self->cpu, 0x80000021, 0, 0) & 1U << 9);
	EXPECT_TRUE(cpu_feature(self->cpu, 0x80000008, 0, 1) & 1U << 20);
	for (i = 26; i <= 30; i++)
		PASSES(0x80000008, 1, i);
}

TEST_F(cpuid, each_vcpu_has_its_own_apic_id)
{
	struct guest_cpu *second = &self->m.cpu[1];

	cpu_start(self->cpu, LONG64, ask);
	cpu_start(second, LONG64, ask);
	ASSERT_TRUE(answers(self->cpu, 1, 0));
	ASSERT_TRUE(answers(second, 1, 0));
	EXPECT_EQ(0, EBX(self->cpu) >> 24);
	EXPECT_EQ(1, EBX(second) >> 24);
	ASSERT_TRUE(answers(second, 0xb, 0));
	EXPECT_EQ(1, EDX(second));
}

CODE(osxsave, 64,
     "mov %cr4, %rsi; bts $18, %rsi; mov $1, %eax; cpuid;"
     "mov %ecx, %edi; mov %rsi, %cr4; mov $1, %eax; cpuid;" DONE);

TEST_F(cpuid, osxsave_follows_cr4)
{
	if (!(cpu_feature(self->cpu, 1, 0, 2) & 1 << 26))
		SKIP(return, "the guest's CPUID has no XSAVE");
	cpu_start(self->cpu, LONG64, osxsave);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_FALSE(*cpu_gpr(self->cpu, LODGE_RDI) & 1 << 27);
	EXPECT_TRUE(ECX(self->cpu) & 1 << 27);
}

CODE(xsave_size, 64,
     "mov %cr4, %rax; bts $18, %rax; mov %rax, %cr4;"
     "mov $0xd, %eax; xor %ecx, %ecx; cpuid; mov %ebx, %esi;"
     "xor %ecx, %ecx; xor %edx, %edx; mov $7, %eax; xsetbv;"
     "mov $0xd, %eax; xor %ecx, %ecx; cpuid;" DONE);

TEST_F(cpuid, the_xsave_size_follows_xcr0)
{
	if (!(cpu_feature(self->cpu, 1, 0, 2) & 1 << 28))
		SKIP(return, "the guest's CPUID has no AVX");
	cpu_start(self->cpu, LONG64, xsave_size);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(576, *cpu_gpr(self->cpu, LODGE_RSI));
	EXPECT_EQ(832, EBX(self->cpu));
	EXPECT_LE(832U, ECX(self->cpu));
	EXPECT_EQ(7, EAX(self->cpu) & 7);
}

TEST_F(cpuid, a_replaced_leaf_is_what_the_guest_reads)
{
	struct lodge_cpuid_entry entry[LODGE_MAX_CPUID];
	uint32_t i, count = LODGE_MAX_CPUID;

	ASSERT_EQ(0, lodge_cpuid_get(self->cpu->fd, entry, &count));
	for (i = 0; i < count; i++)
		if (entry[i].leaf == 0x80000002)
			entry[i].ebx = 0x2a2a2a2a;
	ASSERT_EQ(0, lodge_cpuid_set(self->cpu->fd, entry, count));
	cpu_start(self->cpu, LONG64, ask);
	ASSERT_TRUE(answers(self->cpu, 0x80000002, 0));
	EXPECT_EQ(0x2a2a2a2a, EBX(self->cpu));
}

TEST_F(cpuid, an_indexed_leaf_beyond_the_last_is_zero)
{
	cpu_start(self->cpu, LONG64, ask);
	ASSERT_TRUE(answers(self->cpu, 7, 0x55));
	EXPECT_EQ(0, EAX(self->cpu) | EBX(self->cpu) | ECX(self->cpu) |
			     EDX(self->cpu));
}

CODE(user, 64,
     "push $0x23; push $0x30000; push $2; push $0x2b; push $" AT(
	     "1f") ";"
		   "iretq; 1: mov $0x40000100, %eax; cpuid; mov %eax, %ebp; hlt;");

TEST_F(cpuid, level_3_may_ask)
{
	cpu_start(self->cpu, LONG64, user);
	ASSERT_TRUE(cpu_raises(self->cpu, GP, NULL));
	EXPECT_LE(0x40000100U, *cpu_gpr(self->cpu, LODGE_RBP));
}

CODE(prefixed, 64,
     "xor %eax, %eax; .byte 0x66, 0xf3, 0x48; cpuid;"
     "mov $9, %esi;" DONE);

TEST_F(cpuid, prefixes_before_it_are_stepped_over)
{
	cpu_start(self->cpu, LONG64, prefixed);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(9, *cpu_gpr(self->cpu, LODGE_RSI));
}

CODE(real, 16, "xor %eax, %eax; cpuid; mov $9, %si;" DONE);

TEST_F(cpuid, real_mode_may_ask)
{
	cpu_start(self->cpu, REAL16, real);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_NE(0, EBX(self->cpu));
	EXPECT_EQ(9, *cpu_gpr(self->cpu, LODGE_RSI));
}

TEST_HARNESS_MAIN
