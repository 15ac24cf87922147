// SPDX-License-Identifier: GPL-2.0
/*
 * Rules for the argument of every call: its size may be another than the
 * kernel's, a bad address is found, and no call is on a file that is not its
 * own.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "host.h"
#include "lib/client.h"
#include "runner.h"

#include "kselftest_harness.h"

/* The largest size that an ioctl number can hold. */
#define LARGEST ((1U << _IOC_SIZEBITS) - 1)
#define PAGE 4096

enum target {
	ON_LODGE,
	ON_VM,
	ON_VCPU,
};

#define CALL(name_, target_, ...)                                           \
	{                                                                   \
		.name = #name_, .number = LODGE_##name_, .target = target_, \
		##__VA_ARGS__                                               \
	}

/* Every call, with an argument that it accepts any number of times. */
static const struct call {
	const char *name;
	unsigned int number;
	enum target target;
	union {
		struct lodge_vm_create vm_create;
		struct lodge_memory memory;
		struct lodge_msi msi;
		struct lodge_clock clock;
		struct lodge_tsc_rate tsc_rate;
		struct lodge_ioeventfd ioeventfd;
		struct lodge_irqfd irqfd;
		struct lodge_dirty_log dirty_log;
		struct lodge_dirty dirty;
		struct lodge_state state;
		struct lodge_cpuid cpuid;
		uint8_t bytes[1024];
	} argument;
	/* The call's answer, when not 0. */
	int answer;
	/* Size of the structure in its first version, when not what it is now. */
	size_t first;
} calls[] = {
	CALL(GET_INFO, ON_LODGE),
	CALL(CREATE_VM, ON_LODGE, .first = sizeof(uint64_t)),
	CALL(SET_MEMORY, ON_VM, .argument.memory = { .slot = 1 },
	     .answer = -ENOENT),
	CALL(CREATE_VCPU, ON_VM, .answer = -EEXIST),
	CALL(SEND_MSI, ON_VM,
	     .argument.msi = { .address = 0xfee00000, .data = 0x40 },
	     .answer = -ENXIO),
	CALL(GET_CLOCK, ON_VM),
	CALL(SET_CLOCK, ON_VM),
	CALL(SET_TSC_RATE, ON_VM, .argument.tsc_rate = { .khz = 1000000 }),
	CALL(SET_IOEVENTFD, ON_VM, .argument.ioeventfd = { .fd = -1 },
	     .answer = -EBADF),
	CALL(SET_IRQFD, ON_VM,
	     .argument.irqfd = { .fd = -1, .address = 0xfee00000 },
	     .answer = -EBADF),
	CALL(SET_DIRTY_LOG, ON_VM, .argument.dirty_log = { .slot = 1 },
	     .answer = -ENOENT),
	CALL(GET_DIRTY, ON_VM),
	CALL(RESET, ON_VM),
	CALL(GET_STATE, ON_VCPU),
	CALL(SET_STATE, ON_VCPU),
	CALL(GET_CPUID, ON_VCPU, .answer = -ENOSPC),
	CALL(SET_CPUID, ON_VCPU),
	CALL(GET_MSR_LIST, ON_VCPU),
	CALL(SET_MSR_LIST, ON_VCPU),
	CALL(EXTINT, ON_VCPU, .answer = -EBUSY),
};

#define CALLS (sizeof(calls) / sizeof(calls[0]))
#define FOR_EACH_CALL(call) \
	for (const struct call *call = calls; call < calls + CALLS; call++)

static unsigned int resized(const struct call *call, size_t size)
{
	return (call->number & ~(_IOC_SIZEMASK << _IOC_SIZESHIFT)) |
	       size << _IOC_SIZESHIFT;
}

FIXTURE(structs)
{
	struct machine machine;
	uint8_t *buffer;
};

/* Behind the buffer nothing is mapped. */
FIXTURE_SETUP(structs)
{
	const struct lodge_extint extint = { .vector = 0x20 };

	ASSERT_EQ(0, machine_make(&self->machine, 1));
	ASSERT_EQ(0, ioctl(self->machine.cpu[0].fd, LODGE_EXTINT, &extint));
	ASSERT_EQ(0, lodge_dirty_log_begin(self->machine.vm, 0,
					   self->machine.memory));
	self->buffer = mmap(NULL, 5 * PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->buffer);
	ASSERT_EQ(0, munmap(self->buffer + 4 * PAGE, PAGE));
}

FIXTURE_TEARDOWN(structs)
{
	munmap(self->buffer, 4 * PAGE);
	machine_end(&self->machine);
}

static int file_of(const struct machine *machine, enum target target)
{
	switch (target) {
	case ON_LODGE:
		return machine->lodge;
	case ON_VM:
		return machine->vm;
	default:
		return machine->cpu[0].fd;
	}
}

/* Carry out a call by any number; a VM that comes of it goes again. */
static int issue(const struct machine *machine, const struct call *call,
		 unsigned int number, void *argument)
{
	int answer = ioctl(file_of(machine, call->target), number, argument);

	if (answer < 0)
		return -errno;
	if (call->number == LODGE_CREATE_VM)
		answer = close(answer);
	return answer;
}

TEST_F(structs, a_call_with_its_own_size_works)
{
	FOR_EACH_CALL(call)
	{
		memcpy(self->buffer, &call->argument, sizeof(call->argument));
		EXPECT_EQ(call->answer, issue(&self->machine, call,
					      call->number, self->buffer))
		TH_LOG("%s", call->name);
	}
}

TEST_F(structs, a_structure_smaller_than_the_first_is_invalid)
{
	FOR_EACH_CALL(call)
	{
		size_t size = call->first ?: _IOC_SIZE(call->number);

		memcpy(self->buffer, &call->argument, sizeof(call->argument));
		EXPECT_EQ(-EINVAL, issue(&self->machine, call,
					 resized(call, size - 1), self->buffer))
		TH_LOG("%s", call->name);
		EXPECT_EQ(-EINVAL, issue(&self->machine, call, resized(call, 0),
					 self->buffer))
		TH_LOG("%s", call->name);
	}
}

TEST_F(structs, a_structure_of_the_first_version_is_taken)
{
	FOR_EACH_CALL(call)
	{
		size_t size = call->first ?: _IOC_SIZE(call->number);

		/* What is behind it is not read. */
		memset(self->buffer, 0xff, sizeof(call->argument));
		memcpy(self->buffer, &call->argument, size);
		EXPECT_EQ(call->answer,
			  issue(&self->machine, call, resized(call, size),
				self->buffer))
		TH_LOG("%s", call->name);
	}
}

TEST_F(structs, a_larger_structure_with_a_zero_tail_is_taken)
{
	FOR_EACH_CALL(call)
	{
		size_t size = _IOC_SIZE(call->number);

		memset(self->buffer, 0, LARGEST);
		memcpy(self->buffer, &call->argument, sizeof(call->argument));
		EXPECT_EQ(call->answer,
			  issue(&self->machine, call, resized(call, size + 8),
				self->buffer))
		TH_LOG("%s", call->name);
		memset(self->buffer, 0, LARGEST);
		memcpy(self->buffer, &call->argument, sizeof(call->argument));
		EXPECT_EQ(call->answer,
			  issue(&self->machine, call, resized(call, LARGEST),
				self->buffer))
		TH_LOG("%s", call->name);
	}
}

TEST_F(structs, a_larger_structure_with_more_in_it_is_too_big)
{
	FOR_EACH_CALL(call)
	{
		size_t size = _IOC_SIZE(call->number);

		if (!(_IOC_DIR(call->number) & _IOC_WRITE))
			continue;
		memset(self->buffer, 0, LARGEST);
		memcpy(self->buffer, &call->argument, sizeof(call->argument));
		self->buffer[LARGEST - 1] = 1;
		EXPECT_EQ(-E2BIG, issue(&self->machine, call,
					resized(call, LARGEST), self->buffer))
		TH_LOG("%s", call->name);
		self->buffer[size] = 1;
		EXPECT_EQ(-E2BIG, issue(&self->machine, call,
					resized(call, size + 1), self->buffer))
		TH_LOG("%s", call->name);
	}
}

TEST_F(structs, an_answer_clears_what_the_kernel_does_not_know)
{
	static const char zero[LARGEST];
	size_t size = sizeof(struct lodge_info);

	memset(self->buffer, 0xff, LARGEST);
	EXPECT_EQ(0, issue(&self->machine, &calls[0],
			   resized(&calls[0], LARGEST - 1), self->buffer));
	EXPECT_EQ(0, memcmp(self->buffer + size, zero, LARGEST - 1 - size));
	EXPECT_EQ(0xff, self->buffer[LARGEST - 1]);
}

TEST_F(structs, a_bad_address_is_a_fault)
{
	void *kernel = (void *)0xffff888000000000;
	void *crooked = (void *)0x8000000000000000;

	FOR_EACH_CALL(call)
	{
		void *astride =
			self->buffer + 4 * PAGE - _IOC_SIZE(call->number) + 1;
		void *bad[] = { NULL, kernel, crooked, astride };

		for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
			EXPECT_EQ(-EFAULT, issue(&self->machine, call,
						 call->number, bad[i]))
			TH_LOG("%s, address %p", call->name, bad[i]);
		}
	}
}

TEST_F(structs, an_answer_to_read_only_memory_is_a_fault)
{
	FOR_EACH_CALL(call)
	{
		int expected = call->answer;

		if (_IOC_DIR(call->number) & _IOC_READ)
			expected = -EFAULT;
		memcpy(self->buffer, &call->argument, sizeof(call->argument));
		ASSERT_EQ(0, mprotect(self->buffer, PAGE, PROT_READ));
		EXPECT_EQ(expected, issue(&self->machine, call, call->number,
					  self->buffer))
		TH_LOG("%s", call->name);
		ASSERT_EQ(0,
			  mprotect(self->buffer, PAGE, PROT_READ | PROT_WRITE));
	}
}

TEST_F(structs, an_argument_in_read_only_memory_is_taken)
{
	const struct lodge_clock clock = { .ns = 1 };

	memcpy(self->buffer, &clock, sizeof(clock));
	ASSERT_EQ(0, mprotect(self->buffer, PAGE, PROT_READ));
	EXPECT_EQ(0, ioctl(self->machine.vm, LODGE_SET_CLOCK, self->buffer));
}

TEST_F(structs, a_failed_creation_leaves_no_descriptor)
{
	int before = descriptors_open();

	for (int i = 0; i < 10; i++) {
		EXPECT_EQ(-1, ioctl(self->machine.lodge, LODGE_CREATE_VM, 0));
		EXPECT_EQ(-1, ioctl(self->machine.vm, LODGE_CREATE_VCPU, 0));
	}
	EXPECT_EQ(before, descriptors_open());
}

TEST_F(structs, no_other_number_is_a_call)
{
	const enum target files[] = { ON_LODGE, ON_VM, ON_VCPU };

	for (unsigned int nr = 0; nr < 256; nr++) {
		bool known = nr == _IOC_NR(LODGE_HOLD) ||
			     nr == _IOC_NR(LODGE_RELEASE) ||
			     nr == _IOC_NR(LODGE_RUN) ||
			     nr == _IOC_NR(LODGE_NMI);

		FOR_EACH_CALL(call)
		known |= _IOC_NR(call->number) == nr;
		if (known)
			continue;
		for (int i = 0; i < 3; i++) {
			int fd = file_of(&self->machine, files[i]);

			EXPECT_EQ(-1, ioctl(fd, _IO(LODGE_IOC, nr), 0));
			EXPECT_EQ(ENOTTY, errno);
			EXPECT_EQ(-1, ioctl(fd,
					    _IOC(_IOC_READ | _IOC_WRITE,
						 LODGE_IOC, nr, 64),
					    self->buffer));
			EXPECT_EQ(ENOTTY, errno);
		}
	}
}

TEST_F(structs, a_call_on_another_kind_of_file_is_unknown)
{
	const enum target files[] = { ON_LODGE, ON_VM, ON_VCPU };

	FOR_EACH_CALL(call)
	{
		memcpy(self->buffer, &call->argument, sizeof(call->argument));
		for (int i = 0; i < 3; i++) {
			if (files[i] == call->target)
				continue;
			EXPECT_EQ(-1, ioctl(file_of(&self->machine, files[i]),
					    call->number, self->buffer))
			TH_LOG("%s", call->name);
			EXPECT_EQ(ENOTTY, errno);
		}
	}
	EXPECT_EQ(-1, ioctl(self->machine.lodge, LODGE_RUN, 0));
	EXPECT_EQ(ENOTTY, errno);
	EXPECT_EQ(-1, ioctl(self->machine.vm, LODGE_NMI, 0));
	EXPECT_EQ(ENOTTY, errno);
}

TEST_F(structs, another_type_or_direction_is_unknown)
{
	FOR_EACH_CALL(call)
	{
		unsigned int type = 0xff << _IOC_TYPESHIFT;
		unsigned int direction = _IOC_DIRMASK << _IOC_DIRSHIFT;

		EXPECT_EQ(-ENOTTY, issue(&self->machine, call,
					 call->number ^ type, self->buffer))
		TH_LOG("%s", call->name);
		EXPECT_EQ(-ENOTTY,
			  issue(&self->machine, call, call->number ^ direction,
				self->buffer))
		TH_LOG("%s", call->name);
	}
}

TEST_F(structs, no_file_can_be_read_or_written)
{
	const enum target files[] = { ON_LODGE, ON_VM, ON_VCPU };

	for (int i = 0; i < 3; i++) {
		int fd = file_of(&self->machine, files[i]);

		EXPECT_EQ(-1, read(fd, self->buffer, 1));
		EXPECT_EQ(EINVAL, errno);
		EXPECT_EQ(-1, write(fd, self->buffer, 1));
		EXPECT_EQ(EINVAL, errno);
	}
}

/*
 * A 64-bit program can make a 32-bit system call, and so be a 32-bit caller with
 * an argument below 4 GiB.
 */
static int issue_32(const struct machine *machine, const struct call *call,
		    void *argument)
{
	int fd = file_of(machine, call->target);
	long answer = 54; /* ioctl */

	asm volatile("int $0x80"
		     : "+a"(answer)
		     : "b"((long)fd), "c"((long)call->number), "d"(argument)
		     : "memory", "r8", "r9", "r10", "r11");
	if ((int)answer > 0 && call->number == LODGE_CREATE_VM)
		answer = close(answer);
	return answer;
}

TEST_F(structs, a_32_bit_caller_gets_the_same_answers)
{
	uint8_t *low = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	size_t size;

	ASSERT_NE(MAP_FAILED, low);
	FOR_EACH_CALL(call)
	{
		size = _IOC_SIZE(call->number);
		memcpy(low, &call->argument, size);
		EXPECT_EQ(call->answer, issue_32(&self->machine, call, low))
		TH_LOG("%s", call->name);
		EXPECT_EQ(-EFAULT, issue_32(&self->machine, call, NULL))
		TH_LOG("%s", call->name);
	}
	size = sizeof(struct lodge_info);
	ASSERT_EQ(0, issue_32(&self->machine, &calls[0], low));
	ASSERT_EQ(0, issue(&self->machine, &calls[0], LODGE_GET_INFO,
			   self->buffer));
	EXPECT_EQ(0, memcmp(low, self->buffer, size));
}

TEST_HARNESS_MAIN
