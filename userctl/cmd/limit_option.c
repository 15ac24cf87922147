// SPDX-License-Identifier: GPL-2.0
/*
 * Limits as they stand on the command line of `lodge limit`.
 */
#include "cmd/limit_option.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/size.h"
#include "view/word.h"

static bool is_size(enum netlink_limit_kind kind)
{
	return kind == NETLINK_LIMIT_TABLES || kind == NETLINK_LIMIT_KERNEL;
}

/* Return: the limit, or NETLINK_LIMITS if there is none of that name. */
static enum netlink_limit_kind find(const char *name, size_t length)
{
	enum netlink_limit_kind kind;

	for (kind = 0; kind < NETLINK_LIMITS; kind++)
		if (strlen(word_of_limit(kind)) == length &&
		    !strncmp(word_of_limit(kind), name, length))
			break;
	return kind;
}

static int parse_value(enum netlink_limit_kind kind, const char *text,
		       uint64_t *value)
{
	if (!strcmp(text, "none")) {
		*value = LODGE_LIMIT_NONE;
		return 0;
	}
	return is_size(kind) ? size_parse(text, value) :
			       number_parse(text, value);
}

int limit_option_parse(struct netlink_limit_change *change, const char *text,
		       char *why, size_t size)
{
	size_t length = strcspn(text, "=");
	enum netlink_limit_kind kind = find(text, length);
	uint64_t value;

	if (kind == NETLINK_LIMITS || !text[length]) {
		snprintf(why, size,
			 "write vms=N, vcpus=N, tables=SIZE or kernel=SIZE");
		return -EINVAL;
	}
	if (parse_value(kind, text + length + 1, &value)) {
		snprintf(why, size, "its value must be %s, or none",
			 is_size(kind) ? "a size such as 64M" : "a number");
		return -EINVAL;
	}
	if (change->changed & 1U << kind) {
		snprintf(why, size, "%s is given twice", word_of_limit(kind));
		return -EINVAL;
	}
	change->changed |= 1U << kind;
	change->limits[kind] = value;
	return 0;
}

void limit_option_format(char *text, size_t size, enum netlink_limit_kind kind,
			 uint64_t value)
{
	if (value == LODGE_LIMIT_NONE)
		snprintf(text, size, "none");
	else if (is_size(kind))
		size_format(text, size, value);
	else
		snprintf(text, size, "%" PRIu64, value);
}
