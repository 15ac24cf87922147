/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A PCI bus with its host bridge, and devices on it, for tests of both: the messages that
 * functions send and the levels of the board's lines are recorded.
 */
#ifndef LODGE_UNIT_PCI_FIXTURE_H
#define LODGE_UNIT_PCI_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "board/pci.h"
#include "dev/pci.h"
#include "fakes.h"

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA 0xcfc
#define CONFIG_ENABLE 0x80000000
#define ECAM 0xc0000000ULL
#define HOLE 0xc0100000

#define DEVICE_MEMORY 0x1000
#define MAX_MESSAGES 16
#define GIB (1ULL << 30)

struct board_log {
	struct pci_message messages[MAX_MESSAGES];
	unsigned int nr_messages;
	uint32_t levels;
	unsigned int changes;
};

/* A device: what is behind each of its BARs is @memory; its calls are counted. */
struct pci_device {
	struct pci_function function;
	uint8_t memory[DEVICE_MEMORY];
	unsigned int reads;
	unsigned int writes;
	size_t last_size;
	unsigned int moves;
	uint64_t moved[PCI_NR_BARS];
	unsigned int tells;
	unsigned int vector;
	bool sends;
	struct pci_message message;
};

struct pci_world {
	struct bus *bus;
	struct ram *ram;
	struct pci_bus *pci;
	struct pci *bridge;
	struct board_log log;
};

static inline bool log_message(void *opaque, uint64_t address, uint32_t data)
{
	struct board_log *log = opaque;

	if (log->nr_messages < MAX_MESSAGES)
		log->messages[log->nr_messages] =
			(struct pci_message){ address, data };
	log->nr_messages++;
	return true;
}

static inline void log_level(void *opaque, unsigned int number, bool level)
{
	struct board_log *log = opaque;

	log->changes++;
	log->levels &= ~(1U << number);
	log->levels |= (uint32_t)level << number;
}

static inline void device_read(void *opaque, uint64_t offset, void *data,
			       size_t size)
{
	struct pci_device *device = opaque;

	device->reads++;
	device->last_size = size;
	memcpy(data, &device->memory[offset % DEVICE_MEMORY], size);
}

static inline void device_write(void *opaque, uint64_t offset, const void *data,
				size_t size)
{
	struct pci_device *device = opaque;

	device->writes++;
	device->last_size = size;
	memcpy(&device->memory[offset % DEVICE_MEMORY], data, size);
}

#define DEVICE_MOVED(n)                                                     \
	static inline void device_moved_##n(void *opaque, uint64_t address) \
	{                                                                   \
		struct pci_device *device = opaque;                         \
                                                                            \
		device->moves++;                                            \
		device->moved[n] = address;                                 \
	}
DEVICE_MOVED(0)
DEVICE_MOVED(1)
DEVICE_MOVED(2)
DEVICE_MOVED(3)
DEVICE_MOVED(4)
DEVICE_MOVED(5)

static inline void device_told(void *opaque, unsigned int vector,
			       const struct pci_message *message)
{
	struct pci_device *device = opaque;

	device->tells++;
	device->vector = vector;
	device->sends = message;
	if (message)
		device->message = *message;
}

static inline void device_init(struct pci_device *device)
{
	const struct pci_identity identity = {
		.vendor = 0x1234,
		.device = 0x5678,
		.subsystem_vendor = 0x9abc,
		.subsystem = 0xdef0,
		.class = 0x020304,
		.revision = 5,
	};

	memset(device, 0, sizeof(*device));
	pci_function_init(&device->function, &identity);
	device->function.opaque = device;
	device->function.message = device_told;
}

static inline void device_bar(struct pci_device *device, unsigned int bar,
			      enum pci_bar_kind kind, uint64_t size)
{
	static void (*const moved[PCI_NR_BARS])(void *, uint64_t) = {
		device_moved_0, device_moved_1, device_moved_2,
		device_moved_3, device_moved_4, device_moved_5,
	};

	device->function.bars[bar] = (struct pci_bar){
		.kind = kind,
		.size = size,
		.read = device_read,
		.write = device_write,
		.moved = moved[bar],
	};
}

/* A world with @memory bytes of RAM. */
static inline void world_make(struct pci_world *world, uint64_t memory)
{
	struct pci_bus_config config = {
		.lines = { .set = log_level, .opaque = &world->log },
		.msi = log_message,
		.msi_opaque = &world->log,
	};

	memset(world, 0, sizeof(*world));
	world->bus = bus_new();
	world->ram = ram_new(memory);
	config.bus = world->bus;
	config.ram = world->ram;
	world->pci = pci_bus_new(&config);
	world->bridge = pci_new(world->bus, world->pci);
}

static inline void world_free(struct pci_world *world)
{
	pci_free(world->bridge);
	pci_bus_free(world->pci);
	bus_free(world->bus);
	ram_free(world->ram);
}

static inline uint64_t config_at(unsigned int device, unsigned int function,
				 unsigned int offset)
{
	return ECAM + (device << 15 | function << 12 | offset);
}

static inline uint32_t memory_get(struct pci_world *world, uint64_t address,
				  size_t size)
{
	uint32_t value = 0;

	bus_read(world->bus, BUS_MMIO, address, &value, size);
	return value;
}

static inline void memory_put(struct pci_world *world, uint64_t address,
			      uint32_t value, size_t size)
{
	bus_write(world->bus, BUS_MMIO, address, &value, size);
}

/* A double word of configuration space of function 0 of a device. */
static inline uint32_t config_get(struct pci_world *world, unsigned int device,
				  unsigned int offset)
{
	return memory_get(world, config_at(device, 0, offset), 4);
}

static inline void config_put(struct pci_world *world, unsigned int device,
			      unsigned int offset, uint32_t value)
{
	memory_put(world, config_at(device, 0, offset), value, 4);
}

#endif
