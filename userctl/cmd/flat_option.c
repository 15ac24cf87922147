// SPDX-License-Identifier: GPL-2.0
/*
 * The argument of --flat: ADDRESS[:MODE].
 */
#include "cmd/flat_option.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/size.h"

/* Reads the mode behind the colon.  Return: 0 or -EINVAL. */
static int parse_mode(const char *text, enum flat_mode *mode)
{
	if (!strcmp(text, "16"))
		*mode = FLAT_REAL;
	else if (!strcmp(text, "32"))
		*mode = FLAT_PROTECTED;
	else if (!strcmp(text, "64"))
		*mode = FLAT_LONG;
	else
		return -EINVAL;
	return 0;
}

int flat_option_parse(struct boot_options *boot, const char *text)
{
	size_t length = strcspn(text, ":");
	char *address = strndup(text, length);
	int err;

	boot->flat = false;
	if (!address)
		return -ENOMEM;
	err = number_parse(address, &boot->flat_address);
	free(address);
	boot->flat_mode = FLAT_REAL;
	if (!err && text[length])
		err = parse_mode(text + length + 1, &boot->flat_mode);
	boot->flat = !err;
	return err;
}
