// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of forwarded ports.
 */
#include <errno.h>
#include <string.h>

#include "kselftest_harness.h"

#include "net/forward.h"

FIXTURE(forward)
{
	struct forward forward;
};

FIXTURE_SETUP(forward)
{
}

FIXTURE_TEARDOWN(forward)
{
}

#define PARSE(text) forward_parse(text, strlen(text), &self->forward)

TEST_F(forward, a_port_of_tcp_leads_to_the_guests)
{
	ASSERT_EQ(0, PARSE("tcp:2222-:22"));
	EXPECT_FALSE(self->forward.udp);
	EXPECT_STREQ("2222:22", self->forward.spec);
}

TEST_F(forward, a_port_of_udp_too)
{
	ASSERT_EQ(0, PARSE("udp:53-:5353"));
	EXPECT_TRUE(self->forward.udp);
	EXPECT_STREQ("53:5353", self->forward.spec);
}

TEST_F(forward, qemus_empty_address_is_none)
{
	ASSERT_EQ(0, PARSE("tcp::2222-:22"));
	EXPECT_STREQ("2222:22", self->forward.spec);
}

TEST_F(forward, the_host_may_have_an_address)
{
	ASSERT_EQ(0, PARSE("tcp:127.0.0.1:2222-:22"));
	EXPECT_STREQ("127.0.0.1/2222:22", self->forward.spec);
	ASSERT_EQ(0, PARSE("tcp:[::1]:2222-:22"));
	EXPECT_STREQ("::1/2222:22", self->forward.spec);
}

TEST_F(forward, other_words_are_refused)
{
	static const char *const bad[] = {
		"",
		"tcp",
		"tcp:",
		"tcp:22",
		"tcp:22-22",
		"tcp:-:22",
		"tcp:22-:",
		"tcp:0-:22",
		"tcp:22-:0",
		"tcp:65536-:22",
		"tcp:22-:65536",
		"tcp:+22-:22",
		"tcp: 22-:22",
		"tcp:22-:22 ",
		"tcp:22x-:22",
		"sctp:22-:22",
		"tcp:host:22-:22",
		"tcp:[::1:22-:22",
		"tcp:::1:22-:22",
		"tcp:127.0.0.1,--log-file/x:22-:22",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		EXPECT_EQ(-EINVAL, PARSE(bad[i]))
		{
			TH_LOG("'%s'", bad[i]);
		}
	}
}

TEST_F(forward, what_is_too_long_is_refused)
{
	char text[1000];

	memset(text, '1', sizeof(text));
	memcpy(text, "tcp:", 4);
	EXPECT_EQ(-EINVAL, forward_parse(text, sizeof(text), &self->forward));
}

TEST_F(forward, only_the_given_size_is_read)
{
	ASSERT_EQ(0,
		  forward_parse("tcp:2222-:22+tcp:80-:80", 12, &self->forward));
	EXPECT_STREQ("2222:22", self->forward.spec);
}

TEST_HARNESS_MAIN
