// SPDX-License-Identifier: GPL-2.0
/*
 * What has happened of late: a ring of events, see news.h.
 */
#include <linux/kernel.h>
#include <linux/ratelimit.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/timekeeping.h>

#include "backend.h"
#include "news.h"
#include "notify.h"
#include "vcpu.h"
#include "vm.h"

/* Guards all of these.  An event holds references on its owner's namespaces. */
static DEFINE_SPINLOCK(news_lock);
static struct lodge_news news_ring[LODGE_NEWS_MAX_EVENTS];
/* Number of the next event. */
static u64 news_end = 1;
static void (*news_tell)(void);

static struct lodge_news *news_slot(u64 seq)
{
	return &news_ring[seq % LODGE_NEWS_MAX_EVENTS];
}

static u64 news_first(void)
{
	return news_end > LODGE_NEWS_MAX_EVENTS ?
		       news_end - LODGE_NEWS_MAX_EVENTS :
		       1;
}

static void news_add(struct lodge_news *news)
{
	struct lodge_owner old;
	unsigned long flags;

	news->time = ktime_get_real_ns();
	lodge_owner_get(&news->owner);
	spin_lock_irqsave(&news_lock, flags);
	news->seq = news_end++;
	old = news_slot(news->seq)->owner;
	*news_slot(news->seq) = *news;
	if (news_tell)
		news_tell();
	spin_unlock_irqrestore(&news_lock, flags);
	lodge_owner_put(&old);
}

void lodge_news_range(u64 *first, u64 *end)
{
	unsigned long flags;

	spin_lock_irqsave(&news_lock, flags);
	*first = news_first();
	*end = news_end;
	spin_unlock_irqrestore(&news_lock, flags);
}

bool lodge_news_read(u64 seq, u64 end, struct lodge_news *news, u64 *forgotten,
		     bool (*may)(const void *viewer,
				 const struct lodge_owner *owner),
		     const void *viewer)
{
	unsigned long flags;
	bool found = false;
	u64 first;

	spin_lock_irqsave(&news_lock, flags);
	end = min(end, news_end);
	first = min(max(seq, news_first()), max(seq, end));
	*forgotten = first - seq;
	for (seq = first; seq < end; seq++) {
		const struct lodge_owner *owner = &news_slot(seq)->owner;

		found = !owner->user_ns || may(viewer, owner);
		if (found) {
			*news = *news_slot(seq);
			break;
		}
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

	for (i = 0; i < LODGE_NEWS_MAX_EVENTS; i++)
		lodge_owner_put(&news_ring[i].owner);
	memset(news_ring, 0, sizeof(news_ring));
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

	news.owner.uid = uid;
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
