// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzer of what another process can do to the device whose queues it serves: the input is
 * a back end that answers each request as it likes, or not at all, writes to the rings, and
 * does what it likes with the eventfds that it was given, and a driver beside it.
 *
 * Whatever they do, no call waits longer than it may, no descriptor is left, the driver is
 * offered only what the device can be, and a back end that was given up stays given up.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_blk.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "fakes.h"
#include "fuzz_check.h"
#include "fuzz_input.h"
#include "virtio/remote.h"
#include "vhost_user_wire.h"
#include "virtio_guest.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#define NR_STEPS 24
#define V1 BIT(VIRTIO_F_VERSION_1)
#define F_PROTOCOL BIT(30)
#define MAX_FDS 64
#define MAX_QUEUES 3
/* Behind the first structure, and a bit of its capability. */
#define MESSAGE_TABLE 0x4000
#define MESSAGES_ON 0x8000
#define EVENTFD_MAX 0xfffffffffffffffeULL
/* More than any wait's share of VHOST_PATIENCE_MS. */
#define LONG_MS (4LL * VHOST_PATIENCE_MS)

/**
 * struct message - what goes over the socket
 * @header: of it
 * @payload: larger than any that the front end sends or should take
 */
struct message {
	struct header header;
	u8 payload[1024];
};

/**
 * struct back - the back end
 * @socket: its end of the connection, or -1
 * @fds: descriptors that it was given, @nr_fds of them
 * @late: the end of a reply, @nr_late bytes, which is sent in its next turn
 */
static struct back {
	int socket;
	int fds[MAX_FDS];
	unsigned int nr_fds;
	u8 late[sizeof(struct message)];
	size_t nr_late;
} back;

static struct input input;
static struct guest guest;
static struct remote *remote;
static int64_t now = 1000000;

static void hang_up(void)
{
	if (back.socket >= 0)
		close(back.socket);
	back.socket = -1;
}

static void send_bytes(const void *bytes, size_t size)
{
	if (back.socket >= 0)
		send(back.socket, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void send_with_fd(const void *bytes, size_t size)
{
	union {
		struct cmsghdr align;
		u8 bytes[CMSG_SPACE(sizeof(int))];
	} control = {};
	struct iovec iov = { .iov_base = (void *)bytes, .iov_len = size };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &back.socket, sizeof(back.socket));
	sendmsg(back.socket, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void keep_fds(struct msghdr *msg)
{
	const struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg);
	int fds[RAM_MAX_RANGES];
	size_t count = 0;

	if (cmsg)
		count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	require(count <= RAM_MAX_RANGES);
	if (cmsg)
		memcpy(fds, CMSG_DATA(cmsg), count * sizeof(int));
	for (size_t i = 0; i < count; i++) {
		if (back.nr_fds < MAX_FDS)
			back.fds[back.nr_fds++] = fds[i];
		else
			close(fds[i]);
	}
}

/* Return: true if there was a request. */
static bool receive(struct message *message)
{
	u8 control[CMSG_SPACE(RAM_MAX_RANGES * sizeof(int))];
	struct iovec iov = { .iov_base = &message->header,
			     .iov_len = sizeof(message->header) };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	const uint32_t *size = &message->header.size;

	if (back.socket < 0 ||
	    recvmsg(back.socket, &msg, MSG_DONTWAIT) != sizeof(message->header))
		return false;
	keep_fds(&msg);
	require(*size <= sizeof(message->payload));
	require(!*size || recv(back.socket, message->payload, *size,
			       MSG_DONTWAIT) == (ssize_t)*size);
	return true;
}

static void put_number(struct message *message, u64 number)
{
	message->header.size = sizeof(number);
	memcpy(message->payload, &number, sizeof(number));
}

/* Makes of a request the reply of a back end that means well. */
static void reply_to(struct message *message)
{
	uint32_t state[2];

	switch (message->header.request) {
	case GET_FEATURES:
		put_number(message, V1 | F_PROTOCOL | next_bytes(&input, 8));
		break;
	case GET_PROTOCOL_FEATURES:
		put_number(message, next_byte(&input) | 0x3f00);
		break;
	case GET_QUEUE_NUM:
		put_number(message, MAX_QUEUES + next_byte(&input));
		break;
	case GET_VRING_BASE:
		memcpy(state, message->payload, sizeof(state));
		state[1] =
			ring_used(&guest.rings[state[0] % GUEST_QUEUES])->idx;
		memcpy(message->payload, state, sizeof(state));
		break;
	case GET_CONFIG:
		/* Behind offset, size and flags. */
		for (uint32_t i = 12; i < message->header.size; i += 7)
			message->payload[i] = next_byte(&input);
		break;
	default:
		put_number(message, 0);
		break;
	}
	message->header.flags = VERSION | REPLY;
}

/* Spoils a reply. */
static void spoil(struct message *message)
{
	const u8 byte = next_byte(&input);

	switch (byte % 6) {
	case 0:
		message->header.request ^= 1U << (byte >> 4);
		break;
	case 1:
		message->header.flags ^= 1U << (byte >> 4);
		break;
	case 2:
		message->header.size += (int8_t)next_byte(&input);
		break;
	case 3:
		message->header.size = next_bytes(&input, 4);
		break;
	default:
		for (unsigned int i = 0; i <= byte >> 6; i++)
			message->payload[next_byte(&input) % 16] =
				next_byte(&input);
		break;
	}
}

static void send_reply(const struct message *message, size_t size)
{
	const u8 byte = next_byte(&input);
	size_t part;

	switch (byte % 32) {
	case 0:
		/* Silence. */
		break;
	case 1:
		hang_up();
		break;
	case 2:
		send_with_fd(message, size);
		break;
	case 3:
		send_bytes(message, size);
		send_bytes(message, next_byte(&input));
		break;
	case 4:
		send_bytes(message, next_byte(&input) % size);
		hang_up();
		break;
	case 5:
	case 6:
		part = next_byte(&input) % size;
		send_bytes(message, part);
		back.nr_late = size - part;
		memcpy(back.late, (const u8 *)message + part, back.nr_late);
		break;
	default:
		send_bytes(message, size);
		break;
	}
}

static void answer(struct message *message)
{
	const bool asked = message->header.flags & NEED_REPLY;
	size_t size;

	switch (message->header.request) {
	case GET_FEATURES:
	case GET_PROTOCOL_FEATURES:
	case GET_QUEUE_NUM:
	case GET_VRING_BASE:
	case GET_CONFIG:
		break;
	default:
		if (!asked)
			return;
	}
	reply_to(message);
	size = sizeof(message->header) + message->header.size;
	if (next_byte(&input) % 16 == 0)
		spoil(message);
	send_reply(message, size);
}

/* The rings are in its memory, too: it returns what it did not take, or too little. */
static void write_ring(void)
{
	const u8 byte = next_byte(&input);
	const struct ring *ring = &guest.rings[byte % MAX_QUEUES];

	if (ring->ram)
		ring_used(ring)->idx = byte & 0x80 ? next_bytes(&input, 2) :
						     byte >> 4 & 3;
}

/* An eventfd is as much its own as that of the process which has made it. */
static void play_with_eventfd(void)
{
	const u8 byte = next_byte(&input);
	eventfd_t value = byte & 0x80 ? EVENTFD_MAX : 1;
	struct iovec iov = { .iov_base = &value, .iov_len = sizeof(value) };
	int fd;

	if (!back.nr_fds)
		return;
	fd = back.fds[next_byte(&input) % back.nr_fds];
	if (byte & 0x40)
		preadv2(fd, &iov, 1, -1, RWF_NOWAIT);
	if (byte & 0x20) {
		fcntl(fd, F_SETFL, O_NONBLOCK);
		/* Not to the memory. */
		if (write(fd, &value, sizeof(value)) < 0 && errno == EINVAL)
			return;
	}
	if (byte & 0x10)
		fcntl(fd, F_SETFL, 0);
}

/* The front end waits for the back end, which has its turn. */
static void take_turn(void)
{
	struct message message;

	if (back.nr_late) {
		send_bytes(back.late, back.nr_late);
		back.nr_late = 0;
		return;
	}
	while (receive(&message))
		answer(&message);
}

/* Stands for the C library's: who waits lets the back end go on, or time pass. */
int poll(struct pollfd *files, nfds_t count, int timeout)
{
	const struct timespec none = {};
	int ready;

	if (timeout && count)
		take_turn();
	else if (timeout && next_byte(&input) % 4 == 0)
		write_ring();
	ready = ppoll(files, count, &none, NULL);
	if (!ready && timeout && !count && next_byte(&input) % 64 == 0)
		now += LONG_MS;
	/* Time goes on also for who does not wait. */
	now += ready ? 0 : timeout + 1;
	return ready;
}

/* Stands for the C library's. */
int clock_gettime(clockid_t clock, struct timespec *time)
{
	if (clock != CLOCK_MONOTONIC)
		return syscall(SYS_clock_gettime, clock, time);
	time->tv_sec = now / 1000;
	time->tv_nsec = now % 1000 * 1000000;
	return 0;
}

/* Stands for the C library's: no write to an eventfd may wait. */
int eventfd_write(int fd, eventfd_t value)
{
	struct pollfd file = { .fd = fd, .events = POLLOUT };

	require(fcntl(fd, F_GETFL) & O_NONBLOCK || poll(&file, 1, 0) == 1);
	return write(fd, &value, sizeof(value)) < 0 ? -1 : 0;
}

/* Stands for the C library's: the same for reads. */
int eventfd_read(int fd, eventfd_t *value)
{
	struct pollfd file = { .fd = fd, .events = POLLIN };

	require(fcntl(fd, F_GETFL) & O_NONBLOCK || poll(&file, 1, 0) == 1);
	return read(fd, value, sizeof(*value)) < 0 ? -1 : 0;
}

static int bell_set(void *opaque, const struct doorbell *doorbell, int eventfd,
		    bool on)
{
	require(eventfd >= 0);
	return 0;
}

static int send_message(void *opaque, int eventfd, uint64_t address,
			uint32_t data, bool on)
{
	require(eventfd >= 0);
	return next_byte(&input) % 8 ? 0 : -ENOSPC;
}

static const struct record_field fields[] = { REMOTE_FIELDS };

static const struct device_kind kind = {
	.name = "remote",
	.reset = vhost_reset,
	DEVICE_STATE(struct remote, fields),
	.is_sound = remote_is_sound,
	.loaded = virtio_pci_loaded,
};

static void save_and_load(void)
{
	struct record record = {};

	vhost_hold(remote);
	require(!device_save(&kind, remote, &record));
	vhost_reset(remote);
	/* It may say that its configuration is another one. */
	device_load(&kind, remote, &record);
	free(record.data);
	vhost_release(remote);
}

static bool needs_reset(void)
{
	return guest_status(&guest) & VIRTIO_CONFIG_S_NEEDS_RESET;
}

static void start(void)
{
	const u64 features = guest_offered(&guest) & next_bytes(&input, 8);
	const bool failed = remote->vhost.failed;

	if (guest_start(&guest, V1 | features) && failed)
		require(needs_reset());
}

/* The driver enables its queues when the device has started. */
static void start_late(void)
{
	if (!guest_negotiate(&guest, V1))
		return;
	guest_ready(&guest);
	guest_enable_all(&guest);
	fake_turn();
}

/* A queue has a vector's messages, which may be masked, or the line. */
static void choose_interrupt(void)
{
	const u8 byte = next_byte(&input);
	const u64 table =
		guest.places[VIRTIO_PCI_CAP_COMMON_CFG] + MESSAGE_TABLE;
	const uint32_t entry[] = { GUEST_MESSAGE, 0, byte % 8, byte >> 3 & 1 };
	uint8_t at = guest_config(&guest, PCI_CAPABILITIES, 1);

	bus_write(guest.board.bus, BUS_MMIO,
		  table + (byte >> 4) % 2 * sizeof(entry), entry,
		  sizeof(entry));
	guest_set(&guest, VIRTIO_PCI_COMMON_Q_SELECT, byte >> 5 & 1, 2);
	guest_set(&guest, VIRTIO_PCI_COMMON_Q_MSIX, byte >> 6 & 1, 2);
	while (guest_config(&guest, at, 1) != PCI_CAPABILITY_MSIX)
		at = guest_config(&guest, at + 1, 1);
	guest_configure(&guest, at + 2, byte & 0x80 ? MESSAGES_ON : 0, 2);
}

static void step(void)
{
	const u8 byte = next_byte(&input);

	switch (byte % 14) {
	case 0:
	case 1:
		start();
		break;
	case 2:
		guest_set_status(&guest, 0);
		require(guest_status(&guest) == 0);
		break;
	case 3:
		vhost_hold(remote);
		require(virtio_pci_is_sound(remote));
		vhost_release(remote);
		break;
	case 4:
		guest_write(&guest, VIRTIO_PCI_CAP_DEVICE_CFG,
			    byte & 0x80 ?
				    offsetof(struct virtio_blk_config, wce) :
				    next_byte(&input) % 64,
			    next_byte(&input), 1);
		break;
	case 5:
		save_and_load();
		break;
	case 6:
		write_ring();
		break;
	case 7:
	case 8:
		play_with_eventfd();
		break;
	case 9:
		if (byte & 0x80)
			hang_up();
		else if (byte & 0x40)
			send_bytes(&input, byte >> 4);
		break;
	case 10:
		guest_ring_bell(&guest, (byte >> 4) % MAX_QUEUES);
		break;
	case 11:
		start_late();
		break;
	case 12:
		choose_interrupt();
		break;
	default:
		fake_turn();
		break;
	}
}

static void drive(const struct remote_type *type)
{
	guest_find(&guest);
	require(!(guest_offered(&guest) &
		  ~(VHOST_QUEUE_FEATURES | type->features)));
	vhost_release(remote);
	for (int i = 0; i < NR_STEPS; i++)
		step();
	/* Given up, it is as if it were not there. */
	if (remote->vhost.failed) {
		guest_start(&guest, V1);
		require(needs_reset());
	}
}

static void clean(void)
{
	if (remote)
		remote_free(remote);
	hang_up();
	for (unsigned int i = 0; i < back.nr_fds; i++)
		close(back.fds[i]);
	guest_fini(&guest);
	require(!fake_nr_watches);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	const int first = dup(STDERR_FILENO);
	struct device_error error = {};
	const struct remote_type *type;
	unsigned int queues;
	int sockets[2], last;

	close(first);
	input = input_of(data, size);
	back = (struct back){};
	guest_init_backed(&guest, RAM_MEMFD);
	guest.board.doorbells =
		(struct doorbells){ .set = bell_set, .message = send_message };
	require(!socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	back.socket = sockets[1];
	type = remote_types[next_byte(&input) % 3];
	queues = 1 + next_byte(&input) % (MAX_QUEUES - type->extra_queues);
	remote = remote_new(&guest.board, type, sockets[0], NULL, queues,
			    "the back end", &error);
	if (remote)
		drive(type);
	else
		require(errno);
	clean();
	last = dup(STDERR_FILENO);
	close(last);
	require(last == first);
	return 0;
}
