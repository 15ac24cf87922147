// SPDX-License-Identifier: GPL-2.0
/*
 * Moves a machine to another controller while it runs.
 */
#include "control/mover_parts.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "control/replica.h"
#include "lib/now.h"
#include "move/source.h"
#include "snap/host.h"

/* A guest that writes faster than pages can be sent is held for longer in the end. */
#define MAX_ROUNDS 30
/* The other side may be silent for so long. */
#define PATIENCE_MS 60000
/* While the machine is held, less. */
#define HELD_PATIENCE_MS 30000
/* Too few for a measure of how fast they are sent. */
#define MEASURE_PAGES 256
#define PACE_MS 10
/* A guest is slowed if after so many rounds what is left is not half of what was. */
#define PATIENT_ROUNDS 3
/* By so many percent at first, and so many more each time, up to so many. */
#define SLOW_FIRST 20
#define SLOW_MORE 10
#define SLOW_MOST 99
/* Its processors are stopped for that share of each of these. */
#define CYCLE_MS 50
/* The other side is told of the end of a replication for so long. */
#define FAREWELL_S 5

bool mover_is_over(enum mover_state state)
{
	return state == MOVER_MOVED || state == MOVER_FAILED ||
	       state == MOVER_UNDECIDED;
}

struct mover_progress mover_progress(struct mover *mover)
{
	struct mover_progress progress;

	pthread_mutex_lock(&mover->lock);
	progress = mover->progress;
	pthread_mutex_unlock(&mover->lock);
	return progress;
}

bool mover_is_cancelled(struct mover *mover)
{
	bool cancelled;

	pthread_mutex_lock(&mover->lock);
	cancelled = mover->cancelled;
	pthread_mutex_unlock(&mover->lock);
	return cancelled;
}

static void stall(struct mover *mover, bool on)
{
	if (on != mover->stalled && !moving_stall(mover->moving, on))
		mover->stalled = on;
}

/* Stops the guest's processors, or lets them go on, as its share of time is. */
static void tick(void *opaque)
{
	struct mover *mover = opaque;
	const uint64_t ms = (now_ms() - mover->round_start) % CYCLE_MS;

	if (mover->progress.state == MOVER_COPIES && mover->progress.slowed)
		stall(mover, ms < CYCLE_MS * mover->progress.slowed / 100);
}

void mover_set_state(struct mover *mover, enum mover_state state)
{
	pthread_mutex_lock(&mover->lock);
	mover->progress.state = state;
	pthread_mutex_unlock(&mover->lock);
}

void mover_note_sent(struct mover *mover, uint64_t pages)
{
	pthread_mutex_lock(&mover->lock);
	mover->progress.copied += pages;
	mover->progress.bytes = mover->link.sent;
	pthread_mutex_unlock(&mover->lock);
}

void mover_set_why(struct mover *mover, const char *what, const char *why)
{
	pthread_mutex_lock(&mover->lock);
	if (!*mover->progress.why)
		snprintf(mover->progress.why, sizeof(mover->progress.why),
			 "%s%s", what, why);
	pthread_mutex_unlock(&mover->lock);
}

/* A side that gives up has said why, perhaps, before it has closed the connection. */
static void seek_reason(struct mover *mover)
{
	char why[MOVE_WHY_SIZE];

	if (move_expect(&mover->link, MOVE_TAKEN, why) == -EREMOTEIO)
		mover_set_why(mover, "the other side gives up: ", why);
}

int mover_fail(struct mover *mover, const char *what, int err)
{
	if (err == -EPIPE && mover->replicates)
		seek_reason(mover);
	if (err != -ECANCELED && !mover_is_cancelled(mover))
		mover_set_why(mover, what, move_error_text(err));
	return err;
}

/* Of a call that may have a reason of the other side's. */
static int fail_there(struct mover *mover, const char *what, const char *why,
		      int err)
{
	if (err != -EREMOTEIO)
		return mover_fail(mover, what, err);
	mover_set_why(mover, "the other side refuses it: ", why);
	return err;
}

/*
 * The other side is asked.
 */

static const char *image_of(void *opaque, uint32_t number, uint64_t *size)
{
	const struct mover *mover = opaque;

	return moving_image(mover->moving, number, size);
}

static int read_image(void *opaque, uint32_t number, uint64_t at, void *to,
		      size_t size)
{
	struct mover *mover = opaque;

	return mover_is_cancelled(mover) ?
		       -ECANCELED :
		       moving_read(mover->moving, number, at, to, size);
}

static char *host_text(const struct mover *mover)
{
	struct snap_host host = { .time = time(NULL) };

	snprintf(host.lodge, sizeof(host.lodge), "%s", LODGE_VERSION);
	snprintf(host.machine, sizeof(host.machine), "%s", mover->config.name);
	return snap_host_text(&host);
}

static int offer(struct mover *mover)
{
	char why[MOVE_WHY_SIZE];
	char *host = host_text(mover);
	const struct move_offer offer = {
		.pages = mover->progress.pages,
		.config = mover->config.config,
		.host = host,
		.state = moving_state(mover->moving),
		.images = moving_images(mover->moving),
		.image = image_of,
		.read = read_image,
		.opaque = mover,
	};
	int err = host ? move_offer(&mover->link, &offer, why) : -ENOMEM;

	free(host);
	mover_note_sent(mover, 0);
	return err ? fail_there(mover, "asking the other side: ", why, err) : 0;
}

/*
 * Memory is copied.
 */

/* True if more was sent in this round than the limit allows until now. */
static bool is_early(const struct mover *mover)
{
	const uint64_t sent = mover->link.sent - mover->round_bytes;
	const uint64_t ms = now_ms() - mover->round_start;

	return mover->config.bandwidth &&
	       (__uint128_t)sent * 1000 >
		       (__uint128_t)mover->config.bandwidth * ms;
}

/* Return: 0, or -ECANCELED. */
static int pace(struct mover *mover)
{
	const struct timespec pause = { .tv_nsec = PACE_MS * 1000000L };

	tick(mover);
	while (is_early(mover) && !mover_is_cancelled(mover)) {
		nanosleep(&pause, NULL);
		tick(mover);
	}
	return mover_is_cancelled(mover) ? -ECANCELED : 0;
}

/* Sends all that is left; once the machine is held, as fast as it goes. */
static int send_left(struct mover *mover, bool held)
{
	const struct ram *ram = moving_ram(mover->config.machine);
	struct page_log *left = moving_left(mover->moving);
	uint64_t first = 0, bits;
	int err = 0;

	for (; !err && page_log_take(left, &first, &bits);
	     first += PAGE_LOG_WORD) {
		err = move_send_pages(mover->packer, &mover->link, ram, first,
				      bits);
		mover_note_sent(mover, (uint64_t)__builtin_popcountll(bits));
		if (!err)
			err = held ? 0 : pace(mover);
	}
	return err ? mover_fail(mover, "sending its memory: ", err) : 0;
}

static void begin_round(struct mover *mover, uint64_t pages)
{
	mover->round_start = now_ms();
	mover->round_bytes = mover->link.sent;
	pthread_mutex_lock(&mover->lock);
	mover->progress.round++;
	mover->progress.left = pages;
	pthread_mutex_unlock(&mover->lock);
}

/* Pages that are zero tell nothing of how fast others are. */
static void measure(struct mover *mover)
{
	const uint64_t pages = move_packer_pages(mover->packer);
	const uint64_t ms = now_ms() - mover->round_start;

	if (pages >= MEASURE_PAGES)
		mover->speed = pages * 1000 / (ms ? ms : 1);
}

/* True if so many pages are sent within the time for which the machine may be held. */
static bool fits(const struct mover *mover, uint64_t pages)
{
	return pages * 1000 <= (mover->speed ? mover->speed : MEASURE_PAGES) *
				       mover->config.downtime_ms;
}

/* A guest that writes too fast has less time for it.  @pages: left, of @before */
static void slow(struct mover *mover, uint64_t pages, uint64_t before)
{
	unsigned int share = mover->progress.slowed;

	if (mover->config.every_ms || mover->progress.round < PATIENT_ROUNDS ||
	    fits(mover, pages) || pages <= before / 2)
		return;
	share = share ? share + SLOW_MORE : SLOW_FIRST;
	pthread_mutex_lock(&mover->lock);
	mover->progress.slowed = share < SLOW_MOST ? share : SLOW_MOST;
	pthread_mutex_unlock(&mover->lock);
}

int mover_copy_round(struct mover *mover, uint64_t *pages)
{
	const uint64_t before = *pages;
	int err;

	begin_round(mover, *pages);
	err = send_left(mover, false);
	stall(mover, false);
	if (err)
		return err;
	measure(mover);
	err = moving_collect(mover->moving, pages);
	if (err)
		return mover_fail(mover, "looking what it has written: ", err);
	slow(mover, *pages, before);
	return 0;
}

/* What the devices have written is seen only now: it may be too much. */
static int try_hold(struct mover *mover, uint64_t *pages)
{
	uint64_t more;
	int err;

	mover->held_since = now_ms();
	err = moving_hold(mover->moving, &more);
	if (err)
		return mover_fail(mover, "holding it: ", err);
	*pages += more;
	mover_set_state(mover, MOVER_HOLDS);
	if (fits(mover, *pages) || mover->progress.round >= MAX_ROUNDS)
		return 0;
	mover->held_since = 0;
	mover_set_state(mover, MOVER_COPIES);
	err = moving_go_on(mover->moving);
	return err ? mover_fail(mover, "letting it run on: ", err) : -EAGAIN;
}

/* Return: 0: the machine is held, and what is left is little; or -errno. */
static int copy(struct mover *mover)
{
	uint64_t pages = mover->progress.pages;
	int err;

	mover_set_state(mover, MOVER_COPIES);
	do {
		err = mover_copy_round(mover, &pages);
		if (!err && !fits(mover, pages) &&
		    mover->progress.round < MAX_ROUNDS)
			err = -EAGAIN;
		if (!err)
			err = try_hold(mover, &pages);
	} while (err == -EAGAIN);
	return err;
}

/*
 * The machine changes hands.
 */

static int send_rest(struct mover *mover)
{
	char why[MOVE_WHY_SIZE];
	const struct record *state = moving_state(mover->moving);
	int err;

	mover->link.patience_ms = HELD_PATIENCE_MS;
	err = send_left(mover, true);
	if (err)
		return err;
	err = moving_settle(mover->moving, why);
	if (err) {
		mover_set_why(mover, *why ? "" : "taking its state: ",
			      *why ? why : strerror(-err));
		return err;
	}
	err = move_send(&mover->link, MOVE_STATE, NULL, 0, state->data,
			state->size);
	if (err)
		return mover_fail(mover, "sending its state: ", err);
	err = move_expect(&mover->link, MOVE_READY, why);
	return err ? fail_there(mover, "waiting until it is there: ", why,
				err) :
		     0;
}

/* Return: 0: from here on nobody takes it back; or -ECANCELED. */
static int give(struct mover *mover)
{
	int err;

	pthread_mutex_lock(&mover->lock);
	err = mover->cancelled ? -ECANCELED : 0;
	mover->given = !err;
	pthread_mutex_unlock(&mover->lock);
	return err;
}

/* Of what comes when the other side was let have it, only its own word decides. */
static int hand_over(struct mover *mover)
{
	static const char what[] =
		"it is not known whether it runs on the other side: ";
	char why[MOVE_WHY_SIZE];
	uint64_t sent;
	int err = send_rest(mover);

	if (!err)
		err = give(mover);
	if (err)
		return err;
	sent = mover->link.sent;
	err = move_send(&mover->link, MOVE_GO, NULL, 0, NULL, 0);
	if (err && mover->link.sent == sent)
		return mover_fail(mover, "handing it over: ", err);
	if (!err)
		err = move_expect(&mover->link, MOVE_RUNNING, why);
	if (!err || err == -EREMOTEIO)
		return err ? fail_there(mover, "", why, err) : 0;
	mover_set_state(mover, MOVER_UNDECIDED);
	return mover_fail(mover, what, err);
}

static int move(struct mover *mover)
{
	char why[MOVING_WHY_SIZE];
	int err = moving_begin(&mover->moving, mover->config.machine, why);

	if (err) {
		if (err != -ECANCELED)
			mover_set_why(mover, "", *why ? why : strerror(-err));
		return err;
	}
	err = offer(mover);
	if (!err && mover->config.every_ms)
		return replica_run(mover);
	if (!err)
		err = copy(mover);
	return err ? err : hand_over(mover);
}

static enum mover_state outcome(struct mover *mover, int err)
{
	if (!err)
		return MOVER_MOVED;
	return mover_progress(mover).state == MOVER_UNDECIDED ?
		       MOVER_UNDECIDED :
		       MOVER_FAILED;
}

static void *run(void *opaque)
{
	struct mover *mover = opaque;
	int err = move(mover);
	const enum mover_state state = outcome(mover, err);

	if (err)
		mover_set_why(mover, "",
			      mover_is_cancelled(mover) ?
				      "it was cancelled" :
				      "the machine has ended");
	moving_end(mover->moving, state != MOVER_FAILED);
	/* The other side sees that this one says no more. */
	shutdown(mover->config.fd, SHUT_RDWR);
	pthread_mutex_lock(&mover->lock);
	mover->progress.state = state;
	mover->progress.held_ms =
		mover->held_since ? now_ms() - mover->held_since : 0;
	pthread_mutex_unlock(&mover->lock);
	eventfd_write(mover->config.event, 1);
	return NULL;
}

static void free_mover(struct mover *mover)
{
	move_link_free(&mover->link);
	move_packer_free(mover->packer);
	pthread_mutex_destroy(&mover->lock);
	free(mover);
}

int mover_start(struct mover **mover, const struct mover_config *config)
{
	const struct ram *ram = moving_ram(config->machine);
	struct mover *new = calloc(1, sizeof(*new));
	int err;

	if (!new)
		return -ENOMEM;
	new->config = *config;
	new->link = (struct move_link){
		.in = config->fd,
		.out = config->fd,
		.patience_ms = PATIENCE_MS,
		.tick = tick,
		.opaque = new,
	};
	new->progress.pages = (ram_low(ram) + ram_high(ram)) / MOVE_PAGE;
	pthread_mutex_init(&new->lock, NULL);
	new->packer = move_packer_new();
	err = new->packer ? -pthread_create(&new->thread, NULL, run, new) :
			    -ENOMEM;
	if (err)
		free_mover(new);
	else
		*mover = new;
	return err;
}

void mover_cancel(struct mover *mover)
{
	pthread_mutex_lock(&mover->lock);
	mover->cancelled = true;
	/* What waits for the other side does so no longer. */
	if (!mover->given && !mover->replicates)
		shutdown(mover->config.fd, SHUT_RDWR);
	pthread_mutex_unlock(&mover->lock);
}

/* An increment under way, and the word behind it, get some time. */
static void join(struct mover *mover)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += FAREWELL_S;
	if (mover->replicates &&
	    !pthread_timedjoin_np(mover->thread, NULL, &until))
		return;
	shutdown(mover->config.fd, SHUT_RDWR);
	pthread_join(mover->thread, NULL);
}

void mover_finish(struct mover *mover)
{
	if (!mover)
		return;
	mover_cancel(mover);
	join(mover);
	close(mover->config.fd);
	free_mover(mover);
}
