// SPDX-License-Identifier: GPL-2.0
/*
 * An entropy device: the driver offers buffers, and gets them back with random bytes.
 */
#include "virtio/rng.h"

#include <errno.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <sys/random.h>

#include "virtio/pci.h"

/* "Other" of unclassified devices. */
#define PCI_CLASS_OTHERS 0x00ff00

#define REQUESTS 0
#define QUEUE_SIZE 8

/* A request gets no more; up to so many bytes getrandom() gives all that it is asked for. */
#define MAX_BYTES 256

struct rng {
	struct virtio_pci pci;
};

/* Return: how many bytes the driver has got. */
static size_t fill(struct virtio_chain *chain)
{
	uint8_t bytes[MAX_BYTES];
	const ssize_t count = getrandom(bytes, sizeof(bytes), 0);

	return count < 0 ? 0 : virtio_chain_write(chain, bytes, count);
}

static void kick(struct virtio_device *device, unsigned int queue)
{
	struct virtio_chain chain;
	unsigned int left = QUEUE_SIZE;

	while (left && virtio_pop(device, queue, &chain)) {
		virtio_push(device, queue, chain.head, fill(&chain));
		left--;
	}
	virtio_notify(device, queue);
	/* Others want their turn, too. */
	if (!left)
		virtio_wake(device, queue);
}

static const struct virtio_kind kind = {
	.name = "virtio-rng",
	.id = VIRTIO_ID_RNG,
	.class = PCI_CLASS_OTHERS,
	.kick = kick,
};

static void rng_free(void *opaque)
{
	struct rng *rng = opaque;

	virtio_pci_fini(&rng->pci);
	free(rng);
}

static void *rng_make(const struct board *board,
		      const struct device_value *values,
		      struct device_error *error)
{
	struct rng *rng = calloc(1, sizeof(*rng));
	int err;

	(void)values;
	(void)error;
	if (!rng)
		return NULL;
	rng->pci.device.kind = &kind;
	rng->pci.device.nr_queues = REQUESTS + 1;
	rng->pci.device.queue_size = QUEUE_SIZE;
	err = virtio_pci_init(&rng->pci, board);
	if (err) {
		rng_free(rng);
		errno = -err;
		return NULL;
	}
	return rng;
}

static const struct record_field rng_fields[] = { VIRTIO_PCI_FIELDS(
	struct rng) };

const struct device_kind virtio_rng_device = {
	.name = "virtio-rng",
	.about = "an entropy device: random numbers of the host's",
	.make = rng_make,
	.free = rng_free,
	.reset = virtio_pci_reset,
	DEVICE_STATE(struct rng, rng_fields),
	.is_sound = virtio_pci_is_sound,
	.loaded = virtio_pci_loaded,
};
