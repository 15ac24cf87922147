// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzer of virtio devices behind their transport: the input is a driver that writes to
 * registers, rings and requests what it wants.  Whatever it does, a reset makes the device
 * work again, and what is saved can be loaded.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fakes.h"
#include "fuzz_check.h"
#include "fuzz_input.h"
#include "virtio/balloon.h"
#include "virtio/console.h"
#include "virtio/pmem.h"
#include "virtio/rng.h"
#include "virtio_guest.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#define NR_STEPS 100
#define NR_KINDS 4
#define V1 (1ULL << VIRTIO_F_VERSION_1)
#define PMEM_SIZE (1 << 20)
#define PMEM_START 0x1140000000ULL

static struct guest guests[NR_KINDS];
static void *devices[NR_KINDS];

static void output(void *opaque, const void *bytes, size_t size)
{
}

static void drained(void *opaque)
{
}

static const struct device_kind *const kinds[NR_KINDS] = {
	&virtio_rng_device,
	&virtio_console_device,
	&virtio_balloon_device,
	&virtio_pmem_device,
};

static int map(void *opaque, uint64_t size, void *address, bool read_only,
	       uint64_t *start)
{
	require(read_only);
	*start = PMEM_START;
	return 0;
}

/* Return: the path of a file of @size bytes in memory. */
static const char *memory_file(off_t size)
{
	static char path[32];
	const int fd = memfd_create("fuzz", 0);

	require(!ftruncate(fd, size));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return path;
}

/*
 * The defaults, but that a console has a second port, and that persistent memory is not
 * written, so that no flush waits for the host.
 */
static void choose(const struct device_kind *kind, struct device_value *values)
{
	for (const struct device_option *option = kind->options;
	     option && option->name; option++, values++) {
		values->number = option->value;
		values->text = option->text;
		if (!strcmp(option->name, "file"))
			values->text = kind == &virtio_pmem_device ?
					       memory_file(PMEM_SIZE) :
					       "/dev/null";
		else if (!strcmp(option->name, "name"))
			values->text = "port";
		else if (!strcmp(option->name, "ro"))
			values->number = 1;
	}
}

static void make_devices(void)
{
	for (unsigned int i = 0; i < NR_KINDS; i++) {
		struct device_value values[DEVICE_MAX_OPTIONS] = {};

		guest_init(&guests[i]);
		guests[i].board.map = map;
		guests[i].board.serials[0].output = output;
		guests[i].board.serials[0].drained = drained;
		choose(kinds[i], values);
		devices[i] = kinds[i]->make(&guests[i].board, values, NULL);
		require(devices[i]);
		if (kinds[i]->release)
			require(!kinds[i]->release(devices[i]));
		guest_find(&guests[i]);
	}
}

/* A buffer of some kind, often a small one in the first pages. */
static void describe(struct input *in, const struct ring *ring)
{
	const u8 byte = next_byte(in);
	u64 address = next_bytes(in, 2);
	u32 size = next_byte(in) + 1;

	if (byte < 8)
		address = next_bytes(in, 8);
	if (byte % 16 == 9)
		size = next_bytes(in, 4);
	ring_describe(ring, next_byte(in) % ring->size, address, size,
		      byte >> 4 & (VRING_DESC_F_NEXT | VRING_DESC_F_WRITE |
				   VRING_DESC_F_INDIRECT),
		      next_byte(in) % ring->size);
}

static void scribble(struct input *in, const struct guest *guest)
{
	u8 *at = ram_at(guest->ram, next_bytes(in, 2), 16);

	for (unsigned int i = 0; i < 16; i++)
		at[i] = next_byte(in) % (i % 4 ? 2 : 8);
}

static void save_and_load(unsigned int number)
{
	struct record record = {};

	require(!device_save(kinds[number], devices[number], &record));
	kinds[number]->reset(devices[number]);
	require(!device_load(kinds[number], devices[number], &record));
	free(record.data);
}

static void step(struct input *in, unsigned int number)
{
	struct guest *guest = &guests[number];
	const u8 byte = next_byte(in);
	struct ring *ring = &guest->rings[(byte >> 4) % 6];

	switch (byte % 16) {
	case 0:
		guest_set(guest, next_byte(in) % 64, next_bytes(in, 4),
			  1 << next_byte(in) % 4);
		break;
	case 1:
		guest_write(guest, VIRTIO_PCI_CAP_DEVICE_CFG,
			    next_byte(in) % 20, next_bytes(in, 4),
			    1 << next_byte(in) % 3);
		break;
	case 2:
		if (byte & 0x10)
			save_and_load(number);
		break;
	case 3:
		guest_start(guest, V1 | (byte & 0x10 ? 3 : 0) |
					   (u64)(byte & 0x60) << 23);
		break;
	case 4:
	case 5:
		scribble(in, guest);
		break;
	case 6:
		virtio_console_receive(devices[1], "typed", 5);
		break;
	case 7:
		virtio_balloon_get(devices[2]);
		break;
	case 8:
	case 9:
	case 10:
		if (ring->ram)
			ring_offer(ring, next_byte(in) % ring->size);
		break;
	case 11:
	case 12:
	case 13:
		if (ring->ram)
			describe(in, ring);
		break;
	default:
		guest_ring_bell(guest, (byte >> 4) % 6);
		fake_turn();
		break;
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = input_of(data, size);
	const unsigned int number = next_byte(&in) % NR_KINDS;

	if (!devices[0])
		make_devices();
	guest_configure(&guests[number], PCI_COMMAND,
			PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
	guest_start(&guests[number], V1 | 3);
	for (int i = 0; i < NR_STEPS; i++)
		step(&in, number);
	/* Also for what has waited. */
	for (int i = 0; i < 4; i++)
		fake_turn();
	guest_set_status(&guests[number], 0);
	require(guest_status(&guests[number]) == 0);
	require(guest_start(&guests[number], V1));
	require(!(guest_status(&guests[number]) & VIRTIO_CONFIG_S_NEEDS_RESET));
	return 0;
}
