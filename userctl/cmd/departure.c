// SPDX-License-Identifier: GPL-2.0
/*
 * A machine that was asked by a request to move to another controller.
 */
#include "cmd/departure.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

int departure_open(struct departure *departure, struct machine *machine,
		   const char *name, const char *config)
{
	*departure = (struct departure){
		.machine = machine,
		.name = name,
		.config = config,
		.event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	};
	return departure->event < 0 ? -errno : 0;
}

int departure_begin(struct departure *departure, int fd, int client,
		    const struct control_move *move, char *why)
{
	const struct mover_config config = {
		.machine = departure->machine,
		.name = departure->name,
		.config = departure->config,
		.fd = fd,
		.event = departure->event,
		.downtime_ms = move->downtime_ms,
		.bandwidth = move->bandwidth,
		.every_ms = move->every_ms,
	};
	int err = mover_start(&departure->mover, &config);

	departure->stays = move->every_ms;
	departure->client = client;
	departure->alone = false;
	if (err)
		snprintf(why, CONTROL_WHY_SIZE, "%s", strerror(-err));
	return err;
}

/* Whoever makes calls for the machine is back. */
static bool stay(struct departure *departure)
{
	const bool undecided = departure->last.state == MOVER_UNDECIDED;

	mover_finish(departure->mover);
	departure->mover = NULL;
	fprintf(stderr, "lodge: %s %s: %s%s\n", departure->name,
		departure->stays ? "is replicated no more" : "has not moved",
		departure->last.why,
		undecided ? "; it is paused here: if it does not run there, "
			    "let it run by `lodge resume`, and otherwise end "
			    "it by `lodge stop --now`" :
			    "");
	return undecided;
}

bool departure_look(struct departure *departure)
{
	eventfd_t count;

	eventfd_read(departure->event, &count);
	if (!departure->mover)
		return false;
	departure->last = mover_progress(departure->mover);
	switch (departure->last.state) {
	case MOVER_FAILED:
	case MOVER_UNDECIDED:
		return stay(departure);
	case MOVER_MOVED:
		if (departure->alone)
			machine_leave(departure->machine);
		return false;
	default:
		return false;
	}
}

/* Whoever has asked it to move is told before it ends, whoever else asks how far it is. */
int departure_tell(struct departure *departure, int client,
		   struct mover_progress *progress)
{
	if (departure->mover)
		departure->last = mover_progress(departure->mover);
	*progress = departure->last;
	if (progress->state == MOVER_MOVED && client == departure->client)
		machine_leave(departure->machine);
	return progress->pages ? 0 : -ENOENT;
}

void departure_release(struct departure *departure, int client)
{
	if (!departure->mover || departure->client != client)
		return;
	departure->alone = true;
	mover_cancel(departure->mover);
	if (mover_progress(departure->mover).state == MOVER_MOVED)
		machine_leave(departure->machine);
}

void departure_close(struct departure *departure)
{
	mover_finish(departure->mover);
	departure->mover = NULL;
	if (departure->event >= 0)
		close(departure->event);
	departure->event = -1;
}
