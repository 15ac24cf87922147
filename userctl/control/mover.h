/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Moves a machine to another controller while it runs.
 *
 * A thread of its own copies memory, round by round, until what is left fits into the time
 * for which the machine may be held; then it holds the machine, sends the rest, and lets
 * the other side have it.  A guest that writes about as fast as that is slowed down.  Until that moment the machine stays here whatever happens.
 */
#ifndef LODGE_CONTROL_MOVER_H
#define LODGE_CONTROL_MOVER_H

#include "machine/machine.h"

#define MOVER_WHY_SIZE 640
#define MOVER_DOWNTIME_MS 50
#define MOVER_EVERY_MS 500
/* Least bytes a second: with fewer, the other side would take a pause for the end. */
#define MOVER_BANDWIDTH_MIN (64U << 10)

struct mover;

/**
 * enum mover_state - how far it has come
 * @MOVER_OFFERS: the other side is asked
 * @MOVER_COPIES: memory is copied while the machine runs
 * @MOVER_HOLDS: the machine is held, and the rest is copied
 * @MOVER_MOVED: the machine runs on the other side, and is held here
 * @MOVER_FAILED: it stays here, and runs unless it has ended
 * @MOVER_REPLICATES: it stays here, and the other side stands by
 * @MOVER_UNDECIDED: the other side was let have it, and has not said whether it does: it is
 *	held here
 */
enum mover_state {
	MOVER_OFFERS,
	MOVER_COPIES,
	MOVER_HOLDS,
	MOVER_MOVED,
	MOVER_FAILED,
	MOVER_UNDECIDED,
	MOVER_REPLICATES,
};

/**
 * struct mover_increment - one by which the other side was brought up to date
 * @number: from 1; 0: there was none
 * @pages: that were sent for it, some more than once
 * @bytes: that were sent for it
 * @pause_us: for which the machine was held
 * @took_ms: from its beginning until the other side had it
 */
struct mover_increment {
	uint64_t number;
	uint64_t pages;
	uint64_t bytes;
	uint64_t pause_us;
	uint64_t took_ms;
};

/**
 * struct mover_progress - what it has done
 * @state: see there
 * @round: of copying, from 1
 * @pages: that RAM has
 * @copied: pages that were sent, some more than once
 * @left: pages that were left at the beginning of the round
 * @bytes: that were sent
 * @slowed: percent of the time for which the guest's processors are stopped
 * @held_ms: for which the machine was held at the end
 * @increment: the last one
 * @why: with MOVER_FAILED and MOVER_UNDECIDED: the reason
 */
struct mover_progress {
	enum mover_state state;
	unsigned int round;
	uint64_t pages;
	uint64_t copied;
	uint64_t left;
	uint64_t bytes;
	unsigned int slowed;
	uint64_t held_ms;
	struct mover_increment increment;
	char why[MOVER_WHY_SIZE];
};

/**
 * struct mover_config - what is to be moved, and how
 * @machine: runs; from mover_start() to mover_finish() its owner makes no call for it but
 *	machine_end()
 * @name: its name
 * @config: its description as text
 * @fd: a socket that leads to the other side; becomes the mover's unless it fails to start
 * @event: eventfd, which is written to when it is over
 * @downtime_ms: the machine may be held for so long at the end
 * @bandwidth: bytes a second until then; 0: as many as go
 * @every_ms: 0, or it does not move, but the other side is brought up to date so often
 */
struct mover_config {
	struct machine *machine;
	const char *name;
	const char *config;
	int fd;
	int event;
	uint32_t downtime_ms;
	uint64_t bandwidth;
	uint32_t every_ms;
};

/**
 * mover_start() - begin
 * @config: is copied; its texts must stay
 *
 * Return: 0 or -errno.
 */
int mover_start(struct mover **mover, const struct mover_config *config);

/**
 * mover_progress() - look how far it has come
 */
struct mover_progress mover_progress(struct mover *mover);

/**
 * mover_is_over() - true if nothing more happens
 */
bool mover_is_over(enum mover_state state);

/**
 * mover_cancel() - let the machine stay here, unless it was let go already
 */
void mover_cancel(struct mover *mover);

/**
 * mover_finish() - wait for the end, and free it; NULL is fine
 *
 * One that is not over is cancelled; and one that waits for the other side's last word
 * waits no longer.  One that replicates tells the other side, for which it has a few seconds.
 */
void mover_finish(struct mover *mover);

#endif
