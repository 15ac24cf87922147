/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The family's command on events, and the message that there are new ones.
 */
#ifndef LODGE_NETLINK_NEWS_H
#define LODGE_NETLINK_NEWS_H

#include "netlink.h"

extern const struct nla_policy lodge_netlink_news_policy[];

int lodge_netlink_news_start(struct netlink_callback *cb);
int lodge_netlink_news_dump(struct sk_buff *skb, struct netlink_callback *cb);

/**
 * lodge_netlink_news_init() - tell the group of events from now on
 */
void lodge_netlink_news_init(void);
void lodge_netlink_news_exit(void);

#endif
