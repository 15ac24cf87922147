// SPDX-License-Identifier: GPL-2.0
/*
 * The statistics of vCPUs: see uapi/lodge_netlink.h.
 */
#include <linux/nospec.h>
#include <asm/tsc.h>

#include "netlink_stats.h"
#include "stats.h"
#include "vcpu.h"
#include "vm.h"

const struct nla_policy lodge_netlink_stats_policy[LODGE_STATS_VCPU + 1] = {
	[LODGE_STATS_VM] = { .type = NLA_U32 },
	[LODGE_STATS_VCPU] = { .type = NLA_U32 },
};

static int stats_put_count(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put_u64_64bit(skb, attr, value, LODGE_STATS_PAD);
}

/* The attributes that are one counter each. */
static const struct {
	u16 attr;
	u16 offset;
} stats_counters[] = {
#define STATS_COUNTER(attr, member)                                      \
	{                                                                \
		LODGE_STATS_##attr, offsetof(struct lodge_stats, member) \
	}
	STATS_COUNTER(INTERRUPTS, interrupts),
	STATS_COUNTER(NMIS, nmis),
	STATS_COUNTER(EXCEPTIONS, exceptions),
	STATS_COUNTER(FLUSHES, flushes),
	STATS_COUNTER(HALTS, halts),
	STATS_COUNTER(POLLS_WON, polls_won),
	STATS_COUNTER(POLLS_LOST, polls_lost),
	STATS_COUNTER(WAKEUPS, wakeups),
	STATS_COUNTER(RETURNS, returns),
};

static int stats_put_counters(struct sk_buff *skb,
			      const struct lodge_stats *stats)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(stats_counters); i++) {
		const local64_t *counter =
			(const void *)stats + stats_counters[i].offset;

		if (stats_put_count(skb, stats_counters[i].attr,
				    local64_read(counter)))
			return -EMSGSIZE;
	}
	return 0;
}

/* Level 1 has pages of 4 KiB, level 2 of 2 MiB, level 3 of 1 GiB. */
static int stats_put_faults(struct sk_buff *skb,
			    const struct lodge_npt_cache *cache)
{
	static_assert(LODGE_STATS_FAULTS_1G - LODGE_STATS_FAULTS_4K + 1 ==
		      ARRAY_SIZE(cache->leaves));
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cache->leaves); i++)
		if (stats_put_count(skb, LODGE_STATS_FAULTS_4K + i,
				    READ_ONCE(cache->leaves[i])))
			return -EMSGSIZE;
	return 0;
}

/*
 * Each turn of the run loop has one entry that is in a bucket, and all of its exits but
 * the last are quick.  The vCPU may go on between the two sums.
 */
static int stats_put_exits(struct sk_buff *skb, const struct lodge_vcpu *vcpu)
{
	u64 exits[LODGE_NR_STAT_EXITS], outside[LODGE_STAT_BUCKETS];
	u64 turns = lodge_stats_outside(&vcpu->time, outside);
	u64 all = lodge_stats_exits(&vcpu->stats, exits);

	if (nla_put(skb, LODGE_STATS_EXITS, sizeof(exits), exits) ||
	    stats_put_count(skb, LODGE_STATS_QUICK, all - min(all, turns)) ||
	    nla_put(skb, LODGE_STATS_HISTOGRAM, sizeof(outside), outside) ||
	    nla_put_u32(skb, LODGE_STATS_TSC_KHZ, tsc_khz))
		return -EMSGSIZE;
	return 0;
}

static int stats_put(struct sk_buff *skb, const struct lodge_viewer *viewer,
		     const void *thing)
{
	const struct lodge_vcpu *vcpu = thing;

	if (nla_put_u32(skb, LODGE_STATS_VM, vcpu->vm->identity.id) ||
	    nla_put_u32(skb, LODGE_STATS_VCPU, vcpu->id) ||
	    stats_put_exits(skb, vcpu) ||
	    stats_put_faults(skb, &vcpu->npt_cache) ||
	    stats_put_counters(skb, &vcpu->stats))
		return -EMSGSIZE;
	return 0;
}

/* Under the registry's lock.  Return: the vCPU, or NULL. */
static const struct lodge_vcpu *stats_find(const struct lodge_viewer *viewer,
					   u32 vm_id, u32 id)
{
	const struct lodge_vm *vm = lodge_viewer_find(viewer, vm_id);

	if (!vm || id >= LODGE_MAX_VCPUS)
		return NULL;
	return lodge_vcpu_find(vm, array_index_nospec(id, LODGE_MAX_VCPUS));
}

static int stats_fill(struct sk_buff *answer, struct genl_info *info,
		      const struct lodge_viewer *viewer)
{
	struct nlattr **attrs = info->attrs;
	const struct lodge_vcpu *vcpu;
	int error = -ENOENT;

	if (!attrs[LODGE_STATS_VM] || !attrs[LODGE_STATS_VCPU]) {
		NL_SET_ERR_MSG(info->extack,
			       "a VM's ID and a vCPU's number must be given");
		return -EINVAL;
	}
	lodge_registry_lock();
	vcpu = stats_find(viewer, nla_get_u32(attrs[LODGE_STATS_VM]),
			  nla_get_u32(attrs[LODGE_STATS_VCPU]));
	if (vcpu)
		error = lodge_netlink_put(answer, info, LODGE_CMD_STATS_GET,
					  viewer, stats_put, vcpu);
	lodge_registry_unlock();
	return error;
}

int lodge_netlink_stats_get(struct sk_buff *skb, struct genl_info *info)
{
	return lodge_netlink_answer(skb, info, stats_fill);
}

int lodge_netlink_stats_start(struct netlink_callback *cb)
{
	return lodge_dump_start(cb, LODGE_STATS_VM);
}

int lodge_netlink_stats_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	return lodge_dump_vcpus(skb, cb, LODGE_CMD_STATS_GET, stats_put);
}
