// SPDX-License-Identifier: GPL-2.0
/*
 * The generation ID of a virtual machine.
 *
 * The ID is no part of the device's state: to have a new one is what another machine is
 * for that goes on from the same state.
 */
#include "dev/vmgenid.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/*
 * @lock guards @id.  @event: raises the board's general-purpose events, with @opaque.
 */
struct vmgenid {
	pthread_mutex_t lock;
	void (*event)(void *opaque, unsigned int number);
	void *opaque;
	uint8_t id[VMGENID_SIZE];
};

/* Return: 0 or -errno. */
static int make_id(uint8_t id[static VMGENID_SIZE])
{
	ssize_t size = getrandom(id, VMGENID_SIZE, 0);

	return size < 0 ? -errno : size == VMGENID_SIZE ? 0 : -EIO;
}

static void id_read(void *opaque, uint64_t offset, void *data, size_t size)
{
	struct vmgenid *vmgenid = opaque;

	pthread_mutex_lock(&vmgenid->lock);
	memcpy(data, vmgenid->id + offset, size);
	pthread_mutex_unlock(&vmgenid->lock);
}

static void vmgenid_free(void *opaque)
{
	struct vmgenid *vmgenid = opaque;

	pthread_mutex_destroy(&vmgenid->lock);
	free(vmgenid);
}

static void *vmgenid_make(const struct board *board,
			  const struct device_value *values,
			  struct device_error *error)
{
	struct vmgenid *vmgenid = calloc(1, sizeof(*vmgenid));
	const struct bus_region region = {
		.name = "vmgenid",
		.space = BUS_MMIO,
		.base = VMGENID_BASE,
		.size = VMGENID_SIZE,
		.read = id_read,
		.opaque = vmgenid,
	};
	int err;

	(void)values;
	(void)error;
	if (!vmgenid)
		return NULL;
	pthread_mutex_init(&vmgenid->lock, NULL);
	vmgenid->event = board->general_event;
	vmgenid->opaque = board->opaque;
	err = make_id(vmgenid->id);
	if (!err)
		err = bus_add(board->bus, &region);
	if (!err)
		return vmgenid;
	vmgenid_free(vmgenid);
	errno = -err;
	return NULL;
}

/* Without randomness the ID is another one at least. */
static void vmgenid_moved(void *opaque)
{
	struct vmgenid *vmgenid = opaque;

	pthread_mutex_lock(&vmgenid->lock);
	if (make_id(vmgenid->id))
		vmgenid->id[0]++;
	pthread_mutex_unlock(&vmgenid->lock);
	vmgenid->event(vmgenid->opaque, VMGENID_EVENT);
}

const struct device_kind vmgenid_device = {
	.name = "vmgenid",
	.about = "the machine's generation ID",
	.make = vmgenid_make,
	.free = vmgenid_free,
	.moved = vmgenid_moved,
};
