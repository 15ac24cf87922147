// SPDX-License-Identifier: GPL-2.0
/*
 * A machine that stands by.
 */
#include "move/standby.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "board/zero.h"
#include "move/pages.h"
#include "move/source.h"
#include "move/target.h"

/**
 * struct move_standby - a machine that stands by
 * @ram: the machine's
 * @apart: as large: pages of the increment that comes; not used for the first one, before
 *	which there is nothing to go on from
 * @pending: which pages
 * @unpacker: unpacks them
 * @number: of the last whole increment
 * @state: of that
 * @coming: the state of the one that comes; without bytes: it has not come
 */
struct move_standby {
	struct ram *ram;
	struct ram *apart;
	struct page_log *pending;
	struct move_unpacker *unpacker;
	_Atomic uint64_t number;
	struct record state;
	struct record coming;
};

struct move_standby *move_standby_new(struct ram *ram)
{
	const uint64_t size = ram_low(ram) + ram_high(ram);
	struct move_standby *standby = calloc(1, sizeof(*standby));

	if (!standby)
		return NULL;
	standby->ram = ram;
	standby->apart = ram_new(size);
	standby->pending = page_log_new(size / MOVE_PAGE);
	standby->unpacker = move_unpacker_new();
	if (standby->apart && standby->pending && standby->unpacker)
		return standby;
	move_standby_free(standby);
	return NULL;
}

void move_standby_free(struct move_standby *standby)
{
	if (!standby)
		return;
	ram_free(standby->apart);
	page_log_free(standby->pending);
	move_unpacker_free(standby->unpacker);
	free(standby->state.data);
	free(standby->coming.data);
	free(standby);
}

int move_standby_begin(struct move_link *link, uint32_t *every_ms)
{
	struct move_standby_head head;
	struct move_frame frame;
	int err = move_receive(link, &frame);

	if (err)
		return err;
	if (frame.type != MOVE_STANDBY)
		return frame.type == MOVE_PAGES ? -ENOTSUP : -EPROTO;
	memcpy(&head, frame.payload, sizeof(head));
	*every_ms = le32toh(head.every_ms);
	return head.reserved || *every_ms < MOVE_EVERY_MIN ||
			       *every_ms > MOVE_EVERY_MAX ?
		       -EPROTO :
		       0;
}

static int take_pages(struct move_standby *standby,
		      const struct move_frame *frame)
{
	struct ram *ram = standby->number ? standby->apart : standby->ram;
	struct move_pages_head head;
	int err = move_take_pages(standby->unpacker, frame, ram);

	if (err || !standby->number)
		return err;
	memcpy(&head, frame->payload, sizeof(head));
	page_log_add(standby->pending, le64toh(head.first),
		     le64toh(head.first) + le32toh(head.count));
	return 0;
}

static int take_state(struct move_standby *standby,
		      const struct move_frame *frame)
{
	return record_append(&standby->coming, frame->payload, frame->length);
}

/* @crc: of what has come of it */
static int check_closing(const struct move_standby *standby,
			 const struct move_frame *frame, uint32_t crc)
{
	struct move_closing closing;

	memcpy(&closing, frame->payload, sizeof(closing));
	if (closing.reserved ||
	    le64toh(closing.number) != standby->number + 1 ||
	    !standby->coming.size)
		return -EPROTO;
	return le32toh(closing.crc) == crc ? 0 : -EBADMSG;
}

/* Receives one, but for its effect.  Return: as move_standby_take(). */
static int take_increment(struct move_link *link, struct move_standby *standby,
			  char *why)
{
	struct move_frame frame;
	uint32_t crc;
	int err;

	link->received_crc = 0;
	standby->coming.size = 0;
	for (;;) {
		crc = link->received_crc;
		err = move_receive(link, &frame);
		if (err)
			return err;
		if (frame.type == MOVE_CLOSE)
			return check_closing(standby, &frame, crc);
		if (frame.type == MOVE_END) {
			move_take_reason(why, &frame);
			return -ESHUTDOWN;
		}
		/* The state comes once, and behind all pages. */
		if (standby->coming.size)
			return -EPROTO;
		if (frame.type == MOVE_PAGES)
			err = take_pages(standby, &frame);
		else if (frame.type == MOVE_STATE)
			err = take_state(standby, &frame);
		else
			err = -EPROTO;
		if (err)
			return err;
	}
}

static uint8_t *page_of(const struct ram *ram, uint64_t page)
{
	struct ram_range ranges[RAM_MAX_RANGES];

	ram_ranges(ram, ranges);
	return (uint8_t *)ranges[0].address + page * MOVE_PAGE;
}

/* Guest memory that was never written to stays without pages behind it. */
static void apply_page(struct move_standby *standby, uint64_t page)
{
	const uint8_t *from = page_of(standby->apart, page);
	uint8_t *to = page_of(standby->ram, page);

	if (!is_zero(from, MOVE_PAGE) || !is_zero(to, MOVE_PAGE))
		memcpy(to, from, MOVE_PAGE);
}

/* Nothing here can fail. */
static void apply(struct move_standby *standby)
{
	struct ram_range ranges[RAM_MAX_RANGES];
	const size_t count = ram_ranges(standby->apart, ranges);
	const struct record old = standby->state;
	uint64_t first = 0, bits;

	for (; page_log_take(standby->pending, &first, &bits);
	     first += PAGE_LOG_WORD)
		for (; bits; bits &= bits - 1)
			apply_page(standby,
				   first + (uint64_t)__builtin_ctzll(bits));
	for (size_t i = 0; i < count; i++)
		ram_discard(standby->apart, ranges[i].address, ranges[i].size);
	standby->state = standby->coming;
	standby->coming = old;
	standby->number++;
}

int move_standby_take(struct move_link *link, struct move_standby *standby,
		      char why[MOVE_WHY_SIZE])
{
	int err = take_increment(link, standby, why);

	if (err)
		return err;
	/* It is whole here, whether the source hears of that or not. */
	err = move_tell(link, MOVE_TAKEN);
	apply(standby);
	return err;
}

uint64_t move_standby_number(const struct move_standby *standby)
{
	return standby->number;
}

const struct record *move_standby_state(const struct move_standby *standby)
{
	return &standby->state;
}
