/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A link to the host's network in user mode: passt(1), which needs no privileges.
 */
#ifndef LODGE_NET_PASST_H
#define LODGE_NET_PASST_H

#include "net/forward.h"
#include "net/link.h"

#define PASST_MAX_FORWARDS 32

/**
 * struct passt_config - what passt is told
 * @forwards: ports of the host's that lead to the guest's
 * @nr_forwards: entries of @forwards
 */
struct passt_config {
	struct forward forwards[PASST_MAX_FORWARDS];
	unsigned int nr_forwards;
};

/**
 * passt_new() - start passt, and make a link to it
 * @card: who is at the link
 *
 * passt ends with the link, and with this process.
 *
 * Return: the link, or NULL with errno set; ENOENT: passt is not installed.
 */
struct link *passt_new(struct loop *loop, const struct passt_config *config,
		       const struct link_card *card);

#endif
