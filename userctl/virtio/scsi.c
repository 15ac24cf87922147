// SPDX-License-Identifier: GPL-2.0
/*
 * A SCSI host adapter whose only target is a CD drive, with the file of an image in it.
 *
 * A request is copied before it is looked at, since the driver may change its memory at any
 * time.  What the disc holds is not part of the device's state, but its size is.
 */
#include "virtio/scsi.h"

#include <errno.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_scsi.h>
#include <stdlib.h>
#include <string.h>

#include "disk/disk.h"
#include "virtio/cdrom.h"
#include "virtio/pci.h"

#define PCI_CLASS_SCSI 0x010000

enum {
	QUEUE_CONTROL,
	QUEUE_EVENT,
	QUEUE_REQUEST,
	QUEUES,
};

#define QUEUE_SIZE 128
/* The most reads that the file has at once; others wait in their queue. */
#define MAX_IN_FLIGHT 64
#define MAX_SECTORS 0xffff
#define COMMANDS_PER_UNIT 32
/* The first byte of the address of a unit (section 5.6.6.1), and bits of its number. */
#define LUN_SINGLE 1
#define LUN_NUMBER 0x3fff

#define RESPONSE_SIZE sizeof(struct virtio_scsi_cmd_resp)

_Static_assert(VIRTIO_SCSI_CDB_SIZE == CDROM_CDB_SIZE, "a request's block");
_Static_assert(VIRTIO_SCSI_SENSE_SIZE >= CDROM_SENSE_SIZE, "has room for it");

/**
 * struct request - a command that reads the disc
 * @disk: what the file is asked for
 * @scsi: whose it is
 * @answer: what the driver gets if that succeeds
 * @iov: where the blocks go
 * @chain: the driver's buffers
 */
struct request {
	struct disk_request disk;
	struct scsi *scsi;
	struct cdrom_answer answer;
	struct iovec iov[VIRTQUEUE_MAX_SIZE];
	struct virtio_chain chain;
};

/**
 * struct scsi - an adapter
 * @pci: the device, whose lock guards the members from @held on
 * @config: what the driver reads
 * @file: the disc's image
 * @blocks: size of the disc in blocks; part of the state
 * @held: no request is begun
 * @in_flight: reads that the file has
 * @control: the driver waits for an answer that comes when nothing is in flight
 * @waiting: there may be requests that were put off
 */
struct scsi {
	struct virtio_pci pci;
	struct virtio_scsi_config config;
	struct disk *file;
	uint32_t blocks;
	bool held;
	unsigned int in_flight;
	bool control;
	bool waiting;
};

static void respond(struct scsi *scsi, struct virtio_chain *chain,
		    const struct virtio_scsi_cmd_resp *response, uint64_t size)
{
	struct virtio_device *device = &scsi->pci.device;

	virtio_chain_write_at(chain, 0, response, RESPONSE_SIZE);
	virtio_push(device, QUEUE_REQUEST, chain->head,
		    (uint32_t)(RESPONSE_SIZE + size));
	virtio_notify(device, QUEUE_REQUEST);
}

/* Returns a request for which the target has an answer; data precede this call. */
static void respond_answer(struct scsi *scsi, struct virtio_chain *chain,
			   const struct cdrom_answer *answer)
{
	struct virtio_scsi_cmd_resp response = {
		.status = answer->status,
		.response = VIRTIO_SCSI_S_OK,
		.resid = (uint32_t)(chain->in_size - RESPONSE_SIZE -
				    answer->size),
	};

	if (answer->status) {
		memcpy(response.sense, answer->sense, sizeof(answer->sense));
		response.sense_len = sizeof(answer->sense);
	}
	respond(scsi, chain, &response, answer->size);
}

/* Returns a request that has not come to a target. */
static void respond_failure(struct scsi *scsi, struct virtio_chain *chain,
			    uint8_t failure)
{
	const struct virtio_scsi_cmd_resp response = {
		.response = failure,
		.resid = (uint32_t)(chain->in_size - RESPONSE_SIZE),
	};

	respond(scsi, chain, &response, 0);
}

/* Looks again at what had to wait. */
static void go_on(struct scsi *scsi)
{
	if (scsi->held)
		return;
	if (scsi->control && !scsi->in_flight) {
		scsi->control = false;
		virtio_wake(&scsi->pci.device, QUEUE_CONTROL);
	}
	if (scsi->waiting && !scsi->control &&
	    scsi->in_flight < MAX_IN_FLIGHT) {
		scsi->waiting = false;
		virtio_wake(&scsi->pci.device, QUEUE_REQUEST);
	}
}

static void done(struct disk_request *disk_request, int error)
{
	struct request *request = (struct request *)disk_request;
	struct scsi *scsi = request->scsi;

	virtio_lock(&scsi->pci.device);
	scsi->in_flight--;
	if (error)
		cdrom_unread(&request->answer);
	respond_answer(scsi, &request->chain, &request->answer);
	go_on(scsi);
	virtio_unlock(&scsi->pci.device);
	free(request);
}

/* Return: 0: in flight; or -errno. */
static int begin_read(struct scsi *scsi, const struct virtio_chain *chain,
		      const struct cdrom_answer *answer)
{
	struct request *request = malloc(sizeof(*request));
	int err;

	if (!request)
		return -ENOMEM;
	request->scsi = scsi;
	request->answer = *answer;
	request->chain = *chain;
	request->disk = (struct disk_request){
		.op = DISK_READ,
		.offset = (uint64_t)answer->first * CDROM_BLOCK,
		.size = answer->size,
		.iov = request->iov,
		.nr_iov = virtio_iov_slice(virtio_chain_in(&request->chain),
					   chain->nr_in, RESPONSE_SIZE,
					   answer->size, request->iov),
		.done = done,
	};
	err = disk_submit(scsi->file, &request->disk);
	if (err)
		free(request);
	else
		scsi->in_flight++;
	return err;
}

static void carry_out(struct scsi *scsi, struct virtio_chain *chain,
		      const struct virtio_scsi_cmd_req *request)
{
	const uint32_t unit = (request->lun[2] << 8 | request->lun[3]) &
			      LUN_NUMBER;
	struct cdrom_answer answer;

	if (unit)
		cdrom_absent(&answer);
	else
		cdrom_command(request->cdb, scsi->blocks, &answer);
	if (answer.size > chain->in_size - RESPONSE_SIZE) {
		respond_failure(scsi, chain, VIRTIO_SCSI_S_OVERRUN);
		return;
	}
	if (answer.blocks) {
		if (!begin_read(scsi, chain, &answer))
			return;
		cdrom_unread(&answer);
	}
	virtio_chain_write_at(chain, RESPONSE_SIZE, answer.reply, answer.size);
	respond_answer(scsi, chain, &answer);
}

static void handle(struct scsi *scsi, struct virtio_chain *chain)
{
	struct virtio_device *device = &scsi->pci.device;
	struct virtio_scsi_cmd_req request;

	if (virtio_chain_read(chain, &request, sizeof(request)) !=
		    sizeof(request) ||
	    chain->in_size < RESPONSE_SIZE) {
		virtio_needs_reset(device);
		virtio_push(device, QUEUE_REQUEST, chain->head, 0);
		return;
	}
	if (request.lun[0] != LUN_SINGLE || request.lun[1])
		respond_failure(scsi, chain, VIRTIO_SCSI_S_BAD_TARGET);
	else
		carry_out(scsi, chain, &request);
}

static void kick_requests(struct scsi *scsi)
{
	struct virtio_device *device = &scsi->pci.device;
	struct virtio_chain chain;
	unsigned int left = QUEUE_SIZE;

	while (left && !scsi->held && !scsi->control &&
	       scsi->in_flight < MAX_IN_FLIGHT &&
	       virtio_pop(device, QUEUE_REQUEST, &chain)) {
		handle(scsi, &chain);
		left--;
	}
	disk_commit(scsi->file);
	if (scsi->held || scsi->control || scsi->in_flight >= MAX_IN_FLIGHT)
		scsi->waiting = true;
	else if (!left)
		/* Others want their turn, too. */
		virtio_wake(device, QUEUE_REQUEST);
}

/* Answers a request of the control queue; no command is in progress. */
static void control(struct scsi *scsi, struct virtio_chain *chain)
{
	const struct virtio_scsi_ctrl_an_resp events = {};
	struct virtio_device *device = &scsi->pci.device;
	struct virtio_scsi_ctrl_tmf_req request = {};
	/* What was to be ended, or asked for, has ended. */
	struct virtio_scsi_ctrl_tmf_resp response = { VIRTIO_SCSI_S_OK };
	size_t size = virtio_chain_read(chain, &request, sizeof(request));

	if (size < sizeof(request.type)) {
		virtio_needs_reset(device);
	} else if (request.type == VIRTIO_SCSI_T_TMF) {
		if (size < sizeof(request))
			response.response = VIRTIO_SCSI_S_FUNCTION_REJECTED;
		else if (request.lun[0] != LUN_SINGLE || request.lun[1])
			response.response = VIRTIO_SCSI_S_BAD_TARGET;
		virtio_chain_write(chain, &response, sizeof(response));
	} else {
		virtio_chain_write(chain, &events, sizeof(events));
	}
	virtio_push(device, QUEUE_CONTROL, chain->head, (uint32_t)chain->in_at);
}

/*
 * All of these requests are about commands that the driver has sent before: they are
 * answered when those are.
 */
static void kick_control(struct scsi *scsi)
{
	struct virtio_device *device = &scsi->pci.device;
	struct virtio_chain chain;
	unsigned int left = QUEUE_SIZE;

	if (scsi->held || scsi->in_flight) {
		scsi->control = true;
		return;
	}
	while (left && virtio_pop(device, QUEUE_CONTROL, &chain)) {
		control(scsi, &chain);
		left--;
	}
	virtio_notify(device, QUEUE_CONTROL);
	if (!left)
		virtio_wake(device, QUEUE_CONTROL);
}

/* The queue of events is left alone: nothing ever happens. */
static void kick(struct virtio_device *device, unsigned int queue)
{
	struct scsi *scsi = device->opaque;

	if (queue == QUEUE_CONTROL)
		kick_control(scsi);
	else if (queue == QUEUE_REQUEST)
		kick_requests(scsi);
}

static const struct virtio_kind kind = {
	.name = "virtio-scsi",
	.id = VIRTIO_ID_SCSI,
	.class = PCI_CLASS_SCSI,
	.kick = kick,
};

static void drain(struct scsi *scsi)
{
	virtio_lock(&scsi->pci.device);
	scsi->held = true;
	virtio_unlock(&scsi->pci.device);
	disk_drain(scsi->file);
}

/* The driver is gone: what is in flight ends, and tells it nothing. */
static void drop(struct scsi *scsi)
{
	struct virtio_device *device = &scsi->pci.device;

	virtio_lock(device);
	device->resetting = true;
	virtio_unlock(device);
	drain(scsi);
}

static void scsi_free(void *opaque)
{
	struct scsi *scsi = opaque;

	drop(scsi);
	virtio_pci_fini(&scsi->pci);
	disk_close(scsi->file);
	free(scsi);
}

enum {
	OPTION_FILE,
	OPTION_BOOTINDEX,
};

/* Return: 0 or -errno. */
static int insert(struct scsi *scsi, struct loop *loop, const char *path,
		  struct device_error *error)
{
	const struct disk_options options = {
		.path = path,
		.read_only = true,
		.raw = true,
	};
	char why[2 * DEVICE_TEXT_SIZE];
	uint64_t blocks;
	char *remedy;

	scsi->file = disk_open(loop, &options, why, sizeof(why));
	if (!scsi->file) {
		remedy = strstr(why, "; ");
		if (remedy)
			*remedy = '\0';
		device_fail(error, -errno, path, why,
			    remedy ? remedy + strlen("; ") : NULL);
		return -errno;
	}
	blocks = disk_geometry(scsi->file)->size / CDROM_BLOCK;
	if (blocks && blocks <= UINT32_MAX) {
		scsi->blocks = (uint32_t)blocks;
		return 0;
	}
	device_fail(error, -EINVAL, path, "has not the size of a CD",
		    "give an ISO image, or a disk by --disk");
	return -EINVAL;
}

/* Return: 0 or -errno. */
static int plug(struct scsi *scsi, const struct board *board)
{
	struct virtio_device *device = &scsi->pci.device;

	scsi->config = (struct virtio_scsi_config){
		.num_queues = QUEUES - QUEUE_REQUEST,
		.seg_max = QUEUE_SIZE - 2,
		.max_sectors = MAX_SECTORS,
		.cmd_per_lun = COMMANDS_PER_UNIT,
		.event_info_size = sizeof(struct virtio_scsi_event),
		.sense_size = VIRTIO_SCSI_SENSE_SIZE,
		.cdb_size = VIRTIO_SCSI_CDB_SIZE,
	};
	device->kind = &kind;
	device->nr_queues = QUEUES;
	device->queue_size = QUEUE_SIZE;
	device->config = &scsi->config;
	device->config_size = sizeof(scsi->config);
	device->opaque = scsi;
	scsi->held = true;
	return virtio_pci_init(&scsi->pci, board);
}

static void *scsi_make(const struct board *board,
		       const struct device_value *values,
		       struct device_error *error)
{
	struct scsi *scsi = calloc(1, sizeof(*scsi));
	int err;

	if (!scsi)
		return NULL;
	err = insert(scsi, board->loop, values[OPTION_FILE].text, error);
	if (err) {
		disk_close(scsi->file);
		free(scsi);
		errno = -err;
		return NULL;
	}
	err = plug(scsi, board);
	if (err) {
		scsi_free(scsi);
		errno = -err;
		return NULL;
	}
	return scsi;
}

static int scsi_hold(void *opaque)
{
	drain(opaque);
	return 0;
}

static int scsi_release(void *opaque)
{
	struct scsi *scsi = opaque;

	virtio_lock(&scsi->pci.device);
	scsi->held = false;
	go_on(scsi);
	virtio_unlock(&scsi->pci.device);
	return 0;
}

static void scsi_boot(const void *opaque, const struct device_value *values,
		      struct device_boot *boot)
{
	const struct scsi *scsi = opaque;

	virtio_pci_boot(&scsi->pci, BOOT_CDROM, &values[OPTION_BOOTINDEX],
			"scsi", "/channel@0/disk@0,0", boot);
}

static void scsi_reset(void *opaque)
{
	struct scsi *scsi = opaque;
	const bool held = scsi->held;

	drop(scsi);
	virtio_pci_reset(scsi);
	scsi->control = scsi->waiting = false;
	scsi->held = held;
}

static const struct record_field scsi_fields[] = {
	VIRTIO_PCI_FIELDS(struct scsi),
	RECORD_ANY(VIRTIO_OWN_TAG, struct scsi, blocks),
};

static bool scsi_is_sound(const void *opaque)
{
	const struct scsi *scsi = opaque;

	return scsi->blocks == disk_geometry(scsi->file)->size / CDROM_BLOCK &&
	       virtio_pci_is_sound(scsi);
}

static const struct device_option scsi_options[] = {
	[OPTION_FILE] = { .name = "file",
			  .about = "the image of a CD, or a block device",
			  .type = DEVICE_TEXT,
			  .required = true,
			  .host = true,
			  .is_path = true,
			  .word = "FILE" },
	[OPTION_BOOTINDEX] = DEVICE_BOOTINDEX,
	{ .name = NULL },
};

const struct device_kind virtio_scsi_device = {
	.name = "virtio-scsi",
	.about = "a CD drive; --cdrom FILE adds it",
	.many = true,
	.options = scsi_options,
	.make = scsi_make,
	.free = scsi_free,
	.reset = scsi_reset,
	.hold = scsi_hold,
	.release = scsi_release,
	.boot = scsi_boot,
	DEVICE_STATE(struct scsi, scsi_fields),
	.is_sound = scsi_is_sound,
	.loaded = virtio_pci_loaded,
};
