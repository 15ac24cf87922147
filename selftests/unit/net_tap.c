// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of a link to a TAP interface, in a network namespace of their own; where no such
 * thing can be made, they are skipped.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "net/tap.h"

#define NAME "lodgetap"
/* A protocol that is nobody's. */
#define PROTOCOL 0x88b5

FIXTURE(tap)
{
	struct loop *loop;
	struct link *link;
	struct link *several;
	unsigned int downs;
	unsigned int enters;
	unsigned int frames;
	bool refuses;
	bool lends;
};

/* Somebody else may have had the lock just before. */
static void enter(void *opaque)
{
	FIXTURE_DATA(tap) *self = opaque;

	self->enters++;
	if (self->lends)
		self->several->kind->lend(self->several, true);
}

static void nothing(void *opaque)
{
}

static void leave(void *opaque)
{
	FIXTURE_DATA(tap) *self = opaque;

	loop_stop(self->loop);
}

static bool receive(void *opaque, const void *frame, size_t size)
{
	FIXTURE_DATA(tap) *self = opaque;

	self->frames += !self->refuses;
	return !self->refuses;
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
		.writable = nothing,
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

static bool set_up(void)
{
	struct ifreq request = { .ifr_name = NAME "s", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	bool done = !ioctl(fd, SIOCSIFFLAGS, &request);

	close(fd);
	return done;
}

/* Makes another link, to an interface that is up. */
static bool make_several(FIXTURE_DATA(tap) * self)
{
	const struct link_card card = self->link->card;

	self->several = tap_new(self->loop, NAME "s", true, &card);
	return self->several && set_up();
}

/* The host sends a frame, which is at the link then. */
static bool host_sends(void)
{
	const uint8_t frame[64] = {
		[12] = PROTOCOL >> 8, [13] = PROTOCOL & 0xff
	};
	const struct sockaddr_ll place = {
		.sll_family = AF_PACKET,
		.sll_ifindex = if_nametoindex(NAME "s"),
		.sll_halen = ETH_ALEN,
	};
	int fd = socket(AF_PACKET, SOCK_RAW, 0);
	bool done = sendto(fd, frame, sizeof(frame), 0, (const void *)&place,
			   sizeof(place)) == sizeof(frame);

	close(fd);
	return done;
}

static void end_turn(void *opaque, int fd)
{
	loop_stop(opaque);
}

/* Lets the loop look once at all that is ready. */
static void take_turn(struct loop *loop)
{
	int fd = eventfd(1, EFD_CLOEXEC);

	loop_watch(loop, fd, end_turn, loop);
	loop_run(loop);
	loop_unwatch(loop, fd);
	close(fd);
}

TEST_F(tap, lent_link_leaves_frames_alone)
{
	ASSERT_TRUE(make_several(self));
	EXPECT_LE(0, self->several->kind->lend(self->several, true));
	ASSERT_TRUE(host_sends());
	self->enters = 0;
	take_turn(self->loop);
	EXPECT_EQ(0, self->enters);
	self->several->kind->lend(self->several, false);
	take_turn(self->loop);
	EXPECT_LE(1, self->frames);
	link_free(self->several);
}

TEST_F(tap, link_that_is_lent_while_the_loop_waits_leaves_frames_alone)
{
	ASSERT_TRUE(make_several(self));
	ASSERT_TRUE(host_sends());
	self->lends = true;
	take_turn(self->loop);
	EXPECT_LE(1, self->enters);
	EXPECT_EQ(0, self->frames);
	link_free(self->several);
}

TEST_F(tap, frame_that_the_card_has_refused_is_lost_with_the_link)
{
	ASSERT_TRUE(make_several(self));
	for (unsigned int i = 0; i < 2; i++) {
		self->refuses = true;
		ASSERT_TRUE(host_sends());
		take_turn(self->loop);
		self->refuses = false;
		if (i)
			self->several->kind->lend(self->several, true);
		else
			EXPECT_EQ(0, link_attach(self->several, false));
		link_resume(self->several);
		EXPECT_EQ(0, self->frames);
		EXPECT_EQ(0, link_attach(self->several, true));
	}
	link_free(self->several);
}

TEST_F(tap, lent_link_tells_of_the_end_of_its_interface)
{
	ASSERT_TRUE(remove_interface());
	self->link->kind->lend(self->link, true);
	loop_run(self->loop);
	EXPECT_EQ(1, self->downs);
	EXPECT_EQ(-1, self->link->kind->lend(self->link, true));
}

TEST_F(tap, link_whose_interface_has_gone_gets_no_frames_as_asked_for)
{
	const struct link_card card = self->link->card;
	struct link *links[2];

	link_free(self->link);
	for (unsigned int i = 0; i < 2; i++)
		links[i] = tap_new(self->loop, NAME, true, &card);
	self->link = links[0];
	ASSERT_NE(NULL, links[1]);
	ASSERT_TRUE(remove_interface());
	EXPECT_EQ(0, link_attach(links[1], false));
	EXPECT_NE(0, link_attach(links[1], true));
	loop_run(self->loop);
	EXPECT_EQ(1, self->downs);
	EXPECT_EQ(0, link_attach(links[0], false));
	EXPECT_EQ(0, link_attach(links[0], true));
	link_free(links[1]);
}

TEST_F(tap, name_that_no_interface_can_have_is_refused)
{
	const struct link_card card = {};

	EXPECT_EQ(NULL, tap_new(self->loop, "", false, &card));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(NULL, tap_new(self->loop, "sixteen.bytes.of", false, &card));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(NULL, tap_new(self->loop, NAME "%d", true, &card));
	EXPECT_EQ(EINVAL, errno);
}

TEST_HARNESS_MAIN
