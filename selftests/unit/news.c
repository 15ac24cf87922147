// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of what is remembered of events: who may read which, what is forgotten and who
 * is told that, and how an event is explained.
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

struct user_namespace init_user_ns;

static struct user_namespace *const host_ns = &init_user_ns;
static struct user_namespace other_ns = { .parent = &init_user_ns,
					  .owner = { 3000 } };
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
		(struct lodge_owner){ .uid = { 1000 }, .user_ns = host_ns };
	self->vm.identity = (struct lodge_identity){ .id = 7,
						     .name = "a",
						     .owner = self->owner };
	self->vm.stops.left = 2;
	self->vcpu.vm = &self->vm;
	self->vcpu.id = 3;
	self->vcpu.data = self->run.data;
	kernel_thread.user_ns = host_ns;
	rules = 0;
	told = 0;
	lodge_news_listen(tell);
}

FIXTURE_TEARDOWN(news)
{
	lodge_news_listen(NULL);
	lodge_news_fini();
	EXPECT_EQ(0, host_ns->users);
	EXPECT_EQ(0, other_ns.users);
}

static bool may_own(const void *viewer, const struct lodge_owner *owner)
{
	return lodge_owner_is(viewer, owner);
}

static bool get_below(FIXTURE_DATA(news) * self, u64 seq, u64 end,
		      struct lodge_news *news, u64 *lost)
{
	const struct lodge_news_reader reader = {
		.seq = seq,
		.end = end,
		.uid = self->owner.uid,
		.may = may_own,
		.viewer = &self->owner,
	};

	return lodge_news_read(&reader, news, lost);
}

static bool get(FIXTURE_DATA(news) * self, u64 seq, struct lodge_news *news)
{
	u64 lost;

	return get_below(self, seq, ~0ULL, news, &lost);
}

/* What the fixture's user is told to have lost when it reads from @seq on. */
static u64 lost_from(FIXTURE_DATA(news) * self, u64 seq)
{
	struct lodge_news news;
	u64 lost;

	return get_below(self, seq, ~0ULL, &news, &lost) ? lost : ~0ULL;
}

/* So many events of a VM of that user's. */
static void happen(FIXTURE_DATA(news) * self, u32 uid, u32 number)
{
	self->vm.identity.owner.uid.val = uid;
	for (u32 i = 0; i < number; i++)
		lodge_notify_vm(&self->vm, LODGE_NEWS_VM_CREATED);
}

TEST_F(news, events_are_read_oldest_first)
{
	struct lodge_news news;
	u64 lost;

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
	EXPECT_FALSE(get_below(self, 1, 1, &news, &lost));
	EXPECT_EQ(0U, lost);
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

TEST_F(news, a_limit_met_in_a_namespace_is_told_to_who_has_met_it)
{
	struct lodge_news news;

	/* The limit is that of the one who has made the namespace. */
	kernel_thread.user_ns = &other_ns;
	kernel_thread.uid = 100001;
	lodge_notify_limit(other_ns.owner, LODGE_LIMIT_VMS, LODGE_SCOPE_USER);
	self->owner.uid.val = 100001;
	self->owner.user_ns = &other_ns;
	EXPECT_TRUE(get(self, 1, &news));
	/* With a VM that somebody else has made, it is that one's. */
	lodge_notify_limit((kuid_t){ 1000 }, LODGE_LIMIT_VMS, LODGE_SCOPE_USER);
	self->owner.uid.val = 1000;
	self->owner.user_ns = host_ns;
	EXPECT_TRUE(get(self, 1, &news));
}

TEST_F(news, the_oldest_events_are_forgotten)
{
	struct lodge_news news;
	u64 first, end;

	happen(self, 1000, LODGE_NEWS_MAX_EVENTS + 5);
	lodge_news_range(&first, &end);
	EXPECT_EQ(6U, first);
	EXPECT_EQ(LODGE_NEWS_MAX_EVENTS + 6U, end);
	ASSERT_TRUE(get(self, 1, &news));
	EXPECT_EQ(6U, news.seq);
	/* Each that is remembered holds its namespace. */
	EXPECT_EQ(LODGE_NEWS_MAX_EVENTS, host_ns->users);
}

TEST_F(news, a_user_with_many_events_makes_only_its_own_be_forgotten)
{
	struct lodge_news news;
	u64 first, end;

	happen(self, 1000, 3);
	happen(self, 2000, LODGE_NEWS_MAX_EVENTS);
	happen(self, 1000, 1);
	lodge_notify_hardware(true);
	happen(self, 2000, 5 * LODGE_NEWS_MAX_EVENTS);
	lodge_news_range(&first, &end);
	for (u64 seq = 1; seq <= 3; seq++) {
		ASSERT_TRUE(get(self, seq, &news));
		EXPECT_EQ(seq, news.seq);
	}
	ASSERT_TRUE(get(self, 4, &news));
	EXPECT_EQ(LODGE_NEWS_MAX_EVENTS + 4U, news.seq);
	ASSERT_TRUE(get(self, news.seq + 1, &news));
	EXPECT_EQ(LODGE_NEWS_HARDWARE_ON, news.kind);
	EXPECT_EQ(0U, lost_from(self, 1));
	EXPECT_EQ(0U, lost_from(self, 4));
	/* The other one has the rest. */
	self->owner.uid.val = 2000;
	ASSERT_TRUE(get(self, news.seq + 1, &news));
	EXPECT_EQ(end - (LODGE_NEWS_MAX_EVENTS - 5), news.seq);
}

TEST_F(news, many_users_with_one_namespace_are_one_who_has_many_events)
{
	struct lodge_news news;

	happen(self, 1000, 2);
	self->vm.identity.owner.user_ns = &other_ns;
	for (u32 uid = 0; uid < 3 * LODGE_NEWS_MAX_EVENTS; uid++)
		happen(self, 100000 + uid, 1);
	ASSERT_TRUE(get(self, 2, &news));
	EXPECT_EQ(2U, news.seq);
	EXPECT_EQ(0U, lost_from(self, 1));
}

TEST_F(news, as_many_users_as_there_are_events_lose_the_oldest)
{
	struct lodge_news news;

	for (u32 uid = 0; uid < 3 * LODGE_NEWS_MAX_EVENTS; uid++)
		happen(self, 5000 + uid, 1);
	self->owner.uid.val = 5000 + 2 * LODGE_NEWS_MAX_EVENTS - 1;
	EXPECT_FALSE(get(self, 1, &news));
	self->owner.uid.val = 5000 + 2 * LODGE_NEWS_MAX_EVENTS;
	ASSERT_TRUE(get(self, 1, &news));
	EXPECT_EQ(2U * LODGE_NEWS_MAX_EVENTS + 1, news.seq);
	/* It may be that some of those were its own. */
	EXPECT_EQ(2U * LODGE_NEWS_MAX_EVENTS, lost_from(self, 1));
}

TEST_F(news, a_reader_that_is_overtaken_is_told)
{
	for (u32 i = 0; i < LODGE_NEWS_MAX_EVENTS + 5; i++)
		lodge_notify_hardware(true);
	EXPECT_EQ(5U, lost_from(self, 1));
	EXPECT_EQ(1U, lost_from(self, 5));
	EXPECT_EQ(0U, lost_from(self, 6));
	EXPECT_EQ(0U, lost_from(self, 7));
}

TEST_F(news, what_was_forgotten_is_told_to_whom_it_was_with_the_event_after_it)
{
	struct lodge_news news;
	u64 lost;

	happen(self, 2000, 10);
	happen(self, 1000, 1);
	happen(self, 2000, LODGE_NEWS_MAX_EVENTS + 10);
	/* 21 are forgotten, ten of them before the event 11, which stays. */
	EXPECT_EQ(0U, lost_from(self, 1));
	self->owner.uid.val = 2000;
	ASSERT_TRUE(get_below(self, 1, ~0ULL, &news, &lost));
	EXPECT_EQ(23U, news.seq);
	EXPECT_EQ(21U, lost);
	EXPECT_EQ(11U, lost_from(self, 12));
	EXPECT_EQ(3U, lost_from(self, 20));
	EXPECT_EQ(0U, lost_from(self, 23));
}

TEST_F(news, what_is_told_and_what_is_lost_are_all_that_has_happened)
{
	u64 told_of = 0, lost_of = 0, seq = 1, lost;
	struct lodge_news news;

	happen(self, 1000, 3 * LODGE_NEWS_MAX_EVENTS);
	while (get_below(self, seq, ~0ULL, &news, &lost)) {
		told_of++;
		lost_of += lost;
		seq = news.seq + 1;
	}
	EXPECT_EQ(LODGE_NEWS_MAX_EVENTS, told_of);
	EXPECT_EQ(2U * LODGE_NEWS_MAX_EVENTS, lost_of);
}

TEST_F(news, what_is_lost_counts_once_beside_events_that_are_not_seen)
{
	static struct pid_namespace pids;

	happen(self, 1000, 3 * LODGE_NEWS_MAX_EVENTS);
	self->vm.identity.owner.pid_ns = &pids;
	self->owner.pid_ns = &pids;
	happen(self, 1000, 1);
	EXPECT_EQ(2U * LODGE_NEWS_MAX_EVENTS + 1, lost_from(self, 1));
}

TEST_F(news, nothing_is_told_of_what_is_behind_the_end)
{
	struct lodge_news news;
	u64 lost;

	happen(self, 1000, LODGE_NEWS_MAX_EVENTS + 10);
	EXPECT_FALSE(get_below(self, 1, 5, &news, &lost));
	EXPECT_EQ(0U, lost);
	/* Whoever goes on from where it was is told. */
	EXPECT_EQ(10U, lost_from(self, 1));
	EXPECT_EQ(6U, lost_from(self, 5));
	EXPECT_FALSE(get_below(self, ~0ULL, 4, &news, &lost));
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
