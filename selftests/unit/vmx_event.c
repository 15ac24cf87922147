// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of VT-x's event delivery: when NMIs are blocked on processors without virtual
 * NMIs, and the word that injects each event.  See vmx/event.c.
 *
 * Intel SDM vol. 3, section 25.8.3.
 */
#include "kernel_vmx.h"

#include "kselftest_harness.h"

/* Included after the system's headers, with which <asm/vmx.h> shares names. */
#include "vmx/vmx.h"

struct kernel_cpu kernel_cpu;
struct task_struct kernel_thread;
struct vmx_caps vmx_caps;
struct lodge_vcpu *lodge_run_loaded;

/* What was written to the VMCS. */
static u32 info, error, controls;

u64 vmx_read(u32 field)
{
	return 0;
}

void vmx_write(u32 field, u64 value)
{
	if (field == VM_ENTRY_INTR_INFO_FIELD)
		info = value;
	else if (field == VM_ENTRY_EXCEPTION_ERROR_CODE)
		error = value;
	else if (field == CPU_BASED_VM_EXEC_CONTROL)
		controls = value;
}

void vmx_vmcs_begin(struct vmx_vmcs *vmcs)
{
}

void vmx_vmcs_end(void)
{
}

FIXTURE(vmx_event)
{
	struct lodge_vcpu vcpu;
	struct vmx_vcpu vmx;
};

FIXTURE_SETUP(vmx_event)
{
	memset(self, 0, sizeof(*self));
	memset(&vmx_caps, 0, sizeof(vmx_caps));
	info = error = controls = 0;
	self->vcpu.backend = &self->vmx;
	self->vcpu.regs.general.rflags = X86_EFLAGS_IF;
}

FIXTURE_TEARDOWN(vmx_event)
{
}

/* As event.c hands an event over. */
static void give(FIXTURE_DATA(vmx_event) * self, struct lodge_event event)
{
	self->vcpu.delivery.in_flight = event;
	vmx_inject(&self->vcpu, &self->vcpu.delivery.in_flight);
}

/* The guest was entered, and left with this RFLAGS. */
static void enter(FIXTURE_DATA(vmx_event) * self, u64 rflags)
{
	self->vcpu.delivery.in_flight.type = LODGE_EVENT_NONE;
	self->vcpu.regs.general.rflags = rflags;
}

static bool blocks_nmis(FIXTURE_DATA(vmx_event) * self)
{
	return vmx_interruptibility(&self->vcpu) & LODGE_EVENT_NMI_BLOCKED;
}

static const struct lodge_event nmi = { .type = LODGE_EVENT_NMI, .vector = 2 };

TEST_F(vmx_event, an_nmi_in_flight_blocks_the_next_though_interrupts_are_let_in)
{
	give(self, nmi);
	EXPECT_TRUE(blocks_nmis(self));
	/* Whoever asks again before the entry is told the same. */
	EXPECT_TRUE(blocks_nmis(self));
}

TEST_F(vmx_event, an_nmi_handler_blocks_the_next_until_it_lets_interrupts_in)
{
	give(self, nmi);
	enter(self, 0);
	EXPECT_TRUE(blocks_nmis(self));
	enter(self, X86_EFLAGS_IF);
	EXPECT_FALSE(blocks_nmis(self));
	enter(self, 0);
	EXPECT_FALSE(blocks_nmis(self));
}

TEST_F(vmx_event, a_shadow_of_sti_does_not_end_an_nmi_handler)
{
	give(self, nmi);
	enter(self, X86_EFLAGS_IF);
	self->vmx.interruptibility = GUEST_INTR_STATE_STI;
	EXPECT_TRUE(blocks_nmis(self));
	self->vmx.interruptibility = 0;
	EXPECT_FALSE(blocks_nmis(self));
}

TEST_F(vmx_event, an_nmi_that_is_taken_back_blocks_none)
{
	const struct lodge_event none = { .type = LODGE_EVENT_NONE };

	self->vcpu.regs.general.rflags = 0;
	give(self, nmi);
	give(self, none);
	EXPECT_EQ(0U, info);
	EXPECT_FALSE(blocks_nmis(self));
}

TEST_F(vmx_event, with_virtual_nmis_the_processor_knows)
{
	vmx_caps.pin = PIN_BASED_VIRTUAL_NMIS;
	give(self, nmi);
	EXPECT_FALSE(blocks_nmis(self));
	self->vmx.interruptibility = GUEST_INTR_STATE_NMI;
	EXPECT_TRUE(blocks_nmis(self));
}

TEST_F(vmx_event, each_event_has_its_type_in_the_word)
{
	const struct lodge_event fault = { .type = LODGE_EVENT_FAULT,
					   .vector = 13,
					   .has_error = true,
					   .error = 0x28 };
	const struct lodge_event interrupt = { .type = LODGE_EVENT_EXTERNAL,
					       .vector = 0x41 };

	give(self, nmi);
	EXPECT_EQ(0x80000202U, info);
	give(self, interrupt);
	EXPECT_EQ(0x80000041U, info);
	give(self, fault);
	EXPECT_EQ(0x80000b0dU, info);
	EXPECT_EQ(0x28U, error);
}

TEST_F(vmx_event, without_virtual_nmis_their_window_is_that_of_interrupts)
{
	vmx_window(&self->vcpu, LODGE_BLOCK_NMI);
	EXPECT_EQ(CPU_BASED_INTR_WINDOW_EXITING, controls);
	vmx_window(&self->vcpu, 0);
	EXPECT_EQ(0U, controls);
	vmx_caps.pin = PIN_BASED_VIRTUAL_NMIS;
	vmx_window(&self->vcpu, LODGE_BLOCK_NMI);
	EXPECT_EQ(CPU_BASED_NMI_WINDOW_EXITING, controls);
	/* It may open in the shadow of STI, where that of interrupts does not. */
	self->vmx.interruptibility = GUEST_INTR_STATE_STI;
	vmx_window(&self->vcpu, LODGE_BLOCK_NMI);
	EXPECT_EQ(CPU_BASED_INTR_WINDOW_EXITING, controls);
}

TEST_HARNESS_MAIN
