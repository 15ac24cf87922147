// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of virtio devices' PCI transport: capabilities, negotiation, status, queues,
 * kicks, interrupts and reset.
 */
#include <string.h>

#include "kselftest_harness.h"

#include "board/layout.h"
#include "fakes.h"
#include "virtio_echo.h"

TEST_F(virtio, each_structure_is_found_by_its_capability)
{
	for (unsigned int i = VIRTIO_PCI_CAP_COMMON_CFG;
	     i <= VIRTIO_PCI_CAP_DEVICE_CFG; i++)
		EXPECT_NE(0, self->guest.places[i]);
	EXPECT_NE(0, self->guest.window);
	EXPECT_GE(guest_config(&self->guest, PCI_REVISION, 1), 1);
	EXPECT_GE(guest_config(&self->guest, PCI_SUBSYSTEM_ID, 2), 0x40);
}

TEST_F(virtio, offers_its_features_and_the_queues)
{
	EXPECT_EQ(FEATURES | 1 | VIRTIO_FEATURE(VIRTIO_RING_F_INDIRECT_DESC) |
			  VIRTIO_FEATURE(VIRTIO_RING_F_EVENT_IDX),
		  guest_offered(&self->guest));
	guest_set(&self->guest, VIRTIO_PCI_COMMON_DFSELECT, 2, 4);
	EXPECT_EQ(0, guest_common(&self->guest, VIRTIO_PCI_COMMON_DF, 4));
	guest_set(&self->guest, VIRTIO_PCI_COMMON_DFSELECT, UINT32_MAX, 4);
	EXPECT_EQ(0, guest_common(&self->guest, VIRTIO_PCI_COMMON_DF, 4));
}

TEST_F(virtio, driver_of_the_old_kind_is_refused)
{
	EXPECT_FALSE(guest_negotiate(&self->guest, 0));
	EXPECT_FALSE(guest_negotiate(&self->guest, VIRTIO_FEATURE(OWN)));
	EXPECT_TRUE(guest_negotiate(&self->guest, V1));
}

TEST_F(virtio, feature_that_was_not_offered_is_refused)
{
	EXPECT_FALSE(guest_negotiate(&self->guest, V1 | VIRTIO_FEATURE(1)));
	EXPECT_FALSE(guest_negotiate(&self->guest, V1 | VIRTIO_FEATURE(63)));
	EXPECT_TRUE(guest_negotiate(&self->guest, FEATURES));
}

TEST_F(virtio, device_may_refuse_features_that_do_not_go_together)
{
	self->echo.picky = true;
	EXPECT_FALSE(guest_negotiate(&self->guest, FEATURES));
	EXPECT_TRUE(guest_negotiate(&self->guest, V1));
}

TEST_F(virtio, features_are_fixed_once_accepted)
{
	ASSERT_TRUE(guest_negotiate(&self->guest, V1));
	guest_set(&self->guest, VIRTIO_PCI_COMMON_GFSELECT, 0, 4);
	guest_set(&self->guest, VIRTIO_PCI_COMMON_GF, 1, 4);
	EXPECT_EQ(0, guest_common(&self->guest, VIRTIO_PCI_COMMON_GF, 4));
	EXPECT_EQ(V1, self->echo.pci.device.state.features);
}

TEST_F(virtio, feature_half_that_there_is_not_is_ignored)
{
	guest_set(&self->guest, VIRTIO_PCI_COMMON_GFSELECT, 2, 4);
	guest_set(&self->guest, VIRTIO_PCI_COMMON_GF, UINT32_MAX, 4);
	EXPECT_EQ(0, guest_common(&self->guest, VIRTIO_PCI_COMMON_GF, 4));
	EXPECT_EQ(0, self->echo.pci.device.state.features);
}

TEST_F(virtio, status_bits_stay_until_a_reset)
{
	guest_set_status(&self->guest, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	guest_set_status(&self->guest, VIRTIO_CONFIG_S_DRIVER);
	EXPECT_EQ(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER,
		  guest_status(&self->guest));
	guest_set_status(&self->guest, 0);
	EXPECT_EQ(0, guest_status(&self->guest));
}

TEST_F(virtio, driver_is_not_ready_before_its_features_are)
{
	guest_set_status(&self->guest, VIRTIO_CONFIG_S_DRIVER_OK);
	EXPECT_EQ(0, guest_status(&self->guest));
	EXPECT_EQ(0, self->echo.starts);
	guest_set_status(&self->guest, VIRTIO_CONFIG_S_FEATURES_OK |
					       VIRTIO_CONFIG_S_DRIVER_OK);
	EXPECT_EQ(0, guest_status(&self->guest));
	ASSERT_TRUE(guest_start(&self->guest, V1));
	EXPECT_EQ(STATUS_LIVE, guest_status(&self->guest));
	EXPECT_EQ(1, self->echo.starts);
}

TEST_F(virtio, driver_cannot_say_that_the_device_needs_a_reset)
{
	guest_set_status(&self->guest, VIRTIO_CONFIG_S_NEEDS_RESET);
	EXPECT_EQ(0, guest_status(&self->guest));
}

TEST_F(virtio, queue_that_there_is_not_has_no_size)
{
	select_queue(&self->guest, 0);
	EXPECT_EQ(SIZE,
		  guest_common(&self->guest, VIRTIO_PCI_COMMON_Q_SIZE, 2));
	select_queue(&self->guest, QUEUES);
	EXPECT_EQ(0, guest_common(&self->guest, VIRTIO_PCI_COMMON_Q_SIZE, 2));
	select_queue(&self->guest, 0xffff);
	EXPECT_EQ(0, guest_common(&self->guest, VIRTIO_PCI_COMMON_Q_SIZE, 2));
	guest_set(&self->guest, VIRTIO_PCI_COMMON_Q_DESCLO, 0x1000, 4);
	guest_set(&self->guest, VIRTIO_PCI_COMMON_Q_MSIX, 1, 2);
	guest_set(&self->guest, VIRTIO_PCI_COMMON_Q_ENABLE, 1, 2);
	EXPECT_EQ(0, guest_status(&self->guest));
}

TEST_F(virtio, queue_is_not_enabled_before_the_features_are_known)
{
	self->guest.rings[0] = ring_at_page(self->guest.ram, GUEST_RINGS, SIZE);
	guest_enable(&self->guest, 0);
	EXPECT_EQ(0, guest_common(&self->guest, VIRTIO_PCI_COMMON_Q_ENABLE, 2));
}

TEST_F(virtio, place_of_an_enabled_queue_is_fixed)
{
	ASSERT_TRUE(guest_start(&self->guest, V1));
	select_queue(&self->guest, 1);
	guest_set(&self->guest, VIRTIO_PCI_COMMON_Q_SIZE, 8, 2);
	guest_set(&self->guest, VIRTIO_PCI_COMMON_Q_USEDLO, 0, 4);
	EXPECT_EQ(SIZE,
		  guest_common(&self->guest, VIRTIO_PCI_COMMON_Q_SIZE, 2));
	EXPECT_EQ(self->guest.rings[1].used,
		  guest_common(&self->guest, VIRTIO_PCI_COMMON_Q_USEDLO, 4));
	guest_set(&self->guest, VIRTIO_PCI_COMMON_Q_ENABLE, 0, 2);
	EXPECT_EQ(1, guest_common(&self->guest, VIRTIO_PCI_COMMON_Q_ENABLE, 2));
}

TEST_F(virtio, queue_outside_ram_makes_the_device_need_a_reset)
{
	ASSERT_TRUE(guest_negotiate(&self->guest, V1));
	self->guest.rings[0] = ring_at_page(self->guest.ram, GUEST_RINGS, SIZE);
	self->guest.rings[0].used = 1ULL << 40;
	guest_enable(&self->guest, 0);
	EXPECT_TRUE(guest_status(&self->guest) & VIRTIO_CONFIG_S_NEEDS_RESET);
	/* A driver that is not ready is told of nothing. */
	EXPECT_FALSE(self->guest.line.level);
	guest_set_status(&self->guest, 0);
	EXPECT_EQ(0, guest_status(&self->guest));
	EXPECT_TRUE(guest_start(&self->guest, V1));
	EXPECT_EQ(STATUS_LIVE, guest_status(&self->guest));
}

TEST_F(virtio, queue_larger_than_offered_makes_the_device_need_a_reset)
{
	ASSERT_TRUE(guest_negotiate(&self->guest, V1));
	self->guest.rings[0] =
		ring_at_page(self->guest.ram, GUEST_RINGS, 2 * SIZE);
	guest_enable(&self->guest, 0);
	EXPECT_TRUE(guest_status(&self->guest) & VIRTIO_CONFIG_S_NEEDS_RESET);
}

TEST_F(virtio, registers_are_written_in_their_width_only)
{
	guest_set(&self->guest, VIRTIO_PCI_COMMON_Q_SELECT, 1, 1);
	guest_set(&self->guest, VIRTIO_PCI_COMMON_MSIX, 1, 4);
	guest_set(&self->guest, VIRTIO_PCI_COMMON_Q_DESCLO, 0x1000, 2);
	guest_set(&self->guest, VIRTIO_PCI_COMMON_Q_DESCLO + 2, 0x1000, 2);
	guest_set(&self->guest, VIRTIO_PCI_COMMON_STATUS, 1, 2);
	for (uint64_t i = 0; i < 56; i += 4)
		if (i != VIRTIO_PCI_COMMON_DF && i != VIRTIO_PCI_COMMON_MSIX &&
		    i != VIRTIO_PCI_COMMON_Q_SIZE &&
		    i != VIRTIO_PCI_COMMON_Q_ENABLE &&
		    i != VIRTIO_PCI_COMMON_STATUS)
			EXPECT_EQ(0, guest_common(&self->guest, i, 4));
	EXPECT_EQ(0, guest_status(&self->guest));
}

TEST_F(virtio, address_of_a_queue_may_be_written_at_once)
{
	guest_write(&self->guest, VIRTIO_PCI_CAP_COMMON_CFG,
		    VIRTIO_PCI_COMMON_Q_AVAILLO, 0x123456789abcdef0, 8);
	EXPECT_EQ(0x123456789abcdef0,
		  guest_read(&self->guest, VIRTIO_PCI_CAP_COMMON_CFG,
			     VIRTIO_PCI_COMMON_Q_AVAILLO, 8));
}

TEST_F(virtio, kick_is_handled_in_the_loop)
{
	ASSERT_TRUE(guest_start(&self->guest, V1));
	while (fake_turn())
		;
	ring_send(&self->guest.rings[1], 0, DATA, 8, 0);
	guest_ring_bell(&self->guest, 1);
	EXPECT_EQ(0, used(self, 1));
	EXPECT_EQ(1, fake_turn());
	EXPECT_EQ(1, used(self, 1));
	EXPECT_EQ(0, fake_turn());
}

TEST_F(virtio, kick_before_the_driver_is_ready_waits)
{
	ASSERT_TRUE(guest_negotiate(&self->guest, V1));
	guest_enable_all(&self->guest);
	send(self, 0, 0);
	EXPECT_EQ(0, used(self, 0));
	guest_ready(&self->guest);
	fake_turn();
	EXPECT_EQ(1, used(self, 0));
}

TEST_F(virtio, doorbells_follow_the_memory)
{
	const struct guest *guest = &self->guest;
	const uint64_t place = guest->places[VIRTIO_PCI_CAP_NOTIFY_CFG];

	ASSERT_EQ(QUEUES, rung.count);
	for (unsigned int i = 0; i < QUEUES; i++) {
		EXPECT_EQ(place + i * guest->stride, rung.bells[i].address);
		EXPECT_EQ(BUS_MMIO, rung.bells[i].space);
		EXPECT_EQ(self->echo.pci.bells[i].eventfd, rung.eventfds[i]);
	}
	guest_configure(guest, PCI_COMMAND, 0, 2);
	EXPECT_EQ(0, rung.count);
	guest_configure(guest, PCI_BAR, 0xd0000000, 4);
	guest_configure(guest, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	ASSERT_EQ(QUEUES, rung.count);
	EXPECT_EQ(0xd0000000, rung.bells[0].address & 0xffff0000);
}

TEST_F(virtio, guest_without_room_for_doorbells_kicks_by_the_bus)
{
	rung.full = true;
	guest_configure(&self->guest, PCI_COMMAND, 0, 2);
	guest_configure(&self->guest, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	EXPECT_EQ(0, rung.count);
	ASSERT_TRUE(guest_start(&self->guest, V1));
	send(self, 2, 0);
	EXPECT_EQ(1, used(self, 2));
}

TEST_F(virtio, kick_of_a_queue_that_there_is_not_is_dropped)
{
	ASSERT_TRUE(guest_start(&self->guest, V1));
	for (unsigned int i = 0; i < 0x1000; i++)
		guest_write(&self->guest, VIRTIO_PCI_CAP_NOTIFY_CFG, i, 0, 2);
	EXPECT_EQ(QUEUES, fake_turn());
	guest_write(&self->guest, VIRTIO_PCI_CAP_NOTIFY_CFG, 1, 0, 2);
	EXPECT_EQ(0, fake_turn());
}

TEST_F(virtio, interrupt_line_falls_when_its_status_is_read)
{
	struct guest *guest = &self->guest;

	ASSERT_TRUE(guest_start(guest, V1));
	send(self, 0, 0);
	EXPECT_TRUE(guest->line.level);
	EXPECT_EQ(1, guest_read(guest, VIRTIO_PCI_CAP_ISR_CFG, 0, 1));
	EXPECT_FALSE(guest->line.level);
	EXPECT_EQ(0, guest_read(guest, VIRTIO_PCI_CAP_ISR_CFG, 0, 1));
	virtio_lock(&self->echo.pci.device);
	virtio_config_changed(&self->echo.pci.device);
	virtio_unlock(&self->echo.pci.device);
	EXPECT_TRUE(guest->line.level);
	EXPECT_EQ(2, guest_read(guest, VIRTIO_PCI_CAP_ISR_CFG, 0, 1));
}

TEST_F(virtio, each_queue_has_its_message)
{
	struct guest *guest = &self->guest;

	ASSERT_TRUE(guest_start(guest, V1));
	enable_messages(guest);
	set_vector(guest, 0, 3);
	set_vector(guest, 2, 1);
	guest_set(guest, VIRTIO_PCI_COMMON_MSIX, 2, 2);
	send(self, 0, 0);
	EXPECT_EQ(1, guest->messages[3]);
	send(self, 2, 0);
	EXPECT_EQ(1, guest->messages[1]);
	/* This one has none. */
	send(self, 1, 0);
	EXPECT_EQ(1, used(self, 1));
	virtio_lock(&self->echo.pci.device);
	virtio_config_changed(&self->echo.pci.device);
	virtio_unlock(&self->echo.pci.device);
	EXPECT_EQ(1, guest->messages[2]);
	EXPECT_EQ(0, guest->messages[0]);
	EXPECT_FALSE(guest->line.level);
}

TEST_F(virtio, vector_that_there_is_not_reads_back_as_none)
{
	struct guest *guest = &self->guest;

	set_vector(guest, 0, QUEUES);
	EXPECT_EQ(QUEUES, guest_common(guest, VIRTIO_PCI_COMMON_Q_MSIX, 2));
	set_vector(guest, 0, QUEUES + 1);
	EXPECT_EQ(NO_VECTOR, guest_common(guest, VIRTIO_PCI_COMMON_Q_MSIX, 2));
	guest_set(guest, VIRTIO_PCI_COMMON_MSIX, 0xfffe, 2);
	EXPECT_EQ(NO_VECTOR, guest_common(guest, VIRTIO_PCI_COMMON_MSIX, 2));
}

TEST_F(virtio, generation_tells_of_a_changed_configuration)
{
	const uint8_t before =
		guest_common(&self->guest, VIRTIO_PCI_COMMON_CFGGENERATION, 1);

	virtio_lock(&self->echo.pci.device);
	virtio_config_changed(&self->echo.pci.device);
	virtio_unlock(&self->echo.pci.device);
	EXPECT_NE(before, guest_common(&self->guest,
				       VIRTIO_PCI_COMMON_CFGGENERATION, 1));
}

TEST_F(virtio, configuration_is_read_and_written_within_its_end)
{
	struct guest *guest = &self->guest;

	EXPECT_EQ(0x33323130,
		  guest_read(guest, VIRTIO_PCI_CAP_DEVICE_CFG, 0, 4));
	EXPECT_EQ(0x3938, guest_read(guest, VIRTIO_PCI_CAP_DEVICE_CFG, 8, 4));
	EXPECT_EQ(0, guest_read(guest, VIRTIO_PCI_CAP_DEVICE_CFG, 10, 4));
	self->echo.kicks[0] = UINT32_MAX;
	for (unsigned int at = 10; at < 30; at++)
		EXPECT_EQ(0,
			  guest_read(guest, VIRTIO_PCI_CAP_DEVICE_CFG, at, 1));
	EXPECT_EQ(0, guest_read(guest, VIRTIO_PCI_CAP_DEVICE_CFG, 0xff8, 8));
	guest_write(guest, VIRTIO_PCI_CAP_DEVICE_CFG, 8, 0x6261, 2);
	guest_write(guest, VIRTIO_PCI_CAP_DEVICE_CFG, 9, 0, 2);
	guest_write(guest, VIRTIO_PCI_CAP_DEVICE_CFG, 10, 0, 1);
	EXPECT_EQ(0, memcmp("01234567ab", self->echo.config, 10));
}

TEST_F(virtio, configuration_space_is_a_way_to_the_structures)
{
	struct guest *guest = &self->guest;
	const uint8_t at = guest->window;

	guest_configure(guest, at + 8, 0x2004, 4);
	guest_configure(guest, at + 12, 2, 4);
	EXPECT_EQ(0x3534, guest_config(guest, at + 16, 2));
	guest_configure(guest, at + 16, 0x7978, 2);
	EXPECT_EQ(0, memcmp("0123xy6789", self->echo.config, 10));
	guest_configure(guest, at + 8, VIRTIO_PCI_COMMON_STATUS, 4);
	guest_configure(guest, at + 12, 1, 4);
	guest_configure(guest, at + 16, VIRTIO_CONFIG_S_ACKNOWLEDGE, 1);
	EXPECT_EQ(VIRTIO_CONFIG_S_ACKNOWLEDGE, guest_status(guest));
}

TEST_F(virtio, way_through_configuration_space_leads_nowhere_else)
{
	struct guest *guest = &self->guest;
	const uint8_t at = guest->window;
	static const uint32_t bad[][3] = {
		{ 0, 0x7ffe, 4 }, { 0, 0x8000, 4 },	{ 0, 0xfffffffc, 4 },
		{ 1, 0, 4 },	  { 5, 0, 4 },		{ 6, 0, 4 },
		{ 255, 0, 4 },	  { 0, 0, 0 },		{ 0, 0, 3 },
		{ 0, 0, 8 },	  { 0, 0, 0xffffffff }, { 0, 0x2001, 4 },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		guest_configure(guest, at + 4, bad[i][0], 1);
		guest_configure(guest, at + 8, bad[i][1], 4);
		guest_configure(guest, at + 12, bad[i][2], 4);
		guest_configure(guest, at + 16, 0x01010101, 4);
		guest_config(guest, at + 16, 4);
	}
	EXPECT_EQ(0, guest_status(guest));
	EXPECT_EQ(0, self->echo.pci.state.device_select);
	EXPECT_EQ(0, memcmp("0123456789", self->echo.config, 10));
}

TEST_F(virtio, memory_at_the_place_of_configuration_space_answers_nowhere)
{
	struct guest *guest = &self->guest;

	guest_configure(guest, PCI_BAR, PCI_ECAM, 4);
	EXPECT_EQ(PCI_BAR_OFF, self->echo.pci.function.bars[0].address);
	guest_configure(guest, PCI_BAR, PCI_ECAM + PCI_ECAM_SIZE, 4);
	EXPECT_EQ(PCI_ECAM + PCI_ECAM_SIZE,
		  self->echo.pci.function.bars[0].address);
}

TEST_F(virtio, device_that_is_no_master_of_the_bus_any_more_is_reset)
{
	struct guest *guest = &self->guest;

	ASSERT_TRUE(guest_start(guest, V1));
	self->echo.lazy = true;
	send(self, 0, 0);
	/* What does not take the right away does nothing. */
	guest_configure(guest, PCI_COMMAND,
			PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
	EXPECT_EQ(STATUS_LIVE, guest_status(guest));
	guest_configure(guest, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	echo_complete(&self->echo);
	EXPECT_EQ(0, guest_status(guest));
	EXPECT_EQ(0, used(self, 0));
	EXPECT_EQ(0, guest_common(guest, VIRTIO_PCI_COMMON_Q_ENABLE, 2));
	self->echo.lazy = false;
	ASSERT_TRUE(guest_start(guest, V1));
	send(self, 0, 0);
	EXPECT_EQ(1, used(self, 0));
}

TEST_F(virtio, reset_forgets_what_the_driver_has_set)
{
	struct guest *guest = &self->guest;

	ASSERT_TRUE(guest_start(guest, FEATURES));
	set_vector(guest, 0, 1);
	send(self, 0, 0);
	guest_set_status(guest, 0);
	EXPECT_EQ(0, guest_status(guest));
	EXPECT_FALSE(guest->line.level);
	EXPECT_EQ(0, guest_read(guest, VIRTIO_PCI_CAP_ISR_CFG, 0, 1));
	EXPECT_EQ(0, self->echo.pci.device.state.features);
	select_queue(guest, 0);
	EXPECT_EQ(0, guest_common(guest, VIRTIO_PCI_COMMON_Q_ENABLE, 2));
	EXPECT_EQ(0, guest_common(guest, VIRTIO_PCI_COMMON_Q_DESCLO, 4));
	EXPECT_EQ(SIZE, guest_common(guest, VIRTIO_PCI_COMMON_Q_SIZE, 2));
	EXPECT_EQ(NO_VECTOR, guest_common(guest, VIRTIO_PCI_COMMON_Q_MSIX, 2));
	send(self, 0, 1);
	EXPECT_EQ(1, used(self, 0));
}

TEST_F(virtio, reset_waits_for_what_is_in_flight)
{
	struct guest *guest = &self->guest;

	ASSERT_TRUE(guest_start(guest, V1));
	self->echo.lazy = true;
	send(self, 0, 0);
	send(self, 0, 1);
	guest_set_status(guest, 0);
	EXPECT_EQ(STATUS_LIVE, guest_status(guest));
	/* Nothing that the driver does meanwhile has an effect. */
	guest_set_status(guest, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	set_vector(guest, 0, 1);
	guest_set(guest, VIRTIO_PCI_COMMON_DFSELECT, 1, 4);
	EXPECT_EQ(0, guest_common(guest, VIRTIO_PCI_COMMON_DFSELECT, 4));
	send(self, 0, 2);
	EXPECT_EQ(STATUS_LIVE, guest_status(guest));
	EXPECT_EQ(2, self->echo.taken);
	echo_complete(&self->echo);
	EXPECT_EQ(0, guest_status(guest));
	EXPECT_EQ(0, used(self, 0));
	EXPECT_FALSE(guest->line.level);
	EXPECT_TRUE(guest_start(guest, V1));
}

TEST_F(virtio, broken_queue_makes_the_device_need_a_reset)
{
	struct guest *guest = &self->guest;

	ASSERT_TRUE(guest_start(guest, V1));
	enable_messages(guest);
	guest_set(guest, VIRTIO_PCI_COMMON_MSIX, 0, 2);
	ring_offer(&guest->rings[0], SIZE);
	guest_kick(guest, 0);
	EXPECT_EQ(STATUS_LIVE | VIRTIO_CONFIG_S_NEEDS_RESET,
		  guest_status(guest));
	EXPECT_EQ(1, guest->messages[0]);
	/* The other queues rest, too, and the driver is told once. */
	send(self, 1, 0);
	guest_kick(guest, 0);
	EXPECT_EQ(0, used(self, 1));
	EXPECT_EQ(1, guest->messages[0]);
	EXPECT_TRUE(guest_start(guest, V1));
	send(self, 1, 0);
	EXPECT_EQ(1, used(self, 1));
}

TEST_F(virtio, device_that_has_failed_rests)
{
	ASSERT_TRUE(guest_start(&self->guest, V1));
	guest_set_status(&self->guest, STATUS_LIVE | VIRTIO_CONFIG_S_FAILED);
	send(self, 0, 0);
	EXPECT_EQ(0, used(self, 0));
}

TEST_F(virtio, device_that_cannot_be_is_refused)
{
	struct virtio_pci *pci = calloc(1, sizeof(*pci));

	pci->device.kind = &kind;
	pci->device.queue_size = SIZE;
	pci->device.nr_queues = VIRTIO_MAX_QUEUES + 1;
	EXPECT_EQ(-EINVAL, virtio_pci_init(pci, &self->guest.board));
	virtio_pci_fini(pci);
	pci->device.nr_queues = 1;
	pci->device.queue_size = 3;
	EXPECT_EQ(-EINVAL, virtio_pci_init(pci, &self->guest.board));
	virtio_pci_fini(pci);
	free(pci);
}

/* Return: all that is readable, in all sizes; the sanitizers look on. */
TEST_F(virtio, any_access_is_survived)
{
	const struct guest *guest = &self->guest;
	const uint64_t base = guest->places[VIRTIO_PCI_CAP_COMMON_CFG];
	uint8_t bytes[16];

	ASSERT_TRUE(guest_start(&self->guest, V1));
	for (uint64_t at = 0; at < 0x8000; at += at < 0x80 ? 1 : 61) {
		for (size_t size = 1; size <= 16; size *= 2) {
			memset(bytes, at * size, sizeof(bytes));
			bus_read(guest->board.bus, BUS_MMIO, base + at, bytes,
				 size);
			bus_write(guest->board.bus, BUS_MMIO, base + at, bytes,
				  size);
		}
	}
	while (fake_turn())
		;
	guest_configure(guest, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	guest_set_status(guest, 0);
	EXPECT_EQ(0, guest_status(guest));
}

TEST_HARNESS_MAIN
