// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the structures that the answers of the netlink family fill, whatever a
 * module of another version sends.
 */
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>

#include "kselftest_harness.h"
#include "lib/netlink_format.h"

/* An answer with the attributes that a test adds. */
static struct nl_msg *message;

FIXTURE(format)
{
	struct nlattr *attributes[NETLINK_ATTRIBUTES];
};

FIXTURE_SETUP(format)
{
	message = nlmsg_alloc_simple(0x10, 0);
	ASSERT_NE(NULL, message);
}

FIXTURE_TEARDOWN(format)
{
	nlmsg_free(message);
}

static void parse(FIXTURE_DATA(format) * self)
{
	nlmsg_parse(nlmsg_hdr(message), 0, self->attributes,
		    NETLINK_ATTRIBUTES - 1, NULL);
}

TEST_F(format, numbers_and_texts_are_read)
{
	struct netlink_vm vm = { 0 };

	nla_put_u32(message, LODGE_VM_ID, 7);
	nla_put_string(message, LODGE_VM_NAME, "web");
	nla_put_u64(message, LODGE_VM_MEMORY, 1ULL << 40);
	parse(self);
	netlink_format_read(&netlink_vm_format, self->attributes, &vm);
	EXPECT_EQ(7, vm.id);
	EXPECT_STREQ("web", vm.name);
	EXPECT_EQ(1ULL << 40, vm.memory);
	EXPECT_TRUE(netlink_has(&vm, LODGE_VM_MEMORY));
	EXPECT_FALSE(netlink_has(&vm, LODGE_VM_TABLES));
}

TEST_F(format, numbers_of_another_size_count_as_absent)
{
	struct netlink_vm vm = { 0 };

	nla_put_u64(message, LODGE_VM_ID, 7);
	nla_put_u32(message, LODGE_VM_MEMORY, 7);
	nla_put_u8(message, LODGE_VM_STATE, 1);
	parse(self);
	netlink_format_read(&netlink_vm_format, self->attributes, &vm);
	EXPECT_EQ(0, vm.present);
	EXPECT_EQ(0, vm.id);
	EXPECT_EQ(0, vm.memory);
}

TEST_F(format, attributes_of_a_later_module_are_left_out)
{
	struct netlink_vm vm = { 0 };

	nla_put_u32(message, LODGE_VM_MAX + 1, 7);
	nla_put_u32(message, NETLINK_ATTRIBUTES - 1, 7);
	nla_put_u32(message, NETLINK_ATTRIBUTES, 7);
	parse(self);
	netlink_format_read(&netlink_vm_format, self->attributes, &vm);
	EXPECT_EQ(0, vm.present);
}

TEST_F(format, a_text_without_end_or_too_long_is_cut)
{
	struct {
		struct netlink_vm vm;
		char behind;
	} room = { .behind = 'x' };
	char name[LODGE_NAME_SIZE * 2];

	memset(name, 'a', sizeof(name));
	nla_put(message, LODGE_VM_NAME, sizeof(name), name);
	parse(self);
	netlink_format_read(&netlink_vm_format, self->attributes, &room.vm);
	EXPECT_EQ(LODGE_NAME_SIZE - 1, strlen(room.vm.name));
	EXPECT_EQ(0, room.vm.start);
	EXPECT_EQ('x', room.behind);
}

TEST_F(format, a_list_may_be_shorter_or_longer_than_this_program_knows)
{
	uint64_t exits[LODGE_NR_STAT_EXITS + 2];
	struct netlink_stats stats = { 0 };

	for (int i = 0; i < LODGE_NR_STAT_EXITS + 2; i++)
		exits[i] = 100 + i;
	nla_put(message, LODGE_STATS_EXITS, sizeof(exits), exits);
	nla_put(message, LODGE_STATS_HISTOGRAM, 2 * sizeof(exits[0]), exits);
	parse(self);
	netlink_format_read(&netlink_stats_format, self->attributes, &stats);
	EXPECT_EQ(100, stats.exits[0]);
	EXPECT_EQ(100 + LODGE_NR_STAT_EXITS - 1,
		  stats.exits[LODGE_NR_STAT_EXITS - 1]);
	EXPECT_EQ(0, stats.quick);
	EXPECT_EQ(101, stats.histogram[1]);
	EXPECT_EQ(0, stats.histogram[2]);
}

TEST_F(format, a_bucket_ends_at_a_number_of_ticks)
{
	struct netlink_stats stats = { .tsc_khz = 2048 * 1000 };

	EXPECT_EQ(1e-6, netlink_bucket_end(&stats, 0));
	EXPECT_EQ(2e-6, netlink_bucket_end(&stats, 1));
}

TEST_F(format, a_flag_is_there_or_not)
{
	struct netlink_limit limit = { 0 };

	nla_put_flag(message, LODGE_LIMIT_INHERIT);
	parse(self);
	netlink_format_read(&netlink_limit_format, self->attributes, &limit);
	EXPECT_TRUE(netlink_has(&limit, LODGE_LIMIT_INHERIT));
	EXPECT_EQ(0, limit.scope);
}

TEST_HARNESS_MAIN
