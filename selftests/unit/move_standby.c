// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of a machine that stands by: an increment is there as a whole or not at all.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>

#include "kselftest_harness.h"
#include "lib/read.h"
#include "move/stash.h"
#include "move/standby.h"
#include "move_fixture.h"
#include "snap/format.h"

#define EVERY_MS 500

static char why[MOVE_WHY_SIZE];

static void drop(struct move_link *link)
{
	close(link->out);
	move_link_free(link);
}

/* @number: of the increment; @damage: of its checksum */
static int close_increment(struct move_link *link, uint64_t number,
			   uint32_t damage)
{
	struct move_closing closing = { .number = htole64(number) };

	closing.crc = htole32(link->sent_crc ^ damage);
	return move_send(link, MOVE_CLOSE, &closing, sizeof(closing), NULL, 0);
}

/* An increment of the pages of a log. */
static int send_increment(struct move_link *link, const struct ram *ram,
			  struct page_log *log, uint64_t number, uint8_t state)
{
	struct move_stash *stash = move_stash_new(MOVE_TEST_PAGES);
	struct move_packer *packer = move_packer_new();
	int err = stash && packer ? move_stash_fill(stash, ram, log) : -ENOMEM;

	link->sent_crc = 0;
	if (!err)
		err = move_stash_send(stash, packer, link);
	if (!err)
		err = move_send(link, MOVE_STATE, &state, 1, NULL, 0);
	move_packer_free(packer);
	move_stash_free(stash);
	return err ? err : close_increment(link, number, 0);
}

FIXTURE(standby)
{
	struct ram *from;
	struct ram *to;
	struct page_log *log;
	struct move_link source;
	struct move_link target;
	struct move_standby *standby;
};

FIXTURE_SETUP(standby)
{
	self->from = ram_new(MOVE_TEST_SIZE);
	self->to = ram_new(MOVE_TEST_SIZE);
	self->log = page_log_new(MOVE_TEST_PAGES);
	self->source = move_test_link(-1);
	self->standby = move_standby_new(self->to);
	ASSERT_NE(NULL, self->standby);
}

FIXTURE_TEARDOWN(standby)
{
	move_standby_free(self->standby);
	page_log_free(self->log);
	ram_free(self->from);
	ram_free(self->to);
	drop(&self->source);
	drop(&self->target);
}

/* The first increment: all pages. */
static int send_first(FIXTURE_DATA(standby) * self)
{
	move_test_fill(self->from);
	page_log_add(self->log, 0, MOVE_TEST_PAGES);
	return send_increment(&self->source, self->from, self->log, 1, 1);
}

/* The second: one page is zero, one is new, and one is another. */
static int send_second(FIXTURE_DATA(standby) * self)
{
	memset(move_test_page(self->from, 0), 0, MOVE_PAGE);
	memset(move_test_page(self->from, 5), 5, MOVE_PAGE);
	memset(move_test_page(self->from, 200), 7, MOVE_PAGE);
	page_log_add(self->log, 0, 1);
	page_log_add(self->log, 5, 6);
	page_log_add(self->log, 200, 201);
	return send_increment(&self->source, self->from, self->log, 2, 2);
}

static bool same(const struct ram *a, const struct ram *b)
{
	return !memcmp(move_test_page(a, 0), move_test_page(b, 0),
		       MOVE_TEST_SIZE);
}

/* Takes what has been sent, from its beginning. */
static int take(FIXTURE_DATA(standby) * self)
{
	return move_standby_take(&self->target, self->standby, why);
}

static uint8_t state_of(FIXTURE_DATA(standby) * self)
{
	return move_standby_state(self->standby)->data[0];
}

TEST_F(standby, what_is_whole_is_there)
{
	ASSERT_EQ(0, send_first(self));
	ASSERT_EQ(0, send_second(self));
	self->target = move_test_peer(&self->source);
	ASSERT_EQ(0, take(self));
	EXPECT_EQ(1, move_standby_number(self->standby));
	EXPECT_EQ(1, state_of(self));
	EXPECT_FALSE(same(self->from, self->to));
	ASSERT_EQ(0, take(self));
	EXPECT_EQ(2, move_standby_number(self->standby));
	EXPECT_EQ(2, state_of(self));
	EXPECT_TRUE(same(self->from, self->to));
	EXPECT_EQ(-EPIPE, take(self));
}

TEST_F(standby, it_is_acknowledged)
{
	struct move_link source;

	ASSERT_EQ(0, send_first(self));
	self->target = move_test_peer(&self->source);
	ASSERT_EQ(0, take(self));
	source = move_test_peer(&self->target);
	EXPECT_EQ(0, move_expect(&source, MOVE_TAKEN, why));
	EXPECT_EQ(-EPIPE, move_expect(&source, MOVE_TAKEN, why));
	drop(&source);
}

/* Wherever the source dies, what is there is the moment before. */
TEST_F(standby, an_increment_that_is_cut_anywhere_leaves_the_one_before)
{
	struct ram *first = ram_new(MOVE_TEST_SIZE);
	off_t begin, end;

	ASSERT_EQ(0, send_first(self));
	memcpy(move_test_page(first, 0), move_test_page(self->from, 0),
	       MOVE_TEST_SIZE);
	begin = lseek(self->source.out, 0, SEEK_END);
	ASSERT_EQ(0, send_second(self));
	end = lseek(self->source.out, 0, SEEK_END);
	self->target = move_test_peer(&self->source);
	ASSERT_EQ(0, take(self));
	while (end-- > begin) {
		ASSERT_EQ(0, ftruncate(self->source.out, end));
		lseek(self->source.out, begin, SEEK_SET);
		ASSERT_EQ(-EPIPE, take(self));
		ASSERT_EQ(1, move_standby_number(self->standby));
		ASSERT_EQ(1, state_of(self));
		ASSERT_TRUE(same(first, self->to));
	}
	ram_free(first);
}

TEST_F(standby, a_byte_that_has_changed_leaves_the_one_before)
{
	off_t begin, end;
	uint8_t byte;

	ASSERT_EQ(0, send_first(self));
	begin = lseek(self->source.out, 0, SEEK_END);
	ASSERT_EQ(0, send_second(self));
	end = lseek(self->source.out, 0, SEEK_END);
	self->target = move_test_peer(&self->source);
	ASSERT_EQ(0, take(self));
	for (off_t at = begin; at < end; at++) {
		ASSERT_EQ(0, read_at(self->source.out, &byte, 1, at));
		byte ^= 1;
		ASSERT_EQ(0, snap_write(self->source.out, &byte, 1, at));
		lseek(self->source.out, begin, SEEK_SET);
		ASSERT_GT(0, take(self));
		ASSERT_EQ(1, move_standby_number(self->standby));
		byte ^= 1;
		ASSERT_EQ(0, snap_write(self->source.out, &byte, 1, at));
	}
}

/* Frames that are whole, but of which one is missing. */
TEST_F(standby, one_of_another_checksum_or_number_is_none)
{
	const uint8_t state = 3;
	off_t begin;

	ASSERT_EQ(0, send_first(self));
	begin = lseek(self->source.out, 0, SEEK_END);
	self->target = move_test_peer(&self->source);
	ASSERT_EQ(0, take(self));
	for (int i = 0; i < 4; i++) {
		static const uint64_t numbers[] = { 2, 1, 3, 0 };

		ASSERT_EQ(0, ftruncate(self->source.out, begin));
		lseek(self->source.out, begin, SEEK_SET);
		self->source.sent_crc = 0;
		ASSERT_EQ(0, move_send(&self->source, MOVE_STATE, &state, 1,
				       NULL, 0));
		ASSERT_EQ(0, close_increment(&self->source, numbers[i], !i));
		lseek(self->source.out, begin, SEEK_SET);
		EXPECT_EQ(i ? -EPROTO : -EBADMSG, take(self));
	}
	EXPECT_EQ(1, move_standby_number(self->standby));
	EXPECT_EQ(1, state_of(self));
}

/* Sends a frame in place of an increment.  Return: what is said of it. */
static int take_frame(FIXTURE_DATA(standby) * self, enum move_type type,
		      const void *bytes, size_t size)
{
	self->source = move_test_link(-1);
	if (move_send(&self->source, type, bytes, size, NULL, 0))
		return 0;
	self->target = move_test_peer(&self->source);
	return take(self);
}

TEST_F(standby, what_is_not_due_ends_it)
{
	const struct move_pages_head beyond = {
		.first = htole64(MOVE_TEST_PAGES),
		.count = htole32(1),
		.flags = htole32(MOVE_ZERO),
	};
	const struct move_closing closing = { .number = htole64(1) };

	EXPECT_EQ(-EPROTO, take_frame(self, MOVE_GO, NULL, 0));
	EXPECT_EQ(-EPROTO, take_frame(self, MOVE_ACCEPT, NULL, 0));
	EXPECT_EQ(-EPROTO, take_frame(self, MOVE_TAKEN, NULL, 0));
	EXPECT_EQ(-EPROTO,
		  take_frame(self, MOVE_PAGES, &beyond, sizeof(beyond)));
	/* Without a state it is none. */
	EXPECT_EQ(-EPROTO,
		  take_frame(self, MOVE_CLOSE, &closing, sizeof(closing)));
	EXPECT_EQ(0, move_standby_number(self->standby));
}

TEST_F(standby, the_state_comes_once_and_last)
{
	const struct move_pages_head head = {
		.count = htole32(1),
		.flags = htole32(MOVE_ZERO),
	};

	ASSERT_EQ(0, move_send(&self->source, MOVE_STATE, "s", 1, NULL, 0));
	ASSERT_EQ(0, move_send(&self->source, MOVE_STATE, "s", 1, NULL, 0));
	self->target = move_test_peer(&self->source);
	EXPECT_EQ(-EPROTO, take(self));
	drop(&self->source);
	drop(&self->target);
	self->source = move_test_link(-1);
	ASSERT_EQ(0, move_send(&self->source, MOVE_STATE, "s", 1, NULL, 0));
	ASSERT_EQ(0, move_send(&self->source, MOVE_PAGES, &head, sizeof(head),
			       NULL, 0));
	self->target = move_test_peer(&self->source);
	EXPECT_EQ(-EPROTO, take(self));
}

/* A source that says so lives, and so does the machine there. */
TEST_F(standby, a_source_that_ends_it_says_why)
{
	ASSERT_EQ(0, send_first(self));
	ASSERT_EQ(0, move_send(&self->source, MOVE_END, "it was\x1b enough", 14,
			       NULL, 0));
	self->target = move_test_peer(&self->source);
	ASSERT_EQ(0, take(self));
	EXPECT_EQ(-ESHUTDOWN, take(self));
	EXPECT_STREQ("it was? enough", why);
}

static int begin_with(struct move_link *target, uint32_t every_ms,
		      uint32_t reserved)
{
	const struct move_standby_head head = {
		.every_ms = htole32(every_ms),
		.reserved = htole32(reserved),
	};
	struct move_link source = move_test_link(-1);
	uint32_t told = 0;
	int err =
		move_send(&source, MOVE_STANDBY, &head, sizeof(head), NULL, 0);

	*target = move_test_peer(&source);
	if (!err)
		err = move_standby_begin(target, &told);
	drop(&source);
	drop(target);
	*target = move_test_link(-1);
	return !err && told != every_ms ? -EINVAL : err;
}

TEST_F(standby, an_interval_is_within_its_limits)
{
	EXPECT_EQ(0, begin_with(&self->target, EVERY_MS, 0));
	EXPECT_EQ(0, begin_with(&self->target, MOVE_EVERY_MIN, 0));
	EXPECT_EQ(0, begin_with(&self->target, MOVE_EVERY_MAX, 0));
	EXPECT_EQ(-EPROTO, begin_with(&self->target, MOVE_EVERY_MIN - 1, 0));
	EXPECT_EQ(-EPROTO, begin_with(&self->target, MOVE_EVERY_MAX + 1, 0));
	EXPECT_EQ(-EPROTO, begin_with(&self->target, EVERY_MS, 1));
}

TEST_F(standby, a_machine_that_is_to_move_does_not_stand_by_nor_the_other_way)
{
	const struct move_standby_head head = { .every_ms = htole32(EVERY_MS) };
	struct record state = { 0 };
	uint32_t every_ms;

	page_log_add(self->log, 0, 1);
	ASSERT_EQ(0, move_test_send(&self->source, self->from, self->log));
	self->target = move_test_peer(&self->source);
	EXPECT_EQ(-ENOTSUP, move_standby_begin(&self->target, &every_ms));
	drop(&self->source);
	drop(&self->target);
	self->source = move_test_link(-1);
	ASSERT_EQ(0, move_send(&self->source, MOVE_STANDBY, &head, sizeof(head),
			       NULL, 0));
	self->target = move_test_peer(&self->source);
	EXPECT_EQ(-ENOTSUP, move_take_memory(&self->target, self->to, &state));
	free(state.data);
}

TEST_F(standby, who_is_told_to_stop_waits_no_longer)
{
	static const _Atomic bool stop = true;
	int ends[2];

	ASSERT_EQ(0, pipe(ends));
	self->target = move_test_link(ends[0]);
	self->target.stop = &stop;
	EXPECT_EQ(-ECANCELED, take(self));
	close(ends[0]);
	close(ends[1]);
}

TEST_F(standby, a_stash_takes_no_more_than_it_has_room_for)
{
	struct move_stash *stash = move_stash_new(3);

	self->target = move_test_link(-1);
	page_log_add(self->log, 7, 10);
	EXPECT_EQ(0, move_stash_fill(stash, self->from, self->log));
	EXPECT_EQ(3, move_stash_pages(stash));
	page_log_add(self->log, 62, 66);
	EXPECT_EQ(-EFBIG, move_stash_fill(stash, self->from, self->log));
	move_stash_free(stash);
}

TEST_HARNESS_MAIN
