// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the answers of CPUID that module/cpuid.c keeps: each must be the one that it
 * would work out anew.
 */
#include "kernel_cpuid.h"

#include "kselftest_harness.h"

#include "cpuid.h"
#include "policy.h"
#include "pv.h"
#include "vcpu.h"
#include "vm.h"

#define ID 3
#define EXTENDED 0x80000000U
#define SUBLEAF LODGE_CPUID_SUBLEAF
#define XSAVE_AREA (F(XSAVEC) | F(XSAVES))

/* Leaves 1, 0x11 and 0x80000001 share a place. */
static const struct lodge_cpuid_entry defaults[] = {
	{ .leaf = 0, .eax = 0xd },
	{ .leaf = 1, .ecx = F(XSAVE), .edx = F(APIC) | F(PAE) },
	{ .leaf = 4, .subleaf = 0, .flags = SUBLEAF, .eax = 3 << 5 | 1 },
	{ .leaf = 7, .subleaf = 0, .flags = SUBLEAF, .ecx = F(PKU) },
	{ .leaf = 0xb, .subleaf = 0, .flags = SUBLEAF, .ebx = 1 },
	{ .leaf = 0xb, .subleaf = 1, .flags = SUBLEAF, .ebx = 1 },
	{ .leaf = 0xd, .subleaf = 0, .flags = SUBLEAF, .eax = 0x207 },
	{ .leaf = 0xd, .subleaf = 1, .flags = SUBLEAF, .eax = XSAVE_AREA },
	{ .leaf = 0xd, .subleaf = 2, .flags = SUBLEAF, .eax = 256, .ebx = 576 },
	{ .leaf = 0xd, .subleaf = 9, .flags = SUBLEAF, .eax = 8, .ebx = 2688 },
	{ .leaf = 0x11, .eax = 0x11 },
	{ .leaf = EXTENDED, .eax = EXTENDED + 0x21 },
	{ .leaf = EXTENDED + 1, .edx = F(NX) | F(APIC) | F(LM) },
	{ .leaf = EXTENDED + 8, .eax = 0x3028 },
	{ .leaf = EXTENDED + 0x1d, .flags = SUBLEAF, .eax = 3 << 5 | 1 },
	{ .leaf = EXTENDED + 0x1e },
};

#define NR ARRAY_SIZE(defaults)

const struct lodge_cpuid_entry *lodge_cpuid_default(u32 *nr)
{
	*nr = NR;
	return defaults;
}

u64 lodge_cpuid_xcr0(u32 ecx_1, u32 ebx_7, u32 ecx_7)
{
	return 0x207;
}

bool lodge_cpuid_indexed(u32 leaf)
{
	return lodge_cpuid_find(defaults, NR, leaf, 0)->flags & SUBLEAF;
}

/* No register is: values may only lose bits. */
u32 lodge_cpuid_free_registers(u32 leaf)
{
	return 0;
}

/* Each time another answer. */
static u32 hypervisor_answers;

bool lodge_pv_leaf(struct lodge_vcpu *vcpu, u32 leaf, u32 answer[4])
{
	memset(answer, 0, 16);
	answer[EAX] = ++hypervisor_answers;
	return true;
}

FIXTURE(kept)
{
	struct lodge_vm vm;
	struct lodge_vcpu vcpu;
};

FIXTURE_SETUP(kept)
{
	memset(self, 0, sizeof(*self));
	hypervisor_answers = 0;
	self->vcpu.vm = &self->vm;
	self->vcpu.id = ID;
	self->vm.nr_vcpus = ID + 1;
	self->vcpu.regs.control.apic_base = MSR_IA32_APICBASE_ENABLE;
	self->vcpu.regs.control.xcr0 = 1;
	ASSERT_EQ(0, lodge_cpuid_init(&self->vcpu));
}

FIXTURE_TEARDOWN(kept)
{
	lodge_cpuid_free(&self->vcpu);
}

static u32 ask(FIXTURE_DATA(kept) * self, u32 leaf, u32 subleaf,
	       enum lodge_cpuid_reg reg)
{
	return lodge_cpuid_answer(&self->vcpu, leaf, subleaf)[reg];
}

/* Return: the number of leaves whose answer is not the one of LODGE_GET_CPUID now. */
static unsigned int stale(FIXTURE_DATA(kept) * self)
{
	struct lodge_cpuid_entry now[NR];
	struct lodge_cpuid arg = { .count = NR, .entries = (u64)now };
	unsigned int i, wrong = 0;

	if (lodge_cpuid_get(&self->vcpu, &arg))
		return ~0U;
	for (i = 0; i < arg.count; i++)
		wrong += !!memcmp(&now[i].eax,
				  lodge_cpuid_answer(&self->vcpu, now[i].leaf,
						     now[i].subleaf),
				  16);
	return wrong;
}

/* Change the vCPU's leaves behind the back of what is kept. */
static void hide(FIXTURE_DATA(kept) * self)
{
	unsigned int i;

	for (i = 0; i < NR; i++)
		self->vcpu.cpuid[i].eax = self->vcpu.cpuid[i].ebx = 0;
}

TEST_F(kept, are_given_again_as_long_as_nothing_changes)
{
	EXPECT_EQ(0x11U, ask(self, 0x11, 0, EAX));
	EXPECT_EQ(EXTENDED + 0x21, ask(self, EXTENDED, 0, EAX));
	EXPECT_EQ(XSAVE_AREA, ask(self, 0xd, 1, EAX));
	hide(self);
	EXPECT_EQ(0x11U, ask(self, 0x11, 0, EAX));
	EXPECT_EQ(EXTENDED + 0x21, ask(self, EXTENDED, 0, EAX));
	EXPECT_EQ(XSAVE_AREA, ask(self, 0xd, 1, EAX));
	/* Bits of CR4 that no answer depends on. */
	self->vcpu.regs.control.cr4 ^= X86_CR4_PGE | X86_CR4_SMEP;
	EXPECT_EQ(0x11U, ask(self, 0x11, 0, EAX));
}

FIXTURE(key){};

/* A member of the key, a value, and an answer that depends on it. */
FIXTURE_VARIANT(key)
{
	size_t member;
	u64 change;
	u32 leaf;
	u32 subleaf;
	enum lodge_cpuid_reg reg;
};

#define KEY(name, member_, change_, leaf_, subleaf_, reg_)             \
	FIXTURE_VARIANT_ADD(key, name)                                 \
	{                                                              \
		.member = offsetof(struct lodge_vcpu, regs.member_),   \
		.change = change_, .leaf = leaf_, .subleaf = subleaf_, \
		.reg = reg_                                            \
	}

KEY(osxsave, control.cr4, X86_CR4_OSXSAVE, 1, 0, ECX);
KEY(pke, control.cr4, X86_CR4_PKE, 7, 0, ECX);
KEY(xcr0, control.xcr0, 6, 0xd, 0, EBX);
KEY(xcr0_compacted, control.xcr0, 6, 0xd, 1, EBX);
KEY(xcr0_high_component, control.xcr0, BIT(9), 0xd, 0, EBX);
KEY(apic, control.apic_base, MSR_IA32_APICBASE_ENABLE, 1, 0, EDX);
KEY(apic_extended, control.apic_base, MSR_IA32_APICBASE_ENABLE, EXTENDED + 1, 0,
    EDX);
KEY(limit, msrs.misc_enable, MSR_IA32_MISC_ENABLE_LIMIT_CPUID, 0, 0, EAX);
KEY(no_nx, msrs.misc_enable, MSR_IA32_MISC_ENABLE_XD_DISABLE, EXTENDED + 1, 0,
    EDX);

FIXTURE_SETUP(key)
{
}

FIXTURE_TEARDOWN(key)
{
}

TEST_F(key, makes_a_new_answer_each_time_that_it_changes)
{
	FIXTURE_DATA(kept) kept;
	u32 before, after;
	u64 *member;

	kept_setup(_metadata, &kept, NULL);
	member = (void *)&kept.vcpu + variant->member;
	before = ask(&kept, variant->leaf, variant->subleaf, variant->reg);
	*member ^= variant->change;
	after = ask(&kept, variant->leaf, variant->subleaf, variant->reg);
	EXPECT_NE(before, after);
	*member ^= variant->change;
	EXPECT_EQ(before,
		  ask(&kept, variant->leaf, variant->subleaf, variant->reg));
	EXPECT_EQ(0U, stale(&kept));
	kept_teardown(_metadata, &kept, NULL);
}

TEST_F(kept, follow_the_number_of_vcpus)
{
	EXPECT_EQ(4U, ask(self, 0xb, 1, EBX));
	EXPECT_EQ(4U << 16 | ID << 24, ask(self, 1, 0, EBX));
	self->vm.nr_vcpus = 9;
	EXPECT_EQ(9U, ask(self, 0xb, 1, EBX));
	EXPECT_EQ(4U, ask(self, 0xb, 1, EAX));
	EXPECT_EQ(9U << 16 | ID << 24, ask(self, 1, 0, EBX));
	EXPECT_EQ(0U, stale(self));
}

TEST_F(kept, are_gone_after_set_cpuid)
{
	const struct lodge_cpuid_entry one = { .leaf = 0x11, .eax = 0x10 };
	const struct lodge_cpuid arg = { .count = 1, .entries = (u64)&one };

	EXPECT_EQ(0x11U, ask(self, 0x11, 0, EAX));
	EXPECT_EQ(4U, ask(self, 0xb, 1, EBX));
	EXPECT_EQ(EXTENDED + 0x21, ask(self, EXTENDED, 0, EAX));
	ASSERT_EQ(0, lodge_cpuid_set(&self->vcpu, &arg));
	EXPECT_EQ(0x10U, ask(self, 0x11, 0, EAX));
	EXPECT_EQ(0U, ask(self, 0xb, 1, EBX));
	EXPECT_EQ(0U, ask(self, EXTENDED, 0, EAX));
}

TEST_F(kept, do_not_mix_leaves_that_share_a_place)
{
	unsigned int i;

	for (i = 0; i < 3; i++) {
		EXPECT_EQ(F(XSAVE), ask(self, 1, 0, ECX));
		EXPECT_EQ(0x11U, ask(self, 0x11, 0, EAX));
		EXPECT_EQ(F(NX) | F(APIC) | F(LM),
			  ask(self, EXTENDED + 1, 0, EDX));
		/* There is no such leaf. */
		EXPECT_EQ(0U, ask(self, 0x21, 0, EAX));
		EXPECT_EQ(0U, ask(self, EXTENDED + 0x11, 0, EAX));
	}
}

TEST_F(kept, do_not_mix_the_subleaves_of_a_leaf)
{
	u32 i;

	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0x207U, ask(self, 0xd, 0, EAX));
		EXPECT_EQ(XSAVE_AREA, ask(self, 0xd, 1, EAX));
		EXPECT_EQ(256U, ask(self, 0xd, 2, EAX));
		/* Beyond the topology's last level ECX is as the guest gave it. */
		EXPECT_EQ(5U, ask(self, 0xb, 5, ECX));
		EXPECT_EQ(6U, ask(self, 0xb, 6, ECX));
	}
}

TEST_F(kept, have_no_leaf_zero_before_the_first_answer)
{
	EXPECT_EQ(0xdU, ask(self, 0, 0, EAX));
}

TEST_F(kept, are_never_those_of_a_hypervisors_leaf)
{
	/* It has the place of leaf 0. */
	EXPECT_EQ(0xdU, ask(self, 0, 0, EAX));
	EXPECT_EQ(1U, ask(self, 0x40000000, 0, EAX));
	EXPECT_EQ(2U, ask(self, 0x40000000, 0, EAX));
	EXPECT_EQ(0xdU, ask(self, 0, 0, EAX));
	EXPECT_EQ(3U, ask(self, 0x40000000, 0, EAX));
	EXPECT_EQ(4U, ask(self, 0x40000000, 0, EAX));
}

static u64 noise(u64 *state)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return *state >> 11 ^ *state << 23;
}

/* Any other register, MSR or part of the vCPU's state that an answer depends on. */
TEST_F(kept, depend_on_nothing_that_is_not_looked_at)
{
	struct lodge_vcpu *vcpu = &self->vcpu;
	u64 state = 1, *regs = (u64 *)&vcpu->regs;
	unsigned int round, i;

	for (round = 0; round < 2000; round++) {
		/* Few words at a time: else the key changes in any case. */
		for (i = 0; i < 4; i++)
			regs[noise(&state) % (sizeof(vcpu->regs) / 8)] =
				noise(&state);
		/* No vCPU can have other components. */
		vcpu->regs.control.xcr0 &= vcpu->features.xcr0;
		if (round % 64 == 0)
			self->vm.nr_vcpus = ID + 1 + noise(&state) % 9;
		vcpu->tsc_offset = noise(&state);
		vcpu->pkru = noise(&state);
		vcpu->delivery.mp_state = noise(&state) % 3;
		vcpu->has_run = noise(&state) & 1;
		ASSERT_EQ(0U, stale(self));
	}
}

TEST_HARNESS_MAIN
