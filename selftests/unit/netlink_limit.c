// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the netlink family's commands on limits: what is told of a scope and to whom,
 * what is refused and in which words, and the list of all scopes.
 */
#include "fake_family.h"
#include "user.h"

#include "kselftest_harness.h"

#define ALICE 1000
#define BOB 1001
#define MAX_OWN 1024
#define NONE (~0U)

FIXTURE(limit)
{
	struct family_request request;
	struct family_dump dump;
};

FIXTURE_SETUP(limit)
{
	const struct lodge_limits limits[] = {
		{ LODGE_SCOPE_DEFAULT, .limit = { 10, 20, 30, 40 } },
		{ LODGE_SCOPE_TOTAL, .limit = { 50, 60, 70, 80 } },
	};

	memset(self, 0, sizeof(*self));
	family_be(0, &init_user_ns, true);
	for (u32 i = 0; i < ARRAY_SIZE(limits); i++)
		ASSERT_EQ(0, lodge_limits_set(&limits[i], 0xf));
}

FIXTURE_TEARDOWN(limit)
{
	lodge_user_exit();
	family_end();
}

/* @scope, @uid: NONE: it is not given. */
static void ask(FIXTURE_DATA(limit) * self, u8 command, u32 scope, u32 uid)
{
	self->request = (struct family_request){ .command = command };
	if (scope != NONE)
		family_put_u32(&self->request, LODGE_LIMIT_SCOPE, scope);
	if (uid != NONE)
		family_put_u32(&self->request, LODGE_LIMIT_UID, uid);
}

static void add(FIXTURE_DATA(limit) * self, u16 attr, u64 value)
{
	family_put(&self->request, attr, &value, sizeof(value));
}

static int get(FIXTURE_DATA(limit) * self, u32 scope, u32 uid)
{
	ask(self, LODGE_CMD_LIMIT_GET, scope, uid);
	return family_do(&self->request);
}

static int set(FIXTURE_DATA(limit) * self, u32 scope, u32 uid, u16 attr,
	       u64 value)
{
	ask(self, LODGE_CMD_LIMIT_SET, scope, uid);
	add(self, attr, value);
	return family_do(&self->request);
}

static int inherit(FIXTURE_DATA(limit) * self, u32 scope, u32 uid)
{
	ask(self, LODGE_CMD_LIMIT_SET, scope, uid);
	family_put(&self->request, LODGE_LIMIT_INHERIT, "", 0);
	return family_do(&self->request);
}

/* True if the module has said this, of that attribute. */
static bool said(FIXTURE_DATA(limit) * self, const char *words, u16 attr)
{
	return self->request.ack.message &&
	       !strcmp(self->request.ack.message, words) &&
	       self->request.ack.attr ==
		       (attr ? self->request.table[attr] : NULL);
}

static const struct nlmsghdr *answer(void)
{
	return (const struct nlmsghdr *)family_answer->data;
}

/* Return: the value of an attribute of 4 or 8 bytes; ~1: it is absent. */
static u64 told(const struct nlmsghdr *header, u16 type)
{
	const struct nlattr *attr = family_attr(header, type);

	if (!attr)
		return ~1ULL;
	return nla_len(attr) == sizeof(u32) ? nla_get_u32(attr) :
					      nla_get_u64(attr);
}

TEST_F(limit, the_default_has_limits_and_no_use)
{
	ASSERT_EQ(0, get(self, LODGE_SCOPE_DEFAULT, NONE));
	EXPECT_EQ(LODGE_SCOPE_DEFAULT, told(answer(), LODGE_LIMIT_SCOPE));
	for (u32 i = 0; i < LODGE_NR_RESOURCES; i++) {
		EXPECT_EQ(10 * i + 10, told(answer(), LODGE_LIMIT_VMS + i));
		EXPECT_EQ(NULL,
			  family_attr(answer(), LODGE_LIMIT_USED_VMS + i));
	}
	EXPECT_EQ(NULL, family_attr(answer(), LODGE_LIMIT_UID));
	EXPECT_EQ(NULL, family_attr(answer(), LODGE_LIMIT_INHERIT));
}

TEST_F(limit, all_users_together_have_a_use)
{
	struct lodge_user *user;

	user = lodge_user_get_vm((kuid_t){ ALICE }, 7);
	ASSERT_FALSE(IS_ERR(user));
	ASSERT_EQ(0, get(self, LODGE_SCOPE_TOTAL, NONE));
	EXPECT_EQ(LODGE_SCOPE_TOTAL, told(answer(), LODGE_LIMIT_SCOPE));
	for (u32 i = 0; i < LODGE_NR_RESOURCES; i++)
		EXPECT_EQ(10 * i + 50, told(answer(), LODGE_LIMIT_VMS + i));
	EXPECT_EQ(1U, told(answer(), LODGE_LIMIT_USED_VMS));
	EXPECT_EQ(0U, told(answer(), LODGE_LIMIT_USED_VCPUS));
	EXPECT_EQ(0U, told(answer(), LODGE_LIMIT_USED_TABLES));
	EXPECT_EQ(7U, told(answer(), LODGE_LIMIT_USED_KERNEL));
	EXPECT_EQ(NULL, family_attr(answer(), LODGE_LIMIT_UID));
	lodge_user_put_vm(user, 7);
}

TEST_F(limit, a_user_inherits_until_it_has_limits_of_its_own)
{
	ASSERT_EQ(0, get(self, LODGE_SCOPE_USER, ALICE));
	EXPECT_EQ(ALICE, told(answer(), LODGE_LIMIT_UID));
	EXPECT_NE(NULL, family_attr(answer(), LODGE_LIMIT_INHERIT));
	EXPECT_EQ(10U, told(answer(), LODGE_LIMIT_VMS));
	ASSERT_EQ(0, set(self, LODGE_SCOPE_USER, ALICE, LODGE_LIMIT_VCPUS, 3));
	ASSERT_EQ(0, get(self, LODGE_SCOPE_USER, ALICE));
	EXPECT_EQ(NULL, family_attr(answer(), LODGE_LIMIT_INHERIT));
	EXPECT_EQ(10U, told(answer(), LODGE_LIMIT_VMS));
	EXPECT_EQ(3U, told(answer(), LODGE_LIMIT_VCPUS));
	EXPECT_EQ(0U, told(answer(), LODGE_LIMIT_USED_VCPUS));
	ASSERT_EQ(0, inherit(self, LODGE_SCOPE_USER, ALICE));
	ASSERT_EQ(0, get(self, LODGE_SCOPE_USER, ALICE));
	EXPECT_NE(NULL, family_attr(answer(), LODGE_LIMIT_INHERIT));
	EXPECT_EQ(20U, told(answer(), LODGE_LIMIT_VCPUS));
}

TEST_F(limit, each_limit_is_set_by_its_own_attribute)
{
	static const u32 scopes[] = { LODGE_SCOPE_DEFAULT, LODGE_SCOPE_TOTAL };

	for (u32 i = 0; i < LODGE_NR_RESOURCES; i++) {
		for (u32 j = 0; j < ARRAY_SIZE(scopes); j++) {
			ASSERT_EQ(0, set(self, scopes[j], NONE,
					 LODGE_LIMIT_VMS + i, 100 + j));
			EXPECT_EQ(NULL, self->request.ack.message);
			ASSERT_EQ(0, get(self, scopes[j], NONE));
			EXPECT_EQ(100 + j, told(answer(), LODGE_LIMIT_VMS + i));
		}
		ASSERT_EQ(0, set(self, LODGE_SCOPE_USER, ALICE,
				 LODGE_LIMIT_VMS + i, 200 + i));
		ASSERT_EQ(0, get(self, LODGE_SCOPE_USER, ALICE));
		for (u32 j = 0; j < LODGE_NR_RESOURCES; j++)
			EXPECT_EQ(j <= i ? 200 + j : 10 * j + 10,
				  told(answer(), LODGE_LIMIT_VMS + j));
	}
}

TEST_F(limit, several_are_set_at_once)
{
	ask(self, LODGE_CMD_LIMIT_SET, LODGE_SCOPE_TOTAL, NONE);
	add(self, LODGE_LIMIT_VMS, 1);
	add(self, LODGE_LIMIT_KERNEL, LODGE_LIMIT_NONE);
	ASSERT_EQ(0, family_do(&self->request));
	ASSERT_EQ(0, get(self, LODGE_SCOPE_TOTAL, NONE));
	EXPECT_EQ(1U, told(answer(), LODGE_LIMIT_VMS));
	EXPECT_EQ(60U, told(answer(), LODGE_LIMIT_VCPUS));
	EXPECT_EQ(70U, told(answer(), LODGE_LIMIT_TABLES));
	EXPECT_EQ(LODGE_LIMIT_NONE, told(answer(), LODGE_LIMIT_KERNEL));
}

TEST_F(limit, a_request_that_names_no_scope_or_not_its_user_is_refused)
{
	EXPECT_EQ(-EINVAL, get(self, NONE, NONE));
	EXPECT_TRUE(said(self, "no scope is given", 0));
	EXPECT_EQ(-EINVAL, get(self, LODGE_SCOPE_TOTAL + 1, NONE));
	EXPECT_EQ(-EINVAL, get(self, LODGE_SCOPE_USER, NONE));
	EXPECT_TRUE(said(self, "no user is given", 0));
	EXPECT_EQ(-EINVAL, get(self, LODGE_SCOPE_TOTAL, ALICE));
	EXPECT_TRUE(said(self, "a user goes with the scope of one user only",
			 LODGE_LIMIT_UID));
	EXPECT_EQ(-EINVAL, get(self, LODGE_SCOPE_DEFAULT, ALICE));
	/* -1 stands for no user in the kernel. */
	ask(self, LODGE_CMD_LIMIT_GET, LODGE_SCOPE_USER, NONE);
	family_put_u32(&self->request, LODGE_LIMIT_UID, ~0U);
	EXPECT_EQ(-ENOENT, family_do(&self->request));
}

TEST_F(limit, a_change_that_says_nothing_or_too_much_is_refused)
{
	ask(self, LODGE_CMD_LIMIT_SET, LODGE_SCOPE_TOTAL, NONE);
	EXPECT_EQ(-EINVAL, family_do(&self->request));
	EXPECT_TRUE(said(self, "no limit is given", 0));
	EXPECT_EQ(-EINVAL, set(self, NONE, NONE, LODGE_LIMIT_VMS, 1));
	EXPECT_EQ(-EINVAL, inherit(self, LODGE_SCOPE_TOTAL, NONE));
	EXPECT_TRUE(
		said(self, "only a user inherits limits", LODGE_LIMIT_INHERIT));
	ask(self, LODGE_CMD_LIMIT_SET, LODGE_SCOPE_USER, ALICE);
	add(self, LODGE_LIMIT_VMS, 1);
	family_put(&self->request, LODGE_LIMIT_INHERIT, "", 0);
	EXPECT_EQ(-EINVAL, family_do(&self->request));
	EXPECT_TRUE(said(self, "a user inherits all limits or is given some",
			 LODGE_LIMIT_INHERIT));
}

TEST_F(limit, only_root_of_the_host_changes_them)
{
	family_be(ALICE, &init_user_ns, false);
	EXPECT_EQ(-EPERM,
		  set(self, LODGE_SCOPE_USER, ALICE, LODGE_LIMIT_VMS, 99));
	EXPECT_TRUE(said(self, "only root of the host changes limits", 0));
	EXPECT_EQ(-EPERM, inherit(self, LODGE_SCOPE_USER, ALICE));
	ASSERT_EQ(0, get(self, LODGE_SCOPE_USER, ALICE));
	EXPECT_EQ(10U, told(answer(), LODGE_LIMIT_VMS));
}

TEST_F(limit, a_user_sees_its_own_and_those_for_all)
{
	family_be(ALICE, &init_user_ns, false);
	EXPECT_EQ(0, get(self, LODGE_SCOPE_USER, ALICE));
	EXPECT_EQ(0, get(self, LODGE_SCOPE_DEFAULT, NONE));
	EXPECT_EQ(0, get(self, LODGE_SCOPE_TOTAL, NONE));
	EXPECT_EQ(-ENOENT, get(self, LODGE_SCOPE_USER, BOB));
}

TEST_F(limit, too_many_users_with_limits_of_their_own_are_refused_in_words)
{
	int error = 0;

	for (u32 i = 0; i < MAX_OWN && !error; i++)
		error = set(self, LODGE_SCOPE_USER, i, LODGE_LIMIT_VMS, i);
	EXPECT_EQ(0, error);
	EXPECT_EQ(-ENOSPC,
		  set(self, LODGE_SCOPE_USER, MAX_OWN, LODGE_LIMIT_VMS, 1));
	EXPECT_TRUE(said(self, "too many users have limits of their own", 0));
	EXPECT_EQ(0, set(self, LODGE_SCOPE_USER, 5, LODGE_LIMIT_VMS, 1));
}

/**
 * struct listed - what a list has told of
 * @count: messages
 * @scope: of each
 * @uid: of each that is of a user
 * @flagged: some had NLM_F_DUMP_INTR
 * @whole: each had all of its attributes
 */
struct listed {
	u32 count;
	u64 scope[8];
	u64 uid[8];
	bool flagged;
	bool whole;
};

static bool is_whole(const struct nlmsghdr *header)
{
	static const u64 vms[] = { 10, 1, 50 };
	u64 scope = told(header, LODGE_LIMIT_SCOPE);
	bool whole = (scope != LODGE_SCOPE_USER ||
		      family_attr(header, LODGE_LIMIT_UID)) &&
		     told(header, LODGE_LIMIT_VMS) == vms[scope % 3];

	for (u32 i = 0; i < LODGE_NR_RESOURCES; i++)
		whole &= family_attr(header, LODGE_LIMIT_VMS + i) &&
			 (scope == LODGE_SCOPE_DEFAULT ||
			  family_attr(header, LODGE_LIMIT_USED_VMS + i));
	return whole;
}

/* Takes one message, if there is one.  Return: false at the end. */
static bool take(FIXTURE_DATA(limit) * self, size_t room, struct listed *listed)
{
	struct sk_buff *skb = family_buffer(room);
	bool more = family_dump_next(&self->dump, skb) > 0;
	u32 at = 0;

	while (more && at < skb->len && listed->count < 8) {
		const struct nlmsghdr *header = (void *)(skb->data + at);

		listed->whole &= is_whole(header);
		listed->scope[listed->count] = told(header, LODGE_LIMIT_SCOPE);
		listed->uid[listed->count++] = told(header, LODGE_LIMIT_UID);
		listed->flagged |= !!(header->nlmsg_flags & NLM_F_DUMP_INTR);
		at += NLMSG_ALIGN(header->nlmsg_len);
	}
	free(skb);
	return more;
}

static int begin(FIXTURE_DATA(limit) * self, struct listed *listed)
{
	*listed = (struct listed){ .whole = true };
	self->request = (struct family_request){ .command = LODGE_CMD_LIMIT_GET,
						 .dump = true };
	return family_dump_start(&self->dump, &self->request);
}

/* What is received at once may end at any attribute. */
TEST_F(limit, a_list_has_each_scope_once_and_users_by_number)
{
	struct listed listed;

	ASSERT_EQ(0, set(self, LODGE_SCOPE_USER, BOB, LODGE_LIMIT_VMS, 1));
	ASSERT_EQ(0, set(self, LODGE_SCOPE_USER, ALICE, LODGE_LIMIT_VMS, 1));
	ASSERT_EQ(0, set(self, LODGE_SCOPE_USER, 0, LODGE_LIMIT_VMS, 1));
	for (size_t room = 160; room <= 800; room += 4) {
		ASSERT_EQ(0, begin(self, &listed));
		while (take(self, room, &listed))
			;
		EXPECT_EQ(0, family_dump_end(&self->dump));
		EXPECT_FALSE(listed.flagged);
		EXPECT_TRUE(listed.whole);
		ASSERT_EQ(5U, listed.count);
		EXPECT_EQ(LODGE_SCOPE_DEFAULT, listed.scope[0]);
		EXPECT_EQ(LODGE_SCOPE_TOTAL, listed.scope[1]);
		EXPECT_EQ(0U, listed.uid[2]);
		EXPECT_EQ(ALICE, listed.uid[3]);
		EXPECT_EQ(BOB, listed.uid[4]);
	}
}

TEST_F(limit, a_list_has_of_users_only_those_that_may_be_seen)
{
	struct listed listed;

	ASSERT_EQ(0, set(self, LODGE_SCOPE_USER, ALICE, LODGE_LIMIT_VMS, 1));
	ASSERT_EQ(0, set(self, LODGE_SCOPE_USER, BOB, LODGE_LIMIT_VMS, 1));
	family_be(BOB, &init_user_ns, false);
	ASSERT_EQ(0, begin(self, &listed));
	while (take(self, 4096, &listed))
		;
	EXPECT_EQ(0, family_dump_end(&self->dump));
	ASSERT_EQ(3U, listed.count);
	EXPECT_EQ(BOB, listed.uid[2]);
}

TEST_F(limit, a_user_that_comes_in_the_middle_is_told_of_by_a_flag)
{
	struct listed listed;

	ASSERT_EQ(0, begin(self, &listed));
	ASSERT_TRUE(take(self, 200, &listed));
	ASSERT_EQ(0, set(self, LODGE_SCOPE_USER, ALICE, LODGE_LIMIT_VMS, 1));
	while (take(self, 200, &listed))
		;
	family_dump_end(&self->dump);
	EXPECT_EQ(3U, listed.count);
	EXPECT_TRUE(listed.flagged);
}

TEST_F(limit, a_list_takes_no_attribute)
{
	struct listed listed;

	ask(self, LODGE_CMD_LIMIT_GET, LODGE_SCOPE_TOTAL, NONE);
	self->request.dump = true;
	EXPECT_EQ(-EINVAL, family_dump_start(&self->dump, &self->request));
	EXPECT_EQ(self->request.table[LODGE_LIMIT_SCOPE],
		  self->request.ack.attr);
	ASSERT_EQ(0, begin(self, &listed));
	family_dump_end(&self->dump);
}

TEST_HARNESS_MAIN
