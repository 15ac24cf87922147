// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the SCSI adapter with a CD drive.
 */
#include <fcntl.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_scsi.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "fakes.h"
#include "virtio/scsi.h"
#include "virtio_guest.h"

#define V1 (1ULL << VIRTIO_F_VERSION_1)
#define CONTROL 0
#define REQUESTS 2
#define BLOCK 2048
#define BLOCKS 8
#define OUT 0x10000ULL
#define IN 0x20000ULL
#define RESPONSE sizeof(struct virtio_scsi_cmd_resp)
#define OLD 0xee

FIXTURE(scsi)
{
	struct guest guest;
	struct device_value values[2];
	char path[32];
	int file;
	void *device;
	struct virtio_scsi_cmd_req *request;
	struct virtio_scsi_cmd_resp *response;
	uint8_t *data;
	uint32_t written;
};

FIXTURE_SETUP(scsi)
{
	uint8_t block[BLOCK];
	struct device_error error;

	guest_init(&self->guest);
	self->file = memfd_create("cd", MFD_CLOEXEC);
	for (unsigned int i = 0; i < BLOCKS; i++) {
		memset(block, 'a' + i, sizeof(block));
		ASSERT_EQ(BLOCK, write(self->file, block, BLOCK));
	}
	snprintf(self->path, sizeof(self->path), "/proc/self/fd/%d",
		 self->file);
	self->values[0].text = self->path;
	self->device = virtio_scsi_device.make(&self->guest.board, self->values,
					       &error);
	ASSERT_NE(NULL, self->device)
	{
		TH_LOG("%s: %s", error.thing, error.reason);
	}
	virtio_scsi_device.release(self->device);
	ASSERT_TRUE(guest_start(&self->guest, V1));
	self->request = ram_at(self->guest.ram, OUT, sizeof(*self->request));
	self->response = ram_at(self->guest.ram, IN, RESPONSE);
	self->data = (uint8_t *)self->response + RESPONSE;
	memset(self->response, OLD, RESPONSE + BLOCKS * BLOCK + BLOCK);
	self->request->lun[0] = 1;
	self->request->lun[2] = 0x40;
}

FIXTURE_TEARDOWN(scsi)
{
	virtio_scsi_device.free(self->device);
	guest_fini(&self->guest);
	close(self->file);
}

/* Sends what is in @request, with room for @size bytes of data.  Return: true if done. */
static bool ask(FIXTURE_DATA(scsi) * self, unsigned int queue, uint32_t out,
		uint32_t in)
{
	struct ring *ring = &self->guest.rings[queue];
	uint32_t head;

	ring_ask(ring, 4, OUT, out, IN, in);
	guest_ring_bell(&self->guest, queue);
	while (fake_turn())
		;
	virtio_scsi_device.hold(self->device);
	virtio_scsi_device.release(self->device);
	return ring_take(ring, &head, &self->written) && head == 4;
}

static bool command(FIXTURE_DATA(scsi) * self, const uint8_t *cdb, size_t size,
		    uint32_t room)
{
	memset(self->request->cdb, 0, sizeof(self->request->cdb));
	memcpy(self->request->cdb, cdb, size);
	return ask(self, REQUESTS, sizeof(*self->request), RESPONSE + room);
}

#define COMMAND(room, ...)                              \
	command(self, (const uint8_t[]){ __VA_ARGS__ }, \
		sizeof((const uint8_t[]){ __VA_ARGS__ }), room)

TEST_F(scsi, is_a_scsi_adapter_with_one_target)
{
	EXPECT_EQ(0x1040 + VIRTIO_ID_SCSI,
		  guest_config(&self->guest, PCI_DEVICE_ID, 2));
	EXPECT_EQ(1, guest_read(&self->guest, VIRTIO_PCI_CAP_DEVICE_CFG, 0, 4));
	EXPECT_EQ(0, guest_read(&self->guest, VIRTIO_PCI_CAP_DEVICE_CFG,
				offsetof(struct virtio_scsi_config, max_target),
				2));
}

TEST_F(scsi, reads_blocks_into_the_drivers_buffers)
{
	ASSERT_TRUE(COMMAND(2 * BLOCK, 0x28, 0, 0, 0, 0, 3, 0, 0, 2));
	EXPECT_EQ(VIRTIO_SCSI_S_OK, self->response->response);
	EXPECT_EQ(0, self->response->status);
	EXPECT_EQ(0, self->response->resid);
	EXPECT_EQ(RESPONSE + 2 * BLOCK, self->written);
	EXPECT_EQ('d', self->data[0]);
	EXPECT_EQ('d', self->data[BLOCK - 1]);
	EXPECT_EQ('e', self->data[BLOCK]);
	EXPECT_EQ('e', self->data[2 * BLOCK - 1]);
	EXPECT_EQ(OLD, self->data[2 * BLOCK]);
}

TEST_F(scsi, says_how_much_room_is_left)
{
	ASSERT_TRUE(COMMAND(100, 0x12, 0, 0, 0, 36));
	EXPECT_EQ(64, self->response->resid);
	EXPECT_EQ(RESPONSE + 36, self->written);
	EXPECT_EQ(5, self->data[0]);
	EXPECT_EQ(OLD, self->data[36]);
}

TEST_F(scsi, writes_nothing_that_there_is_no_room_for)
{
	ASSERT_TRUE(COMMAND(BLOCK, 0x28, 0, 0, 0, 0, 0, 0, 0, 2));
	EXPECT_EQ(VIRTIO_SCSI_S_OVERRUN, self->response->response);
	EXPECT_EQ(RESPONSE, self->written);
	EXPECT_EQ(OLD, self->data[0]);
}

TEST_F(scsi, tells_why_a_command_is_refused)
{
	ASSERT_TRUE(COMMAND(BLOCK, 0x28, 0, 0, 0, 0, BLOCKS, 0, 0, 1));
	EXPECT_EQ(VIRTIO_SCSI_S_OK, self->response->response);
	EXPECT_EQ(2, self->response->status);
	EXPECT_EQ(18, self->response->sense_len);
	EXPECT_EQ(0x21, self->response->sense[12]);
	EXPECT_EQ(BLOCK, self->response->resid);
	EXPECT_EQ(OLD, self->data[0]);
}

TEST_F(scsi, tells_of_a_disc_that_has_become_short)
{
	ASSERT_TRUE(COMMAND(BLOCK, 0x28, 0, 0, 0, 0, 0, 0, 0, 1));
	ASSERT_EQ(0, ftruncate(self->file, BLOCK));
	/* What is beyond the end of a file that was cut reads as zeroes. */
	ASSERT_TRUE(COMMAND(BLOCK, 0x28, 0, 0, 0, 0, 1, 0, 0, 1));
	EXPECT_EQ(0, self->response->status);
	EXPECT_EQ(0, self->data[0]);
}

TEST_F(scsi, other_targets_are_absent)
{
	self->request->lun[1] = 1;
	ASSERT_TRUE(COMMAND(36, 0x12, 0, 0, 0, 36));
	EXPECT_EQ(VIRTIO_SCSI_S_BAD_TARGET, self->response->response);
	self->request->lun[0] = 0xc1;
	ASSERT_TRUE(COMMAND(36, 0x12, 0, 0, 0, 36));
	EXPECT_EQ(VIRTIO_SCSI_S_BAD_TARGET, self->response->response);
}

TEST_F(scsi, other_units_are_refused)
{
	self->request->lun[3] = 1;
	ASSERT_TRUE(COMMAND(36, 0x12, 0, 0, 0, 36));
	EXPECT_EQ(2, self->response->status);
	EXPECT_EQ(0x25, self->response->sense[12]);
}

TEST_F(scsi, request_without_room_for_a_response_breaks_the_device)
{
	EXPECT_FALSE(ask(self, REQUESTS, sizeof(*self->request), RESPONSE - 1));
	EXPECT_NE(0, guest_status(&self->guest) & VIRTIO_CONFIG_S_NEEDS_RESET);
}

TEST_F(scsi, short_request_breaks_the_device)
{
	EXPECT_FALSE(ask(self, REQUESTS, sizeof(*self->request) - 1, RESPONSE));
	EXPECT_NE(0, guest_status(&self->guest) & VIRTIO_CONFIG_S_NEEDS_RESET);
}

TEST_F(scsi, a_reset_of_the_unit_finds_nothing_left_to_end)
{
	struct virtio_scsi_ctrl_tmf_req *request = (void *)self->request;

	memset(request, 0, sizeof(*request));
	request->type = VIRTIO_SCSI_T_TMF;
	request->subtype = VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET;
	request->lun[0] = 1;
	ASSERT_TRUE(ask(self, CONTROL, sizeof(*request), 1));
	EXPECT_EQ(1, self->written);
	EXPECT_EQ(VIRTIO_SCSI_S_OK, *(uint8_t *)self->response);
	request->lun[1] = 1;
	ASSERT_TRUE(ask(self, CONTROL, sizeof(*request), 1));
	EXPECT_EQ(VIRTIO_SCSI_S_BAD_TARGET, *(uint8_t *)self->response);
}

TEST_F(scsi, has_no_events)
{
	struct virtio_scsi_ctrl_an_req *request = (void *)self->request;
	struct virtio_scsi_ctrl_an_resp *response = (void *)self->response;

	request->type = VIRTIO_SCSI_T_AN_SUBSCRIBE;
	ASSERT_TRUE(ask(self, CONTROL, sizeof(*request), sizeof(*response)));
	EXPECT_EQ(0, response->event_actual);
	EXPECT_EQ(0, response->response);
}

TEST_F(scsi, what_comes_while_it_is_held_is_done_afterwards)
{
	struct ring *ring = &self->guest.rings[REQUESTS];
	uint32_t head;

	virtio_scsi_device.hold(self->device);
	ring_ask(ring, 4, OUT, sizeof(*self->request), IN, RESPONSE);
	guest_kick(&self->guest, REQUESTS);
	EXPECT_FALSE(ring_take(ring, &head, &self->written));
	virtio_scsi_device.release(self->device);
	while (fake_turn())
		;
	EXPECT_TRUE(ring_take(ring, &head, &self->written));
}

TEST_F(scsi, goes_on_where_it_was_saved_with_the_same_disc_only)
{
	struct record record = { 0 };

	ASSERT_EQ(0, device_save(&virtio_scsi_device, self->device, &record));
	virtio_scsi_device.reset(self->device);
	ASSERT_EQ(0, device_load(&virtio_scsi_device, self->device, &record));
	ASSERT_TRUE(COMMAND(BLOCK, 0x28, 0, 0, 0, 0, 1, 0, 0, 1));
	EXPECT_EQ('b', self->data[0]);
	free(record.data);
}

TEST_F(scsi, seabios_finds_its_drive)
{
	struct device_boot boot;

	virtio_scsi_device.boot(self->device, self->values, &boot);
	EXPECT_EQ(BOOT_CDROM, boot.class);
	EXPECT_EQ(BOOT_NO_INDEX, boot.index);
	EXPECT_STREQ("/pci@i0cf8/scsi@1/channel@0/disk@0,0", boot.path);
}

TEST_F(scsi, file_smaller_than_a_block_is_refused)
{
	struct device_error error = { 0 };

	ASSERT_EQ(0, ftruncate(self->file, BLOCK - 513));
	EXPECT_EQ(NULL, virtio_scsi_device.make(&self->guest.board,
						self->values, &error));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_NE(NULL, strstr(error.reason, "size of a CD"));
}

TEST_HARNESS_MAIN
