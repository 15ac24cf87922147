// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzes the loading of saved state, of each kind of device and of a whole board.
 *
 * The input is a sequence of choices: the object to load, raw bytes or a good record
 * with changes, and the guest's accesses afterwards.  A state that was loaded must be
 * one that can be saved and loaded again.
 */
#include <stdlib.h>
#include <string.h>

#include "dev/ioapic.h"
#include "dev/pic.h"
#include "fuzz_check.h"
#include "machine/devices.h"
#include "machine/held.h"
#include "machine/interrupts.h"
#include "places.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW 123456789012ULL
#define MEMORY (1ULL << 20)
#define CHIPS 2
#define MAX_CHANGES 64

struct input {
	const uint8_t *next;
	size_t left;
};

static uint8_t take(struct input *input)
{
	if (!input->left)
		return 0;
	input->left--;
	return *input->next++;
}

static uint32_t take32(struct input *input)
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++)
		value = value << 8 | take(input);
	return value;
}

static bool drop_msi(void *opaque, uint64_t address, uint32_t value)
{
	return true;
}

static void drop_power(void *opaque, enum power_event event, int code)
{
}

static void drop_call(void *opaque)
{
}

static void drop_event(void *opaque, unsigned int number)
{
}

static uint32_t no_run(void *opaque)
{
	return 0;
}

static void drop_word(void *opaque, uint32_t word)
{
}

/* Memory that nobody reaches. */
static int map_nothing(void *opaque, uint64_t size, void *address,
		       bool read_only, uint64_t *start)
{
	*start = 1ULL << 40;
	return 0;
}

static const struct board_fuzz no_fuzzer = {
	.coverage_used = 65536,
	.run = no_run,
	.tell = drop_word,
};

static struct board new_board(void)
{
	struct board board = {
		.bus = bus_new(),
		.loop = loop_new(),
		.ram = ram_new(MEMORY),
		.power = { .event = drop_power },
		.msi = drop_msi,
		.cpus = 1,
		.alarm = drop_call,
		.general_event = drop_event,
		.map = map_nothing,
		.fuzz = &no_fuzzer,
	};

	require(board.bus && board.loop && board.ram);
	for (size_t i = 0; i < SERIAL_MAX; i++)
		board.serials[i].drained = drop_call;
	board.pci = board_pci_new(&board);
	require(board.pci);
	loop_clock_stop(board.loop);
	require(!loop_clock_set(board.loop, NOW));
	return board;
}

static void free_board(struct board *board)
{
	pci_bus_free(board->pci);
	bus_free(board->bus);
	loop_free(board->loop);
	ram_free((struct ram *)board->ram);
}

/* Does accesses of the guest, while time passes. */
static void work(struct input *input, const struct board *board)
{
	while (input->left) {
		size_t place = take(input) % PLACES;
		uint64_t address =
			places[place].first + take(input) % places[place].count;
		uint8_t choice = take(input);
		size_t size = 1 << choice % 3;
		uint32_t value = take32(input);

		if (choice & 0x80)
			loop_clock_set(board->loop,
				       loop_now(board->loop) + value);
		if (choice & 0x40)
			bus_write(board->bus, places[place].space, address,
				  &value, size);
		else
			bus_read(board->bus, places[place].space, address,
				 &value, size);
	}
}

/* Changes bytes of a good record, cuts it, or replaces it by raw bytes. */
static void change(struct input *input, struct record *record)
{
	uint8_t changes = take(input) % MAX_CHANGES;

	if (take(input) & 1) {
		size_t size = take(input);

		record->size = 0;
		while (size--) {
			uint8_t byte = take(input);

			require(!record_append(record, &byte, 1));
		}
		return;
	}
	while (changes-- && record->size) {
		uint32_t at = take32(input) % record->size;

		record->data[at] = take(input);
	}
	if (take(input) == 0xff)
		record->size = take32(input) % (record->size + 1);
}

static const struct device_kind *kind_of(size_t number)
{
	static const struct device_kind *const chips[CHIPS] = {
		&pic_device,
		&ioapic_device,
	};

	return number < CHIPS ? chips[number] : devices_kind(number - CHIPS);
}

static size_t nr_kinds(void)
{
	size_t count = 0;

	while (kind_of(count))
		count++;
	return count;
}

/* True if a device can be made of the defaults. */
static bool needs_nothing(const struct device_kind *kind)
{
	const struct device_option *option = kind->options;

	for (size_t i = 0; option && option[i].name; i++)
		if (option[i].required)
			return false;
	return true;
}

static void fuzz_device(struct input *input, const struct device_kind *kind)
{
	const struct device_option *option = kind->options;
	struct device_value values[DEVICE_MAX_OPTIONS] = { 0 };
	struct device_error error = { 0 };
	struct record record = { 0 };
	struct board board = new_board();
	void *device;

	for (size_t i = 0; option && option[i].name; i++) {
		values[i].number = option[i].value;
		values[i].text = option[i].text;
	}
	device = kind->make(&board, values, &error);
	require(device && !device_save(kind, device, &record));
	change(input, &record);
	if (!device_load(kind, device, &record)) {
		work(input, &board);
		record.size = 0;
		require(!device_save(kind, device, &record));
		if (kind->reset)
			kind->reset(device);
		require(!device_load(kind, device, &record));
	}
	kind->free(device);
	free(record.data);
	free_board(&board);
}

/* Loads all sections of a machine except the vCPUs'. */
static void fuzz_board(struct input *input)
{
	const struct interrupts_config config = { .kick = drop_call };
	struct vcpu *none = NULL;
	struct devices_wanted wanted;
	struct record record = { 0 };
	struct board board = new_board();
	struct device_error error;
	struct held held = {
		.ram = (struct ram *)board.ram,
		.loop = board.loop,
		.vm = -1,
		.vcpus = &none,
		.taken = true,
	};

	held.interrupts = interrupts_new(&config, &board);
	devices_default(&wanted);
	held.devices = devices_new(&board, &wanted, &error);
	require(held.interrupts && held.devices);
	require(!held_save(&held, &record));
	change(input, &record);
	devices_reset(held.devices);
	interrupts_reset(held.interrupts);
	/* There is no VM that could take the clock, so it never succeeds. */
	require(held_load(&held, &record));
	work(input, &board);
	devices_free(held.devices);
	devices_forget(&wanted);
	interrupts_free(held.interrupts);
	free(record.data);
	free_board(&board);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	const struct device_kind *kind =
		kind_of(take(&input) % (nr_kinds() + 1));

	if (kind && needs_nothing(kind))
		fuzz_device(&input, kind);
	else
		fuzz_board(&input);
	return 0;
}
