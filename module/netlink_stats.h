/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The family's command LODGE_CMD_STATS_GET.
 */
#ifndef LODGE_NETLINK_STATS_H
#define LODGE_NETLINK_STATS_H

#include "netlink.h"

extern const struct nla_policy lodge_netlink_stats_policy[];

int lodge_netlink_stats_get(struct sk_buff *skb, struct genl_info *info);
int lodge_netlink_stats_start(struct netlink_callback *cb);
int lodge_netlink_stats_dump(struct sk_buff *skb, struct netlink_callback *cb);

#endif
