// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the ring of events: who may read which, what is forgotten, and how an event
 * is explained.
 */
#include <errno.h>
#include <string.h>

#include "backend.h"
#include "news.h"
#include "notify.h"
#include "vcpu.h"
#include "vm.h"

#include "kselftest_harness.h"

struct task_struct kernel_thread;

static struct user_namespace host_ns, other_ns;
static unsigned int told;
static u32 rules;

static u32 fake_check(struct lodge_vcpu *vcpu, struct lodge_rule *rule, u32 max)
{
	if (!rules)
		return 0;
	*rule = (struct lodge_rule){ .value = 0x20, .field = "EFER" };
	memcpy(rule->text, "SVME must be set", sizeof("SVME must be set"));
	return rules;
}

static const struct lodge_backend fake_backend = { .check = fake_check };
const struct lodge_backend *lodge_backend = &fake_backend;

static void tell(void)
{
	told++;
}

FIXTURE(news)
{
	struct lodge_vm vm;
	struct lodge_vcpu vcpu;
	struct lodge_run run;
	struct lodge_owner owner;
};

FIXTURE_SETUP(news)
{
	memset(self, 0, sizeof(*self));
	self->owner =
		(struct lodge_owner){ .uid = { 1000 }, .user_ns = &host_ns };
	self->vm.identity = (struct lodge_identity){ .id = 7,
						     .name = "a",
						     .owner = self->owner };
	self->vm.stops.left = 2;
	self->vcpu.vm = &self->vm;
	self->vcpu.id = 3;
	self->vcpu.data = self->run.data;
	kernel_thread.user_ns = &host_ns;
	rules = 0;
	told = 0;
	lodge_news_listen(tell);
}

FIXTURE_TEARDOWN(news)
{
	lodge_news_listen(NULL);
	lodge_news_fini();
	EXPECT_EQ(0, host_ns.users);
	EXPECT_EQ(0, other_ns.users);
}

static bool may_own(const void *viewer, const struct lodge_owner *owner)
{
	return lodge_owner_is(viewer, owner);
}

static bool get(FIXTURE_DATA(news) * self, u64 seq, struct lodge_news *news)
{
	u64 forgotten;

	return lodge_news_read(seq, ~0ULL, news, &forgotten, may_own,
			       &self->owner);
}

TEST_F(news, events_are_read_oldest_first)
{
	struct lodge_news news;
	u64 forgotten;

	lodge_notify_vm(&self->vm, LODGE_NEWS_VM_CREATED);
	lodge_notify_vm(&self->vm, LODGE_NEWS_VM_GONE);
	ASSERT_TRUE(get(self, 0, &news));
	EXPECT_EQ(1U, news.seq);
	EXPECT_EQ(LODGE_NEWS_VM_CREATED, news.kind);
	EXPECT_EQ(7U, news.vm);
	EXPECT_STREQ("a", news.name);
	EXPECT_EQ(2000U, news.time);
	ASSERT_TRUE(get(self, 2, &news));
	EXPECT_EQ(LODGE_NEWS_VM_GONE, news.kind);
	EXPECT_FALSE(get(self, 3, &news));
	EXPECT_FALSE(lodge_news_read(1, 1, &news, &forgotten, may_own,
				     &self->owner));
	EXPECT_EQ(0U, forgotten);
	EXPECT_EQ(2U, told);
}

TEST_F(news, nobody_reads_what_is_anothers)
{
	struct lodge_news news;

	self->vm.identity.owner.uid.val = 1001;
	lodge_notify_vm(&self->vm, LODGE_NEWS_VM_CREATED);
	self->vm.identity.owner =
		(struct lodge_owner){ .uid = { 1000 }, .user_ns = &other_ns };
	lodge_notify_vm(&self->vm, LODGE_NEWS_VM_CREATED);
	EXPECT_FALSE(get(self, 1, &news));
	lodge_notify_hardware(true);
	ASSERT_TRUE(get(self, 1, &news));
	EXPECT_EQ(3U, news.seq);
	EXPECT_EQ(LODGE_NEWS_HARDWARE_ON, news.kind);
}

TEST_F(news, a_limit_is_the_users_that_has_met_it)
{
	struct lodge_news news;

	lodge_notify_limit((kuid_t){ 1001 }, LODGE_LIMIT_VMS, LODGE_SCOPE_USER);
	lodge_notify_limit((kuid_t){ 1000 }, LODGE_LIMIT_TABLES,
			   LODGE_SCOPE_TOTAL);
	ASSERT_TRUE(get(self, 1, &news));
	EXPECT_EQ(2U, news.seq);
	EXPECT_EQ(LODGE_LIMIT_TABLES, news.limit);
	EXPECT_EQ(LODGE_SCOPE_TOTAL, news.scope);
	EXPECT_NE(NULL, strstr(news.text, "nested page tables"));
}

TEST_F(news, the_oldest_events_are_forgotten)
{
	struct lodge_news news;
	u64 first, end;

	for (u32 i = 0; i < LODGE_NEWS_MAX_EVENTS + 5; i++)
		lodge_notify_vm(&self->vm, LODGE_NEWS_VM_CREATED);
	lodge_news_range(&first, &end);
	EXPECT_EQ(6U, first);
	EXPECT_EQ(LODGE_NEWS_MAX_EVENTS + 6U, end);
	ASSERT_TRUE(get(self, 1, &news));
	EXPECT_EQ(6U, news.seq);
	/* Each that is remembered holds its namespace. */
	EXPECT_EQ(LODGE_NEWS_MAX_EVENTS, host_ns.users);
}

static u64 forgotten_below(FIXTURE_DATA(news) * self, u64 seq, u64 end)
{
	struct lodge_news news;
	u64 forgotten = ~0ULL;

	lodge_news_read(seq, end, &news, &forgotten, may_own, &self->owner);
	return forgotten;
}

TEST_F(news, a_reader_that_is_overtaken_is_told)
{
	for (u32 i = 0; i < LODGE_NEWS_MAX_EVENTS + 5; i++)
		lodge_notify_hardware(true);
	EXPECT_EQ(5U, forgotten_below(self, 1, ~0ULL));
	EXPECT_EQ(1U, forgotten_below(self, 5, ~0ULL));
	EXPECT_EQ(0U, forgotten_below(self, 6, ~0ULL));
	/* Of what it wants: that may all be gone. */
	EXPECT_EQ(2U, forgotten_below(self, 2, 4));
	EXPECT_EQ(0U, forgotten_below(self, 4, 4));
	EXPECT_EQ(0U, forgotten_below(self, ~0ULL, 4));
}

TEST_F(news, a_refused_entry_is_explained_by_the_rule_and_not_by_the_run_page)
{
	struct lodge_rule *page = (struct lodge_rule *)self->run.data;
	struct lodge_news news;

	rules = 1;
	strcpy(page->text, "a lie");
	self->vcpu.answer.reason = LODGE_EXIT_FAIL_ENTRY;
	self->vcpu.answer.exit.fail_entry.count = 1;
	lodge_notify_stopped(&self->vcpu);
	ASSERT_TRUE(get(self, 1, &news));
	EXPECT_EQ(3U, news.vcpu);
	EXPECT_EQ(LODGE_EXIT_FAIL_ENTRY, news.reason);
	EXPECT_STREQ("the processor refused the state: EFER is 0x20: "
		     "SVME must be set",
		     news.text);
}

TEST_F(news, a_refused_entry_that_breaks_no_rule_is_explained_by_its_code)
{
	struct lodge_news news;

	self->vcpu.answer.reason = LODGE_EXIT_FAIL_ENTRY;
	self->vcpu.answer.exit.fail_entry.code = ~0ULL;
	lodge_notify_stopped(&self->vcpu);
	ASSERT_TRUE(get(self, 1, &news));
	EXPECT_NE(NULL, strstr(news.text, "0xffffffffffffffff"));
}

TEST_F(news, each_exit_that_stops_a_guest_has_words)
{
	struct lodge_news news;

	self->vm.stops.left = LODGE_EXIT_UNKNOWN;
	for (u32 reason = LODGE_EXIT_SHUTDOWN; reason <= LODGE_EXIT_UNKNOWN;
	     reason++) {
		self->vcpu.answer.reason = reason;
		lodge_notify_stopped(&self->vcpu);
		ASSERT_TRUE(get(self, reason - LODGE_EXIT_SHUTDOWN + 1, &news));
		EXPECT_EQ(reason, news.reason);
		EXPECT_LT(0U, strlen(news.text));
	}
}

TEST_F(news, a_vm_that_stops_very_often_is_told_of_now_and_then)
{
	u64 first, end;

	self->vcpu.answer.reason = LODGE_EXIT_SHUTDOWN;
	for (u32 i = 0; i < 100; i++)
		lodge_notify_stopped(&self->vcpu);
	lodge_news_range(&first, &end);
	EXPECT_EQ(3U, end);
	EXPECT_EQ(2U, told);
}

TEST_HARNESS_MAIN
