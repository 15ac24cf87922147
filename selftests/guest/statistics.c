// SPDX-License-Identifier: GPL-2.0
/*
 * Statistics, against guests that do a known number of each thing.
 *
 * Interrupts of the host's end a guest's run at any time, so exits of the kind
 * LODGE_STAT_HOST_EVENT are as many as there are.  All others are exact.
 */
#include <cpuid.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "guest.h"
#include "host.h"
#include "lib/netlink.h"
#include "waiting.h"

#define MIB2 0x200000
#define PAGE 0x1000
#define PAGES 64
#define HOLE_SLOT 1
#define TIMES 100

FIXTURE(statistics)
{
	struct machine m;
	struct guest_cpu *cpu;
	struct netlink *netlink;
	uint32_t vm;
	struct netlink_stats before;
	/* What has been added to @before. */
	struct netlink_stats now;
};

/* Return: the ID of this process's VM, or 0. */
static uint32_t find_vm(struct netlink *netlink)
{
	struct netlink_vm *list;
	uint32_t id = 0;
	size_t count, i;

	if (netlink_vm_list(netlink, &list, &count))
		return 0;
	for (i = 0; i < count; i++)
		if (list[i].pid == (uint32_t)getpid())
			id = list[i].id;
	free(list);
	return id;
}

/* Statistics of the first vCPU.  Return: false if there are none. */
static bool ask(FIXTURE_DATA(statistics) * self, struct netlink_stats *stats)
{
	struct netlink_stats *list;
	bool found;
	size_t count;

	if (netlink_stats_list(self->netlink, self->vm, &list, &count))
		return false;
	found = count && list[0].vm == self->vm && list[0].vcpu == 0;
	if (found)
		*stats = list[0];
	free(list);
	return found;
}

FIXTURE_SETUP(statistics)
{
	machine_create(&self->m, 1);
	self->cpu = &self->m.cpu[0];
	ASSERT_EQ(0, netlink_open(&self->netlink));
	self->vm = find_vm(self->netlink);
	ASSERT_NE(0U, self->vm);
	ASSERT_TRUE(ask(self, &self->before));
}

FIXTURE_TEARDOWN(statistics)
{
	netlink_close(self->netlink);
}

static uint64_t sum(const uint64_t *numbers, unsigned int count)
{
	uint64_t sum = 0;

	while (count)
		sum += numbers[--count];
	return sum;
}

/*
 * Makes @now what has been added since the last call.  Return: false if there is no
 * answer, or it does not add up.
 */
static bool looks(FIXTURE_DATA(statistics) * self)
{
	struct netlink_stats all;
	const uint64_t *before = (const uint64_t *)self->before.exits;
	uint64_t *now = (uint64_t *)self->now.exits;
	size_t i;

	if (!ask(self, &all))
		return false;
	self->now = all;
	for (i = 0; i < (sizeof(all) - offsetof(struct netlink_stats, exits)) /
				sizeof(*now);
	     i++)
		now[i] -= before[i];
	self->before = all;
	return sum(all.exits, LODGE_NR_STAT_EXITS) ==
	       all.quick + sum(all.histogram, LODGE_STAT_BUCKETS);
}

/* Exits but those for the host, which are nobody's business. */
static uint64_t exits(FIXTURE_DATA(statistics) * self)
{
	return sum(self->now.exits, LODGE_NR_STAT_EXITS) -
	       self->now.exits[LODGE_STAT_HOST_EVENT];
}

/*
 * Runs @code, which does something TIMES times and then DONE, twice: after the first
 * time all memory that it uses is mapped.  Return: false if it does not get there.
 */
static bool repeats(FIXTURE_DATA(statistics) * self, struct guest_code code)
{
	cpu_start(self->cpu, LONG64, code);
	if (!cpu_done(self->cpu) || !looks(self))
		return false;
	cpu_start(self->cpu, LONG64, code);
	return cpu_done(self->cpu) && looks(self);
}

/* All that has happened: @times exits of this kind, and the one of DONE. */
static bool has_only_times(FIXTURE_DATA(statistics) * self,
			   enum lodge_stat_exit kind, uint64_t times)
{
	const struct netlink_stats *now = &self->now;
	uint64_t faults = now->faults_4k + now->faults_2m + now->faults_1g;

	if (now->exits[kind] == times && now->exits[LODGE_STAT_IO] == 1 &&
	    now->exits[LODGE_STAT_FAULT] == faults &&
	    exits(self) == times + 1 + faults && now->returns == 1)
		return true;
	for (int i = 0; i < LODGE_NR_STAT_EXITS; i++)
		if (now->exits[i])
			printf("# exits of kind %d: %llu\n", i,
			       (unsigned long long)now->exits[i]);
	printf("# returns: %llu\n", (unsigned long long)now->returns);
	return false;
}

static bool has_only(FIXTURE_DATA(statistics) * self, enum lodge_stat_exit kind)
{
	return has_only_times(self, kind, TIMES);
}

#define LOOP(text) "mov $100, %ebp; 1:" text "dec %ebp; jnz 1b;" DONE

CODE(asks_cpuid, 64, LOOP("xor %eax, %eax; cpuid;"));

TEST_F(statistics, a_cpuid_is_one_exit)
{
	ASSERT_TRUE(repeats(self, asks_cpuid));
	EXPECT_TRUE(has_only(self, LODGE_STAT_CPUID));
}

/*
 * AMD's processors with PKRU all say where the next instruction is (NRIPS), and Lodge
 * counts on that.  Emulated ones may not.
 */
static bool looks_for_instructions(void)
{
	unsigned int eax, ebx, ecx, edx;

	if (!__get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx) || !(ecx & 4))
		return false;
	if (__get_cpuid(0x8000000a, &eax, &ebx, &ecx, &edx) && edx & 8)
		return false;
	return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && ecx & 0x10;
}

TEST_F(statistics, most_cpuids_are_answered_at_once)
{
	if (looks_for_instructions())
		SKIP(return, "this processor has PKRU, but not NRIPS");
	ASSERT_TRUE(repeats(self, asks_cpuid));
	EXPECT_LE(TIMES / 2U, self->now.quick);
	EXPECT_GE(TIMES, self->now.quick);
}

CODE(reads_msr, 64, LOOP("mov $0x1b, %ecx; rdmsr;"));

TEST_F(statistics, a_rdmsr_is_one_exit)
{
	ASSERT_TRUE(repeats(self, reads_msr));
	EXPECT_TRUE(has_only(self, LODGE_STAT_MSR));
}

CODE(reads_counter, 64, LOOP("xor %ecx, %ecx; rdpmc;"));

TEST_F(statistics, a_rdpmc_is_one_exit)
{
	ASSERT_TRUE(repeats(self, reads_counter));
	EXPECT_TRUE(has_only(self, LODGE_STAT_RDPMC));
}

CODE(writes_back, 64, LOOP("wbinvd;"));

TEST_F(statistics, a_wbinvd_is_one_exit_where_the_processor_ends_the_run)
{
	uint64_t times = lodge_is_without("wbinvd-exit") ? 0 : TIMES;

	ASSERT_TRUE(repeats(self, writes_back));
	EXPECT_TRUE(has_only_times(self, LODGE_STAT_INVD, times));
}

CODE(vmcalls, 64, LOOP("mov $99, %eax; vmcall;"));
CODE(vmmcalls, 64, LOOP("mov $99, %eax; vmmcall;"));

TEST_F(statistics, a_hypercall_is_one_exit)
{
	ASSERT_TRUE(repeats(self, machine_is_intel() ? vmcalls : vmmcalls));
	EXPECT_TRUE(has_only(self, LODGE_STAT_HYPERCALL));
}

CODE(outputs, 64, "1: out %al, $0x80; jmp 1b;");

TEST_F(statistics, an_out_to_the_controller_is_one_exit_and_one_return)
{
	int i;

	cpu_start(self->cpu, LONG64, outputs);
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	ASSERT_TRUE(looks(self));
	for (i = 0; i < TIMES; i++)
		ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	ASSERT_TRUE(looks(self));
	EXPECT_EQ(TIMES, self->now.exits[LODGE_STAT_IO]);
	EXPECT_EQ(TIMES, exits(self));
	EXPECT_EQ(TIMES, self->now.returns);
	EXPECT_EQ(0U, self->now.interrupts);
	EXPECT_EQ(0U, self->now.exceptions);
}

CODE(reads_hole, 64, "mov $0xd0000000, %ebx; 1: mov (%rbx), %eax; jmp 1b;");

TEST_F(statistics, an_access_to_a_device_is_a_fault_that_maps_nothing)
{
	int i;

	cpu_start(self->cpu, LONG64, reads_hole);
	ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_MMIO));
	ASSERT_TRUE(looks(self));
	for (i = 0; i < TIMES; i++)
		ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_MMIO));
	ASSERT_TRUE(looks(self));
	EXPECT_EQ(TIMES, self->now.exits[LODGE_STAT_FAULT]);
	EXPECT_EQ(TIMES, exits(self));
	EXPECT_EQ(0U, self->now.faults_4k);
	EXPECT_EQ(0U, self->now.faults_2m);
	EXPECT_EQ(0U, self->now.faults_1g);
	EXPECT_EQ(TIMES, self->now.returns);
}

/* Memory in the hole, in pages of 4 KiB or (@huge) one of 2 MiB; NULL: not possible. */
static void *add_memory(struct machine *m, bool huge)
{
	char *map = mmap(NULL, 2 * MIB2, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *memory = (char *)(((uintptr_t)map + MIB2 - 1) & -MIB2);

	if (map == MAP_FAILED)
		return NULL;
	if (madvise(memory, MIB2, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) &&
	    huge)
		return NULL;
	memset(memory, 1, MIB2);
	if (lodge_memory_set(m->vm, HOLE_SLOT, 0, GUEST_HOLE, MIB2, memory))
		return NULL;
	return memory;
}

/* The first access is to a device: with it the guest's own tables are mapped. */
CODE(touches, 64,
     "mov $0xc0000000, %ebx; mov (%rbx), %eax; mov $0xd0000000, %ebx;"
     "mov $64, %ebp; 1: incl (%rbx);"
     "add $0x1000, %rbx; dec %ebp; jnz 1b;" DONE);

TEST_F(statistics, a_page_that_is_touched_first_is_one_fault)
{
	ASSERT_NE(NULL, add_memory(&self->m, false));
	cpu_start(self->cpu, LONG64, touches);
	ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_MMIO));
	ASSERT_TRUE(looks(self));
	ASSERT_TRUE(cpu_done(self->cpu));
	ASSERT_TRUE(looks(self));
	EXPECT_EQ(PAGES, self->now.faults_4k);
	EXPECT_EQ(0U, self->now.faults_2m);
	EXPECT_EQ(PAGES, self->now.exits[LODGE_STAT_FAULT]);
	EXPECT_EQ(PAGES + 1U, exits(self));
}

/* True if nested tables have dirty bits: AMD's always have. */
static bool host_tells_of_writes(void)
{
	char line[4096];
	bool found = false;
	FILE *file = fopen("/proc/cpuinfo", "r");

	while (file && !found && fgets(line, sizeof(line), file))
		found = (!strncmp(line, "flags", 5) && strstr(line, " svm ")) ||
			(!strncmp(line, "vmx flags", 9) &&
			 strstr(line, " ept_ad"));
	if (file)
		fclose(file);
	return found;
}

/* Return: the faults of a guest that writes to PAGES, or -1. */
static long faults_of_writes(FIXTURE_DATA(statistics) * self)
{
	cpu_start(self->cpu, LONG64, touches);
	if (!cpu_exits(self->cpu, LODGE_EXIT_MMIO) || !looks(self) ||
	    !cpu_done(self->cpu) || !looks(self))
		return -1;
	return self->now.exits[LODGE_STAT_FAULT];
}

/* So many resets after the last write, a page is no longer looked at. */
#define MANY_RESETS 130

TEST_F(statistics, pages_put_back_by_each_reset_fault_only_once_if_the_host_can)
{
	void *memory = add_memory(&self->m, false);
	void *baseline = mmap(NULL, MIB2, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const long again = host_tells_of_writes() ? 0 : PAGES;
	uint64_t pages;

	ASSERT_NE(NULL, memory);
	ASSERT_NE(MAP_FAILED, baseline);
	ASSERT_EQ(0, lodge_dirty_log_begin(self->m.vm, HOLE_SLOT, baseline));
	EXPECT_LE(PAGES, faults_of_writes(self));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, lodge_vm_reset(self->m.vm, &pages));
		EXPECT_EQ(PAGES, pages);
		EXPECT_EQ(again, faults_of_writes(self));
	}
	for (int i = 0; i < MANY_RESETS; i++)
		ASSERT_EQ(0, lodge_vm_reset(self->m.vm, NULL));
	EXPECT_EQ(PAGES, faults_of_writes(self));
}

/* True if the host has huge pages, and one of them is there. */
static bool is_huge(const void *memory)
{
	char line[256];
	bool here = false, huge = false;
	FILE *file = fopen("/proc/self/smaps", "r");
	unsigned long start, end, kib;

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			here = start <= (uintptr_t)memory &&
			       (uintptr_t)memory < end;
		else if (here && sscanf(line, "AnonHugePages: %lu", &kib) == 1)
			huge = kib >= MIB2 / 1024;
	}
	if (file)
		fclose(file);
	return huge;
}

TEST_F(statistics, a_page_of_2_mib_is_one_fault_where_it_can_be)
{
	void *memory = add_memory(&self->m, true);

	if (!memory || !is_huge(memory))
		SKIP(return, "the host has no huge pages");
	cpu_start(self->cpu, LONG64, touches);
	ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_MMIO));
	ASSERT_TRUE(looks(self));
	ASSERT_TRUE(cpu_done(self->cpu));
	ASSERT_TRUE(looks(self));
	if (lodge_is_without("2m")) {
		EXPECT_EQ(0U, self->now.faults_2m);
		EXPECT_EQ(PAGES, self->now.faults_4k);
		EXPECT_EQ(PAGES, self->now.exits[LODGE_STAT_FAULT]);
	} else {
		EXPECT_EQ(1U, self->now.faults_2m);
		EXPECT_EQ(0U, self->now.faults_4k);
		EXPECT_EQ(1U, self->now.exits[LODGE_STAT_FAULT]);
	}
}

TEST_F(statistics, a_page_that_the_host_takes_away_is_flushed_and_a_fault)
{
	char *memory = add_memory(&self->m, false);

	ASSERT_NE(NULL, memory);
	cpu_start(self->cpu, LONG64, touches);
	ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_MMIO));
	ASSERT_TRUE(cpu_done(self->cpu));
	ASSERT_TRUE(looks(self));
	ASSERT_EQ(0, madvise(memory + 2 * PAGE, PAGE, MADV_DONTNEED));
	cpu_start(self->cpu, LONG64, touches);
	ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_MMIO));
	ASSERT_TRUE(cpu_done(self->cpu));
	ASSERT_TRUE(looks(self));
	EXPECT_LE(1U, self->now.flushes);
	/* A processor that reads before it writes first gets the page of zeroes. */
	EXPECT_LE(1U, self->now.faults_4k);
	EXPECT_GE(2U, self->now.faults_4k);
	EXPECT_EQ(self->now.faults_4k + 1, self->now.exits[LODGE_STAT_FAULT]);
}

/* The kernel writes to a page of which the processor has nothing. */
CODE(inputs, 64,
     "mov $0x40003000, %edi; mov $0x80, %edx; insl; 1:" DONE "jmp 1b;");

TEST_F(statistics, memory_that_a_reset_puts_back_is_flushed_whoever_wrote_to_it)
{
	uint8_t *memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t pages;

	ASSERT_NE(MAP_FAILED, memory);
	ASSERT_EQ(0, lodge_memory_set(self->m.vm, HOLE_SLOT, 0, 0x40000000,
				      PAGES * PAGE, memory));
	ASSERT_EQ(0, lodge_dirty_log_begin(self->m.vm, HOLE_SLOT, memory));
	cpu_start(self->cpu, LONG64, inputs);
	ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_IO));
	ASSERT_TRUE(cpu_done(self->cpu));
	ASSERT_TRUE(looks(self));
	ASSERT_EQ(0, lodge_vm_reset(self->m.vm, &pages));
	EXPECT_EQ(1, pages);
	ASSERT_TRUE(cpu_done(self->cpu));
	ASSERT_TRUE(looks(self));
	EXPECT_LE(1U, self->now.flushes);
}

CODE(raises, 64, "1: ud2; jmp 1b;");
CODE(monitors, 64,
     "1: mov $0x50000, %eax; xor %ecx, %ecx; xor %edx, %edx;"
     "monitor; jmp 1b;");

/* The stub of the exception stops, and has its return done by a further run. */
TEST_F(statistics, an_exception_is_counted_if_it_comes_from_lodge)
{
	cpu_start(self->cpu, LONG64, monitors);
	ASSERT_TRUE(cpu_raises(self->cpu, UD, NULL));
	ASSERT_TRUE(looks(self));
	EXPECT_EQ(1U, self->now.exits[LODGE_STAT_MONITOR]);
	EXPECT_EQ(1U, self->now.exceptions);
	EXPECT_EQ(0U, self->now.interrupts);

	cpu_start(self->cpu, LONG64, raises);
	ASSERT_TRUE(cpu_raises(self->cpu, UD, NULL));
	ASSERT_TRUE(looks(self));
	EXPECT_EQ(0U, self->now.exceptions);
	EXPECT_EQ(1U, self->now.exits[LODGE_STAT_IO]);
}

/* In x2APIC mode; ends each interrupt after its stub. */
CODE(waits, 64,
     "mov $0x1b, %ecx; rdmsr; or $0xc00, %eax; wrmsr;"
     "mov $0x80f, %ecx; xor %edx, %edx; mov $0x1ff, %eax; wrmsr;"
     "out %al, $0x80; sti; xor %eax, %eax; mov $0x80b, %ecx;"
     "1: hlt; wrmsr; jmp 1b;");

/* True if the vCPU has begun to wait in HLT since the last look. */
static bool halts(FIXTURE_DATA(statistics) * self)
{
	struct netlink_stats all;

	return ask(self, &all) && all.halts > self->before.halts;
}

TEST_F(statistics, a_hlt_is_one_exit_one_wait_and_one_wake_up)
{
	int i;

	cpu_start(self->cpu, LONG64, waits);
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	ASSERT_TRUE(looks(self));
	for (i = 0; i < 10; i++) {
		cpu_run_aside(self->cpu);
		ASSERT_TRUE(EVENTUALLY(halts(self)));
		ASSERT_LE(0, machine_msi(&self->m, 0, 0x40));
		ASSERT_EQ(LODGE_EXIT_IO, cpu_join(self->cpu));
		ASSERT_TRUE(looks(self));
		EXPECT_EQ(1U, self->now.exits[LODGE_STAT_HLT]);
		EXPECT_EQ(1U, self->now.interrupts);
		EXPECT_EQ(0U, self->now.exceptions);
		EXPECT_LE(1U, self->now.halts);
		EXPECT_EQ(self->now.halts,
			  self->now.wakeups + self->now.polls_won);
		EXPECT_EQ(1U, self->now.returns);
	}
}

TEST_F(statistics, an_nmi_is_counted_once)
{
	ASSERT_TRUE(cpu_unblock_nmis(self->cpu));
	cpu_start(self->cpu, LONG64, outputs);
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	ASSERT_TRUE(looks(self));
	ASSERT_EQ(0, lodge_nmi(self->cpu->fd));
	ASSERT_TRUE(cpu_raises(self->cpu, NMI, NULL));
	ASSERT_TRUE(looks(self));
	EXPECT_EQ(1U, self->now.nmis);
	EXPECT_EQ(0U, self->now.interrupts);
}

CODE(ends, 64,
     "sub $16, %rsp; movq $0, (%rsp); movq $0, 8(%rsp);"
     "lidt (%rsp); ud2;");

TEST_F(statistics, a_triple_fault_is_one_exit)
{
	cpu_start(self->cpu, LONG64, ends);
	ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_SHUTDOWN));
	ASSERT_TRUE(looks(self));
	EXPECT_EQ(1U, self->now.exits[LODGE_STAT_SHUTDOWN]);
}

/* ---------------------------------------------------------------------- times */

/* What is told of the first vCPU; all zero if nothing is. */
static struct netlink_vcpu told(FIXTURE_DATA(statistics) * self)
{
	struct netlink_vcpu vcpu = { .present = 0 }, *list;
	size_t count;

	if (netlink_vcpu_list(self->netlink, self->vm, &list, &count))
		return vcpu;
	if (count)
		vcpu = list[0];
	free(list);
	return vcpu;
}

TEST_F(statistics, a_vcpu_that_has_not_run_has_no_times_and_no_last_exit)
{
	struct netlink_vcpu vcpu = told(self);

	EXPECT_TRUE(netlink_has(&vcpu, LODGE_VCPU_GUEST));
	EXPECT_EQ(0U, vcpu.guest);
	EXPECT_EQ(0U, vcpu.host);
	EXPECT_EQ(0U, vcpu.wait);
	EXPECT_FALSE(netlink_has(&vcpu, LODGE_VCPU_EXIT));
}

TEST_F(statistics, outside_of_a_run_time_is_the_hosts_and_none_the_guests)
{
	struct netlink_vcpu first, second;

	cpu_start(self->cpu, LONG64, outputs);
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	first = told(self);
	EXPECT_TRUE(netlink_has(&first, LODGE_VCPU_EXIT));
	EXPECT_EQ(LODGE_STAT_IO, first.exit);
	EXPECT_LT(0U, first.guest);
	EXPECT_EQ(0U, first.wait);
	/* The scheduler adds up as the thread goes to sleep. */
	usleep(1000);
	second = told(self);
	EXPECT_EQ(first.guest, second.guest);
	EXPECT_EQ(first.wait, second.wait);
	EXPECT_LT(0U, second.host);
}

TEST_F(statistics, a_vcpu_in_hlt_waits_and_takes_no_time_of_the_guest)
{
	struct netlink_vcpu first;

	cpu_start(self->cpu, LONG64, waits);
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	ASSERT_TRUE(looks(self));
	cpu_run_aside(self->cpu);
	ASSERT_TRUE(EVENTUALLY(halts(self)));
	first = told(self);
	EXPECT_TRUE(EVENTUALLY(told(self).wait > first.wait));
	EXPECT_EQ(first.guest, told(self).guest);
	ASSERT_LE(0, machine_msi(&self->m, 0, 0x40));
	ASSERT_EQ(LODGE_EXIT_IO, cpu_join(self->cpu));
	EXPECT_LT(first.guest, told(self).guest);
}

/* It leaves by the first interrupt. */
CODE(spins, 64,
     "mov $0x1b, %ecx; rdmsr; or $0xc00, %eax; wrmsr;"
     "mov $0x80f, %ecx; xor %edx, %edx; mov $0x1ff, %eax; wrmsr;"
     "sti; 1: pause; jmp 1b;");

TEST_F(statistics, time_in_the_guest_is_told_while_it_runs)
{
	uint64_t first;

	cpu_start(self->cpu, LONG64, spins);
	cpu_run_aside(self->cpu);
	ASSERT_TRUE(EVENTUALLY(told(self).guest));
	first = told(self).guest;
	EXPECT_TRUE(EVENTUALLY(told(self).guest > first));
	ASSERT_TRUE(EVENTUALLY(!machine_msi(&self->m, 0, 0x40)));
	ASSERT_EQ(LODGE_EXIT_IO, cpu_join(self->cpu));
	ASSERT_TRUE(looks(self));
	EXPECT_EQ(1U, self->now.returns);
}

TEST_HARNESS_MAIN
