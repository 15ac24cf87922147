// SPDX-License-Identifier: GPL-2.0
/*
 * What has happened of late: see news.h.
 */
#include <linux/kernel.h>
#include <linux/ratelimit.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>

#include "backend.h"
#include "news.h"
#include "notify.h"
#include "vcpu.h"
#include "vm.h"

/**
 * struct news_holder - one of those whose events are remembered
 * @uid: lodge_owner_host_uid(); invalid: everybody's events
 * @events: how many they are; 0: the place is free
 */
struct news_holder {
	kuid_t uid;
	u32 events;
};

/**
 * struct news_event - an event that is remembered
 * @news: the event; it holds references on its owner's namespaces
 * @holder: whose it is
 * @lost: how many events between the one before and this one are forgotten
 * @loser: whose those were; invalid: several ones', or everybody's
 */
struct news_event {
	struct lodge_news news;
	struct news_holder *holder;
	u64 lost;
	kuid_t loser;
};

/* Guards all of these. */
static DEFINE_SPINLOCK(news_lock);
static struct news_event news_events[LODGE_NEWS_MAX_EVENTS];
/* Those that are remembered, oldest first. */
static struct news_event *news_order[LODGE_NEWS_MAX_EVENTS];
static u32 news_count;
static struct news_holder news_holders[LODGE_NEWS_MAX_EVENTS];
/* No holder is at this place or above. */
static u32 news_holders_end;
/* Number of the next event. */
static u64 news_end = 1;
static void (*news_tell)(void);

/* Each holder has an event, so there is a place for one more before an event comes. */
static struct news_holder *news_holder_of(kuid_t uid)
{
	struct news_holder *place = NULL;
	u32 i;

	for (i = 0; i < news_holders_end; i++) {
		if (!news_holders[i].events)
			place = place ?: &news_holders[i];
		else if (uid_eq(news_holders[i].uid, uid))
			return &news_holders[i];
	}
	if (!place)
		place = &news_holders[news_holders_end++];
	place->uid = uid;
	return place;
}

/* How many events the one has who has most. */
static u32 news_most(void)
{
	u32 most = 0, i;

	for (i = 0; i < news_holders_end; i++)
		most = max(most, news_holders[i].events);
	return most;
}

/* The next event tells that @number events of @loser's are forgotten before it. */
static void news_lose(struct news_event *next, u64 number, kuid_t loser)
{
	if (!number)
		return;
	if (!next->lost)
		next->loser = loser;
	else if (!uid_eq(next->loser, loser))
		next->loser = INVALID_UID;
	next->lost += number;
}

/* Forget the oldest event of a holder of most.  It is never the newest of all. */
static struct news_event *news_forget(void)
{
	const u32 most = news_most();
	struct news_event *event;
	u32 i = 0;

	while (news_order[i]->holder->events < most)
		i++;
	event = news_order[i];
	news_lose(news_order[i + 1], event->lost, event->loser);
	news_lose(news_order[i + 1], 1, event->holder->uid);
	event->holder->events--;
	news_count--;
	memmove(&news_order[i], &news_order[i + 1],
		(news_count - i) * sizeof(news_order[0]));
	return event;
}

static void news_add(struct lodge_news *news)
{
	const kuid_t uid = lodge_owner_host_uid(&news->owner);
	struct news_event *event;
	struct lodge_owner old;
	unsigned long flags;

	news->time = ktime_get_real_ns();
	lodge_owner_get(&news->owner);
	spin_lock_irqsave(&news_lock, flags);
	event = news_count < LODGE_NEWS_MAX_EVENTS ? &news_events[news_count] :
						     news_forget();
	old = event->news.owner;
	news->seq = news_end++;
	event->news = *news;
	event->lost = 0;
	event->holder = news_holder_of(uid);
	event->holder->events++;
	news_order[news_count++] = event;
	if (news_tell)
		news_tell();
	spin_unlock_irqrestore(&news_lock, flags);
	lodge_owner_put(&old);
}

/* The place of the oldest event with this number or a higher one. */
static u32 news_place(u64 seq)
{
	u32 low = 0, high = news_count, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (news_order[middle]->news.seq < seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void lodge_news_range(u64 *first, u64 *end)
{
	unsigned long flags;

	spin_lock_irqsave(&news_lock, flags);
	*first = news_count ? news_order[0]->news.seq : news_end;
	*end = news_end;
	spin_unlock_irqrestore(&news_lock, flags);
}

/* What a reader is told to have lost right before an event. */
static u64 news_lost(const struct lodge_news_reader *reader,
		     const struct news_event *event)
{
	if (uid_valid(reader->uid) && uid_valid(event->loser) &&
	    !uid_eq(reader->uid, event->loser))
		return 0;
	return min(event->lost, event->news.seq - reader->seq);
}

static bool news_may(const struct lodge_news_reader *reader,
		     const struct news_event *event)
{
	const struct lodge_owner *owner = &event->news.owner;

	return !owner->user_ns || reader->may(reader->viewer, owner);
}

bool lodge_news_read(const struct lodge_news_reader *reader,
		     struct lodge_news *news, u64 *lost)
{
	unsigned long flags;
	bool found = false;
	u32 i;

	*lost = 0;
	spin_lock_irqsave(&news_lock, flags);
	for (i = news_place(reader->seq); i < news_count && !found; i++) {
		if (news_order[i]->news.seq >= reader->end)
			break;
		*lost += news_lost(reader, news_order[i]);
		found = news_may(reader, news_order[i]);
		if (found)
			*news = news_order[i]->news;
	}
	spin_unlock_irqrestore(&news_lock, flags);
	return found;
}

void lodge_news_listen(void (*tell)(void))
{
	unsigned long flags;

	spin_lock_irqsave(&news_lock, flags);
	news_tell = tell;
	spin_unlock_irqrestore(&news_lock, flags);
}

void lodge_news_fini(void)
{
	u32 i;

	for (i = 0; i < news_count; i++)
		lodge_owner_put(&news_order[i]->news.owner);
	memset(news_events, 0, sizeof(news_events));
	memset(news_holders, 0, sizeof(news_holders));
	news_holders_end = 0;
	news_count = 0;
	news_end = 1;
}

static void news_of_vm(struct lodge_news *news, const struct lodge_vm *vm)
{
	news->owner = vm->identity.owner;
	news->vm = vm->identity.id;
	strscpy(news->name, vm->identity.name, sizeof(news->name));
}

static const char *news_vm_text(enum lodge_news_kind kind)
{
	switch (kind) {
	case LODGE_NEWS_VM_CREATED:
		return "the VM was made";
	case LODGE_NEWS_VM_GONE:
		return "the VM is gone";
	case LODGE_NEWS_VM_KILLED:
		return "the VM was killed";
	default:
		return "a bug in Lodge was found: the VM cannot run any more";
	}
}

void lodge_notify_vm(const struct lodge_vm *vm, enum lodge_news_kind kind)
{
	struct lodge_news news = { .kind = kind };

	news_of_vm(&news, vm);
	strscpy(news.text, news_vm_text(kind), sizeof(news.text));
	news_add(&news);
}

/* The run page has the rules, too, but user space may have changed them there. */
static void news_explain_entry(struct lodge_vcpu *vcpu, char *text, size_t size)
{
	const struct lodge_exit_fail_entry *fail =
		&vcpu->answer.exit.fail_entry;
	struct lodge_rule rule;

	if (fail->count && lodge_backend->check(vcpu, &rule, 1))
		snprintf(text, size,
			 "the processor refused the state: %.*s is %#llx: %.*s",
			 (int)sizeof(rule.field), rule.field, rule.value,
			 (int)sizeof(rule.text), rule.text);
	else
		snprintf(
			text, size,
			"the processor refused the state with code %#llx, for no known rule",
			fail->code);
}

static void news_explain_emulate(const struct lodge_vcpu *vcpu, char *text,
				 size_t size)
{
	const struct lodge_exit_emulate *exit = &vcpu->answer.exit.emulate;
	__u64 rip = vcpu->regs.general.rip;

	if (exit->length)
		snprintf(text, size,
			 "cannot emulate the instruction at %#llx: %*ph", rip,
			 exit->length, exit->bytes);
	else
		snprintf(text, size, "cannot read the instruction at %#llx",
			 rip);
}

static void news_explain(struct lodge_vcpu *vcpu, char *text, size_t size)
{
	const union lodge_exit *exit = &vcpu->answer.exit;

	switch (vcpu->answer.reason) {
	case LODGE_EXIT_SHUTDOWN:
		strscpy(text, "triple fault", size);
		break;
	case LODGE_EXIT_FAIL_ENTRY:
		news_explain_entry(vcpu, text, size);
		break;
	case LODGE_EXIT_CANNOT_EMULATE:
		news_explain_emulate(vcpu, text, size);
		break;
	case LODGE_EXIT_TASK_SWITCH:
		snprintf(
			text, size,
			"switch to the task %#x, of which not all is in memory",
			exit->task_switch.selector);
		break;
	case LODGE_EXIT_MEMORY_ERROR:
		snprintf(text, size,
			 "the host has no page for the %s at %#llx: errno %u",
			 exit->memory.write ? "write" : "read",
			 exit->memory.gpa, exit->memory.error);
		break;
	default:
		snprintf(text, size, "unknown exit %#llx of the processor",
			 exit->unknown.code);
		break;
	}
}

void lodge_notify_stopped(struct lodge_vcpu *vcpu)
{
	struct lodge_news news = {
		.kind = LODGE_NEWS_VCPU_STOPPED,
		.vcpu = vcpu->id,
		.reason = vcpu->answer.reason,
	};

	if (!__ratelimit(&vcpu->vm->stops))
		return;
	news_of_vm(&news, vcpu->vm);
	news_explain(vcpu, news.text, sizeof(news.text));
	news_add(&news);
}

static const char *news_limit_text(u32 limit)
{
	switch (limit) {
	case LODGE_LIMIT_VMS:
		return "VMs";
	case LODGE_LIMIT_VCPUS:
		return "vCPUs";
	case LODGE_LIMIT_TABLES:
		return "nested page tables";
	default:
		return "kernel memory";
	}
}

void lodge_notify_limit(kuid_t uid, u32 limit, enum lodge_limit_scope scope)
{
	struct lodge_news news = {
		.owner = lodge_owner_current(),
		.kind = LODGE_NEWS_LIMIT_HIT,
		.limit = limit,
		.scope = scope,
	};

	/* Another user's thread may have met it: one that was given the VM's descriptor. */
	if (!uid_eq(lodge_owner_host_uid(&news.owner), uid)) {
		news.owner.uid = uid;
		news.owner.user_ns = &init_user_ns;
	}
	snprintf(news.text, sizeof(news.text),
		 "the limit on %s of %s is reached", news_limit_text(limit),
		 scope == LODGE_SCOPE_TOTAL ? "all users together" :
					      "the user");
	news_add(&news);
}

void lodge_notify_hardware(bool on)
{
	struct lodge_news news = {
		.kind = on ? LODGE_NEWS_HARDWARE_ON : LODGE_NEWS_HARDWARE_OFF,
	};

	snprintf(news.text, sizeof(news.text), "virtualization is %s",
		 on ? "on" : "off");
	news_add(&news);
}
