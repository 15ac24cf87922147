// SPDX-License-Identifier: GPL-2.0
/*
 * Messages of errors.
 */
#include "cmd/complain.h"

#include <stdio.h>

/* Where the last message is kept, or NULL. */
static char *kept;
static size_t kept_size;

void complain_to(char *copy, size_t size)
{
	kept = copy;
	kept_size = size;
}

int complain_line(int code, const char *line)
{
	if (kept)
		snprintf(kept, kept_size, "%s", line);
	fprintf(stderr, "lodge: %s\n", line);
	return code;
}

int complain(int code, const char *what, const char *why, const char *remedy)
{
	if (kept)
		snprintf(kept, kept_size, "%s: %s%s%s", what, why,
			 remedy ? "; " : "", remedy ? remedy : "");
	fprintf(stderr, "lodge: %s: %s%s%s\n", what, why, remedy ? "; " : "",
		remedy ? remedy : "");
	return code;
}

void warn_of_no_sandbox(void)
{
	fputs("lodge: warning: --no-sandbox: a guest that breaks out of its "
	      "machine can do what you can\n",
	      stderr);
}
