// SPDX-License-Identifier: GPL-2.0
/*
 * Devices whose back end has all of them.
 */
#include "virtio/remote.h"

#include <endian.h>
#include <errno.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_scsi.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "virtio/helper.h"

/* Mass storage, "other" and SCSI; "other" of unclassified devices. */
#define PCI_CLASS_STORAGE 0x018000
#define PCI_CLASS_SCSI 0x010000
#define PCI_CLASS_OTHERS 0x00ff00

#define BLK_CONFIG_SIZE \
	offsetof(struct virtio_blk_config, max_secure_erase_sectors)

#define BLK_FEATURES                               \
	(VIRTIO_FEATURE(VIRTIO_BLK_F_SIZE_MAX) |   \
	 VIRTIO_FEATURE(VIRTIO_BLK_F_SEG_MAX) |    \
	 VIRTIO_FEATURE(VIRTIO_BLK_F_GEOMETRY) |   \
	 VIRTIO_FEATURE(VIRTIO_BLK_F_RO) |         \
	 VIRTIO_FEATURE(VIRTIO_BLK_F_BLK_SIZE) |   \
	 VIRTIO_FEATURE(VIRTIO_BLK_F_FLUSH) |      \
	 VIRTIO_FEATURE(VIRTIO_BLK_F_TOPOLOGY) |   \
	 VIRTIO_FEATURE(VIRTIO_BLK_F_CONFIG_WCE) | \
	 VIRTIO_FEATURE(VIRTIO_BLK_F_MQ) |         \
	 VIRTIO_FEATURE(VIRTIO_BLK_F_DISCARD) |    \
	 VIRTIO_FEATURE(VIRTIO_BLK_F_WRITE_ZEROES))

/*
 * A disk's cache is all that a driver may write.  A back end need not bear to hear of
 * anything else: qemu-storage-daemon ends the connection.
 */
static void write_config(struct virtio_device *device, size_t offset,
			 const void *data, size_t size)
{
	struct remote *remote = device->opaque;

	if (remote->vhost.failed ||
	    !(device->state.features &
	      VIRTIO_FEATURE(VIRTIO_BLK_F_CONFIG_WCE)) ||
	    offset != offsetof(struct virtio_blk_config, wce) || size != 1)
		return;
	if (vhost_user_set_config(remote->user, offset, data, size) ||
	    vhost_user_get_config(remote->user, remote->config,
				  device->config_size))
		vhost_fail(&remote->vhost);
}

#define CALLS .start = vhost_start, .stop = vhost_stop, .kick = vhost_kick

const struct remote_type remote_disk = {
	.name = "blk",
	.kind = { .name = "virtio-blk",
		  .id = VIRTIO_ID_BLOCK,
		  .class = PCI_CLASS_STORAGE,
		  .write_config = write_config,
		  CALLS },
	.features = BLK_FEATURES,
	.config_size = BLK_CONFIG_SIZE,
	.queues_at = offsetof(struct virtio_blk_config, num_queues),
};

/* Sizes in requests and sectors of 512 bytes; the addresses are all that a LUN can have. */
#define SCSI_SEGMENTS 126
#define SCSI_SECTORS 0xffff
#define SCSI_COMMANDS 128
#define SCSI_LAST_TARGET 255
#define SCSI_LAST_UNIT 16383

/*
 * Back ends have no configuration for this type: programs that serve it leave that to
 * whoever makes the device.  What the driver may write of it has the values that every
 * driver knows, and keeps them.
 */
static void fill_scsi(void *config, unsigned int queues)
{
	*(struct virtio_scsi_config *)config = (struct virtio_scsi_config){
		.num_queues = htole32(queues),
		.seg_max = htole32(SCSI_SEGMENTS),
		.max_sectors = htole32(SCSI_SECTORS),
		.cmd_per_lun = htole32(SCSI_COMMANDS),
		.event_info_size = htole32(sizeof(struct virtio_scsi_event)),
		.sense_size = htole32(VIRTIO_SCSI_SENSE_SIZE),
		.cdb_size = htole32(VIRTIO_SCSI_CDB_SIZE),
		.max_target = htole16(SCSI_LAST_TARGET),
		.max_lun = htole32(SCSI_LAST_UNIT),
	};
}

static const struct remote_type remote_scsi = {
	.name = "scsi",
	.kind = { .name = "virtio-scsi",
		  .id = VIRTIO_ID_SCSI,
		  .class = PCI_CLASS_SCSI,
		  CALLS },
	.features = VIRTIO_FEATURE(VIRTIO_SCSI_F_INOUT) |
		    VIRTIO_FEATURE(VIRTIO_SCSI_F_HOTPLUG) |
		    VIRTIO_FEATURE(VIRTIO_SCSI_F_CHANGE),
	.config_size = sizeof(struct virtio_scsi_config),
	.extra_queues = 2,
	.fill_config = fill_scsi,
};

static const struct remote_type remote_rng = {
	.name = "rng",
	.kind = { .name = "virtio-rng",
		  .id = VIRTIO_ID_RNG,
		  .class = PCI_CLASS_OTHERS,
		  CALLS },
};

const struct remote_type *const remote_types[] = { &remote_disk, &remote_scsi,
						   &remote_rng, NULL };

bool remote_check_memory(const struct ram *ram, struct device_error *error)
{
	if (ram_fd(ram) >= 0)
		return true;
	device_fail(error, -EINVAL, "guest memory", "is not shared",
		    "use --memory-backing memfd");
	return false;
}

static int get_config(struct remote *remote, const struct remote_type *type,
		      unsigned int queues)
{
	const uint16_t count = queues;
	int err;

	if (type->fill_config)
		type->fill_config(remote->config, queues);
	if (type->fill_config || !type->config_size)
		return 0;
	if (!vhost_user_has_config(remote->user))
		return -EOPNOTSUPP;
	err = vhost_user_get_config(remote->user, remote->config,
				    type->config_size);
	if (!err && type->queues_at)
		memcpy(remote->config + type->queues_at, &count, sizeof(count));
	return err;
}

static int plug(struct remote *remote, const struct board *board,
		const struct remote_type *type, unsigned int queues)
{
	struct virtio_device *device = &remote->vhost.pci.device;
	const uint64_t features = VHOST_QUEUE_FEATURES | type->features;
	int err = vhost_user_attach(remote->user, &remote->vhost);

	if (err)
		return err;
	device->kind = &type->kind;
	device->opaque = remote;
	device->nr_queues = queues + type->extra_queues;
	device->queue_size = VIRTQUEUE_MAX_SIZE;
	device->config = remote->config;
	device->config_size = type->config_size;
	return vhost_init(&remote->vhost, board,
			  vhost_user_features(remote->user) & features);
}

/* Return: 0 or -errno, with @error if errno does not say it. */
static int open_back(struct remote *remote, const struct board *board,
		     const struct remote_type *type, int socket,
		     unsigned int queues, const char *what,
		     struct device_error *error)
{
	const unsigned int all = queues + type->extra_queues;
	int err = vhost_user_open(&remote->user, board->loop, socket);

	if (!err)
		err = get_config(remote, type, queues);
	if (err) {
		device_fail(error, err, what,
			    err == -ECONNRESET ? "has ended" :
			    err == -ETIMEDOUT  ? "does not answer" :
						 "is no back end of this type",
			    NULL);
		return err;
	}
	if (vhost_user_queues(remote->user) &&
	    vhost_user_queues(remote->user) < all) {
		device_fail(error, -EINVAL, what, "has not so many queues",
			    "ask for fewer by queues=N");
		return -EINVAL;
	}
	return plug(remote, board, type, queues);
}

struct remote *remote_new(const struct board *board,
			  const struct remote_type *type, int socket,
			  const struct child *daemon, unsigned int queues,
			  const char *what, struct device_error *error)
{
	struct remote *remote = calloc(1, sizeof(*remote));
	struct child child = {};
	int err;

	if (daemon)
		child = *daemon;
	if (!remote) {
		close(socket);
		helper_end(&child, false);
		errno = ENOMEM;
		return NULL;
	}
	remote->type = type;
	remote->daemon = child;
	err = open_back(remote, board, type, socket, queues, what, error);
	if (err) {
		remote_free(remote);
		errno = -err;
		return NULL;
	}
	return remote;
}

void remote_free(void *opaque)
{
	struct remote *remote = opaque;

	/* Without a back end it was not made. */
	if (remote->vhost.pci.device.kind)
		vhost_fini(&remote->vhost);
	vhost_user_close(remote->user);
	helper_end(&remote->daemon, false);
	free(remote);
}

static bool has_same_config(const struct remote *remote)
{
	const struct virtio_device *device = &remote->vhost.pci.device;
	const struct remote_type *type = remote->type;
	uint8_t config[VHOST_USER_MAX_CONFIG] = {};

	if (type->fill_config) {
		type->fill_config(config,
				  device->nr_queues - type->extra_queues);
		return !memcmp(config, remote->config, type->config_size);
	}
	return !type->config_size ||
	       (!vhost_user_get_config(remote->user, config,
				       type->config_size) &&
		!memcmp(config, remote->config, sizeof(uint64_t)));
}

/* A machine goes on with a back end that has the same configuration only. */
bool remote_is_sound(const void *opaque)
{
	return virtio_pci_is_sound(opaque) && has_same_config(opaque);
}
