/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What mover.c and replica.c share: a machine on its way, and the steps that both take.
 */
#ifndef LODGE_CONTROL_MOVER_PARTS_H
#define LODGE_CONTROL_MOVER_PARTS_H

#include <pthread.h>

#include "control/mover.h"
#include "machine/moving.h"
#include "move/pages.h"

/**
 * struct mover - a machine on its way
 * @config: see there
 * @thread: moves it
 * @link: to the other side
 * @packer: packs pages
 * @moving: the machine's side
 * @round_start: when the round has begun, in ms
 * @round_bytes: link.sent then
 * @speed: pages a second, as measured; 0: unknown
 * @stalled: the guest's processors are stopped for a moment
 * @held_since: with MOVER_HOLDS, in ms
 * @lock: guards @progress, @cancelled, @given and @replicates
 * @cancelled: it is to end
 * @given: the other side is let have the machine, and cancelling is too late
 * @replicates: increments are sent: cancelling lets the one under way be whole, and the
 *	other side be told
 */
struct mover {
	struct mover_config config;
	pthread_t thread;
	struct move_link link;
	struct move_packer *packer;
	struct moving *moving;
	uint64_t round_start;
	uint64_t round_bytes;
	uint64_t speed;
	bool stalled;
	uint64_t held_since;
	pthread_mutex_t lock;
	struct mover_progress progress;
	bool cancelled;
	bool given;
	bool replicates;
};

/**
 * mover_is_cancelled() - true if it is to end
 */
bool mover_is_cancelled(struct mover *mover);

/**
 * mover_set_state() - tell how far it has come
 */
void mover_set_state(struct mover *mover, enum mover_state state);

/**
 * mover_note_sent() - tell what was sent
 * @pages: more
 */
void mover_note_sent(struct mover *mover, uint64_t pages);

/**
 * mover_set_why() - tell why it ends; the first reason counts
 * @what: begins it
 * @why: ends it
 */
void mover_set_why(struct mover *mover, const char *what, const char *why);

/**
 * mover_fail() - tell of a failure, unless it has ended or was cancelled
 * @what: was being done
 *
 * Return: @err.
 */
int mover_fail(struct mover *mover, const char *what, int err);

/**
 * mover_copy_round() - send the pages that are left while the machine runs
 * @pages: how many are left; out: how many were written to meanwhile
 *
 * Return: 0 or -errno.
 */
int mover_copy_round(struct mover *mover, uint64_t *pages);

#endif
