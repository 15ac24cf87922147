// SPDX-License-Identifier: GPL-2.0
/*
 * The side that a machine comes to.
 */
#include "move/target.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "move/pages.h"
#include "snap/format.h"

/* The largest that a machine can start from (boot/image.h), and here all it starts from. */
#define IMAGE_SIZE_MAX 0x100000000ULL

static int fail(char *why, int err)
{
	snprintf(why, MOVE_WHY_SIZE, "%s",
		 err == -EFBIG ? "the files that it starts from are larger "
				 "than 4 GiB together" :
				 move_error_text(err));
	return err;
}

/* Receives a frame that must be of a type.  Return: as move_receive(). */
static int receive(struct move_link *link, enum move_type type,
		   struct move_frame *frame)
{
	int err = move_receive(link, frame);

	return err || frame->type == type ? err : -EPROTO;
}

/* Copies a text, with a zero behind. */
static int take_text(char **text, const struct move_frame *frame)
{
	*text = malloc(frame->length + 1);
	if (!*text)
		return -ENOMEM;
	memcpy(*text, frame->payload, frame->length);
	(*text)[frame->length] = '\0';
	return 0;
}

static int take_head(struct move_link *link, struct move_incoming *incoming,
		     uint32_t *images, char *why)
{
	struct move_offer_head head;
	struct move_frame frame;
	int err = receive(link, MOVE_OFFER, &frame);

	if (err)
		return fail(why, err);
	memcpy(&head, frame.payload, sizeof(head));
	if (memcmp(head.magic, MOVE_MAGIC, MOVE_MAGIC_SIZE))
		return fail(why, -EPROTO);
	if (le32toh(head.version) != MOVE_VERSION) {
		snprintf(why, MOVE_WHY_SIZE,
			 "the stream is of version %u, and only %u is known "
			 "here",
			 le32toh(head.version), MOVE_VERSION);
		return -EPROTONOSUPPORT;
	}
	*images = le32toh(head.images);
	incoming->pages = le64toh(head.pages);
	return *images <= MOVE_MAX_IMAGES ? 0 : fail(why, -EPROTO);
}

static int take_host(struct move_incoming *incoming,
		     const struct move_frame *frame)
{
	struct snap_error error;

	return snap_host_read(&incoming->host, (const char *)frame->payload,
			      frame->length, &error);
}

static int take_description(struct move_link *link,
			    struct move_incoming *incoming)
{
	struct move_frame frame;
	int err = receive(link, MOVE_CONFIG, &frame);

	if (!err)
		err = take_text(&incoming->config, &frame);
	if (err)
		return err;
	incoming->config_size = frame.length;
	err = receive(link, MOVE_HOST, &frame);
	if (!err)
		err = take_host(incoming, &frame);
	if (!err)
		err = receive(link, MOVE_STATE, &frame);
	return err ? err :
		     record_append(&incoming->state, frame.payload,
				   frame.length);
}

/* @offset: in: where its bytes begin; out: behind them */
static int take_bytes(struct move_link *link, int fd, uint64_t size,
		      uint64_t *offset)
{
	struct move_frame frame;
	int err = 0;

	while (size && !err) {
		err = receive(link, MOVE_BYTES, &frame);
		if (!err && frame.length > size)
			err = -EPROTO;
		if (!err)
			err = snap_write(fd, frame.payload, frame.length,
					 *offset);
		if (err)
			return err;
		*offset += frame.length;
		size -= frame.length;
	}
	return 0;
}

static int take_image(struct move_link *link, struct move_incoming *incoming,
		      uint64_t *offset)
{
	struct move_image *image = &incoming->images[incoming->nr_images];
	struct move_image_head head;
	struct move_frame frame;
	int err = receive(link, MOVE_IMAGE, &frame);

	if (err)
		return err;
	memcpy(&head, frame.payload, sizeof(head));
	image->size = le64toh(head.size);
	image->offset = *offset;
	if (!image->size || image->size > IMAGE_SIZE_MAX)
		return -EPROTO;
	if (image->size > IMAGE_SIZE_MAX - *offset)
		return -EFBIG;
	image->path = strndup((const char *)frame.payload + sizeof(head),
			      frame.length - sizeof(head));
	if (!image->path)
		return -ENOMEM;
	incoming->nr_images++;
	err = take_bytes(link, incoming->fd, image->size, offset);
	*offset = (*offset + MOVE_PAGE - 1) & ~(uint64_t)(MOVE_PAGE - 1);
	return err;
}

int move_take_offer(struct move_link *link, struct move_incoming *incoming,
		    char why[MOVE_WHY_SIZE])
{
	uint64_t offset = 0;
	uint32_t images;
	int err;

	*incoming = (struct move_incoming){ .fd = -1 };
	err = take_head(link, incoming, &images, why);
	if (err)
		return err;
	err = take_description(link, incoming);
	if (err)
		return fail(why, err);
	incoming->fd = memfd_create("lodge-images", MFD_CLOEXEC);
	if (incoming->fd < 0)
		return fail(why, -errno);
	for (uint32_t i = 0; i < images && !err; i++)
		err = take_image(link, incoming, &offset);
	return err ? fail(why, err) : 0;
}

void move_incoming_free(struct move_incoming *incoming)
{
	for (uint32_t i = 0; i < incoming->nr_images; i++)
		free(incoming->images[i].path);
	free(incoming->config);
	free(incoming->state.data);
	if (incoming->fd >= 0)
		close(incoming->fd);
	*incoming = (struct move_incoming){ .fd = -1 };
}

static int take_all(struct move_link *link, struct move_unpacker *unpacker,
		    struct ram *ram, struct record *state)
{
	struct move_frame frame;
	int err;

	while (!(err = move_receive(link, &frame)) && frame.type == MOVE_PAGES)
		if ((err = move_take_pages(unpacker, &frame, ram)))
			return err;
	if (err)
		return err;
	if (frame.type != MOVE_STATE)
		return frame.type == MOVE_STANDBY ? -ENOTSUP : -EPROTO;
	return record_append(state, frame.payload, frame.length);
}

int move_take_memory(struct move_link *link, struct ram *ram,
		     struct record *state)
{
	struct move_unpacker *unpacker = move_unpacker_new();
	int err = unpacker ? take_all(link, unpacker, ram, state) : -ENOMEM;

	move_unpacker_free(unpacker);
	return err;
}

int move_await_go(struct move_link *link)
{
	struct move_frame frame;

	return receive(link, MOVE_GO, &frame);
}

int move_tell(struct move_link *link, enum move_type type)
{
	return move_send(link, type, NULL, 0, NULL, 0);
}

int move_refuse(struct move_link *link, const char *why)
{
	return move_send(link, MOVE_REFUSE, NULL, 0, why,
			 strnlen(why, MOVE_WHY_SIZE));
}
