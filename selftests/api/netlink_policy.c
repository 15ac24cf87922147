// SPDX-License-Identifier: GPL-2.0
/*
 * The netlink family takes what its description in YAML says, and refuses all else: each
 * attribute of each command, each size, and messages that are badly built.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "talk.h"

#include "kselftest_harness.h"

/* Where the first attribute of a request is. */
#define FIRST (NLMSG_HDRLEN + GENL_HDRLEN)
/* Longer than any that the kernel takes. */
#define LONG_NAME (LODGE_NAME_SIZE + 1)

enum way { DO, DUMP };

enum kind { PAD, U32, U64, STRING, BINARY, FLAG };

/**
 * struct rule - an attribute of a command
 * @command: the command
 * @way: how it is asked
 * @type: the attribute
 * @kind: its kind
 * @taken: a request may have it
 * @text: both, for a person
 */
struct rule {
	enum lodge_command command;
	enum way way;
	uint16_t type;
	enum kind kind;
	bool taken;
	const char *text;
};

static const struct rule rules[] = {
#define ATTRIBUTE(c, w, t, k, y) { c, w, t, k, y, #c " " #w " " #t },
#include "requests.h"
#undef ATTRIBUTE
};

FIXTURE(policy)
{
	struct talk talk;
	union talk_message message;
};

FIXTURE_SETUP(policy)
{
	ASSERT_EQ(0, talk_open(&self->talk));
}

FIXTURE_TEARDOWN(policy)
{
	talk_close(&self->talk);
}

static uint16_t flags_of(enum way way)
{
	return way == DUMP ? NLM_F_DUMP : 0;
}

static void begin(FIXTURE_DATA(policy) * self, const struct rule *rule)
{
	talk_begin(&self->talk, &self->message, rule->command,
		   flags_of(rule->way));
}

static int nothing(void *context, const struct talk_answer *answer)
{
	return 0;
}

static int ask(FIXTURE_DATA(policy) * self)
{
	return talk_do(&self->talk, &self->message, nothing, NULL);
}

/* Ask with one attribute. */
static int ask_with(FIXTURE_DATA(policy) * self, const struct rule *rule,
		    uint16_t type, const void *data, size_t size)
{
	begin(self, rule);
	talk_put(&self->message, type, data, size);
	return ask(self);
}

static size_t right_size(enum kind kind)
{
	const size_t sizes[] = {
		[PAD] = 0,    [U32] = 4,    [U64] = 8,
		[STRING] = 2, [BINARY] = 8, [FLAG] = 0,
	};

	return sizes[kind];
}

/*
 * True if the acknowledgement names the attribute.  Kernels like 6.1 have none for what
 * the family itself refuses of a dump: what only the same command without a dump takes.
 */
static bool is_named(FIXTURE_DATA(policy) * self, const struct rule *rule)
{
	return self->talk.offset == FIRST ||
	       (rule->way == DUMP && !self->talk.offset);
}

TEST_F(policy, each_attribute_that_is_not_the_commands_is_refused)
{
	const uint64_t one = 1;
	int refused = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		const struct rule *rule = &rules[i];

		if (rule->taken)
			continue;
		EXPECT_EQ(-EINVAL, ask_with(self, rule, rule->type, &one,
					    right_size(rule->kind)))
		TH_LOG("%s", rule->text);
		EXPECT_TRUE(is_named(self, rule))
		TH_LOG("%s: %s", rule->text, self->talk.text);
		refused++;
	}
	EXPECT_LT(0, refused);
}

TEST_F(policy, the_acknowledgement_names_the_second_attribute_when_that_is_bad)
{
	const struct rule get = { .command = LODGE_CMD_VM_GET, .way = DO };

	begin(self, &get);
	talk_put_u32(&self->message, LODGE_VM_ID, 1);
	talk_put_u32(&self->message, LODGE_VM_PID, 1);
	EXPECT_EQ(-EINVAL, ask(self));
	EXPECT_EQ(FIRST + NLA_HDRLEN + 4, self->talk.offset);
	EXPECT_NE(0, self->talk.text[0]);
}

TEST_F(policy, attributes_that_no_version_knows_are_refused)
{
	const uint16_t types[] = { 0, 20, 30, 40, 63, 255, 0x3fff };
	const uint64_t one = 1;

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(types); j++) {
			EXPECT_EQ(-EINVAL, ask_with(self, &rules[i], types[j],
						    &one, sizeof(one)))
			TH_LOG("%s: %u", rules[i].text, types[j]);
			EXPECT_EQ(FIRST, self->talk.offset);
		}
	}
}

TEST_F(policy, numbers_of_another_size_are_refused)
{
	const char data[16] = { 1 };

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		const struct rule *rule = &rules[i];
		size_t size;

		if (!rule->taken || (rule->kind != U32 && rule->kind != U64))
			continue;
		for (size = 0; size <= sizeof(data); size++) {
			if (size == right_size(rule->kind))
				continue;
			EXPECT_EQ(-EINVAL,
				  ask_with(self, rule, rule->type, data, size))
			TH_LOG("%s: %zu bytes", rule->text, size);
			EXPECT_EQ(FIRST, self->talk.offset);
		}
	}
}

/* True if it is refused, and the acknowledgement names it. */
static bool refuses(FIXTURE_DATA(policy) * self, const struct rule *rule,
		    const void *data, size_t size)
{
	int error = ask_with(self, rule, rule->type, data, size);

	return (error == -EINVAL || error == -ERANGE) &&
	       self->talk.offset == FIRST;
}

TEST_F(policy, names_without_their_zero_or_too_long_are_refused)
{
	char name[2 * LODGE_NAME_SIZE];

	memset(name, 'a', sizeof(name));
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		const struct rule *rule = &rules[i];

		if (!rule->taken || rule->kind != STRING)
			continue;
		EXPECT_TRUE(refuses(self, rule, name, 0));
		EXPECT_TRUE(refuses(self, rule, name, 1));
		EXPECT_TRUE(refuses(self, rule, name, LODGE_NAME_SIZE));
		EXPECT_TRUE(refuses(self, rule, name, sizeof(name)));
		name[LONG_NAME - 1] = 0;
		EXPECT_TRUE(refuses(self, rule, name, LONG_NAME));
		name[LONG_NAME - 1] = 'a';
		/* The longest that there can be is none of a VM. */
		name[LODGE_NAME_SIZE - 1] = 0;
		EXPECT_EQ(-ENOENT, ask_with(self, rule, rule->type, name,
					    LODGE_NAME_SIZE));
		name[LODGE_NAME_SIZE - 1] = 'a';
	}
}

TEST_F(policy, flags_with_a_value_are_refused)
{
	const uint32_t one = 1;

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		if (!rules[i].taken || rules[i].kind != FLAG)
			continue;
		EXPECT_TRUE(refuses(self, &rules[i], &one, sizeof(one)))
		TH_LOG("%s", rules[i].text);
	}
}

TEST_F(policy, attributes_that_claim_to_be_nested_are_refused)
{
	const uint64_t one = 1;

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		EXPECT_EQ(-EINVAL, ask_with(self, &rules[i],
					    rules[i].type | NLA_F_NESTED, &one,
					    right_size(rules[i].kind)))
		TH_LOG("%s", rules[i].text);
	}
}

TEST_F(policy, scopes_that_there_are_not_are_refused)
{
	const uint32_t scopes[] = { LODGE_SCOPE_TOTAL + 1, 0x100, ~0U };
	const struct rule asked[] = {
		{ .command = LODGE_CMD_LIMIT_GET, .type = LODGE_LIMIT_SCOPE },
		{ .command = LODGE_CMD_LIMIT_SET, .type = LODGE_LIMIT_SCOPE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(scopes); i++) {
		EXPECT_TRUE(refuses(self, &asked[0], &scopes[i],
				    sizeof(scopes[i])));
		EXPECT_TRUE(refuses(self, &asked[1], &scopes[i],
				    sizeof(scopes[i])));
	}
}

/*
 * Messages
 */

TEST_F(policy, a_message_without_the_familys_head_is_refused)
{
	const struct rule get = { .command = LODGE_CMD_VM_GET, .way = DUMP };

	for (uint32_t size = NLMSG_HDRLEN; size < FIRST; size++) {
		begin(self, &get);
		self->message.header.nlmsg_len = size;
		EXPECT_EQ(-EINVAL, ask(self));
	}
}

TEST_F(policy, attributes_that_reach_beyond_the_message_are_refused)
{
	const struct rule get = { .command = LODGE_CMD_VM_GET, .way = DO };
	struct nlattr *attribute = (void *)(self->message.bytes + FIRST);

	begin(self, &get);
	talk_put_u32(&self->message, LODGE_VM_ID, 1);
	attribute->nla_len += 4;
	EXPECT_EQ(-EINVAL, ask(self));
	attribute->nla_len = 0xffff;
	EXPECT_EQ(-EINVAL, ask(self));
	for (int length = 0; length < NLA_HDRLEN; length++) {
		attribute->nla_len = length;
		EXPECT_EQ(-EINVAL, ask(self));
	}
}

TEST_F(policy, bytes_behind_the_last_attribute_are_refused)
{
	const struct rule get = { .command = LODGE_CMD_VM_GET, .way = DUMP };

	for (int more = 1; more < NLA_HDRLEN; more++) {
		begin(self, &get);
		self->message.header.nlmsg_len += more;
		EXPECT_EQ(-EINVAL, ask(self));
	}
}

TEST_F(policy, the_reserved_bytes_must_be_zero)
{
	const struct rule get = { .command = LODGE_CMD_VM_GET, .way = DUMP };

	begin(self, &get);
	self->message.generic.reserved = 1;
	EXPECT_EQ(-EINVAL, ask(self));
	begin(self, &get);
	self->message.header.nlmsg_flags |= 0x1000;
	EXPECT_EQ(-EINVAL, ask(self));
}

TEST_F(policy, commands_that_there_are_not_are_refused)
{
	const struct {
		uint8_t command;
		enum way way;
	} asked[] = {
		{ LODGE_CMD_UNSPEC, DO },
		{ LODGE_CMD_UNSPEC, DUMP },
		{ LODGE_CMD_NEWS, DO },
		{ LODGE_CMD_NEWS, DUMP },
		{ LODGE_CMD_MAX + 1, DO },
		{ 255, DO },
		{ 255, DUMP },
		{ LODGE_CMD_VCPU_GET, DO },
		{ LODGE_CMD_NEWS_GET, DO },
		{ LODGE_CMD_VM_KILL, DUMP },
		{ LODGE_CMD_LIMIT_SET, DUMP },
	};

	for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
		talk_begin(&self->talk, &self->message, asked[i].command,
			   flags_of(asked[i].way));
		EXPECT_EQ(-EOPNOTSUPP, ask(self))
		TH_LOG("command %u", asked[i].command);
	}
}

TEST_F(policy, a_request_that_names_nothing_is_refused)
{
	const enum lodge_command commands[] = {
		LODGE_CMD_VM_GET,    LODGE_CMD_STATS_GET, LODGE_CMD_VM_KILL,
		LODGE_CMD_LIMIT_GET, LODGE_CMD_LIMIT_SET,
	};

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct rule rule = { .command = commands[i], .way = DO };

		begin(self, &rule);
		EXPECT_EQ(-EINVAL, ask(self))
		TH_LOG("command %u", commands[i]);
		EXPECT_TRUE(self->talk.text[0] || self->talk.missing)
		TH_LOG("command %u", commands[i]);
	}
}

/* Return: what the kernel says to two numbers. */
static int ask_two(FIXTURE_DATA(policy) * self, enum lodge_command command,
		   const uint32_t pair[4])
{
	const struct rule rule = { .command = command, .way = DO };

	begin(self, &rule);
	talk_put_u32(&self->message, pair[0], pair[1]);
	if (pair[2])
		talk_put_u32(&self->message, pair[2], pair[3]);
	return ask(self);
}

TEST_F(policy, half_a_name_of_something_is_refused)
{
	const struct {
		enum lodge_command command;
		uint32_t pair[4];
	} asked[] = {
		{ LODGE_CMD_VM_GET, { LODGE_VM_UID, 0 } },
		{ LODGE_CMD_VM_KILL, { LODGE_VM_UID, 0 } },
		{ LODGE_CMD_STATS_GET, { LODGE_STATS_VM, 1 } },
		{ LODGE_CMD_STATS_GET, { LODGE_STATS_VCPU, 0 } },
		{ LODGE_CMD_LIMIT_GET, { LODGE_LIMIT_UID, 0 } },
		{ LODGE_CMD_LIMIT_GET,
		  { LODGE_LIMIT_SCOPE, LODGE_SCOPE_USER } },
		{ LODGE_CMD_LIMIT_GET,
		  { LODGE_LIMIT_SCOPE, LODGE_SCOPE_TOTAL, LODGE_LIMIT_UID,
		    0 } },
		{ LODGE_CMD_LIMIT_SET,
		  { LODGE_LIMIT_SCOPE, LODGE_SCOPE_USER } },
		{ LODGE_CMD_LIMIT_SET,
		  { LODGE_LIMIT_SCOPE, LODGE_SCOPE_TOTAL, LODGE_LIMIT_UID,
		    0 } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
		EXPECT_EQ(-EINVAL,
			  ask_two(self, asked[i].command, asked[i].pair))
		TH_LOG("command %u, attribute %u", asked[i].command,
		       asked[i].pair[0]);
	}
}

TEST_HARNESS_MAIN
