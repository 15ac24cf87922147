/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The family's commands on limits.
 */
#ifndef LODGE_NETLINK_LIMIT_H
#define LODGE_NETLINK_LIMIT_H

#include "netlink.h"

/* Up to LODGE_LIMIT_UID, and up to LODGE_LIMIT_INHERIT. */
extern const struct nla_policy lodge_netlink_limit_get_policy[];
extern const struct nla_policy lodge_netlink_limit_set_policy[];

int lodge_netlink_limit_get(struct sk_buff *skb, struct genl_info *info);
int lodge_netlink_limit_set(struct sk_buff *skb, struct genl_info *info);
int lodge_netlink_limit_start(struct netlink_callback *cb);
int lodge_netlink_limit_dump(struct sk_buff *skb, struct netlink_callback *cb);

#endif
