// SPDX-License-Identifier: GPL-2.0
/*
 * A memory balloon.
 *
 * A page that the guest gives up is dropped, and is there again, empty, when the guest
 * touches it: nothing is to be done when it takes pages back.
 */
#include "virtio/balloon.h"

#include <errno.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <string.h>

#include "virtio/pci.h"

/* Memory controller, other. */
#define PCI_CLASS_BALLOON 0x058000

#define PAGE (1ULL << VIRTIO_BALLOON_PFN_SHIFT)

/*
 * Section 5.5.2 counts queues that a device does not have; Linux does not.  There is no
 * queue of hints, so both of the last two may be that of reports.
 */
enum { INFLATE, DEFLATE, STATS, REPORTS_LINUX, REPORTS, QUEUES };

#define QUEUE_SIZE 128
/* A request has no more pages, or statistics: what is beyond is not looked at. */
#define MAX_PAGES 4096
#define MAX_STATS 64
/* Calls of the host at a turn, each for some pages: it ends with the chain of the last. */
#define TURN 1024

enum { OPTION_TAKE };

/**
 * struct balloon - the device
 * @pci: its transport
 * @config: what the driver reads, and where it writes how much it has given up
 * @asked: statistics are to be told anew
 * @taken: see struct virtio_balloon_state
 * @stats: see struct virtio_balloon_state
 */
struct balloon {
	struct virtio_pci pci;
	struct virtio_balloon_config config;
	uint32_t asked;
	uint64_t taken;
	uint64_t stats[VIRTIO_BALLOON_S_NR];
};

static void give_up(struct balloon *balloon, uint64_t pfn, uint64_t count)
{
	const uint64_t size = count * PAGE;
	void *pages = ram_at(balloon->pci.device.ram, pfn * PAGE, size);

	/* What is not memory, a driver must not name: it is passed over. */
	if (pages)
		balloon->taken +=
			ram_discard(balloon->pci.device.ram, pages, size);
}

/*
 * Numbers of pages, neighbours of which are given back together.  Return: how many calls
 * of the host it took.
 */
static unsigned int inflate(struct balloon *balloon, struct virtio_chain *chain)
{
	uint32_t pfns[MAX_PAGES];
	unsigned int calls = 0;
	const size_t count =
		virtio_chain_read(chain, pfns, sizeof(pfns)) / sizeof(pfns[0]);
	size_t first = 0;

	for (size_t i = 1; i <= count; i++) {
		if (i < count && pfns[i] == pfns[i - 1] + 1 && pfns[i])
			continue;
		give_up(balloon, pfns[first], i - first);
		first = i;
		calls++;
	}
	return calls;
}

/* Free memory, as buffers that the device may write.  Return: as inflate(). */
static unsigned int take_report(struct balloon *balloon,
				struct virtio_chain *chain)
{
	const struct iovec *in = virtio_chain_in(chain);

	for (unsigned int i = 0; i < chain->nr_in; i++)
		balloon->taken += ram_discard(balloon->pci.device.ram,
					      in[i].iov_base, in[i].iov_len);
	return chain->nr_in;
}

static void read_stats(struct balloon *balloon, struct virtio_chain *chain)
{
	struct virtio_balloon_stat stat;

	for (unsigned int i = 0; i < MAX_STATS; i++) {
		if (virtio_chain_read(chain, &stat, sizeof(stat)) <
		    sizeof(stat))
			break;
		if (stat.tag < VIRTIO_BALLOON_S_NR)
			balloon->stats[stat.tag] = stat.val;
	}
}

/*
 * The driver's only buffer is left in the queue after it was read.  To return it asks for
 * new statistics; the queue is then looked at again, or the driver would not kick for them.
 */
static void kick_stats(struct balloon *balloon)
{
	struct virtio_device *device = &balloon->pci.device;
	struct virtio_chain chain;

	while (virtio_pop(device, STATS, &chain)) {
		read_stats(balloon, &chain);
		if (!balloon->asked) {
			virtio_unpop(device, STATS);
			return;
		}
		balloon->asked = 0;
		virtio_push(device, STATS, chain.head, 0);
		virtio_notify(device, STATS);
	}
}

/* Return: how much of a turn the chain took. */
static unsigned int take_chain(struct balloon *balloon, unsigned int queue,
			       struct virtio_chain *chain)
{
	if (queue == DEFLATE)
		return 1;
	return 1 + (queue == INFLATE ? inflate(balloon, chain) :
				       take_report(balloon, chain));
}

static void kick(struct virtio_device *device, unsigned int queue)
{
	struct balloon *balloon = device->opaque;
	struct virtio_chain chain;
	unsigned int used = 0;

	if (queue == STATS) {
		kick_stats(balloon);
		return;
	}
	while (used < TURN && virtio_pop(device, queue, &chain)) {
		used += take_chain(balloon, queue, &chain);
		virtio_push(device, queue, chain.head, 0);
	}
	virtio_notify(device, queue);
	if (used >= TURN)
		virtio_wake(device, queue);
}

/* The driver says how many pages it has given up. */
static void write_config(struct virtio_device *device, size_t offset,
			 const void *data, size_t size)
{
	struct balloon *balloon = device->opaque;

	if (offset == offsetof(struct virtio_balloon_config, actual) &&
	    size == sizeof(balloon->config.actual))
		memcpy(&balloon->config.actual, data, size);
}

static void forget_stats(struct balloon *balloon)
{
	for (unsigned int i = 0; i < VIRTIO_BALLOON_S_NR; i++)
		balloon->stats[i] = UINT64_MAX;
	balloon->asked = 0;
}

static void stop(struct virtio_device *device)
{
	struct balloon *balloon = device->opaque;

	balloon->config.actual = 0;
	forget_stats(balloon);
}

static const struct virtio_kind kind = {
	.name = "virtio-balloon",
	.id = VIRTIO_ID_BALLOON,
	.class = PCI_CLASS_BALLOON,
	.write_config = write_config,
	.stop = stop,
	.kick = kick,
};

void virtio_balloon_want(void *opaque, uint64_t size)
{
	struct balloon *balloon = opaque;
	const uint64_t pages = size / PAGE;

	virtio_lock(&balloon->pci.device);
	balloon->config.num_pages = pages < UINT32_MAX ? pages : UINT32_MAX;
	virtio_config_changed(&balloon->pci.device);
	virtio_unlock(&balloon->pci.device);
}

struct virtio_balloon_state virtio_balloon_get(void *opaque)
{
	struct balloon *balloon = opaque;
	struct virtio_balloon_state state;

	virtio_lock(&balloon->pci.device);
	state = (struct virtio_balloon_state){
		.wanted = balloon->config.num_pages * PAGE,
		.actual = balloon->config.actual * PAGE,
		.taken = balloon->taken,
	};
	memcpy(state.stats, balloon->stats, sizeof(state.stats));
	balloon->asked = 1;
	virtio_unlock(&balloon->pci.device);
	virtio_wake(&balloon->pci.device, STATS);
	return state;
}

static void balloon_free(void *opaque)
{
	struct balloon *balloon = opaque;

	virtio_pci_fini(&balloon->pci);
	free(balloon);
}

static void *balloon_make(const struct board *board,
			  const struct device_value *values,
			  struct device_error *error)
{
	struct balloon *balloon = calloc(1, sizeof(*balloon));
	struct virtio_device *device;
	int err;

	(void)error;
	if (!balloon)
		return NULL;
	balloon->config.num_pages = values[OPTION_TAKE].number / PAGE;
	forget_stats(balloon);
	device = &balloon->pci.device;
	device->kind = &kind;
	device->nr_queues = QUEUES;
	device->queue_size = QUEUE_SIZE;
	device->offered = VIRTIO_FEATURE(VIRTIO_BALLOON_F_STATS_VQ) |
			  VIRTIO_FEATURE(VIRTIO_BALLOON_F_DEFLATE_ON_OOM) |
			  VIRTIO_FEATURE(VIRTIO_BALLOON_F_REPORTING);
	device->config = &balloon->config;
	device->config_size = sizeof(balloon->config);
	device->opaque = balloon;
	err = virtio_pci_init(&balloon->pci, board);
	if (err) {
		balloon_free(balloon);
		errno = -err;
		return NULL;
	}
	return balloon;
}

static const struct device_option options[] = {
	[OPTION_TAKE] = { .name = "take",
			  .about = "memory that the guest is to give up",
			  .type = DEVICE_SIZE,
			  .max = UINT32_MAX * PAGE },
	{},
};

static const struct record_field balloon_fields[] = {
	VIRTIO_PCI_FIELDS(struct balloon),
	RECORD_ANY(VIRTIO_OWN_TAG, struct balloon, config.num_pages),
	RECORD_ANY(VIRTIO_OWN_TAG + 1, struct balloon, config.actual),
	RECORD_BOOL(VIRTIO_OWN_TAG + 2, struct balloon, asked),
	RECORD_ANY(VIRTIO_OWN_TAG + 3, struct balloon, taken),
	RECORD_ANY(VIRTIO_OWN_TAG + 4, struct balloon, stats),
};

const struct device_kind virtio_balloon_device = {
	.name = "virtio-balloon",
	.about = "a balloon, by which the guest gives memory back",
	.options = options,
	.make = balloon_make,
	.free = balloon_free,
	.reset = virtio_pci_reset,
	DEVICE_STATE(struct balloon, balloon_fields),
	.is_sound = virtio_pci_is_sound,
	.loaded = virtio_pci_loaded,
};
