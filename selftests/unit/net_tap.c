// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of a link to a TAP interface, in a network namespace of their own; where no such
 * thing can be made, they are skipped.
 */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "net/tap.h"

#define NAME "lodgetap"

FIXTURE(tap)
{
	struct loop *loop;
	struct link *link;
	unsigned int downs;
};

static void enter(void *opaque)
{
}

static void leave(void *opaque)
{
	FIXTURE_DATA(tap) *self = opaque;

	loop_stop(self->loop);
}

static bool receive(void *opaque, const void *frame, size_t size)
{
	return true;
}

static void down(void *opaque)
{
	FIXTURE_DATA(tap) *self = opaque;

	self->downs++;
}

FIXTURE_SETUP(tap)
{
	const struct link_card card = {
		.enter = enter,
		.leave = leave,
		.receive = receive,
		.writable = enter,
		.down = down,
		.opaque = self,
	};

	self->loop = loop_new();
	ASSERT_NE(NULL, self->loop);
	if (unshare(CLONE_NEWNET))
		SKIP(return, "no network namespace: %s", strerror(errno));
	self->link = tap_new(self->loop, NAME, false, &card);
	if (!self->link)
		SKIP(return, "no TAP interface: %s", strerror(errno));
}

FIXTURE_TEARDOWN(tap)
{
	link_free(self->link);
	loop_free(self->loop);
}

/* As `ip link del` does. */
static bool remove_interface(void)
{
	const struct {
		struct nlmsghdr head;
		struct ifinfomsg body;
	} request = {
		.head = { .nlmsg_len = sizeof(request),
			  .nlmsg_type = RTM_DELLINK,
			  .nlmsg_flags = NLM_F_REQUEST },
		.body = { .ifi_index = if_nametoindex(NAME) },
	};
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	bool done = send(fd, &request, sizeof(request), 0) == sizeof(request);

	close(fd);
	return done && !if_nametoindex(NAME);
}

TEST_F(tap, interface_that_is_removed_ends_the_link)
{
	struct iovec iov = { .iov_base = (char[64]){}, .iov_len = 64 };

	ASSERT_TRUE(remove_interface());
	loop_run(self->loop);
	EXPECT_EQ(1, self->downs);
	EXPECT_EQ(0, link_send(self->link, &iov, 1));
	link_resume(self->link);
	EXPECT_EQ(1, self->downs);
}

TEST_F(tap, interface_for_one_link_has_no_other)
{
	const struct link_card card = self->link->card;

	EXPECT_EQ(NULL, tap_new(self->loop, NAME, false, &card));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(NULL, tap_new(self->loop, NAME, true, &card));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(tap, interface_for_several_links_gives_frames_to_those_that_want_them)
{
	struct iovec iov = { .iov_base = (char[64]){}, .iov_len = 64 };
	const struct link_card card = self->link->card;
	struct link *links[2];

	for (unsigned int i = 0; i < 2; i++) {
		links[i] = tap_new(self->loop, NAME "s", true, &card);
		ASSERT_NE(NULL, links[i]);
	}
	for (unsigned int i = 0; i < 2; i++) {
		EXPECT_EQ(0, link_attach(links[1], false));
		EXPECT_EQ(0, link_attach(links[1], false));
		EXPECT_EQ(0, link_send(links[1], &iov, 1));
		EXPECT_EQ(0, link_attach(links[1], true));
		EXPECT_EQ(0, link_attach(links[0], true));
	}
	EXPECT_EQ(0, link_attach(links[1], false));
	/* One that gets no frames tells nothing, though its descriptor has an error. */
	ASSERT_TRUE(remove_interface());
	loop_run(self->loop);
	EXPECT_EQ(1, self->downs);
	for (unsigned int i = 0; i < 2; i++)
		link_free(links[i]);
}

TEST_F(tap, interface_for_several_links_can_have_one)
{
	const struct link_card card = self->link->card;
	struct link *first = tap_new(self->loop, NAME "s", true, &card);
	struct link *second = tap_new(self->loop, NAME "s", false, &card);

	EXPECT_NE(NULL, first);
	EXPECT_NE(NULL, second);
	link_free(first);
	link_free(second);
}

TEST_F(tap, name_that_no_interface_can_have_is_refused)
{
	const struct link_card card = {};

	EXPECT_EQ(NULL, tap_new(self->loop, "", false, &card));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(NULL, tap_new(self->loop, "sixteen.bytes.of", false, &card));
	EXPECT_EQ(EINVAL, errno);
}

TEST_HARNESS_MAIN
