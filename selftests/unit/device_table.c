// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the device table with kinds of its own: their options on the command line,
 * several devices of a kind, their making, holding, saving and loading.
 */
#include <stdio.h>

#include "cmd/device_option.h"
#include "fake_kinds.h"
#include "kselftest_harness.h"

static struct devices_wanted wanted;
static char why[DEVICE_OPTION_WHY_SIZE];

static int parse(const char *text)
{
	*why = 0;
	return device_option_parse(&wanted, text, why, sizeof(why));
}

static const struct device_value *many(unsigned int number)
{
	return devices_wants(&wanted, &many_kind, number);
}

FIXTURE(options){};

FIXTURE_SETUP(options)
{
	devices_default(&wanted);
}

FIXTURE_TEARDOWN(options)
{
	devices_forget(&wanted);
}

TEST_F(options, that_are_not_given_have_their_defaults)
{
	ASSERT_EQ(0, parse("many,path=/x"));
	EXPECT_EQ(7, many(0)[NUMBER].number);
	EXPECT_EQ(0x80, many(0)[PORT].number);
	EXPECT_EQ(1 << 20, many(0)[SIZE].number);
	EXPECT_EQ(0, many(0)[READ_ONLY].number);
	EXPECT_STREQ("none", many(0)[TAG].text);
	EXPECT_EQ(1, many(0)[MODE].number);
	EXPECT_FALSE(many(0)[TAG].given);
	EXPECT_TRUE(many(0)[PATH].given);
}

TEST_F(options, of_each_type_are_read)
{
	ASSERT_EQ(0, parse("many,path=/x,number=9,port=0xf4,size=4M,"
			   "readonly=on,tag=a=b,mode=slow"));
	EXPECT_EQ(9, many(0)[NUMBER].number);
	EXPECT_EQ(0xf4, many(0)[PORT].number);
	EXPECT_EQ(4 << 20, many(0)[SIZE].number);
	EXPECT_EQ(1, many(0)[READ_ONLY].number);
	EXPECT_STREQ("a=b", many(0)[TAG].text);
	EXPECT_EQ(0, many(0)[MODE].number);
}

TEST_F(options, that_are_on_or_off_may_have_no_value)
{
	ASSERT_EQ(0, parse("many,readonly,path=/x"));
	EXPECT_EQ(1, many(0)[READ_ONLY].number);
	ASSERT_EQ(0, parse("many,readonly=off,path=/x"));
	EXPECT_EQ(0, many(1)[READ_ONLY].number);
}

TEST_F(options, have_commas_in_them_that_are_written_twice)
{
	static const struct {
		const char *argument;
		const char *path;
	} cases[] = {
		{ "many,path=a,,b", "a,b" },
		{ "many,path=,,", "," },
		{ "many,path=a,,,,b", "a,,b" },
		{ "many,path=a,,,number=3", "a," },
		{ "many,path=,,a,number=3", ",a" },
	};

	for (unsigned int i = 0; i < 5; i++) {
		ASSERT_EQ(0, parse(cases[i].argument));
		EXPECT_STREQ(cases[i].path, many(i)[PATH].text);
	}
	EXPECT_EQ(3, many(3)[NUMBER].number);
}

TEST_F(options, that_are_wrong_are_refused_with_what_is_right)
{
	static const struct {
		const char *argument;
		const char *why;
	} cases[] = {
		{ "two", "no such device 'two'; there are one, many" },
		{ "one,x", "one has no option 'x'; it has none" },
		{ "one,", "one has no option ''; it has none" },
		{ "many,path=/x,size",
		  "size must be a size from 4K, as in size=64M" },
		{ "many,path=/x,size=4095",
		  "size must be a size from 4K, as in size=64M" },
		{ "many,path=/x,number=1",
		  "number must be a number from 2 to 9" },
		{ "many,path=/x,number=10",
		  "number must be a number from 2 to 9" },
		{ "many,path=/x,number=4K",
		  "number must be a number from 2 to 9" },
		{ "many,path=/x,port=65536",
		  "port must be a number up to 0xffff" },
		{ "many,path=/x,readonly=", "readonly must be on or off" },
		{ "many,path=/x,readonly=1", "readonly must be on or off" },
		{ "many,path=/x,mode=f", "mode must be one of slow, fast" },
		{ "many,path=/x,mode", "mode must be one of slow, fast" },
		{ "many,path=", "path must be a text, as in path=FILE" },
		{ "many,path", "path must be a text, as in path=FILE" },
		{ "many", "path is missing; path must be a text, as in "
			  "path=FILE" },
		{ "many,path=/x,path=/y", "path comes twice" },
		{ "many,Path=/x",
		  "many has no option 'Path'; it has number, port, size, "
		  "readonly, path, tag, mode" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		EXPECT_EQ(-EINVAL, parse(cases[i].argument));
		EXPECT_STREQ(cases[i].why, why);
	}
}

TEST_F(options, with_long_words_do_not_overflow_the_message)
{
	char text[4 * DEVICE_OPTION_WHY_SIZE];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	EXPECT_EQ(-EINVAL, parse(text));
	EXPECT_LT(strlen(why), sizeof(why));
	memcpy(text, "many,", 5);
	EXPECT_EQ(-EINVAL, parse(text));
	EXPECT_LT(strlen(why), sizeof(why));
}

TEST_F(options, are_listed_with_their_types_and_defaults)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	EXPECT_EQ(-ENOENT, device_option_help(file, "many"));
	EXPECT_EQ(-ENOENT, device_option_help(file, "two,help"));
	EXPECT_EQ(-ENOENT, device_option_help(file, "man,help"));
	EXPECT_EQ(-ENOENT, device_option_help(file, "many,helping"));
	EXPECT_EQ(0, device_option_help(file, "many,help"));
	fclose(file);
	EXPECT_STREQ("many            may be there several times (there may be "
		     "several)\n"
		     "  ,number=NUMBER  a number (default 7)\n"
		     "  ,port=NUMBER  a port (default 0x80)\n"
		     "  ,size=SIZE  a size (default 1M)\n"
		     "  ,readonly=on|off  writes fail (default off)\n"
		     "  ,path=FILE  a file (required)\n"
		     "  ,tag=TEXT  a tag (default none)\n"
		     "  ,mode=slow|fast  a mode (default fast)\n",
		     text);
	free(text);
}

TEST_F(options, add_devices_up_to_a_limit)
{
	for (int i = 1; i < DEVICES_MAX; i++)
		ASSERT_EQ(0, parse("many,path=/x"));
	EXPECT_EQ(-EINVAL, parse("many,path=/x"));
	EXPECT_STREQ("a machine has at most 64 devices", why);
	EXPECT_EQ(0, parse("one"));
}

/* Two devices of the kind "many", with ids 2 and 3. */
FIXTURE(devices)
{
	struct devices *devices;
	struct devices *others;
	struct record record;
};

static struct devices_wanted wanted_too;
static struct device_error failure;

static struct devices *make(struct devices_wanted *wishes,
			    const char *const *arguments)
{
	static const struct board board;

	devices_forget(wishes);
	devices_default(wishes);
	while (*arguments)
		device_option_parse(wishes, *arguments++, why, sizeof(why));
	return devices_new(&board, wishes, &failure);
}

static const char *const two[] = { "many,path=/x,number=2",
				   "many,path=/y,number=3", NULL };

FIXTURE_SETUP(devices)
{
	self->devices = make(&wanted, two);
	ASSERT_NE(NULL, self->devices);
}

FIXTURE_TEARDOWN(devices)
{
	devices_free(self->devices);
	devices_free(self->others);
	devices_forget(&wanted);
	devices_forget(&wanted_too);
	free(self->record.data);
}

static uint32_t *state(const struct devices *devices, unsigned int number)
{
	struct fake *fake = devices_get(devices, &many_kind, number);

	return &fake->state;
}

TEST_F(devices, are_numbered_in_the_order_of_the_command_line)
{
	const struct fake *first = devices_get(self->devices, &many_kind, 0);
	const struct fake *second = devices_get(self->devices, &many_kind, 1);

	ASSERT_NE(NULL, first);
	ASSERT_NE(NULL, second);
	EXPECT_EQ(2, first->id);
	EXPECT_EQ(3, second->id);
	EXPECT_EQ(NULL, devices_get(self->devices, &many_kind, 2));
	EXPECT_NE(NULL, devices_get(self->devices, &one_kind, 0));
	EXPECT_STREQ("m0m2m3", calls);
}

TEST_F(devices, are_released_and_held_by_turns)
{
	*calls = 0;
	EXPECT_EQ(0, devices_hold(self->devices));
	EXPECT_EQ(0, devices_release(self->devices));
	EXPECT_EQ(0, devices_release(self->devices));
	EXPECT_EQ(0, devices_hold(self->devices));
	EXPECT_STREQ("r2r3h2h3", calls);
}

TEST_F(devices, are_held_although_one_of_them_cannot_be)
{
	ASSERT_EQ(0, devices_release(self->devices));
	*calls = 0;
	fake_stubborn = 2;
	EXPECT_EQ(-EIO, devices_hold(self->devices));
	fake_stubborn = 0;
	EXPECT_EQ(0, devices_hold(self->devices));
	EXPECT_STREQ("h3h2", calls);
}

TEST_F(devices, are_held_again_if_one_of_them_cannot_be_released)
{
	*calls = 0;
	fake_stubborn = 3;
	EXPECT_EQ(-EIO, devices_release(self->devices));
	EXPECT_EQ(0, devices_hold(self->devices));
	EXPECT_STREQ("r2h2", calls);
}

TEST_F(devices, are_alone_again_if_one_of_them_cannot_be_lent)
{
	char name[DEVICE_NAME_SIZE];

	*calls = 0;
	fake_stubborn = 3;
	EXPECT_EQ(-EIO, devices_lend(self->devices, true, name));
	EXPECT_STREQ("many 1", name);
	EXPECT_STREQ("l2a2a3", calls);
	/* Somebody was faster, and reads what must not change any more. */
	fake_read = 2;
	EXPECT_EQ(-ENOTRECOVERABLE, devices_lend(self->devices, true, name));
	fake_stubborn = fake_read = 0;
}

TEST_F(devices, stay_lent_while_one_of_them_is_read)
{
	char name[DEVICE_NAME_SIZE];

	ASSERT_EQ(0, devices_lend(self->devices, true, name));
	*calls = 0;
	fake_read = 3;
	EXPECT_EQ(-EBUSY, devices_lend(self->devices, false, name));
	EXPECT_STREQ("many 1", name);
	EXPECT_STREQ("a2l2l3", calls);
	fake_read = 0;
}

TEST_F(devices, come_back_each_in_its_own_place)
{
	unsigned int sections;

	*state(self->devices, 0) = 0x11;
	*state(self->devices, 1) = 0x22;
	ASSERT_EQ(0, devices_save(self->devices, &self->record));
	*state(self->devices, 0) = *state(self->devices, 1) = 0;
	ASSERT_EQ(0, devices_load(self->devices, &self->record, &sections));
	EXPECT_EQ(3, sections);
	EXPECT_EQ(0x11, *state(self->devices, 0));
	EXPECT_EQ(0x22, *state(self->devices, 1));
}

TEST_F(devices, are_loaded_by_a_machine_whose_files_are_elsewhere)
{
	static const char *const moved[] = { "many,path=/new,number=2",
					     "many,path=/longer,number=3",
					     NULL };
	unsigned int sections;

	ASSERT_EQ(0, devices_save(self->devices, &self->record));
	self->others = make(&wanted_too, moved);
	EXPECT_EQ(0, devices_load(self->others, &self->record, &sections));
}

TEST_F(devices, are_not_loaded_by_a_machine_with_other_options)
{
	static const char *const others[] = {
		"many,path=/y,number=4",
		"many,path=/y,number=3,tag=x",
		"many,path=/y,number=3,mode=slow",
		"many,path=/y,number=3,tag=nonf",
		"many,path=/y,number=3,readonly",
		"many,path=/y,number=3,tag=nones",
	};
	unsigned int sections;

	ASSERT_EQ(0, devices_save(self->devices, &self->record));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		const char *const arguments[] = { two[0], others[i], NULL };

		self->others = make(&wanted_too, arguments);
		EXPECT_EQ(-EINVAL,
			  devices_load(self->others, &self->record, &sections));
		devices_free(self->others);
		self->others = NULL;
	}
}

TEST_F(devices, are_not_loaded_by_a_machine_with_one_more)
{
	static const char *const three[] = { "many,path=/x,number=2",
					     "many,path=/y,number=3",
					     "many,path=/z,number=4", NULL };
	unsigned int sections;

	ASSERT_EQ(0, devices_save(self->devices, &self->record));
	self->others = make(&wanted_too, three);
	EXPECT_EQ(-EINVAL,
		  devices_load(self->others, &self->record, &sections));
}

TEST_F(devices, that_cannot_be_made_are_named_with_reason_and_remedy)
{
	static const char *const absent[] = { "many,path=/x,number=2",
					      "many,path=/absent", NULL };

	*calls = 0;
	EXPECT_EQ(NULL, make(&wanted_too, absent));
	EXPECT_EQ(ENOENT, errno);
	EXPECT_STREQ("many 1", failure.name);
	EXPECT_STREQ("/absent", failure.thing);
	EXPECT_STREQ(strerror(ENOENT), failure.reason);
	EXPECT_STREQ("name another by path=", failure.remedy);
	EXPECT_STREQ("m0m2f2f0", calls);
}

TEST_HARNESS_MAIN
