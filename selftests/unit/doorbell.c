// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of writes that a device in the kernel takes at once, with interrupts off: OUT,
 * and a MOV that is known from the time before.
 */
#include "fake_vcpu.h"

#include "portio.h"

#include "kselftest_harness.h"

#define RIP 0x1000U
#define PORT 0x510
#define BELL 0x3000U
#define BELL_PAGE 3

/**
 * struct bell - a device that counts
 * @bus: the bus's part of it
 * @asks: it must know what is written
 * @writes: number of writes
 * @quick: number of those that were quick
 * @size: size of the last one
 * @value: its first eight bytes
 */
static struct bell {
	struct lodge_iodevice bus;
	bool asks;
	unsigned int writes;
	unsigned int quick;
	size_t size;
	u64 value;
} bell;

bool kernel_has_no_memory(void)
{
	return false;
}

static bool bell_read(struct lodge_vcpu *vcpu, struct lodge_iodevice *bus,
		      u64 offset, void *data, size_t size)
{
	return false;
}

static bool bell_write(struct lodge_vcpu *vcpu, struct lodge_iodevice *bus,
		       u64 offset, const void *data, size_t size)
{
	fake_require(!data == !size);
	if (offset || (bell.asks && !data))
		return false;
	bell.writes++;
	bell.size = size;
	bell.value = 0;
	if (data)
		memcpy(&bell.value, data, min_t(size_t, size, sizeof(u64)));
	return true;
}

static bool bell_write_quick(struct lodge_vcpu *vcpu,
			     struct lodge_iodevice *bus, u64 offset,
			     const void *data, size_t size)
{
	bool taken = bell_write(vcpu, bus, offset, data, size);

	bell.quick += taken;
	return taken;
}

static const struct lodge_iodevice_ops bell_ops = {
	.read = bell_read,
	.write = bell_write,
	.write_quick = bell_write_quick,
};

static const struct lodge_iodevice_ops slow_bell_ops = {
	.read = bell_read,
	.write = bell_write,
};

FIXTURE(doorbell)
{
	struct lodge_vcpu *vcpu;
	struct lodge_general *general;
	struct lodge_vmexit exit;
};

FIXTURE_SETUP(doorbell)
{
	memset(&fake_guest, 0, sizeof(fake_guest));
	memset(&bell, 0, sizeof(bell));
	bell.bus.ops = &bell_ops;
	bell.bus.any_size = true;
	fake_guest.page[BELL_PAGE] = FAKE_HOLE;
	self->vcpu = fake_vcpu_new();
	self->general = &self->vcpu->regs.general;
	self->general->rip = RIP;
	self->general->gpr[LODGE_RAX] = 0x11223344;
	self->general->gpr[LODGE_RDI] = BELL;
	self->general->gpr[LODGE_RSP] = 0x2800;
	ASSERT_EQ(0, lodge_iobus_add(self->vcpu->vm, LODGE_IOBUS_MMIO, BELL, 1,
				     &bell.bus));
	self->exit = (struct lodge_vmexit){
		.kind = LODGE_VMEXIT_FAULT,
		.next_rip = RIP + 2,
		.fault = { .gpa = BELL, .device = true },
	};
}

FIXTURE_TEARDOWN(doorbell)
{
	lodge_iobus_fini(self->vcpu->vm);
	fake_vcpu_free(self->vcpu);
}

#define CODE(...)                                                   \
	do {                                                        \
		const u8 _bytes[] = { __VA_ARGS__ };                \
                                                                    \
		memcpy(fake_guest.code[0], _bytes, sizeof(_bytes)); \
	} while (0)

/* The guest is at the instruction; interrupts are off. */
static bool quick(FIXTURE_DATA(doorbell) * self)
{
	self->general->rip = RIP;
	return lodge_exit_quick(self->vcpu, &self->exit);
}

/* The same instruction, read and decoded.  Return: true if the bell has rung. */
static bool rings(FIXTURE_DATA(doorbell) * self)
{
	const unsigned int before = bell.writes;

	self->general->rip = RIP;
	return lodge_exit_handle(self->vcpu, &self->exit) ==
		       LODGE_ENTER_AGAIN &&
	       bell.writes == before + 1;
}

static bool mov_rings(FIXTURE_DATA(doorbell) * self)
{
	CODE(0x89, 0x07); /* mov %eax, (%rdi) */
	return rings(self);
}

TEST_F(doorbell, a_mov_that_is_known_rings_without_being_read)
{
	EXPECT_FALSE(quick(self));
	ASSERT_TRUE(mov_rings(self));
	EXPECT_EQ(RIP + 2, self->general->rip);
	EXPECT_EQ(4U, bell.size);
	fake_guest.walks_busy = true;
	fake_guest.groups = 0;
	EXPECT_TRUE(quick(self));
	EXPECT_EQ(RIP + 2, self->general->rip);
	EXPECT_EQ(1U, bell.quick);
	EXPECT_EQ(0U, bell.size);
	EXPECT_EQ(0U, fake_guest.groups);
	EXPECT_EQ(0U, fake_guest.events);
}

/* Changed by @change, the exit is of something that is not known. */
#define EXPECT_UNKNOWN(change)                                \
	do {                                                  \
		const struct lodge_vmexit _exit = self->exit; \
                                                              \
		ASSERT_TRUE(mov_rings(self));                 \
		change;                                       \
		EXPECT_FALSE(quick(self));                    \
		EXPECT_EQ(RIP, self->general->rip);           \
		EXPECT_EQ(0U, bell.quick);                    \
		self->exit = _exit;                           \
	} while (0)

TEST_F(doorbell, what_may_be_something_else_is_read)
{
	EXPECT_UNKNOWN(self->exit.next_rip++);
	EXPECT_UNKNOWN(self->exit.next_rip = 0);
	EXPECT_UNKNOWN(self->exit.fault.gpa++);
	EXPECT_UNKNOWN(self->exit.fault.device = false);
	EXPECT_UNKNOWN(self->exit.interrupted.type = LODGE_EVENT_EXTERNAL);
	EXPECT_UNKNOWN(self->vcpu->vm->slots_generation++);
}

TEST_F(doorbell, the_same_length_at_another_place_is_read)
{
	ASSERT_TRUE(mov_rings(self));
	self->general->rip = RIP - 1;
	EXPECT_FALSE(lodge_exit_quick(self->vcpu, &self->exit));
	EXPECT_EQ(0U, bell.quick);
}

TEST_F(doorbell, what_is_forgotten_is_read)
{
	ASSERT_TRUE(mov_rings(self));
	lodge_emulate_forget_store(self->vcpu);
	EXPECT_FALSE(quick(self));
	EXPECT_EQ(0U, bell.quick);
}

TEST_F(doorbell, a_length_that_is_wrong_is_never_believed)
{
	self->exit.next_rip = RIP + 3;
	ASSERT_TRUE(mov_rings(self));
	EXPECT_EQ(RIP + 2, self->general->rip);
	EXPECT_FALSE(quick(self));
	self->exit.next_rip = RIP;
	ASSERT_TRUE(mov_rings(self));
	EXPECT_EQ(RIP + 2, self->general->rip);
	EXPECT_FALSE(quick(self));
}

/* An instruction that also does something else than write. */
#define EXPECT_READ(length, ...)                        \
	do {                                            \
		CODE(__VA_ARGS__);                      \
		self->exit.next_rip = RIP + (length);   \
		self->general->gpr[LODGE_RDI] = BELL;   \
		self->general->gpr[LODGE_RSP] = 0x2800; \
		rings(self);                            \
		EXPECT_FALSE(quick(self));              \
		EXPECT_EQ(0U, bell.quick);              \
	} while (0)

TEST_F(doorbell, an_instruction_that_does_more_than_write_is_read)
{
	EXPECT_READ(1, 0xab); /* stos */
	EXPECT_READ(2, 0xf3, 0xab); /* rep stos */
	EXPECT_READ(1, 0xa5); /* movs */
	EXPECT_READ(2, 0x8f, 0x07); /* pop (%rdi) */
	EXPECT_READ(2, 0x87, 0x07); /* xchg */
	EXPECT_READ(2, 0x01, 0x07); /* add */
	EXPECT_READ(2, 0x8b, 0x07); /* mov (%rdi), %eax */
	EXPECT_READ(3, 0x0f, 0x29, 0x07); /* movaps %xmm0, (%rdi) */
	/* In the end all is as for one that does not. */
	self->exit.next_rip = RIP + 2;
	self->general->gpr[LODGE_RDI] = BELL;
	ASSERT_TRUE(mov_rings(self));
	EXPECT_TRUE(quick(self));
}

TEST_F(doorbell, a_write_of_which_user_space_hears_is_read)
{
	self->exit.fault.gpa = self->general->gpr[LODGE_RDI] = BELL + 8;
	CODE(0x89, 0x07);
	for (int i = 0; i < 2; i++) {
		EXPECT_FALSE(quick(self));
		EXPECT_EQ(LODGE_TO_USER,
			  lodge_exit_handle(self->vcpu, &self->exit));
	}
}

TEST_F(doorbell, a_bell_that_asks_for_the_value_is_told_it)
{
	bell.asks = true;
	for (int i = 0; i < 2; i++) {
		ASSERT_TRUE(mov_rings(self));
		EXPECT_EQ(0x11223344U, bell.value);
		EXPECT_FALSE(quick(self));
		EXPECT_EQ(RIP, self->general->rip);
	}
}

TEST_F(doorbell, a_device_that_may_sleep_is_not_called)
{
	bell.bus.ops = &slow_bell_ops;
	ASSERT_TRUE(mov_rings(self));
	EXPECT_FALSE(quick(self));
	EXPECT_EQ(RIP, self->general->rip);
	EXPECT_EQ(1U, bell.writes);
}

TEST_F(doorbell, a_bell_of_one_size_is_told_it)
{
	bell.bus.any_size = false;
	ASSERT_EQ(0, lodge_iobus_remove(self->vcpu->vm, LODGE_IOBUS_MMIO,
					&bell.bus));
	ASSERT_EQ(0, lodge_iobus_add(self->vcpu->vm, LODGE_IOBUS_MMIO, BELL, 4,
				     &bell.bus));
	ASSERT_TRUE(mov_rings(self));
	EXPECT_FALSE(quick(self));
}

TEST_F(doorbell, a_bell_that_is_gone_does_not_ring)
{
	ASSERT_TRUE(mov_rings(self));
	ASSERT_EQ(0, lodge_iobus_remove(self->vcpu->vm, LODGE_IOBUS_MMIO,
					&bell.bus));
	EXPECT_FALSE(quick(self));
	EXPECT_EQ(RIP, self->general->rip);
}

TEST_F(doorbell, the_local_apic_comes_first)
{
	ASSERT_TRUE(mov_rings(self));
	fake_guest.page[BELL_PAGE] = FAKE_APIC;
	EXPECT_FALSE(quick(self));
	ASSERT_FALSE(mov_rings(self));
	EXPECT_EQ(1U, fake_guest.apic_writes);
	/* That was a MOV to a device, too; and no bell. */
	EXPECT_FALSE(quick(self));
	EXPECT_EQ(1U, bell.writes);
}

TEST_F(doorbell, a_guest_that_single_steps_is_told_of_the_step)
{
	ASSERT_TRUE(mov_rings(self));
	self->general->rflags |= X86_EFLAGS_TF;
	EXPECT_TRUE(quick(self));
	EXPECT_EQ(1U, fake_guest.events);
	EXPECT_EQ(X86_TRAP_DB, fake_guest.vector);
}

static void out_exit(struct lodge_vmexit *exit)
{
	*exit = (struct lodge_vmexit){
		.kind = LODGE_VMEXIT_IO,
		.next_rip = RIP + 1,
		.io = { .port = PORT, .size = 2 },
	};
}

TEST_F(doorbell, an_out_rings_at_once)
{
	out_exit(&self->exit);
	EXPECT_FALSE(quick(self));
	ASSERT_EQ(0, lodge_iobus_add(self->vcpu->vm, LODGE_IOBUS_PORT, PORT, 1,
				     &bell.bus));
	EXPECT_TRUE(quick(self));
	EXPECT_EQ(RIP + 1, self->general->rip);
	EXPECT_EQ(1U, bell.quick);
	EXPECT_EQ(2U, bell.size);
	EXPECT_EQ(0x3344U, bell.value);
	self->exit.io.port++;
	EXPECT_FALSE(quick(self));
}

TEST_F(doorbell, no_other_access_to_a_port_rings_at_once)
{
	ASSERT_EQ(0, lodge_iobus_add(self->vcpu->vm, LODGE_IOBUS_PORT, PORT, 1,
				     &bell.bus));
	out_exit(&self->exit);
	self->exit.io.in = true;
	EXPECT_FALSE(quick(self));
	out_exit(&self->exit);
	self->exit.io.string = true;
	EXPECT_FALSE(quick(self));
	/* A backend that is broken is told so where the VM can be ended. */
	out_exit(&self->exit);
	self->exit.io.size = 8;
	EXPECT_FALSE(quick(self));
	bell.bus.ops = &slow_bell_ops;
	out_exit(&self->exit);
	EXPECT_FALSE(quick(self));
	EXPECT_EQ(0U, bell.writes);
	EXPECT_EQ(RIP, self->general->rip);
}

TEST_HARNESS_MAIN
