/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What has happened of late: see notify.h and enum lodge_news_kind.
 *
 * So much is remembered and no more.  For a new event, whoever has most of them loses
 * its oldest one: so nobody can make the others' be forgotten by having many.
 */
#ifndef LODGE_NEWS_H
#define LODGE_NEWS_H

#include <linux/types.h>
#include <linux/uidgid.h>

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
 * struct lodge_news_reader - who reads events, and which
 * @seq: only events with this number or a higher one
 * @end: only events below this number
 * @uid: lodge_owner_host_uid() whose forgotten events are counted; INVALID_UID: all
 * @may: tells if an event of @owner may be seen; called under a spinlock
 * @viewer: argument of @may
 */
struct lodge_news_reader {
	u64 seq;
	u64 end;
	kuid_t uid;
	bool (*may)(const void *viewer, const struct lodge_owner *owner);
	const void *viewer;
};

/**
 * lodge_news_range() - the numbers of the events that are remembered
 * @first: of the oldest
 * @end: one more than that of the newest
 */
void lodge_news_range(u64 *first, u64 *end);

/**
 * lodge_news_read() - the oldest event that a reader may see
 * @news: out: the event; its owner's namespaces may be compared with NULL only
 * @lost: out: how many events of the reader's, from its @seq on up to this one, are
 *	forgotten; it may be more, if events of several users are
 *
 * Return: false: there is none.
 */
bool lodge_news_read(const struct lodge_news_reader *reader,
		     struct lodge_news *news, u64 *lost);

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
