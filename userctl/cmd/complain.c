// SPDX-License-Identifier: GPL-2.0
/*
 * Messages of errors.
 */
#include "cmd/complain.h"

#include <stdio.h>

int complain(int code, const char *what, const char *why, const char *remedy)
{
	fprintf(stderr, "lodge: %s: %s%s%s\n", what, why, remedy ? "; " : "",
		remedy ? remedy : "");
	return code;
}
