// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of enabling and disabling AMD-V on a fake CPU, with any state that another
 * kernel may have left there.
 */
#include "kernel_cpu.h"

#include "kselftest_harness.h"

#define HOST_SAVE 0x5000UL
#define FOUND_HSAVE 0x7000UL

struct kernel_cpu kernel_cpu;
struct task_struct kernel_thread;
struct svm_cpu svm_cpu;

/* Number of MSR writes before STGI. */
static unsigned int writes_at_stgi;
static bool gif;
static bool predicts_less;
static unsigned int errata;
static unsigned int asids;

void kernel_gif(bool on)
{
	gif = on;
	writes_at_stgi = kernel_cpu.writes;
}

void lodge_predict_less(bool on)
{
	predicts_less = on;
}

void svm_erratum_cpu_enable(void)
{
	errata++;
}

void svm_asid_cpu_init(struct svm_cpu *cpu)
{
	asids++;
}

FIXTURE(svm_cpu){};

FIXTURE_SETUP(svm_cpu)
{
	memset(&kernel_cpu, 0, sizeof(kernel_cpu));
	memset(&svm_cpu, 0, sizeof(svm_cpu));
	kernel_cpu.features = BIT(X86_FEATURE_TSCRATEMSR);
	*kernel_msr(MSR_EFER) = 0xd01;
	*kernel_msr(MSR_VM_HSAVE_PA) = FOUND_HSAVE;
	*kernel_msr(MSR_AMD64_TSC_RATIO) = 0x80000000;
	svm_cpu.host_save = (void *)HOST_SAVE;
	gif = true;
	errata = 0;
	asids = 0;
}

FIXTURE_TEARDOWN(svm_cpu)
{
}

TEST_F(svm_cpu, is_made_ready_for_guests)
{
	svm_cpu.vcpu = (void *)1;
	ASSERT_EQ(0, svm_cpu_enable());
	EXPECT_EQ(0xd01 | EFER_SVME, *kernel_msr(MSR_EFER));
	EXPECT_EQ(HOST_SAVE, *kernel_msr(MSR_VM_HSAVE_PA));
	EXPECT_TRUE(predicts_less);
	EXPECT_EQ(1U, errata);
	EXPECT_EQ(1U, asids);
	EXPECT_EQ(NULL, svm_cpu.vcpu);
	EXPECT_TRUE(svm_cpu_busy());
}

/* A kernel that has crashed may have left another TSC ratio for its guests. */
TEST_F(svm_cpu, lets_guests_count_time_at_the_processors_rate)
{
	ASSERT_EQ(0, svm_cpu_enable());
	EXPECT_EQ(SVM_TSC_RATIO_DEFAULT, *kernel_msr(MSR_AMD64_TSC_RATIO));
}

TEST_F(svm_cpu, is_not_asked_for_a_rate_that_it_does_not_have)
{
	unsigned int i;

	kernel_cpu.features = 0;
	ASSERT_EQ(0, svm_cpu_enable());
	for (i = 0; i < kernel_cpu.writes; i++)
		EXPECT_NE(MSR_AMD64_TSC_RATIO, kernel_cpu.written[i]);
}

TEST_F(svm_cpu, that_another_hypervisor_has_is_left_alone)
{
	*kernel_msr(MSR_EFER) |= EFER_SVME;
	EXPECT_TRUE(svm_cpu_busy());
	EXPECT_EQ(-EBUSY, svm_cpu_enable());
	EXPECT_EQ(0U, kernel_cpu.writes);
}

TEST_F(svm_cpu, whose_firmware_has_locked_it_is_left_alone)
{
	kernel_cpu.locked = true;
	EXPECT_EQ(-EIO, svm_cpu_enable());
	EXPECT_EQ(0U, kernel_cpu.writes);
}

TEST_F(svm_cpu, is_given_back_as_it_was_found)
{
	ASSERT_EQ(0, svm_cpu_enable());
	svm_cpu_disable();
	EXPECT_EQ(0xd01, *kernel_msr(MSR_EFER));
	EXPECT_EQ(FOUND_HSAVE, *kernel_msr(MSR_VM_HSAVE_PA));
	EXPECT_FALSE(predicts_less);
}

/* STGI is undefined once AMD-V is off. */
TEST_F(svm_cpu, lets_interrupts_in_before_it_is_switched_off)
{
	ASSERT_EQ(0, svm_cpu_enable());
	gif = false;
	kernel_cpu.writes = 0;
	svm_cpu_disable();
	EXPECT_TRUE(gif);
	EXPECT_EQ(0U, writes_at_stgi);
	EXPECT_EQ(MSR_EFER, kernel_cpu.written[kernel_cpu.writes - 1]);
}

TEST_F(svm_cpu, that_somebody_has_switched_off_is_left_alone)
{
	gif = false;
	svm_cpu_disable();
	EXPECT_EQ(0U, kernel_cpu.writes);
	EXPECT_FALSE(gif);
}

TEST_HARNESS_MAIN
