// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the netlink family at moments that no process can choose: between the start
 * of a dump and its first message, where it waits for memory, and where there is none.
 */
#include "fake_family.h"
#include "netlink_news.h"
#include "user.h"

#include "kselftest_harness.h"

static bool no_memory;

bool kernel_has_no_memory(void)
{
	return no_memory;
}

FIXTURE(family)
{
	struct lodge_vm vm[2];
	struct lodge_vcpu vcpu[3];
	struct family_request request;
	struct family_dump dump;
	struct sk_buff *skb;
};

FIXTURE_SETUP(family)
{
	memset(self, 0, sizeof(*self));
	no_memory = false;
	family_be(1000, &init_user_ns, false);
	ASSERT_EQ(0, family_add_vm(&self->vm[0], "a"));
	ASSERT_EQ(0, family_add_vm(&self->vm[1], "b"));
	family_add_vcpu(&self->vm[0], &self->vcpu[0], 3);
	self->skb = family_buffer(GENLMSG_DEFAULT_SIZE);
}

FIXTURE_TEARDOWN(family)
{
	for (int i = 0; i < 2; i++)
		family_remove_vm(&self->vm[i]);
	free(self->skb);
	family_end();
	EXPECT_EQ(0, init_user_ns.users);
	EXPECT_EQ(0, family_pids.users);
	EXPECT_EQ(0, kernel_locks);
}

static void ask(FIXTURE_DATA(family) * self, u8 command, bool dump, u16 attr,
		u32 value)
{
	self->request =
		(struct family_request){ .command = command, .dump = dump };
	if (attr)
		family_put_u32(&self->request, attr, value);
}

TEST_F(family, a_dump_that_does_not_change_says_nothing)
{
	ask(self, LODGE_CMD_VCPU_GET, true, LODGE_VCPU_VM,
	    self->vm[0].identity.id);
	ASSERT_EQ(0, family_dump_start(&self->dump, &self->request));
	EXPECT_LT(0, family_dump_next(&self->dump, self->skb));
	EXPECT_EQ(0, family_dump_next(&self->dump, self->skb));
	EXPECT_EQ(0, family_dump_end(&self->dump));
}

/* A list that never was empty must not seem to have been. */
TEST_F(family, a_vm_that_goes_before_the_first_message_is_told_of_by_a_flag)
{
	static const u8 commands[] = { LODGE_CMD_VCPU_GET,
				       LODGE_CMD_STATS_GET };
	static const u16 attrs[] = { LODGE_VCPU_VM, LODGE_STATS_VM };

	for (u32 i = 0; i < ARRAY_SIZE(commands); i++) {
		ask(self, commands[i], true, attrs[i], self->vm[i].identity.id);
		ASSERT_EQ(0, family_dump_start(&self->dump, &self->request));
		family_remove_vm(&self->vm[i]);
		EXPECT_EQ(0, family_dump_next(&self->dump, self->skb));
		EXPECT_EQ(NLM_F_DUMP_INTR, family_dump_end(&self->dump));
	}
}

/* The list of its vCPUs is at a number that the next VM has not reached. */
TEST_F(family, a_vm_that_goes_in_its_middle_takes_no_vcpu_of_the_next_one_along)
{
	struct sk_buff *one = family_buffer(1024);

	family_add_vcpu(&self->vm[0], &self->vcpu[1], 5);
	family_add_vcpu(&self->vm[1], &self->vcpu[2], 0);
	ask(self, LODGE_CMD_STATS_GET, true, 0, 0);
	ASSERT_EQ(0, family_dump_start(&self->dump, &self->request));
	EXPECT_LT(0, family_dump_next(&self->dump, one));
	family_remove_vm(&self->vm[0]);
	EXPECT_LT(0, family_dump_next(&self->dump, one));
	EXPECT_EQ(0, family_dump_next(&self->dump, one));
	family_dump_end(&self->dump);
	free(one);
}

TEST_F(family, a_dump_of_a_vm_that_there_is_not_does_not_start)
{
	ask(self, LODGE_CMD_VCPU_GET, true, LODGE_VCPU_VM, 77);
	EXPECT_EQ(-ENOENT, family_dump_start(&self->dump, &self->request));
}

/* Return: what comes of a request for something. */
static int ask_for(FIXTURE_DATA(family) * self, u8 command, u16 attr, u32 value,
		   u16 other, u32 number)
{
	ask(self, command, false, attr, value);
	if (other)
		family_put_u32(&self->request, other, number);
	return family_do(&self->request);
}

/* Everybody who makes a VM waits for the lock; genlmsg_new() ends the program there. */
TEST_F(family, no_lock_is_held_while_an_answer_waits_for_memory)
{
	u32 id = self->vm[0].identity.id;

	EXPECT_EQ(0, ask_for(self, LODGE_CMD_VM_GET, LODGE_VM_ID, id, 0, 0));
	EXPECT_NE(NULL, family_answer);
	EXPECT_EQ(0, ask_for(self, LODGE_CMD_STATS_GET, LODGE_STATS_VM, id,
			     LODGE_STATS_VCPU, 3));
	EXPECT_NE(NULL, family_answer);
	EXPECT_EQ(0, ask_for(self, LODGE_CMD_LIMIT_GET, LODGE_LIMIT_SCOPE,
			     LODGE_SCOPE_USER, LODGE_LIMIT_UID, 1000));
	EXPECT_NE(NULL, family_answer);
}

TEST_F(family, a_request_without_an_answer_has_none)
{
	EXPECT_EQ(-ENOENT,
		  ask_for(self, LODGE_CMD_VM_GET, LODGE_VM_ID, 77, 0, 0));
	EXPECT_EQ(-ENOENT, ask_for(self, LODGE_CMD_STATS_GET, LODGE_STATS_VM,
				   self->vm[0].identity.id, LODGE_STATS_VCPU,
				   LODGE_MAX_VCPUS));
	EXPECT_EQ(-ENOENT, ask_for(self, LODGE_CMD_LIMIT_GET, LODGE_LIMIT_SCOPE,
				   LODGE_SCOPE_USER, LODGE_LIMIT_UID, 1001));
	EXPECT_EQ(NULL, family_answer);
	no_memory = true;
	EXPECT_EQ(-ENOMEM, ask_for(self, LODGE_CMD_VM_GET, LODGE_VM_ID,
				   self->vm[0].identity.id, 0, 0));
	EXPECT_EQ(NULL, family_answer);
	ask(self, LODGE_CMD_VM_GET, true, 0, 0);
	EXPECT_EQ(-ENOMEM, family_dump_start(&self->dump, &self->request));
}

/* Each no is a record in the audit log, which anybody could fill. */
TEST_F(family, a_user_with_its_own_socket_is_not_asked_for_more_rights)
{
	u32 id = self->vm[0].identity.id;

	EXPECT_EQ(0, ask_for(self, LODGE_CMD_VM_GET, LODGE_VM_ID, id, 0, 0));
	EXPECT_EQ(-EPERM, ask_for(self, LODGE_CMD_LIMIT_SET, LODGE_LIMIT_SCOPE,
				  LODGE_SCOPE_TOTAL, 0, 0));
	EXPECT_EQ(0U, family_file.asked);
	/* With another one's socket it matters what that one may. */
	kernel_thread.uid = 1001;
	EXPECT_EQ(-ENOENT,
		  ask_for(self, LODGE_CMD_VM_GET, LODGE_VM_ID, id, 0, 0));
	EXPECT_EQ(1U, family_file.asked);
	family_file.admin = true;
	EXPECT_EQ(-ENOENT,
		  ask_for(self, LODGE_CMD_VM_GET, LODGE_VM_ID, id, 0, 0));
	kernel_thread.uid = 1000;
	kernel_admin = true;
	EXPECT_EQ(-EINVAL, ask_for(self, LODGE_CMD_LIMIT_SET, LODGE_LIMIT_SCOPE,
				   LODGE_SCOPE_TOTAL, 0, 0));
	EXPECT_EQ(3U, family_file.asked);
}

/* Return: a number of the first message, or ~0. */
static u64 number_of(const struct sk_buff *skb, u16 type)
{
	u32 at = NLMSG_HDRLEN + GENL_HDRLEN;

	while (at < skb->len) {
		const struct nlattr *attr = (const void *)(skb->data + at);

		if (attr->nla_type == type)
			return nla_get_u64(attr);
		at += NLA_ALIGN(attr->nla_len);
	}
	return ~0ULL;
}

static u64 start_in_namespace(FIXTURE_DATA(family) * self, s64 moved)
{
	kernel_boottime_moved = moved;
	if (ask_for(self, LODGE_CMD_VM_GET, LODGE_VM_ID,
		    self->vm[0].identity.id, 0, 0))
		return ~0ULL;
	return number_of(family_answer, LODGE_VM_START);
}

TEST_F(family, a_vm_has_started_when_the_clock_of_who_asks_says)
{
	EXPECT_EQ(1000U, start_in_namespace(self, 0));
	EXPECT_EQ(6000U, start_in_namespace(self, 5000));
	EXPECT_EQ(600U, start_in_namespace(self, -400));
	EXPECT_EQ(0U, start_in_namespace(self, -2000));
	/* Whoever reads a list may be somewhere else. */
	ask(self, LODGE_CMD_VM_GET, true, 0, 0);
	kernel_boottime_moved = 7000;
	EXPECT_EQ(0, family_dump_start(&self->dump, &self->request));
	kernel_boottime_moved = 0;
	EXPECT_LT(0, family_dump_next(&self->dump, self->skb));
	EXPECT_EQ(8000U, number_of(self->skb, LODGE_VM_START));
	family_dump_end(&self->dump);
}

/* Return: true if all that is used of a scope is told; false: nothing of it. */
static bool tells_used(FIXTURE_DATA(family) * self, u32 scope, u16 attr,
		       u32 uid)
{
	u32 count = 0;

	if (ask_for(self, LODGE_CMD_LIMIT_GET, LODGE_LIMIT_SCOPE, scope, attr,
		    uid))
		abort();
	if (number_of(family_answer, LODGE_LIMIT_KERNEL) == ~0ULL)
		abort();
	for (u16 i = LODGE_LIMIT_USED_VMS; i <= LODGE_LIMIT_USED_KERNEL; i++)
		count += number_of(family_answer, i) != ~0ULL;
	if (count && count < LODGE_NR_RESOURCES)
		abort();
	return count;
}

TEST_F(family, only_root_of_the_host_is_told_what_all_users_together_hold)
{
	EXPECT_FALSE(tells_used(self, LODGE_SCOPE_DEFAULT, 0, 0));
	EXPECT_TRUE(tells_used(self, LODGE_SCOPE_USER, LODGE_LIMIT_UID, 1000));
	EXPECT_FALSE(tells_used(self, LODGE_SCOPE_TOTAL, 0, 0));
	/* With a socket of that user's. */
	kernel_admin = true;
	EXPECT_FALSE(tells_used(self, LODGE_SCOPE_TOTAL, 0, 0));
	family_file.admin = true;
	EXPECT_TRUE(tells_used(self, LODGE_SCOPE_TOTAL, 0, 0));
	EXPECT_FALSE(tells_used(self, LODGE_SCOPE_DEFAULT, 0, 0));
}

/* Anybody with a namespace may be many of those who are not told of. */
TEST_F(family, a_list_of_limits_lets_others_run_between_two_users)
{
	struct lodge_limits limits = { .scope = LODGE_SCOPE_USER };
	u32 rests = kernel_rests;

	for (u32 i = 0; i < 100; i++) {
		limits.uid.val = 5000 + (i * 37) % 100;
		EXPECT_EQ(0, lodge_limits_set(&limits, 1));
	}
	ask(self, LODGE_CMD_LIMIT_GET, true, 0, 0);
	ASSERT_EQ(0, family_dump_start(&self->dump, &self->request));
	EXPECT_LT(0, family_dump_next(&self->dump, self->skb));
	EXPECT_EQ(0, family_dump_next(&self->dump, self->skb));
	family_dump_end(&self->dump);
	EXPECT_LE(100U, kernel_rests - rests);
	lodge_user_exit();
}

/* The work that tells of events: run it, as if it took so long. */
static void tell_listeners(u64 ns)
{
	struct work_struct *work = kernel_work;

	kernel_work = NULL;
	kernel_time_of_a_look = ns;
	work->call(work);
}

TEST_F(family, listeners_that_make_a_message_take_long_hear_of_the_next_later)
{
	const u64 ms = 1000000;

	lodge_netlink_news_init();
	lodge_notify_hardware(true);
	ASSERT_NE(NULL, kernel_work);
	tell_listeners(1 * ms);
	EXPECT_EQ(0, init_net.users);
	lodge_notify_hardware(false);
	ASSERT_NE(NULL, kernel_work);
	EXPECT_EQ(nsecs_to_jiffies(9 * ms), kernel_work->delay);
	tell_listeners(1000 * ms);
	lodge_notify_hardware(true);
	/* All that happens meanwhile is told by the same message. */
	lodge_notify_hardware(false);
	ASSERT_NE(NULL, kernel_work);
	EXPECT_EQ(nsecs_to_jiffies(9000 * ms), kernel_work->delay);
	tell_listeners(0);
	lodge_notify_hardware(true);
	ASSERT_NE(NULL, kernel_work);
	EXPECT_EQ(0, kernel_work->delay);
	lodge_netlink_news_exit();
	EXPECT_EQ(NULL, kernel_work);
}

TEST_HARNESS_MAIN
