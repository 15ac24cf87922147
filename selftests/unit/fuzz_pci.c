// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzes what a guest does to PCI: configuration space by ports and in memory, accesses
 * to BARs wherever they have been put, and messages; and in between what devices do, and
 * loading of changed states.
 *
 * Afterwards what each device was told must be what is true: a BAR answers where it was
 * said to be, and no message is pending that could be sent.
 */
#include <string.h>

#include "fuzz_check.h"
#include "fuzz_input.h"
#include "pci_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DEVICES 4
#define MEMORY (1ULL << 20)
#define VECTORS 9
#define TABLE 0x400

static struct pci_device devices[DEVICES];

static void make_devices(struct pci_world *world)
{
	static const enum pci_bar_kind kinds[] = {
		PCI_BAR_MEMORY32,
		PCI_BAR_MEMORY64,
		PCI_BAR_PORT,
	};

	for (unsigned int i = 0; i < DEVICES; i++) {
		struct pci_device *device = &devices[i];

		device_init(device);
		device_bar(device, 0, PCI_BAR_PORT, 0x10 << i);
		device_bar(device, 1, PCI_BAR_MEMORY32, DEVICE_MEMORY);
		device_bar(device, 2, PCI_BAR_MEMORY64, 0x10 << 4 * i);
		device_bar(device, 4, kinds[i % 3], 0x40);
		require(pci_add_capability(&device->function, 9, "abcd", 4) >
			0);
		require(!pci_add_msix(&device->function, 1, TABLE,
				      VECTORS + 20 * i));
		for (int bar = 0; bar < PCI_NR_BARS; bar++)
			device->moved[bar] = PCI_BAR_OFF;
		if (i < DEVICES - 1)
			require(!pci_bus_plug(world->pci, &device->function));
		else
			require(!pci_bus_add(world->pci, 1, 3,
					     &device->function));
	}
}

static void port_get(struct pci_world *world, uint16_t port, size_t size)
{
	uint8_t bytes[4];

	bus_read(world->bus, BUS_PORT, port, bytes, size);
}

/* Return: an address of interest: of a BAR, of configuration space, or any. */
static uint64_t choose_address(struct input *in)
{
	const struct pci_device *device = &devices[next_byte(in) % DEVICES];
	const uint8_t choice = next_byte(in);

	switch (choice % 8) {
	case 0:
		return ECAM + next_bytes(in, 3) % 0x100000;
	case 1:
		return next_bytes(in, 1 + choice / 8 % 8);
	case 2:
		return device->moved[1] + TABLE - 8 + next_bytes(in, 2) % 0x400;
	default:
		return device->moved[choice / 8 % PCI_NR_BARS] + next_byte(in) -
		       8;
	}
}

static void access_memory(struct pci_world *world, struct input *in)
{
	const uint64_t address = choose_address(in);
	const uint8_t choice = next_byte(in);
	const size_t size = 1 + choice / 2 % 16;
	uint8_t bytes[16];

	if (choice & 1) {
		for (size_t i = 0; i < size; i++)
			bytes[i] = next_byte(in);
		bus_write(world->bus, BUS_MMIO, address, bytes, size);
	} else {
		bus_read(world->bus, BUS_MMIO, address, bytes, size);
	}
}

static void access_port(struct pci_world *world, struct input *in)
{
	const struct pci_device *device = &devices[next_byte(in) % DEVICES];
	const uint8_t choice = next_byte(in);
	uint16_t port = CONFIG_ADDRESS - 3 + choice / 16;

	if (choice & 2)
		port = next_bytes(in, 2);
	else if (choice & 4)
		port = device->moved[0] + next_byte(in) % 0x20 - 4;
	if (choice & 1)
		out(world->bus, port, next_bytes(in, 4), 1 << choice / 4 % 3);
	else
		port_get(world, port, 1 << choice / 4 % 3);
}

/* Writes a register of a function that there is. */
static void configure(struct pci_world *world, struct input *in)
{
	static const uint8_t registers[] = {
		0x04, 0x10, 0x14, 0x18, 0x1c, 0x20, 0x24, 0x3c, 0x40, 0x48,
	};
	const struct pci_function *function =
		&devices[next_byte(in) % DEVICES].function;
	const uint8_t choice = next_byte(in);
	const uint64_t at = ECAM + ((uint64_t)function->devfn << 12) +
			    registers[choice % sizeof(registers)];

	if (choice & 0x80)
		memory_put(world, at, next_bytes(in, 4), 4);
	else
		memory_put(world, at,
			   (uint32_t)next_byte(in) << 8 * (choice / 16 % 4), 4);
}

/* Loads a state with changes, as a record would bring it. */
static void load(struct input *in)
{
	static struct pci_function saved;
	struct pci_function *function =
		&devices[next_byte(in) % DEVICES].function;
	struct pci_function *copy = &saved;

	memcpy(copy, function, sizeof(*copy));
	for (int i = next_byte(in) % 4; i; i--) {
		copy->config[next_byte(in)] ^= 1 << next_byte(in) % 8;
		copy->msix.table[next_bytes(in, 2) % sizeof(copy->msix.table)] ^=
			next_byte(in);
		copy->msix.pending[next_byte(in) % sizeof(copy->msix.pending)] ^=
			next_byte(in);
	}
	if (!pci_function_is_sound(copy))
		return;
	memcpy(function->config, copy->config, sizeof(copy->config));
	memcpy(function->msix.table, copy->msix.table,
	       sizeof(copy->msix.table));
	memcpy(function->msix.pending, copy->msix.pending,
	       sizeof(copy->msix.pending));
	function->level = next_byte(in) & 1;
	pci_function_loaded(function);
}

static void device_acts(struct input *in)
{
	struct pci_function *function =
		&devices[next_byte(in) % DEVICES].function;
	const uint8_t choice = next_byte(in);
	uint8_t bytes[16];

	switch (choice % 5) {
	case 0:
		pci_intx_set(function, choice / 8 % 2);
		break;
	case 1:
		pci_bar_read(function, next_byte(in) % 8, next_bytes(in, 2),
			     bytes, 1 + choice / 16);
		break;
	case 2:
		pci_function_reset(function);
		break;
	default:
		pci_msix_notify(function, next_byte(in));
		break;
	}
}

static void check_bar(struct pci_world *world, struct pci_device *device,
		      unsigned int number)
{
	const struct pci_bar *bar = &device->function.bars[number];
	const unsigned int before = device->reads;
	const uint64_t address = device->moved[number];

	require(bar->kind == PCI_BAR_NONE || bar->address == address);
	if (bar->kind == PCI_BAR_NONE || address == PCI_BAR_OFF)
		return;
	require(!(address & (bar->size - 1)));
	if (bar->kind == PCI_BAR_PORT)
		port_get(world, address, 1);
	else
		memory_get(world, address, 1);
	require(device->reads == before + 1);
}

static void check(struct pci_world *world)
{
	unsigned int asserted[4] = { 0 };

	for (unsigned int i = 0; i < DEVICES; i++) {
		struct pci_function *function = &devices[i].function;
		const unsigned int device = function->devfn / PCI_FUNCTIONS;

		require(pci_function_is_sound(function));
		for (unsigned int bar = 0; bar < PCI_NR_BARS; bar++)
			check_bar(world, &devices[i], bar);
		if (function->level && function->config[0x3d] &&
		    !(function->config[5] & 4) && !pci_msix_enabled(function))
			asserted[device % 4]++;
	}
	for (unsigned int i = 0; i < 4; i++)
		require(!asserted[i] == !(world->log.levels >> (16 + i) & 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = input_of(data, size);
	struct pci_world world;

	world_make(&world, MEMORY);
	require(world.bridge != NULL);
	make_devices(&world);
	while (in.left) {
		switch (next_byte(&in) % 8) {
		case 0:
			access_port(&world, &in);
			break;
		case 1:
			load(&in);
			break;
		case 2:
			device_acts(&in);
			break;
		case 3:
		case 4:
		case 5:
			configure(&world, &in);
			break;
		default:
			access_memory(&world, &in);
			break;
		}
		check(&world);
	}
	world_free(&world);
	return 0;
}
