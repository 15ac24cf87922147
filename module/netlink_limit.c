// SPDX-License-Identifier: GPL-2.0
/*
 * The family's commands on limits: see uapi/lodge_netlink.h.
 */
#include <linux/bits.h>
#include <linux/sched.h>
#include <linux/uidgid.h>

#include "netlink_limit.h"
#include "user.h"

const struct nla_policy lodge_netlink_limit_get_policy[LODGE_LIMIT_UID + 1] = {
	[LODGE_LIMIT_SCOPE] = NLA_POLICY_MAX(NLA_U32, LODGE_SCOPE_TOTAL),
	[LODGE_LIMIT_UID] = { .type = NLA_U32 },
};

const struct nla_policy lodge_netlink_limit_set_policy[LODGE_LIMIT_INHERIT +
						       1] = {
	[LODGE_LIMIT_SCOPE] = NLA_POLICY_MAX(NLA_U32, LODGE_SCOPE_TOTAL),
	[LODGE_LIMIT_UID] = { .type = NLA_U32 },
	[LODGE_LIMIT_VMS] = { .type = NLA_U64 },
	[LODGE_LIMIT_VCPUS] = { .type = NLA_U64 },
	[LODGE_LIMIT_TABLES] = { .type = NLA_U64 },
	[LODGE_LIMIT_KERNEL] = { .type = NLA_U64 },
	[LODGE_LIMIT_INHERIT] = { .type = NLA_FLAG },
};

static int limit_put_user(struct sk_buff *skb,
			  const struct lodge_viewer *viewer,
			  const struct lodge_limits *limits)
{
	u32 uid = from_kuid_munged(viewer->sender.user_ns, limits->uid);

	if (nla_put_u32(skb, LODGE_LIMIT_UID, uid) ||
	    (limits->inherits && nla_put_flag(skb, LODGE_LIMIT_INHERIT)))
		return -EMSGSIZE;
	return 0;
}

/* From what all users together hold, others could be watched: it moves with each page. */
static bool limit_tells_used(const struct lodge_viewer *viewer,
			     const struct lodge_limits *limits)
{
	return limits->scope == LODGE_SCOPE_USER ||
	       (limits->scope == LODGE_SCOPE_TOTAL &&
		lodge_viewer_is_admin(viewer));
}

static int limit_put(struct sk_buff *skb, const struct lodge_viewer *viewer,
		     const void *thing)
{
	const struct lodge_limits *limits = thing;
	bool tells_used = limit_tells_used(viewer, limits);
	unsigned int i;

	if (nla_put_u32(skb, LODGE_LIMIT_SCOPE, limits->scope) ||
	    (limits->scope == LODGE_SCOPE_USER &&
	     limit_put_user(skb, viewer, limits)))
		return -EMSGSIZE;
	for (i = 0; i < LODGE_NR_RESOURCES; i++) {
		if (nla_put_u64_64bit(skb, LODGE_LIMIT_VMS + i,
				      limits->limit[i], LODGE_LIMIT_PAD))
			return -EMSGSIZE;
		if (tells_used &&
		    nla_put_u64_64bit(skb, LODGE_LIMIT_USED_VMS + i,
				      limits->used[i], LODGE_LIMIT_PAD))
			return -EMSGSIZE;
	}
	return 0;
}

/* A user's limits count for all of its namespaces. */
static bool limit_visible(const struct lodge_viewer *viewer,
			  const struct lodge_limits *limits)
{
	const struct lodge_owner owner = {
		.uid = limits->uid,
		.user_ns = viewer->sender.user_ns,
		.pid_ns = viewer->sender.pid_ns,
	};

	return limits->scope != LODGE_SCOPE_USER ||
	       lodge_viewer_sees(viewer, &owner);
}

/* The scope that a request is for, and its user.  Return: 0, -EINVAL or -ENOENT. */
static int limit_scope(const struct genl_info *info,
		       const struct lodge_viewer *viewer,
		       struct lodge_limits *limits)
{
	struct nlattr *scope = info->attrs[LODGE_LIMIT_SCOPE];
	struct nlattr *uid = info->attrs[LODGE_LIMIT_UID];

	if (!scope) {
		NL_SET_ERR_MSG(info->extack, "no scope is given");
		return -EINVAL;
	}
	limits->scope = nla_get_u32(scope);
	if (limits->scope != LODGE_SCOPE_USER) {
		if (!uid)
			return 0;
		NL_SET_ERR_MSG_ATTR(
			info->extack, uid,
			"a user goes with the scope of one user only");
		return -EINVAL;
	}
	if (!uid) {
		NL_SET_ERR_MSG(info->extack, "no user is given");
		return -EINVAL;
	}
	limits->uid = make_kuid(viewer->sender.user_ns, nla_get_u32(uid));
	return uid_valid(limits->uid) ? 0 : -ENOENT;
}

/* The answer names the user as it was asked for. */
static int limit_fill(struct sk_buff *answer, struct genl_info *info,
		      const struct lodge_viewer *viewer)
{
	struct lodge_owner owner = { .user_ns = viewer->sender.user_ns };
	struct lodge_limits limits = {};
	int error = limit_scope(info, viewer, &limits);

	if (error)
		return error;
	if (!limit_visible(viewer, &limits))
		return -ENOENT;
	owner.uid = limits.uid;
	limits.uid = lodge_owner_host_uid(&owner);
	lodge_limits_lock();
	lodge_limits_get(&limits);
	lodge_limits_unlock();
	limits.uid = owner.uid;
	return lodge_netlink_put(answer, info, LODGE_CMD_LIMIT_GET, viewer,
				 limit_put, &limits);
}

int lodge_netlink_limit_get(struct sk_buff *skb, struct genl_info *info)
{
	return lodge_netlink_answer(skb, info, limit_fill);
}

/* Return: a bit for each limit that the request has. */
static unsigned long limit_given(const struct genl_info *info,
				 struct lodge_limits *limits)
{
	unsigned long given = 0;
	unsigned int i;

	for (i = 0; i < LODGE_NR_RESOURCES; i++) {
		const struct nlattr *attr = info->attrs[LODGE_LIMIT_VMS + i];

		if (attr) {
			limits->limit[i] = nla_get_u64(attr);
			given |= BIT(i);
		}
	}
	return given;
}

static int limit_inherit(const struct genl_info *info,
			 const struct lodge_limits *limits, bool given)
{
	struct nlattr *inherit = info->attrs[LODGE_LIMIT_INHERIT];

	if (limits->scope != LODGE_SCOPE_USER) {
		NL_SET_ERR_MSG_ATTR(info->extack, inherit,
				    "only a user inherits limits");
		return -EINVAL;
	}
	if (given) {
		NL_SET_ERR_MSG_ATTR(
			info->extack, inherit,
			"a user inherits all limits or is given some");
		return -EINVAL;
	}
	lodge_limits_inherit(limits->uid);
	return 0;
}

static int limit_set(const struct genl_info *info,
		     const struct lodge_viewer *viewer)
{
	struct lodge_limits limits = {};
	unsigned long given = limit_given(info, &limits);
	int error = limit_scope(info, viewer, &limits);

	if (error)
		return error;
	if (info->attrs[LODGE_LIMIT_INHERIT])
		return limit_inherit(info, &limits, given);
	if (!given) {
		NL_SET_ERR_MSG(info->extack, "no limit is given");
		return -EINVAL;
	}
	error = lodge_limits_set(&limits, given);
	if (error == -ENOSPC)
		NL_SET_ERR_MSG(info->extack,
			       "too many users have limits of their own");
	return error;
}

int lodge_netlink_limit_set(struct sk_buff *skb, struct genl_info *info)
{
	struct lodge_viewer viewer;
	int error = -EPERM;

	lodge_viewer_init(&viewer, skb);
	if (lodge_viewer_is_admin(&viewer))
		error = limit_set(info, &viewer);
	else
		NL_SET_ERR_MSG(info->extack,
			       "only root of the host changes limits");
	lodge_viewer_fini(&viewer);
	return error;
}

int lodge_netlink_limit_start(struct netlink_callback *cb)
{
	return lodge_dump_start(cb, 0);
}

/* Where a dump is: at the default limits, those of all users, or a user by number. */
#define LIMIT_AT_DEFAULT 0
#define LIMIT_AT_TOTAL 1
#define LIMIT_AT_USERS 2

/*
 * Under the limits' lock.  Return: false at the end; else @next is where the dump goes on
 * after @limits.
 */
static bool limit_at(u64 at, struct lodge_limits *limits, u64 *next)
{
	*limits = (struct lodge_limits){ .scope = LODGE_SCOPE_DEFAULT };
	*next = at + 1;
	if (at >= LIMIT_AT_USERS) {
		if (!lodge_limits_next(at - LIMIT_AT_USERS, limits))
			return false;
		*next = (u64)__kuid_val(limits->uid) + LIMIT_AT_USERS + 1;
		return true;
	}
	if (at == LIMIT_AT_TOTAL)
		limits->scope = LODGE_SCOPE_TOTAL;
	lodge_limits_get(limits);
	return true;
}

/* The same, of the limits that the dump is at. */
static bool limit_next(struct netlink_callback *cb, struct lodge_limits *limits,
		       u64 *next)
{
	bool found;

	lodge_limits_lock();
	cb->seq = lodge_limits_generation();
	found = limit_at(lodge_dump_of(cb)->next, limits, next);
	lodge_limits_unlock();
	return found;
}

int lodge_netlink_limit_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct lodge_dump *dump = lodge_dump_of(cb);
	struct lodge_limits limits;
	int error = 0;
	u64 next;

	while (!error && limit_next(cb, &limits, &next)) {
		if (limit_visible(&dump->viewer, &limits))
			error = lodge_dump_put(skb, cb, LODGE_CMD_LIMIT_GET,
					       limit_put, &limits);
		if (!error)
			dump->next = next;
		/* There may be many that are not told. */
		cond_resched();
	}
	return lodge_dump_answer(skb, error);
}
