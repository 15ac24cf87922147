// SPDX-License-Identifier: GPL-2.0
/*
 * The side that a machine leaves.
 */
#include "move/source.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What the other side says is shown to the user. */
void move_take_reason(char why[MOVE_WHY_SIZE], const struct move_frame *frame)
{
	const size_t size = frame->length < MOVE_WHY_SIZE ? frame->length :
							    MOVE_WHY_SIZE - 1;

	for (size_t i = 0; i < size; i++)
		why[i] = frame->payload[i] >= ' ' && frame->payload[i] <= '~' ?
				 (char)frame->payload[i] :
				 '?';
	why[size] = '\0';
}

int move_expect(struct move_link *link, enum move_type type,
		char why[MOVE_WHY_SIZE])
{
	struct move_frame frame;
	int err = move_receive(link, &frame);

	*why = '\0';
	if (err)
		return err;
	if (frame.type == MOVE_REFUSE) {
		move_take_reason(why, &frame);
		return -EREMOTEIO;
	}
	return frame.type == type ? 0 : -EPROTO;
}

static int send_bytes(struct move_link *link, const struct move_offer *offer,
		      uint32_t number, uint64_t size)
{
	uint8_t *piece = malloc(MOVE_PIECE_MAX);
	int err = piece ? 0 : -ENOMEM;

	for (uint64_t at = 0; at < size && !err;) {
		const uint64_t left = size - at;
		const size_t part = left < MOVE_PIECE_MAX ? left :
							    MOVE_PIECE_MAX;

		err = offer->read(offer->opaque, number, at, piece, part);
		if (!err)
			err = move_send(link, MOVE_BYTES, NULL, 0, piece, part);
		at += part;
	}
	free(piece);
	return err;
}

static int send_image(struct move_link *link, const struct move_offer *offer,
		      uint32_t number)
{
	struct move_image_head head;
	uint64_t size;
	const char *path = offer->image(offer->opaque, number, &size);
	int err;

	head.size = htole64(size);
	err = move_send(link, MOVE_IMAGE, &head, sizeof(head), path,
			strlen(path));
	return err ? err : send_bytes(link, offer, number, size);
}

static int send_head(struct move_link *link, const struct move_offer *offer)
{
	struct move_offer_head head = {
		.version = htole32(MOVE_VERSION),
		.images = htole32(offer->images),
		.pages = htole64(offer->pages),
	};

	memcpy(head.magic, MOVE_MAGIC, MOVE_MAGIC_SIZE);
	return move_send(link, MOVE_OFFER, &head, sizeof(head), NULL, 0);
}

/* A target that refuses does so without waiting for the rest, and closes. */
static int send_offer(struct move_link *link, const struct move_offer *offer)
{
	int err = send_head(link, offer);

	if (!err)
		err = move_send(link, MOVE_CONFIG, NULL, 0, offer->config,
				strlen(offer->config));
	if (!err)
		err = move_send(link, MOVE_HOST, NULL, 0, offer->host,
				strlen(offer->host));
	if (!err)
		err = move_send(link, MOVE_STATE, NULL, 0, offer->state->data,
				offer->state->size);
	for (uint32_t i = 0; i < offer->images && !err; i++)
		err = send_image(link, offer, i);
	return err;
}

int move_offer(struct move_link *link, const struct move_offer *offer,
	       char why[MOVE_WHY_SIZE])
{
	int err = send_offer(link, offer), answer;

	*why = '\0';
	if (err && err != -EPIPE)
		return err;
	answer = move_expect(link, MOVE_ACCEPT, why);
	return err && answer != -EREMOTEIO ? err : answer;
}
