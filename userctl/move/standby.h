/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A machine that stands by: its memory and state as they were on the source a moment ago,
 * brought up to date by increments.
 *
 * An increment is kept apart until it is whole.  So whatever comes, and wherever the
 * connection ends, what is here is one moment of the source's machine.
 */
#ifndef LODGE_MOVE_STANDBY_H
#define LODGE_MOVE_STANDBY_H

#include "board/ram.h"
#include "board/record.h"
#include "move/wire.h"

struct move_standby;

/**
 * move_standby_new() - prepare for increments
 * @ram: the machine's, which nobody else uses until it is to run
 *
 * What an increment may keep apart is as much as this again at most.
 *
 * Return: it, or NULL without memory.
 */
struct move_standby *move_standby_new(struct ram *ram);

/**
 * move_standby_free() - free it; NULL is fine
 */
void move_standby_free(struct move_standby *standby);

/**
 * move_standby_begin() - receive what the source says of the increments
 * @every_ms: out: it sends one so often
 *
 * Return: 0; -ENOTSUP the machine is to move here; or as move_receive().
 */
int move_standby_begin(struct move_link *link, uint32_t *every_ms);

/**
 * move_standby_take() - receive an increment, and apply it when it is whole
 * @why: out: with -ESHUTDOWN: the source's reason, of characters that can be printed
 *
 * Return: 0; -ESHUTDOWN the source ends it in order; or as move_receive() or move_send().
 * On failure memory and state are those of the last whole increment, unless there was
 * none.
 */
int move_standby_take(struct move_link *link, struct move_standby *standby,
		      char why[MOVE_WHY_SIZE]);

/**
 * move_standby_number() - get the number of the last whole increment; 0: there is none
 */
uint64_t move_standby_number(const struct move_standby *standby);

/**
 * move_standby_state() - get the state of that
 */
const struct record *move_standby_state(const struct move_standby *standby);

#endif
