// SPDX-License-Identifier: GPL-2.0
/*
 * The requests of a block device.
 *
 * A request is a header to read, data, and a status byte to write.  The header and the
 * ranges of a discard are copied before they are looked at, since the driver may change
 * its memory at any time; how much data there is, only the lengths of buffers say, which
 * were copied when the chain was taken.
 */
#include "virtio/blk_io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/**
 * struct blk_request - a request
 * @disk: what the disk is asked for
 * @io: whose it is
 * @queue: number of its queue
 * @in_size: bytes that the driver lets the device write, with the status
 * @written: bytes of them that were, from the beginning on
 * @status: the status byte, in guest memory
 * @ranges: of VIRTIO_BLK_T_DISCARD and VIRTIO_BLK_T_WRITE_ZEROES, which are asked for one
 *	after the other
 * @nr_ranges: their number
 * @next_range: the next one
 * @chain: its buffers; those of header and status are cut off
 */
struct blk_request {
	struct disk_request disk;
	struct blk_io *io;
	unsigned int queue;
	size_t in_size;
	size_t written;
	uint8_t *status;
	struct virtio_blk_discard_write_zeroes ranges[BLK_MAX_RANGES];
	unsigned int nr_ranges;
	unsigned int next_range;
	struct virtio_chain chain;
};

static void put(struct blk_io *io, struct blk_request *request)
{
	free(io->spare);
	io->spare = request;
}

static struct blk_request *get(struct blk_io *io)
{
	struct blk_request *request = io->spare;

	io->spare = NULL;
	return request ? request : malloc(sizeof(*request));
}

/*
 * Returns a request to the driver.  The number of bytes written is that of those before
 * the first one that was not: the status, which is the last, counts if all before it does.
 */
static void answer(struct blk_request *request, uint8_t status)
{
	struct blk_io *io = request->io;

	if (request->disk.op == DISK_READ && status == VIRTIO_BLK_S_OK)
		request->written = request->disk.size;
	request->written += request->written == request->in_size - 1;
	__atomic_store_n(request->status, status, __ATOMIC_RELAXED);
	virtio_push(io->device, request->queue, request->chain.head,
		    (uint32_t)request->written);
	virtio_notify(io->device, request->queue);
	put(io, request);
}

static uint8_t status_of(int err)
{
	if (!err)
		return VIRTIO_BLK_S_OK;
	return err == -EOPNOTSUPP ? VIRTIO_BLK_S_UNSUPP : VIRTIO_BLK_S_IOERR;
}

/*
 * Without a negotiated feature that lets it flush, the driver takes what was written for
 * stable (section 5.2.6.2).
 */
static bool is_writethrough(const struct blk_io *io)
{
	if (virtio_has(io->device, VIRTIO_BLK_F_CONFIG_WCE))
		return !*io->wce;
	return !virtio_has(io->device, VIRTIO_BLK_F_FLUSH);
}

static void done(struct disk_request *disk_request, int error);

/* Return: 0, with the request in flight, or -errno. */
static int submit(struct blk_request *request)
{
	struct blk_io *io = request->io;
	int err;

	request->disk.done = done;
	request->disk.stable = is_writethrough(io);
	err = disk_submit(io->disk, &request->disk);
	io->in_flight += !err;
	return err;
}

/* Return: as submit(). */
static int submit_range(struct blk_request *request)
{
	const struct virtio_blk_discard_write_zeroes *range =
		&request->ranges[request->next_range++];

	request->disk.offset = range->sector * DISK_SECTOR;
	request->disk.size = (uint64_t)range->num_sectors * DISK_SECTOR;
	request->disk.unmap = range->flags & VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP;
	return submit(request);
}

static void wake_waiting(struct blk_io *io)
{
	for (unsigned int queue = 0; io->waiting; queue++) {
		if (io->waiting & 1U << queue)
			virtio_wake(io->device, queue);
		io->waiting &= ~(1U << queue);
	}
}

/* The disk has served a request, or one range of it. */
static void done(struct disk_request *disk_request, int error)
{
	struct blk_request *request = (struct blk_request *)disk_request;
	struct virtio_device *device = request->io->device;
	struct blk_io *io = request->io;

	virtio_lock(device);
	io->in_flight--;
	if (!error && request->next_range < request->nr_ranges &&
	    virtio_is_live(device)) {
		error = submit_range(request);
		if (!error) {
			virtio_unlock(device);
			return;
		}
	}
	answer(request, status_of(error));
	if (!io->held)
		wake_waiting(io);
	virtio_unlock(device);
}

/* Return: 0 or -errno. */
static int check_range(const struct blk_io *io, uint32_t type,
		       const struct virtio_blk_discard_write_zeroes *range)
{
	uint32_t allowed = type == VIRTIO_BLK_T_WRITE_ZEROES ?
				   VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP :
				   0;
	uint64_t sectors = disk_geometry(io->disk)->size / DISK_SECTOR;

	if (range->flags & ~allowed)
		return -EOPNOTSUPP;
	if (range->num_sectors > BLK_MAX_RANGE_SECTORS ||
	    range->sector > sectors ||
	    range->num_sectors > sectors - range->sector)
		return -EINVAL;
	return 0;
}

/* All ranges are checked before the first one changes the disk. */
static int begin_ranges(struct blk_request *request, uint32_t type)
{
	bool discard = type == VIRTIO_BLK_T_DISCARD;
	size_t size = request->chain.out_size - request->chain.out_at;
	int err = 0;

	if (!virtio_has(request->io->device, discard ?
						     VIRTIO_BLK_F_DISCARD :
						     VIRTIO_BLK_F_WRITE_ZEROES))
		return -EOPNOTSUPP;
	if (!size || size % sizeof(request->ranges[0]) ||
	    size > sizeof(request->ranges))
		return -EINVAL;
	request->nr_ranges = (unsigned int)(size / sizeof(request->ranges[0]));
	virtio_chain_read(&request->chain, request->ranges, size);
	for (unsigned int i = 0; i < request->nr_ranges && !err; i++)
		err = check_range(request->io, type, &request->ranges[i]);
	if (err)
		return err;
	request->disk.op = discard ? DISK_DISCARD : DISK_WRITE_ZEROES;
	return submit_range(request);
}

/* Return: what is left of a list of buffers behind its first bytes; @count is updated. */
static struct iovec *skip(struct iovec *iov, unsigned int *count, size_t bytes)
{
	while (*count && bytes >= iov->iov_len) {
		bytes -= iov->iov_len;
		iov++;
		--*count;
	}
	if (*count) {
		iov->iov_base = (char *)iov->iov_base + bytes;
		iov->iov_len -= bytes;
	}
	return iov;
}

/* Return: as begin(). */
static int begin_transfer(struct blk_request *request, uint32_t type,
			  uint64_t sector)
{
	struct virtio_chain *chain = &request->chain;
	struct disk_request *disk = &request->disk;

	if (type == VIRTIO_BLK_T_IN) {
		disk->op = DISK_READ;
		disk->iov = virtio_chain_in(chain);
		disk->nr_iov = chain->nr_in;
		disk->size = request->in_size - 1;
	} else {
		disk->op = DISK_WRITE;
		disk->nr_iov = chain->nr_out;
		disk->iov = skip(chain->iov, &disk->nr_iov, chain->out_at);
		disk->size = chain->out_size - chain->out_at;
	}
	if (!disk->size ||
	    __builtin_mul_overflow(sector, DISK_SECTOR, &disk->offset))
		return -EINVAL;
	return disk_read_now(request->io->disk, disk) ? 1 : submit(request);
}

/* The buffers to write have lost their last byte, which is the status. */
static void give_serial(struct blk_request *request)
{
	size_t size = request->in_size - 1;

	if (size > sizeof(request->io->serial))
		size = sizeof(request->io->serial);
	request->written =
		virtio_chain_write(&request->chain, request->io->serial, size);
}

/* Return: 0: in flight; 1: served; or -errno. */
static int begin(struct blk_request *request,
		 const struct virtio_blk_outhdr *header)
{
	switch (header->type) {
	case VIRTIO_BLK_T_IN:
	case VIRTIO_BLK_T_OUT:
		return begin_transfer(request, header->type, header->sector);
	case VIRTIO_BLK_T_FLUSH:
		request->disk.op = DISK_FLUSH;
		return submit(request);
	case VIRTIO_BLK_T_GET_ID:
		give_serial(request);
		return 1;
	case VIRTIO_BLK_T_DISCARD:
	case VIRTIO_BLK_T_WRITE_ZEROES:
		return begin_ranges(request, header->type);
	}
	return -EOPNOTSUPP;
}

/* Cuts the status byte off the buffers: it is the last one, and no buffer is empty. */
static void take_status(struct blk_request *request)
{
	struct virtio_chain *chain = &request->chain;
	struct iovec *last = virtio_chain_in(chain) + chain->nr_in - 1;

	request->in_size = chain->in_size;
	chain->in_size--;
	last->iov_len--;
	request->status = (uint8_t *)last->iov_base + last->iov_len;
	chain->nr_in -= !last->iov_len;
}

static void handle(struct blk_io *io, struct blk_request *request)
{
	struct virtio_chain *chain = &request->chain;
	struct virtio_blk_outhdr header;
	int result;

	request->nr_ranges = request->next_range = 0;
	request->written = 0;
	request->disk = (struct disk_request){ .op = DISK_FLUSH };
	if (virtio_chain_read(chain, &header, sizeof(header)) !=
		    sizeof(header) ||
	    !chain->in_size) {
		virtio_needs_reset(io->device);
		virtio_push(io->device, request->queue, chain->head, 0);
		put(io, request);
		return;
	}
	take_status(request);
	result = begin(request, &header);
	if (result)
		answer(request,
		       result > 0 ? VIRTIO_BLK_S_OK : status_of(result));
}

/* Return: the next request of a queue, or NULL. */
static struct blk_request *next_request(struct blk_io *io, unsigned int queue)
{
	struct blk_request *request = get(io);

	if (!request)
		return NULL;
	request->io = io;
	request->queue = queue;
	if (virtio_pop(io->device, queue, &request->chain))
		return request;
	put(io, request);
	return NULL;
}

void blk_io_kick(struct blk_io *io, unsigned int queue)
{
	unsigned int left = VIRTQUEUE_MAX_SIZE;
	struct blk_request *request = NULL;

	while (left && !io->held && io->in_flight < BLK_MAX_IN_FLIGHT &&
	       (request = next_request(io, queue))) {
		handle(io, request);
		left--;
	}
	disk_commit(io->disk);
	if (io->held || io->in_flight >= BLK_MAX_IN_FLIGHT)
		io->waiting |= 1U << queue;
	else if (!left)
		/* Others want their turn, too. */
		virtio_wake(io->device, queue);
}

void blk_io_hold(struct blk_io *io)
{
	virtio_lock(io->device);
	io->held = true;
	virtio_unlock(io->device);
	disk_drain(io->disk);
}

void blk_io_release(struct blk_io *io)
{
	virtio_lock(io->device);
	io->held = false;
	wake_waiting(io);
	virtio_unlock(io->device);
}

void blk_io_fini(struct blk_io *io)
{
	free(io->spare);
	io->spare = NULL;
}
