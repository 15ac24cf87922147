// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the stream by which a machine moves: what one side sends the other one takes,
 * and nothing else.
 */
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "kselftest_harness.h"
#include "lib/read.h"
#include "move_fixture.h"
#include "snap/format.h"

static char why[MOVE_WHY_SIZE];

static void drop(struct move_link *link)
{
	close(link->out);
	move_link_free(link);
}

/* A link with the answers that a target would give. */
static struct move_link answered(enum move_type type)
{
	struct move_link answers = move_test_link(-1), link;

	move_tell(&answers, type);
	link = move_test_peer(&answers);
	move_link_free(&answers);
	return link;
}

TEST(what_is_offered_is_taken)
{
	struct move_link source = answered(MOVE_ACCEPT), target;
	struct move_incoming incoming;
	char bytes[sizeof(MOVE_TEST_IMAGE)];

	ASSERT_EQ(0, move_test_offer(&source, why));
	target = move_test_peer(&source);
	ASSERT_EQ(0, move_take_offer(&target, &incoming, why));
	EXPECT_EQ(MOVE_TEST_PAGES, incoming.pages);
	EXPECT_STREQ(MOVE_TEST_CONFIG, incoming.config);
	EXPECT_STREQ("web", incoming.host.machine);
	ASSERT_EQ(sizeof(move_test_state), incoming.state.size);
	EXPECT_EQ(0, memcmp(move_test_state, incoming.state.data,
			    incoming.state.size));
	ASSERT_EQ(2, incoming.nr_images);
	EXPECT_STREQ("/image", incoming.images[0].path);
	EXPECT_STREQ("/initrd", incoming.images[1].path);
	ASSERT_EQ(sizeof(bytes), incoming.images[0].size);
	EXPECT_EQ(0, read_at(incoming.fd, bytes, sizeof(bytes),
			     incoming.images[0].offset));
	EXPECT_STREQ(MOVE_TEST_IMAGE, bytes);
	EXPECT_EQ(0, read_at(incoming.fd, bytes, 1, incoming.images[1].offset));
	EXPECT_EQ('i', bytes[0]);
	move_incoming_free(&incoming);
	drop(&source);
	drop(&target);
}

TEST(a_refusal_says_why_and_nothing_that_a_terminal_obeys)
{
	struct move_link answers = move_test_link(-1);
	struct move_link source;

	ASSERT_EQ(0, move_refuse(&answers, "it lacks avx2\x1b[2J\n"));
	source = move_test_peer(&answers);
	EXPECT_EQ(-EREMOTEIO, move_test_offer(&source, why));
	EXPECT_STREQ("it lacks avx2?[2J?", why);
	drop(&answers);
	drop(&source);
}

#define SLOW_PATIENCE_MS 200
#define SLOW_STEP_MS 50

/* A side that sends a byte of its answer now and then. */
static void *answer_slowly(void *opaque)
{
	const int *fds = opaque;
	char bytes[sizeof(struct move_head)];
	ssize_t size = read_at(fds[0], bytes, sizeof(bytes), 0) ? -1 : 1;

	for (size_t i = 0; i < sizeof(bytes) && size > 0; i++) {
		poll(NULL, 0, SLOW_STEP_MS);
		size = send(fds[1], &bytes[i], 1, MSG_NOSIGNAL);
	}
	return NULL;
}

/* One that takes a little now and then. */
static void *take_slowly(void *opaque)
{
	const int *fd = opaque;
	char bytes[16384];

	do {
		poll(NULL, 0, SLOW_STEP_MS);
	} while (recv(*fd, bytes, sizeof(bytes), 0) > 0);
	return NULL;
}

static struct move_link hasty(int fd)
{
	return (struct move_link){
		.in = fd,
		.out = fd,
		.patience_ms = SLOW_PATIENCE_MS,
	};
}

/* A side that is never silent for long, and never done, would hold the other for ever. */
TEST(an_answer_that_comes_byte_by_byte_is_not_awaited_for_ever)
{
	struct move_link answers = move_test_link(-1), link;
	pthread_t thread;
	int ends[2], fds[2];

	ASSERT_EQ(0, move_tell(&answers, MOVE_READY));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	fds[0] = answers.out;
	fds[1] = ends[1];
	link = hasty(ends[0]);
	ASSERT_EQ(0, pthread_create(&thread, NULL, answer_slowly, fds));
	EXPECT_EQ(-ETIMEDOUT, move_expect(&link, MOVE_READY, why));
	close(ends[0]);
	pthread_join(thread, NULL);
	close(ends[1]);
	drop(&answers);
	move_link_free(&link);
}

TEST(a_side_that_takes_a_little_at_a_time_is_not_awaited_for_ever)
{
	static const uint8_t piece[MOVE_PIECE_MAX];
	const int little = 16384;
	struct move_link link;
	pthread_t thread;
	int ends[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	ASSERT_EQ(0, setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &little,
				sizeof(little)));
	link = hasty(ends[0]);
	ASSERT_EQ(0, pthread_create(&thread, NULL, take_slowly, &ends[1]));
	EXPECT_EQ(-ETIMEDOUT,
		  move_send(&link, MOVE_BYTES, NULL, 0, piece, sizeof(piece)));
	close(ends[0]);
	pthread_join(thread, NULL);
	close(ends[1]);
}

TEST(another_answer_is_none)
{
	struct move_link source = answered(MOVE_RUNNING);

	EXPECT_EQ(-EPROTO, move_test_offer(&source, why));
	drop(&source);
	source = answered(MOVE_READY);
	EXPECT_EQ(-EPROTO, move_expect(&source, MOVE_RUNNING, why));
	drop(&source);
	source = answered(MOVE_RUNNING);
	EXPECT_EQ(0, move_expect(&source, MOVE_RUNNING, why));
	EXPECT_EQ(-EPIPE, move_expect(&source, MOVE_RUNNING, why));
	drop(&source);
}

/* Sends all pages, then some again, and the state. */
static void send_memory(struct __test_metadata *_metadata,
			struct move_link *link, const struct ram *ram)
{
	struct page_log *log = page_log_new(MOVE_TEST_PAGES);

	page_log_add(log, 0, MOVE_TEST_PAGES);
	ASSERT_EQ(0, move_test_send(link, ram, log));
	memset(move_test_page(ram, 7), 0, MOVE_PAGE);
	memset(move_test_page(ram, 13), 3, MOVE_PAGE);
	page_log_add(log, 7, 8);
	page_log_add(log, 13, 14);
	ASSERT_EQ(0, move_test_send(link, ram, log));
	ASSERT_EQ(0, move_send(link, MOVE_STATE, NULL, 0, move_test_state,
			       sizeof(move_test_state)));
	page_log_free(log);
}

static void pages_come(struct __test_metadata *_metadata,
		       enum ram_backing backing)
{
	struct ram *from = ram_new_backed(MOVE_TEST_SIZE, backing);
	struct ram *to = ram_new_backed(MOVE_TEST_SIZE, backing);
	struct move_link source = move_test_link(-1), target;
	struct record state = { 0 };

	move_test_fill(from);
	/* What the target has had before must go. */
	memset(move_test_page(to, 5), 9, 2 * MOVE_PAGE);
	send_memory(_metadata, &source, from);
	/* Of seven pages two are zero, and of the rest one in five packs well. */
	EXPECT_LT(source.sent, MOVE_TEST_SIZE * 5 / 7);
	EXPECT_EQ((uint64_t)lseek(source.out, 0, SEEK_END), source.sent);
	target = move_test_peer(&source);
	ASSERT_EQ(0, move_take_memory(&target, to, &state));
	EXPECT_EQ(sizeof(move_test_state), state.size);
	for (uint64_t page = 0; page < MOVE_TEST_PAGES; page++)
		EXPECT_EQ(0, memcmp(move_test_page(from, page),
				    move_test_page(to, page), MOVE_PAGE));
	free(state.data);
	ram_free(from);
	ram_free(to);
	drop(&source);
	drop(&target);
}

TEST(pages_come_as_they_are)
{
	pages_come(_metadata, RAM_ANONYMOUS);
}

TEST(pages_of_a_file_come_and_holes_stay)
{
	pages_come(_metadata, RAM_MEMFD);
}

/* Return: what a target says of a stream, when it has the offer and memory. */
static int take_whole(struct move_link *target, struct ram *ram)
{
	struct move_incoming incoming;
	struct record state = { 0 };
	int err = move_take_offer(target, &incoming, why);

	if (!err)
		err = move_take_memory(target, ram, &state);
	if (!err)
		err = move_await_go(target);
	move_incoming_free(&incoming);
	free(state.data);
	return err;
}

TEST(a_stream_that_is_cut_anywhere_ends_without_a_machine)
{
	struct move_link source = answered(MOVE_ACCEPT), target;
	struct ram *ram = ram_new(MOVE_TEST_SIZE);
	off_t size;

	/* One page, so that each byte can be tried. */
	struct page_log *log = page_log_new(MOVE_TEST_PAGES);

	memset(move_test_page(ram, 1), 1, MOVE_PAGE);
	page_log_add(log, 0, MOVE_TEST_PAGES);
	ASSERT_EQ(0, move_test_offer(&source, why));
	ASSERT_EQ(0, move_test_send(&source, ram, log));
	ASSERT_EQ(0, move_send(&source, MOVE_STATE, NULL, 0, move_test_state,
			       sizeof(move_test_state)));
	ASSERT_EQ(0, move_tell(&source, MOVE_GO));
	size = lseek(source.out, 0, SEEK_END);
	target = move_test_peer(&source);
	EXPECT_EQ(0, take_whole(&target, ram));
	while (size-- > 0) {
		ASSERT_EQ(0, ftruncate(source.out, size));
		lseek(source.out, 0, SEEK_SET);
		ASSERT_EQ(-EPIPE, take_whole(&target, ram));
	}
	page_log_free(log);
	ram_free(ram);
	drop(&source);
	drop(&target);
}

TEST(a_byte_that_has_changed_is_noticed)
{
	struct move_link source = answered(MOVE_ACCEPT), target;
	struct ram *ram = ram_new(MOVE_TEST_SIZE);
	off_t size;
	uint8_t byte;

	ASSERT_EQ(0, move_test_offer(&source, why));
	size = lseek(source.out, 0, SEEK_END);
	target = move_test_peer(&source);
	for (off_t at = 0; at < size; at++) {
		ASSERT_EQ(0, read_at(source.out, &byte, 1, at));
		byte ^= 1;
		ASSERT_EQ(0, snap_write(source.out, &byte, 1, at));
		lseek(source.out, 0, SEEK_SET);
		ASSERT_GT(0, take_whole(&target, ram));
		byte ^= 1;
		ASSERT_EQ(0, snap_write(source.out, &byte, 1, at));
	}
	ram_free(ram);
	drop(&source);
	drop(&target);
}

TEST(another_version_is_named)
{
	struct move_link source = move_test_link(-1), target;
	struct move_offer_head head = { .version = htole32(2) };
	struct move_incoming incoming;

	memcpy(head.magic, MOVE_MAGIC, MOVE_MAGIC_SIZE);
	ASSERT_EQ(0,
		  move_send(&source, MOVE_OFFER, &head, sizeof(head), NULL, 0));
	target = move_test_peer(&source);
	EXPECT_EQ(-EPROTONOSUPPORT, move_take_offer(&target, &incoming, why));
	EXPECT_NE(NULL, strstr(why, "version 2"));
	move_incoming_free(&incoming);
	drop(&source);
	drop(&target);
}

/* Return: what a target says of one frame in place of a page. */
static int take_frame(enum move_type type, const void *payload, size_t size,
		      const void *bytes, size_t rest)
{
	struct move_link source = move_test_link(-1), target;
	struct ram *ram = ram_new(MOVE_TEST_SIZE);
	struct record state = { 0 };
	int err = move_send(&source, type, payload, size, bytes, rest);

	target = move_test_peer(&source);
	if (!err)
		err = move_take_memory(&target, ram, &state);
	free(state.data);
	ram_free(ram);
	drop(&source);
	drop(&target);
	return err;
}

static int take_pages(uint64_t first, uint32_t count, uint32_t flags,
		      const void *bytes, size_t size)
{
	const struct move_pages_head head = {
		.first = htole64(first),
		.count = htole32(count),
		.flags = htole32(flags),
	};

	return take_frame(MOVE_PAGES, &head, sizeof(head), bytes, size);
}

TEST(pages_that_the_machine_has_not_are_refused)
{
	static const uint8_t page[2 * MOVE_PAGE];

	/* As after a stream that is sound, and has ended. */
	EXPECT_EQ(-EPIPE, take_pages(0, 1, 0, page, MOVE_PAGE));
	EXPECT_EQ(-EPIPE,
		  take_pages(MOVE_TEST_PAGES - 1, 1, MOVE_ZERO, NULL, 0));
	EXPECT_EQ(-EPROTO, take_pages(MOVE_TEST_PAGES, 1, MOVE_ZERO, NULL, 0));
	EXPECT_EQ(-EPROTO,
		  take_pages(MOVE_TEST_PAGES - 1, 2, MOVE_ZERO, NULL, 0));
	EXPECT_EQ(-EPROTO, take_pages(UINT64_MAX, 2, MOVE_ZERO, NULL, 0));
	EXPECT_EQ(-EPROTO, take_pages(0, 0, MOVE_ZERO, NULL, 0));
	EXPECT_EQ(-EPROTO, take_pages(0, MOVE_RUN_MAX + 1, MOVE_ZERO, NULL, 0));
	EXPECT_EQ(-EPROTO, take_pages(0, UINT32_MAX, MOVE_ZERO, NULL, 0));
}

TEST(bytes_that_are_not_those_of_the_pages_are_refused)
{
	static const uint8_t page[2 * MOVE_PAGE];

	EXPECT_EQ(-EPROTO, take_pages(0, 1, MOVE_ZERO, page, 1));
	EXPECT_EQ(-EPROTO, take_pages(0, 1, 0, page, MOVE_PAGE - 1));
	EXPECT_EQ(-EPROTO, take_pages(0, 1, 0, page, MOVE_PAGE + 1));
	EXPECT_EQ(-EPROTO, take_pages(0, 2, 0, page, MOVE_PAGE));
	EXPECT_EQ(-EPROTO, take_pages(0, 1, 0, NULL, 0));
	EXPECT_EQ(-EPROTO, take_pages(0, 1, MOVE_PACKED, page, MOVE_PAGE));
	EXPECT_EQ(-EPROTO, take_pages(0, 1, MOVE_PACKED, NULL, 0));
	EXPECT_EQ(-EPROTO,
		  take_pages(0, 1, MOVE_PACKED | MOVE_ZERO, page, MOVE_PAGE));
	EXPECT_EQ(-EPROTO, take_pages(0, 1, 4, page, MOVE_PAGE));
}

TEST(frames_out_of_order_are_refused)
{
	EXPECT_EQ(-EPROTO, take_frame(MOVE_GO, NULL, 0, NULL, 0));
	EXPECT_EQ(-EPROTO, take_frame(MOVE_ACCEPT, NULL, 0, NULL, 0));
	EXPECT_EQ(-EPROTO, take_frame(MOVE_CONFIG, "{}", 2, NULL, 0));
	EXPECT_EQ(-EMSGSIZE, take_frame(MOVE_GO, "x", 1, NULL, 0));
	EXPECT_EQ(-EMSGSIZE, take_frame(0, NULL, 0, NULL, 0));
	EXPECT_EQ(-EMSGSIZE, take_frame(MOVE_RUNNING + 1, NULL, 0, NULL, 0));
}

/* A frame that move_send() does not send. */
TEST(a_head_that_cannot_be_is_refused_before_its_bytes_are_awaited)
{
	static const struct move_head heads[] = {
		{ .type = 0 },
		{ .type = MOVE_RUNNING + 1 },
		{ .type = MOVE_GO, .length = 1 },
		{ .type = MOVE_STATE, .length = MOVE_PAYLOAD_MAX + 1 },
		{ .type = MOVE_PAGES, .length = 3 },
		{ .type = MOVE_GO, .reserved = 1 },
	};
	struct move_frame frame;

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		struct move_link source = move_test_link(-1), target;

		ASSERT_EQ(0, snap_write(source.out, &heads[i], sizeof(heads[i]),
					0));
		target = move_test_peer(&source);
		EXPECT_EQ(-EPROTO, move_receive(&target, &frame));
		drop(&source);
		drop(&target);
	}
}

/*
 * Return: what a target says of an image of so many bytes, of which so many come, and, if
 * that is not 0, of another one of so many, of which none come.
 */
static int take_images(uint64_t size, size_t sent, uint64_t other)
{
	static const uint8_t bytes[2 * MOVE_PAGE];
	struct move_link source = move_test_link(-1), target;
	struct move_offer_head head = { .version = htole32(MOVE_VERSION),
					.images = htole32(other ? 2 : 1) };
	struct move_image_head image = { htole64(size) };
	struct move_incoming incoming;
	int err;

	memcpy(head.magic, MOVE_MAGIC, MOVE_MAGIC_SIZE);
	move_send(&source, MOVE_OFFER, &head, sizeof(head), NULL, 0);
	move_send(&source, MOVE_CONFIG, "{}", 2, NULL, 0);
	move_send(&source, MOVE_HOST, MOVE_TEST_HOST,
		  sizeof(MOVE_TEST_HOST) - 1, NULL, 0);
	move_send(&source, MOVE_STATE, "s", 1, NULL, 0);
	move_send(&source, MOVE_IMAGE, &image, sizeof(image), "/i", 2);
	move_send(&source, MOVE_BYTES, bytes, sent, NULL, 0);
	image.size = htole64(other);
	if (other)
		move_send(&source, MOVE_IMAGE, &image, sizeof(image), "/j", 2);
	target = move_test_peer(&source);
	err = move_take_offer(&target, &incoming, why);
	move_incoming_free(&incoming);
	drop(&source);
	drop(&target);
	return err;
}

static int take_image(uint64_t size, size_t sent)
{
	return take_images(size, sent, 0);
}

TEST(images_are_no_larger_together_than_one_can_be)
{
	EXPECT_EQ(-EPIPE,
		  take_images(MOVE_PAGE, MOVE_PAGE, (1ULL << 32) - MOVE_PAGE));
	EXPECT_EQ(-EFBIG, take_images(MOVE_PAGE, MOVE_PAGE,
				      (1ULL << 32) - MOVE_PAGE + 1));
	EXPECT_EQ(-EFBIG, take_images(1, 1, 1ULL << 32));
	EXPECT_NE(NULL, strstr(why, "4 GiB"));
}

TEST(an_image_has_as_many_bytes_as_it_says)
{
	EXPECT_EQ(0, take_image(MOVE_PAGE, MOVE_PAGE));
	EXPECT_EQ(-EPROTO, take_image(MOVE_PAGE, MOVE_PAGE + 1));
	EXPECT_EQ(-EPIPE, take_image(MOVE_PAGE, MOVE_PAGE - 1));
	EXPECT_EQ(-EPROTO, take_image(0, 1));
	EXPECT_EQ(-EPROTO, take_image((1ULL << 32) + 1, 1));
	EXPECT_EQ(-EPROTO, take_image(UINT64_MAX, 1));
}

TEST_HARNESS_MAIN
