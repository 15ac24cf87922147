// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzes the side that a machine comes to: the input plays the source.
 *
 * It is a stream; or frames whose heads and checksums are made to fit: of each, a byte is
 * its type, two its length, and the rest its payload; or changes to a stream that a source
 * has sent, to whose frames the checksums are made to fit.
 */
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "fuzz_check.h"
#include "lib/read.h"
#include "move/standby.h"
#include "move_fixture.h"
#include "snap/crc.h"
#include "snap/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FRAME_HEAD 3
/* Bits of the first byte. */
#define CHOICE_RAW 1
#define CHOICE_MEMORY 2
#define CHOICE_CHANGE 4
#define CHOICE_STANDBY 8
/* A change: 16 bits say where. */
#define CHANGE_SIZE 3

/* Streams that a source has sent. */
enum seed { SEED_OFFER, SEED_MEMORY, SEED_STANDBY, SEEDS };

static void write_frames(int fd, const uint8_t *data, size_t size)
{
	uint64_t at = 0;

	while (size >= FRAME_HEAD) {
		struct move_head head = { .type = htole32(data[0]) };
		size_t length = data[1] | data[2] << 8;

		data += FRAME_HEAD;
		size -= FRAME_HEAD;
		length = length < size ? length : size;
		head.length = htole32(length);
		head.crc = htole32(snap_crc(snap_crc(0, &head, sizeof(head)),
					    data, length));
		require(!snap_write(fd, &head, sizeof(head), at));
		require(!snap_write(fd, data, length, at + sizeof(head)));
		at += sizeof(head) + length;
		data += length;
		size -= length;
	}
}

static void send_increments(struct move_link *source, const struct ram *ram,
			    struct page_log *log)
{
	const struct move_standby_head head = { .every_ms = htole32(500) };
	struct move_closing closing = { 0 };

	require(!move_send(source, MOVE_STANDBY, &head, sizeof(head), NULL, 0));
	for (uint64_t number = 1; number <= 2; number++) {
		source->sent_crc = 0;
		page_log_add(log, 0, 6);
		require(!move_test_send(source, ram, log));
		require(!move_send(source, MOVE_STATE, "s", 1, NULL, 0));
		closing.number = htole64(number);
		closing.crc = htole32(source->sent_crc);
		require(!move_send(source, MOVE_CLOSE, &closing,
				   sizeof(closing), NULL, 0));
	}
	require(!move_send(source, MOVE_END, "over", 4, NULL, 0));
}

/* Return: a stream that a target takes. */
static int write_seed(enum seed seed)
{
	struct move_link answers = move_test_link(-1);
	struct page_log *log = page_log_new(MOVE_TEST_PAGES);
	struct ram *ram = ram_new(MOVE_TEST_SIZE);
	char why[MOVE_WHY_SIZE];
	struct move_link source;

	require(log && ram && !move_tell(&answers, MOVE_ACCEPT));
	source = move_test_peer(&answers);
	memset(move_test_page(ram, 2), 1, MOVE_PAGE);
	page_log_add(log, 0, 6);
	if (seed == SEED_STANDBY) {
		send_increments(&source, ram, log);
	} else if (seed == SEED_MEMORY) {
		require(!move_test_send(&source, ram, log));
		require(!move_send(&source, MOVE_STATE, "s", 1, NULL, 0));
		require(!move_tell(&source, MOVE_GO));
	} else {
		require(!move_test_offer(&source, why));
	}
	page_log_free(log);
	ram_free(ram);
	close(answers.out);
	move_link_free(&source);
	return source.out;
}

/* Makes the checksums fit, as far as there are frames. */
static void sum_frames(uint8_t *bytes, size_t size)
{
	struct move_head head;
	size_t length;

	while (size >= sizeof(head)) {
		memcpy(&head, bytes, sizeof(head));
		length = le32toh(head.length);
		if (length > size - sizeof(head))
			return;
		head.crc = 0;
		head.crc = htole32(snap_crc(snap_crc(0, &head, sizeof(head)),
					    bytes + sizeof(head), length));
		memcpy(bytes, &head, sizeof(head));
		bytes += sizeof(head) + length;
		size -= sizeof(head) + length;
	}
}

static void write_changed(int fd, enum seed seed, const uint8_t *data,
			  size_t size)
{
	static uint8_t *seeds[SEEDS];
	static size_t sizes[SEEDS];
	uint8_t *bytes;

	if (!seeds[seed]) {
		int stream = write_seed(seed);

		sizes[seed] = lseek(stream, 0, SEEK_END);
		seeds[seed] = malloc(sizes[seed]);
		require(seeds[seed]);
		require(!read_at(stream, seeds[seed], sizes[seed], 0));
		close(stream);
	}
	bytes = malloc(sizes[seed]);
	require(bytes);
	memcpy(bytes, seeds[seed], sizes[seed]);
	for (; size >= CHANGE_SIZE; data += CHANGE_SIZE, size -= CHANGE_SIZE)
		bytes[(data[0] | data[1] << 8) % sizes[seed]] = data[2];
	sum_frames(bytes, sizes[seed]);
	require(!snap_write(fd, bytes, sizes[seed], 0));
	free(bytes);
}

static void check_offer(const struct move_incoming *incoming)
{
	require(strlen(incoming->config) <= incoming->config_size);
	require(incoming->nr_images <= MOVE_MAX_IMAGES);
	for (uint32_t i = 0; i < incoming->nr_images; i++) {
		uint8_t byte;

		require(incoming->images[i].path && incoming->images[i].size);
		require(!read_at(incoming->fd, &byte, 1,
				 incoming->images[i].offset +
					 incoming->images[i].size - 1));
	}
}

static void take_offer(struct move_link *target)
{
	struct move_incoming incoming;
	char why[MOVE_WHY_SIZE] = "";

	if (!move_take_offer(target, &incoming, why))
		check_offer(&incoming);
	else
		require(*why);
	move_incoming_free(&incoming);
}

static void take_memory(struct move_link *target)
{
	struct ram *ram = ram_new(MOVE_TEST_SIZE);
	struct record state = { 0 };

	require(ram);
	if (!move_take_memory(target, ram, &state)) {
		require(state.size);
		move_await_go(target);
	}
	free(state.data);
	ram_free(ram);
}

/* Whatever comes, what stands by is of a whole increment. */
static void stand_by(struct move_link *target)
{
	struct ram *ram = ram_new(MOVE_TEST_SIZE);
	struct move_standby *standby = ram ? move_standby_new(ram) : NULL;
	char why[MOVE_WHY_SIZE] = "";
	uint32_t every_ms;
	uint64_t number = 0;
	int err;

	require(standby);
	err = move_standby_begin(target, &every_ms);
	require(err ||
		(every_ms >= MOVE_EVERY_MIN && every_ms <= MOVE_EVERY_MAX));
	while (!err) {
		err = move_standby_take(target, standby, why);
		number += !err;
		require(move_standby_number(standby) == number);
		require(!number || move_standby_state(standby)->size);
	}
	require(err != -ESHUTDOWN || *why);
	move_standby_free(standby);
	ram_free(ram);
}

static enum seed seed_of(uint8_t choice)
{
	if (choice & CHOICE_STANDBY)
		return SEED_STANDBY;
	return choice & CHOICE_MEMORY ? SEED_MEMORY : SEED_OFFER;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct move_link source = move_test_link(-1), target;

	require(source.out >= 0);
	if (size && *data & CHOICE_CHANGE)
		write_changed(source.out, seed_of(*data), data + 1, size - 1);
	else if (size && *data & CHOICE_RAW)
		require(!snap_write(source.out, data + 1, size - 1, 0));
	else if (size)
		write_frames(source.out, data + 1, size - 1);
	target = move_test_peer(&source);
	if (size && *data & CHOICE_STANDBY)
		stand_by(&target);
	else if (size && *data & CHOICE_MEMORY)
		take_memory(&target);
	else
		take_offer(&target);
	close(source.out);
	close(target.out);
	move_link_free(&source);
	move_link_free(&target);
	return 0;
}
