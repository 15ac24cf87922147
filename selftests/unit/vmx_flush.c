// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the entries on VT-x that flush the L1 data cache or the processor's buffers,
 * by the command or by reading, on fake processors.
 */
#include "kernel_cpu.h"

#include "kselftest_harness.h"

#include "vm.h"
#include "vmx/vmx.h"

struct kernel_cpu kernel_cpu;
struct task_struct kernel_thread;
enum l1tf_mitigations l1tf_mitigation;
bool kernel_interrupted;

static bool stale_data;
static unsigned int buffers_cleared;
static unsigned int caches_read;
static unsigned char *cache_buffer;

bool lodge_host_has_stale_data(void)
{
	return stale_data;
}

void x86_clear_cpu_buffers(void)
{
	buffers_cleared++;
}

void *kernel_pages(unsigned int order)
{
	cache_buffer = calloc(1, PAGE_SIZE << order);
	return cache_buffer;
}

void vmx_flush_l1d(const void *buffer)
{
	if (buffer == cache_buffer)
		caches_read++;
}

FIXTURE(flush)
{
	struct lodge_vm vm;
	struct lodge_vcpu vcpu;
	struct vmx_vcpu vmx;
};

/* The processor has L1TF and the command; the host has the default policy. */
FIXTURE_SETUP(flush)
{
	memset(self, 0, sizeof(*self));
	memset(&kernel_cpu, 0, sizeof(kernel_cpu));
	memset(&kernel_thread, 0, sizeof(kernel_thread));
	kernel_cpu.features = BIT(X86_BUG_L1TF) | BIT(X86_FEATURE_FLUSH_L1D) |
			      BIT(X86_FEATURE_ARCH_CAPABILITIES);
	l1tf_mitigation = L1TF_MITIGATION_FLUSH;
	kernel_interrupted = false;
	stale_data = false;
	buffers_cleared = 0;
	caches_read = 0;
	self->vcpu.vm = &self->vm;
	self->vcpu.backend = &self->vmx;
}

FIXTURE_TEARDOWN(flush)
{
	vmx_flush_teardown();
}

/* True if the next entry flushes the L1 data cache by the command. */
static bool commands(FIXTURE_DATA(flush) * self)
{
	unsigned int before = kernel_cpu.writes;

	kernel_cpu.msr[MSR_IA32_FLUSH_CMD] = 0;
	vmx_flush(&self->vcpu);
	return kernel_cpu.writes == before + 1 &&
	       kernel_cpu.msr[MSR_IA32_FLUSH_CMD] == L1D_FLUSH;
}

/* True if the next entry flushes nothing. */
static bool nothing(FIXTURE_DATA(flush) * self)
{
	unsigned int writes = kernel_cpu.writes, cleared = buffers_cleared;
	unsigned int read = caches_read;

	vmx_flush(&self->vcpu);
	return kernel_cpu.writes == writes && buffers_cleared == cleared &&
	       caches_read == read;
}

TEST_F(flush, comes_once_after_the_vcpu_was_loaded)
{
	ASSERT_EQ(0, vmx_flush_setup());
	self->vmx.used = true;
	EXPECT_TRUE(commands(self));
	EXPECT_TRUE(nothing(self));
}

TEST_F(flush, comes_once_after_the_kernel_worked_for_the_guest)
{
	ASSERT_EQ(0, vmx_flush_setup());
	self->vcpu.host_worked = true;
	EXPECT_TRUE(commands(self));
	EXPECT_TRUE(nothing(self));
}

TEST_F(flush, comes_once_after_an_interrupt)
{
	ASSERT_EQ(0, vmx_flush_setup());
	kernel_interrupted = true;
	EXPECT_TRUE(commands(self));
	EXPECT_TRUE(nothing(self));
}

TEST_F(flush, comes_once_after_another_thread_had_the_cpu)
{
	ASSERT_EQ(0, vmx_flush_setup());
	kernel_thread.nvcsw++;
	EXPECT_TRUE(commands(self));
	EXPECT_TRUE(nothing(self));
	kernel_thread.nivcsw++;
	EXPECT_TRUE(commands(self));
	EXPECT_TRUE(nothing(self));
}

TEST_F(flush, comes_at_each_entry_under_the_strictest_policy)
{
	l1tf_mitigation = L1TF_MITIGATION_FULL;
	ASSERT_EQ(0, vmx_flush_setup());
	EXPECT_TRUE(commands(self));
	EXPECT_TRUE(commands(self));
	l1tf_mitigation = L1TF_MITIGATION_FULL_FORCE;
	ASSERT_EQ(0, vmx_flush_setup());
	EXPECT_TRUE(commands(self));
}

TEST_F(flush, is_done_by_reading_where_there_is_no_command)
{
	unsigned int i, last = VMX_L1D_SIZE / PAGE_SIZE - 1;

	kernel_cpu.features &= ~BIT(X86_FEATURE_FLUSH_L1D);
	ASSERT_EQ(0, vmx_flush_setup());
	self->vmx.used = true;
	vmx_flush(&self->vcpu);
	EXPECT_EQ(1U, caches_read);
	EXPECT_EQ(0U, kernel_cpu.writes);
	EXPECT_TRUE(nothing(self));
	/* All pages must differ. */
	for (i = 0; i < last; i++)
		EXPECT_NE(cache_buffer[i * PAGE_SIZE],
			  cache_buffer[(i + 1) * PAGE_SIZE]);
}

static void all_used(FIXTURE_DATA(flush) * self)
{
	self->vmx.used = true;
	self->vcpu.host_worked = true;
	kernel_interrupted = true;
	kernel_thread.nvcsw++;
}

TEST_F(flush, is_not_for_a_processor_without_the_bug)
{
	kernel_cpu.features &= ~BIT(X86_BUG_L1TF);
	ASSERT_EQ(0, vmx_flush_setup());
	all_used(self);
	EXPECT_TRUE(nothing(self));
}

TEST_F(flush, is_not_made_where_the_policy_is_off)
{
	l1tf_mitigation = L1TF_MITIGATION_OFF;
	ASSERT_EQ(0, vmx_flush_setup());
	all_used(self);
	EXPECT_TRUE(nothing(self));
}

/* The hypervisor below flushes instead. */
TEST_F(flush, is_not_made_where_the_processor_says_that_an_entry_needs_none)
{
	kernel_cpu.msr[MSR_IA32_ARCH_CAPABILITIES] =
		ARCH_CAP_SKIP_VMENTRY_L1DFLUSH;
	ASSERT_EQ(0, vmx_flush_setup());
	all_used(self);
	EXPECT_TRUE(nothing(self));
}

TEST_F(flush, of_buffers_is_for_vms_with_a_devices_memory)
{
	kernel_cpu.features &= ~BIT(X86_BUG_L1TF);
	stale_data = true;
	ASSERT_EQ(0, vmx_flush_setup());
	EXPECT_TRUE(nothing(self));
	self->vm.has_mmio = true;
	vmx_flush(&self->vcpu);
	vmx_flush(&self->vcpu);
	EXPECT_EQ(2U, buffers_cleared);
}

TEST_HARNESS_MAIN
