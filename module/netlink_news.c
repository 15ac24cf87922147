// SPDX-License-Identifier: GPL-2.0
/*
 * The family's command on events, and the message that there are new ones: see
 * uapi/lodge_netlink.h.
 *
 * That message has no more than a number, so it may go to everybody, and one stands for
 * all events since the last.
 */
#include <linux/jiffies.h>
#include <linux/rculist.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/timekeeping.h>
#include <linux/uidgid.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>

#include "compat.h"
#include "netlink_news.h"
#include "news.h"

const struct nla_policy lodge_netlink_news_policy[LODGE_NEWS_SEQ + 1] = {
	[LODGE_NEWS_SEQ] = { .type = NLA_U64 },
};

/**
 * struct news_answer - an event, as one answer of a dump
 * @news: the event
 * @lost: LODGE_NEWS_LOST; 0: it is not told
 */
struct news_answer {
	struct lodge_news news;
	u64 lost;
};

int lodge_netlink_news_start(struct netlink_callback *cb)
{
	const struct nlattr *seq = lodge_dump_attrs(cb)[LODGE_NEWS_SEQ];
	int error = lodge_dump_begin(cb, LODGE_NEWS_SEQ);
	struct lodge_dump *dump;
	u64 first;

	if (error)
		return error;
	dump = lodge_dump_of(cb);
	lodge_news_range(&first, &dump->end);
	dump->tells_lost = seq;
	dump->next = seq ? nla_get_u64(seq) : first;
	/* There is no event 0. */
	dump->next = max(dump->next, 1ULL);
	return 0;
}

/* What only events of some kinds have. */
static int news_put_details(struct sk_buff *skb, const struct lodge_news *news)
{
	if (news->vm && (nla_put_u32(skb, LODGE_NEWS_VM, news->vm) ||
			 nla_put_string(skb, LODGE_NEWS_NAME, news->name)))
		return -EMSGSIZE;
	switch (news->kind) {
	case LODGE_NEWS_VCPU_STOPPED:
		return nla_put_u32(skb, LODGE_NEWS_VCPU, news->vcpu) ||
		       nla_put_u32(skb, LODGE_NEWS_REASON, news->reason);
	case LODGE_NEWS_LIMIT_HIT:
		return nla_put_u32(skb, LODGE_NEWS_LIMIT, news->limit) ||
		       nla_put_u32(skb, LODGE_NEWS_SCOPE, news->scope);
	default:
		return 0;
	}
}

static int news_put_owner(struct sk_buff *skb,
			  const struct lodge_viewer *viewer,
			  const struct lodge_owner *owner)
{
	if (!owner->user_ns)
		return 0;
	return nla_put_u32(skb, LODGE_NEWS_UID,
			   from_kuid_munged(viewer->sender.user_ns,
					    owner->uid));
}

static int news_put(struct sk_buff *skb, const struct lodge_viewer *viewer,
		    const void *thing)
{
	const struct news_answer *answer = thing;
	const struct lodge_news *news = &answer->news;

	if (nla_put_u64_64bit(skb, LODGE_NEWS_SEQ, news->seq, LODGE_NEWS_PAD) ||
	    nla_put_u32(skb, LODGE_NEWS_KIND, news->kind) ||
	    nla_put_u64_64bit(skb, LODGE_NEWS_TIME, news->time,
			      LODGE_NEWS_PAD) ||
	    news_put_details(skb, news) ||
	    news_put_owner(skb, viewer, &news->owner) ||
	    nla_put_string(skb, LODGE_NEWS_TEXT, news->text))
		return -EMSGSIZE;
	if (answer->lost && nla_put_u64_64bit(skb, LODGE_NEWS_LOST,
					      answer->lost, LODGE_NEWS_PAD))
		return -EMSGSIZE;
	return 0;
}

static bool news_may(const void *viewer, const struct lodge_owner *owner)
{
	return lodge_viewer_sees(viewer, owner);
}

/*
 * No list is interrupted by what is forgotten meanwhile: the next event tells that, in
 * this list or in one that begins where this one has ended.
 */
static bool news_next(const struct lodge_dump *dump, struct news_answer *answer)
{
	const struct lodge_viewer *viewer = &dump->viewer;
	const struct lodge_news_reader reader = {
		.seq = dump->next,
		.end = dump->end,
		.uid = lodge_viewer_is_admin(viewer) ?
			       INVALID_UID :
			       lodge_owner_host_uid(&viewer->sender),
		.may = news_may,
		.viewer = viewer,
	};
	bool found = lodge_news_read(&reader, &answer->news, &answer->lost);

	if (!dump->tells_lost)
		answer->lost = 0;
	return found;
}

int lodge_netlink_news_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct lodge_dump *dump = lodge_dump_of(cb);
	struct news_answer answer;
	int error = 0;

	while (news_next(dump, &answer)) {
		error = lodge_dump_put(skb, cb, LODGE_CMD_NEWS_GET, news_put,
				       &answer);
		if (error)
			break;
		dump->next = answer.news.seq + 1;
	}
	return lodge_dump_answer(skb, error);
}

/*
 * Whoever may make network namespaces and listeners can make a message take long.  The
 * next one waits so many times as long, and stands for all events until then.
 */
#define NEWS_REST 9
/* In jiffies. */
static unsigned long news_rest;

/* Takes the reference on @net, NULL before the first one, and gives one on the next. */
static struct net *news_next_net(struct net *net)
{
	struct net *next = net;

	rcu_read_lock();
	do {
		next = list_next_or_null_rcu(&net_namespace_list,
					     next ? &next->list :
						    &net_namespace_list,
					     struct net, list);
	} while (next && !maybe_get_net(next));
	rcu_read_unlock();
	if (net)
		put_net(net);
	return next;
}

/*
 * To each network namespace by itself: if a listener in one has asked to make the send
 * fail when it does not keep up, that is nothing to the others.
 */
static void news_send(struct sk_buff *skb)
{
	struct net *net = NULL;
	struct sk_buff *copy;

	while ((net = news_next_net(net))) {
		copy = skb_clone(skb, GFP_KERNEL);
		if (copy)
			genlmsg_multicast_netns(&lodge_netlink_family, net,
						copy, 0, 0, GFP_KERNEL);
		cond_resched();
	}
	consume_skb(skb);
}

static void news_tell(struct work_struct *unused)
{
	u64 begin = ktime_get_ns();
	struct sk_buff *skb;
	u64 first, end;
	void *head;

	/* Of all network namespaces, of which anybody may make many. */
	if (!genl_has_listeners(&lodge_netlink_family, &init_net, 0))
		return;
	skb = genlmsg_new(nla_total_size_64bit(sizeof(u64)), GFP_KERNEL);
	/* Whoever listens will be told of this with the next event. */
	if (!skb)
		return;
	lodge_news_range(&first, &end);
	head = genlmsg_put(skb, 0, 0, &lodge_netlink_family, 0, LODGE_CMD_NEWS);
	if (!head ||
	    nla_put_u64_64bit(skb, LODGE_NEWS_SEQ, end - 1, LODGE_NEWS_PAD)) {
		nlmsg_free(skb);
		return;
	}
	genlmsg_end(skb, head);
	news_send(skb);
	WRITE_ONCE(news_rest,
		   nsecs_to_jiffies((ktime_get_ns() - begin) * NEWS_REST));
}

static DECLARE_DELAYED_WORK(news_work, news_tell);

static void news_begin_to_tell(void)
{
	schedule_delayed_work(&news_work, READ_ONCE(news_rest));
}

void lodge_netlink_news_init(void)
{
	lodge_news_listen(news_begin_to_tell);
}

void lodge_netlink_news_exit(void)
{
	lodge_news_listen(NULL);
	cancel_delayed_work_sync(&news_work);
}
