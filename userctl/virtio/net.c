// SPDX-License-Identifier: GPL-2.0
/*
 * A network card with one pair of queues.
 *
 * A frame of the link's waits at the link until the driver has buffers for it.  All is
 * done in the event loop's thread, so that nothing is ever in flight.
 */
#include "virtio/net.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/if_ether.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "net/passt.h"
#include "net/stream.h"
#include "net/tap.h"
#include "virtio/net_header.h"
#include "virtio/pci.h"

#define PCI_CLASS_ETHERNET 0x020000

#define RECEIVE 0
#define TRANSMIT 1
#define QUEUES 2
#define QUEUE_SIZE 256
/* So many frames are sent before others in the loop have their turn. */
#define FRAMES_AT_ONCE 64
/* The most chains that one frame is put into. */
#define MAX_BUFFERS 64

/* No descriptor is as large. */
#define NO_FD INT_MAX

#define HEADER sizeof(struct virtio_net_hdr_v1)

/* Bits of the first byte of an address. */
#define MAC_GROUP 0x01
#define MAC_LOCAL 0x02

/**
 * struct net - a card
 * @pci: the device
 * @config: what the driver reads; its address is saved
 * @link: the other end
 */
struct net {
	struct virtio_pci pci;
	struct virtio_net_config config;
	struct link *link;
};

/*
 * Sends the frame of a chain, whose header is copied before it is checked: the driver may
 * change it at any time.  Return: as link_send().
 */
static int send_chain(struct net *net, struct virtio_chain *chain)
{
	struct virtio_net_hdr_v1 header;
	struct iovec frame[1 + VIRTQUEUE_MAX_SIZE] = {
		{ .iov_base = &header, .iov_len = HEADER },
	};
	unsigned int count;
	size_t size;

	if (chain->out_size <= HEADER ||
	    chain->out_size > HEADER + LINK_MAX_FRAME)
		return 0;
	size = chain->out_size - HEADER;
	virtio_chain_read(chain, &header, HEADER);
	count = virtio_iov_slice(chain->iov, chain->nr_out, HEADER, size,
				 frame + 1);
	if (!net->link->kind->header)
		return link_send(net->link, frame + 1, count);
	if (!net_header_check(&header, net->pci.device.state.features, size))
		return 0;
	return link_send(net->link, frame, count + 1);
}

static void transmit(struct net *net)
{
	struct virtio_device *device = &net->pci.device;
	struct virtio_chain chain;
	unsigned int left = FRAMES_AT_ONCE;

	while (left && virtio_pop(device, TRANSMIT, &chain)) {
		if (send_chain(net, &chain)) {
			virtio_unpop(device, TRANSMIT);
			break;
		}
		virtio_push(device, TRANSMIT, chain.head, 0);
		left--;
	}
	virtio_notify(device, TRANSMIT);
	if (!left)
		virtio_wake(device, TRANSMIT);
}

static void kick(struct virtio_device *device, unsigned int queue)
{
	struct net *net = device->opaque;

	if (queue == TRANSMIT)
		transmit(net);
	else
		link_resume(net->link);
}

/**
 * struct filling - a frame on its way into the driver's buffers
 * @first: the first chain, which gets the header at the end
 * @used: the chains
 * @count: entries of @used
 */
struct filling {
	struct virtio_chain first;
	struct virtqueue_used used[MAX_BUFFERS];
	unsigned int count;
};

static void give_back(struct net *net, struct filling *filling)
{
	while (filling->count--)
		virtio_unpop(&net->pci.device, RECEIVE);
}

/*
 * Takes a chain to receive into.  A driver must not put there what the device reads, and
 * so the work for a frame is bounded by its size.  Return: true; false: there is none.
 */
static bool take_buffer(struct virtio_device *device,
			struct virtio_chain *chain)
{
	if (!virtio_pop(device, RECEIVE, chain))
		return false;
	if (!chain->nr_out)
		return true;
	virtio_needs_reset(device);
	virtio_unpop(device, RECEIVE);
	return false;
}

/*
 * Takes chains for a header and @size bytes of a frame, and puts the frame into them.
 * Return: 0; -EAGAIN there are too few; -EMSGSIZE the frame never fits.
 */
static int fill(struct net *net, struct filling *filling, const uint8_t *frame,
		size_t size)
{
	struct virtio_device *device = &net->pci.device;
	const unsigned int most =
		virtio_has(device, VIRTIO_NET_F_MRG_RXBUF) ? MAX_BUFFERS : 1;
	struct virtio_chain more, *chain = &filling->first;
	size_t room;

	for (filling->count = 0; size || !filling->count;) {
		if (filling->count == most)
			return -EMSGSIZE;
		if (!take_buffer(device, chain))
			return -EAGAIN;
		room = chain->in_size;
		if (!filling->count) {
			if (room < HEADER) {
				filling->count = 1;
				return -EMSGSIZE;
			}
			chain->in_at = HEADER;
		}
		room = virtio_chain_write(chain, frame, size);
		filling->used[filling->count++] = (struct virtqueue_used){
			.head = chain->head,
			.written = chain->in_at,
		};
		frame += room;
		size -= room;
		chain = &more;
	}
	return 0;
}

/*
 * The driver's own lack of buffers keeps the frame at the link; a driver with buffers that
 * are too small loses it.
 */
static bool receive(void *opaque, const void *frame, size_t size)
{
	struct net *net = opaque;
	const size_t skip = net->link->kind->header;
	struct virtio_net_hdr_v1 header = {};
	struct filling filling;
	int err;

	/* What comes before the driver is ready is lost, as without a cable. */
	if (size <= skip || !virtio_is_live(&net->pci.device))
		return true;
	memcpy(&header, frame, skip);
	err = fill(net, &filling, (const uint8_t *)frame + skip, size - skip);
	if (err) {
		give_back(net, &filling);
		return err != -EAGAIN || !virtio_is_live(&net->pci.device);
	}
	/* The host may say of a frame what only some drivers want to know. */
	if (!virtio_has(&net->pci.device, VIRTIO_NET_F_GUEST_CSUM))
		header.flags = 0;
	header.num_buffers = filling.count;
	virtio_chain_write_at(&filling.first, 0, &header, HEADER);
	virtio_push_all(&net->pci.device, RECEIVE, filling.used, filling.count);
	virtio_notify(&net->pci.device, RECEIVE);
	return true;
}

static void enter(void *opaque)
{
	virtio_lock(&((struct net *)opaque)->pci.device);
}

static void leave(void *opaque)
{
	virtio_unlock(&((struct net *)opaque)->pci.device);
}

static void writable(void *opaque)
{
	transmit(opaque);
}

static void down(void *opaque)
{
	struct net *net = opaque;

	net->config.status = 0;
	virtio_config_changed(&net->pci.device);
}

static void start(struct virtio_device *device)
{
	struct net *net = device->opaque;
	const struct link_kind *kind = net->link->kind;

	if (kind->offload)
		kind->offload(net->link,
			      virtio_has(device, VIRTIO_NET_F_GUEST_CSUM),
			      virtio_has(device, VIRTIO_NET_F_GUEST_TSO4),
			      virtio_has(device, VIRTIO_NET_F_GUEST_TSO6));
}

static bool accept_features(struct virtio_device *device, uint64_t features)
{
	(void)device;
	return net_features_go_together(features);
}

static const struct virtio_kind kind = {
	.name = "virtio-net",
	.id = VIRTIO_ID_NET,
	.class = PCI_CLASS_ETHERNET,
	.accept = accept_features,
	.start = start,
	.kick = kick,
};

#define OWN_FEATURES                           \
	(VIRTIO_FEATURE(VIRTIO_NET_F_MAC) |    \
	 VIRTIO_FEATURE(VIRTIO_NET_F_STATUS) | \
	 VIRTIO_FEATURE(VIRTIO_NET_F_MRG_RXBUF))
#define OFFLOADS                                   \
	(VIRTIO_FEATURE(VIRTIO_NET_F_CSUM) |       \
	 VIRTIO_FEATURE(VIRTIO_NET_F_GUEST_CSUM) | \
	 VIRTIO_FEATURE(VIRTIO_NET_F_GUEST_TSO4) | \
	 VIRTIO_FEATURE(VIRTIO_NET_F_GUEST_TSO6) | \
	 VIRTIO_FEATURE(VIRTIO_NET_F_HOST_TSO4) |  \
	 VIRTIO_FEATURE(VIRTIO_NET_F_HOST_TSO6))

/* The card's options, by their place in the list below. */
enum {
	OPTION_TYPE,
	OPTION_IFNAME,
	OPTION_FD,
	OPTION_HOSTFWD,
	OPTION_MAC,
	OPTION_BOOTINDEX,
};

enum {
	TYPE_USER,
	TYPE_TAP,
	TYPE_FD,
};

static const char *const types[] = {
	[TYPE_USER] = "user",
	[TYPE_TAP] = "tap",
	[TYPE_FD] = "fd",
	NULL,
};

static const struct device_option options[] = {
	[OPTION_TYPE] = { .name = "type",
			  .about = "the host's network by passt(1), a TAP "
				   "interface, or a connected socket",
			  .type = DEVICE_CHOICE,
			  .required = true,
			  .host = true,
			  .choices = types },
	[OPTION_IFNAME] = { .name = "ifname",
			    .about = "of type=tap: the interface",
			    .type = DEVICE_TEXT,
			    .host = true,
			    .word = "NAME" },
	[OPTION_FD] = { .name = "fd",
			.about = "of type=fd: a connected stream socket that "
				 "lodge has inherited",
			.type = DEVICE_NUMBER,
			.host = true,
			.value = NO_FD,
			.max = NO_FD - 1 },
	[OPTION_HOSTFWD] = { .name = "hostfwd",
			     .about =
				     "of type=user: ports of the host's that "
				     "lead to the guest's, with + between them",
			     .type = DEVICE_TEXT,
			     .host = true,
			     .word = "tcp|udp:[ADDRESS:]PORT-:PORT" },
	[OPTION_MAC] = { .name = "mac",
			 .about = "the card's address (default: a random one)",
			 .type = DEVICE_TEXT,
			 .host = true,
			 .word = "52:54:00:XX:XX:XX" },
	[OPTION_BOOTINDEX] = DEVICE_BOOTINDEX,
	{},
};

/* Return: 0 or -EINVAL. */
static int parse_mac(const char *text, uint8_t *mac)
{
	int end = 0;

	if (sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0],
		   &mac[1], &mac[2], &mac[3], &mac[4], &mac[5], &end) != 6)
		return -EINVAL;
	return text[end] || (mac[0] & MAC_GROUP) ? -EINVAL : 0;
}

static int set_mac(struct net *net, const char *text,
		   struct device_error *error)
{
	uint8_t *mac = net->config.mac;

	if (text) {
		if (!parse_mac(text, mac))
			return 0;
		device_fail(error, -EINVAL, text, "is not a card's address",
			    "write six bytes, the first of them even, as in "
			    "52:54:00:12:34:56");
		return -EINVAL;
	}
	if (getrandom(mac, ETH_ALEN, 0) != ETH_ALEN)
		return -EIO;
	mac[0] = (mac[0] & ~MAC_GROUP) | MAC_LOCAL;
	return 0;
}

/* Reads the list of forwarded ports. */
static int set_forwards(struct passt_config *config, const char *text,
			struct device_error *error)
{
	while (text && *text) {
		const size_t size = strcspn(text, "+");

		if (config->nr_forwards == PASST_MAX_FORWARDS ||
		    forward_parse(text, size,
				  &config->forwards[config->nr_forwards++])) {
			device_fail(error, -EINVAL, text,
				    "are not forwarded ports",
				    "write tcp:2222-:22, several with + "
				    "between them");
			return -EINVAL;
		}
		text += size;
		text += *text == '+';
	}
	return 0;
}

static int open_user(struct net *net, struct loop *loop,
		     const struct link_card *card,
		     const struct device_value *values,
		     struct device_error *error)
{
	struct passt_config config = {};

	if (set_forwards(&config, values[OPTION_HOSTFWD].text, error))
		return -EINVAL;
	net->link = passt_new(loop, &config, card);
	if (net->link)
		return 0;
	if (errno == ENOENT)
		device_fail(error, -ENOENT, "passt", "is not installed",
			    "install it (apt install passt), or use type=tap");
	return -errno;
}

static int open_tap(struct net *net, struct loop *loop,
		    const struct link_card *card, const char *name,
		    struct device_error *error)
{
	if (!name || strlen(name) >= IFNAMSIZ) {
		device_fail(error, -EINVAL, "ifname", "must name the interface",
			    "as in type=tap,ifname=tap0");
		return -EINVAL;
	}
	net->link = tap_new(loop, name, card);
	if (net->link)
		return 0;
	device_fail(error, -errno, name, NULL,
		    errno == EPERM ?
			    "make it yours: ip tuntap add NAME mode tap user "
			    "$USER" :
			    NULL);
	return -errno;
}

static int open_fd(struct net *net, struct loop *loop,
		   const struct link_card *card, int fd,
		   struct device_error *error)
{
	socklen_t size = sizeof(int);
	int type;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) ||
	    type != SOCK_STREAM) {
		device_fail(error, -EBADF, "fd", "is no stream socket",
			    "as in type=fd,fd=3, of one that is connected");
		return -EBADF;
	}
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	net->link = stream_new(loop, fd, card, NULL, NULL);
	return net->link ? 0 : -errno;
}

static int open_link(struct net *net, const struct board *board,
		     const struct device_value *values,
		     struct device_error *error)
{
	const struct link_card card = {
		.enter = enter,
		.leave = leave,
		.receive = receive,
		.writable = writable,
		.down = down,
		.opaque = net,
	};

	switch (values[OPTION_TYPE].number) {
	case TYPE_TAP:
		return open_tap(net, board->loop, &card,
				values[OPTION_IFNAME].text, error);
	case TYPE_FD:
		return open_fd(net, board->loop, &card,
			       values[OPTION_FD].number, error);
	default:
		return open_user(net, board->loop, &card, values, error);
	}
}

static void net_free(void *opaque)
{
	struct net *net = opaque;

	link_free(net->link);
	/* Without a link it was not made. */
	if (net->pci.device.kind)
		virtio_pci_fini(&net->pci);
	free(net);
}

static int net_init(struct net *net, const struct board *board,
		    const struct device_value *values,
		    struct device_error *error)
{
	struct virtio_device *device = &net->pci.device;
	int err = set_mac(net, values[OPTION_MAC].text, error);

	if (!err)
		err = open_link(net, board, values, error);
	if (err)
		return err;
	net->config.status = VIRTIO_NET_S_LINK_UP;
	device->kind = &kind;
	device->opaque = net;
	device->nr_queues = QUEUES;
	device->queue_size = QUEUE_SIZE;
	device->config = &net->config;
	device->config_size =
		offsetof(struct virtio_net_config, max_virtqueue_pairs);
	device->offered = OWN_FEATURES;
	if (net->link->kind->offload)
		device->offered |= OFFLOADS;
	return virtio_pci_init(&net->pci, board);
}

static void *net_make(const struct board *board,
		      const struct device_value *values,
		      struct device_error *error)
{
	struct net *net = calloc(1, sizeof(*net));
	int err;

	if (!net)
		return NULL;
	err = net_init(net, board, values, error);
	if (err) {
		net_free(net);
		errno = -err;
		return NULL;
	}
	return net;
}

static void net_boot(const void *opaque, const struct device_value *values,
		     struct device_boot *boot)
{
	const struct net *net = opaque;

	virtio_pci_boot(&net->pci, BOOT_NETWORK, &values[OPTION_BOOTINDEX],
			"ethernet", "/ethernet-phy@0", boot);
}

static const struct record_field net_fields[] = {
	VIRTIO_PCI_FIELDS(struct net),
	RECORD_ANY(VIRTIO_OWN_TAG, struct net, config.mac),
};

const struct device_kind virtio_net_device = {
	.name = "virtio-net",
	.about = "a network card",
	.many = true,
	.options = options,
	.make = net_make,
	.free = net_free,
	.reset = virtio_pci_reset,
	.boot = net_boot,
	DEVICE_STATE(struct net, net_fields),
	.is_sound = virtio_pci_is_sound,
	.loaded = virtio_pci_loaded,
};
