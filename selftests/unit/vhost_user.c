// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the vhost-user protocol's front end: a thread plays the back end, and lies when
 * it is told to.
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_ids.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "fakes.h"
#include "virtio/remote.h"
#include "virtio/vhost_user.h"
#include "vhost_user_wire.h"
#include "virtio_guest.h"

#define V1 (1ULL << VIRTIO_F_VERSION_1)
#define OWN 5
#define QUEUES 2
#define SIZE 16
#define F_PROTOCOL (1ULL << 30)
#define P_MQ (1ULL << 0)
#define P_REPLY_ACK (1ULL << 3)
#define P_CONFIG (1ULL << 9)

/* What the back end does wrong. */
enum lie {
	TRUTH,
	OTHER_REQUEST,
	OTHER_VERSION,
	NO_REPLY_BIT,
	TOO_SHORT,
	TOO_LONG,
	HUGE_SIZE,
	HALF_A_HEADER,
	HALF_A_REPLY,
	REFUSAL,
	HANG_UP,
	LIES,
	WITH_DESCRIPTORS,
	SILENCE,
};

/**
 * struct back - the back end
 * @lie: what it does wrong at request @at
 * @seen: how often each request came
 * @value: the first number of each request's payload, the last time
 * @payload: of SET_MEM_TABLE and SET_VRING_ADDR of queue 0
 * @base: what it says to GET_VRING_BASE
 * @bases: what SET_VRING_BASE said, by queue
 * @kicks: by queue
 * @calls: by queue
 * @memory: the guest's, or -1
 */
struct back {
	int socket;
	pthread_t thread;
	uint64_t features;
	uint64_t protocol;
	enum lie lie;
	unsigned int at;
	unsigned int seen[REQUESTS];
	uint64_t value[REQUESTS];
	uint64_t payload[REQUESTS][16];
	uint32_t base;
	uint32_t bases[QUEUES];
	int kicks[QUEUES];
	int calls[QUEUES];
	int memory;
};

FIXTURE(user)
{
	struct guest guest;
	struct back back;
	struct vhost_user *user;
	struct vhost vhost;
	bool plugged;
};

static int receive(int socket, void *data, size_t size, int *fd)
{
	uint8_t control[CMSG_SPACE(2 * sizeof(int))] = {};
	struct iovec iov = { .iov_base = data, .iov_len = size };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t got = recvmsg(socket, &msg, MSG_WAITALL);
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	if (cmsg && fd)
		memcpy(fd, CMSG_DATA(cmsg), sizeof(*fd));
	return got == (ssize_t)size ? 0 : -1;
}

/* Sends a reply with a descriptor. */
static void send_with_fd(int socket, const void *data, size_t size)
{
	uint8_t control[CMSG_SPACE(sizeof(int))] = {};
	struct iovec iov = { .iov_base = (void *)data, .iov_len = size };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &socket, sizeof(socket));
	sendmsg(socket, &msg, MSG_NOSIGNAL);
}

/* Return: false if the back end is to end. */
static bool answer(struct back *back, uint32_t request, const void *payload,
		   uint32_t size)
{
	uint8_t bytes[1024] = {};
	struct header header = { request, VERSION | REPLY, size };
	const enum lie lie = back->at == request ? back->lie : TRUTH;
	size_t count;

	header.request += lie == OTHER_REQUEST;
	header.flags = lie == OTHER_VERSION ? (VERSION + 1) | REPLY :
		       lie == NO_REPLY_BIT  ? VERSION :
					      VERSION | REPLY;
	header.size += lie == TOO_LONG ? 8 : lie == TOO_SHORT ? -4 : 0;
	header.size = lie == HUGE_SIZE ? UINT32_MAX : header.size;
	memcpy(bytes, &header, sizeof(header));
	memcpy(bytes + sizeof(header), payload, size);
	count = sizeof(header) + (header.size < 512 ? header.size : size);
	if (lie == HANG_UP)
		return false;
	if (lie == SILENCE)
		return true;
	if (lie == HALF_A_HEADER)
		count = sizeof(header) / 2;
	if (lie == HALF_A_REPLY)
		count -= 1;
	if (lie == WITH_DESCRIPTORS)
		send_with_fd(back->socket, bytes, count);
	else
		send(back->socket, bytes, count, MSG_NOSIGNAL);
	return lie != HALF_A_HEADER && lie != HALF_A_REPLY;
}

static bool answer_number(struct back *back, uint32_t request, uint64_t number)
{
	return answer(back, request, &number, sizeof(number));
}

static void take_fd(struct back *back, const struct header *header,
		    uint64_t number, int fd)
{
	if (header->request == SET_MEM_TABLE)
		back->memory = fd;
	else if (header->request == SET_VRING_KICK)
		back->kicks[number % QUEUES] = fd;
	else if (header->request == SET_VRING_CALL)
		back->calls[number % QUEUES] = fd;
	else
		close(fd);
}

static bool serve(struct back *back, const struct header *header,
		  const uint64_t *payload)
{
	const uint32_t queue = payload[0];
	const uint32_t state[2] = { queue, back->base };
	uint8_t config[12 + 256];

	switch (header->request) {
	case GET_FEATURES:
		return answer_number(back, header->request, back->features);
	case GET_PROTOCOL_FEATURES:
		return answer_number(back, header->request, back->protocol);
	case GET_QUEUE_NUM:
		return answer_number(back, header->request, QUEUES);
	case GET_VRING_BASE:
		return answer(back, header->request, state, sizeof(state));
	case GET_CONFIG:
		memcpy(config, payload, header->size);
		memset(config + 12, 7, header->size - 12);
		return answer(back, header->request, config, header->size);
	}
	if (header->request == SET_VRING_BASE)
		back->bases[queue % QUEUES] = payload[0] >> 32;
	if (!(header->flags & NEED_REPLY))
		return true;
	return answer_number(back, header->request,
			     back->at == header->request &&
				     back->lie == REFUSAL);
}

static void *run(void *opaque)
{
	struct back *back = opaque;
	struct header header;
	uint64_t payload[64];
	bool more = true;

	while (more) {
		int fd = -1;

		memset(payload, 0, sizeof(payload));
		if (receive(back->socket, &header, sizeof(header), &fd) ||
		    header.size > sizeof(payload) ||
		    header.request >= REQUESTS ||
		    (header.size &&
		     receive(back->socket, payload, header.size, NULL)))
			break;
		if (fd >= 0)
			take_fd(back, &header, payload[0], fd);
		back->value[header.request] = payload[0];
		if (header.request != SET_VRING_ADDR || !(uint32_t)payload[0])
			memcpy(back->payload[header.request], payload,
			       sizeof(back->payload[0]));
		/* Before the answer, after which the test may look. */
		__atomic_fetch_add(&back->seen[header.request], 1,
				   __ATOMIC_RELEASE);
		more = serve(back, &header, payload);
	}
	shutdown(back->socket, SHUT_RDWR);
	return NULL;
}

/* Starts the back end.  Return: a socket that leads to it. */
static int start_back(FIXTURE_DATA(user) * self)
{
	int sockets[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets))
		abort();
	self->back.socket = sockets[1];
	pthread_create(&self->back.thread, NULL, run, &self->back);
	return sockets[0];
}

/* Return: as vhost_user_open(). */
static int open_user(FIXTURE_DATA(user) * self)
{
	return vhost_user_open(&self->user, NULL, start_back(self));
}

static void prepare(FIXTURE_DATA(user) * self)
{
	guest_init_backed(&self->guest, RAM_MEMFD);
	self->back = (struct back){
		.features = V1 | F_PROTOCOL | 1ULL << OWN | 1ULL << 26,
		.protocol = P_MQ | P_REPLY_ACK | P_CONFIG | 1ULL << 5,
		.memory = -1,
		.kicks = { -1, -1 },
		.calls = { -1, -1 },
	};
}

static void close_all(struct back *back)
{
	for (int i = 0; i < QUEUES; i++) {
		close(back->kicks[i]);
		close(back->calls[i]);
	}
	close(back->memory);
	close(back->socket);
}

FIXTURE_SETUP(user)
{
	prepare(self);
}

static void clean(FIXTURE_DATA(user) * self)
{
	if (self->plugged)
		vhost_fini(&self->vhost);
	vhost_user_close(self->user);
	if (self->back.thread)
		pthread_join(self->back.thread, NULL);
	close_all(&self->back);
	guest_fini(&self->guest);
}

FIXTURE_TEARDOWN(user)
{
	clean(self);
}

static const struct virtio_kind kind = {
	.name = "lent",
	.id = VIRTIO_ID_RNG,
	.class = 0x00ff00,
	.start = vhost_start,
	.stop = vhost_stop,
	.kick = vhost_kick,
};

/* Makes a device of the back end, and lets it run. */
static bool plug(FIXTURE_DATA(user) * self)
{
	struct virtio_device *device = &self->vhost.pci.device;

	if (open_user(self) || vhost_user_attach(self->user, &self->vhost))
		return false;
	device->kind = &kind;
	device->opaque = &self->vhost;
	device->nr_queues = QUEUES;
	device->queue_size = SIZE;
	self->plugged = true;
	if (vhost_init(&self->vhost, &self->guest.board,
		       vhost_user_features(self->user) &
			       (VHOST_QUEUE_FEATURES | 1ULL << OWN)))
		return false;
	guest_find(&self->guest);
	return !vhost_release(&self->vhost);
}

static bool start(FIXTURE_DATA(user) * self)
{
	return plug(self) && guest_start(&self->guest, V1 | 1ULL << OWN);
}

static bool needs_reset(FIXTURE_DATA(user) * self)
{
	return guest_status(&self->guest) & VIRTIO_CONFIG_S_NEEDS_RESET;
}

/* Lets the loop work until the device needs a reset. */
static bool comes_to_need_reset(FIXTURE_DATA(user) * self)
{
	for (int i = 0; i < 1000 && !needs_reset(self); i++) {
		fake_turn();
		poll(NULL, 0, 1);
	}
	return needs_reset(self);
}

TEST_F(user, takes_what_both_know_of_the_protocol)
{
	ASSERT_EQ(0, open_user(self));
	EXPECT_EQ(P_MQ | P_REPLY_ACK | P_CONFIG, self->back.value[16]);
	EXPECT_EQ(QUEUES, vhost_user_queues(self->user));
	EXPECT_EQ(self->back.features, vhost_user_features(self->user));
	EXPECT_TRUE(vhost_user_has_config(self->user));
}

TEST_F(user, gets_along_with_a_back_end_without_protocol_features)
{
	self->back.features = V1;
	ASSERT_TRUE(plug(self));
	ASSERT_TRUE(guest_start(&self->guest, V1));
	vhost_hold(&self->vhost);
	EXPECT_EQ(0, self->back.seen[GET_PROTOCOL_FEATURES]);
	EXPECT_EQ(0, self->back.seen[SET_VRING_ENABLE]);
	EXPECT_EQ(V1, self->back.value[SET_FEATURES]);
	EXPECT_FALSE(needs_reset(self));
}

TEST_F(user, reads_the_configuration)
{
	uint8_t config[60];

	ASSERT_EQ(0, open_user(self));
	ASSERT_EQ(0, vhost_user_get_config(self->user, config, sizeof(config)));
	EXPECT_EQ(7, config[0]);
	EXPECT_EQ(7, config[59]);
	EXPECT_EQ(-EINVAL, vhost_user_get_config(self->user, config, 257));
}

TEST_F(user, tells_a_back_end_of_memory_and_queues)
{
	const uint64_t *memory = self->back.payload[SET_MEM_TABLE];
	const uint64_t *ring = self->back.payload[SET_VRING_ADDR];

	ASSERT_TRUE(start(self));
	EXPECT_EQ(V1 | 1ULL << OWN | F_PROTOCOL,
		  self->back.value[SET_FEATURES]);
	EXPECT_EQ(1, memory[0]);
	EXPECT_EQ(0, memory[1]);
	EXPECT_EQ(GUEST_RAM, memory[2]);
	EXPECT_EQ((uint64_t)SIZE << 32 | 1, self->back.value[SET_VRING_NUM]);
	EXPECT_EQ(0, self->back.bases[0]);
	EXPECT_EQ(self->guest.rings[0].desc, ring[1]);
	EXPECT_EQ(self->guest.rings[0].used, ring[2]);
	EXPECT_EQ(self->guest.rings[0].avail, ring[3]);
	EXPECT_EQ(QUEUES, self->back.seen[SET_VRING_ENABLE]);
	EXPECT_EQ(1ULL << 32 | 1, self->back.value[SET_VRING_ENABLE]);
	EXPECT_EQ(GUEST_RAM, (uint64_t)lseek(self->back.memory, 0, SEEK_END));
}

TEST_F(user, a_kick_reaches_the_back_end_alone)
{
	eventfd_t count;

	ASSERT_TRUE(start(self));
	eventfd_read(self->back.kicks[1], &count);
	guest_kick(&self->guest, 1);
	ASSERT_EQ(0, eventfd_read(self->back.kicks[1], &count));
	EXPECT_EQ(1, count);
}

TEST_F(user, a_call_interrupts_the_guest_by_its_line)
{
	ASSERT_TRUE(start(self));
	eventfd_write(self->back.calls[0], 1);
	fake_turn();
	EXPECT_EQ(1, guest_read(&self->guest, VIRTIO_PCI_CAP_ISR_CFG, 0, 1));
}

TEST_F(user, a_call_is_not_lost_when_the_machine_is_held)
{
	ASSERT_TRUE(start(self));
	eventfd_write(self->back.calls[0], 1);
	vhost_hold(&self->vhost);
	EXPECT_EQ(1, guest_read(&self->guest, VIRTIO_PCI_CAP_ISR_CFG, 0, 1));
}

TEST_F(user, a_reset_stops_all_queues)
{
	ASSERT_TRUE(start(self));
	guest_set_status(&self->guest, 0);
	EXPECT_EQ(QUEUES, self->back.seen[GET_VRING_BASE]);
	EXPECT_EQ(0, guest_status(&self->guest));
	ASSERT_TRUE(guest_start(&self->guest, V1));
	EXPECT_EQ(2 * QUEUES, self->back.seen[SET_VRING_KICK]);
}

TEST_F(user, goes_on_where_it_was_held)
{
	ASSERT_TRUE(start(self));
	for (int i = 0; i < QUEUES; i++)
		ring_used(&self->guest.rings[i])->idx = 3;
	self->back.base = 3;
	vhost_hold(&self->vhost);
	EXPECT_EQ(3, self->vhost.pci.device.state.queues[1].next);
	EXPECT_EQ(3, self->vhost.pci.device.state.queues[1].done);
	EXPECT_TRUE(virtio_pci_is_sound(&self->vhost));
	vhost_release(&self->vhost);
	EXPECT_EQ(3, self->back.bases[0]);
	EXPECT_EQ(3, self->back.bases[1]);
	EXPECT_FALSE(needs_reset(self));
}

static const struct record_field fields[] = { VIRTIO_PCI_FIELDS(struct vhost) };

static const struct device_kind device = {
	.name = "lent",
	.reset = vhost_reset,
	DEVICE_STATE(struct vhost, fields),
	.is_sound = virtio_pci_is_sound,
	.loaded = virtio_pci_loaded,
};

TEST_F(user, what_was_saved_goes_on_after_it_is_loaded)
{
	struct record record = {};

	ASSERT_TRUE(start(self));
	for (int i = 0; i < QUEUES; i++)
		ring_used(&self->guest.rings[i])->idx = 5;
	self->back.base = 5;
	vhost_hold(&self->vhost);
	ASSERT_EQ(0, device_save(&device, &self->vhost, &record));
	vhost_reset(&self->vhost);
	ASSERT_EQ(0, self->vhost.pci.device.state.queues[0].next);
	ASSERT_EQ(0, device_load(&device, &self->vhost, &record));
	self->back.bases[0] = 0;
	vhost_release(&self->vhost);
	EXPECT_EQ(5, self->back.bases[0]);
	EXPECT_FALSE(needs_reset(self));
	free(record.data);
}

TEST_F(user, a_base_that_the_ring_does_not_have_breaks_the_device)
{
	ASSERT_TRUE(start(self));
	self->back.base = 0x10000;
	vhost_hold(&self->vhost);
	EXPECT_TRUE(needs_reset(self));
}

TEST_F(user, a_back_end_that_goes_away_breaks_the_device)
{
	ASSERT_TRUE(start(self));
	shutdown(self->back.socket, SHUT_RDWR);
	EXPECT_TRUE(comes_to_need_reset(self));
	guest_set_status(&self->guest, 0);
	guest_start(&self->guest, V1);
	EXPECT_TRUE(needs_reset(self));
}

TEST_F(user, what_was_not_asked_for_breaks_the_device)
{
	const uint64_t bytes[3] = {};

	ASSERT_TRUE(start(self));
	send(self->back.socket, bytes, sizeof(bytes), MSG_NOSIGNAL);
	EXPECT_TRUE(comes_to_need_reset(self));
}

/* With what each lie at the first request ends. */
static const int first_errors[LIES] = {
	[OTHER_REQUEST] = -EPROTO,     [OTHER_VERSION] = -EPROTO,
	[NO_REPLY_BIT] = -EPROTO,      [TOO_SHORT] = -EPROTO,
	[TOO_LONG] = -EPROTO,	       [HUGE_SIZE] = -EPROTO,
	[HALF_A_HEADER] = -ECONNRESET, [HALF_A_REPLY] = -ECONNRESET,
	[HANG_UP] = -ECONNRESET,
};

TEST(a_lie_at_the_first_request_is_no_back_end)
{
	for (enum lie lie = TRUTH; lie < LIES; lie++) {
		struct back back = { .features = V1, .lie = lie };
		struct vhost_user *user = NULL;
		int sockets[2];

		back.at = GET_FEATURES;
		ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
		back.socket = sockets[1];
		pthread_create(&back.thread, NULL, run, &back);
		EXPECT_EQ(first_errors[lie],
			  vhost_user_open(&user, NULL, sockets[0]))
		{
			TH_LOG("lie %d", lie);
		}
		if (!first_errors[lie])
			vhost_user_close(user);
		pthread_join(back.thread, NULL);
		close(back.socket);
	}
}

/* Return: true if a lie at a request that starts or stops a queue breaks the device. */
static bool breaks(unsigned int at, enum lie lie)
{
	FIXTURE_DATA(user) self = {};
	bool broken;

	prepare(&self);
	self.back.at = at;
	self.back.lie = lie;
	broken = start(&self);
	broken = broken && (at != GET_VRING_BASE || !needs_reset(&self));
	vhost_hold(&self.vhost);
	broken = broken && needs_reset(&self);
	clean(&self);
	return broken;
}

TEST(a_lie_while_queues_start_or_stop_breaks_the_device)
{
	static const unsigned int requests[] = {
		SET_FEATURES,	SET_MEM_TABLE,	SET_VRING_NUM,
		SET_VRING_ADDR, SET_VRING_KICK, GET_VRING_BASE,
	};

	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		for (enum lie lie = OTHER_REQUEST; lie < LIES; lie++) {
			if (requests[i] == GET_VRING_BASE && lie == REFUSAL)
				continue;
			EXPECT_TRUE(breaks(requests[i], lie))
			{
				TH_LOG("request %u, lie %d", requests[i], lie);
			}
		}
	}
}

static unsigned int count_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	unsigned int count = 0;

	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

TEST_F(user, descriptors_that_a_back_end_sends_are_not_taken)
{
	unsigned int before;

	self->back.at = GET_VRING_BASE;
	self->back.lie = WITH_DESCRIPTORS;
	ASSERT_TRUE(start(self));
	before = count_descriptors();
	vhost_hold(&self->vhost);
	EXPECT_FALSE(needs_reset(self));
	EXPECT_EQ(before, count_descriptors());
}

TEST_F(user, a_back_end_that_does_not_answer_is_given_up)
{
	self->back.at = GET_VRING_BASE;
	self->back.lie = SILENCE;
	ASSERT_TRUE(start(self));
	guest_set_status(&self->guest, 0);
	EXPECT_EQ(1, self->back.seen[GET_VRING_BASE]);
	guest_start(&self->guest, V1);
	EXPECT_TRUE(needs_reset(self));
}

TEST_F(user, one_without_virtio_1_makes_no_device)
{
	self->back.features = F_PROTOCOL;
	EXPECT_FALSE(plug(self));
}

/* A device of a whole type, found by the guest; NULL: it was not made. */
static struct remote *plug_type(FIXTURE_DATA(user) * self,
				const struct remote_type *type,
				uint64_t features)
{
	struct device_error error = {};
	struct remote *remote;

	self->back.features = features;
	remote = remote_new(&self->guest.board, type, start_back(self), NULL, 1,
			    "", &error);
	if (remote)
		guest_find(&self->guest);
	return remote;
}

#define CONFIG VIRTIO_PCI_CAP_DEVICE_CFG
#define WCE offsetof(struct virtio_blk_config, wce)
#define CONFIG_WCE (1ULL << VIRTIO_BLK_F_CONFIG_WCE)

/* That says the number of queues first, and sizes that Linux writes as they are. */
TEST_F(user, an_adapter_needs_no_configuration_of_its_back_end)
{
	struct remote *remote = plug_type(self, remote_types[1], V1);

	ASSERT_TRUE(remote);
	EXPECT_EQ(1, guest_read(&self->guest, CONFIG, 0, 4));
	EXPECT_EQ(96, guest_read(&self->guest, CONFIG, 20, 4));
	guest_write(&self->guest, CONFIG, 24, 32, 4);
	EXPECT_FALSE(needs_reset(self));
	EXPECT_TRUE(remote_is_sound(remote));
	remote->config[0]++;
	EXPECT_FALSE(remote_is_sound(remote));
	remote_free(remote);
}

/* A back end that is told of another field may end the connection. */
TEST_F(user, a_disk_is_told_of_its_cache_alone)
{
	const uint64_t features = V1 | F_PROTOCOL | CONFIG_WCE;
	struct remote *remote = plug_type(self, &remote_disk, features);

	ASSERT_TRUE(remote && guest_negotiate(&self->guest, V1));
	guest_write(&self->guest, CONFIG, WCE, 1, 1);
	guest_set_status(&self->guest, 0);
	ASSERT_TRUE(guest_negotiate(&self->guest, V1 | CONFIG_WCE));
	guest_write(&self->guest, CONFIG, WCE + 1, 1, 1);
	guest_write(&self->guest, CONFIG, WCE, 1, 2);
	EXPECT_EQ(0, self->back.seen[SET_CONFIG]);
	guest_write(&self->guest, CONFIG, WCE, 1, 1);
	EXPECT_EQ(1, self->back.seen[SET_CONFIG]);
	remote_free(remote);
}

TEST_HARNESS_MAIN
