// SPDX-License-Identifier: GPL-2.0
/*
 * Texts that messages may repeat.
 */
#include "lib/plain.h"

#define DELETE 0x7f
/* In UTF-8, U+0080 to U+009F begin with one byte, and the other is below this. */
#define C1_LEAD 0xc2
#define C1_END 0xa0

bool text_is_plain(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	for (; *at; at++)
		if ((*at < ' ' && *at != '\n' && *at != '\t') ||
		    *at == DELETE || (*at == C1_LEAD && at[1] < C1_END))
			return false;
	return true;
}
