// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the console device and its ports.
 */
#include <errno.h>
#include <linux/virtio_console.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "fakes.h"
#include "virtio/console.h"
#include "virtio_guest.h"

#define V1 (1ULL << VIRTIO_F_VERSION_1)
#define MULTIPORT (V1 | 1ULL << VIRTIO_CONSOLE_F_MULTIPORT)
#define IN 0
#define OUT 1
#define CONTROL_IN 2
#define CONTROL_OUT 3
#define PLAIN_IN 4
#define PLAIN_OUT 5
#define TEXT 0x10000ULL
#define BUFFERS 0x20000ULL

/* What the machine's console has got. */
static struct {
	char text[1 << 20];
	size_t size;
	unsigned int drained;
} shown;

FIXTURE(console)
{
	struct guest guest;
	void *device;
	char path[64];
	uint16_t heads;
};

static void show(void *opaque, const void *bytes, size_t size)
{
	if (size > sizeof(shown.text) - shown.size)
		size = sizeof(shown.text) - shown.size;
	memcpy(shown.text + shown.size, bytes, size);
	shown.size += size;
}

static void drained(void *opaque)
{
	shown.drained++;
}

FIXTURE_SETUP(console)
{
	struct device_value values[] = {
		{ .number = 1 },	 {},
		{ .text = self->path },	 { .text = "name.of.port" },
		{ .number = INT32_MAX },
	};

	memset(&shown, 0, sizeof(shown));
	snprintf(self->path, sizeof(self->path), "/tmp/lodge-console-%d",
		 getpid());
	unlink(self->path);
	guest_init(&self->guest);
	self->guest.board.serials[0].output = show;
	self->guest.board.serials[0].drained = drained;
	self->device =
		virtio_console_device.make(&self->guest.board, values, NULL);
	ASSERT_NE(NULL, self->device);
	guest_find(&self->guest);
}

FIXTURE_TEARDOWN(console)
{
	virtio_console_device.free(self->device);
	guest_fini(&self->guest);
}

/* Gives the device a buffer for what it has to say. */
static void offer_buffer(FIXTURE_DATA(console) * self, unsigned int queue)
{
	struct ring *ring = &self->guest.rings[queue];
	const uint16_t head = ring->offered % ring->size;

	ring_send(ring, head, BUFFERS + queue * 0x4000 + head * 256, 256,
		  VRING_DESC_F_WRITE);
}

/* Return: the next text in a queue; empty: there is none. */
static const char *next_text(FIXTURE_DATA(console) * self, unsigned int queue,
			     uint32_t *size)
{
	static char text[257];
	uint32_t head;

	memset(text, 0, sizeof(text));
	*size = 0;
	if (!ring_take(&self->guest.rings[queue], &head, size))
		return text;
	memcpy(text,
	       ram_at(self->guest.ram, BUFFERS + queue * 0x4000 + head * 256,
		      256),
	       *size);
	return text;
}

static void send_out(FIXTURE_DATA(console) * self, unsigned int queue,
		     const void *bytes, size_t size)
{
	struct ring *ring = &self->guest.rings[queue];

	memcpy(ram_at(self->guest.ram, TEXT, size), bytes, size);
	ring_send(ring, ring->offered % ring->size, TEXT, size, 0);
	guest_kick(&self->guest, queue);
}

static void control(FIXTURE_DATA(console) * self, uint32_t port, uint16_t event,
		    uint16_t value)
{
	const struct virtio_console_control message = { port, event, value };

	send_out(self, CONTROL_OUT, &message, sizeof(message));
}

/* True if the next message of the device's is this one. */
static bool says(FIXTURE_DATA(console) * self, uint32_t port, uint16_t event,
		 uint16_t value, const char *text)
{
	uint32_t size;
	const char *bytes = next_text(self, CONTROL_IN, &size);
	struct virtio_console_control message;

	memcpy(&message, bytes, sizeof(message));
	return size == sizeof(message) + strlen(text) && message.id == port &&
	       message.event == event && message.value == value &&
	       !memcmp(bytes + sizeof(message), text, strlen(text));
}

/* Starts the driver, with both ports open. */
static void start_both(FIXTURE_DATA(console) * self)
{
	guest_start(&self->guest, MULTIPORT);
	for (unsigned int i = 0; i < 32; i++)
		offer_buffer(self, CONTROL_IN);
	control(self, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	for (unsigned int port = 0; port < 2; port++) {
		control(self, port, VIRTIO_CONSOLE_PORT_READY, 1);
		control(self, port, VIRTIO_CONSOLE_PORT_OPEN, 1);
	}
}

/* Passes over all that was said. */
static void hear_all(FIXTURE_DATA(console) * self)
{
	uint32_t size;

	do {
		next_text(self, CONTROL_IN, &size);
	} while (size);
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(address.sun_path, path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return -1;
	while (fake_turn())
		;
	return fd;
}

TEST_F(console, driver_of_one_port_writes_and_reads)
{
	uint32_t size;

	ASSERT_TRUE(guest_start(&self->guest, V1));
	send_out(self, OUT, "hello", 5);
	EXPECT_EQ(5, shown.size);
	EXPECT_EQ(0, memcmp("hello", shown.text, 5));
	EXPECT_EQ(3, virtio_console_receive(self->device, "abc", 3));
	offer_buffer(self, IN);
	guest_kick(&self->guest, IN);
	EXPECT_STREQ("abc", next_text(self, IN, &size));
	EXPECT_EQ(3, size);
}

TEST_F(console, input_waits_for_the_driver_and_has_an_end)
{
	char many[2000];
	uint32_t size;

	memset(many, 'x', sizeof(many));
	EXPECT_EQ(1024, virtio_console_room(self->device));
	EXPECT_EQ(1024, virtio_console_receive(self->device, many, 2000));
	EXPECT_EQ(0, virtio_console_room(self->device));
	EXPECT_EQ(0, virtio_console_receive(self->device, many, 1));
	ASSERT_TRUE(guest_start(&self->guest, V1));
	EXPECT_EQ(0, shown.drained);
	offer_buffer(self, IN);
	guest_kick(&self->guest, IN);
	EXPECT_EQ(1, shown.drained);
	next_text(self, IN, &size);
	EXPECT_EQ(256, size);
	EXPECT_EQ(256, virtio_console_room(self->device));
}

TEST_F(console, long_output_comes_whole)
{
	struct ring *ring;

	ASSERT_TRUE(guest_start(&self->guest, V1));
	ring = &self->guest.rings[OUT];
	for (unsigned int i = 0; i < 3 << 18; i++)
		*(uint8_t *)ram_at(self->guest.ram, 0x200000 + i, 1) = i >> 8;
	ring_send(ring, 0, 0x200000, 3 << 18, 0);
	guest_kick(&self->guest, OUT);
	EXPECT_EQ(1, ring_used(ring)->idx);
	ASSERT_EQ(3 << 18, shown.size);
	EXPECT_EQ(0, memcmp(shown.text, ram_at(self->guest.ram, 0x200000, 1),
			    shown.size));
}

TEST_F(console, ports_are_told_in_order)
{
	ASSERT_TRUE(guest_start(&self->guest, MULTIPORT));
	for (unsigned int i = 0; i < 16; i++)
		offer_buffer(self, CONTROL_IN);
	control(self, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	EXPECT_TRUE(says(self, 0, VIRTIO_CONSOLE_PORT_ADD, 1, ""));
	EXPECT_TRUE(says(self, 1, VIRTIO_CONSOLE_PORT_ADD, 1, ""));
	control(self, 0, VIRTIO_CONSOLE_PORT_READY, 1);
	EXPECT_TRUE(says(self, 0, VIRTIO_CONSOLE_CONSOLE_PORT, 1, ""));
	EXPECT_TRUE(says(self, 0, VIRTIO_CONSOLE_PORT_OPEN, 1, ""));
	control(self, 1, VIRTIO_CONSOLE_PORT_READY, 1);
	EXPECT_TRUE(says(self, 1, VIRTIO_CONSOLE_PORT_NAME, 1, "name.of.port"));
	EXPECT_TRUE(says(self, 1, VIRTIO_CONSOLE_PORT_OPEN, 0, ""));
}

TEST_F(console, messages_wait_for_buffers)
{
	ASSERT_TRUE(guest_start(&self->guest, MULTIPORT));
	control(self, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	control(self, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	for (unsigned int i = 0; i < 3; i++)
		offer_buffer(self, CONTROL_IN);
	guest_kick(&self->guest, CONTROL_IN);
	EXPECT_TRUE(says(self, 0, VIRTIO_CONSOLE_PORT_ADD, 1, ""));
	EXPECT_TRUE(says(self, 1, VIRTIO_CONSOLE_PORT_ADD, 1, ""));
	EXPECT_FALSE(says(self, 0, VIRTIO_CONSOLE_PORT_ADD, 1, ""));
}

TEST_F(console, message_that_makes_no_sense_is_ignored)
{
	start_both(self);
	hear_all(self);
	control(self, 2, VIRTIO_CONSOLE_PORT_READY, 1);
	control(self, UINT32_MAX, VIRTIO_CONSOLE_PORT_OPEN, 1);
	control(self, 0, 0xffff, 1);
	send_out(self, CONTROL_OUT, "short", 5);
	EXPECT_EQ(0x0f, guest_status(&self->guest));
	EXPECT_EQ(1024, virtio_console_room(self->device));
	EXPECT_EQ(0, fake_turn());
	EXPECT_EQ(ring_used(&self->guest.rings[CONTROL_OUT])->idx,
		  self->guest.rings[CONTROL_OUT].offered);
}

TEST_F(console, port_that_is_not_ready_cannot_be_open)
{
	struct ring *ring;

	ASSERT_TRUE(guest_start(&self->guest, MULTIPORT));
	ring = &self->guest.rings[IN];
	control(self, 0, VIRTIO_CONSOLE_PORT_OPEN, 1);
	ASSERT_EQ(1, virtio_console_receive(self->device, "x", 1));
	offer_buffer(self, IN);
	guest_kick(&self->guest, IN);
	EXPECT_EQ(0, ring_used(ring)->idx);
	control(self, 0, VIRTIO_CONSOLE_PORT_READY, 1);
	control(self, 0, VIRTIO_CONSOLE_PORT_OPEN, 1);
	EXPECT_EQ(1, ring_used(ring)->idx);
}

TEST_F(console, size_of_the_screen_is_told)
{
	start_both(self);
	hear_all(self);
	virtio_console_resize(self->device, 0x3231, 0x3433);
	while (fake_turn())
		;
	EXPECT_TRUE(says(self, 0, VIRTIO_CONSOLE_RESIZE, 1, "1234"));
	EXPECT_EQ(0x34333231,
		  guest_read(&self->guest, VIRTIO_PCI_CAP_DEVICE_CFG, 0, 4));
}

TEST_F(console, program_at_the_socket_talks_with_the_guest)
{
	char text[16] = "";
	uint32_t size;
	int peer;

	start_both(self);
	hear_all(self);
	peer = connect_to(self->path);
	ASSERT_LE(0, peer);
	EXPECT_TRUE(says(self, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, ""));
	send_out(self, PLAIN_OUT, "to the host", 11);
	EXPECT_EQ(11, recv(peer, text, sizeof(text), MSG_DONTWAIT));
	EXPECT_STREQ("to the host", text);
	/* The guest has no buffer yet. */
	ASSERT_EQ(3, write(peer, "abc", 3));
	while (fake_turn())
		;
	offer_buffer(self, PLAIN_IN);
	guest_kick(&self->guest, PLAIN_IN);
	EXPECT_STREQ("abc", next_text(self, PLAIN_IN, &size));
	close(peer);
	offer_buffer(self, PLAIN_IN);
	guest_kick(&self->guest, PLAIN_IN);
	EXPECT_TRUE(says(self, 1, VIRTIO_CONSOLE_PORT_OPEN, 0, ""));
	/* What nobody takes is dropped. */
	send_out(self, PLAIN_OUT, "gone", 4);
	EXPECT_EQ(2, ring_used(&self->guest.rings[PLAIN_OUT])->idx);
}

TEST_F(console, program_that_does_not_read_stops_only_its_port)
{
	static char many[1 << 16];
	unsigned int offered = 0;
	int peer;
	struct ring *ring = &self->guest.rings[PLAIN_OUT];

	start_both(self);
	peer = connect_to(self->path);
	ASSERT_LE(0, peer);
	while (ring_used(ring)->idx == offered && offered < ring->size) {
		send_out(self, PLAIN_OUT, many, sizeof(many));
		offered++;
	}
	EXPECT_LT(ring_used(ring)->idx, offered);
	send_out(self, OUT, "hello", 5);
	EXPECT_EQ(5, shown.size);
	while (recv(peer, many, sizeof(many), MSG_DONTWAIT) > 0)
		;
	fake_sleep(5 * MSEC);
	while (fake_turn())
		;
	EXPECT_EQ(ring_used(ring)->idx, offered);
	close(peer);
}

TEST_F(console, second_program_is_sent_away)
{
	char byte;
	int first, second;

	start_both(self);
	first = connect_to(self->path);
	second = connect_to(self->path);
	EXPECT_EQ(0, recv(second, &byte, 1, MSG_DONTWAIT));
	EXPECT_EQ(-1, recv(first, &byte, 1, MSG_DONTWAIT));
	close(first);
	close(second);
}

TEST_F(console, socket_that_exists_is_refused)
{
	struct device_value values[] = {
		{},
		{},
		{ .text = self->path },
		{ .text = "name" },
		{ .number = INT32_MAX },
	};
	struct device_error error = {};

	EXPECT_EQ(NULL, virtio_console_device.make(&self->guest.board, values,
						   &error));
	EXPECT_EQ(EADDRINUSE, errno);
	EXPECT_STREQ(self->path, error.thing);
	EXPECT_STRNE("", error.remedy);
}

TEST_F(console, reset_closes_the_ports)
{
	start_both(self);
	guest_set_status(&self->guest, 0);
	EXPECT_EQ(0, guest_status(&self->guest));
	start_both(self);
	EXPECT_TRUE(says(self, 0, VIRTIO_CONSOLE_PORT_ADD, 1, ""));
}

TEST_F(console, input_reaches_the_driver_by_single_bytes)
{
	struct ring *ring = &self->guest.rings[IN];
	char many[100];

	memset(many, 'x', sizeof(many));
	ASSERT_TRUE(guest_start(&self->guest,
				V1 | 1ULL << VIRTIO_RING_F_EVENT_IDX));
	ASSERT_EQ(sizeof(many),
		  virtio_console_receive(self->device, many, sizeof(many)));
	for (unsigned int i = 0; i < 64; i++)
		ring_send(ring, i, BUFFERS + i, 1, VRING_DESC_F_WRITE);
	guest_kick(&self->guest, IN);
	EXPECT_EQ(64, ring_used(ring)->idx);
	for (unsigned int i = 0; i < 36; i++)
		ring_send(ring, i, BUFFERS + i, 1, VRING_DESC_F_WRITE);
	ASSERT_TRUE(ring_must_kick(ring, 64));
	guest_kick(&self->guest, IN);
	EXPECT_EQ(100, ring_used(ring)->idx);
}

TEST_F(console, program_that_came_and_went_unseen_leaves_the_place_to_another)
{
	int first = connect_to(self->path), second;
	char byte;

	/* The guest reads nothing yet. */
	ASSERT_LE(0, first);
	close(first);
	second = connect_to(self->path);
	EXPECT_EQ(-1, recv(second, &byte, 1, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	start_both(self);
	send_out(self, PLAIN_OUT, "x", 1);
	EXPECT_EQ(1, recv(second, &byte, 1, MSG_DONTWAIT));
	close(second);
}

TEST_HARNESS_MAIN
