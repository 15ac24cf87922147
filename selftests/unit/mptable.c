// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the MP table.  They find and read it as an operating system does, by the
 * specification's offsets, not by the structures of boot/mptable.c.
 */
#include "boot/mptable.h"

#include <stdbool.h>
#include <string.h>

#include "kselftest_harness.h"

#define MAX_ENTRIES 256

#define PCI_BUS 0
#define ISA_BUS 1

FIXTURE(mptable)
{
	struct ram *ram;
	const uint8_t *table;
	const uint8_t *entries[MAX_ENTRIES];
	unsigned int count;
};

FIXTURE_VARIANT(mptable)
{
	unsigned int cpus;
};

FIXTURE_VARIANT_ADD(mptable, one_cpu){
	.cpus = 1,
};

FIXTURE_VARIANT_ADD(mptable, all_cpus){
	.cpus = 64,
};

static uint16_t get16(const uint8_t *at)
{
	return at[0] | at[1] << 8;
}

static uint32_t get32(const uint8_t *at)
{
	return get16(at) | (uint32_t)get16(at + 2) << 16;
}

static bool sums_to_zero(const uint8_t *at, size_t size)
{
	uint8_t sum = 0;

	while (size--)
		sum += *at++;
	return !sum;
}

/* Searches as a guest does, at every 16 bytes of the BIOS's segment. */
static const uint8_t *find_pointer(const struct ram *ram)
{
	const uint8_t *at = ram_at(ram, 0xf0000, 0x10000);

	for (unsigned int i = 0; i < 0x10000; i += 16)
		if (!memcmp(at + i, "_MP_", 4) && sums_to_zero(at + i, 16))
			return at + i;
	return NULL;
}

FIXTURE_SETUP(mptable)
{
	const uint8_t *pointer, *at;

	self->ram = ram_new(1 << 20);
	ASSERT_NE(NULL, self->ram);
	memset(ram_at(self->ram, 0, 1 << 20), 0xee, 1 << 20);
	mptable_write(self->ram, variant->cpus);
	pointer = find_pointer(self->ram);
	ASSERT_NE(NULL, pointer);
	EXPECT_EQ(1, pointer[8]);
	EXPECT_EQ(0, pointer[11]); /* there is a table */
	self->table = ram_at(self->ram, get32(pointer + 4), 44);
	ASSERT_NE(NULL, self->table);
	self->count = get16(self->table + 34);
	ASSERT_GE(MAX_ENTRIES, self->count);
	at = self->table + 44;
	for (unsigned int i = 0; i < self->count; i++) {
		self->entries[i] = at;
		at += *at ? 8 : 20;
	}
	EXPECT_EQ(self->table + get16(self->table + 4), at);
}

FIXTURE_TEARDOWN(mptable)
{
	ram_free(self->ram);
}

static unsigned int count_of(FIXTURE_DATA(mptable) * self, uint8_t type)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < self->count; i++)
		count += self->entries[i][0] == type;
	return count;
}

/* Return: the IOAPIC's pin of a bus's interrupt, or -1. */
static int pin_of(FIXTURE_DATA(mptable) * self, uint8_t bus, uint8_t source)
{
	for (unsigned int i = 0; i < self->count; i++)
		if (self->entries[i][0] == 3 && self->entries[i][4] == bus &&
		    self->entries[i][5] == source)
			return self->entries[i][7];
	return -1;
}

TEST_F(mptable, its_header_is_right)
{
	EXPECT_EQ(0, memcmp(self->table, "PCMP", 4));
	EXPECT_TRUE(sums_to_zero(self->table, get16(self->table + 4)));
	EXPECT_EQ(0xfee00000, get32(self->table + 36));
}

TEST_F(mptable, every_vcpu_is_named_once_and_the_first_boots)
{
	ASSERT_EQ(variant->cpus, count_of(self, 0));
	for (unsigned int i = 0; i < variant->cpus; i++) {
		EXPECT_EQ(0, self->entries[i][0]);
		EXPECT_EQ(i, self->entries[i][1]);
		EXPECT_EQ(i ? 1 : 3, self->entries[i][3]);
	}
}

TEST_F(mptable, entries_come_in_the_order_of_their_types)
{
	for (unsigned int i = 1; i < self->count; i++)
		EXPECT_LE(self->entries[i - 1][0], self->entries[i][0]);
}

TEST_F(mptable, isa_interrupts_are_at_the_pins_of_the_ioapic)
{
	EXPECT_EQ(1, count_of(self, 2));
	EXPECT_EQ(15 + 31 * 4, count_of(self, 3));
	EXPECT_EQ(2, pin_of(self, ISA_BUS, 0));
	EXPECT_EQ(-1, pin_of(self, ISA_BUS, 2));
	EXPECT_EQ(4, pin_of(self, ISA_BUS, 4));
	EXPECT_EQ(9, pin_of(self, ISA_BUS, 9));
}

TEST_F(mptable, pci_interrupts_are_at_the_pins_behind_and_are_levels)
{
	for (unsigned int i = 4; i < 32 * 4; i++)
		EXPECT_EQ(16 + (i / 4 + i % 4) % 4, pin_of(self, PCI_BUS, i));
	for (unsigned int i = 0; i < self->count; i++)
		if (self->entries[i][0] == 3 && self->entries[i][4] == PCI_BUS)
			EXPECT_EQ(0x000f, get16(self->entries[i] + 2));
}

TEST_F(mptable, buses_have_their_names_and_pci_its_number)
{
	ASSERT_EQ(2, count_of(self, 1));
	for (unsigned int i = 0; i < self->count; i++)
		if (self->entries[i][0] == 1)
			EXPECT_EQ(0, memcmp(self->entries[i] + 2,
					    self->entries[i][1] == PCI_BUS ?
						    "PCI   " :
						    "ISA   ",
					    6));
}

TEST_F(mptable, the_ioapic_has_an_id_that_its_register_can_hold)
{
	for (unsigned int i = 0; i < self->count; i++)
		if (self->entries[i][0] == 2)
			EXPECT_GE(15, self->entries[i][1]);
}

TEST_F(mptable, the_local_pins_are_extint_and_nmi)
{
	const uint8_t *extint = self->entries[self->count - 2];
	const uint8_t *nmi = self->entries[self->count - 1];

	EXPECT_EQ(2, count_of(self, 4));
	EXPECT_EQ(3, extint[1]);
	EXPECT_EQ(0, extint[7]);
	EXPECT_EQ(1, nmi[1]);
	EXPECT_EQ(1, nmi[7]);
}

TEST_F(mptable, nothing_outside_its_place_is_written)
{
	const uint8_t *low = ram_at(self->ram, 0, 1 << 20);

	EXPECT_EQ(0xee, low[MPTABLE - 1]);
	EXPECT_EQ(0xee, low[MPTABLE_END]);
}

TEST_HARNESS_MAIN
