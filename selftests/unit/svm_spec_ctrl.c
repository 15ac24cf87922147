// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the MSR SPEC_CTRL of AMD-V guests: when a guest accesses it without an exit,
 * and its value in the guest's state.  See svm/state.c.
 */
#include "kernel_cpu.h"

#include "kselftest_harness.h"

#define IBRS BIT(0)
#define STIBP BIT(1)
#define SSBD BIT(2)

#define CLOSED 0x1000ULL
#define OPEN 0x2000ULL

struct kernel_cpu kernel_cpu;
u64 lodge_host_cr4;

u64 svm_bitmap_msr(bool spec_ctrl)
{
	return spec_ctrl ? OPEN : CLOSED;
}

FIXTURE(spec_ctrl)
{
	struct lodge_vcpu vcpu;
	struct svm_vcpu svm;
	struct svm_vmcb *vmcb;
};

FIXTURE_VARIANT(spec_ctrl)
{
	bool by_processor;
};

FIXTURE_VARIANT_ADD(spec_ctrl, switched_by_the_world_switch){};
FIXTURE_VARIANT_ADD(spec_ctrl, switched_by_the_processor){
	.by_processor = true,
};

FIXTURE_SETUP(spec_ctrl)
{
	memset(self, 0, sizeof(*self));
	memset(&kernel_cpu, 0, sizeof(kernel_cpu));
	kernel_cpu.features = BIT(X86_FEATURE_MSR_SPEC_CTRL);
	if (variant->by_processor)
		kernel_cpu.features |= BIT(X86_FEATURE_V_SPEC_CTRL);
	self->vmcb = calloc(1, sizeof(*self->vmcb));
	ASSERT_NE(NULL, self->vmcb);
	self->vmcb->control.msrpm_base_pa = CLOSED;
	self->svm.vmcb = self->vmcb;
	self->vcpu.backend = &self->svm;
	self->vcpu.features.spec_ctrl_bits = IBRS | STIBP;
}

FIXTURE_TEARDOWN(spec_ctrl)
{
	free(self->vmcb);
}

static void set(FIXTURE_DATA(spec_ctrl) * self, u64 value)
{
	self->vmcb->control.clean = SVM_CLEAN_ALL;
	self->vcpu.regs.msrs.spec_ctrl = value;
	svm_set_state(&self->vcpu, LODGE_GROUP_MSRS);
}

/* The guest writes without an exit; entry.S saves the value, or the processor does. */
static void guest_writes(FIXTURE_DATA(spec_ctrl) * self, bool by_processor,
			 u64 value)
{
	if (by_processor)
		self->vmcb->save.spec_ctrl = value;
	else
		self->svm.entry.guest_spec_ctrl = value;
}

static u64 get(FIXTURE_DATA(spec_ctrl) * self)
{
	self->vcpu.regs.msrs.spec_ctrl = ~0ULL;
	svm_get_state(&self->vcpu, LODGE_GROUP_MSRS);
	return self->vcpu.regs.msrs.spec_ctrl;
}

TEST_F(spec_ctrl, exits_at_each_write_until_it_holds_something)
{
	set(self, 0);
	EXPECT_EQ(CLOSED, self->vmcb->control.msrpm_base_pa);
	EXPECT_FALSE(self->svm.entry.own_spec_ctrl);
	EXPECT_EQ(0ULL, get(self));
}

TEST_F(spec_ctrl, is_the_guests_own_from_its_first_value_on)
{
	set(self, IBRS);
	EXPECT_EQ(OPEN, self->vmcb->control.msrpm_base_pa);
	EXPECT_FALSE(self->vmcb->control.clean & SVM_CLEAN_PERMISSIONS);
	/* The world switch reads the MSR only if it switches it. */
	EXPECT_EQ(!variant->by_processor, self->svm.entry.own_spec_ctrl);
	EXPECT_EQ(IBRS, get(self));
	set(self, 0);
	EXPECT_EQ(OPEN, self->vmcb->control.msrpm_base_pa);
	EXPECT_EQ(!variant->by_processor, self->svm.entry.own_spec_ctrl);
	EXPECT_EQ(0ULL, get(self));
}

TEST_F(spec_ctrl, is_read_back_as_the_guest_left_it)
{
	set(self, IBRS);
	guest_writes(self, variant->by_processor, STIBP);
	EXPECT_EQ(STIBP, get(self));
}

TEST_F(spec_ctrl, has_no_bits_that_the_guests_cpuid_does_not_announce)
{
	set(self, IBRS);
	guest_writes(self, variant->by_processor, IBRS | SSBD);
	EXPECT_EQ(IBRS, get(self));
}

TEST_F(spec_ctrl, is_never_written_by_the_world_switch_where_the_processor_does)
{
	set(self, IBRS);
	EXPECT_EQ(variant->by_processor ? 0 : IBRS,
		  self->svm.entry.guest_spec_ctrl);
}

TEST(a_processor_without_the_register_has_none_to_open)
{
	struct svm_vmcb *vmcb = calloc(1, sizeof(*vmcb));
	struct svm_vcpu svm = { .vmcb = vmcb };
	static struct lodge_vcpu vcpu;

	ASSERT_NE(NULL, vmcb);
	kernel_cpu.features = 0;
	vcpu.backend = &svm;
	svm_set_state(&vcpu, LODGE_GROUP_MSRS);
	EXPECT_EQ(0U, svm.entry.own_spec_ctrl);
	EXPECT_EQ(0U, svm.entry.guest_spec_ctrl);
	free(vmcb);
}

TEST_HARNESS_MAIN
