// SPDX-License-Identifier: GPL-2.0
/*
 * Machine checks while a guest runs that has switched them off: a processor whose
 * CR4.MCE is clear shuts the whole machine down.
 *
 * The emulator's monitor injects them (see host/run).  QEMU (7.2 to 10.0) does not
 * ask what AMD-V intercepts: the guest's own handler takes them.  On a processor
 * it is the host's that does, and counts them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kselftest_harness.h"

#include "host.h"
#include "waiting.h"
#include "guest.h"
#include "life.h"

/* Words that guest and test exchange. */
#define ROUNDS (GUEST_DATA + 0x00)
#define STOP (GUEST_DATA + 0x08)
#define TAKEN (GUEST_DATA + 0x10)
#define HANDLER 0x18000

CODE(spins, 64, "1: lock incq 0x50000; cmpb $0, 0x50008; je 1b;" DONE);
CODE(handler, 64, "lock incq 0x50010; iretq;");

#define TIMES 20
#define BANK 1
/*
 * Uncorrected, or it would be no exception; deferred, so that where it befalls the
 * host's kernel, that goes on; and the interrupted code may go on, too.
 */
#define STATUS "0xb000100000000000"
#define MCG_STATUS "1"

/* The number that the host's handler has taken, or -1. */
static long hosts(void)
{
	FILE *file = fopen("/proc/interrupts", "re");
	char line[1024], *at, *end;
	long sum = -1, count;

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file)) {
		at = strstr(line, "MCE:");
		if (!at)
			continue;
		sum = 0;
		for (at += 4; count = strtol(at, &end, 10), end != at; at = end)
			sum += count;
	}
	fclose(file);
	return sum;
}

FIXTURE(machine_check)
{
	struct machine m;
	struct guest_cpu *cpu;
};

static uint64_t word(FIXTURE_DATA(machine_check) * self, uint64_t gpa)
{
	return SEEN(*machine_u64(&self->m, gpa));
}

FIXTURE_SETUP(machine_check)
{
	self->cpu = NULL;
	if (!getenv("monitor"))
		return;
	ASSERT_EQ(0, cpu_pin(pthread_self(), cpu_first()));
	machine_create(&self->m, 1);
	self->cpu = &self->m.cpu[0];
	cpu_start(self->cpu, LONG64, spins);
	memcpy(self->m.memory + HANDLER, handler.start,
	       handler.end - handler.start);
	machine_gate(&self->m, LONG64, MC, HANDLER, 0);
	ASSERT_EQ(0, self->cpu->run->regs.control.cr4 & X86_CR4_MCE);
	cpu_run_aside(self->cpu);
	ASSERT_TRUE(EVENTUALLY(word(self, ROUNDS) > 100));
}

FIXTURE_TEARDOWN(machine_check)
{
	if (!self->cpu)
		return;
	*machine_u64(&self->m, STOP) = 1;
	EXPECT_EQ(LODGE_EXIT_IO, cpu_join(self->cpu));
	EXPECT_EQ(DONE_PORT, self->cpu->run->exit.io.port);
}

TEST_F(machine_check, leaves_a_host_alone_whose_guest_has_them_off)
{
	if (!self->cpu)
		SKIP(return, "nothing can inject one into this host");
	for (int i = 0; i < TIMES; i++) {
		uint64_t taken = word(self, TAKEN);
		long before = hosts();

		ASSERT_LE(0, before);
		tell("@@monitor mce %d %d " STATUS " " MCG_STATUS " 0 0",
		     cpu_first(), BANK);
		ASSERT_TRUE(EVENTUALLY(word(self, TAKEN) > taken ||
				       hosts() > before));
	}
	TH_LOG("the guest has taken %lu of %d, the host %ld",
	       (unsigned long)word(self, TAKEN), TIMES, hosts());
}

TEST_HARNESS_MAIN
