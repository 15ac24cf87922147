// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of records: a saved state is loaded again, and a record that cannot have been
 * saved is refused without changing anything.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "board/record.h"
#include "kselftest_harness.h"

struct thing {
	int lock;
	uint8_t nibble;
	bool flag;
	uint32_t word;
	uint8_t bytes[20];
};

static const struct record_field fields[] = {
	RECORD_FIELD(1, struct thing, nibble, 0x0f),
	RECORD_BOOL(2, struct thing, flag),
	RECORD_ANY(3, struct thing, word),
	RECORD_ANY(9, struct thing, bytes),
};

#define COUNT (sizeof(fields) / sizeof(fields[0]))
#define HEAD 8

static bool word_is_even(const void *object)
{
	const struct thing *thing = object;

	return !(thing->word & 1);
}

FIXTURE(record)
{
	struct thing thing;
	struct thing other;
	struct record record;
};

FIXTURE_SETUP(record)
{
	self->thing = (struct thing){ 1, 0x0a, true, 0x12345678, "some bytes" };
	self->other = (struct thing){ .lock = 7 };
	ASSERT_EQ(0, record_save(&self->record, fields, COUNT, &self->thing));
}

FIXTURE_TEARDOWN(record)
{
	free(self->record.data);
}

static int load(FIXTURE_DATA(record) * self)
{
	return record_load(&self->record, fields, COUNT, &self->other,
			   sizeof(self->other), word_is_even);
}

static bool untouched(const struct thing *thing)
{
	static const struct thing zero;

	return thing->lock == 7 && !thing->nibble && !thing->flag &&
	       !thing->word && !memcmp(thing->bytes, zero.bytes, 20);
}

TEST_F(record, fields_come_back_and_nothing_else)
{
	ASSERT_EQ(0, load(self));
	EXPECT_EQ(7, self->other.lock);
	EXPECT_EQ(0x0a, self->other.nibble);
	EXPECT_TRUE(self->other.flag);
	EXPECT_EQ(0x12345678, self->other.word);
	EXPECT_EQ(0, memcmp(self->thing.bytes, self->other.bytes, 20));
}

TEST_F(record, an_absent_field_keeps_its_value)
{
	self->record.size = 2 * HEAD + 2;
	self->other.word = 42;
	ASSERT_EQ(0, load(self));
	EXPECT_EQ(0x0a, self->other.nibble);
	EXPECT_EQ(42, self->other.word);
}

TEST_F(record, a_record_cut_anywhere_within_a_field_is_refused)
{
	size_t size = self->record.size;

	for (size_t cut = 1; cut < HEAD + 20; cut++) {
		self->record.size = size - cut;
		EXPECT_EQ(-EINVAL, load(self));
		EXPECT_TRUE(untouched(&self->other));
	}
}

TEST_F(record, what_was_saved_in_this_process_is_put_back)
{
	ASSERT_EQ(0,
		  record_put_back(&self->record, fields, COUNT, &self->other));
	EXPECT_EQ(7, self->other.lock);
	EXPECT_EQ(0x0a, self->other.nibble);
	EXPECT_TRUE(self->other.flag);
	EXPECT_EQ(0x12345678, self->other.word);
	EXPECT_EQ(0, memcmp(self->thing.bytes, self->other.bytes, 20));
}

TEST_F(record, other_bytes_may_stand_before_what_is_put_back)
{
	struct record longer = { 0 };

	ASSERT_EQ(0, record_append(&longer, "other", 5));
	ASSERT_EQ(0,
		  record_append(&longer, self->record.data, self->record.size));
	EXPECT_EQ(0, record_put_back(&longer, fields, COUNT, &self->other));
	EXPECT_EQ(0x12345678, self->other.word);
	free(longer.data);
}

TEST_F(record, other_fields_are_not_put_back)
{
	size_t size = self->record.size;

	EXPECT_EQ(-EINVAL, record_put_back(&self->record, fields, COUNT - 1,
					   &self->other));
	EXPECT_TRUE(untouched(&self->other));
	for (size_t cut = 1; cut <= size; cut++) {
		self->record.size = size - cut;
		EXPECT_EQ(-EINVAL, record_put_back(&self->record, fields, COUNT,
						   &self->other));
	}
	EXPECT_TRUE(untouched(&self->other));
}

TEST_F(record, fields_may_come_in_any_order)
{
	struct record turned = { 0 };
	const size_t first = HEAD + 1;

	ASSERT_EQ(0, record_append(&turned, self->record.data + first,
				   self->record.size - first));
	ASSERT_EQ(0, record_append(&turned, self->record.data, first));
	free(self->record.data);
	self->record = turned;
	ASSERT_EQ(0, load(self));
	EXPECT_EQ(0x0a, self->other.nibble);
	EXPECT_EQ(0x12345678, self->other.word);
	EXPECT_EQ(0, memcmp(self->thing.bytes, self->other.bytes, 20));
}

TEST_F(record, an_unknown_tag_is_refused)
{
	self->record.data[0] = 4;
	EXPECT_EQ(-EINVAL, load(self));
	EXPECT_TRUE(untouched(&self->other));
}

TEST_F(record, a_field_that_comes_twice_is_refused)
{
	self->record.data[HEAD + 1] = 1;
	EXPECT_EQ(-EINVAL, load(self));
}

TEST_F(record, a_field_of_another_size_is_refused)
{
	for (int size = 0; size < 256; size++) {
		if (size == 1)
			continue;
		self->record.data[4] = size;
		EXPECT_EQ(-EINVAL, load(self));
	}
	EXPECT_TRUE(untouched(&self->other));
}

TEST_F(record, a_bit_that_may_not_be_set_is_refused)
{
	self->record.data[HEAD] = 0x1a;
	EXPECT_EQ(-EINVAL, load(self));
	EXPECT_TRUE(untouched(&self->other));
}

TEST_F(record, a_bool_is_0_or_1)
{
	self->record.data[2 * HEAD + 1] = 2;
	EXPECT_EQ(-EINVAL, load(self));
}

TEST_F(record, an_object_that_is_not_sound_is_left_alone)
{
	self->record.data[3 * HEAD + 2] |= 1;
	EXPECT_EQ(-EINVAL, load(self));
	EXPECT_TRUE(untouched(&self->other));
}

FIXTURE(sections)
{
	struct record record;
};

FIXTURE_SETUP(sections)
{
	size_t place;

	ASSERT_EQ(0, record_open(&self->record, "one", 0, &place));
	ASSERT_EQ(0, record_append(&self->record, "first", 5));
	record_close(&self->record, place);
	ASSERT_EQ(0, record_open(&self->record, "two", 7, &place));
	record_close(&self->record, place);
}

FIXTURE_TEARDOWN(sections)
{
	free(self->record.data);
}

TEST_F(sections, are_found_by_name_and_number)
{
	struct record_section section;

	ASSERT_EQ(0, record_find(&self->record, "one", 0, &section));
	ASSERT_EQ(5, section.body.size);
	EXPECT_EQ(0, memcmp("first", section.body.data, 5));
	ASSERT_EQ(0, record_find(&self->record, "two", 7, &section));
	EXPECT_EQ(0, section.body.size);
	EXPECT_EQ(-EINVAL, record_find(&self->record, "two", 0, &section));
	EXPECT_EQ(-EINVAL, record_find(&self->record, "three", 0, &section));
}

TEST_F(sections, come_one_after_the_other)
{
	struct record_section section;
	size_t at = 0;

	ASSERT_EQ(0, record_next(&self->record, &at, &section));
	EXPECT_STREQ("one", section.name);
	ASSERT_EQ(0, record_next(&self->record, &at, &section));
	EXPECT_STREQ("two", section.name);
	EXPECT_EQ(-ENOENT, record_next(&self->record, &at, &section));
}

TEST_F(sections, that_are_cut_or_lie_about_their_size_are_refused)
{
	struct record_section section;
	size_t size = self->record.size, at;

	for (size_t cut = 1; cut < 32; cut++) {
		at = 0;
		self->record.size = size - cut;
		ASSERT_EQ(0, record_next(&self->record, &at, &section));
		EXPECT_EQ(-EINVAL, record_next(&self->record, &at, &section));
	}
	self->record.size = size;
	memset(self->record.data + 24, 0xff, 8);
	at = 0;
	EXPECT_EQ(-EINVAL, record_next(&self->record, &at, &section));
}

TEST_F(sections, with_a_name_that_does_not_end_are_refused)
{
	struct record_section section;
	size_t at = 0;

	memset(self->record.data, 'x', 16);
	EXPECT_EQ(-EINVAL, record_next(&self->record, &at, &section));
}

TEST_HARNESS_MAIN
