// SPDX-License-Identifier: GPL-2.0
/*
 * Code that another vCPU rewrites while the hypervisor carries it out: what is read
 * again may be another instruction than the one that has left the guest.  Each is
 * carried out as one or the other, whole.
 *
 * When the rewriter is not in time nothing is tried, and most of what it can change is
 * looked at in more than one place: unit/exit takes each place alone.
 */
#include <string.h>

#include "kselftest_harness.h"

#include "guest.h"

#define STOP (GUEST_DATA + 0x08)
#define BUFFER 0x52000
#define BUFFER_SIZE 64
#define ELEMENTS 16
#define STRING_PORT 0x80
#define ROUND_PORT 0x81
#define ROUNDS 500

/* Writes AL and BL to RDI in turn. */
CODE(rewriter, 64,
     "1: mov %al, (%rdi); mov %bl, (%rdi); cmpb $0, 0x50008; je 1b;" DONE);

CODE(strings, 64,
     "1: mov $0x52000, %esi; mov $0x52000, %edi; mov $16, %ecx;"
     "mov $0x80, %edx; rep outsb; out %al, $0x81; jmp 1b;");

/* The device's answer over EAX as it was. */
#define EAX_BEFORE 0x11223344
#define ANSWER 0x55667788
CODE(loads, 64,
     "1: mov $0xd0000000, %edi; mov $0x11223344, %eax;"
     "mov (%rdi), %eax; out %al, $0x81; jmp 1b;");

/*
 * Start vCPU 0 with @code, and vCPU 1, by which what begins with @site becomes
 * @first and @second at @offset, in turn.
 */
static void rewrite_start(struct machine *m, struct guest_code code,
			  const char site[2], int offset, uint8_t first,
			  uint8_t second)
{
	struct guest_cpu *other = &m->cpu[1];
	size_t size = code.end - code.start;
	const char *found = memmem(code.start, size, site, 2);

	machine_create(m, 2);
	cpu_start(&m->cpu[0], LONG64, code);
	cpu_start(other, LONG64, rewriter);
	/* Bochs would not leave it for the host's interrupts. */
	other->run->regs.general.rflags |= X86_FLAGS_IF;
	*cpu_gpr(other, LODGE_RAX) = first;
	*cpu_gpr(other, LODGE_RBX) = second;
	*cpu_gpr(other, LODGE_RDI) =
		GUEST_CODE_BASE + (found - code.start) + offset;
	cpu_run_aside(other);
}

/* Return: true if vCPU 1 has made progress all the time. */
static bool rewrite_stop(struct machine *m)
{
	*machine_u64(m, STOP) = 1;
	return cpu_join(&m->cpu[1]) == LODGE_EXIT_IO &&
	       m->cpu[1].run->exit.io.port == DONE_PORT;
}

static bool is_untouched(struct machine *m)
{
	for (int i = BUFFER_SIZE; i < 0x1000; i++)
		if (m->memory[BUFFER + i] || m->memory[BUFFER - 0x1000 + i])
			return false;
	return true;
}

FIXTURE(string)
{
	struct machine m;
	struct guest_cpu *cpu;
	struct lodge_run *run;
};

FIXTURE_VARIANT(string)
{
	/* Of the string instruction: which byte, and what it becomes. */
	int offset;
	uint8_t first;
	uint8_t second;
};

#define STRING(name, ...)                 \
	FIXTURE_VARIANT_ADD(string, name) \
	{                                 \
		__VA_ARGS__               \
	}

STRING(size, 1, 0x6e, 0x6f);
STRING(direction, 1, 0x6e, 0x6c);
STRING(size_of_input, 1, 0x6c, 0x6d);
STRING(repetition, 0, 0xf3, 0x90);
STRING(operation, 1, 0x6e, 0x90);

FIXTURE_SETUP(string)
{
	self->cpu = &self->m.cpu[0];
	rewrite_start(&self->m, strings, "\xf3\x6e", variant->offset,
		      variant->first, variant->second);
	self->run = self->cpu->run;
}

FIXTURE_TEARDOWN(string)
{
	EXPECT_TRUE(rewrite_stop(&self->m));
}

/* The bytes and elements that one round's exits have moved. */
struct moved {
	uint64_t in;
	uint64_t out;
	uint64_t elements;
};

/* Answer one exit.  Return: true if it can be answered. */
static bool moves(struct lodge_run *run, struct moved *moved)
{
	const struct lodge_exit_io *io = &run->exit.io;

	if (io->port != STRING_PORT || (io->size != 1 && io->size != 4) ||
	    !io->count || io->count > ELEMENTS)
		return false;
	if (io->in) {
		memset(run->data, 0x5a, io->size * io->count);
		moved->in += io->size * io->count;
	} else {
		moved->out += io->size * io->count;
	}
	moved->elements += io->count;
	return true;
}

TEST_F(string, that_is_rewritten_is_one_or_the_other)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct moved moved = {};
		uint64_t counted;

		while (cpu_exits(self->cpu, LODGE_EXIT_IO) &&
		       self->run->exit.io.port != ROUND_PORT)
			ASSERT_TRUE(moves(self->run, &moved));
		ASSERT_EQ(ROUND_PORT, self->run->exit.io.port);
		EXPECT_EQ(BUFFER + moved.out, *cpu_gpr(self->cpu, LODGE_RSI));
		EXPECT_EQ(BUFFER + moved.in, *cpu_gpr(self->cpu, LODGE_RDI));
		counted = ELEMENTS - *cpu_gpr(self->cpu, LODGE_RCX);
		/* One without the prefix does not count. */
		EXPECT_LE(counted, moved.elements);
		EXPECT_GE(counted + !variant->offset, moved.elements);
	}
	EXPECT_TRUE(is_untouched(&self->m));
}

FIXTURE(device)
{
	struct machine m;
	struct guest_cpu *cpu;
	struct lodge_run *run;
};

/* An instruction's access to the device, and the EAX that it leaves. */
struct access {
	uint8_t code;
	uint8_t size;
	bool write;
	uint32_t eax;
};

FIXTURE_VARIANT(device)
{
	struct access access[2];
};

#define LOAD                                       \
	{                                          \
		0x8b, 4, false, (uint32_t)(ANSWER) \
	}
#define DEVICE(name, ...)                       \
	FIXTURE_VARIANT_ADD(device, name)       \
	{                                       \
		.access = { LOAD, __VA_ARGS__ } \
	}

DEVICE(size, { 0x8a, 1, false, (EAX_BEFORE & ~0xff) | (ANSWER & 0xff) });
DEVICE(direction, { 0x89, 4, true, EAX_BEFORE });
DEVICE(operation, { 0x0b, 4, false, EAX_BEFORE | ANSWER });

FIXTURE_SETUP(device)
{
	self->cpu = &self->m.cpu[0];
	rewrite_start(&self->m, loads, "\x8b\x07", 0, variant->access[0].code,
		      variant->access[1].code);
	self->run = self->cpu->run;
}

FIXTURE_TEARDOWN(device)
{
	EXPECT_TRUE(rewrite_stop(&self->m));
}

static bool is_access(const struct access *access,
		      const struct lodge_exit_mmio *asked, uint64_t eax)
{
	return access->size == asked->size && access->write == asked->write &&
	       access->eax == eax;
}

TEST_F(device, access_that_is_rewritten_is_one_or_the_other)
{
	struct lodge_exit_mmio *mmio = &self->run->exit.mmio;
	const uint32_t answer = ANSWER;

	for (int i = 0; i < ROUNDS; i++) {
		struct lodge_exit_mmio asked;
		uint64_t eax;

		ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_MMIO));
		EXPECT_EQ(GUEST_HOLE, mmio->gpa);
		asked = *mmio;
		if (!asked.write)
			memcpy(mmio->data, &answer, sizeof(answer));
		ASSERT_TRUE(cpu_writes(self->cpu, ROUND_PORT));
		eax = *cpu_gpr(self->cpu, LODGE_RAX);
		EXPECT_TRUE(is_access(&variant->access[0], &asked, eax) ||
			    is_access(&variant->access[1], &asked, eax));
	}
}

TEST_HARNESS_MAIN
