// SPDX-License-Identifier: GPL-2.0
/*
 * Persistent memory.
 *
 * The guest reads and writes the file as memory, without this process, and asks only for
 * what it has written to become stable.  The memory is no RAM: other devices do not read
 * or write there.  Its end, behind that of the file, is lost with the machine.
 */
#include "virtio/pmem.h"

#include <endian.h>
#include <errno.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_pmem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "disk/disk.h"
#include "virtio/pci.h"

/* Memory controller, other. */
#define PCI_CLASS_PMEM 0x058000

#define QUEUE 0
#define QUEUES 1
#define QUEUE_SIZE 64
/* So many requests are answered before others in the loop have their turn. */
#define REQUESTS_AT_ONCE 16

/* Linux maps memory of devices in pieces of this size. */
#define ALIGN (2ULL << 20)

/* Answers to requests (section 5.19.6). */
#define RESPONSE_OK 0
#define RESPONSE_ERROR 1

enum { OPTION_FILE, OPTION_RO, OPTION_SHARE };

/**
 * struct pmem - the device
 * @pci: its transport, whose lock guards what changes
 * @config: what the driver reads
 * @disk: the file, which it makes stable
 * @stable: there is something to be made stable: the guest can write the file
 * @private: what the guest writes is not in the file
 * @mapping: addresses of this process
 * @mapping_size: how many
 * @start: the guest's address of the memory
 * @size: of the memory
 * @held: no request is begun
 * @busy: the disk has @flush, for @chain
 */
struct pmem {
	struct virtio_pci pci;
	struct virtio_pmem_config config;
	struct disk *disk;
	bool stable;
	bool private;
	void *mapping;
	size_t mapping_size;
	uint64_t start;
	uint64_t size;
	bool held;
	bool busy;
	struct disk_request flush;
	struct virtio_chain chain;
};

static void answer(struct pmem *pmem, uint32_t value)
{
	const struct virtio_pmem_resp response = { .ret = htole32(value) };

	virtio_push(&pmem->pci.device, QUEUE, pmem->chain.head,
		    virtio_chain_write(&pmem->chain, &response,
				       sizeof(response)));
	virtio_notify(&pmem->pci.device, QUEUE);
}

static void flushed(struct disk_request *request, int error)
{
	struct pmem *pmem =
		(void *)((uint8_t *)request - offsetof(struct pmem, flush));

	virtio_lock(&pmem->pci.device);
	pmem->busy = false;
	answer(pmem, error ? RESPONSE_ERROR : RESPONSE_OK);
	virtio_wake(&pmem->pci.device, QUEUE);
	virtio_unlock(&pmem->pci.device);
}

static bool is_flush(struct virtio_chain *chain)
{
	struct virtio_pmem_req request;

	return virtio_chain_read(chain, &request, sizeof(request)) ==
		       sizeof(request) &&
	       le32toh(request.type) == VIRTIO_PMEM_REQ_TYPE_FLUSH;
}

/* Carries out the request of the chain, or begins to. */
static void carry_out(struct pmem *pmem)
{
	if (!is_flush(&pmem->chain)) {
		answer(pmem, RESPONSE_ERROR);
		return;
	}
	if (!pmem->stable) {
		answer(pmem, RESPONSE_OK);
		return;
	}
	pmem->flush =
		(struct disk_request){ .op = DISK_FLUSH, .done = flushed };
	if (disk_submit(pmem->disk, &pmem->flush))
		answer(pmem, RESPONSE_ERROR);
	else
		pmem->busy = true;
}

/* One flush at a time: the next one waits in its queue. */
static void kick(struct virtio_device *device, unsigned int queue)
{
	struct pmem *pmem = device->opaque;
	unsigned int left = REQUESTS_AT_ONCE;

	while (left && !pmem->busy && !pmem->held &&
	       virtio_pop(device, queue, &pmem->chain)) {
		carry_out(pmem);
		left--;
	}
	if (pmem->busy)
		disk_commit(pmem->disk);
	else if (!left)
		virtio_wake(device, queue);
}

static const struct virtio_kind kind = {
	.name = "virtio-pmem",
	.id = VIRTIO_ID_PMEM,
	.class = PCI_CLASS_PMEM,
	.kick = kick,
};

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

/* The file is the disk's, so that nobody else writes it, and so that it can be flushed. */
static int open_disk(struct pmem *pmem, struct loop *loop,
		     const struct device_value *values,
		     struct device_error *error)
{
	const struct disk_options options = {
		.path = values[OPTION_FILE].text,
		.read_only = !pmem->stable,
		.raw = true,
	};
	char why[2 * DEVICE_TEXT_SIZE];

	pmem->disk = disk_open(loop, &options, why, sizeof(why));
	if (!pmem->disk) {
		fail_open(error, options.path, why);
		return -errno;
	}
	/* The largest file is smaller than what overflows. */
	pmem->size = (disk_geometry(pmem->disk)->size + ALIGN - 1) & -ALIGN;
	if (pmem->size)
		return 0;
	device_fail(error, -EINVAL, options.path, "is empty",
		    "give it a size: truncate -s 64M FILE");
	return -EINVAL;
}

/* Return: where the memory is in this process, or MAP_FAILED. */
static void *map(struct pmem *pmem, bool read_only)
{
	const int protection = PROT_READ | (read_only ? 0 : PROT_WRITE);
	const size_t size = disk_geometry(pmem->disk)->size;
	uint8_t *start;

	pmem->mapping_size = pmem->size + ALIGN;
	pmem->mapping = mmap(NULL, pmem->mapping_size, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
			     0);
	if (pmem->mapping == MAP_FAILED)
		return MAP_FAILED;
	start = (uint8_t *)(((uintptr_t)pmem->mapping + ALIGN - 1) & -ALIGN);
	/* What is behind the end of the file is there, too. */
	if (mprotect(start, pmem->size, protection))
		return MAP_FAILED;
	return mmap(start, size, protection,
		    MAP_FIXED | MAP_NORESERVE |
			    (pmem->private ? MAP_PRIVATE : MAP_SHARED),
		    disk_fd(pmem->disk), 0);
}

/* Lets the guest see the memory. */
static int place(struct pmem *pmem, const struct board *board, void *address,
		 bool read_only)
{
	struct bus_region region = { .name = "virtio-pmem",
				     .space = BUS_MMIO,
				     .size = pmem->size };
	int err = board->map ? board->map(board->opaque, pmem->size, address,
					  read_only, &pmem->start) :
			       -ENOSYS;

	if (err)
		return err;
	pmem->config.start = htole64(pmem->start);
	pmem->config.size = htole64(pmem->size);
	/* BARs stay away, and what the guest cannot write is lost. */
	region.base = pmem->start;
	return bus_add(board->bus, &region);
}

static int map_file(struct pmem *pmem, const struct board *board,
		    const struct device_value *values,
		    struct device_error *error)
{
	const bool read_only = values[OPTION_RO].number;
	const char *path = values[OPTION_FILE].text;
	void *address = map(pmem, read_only);
	int err;

	if (address == MAP_FAILED) {
		device_fail(error, -errno, path, NULL, NULL);
		return -errno;
	}
	err = place(pmem, board, address, read_only);
	if (err)
		device_fail(error, err, path,
			    "the guest's address space has no room for it",
			    "use a smaller file, or a disk");
	return err;
}

/* The driver is gone: what is in flight ends, and tells it nothing. */
static void drop(struct pmem *pmem)
{
	virtio_lock(&pmem->pci.device);
	pmem->pci.device.resetting = true;
	virtio_unlock(&pmem->pci.device);
	disk_drain(pmem->disk);
}

static void pmem_free(void *opaque)
{
	struct pmem *pmem = opaque;

	if (pmem->pci.device.kind) {
		drop(pmem);
		virtio_pci_fini(&pmem->pci);
	}
	disk_close(pmem->disk);
	if (pmem->mapping && pmem->mapping != MAP_FAILED)
		munmap(pmem->mapping, pmem->mapping_size);
	free(pmem);
}

static int pmem_init(struct pmem *pmem, const struct board *board,
		     const struct device_value *values,
		     struct device_error *error)
{
	struct virtio_device *device = &pmem->pci.device;
	int err;

	pmem->private = !values[OPTION_SHARE].number;
	pmem->stable = !pmem->private && !values[OPTION_RO].number;
	pmem->held = true;
	err = open_disk(pmem, board->loop, values, error);
	if (!err)
		err = map_file(pmem, board, values, error);
	if (err)
		return err;
	device->kind = &kind;
	device->nr_queues = QUEUES;
	device->queue_size = QUEUE_SIZE;
	device->config = &pmem->config;
	device->config_size = sizeof(pmem->config);
	device->opaque = pmem;
	return virtio_pci_init(&pmem->pci, board);
}

static void *pmem_make(const struct board *board,
		       const struct device_value *values,
		       struct device_error *error)
{
	struct pmem *pmem = calloc(1, sizeof(*pmem));
	int err;

	if (!pmem)
		return NULL;
	err = pmem_init(pmem, board, values, error);
	if (err) {
		pmem_free(pmem);
		errno = -err;
		return NULL;
	}
	return pmem;
}

static void pmem_reset(void *opaque)
{
	struct pmem *pmem = opaque;

	drop(pmem);
	virtio_pci_reset(pmem);
}

static int pmem_hold(void *opaque)
{
	struct pmem *pmem = opaque;

	virtio_lock(&pmem->pci.device);
	pmem->held = true;
	virtio_unlock(&pmem->pci.device);
	disk_drain(pmem->disk);
	return 0;
}

static int pmem_release(void *opaque)
{
	struct pmem *pmem = opaque;

	virtio_lock(&pmem->pci.device);
	pmem->held = false;
	virtio_wake(&pmem->pci.device, QUEUE);
	virtio_unlock(&pmem->pci.device);
	return 0;
}

/* What the guest has written to a private memory is not in the record. */
static bool pmem_is_sound(const void *opaque)
{
	const struct pmem *pmem = opaque;
	const bool ready = pmem->pci.device.state.status &
			   VIRTIO_CONFIG_S_DRIVER_OK;

	return le64toh(pmem->config.start) == pmem->start &&
	       le64toh(pmem->config.size) == pmem->size &&
	       !(pmem->private && ready) && virtio_pci_is_sound(pmem);
}

static int pmem_keep(void *opaque, const struct device_value *values,
		     struct device_error *error)
{
	(void)opaque;
	if (values[OPTION_RO].number)
		return 0;
	device_fail(error, -EOPNOTSUPP, values[OPTION_FILE].text,
		    "what the guest writes to it cannot be put back",
		    "start it with ro");
	return -EOPNOTSUPP;
}

static const char *pmem_unsaved(const void *opaque)
{
	const struct pmem *pmem = opaque;

	return pmem->private && pmem->pci.device.state.status &
					VIRTIO_CONFIG_S_DRIVER_OK ?
		       "with share=off, what the guest writes is in no file" :
		       NULL;
}

static const char *pmem_stays(const void *opaque,
			      const struct device_value *values)
{
	const struct pmem *pmem = opaque;

	return !values[OPTION_RO].number && !pmem->private ?
		       "it is open for writing, which it can be on one host "
		       "only; start it with ro, or move the machine by lodge "
		       "save --stop and lodge restore" :
		       NULL;
}

/* That of a private memory was opened for reading. */
static int pmem_settle(const void *opaque)
{
	const struct pmem *pmem = opaque;

	return disk_settle(pmem->disk);
}

static const struct record_field pmem_fields[] = {
	VIRTIO_PCI_FIELDS(struct pmem),
	RECORD_ANY(VIRTIO_OWN_TAG, struct pmem, config.start),
	RECORD_ANY(VIRTIO_OWN_TAG + 1, struct pmem, config.size),
};

static const struct device_option options[] = {
	[OPTION_FILE] = { .name = "file",
			  .about = "an image or a block device",
			  .type = DEVICE_TEXT,
			  .required = true,
			  .host = true,
			  .is_path = true,
			  .word = "FILE" },
	[OPTION_RO] = { .name = "ro",
			.about = "what the guest writes is lost at once",
			.type = DEVICE_BOOL },
	[OPTION_SHARE] = { .name = "share",
			   .about = "what the guest writes is in the file; "
				    "otherwise it is forgotten in the end",
			   .type = DEVICE_BOOL,
			   .host = true,
			   .value = 1 },
	{},
};

const struct device_kind virtio_pmem_device = {
	.name = "virtio-pmem",
	.about = "a file as persistent memory; --pmem FILE adds it",
	.many = true,
	.options = options,
	.make = pmem_make,
	.free = pmem_free,
	.reset = pmem_reset,
	.hold = pmem_hold,
	.release = pmem_release,
	DEVICE_STATE(struct pmem, pmem_fields),
	.is_sound = pmem_is_sound,
	.unsaved = pmem_unsaved,
	.settle = pmem_settle,
	.stays = pmem_stays,
	.loaded = virtio_pci_loaded,
	.keep = pmem_keep,
};
