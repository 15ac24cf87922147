// SPDX-License-Identifier: GPL-2.0
/*
 * QEMU's firmware configuration device (QEMU's docs/specs/fw_cfg).
 *
 * Numbers in items are little-endian, those in the directory of files are
 * big-endian.  Bytes beyond an item's end, and of items that do not exist, are zero.
 */
#include <endian.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "board/e820.h"
#include "dev/fwcfg.h"

#define SELECTOR_PORT 0x510
#define SELECTOR_SIZE 2
#define DATA_PORT 0x511
#define DATA_SIZE 4

/* This bit of the selector selected an item for writing in old versions of QEMU. */
#define SELECT_WRITE 0x4000

/* The address of a request for DMA, its upper half first; both are big-endian. */
#define DMA_HIGH_PORT 0x514
#define DMA_LOW_PORT 0x518
#define DMA_PORT_SIZE 4
#define DMA_HIGH_SIGNATURE "QEMU"
#define DMA_LOW_SIGNATURE " CFG"

/* Bits of a request's control word, which also has the item's key. */
#define DMA_ERROR 0x01
#define DMA_READ 0x02
#define DMA_SKIP 0x04
#define DMA_SELECT 0x08
#define DMA_WRITE 0x10
#define DMA_KEY_SHIFT 16
/* Firmware reads the whole of an item and little more: a longer read fails. */
#define DMA_MAX_ZEROES (1U << 20)

#define E820_ENTRY_SIZE 20
/* Interfaces of the device. */
#define ID_PORTS 1
#define ID_DMA 2

/* A key that no item has, because selecting an item drops this bit. */
#define NO_ITEM SELECT_WRITE

struct item {
	uint16_t key;
	size_t size;
	uint8_t *data;
};

struct directory {
	uint32_t count;
	struct {
		uint32_t size;
		uint16_t key;
		uint16_t reserved;
		char name[FWCFG_NAME_SIZE];
	} files[FWCFG_MAX_FILES];
};

/* A request for DMA in guest memory, big-endian. */
struct dma_request {
	uint32_t control;
	uint32_t length;
	uint64_t address;
};

/*
 * @lock guards all but @ram.  @key: of the selected item; @selected: index of this
 * item, or -1 if there is none; @offset: of its byte to be read next; @dma_high: upper
 * half of the address of the next request.
 */
struct fwcfg {
	pthread_mutex_t lock;
	const struct ram *ram;
	uint32_t dma_high;
	struct item *items;
	size_t count;
	uint16_t key;
	ssize_t selected;
	uint64_t offset;
	unsigned int nr_files;
	struct directory directory;
};

/* Lock held, as in the following functions up to the handlers of the ports. */
static ssize_t item_find(const struct fwcfg *fwcfg, uint16_t key)
{
	for (size_t i = 0; i < fwcfg->count; i++) {
		if (fwcfg->items[i].key == key)
			return i;
	}
	return -1;
}

static int item_add(struct fwcfg *fwcfg, uint16_t key, const void *data,
		    size_t size)
{
	struct item *items;
	uint8_t *copy;

	if (item_find(fwcfg, key) >= 0)
		return -EEXIST;
	items = reallocarray(fwcfg->items, fwcfg->count + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	fwcfg->items = items;
	copy = malloc(size ? size : 1);
	if (!copy)
		return -ENOMEM;
	if (size)
		memcpy(copy, data, size);
	items[fwcfg->count++] =
		(struct item){ .key = key, .size = size, .data = copy };
	return 0;
}

static int file_add(struct fwcfg *fwcfg, const char *name, const void *data,
		    size_t size)
{
	unsigned int number = fwcfg->nr_files;
	int error;

	for (unsigned int i = 0; i < number; i++) {
		if (!strcmp(fwcfg->directory.files[i].name, name))
			return -EEXIST;
	}
	if (number == FWCFG_MAX_FILES)
		return -ENOSPC;
	error = item_add(fwcfg, FWCFG_FIRST_FILE + number, data, size);
	if (error)
		return error;
	strcpy(fwcfg->directory.files[number].name, name);
	fwcfg->directory.files[number].size = htobe32(size);
	fwcfg->directory.files[number].key = htobe16(FWCFG_FIRST_FILE + number);
	fwcfg->directory.count = htobe32(++fwcfg->nr_files);
	return 0;
}

/* Return: the bytes of the selected item, or NULL; for the directory, as of now. */
static const uint8_t *item_bytes(const struct fwcfg *fwcfg, size_t *size)
{
	const struct item *item;

	*size = 0;
	if (fwcfg->selected < 0)
		return NULL;
	item = &fwcfg->items[fwcfg->selected];
	if (item->key == FWCFG_DIRECTORY) {
		*size = offsetof(struct directory, files[fwcfg->nr_files]);
		return (const uint8_t *)&fwcfg->directory;
	}
	*size = item->size;
	return item->data;
}

static void item_select(struct fwcfg *fwcfg, uint16_t key)
{
	fwcfg->key = key;
	fwcfg->selected = item_find(fwcfg, key);
	fwcfg->offset = 0;
}

static void selector_write(void *opaque, uint64_t offset, const void *data,
			   size_t size)
{
	struct fwcfg *fwcfg = opaque;
	uint16_t key;

	(void)offset;
	memcpy(&key, data, size);
	pthread_mutex_lock(&fwcfg->lock);
	item_select(fwcfg, key & ~SELECT_WRITE);
	pthread_mutex_unlock(&fwcfg->lock);
}

/* A read of several bytes gives the item's next bytes, in their order. */
static void data_read(void *opaque, uint64_t offset, void *data, size_t size)
{
	struct fwcfg *fwcfg = opaque;
	const uint8_t *bytes;
	size_t end, left;

	if (offset)
		return;
	memset(data, 0, size);
	pthread_mutex_lock(&fwcfg->lock);
	bytes = item_bytes(fwcfg, &end);
	left = end - fwcfg->offset;
	if (size > left)
		size = left;
	if (size)
		memcpy(data, bytes + fwcfg->offset, size);
	fwcfg->offset += size;
	pthread_mutex_unlock(&fwcfg->lock);
}

/* Return: false if the guest's memory is not there, or far longer than the item. */
static bool dma_read(struct fwcfg *fwcfg, uint64_t address, uint32_t length)
{
	size_t end, copied;
	const uint8_t *bytes = item_bytes(fwcfg, &end);
	uint8_t *to;

	copied = end - fwcfg->offset;
	if (copied > length)
		copied = length;
	if (length - copied > DMA_MAX_ZEROES)
		return false;
	to = ram_write_at(fwcfg->ram, address, length);
	if (!to)
		return !length;
	if (copied)
		memcpy(to, bytes + fwcfg->offset, copied);
	memset(to + copied, 0, length - copied);
	fwcfg->offset += copied;
	return true;
}

static void dma_skip(struct fwcfg *fwcfg, uint32_t length)
{
	size_t end;

	item_bytes(fwcfg, &end);
	end -= fwcfg->offset;
	fwcfg->offset += length < end ? length : end;
}

/* As in QEMU, the first one of reading, writing and skipping counts. */
static bool dma_carry_out(struct fwcfg *fwcfg, uint32_t control,
			  uint64_t address, uint32_t length)
{
	if (control & DMA_SELECT)
		item_select(fwcfg, (control >> DMA_KEY_SHIFT) & ~SELECT_WRITE);
	if (control & DMA_READ)
		return dma_read(fwcfg, address, length);
	/* No item can be written. */
	if (control & DMA_WRITE)
		return !length;
	if (control & DMA_SKIP)
		dma_skip(fwcfg, length);
	return true;
}

/*
 * The guest may change its request meanwhile: it is read once.  Its control word tells
 * the guest that all is done.
 */
static void dma_request(struct fwcfg *fwcfg, uint64_t gpa)
{
	struct dma_request request;
	uint32_t result = 0;
	void *at = ram_write_at(fwcfg->ram, gpa, sizeof(request));

	if (!at)
		return;
	memcpy(&request, at, sizeof(request));
	if (!dma_carry_out(fwcfg, be32toh(request.control),
			   be64toh(request.address), be32toh(request.length)))
		result = htobe32(DMA_ERROR);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	memcpy(at, &result, sizeof(result));
}

static void dma_high_read(void *opaque, uint64_t offset, void *data,
			  size_t size)
{
	(void)opaque;
	(void)offset;
	memcpy(data, DMA_HIGH_SIGNATURE, size);
}

static void dma_low_read(void *opaque, uint64_t offset, void *data, size_t size)
{
	(void)opaque;
	(void)offset;
	memcpy(data, DMA_LOW_SIGNATURE, size);
}

static void dma_high_write(void *opaque, uint64_t offset, const void *data,
			   size_t size)
{
	struct fwcfg *fwcfg = opaque;
	uint32_t value;

	(void)offset;
	memcpy(&value, data, size);
	pthread_mutex_lock(&fwcfg->lock);
	fwcfg->dma_high = be32toh(value);
	pthread_mutex_unlock(&fwcfg->lock);
}

static void dma_low_write(void *opaque, uint64_t offset, const void *data,
			  size_t size)
{
	struct fwcfg *fwcfg = opaque;
	uint64_t high;
	uint32_t value;

	(void)offset;
	memcpy(&value, data, size);
	pthread_mutex_lock(&fwcfg->lock);
	high = fwcfg->dma_high;
	fwcfg->dma_high = 0;
	dma_request(fwcfg, high << 32 | be32toh(value));
	pthread_mutex_unlock(&fwcfg->lock);
}

int fwcfg_add(struct fwcfg *fwcfg, uint16_t key, const void *data, size_t size)
{
	int error;

	if ((key >= FWCFG_DIRECTORY && key < FWCFG_LOCAL) ||
	    (key & SELECT_WRITE))
		return -EINVAL;
	pthread_mutex_lock(&fwcfg->lock);
	error = item_add(fwcfg, key, data, size);
	pthread_mutex_unlock(&fwcfg->lock);
	return error;
}

int fwcfg_add_file(struct fwcfg *fwcfg, const char *name, const void *data,
		   size_t size)
{
	size_t length = strlen(name);
	int error;

	if (!length || length >= FWCFG_NAME_SIZE)
		return -EINVAL;
	if (size > UINT32_MAX)
		return -E2BIG;
	pthread_mutex_lock(&fwcfg->lock);
	error = file_add(fwcfg, name, data, size);
	pthread_mutex_unlock(&fwcfg->lock);
	return error;
}

/* The numbered item has a count before the entries; the file has only entries. */
static int add_e820(struct fwcfg *fwcfg, const void *entries, uint32_t count)
{
	size_t size = (size_t)count * E820_ENTRY_SIZE;
	uint8_t *table = malloc(sizeof(count) + size);
	int error;

	if (!table)
		return -ENOMEM;
	memcpy(table, &count, sizeof(count));
	if (size)
		memcpy(table + sizeof(count), entries, size);
	error = fwcfg_add(fwcfg, FWCFG_E820, table, sizeof(count) + size);
	free(table);
	if (!error)
		error = fwcfg_add_file(fwcfg, "etc/e820", entries, size);
	return error;
}

static int add_items(struct fwcfg *fwcfg, const struct fwcfg_config *config)
{
	const uint32_t id = ID_PORTS | ID_DMA, override = 1;
	const struct item items[] = {
		{ FWCFG_SIGNATURE, 4, (uint8_t *)"QEMU" },
		{ FWCFG_ID, sizeof(id), (uint8_t *)&id },
		{ FWCFG_RAM_SIZE, sizeof(config->ram_size),
		  (uint8_t *)&config->ram_size },
		{ FWCFG_NB_CPUS, sizeof(config->cpus),
		  (uint8_t *)&config->cpus },
		{ FWCFG_MAX_CPUS, sizeof(config->cpus),
		  (uint8_t *)&config->cpus },
		{ FWCFG_DIRECTORY, 0, NULL },
		{ FWCFG_IRQ0_OVERRIDE, sizeof(override), (uint8_t *)&override },
	};
	int error = 0;

	for (size_t i = 0; !error && i < sizeof(items) / sizeof(*items); i++)
		error = item_add(fwcfg, items[i].key, items[i].data,
				 items[i].size);
	if (!error)
		error = add_e820(fwcfg, config->e820, config->e820_count);
	return error;
}

static int add_ports(struct fwcfg *fwcfg, struct bus *bus)
{
	const struct bus_region regions[] = {
		{
			.name = "fwcfg-selector",
			.base = SELECTOR_PORT,
			.size = SELECTOR_SIZE,
			.exact = true,
			.write = selector_write,
			.opaque = fwcfg,
		},
		{
			.name = "fwcfg-data",
			.base = DATA_PORT,
			.size = DATA_SIZE,
			.read = data_read,
			.opaque = fwcfg,
		},
		{
			.name = "fwcfg-dma-high",
			.base = DMA_HIGH_PORT,
			.size = DMA_PORT_SIZE,
			.exact = true,
			.read = dma_high_read,
			.write = dma_high_write,
			.opaque = fwcfg,
		},
		{
			.name = "fwcfg-dma-low",
			.base = DMA_LOW_PORT,
			.size = DMA_PORT_SIZE,
			.exact = true,
			.read = dma_low_read,
			.write = dma_low_write,
			.opaque = fwcfg,
		},
	};
	int error = 0;

	for (size_t i = 0; !error && i < sizeof(regions) / sizeof(*regions);
	     i++)
		error = bus_add(bus, &regions[i]);
	return error;
}

struct fwcfg *fwcfg_new(const struct fwcfg_config *config)
{
	struct fwcfg *fwcfg = calloc(1, sizeof(*fwcfg));
	int error;

	if (!fwcfg)
		return NULL;
	pthread_mutex_init(&fwcfg->lock, NULL);
	fwcfg->ram = config->ram;
	item_select(fwcfg, NO_ITEM);
	error = add_items(fwcfg, config);
	if (!error)
		error = add_ports(fwcfg, config->bus);
	if (error) {
		fwcfg_free(fwcfg);
		errno = -error;
		return NULL;
	}
	return fwcfg;
}

void fwcfg_free(void *opaque)
{
	struct fwcfg *fwcfg = opaque;

	if (!fwcfg)
		return;
	for (size_t i = 0; i < fwcfg->count; i++)
		free(fwcfg->items[i].data);
	free(fwcfg->items);
	pthread_mutex_destroy(&fwcfg->lock);
	free(fwcfg);
}

static void *fwcfg_make(const struct board *board,
			const struct device_value *values,
			struct device_error *error)
{
	struct e820_entry map[E820_MAX];
	const struct fwcfg_config config = {
		.bus = board->bus,
		.ram = board->ram,
		.cpus = board->cpus,
		.ram_size = ram_low(board->ram) + ram_high(board->ram),
		.e820 = map,
		.e820_count = e820_build(board->ram, map),
	};

	(void)values;
	(void)error;
	return fwcfg_new(&config);
}

static void fwcfg_reset(void *opaque)
{
	struct fwcfg *fwcfg = opaque;

	item_select(fwcfg, NO_ITEM);
	fwcfg->dma_high = 0;
}

static const struct record_field fwcfg_fields[] = {
	RECORD_ANY(1, struct fwcfg, key),
	RECORD_ANY(2, struct fwcfg, offset),
	RECORD_ANY(3, struct fwcfg, dma_high),
};

/* The offset may be beyond the item, which the other machine had longer: zeroes. */
static void fwcfg_loaded(void *opaque)
{
	struct fwcfg *fwcfg = opaque;
	uint64_t offset = fwcfg->offset;
	size_t end;

	item_select(fwcfg, fwcfg->key);
	item_bytes(fwcfg, &end);
	fwcfg->offset = offset < end ? offset : end;
}

const struct device_kind fwcfg_device = {
	.name = "fwcfg",
	.about = "QEMU's firmware configuration device",
	.make = fwcfg_make,
	.free = fwcfg_free,
	.reset = fwcfg_reset,
	DEVICE_STATE(struct fwcfg, fwcfg_fields),
	.loaded = fwcfg_loaded,
};
