// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of what commands write of texts and numbers that others have chosen.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/json.h"
#include "cmd/table.h"
#include "kselftest_harness.h"

static char *text;
static size_t length;

static const char *json_of(const char *value)
{
	FILE *file = open_memstream(&text, &length);
	struct json json;

	json_start(&json, file);
	json_text(&json, NULL, value);
	fclose(file);
	return text;
}

#define EXPECT_JSON(expected, value)                    \
	do {                                            \
		EXPECT_STREQ(expected, json_of(value)); \
		free(text);                             \
	} while (0)

TEST(json_keeps_text)
{
	EXPECT_JSON("\"web\"", "web");
	EXPECT_JSON("\"\xc3\xbc\xe2\x82\xac\xf0\x9f\x90\xa7\"",
		    "\xc3\xbc\xe2\x82\xac\xf0\x9f\x90\xa7");
	EXPECT_JSON("\"a\\\"b\\\\c\"", "a\"b\\c");
}

TEST(json_has_no_character_that_a_terminal_obeys)
{
	EXPECT_JSON("\"\\u001b[2J\\u000a\"", "\x1b[2J\n");
	EXPECT_JSON("\"\\u007f\\u009b\"", "\x7f\xc2\x9b");
}

TEST(json_replaces_bytes_that_are_no_utf8)
{
	static const char *const bad[] = {
		"\x80", /* it begins no character */
		"\xff",
		"\xc3", /* one that ends early */
		"\xc3(",
		"\xc0\xaf", /* longer than needed */
		"\xe0\x80\xaf",
		"\xed\xa0\x80", /* half of a pair of UTF-16 */
		"\xf4\x90\x80\x80", /* above U+10FFFF */
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *json = json_of(bad[i]);

		EXPECT_EQ(0, strncmp(json, "\"\\ufffd", 7));
		for (; *json; json++)
			EXPECT_GE(*json, ' ');
		free(text);
	}
	EXPECT_JSON("\"a\\ufffd(b\"", "a\xc3(b");
}

TEST(json_has_the_largest_number)
{
	FILE *file = open_memstream(&text, &length);
	struct json json;

	json_start(&json, file);
	json_number(&json, NULL, UINT64_MAX - 1);
	fclose(file);
	EXPECT_STREQ("18446744073709551614", text);
	free(text);
}

TEST(a_table_has_no_character_that_a_terminal_obeys)
{
	static const struct table_column columns[] = { { "CGROUP", false } };
	FILE *file = open_memstream(&text, &length);
	struct table table;

	table_start(&table, columns, 1);
	table_add(&table, "/a\x1b]0;b\a\x7f\xc2\x9b");
	EXPECT_EQ(0, table_finish(&table, file));
	fclose(file);
	EXPECT_STREQ("CGROUP\n/a?]0;b????\n", text);
	free(text);
}

TEST_HARNESS_MAIN
