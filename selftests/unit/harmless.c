// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of what a terminal gets of a guest's output.
 */
#include <stdlib.h>
#include <string.h>

#include "kselftest_harness.h"

#include "cmd/harmless.h"

/* Return: the text, written in pieces of @piece bytes. */
static const char *of(const char *text, size_t length, size_t piece)
{
	static char shown[4096];
	struct harmless harmless = {};
	FILE *file = fmemopen(shown, sizeof(shown), "w");

	memset(shown, 0, sizeof(shown));
	for (size_t at = 0; at < length; at += piece)
		harmless_write(&harmless, text + at,
			       length - at < piece ? length - at : piece, file);
	fclose(file);
	return shown;
}

#define SHOWN(expected, text)                                             \
	do {                                                              \
		EXPECT_STREQ(expected, of(text, sizeof(text) - 1, 4096)); \
		EXPECT_STREQ(expected, of(text, sizeof(text) - 1, 1));    \
	} while (0)

TEST(plain_text_is_shown_as_it_is)
{
	SHOWN("a line\r\n\tand\b another~\n", "a line\r\n\tand\b another~\n");
	SHOWN("Gr\xc3\xbc\xc3\x9f"
	      "e \xe2\x82\xac \xf0\x9f\x98\x80 \xc2\xa0.",
	      "Gr\xc3\xbc\xc3\x9f"
	      "e \xe2\x82\xac \xf0\x9f\x98\x80 \xc2\xa0.");
}

TEST(colours_and_erased_lines_are_let_through)
{
	SHOWN("\33[0;1;31mred\33[m\33[K\33[2K",
	      "\33[0;1;31mred\33[m\33[K\33[2K");
}

TEST(other_sequences_are_shown_and_not_carried_out)
{
	/* What a terminal answers: its title, its place, what it is. */
	SHOWN("^[]0;evil^G^[[21t", "\33]0;evil\a\33[21t");
	SHOWN("^[[6n^[[c^[[>c", "\33[6n\33[c\33[>c");
	SHOWN("^[P$q^[\\^[c.", "\33P$q\33\\\33c.");
	SHOWN("^[[?1049h^[[2J", "\33[?1049h\33[2J");
	SHOWN("^[^[]52;c;", "\33\33]52;c;");
	SHOWN("^[\33[1m", "\33\33[1m");
}

TEST(controls_are_shown)
{
	SHOWN("^@^A^E^N^_^?", "\0\1\5\16\37\177");
}

TEST(controls_of_eight_bits_are_no_way_around)
{
	SHOWN("?6n", "\x9b"
		     "6n");
	SHOWN("?6n?", "\xc2\x9b"
		      "6n\xc2\x80");
	SHOWN("???", "\xff\xfe\x80");
	/* The beginning of a character hides none. */
	SHOWN("\xe2?6n", "\xe2\xc2\x9b"
			 "6n");
	SHOWN("?^[[c", "\xc2\33[c");
	SHOWN("\xe2^[[c", "\xe2\33[c");
}

TEST(long_sequence_is_no_sequence)
{
	char text[100] = "\33[";
	const char *shown;

	memset(text + 2, '1', 60);
	strcpy(text + 62, "m");
	shown = of(text, strlen(text), 7);
	EXPECT_EQ(0, strncmp(shown, "^[[111", 6));
	EXPECT_EQ(strlen(text) + 1, strlen(shown));
}

TEST_HARNESS_MAIN
