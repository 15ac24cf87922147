/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the requests of the control socket do to a machine.
 */
#ifndef LODGE_CMD_REQUESTS_H
#define LODGE_CMD_REQUESTS_H

#include <stdbool.h>

#include "cmd/departure.h"
#include "control/keeper.h"
#include "control/mux.h"
#include "control/protocol.h"
#include "machine/machine.h"

/**
 * struct requests - what they have done to a machine
 * @machine: the machine, which was started
 * @keeper: marks it as paused in its directory
 * @config: its description as text
 * @mux: shares the agent in it, or NULL
 * @paused: it is held
 * @kept: it is held for a connection that has saved it; @paused is what it was before
 * @template: file for which it is frozen, or -1; @paused is set, too, and @kept is not
 * @lent: connections that have taken that file, until whose end it stays frozen
 * @departure: it moves to another controller, or has
 */
struct requests {
	struct machine *machine;
	struct keeper *keeper;
	const char *config;
	struct mux *mux;
	bool paused;
	bool kept;
	int template;
	unsigned int lent;
	struct departure departure;
};

/**
 * requests_connect() - let requests reach the machine
 * @control: all but the texts and what the machine has is set
 * @requests: must stay as long as @control
 */
void requests_connect(struct control_machine *control,
		      struct requests *requests);

/**
 * requests_departure() - for server_config.happened, with @departure's event
 */
void requests_departure(void *opaque);

/**
 * requests_look() - for server_config.look
 */
void requests_look(void *opaque);

/**
 * requests_close() - close the file of a machine that is frozen, once the server is gone
 */
void requests_close(struct requests *requests);

#endif
