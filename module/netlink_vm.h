/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The family's commands on VMs and vCPUs.
 */
#ifndef LODGE_NETLINK_VM_H
#define LODGE_NETLINK_VM_H

#include "netlink.h"

extern const struct nla_policy lodge_netlink_vm_policy[];

int lodge_netlink_vm_get(struct sk_buff *skb, struct genl_info *info);
int lodge_netlink_vm_start(struct netlink_callback *cb);
int lodge_netlink_vm_dump(struct sk_buff *skb, struct netlink_callback *cb);
int lodge_netlink_vm_kill(struct sk_buff *skb, struct genl_info *info);

extern const struct nla_policy lodge_netlink_vcpu_policy[];

int lodge_netlink_vcpu_start(struct netlink_callback *cb);
int lodge_netlink_vcpu_dump(struct sk_buff *skb, struct netlink_callback *cb);

#endif
