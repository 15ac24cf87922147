// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the guest's door to a fuzzer (the device "fuzz").
 */
#include "dev/fuzz.h"

#include <errno.h>
#include <string.h>

#include "kselftest_harness.h"

#define HIGH 0x123400000ULL

static struct {
	uint64_t mapped;
	uint32_t words[4];
	unsigned int count;
	uint32_t run;
	int error;
} seen;

static int map(void *opaque, uint64_t size, void *address, bool read_only,
	       uint64_t *start)
{
	*start = HIGH + seen.mapped;
	seen.mapped += size;
	return read_only ? -EINVAL : seen.error;
}

static uint32_t run(void *opaque)
{
	return seen.run;
}

static void tell(void *opaque, uint32_t word)
{
	seen.words[seen.count++ % 4] = word;
}

FIXTURE(door)
{
	struct board board;
	struct board_fuzz shared;
	struct device_value values[DEVICE_MAX_OPTIONS];
	struct device_error error;
	void *device;
};

FIXTURE_SETUP(door)
{
	self->shared = (struct board_fuzz){
		.input_size = 2 << 20,
		.coverage_size = 4 << 20,
		.coverage_used = 65536,
		.run = run,
		.tell = tell,
	};
	self->board = (struct board){
		.bus = bus_new(),
		.map = map,
		.fuzz = &self->shared,
	};
	self->values[0].number = FUZZ_PORT;
	self->device =
		fuzz_device.make(&self->board, self->values, &self->error);
}

FIXTURE_TEARDOWN(door)
{
	if (self->device)
		fuzz_device.free(self->device);
	bus_free(self->board.bus);
}

#define door_data FIXTURE_DATA(door)

static void out(door_data *self, uint16_t port, uint32_t value, size_t size)
{
	bus_write(self->board.bus, BUS_PORT, port, &value, size);
}

static uint32_t in(door_data *self, uint16_t port, size_t size)
{
	uint32_t value = 0;

	bus_read(self->board.bus, BUS_PORT, port, &value, size);
	return value;
}

static uint32_t fact(door_data *self, uint32_t number)
{
	out(self, FUZZ_PORT + FUZZ_FACT, number, 4);
	return in(self, FUZZ_PORT + FUZZ_FACT, 4);
}

TEST_F(door, guest_finds_what_it_shares_with_the_fuzzer)
{
	ASSERT_NE(NULL, self->device);
	EXPECT_EQ(FUZZ_MAGIC_VALUE, in(self, FUZZ_PORT + FUZZ_FACT, 4));
	EXPECT_EQ((uint32_t)HIGH, fact(self, FUZZ_INPUT_LOW));
	EXPECT_EQ(HIGH >> 32, fact(self, FUZZ_INPUT_HIGH));
	EXPECT_EQ((uint32_t)HIGH + (2 << 20), fact(self, FUZZ_COVERAGE_LOW));
	EXPECT_EQ(HIGH >> 32, fact(self, FUZZ_COVERAGE_HIGH));
	EXPECT_EQ(65536, fact(self, FUZZ_COVERAGE_SIZE));
	EXPECT_EQ(0, fact(self, FUZZ_COVERAGE_SIZE + 1));
	EXPECT_EQ(0, fact(self, UINT32_MAX));
}

TEST_F(door, guest_says_words_and_learns_of_runs)
{
	out(self, FUZZ_PORT, FUZZ_HERE, 4);
	out(self, FUZZ_PORT, 77, 4);
	EXPECT_EQ(2, seen.count);
	EXPECT_EQ(FUZZ_HERE, seen.words[0]);
	EXPECT_EQ(77, seen.words[1]);
	EXPECT_EQ(0, in(self, FUZZ_PORT, 4));
	seen.run = 5;
	EXPECT_EQ(5, in(self, FUZZ_PORT, 4));
}

TEST_F(door, accesses_of_other_sizes_say_nothing)
{
	out(self, FUZZ_PORT, FUZZ_HERE, 1);
	out(self, FUZZ_PORT + 1, FUZZ_HERE, 4);
	out(self, FUZZ_PORT, FUZZ_HERE, 2);
	EXPECT_EQ(0, seen.count);
	seen.run = 5;
	EXPECT_EQ(0, in(self, FUZZ_PORT, 2));
}

TEST_F(door, reset_lets_it_tell_of_itself)
{
	fact(self, FUZZ_COVERAGE_SIZE);
	fuzz_device.reset(self->device);
	EXPECT_EQ(FUZZ_MAGIC_VALUE, in(self, FUZZ_PORT + FUZZ_FACT, 4));
}

TEST_F(door, without_a_fuzzer_there_is_no_door)
{
	struct board board = { .bus = self->board.bus };

	EXPECT_EQ(NULL, fuzz_device.make(&board, self->values, &self->error));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_NE(NULL, strstr(self->error.remedy, "lodge fuzz"));
}

TEST_F(door, without_room_there_is_none)
{
	fuzz_device.free(self->device);
	bus_free(self->board.bus);
	self->board.bus = bus_new();
	seen.error = -EFBIG;
	self->device =
		fuzz_device.make(&self->board, self->values, &self->error);
	EXPECT_EQ(NULL, self->device);
	EXPECT_EQ(EFBIG, errno);
}

TEST_HARNESS_MAIN
