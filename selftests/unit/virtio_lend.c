// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of queues that somebody outside of this process serves: another process keeps the
 * eventfds that it was given, and can let writes to them wait for ever.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "fakes.h"
#include "virtio_echo.h"

#define QUEUE 1
/* The most that an eventfd counts up to. */
#define FULL 0xfffffffffffffffeULL

/* Lends the queue.  Return: the eventfd of its kicks as the other one has it, or -1. */
static int lend(FIXTURE_DATA(virtio) * self, bool process)
{
	int kick, call, err;

	virtio_lock(&self->echo.pci.device);
	err = virtio_pci_lend(&self->echo.pci, QUEUE, process, &kick, &call);
	virtio_unlock(&self->echo.pci.device);
	return err ? -1 : dup(kick);
}

static void take_back(FIXTURE_DATA(virtio) * self)
{
	virtio_lock(&self->echo.pci.device);
	virtio_pci_take_back(&self->echo.pci, QUEUE);
	virtio_unlock(&self->echo.pci.device);
}

static void wake(FIXTURE_DATA(virtio) * self)
{
	virtio_lock(&self->echo.pci.device);
	virtio_wake(&self->echo.pci.device, QUEUE);
	virtio_unlock(&self->echo.pci.device);
}

static bool start(FIXTURE_DATA(virtio) * self)
{
	const bool started = !virtio_pci_lend_prepare(&self->echo.pci) &&
			     guest_start(&self->guest, V1);

	while (fake_turn())
		;
	self->echo.kicks[QUEUE] = 0;
	return started;
}

/* Return: how often an eventfd was signalled since the last time. */
static eventfd_t count(int kick)
{
	eventfd_t value;

	return eventfd_read(kick, &value) ? 0 : value;
}

TEST_F(virtio, a_queue_is_kicked_when_it_is_lent)
{
	int kick;

	ASSERT_TRUE(start(self));
	kick = lend(self, true);
	EXPECT_EQ(1, count(kick));
	guest_ring_bell(&self->guest, QUEUE);
	EXPECT_EQ(1, count(kick));
	fake_turn();
	EXPECT_EQ(0, self->echo.kicks[QUEUE]);
	close(kick);
}

TEST_F(virtio, another_process_lets_nobody_wait_for_an_eventfd)
{
	int kick;

	ASSERT_TRUE(start(self));
	kick = lend(self, true);
	ASSERT_EQ(1, count(kick));
	ASSERT_EQ(0, eventfd_write(kick, FULL));
	ASSERT_EQ(0, fcntl(kick, F_SETFL, 0));
	guest_ring_bell(&self->guest, QUEUE);
	wake(self);
	take_back(self);
	wake(self);
	fake_turn();
	EXPECT_EQ(FULL, count(kick));
	EXPECT_EQ(1, self->echo.kicks[QUEUE]);
	close(kick);
}

TEST_F(virtio, another_process_gets_another_eventfd_each_time)
{
	int first, second;

	ASSERT_TRUE(start(self));
	first = lend(self, true);
	take_back(self);
	second = lend(self, true);
	ASSERT_LE(1, count(first));
	ASSERT_LE(1, count(second));
	eventfd_write(first, 1);
	EXPECT_EQ(0, count(second));
	close(first);
	close(second);
}

TEST_F(virtio, the_kernel_has_one_eventfd_for_all_time)
{
	int first, second;

	ASSERT_TRUE(start(self));
	first = lend(self, false);
	take_back(self);
	second = lend(self, false);
	count(first);
	wake(self);
	EXPECT_EQ(1, count(second));
	close(first);
	close(second);
}

TEST_F(virtio, a_kick_on_its_way_is_seen_by_who_has_the_queue_next)
{
	int kick;

	ASSERT_TRUE(start(self));
	kick = lend(self, true);
	take_back(self);
	fake_turn();
	EXPECT_EQ(1, self->echo.kicks[QUEUE]);
	close(kick);
}

TEST_F(virtio, doorbells_follow_the_eventfd)
{
	const struct guest *guest = &self->guest;
	const uint64_t place = guest->places[VIRTIO_PCI_CAP_NOTIFY_CFG];
	int kick;

	ASSERT_TRUE(start(self));
	kick = lend(self, true);
	take_back(self);
	ASSERT_EQ(QUEUES, rung.count);
	EXPECT_EQ(place + QUEUE * guest->stride, rung.bells[2].address);
	count(rung.eventfds[2]);
	wake(self);
	EXPECT_EQ(1, count(rung.eventfds[2]));
	guest_configure(guest, PCI_COMMAND, 0, 2);
	EXPECT_EQ(0, rung.count);
	close(kick);
}

TEST_HARNESS_MAIN
