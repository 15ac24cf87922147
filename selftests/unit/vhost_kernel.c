// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of back ends in the kernel, by the socket device, at vhost devices that they play.
 */
#include <linux/virtio_ids.h>
#include <poll.h>
#include <stdlib.h>

#include "kselftest_harness.h"

#include "fake_vhost.h"
#include "fakes.h"
#include "virtio/vsock.h"
#include "virtio_guest.h"

#define BIT(bit) (1ULL << (bit))
#define V1 BIT(VIRTIO_F_VERSION_1)
#define INDIRECT BIT(VIRTIO_RING_F_INDIRECT_DESC)
#define DATA 0x10000ULL
#define EVENTS 2

/* How often somebody has slept. */
static unsigned int sleeps;

int poll(struct pollfd *files, nfds_t count, int timeout)
{
	sleeps += !count;
	return syscall(SYS_poll, files, count, timeout);
}

FIXTURE(kernel)
{
	struct guest guest;
	struct device_value value;
	struct device_error error;
	void *device;
	struct fake_vhost *vhost;
};

static bool make(FIXTURE_DATA(kernel) * self)
{
	self->device = virtio_vsock_device.make(&self->guest.board,
						&self->value, &self->error);
	return self->device;
}

FIXTURE_SETUP(kernel)
{
	fake_vhost_init(V1 | INDIRECT);
	guest_init(&self->guest);
	self->value.number = 3;
	self->vhost = &fake_vhosts[0];
	ASSERT_TRUE(make(self));
	ASSERT_EQ(0, virtio_vsock_device.release(self->device));
}

FIXTURE_TEARDOWN(kernel)
{
	if (self->device)
		virtio_vsock_device.free(self->device);
	guest_fini(&self->guest);
}

static bool needs_reset(FIXTURE_DATA(kernel) * self)
{
	return guest_status(&self->guest) & VIRTIO_CONFIG_S_NEEDS_RESET;
}

static bool is_idle(FIXTURE_DATA(kernel) * self)
{
	bool idle = !self->vhost->running;

	for (unsigned int i = 0; i < FAKE_RINGS; i++)
		idle = idle && self->vhost->rings[i].kick == FAKE_NO_FD &&
		       self->vhost->rings[i].call == FAKE_NO_FD;
	return idle;
}

static bool is_at_work(FIXTURE_DATA(kernel) * self)
{
	bool works = self->vhost->running;

	for (unsigned int i = 0; i < FAKE_RINGS; i++)
		works = works && fake_vring_is_whole(self->vhost,
						     &self->vhost->rings[i]);
	return works;
}

TEST_F(kernel, gets_the_queues_when_the_driver_is_ready)
{
	const struct guest *guest = &self->guest;

	EXPECT_TRUE(self->vhost->owned);
	EXPECT_TRUE(is_idle(self));
	ASSERT_TRUE(guest_start(&self->guest, V1));
	EXPECT_TRUE(is_at_work(self));
	EXPECT_EQ(1, self->vhost->regions);
	for (unsigned int i = 0; i < FAKE_RINGS; i++) {
		const struct fake_vring *ring = &self->vhost->rings[i];

		EXPECT_EQ(guest->rings[i].size, ring->num);
		EXPECT_EQ((uintptr_t)ram_at(guest->ram, guest->rings[i].desc,
					    1),
			  ring->address.desc_user_addr);
		EXPECT_EQ((uintptr_t)ram_at(guest->ram, guest->rings[i].avail,
					    1),
			  ring->address.avail_user_addr);
		EXPECT_EQ((uintptr_t)ram_at(guest->ram, guest->rings[i].used,
					    1),
			  ring->address.used_user_addr);
		/* What came before it had the queue is looked at. */
		EXPECT_TRUE(fake_vring_kicked(ring));
	}
}

TEST_F(kernel, is_told_of_the_features_that_were_negotiated)
{
	guest_find(&self->guest);
	EXPECT_EQ(V1 | INDIRECT, guest_offered(&self->guest) & (V1 | INDIRECT));
	EXPECT_EQ(0,
		  guest_offered(&self->guest) & BIT(VIRTIO_RING_F_EVENT_IDX));
	ASSERT_TRUE(guest_start(&self->guest, V1));
	EXPECT_EQ(V1, self->vhost->features);
	ASSERT_TRUE(guest_start(&self->guest, V1 | INDIRECT));
	EXPECT_EQ(V1 | INDIRECT, self->vhost->features);
}

TEST_F(kernel, has_the_guests_kicks_and_sends_its_interrupts)
{
	struct fake_vring *ring = &self->vhost->rings[1];

	ASSERT_TRUE(guest_start(&self->guest, V1));
	fake_vring_kicked(ring);
	ring_send(&self->guest.rings[1], 0, DATA, 8, 0);
	guest_kick(&self->guest, 1);
	EXPECT_TRUE(fake_vring_kicked(ring));
	fake_vring_serve(ring, 1, 1);
	fake_turn();
	EXPECT_TRUE(self->guest.line.level);
}

TEST_F(kernel, goes_on_after_a_hold_where_it_has_stopped)
{
	struct fake_vring *ring = &self->vhost->rings[1];

	ASSERT_TRUE(guest_start(&self->guest, V1));
	for (unsigned int i = 0; i < 3; i++)
		ring_send(&self->guest.rings[1], i, DATA, 8, 0);
	fake_vring_serve(ring, 2, 2);
	ASSERT_EQ(0, virtio_vsock_device.hold(self->device));
	EXPECT_TRUE(is_idle(self));
	EXPECT_FALSE(needs_reset(self));
	ring->next = 77;
	ASSERT_EQ(0, virtio_vsock_device.release(self->device));
	EXPECT_TRUE(is_at_work(self));
	EXPECT_EQ(2, ring->next);
	EXPECT_EQ(0, self->vhost->rings[0].next);
}

TEST_F(kernel, loses_the_queues_at_a_reset)
{
	ASSERT_TRUE(guest_start(&self->guest, V1));
	guest_set_status(&self->guest, 0);
	EXPECT_EQ(0, guest_status(&self->guest));
	EXPECT_TRUE(is_idle(self));
	ASSERT_TRUE(guest_start(&self->guest, V1));
	EXPECT_TRUE(is_at_work(self));
	virtio_vsock_device.reset(self->device);
	EXPECT_TRUE(is_idle(self));
}

static const uint32_t *event(FIXTURE_DATA(kernel) * self)
{
	return ram_at(self->guest.ram, DATA, 4);
}

/* @loads: the device's state is loaded while it is held */
static void offer_event(FIXTURE_DATA(kernel) * self, bool loads)
{
	memset(ram_at(self->guest.ram, DATA, 4), 0xff, 4);
	virtio_vsock_device.hold(self->device);
	if (loads)
		virtio_vsock_device.loaded(self->device);
	ring_send(&self->guest.rings[EVENTS], 0, DATA, 8, VRING_DESC_F_WRITE);
	virtio_vsock_device.release(self->device);
}

TEST_F(kernel,
       says_to_a_driver_that_goes_on_elsewhere_that_connections_are_lost)
{
	ASSERT_TRUE(guest_start(&self->guest, V1));
	offer_event(self, true);
	EXPECT_EQ(1, ring_used(&self->guest.rings[EVENTS])->idx);
	EXPECT_EQ(0, *event(self));
	EXPECT_TRUE(is_at_work(self));
}

TEST_F(kernel, says_it_once_the_driver_has_room_for_it)
{
	ASSERT_TRUE(guest_start(&self->guest, V1));
	virtio_vsock_device.hold(self->device);
	virtio_vsock_device.loaded(self->device);
	virtio_vsock_device.release(self->device);
	EXPECT_EQ(0, ring_used(&self->guest.rings[EVENTS])->idx);
	ring_send(&self->guest.rings[EVENTS], 0, DATA, 8, VRING_DESC_F_WRITE);
	guest_kick(&self->guest, EVENTS);
	EXPECT_EQ(1, ring_used(&self->guest.rings[EVENTS])->idx);
	EXPECT_EQ(0, *event(self));
}

TEST_F(kernel, says_nothing_to_a_driver_that_was_only_held)
{
	ASSERT_TRUE(guest_start(&self->guest, V1));
	offer_event(self, false);
	EXPECT_EQ(0, ring_used(&self->guest.rings[EVENTS])->idx);
}

TEST_F(kernel, says_nothing_to_a_driver_that_has_begun_anew)
{
	ASSERT_TRUE(guest_start(&self->guest, V1));
	virtio_vsock_device.hold(self->device);
	virtio_vsock_device.loaded(self->device);
	guest_set_status(&self->guest, 0);
	ASSERT_TRUE(guest_start(&self->guest, V1));
	offer_event(self, false);
	EXPECT_EQ(0, ring_used(&self->guest.rings[EVENTS])->idx);
}

static const unsigned long starts[] = {
	VHOST_SET_FEATURES,   VHOST_SET_MEM_TABLE,     VHOST_SET_VRING_NUM,
	VHOST_SET_VRING_BASE, VHOST_SET_VRING_ADDR,    VHOST_SET_VRING_CALL,
	VHOST_SET_VRING_KICK, VHOST_VSOCK_SET_RUNNING,
};

TEST_F(kernel, that_refuses_a_step_works_after_a_reset)
{
	guest_find(&self->guest);
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		guest_set_status(&self->guest, 0);
		fake_vhost_fails = starts[i];
		ASSERT_TRUE(guest_start(&self->guest, V1));
		EXPECT_TRUE(needs_reset(self));
		fake_vhost_fails = 0;
		ASSERT_TRUE(guest_start(&self->guest, V1));
		EXPECT_FALSE(needs_reset(self));
		EXPECT_TRUE(is_at_work(self));
	}
}

TEST_F(kernel, that_has_failed_stays_away_until_the_reset)
{
	fake_vhost_fails = VHOST_SET_MEM_TABLE;
	ASSERT_TRUE(guest_start(&self->guest, V1));
	fake_vhost_fails = 0;
	guest_kick(&self->guest, 0);
	ASSERT_EQ(0, virtio_vsock_device.hold(self->device));
	ASSERT_EQ(0, virtio_vsock_device.release(self->device));
	EXPECT_TRUE(is_idle(self));
	EXPECT_TRUE(needs_reset(self));
}

TEST_F(kernel, that_does_not_stop_is_given_up)
{
	ASSERT_TRUE(guest_start(&self->guest, V1));
	fake_vhost_fails = VHOST_GET_VRING_BASE;
	ASSERT_EQ(0, virtio_vsock_device.hold(self->device));
	EXPECT_TRUE(needs_reset(self));
	EXPECT_TRUE(is_idle(self));
	fake_vhost_fails = 0;
	ASSERT_EQ(0, virtio_vsock_device.release(self->device));
	ASSERT_TRUE(guest_start(&self->guest, V1));
	EXPECT_TRUE(is_at_work(self));
}

/* Or it is the guest that has written to the used ring. */
TEST_F(kernel, that_has_not_returned_all_when_it_stops_is_not_waited_for)
{
	struct fake_vring *ring = &self->vhost->rings[1];

	ASSERT_TRUE(guest_start(&self->guest, V1));
	for (unsigned int i = 0; i < 2; i++)
		ring_send(&self->guest.rings[1], i, DATA, 8, 0);
	fake_vring_serve(ring, 2, 1);
	sleeps = 0;
	ASSERT_EQ(0, virtio_vsock_device.hold(self->device));
	EXPECT_EQ(0, sleeps);
	EXPECT_TRUE(needs_reset(self));
	EXPECT_TRUE(is_idle(self));
}

TEST_F(kernel, that_is_absent_is_told_with_a_remedy)
{
	virtio_vsock_device.free(self->device);
	fake_vhost_absent = ENOENT;
	EXPECT_FALSE(make(self));
	EXPECT_STREQ("/dev/vhost-vsock", self->error.thing);
	EXPECT_STREQ("modprobe vhost_vsock", self->error.remedy);
	fake_vhost_absent = EACCES;
	EXPECT_FALSE(make(self));
	EXPECT_STREQ("be a member of the group kvm", self->error.remedy);
}

TEST_F(kernel, without_the_specification_of_today_is_refused)
{
	virtio_vsock_device.free(self->device);
	guest_fini(&self->guest);
	guest_init(&self->guest);
	fake_vhost_init(INDIRECT);
	EXPECT_FALSE(make(self));
	EXPECT_EQ(EPROTO, errno);
}

TEST_HARNESS_MAIN
