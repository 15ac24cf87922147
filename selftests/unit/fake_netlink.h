/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The functions of lib/netlink.h without a kernel; the linker takes them in place of
 * the real ones.
 */
#ifndef LODGE_UNIT_FAKE_NETLINK_H
#define LODGE_UNIT_FAKE_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/netlink.h"

#define FAKE_ALL ((netlink_present)-1)
#define FAKE_KILLS 8

/**
 * struct fake_netlink - what the module answers, and what it was asked
 * @open_error: answer of netlink_open(), 0 or -errno
 * @unloaded: all calls but the first netlink_open() fail with -ENOENT
 * @opens: number of calls of netlink_open()
 * @error: answer of all other calls but netlink_drain()
 * @message: answer of netlink_message(); NULL: none
 * @uid: the caller, whose VM it is that is named without a user
 * @vms: array of @nr_vms; likewise the others
 * @drain: called by netlink_drain(), may be NULL
 * @kills: IDs of the VMs that were killed
 * @change: the last netlink_limit_set()
 */
struct fake_netlink {
	int open_error;
	bool unloaded;
	int opens;
	int error;
	const char *message;
	uint32_t uid;
	const struct netlink_vm *vms;
	size_t nr_vms;
	const struct netlink_vcpu *vcpus;
	size_t nr_vcpus;
	const struct netlink_stats *stats;
	size_t nr_stats;
	const struct netlink_limit *limits;
	size_t nr_limits;
	const struct netlink_news *news;
	size_t nr_news;
	void (*drain)(void);
	uint32_t kills[FAKE_KILLS];
	size_t nr_kills;
	struct netlink_limit_change change;
};

/* The only one; all zero at first. */
extern struct fake_netlink fake_netlink;

#endif
