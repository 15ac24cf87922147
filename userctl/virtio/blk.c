// SPDX-License-Identifier: GPL-2.0
/*
 * A block device: its options, its configuration and its life.  Its requests are handled
 * in blk_io.c.
 *
 * What the disk's file holds is not part of the device's state, but its size is: a machine
 * that was saved goes on with the same disk only.
 */
#include "virtio/blk.h"

#include <errno.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <string.h>

#include "disk/overlay.h"
#include "virtio/blk_io.h"
#include "virtio/pci.h"

/* Mass storage, "other". */
#define PCI_CLASS_STORAGE 0x018000

#define CONFIG_SIZE offsetof(struct virtio_blk_config, max_secure_erase_sectors)

struct blk {
	struct virtio_pci pci;
	struct blk_io io;
	struct virtio_blk_config config;
};

enum {
	OPTION_FILE,
	OPTION_RO,
	OPTION_DIRECT,
	OPTION_SNAPSHOT,
	OPTION_FORMAT,
	OPTION_SERIAL,
	OPTION_QUEUES,
	OPTION_AIO,
	OPTION_BOOTINDEX,
};

/* Words of OPTION_FORMAT. */
enum {
	FORMAT_AUTO,
	FORMAT_RAW,
	FORMAT_QCOW2,
};

static void kick(struct virtio_device *device, unsigned int queue)
{
	struct blk *blk = device->opaque;

	blk_io_kick(&blk->io, queue);
}

/* The driver can change the writeback mode only. */
static void write_config(struct virtio_device *device, size_t offset,
			 const void *data, size_t size)
{
	struct blk *blk = device->opaque;

	if (offset == offsetof(struct virtio_blk_config, wce) && size == 1 &&
	    virtio_has(device, VIRTIO_BLK_F_CONFIG_WCE))
		blk->config.wce = *(const uint8_t *)data != 0;
}

/* A driver begins with the writeback mode. */
static void stop(struct virtio_device *device)
{
	struct blk *blk = device->opaque;

	blk->config.wce = 1;
}

static const struct virtio_kind kind = {
	.name = "virtio-blk",
	.id = VIRTIO_ID_BLOCK,
	.class = PCI_CLASS_STORAGE,
	.write_config = write_config,
	.stop = stop,
	.kick = kick,
};

static uint64_t features_of(const struct disk_geometry *geometry)
{
	uint64_t features = VIRTIO_FEATURE(VIRTIO_BLK_F_SEG_MAX) |
			    VIRTIO_FEATURE(VIRTIO_BLK_F_BLK_SIZE) |
			    VIRTIO_FEATURE(VIRTIO_BLK_F_TOPOLOGY) |
			    VIRTIO_FEATURE(VIRTIO_BLK_F_FLUSH) |
			    VIRTIO_FEATURE(VIRTIO_BLK_F_CONFIG_WCE) |
			    VIRTIO_FEATURE(VIRTIO_BLK_F_MQ);

	if (geometry->read_only)
		return features | VIRTIO_FEATURE(VIRTIO_BLK_F_RO);
	features |= VIRTIO_FEATURE(VIRTIO_BLK_F_WRITE_ZEROES);
	if (geometry->can_discard)
		features |= VIRTIO_FEATURE(VIRTIO_BLK_F_DISCARD);
	return features;
}

static struct virtio_blk_config config_of(const struct disk_geometry *geometry,
					  unsigned int queues)
{
	uint32_t block = geometry->block_size;
	uint32_t physical = geometry->physical_block_size / block;

	return (struct virtio_blk_config){
		.capacity = geometry->size / DISK_SECTOR,
		.seg_max = BLK_MAX_SEGMENTS,
		.blk_size = block,
		.physical_block_exp = (uint8_t)__builtin_ctz(physical),
		.min_io_size = (uint16_t)physical,
		.opt_io_size = geometry->optimal_size / block,
		.wce = 1,
		.num_queues = (uint16_t)queues,
		.max_discard_sectors = BLK_MAX_RANGE_SECTORS,
		.max_discard_seg = BLK_MAX_RANGES,
		.discard_sector_alignment =
			geometry->discard_alignment / DISK_SECTOR,
		.max_write_zeroes_sectors = BLK_MAX_RANGE_SECTORS,
		.max_write_zeroes_seg = 1,
		.write_zeroes_may_unmap = 1,
	};
}

/* The driver is gone: what is in flight ends, and tells it nothing. */
static void drop(struct blk *blk)
{
	struct virtio_device *device = &blk->pci.device;

	virtio_lock(device);
	device->resetting = true;
	virtio_unlock(device);
	blk_io_hold(&blk->io);
}

static void blk_free(void *opaque)
{
	struct blk *blk = opaque;

	drop(blk);
	virtio_pci_fini(&blk->pci);
	blk_io_fini(&blk->io);
	disk_close(blk->io.disk);
	free(blk);
}

/* Cuts a message of the disk's into reason and remedy. */
static void *fail_open(struct device_error *error, const char *path, char *why)
{
	int err = -errno;
	char *remedy = strstr(why, "; ");

	if (remedy)
		*remedy = '\0';
	return device_fail(error, err, path, why,
			   remedy ? remedy + strlen("; ") : NULL);
}

/* Return: the disk, or NULL as from device_fail(). */
static struct disk *open_disk(struct loop *loop,
			      const struct device_value *values,
			      struct device_error *error)
{
	const char *path = values[OPTION_FILE].text;
	const struct disk_options options = {
		.path = path,
		.read_only = values[OPTION_RO].number,
		.direct = values[OPTION_DIRECT].number,
		.snapshot = values[OPTION_SNAPSHOT].number,
		.raw = values[OPTION_FORMAT].number == FORMAT_RAW,
		.engine = (enum disk_engine)values[OPTION_AIO].number,
	};
	char why[2 * DEVICE_TEXT_SIZE];
	struct disk *disk;

	if (values[OPTION_FORMAT].number == FORMAT_QCOW2)
		return device_fail(error, -EOPNOTSUPP, path,
				   "is another device's",
				   "use --disk FILE,format=qcow2, or "
				   "--device virtio-qcow2,file=FILE");
	disk = disk_open(loop, &options, why, sizeof(why));
	return disk ? disk : fail_open(error, path, why);
}

/* Return: true; false, as from device_fail(). */
static bool set_serial(struct blk_io *io, const struct device_value *value,
		       struct device_error *error)
{
	size_t length = value->text ? strlen(value->text) : 0;

	if (length > sizeof(io->serial)) {
		device_fail(error, -EINVAL, value->text,
			    "the serial number is too long",
			    "it can have 20 bytes");
		return false;
	}
	if (length)
		memcpy(io->serial, value->text, length);
	return true;
}

/* Return: 0 or -errno. */
static int plug(struct blk *blk, const struct board *board, unsigned int queues)
{
	const struct disk_geometry *geometry = disk_geometry(blk->io.disk);
	struct virtio_device *device = &blk->pci.device;

	blk->config = config_of(geometry, queues);
	device->kind = &kind;
	device->offered = features_of(geometry);
	device->nr_queues = queues;
	device->queue_size = VIRTQUEUE_MAX_SIZE;
	device->config = &blk->config;
	device->config_size = CONFIG_SIZE;
	device->opaque = blk;
	blk->io.device = device;
	blk->io.wce = &blk->config.wce;
	blk->io.held = true;
	return virtio_pci_init(&blk->pci, board);
}

static void *blk_make(const struct board *board,
		      const struct device_value *values,
		      struct device_error *error)
{
	struct blk *blk = calloc(1, sizeof(*blk));
	int err;

	if (!blk)
		return NULL;
	if (set_serial(&blk->io, &values[OPTION_SERIAL], error))
		blk->io.disk = open_disk(board->loop, values, error);
	if (!blk->io.disk) {
		err = errno;
		free(blk);
		errno = err;
		return NULL;
	}
	err = plug(blk, board, (unsigned int)values[OPTION_QUEUES].number);
	if (err) {
		blk_free(blk);
		errno = -err;
		return NULL;
	}
	return blk;
}

static int blk_hold(void *opaque)
{
	struct blk *blk = opaque;

	blk_io_hold(&blk->io);
	return 0;
}

static int blk_release(void *opaque)
{
	struct blk *blk = opaque;

	blk_io_release(&blk->io);
	return 0;
}

static void blk_boot(const void *opaque, const struct device_value *values,
		     struct device_boot *boot)
{
	const struct blk *blk = opaque;

	virtio_pci_boot(&blk->pci, BOOT_DISK, &values[OPTION_BOOTINDEX], "scsi",
			"/disk@0,0", boot);
}

static void blk_reset(void *opaque)
{
	struct blk *blk = opaque;
	const bool held = blk->io.held;

	drop(blk);
	virtio_pci_reset(blk);
	blk->io.waiting = 0;
	blk->io.held = held;
}

static const struct record_field blk_fields[] = {
	VIRTIO_PCI_FIELDS(struct blk),
	RECORD_BOOL(VIRTIO_OWN_TAG, struct blk, config.wce),
	RECORD_ANY(VIRTIO_OWN_TAG + 1, struct blk, config.capacity),
	RECORD_ANY(VIRTIO_OWN_TAG + 2, struct blk, config.blk_size),
};

static int blk_keep(void *opaque, const struct device_value *values,
		    struct device_error *error)
{
	const struct blk *blk = opaque;
	struct overlay *overlay = disk_overlay(blk->io.disk);

	if (overlay)
		return overlay_keep(overlay);
	if (values[OPTION_RO].number)
		return 0;
	device_fail(error, -EOPNOTSUPP, values[OPTION_FILE].text,
		    "what the guest writes to it cannot be put back",
		    "start it with snapshot, or with ro");
	return -EOPNOTSUPP;
}

static void blk_put_back(void *opaque)
{
	const struct blk *blk = opaque;
	struct overlay *overlay = disk_overlay(blk->io.disk);

	if (overlay)
		overlay_put_back(overlay);
}

static void blk_forget(void *opaque)
{
	const struct blk *blk = opaque;
	struct overlay *overlay = disk_overlay(blk->io.disk);

	if (overlay)
		overlay_forget(overlay);
}

static bool blk_is_sound(const void *opaque)
{
	const struct blk *blk = opaque;
	const struct disk_geometry *geometry = disk_geometry(blk->io.disk);

	return blk->config.capacity == geometry->size / DISK_SECTOR &&
	       blk->config.blk_size == geometry->block_size &&
	       virtio_pci_is_sound(blk);
}

static const char *const formats[] = { "auto", "raw", "qcow2", NULL };

/* In the order of enum disk_engine. */
static const char *const engines[] = { "auto", "io_uring", "threads", NULL };

static const struct device_option blk_options[] = {
	[OPTION_FILE] = { .name = "file",
			  .about = "an image or a block device",
			  .type = DEVICE_TEXT,
			  .required = true,
			  .host = true,
			  .is_path = true,
			  .word = "FILE" },
	[OPTION_RO] = { .name = "ro",
			.about = "the guest cannot write it",
			.type = DEVICE_BOOL },
	[OPTION_DIRECT] = { .name = "direct",
			    .about = "go round the host's page cache",
			    .type = DEVICE_BOOL,
			    .host = true },
	[OPTION_SNAPSHOT] = { .name = "snapshot",
			      .about = "leave the file as it is, and forget in "
				       "the end what the guest writes",
			      .type = DEVICE_BOOL,
			      .host = true },
	[OPTION_FORMAT] = { .name = "format",
			    .about = "what the file is; auto takes it for raw "
				     "unless it is seen to be qcow2, which is "
				     "refused",
			    .type = DEVICE_CHOICE,
			    .host = true,
			    .choices = formats },
	[OPTION_SERIAL] = { .name = "serial",
			    .about = "serial number for the guest, up to 20 "
				     "bytes",
			    .type = DEVICE_TEXT },
	[OPTION_QUEUES] = { .name = "queues",
			    .about = "number of queues",
			    .type = DEVICE_NUMBER,
			    .value = 1,
			    .min = 1,
			    .max = VIRTIO_MAX_QUEUES },
	[OPTION_AIO] = { .name = "aio",
			 .about = "how the host is asked",
			 .type = DEVICE_CHOICE,
			 .host = true,
			 .choices = engines },
	[OPTION_BOOTINDEX] = DEVICE_BOOTINDEX,
	{ .name = NULL },
};

static struct overlay *blk_overlay(const void *opaque)
{
	const struct blk *blk = opaque;

	return disk_overlay(blk->io.disk);
}

static const char *blk_stays(const void *opaque,
			     const struct device_value *values)
{
	(void)opaque;
	return !values[OPTION_RO].number ?
		       "what the guest writes to it is written on one host "
		       "only; start it with ro, or move the machine by lodge "
		       "save --stop and lodge restore" :
		       NULL;
}

static int blk_settle(const void *opaque)
{
	const struct blk *blk = opaque;

	return disk_settle(blk->io.disk);
}

static int blk_lend(const void *opaque, bool lend)
{
	const struct blk *blk = opaque;

	return disk_lend(blk->io.disk, lend);
}

const struct device_kind virtio_blk_device = {
	.name = "virtio-blk",
	.about = "a disk; --disk FILE adds it",
	.many = true,
	.options = blk_options,
	.make = blk_make,
	.free = blk_free,
	.reset = blk_reset,
	.hold = blk_hold,
	.release = blk_release,
	.boot = blk_boot,
	DEVICE_STATE(struct blk, blk_fields),
	.is_sound = blk_is_sound,
	.overlay = blk_overlay,
	.settle = blk_settle,
	.lend = blk_lend,
	.stays = blk_stays,
	.loaded = virtio_pci_loaded,
	.keep = blk_keep,
	.put_back = blk_put_back,
	.forget = blk_forget,
};
