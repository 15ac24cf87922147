// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzes the firmware configuration device with a guest's accesses to its ports and
 * requests for DMA.  A request that succeeds writes its range of guest memory and
 * nothing beside it; one that fails writes its result only.
 */
#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "dev/fwcfg.h"
#include "fuzz_check.h"
#include "fuzz_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MEMORY (1 << 20)
#define MAX_STEPS 8
#define SELECTOR 0x510
#define DMA_HIGH 0x514
#define DMA_LOW 0x518
#define FIRST_PORT 0x50e
#define PORTS 16
#define ERROR 1
#define READ 2
#define MARGIN 64
#define PATTERN 0xa5

static struct ram *ram;
static struct bus *bus;
static struct fwcfg *fwcfg;
static uint8_t *memory;

static void make(void)
{
	struct fwcfg_config config = { .cpus = 2, .ram_size = MEMORY };

	ram = ram_new(MEMORY);
	bus = bus_new();
	config.ram = ram;
	config.bus = bus;
	fwcfg = fwcfg_new(&config);
	require(ram && bus && fwcfg);
	require(!fwcfg_add(fwcfg, FWCFG_CMDLINE_DATA, "console=ttyS0", 14));
	require(!fwcfg_add_file(fwcfg, "empty", NULL, 0));
	memory = ram_at(ram, 0, MEMORY);
	memset(memory, PATTERN, MEMORY);
}

/* Most keys are of items. */
static uint16_t next_key(struct input *in)
{
	uint8_t choice = next_byte(in);

	if (choice < 0x40)
		return choice;
	if (choice < 0x50)
		return FWCFG_LOCAL + (choice & 0xf);
	return next_bytes(in, 2);
}

/* Most are in memory or at its ends. */
static uint64_t next_address(struct input *in)
{
	switch (next_byte(in) % 4) {
	case 0:
		return next_bytes(in, 8);
	case 1:
		return MEMORY - next_byte(in);
	case 2:
		return -(uint64_t)next_byte(in);
	default:
		return next_bytes(in, 3) % MEMORY;
	}
}

static bool is_pattern(uint64_t from, uint64_t to)
{
	for (; from < to && from < MEMORY; from++)
		if (memory[from] != PATTERN)
			return false;
	return true;
}

static void check_margins(uint64_t address, uint32_t length)
{
	uint64_t end = address + length;

	require(is_pattern(address > MARGIN ? address - MARGIN : 0, address));
	require(is_pattern(end, end + MARGIN));
}

static void ask_for_dma(struct input *in)
{
	uint32_t control = next_byte(in) | (uint32_t)next_key(in) << 16;
	uint64_t address = next_address(in), at = next_address(in);
	uint32_t length = next_byte(in) & 1 ? next_byte(in) : next_bytes(in, 4);
	uint32_t be[] = { htobe32(control), htobe32(length),
			  htobe32(address >> 32), htobe32(address) };
	uint32_t high = htobe32(at >> 32), low = htobe32(at), result;
	uint8_t *request = ram_at(ram, at, sizeof(be));

	if (request)
		memcpy(request, be, sizeof(be));
	bus_write(bus, BUS_PORT, DMA_HIGH, &high, sizeof(high));
	bus_write(bus, BUS_PORT, DMA_LOW, &low, sizeof(low));
	if (!request) {
		require(is_pattern(address, address + MARGIN));
		return;
	}
	memcpy(&result, request, sizeof(result));
	result = be32toh(result);
	memset(request, PATTERN, sizeof(be));
	require(!result || result == ERROR);
	require(result || !(control & READ) || !length ||
		ram_at(ram, address, length));
	if (result || !(control & READ)) {
		require(is_pattern(address, address + MARGIN));
		return;
	}
	check_margins(address, length);
	if (length)
		memset(ram_at(ram, address, length), PATTERN, length);
}

static void access_port(struct input *in)
{
	uint16_t port = FIRST_PORT + next_byte(in) % PORTS;
	size_t size = 1 << next_byte(in) % 3;
	uint32_t value = next_bytes(in, 4);

	if (port == DMA_LOW && size == sizeof(value))
		return;
	if (next_byte(in) & 1)
		bus_write(bus, BUS_PORT, port, &value, size);
	else
		bus_read(bus, BUS_PORT, port, &value, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = input_of(data, size);

	if (!fwcfg)
		make();
	fwcfg_device.reset(fwcfg);
	for (unsigned int i = 0; i < MAX_STEPS; i++) {
		uint16_t key = next_key(&in);

		switch (next_byte(&in) % 4) {
		case 0:
			bus_write(bus, BUS_PORT, SELECTOR, &key, sizeof(key));
			break;
		case 1:
			access_port(&in);
			break;
		default:
			ask_for_dma(&in);
		}
	}
	return 0;
}
