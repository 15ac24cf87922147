// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the bus of the kernel's devices: their ranges, finding them, and that no
 * device is released during an access to it.
 */
#include <pthread.h>

#include "fake_vcpu.h"

#include "iobus.h"

#include "kselftest_harness.h"

#define LAST_ADDRESS ((1ULL << 52) - 1)

/**
 * struct device - a device that records its accesses
 * @bus: the bus's part of it
 * @declines: it leaves accesses to user space
 * @accesses: number of accesses
 * @offset: offset of the last access
 * @size: size of the last access
 * @data: bytes written, or to be read
 * @released: number of releases
 */
struct device {
	struct lodge_iodevice bus;
	bool declines;
	unsigned int accesses;
	u64 offset;
	size_t size;
	u8 data[16];
	unsigned int released;
};

static struct device *to_device(struct lodge_iodevice *bus)
{
	return (struct device *)((char *)bus - offsetof(struct device, bus));
}

static bool device_note(struct device *device, u64 offset, size_t size)
{
	fake_require(!device->released);
	fake_require(size >= 1 && size <= sizeof(device->data));
	device->accesses++;
	device->offset = offset;
	device->size = size;
	return !device->declines;
}

static bool device_read(struct lodge_vcpu *vcpu, struct lodge_iodevice *bus,
			u64 offset, void *data, size_t size)
{
	struct device *device = to_device(bus);

	memcpy(data, device->data, size);
	return device_note(device, offset, size);
}

static bool device_write(struct lodge_vcpu *vcpu, struct lodge_iodevice *bus,
			 u64 offset, const void *data, size_t size)
{
	struct device *device = to_device(bus);

	memcpy(device->data, data, size);
	return device_note(device, offset, size);
}

static void device_release(struct lodge_iodevice *bus)
{
	to_device(bus)->released++;
}

static const struct lodge_iodevice_ops device_ops = {
	.read = device_read,
	.write = device_write,
	.release = device_release,
};

static bool no_memory;

bool kernel_has_no_memory(void)
{
	return no_memory;
}

#define NR_DEVICES (LODGE_IOBUS_MAX_RANGES + 1)

FIXTURE(iobus)
{
	struct lodge_vcpu *vcpu;
	struct lodge_vm *vm;
	struct device *device;
};

FIXTURE_SETUP(iobus)
{
	int i;

	memset(&fake_guest, 0, sizeof(fake_guest));
	no_memory = false;
	self->vcpu = fake_vcpu_new();
	self->vm = self->vcpu->vm;
	self->device = calloc(NR_DEVICES, sizeof(*self->device));
	for (i = 0; i < NR_DEVICES; i++)
		self->device[i].bus.ops = &device_ops;
}

FIXTURE_TEARDOWN(iobus)
{
	fake_vcpu_free(self->vcpu);
	free(self->device);
}

#define ADD(space, first, size, n)                                  \
	lodge_iobus_add(self->vm, LODGE_IOBUS_##space, first, size, \
			&self->device[n].bus)
#define REMOVE(space, n) \
	lodge_iobus_remove(self->vm, LODGE_IOBUS_##space, &self->device[n].bus)
#define READ(space, address, size)                                         \
	({                                                                 \
		u8 _data[16];                                              \
		lodge_iobus_read(self->vcpu, LODGE_IOBUS_##space, address, \
				 _data, size);                             \
	})
#define WRITE(space, address, size)                                         \
	({                                                                  \
		const u8 _data[16] = { 0x5a };                              \
		lodge_iobus_write(self->vcpu, LODGE_IOBUS_##space, address, \
				  _data, size);                             \
	})

TEST_F(iobus, an_empty_bus_answers_nothing)
{
	EXPECT_FALSE(READ(PORT, 0, 1));
	EXPECT_FALSE(WRITE(PORT, 0xffff, 1));
	EXPECT_FALSE(READ(MMIO, 0, 16));
	EXPECT_FALSE(WRITE(MMIO, ~0ULL, 1));
	EXPECT_EQ(0, self->vm->slots_srcu.readers);
}

TEST_F(iobus, a_device_is_found_in_its_range_and_nowhere_else)
{
	ASSERT_EQ(0, ADD(PORT, 0x60, 5, 0));
	ASSERT_EQ(0, ADD(MMIO, 0x60, 5, 1));
	EXPECT_FALSE(READ(PORT, 0x5f, 1));
	EXPECT_TRUE(READ(PORT, 0x60, 1));
	EXPECT_EQ(0U, self->device[0].offset);
	EXPECT_TRUE(WRITE(PORT, 0x64, 1));
	EXPECT_EQ(4U, self->device[0].offset);
	EXPECT_EQ(0x5a, self->device[0].data[0]);
	EXPECT_FALSE(READ(PORT, 0x65, 1));
	EXPECT_EQ(2U, self->device[0].accesses);
	EXPECT_EQ(0U, self->device[1].accesses);
	EXPECT_EQ(0, self->vm->slots_srcu.readers);
}

TEST_F(iobus, an_access_over_the_end_of_a_range_is_user_spaces)
{
	ASSERT_EQ(0, ADD(MMIO, 0x1000, 8, 0));
	ASSERT_EQ(0, ADD(MMIO, 0x1008, 8, 1));
	EXPECT_TRUE(READ(MMIO, 0x1000, 8));
	EXPECT_TRUE(READ(MMIO, 0x1007, 1));
	EXPECT_FALSE(READ(MMIO, 0x1007, 2));
	EXPECT_FALSE(READ(MMIO, 0x0fff, 2));
	EXPECT_FALSE(READ(MMIO, 0x100f, 16));
	EXPECT_TRUE(READ(MMIO, 0x1008, 1));
}

TEST_F(iobus, a_device_of_any_size_answers_what_begins_in_its_range)
{
	self->device[0].bus.any_size = true;
	ASSERT_EQ(0, ADD(MMIO, 0x1000, 1, 0));
	ASSERT_EQ(0, ADD(MMIO, 0x1002, 2, 1));
	EXPECT_TRUE(WRITE(MMIO, 0x1000, 16));
	EXPECT_EQ(16U, self->device[0].size);
	EXPECT_FALSE(WRITE(MMIO, 0xfff, 2));
	EXPECT_FALSE(WRITE(MMIO, 0x1001, 1));
	EXPECT_FALSE(WRITE(MMIO, 0x1002, 4));
	EXPECT_EQ(1U, self->device[0].accesses);
	EXPECT_EQ(0U, self->device[1].accesses);
}

TEST_F(iobus, ranges_end_with_their_space)
{
	EXPECT_EQ(0, ADD(PORT, 0xffff, 1, 0));
	EXPECT_TRUE(READ(PORT, 0xffff, 1));
	EXPECT_FALSE(READ(PORT, 0xffff, 2));
	EXPECT_EQ(-EINVAL, ADD(PORT, 0xfffe, 3, 1));
	EXPECT_EQ(-EINVAL, ADD(PORT, 0x10000, 1, 1));
	EXPECT_EQ(0, ADD(MMIO, LAST_ADDRESS, 1, 1));
	EXPECT_TRUE(WRITE(MMIO, LAST_ADDRESS, 1));
	EXPECT_FALSE(WRITE(MMIO, LAST_ADDRESS, 2));
	EXPECT_FALSE(WRITE(MMIO, LAST_ADDRESS + 1, 1));
	EXPECT_FALSE(WRITE(MMIO, ~0ULL, 16));
	EXPECT_EQ(-EINVAL, ADD(MMIO, LAST_ADDRESS, 2, 2));
	EXPECT_EQ(-EINVAL, ADD(MMIO, LAST_ADDRESS + 1, 1, 2));
}

TEST_F(iobus, hostile_ranges_are_refused)
{
	EXPECT_EQ(-EINVAL, ADD(MMIO, 0x1000, 0, 0));
	EXPECT_EQ(-EINVAL, ADD(MMIO, 0x1000, ~0ULL, 0));
	EXPECT_EQ(-EINVAL, ADD(MMIO, ~0ULL, 1, 0));
	EXPECT_EQ(-EINVAL, ADD(MMIO, ~0ULL, ~0ULL, 0));
	EXPECT_EQ(-EINVAL, ADD(MMIO, 1, LAST_ADDRESS + 1, 0));
	EXPECT_EQ(0, ADD(MMIO, 0, LAST_ADDRESS + 1, 0));
	EXPECT_EQ(-EEXIST, ADD(MMIO, 0, 1, 1));
}

TEST_F(iobus, ranges_that_overlap_are_refused)
{
	ASSERT_EQ(0, ADD(PORT, 0x100, 0x10, 0));
	EXPECT_EQ(-EEXIST, ADD(PORT, 0x100, 0x10, 1));
	EXPECT_EQ(-EEXIST, ADD(PORT, 0xff, 2, 1));
	EXPECT_EQ(-EEXIST, ADD(PORT, 0x10f, 1, 1));
	EXPECT_EQ(-EEXIST, ADD(PORT, 0, 0x10000, 1));
	EXPECT_EQ(0, ADD(PORT, 0xff, 1, 1));
	EXPECT_EQ(0, ADD(PORT, 0x110, 1, 2));
	EXPECT_TRUE(READ(PORT, 0xff, 1));
	EXPECT_TRUE(READ(PORT, 0x110, 1));
	EXPECT_EQ(1U, self->device[1].accesses);
	EXPECT_EQ(1U, self->device[2].accesses);
	EXPECT_EQ(0U, self->device[0].accesses);
}

TEST_F(iobus, a_range_is_free_again_after_its_device)
{
	ASSERT_EQ(0, ADD(PORT, 0x100, 0x10, 0));
	ASSERT_EQ(0, ADD(PORT, 0x200, 0x10, 1));
	EXPECT_EQ(-ENOENT, REMOVE(PORT, 2));
	EXPECT_EQ(-ENOENT, REMOVE(MMIO, 0));
	EXPECT_EQ(0, REMOVE(PORT, 0));
	EXPECT_EQ(1U, self->device[0].released);
	EXPECT_EQ(-ENOENT, REMOVE(PORT, 0));
	EXPECT_FALSE(READ(PORT, 0x100, 1));
	EXPECT_TRUE(READ(PORT, 0x200, 1));
	EXPECT_EQ(0, ADD(PORT, 0x108, 0x10, 2));
	EXPECT_TRUE(READ(PORT, 0x108, 1));
	EXPECT_EQ(0, REMOVE(PORT, 2));
	EXPECT_EQ(0, REMOVE(PORT, 1));
	EXPECT_FALSE(READ(PORT, 0x200, 1));
}

TEST_F(iobus, there_are_so_many_ranges_and_no_more)
{
	int i;

	/* Add from both ends to the middle: each must find its place. */
	for (i = 0; i < LODGE_IOBUS_MAX_RANGES; i++)
		ASSERT_EQ(0, ADD(MMIO, (i & 1 ? 10000 - i : i) * 8, 8, i));
	EXPECT_EQ(-ENOSPC, ADD(MMIO, 0x100000, 8, i));
	EXPECT_EQ(0, ADD(PORT, 0, 1, i));
	for (i = 0; i < LODGE_IOBUS_MAX_RANGES; i++) {
		EXPECT_TRUE(READ(MMIO, (i & 1 ? 10000 - i : i) * 8 + 7, 1));
		EXPECT_EQ(1U, self->device[i].accesses);
	}
	EXPECT_EQ(0, REMOVE(MMIO, 77));
	EXPECT_EQ(0, ADD(MMIO, 0x100000, 8, 77));
}

TEST_F(iobus, without_memory_nothing_changes_and_removing_goes_on)
{
	ASSERT_EQ(0, ADD(PORT, 0x100, 1, 0));
	no_memory = true;
	EXPECT_EQ(-ENOMEM, ADD(PORT, 0x200, 1, 1));
	EXPECT_FALSE(READ(PORT, 0x200, 1));
	EXPECT_TRUE(READ(PORT, 0x100, 1));
	EXPECT_EQ(0, REMOVE(PORT, 0));
	EXPECT_FALSE(READ(PORT, 0x100, 1));
}

TEST_F(iobus, what_a_device_declines_is_user_spaces)
{
	ASSERT_EQ(0, ADD(PORT, 0x100, 1, 0));
	self->device[0].declines = true;
	EXPECT_FALSE(WRITE(PORT, 0x100, 1));
	EXPECT_EQ(1U, self->device[0].accesses);
}

TEST_F(iobus, the_local_apic_comes_before_all_others)
{
	fake_guest.page[5] = FAKE_APIC;
	ASSERT_EQ(0, ADD(MMIO, 0, LAST_ADDRESS + 1, 0));
	EXPECT_TRUE(WRITE(MMIO, 0x5080, 4));
	EXPECT_EQ(1U, fake_guest.apic_writes);
	EXPECT_EQ(0U, self->device[0].accesses);
	EXPECT_TRUE(WRITE(MMIO, 0x4080, 4));
	EXPECT_EQ(1U, self->device[0].accesses);
	ASSERT_EQ(0, ADD(PORT, 0x5080, 4, 1));
	EXPECT_TRUE(WRITE(PORT, 0x5080, 4));
	EXPECT_EQ(1U, fake_guest.apic_writes);
}

TEST_F(iobus, a_vm_that_ends_releases_its_devices_once)
{
	ASSERT_EQ(0, ADD(PORT, 0x100, 1, 0));
	ASSERT_EQ(0, ADD(PORT, 0x200, 1, 1));
	ASSERT_EQ(0, ADD(MMIO, 0x200, 1, 2));
	ASSERT_EQ(0, REMOVE(PORT, 0));
	lodge_iobus_fini(self->vm);
	EXPECT_EQ(1U, self->device[0].released);
	EXPECT_EQ(1U, self->device[1].released);
	EXPECT_EQ(1U, self->device[2].released);
	EXPECT_FALSE(READ(PORT, 0x200, 1));
}

/* User space is not told of exits that a device of the kernel answers. */

#define CODE(...)                                                   \
	do {                                                        \
		const u8 _bytes[] = { __VA_ARGS__ };                \
                                                                    \
		memcpy(fake_guest.code[0], _bytes, sizeof(_bytes)); \
	} while (0)

static struct lodge_vmexit port_exit(bool in, u8 size, bool string)
{
	return (struct lodge_vmexit){
		.kind = LODGE_VMEXIT_IO,
		.next_rip = 0x1002,
		.io = { .port = 0x1f0,
			.size = size,
			.in = in,
			.string = string,
			.rep = string },
	};
}

TEST_F(iobus, a_port_of_the_kernel_leaves_no_exit)
{
	struct lodge_vmexit exit = port_exit(false, 2, false);
	__u64 *rax = &self->vcpu->regs.general.gpr[LODGE_RAX];

	ASSERT_EQ(0, ADD(PORT, 0x1f0, 8, 0));
	*rax = 0x1122334455667788;
	EXPECT_EQ(LODGE_ENTER_AGAIN, lodge_exit_handle(self->vcpu, &exit));
	EXPECT_EQ(0x1002U, self->vcpu->regs.general.rip);
	EXPECT_EQ(2U, self->device[0].size);
	EXPECT_EQ(0, memcmp(self->device[0].data, "\x88\x77", 2));
	memcpy(self->device[0].data, "\x01\x02\x03\x04", 4);
	exit = port_exit(true, 2, false);
	EXPECT_EQ(LODGE_ENTER_AGAIN, lodge_exit_handle(self->vcpu, &exit));
	EXPECT_EQ(0x1122334455660201ULL, *rax);
	exit = port_exit(true, 4, false);
	EXPECT_EQ(LODGE_ENTER_AGAIN, lodge_exit_handle(self->vcpu, &exit));
	EXPECT_EQ(0x04030201U, *rax);
	EXPECT_EQ(LODGE_COMPLETE_NONE, self->vcpu->completion);
}

TEST_F(iobus, an_address_of_the_kernel_leaves_no_exit)
{
	struct lodge_vmexit exit = { .kind = LODGE_VMEXIT_FAULT,
				     .fault = { .device = true } };
	struct lodge_general *general = &self->vcpu->regs.general;

	fake_guest.page[3] = FAKE_HOLE;
	ASSERT_EQ(0, ADD(MMIO, 0x3000, 0x1000, 0));
	general->rip = 0x1000;
	general->gpr[LODGE_RDI] = 0x3010;
	general->gpr[LODGE_RAX] = 0x77;
	CODE(0x88, 0x07); /* mov %al, (%rdi) */
	EXPECT_EQ(LODGE_ENTER_AGAIN, lodge_exit_handle(self->vcpu, &exit));
	EXPECT_EQ(0x1002U, general->rip);
	EXPECT_EQ(0x10U, self->device[0].offset);
	EXPECT_EQ(0x77, self->device[0].data[0]);
}

TEST_F(iobus, strings_go_to_a_port_of_the_kernel_as_a_whole)
{
	struct lodge_vmexit exit = port_exit(false, 1, true);
	struct lodge_general *general = &self->vcpu->regs.general;

	ASSERT_EQ(0, ADD(PORT, 0x1f0, 8, 0));
	general->rip = 0x1000;
	general->gpr[LODGE_RSI] = 0x2000;
	general->gpr[LODGE_RCX] = 3;
	memcpy(&fake_guest.memory[0x2000], "\x0a\x0b\x0c", 3);
	CODE(0xf3, 0x6e); /* rep outsb */
	EXPECT_EQ(LODGE_ENTER_AGAIN, lodge_exit_handle(self->vcpu, &exit));
	EXPECT_EQ(3U, self->device[0].accesses);
	EXPECT_EQ(0x0c, self->device[0].data[0]);
	EXPECT_EQ(0x1002U, general->rip);

	general->rip = 0x1000;
	general->gpr[LODGE_RDI] = 0x2000;
	general->gpr[LODGE_RCX] = 3;
	self->device[0].data[0] = 0x66;
	exit = port_exit(true, 1, true);
	CODE(0xf3, 0x6c); /* rep insb */
	EXPECT_EQ(LODGE_ENTER_AGAIN, lodge_exit_handle(self->vcpu, &exit));
	EXPECT_EQ(0, memcmp(&fake_guest.memory[0x2000], "\x66\x66\x66", 3));
	EXPECT_EQ(0x1002U, general->rip);
	EXPECT_EQ(0U, general->gpr[LODGE_RCX]);
}

/* A device that takes the first elements of a string and declines the rest. */
static bool third_declines(struct lodge_vcpu *vcpu, struct lodge_iodevice *bus,
			   u64 offset, const void *data, size_t size)
{
	device_write(vcpu, bus, offset, data, size);
	return to_device(bus)->accesses < 3;
}

TEST_F(iobus, what_is_left_of_a_string_is_user_spaces)
{
	static const struct lodge_iodevice_ops ops = { .write =
							       third_declines };
	struct lodge_vmexit exit = port_exit(false, 1, true);
	struct lodge_general *general = &self->vcpu->regs.general;

	self->device[0].bus.ops = &ops;
	ASSERT_EQ(0, ADD(PORT, 0x1f0, 8, 0));
	general->rip = 0x1000;
	general->gpr[LODGE_RSI] = 0x2000;
	general->gpr[LODGE_RCX] = 4;
	memcpy(&fake_guest.memory[0x2000], "\x0a\x0b\x0c\x0d", 4);
	CODE(0xf3, 0x6e);
	ASSERT_EQ(LODGE_TO_USER, lodge_exit_handle(self->vcpu, &exit));
	EXPECT_EQ(LODGE_EXIT_IO, (int)self->vcpu->answer.reason);
	EXPECT_EQ(2U, self->vcpu->answer.exit.io.count);
	EXPECT_EQ(0, memcmp(self->vcpu->data, "\x0c\x0d", 2));
}

/* A reader that is in an access while the device is removed. */

static int reader_inside;
static int remove_is_over;

static bool slow_read(struct lodge_vcpu *vcpu, struct lodge_iodevice *bus,
		      u64 offset, void *data, size_t size)
{
	int i;

	__atomic_store_n(&reader_inside, 1, __ATOMIC_SEQ_CST);
	for (i = 0; i < 10000; i++) {
		fake_require(!to_device(bus)->released);
		fake_require(
			!__atomic_load_n(&remove_is_over, __ATOMIC_SEQ_CST));
		sched_yield();
	}
	return true;
}

static void *reader(void *opaque)
{
	struct lodge_vcpu *vcpu = opaque;
	u8 data;

	fake_require(lodge_iobus_read(vcpu, LODGE_IOBUS_PORT, 0x100, &data, 1));
	return NULL;
}

static void remove_beneath(struct lodge_vm *vm, struct lodge_vcpu *vcpu,
			   struct device *device)
{
	pthread_t thread;

	__atomic_store_n(&reader_inside, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&remove_is_over, 0, __ATOMIC_SEQ_CST);
	fake_require(!pthread_create(&thread, NULL, reader, vcpu));
	while (!__atomic_load_n(&reader_inside, __ATOMIC_SEQ_CST))
		sched_yield();
	fake_require(!lodge_iobus_remove(vm, LODGE_IOBUS_PORT, &device->bus));
	__atomic_store_n(&remove_is_over, 1, __ATOMIC_SEQ_CST);
	pthread_join(thread, NULL);
}

TEST_F(iobus, a_device_is_not_released_beneath_an_access)
{
	static const struct lodge_iodevice_ops ops = {
		.read = slow_read, .release = device_release
	};

	self->device[0].bus.ops = &ops;
	/* Remove the last device of the bus, and one of two. */
	ASSERT_EQ(0, ADD(PORT, 0x100, 1, 0));
	remove_beneath(self->vm, self->vcpu, &self->device[0]);
	EXPECT_EQ(1U, self->device[0].released);
	self->device[0].released = 0;
	ASSERT_EQ(0, ADD(PORT, 0x100, 1, 0));
	ASSERT_EQ(0, ADD(PORT, 0x200, 1, 1));
	remove_beneath(self->vm, self->vcpu, &self->device[0]);
	EXPECT_EQ(1U, self->device[0].released);
}

/* One thread reads all the time while another one adds and removes devices. */

static int stop_reading;

static void *read_on(void *opaque)
{
	struct lodge_vcpu *vcpu = opaque;
	u8 data;

	while (!__atomic_load_n(&stop_reading, __ATOMIC_SEQ_CST)) {
		lodge_iobus_read(vcpu, LODGE_IOBUS_PORT, 0x100, &data, 1);
		fake_require(lodge_iobus_read(vcpu, LODGE_IOBUS_PORT, 0x200,
					      &data, 1));
		sched_yield();
	}
	return NULL;
}

TEST_F(iobus, a_device_that_stays_is_found_while_others_come_and_go)
{
	pthread_t thread;
	int i;

	ASSERT_EQ(0, ADD(PORT, 0x200, 1, 1));
	__atomic_store_n(&stop_reading, 0, __ATOMIC_SEQ_CST);
	ASSERT_EQ(0, pthread_create(&thread, NULL, read_on, self->vcpu));
	for (i = 0; i < 2000; i++) {
		self->device[0].released = 0;
		fake_require(!ADD(PORT, 0x100, 1, 0));
		fake_require(!REMOVE(PORT, 0));
	}
	__atomic_store_n(&stop_reading, 1, __ATOMIC_SEQ_CST);
	pthread_join(thread, NULL);
}

TEST_HARNESS_MAIN
