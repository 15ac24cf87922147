/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A machine that notes what requests of the control socket ask of it.
 */
#ifndef LODGE_UNIT_CONTROL_MACHINE_H
#define LODGE_UNIT_CONTROL_MACHINE_H

#include <stdbool.h>
#include <stddef.h>

#include "control/protocol.h"

static struct {
	bool paused;
	int pauses;
	int presses;
	int ends;
	int error;
} asked;

static bool asked_is_paused(void *opaque)
{
	return asked.paused;
}

static int asked_pause(void *opaque)
{
	asked.pauses++;
	asked.paused = !asked.error;
	return asked.error;
}

static int asked_resume(void *opaque)
{
	asked.paused = false;
	return asked.error;
}

static void asked_press(void *opaque)
{
	asked.presses++;
}

static void asked_end(void *opaque)
{
	asked.ends++;
}

static struct control_machine control_machine = {
	.name = "web",
	.config = "{\"kernel\": \"vmlinuz\", \"cpus\": 2}\n",
	.has_console = true,
	.is_paused = asked_is_paused,
	.pause = asked_pause,
	.resume = asked_resume,
	.press = asked_press,
	.end = asked_end,
};

#endif
