// SPDX-License-Identifier: GPL-2.0
/*
 * A network card with one or several pairs of queues, and a queue for commands.
 *
 * A pair has a link of its own.  Frames are carried by the event loop's thread, so that
 * nothing is ever in flight, or by the host's kernel, which then has the queues of all
 * pairs.  Commands are always carried out here.
 */
#include "virtio/net.h"

#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <linux/if_ether.h>
#include <linux/vhost.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_net.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>

#include "virtio/net_header.h"
#include "virtio/net_link.h"
#include "virtio/net_pair.h"
#include "virtio/vhost_kernel.h"

#define VHOST_PATH "/dev/vhost-net"
/* The default of NET_VHOST, which is neither on nor off. */
#define VHOST_PERHAPS 2

#define PCI_CLASS_ETHERNET 0x020000

#define QUEUE_SIZE 256
/* The queues of a pair, and so of each vhost device. */
#define PAIR_QUEUES 2
/* So many commands are carried out before others in the loop have their turn. */
#define COMMANDS_AT_ONCE 16

/* No descriptor is as large. */
#define NO_FD INT_MAX

/* Bits of the first byte of an address. */
#define MAC_GROUP 0x01
#define MAC_LOCAL 0x02

/**
 * struct net - a card
 * @vhost: the device; its back end is @kernel, if that is open
 * @kernel: the host's kernel
 * @config: what the driver reads; its address may be one that the driver has set
 * @address: the card's own address
 * @active: how many pairs get frames
 * @pairs: the pairs of queues
 * @nr_pairs: how many there are
 */
struct net {
	struct vhost vhost;
	struct vhost_kernel kernel;
	struct virtio_net_config config;
	uint8_t address[ETH_ALEN];
	uint16_t active;
	struct net_pair pairs[NET_MAX_PAIRS];
	unsigned int nr_pairs;
};

static struct virtio_device *device_of(struct net *net)
{
	return &net->vhost.pci.device;
}

static bool has_kernel(const struct net *net)
{
	return net->vhost.kind;
}

/* Return: the pairs of queues that the driver knows of (section 5.1.2). */
static unsigned int known_pairs(struct net *net)
{
	return virtio_has(device_of(net), VIRTIO_NET_F_MQ) ? net->nr_pairs : 1;
}

/* Return: the queue for commands, which follows the pairs. */
static unsigned int control_queue(struct net *net)
{
	return PAIR_QUEUES * known_pairs(net);
}

/*
 * The pairs.
 */

static int attach_first(struct net *net, unsigned int count)
{
	int err = 0;

	for (unsigned int i = 0; i < net->nr_pairs && !err; i++)
		err = link_attach(net->pairs[i].link, i < count);
	return err;
}

/* Lets the first pairs have frames, and no others.  Return: 0 or -errno. */
static int activate(struct net *net, unsigned int count)
{
	int err = attach_first(net, count);

	if (err)
		attach_first(net, net->active);
	else
		net->active = count;
	return err;
}

static void enter(void *opaque)
{
	virtio_lock(((struct net_pair *)opaque)->device);
}

static void leave(void *opaque)
{
	virtio_unlock(((struct net_pair *)opaque)->device);
}

static bool receive(void *opaque, const void *frame, size_t size)
{
	return net_pair_receive(opaque, frame, size);
}

static void writable(void *opaque)
{
	net_pair_transmit(opaque);
}

/*
 * Each link of an interface tells of its end.  The kernel loses the frames of the queues
 * that it has, and gets no others.
 */
static void down(void *opaque)
{
	const struct net_pair *pair = opaque;
	struct net *net = pair->device->opaque;

	if (!net->config.status)
		return;
	net->config.status = 0;
	net->vhost.local |= ~net->vhost.running;
	virtio_config_changed(device_of(net));
}

/*
 * Commands (section 5.1.6.5).  The card has no filter for frames, and so none of the
 * commands for one.
 */

/* Reads all that is left of a command.  Return: true if that is as much as it must be. */
static bool read_rest(struct virtio_chain *chain, void *data, size_t size)
{
	return chain->out_size - chain->out_at == size &&
	       virtio_chain_read(chain, data, size) == size;
}

static bool set_pairs(struct net *net, struct virtio_chain *chain)
{
	struct virtio_net_ctrl_mq command;
	unsigned int count;

	if (!virtio_has(device_of(net), VIRTIO_NET_F_MQ) ||
	    !read_rest(chain, &command, sizeof(command)))
		return false;
	count = le16toh(command.virtqueue_pairs);
	return count >= VIRTIO_NET_CTRL_MQ_VQ_PAIRS_MIN &&
	       count <= net->nr_pairs && !activate(net, count);
}

static bool set_address(struct net *net, struct virtio_chain *chain)
{
	uint8_t mac[ETH_ALEN];

	if (!virtio_has(device_of(net), VIRTIO_NET_F_CTRL_MAC_ADDR) ||
	    !read_rest(chain, mac, sizeof(mac)) || (mac[0] & MAC_GROUP))
		return false;
	memcpy(net->config.mac, mac, sizeof(mac));
	return true;
}

/* Return: true if the command is one of the card's, and was carried out. */
static bool carry_out(struct net *net, struct virtio_chain *chain)
{
	struct virtio_net_ctrl_hdr head;

	if (virtio_chain_read(chain, &head, sizeof(head)) != sizeof(head))
		return false;
	if (head.class == VIRTIO_NET_CTRL_MQ &&
	    head.cmd == VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET)
		return set_pairs(net, chain);
	if (head.class == VIRTIO_NET_CTRL_MAC &&
	    head.cmd == VIRTIO_NET_CTRL_MAC_ADDR_SET)
		return set_address(net, chain);
	return false;
}

static void control(struct net *net, unsigned int queue)
{
	struct virtio_device *device = device_of(net);
	unsigned int left = COMMANDS_AT_ONCE;
	struct virtio_chain chain;
	virtio_net_ctrl_ack ack;

	while (left && virtio_pop(device, queue, &chain)) {
		ack = carry_out(net, &chain) ? VIRTIO_NET_OK : VIRTIO_NET_ERR;
		virtio_push(device, queue, chain.head,
			    virtio_chain_write(&chain, &ack, sizeof(ack)));
		left--;
	}
	virtio_notify(device, queue);
	if (!left)
		virtio_wake(device, queue);
}

/*
 * The host's kernel.
 */

/* See vhost_kernel.attach. */
static int attach_kernel(struct vhost_kernel *kernel, unsigned int queue,
			 bool on)
{
	struct net *net =
		(void *)((uint8_t *)kernel - offsetof(struct net, kernel));
	struct link *link = net->pairs[queue / PAIR_QUEUES].link;
	const int fd = link->kind->lend(link, on);
	struct vhost_vring_file file = {
		.index = queue % PAIR_QUEUES,
		.fd = on ? fd : VHOST_FILE_UNBIND,
	};

	return ioctl(kernel->fds[queue / PAIR_QUEUES], VHOST_NET_SET_BACKEND,
		     &file) ?
		       -errno :
		       0;
}

/* Without a link, whose descriptor is gone, frames are lost here. */
static void choose_local(struct net *net)
{
	const bool is_up = net->config.status & VIRTIO_NET_S_LINK_UP;

	net->vhost.local = is_up ? -(1ULL << control_queue(net)) : UINT64_MAX;
}

/* What frames may have depends on what the kernel can do with them. */
static bool kernel_suffices(const struct vhost_kernel *kernel)
{
	const uint64_t least = VIRTIO_FEATURE(VIRTIO_F_VERSION_1) |
			       VIRTIO_FEATURE(VIRTIO_NET_F_MRG_RXBUF);

	return (kernel->features & least) == least;
}

/* Return: 0; -errno: the user wants the kernel, and there is none. */
static int open_kernel(struct net *net, const struct device_value *value,
		       struct device_error *error)
{
	struct vhost_kernel *kernel = &net->kernel;
	int err;

	if (!value->number || !net->pairs[0].link->kind->lend)
		return 0;
	kernel->queues = PAIR_QUEUES;
	kernel->attach = attach_kernel;
	err = vhost_kernel_open(kernel, VHOST_PATH, net->nr_pairs);
	if (!err && !kernel_suffices(kernel))
		err = -EOPNOTSUPP;
	if (!err) {
		vhost_kernel_attach(kernel, &net->vhost);
		return 0;
	}
	vhost_kernel_close(kernel);
	if (!value->given)
		return 0;
	device_fail(error, err, VHOST_PATH, NULL,
		    err == -EACCES ? "be a member of the group kvm, or use "
				     "vhost=off" :
				     "modprobe vhost_net, or use vhost=off");
	return err;
}

/*
 * The device.
 */

static void kick(struct virtio_device *device, unsigned int queue)
{
	struct net *net = device->opaque;
	struct net_pair *pair = &net->pairs[queue / PAIR_QUEUES];
	const unsigned int commands = control_queue(net);

	if (queue == commands)
		control(net, queue);
	else if (queue > commands)
		return;
	else if (!(net->vhost.local & 1ULL << queue))
		vhost_kick(device, queue);
	else if (queue == NET_TRANSMIT(pair->number))
		net_pair_transmit(pair);
	else
		link_resume(pair->link);
}

static void start(struct virtio_device *device)
{
	struct net *net = device->opaque;
	struct link *link = net->pairs[0].link;

	if (link->kind->offload)
		link->kind->offload(
			link, virtio_has(device, VIRTIO_NET_F_GUEST_CSUM),
			virtio_has(device, VIRTIO_NET_F_GUEST_TSO4),
			virtio_has(device, VIRTIO_NET_F_GUEST_TSO6));
	if (activate(net, net->active))
		virtio_needs_reset(device);
	if (has_kernel(net)) {
		choose_local(net);
		vhost_start(device);
	}
}

/* What the driver has set is forgotten. */
static void stop(struct virtio_device *device)
{
	struct net *net = device->opaque;

	if (has_kernel(net))
		vhost_stop(device);
	activate(net, 1);
	memcpy(net->config.mac, net->address, sizeof(net->address));
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
	.stop = stop,
	.kick = kick,
};

#define OWN_FEATURES                              \
	(VIRTIO_FEATURE(VIRTIO_NET_F_MAC) |       \
	 VIRTIO_FEATURE(VIRTIO_NET_F_STATUS) |    \
	 VIRTIO_FEATURE(VIRTIO_NET_F_MRG_RXBUF) | \
	 VIRTIO_FEATURE(VIRTIO_NET_F_CTRL_VQ) |   \
	 VIRTIO_FEATURE(VIRTIO_NET_F_CTRL_MAC_ADDR))
#define OFFLOADS                                   \
	(VIRTIO_FEATURE(VIRTIO_NET_F_CSUM) |       \
	 VIRTIO_FEATURE(VIRTIO_NET_F_GUEST_CSUM) | \
	 VIRTIO_FEATURE(VIRTIO_NET_F_GUEST_TSO4) | \
	 VIRTIO_FEATURE(VIRTIO_NET_F_GUEST_TSO6) | \
	 VIRTIO_FEATURE(VIRTIO_NET_F_HOST_TSO4) |  \
	 VIRTIO_FEATURE(VIRTIO_NET_F_HOST_TSO6))

static const char *const types[] = {
	[NET_TYPE_USER] = "user",
	[NET_TYPE_TAP] = "tap",
	[NET_TYPE_FD] = "fd",
	NULL,
};

static const struct device_option options[] = {
	[NET_TYPE] = { .name = "type",
		       .about = "the host's network by passt(1), a TAP "
				"interface, or a connected socket",
		       .type = DEVICE_CHOICE,
		       .required = true,
		       .host = true,
		       .choices = types },
	[NET_IFNAME] = { .name = "ifname",
			 .about = "of type=tap: the interface",
			 .type = DEVICE_TEXT,
			 .host = true,
			 .word = "NAME" },
	[NET_FD] = { .name = "fd",
		     .about = "of type=fd: a connected stream socket that "
			      "lodge has inherited",
		     .type = DEVICE_NUMBER,
		     .host = true,
		     .value = NO_FD,
		     .max = NO_FD - 1 },
	[NET_HOSTFWD] = { .name = "hostfwd",
			  .about = "of type=user: ports of the host's that "
				   "lead to the guest's, with + between them",
			  .type = DEVICE_TEXT,
			  .host = true,
			  .word = "tcp|udp:[ADDRESS:]PORT-:PORT" },
	[NET_MAC] = { .name = "mac",
		      .about = "the card's address (default: a random one)",
		      .type = DEVICE_TEXT,
		      .host = true,
		      .word = "52:54:00:XX:XX:XX" },
	[NET_BOOTINDEX] = DEVICE_BOOTINDEX,
	[NET_QUEUES] = { .name = "queues",
			 .about = "of type=tap: pairs of queues, for as many "
				  "vCPUs",
			 .type = DEVICE_NUMBER,
			 .value = 1,
			 .min = 1,
			 .max = NET_MAX_PAIRS },
	[NET_VHOST] = { .name = "vhost",
			.about = "of type=tap: let the host's kernel carry "
				 "the frames, by /dev/vhost-net (default: if "
				 "that can be opened)",
			.type = DEVICE_BOOL,
			.host = true,
			.value = VHOST_PERHAPS,
			.max = true },
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

/* Return: 0 or -EIO. */
static int make_up_mac(uint8_t *mac)
{
	if (getrandom(mac, ETH_ALEN, 0) != ETH_ALEN)
		return -EIO;
	mac[0] = (mac[0] & ~MAC_GROUP) | MAC_LOCAL;
	return 0;
}

static int set_mac(struct net *net, const char *text,
		   struct device_error *error)
{
	if (text) {
		if (!parse_mac(text, net->address))
			return 0;
		device_fail(error, -EINVAL, text, "is not a card's address",
			    "write six bytes, the first of them even, as in "
			    "52:54:00:12:34:56");
		return -EINVAL;
	}
	return make_up_mac(net->address);
}

/* Return: 0 or -errno. */
static int open_links(struct net *net, const struct board *board,
		      const struct device_value *values,
		      struct device_error *error)
{
	struct link_card card = {
		.enter = enter,
		.leave = leave,
		.receive = receive,
		.writable = writable,
		.down = down,
	};
	int err = net_link_check(values, error);

	net->nr_pairs = values[NET_QUEUES].number;
	for (unsigned int i = 0; i < net->nr_pairs && !err; i++) {
		struct net_pair *pair = &net->pairs[i];

		pair->device = device_of(net);
		pair->number = i;
		card.opaque = pair;
		pair->link = net_link_open(board->loop, &card, values, error);
		if (!pair->link)
			err = -errno;
	}
	return err;
}

static void net_free(void *opaque)
{
	struct net *net = opaque;

	/* Without links it was not made. */
	if (device_of(net)->kind) {
		if (has_kernel(net))
			vhost_fini(&net->vhost);
		else
			virtio_pci_fini(&net->vhost.pci);
	}
	vhost_kernel_close(&net->kernel);
	for (unsigned int i = 0; i < net->nr_pairs; i++)
		link_free(net->pairs[i].link);
	free(net);
}

static uint64_t features_of(const struct net *net)
{
	uint64_t features = OWN_FEATURES;

	if (net->pairs[0].link->kind->offload)
		features |= OFFLOADS;
	if (net->nr_pairs > 1)
		features |= VIRTIO_FEATURE(VIRTIO_NET_F_MQ);
	return features;
}

static int plug(struct net *net, const struct board *board)
{
	struct virtio_device *device = device_of(net);
	const bool several = net->nr_pairs > 1;
	int err;

	memcpy(net->config.mac, net->address, sizeof(net->address));
	net->config.status = VIRTIO_NET_S_LINK_UP;
	net->config.max_virtqueue_pairs = htole16(net->nr_pairs);
	device->opaque = &net->vhost;
	device->nr_queues = PAIR_QUEUES * net->nr_pairs + 1;
	device->queue_size = QUEUE_SIZE;
	device->config = &net->config;
	device->config_size =
		several ?
			offsetof(struct virtio_net_config, mtu) :
			offsetof(struct virtio_net_config, max_virtqueue_pairs);
	device->offered = features_of(net);
	device->kind = &kind;
	net->vhost.local = UINT64_MAX;
	err = has_kernel(net) ?
		      vhost_init(&net->vhost, board,
				 features_of(net) | (net->kernel.features &
						     VHOST_QUEUE_FEATURES)) :
		      virtio_pci_init(&net->vhost.pci, board);
	return err ? err : activate(net, 1);
}

static int net_init(struct net *net, const struct board *board,
		    const struct device_value *values,
		    struct device_error *error)
{
	int err = set_mac(net, values[NET_MAC].text, error);

	if (!err)
		err = open_links(net, board, values, error);
	if (!err)
		err = open_kernel(net, &values[NET_VHOST], error);
	return err ? err : plug(net, board);
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

	virtio_pci_boot(&net->vhost.pci, BOOT_NETWORK, &values[NET_BOOTINDEX],
			"ethernet", "/ethernet-phy@0", boot);
}

static void net_reset(void *opaque)
{
	struct net *net = opaque;

	if (has_kernel(net))
		vhost_reset(net);
	else
		virtio_pci_reset(net);
}

static int net_hold(void *opaque)
{
	struct net *net = opaque;

	return has_kernel(net) ? vhost_hold(net) : 0;
}

static int net_release(void *opaque)
{
	struct net *net = opaque;

	if (!has_kernel(net))
		return 0;
	virtio_lock(device_of(net));
	choose_local(net);
	virtio_unlock(device_of(net));
	return vhost_release(net);
}

static int net_keep(void *opaque, const struct device_value *values,
		    struct device_error *error)
{
	const struct net *net = opaque;

	(void)values;
	return has_kernel(net) ? vhost_keep(error, "start it with vhost=off") :
				 0;
}

/* An address that the driver has set is the driver's; the card's own follows a reset. */
static int net_renew(void *opaque, const struct device_value *values)
{
	struct net *net = opaque;
	const bool own =
		!memcmp(net->config.mac, net->address, sizeof(net->address));
	int err;

	if (values[NET_MAC].given)
		return 0;
	err = make_up_mac(net->address);
	if (!err && own)
		memcpy(net->config.mac, net->address, sizeof(net->address));
	return err;
}

static const char *net_stays(const void *opaque,
			     const struct device_value *values)
{
	const struct net *net = opaque;

	(void)values;
	return has_kernel(net) ?
		       "the host's vhost writes to the guest's memory, and is not "
		       "asked which pages; start it with vhost=off" :
		       NULL;
}

static bool net_is_sound(const void *opaque)
{
	const struct net *net = opaque;
	const struct virtio_device *device = &net->vhost.pci.device;
	const bool several = virtio_has(device, VIRTIO_NET_F_MQ);

	return net->active >= 1 &&
	       net->active <= (several ? net->nr_pairs : 1) &&
	       !((net->config.mac[0] | net->address[0]) & MAC_GROUP) &&
	       virtio_pci_is_sound(net);
}

static const struct record_field net_fields[] = {
	VIRTIO_PCI_FIELDS(struct vhost),
	RECORD_ANY(VIRTIO_OWN_TAG, struct net, config.mac),
	RECORD_ANY(VIRTIO_OWN_TAG + 1, struct net, address),
	RECORD_ANY(VIRTIO_OWN_TAG + 2, struct net, active),
};

const struct device_kind virtio_net_device = {
	.name = "virtio-net",
	.about = "a network card; --net TYPE adds it",
	.many = true,
	.options = options,
	.make = net_make,
	.free = net_free,
	.reset = net_reset,
	.hold = net_hold,
	.release = net_release,
	.boot = net_boot,
	DEVICE_STATE(struct net, net_fields),
	.is_sound = net_is_sound,
	.loaded = virtio_pci_loaded,
	.renew = net_renew,
	.stays = net_stays,
	.keep = net_keep,
};
