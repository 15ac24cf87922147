// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of a machine check that ends a guest's run: the host's handler is called at
 * once, as for one in a program, and the guest does not notice.
 */
#include "kernel_vendor.h"

#include "kselftest_harness.h"

/* Included after the system's headers, with which <asm/vmx.h> shares names. */
#include "svm/erratum.h"
#include "svm/svm.h"
#include "vmx/vmx.h"

struct vmx_caps vmx_caps;

/* The arguments of the last call of the host's handler. */
static struct {
	unsigned int calls;
	struct pt_regs regs;
} host;

void lodge_host_machine_check(struct pt_regs *regs)
{
	host.calls++;
	host.regs = *regs;
}

static bool guests_own;

bool svm_erratum_take(void)
{
	return guests_own;
}

/* The fields of the VMCS that are used here. */
static struct {
	u32 reason;
	u32 event;
	u32 vectoring;
} vmcs;

u64 vmx_read(u32 field)
{
	switch (field) {
	case VM_EXIT_REASON:
		return vmcs.reason;
	case VM_EXIT_INTR_INFO:
		return vmcs.event;
	case IDT_VECTORING_INFO_FIELD:
		return vmcs.vectoring;
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
	event->type = LODGE_EVENT_EXTERNAL;
}

void vmx_event_iret(struct vmx_vcpu *vmx)
{
}

void svm_event_interrupted(struct lodge_vcpu *vcpu, struct lodge_event *event)
{
	event->type = LODGE_EVENT_EXTERNAL;
}

void svm_event_iret(struct lodge_vcpu *vcpu)
{
}

bool svm_event_step_done(struct lodge_vcpu *vcpu)
{
	return false;
}

FIXTURE(machine_check)
{
	struct lodge_vcpu *vcpu;
	struct svm_vmcb *vmcb;
	struct svm_vcpu svm;
	struct vmx_vcpu vmx;
	struct lodge_vmexit exit;
};

FIXTURE_SETUP(machine_check)
{
	memset(&host, 0, sizeof(host));
	memset(&vmcs, 0, sizeof(vmcs));
	guests_own = false;
	memset(&self->svm, 0, sizeof(self->svm));
	memset(&self->vmx, 0, sizeof(self->vmx));
	self->vcpu = calloc(1, sizeof(*self->vcpu));
	self->vmcb = calloc(1, sizeof(*self->vmcb));
	ASSERT_TRUE(self->vcpu && self->vmcb);
	self->svm.vmcb = self->vmcb;
}

FIXTURE_TEARDOWN(machine_check)
{
	free(self->vmcb);
	free(self->vcpu);
}

/*
 * True if the handler was called as for a program, whatever the guest ran: it may end
 * the thread, but not the host.
 */
static bool host_heard_of_a_program(void)
{
	return host.calls == 1 && (host.regs.cs & 3) == 3 &&
	       host.regs.flags & X86_EFLAGS_IF && !host.regs.ip;
}

static void svm_exits(FIXTURE_DATA(machine_check) * self, u32 code)
{
	self->vcpu->backend = &self->svm;
	self->vmcb->control.exit_code = code;
	svm_exit_translate(self->vcpu, &self->exit);
}

static void vmx_exits(FIXTURE_DATA(machine_check) * self, u32 reason, u32 event)
{
	self->vcpu->backend = &self->vmx;
	self->vmx.reason = reason;
	vmcs.event = event;
	vmx_exit_translate(self->vcpu, &self->exit);
}

#define VMX_EVENT(vector) \
	(INTR_INFO_VALID_MASK | INTR_TYPE_HARD_EXCEPTION | (vector))
#define VMX_REFUSED 0x80000000U

TEST_F(machine_check, on_amd_v_is_the_hosts)
{
	svm_exits(self, SVM_EXIT_EXCP_BASE + X86_TRAP_MC);
	EXPECT_TRUE(host_heard_of_a_program());
	EXPECT_EQ(LODGE_VMEXIT_HOST_EVENT, self->exit.kind);
}

TEST_F(machine_check, of_the_guests_own_making_ends_the_guest_alone)
{
	guests_own = true;
	svm_exits(self, SVM_EXIT_EXCP_BASE + X86_TRAP_MC);
	EXPECT_EQ(0U, host.calls);
	EXPECT_EQ(LODGE_VMEXIT_SHUTDOWN, self->exit.kind);
}

TEST_F(machine_check, on_vt_x_is_the_hosts)
{
	vmx_exits(self, EXIT_REASON_EXCEPTION_NMI, VMX_EVENT(X86_TRAP_MC));
	EXPECT_TRUE(host_heard_of_a_program());
	EXPECT_EQ(LODGE_VMEXIT_HOST_EVENT, self->exit.kind);
}

/* Intel SDM vol. 3, section 27.9: the exit only tells that the entry has failed. */
TEST_F(machine_check, in_an_entry_of_vt_x_is_the_hosts)
{
	vmx_exits(self, VMX_REFUSED | EXIT_REASON_MCE_DURING_VMENTRY, 0);
	EXPECT_TRUE(host_heard_of_a_program());
	EXPECT_EQ(LODGE_VMEXIT_INVALID, self->exit.kind);
	EXPECT_FALSE(self->vmx.vmcs.launched);
}

TEST_F(machine_check, in_a_delivery_does_not_lose_the_event)
{
	self->vmcb->control.exit_int_info = SVM_EXITINTINFO_VALID;
	svm_exits(self, SVM_EXIT_EXCP_BASE + X86_TRAP_MC);
	EXPECT_EQ(LODGE_EVENT_EXTERNAL, self->exit.interrupted.type);
	vmcs.vectoring = VECTORING_INFO_VALID_MASK;
	vmx_exits(self, EXIT_REASON_EXCEPTION_NMI, VMX_EVENT(X86_TRAP_MC));
	EXPECT_EQ(LODGE_EVENT_EXTERNAL, self->exit.interrupted.type);
	EXPECT_EQ(2U, host.calls);
}

TEST_F(machine_check, is_what_nothing_else_is)
{
	svm_exits(self, SVM_EXIT_EXCP_BASE + X86_TRAP_AC);
	EXPECT_EQ(LODGE_VMEXIT_EXCEPTION, self->exit.kind);
	vmx_exits(self, EXIT_REASON_EXCEPTION_NMI, VMX_EVENT(X86_TRAP_AC));
	EXPECT_EQ(LODGE_VMEXIT_EXCEPTION, self->exit.kind);
	vmx_exits(self, VMX_REFUSED | EXIT_REASON_INVALID_STATE, 0);
	EXPECT_EQ(LODGE_VMEXIT_INVALID, self->exit.kind);
	EXPECT_EQ(0U, host.calls);
}

TEST_HARNESS_MAIN
