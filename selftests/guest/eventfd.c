// SPDX-License-Identifier: GPL-2.0
/*
 * Eventfds that a guest's writes signal (ioeventfd), and eventfds that interrupt it
 * (irqfd), with nobody in user space between them.
 */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "guest.h"
#include "waiting.h"

#define PORT 0x510
#define VECTOR 0x41
/* An address without memory, which the code has as a number. */
#define BELL GUEST_HOLE
#define APIC_MESSAGE 0xfee00000U
#define LEVEL 0xc000U

FIXTURE(eventfd)
{
	struct machine m;
	struct guest_cpu *cpu;
	struct lodge_run *run;
	int bell;
	int other;
};

FIXTURE_SETUP(eventfd)
{
	machine_create(&self->m, 2);
	self->cpu = &self->m.cpu[0];
	self->run = self->cpu->run;
	self->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	self->other = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ASSERT_LE(0, self->bell);
	ASSERT_LE(0, self->other);
}

FIXTURE_TEARDOWN(eventfd)
{
	close(self->bell);
	close(self->other);
}

/* How often it was signalled since the last time. */
static uint64_t rings(int fd)
{
	uint64_t count = 0;

	if (read(fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return UINT64_MAX;
	return count;
}

static int hang(FIXTURE_DATA(eventfd) * self, int fd, uint64_t address,
		uint32_t size, uint32_t flags, uint64_t match)
{
	const struct lodge_ioeventfd bell = {
		.address = address,
		.match = match,
		.size = size,
		.fd = fd,
		.flags = flags,
	};

	return lodge_vm_ioeventfd(self->m.vm, &bell);
}

static int connect_message(FIXTURE_DATA(eventfd) * self, int fd, uint32_t data,
			   int resample)
{
	const struct lodge_irqfd irqfd = {
		.address = APIC_MESSAGE,
		.data = data,
		.fd = fd,
		.resample = resample,
		.flags = resample ? LODGE_IRQFD_LEVEL : 0,
	};

	return lodge_vm_irqfd(self->m.vm, &irqfd);
}

/* ------------------------------------------------------------------- ioeventfd */

CODE(rings_port, 64,
     "mov $0x510, %edx; mov $7, %eax; out %al, %dx; out %ax, %dx;"
     "mov $8, %eax; out %ax, %dx;" DONE);

TEST_F(eventfd, a_write_to_a_port_rings_and_makes_no_exit)
{
	ASSERT_EQ(0, hang(self, self->bell, PORT, 0, LODGE_IOEVENTFD_PORT, 0));
	cpu_start(self->cpu, LONG64, rings_port);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(3U, rings(self->bell));
}

TEST_F(eventfd, a_write_of_another_size_exits)
{
	ASSERT_EQ(0, hang(self, self->bell, PORT, 2, LODGE_IOEVENTFD_PORT, 0));
	cpu_start(self->cpu, LONG64, rings_port);
	ASSERT_TRUE(cpu_writes(self->cpu, PORT));
	EXPECT_EQ(1U, self->run->exit.io.size);
	EXPECT_EQ(0U, rings(self->bell));
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(2U, rings(self->bell));
}

TEST_F(eventfd, each_value_has_its_bell_and_others_exit)
{
	const uint32_t flags = LODGE_IOEVENTFD_PORT | LODGE_IOEVENTFD_MATCH;

	ASSERT_EQ(0, hang(self, self->bell, PORT, 2, flags, 8));
	ASSERT_EQ(0, hang(self, self->other, PORT, 2, flags, 9));
	cpu_start(self->cpu, LONG64, rings_port);
	ASSERT_TRUE(cpu_writes(self->cpu, PORT));
	EXPECT_EQ(1U, self->run->exit.io.size);
	ASSERT_TRUE(cpu_writes(self->cpu, PORT));
	EXPECT_EQ(2U, self->run->exit.io.size);
	EXPECT_EQ(7, self->run->data[0]);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(1U, rings(self->bell));
	EXPECT_EQ(0U, rings(self->other));
}

CODE(reads_port, 64, "mov $0x510, %edx; in %dx, %al;" DONE);

TEST_F(eventfd, a_read_exits)
{
	ASSERT_EQ(0, hang(self, self->bell, PORT, 0, LODGE_IOEVENTFD_PORT, 0));
	cpu_start(self->cpu, LONG64, reads_port);
	ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_IO));
	EXPECT_EQ(1, self->run->exit.io.in);
	EXPECT_EQ(0U, rings(self->bell));
}

CODE(rings_string, 64,
     "mov $0x510, %edx; mov $0x50000, %esi; mov $20, %ecx; rep outsw;" DONE);

TEST_F(eventfd, each_element_of_a_string_rings)
{
	ASSERT_EQ(0, hang(self, self->bell, PORT, 2, LODGE_IOEVENTFD_PORT, 0));
	cpu_start(self->cpu, LONG64, rings_string);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(20U, rings(self->bell));
}

CODE(rings_memory, 64,
     "mov $0xd0000000, %ebx; mov $0x1122334455667788, %rax;"
     "mov %al, (%rbx); mov %ax, (%rbx); mov %eax, (%rbx); mov %rax, (%rbx);"
     "mov %eax, 4(%rbx);" DONE);

TEST_F(eventfd, a_write_of_any_size_to_an_address_rings)
{
	ASSERT_EQ(0, hang(self, self->bell, BELL, 0, 0, 0));
	/* The next one may be as near as that. */
	ASSERT_EQ(0, hang(self, self->other, BELL + 4, 4, 0, 0));
	cpu_start(self->cpu, LONG64, rings_memory);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(4U, rings(self->bell));
	EXPECT_EQ(1U, rings(self->other));
}

CODE(rings_often, 64,
     "mov $0xd0000000, %ebx; mov $100, %ecx;"
     "1: mov %ax, (%rbx); dec %ecx; jnz 1b;"
     "mov $100, %ecx; 1: out %al, $0x80; dec %ecx; jnz 1b;" DONE);

TEST_F(eventfd, the_same_write_rings_each_time)
{
	ASSERT_EQ(0, hang(self, self->bell, BELL, 0, 0, 0));
	ASSERT_EQ(0, hang(self, self->other, 0x80, 0, LODGE_IOEVENTFD_PORT, 0));
	cpu_start(self->cpu, LONG64, rings_often);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(100U, rings(self->bell));
	EXPECT_EQ(100U, rings(self->other));
}

/* A processor may take a compare and a jump for one instruction. */
CODE(rings_and_reads, 64,
     "mov $0xd0000000, %ebx; mov $5, %ecx;"
     "1: mov %ecx, (%rbx); cmp (%rbx), %ecx; jne 2f; dec %ecx; jnz 1b;" DONE
     "2: hlt;");

TEST_F(eventfd, a_read_of_a_bell_exits_each_time)
{
	ASSERT_EQ(0, hang(self, self->bell, BELL, 0, 0, 0));
	cpu_start(self->cpu, LONG64, rings_and_reads);
	for (uint32_t i = 5; i; i--) {
		ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_MMIO));
		EXPECT_FALSE(self->run->exit.mmio.write);
		EXPECT_EQ(4U, self->run->exit.mmio.size);
		memcpy(self->run->exit.mmio.data, &i, sizeof(i));
		EXPECT_EQ(1U, rings(self->bell));
	}
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0U, rings(self->bell));
}

/* Four elements: the first one is at the bell. */
CODE(rings_in_a_string, 64,
     "mov $3, %ebx; 1: mov $0xd0000000, %edi; mov $4, %ecx; rep stosl;"
     "dec %ebx; jnz 1b;" DONE);

TEST_F(eventfd, a_string_that_passes_a_bell_goes_on)
{
	ASSERT_EQ(0, hang(self, self->bell, BELL, 0, 0, 0));
	cpu_start(self->cpu, LONG64, rings_in_a_string);
	for (int pass = 0; pass < 3; pass++) {
		for (int i = 0; i < 3; i++)
			ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_MMIO));
		EXPECT_EQ(BELL + 12ULL, self->run->exit.mmio.gpa);
		EXPECT_EQ(1U, rings(self->bell));
	}
	ASSERT_TRUE(cpu_done(self->cpu));
}

TEST_F(eventfd, a_value_of_eight_bytes_rings)
{
	ASSERT_EQ(0, hang(self, self->bell, BELL, 8, LODGE_IOEVENTFD_MATCH,
			  0x1122334455667788));
	cpu_start(self->cpu, LONG64, rings_memory);
	for (int i = 0; i < 3; i++)
		ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_MMIO));
	EXPECT_EQ(4U, self->run->exit.mmio.size);
	EXPECT_EQ(0U, rings(self->bell));
	ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_MMIO));
	EXPECT_EQ(BELL + 4ULL, self->run->exit.mmio.gpa);
	EXPECT_EQ(1U, rings(self->bell));
}

TEST_F(eventfd, a_bell_that_is_removed_exits_again)
{
	ASSERT_EQ(0, hang(self, self->bell, BELL, 0, 0, 0));
	cpu_start(self->cpu, LONG64, rings_memory);
	ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_MMIO));
	EXPECT_EQ(4U, rings(self->bell));
	ASSERT_EQ(0,
		  hang(self, self->bell, BELL, 0, LODGE_IOEVENTFD_REMOVE, 0));
	cpu_start(self->cpu, LONG64, rings_memory);
	for (int i = 0; i < 5; i++)
		ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_MMIO));
	EXPECT_EQ(0U, rings(self->bell));
}

CODE(rings_for_ever, 64, "mov $0x510, %edx; 1: out %al, %dx; jmp 1b;");

TEST_F(eventfd, a_guest_that_rings_for_ever_can_be_stopped)
{
	ASSERT_EQ(0, hang(self, self->bell, PORT, 0, LODGE_IOEVENTFD_PORT, 0));
	cpu_start(self->cpu, LONG64, rings_for_ever);
	cpu_run_aside(self->cpu);
	ASSERT_TRUE(EVENTUALLY(rings(self->bell)));
	/* Now it exits. */
	ASSERT_EQ(0, hang(self, self->bell, PORT, 0,
			  LODGE_IOEVENTFD_PORT | LODGE_IOEVENTFD_REMOVE, 0));
	ASSERT_EQ(LODGE_EXIT_IO, cpu_join(self->cpu));
	EXPECT_EQ(PORT, self->run->exit.io.port);
}

/* ----------------------------------------------------------------------- irqfd */

/* Switches the APIC on, tells that it has, and waits for messages. */
#define APIC "mov $0xfee00000, %ebx; movl $0x1ff, 0xf0(%rbx); out %al, $0x80;"
#define EOI "movl $0, 0xb0(%rbx);"
CODE(sleeps, 64, APIC "sti; 1: hlt; jmp 1b;");
CODE(spins, 64, APIC "sti; 1: pause; jmp 1b;");
CODE(ends, 64, APIC "sti; hlt;" EOI "1: hlt; jmp 1b;");
CODE(ends_and_tells, 64, APIC "sti; hlt;" EOI DONE);

/* Return: true if @cpu runs @code, with its APIC on, up to where it waits. */
static bool waits(struct guest_cpu *cpu, struct guest_code code)
{
	cpu_start(cpu, LONG64, code);
	return cpu_writes(cpu, 0x80);
}

static void signal_it(int fd)
{
	const uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) != sizeof(one))
		printf("# write: %s\n", strerror(errno));
}

/* A signal comes while the vCPU is in the middle of @code. */
static bool is_interrupted(FIXTURE_DATA(eventfd) * self, struct guest_code code)
{
	if (connect_message(self, self->bell, VECTOR, 0) ||
	    !waits(self->cpu, code))
		return false;
	cpu_run_aside(self->cpu);
	usleep(10000);
	signal_it(self->bell);
	return cpu_join(self->cpu) == LODGE_EXIT_IO &&
	       self->run->exit.io.port == EVENT_PORT;
}

TEST_F(eventfd, a_signal_wakes_a_vcpu_that_sleeps)
{
	EXPECT_TRUE(is_interrupted(self, sleeps));
	/* The kernel has read it. */
	EXPECT_EQ(0U, rings(self->bell));
}

TEST_F(eventfd, a_signal_interrupts_a_vcpu_that_runs)
{
	EXPECT_TRUE(is_interrupted(self, spins));
}

TEST_F(eventfd, a_signal_from_before_is_sent_at_once)
{
	struct guest_event event;

	ASSERT_TRUE(waits(self->cpu, spins));
	signal_it(self->bell);
	ASSERT_EQ(0, connect_message(self, self->bell, VECTOR, 0));
	EXPECT_EQ(0U, rings(self->bell));
	ASSERT_TRUE(cpu_raises(self->cpu, VECTOR, &event));
}

TEST_F(eventfd, another_message_replaces_the_first)
{
	ASSERT_TRUE(waits(self->cpu, spins));
	ASSERT_EQ(0, connect_message(self, self->bell, VECTOR, 0));
	ASSERT_EQ(0, connect_message(self, self->bell, VECTOR + 1, 0));
	signal_it(self->bell);
	ASSERT_TRUE(cpu_raises(self->cpu, VECTOR + 1, NULL));
}

TEST_F(eventfd, an_eventfd_that_is_removed_sends_nothing)
{
	const struct lodge_irqfd remove = { .fd = self->bell,
					    .flags = LODGE_IRQFD_REMOVE };

	ASSERT_TRUE(waits(self->cpu, spins));
	ASSERT_EQ(0, connect_message(self, self->bell, VECTOR, 0));
	ASSERT_EQ(0, connect_message(self, self->other, VECTOR + 1, 0));
	ASSERT_EQ(0, lodge_vm_irqfd(self->m.vm, &remove));
	EXPECT_EQ(-ENOENT, lodge_vm_irqfd(self->m.vm, &remove));
	signal_it(self->bell);
	EXPECT_EQ(1U, rings(self->bell));
	signal_it(self->other);
	ASSERT_TRUE(cpu_raises(self->cpu, VECTOR + 1, NULL));
}

TEST_F(eventfd, a_bell_may_send_the_message_itself)
{
	ASSERT_EQ(0, connect_message(self, self->bell, VECTOR, 0));
	ASSERT_EQ(0, hang(self, self->bell, 0x80, 0, LODGE_IOEVENTFD_PORT, 0));
	cpu_start(self->cpu, LONG64, spins);
	ASSERT_TRUE(cpu_raises(self->cpu, VECTOR, NULL));
}

TEST_F(eventfd, the_end_of_a_level_triggered_interrupt_is_told_to_its_eventfd)
{
	ASSERT_EQ(0, connect_message(self, self->bell, VECTOR | LEVEL,
				     self->other));
	ASSERT_TRUE(waits(self->cpu, ends));
	signal_it(self->bell);
	ASSERT_TRUE(cpu_raises(self->cpu, VECTOR, NULL));
	EXPECT_EQ(0U, rings(self->other));
	/* It ends the interrupt and sleeps: there is no exit. */
	cpu_run_aside(self->cpu);
	ASSERT_TRUE(EVENTUALLY(rings(self->other)));
	/* The device still wants one. */
	signal_it(self->bell);
	ASSERT_EQ(LODGE_EXIT_IO, cpu_join(self->cpu));
	EXPECT_EQ(EVENT_PORT, self->run->exit.io.port);
}

TEST_F(eventfd, the_end_of_another_level_triggered_interrupt_exits)
{
	ASSERT_EQ(0, connect_message(self, self->bell, (VECTOR + 1) | LEVEL,
				     self->other));
	ASSERT_TRUE(waits(self->cpu, ends_and_tells));
	ASSERT_EQ(0, machine_msi(&self->m, 0, VECTOR | LEVEL));
	ASSERT_TRUE(cpu_raises(self->cpu, VECTOR, NULL));
	ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_EOI));
	EXPECT_EQ(VECTOR, self->run->exit.eoi.vector);
	EXPECT_EQ(0U, rings(self->other));
}

/* A vector belongs to a vCPU: the other one's is user space's. */
TEST_F(eventfd, the_end_of_the_same_vector_at_another_vcpu_exits)
{
	struct guest_cpu *second = &self->m.cpu[1];

	ASSERT_EQ(0, connect_message(self, self->bell, VECTOR | LEVEL,
				     self->other));
	ASSERT_TRUE(waits(second, ends_and_tells));
	ASSERT_EQ(0, machine_msi(&self->m, 1, VECTOR | LEVEL));
	ASSERT_TRUE(cpu_raises(second, VECTOR, NULL));
	ASSERT_TRUE(cpu_exits(second, LODGE_EXIT_EOI));
	EXPECT_EQ(VECTOR, second->run->exit.eoi.vector);
}

TEST_F(eventfd, the_end_of_an_interrupt_whose_message_was_replaced_exits)
{
	ASSERT_EQ(0, connect_message(self, self->bell, VECTOR | LEVEL,
				     self->other));
	ASSERT_TRUE(waits(self->cpu, ends_and_tells));
	signal_it(self->bell);
	ASSERT_TRUE(cpu_raises(self->cpu, VECTOR, NULL));
	ASSERT_EQ(0, connect_message(self, self->bell, (VECTOR + 1) | LEVEL,
				     self->other));
	ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_EOI));
	EXPECT_EQ(0U, rings(self->other));
}

TEST_F(eventfd, one_eventfd_may_interrupt_two_machines)
{
	struct machine other;
	struct lodge_irqfd irqfd = { .address = APIC_MESSAGE,
				     .data = VECTOR + 1,
				     .fd = self->bell };

	machine_create(&other, 1);
	ASSERT_EQ(0, connect_message(self, self->bell, VECTOR, 0));
	ASSERT_EQ(0, lodge_vm_irqfd(other.vm, &irqfd));
	ASSERT_TRUE(waits(self->cpu, spins));
	ASSERT_TRUE(waits(&other.cpu[0], spins));
	signal_it(self->bell);
	ASSERT_TRUE(cpu_raises(self->cpu, VECTOR, NULL));
	ASSERT_TRUE(cpu_raises(&other.cpu[0], VECTOR + 1, NULL));
}

TEST_F(eventfd,
       a_machine_whose_descriptor_is_closed_is_interrupted_all_the_same)
{
	ASSERT_EQ(0, connect_message(self, self->bell, VECTOR, 0));
	ASSERT_TRUE(waits(self->cpu, spins));
	ASSERT_EQ(0, close(self->m.vm));
	signal_it(self->bell);
	ASSERT_TRUE(cpu_raises(self->cpu, VECTOR, NULL));
}

TEST_HARNESS_MAIN
