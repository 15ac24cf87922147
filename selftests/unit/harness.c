// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the command line of test programs (see selftests/lib/kselftest_harness.h).
 * The program calls itself, for the tests of the fixture `sample`.
 */
#include <stdio.h>
#include <string.h>

#include "kselftest_harness.h"

FIXTURE(sample){};

FIXTURE_VARIANT(sample)
{
	int unused;
};

FIXTURE_SETUP(sample)
{
}

FIXTURE_TEARDOWN(sample)
{
}

FIXTURE_VARIANT_ADD(sample, one){};
FIXTURE_VARIANT_ADD(sample, two){};

TEST_F(sample, first)
{
}

TEST_F(sample, second)
{
}

/* Calls the program, one level deep.  Return: its output without comments. */
static const char *call(const char *arguments, int *status)
{
	static char text[4096];
	char line[256], path[256] = "";
	size_t length = 0;
	FILE *out;

	*status = -1;
	if (getenv("HARNESS_CALLED"))
		return "called by itself";
	if (readlink("/proc/self/exe", path, sizeof(path) - 1) < 0)
		abort();
	snprintf(text, sizeof(text), "HARNESS_CALLED=1 '%s' %s 2>/dev/null",
		 path, arguments);
	out = popen(text, "r");
	if (!out)
		abort();
	text[0] = 0;
	while (fgets(line, sizeof(line), out))
		if (line[0] != '#' && strncmp(line, "TAP", 3))
			length += snprintf(text + length, sizeof(text) - length,
					   "%s", line);
	*status = pclose(out);
	return text;
}

TEST(a_pattern_names_tests_with_or_without_their_fixture)
{
	int status;

	EXPECT_STREQ("1..2\nok 1 sample.one.second\nok 2 sample.two.second\n",
		     call("-t second", &status));
	EXPECT_EQ(0, status);
	EXPECT_STREQ("1..2\nok 1 sample.two.first\nok 2 sample.two.second\n",
		     call("-t 'sample.two.*'", &status));
	EXPECT_STREQ("1..2\nok 1 sample.one.first\nok 2 sample.two.second\n",
		     call("-t '*.one.first' -t '*.two.second'", &status));
}

TEST(what_is_left_out_is_skipped_under_its_name)
{
	int status;

	EXPECT_STREQ("1..2\nok 1 # SKIP sample.one.first\n"
		     "ok 2 sample.one.second\n",
		     call("-t 'sample.one.*' -T first", &status));
	EXPECT_EQ(0, status);
}

TEST(no_test_of_a_name_is_a_failure)
{
	int status;

	EXPECT_STREQ("", call("-t third", &status));
	EXPECT_NE(0, status);
	EXPECT_STREQ("", call("-x first", &status));
	EXPECT_NE(0, status);
	EXPECT_STREQ("", call("-t", &status));
	EXPECT_NE(0, status);
}

TEST_HARNESS_MAIN
