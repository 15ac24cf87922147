// SPDX-License-Identifier: GPL-2.0
/*
 * Keeps another controller ready to go on with a machine that stays here.
 */
#include "control/replica.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "lib/now.h"
#include "move/source.h"
#include "move/stash.h"

/* Most pages that are copied while the machine is held: 64 MiB. */
#define HELD_PAGES 16384
/* With more than this it is not held before some are sent. */
#define MANY_PAGES (HELD_PAGES / 2)
/* A guest that writes so much that after so many rounds too many pages are left is too fast. */
#define MAX_ROUNDS 30
/* The other side may be silent for so long. */
#define PATIENCE_MS 20000
#define NAP_MS 10

/**
 * struct replica - increments on their way
 * @mover: the machine
 * @stash: what is copied while it is held
 * @increment: the one under way
 * @start: when it has begun, in ms
 */
struct replica {
	struct mover *mover;
	struct move_stash *stash;
	struct mover_increment increment;
	uint64_t start;
};

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static int begin(struct mover *mover)
{
	const struct move_standby_head head = {
		.every_ms = htole32(mover->config.every_ms),
	};
	int err;

	pthread_mutex_lock(&mover->lock);
	mover->replicates = !mover->cancelled;
	err = mover->replicates ? 0 : -ECANCELED;
	pthread_mutex_unlock(&mover->lock);
	if (err)
		return err;
	mover->link.patience_ms = PATIENCE_MS;
	err = move_send(&mover->link, MOVE_STANDBY, &head, sizeof(head), NULL,
			0);
	return err ? mover_fail(mover, "beginning to replicate it: ", err) : 0;
}

/* Copies what is left, and takes the state, of a machine that is held. */
static int copy_held(struct replica *replica)
{
	struct mover *mover = replica->mover;
	char why[MOVING_WHY_SIZE];
	int err = moving_settle(mover->moving, why);

	if (err) {
		if (err != -ECANCELED)
			mover_set_why(mover, *why ? "" : "taking its state: ",
				      *why ? why : strerror(-err));
		return err;
	}
	err = move_stash_fill(replica->stash, moving_ram(mover->config.machine),
			      moving_left(mover->moving));
	return err ? mover_fail(mover, "copying its memory: ", err) : 0;
}

/*
 * Holds the machine for a moment.  @pages: left before.  Return: 0; -EAGAIN too many pages
 * are left, and @pages says how many; or -errno.
 */
static int hold(struct replica *replica, uint64_t *pages)
{
	struct mover *mover = replica->mover;
	const uint64_t start = now_us();
	uint64_t more;
	int err = moving_hold(mover->moving, &more), gone;

	if (err)
		return mover_fail(mover, "holding it: ", err);
	*pages += more;
	err = *pages <= HELD_PAGES ? copy_held(replica) : -EAGAIN;
	if (err == -ECANCELED)
		return err;
	gone = moving_go_on(mover->moving);
	replica->increment.pause_us = now_us() - start;
	return gone ? mover_fail(mover, "letting it run on: ", gone) : err;
}

/* Sends pages until few are left, and copies those.  @pages: left */
static int catch_up(struct replica *replica, uint64_t *pages)
{
	struct mover *mover = replica->mover;
	int err = -EAGAIN;

	for (int round = 0; round < MAX_ROUNDS && err == -EAGAIN; round++) {
		err = 0;
		if (*pages > MANY_PAGES)
			err = mover_copy_round(mover, pages);
		if (!err && *pages > MANY_PAGES && round + 1 < MAX_ROUNDS)
			err = -EAGAIN;
		if (!err)
			err = hold(replica, pages);
	}
	if (err == -EAGAIN)
		mover_set_why(mover, "",
			      "the guest writes to its memory faster "
			      "than that can be sent");
	return err;
}

static int close_increment(struct replica *replica)
{
	struct mover *mover = replica->mover;
	struct move_link *link = &mover->link;
	const struct record *state = moving_state(mover->moving);
	struct move_closing closing = {
		.number = htole64(replica->increment.number),
	};
	char why[MOVE_WHY_SIZE];
	int err =
		move_send(link, MOVE_STATE, NULL, 0, state->data, state->size);

	closing.crc = htole32(link->sent_crc);
	if (!err)
		err = move_send(link, MOVE_CLOSE, &closing, sizeof(closing),
				NULL, 0);
	if (err)
		return mover_fail(mover, "sending its state: ", err);
	err = move_expect(link, MOVE_TAKEN, why);
	if (err == -EREMOTEIO)
		mover_set_why(mover, "the other side gives up: ", why);
	return err ? mover_fail(mover, "waiting for the other side: ", err) : 0;
}

static void note(struct replica *replica, uint64_t copied, uint64_t bytes)
{
	struct mover *mover = replica->mover;
	struct mover_increment *increment = &replica->increment;

	increment->took_ms = now_ms() - replica->start;
	pthread_mutex_lock(&mover->lock);
	increment->pages = mover->progress.copied - copied;
	increment->bytes = mover->link.sent - bytes;
	mover->progress.increment = *increment;
	pthread_mutex_unlock(&mover->lock);
}

/* @pages: left */
static int send_increment(struct replica *replica, uint64_t pages)
{
	struct mover *mover = replica->mover;
	const uint64_t copied = mover->progress.copied;
	const uint64_t bytes = mover->link.sent;
	int err;

	replica->start = now_ms();
	replica->increment.number++;
	mover->link.sent_crc = 0;
	err = catch_up(replica, &pages);
	if (err)
		return err;
	err = move_stash_send(replica->stash, mover->packer, &mover->link);
	mover_note_sent(mover, move_stash_pages(replica->stash));
	if (err)
		return mover_fail(mover, "sending its memory: ", err);
	err = close_increment(replica);
	if (err)
		return err;
	mover_note_sent(mover, 0);
	note(replica, copied, bytes);
	return 0;
}

/* Return: 0 or -ECANCELED. */
static int nap(const struct replica *replica)
{
	const struct timespec pause = { .tv_nsec = NAP_MS * 1000000L };
	struct mover *mover = replica->mover;

	while (!mover_is_cancelled(mover) &&
	       now_ms() - replica->start < mover->config.every_ms)
		nanosleep(&pause, NULL);
	return mover_is_cancelled(mover) ? -ECANCELED : 0;
}

static int run(struct replica *replica)
{
	struct mover *mover = replica->mover;
	uint64_t pages = mover->progress.pages;
	int err = begin(mover);

	if (!err)
		mover_set_state(mover, MOVER_COPIES);
	while (!err) {
		err = send_increment(replica, pages);
		if (!err)
			mover_set_state(mover, MOVER_REPLICATES);
		if (!err)
			err = nap(replica);
		if (!err)
			err = moving_collect(mover->moving, &pages);
	}
	return err;
}

/* A connection that only breaks off is the sign of a source that is gone. */
static void say_farewell(struct mover *mover, int err)
{
	const char *why = mover_is_cancelled(mover) ?
				  "it is replicated no more" :
			  err == -ECANCELED ? "the machine has ended" :
					      mover->progress.why;

	if (mover->replicates && *why)
		move_send(&mover->link, MOVE_END, NULL, 0, why,
			  strnlen(why, MOVE_WHY_SIZE));
}

int replica_run(struct mover *mover)
{
	struct replica replica = { .mover = mover };
	int err;

	replica.stash = move_stash_new(HELD_PAGES);
	err = replica.stash ? run(&replica) :
			      mover_fail(mover, "replicating it: ", -ENOMEM);
	move_stash_free(replica.stash);
	say_farewell(mover, err);
	return err;
}
