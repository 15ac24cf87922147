// SPDX-License-Identifier: GPL-2.0
/*
 * Input: from the console to the serial port.
 */
#include "machine/input.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "machine/terminal.h"

#define INPUT_AT_ONCE 64

/**
 * struct input - the input of a machine
 * @config: its source and its receivers; never changes
 * @fd: descriptor that the loop watches; never changes
 * @terminal: look for the controller's keys; never changes
 * @escaped: the last key was Ctrl-A; used by the loop's thread
 * @paused: @fd is not watched because the port has no room
 */
struct input {
	struct input_config config;
	int fd;
	bool terminal;
	bool escaped;
	atomic_bool paused;
};

/* Acts on the controller's keys and removes them.  Return: the number of others. */
static size_t filter(struct input *input, uint8_t *keys, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		switch (terminal_key(&input->escaped, &keys[i])) {
		case TERMINAL_PASS:
			keys[kept++] = keys[i];
			break;
		case TERMINAL_DROP:
			break;
		case TERMINAL_QUIT:
			input->config.quit(input->config.opaque);
			break;
		case TERMINAL_INFO:
			input->config.info(input->config.opaque);
			break;
		case TERMINAL_POWER:
			input->config.power(input->config.opaque);
			break;
		case TERMINAL_HELP:
			if (input->config.help)
				input->config.help();
			break;
		}
	}
	return kept;
}

static void ready(void *opaque, int fd);

/* Stops watching until the port has room, which may happen during this call. */
static void pause_input(struct input *input)
{
	loop_unwatch(input->config.loop, input->fd);
	atomic_store(&input->paused, true);
	if (serial_room(input->config.serial))
		input_drained(input);
}

static void ready(void *opaque, int fd)
{
	struct input *input = opaque;
	uint8_t keys[INPUT_AT_ONCE];
	size_t room = sizeof(keys);
	ssize_t count;

	if (!input->terminal)
		room = serial_room(input->config.serial);
	if (!room) {
		pause_input(input);
		return;
	}
	if (room > sizeof(keys))
		room = sizeof(keys);
	count = console_read(input->config.console, keys, room);
	if (count == -EAGAIN || count == -EINTR)
		return;
	if (count <= 0) {
		loop_unwatch(input->config.loop, fd);
		return;
	}
	if (input->terminal)
		count = filter(input, keys, count);
	serial_receive(input->config.serial, keys, count);
}

void input_drained(struct input *input)
{
	if (atomic_exchange(&input->paused, false))
		loop_watch(input->config.loop, input->fd, ready, input);
}

int input_start(struct input **input, const struct input_config *config)
{
	struct input *new = calloc(1, sizeof(*new));
	int err = 0;

	if (!new)
		return -ENOMEM;
	new->config = *config;
	new->terminal = console_is_terminal(config->console);
	new->fd = console_input(config->console);
	if (new->fd >= 0)
		err = loop_watch(config->loop, new->fd, ready, new);
	if (err) {
		free(new);
		return err;
	}
	*input = new;
	return 0;
}

void input_free(struct input *input)
{
	free(input);
}
