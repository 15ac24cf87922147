// SPDX-License-Identifier: GPL-2.0
/*
 * Input: from the console to the guest's port: the serial one, or another.
 *
 * A terminal is read by a thread of its own, so that the user can end the machine even
 * while the loop's thread waits for a vCPU whose output nobody reads.  All else that
 * comes from a terminal is handed to the loop's thread.
 */
#include "machine/input.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "machine/terminal.h"

#define INPUT_AT_ONCE 64
/* No fewer than the port's queue has room for, so that a paste is not cut here. */
#define MAX_KEYS 1024

/**
 * struct keys - what a terminal has sent and the loop's thread has not handled yet
 * @info: the user wants to see the vCPUs' state
 * @power: the user presses the power button
 * @help: the user wants to see the keys
 * @count: bytes in @bytes
 * @bytes: for the guest
 */
struct keys {
	bool info;
	bool power;
	bool help;
	size_t count;
	uint8_t bytes[MAX_KEYS];
};

/**
 * struct input - the input of a machine
 * @config: its source and its receivers; never changes
 * @fd: descriptor to read, or -1; never changes
 * @paused: @fd is not watched because the port has no room
 * @reader: the thread that reads a terminal
 * @stop: eventfd that ends @reader; or -1: @fd is no terminal
 * @timer: armed while there are @keys
 * @lock: guards @keys; no other lock is taken inside it
 * @keys: from @reader to the loop's thread
 */
struct input {
	struct input_config config;
	int fd;
	atomic_bool paused;
	pthread_t reader;
	int stop;
	struct loop_timer *timer;
	pthread_mutex_t lock;
	struct keys keys;
};

/* Notes a key for the loop's thread.  Bytes for which there is no room are lost. */
static void note_key(struct keys *keys, enum terminal_key meaning, uint8_t key)
{
	switch (meaning) {
	case TERMINAL_PASS:
		if (keys->count < sizeof(keys->bytes))
			keys->bytes[keys->count++] = key;
		break;
	case TERMINAL_INFO:
		keys->info = true;
		break;
	case TERMINAL_POWER:
		keys->power = true;
		break;
	case TERMINAL_HELP:
		keys->help = true;
		break;
	case TERMINAL_DROP:
	case TERMINAL_QUIT:
		break;
	}
}

static void handle_typed(struct input *input, const uint8_t *typed,
			 size_t count, bool *escaped)
{
	for (size_t i = 0; i < count; i++) {
		uint8_t key = typed[i];
		enum terminal_key meaning = terminal_key(escaped, &key);

		if (meaning == TERMINAL_QUIT)
			input->config.quit(input->config.opaque);
		pthread_mutex_lock(&input->lock);
		note_key(&input->keys, meaning, key);
		pthread_mutex_unlock(&input->lock);
	}
	loop_timer_arm(input->timer, 0);
}

/* Return: false if @stop is set. */
static bool wait_for_keys(const struct input *input)
{
	struct pollfd fds[] = {
		{ .fd = input->fd, .events = POLLIN },
		{ .fd = input->stop, .events = POLLIN },
	};
	int ready;

	do {
		ready = poll(fds, 2, -1);
	} while (ready < 0 && errno == EINTR);
	return ready > 0 && !fds[1].revents;
}

static void *read_terminal(void *opaque)
{
	struct input *input = opaque;
	uint8_t typed[INPUT_AT_ONCE];
	bool escaped = false;
	ssize_t count;

	while (wait_for_keys(input)) {
		count = console_read(input->config.console, typed,
				     sizeof(typed));
		if (count == -EAGAIN || count == -EINTR)
			continue;
		if (count <= 0)
			break;
		handle_typed(input, typed, count, &escaped);
	}
	return NULL;
}

/* Handles the keys of a terminal, in the loop's thread. */
static void take_keys(void *opaque)
{
	struct input *input = opaque;
	const struct input_config *config = &input->config;
	struct keys keys;

	pthread_mutex_lock(&input->lock);
	keys = input->keys;
	memset(&input->keys, 0, sizeof(input->keys));
	pthread_mutex_unlock(&input->lock);

	if (keys.info)
		config->info(config->opaque);
	if (keys.power)
		config->power(config->opaque);
	if (keys.help && config->help)
		config->help();
	config->receive(config->port, keys.bytes, keys.count);
}

static void ready(void *opaque, int fd);

/* Stops watching until the port has room, which may happen during this call. */
static void pause_input(struct input *input)
{
	loop_unwatch(input->config.loop, input->fd);
	atomic_store(&input->paused, true);
	if (input->config.room(input->config.port))
		input_drained(input);
}

static void ready(void *opaque, int fd)
{
	struct input *input = opaque;
	uint8_t bytes[INPUT_AT_ONCE];
	size_t room = input->config.room(input->config.port);
	ssize_t count;

	if (!room) {
		pause_input(input);
		return;
	}
	if (room > sizeof(bytes))
		room = sizeof(bytes);
	count = console_read(input->config.console, bytes, room);
	if (count == -EAGAIN || count == -EINTR)
		return;
	if (count <= 0) {
		loop_unwatch(input->config.loop, fd);
		return;
	}
	input->config.receive(input->config.port, bytes, count);
}

void input_drained(struct input *input)
{
	if (atomic_exchange(&input->paused, false))
		loop_watch(input->config.loop, input->fd, ready, input);
}

static int start_reader(struct input *input)
{
	int err;

	input->timer = loop_timer_new(input->config.loop, take_keys, input);
	if (!input->timer)
		return -errno;
	input->stop = eventfd(0, EFD_CLOEXEC);
	if (input->stop < 0)
		return -errno;
	err = pthread_create(&input->reader, NULL, read_terminal, input);
	if (err) {
		close(input->stop);
		input->stop = -1;
	}
	return -err;
}

int input_start(struct input **input, const struct input_config *config)
{
	struct input *new = calloc(1, sizeof(*new));
	int err = 0;

	if (!new)
		return -ENOMEM;
	new->config = *config;
	new->stop = -1;
	new->fd = console_input(config->console);
	pthread_mutex_init(&new->lock, NULL);
	if (console_is_terminal(config->console))
		err = start_reader(new);
	else if (new->fd >= 0)
		err = loop_watch(config->loop, new->fd, ready, new);
	if (err) {
		input_free(new);
		return err;
	}
	*input = new;
	return 0;
}

void input_free(struct input *input)
{
	if (!input)
		return;
	if (input->stop >= 0) {
		eventfd_write(input->stop, 1);
		pthread_join(input->reader, NULL);
		close(input->stop);
		loop_timer_disarm(input->timer);
	}
	pthread_mutex_destroy(&input->lock);
	free(input);
}
