/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The side that a machine comes to, as far as the stream goes.
 *
 * What comes is not trusted to be sound: lengths, numbers, order and counts are checked.
 */
#ifndef LODGE_MOVE_TARGET_H
#define LODGE_MOVE_TARGET_H

#include "board/ram.h"
#include "board/record.h"
#include "move/wire.h"
#include "snap/host.h"

/**
 * struct move_image - a file that the machine starts from
 * @path: its name, allocated
 * @offset: of its bytes in move_incoming.fd, a multiple of MOVE_PAGE
 * @size: its bytes
 */
struct move_image {
	char *path;
	uint64_t offset;
	uint64_t size;
};

/**
 * struct move_incoming - a machine that was offered
 * @pages: of RAM
 * @config: its description, with a zero behind
 * @config_size: bytes of it
 * @host: what the source is
 * @state: its state but for RAM; not checked
 * @images: the files that it starts from
 * @nr_images: entries of @images
 * @fd: memory file that has them, or -1
 */
struct move_incoming {
	uint64_t pages;
	char *config;
	size_t config_size;
	struct snap_host host;
	struct record state;
	struct move_image images[MOVE_MAX_IMAGES];
	uint32_t nr_images;
	int fd;
};

/**
 * move_take_offer() - receive an offer
 * @incoming: out: to be freed by move_incoming_free(), also after a failure
 * @why: out: on failure, the reason
 *
 * Return: 0; -EPROTONOSUPPORT it is of another version; -EFBIG its files are larger than
 * 4 GiB together; or as move_receive().
 */
int move_take_offer(struct move_link *link, struct move_incoming *incoming,
		    char why[MOVE_WHY_SIZE]);

/**
 * move_incoming_free() - free what move_take_offer() has made
 */
void move_incoming_free(struct move_incoming *incoming);

/**
 * move_take_memory() - receive pages, and the state that follows the last
 * @ram: as large as was offered, and nothing else uses it meanwhile
 * @state: out: not checked; its owner frees its data, also after a failure
 *
 * Return: 0; -ENOTSUP increments are to come; or as move_receive().
 */
int move_take_memory(struct move_link *link, struct ram *ram,
		     struct record *state);

/**
 * move_await_go() - wait until the source lets go of the machine
 *
 * Return: 0: it is this side's; or as move_receive(): it stays the source's.
 */
int move_await_go(struct move_link *link);

/**
 * move_tell() - tell the source how far the machine has come
 * @type: MOVE_ACCEPT, MOVE_READY or MOVE_RUNNING
 *
 * Return: as move_send().
 */
int move_tell(struct move_link *link, enum move_type type);

/**
 * move_refuse() - tell the source that the machine does not run here, and will not
 * @why: the reason, which is cut to fit; one at least
 *
 * Return: as move_send().
 */
int move_refuse(struct move_link *link, const char *why);

#endif
