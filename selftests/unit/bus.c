// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the bus: routing and splitting of accesses, and refused regions.
 */
#include <errno.h>
#include <string.h>

#include "kselftest_harness.h"

#include "board/bus.h"

/* A device that records its accesses. */
struct probe {
	unsigned int reads;
	unsigned int writes;
	uint64_t offset;
	size_t size;
	uint8_t fill;
	uint8_t data[16];
};

static void probe_read(void *opaque, uint64_t offset, void *data, size_t size)
{
	struct probe *probe = opaque;

	probe->reads++;
	probe->offset = offset;
	probe->size = size;
	memset(data, probe->fill, size);
}

static void probe_write(void *opaque, uint64_t offset, const void *data,
			size_t size)
{
	struct probe *probe = opaque;

	memcpy(probe->data + (probe->writes ? offset % 16 : 0), data, size);
	probe->writes++;
	probe->offset = offset;
	probe->size = size;
}

FIXTURE(bus)
{
	struct bus *bus;
	struct probe a, b;
};

FIXTURE_SETUP(bus)
{
	self->bus = bus_new();
	ASSERT_NE(NULL, self->bus);
	self->a.fill = 0xaa;
	self->b.fill = 0xbb;
}

FIXTURE_TEARDOWN(bus)
{
	bus_free(self->bus);
}

static struct bus_region region(struct probe *probe, enum bus_space space,
				uint64_t base, uint64_t size)
{
	return (struct bus_region){
		.name = "probe",
		.space = space,
		.base = base,
		.size = size,
		.read = probe_read,
		.write = probe_write,
		.opaque = probe,
	};
}

static int add(struct bus *bus, struct probe *probe, enum bus_space space,
	       uint64_t base, uint64_t size)
{
	struct bus_region new = region(probe, space, base, size);

	return bus_add(bus, &new);
}

TEST(freeing_no_bus_is_fine)
{
	bus_free(NULL);
}

TEST_F(bus, nobody_answers_reads_as_all_ones)
{
	uint32_t value = 0;

	EXPECT_FALSE(bus_read(self->bus, BUS_PORT, 0x80, &value, 4));
	EXPECT_EQ(0xffffffff, value);
	EXPECT_FALSE(bus_write(self->bus, BUS_PORT, 0x80, &value, 4));
}

TEST_F(bus, device_sees_offset_and_size)
{
	uint32_t value = 0;

	ASSERT_EQ(0, add(self->bus, &self->a, BUS_MMIO, 0x1000, 0x10));
	EXPECT_TRUE(bus_read(self->bus, BUS_MMIO, 0x100c, &value, 4));
	EXPECT_EQ(0xaaaaaaaa, value);
	EXPECT_EQ(1, self->a.reads);
	EXPECT_EQ(0xc, self->a.offset);
	EXPECT_EQ(4, self->a.size);
}

TEST_F(bus, spaces_are_apart)
{
	uint8_t value;

	ASSERT_EQ(0, add(self->bus, &self->a, BUS_PORT, 0x60, 1));
	ASSERT_EQ(0, add(self->bus, &self->b, BUS_MMIO, 0x60, 1));
	bus_read(self->bus, BUS_PORT, 0x60, &value, 1);
	EXPECT_EQ(0xaa, value);
	bus_read(self->bus, BUS_MMIO, 0x60, &value, 1);
	EXPECT_EQ(0xbb, value);
}

TEST_F(bus, right_one_of_many_regions_answers)
{
	struct probe probes[64] = {};
	uint8_t value;

	/* Add them in an order that is neither ascending nor descending. */
	for (int i = 0; i < 64; i++) {
		int at = i * 37 % 64;

		probes[at].fill = at;
		ASSERT_EQ(0, add(self->bus, &probes[at], BUS_PORT, at * 8, 4));
	}
	for (int i = 0; i < 64 * 8; i++) {
		bool inside = i % 8 < 4;

		EXPECT_EQ(inside, bus_read(self->bus, BUS_PORT, i, &value, 1));
		EXPECT_EQ(inside ? i / 8 : 0xff, value);
	}
}

TEST_F(bus, access_over_the_end_is_split_into_bytes)
{
	uint32_t value = 0;

	ASSERT_EQ(0, add(self->bus, &self->a, BUS_PORT, 0x10, 4));
	ASSERT_EQ(0, add(self->bus, &self->b, BUS_PORT, 0x14, 1));
	EXPECT_TRUE(bus_read(self->bus, BUS_PORT, 0x12, &value, 4));
	EXPECT_EQ(0xffbbaaaa, value);
	EXPECT_EQ(2, self->a.reads);
	EXPECT_EQ(1, self->a.size);
}

TEST_F(bus, access_that_begins_in_a_hole_reaches_the_region_behind)
{
	uint32_t value = 0x44332211;

	ASSERT_EQ(0, add(self->bus, &self->a, BUS_PORT, 0x12, 4));
	EXPECT_TRUE(bus_write(self->bus, BUS_PORT, 0x10, &value, 4));
	EXPECT_EQ(2, self->a.writes);
	EXPECT_EQ(0x33, self->a.data[0]);
	EXPECT_EQ(0x44, self->a.data[1]);
}

TEST_F(bus, access_beyond_the_end_of_the_space_does_not_wrap)
{
	uint64_t value = 0;

	ASSERT_EQ(0, add(self->bus, &self->a, BUS_MMIO, 0, 16));
	ASSERT_EQ(0, add(self->bus, &self->b, BUS_MMIO, UINT64_MAX - 1, 2));
	EXPECT_TRUE(bus_read(self->bus, BUS_MMIO, UINT64_MAX - 1, &value, 8));
	EXPECT_EQ(0xffffffffffffbbbbULL, value);
	EXPECT_EQ(0, self->a.reads);
	EXPECT_TRUE(bus_write(self->bus, BUS_MMIO, UINT64_MAX, &value, 8));
	EXPECT_EQ(0, self->a.writes);
	EXPECT_EQ(1, self->b.writes);
}

TEST_F(bus, access_of_no_bytes_reaches_nobody)
{
	uint8_t value = 7;

	ASSERT_EQ(0, add(self->bus, &self->a, BUS_PORT, 0, 4));
	EXPECT_FALSE(bus_read(self->bus, BUS_PORT, 0, &value, 0));
	EXPECT_FALSE(bus_write(self->bus, BUS_PORT, 0, &value, 0));
	EXPECT_EQ(7, value);
}

TEST_F(bus, wide_access_is_cut_to_the_width_of_the_device)
{
	struct bus_region narrow = region(&self->a, BUS_PORT, 0x10, 4);
	uint32_t value = 0x44332211;

	narrow.width = 2;
	ASSERT_EQ(0, bus_add(self->bus, &narrow));
	bus_write(self->bus, BUS_PORT, 0x10, &value, 4);
	EXPECT_EQ(2, self->a.writes);
	EXPECT_EQ(2, self->a.size);
	EXPECT_EQ(2, self->a.offset);
	EXPECT_EQ(0, memcmp(self->a.data, &value, 4));
	bus_read(self->bus, BUS_PORT, 0x10, &value, 4);
	EXPECT_EQ(2, self->a.reads);
	EXPECT_EQ(0xaaaaaaaa, value);
}

TEST_F(bus, exact_region_takes_its_own_access_only)
{
	struct bus_region exact = region(&self->a, BUS_PORT, 0xcf8, 4);
	uint32_t value = 0;

	exact.exact = true;
	ASSERT_EQ(0, bus_add(self->bus, &exact));
	ASSERT_EQ(0, add(self->bus, &self->b, BUS_PORT, 0xcf9, 1));
	bus_read(self->bus, BUS_PORT, 0xcf8, &value, 4);
	EXPECT_EQ(0xaaaaaaaa, value);
	bus_read(self->bus, BUS_PORT, 0xcf9, &value, 1);
	EXPECT_EQ(0xbb, value & 0xff);
	bus_read(self->bus, BUS_PORT, 0xcf8, &value, 2);
	EXPECT_EQ(0xbbff, value & 0xffff);
	EXPECT_EQ(1, self->a.reads);
}

TEST_F(bus, exact_regions_of_one_base_differ_by_size)
{
	struct bus_region two = region(&self->a, BUS_PORT, 0x10, 2);
	struct bus_region four = region(&self->b, BUS_PORT, 0x10, 4);
	uint32_t value = 0;

	two.exact = true;
	four.exact = true;
	ASSERT_EQ(0, bus_add(self->bus, &four));
	ASSERT_EQ(0, bus_add(self->bus, &two));
	EXPECT_EQ(-EEXIST, bus_add(self->bus, &two));
	EXPECT_TRUE(bus_read(self->bus, BUS_PORT, 0x10, &value, 2));
	EXPECT_EQ(0xaaaa, value);
	EXPECT_TRUE(bus_read(self->bus, BUS_PORT, 0x10, &value, 4));
	EXPECT_EQ(0xbbbbbbbb, value);
	EXPECT_FALSE(bus_read(self->bus, BUS_PORT, 0x10, &value, 1));
}

TEST_F(bus, region_without_functions_answers_all_ones)
{
	struct bus_region mute = { .space = BUS_PORT, .base = 0xe4, .size = 4 };
	uint32_t value = 0;

	ASSERT_EQ(0, bus_add(self->bus, &mute));
	EXPECT_TRUE(bus_read(self->bus, BUS_PORT, 0xe4, &value, 4));
	EXPECT_EQ(0xffffffff, value);
	EXPECT_TRUE(bus_write(self->bus, BUS_PORT, 0xe4, &value, 4));
}

TEST_F(bus, overlap_is_refused)
{
	ASSERT_EQ(0, add(self->bus, &self->a, BUS_MMIO, 0x1000, 0x1000));
	EXPECT_EQ(-EEXIST, add(self->bus, &self->b, BUS_MMIO, 0x1000, 0x1000));
	EXPECT_EQ(-EEXIST, add(self->bus, &self->b, BUS_MMIO, 0x1fff, 1));
	EXPECT_EQ(-EEXIST, add(self->bus, &self->b, BUS_MMIO, 0xfff, 2));
	EXPECT_EQ(-EEXIST, add(self->bus, &self->b, BUS_MMIO, 0, 0x10000));
	EXPECT_EQ(0, add(self->bus, &self->b, BUS_MMIO, 0xfff, 1));
	EXPECT_EQ(0, add(self->bus, &self->b, BUS_MMIO, 0x2000, 1));
}

TEST_F(bus, region_that_does_not_fit_its_space_is_refused)
{
	EXPECT_EQ(-EINVAL, add(self->bus, &self->a, BUS_PORT, 0x10, 0));
	EXPECT_EQ(-EINVAL, add(self->bus, &self->a, BUS_PORT, 0xffff, 2));
	EXPECT_EQ(-EINVAL, add(self->bus, &self->a, BUS_PORT, 0x10000, 1));
	EXPECT_EQ(-EINVAL, add(self->bus, &self->a, BUS_MMIO, UINT64_MAX, 2));
	EXPECT_EQ(-EINVAL, add(self->bus, &self->a, BUS_NR_SPACES, 0, 1));
	EXPECT_EQ(0, add(self->bus, &self->a, BUS_PORT, 0xffff, 1));
	EXPECT_EQ(0, add(self->bus, &self->a, BUS_MMIO, UINT64_MAX, 1));
}

/* Answers one address of the rest. */
#define REST 0x2000

static bool rest_read(void *opaque, enum bus_space space, uint64_t address,
		      void *data, size_t size)
{
	if (space != BUS_MMIO || address != REST)
		return false;
	probe_read(opaque, address, data, size);
	return true;
}

static bool rest_write(void *opaque, enum bus_space space, uint64_t address,
		       const void *data, size_t size)
{
	struct probe *probe = opaque;

	if (space != BUS_MMIO || address != REST)
		return false;
	probe->writes++;
	probe->size = size;
	return true;
}

TEST_F(bus, rest_answers_what_no_region_does)
{
	const struct bus_rest rest = { rest_read, rest_write, &self->b };
	uint64_t value = 0;

	ASSERT_EQ(0, add(self->bus, &self->a, BUS_MMIO, REST + 4, 4));
	EXPECT_EQ(0, bus_set_rest(self->bus, &rest));
	EXPECT_EQ(-EEXIST, bus_set_rest(self->bus, &rest));
	EXPECT_TRUE(bus_read(self->bus, BUS_MMIO, REST, &value, 4));
	EXPECT_EQ(0xbbbbbbbb, value);
	EXPECT_TRUE(bus_write(self->bus, BUS_MMIO, REST, &value, 4));
	EXPECT_EQ(4, self->b.size);
	EXPECT_FALSE(bus_read(self->bus, BUS_MMIO, REST + 1, &value, 2));
	EXPECT_EQ(0xffff, value & 0xffff);
	EXPECT_FALSE(bus_read(self->bus, BUS_PORT, REST, &value, 1));
	EXPECT_FALSE(bus_read(self->bus, BUS_MMIO, UINT64_MAX, &value, 8));
	EXPECT_FALSE(bus_write(self->bus, BUS_MMIO, UINT64_MAX, &value, 8));
}

TEST_F(bus, rest_gets_no_access_of_which_a_region_has_a_part)
{
	const struct bus_rest rest = { rest_read, rest_write, &self->b };
	uint64_t value = 0;

	ASSERT_EQ(0, add(self->bus, &self->a, BUS_MMIO, REST + 4, 4));
	ASSERT_EQ(0, bus_set_rest(self->bus, &rest));
	EXPECT_TRUE(bus_read(self->bus, BUS_MMIO, REST, &value, 8));
	EXPECT_EQ(0xaaaaaaaaffffffbb, value);
	EXPECT_EQ(1, self->b.size);
	EXPECT_TRUE(bus_write(self->bus, BUS_MMIO, REST, &value, 8));
	EXPECT_EQ(1, self->b.size);
	EXPECT_EQ(4, self->a.writes);
}

TEST_F(bus, overlap_of_an_address_with_a_region_is_found)
{
	struct bus_region exact = region(&self->b, BUS_PORT, 0x100, 4);

	exact.exact = true;
	ASSERT_EQ(0, add(self->bus, &self->a, BUS_PORT, 0x10, 4));
	ASSERT_EQ(0, bus_add(self->bus, &exact));
	EXPECT_FALSE(bus_overlaps(self->bus, BUS_PORT, 0, 0xf));
	EXPECT_TRUE(bus_overlaps(self->bus, BUS_PORT, 0, 0x10));
	EXPECT_TRUE(bus_overlaps(self->bus, BUS_PORT, 0x13, 0x20));
	EXPECT_FALSE(bus_overlaps(self->bus, BUS_PORT, 0x14, 0xff));
	EXPECT_TRUE(bus_overlaps(self->bus, BUS_PORT, 0x103, 0x103));
	EXPECT_TRUE(bus_overlaps(self->bus, BUS_PORT, 0x14, 0xffff));
	EXPECT_FALSE(bus_overlaps(self->bus, BUS_MMIO, 0, UINT64_MAX));
}

TEST_HARNESS_MAIN
