/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What has happened of late: see notify.h and enum lodge_news_kind.
 */
#ifndef LODGE_NEWS_H
#define LODGE_NEWS_H

#include <linux/types.h>

#include <lodge_netlink.h>

#include "registry.h"

/* Events that are remembered. */
#define LODGE_NEWS_MAX_EVENTS 1024

/**
 * struct lodge_news - an event
 * @seq: its number
 * @time: host's real time, ns
 * @owner: whose it is; no user namespace: everybody's
 * @kind: enum lodge_news_kind
 * @vm: VM's ID
 * @vcpu: vCPU's id
 * @reason: enum lodge_exit_reason
 * @limit: enum lodge_limit_attr
 * @scope: enum lodge_limit_scope
 * @name: VM's name
 * @text: explanation for a person, printable ASCII
 */
struct lodge_news {
	u64 seq;
	u64 time;
	struct lodge_owner owner;
	u32 kind;
	u32 vm;
	u32 vcpu;
	u32 reason;
	u32 limit;
	u32 scope;
	char name[LODGE_NAME_SIZE];
	char text[LODGE_TEXT_SIZE];
};

/**
 * lodge_news_range() - the numbers of the events that are remembered
 * @first: of the oldest
 * @end: one more than that of the newest
 */
void lodge_news_range(u64 *first, u64 *end);

/**
 * lodge_news_read() - the oldest event from a number on that may be seen
 * @seq: that number
 * @end: only events below this number
 * @news: out: the event; its owner's namespaces may be compared with NULL only
 * @forgotten: out: how many events from @seq on, below @end, are forgotten already
 * @may: tells if it may be seen; under a spinlock
 * @viewer: argument of @may
 *
 * Return: false: there is none.
 */
bool lodge_news_read(u64 seq, u64 end, struct lodge_news *news, u64 *forgotten,
		     bool (*may)(const void *viewer,
				 const struct lodge_owner *owner),
		     const void *viewer);

/**
 * lodge_news_listen() - have a function called at each event
 * @tell: called under a spinlock with interrupts off; NULL: none
 *
 * On return the previous one is not running any more.
 */
void lodge_news_listen(void (*tell)(void));

/**
 * lodge_news_fini() - forget all events
 */
void lodge_news_fini(void);

#endif
