// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of every device's state: it is saved in the middle of the device's work and
 * loaded by another machine's device; a reset clears it; a changed record is refused or
 * does no harm.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dev/ioapic.h"
#include "dev/pic.h"
#include "kselftest_harness.h"
#include "machine/devices.h"
#include "places.h"

#define NOW 123456789012ULL
#define MEMORY (16ULL << 20)
#define FILE_SIZE (1 << 20)

/* A board for one device; its lines and messages are not connected. */
struct setup {
	struct board board;
	const struct device_kind *kind;
	void *device;
	int file;
	char path[32];
};

static const struct device_kind *const chips[] = { &pic_device,
						   &ioapic_device };

/* Each kind that can be made here, with its name for the options of users. */
#define TRIED(KIND)                            \
	KIND(pic, "pic")                       \
	KIND(ioapic, "ioapic")                 \
	KIND(serial, "serial")                 \
	KIND(rtc, "rtc")                       \
	KIND(i8042, "i8042")                   \
	KIND(pit, "pit")                       \
	KIND(pm, "pm")                         \
	KIND(pci, "pci")                       \
	KIND(fwcfg, "fwcfg")                   \
	KIND(crt, "crt")                       \
	KIND(debug_exit, "debug-exit")         \
	KIND(testdev, "testdev")               \
	KIND(checkpoint, "checkpoint")         \
	KIND(virtio_blk, "virtio-blk")         \
	KIND(virtio_scsi, "virtio-scsi")       \
	KIND(virtio_rng, "virtio-rng")         \
	KIND(virtio_console, "virtio-console") \
	KIND(virtio_balloon, "virtio-balloon")

#define NAME_OF(word, name) name,

static const char *const tried[] = { TRIED(NAME_OF) };

/* Those that have tests of their own: they need a server, or a load changes their state. */
static const char *const elsewhere[] = { "vmgenid",	"virtio-qcow2",
					 "virtio-net",	"virtio-fs",
					 "vhost-user",	"virtio-vsock",
					 "virtio-pmem", "fuzz" };

/* Return: NULL behind the last. */
static const struct device_kind *kind_of(size_t number)
{
	return number < 2 ? chips[number] : devices_kind(number - 2);
}

static const struct device_kind *find_kind(const char *name)
{
	const struct device_kind *kind;

	for (size_t i = 0; (kind = kind_of(i)); i++)
		if (!strcmp(kind->name, name))
			return kind;
	return NULL;
}

static bool drop_msi(void *opaque, uint64_t address, uint32_t data)
{
	return true;
}

static void drop_power(void *opaque, enum power_event event, int code)
{
}

/* Gives a device that needs files one of its own for each. */
static void give_file(const struct device_option *option,
		      struct device_value *value, struct setup *setup)
{
	if (option->type != DEVICE_TEXT || !option->required)
		return;
	setup->file = memfd_create("device", MFD_CLOEXEC);
	if (ftruncate(setup->file, FILE_SIZE))
		perror("ftruncate");
	snprintf(setup->path, sizeof(setup->path), "/proc/self/fd/%d",
		 setup->file);
	value->text = setup->path;
}

static struct setup set_up(const struct device_kind *kind)
{
	struct setup setup = { .kind = kind, .file = -1 };
	struct device_value values[DEVICE_MAX_OPTIONS] = { 0 };
	const struct device_option *option = kind->options;
	struct device_error error = { 0 };

	for (size_t i = 0; option && option[i].name; i++) {
		values[i].number = option[i].value;
		values[i].text = option[i].text;
		give_file(&option[i], &values[i], &setup);
	}
	setup.board = (struct board){
		.bus = bus_new(),
		.loop = loop_new(),
		.ram = ram_new(MEMORY),
		.power = { .event = drop_power },
		.msi = drop_msi,
		.cpus = 1,
	};
	setup.board.pci = board_pci_new(&setup.board);
	loop_clock_stop(setup.board.loop);
	loop_clock_set(setup.board.loop, NOW);
	setup.device = kind->make(&setup.board, values, &error);
	return setup;
}

static void tear_down(struct setup *setup)
{
	setup->kind->free(setup->device);
	close(setup->file);
	pci_bus_free(setup->board.pci);
	bus_free(setup->board.bus);
	loop_free(setup->board.loop);
	ram_free((struct ram *)setup->board.ram);
}

static uint32_t seed;

static uint32_t chance(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 8;
}

/* Does random reads and writes while time passes.  Return: a checksum of the reads. */
static uint32_t work(struct setup *setup, unsigned int rounds)
{
	uint32_t sum = 0;

	while (rounds--) {
		size_t place = chance() % PLACES;
		uint64_t address =
			places[place].first + chance() % places[place].count;
		size_t size = 1 << chance() % 3;
		uint32_t value = chance();

		loop_clock_set(setup->board.loop, loop_now(setup->board.loop) +
							  chance() % 1000000);
		if (chance() % 2) {
			bus_write(setup->board.bus, places[place].space,
				  address, &value, size);
			continue;
		}
		value = 0;
		bus_read(setup->board.bus, places[place].space, address, &value,
			 size);
		sum = sum * 31 + value;
	}
	return sum;
}

static bool same(const struct record *a, const struct record *b)
{
	return a->size == b->size &&
	       (!a->size || !memcmp(a->data, b->data, a->size));
}

FIXTURE(state)
{
	struct setup first;
	struct setup second;
	struct record saved;
	struct record again;
};

FIXTURE_VARIANT(state)
{
	const char *name;
};

#define ADD_VARIANT(word, kind)           \
	FIXTURE_VARIANT_ADD(state, word){ \
		.name = kind,             \
	};

TRIED(ADD_VARIANT)

FIXTURE_SETUP(state)
{
	const struct device_kind *kind = find_kind(variant->name);

	ASSERT_NE(NULL, kind);
	self->first = set_up(kind);
	self->second = set_up(kind);
	ASSERT_NE(NULL, self->first.device);
	ASSERT_NE(NULL, self->second.device);
	seed = 1;
}

FIXTURE_TEARDOWN(state)
{
	tear_down(&self->first);
	tear_down(&self->second);
	free(self->saved.data);
	free(self->again.data);
}

static int save(const struct setup *setup, struct record *record)
{
	free(record->data);
	*record = (struct record){ 0 };
	return device_save(setup->kind, setup->device, record);
}

TEST_F(state, comes_back_in_another_device_which_then_works_alike)
{
	/* The clock uses the host's wall clock: rtc.c tests this. */
	if (self->first.kind == devices_find("rtc"))
		SKIP(return, "the host's time goes on");
	for (int round = 0; round < 200; round++) {
		uint32_t then, sum;

		work(&self->first, 50);
		ASSERT_EQ(0, save(&self->first, &self->saved));
		loop_clock_set(self->second.board.loop,
			       loop_now(self->first.board.loop));
		if (self->second.kind->reset)
			self->second.kind->reset(self->second.device);
		ASSERT_EQ(0, device_load(self->second.kind, self->second.device,
					 &self->saved));
		ASSERT_EQ(0, save(&self->second, &self->again));
		EXPECT_TRUE(same(&self->saved, &self->again));
		then = seed;
		sum = work(&self->first, 50);
		seed = then;
		EXPECT_EQ(sum, work(&self->second, 50));
	}
}

TEST_F(state, is_forgotten_by_a_reset)
{
	if (!self->first.kind->reset)
		SKIP(return, "the device has no state");
	/* The clock's battery keeps state: rtc.c tests this. */
	if (self->first.kind == devices_find("rtc"))
		SKIP(return, "its battery keeps it");
	self->first.kind->reset(self->first.device);
	ASSERT_EQ(0, save(&self->first, &self->saved));
	work(&self->first, 1000);
	loop_clock_set(self->first.board.loop, NOW);
	self->first.kind->reset(self->first.device);
	ASSERT_EQ(0, save(&self->first, &self->again));
	EXPECT_TRUE(same(&self->saved, &self->again));
}

TEST_F(state, is_taken_or_refused_when_an_enemy_has_changed_it)
{
	for (int round = 0; round < 3000; round++) {
		int err;

		work(&self->first, 4);
		ASSERT_EQ(0, save(&self->first, &self->saved));
		if (!self->saved.size)
			break;
		for (int flips = chance() % 4; flips >= 0; flips--)
			self->saved.data[chance() % self->saved.size] ^=
				1 << chance() % 8;
		if (chance() % 4 == 0)
			self->saved.size = chance() % self->saved.size;
		err = device_load(self->second.kind, self->second.device,
				  &self->saved);
		EXPECT_TRUE(err == 0 || err == -EINVAL);
		work(&self->second, 40);
	}
}

TEST_F(state, of_any_bytes_is_taken_or_refused)
{
	uint8_t bytes[64];

	for (int round = 0; round < 3000; round++) {
		struct record any = { bytes, chance() % sizeof(bytes) };
		int err;

		for (size_t i = 0; i < any.size; i++)
			bytes[i] = chance() % 4 ? 0 : chance();
		err = device_load(self->first.kind, self->first.device, &any);
		EXPECT_TRUE(err == 0 || err == -EINVAL);
	}
	work(&self->first, 100);
}

static bool is_among(const char *name, const char *const *names, size_t count)
{
	while (count--)
		if (!strcmp(names[count], name))
			return true;
	return false;
}

TEST(every_kind_has_its_tests)
{
	const struct device_kind *kind;

	for (size_t i = 0; (kind = kind_of(i)); i++) {
		EXPECT_TRUE(is_among(kind->name, tried,
				     sizeof(tried) / sizeof(*tried)) ||
			    is_among(kind->name, elsewhere,
				     sizeof(elsewhere) / sizeof(*elsewhere)))
		{
			TH_LOG("%s", kind->name);
		}
	}
}

TEST(every_kind_fits_its_tables)
{
	const struct device_kind *kind;

	for (size_t i = 0; (kind = kind_of(i)); i++) {
		const struct device_option *option = kind->options;
		size_t count = 0;

		while (option && option[count].name)
			count++;
		EXPECT_LE(count, DEVICE_MAX_OPTIONS);
		EXPECT_LT(strlen(kind->name), RECORD_NAME_SIZE);
		EXPECT_LE(kind->nr_fields, RECORD_MAX_FIELDS);
	}
}

TEST_HARNESS_MAIN
