/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A machine that notes what requests of the control socket ask of it.
 */
#ifndef LODGE_UNIT_CONTROL_MACHINE_H
#define LODGE_UNIT_CONTROL_MACHINE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control/protocol.h"

static struct {
	bool paused;
	int pauses;
	int presses;
	int ends;
	int clients;
	int client;
	char rest[64];
	size_t rest_size;
	int error;
	int checkpoints;
	int drops;
	int rewinds;
	const char *why;
	int saves;
	int saver;
	int releases;
	unsigned int released;
	bool frozen;
	int freezes;
	int template;
} asked;

static bool asked_is_paused(void *opaque)
{
	return asked.paused;
}

static bool asked_is_frozen(void *opaque)
{
	return asked.frozen;
}

static int asked_pause(void *opaque)
{
	asked.pauses++;
	asked.paused = !asked.error;
	return asked.error;
}

static int asked_resume(void *opaque, char *why)
{
	if (asked.why)
		snprintf(why, CONTROL_WHY_SIZE, "%s", asked.why);
	asked.paused = false;
	return asked.error;
}

static int asked_checkpoint(void *opaque, char *why)
{
	asked.checkpoints++;
	if (asked.why)
		snprintf(why, CONTROL_WHY_SIZE, "%s", asked.why);
	return asked.error;
}

static int asked_drop(void *opaque)
{
	asked.drops++;
	return asked.error;
}

static int asked_rewind(void *opaque)
{
	asked.rewinds++;
	return asked.error;
}

static struct machine_passes asked_passes(void *opaque)
{
	return (struct machine_passes){ .pass = 7, .pages = 1234, .value = 5 };
}

static void asked_press(void *opaque)
{
	asked.presses++;
}

static void asked_end(void *opaque)
{
	asked.ends++;
}

/* The client stays open in @client, with the beginning of what it has sent in @rest. */
static void asked_connect(void *opaque, int fd, const void *rest, size_t size)
{
	asked.clients++;
	asked.client = fd;
	asked.rest_size = size < sizeof(asked.rest) ? size : sizeof(asked.rest);
	memcpy(asked.rest, rest, asked.rest_size);
}

static int asked_save(void *opaque, int fd, bool hold, int client,
		      struct control_saved *saved, char *why)
{
	asked.saves++;
	asked.saver = client;
	if (asked.error != CONTROL_HELD)
		snprintf(why, CONTROL_WHY_SIZE, "the disk is full");
	saved->bytes = write(fd, "saved", 5);
	return asked.error;
}

/* The descriptor stays open in @template. */
static int asked_freeze(void *opaque, int fd, int client,
			struct control_saved *saved, char *why)
{
	int err = asked.frozen ? -EALREADY : asked.error;

	asked.freezes++;
	if (err != CONTROL_HELD)
		snprintf(why, CONTROL_WHY_SIZE, "there is no room");
	if (err)
		return err;
	asked.frozen = true;
	asked.template = fd;
	saved->bytes = write(fd, "saved", 5);
	return 0;
}

static int asked_template(void *opaque)
{
	return asked.frozen ? asked.template : -ENOENT;
}

static void asked_release(void *opaque, unsigned int what, int client)
{
	asked.releases++;
	asked.released = what;
}

static struct control_machine control_machine = {
	.name = "web",
	.config = "{\"kernel\": \"vmlinuz\", \"cpus\": 2}\n",
	.has_console = true,
	.has_agent = true,
	.is_paused = asked_is_paused,
	.is_frozen = asked_is_frozen,
	.pause = asked_pause,
	.resume = asked_resume,
	.checkpoint = asked_checkpoint,
	.drop = asked_drop,
	.rewind = asked_rewind,
	.passes = asked_passes,
	.press = asked_press,
	.end = asked_end,
	.save = asked_save,
	.freeze = asked_freeze,
	.template = asked_template,
	.release = asked_release,
	.connect = asked_connect,
};

#endif
