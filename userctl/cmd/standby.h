/* SPDX-License-Identifier: GPL-2.0 */
/*
 * `lodge receive --standby`: a machine that stands by until `lodge takeover` lets it go on.
 */
#ifndef LODGE_CMD_STANDBY_H
#define LODGE_CMD_STANDBY_H

#include <stdbool.h>

#include "cmd/background.h"
#include "machine/machine.h"
#include "move/wire.h"

/**
 * struct standby_place - where the increments come from
 * @from: its name, for messages
 * @link: to the source, which waits for its offer to be accepted
 * @decided: set to true once there is something to go on from, and nobody else is to answer
 *	the source any more
 */
struct standby_place {
	const char *from;
	struct move_link *link;
	bool *decided;
};

/**
 * standby_run() - let a machine that was built stand by, until it is to go on
 * @background: by whose name others reach it; or NULL
 *
 * Return: 0: it has the memory and state with which it is to go on; or the exit code after
 * a message: it must not run here.
 */
int standby_run(const struct standby_place *place, struct machine *machine,
		struct background *background);

#endif
