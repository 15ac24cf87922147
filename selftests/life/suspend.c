// SPDX-License-Identifier: GPL-2.0
/*
 * A host that is suspended to memory while a guest runs: the guest's time goes on
 * where it was, whatever has become of the host's time stamp counter.
 *
 * lodge_life.ko stands for the firmware.  An emulator that does not let the counter
 * be written (QEMU's) shows only that nothing else is lost.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "host.h"
#include "waiting.h"
#include "guest.h"
#include "lib/client.h"

#define MODULE "/tests/life/lodge_life.ko"
#define STATE "/sys/power/state"
#define VARIANT "/sys/power/mem_sleep"
#define ALARM "/sys/class/rtc/rtc0/wakealarm"

/* Words that guest and test exchange: see the code. */
#define LAST (GUEST_DATA + 0x00)
#define LONGEST (GUEST_DATA + 0x08)
#define ROUNDS (GUEST_DATA + 0x10)
#define STOP (GUEST_DATA + 0x18)
/* The guest's clock page, struct pvclock_vcpu_time_info. */
#define CLOCK (GUEST_DATA + 0x100)
#define CLOCK_ENABLED 1

/* In ticks or nanoseconds no step of a guest's time is as long: 13 days or more. */
#define JUMP (1ULL << 50)

/* The longest step from one reading to the next; one backwards is very long. */
CODE(reads, 64,
     "rdtsc; shl $32, %rdx; or %rdx, %rax; mov %rax, 0x50000;"
     "1: rdtsc; shl $32, %rdx; or %rdx, %rax;"
     "mov %rax, %rcx; sub 0x50000, %rcx; mov %rax, 0x50000;"
     "cmp 0x50008, %rcx; jbe 2f; mov %rcx, 0x50008;"
     "2: lock incq 0x50010; cmpb $0, 0x50018; je 1b;" DONE);

struct clock_page {
	uint32_t version;
	uint32_t unused;
	uint64_t tsc;
	uint64_t ns;
	uint32_t mul;
	int8_t shift;
	uint8_t flags;
	uint8_t unused2[2];
} __attribute__((packed));

FIXTURE(suspend)
{
	struct machine m;
	struct guest_cpu *cpu;
	uint64_t ns;
	uint64_t guest_ns;
};

/*
 * The guest's clock, as it would read it.  The page may be younger than the guest's last
 * reading of its TSC: it is written as the vCPU moves to another processor.
 */
static uint64_t guest_clock(FIXTURE_DATA(suspend) * self)
{
	volatile const struct clock_page *page =
		(void *)(self->m.memory + CLOCK);
	int64_t ticks = SEEN(*machine_u64(&self->m, LAST)) - page->tsc;

	ticks = page->shift < 0 ? ticks >> -page->shift : ticks << page->shift;
	return page->ns + (int64_t)((__int128)ticks * page->mul >> 32);
}

static uint64_t machine_clock(FIXTURE_DATA(suspend) * self)
{
	struct lodge_clock clock = {};

	return lodge_clock_get(self->m.vm, &clock) ? 0 : clock.ns;
}

static uint64_t rounds(FIXTURE_DATA(suspend) * self)
{
	return SEEN(*machine_u64(&self->m, ROUNDS));
}

FIXTURE_SETUP(suspend)
{
	struct lodge_run *run;

	machine_create(&self->m, 1);
	self->cpu = &self->m.cpu[0];
	run = self->cpu->run;
	cpu_start(self->cpu, LONG64, reads);
	/* Bochs would not leave the guest for the host's interrupts. */
	run->regs.general.rflags |= X86_FLAGS_IF;
	run->regs.msrs.pv_system_time = CLOCK | CLOCK_ENABLED;
	run->load |= LODGE_GROUP_MSRS;
	cpu_run_aside(self->cpu);
	ASSERT_TRUE(EVENTUALLY(rounds(self) > 100));
	self->ns = machine_clock(self);
	self->guest_ns = guest_clock(self);
}

/* The suspend's effects on the guest. */
FIXTURE_TEARDOWN(suspend)
{
	uint64_t before = rounds(self);

	EXPECT_TRUE(EVENTUALLY(rounds(self) > before + 100));
	EXPECT_GT(JUMP, machine_clock(self) - self->ns);
	*machine_u64(&self->m, STOP) = 1;
	EXPECT_EQ(LODGE_EXIT_IO, cpu_join(self->cpu));
	EXPECT_EQ(DONE_PORT, self->cpu->run->exit.io.port);
	EXPECT_GT(JUMP, *machine_u64(&self->m, LONGEST));
	EXPECT_GT(JUMP, guest_clock(self) - self->guest_ns);
}

/* Return: 0 after the suspend, or -errno. */
static int suspend(void)
{
	int error = host_write(VARIANT, "deep");

	return error ? error : host_write(STATE, "mem");
}

static int suspend_to(const char *tsc)
{
	char parameters[64];
	int error;

	snprintf(parameters, sizeof(parameters), "tsc=%s", tsc);
	error = module_insert(MODULE, parameters);
	if (error)
		return error;
	error = suspend();
	return module_remove("lodge_life") ? -EBUSY : error;
}

/* By the machine's own firmware, where an alarm of its clock can end it. */
TEST_F(suspend, leaves_a_guest_running)
{
	if (host_write(ALARM, "+3"))
		SKIP(return, "nothing can wake this host");
	/* See host/init. */
	close(open("/run/slept", O_CREAT | O_CLOEXEC, 0600));
	EXPECT_EQ(0, suspend());
}

TEST_F(suspend, that_resets_the_hosts_counter_leaves_the_guests_time)
{
	EXPECT_EQ(0, suspend_to("1"));
}

TEST_F(suspend, that_sets_the_hosts_counter_on_leaves_the_guests_time)
{
	EXPECT_EQ(0, suspend_to("0x1000000000000000"));
}

TEST_HARNESS_MAIN
