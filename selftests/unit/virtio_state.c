// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of what is saved and loaded of virtio devices on the PCI bus.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "kselftest_harness.h"

#include "fakes.h"
#include "virtio_echo.h"

static const struct record_field fields[] = { VIRTIO_PCI_FIELDS(struct echo) };

static const struct device_kind device_kind = {
	.name = "echo",
	DEVICE_STATE(struct echo, fields),
	.is_sound = virtio_pci_is_sound,
	.loaded = virtio_pci_loaded,
};

static int copy_state(struct echo *from, struct echo *to)
{
	struct record record = {};
	int err = device_save(&device_kind, from, &record);

	virtio_pci_reset(to);
	if (!err)
		err = device_load(&device_kind, to, &record);
	free(record.data);
	return err;
}

TEST_F(virtio, state_that_was_saved_goes_on)
{
	struct guest *guest = &self->guest;

	ASSERT_TRUE(guest_start(guest, FEATURES));
	enable_messages(guest);
	set_vector(guest, 0, 1);
	send(self, 0, 0);
	EXPECT_EQ(1, guest->messages[1]);
	/* A kick that nobody has seen yet. */
	ring_send(&guest->rings[0], 1, DATA, 8, 0);
	guest_ring_bell(guest, 0);
	EXPECT_EQ(0, copy_state(&self->echo, &self->echo));
	EXPECT_EQ(STATUS_LIVE, guest_status(guest));
	while (fake_turn())
		;
	EXPECT_EQ(2, used(self, 0));
	EXPECT_EQ(2, guest->messages[1]);
	send(self, 0, 2);
	EXPECT_EQ(3, used(self, 0));
	EXPECT_EQ(QUEUES, rung.count);
}

TEST_F(virtio, queue_of_another_process_is_looked_at_after_a_load)
{
	struct guest *guest = &self->guest;
	eventfd_t count;

	ASSERT_TRUE(guest_start(guest, FEATURES));
	while (fake_turn())
		;
	ring_send(&guest->rings[0], 1, DATA, 8, 0);
	guest_ring_bell(guest, 0);
	/* Eventfds are not saved. */
	eventfd_read(self->echo.pci.bells[0].eventfd, &count);
	EXPECT_EQ(0, copy_state(&self->echo, &self->echo));
	while (fake_turn())
		;
	EXPECT_EQ(1, used(self, 0));
}

TEST_F(virtio, level_of_the_line_is_saved)
{
	struct guest *guest = &self->guest;

	ASSERT_TRUE(guest_start(guest, V1));
	send(self, 0, 0);
	EXPECT_EQ(0, copy_state(&self->echo, &self->echo));
	EXPECT_TRUE(guest->line.level);
	EXPECT_EQ(1, guest_read(guest, VIRTIO_PCI_CAP_ISR_CFG, 0, 1));
	EXPECT_FALSE(guest->line.level);
}

/* Return: what loading a state gives in which @member has another value. */
#define LOAD_WITH(member, value)                           \
	({                                                 \
		struct echo *from = malloc(sizeof(*from)); \
		int err_;                                  \
                                                           \
		*from = self->echo;                        \
		from->pci.member = (value);                \
		err_ = copy_state(from, &self->echo);      \
		*from = self->echo;                        \
		free(from);                                \
		err_;                                      \
	})

TEST_F(virtio, state_that_no_driver_can_reach_is_refused)
{
	struct echo *good = malloc(sizeof(*good));

	ASSERT_TRUE(guest_start(&self->guest, FEATURES));
	*good = self->echo;
#define REFUSED(member, value)                                             \
	do {                                                               \
		struct virtio_state *state = &self->echo.pci.device.state; \
                                                                           \
		*state = good->pci.device.state;                           \
		self->echo.pci.state = good->pci.state;                    \
		EXPECT_EQ(-EINVAL, LOAD_WITH(member, value));              \
	} while (0)
	REFUSED(device.state.status, 0x100 | STATUS_LIVE);
	REFUSED(device.state.status, 0x10 | STATUS_LIVE);
	REFUSED(device.state.status, VIRTIO_CONFIG_S_DRIVER_OK);
	REFUSED(device.state.status, 0);
	REFUSED(device.state.features, 0);
	REFUSED(device.state.features, FEATURES | 2);
	REFUSED(device.state.queues[0].size, 2 * SIZE);
	REFUSED(device.state.queues[0].size, 3);
	REFUSED(device.state.queues[0].size, 0);
	REFUSED(device.state.queues[0].enabled, 2);
	REFUSED(device.state.queues[QUEUES].enabled, 1);
	REFUSED(device.state.queues[1].desc, GUEST_RAM);
	REFUSED(device.state.queues[1].next, SIZE + 1);
	REFUSED(state.isr, 4);
	REFUSED(state.config_vector, QUEUES + 1);
	REFUSED(state.vectors[0], 0xfffe);
	REFUSED(state.vectors[VIRTIO_MAX_QUEUES - 1], QUEUES + 1);
#undef REFUSED
	free(good);
}

TEST_F(virtio, device_starts_anew_when_its_driver_was_ready_and_only_then)
{
	struct echo *echo = &self->echo;

	EXPECT_EQ(0, copy_state(echo, echo));
	EXPECT_EQ(0, echo->starts);
	ASSERT_TRUE(guest_start(&self->guest, FEATURES));
	EXPECT_EQ(1, echo->starts);
	EXPECT_EQ(0, copy_state(echo, echo));
	EXPECT_EQ(2, echo->starts);
}

TEST_HARNESS_MAIN
