// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of a machine that moves by a request: who may cancel that, and whom its end waits
 * for.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "cmd/requests.h"
#include "machine_fixture.h"
#include "move/target.h"

#define PATIENCE_MS 600000
/* Sockets of clients, which nothing is sent to. */
#define CLIENT 700
#define OTHER_CLIENT 701

static struct machine *machine;
static struct requests requests = { .template = -1, .config = "{}" };
static struct control_machine control;
static char why[CONTROL_WHY_SIZE];

static int guest_waits(struct lodge_run *run)
{
	usleep(50);
	return fake_out(run, 0x80, 1, 0);
}

FIXTURE(departure)
{
	int other;
};

FIXTURE_SETUP(departure)
{
	describe(guest_waits, 1);
	ASSERT_EQ(0, machine_new(&machine, &config, &error));
	ASSERT_EQ(0, console_open(&console, CONSOLE_FILE, output_path));
	ASSERT_EQ(0, machine_start(machine,
				   (struct console *[SERIAL_MAX]){ console },
				   &error));
	requests.machine = machine;
	ASSERT_EQ(0, departure_open(&requests.departure, machine, "web", "{}"));
	requests_connect(&control, &requests);
	self->other = -1;
}

FIXTURE_TEARDOWN(departure)
{
	if (self->other >= 0)
		close(self->other);
	machine_end(machine);
	departure_close(&requests.departure);
	EXPECT_EQ(0, machine_wait(machine, &end, &error));
	machine_free(machine);
	console_close(console);
	close(image);
	close(output);
	devices_forget(&config.devices);
}

/* Begins a move to an end that is silent, or closed.  Return: 0 or -errno. */
static int move(FIXTURE_DATA(departure) * self, int client, bool closed)
{
	const struct control_move how = { .downtime_ms = MOVER_DOWNTIME_MS };
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		return -errno;
	if (closed)
		close(ends[1]);
	else
		self->other = ends[1];
	return control.migrate(&requests, ends[0], client, &how, why);
}

static bool is_cancelled(void)
{
	return requests.departure.alone;
}

TEST_F(departure, a_connection_whose_move_has_failed_cancels_no_other_move)
{
	struct pollfd over = { .fd = requests.departure.event,
			       .events = POLLIN };

	ASSERT_EQ(0, move(self, OTHER_CLIENT, true));
	ASSERT_EQ(1, poll(&over, 1, PATIENCE_MS));
	requests_departure(&requests);
	ASSERT_EQ(0, move(self, CLIENT, false));
	control.release(&requests, CONTROL_HOLDS_MOVE, OTHER_CLIENT);
	EXPECT_FALSE(is_cancelled());
	EXPECT_EQ(CONTROL_HELD, control.pause(&requests));
	control.release(&requests, CONTROL_HOLDS_MOVE, CLIENT);
	EXPECT_TRUE(is_cancelled());
}

/* The other side, which takes whatever comes. */
static void *take(void *opaque)
{
	const int *fd = opaque;
	struct move_link link = { .in = *fd,
				  .out = *fd,
				  .patience_ms = PATIENCE_MS };
	struct ram *ram = ram_new(MEMORY);
	struct record state = { 0 };
	struct move_incoming incoming;
	char reason[MOVE_WHY_SIZE];
	int err = move_take_offer(&link, &incoming, reason);

	if (!err)
		err = move_tell(&link, MOVE_ACCEPT);
	if (!err)
		err = move_take_memory(&link, ram, &state);
	if (!err)
		err = move_tell(&link, MOVE_READY);
	if (!err)
		err = move_await_go(&link);
	if (!err)
		move_tell(&link, MOVE_RUNNING);
	move_incoming_free(&incoming);
	free(state.data);
	ram_free(ram);
	move_link_free(&link);
	return NULL;
}

TEST_F(departure, a_machine_that_has_moved_ends_when_who_asked_for_it_knows)
{
	struct pollfd over = { .events = POLLIN };
	struct mover_progress progress;
	pthread_t thread;

	ASSERT_EQ(0, move(self, CLIENT, false));
	ASSERT_EQ(0, pthread_create(&thread, NULL, take, &self->other));
	over.fd = requests.departure.event;
	ASSERT_EQ(1, poll(&over, 1, PATIENCE_MS));
	requests_departure(&requests);
	pthread_join(thread, NULL);
	over.fd = machine_ended(machine);
	ASSERT_EQ(0, control.migration(&requests, OTHER_CLIENT, &progress));
	EXPECT_EQ(MOVER_MOVED, progress.state);
	EXPECT_EQ(0, poll(&over, 1, 0));
	ASSERT_EQ(0, control.migration(&requests, CLIENT, &progress));
	EXPECT_EQ(MOVER_MOVED, progress.state);
	EXPECT_EQ(1, poll(&over, 1, 0));
}

TEST_HARNESS_MAIN
