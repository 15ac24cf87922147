/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The attributes of the family `lodge` and the members of lib/netlink.h's structures
 * that they fill.
 */
#ifndef LODGE_LIB_NETLINK_FORMAT_H
#define LODGE_LIB_NETLINK_FORMAT_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/netlink.h"

/* Attributes have numbers below this. */
#define NETLINK_ATTRIBUTES (sizeof(netlink_present) * CHAR_BIT)

struct netlink_field;
struct nlattr;

/**
 * struct netlink_format - the answers to a command
 * @command: the command
 * @size: size of the structure that one answer fills
 * @fields: its members
 */
struct netlink_format {
	uint8_t command;
	size_t size;
	const struct netlink_field *fields;
};

extern const struct netlink_format netlink_vm_format;
extern const struct netlink_format netlink_vcpu_format;
extern const struct netlink_format netlink_stats_format;
extern const struct netlink_format netlink_limit_format;
extern const struct netlink_format netlink_news_format;

/**
 * netlink_format_read() - fill a structure from an answer
 * @format: form of the answer
 * @attributes: NETLINK_ATTRIBUTES attributes by their number; NULL: absent
 * @entry: the structure, zeroed
 *
 * Attributes that are unknown, or of another size than expected, count as absent.
 */
void netlink_format_read(const struct netlink_format *format,
			 struct nlattr *const *attributes, void *entry);

#endif
