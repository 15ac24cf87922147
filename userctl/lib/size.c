// SPDX-License-Identifier: GPL-2.0
/*
 * Sizes and numbers as people write them.
 */
#include "lib/size.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* Reads a number at the start of the text; @end is set behind it. */
static int leading_number(const char *text, uint64_t *value, char **end)
{
	bool hex = text[0] == '0' && (text[1] | 0x20) == 'x' &&
		   isxdigit((unsigned char)text[2]);

	/* strtoull() would accept blanks and a sign, too. */
	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	*value = strtoull(text, end, hex ? 16 : 10);
	return -errno;
}

int number_parse(const char *text, uint64_t *value)
{
	char *end;
	int err = leading_number(text, value, &end);

	if (err)
		return err;
	return *end ? -EINVAL : 0;
}

int size_parse(const char *text, uint64_t *bytes)
{
	unsigned int shift;
	char *end;
	int err = leading_number(text, bytes, &end);

	if (err)
		return err;
	switch (toupper((unsigned char)*end)) {
	case '\0':
		return 0;
	case 'K':
		shift = 10;
		break;
	case 'M':
		shift = 20;
		break;
	case 'G':
		shift = 30;
		break;
	case 'T':
		shift = 40;
		break;
	default:
		return -EINVAL;
	}
	if (end[1])
		return -EINVAL;
	if (*bytes > UINT64_MAX >> shift)
		return -ERANGE;
	*bytes <<= shift;
	return 0;
}

void size_format(char *text, size_t size, uint64_t bytes)
{
	static const char units[] = "KMGTPE";
	uint64_t tenths;
	int unit = 0;

	if (bytes < 1024) {
		snprintf(text, size, "%" PRIu64, bytes);
		return;
	}
	for (; bytes >> 20; unit++)
		bytes >>= 10;
	tenths = (bytes * 10) >> 10;
	if (tenths < 100 && tenths % 10)
		snprintf(text, size, "%" PRIu64 ".%" PRIu64 "%c", tenths / 10,
			 tenths % 10, units[unit]);
	else
		snprintf(text, size, "%" PRIu64 "%c", tenths / 10, units[unit]);
}
