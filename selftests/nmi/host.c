// SPDX-License-Identifier: GPL-2.0
/*
 * NMIs of the host's while a guest runs: they reach the host's own handlers at
 * once, and neither guest nor host notices.  lodge_nmi.ko, beside this program,
 * sends them and counts; what they do to the host stands in its kernel's log.
 */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "host.h"
#include "waiting.h"
#include "guest.h"

#define COUNTERS "/sys/kernel/debug/lodge_nmi/"
/* From which duration on the kernel tells of a slow handler, as in an emulator. */
#define LONGEST "/sys/kernel/debug/x86/nmi_longest_ns"
#define LONGEST_NS "1000000000000"

#define VECTOR 0x44
#define HANDLER 0x18000

/* Words that guest and test exchange. */
#define ROUNDS (GUEST_DATA + 0x00)
#define STOP (GUEST_DATA + 0x08)
#define NMIS (GUEST_DATA + 0x10)
#define RETURN (GUEST_DATA + 0x18)
/* Contents of the guest's registers, in the order of enum lodge_gpr. */
#define PATTERNS (GUEST_DATA + 0x100)
#define PATTERN_CR2 (PATTERNS + 16 * 8)

#define ROUND_PORT 0x80

/* Rounds in which every register but RSP and the stack are looked at. */
#define ROUND_OF_CHECKS                                            \
	"1: .set place, 0x50100\n"                                 \
	".irp reg, rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8,"    \
	"r9, r10, r11, r12, r13, r14, r15\n"                       \
	".ifnc \\reg, rsp\n cmp place, %\\reg\n jne 9f\n .endif\n" \
	".set place, place + 8\n"                                  \
	".endr\n"                                                  \
	"push %rax; mov %cr2, %rax; cmp place, %rax; pop %rax;"    \
	"jne 9f; lock incq 0x50000;"

/* A register that is not what it was ends the guest otherwise than by DONE. */
#define UNTIL_STOPPED "cmpb $0, 0x50008; je 1b;" DONE "9: out %al, $0xbd;"

CODE(spins, 64, ROUND_OF_CHECKS UNTIL_STOPPED);
CODE(exits, 64, ROUND_OF_CHECKS "out %al, $0x80;" UNTIL_STOPPED);
CODE(halts, 64, "lock incq 0x50000; hlt; lock incq 0x50000;" DONE);
CODE(handler, 64, "sti; lock incq 0x50010; 1: cmpb $0, 0x50018; je 1b; iretq;");

/* A test that has died has left it there. */
static int nmis_begin(void)
{
	char self[PATH_MAX] = "", file[PATH_MAX + 32];
	int error;

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return -errno;
	snprintf(file, sizeof(file), "%s/lodge_nmi.ko", dirname(self));
	error = module_insert(file, "");
	return error == -EEXIST ? 0 : error;
}

/* Return: true if @times more are counted. */
static bool come(const char *counter, long times)
{
	long before = host_read(counter);
	bool done = before >= 0 &&
		    EVENTUALLY(host_read(counter) - before >= times);

	if (!done)
		printf("# %s: %ld, then %ld\n", counter, before,
		       host_read(counter));
	return done;
}

static uint64_t word(struct machine *m, uint64_t gpa)
{
	return SEEN(*machine_u64(m, gpa));
}

static void tell(struct machine *m, uint64_t gpa)
{
	__atomic_store_n(machine_u64(m, gpa), 1, __ATOMIC_SEQ_CST);
}

FIXTURE(nmi)
{
	struct machine m;
	struct guest_cpu *cpu;
	struct lodge_run *run;
	struct lodge_regs start;
	pthread_t thread;
};

FIXTURE_SETUP(nmi)
{
	/* lodge_nmi.ko sends them to the processor on which it is loaded. */
	ASSERT_EQ(0, cpu_pin(pthread_self(), cpu_first()));
	ASSERT_EQ(0, host_write(LONGEST, LONGEST_NS));
	machine_create(&self->m, 1);
	self->cpu = &self->m.cpu[0];
	self->run = self->cpu->run;
	ASSERT_TRUE(cpu_unblock_nmis(self->cpu));
	ASSERT_EQ(0, nmis_begin());
}

/* Lodge itself raises one on VT-x only, where the emulator's clock is exact. */
FIXTURE_TEARDOWN(nmi)
{
	if (machine_is_intel())
		EXPECT_EQ(0, host_read(COUNTERS "stray"));
	EXPECT_EQ(0, module_remove("lodge_nmi"));
}

/*
 * Interrupts are on in the guest: Bochs would not leave a spinning guest
 * for the host's while they are off in both.
 */
static void start(FIXTURE_DATA(nmi) * self, struct guest_code code)
{
	struct lodge_regs *regs = &self->run->regs;
	unsigned int i;

	cpu_start(self->cpu, LONG64, code);
	regs->general.rflags |= X86_FLAGS_IF;
	for (i = LODGE_RAX; i <= LODGE_R15; i++) {
		uint64_t pattern = 0x0123456789abcdefULL * (i + 1);

		*machine_u64(&self->m, PATTERNS + i * 8) = pattern;
		if (i != LODGE_RSP)
			regs->general.gpr[i] = pattern;
	}
	regs->control.cr2 = 0xfedcba9876543210ULL;
	*machine_u64(&self->m, PATTERN_CR2) = regs->control.cr2;
	regs->msrs.kernel_gs_base = 0xffffa98765432100ULL;
	self->run->load |= LODGE_GROUP_MSRS;
	self->start = *regs;
}

/* Runs until an exit that is not a round's. */
static void *run_rounds(void *argument)
{
	struct guest_cpu *cpu = argument;
	const struct lodge_exit_io *io = &cpu->run->exit.io;

	do
		cpu->answer = cpu_run(cpu);
	while (cpu->answer == LODGE_EXIT_IO && io->port == ROUND_PORT);
	return NULL;
}

static bool runs(FIXTURE_DATA(nmi) * self)
{
	return !pthread_create(&self->thread, NULL, run_rounds, self->cpu) &&
	       EVENTUALLY(word(&self->m, ROUNDS) > 0);
}

/* Return: true if it has ended by DONE. */
static bool ends(FIXTURE_DATA(nmi) * self)
{
	tell(&self->m, STOP);
	pthread_join(self->thread, NULL);
	if (self->cpu->answer == LODGE_EXIT_IO &&
	    self->run->exit.io.port == DONE_PORT)
		return true;
	printf("# the guest has ended with %d\n", self->cpu->answer);
	cpu_explain(self->cpu);
	return false;
}

/* Registers that neither the guest nor anybody else was to change. */
static void expect_intact(struct __test_metadata *_metadata,
			  FIXTURE_DATA(nmi) * self)
{
	const struct lodge_regs *start = &self->start, *now = &self->run->regs;
	unsigned int i;

	for (i = LODGE_RAX; i <= LODGE_R15; i++)
		if (now->general.gpr[i] != start->general.gpr[i])
			TH_LOG("register %u", i);
	EXPECT_EQ(0, memcmp(start->general.gpr, now->general.gpr,
			    sizeof(now->general.gpr)));
	EXPECT_EQ(X86_FLAGS_IF, now->general.rflags & X86_FLAGS_IF);
	EXPECT_EQ(start->control.cr0, now->control.cr0);
	EXPECT_EQ(start->control.cr2, now->control.cr2);
	EXPECT_EQ(start->control.cr3, now->control.cr3);
	EXPECT_EQ(start->control.cr4, now->control.cr4);
	EXPECT_EQ(start->control.cr8, now->control.cr8);
	EXPECT_EQ(start->control.efer, now->control.efer);
	EXPECT_EQ(start->segments.gdt.base, now->segments.gdt.base);
	EXPECT_EQ(start->segments.gdt.limit, now->segments.gdt.limit);
	EXPECT_EQ(start->msrs.kernel_gs_base, now->msrs.kernel_gs_base);
	EXPECT_EQ(start->msrs.star, now->msrs.star);
	EXPECT_EQ(0, now->events.flags);
	EXPECT_EQ(LODGE_MP_RUNNABLE, now->events.mp_state);
}

TEST_F(nmi, reaches_the_host_at_once_from_a_guest_that_spins)
{
	uint64_t rounds;

	start(self, spins);
	ASSERT_TRUE(runs(self));
	rounds = word(&self->m, ROUNDS);
	EXPECT_TRUE(come(COUNTERS "at_exit", 200));
	EXPECT_LT(rounds + 1000, word(&self->m, ROUNDS));
	ASSERT_TRUE(ends(self));
	expect_intact(_metadata, self);
}

TEST_F(nmi, reaches_the_host_at_once_from_a_guest_that_exits_all_the_time)
{
	uint64_t rounds;

	start(self, exits);
	ASSERT_TRUE(runs(self));
	rounds = word(&self->m, ROUNDS);
	EXPECT_TRUE(come(COUNTERS "all", 200));
	EXPECT_TRUE(come(COUNTERS "at_exit", 20));
	EXPECT_LT(rounds + 100, word(&self->m, ROUNDS));
	ASSERT_TRUE(ends(self));
	expect_intact(_metadata, self);
}

TEST_F(nmi, leaves_a_guest_in_hlt_there)
{
	const __u64 *rsp = cpu_gpr(self->cpu, LODGE_RSP);

	start(self, halts);
	cpu_run_aside(self->cpu);
	ASSERT_TRUE(EVENTUALLY(word(&self->m, ROUNDS) == 1));
	EXPECT_TRUE(come(COUNTERS "all", 200));
	EXPECT_EQ(1, word(&self->m, ROUNDS));
	ASSERT_EQ(0, lodge_extint(self->cpu->fd, VECTOR));
	ASSERT_EQ(LODGE_EXIT_IO, cpu_join(self->cpu));
	ASSERT_EQ(EVENT_PORT, self->run->exit.io.port);
	EXPECT_EQ(VECTOR, word(&self->m, *rsp));
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(2, word(&self->m, ROUNDS));
	expect_intact(_metadata, self);
}

TEST_F(nmi, of_the_hosts_lets_no_nmi_of_the_guests_into_its_handler)
{
	start(self, spins);
	memcpy(self->m.memory + HANDLER, handler.start,
	       handler.end - handler.start);
	machine_gate(&self->m, LONG64, NMI, HANDLER, 0);
	ASSERT_TRUE(runs(self));
	ASSERT_EQ(0, lodge_nmi(self->cpu->fd));
	ASSERT_TRUE(EVENTUALLY(word(&self->m, NMIS) == 1));
	ASSERT_EQ(0, lodge_nmi(self->cpu->fd));
	EXPECT_TRUE(come(COUNTERS "at_exit", 100));
	EXPECT_EQ(1, word(&self->m, NMIS));
	tell(&self->m, RETURN);
	EXPECT_TRUE(EVENTUALLY(word(&self->m, NMIS) == 2));
	EXPECT_TRUE(come(COUNTERS "at_exit", 100));
	EXPECT_EQ(2, word(&self->m, NMIS));
	ASSERT_TRUE(ends(self));
	expect_intact(_metadata, self);
}

TEST_HARNESS_MAIN
