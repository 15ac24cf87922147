// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the report on a vCPU that cannot go on: its instruction is found with each
 * format of page tables.
 */
#include <string.h>

#include "fake_lodge.h"
#include "kselftest_harness.h"
#include "machine/crash.h"

#define MEMORY (16ULL << 20)
#define PG (1ULL << 31)
#define PSE (1ULL << 4)
#define PAE (1ULL << 5)
#define LMA (1ULL << 10)
#define PRESENT 1ULL
#define LARGE 0x80ULL
#define NX (1ULL << 63)

/* Addresses of the page tables, from the root down. */
#define TABLE(level) (0x10000ULL + (level)*0x1000)
#define TARGET 0x400000ULL

static struct ram *ram;

static void put64(uint64_t table, unsigned int index, uint64_t entry)
{
	memcpy(ram_at(ram, table + index * 8, 8), &entry, 8);
}

static void put32(uint64_t table, unsigned int index, uint32_t entry)
{
	memcpy(ram_at(ram, table + index * 4, 4), &entry, 4);
}

TEST(without_paging_addresses_stand_for_themselves)
{
	const struct lodge_control control = { .cr3 = TABLE(0) };
	uint64_t gpa;

	ram = ram_new(MEMORY);
	ASSERT_TRUE(crash_translate(ram, &control, 0x123456, &gpa));
	EXPECT_EQ(0x123456, gpa);
	ram_free(ram);
}

TEST(two_levels_of_32_bit_entries)
{
	struct lodge_control control = { .cr0 = PG, .cr3 = TABLE(0) };
	uint64_t linear = (5ULL << 22) | (7 << 12) | 0x89a;
	uint64_t gpa;

	ram = ram_new(MEMORY);
	EXPECT_FALSE(crash_translate(ram, &control, linear, &gpa));
	put32(TABLE(0), 5, TABLE(1) | PRESENT);
	put32(TABLE(1), 7, TARGET | PRESENT);
	ASSERT_TRUE(crash_translate(ram, &control, linear, &gpa));
	EXPECT_EQ(TARGET | 0x89a, gpa);
	ram_free(ram);
}

TEST(a_large_32_bit_entry_needs_pse)
{
	struct lodge_control control = { .cr0 = PG, .cr3 = TABLE(0) };
	uint64_t linear = (5ULL << 22) | 0x12345;
	uint64_t gpa;

	ram = ram_new(MEMORY);
	put32(TABLE(0), 5, TARGET | LARGE | PRESENT);
	EXPECT_FALSE(crash_translate(ram, &control, linear, &gpa));
	control.cr4 = PSE;
	ASSERT_TRUE(crash_translate(ram, &control, linear, &gpa));
	EXPECT_EQ(TARGET | 0x12345, gpa);
	/* Bits 20:13 are bits 39:32 of the address. */
	put32(TABLE(0), 5, TARGET | (3 << 13) | LARGE | PRESENT);
	ASSERT_TRUE(crash_translate(ram, &control, linear, &gpa));
	EXPECT_EQ((3ULL << 32) | TARGET | 0x12345, gpa);
	ram_free(ram);
}

TEST(three_levels_of_pae_begin_at_32_bytes)
{
	struct lodge_control control = { .cr0 = PG,
					 .cr3 = TABLE(0) + 0x20,
					 .cr4 = PAE };
	uint64_t linear = (3ULL << 30) | (511ULL << 21) | (9 << 12) | 0x10;
	uint64_t gpa;

	ram = ram_new(MEMORY);
	put64(TABLE(0) + 0x20, 3, TABLE(1) | PRESENT);
	put64(TABLE(1), 511, TABLE(2) | PRESENT);
	put64(TABLE(2), 9, TARGET | PRESENT | NX);
	ASSERT_TRUE(crash_translate(ram, &control, linear, &gpa));
	EXPECT_EQ(TARGET | 0x10, gpa);
	put64(TABLE(1), 511, TARGET | LARGE | PRESENT);
	ASSERT_TRUE(crash_translate(ram, &control, linear, &gpa));
	EXPECT_EQ(TARGET | 0x9010, gpa);
	ram_free(ram);
}

TEST(four_levels_with_pages_of_every_size)
{
	struct lodge_control control = {
		.cr0 = PG, .cr3 = TABLE(0), .cr4 = PAE, .efer = LMA
	};
	/* An address of the kernel: entries 511, 510, 3, 4, byte 5. */
	uint64_t linear = 0xffffffff80604005ULL;
	uint64_t gpa;

	ram = ram_new(MEMORY);
	put64(TABLE(0), 511, TABLE(1) | PRESENT);
	put64(TABLE(1), 510, TABLE(2) | PRESENT);
	put64(TABLE(2), 3, TABLE(3) | PRESENT);
	put64(TABLE(3), 4, TARGET | PRESENT);
	ASSERT_TRUE(crash_translate(ram, &control, linear, &gpa));
	EXPECT_EQ(TARGET | 5, gpa);
	put64(TABLE(2), 3, TARGET | LARGE | PRESENT);
	ASSERT_TRUE(crash_translate(ram, &control, linear, &gpa));
	EXPECT_EQ(TARGET | 0x4005, gpa);
	put64(TABLE(1), 510, LARGE | PRESENT);
	ASSERT_TRUE(crash_translate(ram, &control, linear, &gpa));
	EXPECT_EQ(0x604005, gpa);
	ram_free(ram);
}

TEST(tables_outside_of_memory_map_nothing)
{
	struct lodge_control control = {
		.cr0 = PG, .cr3 = 0xffffffffff000ULL, .cr4 = PAE, .efer = LMA
	};
	uint64_t gpa;

	ram = ram_new(MEMORY);
	EXPECT_FALSE(crash_translate(ram, &control, 0, &gpa));
	control.cr3 = TABLE(0);
	put64(TABLE(0), 0, 0xffffffffff000ULL | PRESENT);
	EXPECT_FALSE(crash_translate(ram, &control, 0, &gpa));
	ram_free(ram);
}

TEST(code_ends_where_memory_ends)
{
	const struct lodge_run run = { .reason = LODGE_EXIT_SHUTDOWN };
	struct crash crash;

	ram = ram_new(MEMORY);
	memset(ram_at(ram, MEMORY - 4, 4), 0x90, 4);
	fake.state.general.rip = MEMORY - 4;
	crash_take(&crash, 0, 2, &run, 0, ram);
	EXPECT_TRUE(crash.registers);
	EXPECT_EQ(2, crash.vcpu);
	EXPECT_EQ(LODGE_EXIT_SHUTDOWN, crash.run.reason);
	EXPECT_EQ(4, crash.code_length);
	EXPECT_EQ(0x90, crash.code[3]);
	ram_free(ram);
}

TEST(the_code_segments_base_counts_outside_of_64_bit_mode)
{
	const struct lodge_run run = { 0 };
	struct crash crash;

	ram = ram_new(MEMORY);
	fake.state.general.rip = 0x10;
	fake.state.segments.seg[LODGE_CS].base = 0xf0000;
	crash_take(&crash, 0, 0, &run, 0, ram);
	EXPECT_EQ(0xf0010, crash.address);
	fake.state.control.efer = LMA;
	fake.state.segments.seg[LODGE_CS].attr = LODGE_SEG_L;
	crash_take(&crash, 0, 0, &run, 0, ram);
	EXPECT_EQ(0x10, crash.address);
	ram_free(ram);
}

TEST(a_vcpu_whose_registers_cannot_be_read_still_has_its_exit)
{
	const struct lodge_run run = { .reason = LODGE_EXIT_UNKNOWN };
	struct crash crash;

	ram = ram_new(MEMORY);
	fake.fail_call = 1;
	crash_take(&crash, 0, 0, &run, 0, ram);
	EXPECT_FALSE(crash.registers);
	EXPECT_EQ(0, crash.code_length);
	EXPECT_EQ(LODGE_EXIT_UNKNOWN, crash.run.reason);
	ram_free(ram);
}

TEST_HARNESS_MAIN
