// SPDX-License-Identifier: GPL-2.0
/*
 * The errors of LODGE_SET_IOEVENTFD and LODGE_SET_IRQFD, and that a call which failed
 * has changed nothing.
 */
#include <errno.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/client.h"
#include "host.h"
#include "runner.h"
#include "waiting.h"

#include "kselftest_harness.h"

#define ADDRESS 0xd0000000ULL
#define MESSAGE 0xfee00000ULL
#define LEVEL 0xc041U
#define EDGE 0x41U

FIXTURE(eventfd)
{
	struct machine machine;
	int vm;
	int fd;
	int other;
	struct lodge_ioeventfd bell;
	struct lodge_irqfd irqfd;
};

FIXTURE_SETUP(eventfd)
{
	ASSERT_EQ(0, machine_make(&self->machine, 1));
	self->vm = self->machine.vm;
	self->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	self->other = eventfd(0, EFD_CLOEXEC);
	ASSERT_LE(0, self->other);
	self->bell = (struct lodge_ioeventfd){ .address = ADDRESS,
					       .size = 4,
					       .fd = self->fd };
	self->irqfd = (struct lodge_irqfd){ .address = MESSAGE,
					    .data = EDGE,
					    .fd = self->fd };
}

FIXTURE_TEARDOWN(eventfd)
{
	close(self->fd);
	close(self->other);
	machine_end(&self->machine);
}

/* With some members of @bell changed. */
#define HANG(...)                                         \
	({                                                \
		struct lodge_ioeventfd bell = self->bell; \
                                                          \
		__VA_ARGS__;                              \
		lodge_vm_ioeventfd(self->vm, &bell);      \
	})
#define CONNECT(...)                                    \
	({                                              \
		struct lodge_irqfd irqfd = self->irqfd; \
                                                        \
		__VA_ARGS__;                            \
		lodge_vm_irqfd(self->vm, &irqfd);       \
	})

TEST_F(eventfd, what_is_no_eventfd_is_refused)
{
	EXPECT_EQ(-EBADF, HANG(bell.fd = -1));
	EXPECT_EQ(-EBADF, HANG(bell.fd = 999));
	EXPECT_EQ(-EINVAL, HANG(bell.fd = self->vm));
	EXPECT_EQ(-EINVAL, HANG(bell.fd = 0));
	EXPECT_EQ(-EBADF, CONNECT(irqfd.fd = -1));
	EXPECT_EQ(-EINVAL, CONNECT(irqfd.fd = self->vm));
	EXPECT_EQ(-EBADF, CONNECT(irqfd.flags = LODGE_IRQFD_LEVEL;
				  irqfd.data = LEVEL; irqfd.resample = -1));
	EXPECT_EQ(-EINVAL,
		  CONNECT(irqfd.flags = LODGE_IRQFD_LEVEL; irqfd.data = LEVEL;
			  irqfd.resample = self->vm));
	EXPECT_EQ(-ENOENT, CONNECT(irqfd.flags = LODGE_IRQFD_REMOVE));
}

TEST_F(eventfd, a_bell_with_bad_members_is_invalid)
{
	EXPECT_EQ(-EINVAL, HANG(bell.flags = 8));
	EXPECT_EQ(-EINVAL, HANG(bell.flags = 0x80000000));
	EXPECT_EQ(-EINVAL, HANG(bell.reserved = 1));
	EXPECT_EQ(-EINVAL, HANG(bell.size = 3));
	EXPECT_EQ(-EINVAL, HANG(bell.size = 16));
	EXPECT_EQ(-EINVAL, HANG(bell.size = 0x80000000));
	EXPECT_EQ(-EINVAL, HANG(bell.match = 1));
	EXPECT_EQ(-EINVAL,
		  HANG(bell.flags = LODGE_IOEVENTFD_MATCH; bell.size = 0));
	EXPECT_EQ(-EINVAL, HANG(bell.flags = LODGE_IOEVENTFD_MATCH;
				bell.match = 1ULL << 32));
	EXPECT_EQ(-EINVAL, HANG(bell.flags = LODGE_IOEVENTFD_PORT;
				bell.address = 0x80; bell.size = 8));
	EXPECT_EQ(-EINVAL, HANG(bell.flags = LODGE_IOEVENTFD_PORT;
				bell.address = 0x10000));
	EXPECT_EQ(-EINVAL, HANG(bell.flags = LODGE_IOEVENTFD_PORT;
				bell.address = 0xfffd));
	EXPECT_EQ(-EINVAL, HANG(bell.address = 1ULL << 52));
	EXPECT_EQ(-EINVAL, HANG(bell.address = -1ULL));
	EXPECT_EQ(-EINVAL, HANG(bell.address = (1ULL << 52) - 3));
	EXPECT_EQ(-ENOENT, HANG(bell.flags = LODGE_IOEVENTFD_REMOVE));
}

TEST_F(eventfd, bells_at_the_ends_of_their_spaces_are_accepted)
{
	EXPECT_EQ(0, HANG(bell.address = 0));
	EXPECT_EQ(0, HANG(bell.address = (1ULL << 52) - 4));
	EXPECT_EQ(0, HANG(bell.flags = LODGE_IOEVENTFD_PORT; bell.address = 0));
	EXPECT_EQ(0, HANG(bell.flags = LODGE_IOEVENTFD_PORT;
			  bell.address = 0xffff; bell.size = 0));
}

TEST_F(eventfd, an_address_that_is_taken_is_refused)
{
	EXPECT_EQ(0, HANG());
	EXPECT_EQ(-EEXIST, HANG());
	EXPECT_EQ(-EEXIST, HANG(bell.fd = self->other));
	EXPECT_EQ(-EEXIST, HANG(bell.size = 2));
	EXPECT_EQ(-EEXIST, HANG(bell.size = 0; bell.address += 3));
	EXPECT_EQ(0, HANG(bell.address += 4));
	EXPECT_EQ(0,
		  HANG(bell.flags = LODGE_IOEVENTFD_PORT; bell.address = 0x80));
}

TEST_F(eventfd, values_may_share_an_address_but_not_with_all_values)
{
	EXPECT_EQ(0, HANG(bell.flags = LODGE_IOEVENTFD_MATCH; bell.match = 1));
	EXPECT_EQ(0, HANG(bell.flags = LODGE_IOEVENTFD_MATCH; bell.match = 2));
	EXPECT_EQ(-EEXIST,
		  HANG(bell.flags = LODGE_IOEVENTFD_MATCH; bell.match = 2));
	EXPECT_EQ(-EEXIST, HANG());
	EXPECT_EQ(0, HANG(bell.address += 8));
	EXPECT_EQ(-EEXIST,
		  HANG(bell.flags = LODGE_IOEVENTFD_MATCH; bell.address += 8));
}

TEST_F(eventfd, a_bell_is_removed_by_all_that_it_was_hung_with)
{
	const uint32_t flags = LODGE_IOEVENTFD_MATCH | LODGE_IOEVENTFD_REMOVE;

	EXPECT_EQ(0, HANG(bell.flags = LODGE_IOEVENTFD_MATCH; bell.match = 1));
	EXPECT_EQ(0, HANG(bell.flags = LODGE_IOEVENTFD_MATCH; bell.match = 2));
	EXPECT_EQ(-ENOENT, HANG(bell.flags = LODGE_IOEVENTFD_REMOVE));
	EXPECT_EQ(-ENOENT, HANG(bell.flags = flags; bell.match = 3));
	EXPECT_EQ(-ENOENT,
		  HANG(bell.flags = flags; bell.match = 1; bell.size = 2));
	EXPECT_EQ(-ENOENT, HANG(bell.flags = flags; bell.match = 1;
				bell.fd = self->other));
	EXPECT_EQ(0, HANG(bell.flags = flags; bell.match = 1));
	EXPECT_EQ(-ENOENT, HANG(bell.flags = flags; bell.match = 1));
	EXPECT_EQ(0, HANG(bell.flags = flags; bell.match = 2));
	EXPECT_EQ(0, HANG(bell.size = 2));
}

TEST_F(eventfd, there_is_room_for_so_many_bells_and_no_more)
{
	const uint32_t flags = LODGE_IOEVENTFD_MATCH;
	uint64_t i;

	for (i = 0; i < LODGE_MAX_IOEVENTFDS; i++)
		ASSERT_EQ(0, HANG(bell.flags = flags; bell.match = i));
	EXPECT_EQ(-ENOSPC, HANG(bell.flags = flags; bell.match = i));
	EXPECT_EQ(0, HANG(bell.flags = flags | LODGE_IOEVENTFD_REMOVE;
			  bell.match = 5));
	EXPECT_EQ(0, HANG(bell.flags = flags; bell.match = i));
}

TEST_F(eventfd, a_message_with_bad_members_is_invalid)
{
	EXPECT_EQ(-EINVAL, CONNECT(irqfd.flags = 4));
	EXPECT_EQ(-EINVAL, CONNECT(irqfd.reserved = 1));
	EXPECT_EQ(-EINVAL, CONNECT(irqfd.address = 0xfed00000));
	EXPECT_EQ(-EINVAL, CONNECT(irqfd.data = 0x700 | EDGE));
	EXPECT_EQ(-EINVAL, CONNECT(irqfd.data = LEVEL));
	EXPECT_EQ(-EINVAL, CONNECT(irqfd.flags = LODGE_IRQFD_LEVEL;
				   irqfd.data = LEVEL | 0x400;
				   irqfd.resample = self->other));
	EXPECT_EQ(-EINVAL, CONNECT(irqfd.resample = self->other));
	EXPECT_EQ(-EINVAL, CONNECT(irqfd.flags = LODGE_IRQFD_LEVEL;
				   irqfd.resample = self->other));
	EXPECT_EQ(-ENOENT, CONNECT(irqfd.flags = LODGE_IRQFD_REMOVE));
}

TEST_F(eventfd, an_eventfd_stays_of_its_kind_until_it_is_removed)
{
	EXPECT_EQ(0, CONNECT());
	EXPECT_EQ(-EINVAL,
		  CONNECT(irqfd.flags = LODGE_IRQFD_LEVEL; irqfd.data = LEVEL;
			  irqfd.resample = self->other));
	EXPECT_EQ(0, CONNECT(irqfd.data = EDGE + 1));
	EXPECT_EQ(0, CONNECT(irqfd.flags = LODGE_IRQFD_REMOVE));
	EXPECT_EQ(0, CONNECT(irqfd.flags = LODGE_IRQFD_LEVEL;
			     irqfd.data = LEVEL; irqfd.resample = self->other));
	EXPECT_EQ(-EINVAL, CONNECT());
	EXPECT_EQ(-EINVAL,
		  CONNECT(irqfd.flags = LODGE_IRQFD_LEVEL; irqfd.data = LEVEL;
			  irqfd.resample = self->fd));
	EXPECT_EQ(0, CONNECT(irqfd.flags = LODGE_IRQFD_REMOVE));
}

/* Descriptors, so that as many can be open. */
static void raise_limit(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max = 2 * LODGE_MAX_IRQFDS;
	setrlimit(RLIMIT_NOFILE, &limit);
}

TEST_F(eventfd, there_is_room_for_so_many_messages_and_no_more)
{
	int fd = -1;

	raise_limit();
	for (int i = 0; i < LODGE_MAX_IRQFDS; i++) {
		fd = eventfd(0, EFD_CLOEXEC);
		if (fd < 0)
			SKIP(return, "there are too few descriptors");
		ASSERT_EQ(0, CONNECT(irqfd.fd = fd));
	}
	EXPECT_EQ(-ENOSPC, CONNECT());
	/* One that is there may still change. */
	EXPECT_EQ(0, CONNECT(irqfd.fd = fd; irqfd.data++));
	close(fd);
	EXPECT_TRUE(EVENTUALLY(!CONNECT()));
}

TEST_F(eventfd, those_that_are_closed_make_room)
{
	for (int i = 0; i < LODGE_MAX_IRQFDS + 100; i++) {
		int fd = eventfd(0, EFD_CLOEXEC);

		ASSERT_LE(0, fd);
		ASSERT_TRUE(EVENTUALLY(CONNECT(irqfd.fd = fd) != -ENOSPC));
		close(fd);
	}
}

TEST_F(eventfd, closing_a_vm_lets_go_of_eventfds)
{
	uint64_t count = 1;

	EXPECT_EQ(0, HANG());
	EXPECT_EQ(0, CONNECT());
	machine_end(&self->machine);
	EXPECT_TRUE(EVENTUALLY(lodge_users() == 0));
	/* Nobody but us reads it. */
	EXPECT_EQ(8, write(self->fd, &count, sizeof(count)));
	EXPECT_EQ(8, read(self->fd, &count, sizeof(count)));
	ASSERT_EQ(0, machine_make(&self->machine, 1));
}

TEST_HARNESS_MAIN
