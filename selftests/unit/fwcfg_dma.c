// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the DMA of the firmware configuration device against QEMU's description of
 * it, and against guests that ask for what is not theirs.
 */
#include <endian.h>
#include <string.h>

#include "kselftest_harness.h"

#include "dev/fwcfg.h"
#include "fakes.h"

#define HIGH 0x514
#define LOW 0x518

#define ERROR 0x01
#define READ 0x02
#define SKIP_BYTES 0x04
#define SELECT 0x08
#define WRITE 0x10
#define ITEM(key) ((uint32_t)(key) << 16 | SELECT)

#define MEMORY (8 << 20)
#define REQUEST 0x1000
#define BUFFER 0x2000
#define KEY 0x8100
#define PATTERN 0xaa
#define LENGTH_MAX 0xffffffff
/* What neither result of a request is. */
#define UNTOUCHED 0xfeedbeef

FIXTURE(dma)
{
	struct bus *bus;
	struct ram *ram;
	struct fwcfg *fwcfg;
	uint8_t *buffer;
};

FIXTURE_SETUP(dma)
{
	struct fwcfg_config config = { .cpus = 3 };

	self->bus = bus_new();
	self->ram = ram_new(MEMORY);
	ASSERT_NE(NULL, self->ram);
	config.bus = self->bus;
	config.ram = self->ram;
	self->fwcfg = fwcfg_new(&config);
	ASSERT_NE(NULL, self->fwcfg);
	ASSERT_EQ(0, fwcfg_add(self->fwcfg, KEY, "abcdef", 6));
	memset(ram_at(self->ram, 0, MEMORY), PATTERN, MEMORY);
	self->buffer = ram_at(self->ram, BUFFER, MEMORY - BUFFER);
}

FIXTURE_TEARDOWN(dma)
{
	fwcfg_free(self->fwcfg);
	bus_free(self->bus);
	ram_free(self->ram);
}

static void put_request(const struct ram *ram, uint64_t gpa, uint32_t control,
			uint64_t address, uint32_t length)
{
	uint32_t be[] = { htobe32(control), htobe32(length),
			  htobe32(address >> 32), htobe32(address) };

	memcpy(ram_at(ram, gpa, sizeof(be)), be, sizeof(be));
}

static uint32_t result(const struct ram *ram, uint64_t gpa)
{
	uint32_t be;

	memcpy(&be, ram_at(ram, gpa, sizeof(be)), sizeof(be));
	return be32toh(be);
}

/* Return: the control word that the device leaves. */
static uint32_t request(FIXTURE_DATA(dma) * self, uint32_t control,
			uint64_t address, uint32_t length)
{
	put_request(self->ram, REQUEST, control, address, length);
	out(self->bus, LOW, htobe32(REQUEST), 4);
	return result(self->ram, REQUEST);
}

/* True if all of memory but for the request is as it was. */
static bool is_untouched(FIXTURE_DATA(dma) * self)
{
	memset(ram_at(self->ram, REQUEST, 16), PATTERN, 16);
	self->buffer = ram_at(self->ram, 0, MEMORY);
	return self->buffer[0] == PATTERN &&
	       !memcmp(self->buffer, self->buffer + 1, MEMORY - 1);
}

TEST_F(dma, signature_is_read_from_the_address_register)
{
	uint32_t high = in(self->bus, HIGH, 4), low = in(self->bus, LOW, 4);

	EXPECT_EQ(0, memcmp(&high, "QEMU", 4));
	EXPECT_EQ(0, memcmp(&low, " CFG", 4));
}

TEST_F(dma, item_is_selected_and_read)
{
	EXPECT_EQ(0, request(self, ITEM(KEY) | READ, BUFFER, 6));
	EXPECT_EQ(0, memcmp(self->buffer, "abcdef", 6));
	EXPECT_EQ(PATTERN, self->buffer[6]);
}

TEST_F(dma, reading_goes_on_where_it_stopped)
{
	EXPECT_EQ(0, request(self, ITEM(KEY) | READ, BUFFER, 2));
	EXPECT_EQ(0, request(self, READ, BUFFER, 2));
	EXPECT_EQ(0, memcmp(self->buffer, "cd\xaa", 3));
	EXPECT_EQ('e', inb(self->bus, 0x511));
}

TEST_F(dma, item_selected_by_port_is_read)
{
	out(self->bus, 0x510, KEY, 2);
	EXPECT_EQ(0, request(self, READ, BUFFER, 6));
	EXPECT_EQ(0, memcmp(self->buffer, "abcdef", 6));
}

TEST_F(dma, pages_that_are_written_are_noted)
{
	uint64_t first = 0, bits;

	ASSERT_EQ(0, ram_log_begin(self->ram));
	EXPECT_EQ(0, request(self, ITEM(KEY) | READ, BUFFER + 4093, 6));
	ASSERT_TRUE(page_log_take(ram_log(self->ram), &first, &bits));
	EXPECT_EQ(0, first);
	EXPECT_EQ(1 << REQUEST / 4096 | 3 << BUFFER / 4096, bits);
}

TEST_F(dma, bytes_are_skipped)
{
	EXPECT_EQ(0, request(self, ITEM(KEY) | SKIP_BYTES, 0, 4));
	EXPECT_EQ(0, request(self, READ, BUFFER, 2));
	EXPECT_EQ(0, memcmp(self->buffer, "ef", 2));
}

TEST_F(dma, skipping_stops_at_the_end)
{
	EXPECT_EQ(0, request(self, ITEM(KEY) | SKIP_BYTES, 0, LENGTH_MAX));
	EXPECT_EQ(0, request(self, SKIP_BYTES, 0, LENGTH_MAX));
	EXPECT_EQ(0, request(self, READ, BUFFER, 1));
	EXPECT_EQ(0, self->buffer[0]);
}

TEST_F(dma, reading_past_the_end_gives_zeroes)
{
	static const uint8_t expected[] = "abcdef\0\0\xaa";

	EXPECT_EQ(0, request(self, ITEM(KEY) | READ, BUFFER, 8));
	EXPECT_EQ(0, memcmp(self->buffer, expected, 9));
}

TEST_F(dma, absent_item_gives_zeroes)
{
	EXPECT_EQ(0, request(self, ITEM(0x1234) | READ, BUFFER, 8));
	EXPECT_EQ(0, memcmp(self->buffer, "\0\0\0\0\0\0\0\0\xaa", 9));
}

TEST_F(dma, selecting_alone_transfers_nothing)
{
	EXPECT_EQ(0, request(self, ITEM(KEY), BUFFER, 6));
	EXPECT_EQ('a', inb(self->bus, 0x511));
	EXPECT_TRUE(is_untouched(self));
}

TEST_F(dma, read_comes_before_write_and_skip)
{
	EXPECT_EQ(0, request(self, ITEM(KEY) | READ | WRITE | SKIP_BYTES,
			     BUFFER, 6));
	EXPECT_EQ(0, memcmp(self->buffer, "abcdef", 6));
}

TEST_F(dma, writing_is_refused)
{
	EXPECT_EQ(ERROR, request(self, ITEM(KEY) | WRITE, BUFFER, 6));
	EXPECT_EQ(0, request(self, ITEM(KEY) | READ, BUFFER, 6));
	EXPECT_EQ(0, memcmp(self->buffer, "abcdef", 6));
}

TEST_F(dma, writing_nothing_is_no_error)
{
	EXPECT_EQ(0, request(self, ITEM(KEY) | WRITE, BUFFER, 0));
}

TEST_F(dma, directory_is_read_as_it_is_now)
{
	ASSERT_EQ(0, fwcfg_add_file(self->fwcfg, "opt/test", "x", 1));
	EXPECT_EQ(0, request(self, ITEM(FWCFG_DIRECTORY) | READ, BUFFER, 132));
	EXPECT_EQ(0, memcmp(self->buffer, "\0\0\0\2", 4));
	EXPECT_STREQ("opt/test", (char *)self->buffer + 4 + 64 + 8);
}

TEST_F(dma, request_above_4_gib_is_found)
{
	struct ram *ram = ram_new((4ULL << 30) + MEMORY);
	struct bus *bus = bus_new();
	const struct fwcfg_config config = { .bus = bus,
					     .ram = ram,
					     .cpus = 3 };
	struct fwcfg *fwcfg = fwcfg_new(&config);

	ASSERT_NE(NULL, fwcfg);
	put_request(ram, 0x100000010, ITEM(FWCFG_NB_CPUS) | READ, 0x100000020,
		    2);
	out(bus, HIGH, htobe32(1), 4);
	out(bus, LOW, htobe32(0x10), 4);
	EXPECT_EQ(0, result(ram, 0x100000010));
	EXPECT_EQ(3, *(uint8_t *)ram_at(ram, 0x100000020, 1));
	/* The upper half counts once. */
	put_request(ram, 0x10, ITEM(FWCFG_NB_CPUS) | READ, 0x20, 2);
	out(bus, LOW, htobe32(0x10), 4);
	EXPECT_EQ(3, *(uint8_t *)ram_at(ram, 0x20, 1));
	fwcfg_free(fwcfg);
	bus_free(bus);
	ram_free(ram);
}

TEST_F(dma, request_outside_of_memory_is_ignored)
{
	static const uint32_t addresses[] = { MEMORY, MEMORY - 15, 0xc0000000,
					      0xfffffff0, 0xffffffff };

	for (unsigned int i = 0; i < sizeof(addresses) / sizeof(*addresses);
	     i++)
		out(self->bus, LOW, htobe32(addresses[i]), 4);
	out(self->bus, HIGH, htobe32(0xffffffff), 4);
	out(self->bus, LOW, htobe32(0xfffffff8), 4);
	EXPECT_TRUE(is_untouched(self));
}

TEST_F(dma, request_in_the_last_bytes_of_memory_is_carried_out)
{
	put_request(self->ram, MEMORY - 16, ITEM(KEY) | READ, BUFFER, 6);
	out(self->bus, LOW, htobe32(MEMORY - 16), 4);
	EXPECT_EQ(0, result(self->ram, MEMORY - 16));
	EXPECT_EQ(0, memcmp(self->buffer, "abcdef", 6));
}

TEST_F(dma, reading_to_where_there_is_no_memory_fails_and_writes_nothing)
{
	EXPECT_EQ(ERROR, request(self, ITEM(KEY) | READ, MEMORY, 6));
	EXPECT_EQ(ERROR, request(self, ITEM(KEY) | READ, MEMORY - 5, 6));
	EXPECT_EQ(ERROR, request(self, ITEM(KEY) | READ, 0xfee00000, 6));
	EXPECT_EQ(ERROR, request(self, ITEM(KEY) | READ, UINT64_MAX - 2, 6));
	EXPECT_EQ(ERROR, request(self, ITEM(KEY) | READ, UINT64_MAX, 6));
	EXPECT_TRUE(is_untouched(self));
}

TEST_F(dma, failed_reading_leaves_the_place_in_the_item)
{
	EXPECT_EQ(ERROR, request(self, ITEM(KEY) | READ, MEMORY, 6));
	EXPECT_EQ('a', inb(self->bus, 0x511));
}

TEST_F(dma, reading_far_past_the_end_fails_and_writes_nothing)
{
	EXPECT_EQ(ERROR, request(self, ITEM(KEY) | READ, BUFFER, 2 << 20));
	EXPECT_EQ(ERROR, request(self, ITEM(0x1234) | READ, BUFFER, 2 << 20));
	EXPECT_EQ(ERROR, request(self, ITEM(KEY) | READ, BUFFER, LENGTH_MAX));
	EXPECT_TRUE(is_untouched(self));
}

TEST_F(dma, reading_nothing_succeeds_even_without_memory)
{
	EXPECT_EQ(0, request(self, ITEM(KEY) | READ, UINT64_MAX, 0));
	EXPECT_EQ(0, request(self, ITEM(KEY) | READ, BUFFER, 0));
	EXPECT_TRUE(is_untouched(self));
}

TEST_F(dma, reading_over_the_request_leaves_its_result)
{
	EXPECT_EQ(0, request(self, ITEM(KEY) | READ, REQUEST, 6));
	EXPECT_EQ(0, memcmp(ram_at(self->ram, REQUEST + 4, 2), "ef", 2));
}

TEST_F(dma, request_of_no_word_is_carried_out)
{
	EXPECT_EQ(0, request(self, 0, BUFFER, 6));
	EXPECT_EQ(0, request(self, 0xffffffe0 & ~SELECT, BUFFER, 6));
	EXPECT_TRUE(is_untouched(self));
}

TEST_F(dma, narrow_and_wide_accesses_start_nothing)
{
	put_request(self->ram, REQUEST, UNTOUCHED, BUFFER, 6);
	out(self->bus, LOW, htobe32(REQUEST), 2);
	outb(self->bus, LOW, 0);
	out(self->bus, LOW + 1, htobe32(REQUEST), 4);
	out(self->bus, LOW + 2, htobe16(REQUEST), 2);
	EXPECT_EQ(UNTOUCHED, result(self->ram, REQUEST));
}

TEST_F(dma, any_access_is_survived)
{
	fake_hammer(self->bus, 0x510, 0x51b);
	EXPECT_EQ(0, request(self, ITEM(KEY) | READ, BUFFER, 6));
	EXPECT_EQ(0, memcmp(self->buffer, "abcdef", 6));
}

TEST_F(dma, upper_half_of_the_address_is_state)
{
	struct record record = { NULL, 0 };

	out(self->bus, HIGH, htobe32(1), 4);
	ASSERT_EQ(0, device_save(&fwcfg_device, self->fwcfg, &record));
	fwcfg_device.reset(self->fwcfg);
	EXPECT_EQ(0, request(self, ITEM(KEY) | READ, BUFFER, 6));
	ASSERT_EQ(0, device_load(&fwcfg_device, self->fwcfg, &record));
	/* Once more above 4 GiB, where nothing is. */
	EXPECT_EQ(ITEM(KEY) | READ, request(self, ITEM(KEY) | READ, BUFFER, 6));
	free(record.data);
}

TEST_HARNESS_MAIN
