/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A machine that was asked by a request to move to another controller.
 */
#ifndef LODGE_CMD_DEPARTURE_H
#define LODGE_CMD_DEPARTURE_H

#include <stdbool.h>

#include "control/mover.h"
#include "control/protocol.h"

/**
 * struct departure - a machine, and its way
 * @machine: it
 * @name: its name
 * @config: its description as text
 * @event: eventfd that can be read when departure_look() is to be called, or -1
 * @mover: moves it, or has; or NULL: it stays
 * @last: what the last one has done; without any, of no pages
 * @client: connection that has asked for the last one
 * @alone: nobody waits for it
 * @stays: the last one is to stay, and was replicated
 */
struct departure {
	struct machine *machine;
	const char *name;
	const char *config;
	int event;
	struct mover *mover;
	struct mover_progress last;
	int client;
	bool alone;
	bool stays;
};

/**
 * departure_open() - prepare for requests
 *
 * Return: 0 or -errno.
 */
int departure_open(struct departure *departure, struct machine *machine,
		   const char *name, const char *config);

/**
 * departure_begin() - as control_machine.migrate, for a machine that nobody holds
 */
int departure_begin(struct departure *departure, int fd, int client,
		    const struct control_move *move, char *why);

/**
 * departure_look() - see whether it is over
 *
 * Return: true if the machine is held from now on, until the user decides.
 */
bool departure_look(struct departure *departure);

/**
 * departure_tell() - as control_machine.migration
 */
int departure_tell(struct departure *departure, int client,
		   struct mover_progress *progress);

/**
 * departure_release() - a connection ends that has asked for one: if that was the last one,
 * nobody waits for it any more, and it does not go, unless it has gone
 */
void departure_release(struct departure *departure, int client);

/**
 * departure_close() - end it, as the machine has ended
 */
void departure_close(struct departure *departure);

#endif
