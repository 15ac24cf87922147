// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of what VT-x's exit says of an access to a device: where the next instruction
 * starts, if the processor can be relied on for that.
 */
#include "kernel_vendor.h"

#include "kselftest_harness.h"

/* Included after the system's headers, with which <asm/vmx.h> shares names. */
#include "svm/erratum.h"
#include "svm/svm.h"
#include "vmx/vmx.h"

#define RIP 0x1000U
#define GPA 0xd0000000U

struct vmx_caps vmx_caps;

/* The fields of the VMCS that are used here. */
static struct {
	u64 gpa;
	u64 qualification;
	u32 length;
	u32 code;
} vmcs;

u64 vmx_read(u32 field)
{
	switch (field) {
	case GUEST_PHYSICAL_ADDRESS:
		return vmcs.gpa;
	case EXIT_QUALIFICATION:
		return vmcs.qualification;
	case VM_EXIT_INSTRUCTION_LEN:
		return vmcs.length;
	case GUEST_CS_AR_BYTES:
		return vmcs.code;
	default:
		return 0;
	}
}

void vmx_vmcs_begin(struct vmx_vmcs *vmcs)
{
}

void vmx_vmcs_end(void)
{
}

void vmx_event_interrupted(struct lodge_vcpu *vcpu, u32 info,
			   struct lodge_event *event)
{
}

void vmx_event_iret(struct vmx_vcpu *vmx)
{
}

void svm_event_interrupted(struct lodge_vcpu *vcpu, struct lodge_event *event)
{
}

void svm_event_iret(struct lodge_vcpu *vcpu)
{
}

bool svm_event_step_done(struct lodge_vcpu *vcpu)
{
	return false;
}

bool svm_erratum_take(void)
{
	return false;
}

void lodge_host_machine_check(struct pt_regs *regs)
{
}

FIXTURE(vmx_exit)
{
	struct lodge_vcpu *vcpu;
	struct vmx_vcpu vmx;
	struct lodge_vmexit exit;
};

FIXTURE_SETUP(vmx_exit)
{
	memset(&vmcs, 0, sizeof(vmcs));
	memset(&self->vmx, 0, sizeof(self->vmx));
	kernel_is_guest = false;
	self->vcpu = calloc(1, sizeof(*self->vcpu));
	ASSERT_TRUE(self->vcpu);
	self->vcpu->backend = &self->vmx;
	self->vcpu->regs.general.rip = RIP;
	vmcs.gpa = GPA;
	vmcs.length = 3;
}

FIXTURE_TEARDOWN(vmx_exit)
{
	free(self->vcpu);
}

static void leaves(FIXTURE_DATA(vmx_exit) * self, u32 reason)
{
	self->vmx.reason = reason;
	vmx_exit_translate(self->vcpu, &self->exit);
}

TEST_F(vmx_exit, of_a_device_says_where_the_next_instruction_starts)
{
	leaves(self, EXIT_REASON_EPT_MISCONFIG);
	EXPECT_EQ(LODGE_VMEXIT_FAULT, self->exit.kind);
	EXPECT_TRUE(self->exit.fault.device);
	EXPECT_EQ(GPA, self->exit.fault.gpa);
	EXPECT_EQ(RIP + 3, self->exit.next_rip);
}

/* A hypervisor below need not write the length. */
TEST_F(vmx_exit, of_a_device_does_not_where_the_host_is_a_guest)
{
	kernel_is_guest = true;
	leaves(self, EXIT_REASON_EPT_MISCONFIG);
	EXPECT_TRUE(self->exit.fault.device);
	EXPECT_EQ(0U, self->exit.next_rip);
	/* But the length of what only an instruction causes. */
	leaves(self, EXIT_REASON_CPUID);
	EXPECT_EQ(RIP + 3, self->exit.next_rip);
}

TEST_F(vmx_exit, of_memory_does_not)
{
	vmcs.qualification = BIT(1);
	leaves(self, EXIT_REASON_EPT_VIOLATION);
	EXPECT_FALSE(self->exit.fault.device);
	EXPECT_EQ(0U, self->exit.next_rip);
}

TEST_HARNESS_MAIN
