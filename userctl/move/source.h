/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The side that a machine leaves, as far as the stream goes.
 */
#ifndef LODGE_MOVE_SOURCE_H
#define LODGE_MOVE_SOURCE_H

#include "board/record.h"
#include "move/wire.h"

/**
 * struct move_offer - what the target is to know before memory moves
 * @pages: of RAM
 * @config: the machine's description
 * @host: of snap_host_text()
 * @state: the machine's state but for RAM
 * @images: how many files the machine starts from
 * @image: get the path and the size of one
 * @read: read a piece of one; returns 0 or -errno
 * @opaque: for the functions
 */
struct move_offer {
	uint64_t pages;
	const char *config;
	const char *host;
	const struct record *state;
	uint32_t images;
	const char *(*image)(void *opaque, uint32_t number, uint64_t *size);
	int (*read)(void *opaque, uint32_t number, uint64_t at, void *to,
		    size_t size);
	void *opaque;
};

/**
 * move_offer() - offer a machine, and wait whether it is taken
 * @why: out: with -EREMOTEIO, the target's reason, of characters that can be printed
 *
 * Return: 0; -EREMOTEIO the target refuses it; or as move_send() and move_receive(), or
 * move_offer.read().
 */
int move_offer(struct move_link *link, const struct move_offer *offer,
	       char why[MOVE_WHY_SIZE]);

/**
 * move_take_reason() - take a text that the other side has sent, with '?' for what cannot be
 * printed
 * @frame: of MOVE_REFUSE or MOVE_END
 */
void move_take_reason(char why[MOVE_WHY_SIZE], const struct move_frame *frame);

/**
 * move_expect() - wait for an answer of the target's
 * @type: MOVE_READY or MOVE_RUNNING
 * @why: out: with -EREMOTEIO, as for move_offer()
 *
 * Return: 0; -EREMOTEIO the target has given up, and the machine has not run there; or as
 * move_receive().
 */
int move_expect(struct move_link *link, enum move_type type,
		char why[MOVE_WHY_SIZE]);

#endif
