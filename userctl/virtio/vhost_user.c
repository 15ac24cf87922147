// SPDX-License-Identifier: GPL-2.0
/*
 * The front end of the vhost-user protocol.
 *
 * There is one request at a time.  Guest physical addresses stand for the addresses in
 * this process, which are nobody's business.
 */
#include "virtio/vhost_user.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_config.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Requests. */
#define GET_FEATURES 1
#define SET_FEATURES 2
#define SET_OWNER 3
#define SET_MEM_TABLE 5
#define SET_VRING_NUM 8
#define SET_VRING_ADDR 9
#define SET_VRING_BASE 10
#define GET_VRING_BASE 11
#define SET_VRING_KICK 12
#define SET_VRING_CALL 13
#define GET_PROTOCOL_FEATURES 15
#define SET_PROTOCOL_FEATURES 16
#define GET_QUEUE_NUM 17
#define SET_VRING_ENABLE 18
#define GET_CONFIG 24
#define SET_CONFIG 25

/* Of the header's flags. */
#define VERSION 0x1
#define VERSION_MASK 0x3
#define REPLY 0x4
#define NEED_REPLY 0x8

/* The feature that stands for the protocol's own features, and those of them. */
#define F_PROTOCOL_FEATURES 30
#define PROTOCOL_F_MQ 0
#define PROTOCOL_F_REPLY_ACK 3
#define PROTOCOL_F_CONFIG 9
#define PROTOCOL_WANTED                                         \
	(1ULL << PROTOCOL_F_MQ | 1ULL << PROTOCOL_F_REPLY_ACK | \
	 1ULL << PROTOCOL_F_CONFIG)

struct header {
	uint32_t request;
	uint32_t flags;
	uint32_t size;
};

struct vring_state {
	uint32_t queue;
	uint32_t value;
};

struct vring_address {
	uint32_t queue;
	uint32_t flags;
	uint64_t desc;
	uint64_t used;
	uint64_t avail;
	uint64_t log;
};

struct memory {
	uint32_t count;
	uint32_t padding;
	struct {
		uint64_t gpa;
		uint64_t size;
		uint64_t address;
		uint64_t offset;
	} regions[RAM_MAX_RANGES];
};

struct config {
	uint32_t offset;
	uint32_t size;
	uint32_t flags;
	uint8_t bytes[VHOST_USER_MAX_CONFIG];
};

#define CONFIG_HEAD offsetof(struct config, bytes)

/**
 * struct message - a request
 * @request: which
 * @payload: what follows the header
 * @size: of @payload
 * @fds: descriptors that go with it
 * @nr_fds: entries of @fds
 */
struct message {
	uint32_t request;
	const void *payload;
	uint32_t size;
	int fds[RAM_MAX_RANGES];
	unsigned int nr_fds;
};

/**
 * struct vhost_user - a back end
 * @loop: watches @socket, once there is @vhost
 * @socket: connected to it
 * @closed: the connection has been ended
 * @end: the time by which requests must be done
 * @features: what it offers
 * @protocol: protocol features that are agreed on
 * @queues: how many it supports, or 0
 * @vhost: the device, or NULL
 */
struct vhost_user {
	struct loop *loop;
	int socket;
	bool closed;
	int64_t end;
	uint64_t features;
	uint64_t protocol;
	uint64_t queues;
	struct vhost *vhost;
};

/* Waits until @end at the latest.  Return: 0; -ETIMEDOUT; -errno. */
static int await(int socket, short events, int64_t end)
{
	struct pollfd poller = { .fd = socket, .events = events };
	int64_t left;
	int found;

	do {
		left = end - vhost_now();
		if (left < 0)
			return -ETIMEDOUT;
		found = poll(&poller, 1, (int)left);
	} while (!found || (found < 0 && errno == EINTR));
	return found < 0 ? -errno : 0;
}

/* Puts descriptors beside a message.  @control has room for them. */
static void add_fds(struct msghdr *msg, const struct message *message,
		    void *control)
{
	const size_t size = message->nr_fds * sizeof(int);
	struct cmsghdr *cmsg;

	msg->msg_control = control;
	msg->msg_controllen = CMSG_SPACE(size);
	cmsg = CMSG_FIRSTHDR(msg);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(cmsg), message->fds, size);
}

/* Sends what fits.  Return: how much; -EAGAIN; -errno. */
static ssize_t send_some(int socket, struct iovec *iov,
			 const struct message *message, bool first)
{
	union {
		struct cmsghdr align;
		uint8_t bytes[CMSG_SPACE(sizeof(message->fds))];
	} control = {};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	ssize_t sent;

	if (first && message->nr_fds)
		add_fds(&msg, message, &control);
	sent = sendmsg(socket, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	return sent < 0 ? -errno : sent;
}

static int send_all(int socket, struct iovec *iov,
		    const struct message *message, int64_t end)
{
	bool first = true;

	while (iov[0].iov_len || iov[1].iov_len) {
		ssize_t sent = send_some(socket, iov, message, first);
		int err = sent == -EAGAIN ? await(socket, POLLOUT, end) :
			  sent < 0	  ? (int)sent :
					    0;

		if (err)
			return err == -EPIPE ? -ECONNRESET : err;
		for (unsigned int i = 0; i < 2 && sent > 0; i++) {
			size_t some = iov[i].iov_len;

			if (some > (size_t)sent)
				some = sent;
			iov[i].iov_base = (uint8_t *)iov[i].iov_base + some;
			iov[i].iov_len -= some;
			sent -= some;
			first = false;
		}
	}
	return 0;
}

/* Without room for descriptors the kernel drops those that come. */
static int receive_all(int socket, void *data, size_t size, int64_t end)
{
	uint8_t *bytes = data;

	while (size) {
		ssize_t got = recv(socket, bytes, size, MSG_DONTWAIT);
		int err = 0;

		if (!got)
			return -ECONNRESET;
		if (got < 0)
			err = errno == EAGAIN ? await(socket, POLLIN, end) :
						-errno;
		if (err)
			return err;
		if (got > 0) {
			bytes += got;
			size -= got;
		}
	}
	return 0;
}

static int send_message(struct vhost_user *user, const struct message *message,
			uint32_t flags)
{
	struct header header = {
		.request = message->request,
		.flags = VERSION | flags,
		.size = message->size,
	};
	struct iovec iov[2] = {
		{ .iov_base = &header, .iov_len = sizeof(header) },
		{ .iov_base = (void *)message->payload,
		  .iov_len = message->size },
	};

	return user->socket < 0 ?
		       -ENOTCONN :
		       send_all(user->socket, iov, message, user->end);
}

/* Reads the reply to @request, which has @size bytes, or none where @empty is allowed. */
static int read_reply(struct vhost_user *user, uint32_t request, void *reply,
		      uint32_t size, bool empty)
{
	struct header header;
	int err = receive_all(user->socket, &header, sizeof(header), user->end);

	if (err)
		return err;
	if (header.request != request ||
	    (header.flags & (VERSION_MASK | REPLY)) != (VERSION | REPLY))
		return -EPROTO;
	if (!header.size && empty)
		return -EINVAL;
	if (header.size != size)
		return -EPROTO;
	return receive_all(user->socket, reply, size, user->end);
}

/* Makes a request that has a reply of its own. */
static int ask(struct vhost_user *user, const struct message *message,
	       void *reply, uint32_t size)
{
	int err = send_message(user, message, 0);

	return err ? err :
		     read_reply(user, message->request, reply, size,
				message->request == GET_CONFIG);
}

/* Makes a request whose reply, if there is one, says whether it has succeeded. */
static int tell(struct vhost_user *user, const struct message *message)
{
	const bool ack = user->protocol & 1ULL << PROTOCOL_F_REPLY_ACK;
	uint64_t failed = 0;
	int err = send_message(user, message, ack ? NEED_REPLY : 0);

	if (!err && ack)
		err = read_reply(user, message->request, &failed,
				 sizeof(failed), false);
	return !err && failed ? -EREMOTEIO : err;
}

static int get_number(struct vhost_user *user, uint32_t request,
		      uint64_t *number)
{
	const struct message message = { .request = request };

	return ask(user, &message, number, sizeof(*number));
}

static int set_number(struct vhost_user *user, uint32_t request,
		      uint64_t number)
{
	const struct message message = {
		.request = request,
		.payload = &number,
		.size = sizeof(number),
	};

	return tell(user, &message);
}

static int set_vring(struct vhost_user *user, uint32_t request,
		     unsigned int queue, uint32_t value)
{
	const struct vring_state state = { .queue = queue, .value = value };
	const struct message message = {
		.request = request,
		.payload = &state,
		.size = sizeof(state),
	};

	return tell(user, &message);
}

/* Gives a queue an eventfd. */
static int set_eventfd(struct vhost_user *user, uint32_t request,
		       unsigned int queue, int eventfd)
{
	const uint64_t number = queue;
	const struct message message = {
		.request = request,
		.payload = &number,
		.size = sizeof(number),
		.fds = { eventfd },
		.nr_fds = 1,
	};

	return tell(user, &message);
}

static bool has_protocol(const struct vhost_user *user)
{
	return user->features & 1ULL << F_PROTOCOL_FEATURES;
}

static int set_memory(struct vhost_user *user, const struct ram *ram)
{
	struct ram_range ranges[RAM_MAX_RANGES];
	const size_t count = ram_ranges(ram, ranges);
	struct memory memory = { .count = count };
	struct message message = {
		.request = SET_MEM_TABLE,
		.payload = &memory,
		.size = offsetof(struct memory, regions) +
			count * sizeof(memory.regions[0]),
		.nr_fds = count,
	};

	for (size_t i = 0; i < count; i++) {
		memory.regions[i].gpa = ranges[i].gpa;
		memory.regions[i].size = ranges[i].size;
		memory.regions[i].address = ranges[i].gpa;
		memory.regions[i].offset = ranges[i].offset;
		message.fds[i] = ram_fd(ram);
	}
	return tell(user, &message);
}

static int begin(void *back, uint64_t features, const struct ram *ram,
		 int64_t end)
{
	struct vhost_user *user = back;
	int err;

	user->end = end;
	if (has_protocol(user))
		features |= 1ULL << F_PROTOCOL_FEATURES;
	err = set_number(user, SET_FEATURES, features);
	return err ? err : set_memory(user, ram);
}

static int set_address(struct vhost_user *user, unsigned int queue,
		       const struct vhost_ring *ring)
{
	const struct vring_address address = {
		.queue = queue,
		.desc = ring->desc,
		.used = ring->used,
		.avail = ring->avail,
	};
	const struct message message = {
		.request = SET_VRING_ADDR,
		.payload = &address,
		.size = sizeof(address),
	};

	return tell(user, &message);
}

/* The kick comes last: it starts the queue. */
static int start(void *back, unsigned int queue, const struct vhost_ring *ring,
		 int64_t end)
{
	struct vhost_user *user = back;
	int err;

	user->end = end;
	err = set_vring(user, SET_VRING_NUM, queue, ring->size);

	if (!err)
		err = set_vring(user, SET_VRING_BASE, queue, ring->next);
	if (!err)
		err = set_address(user, queue, ring);
	if (!err)
		err = set_eventfd(user, SET_VRING_CALL, queue, ring->call);
	if (!err)
		err = set_eventfd(user, SET_VRING_KICK, queue, ring->kick);
	if (!err && has_protocol(user))
		err = set_vring(user, SET_VRING_ENABLE, queue, 1);
	return err;
}

static int stop(void *back, unsigned int queue, uint16_t *next, int64_t end)
{
	struct vhost_user *user = back;
	struct vring_state state = { .queue = queue };
	const struct message message = {
		.request = GET_VRING_BASE,
		.payload = &state,
		.size = sizeof(state),
	};
	struct vring_state reply;
	int err;

	user->end = end;
	err = ask(user, &message, &reply, sizeof(reply));

	if (err)
		return err;
	if (reply.queue != queue || reply.value > UINT16_MAX)
		return -EPROTO;
	*next = reply.value;
	return 0;
}

/*
 * Ends the connection from this side.  The back end sees it as an end of file, and may close
 * its side in peace.
 */
static void hang_up(void *back)
{
	struct vhost_user *user = back;

	if (user->closed)
		return;
	user->closed = true;
	if (user->vhost)
		loop_unwatch(user->loop, user->socket);
	shutdown(user->socket, SHUT_WR);
}

static const struct vhost_kind user_kind = {
	.process = true,
	.begin = begin,
	.start = start,
	.stop = stop,
	.close = hang_up,
};

/*
 * There is something to read while nobody waits for it: an end, or what was not asked for.
 * A reply to a request of another thread's may just have been read.
 */
static void readable(void *opaque, int fd)
{
	struct vhost_user *user = opaque;
	struct virtio_device *device = &user->vhost->pci.device;
	uint8_t byte;

	(void)fd;
	virtio_lock(device);
	if (user->socket >= 0 && (recv(user->socket, &byte, sizeof(byte),
				       MSG_PEEK | MSG_DONTWAIT) >= 0 ||
				  errno != EAGAIN))
		vhost_fail(user->vhost);
	virtio_unlock(device);
}

int vhost_user_attach(struct vhost_user *user, struct vhost *vhost)
{
	int err = loop_watch(user->loop, user->socket, readable, user);

	if (err)
		return err;
	user->vhost = vhost;
	vhost->kind = &user_kind;
	vhost->back = user;
	return 0;
}

static int agree_on_protocol(struct vhost_user *user)
{
	uint64_t offered;
	int err = get_number(user, GET_PROTOCOL_FEATURES, &offered);

	if (!err)
		err = set_number(user, SET_PROTOCOL_FEATURES,
				 offered & PROTOCOL_WANTED);
	if (err)
		return err;
	user->protocol = offered & PROTOCOL_WANTED;
	return user->protocol & 1ULL << PROTOCOL_F_MQ ?
		       get_number(user, GET_QUEUE_NUM, &user->queues) :
		       0;
}

static int agree(struct vhost_user *user)
{
	const struct message owner = { .request = SET_OWNER };
	int err;

	user->end = vhost_now() + VHOST_PATIENCE_MS;
	err = get_number(user, GET_FEATURES, &user->features);

	if (!err && has_protocol(user))
		err = agree_on_protocol(user);
	return err ? err : tell(user, &owner);
}

int vhost_user_open(struct vhost_user **result, struct loop *loop, int socket)
{
	struct vhost_user *user = calloc(1, sizeof(*user));
	int err;

	if (!user) {
		close(socket);
		return -ENOMEM;
	}
	user->loop = loop;
	user->socket = socket;
	err = agree(user);
	if (err) {
		vhost_user_close(user);
		return err;
	}
	*result = user;
	return 0;
}

void vhost_user_close(struct vhost_user *user)
{
	if (!user)
		return;
	hang_up(user);
	close(user->socket);
	free(user);
}

uint64_t vhost_user_features(const struct vhost_user *user)
{
	return user->features;
}

uint64_t vhost_user_queues(const struct vhost_user *user)
{
	return user->queues;
}

bool vhost_user_has_config(const struct vhost_user *user)
{
	return user->protocol & 1ULL << PROTOCOL_F_CONFIG;
}

int vhost_user_get_config(struct vhost_user *user, void *data, size_t size)
{
	struct config config = { .size = size };
	const struct message message = {
		.request = GET_CONFIG,
		.payload = &config,
		.size = CONFIG_HEAD + size,
	};
	struct config reply;
	int err;

	if (size > sizeof(config.bytes))
		return -EINVAL;
	user->end = vhost_now() + VHOST_PATIENCE_MS;
	err = ask(user, &message, &reply, message.size);
	if (err)
		return err;
	if (reply.offset || reply.size != size)
		return -EPROTO;
	memcpy(data, reply.bytes, size);
	return 0;
}

int vhost_user_set_config(struct vhost_user *user, size_t offset,
			  const void *data, size_t size)
{
	struct config config = { .offset = offset, .size = size };
	const struct message message = {
		.request = SET_CONFIG,
		.payload = &config,
		.size = CONFIG_HEAD + size,
	};

	if (size > sizeof(config.bytes) || offset > sizeof(config.bytes) - size)
		return -EINVAL;
	memcpy(config.bytes, data, size);
	user->end = vhost_now() + VHOST_PATIENCE_MS;
	return tell(user, &message);
}
