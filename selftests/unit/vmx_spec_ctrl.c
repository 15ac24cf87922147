// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the MSR SPEC_CTRL of VT-x guests: when a guest accesses it without an exit,
 * its value in the guest's state, and the host's value at each entry.  See vmx/state.c,
 * vmx/bitmap.c and vmx/run.c.
 */
#include "kernel_vmx.h"

#include "kselftest_harness.h"

/* Included after the system's headers, with which <asm/vmx.h> shares names. */
#include "vmx/vmx.h"

#define IBRS BIT(0)
#define STIBP BIT(1)
#define SSBD BIT(2)

/* Bits of an MSR bitmap: reads of low and high MSRs, then writes of them. */
#define READ_LOW 0
#define READ_HIGH (8192 * 1)
#define WRITE_LOW (8192 * 2)
#define WRITE_HIGH (8192 * 3)

struct kernel_cpu kernel_cpu;
struct task_struct kernel_thread;
u64 x86_spec_ctrl_current;
u64 lodge_host_cr4;
u64 lodge_tsc_moved;

u64 rdtsc(void)
{
	return 0;
}
struct vmx_caps vmx_caps;
struct vmx_cpu vmx_cpu;
struct lodge_vcpu *lodge_run_loaded;
bool vmx_flush_wanted;
bool vmx_flush_always;

/* The VMCS's field of the bitmap, and how often it was written. */
static u64 bitmap;
static unsigned int bitmap_writes;
/* The value with which the guest was entered, the host's, and the guest's next one. */
static u32 entered_with, host_value;
static u32 guest_writes;
static bool has_no_page;

void *kernel_pages(unsigned int order)
{
	return has_no_page ? NULL : calloc(1, PAGE_SIZE << order);
}

u64 vmx_read(u32 field)
{
	return 0;
}

void vmx_write(u32 field, u64 value)
{
	if (field != MSR_BITMAP)
		return;
	bitmap = value;
	bitmap_writes++;
}

void vmx_vmcs_begin(struct vmx_vmcs *vmcs)
{
}

void vmx_vmcs_end(void)
{
}

void vmx_load_syscall(struct lodge_vcpu *vcpu)
{
}

void vmx_flush(struct lodge_vcpu *vcpu)
{
}

void vmx_vpid_prepare(struct lodge_vcpu *vcpu, struct vmx_cpu *cpu)
{
}

void vmx_exit_translate(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit)
{
}

const struct perf_guest_switch_msr *lodge_perf_guest_msrs(int *count)
{
	return NULL;
}

/* As entry.S: an exit notes the guest's value only if the guest can have changed it. */
bool vmx_enter(struct vmx_entry *entry)
{
	entered_with = entry->guest_spec_ctrl;
	host_value = entry->host_spec_ctrl;
	if (entry->own_spec_ctrl)
		entry->guest_spec_ctrl = guest_writes;
	return true;
}

FIXTURE(spec_ctrl)
{
	struct lodge_vcpu vcpu;
	struct vmx_vcpu vmx;
};

FIXTURE_SETUP(spec_ctrl)
{
	memset(self, 0, sizeof(*self));
	memset(&kernel_cpu, 0, sizeof(kernel_cpu));
	kernel_cpu.features = BIT(X86_FEATURE_MSR_SPEC_CTRL);
	has_no_page = false;
	ASSERT_EQ(0, vmx_bitmap_init());
	vmx_caps.proc = CPU_BASED_USE_MSR_BITMAPS;
	vmx_caps.switches_efer = true;
	bitmap = vmx_bitmap_msr(false);
	bitmap_writes = 0;
	guest_writes = 0;
	self->vcpu.backend = &self->vmx;
	self->vcpu.features.spec_ctrl_bits = IBRS | STIBP;
}

FIXTURE_TEARDOWN(spec_ctrl)
{
	vmx_bitmap_exit();
}

static void set(FIXTURE_DATA(spec_ctrl) * self, u64 value)
{
	self->vcpu.regs.msrs.spec_ctrl = value;
	vmx_set_state(&self->vcpu, LODGE_GROUP_MSRS);
}

static u64 get(FIXTURE_DATA(spec_ctrl) * self)
{
	self->vcpu.regs.msrs.spec_ctrl = ~0ULL;
	vmx_get_state(&self->vcpu, LODGE_GROUP_MSRS);
	return self->vcpu.regs.msrs.spec_ctrl;
}

/* The guest runs until its next exit, and writes @value if it can. */
static void run(FIXTURE_DATA(spec_ctrl) * self, u32 value)
{
	struct lodge_vmexit exit;

	guest_writes = value;
	vmx_run(&self->vcpu, &exit, false);
}

TEST_F(spec_ctrl, exits_at_each_write_until_it_holds_something)
{
	set(self, 0);
	EXPECT_EQ(vmx_bitmap_msr(false), bitmap);
	EXPECT_FALSE(self->vmx.entry.own_spec_ctrl);
	run(self, IBRS);
	EXPECT_EQ(0ULL, get(self));
}

TEST_F(spec_ctrl, is_the_guests_own_from_its_first_value_on)
{
	set(self, IBRS);
	EXPECT_EQ(vmx_bitmap_msr(true), bitmap);
	EXPECT_TRUE(self->vmx.entry.own_spec_ctrl);
	run(self, IBRS);
	EXPECT_EQ(IBRS, entered_with);
	EXPECT_EQ(IBRS, get(self));
	set(self, 0);
	set(self, STIBP);
	set(self, 0);
	/* It stays so, and the field is written once. */
	EXPECT_EQ(vmx_bitmap_msr(true), bitmap);
	EXPECT_EQ(1U, bitmap_writes);
	EXPECT_TRUE(self->vmx.entry.own_spec_ctrl);
	run(self, 0);
	EXPECT_EQ(0U, entered_with);
	EXPECT_EQ(0ULL, get(self));
}

TEST_F(spec_ctrl, is_read_back_as_the_guest_left_it)
{
	set(self, IBRS);
	run(self, STIBP);
	EXPECT_EQ(STIBP, get(self));
	/* The guest finds it again. */
	run(self, 0);
	EXPECT_EQ(STIBP, entered_with);
	EXPECT_EQ(0ULL, get(self));
}

TEST_F(spec_ctrl, has_no_bits_that_the_guests_cpuid_does_not_announce)
{
	set(self, IBRS);
	run(self, IBRS | SSBD);
	EXPECT_EQ(IBRS, get(self));
}

TEST_F(spec_ctrl, of_the_host_is_what_the_thread_has_at_each_entry)
{
	x86_spec_ctrl_current = SSBD;
	run(self, 0);
	EXPECT_EQ(SSBD, host_value);
	x86_spec_ctrl_current = IBRS | SSBD;
	run(self, 0);
	EXPECT_EQ(IBRS | SSBD, host_value);
	x86_spec_ctrl_current = 0;
	run(self, 0);
	EXPECT_EQ(0U, host_value);
}

TEST_F(spec_ctrl, exits_at_each_write_on_a_processor_without_bitmaps)
{
	vmx_caps.proc = 0;
	set(self, IBRS);
	EXPECT_EQ(0U, bitmap_writes);
	EXPECT_FALSE(self->vmx.entry.own_spec_ctrl);
	run(self, 0);
	EXPECT_EQ(IBRS, entered_with);
	EXPECT_EQ(IBRS, get(self));
}

TEST_F(spec_ctrl, is_none_of_a_processor_without_the_register)
{
	kernel_cpu.features = 0;
	x86_spec_ctrl_current = SSBD;
	set(self, IBRS);
	EXPECT_EQ(0U, bitmap_writes);
	EXPECT_FALSE(self->vmx.entry.own_spec_ctrl);
	run(self, 0);
	EXPECT_EQ(0U, entered_with);
	EXPECT_EQ(0U, host_value);
}

static bool is_open(u64 map, unsigned int bit)
{
	return !((((u64 *)map)[bit / 64] >> bit % 64) & 1);
}

TEST_F(spec_ctrl, is_all_that_the_two_bitmaps_differ_in)
{
	const u64 closed = vmx_bitmap_msr(false), open = vmx_bitmap_msr(true);
	unsigned int bit, nr = 0;

	for (bit = 0; bit < 8 * PAGE_SIZE; bit++) {
		nr += is_open(closed, bit);
		if (bit == READ_LOW + MSR_IA32_SPEC_CTRL ||
		    bit == WRITE_LOW + MSR_IA32_SPEC_CTRL) {
			EXPECT_FALSE(is_open(closed, bit));
			EXPECT_TRUE(is_open(open, bit));
		} else {
			EXPECT_EQ(is_open(closed, bit), is_open(open, bit));
		}
	}
	/* Three bases and three registers of SYSENTER: reads and writes. */
	EXPECT_EQ(12U, nr);
	EXPECT_TRUE(is_open(closed, READ_LOW + MSR_IA32_SYSENTER_EIP));
	EXPECT_TRUE(is_open(closed, WRITE_LOW + MSR_IA32_SYSENTER_CS));
	EXPECT_TRUE(is_open(closed, READ_HIGH + (MSR_FS_BASE & 0x1fff)));
	EXPECT_TRUE(
		is_open(closed, WRITE_HIGH + (MSR_KERNEL_GS_BASE & 0x1fff)));
}

TEST(there_are_no_bitmaps_without_memory)
{
	has_no_page = true;
	EXPECT_EQ(-ENOMEM, vmx_bitmap_init());
	EXPECT_EQ(0ULL, vmx_bitmap_msr(false));
	EXPECT_EQ(0ULL, vmx_bitmap_msr(true));
}

TEST_HARNESS_MAIN
