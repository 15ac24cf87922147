// SPDX-License-Identifier: GPL-2.0
/*
 * A guest's time stamp counter that has another rate than the host's: by whatever way the
 * guest and the caller look at it, it is the same counter.
 *
 * What is compared with the host's counter lies between two readings of that; no test
 * expects anything of how long something takes.
 */
#include <errno.h>
#include <string.h>
#include <x86intrin.h>

#include "kselftest_harness.h"

#include "guest.h"

#define VECTOR 0x41
#define XAPIC "mov $0xfee00000, %ebx; movl $0x1ff, 0xf0(%rbx);"
#define HERE "out %al, $0x80;"
/* Where the guest has its clock page. */
#define CLOCK 0x50000

FIXTURE(tsc)
{
	struct machine m;
	struct guest_cpu *cpu;
	uint32_t host_khz;
	uint32_t khz;
};

/* The guest's rate is the host's, times and through these. */
FIXTURE_VARIANT(tsc)
{
	uint32_t times;
	uint32_t through;
};

FIXTURE_VARIANT_ADD(tsc, three_times_the_hosts){ .times = 3, .through = 1 };

FIXTURE_VARIANT_ADD(tsc, a_seventh_of_the_hosts){ .times = 1, .through = 7 };

/* AMD's processors cannot show it. */
FIXTURE_VARIANT_ADD(tsc, three_hundred_times_the_hosts){ .times = 300,
							 .through = 1 };

FIXTURE_SETUP(tsc)
{
	struct lodge_info info;

	machine_create(&self->m, 1);
	self->cpu = &self->m.cpu[0];
	ASSERT_EQ(0, lodge_info(self->m.lodge, &info));
	self->host_khz = info.tsc_khz;
	if ((uint64_t)info.tsc_khz * variant->times > UINT32_MAX)
		self->khz = UINT32_MAX;
	else
		self->khz = info.tsc_khz * variant->times / variant->through;
	ASSERT_EQ(0, lodge_tsc_rate_set(self->m.vm, self->khz));
}

FIXTURE_TEARDOWN(tsc)
{
}

static uint64_t scaled(uint64_t ticks, uint32_t khz, uint32_t host_khz)
{
	return (uint64_t)((unsigned __int128)ticks * khz / host_khz);
}

#define READ_TSC "rdtsc; shl $32, %rdx; lea (%rdx,%rax), %rsi;"

CODE(reads, 64, "1: lfence;" READ_TSC HERE "jmp 1b;");

/* What the guest reads, and the host's counter before and after. */
struct reading {
	uint64_t before;
	uint64_t tsc;
	uint64_t after;
};

static bool reads_tsc(struct guest_cpu *cpu, struct reading *reading)
{
	reading->before = __rdtsc();
	if (!cpu_writes(cpu, 0x80))
		return false;
	reading->after = __rdtsc();
	reading->tsc = *cpu_gpr(cpu, LODGE_RSI);
	return true;
}

TEST_F(tsc, runs_at_its_rate)
{
	struct reading first, last;

	cpu_start(self->cpu, LONG64, reads);
	ASSERT_TRUE(reads_tsc(self->cpu, &first));
	for (int i = 0; i < 100; i++)
		ASSERT_TRUE(reads_tsc(self->cpu, &last));
	EXPECT_GE(scaled(last.after - first.before, self->khz, self->host_khz) +
			  1,
		  last.tsc - first.tsc);
	EXPECT_LE(scaled(last.before - first.after, self->khz, self->host_khz),
		  last.tsc - first.tsc + 2);
}

CODE(all_ways, 64,
     READ_TSC "mov %rsi, %r8; mov $0x10, %ecx; rdmsr; shl $32, %rdx;"
	      "lea (%rdx,%rax), %r9;" READ_TSC "mov %rsi, %r10; rdmsr;"
	      "shl $32, %rdx; lea (%rdx,%rax), %r11;" DONE);

TEST_F(tsc, never_goes_back_from_one_way_to_the_other)
{
	cpu_start(self->cpu, LONG64, all_ways);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_LT(0, *cpu_gpr(self->cpu, LODGE_R8));
	EXPECT_LE(*cpu_gpr(self->cpu, LODGE_R8), *cpu_gpr(self->cpu, LODGE_R9));
	EXPECT_LE(*cpu_gpr(self->cpu, LODGE_R9),
		  *cpu_gpr(self->cpu, LODGE_R10));
	EXPECT_LE(*cpu_gpr(self->cpu, LODGE_R10),
		  *cpu_gpr(self->cpu, LODGE_R11));
	EXPECT_LE(*cpu_gpr(self->cpu, LODGE_R11),
		  self->cpu->run->regs.msrs.tsc);
}

CODE(rdtscp, 64,
     "mov $0xc0000103, %ecx; mov $0x123, %eax; xor %edx, %edx; wrmsr;" READ_TSC
     "xor %ecx, %ecx; rdtscp; shl $32, %rdx; lea (%rdx,%rax), %rdi;" DONE);

TEST_F(tsc, is_read_by_rdtscp_too)
{
	if (!(cpu_feature(self->cpu, 0x80000001, 0, 3) & 1 << 27))
		SKIP(return, "the guest's CPUID has no RDTSCP");
	cpu_start(self->cpu, LONG64, rdtscp);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0x123, *cpu_gpr(self->cpu, LODGE_RCX));
	EXPECT_LE(*cpu_gpr(self->cpu, LODGE_RSI),
		  *cpu_gpr(self->cpu, LODGE_RDI));
	EXPECT_LE(*cpu_gpr(self->cpu, LODGE_RDI),
		  self->cpu->run->regs.msrs.tsc);
}

CODE(goes_on, 64,
     "mov $0x10, %ecx; xor %eax, %eax; mov $0x1000, %edx; wrmsr;" READ_TSC DONE);

TEST_F(tsc, goes_on_from_what_is_written)
{
	cpu_start(self->cpu, LONG64, goes_on);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_LE(0x1000ULL << 32, *cpu_gpr(self->cpu, LODGE_RSI));
	EXPECT_LE(*cpu_gpr(self->cpu, LODGE_RSI),
		  self->cpu->run->regs.msrs.tsc);
}

CODE(deadline, 64,
     XAPIC "mov $1000000, %r8d; movl $0x40041, 0x320(%rbx); mfence;" READ_TSC
	   "add %rsi, %r8; mov %r8, %rax; mov %r8, %rdx; shr $32, %rdx;"
	   "mov $0x6e0, %ecx; wrmsr; sti; 1: hlt; jmp 1b;");

CODE(deadline_spins, 64,
     XAPIC "mov $1000000, %r8d; movl $0x40041, 0x320(%rbx); mfence;" READ_TSC
	   "add %rsi, %r8; mov %r8, %rax; mov %r8, %rdx; shr $32, %rdx;"
	   "mov $0x6e0, %ecx; wrmsr; sti; 1: jmp 1b;");

TEST_F(tsc, comes_to_a_deadline_while_the_guest_sleeps)
{
	cpu_start(self->cpu, LONG64, deadline);
	ASSERT_TRUE(cpu_raises(self->cpu, VECTOR, NULL));
	EXPECT_LE(*cpu_gpr(self->cpu, LODGE_R8), self->cpu->run->regs.msrs.tsc);
}

TEST_F(tsc, comes_to_a_deadline_while_the_guest_spins)
{
	cpu_start(self->cpu, LONG64, deadline_spins);
	ASSERT_TRUE(cpu_raises(self->cpu, VECTOR, NULL));
	EXPECT_LE(*cpu_gpr(self->cpu, LODGE_R8), self->cpu->run->regs.msrs.tsc);
}

CODE(clock_page, 64,
     "mov $0x4b564d01, %ecx; mov $0x50001, %eax; xor %edx, %edx; wrmsr;" DONE);

TEST_F(tsc, is_what_kvmclock_goes_by)
{
	unsigned __int128 ns;
	uint32_t mul;
	int8_t shift;

	cpu_start(self->cpu, LONG64, clock_page);
	ASSERT_TRUE(cpu_done(self->cpu));
	mul = *machine_u32(&self->m, CLOCK + 24);
	shift = (int8_t)*machine_u32(&self->m, CLOCK + 28);
	/* Its ticks of a second. */
	ns = (unsigned __int128)self->khz * 1000;
	ns = shift < 0 ? ns >> -shift : ns << shift;
	ns = ns * mul >> 32;
	EXPECT_GE(1000000000, (uint64_t)ns);
	EXPECT_LE(999999000, (uint64_t)ns);
}

CODE(leaf, 64, "mov $0x40000010, %eax; cpuid; mov %rax, %rsi;" DONE);

TEST_F(tsc, has_the_rate_that_cpuid_tells)
{
	cpu_start(self->cpu, LONG64, leaf);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(self->khz, *cpu_gpr(self->cpu, LODGE_RSI));
}

TEST_F(tsc, keeps_its_rate_once_the_guest_has_run)
{
	cpu_start(self->cpu, LONG64, leaf);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(-EBUSY, lodge_tsc_rate_set(self->m.vm, self->host_khz));
	EXPECT_EQ(-EBUSY, lodge_tsc_rate_set(self->m.vm, self->khz));
}

TEST_HARNESS_MAIN
