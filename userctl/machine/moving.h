/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A machine that moves to another controller: what the one that it leaves, and the one that
 * it comes to, need of it besides machine.h.
 *
 * While it moves, its memory is read as it runs.  What the guest writes meanwhile, and the
 * kernel for it, is in the VM's dirty logs at any time.  What the devices write is in the
 * RAM's log, which is complete only when the machine is held: so those pages are looked at
 * only then.
 */
#ifndef LODGE_MACHINE_MOVING_H
#define LODGE_MACHINE_MOVING_H

#include "machine/machine.h"

#define MOVING_WHY_SIZE 320

struct moving;

/*
 * All calls but moving_collect() and those that only read are the machine's owner's.
 */

/**
 * moving_begin() - hold a machine that runs, take its state, begin to note what is written,
 * and let it run on
 * @moving: set to it
 * @why: out: on failure, the reason; or empty: as errno says
 *
 * A machine that moves makes no checkpoint.
 *
 * Return: 0; -EOPNOTSUPP it cannot move; -errno.  The machine runs, or has ended.
 */
int moving_begin(struct moving **moving, struct machine *machine,
		 char why[MOVING_WHY_SIZE]);

/**
 * moving_state() - get the state of moving_begin(), or of moving_settle()
 */
const struct record *moving_state(const struct moving *moving);

/**
 * moving_left() - get the pages that are still to be moved: at first, all
 */
struct page_log *moving_left(const struct moving *moving);

/**
 * moving_collect() - add the pages that were written to, while the machine runs
 * @pages: out: how many
 *
 * Return: 0 or -errno.
 */
int moving_collect(struct moving *moving, uint64_t *pages);

/**
 * moving_hold() - hold the machine, and add all pages that were written to
 * @pages: out: how many
 *
 * Return: 0 or -errno.
 */
int moving_hold(struct moving *moving, uint64_t *pages);

/**
 * moving_stall() - stop the vCPUs of a machine that runs for a moment, or let them go on
 * @stall: which of the two; to be called by turns, and with false before any other call
 *
 * The devices and the clocks go on.
 *
 * Return: 0 or -errno.
 */
int moving_stall(struct moving *moving, bool stall);

/**
 * moving_go_on() - let it run on
 *
 * Return: 0 or -errno: it has ended.
 */
int moving_go_on(struct moving *moving);

/**
 * moving_settle() - take the state of the machine, which is held
 * @why: out: on failure, as for moving_begin()
 *
 * Return: 0 or -errno.
 */
int moving_settle(struct moving *moving, char why[MOVING_WHY_SIZE]);

/**
 * moving_end() - end it; NULL is fine
 * @stay: hold the machine; otherwise let it run, if it has not ended
 */
void moving_end(struct moving *moving, bool stay);

/**
 * moving_images() - count the files from which the machine starts
 */
uint32_t moving_images(const struct moving *moving);

/**
 * moving_image() - get one of them
 * @size: out: its bytes
 *
 * Return: its path.
 */
const char *moving_image(const struct moving *moving, uint32_t number,
			 uint64_t *size);

/**
 * moving_read() - read a piece of one
 *
 * Return: 0 or -errno.
 */
int moving_read(const struct moving *moving, uint32_t number, uint64_t at,
		void *to, size_t size);

/**
 * moving_ram() - get the RAM of a machine, to read it as it moves or to fill it before it
 * is started
 */
struct ram *moving_ram(struct machine *machine);

#endif
