// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the memory map, and of the first MiB as a BIOS leaves it.
 */
#include "board/e820.h"

#include <string.h>

#include "boot/bios.h"

#include "kselftest_harness.h"

#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

static unsigned int build(uint64_t size, struct e820_entry map[E820_MAX])
{
	struct ram *ram = ram_new(size);
	unsigned int count = 0;

	if (ram)
		count = e820_build(ram, map);
	ram_free(ram);
	return count;
}

#define EXPECT_ENTRY(entry, start, end, kind)                \
	do {                                                 \
		EXPECT_EQ(start, (entry).addr);              \
		EXPECT_EQ(end, (entry).addr + (entry).size); \
		EXPECT_EQ(kind, (entry).type);               \
	} while (0)

TEST(an_entry_has_20_bytes)
{
	EXPECT_EQ(20, sizeof(struct e820_entry));
}

TEST(the_first_mib_is_divided_as_a_bios_does)
{
	struct e820_entry map[E820_MAX];

	ASSERT_EQ(5, build(64 * MIB, map));
	EXPECT_ENTRY(map[0], 0, 0x9fc00, E820_RAM);
	EXPECT_ENTRY(map[1], 0x9fc00, 0xa0000, E820_RESERVED);
	EXPECT_ENTRY(map[2], 0xe0000, 0x100000, E820_RESERVED);
	EXPECT_ENTRY(map[3], MIB, 64 * MIB, E820_RAM);
}

TEST(ram_of_one_mib_has_nothing_above)
{
	struct e820_entry map[E820_MAX];

	EXPECT_EQ(4, build(MIB, map));
}

TEST(ram_above_4_gib_is_an_entry_of_its_own)
{
	struct e820_entry map[E820_MAX];

	ASSERT_EQ(6, build(5 * GIB, map));
	EXPECT_ENTRY(map[3], MIB, 3 * GIB, E820_RAM);
	EXPECT_ENTRY(map[5], 4 * GIB, 6 * GIB, E820_RAM);
}

TEST(pcis_configuration_space_is_reserved)
{
	struct e820_entry map[E820_MAX];

	ASSERT_EQ(5, build(64 * MIB, map));
	EXPECT_ENTRY(map[4], 0xc0000000, 0xc0100000, E820_RESERVED);
}

TEST(the_usable_entries_are_all_of_ram_but_the_first_mib)
{
	static const uint64_t sizes[] = {
		2 * MIB, 3 * GIB - 4096, 3 * GIB, 3 * GIB + 4096, 20 * GIB,
	};
	struct e820_entry map[E820_MAX];
	unsigned int i, j, count;
	uint64_t sum;

	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		count = build(sizes[i], map);
		for (sum = 0, j = 1; j < count; j++)
			if (map[j].type == E820_RAM)
				sum += map[j].size;
		EXPECT_EQ(sizes[i] - MIB, sum);
	}
}

FIXTURE(bios)
{
	struct ram *ram;
	const uint8_t *low;
};

FIXTURE_SETUP(bios)
{
	self->ram = ram_new(MIB);
	ASSERT_NE(NULL, self->ram);
	self->low = ram_at(self->ram, 0, MIB);
	/* An earlier run of the guest may have left anything here. */
	memset((void *)self->low, 0xee, MIB);
	bios_write(self->ram, 1);
}

FIXTURE_TEARDOWN(bios)
{
	ram_free(self->ram);
}

static uint32_t target(const uint8_t *low, unsigned int vector)
{
	uint16_t ip, cs;

	memcpy(&ip, low + 4 * vector, sizeof(ip));
	memcpy(&cs, low + 4 * vector + 2, sizeof(cs));
	return 16 * cs + ip;
}

TEST_F(bios, every_vector_leads_to_a_handler_that_returns)
{
	unsigned int vector;
	uint32_t at;

	for (vector = 0; vector < 256; vector++) {
		at = target(self->low, vector);
		EXPECT_LE(BIOS_SEGMENT, at);
		EXPECT_GT(BIOS_AREA_END, at);
		EXPECT_NE(NULL, memchr(self->low + at, 0xcf, 20));
	}
	EXPECT_EQ(0xcf, self->low[target(self->low, 0x21)]);
}

TEST_F(bios, hardware_interrupts_are_ended_at_their_pic)
{
	static const uint8_t master[] = { 0xe6, 0x20 };
	static const uint8_t slave[] = { 0xe6, 0xa0, 0xe6, 0x20 };
	unsigned int line;

	for (line = 0; line < 8; line++) {
		EXPECT_NE(NULL, memmem(self->low + target(self->low, 8 + line),
				       20, master, sizeof(master)));
		EXPECT_NE(NULL,
			  memmem(self->low + target(self->low, 0x70 + line), 10,
				 slave, sizeof(slave)));
	}
}

TEST_F(bios, the_timers_interrupt_counts_at_0x46c)
{
	static const uint8_t count[] = { 0x66, 0xff, 0x06, 0x6c, 0x04 };

	EXPECT_NE(NULL, memmem(self->low + target(self->low, 8), 20, count,
			       sizeof(count)));
}

TEST_F(bios, services_that_are_not_there_fail_with_carry_and_0x86)
{
	static const uint8_t vectors[] = { 0x13, 0x14, 0x15, 0x16, 0x17, 0x1a };
	static const uint8_t fail[] = { 0xb4, 0x86, 0x55, 0x89, 0xe5, 0x80,
					0x4e, 0x06, 0x01, 0x5d, 0xcf };

	for (unsigned int i = 0; i < sizeof(vectors); i++)
		EXPECT_EQ(0, memcmp(self->low + target(self->low, vectors[i]),
				    fail, sizeof(fail)));
	EXPECT_EQ(0xcf, self->low[target(self->low, 0x10)]);
}

TEST_F(bios, the_handlers_do_not_lie_upon_each_other)
{
	static const uint8_t vectors[] = { 0x08, 0x09, 0x11, 0x12,
					   0x13, 0x10, 0x70 };
	uint32_t a, b;

	for (unsigned int i = 0; i < sizeof(vectors); i++) {
		for (unsigned int j = 0; j < i; j++) {
			a = target(self->low, vectors[i]);
			b = target(self->low, vectors[j]);
			EXPECT_LE(i == 5 || j == 5 ? 1 : 7,
				  a > b ? a - b : b - a);
		}
	}
}

TEST_F(bios, the_data_area_tells_of_memory_and_com1)
{
	EXPECT_EQ(0, memcmp(self->low + 0x400, "\xf8\x03\0\0\0\0\0\0", 8));
	EXPECT_EQ(0, memcmp(self->low + 0x40e, "\xc0\x9f", 2));
	EXPECT_EQ(0, memcmp(self->low + 0x413, "\x7f\x02", 2));
	EXPECT_EQ(1, self->low[0x9fc00]);
}

TEST_F(bios, the_reset_vector_restarts_the_machine)
{
	static const uint8_t pulse[] = { 0xb0, 0xfe, 0xe6, 0x64 };

	EXPECT_EQ(0, memcmp(self->low + 0xffff0, "\xea\x5b\xe0\x00\xf0", 5));
	EXPECT_EQ(0, memcmp(self->low + 0xfe05b, pulse, sizeof(pulse)));
	EXPECT_EQ(0xfc, self->low[0xffffe]);
}

TEST_F(bios, usable_memory_is_left_alone)
{
	EXPECT_EQ(0xee, self->low[0x500]);
	EXPECT_EQ(0xee, self->low[0x9fbff]);
	EXPECT_EQ(0xee, self->low[0xe0000]);
}

TEST_HARNESS_MAIN
