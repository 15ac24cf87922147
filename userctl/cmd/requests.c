// SPDX-License-Identifier: GPL-2.0
/*
 * What the requests of the control socket do to a machine.
 */
#include "cmd/requests.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control/session.h"
#include "lib/now.h"
#include "machine/saved.h"

static bool is_paused(void *opaque)
{
	const struct requests *requests = opaque;

	return requests->paused || requests->kept;
}

/* For `lodge ps`, which asks no controller. */
static void mark_paused(struct requests *requests, bool paused)
{
	requests->paused = paused;
	keeper_mark_paused(requests->keeper, paused);
}

/* A connection has it held, or has it move. */
static bool is_taken(const struct requests *requests)
{
	return requests->kept || requests->departure.mover;
}

/*
 * Holds the machine for a call, unless it is paused.  One that cannot be held, or let run
 * on, is of no use any more, and ends.  Return: 0, CONTROL_HELD or -errno.
 */
static int hold(struct requests *requests)
{
	int err;

	if (is_taken(requests))
		return CONTROL_HELD;
	err = requests->paused ? 0 : machine_pause(requests->machine);
	if (err)
		machine_end(requests->machine);
	return err;
}

/* The way back from hold(), and from a save that has kept it so.  Return: 0 or -errno. */
static int let_go(struct requests *requests)
{
	int err = requests->paused ? 0 : machine_resume(requests->machine);

	requests->kept = false;
	if (err)
		machine_end(requests->machine);
	return err;
}

static int pause_machine(void *opaque)
{
	struct requests *requests = opaque;
	int err = hold(requests);

	if (err != CONTROL_HELD)
		mark_paused(requests, true);
	return err;
}

static bool is_frozen(void *opaque)
{
	const struct requests *requests = opaque;

	return requests->template >= 0;
}

/* Its memory stays a mapping of the file.  Return: 0, or -errno with the reason at @why. */
static int thaw(struct requests *requests, char *why)
{
	struct snap_error error = { 0 };
	int err;

	if (requests->lent) {
		snprintf(why, CONTROL_WHY_SIZE,
			 "clones are being started from it");
		return CONTROL_HELD;
	}
	err = saved_thaw(requests->machine, &error);
	if (err) {
		snprintf(why, CONTROL_WHY_SIZE, "%s", error.text);
		return err;
	}
	close(requests->template);
	requests->template = -1;
	return 0;
}

static int resume_machine(void *opaque, char *why)
{
	struct requests *requests = opaque;
	int err = is_taken(requests) ? CONTROL_HELD : 0;

	if (!err && is_frozen(requests))
		err = thaw(requests, why);
	if (!err)
		err = machine_resume(requests->machine);
	if (!err)
		mark_paused(requests, false);
	return err;
}

/* As people read it: the device, the file, the reason and the remedy. */
static void tell_why(const struct device_error *error, char *why)
{
	if (*error->name)
		snprintf(why, CONTROL_WHY_SIZE, "%s%s%s: %s%s%s", error->name,
			 *error->thing ? ": " : "", error->thing, error->reason,
			 *error->remedy ? "; " : "", error->remedy);
}

static int checkpoint(void *opaque, char *why)
{
	struct requests *requests = opaque;
	struct device_error error;
	int err = hold(requests);
	int failed;

	if (err)
		return err;
	failed = machine_checkpoint(requests->machine, &error);
	if (failed)
		tell_why(&error, why);
	err = let_go(requests);
	return failed ? failed : err;
}

static int drop(void *opaque)
{
	struct requests *requests = opaque;
	int err = hold(requests);

	if (err)
		return err;
	machine_drop_checkpoint(requests->machine);
	return let_go(requests);
}

/* A machine of which a part was put back, and no more, is of no use. */
static int put_back(void *opaque)
{
	struct requests *requests = opaque;
	int err = hold(requests);
	int failed;

	if (err)
		return err;
	failed = machine_rewind(requests->machine);
	if (failed && failed != -ENOENT) {
		machine_end(requests->machine);
		return failed;
	}
	err = let_go(requests);
	return failed ? failed : err;
}

static struct machine_passes passes(void *opaque)
{
	const struct requests *requests = opaque;

	return machine_passes(requests->machine);
}

static bool is_gone(void *opaque)
{
	const int *client = opaque;

	return session_is_gone(*client);
}

typedef int write_function(struct machine *machine, int fd, const char *config,
			   const struct saved_wish *wish,
			   struct snap_error *error);

/*
 * A machine is not held for a file that its client no longer waits for.  Return: 0, or
 * -errno with the reason at @why.
 */
static int write_held(struct requests *requests, write_function *write, int fd,
		      int client, char *why)
{
	const struct saved_wish wish = { .gone = is_gone, .opaque = &client };
	struct snap_error error = { 0 };
	int err = write(requests->machine, fd, requests->config,
			client < 0 ? NULL : &wish, &error);

	if (err)
		snprintf(why, CONTROL_WHY_SIZE, "%s", error.text);
	return err;
}

static int save(void *opaque, int fd, bool keep, int client,
		struct control_saved *saved, char *why)
{
	struct requests *requests = opaque;
	const int64_t start = now_ms();
	int err = hold(requests);
	int failed;

	if (err)
		return err;
	failed = write_held(requests, saved_write, fd, client, why);
	requests->kept = keep && !failed;
	if (!requests->kept)
		err = let_go(requests);
	saved->bytes = lseek(fd, 0, SEEK_END);
	saved->held_ms = now_ms() - start;
	return failed ? failed : err;
}

static int freeze(void *opaque, int fd, int client, struct control_saved *saved,
		  char *why)
{
	struct requests *requests = opaque;
	const int64_t start = now_ms();
	int err = is_frozen(requests) ? -EALREADY : hold(requests);

	if (err)
		return err;
	err = write_held(requests, saved_freeze, fd, client, why);
	if (err) {
		if (err != -ENOTRECOVERABLE)
			let_go(requests);
		return err == -EALREADY ? -EIO : err;
	}
	requests->template = fd;
	mark_paused(requests, true);
	saved->bytes = lseek(fd, 0, SEEK_END);
	saved->held_ms = now_ms() - start;
	return 0;
}

static int template(void *opaque)
{
	struct requests *requests = opaque;

	if (!is_frozen(requests))
		return -ENOENT;
	requests->lent++;
	return requests->template;
}

static int migrate(void *opaque, int fd, int client,
		   const struct control_move *move, char *why)
{
	struct requests *requests = opaque;

	if (is_taken(requests))
		return CONTROL_HELD;
	if (!requests->paused)
		return departure_begin(&requests->departure, fd, client, move,
				       why);
	snprintf(why, CONTROL_WHY_SIZE,
		 "it is paused; `lodge resume` lets it run");
	return CONTROL_HELD;
}

void requests_departure(void *opaque)
{
	struct requests *requests = opaque;

	if (departure_look(&requests->departure))
		mark_paused(requests, true);
}

static int migration(void *opaque, int client, struct mover_progress *progress)
{
	struct requests *requests = opaque;

	return departure_tell(&requests->departure, client, progress);
}

/* Each ends what its own connection has begun, and nothing of another one. */
static void release(void *opaque, unsigned int what, int client)
{
	struct requests *requests = opaque;

	if (what & CONTROL_HOLDS_SAVED)
		let_go(requests);
	if (what & CONTROL_HOLDS_TEMPLATE)
		requests->lent--;
	if (what & CONTROL_HOLDS_MOVE)
		departure_release(&requests->departure, client);
}

static void press(void *opaque)
{
	struct requests *requests = opaque;

	if (requests->mux)
		mux_power_off(requests->mux);
	else
		machine_press_power_button(requests->machine);
}

static void connect_agent(void *opaque, int fd, const void *rest, size_t size)
{
	struct requests *requests = opaque;

	/* A client that there is no memory for finds its connection closed. */
	mux_add(requests->mux, fd, rest, size);
}

static void end(void *opaque)
{
	struct requests *requests = opaque;

	machine_end(requests->machine);
}

void requests_look(void *opaque)
{
	struct requests *requests = opaque;

	machine_notice_kill(requests->machine);
}

void requests_connect(struct control_machine *control,
		      struct requests *requests)
{
	control->is_paused = is_paused;
	control->is_frozen = is_frozen;
	control->pause = pause_machine;
	control->resume = resume_machine;
	control->checkpoint = checkpoint;
	control->drop = drop;
	control->rewind = put_back;
	control->passes = passes;
	control->press = press;
	control->end = end;
	control->save = save;
	control->freeze = freeze;
	control->template = template;
	control->migrate = migrate;
	control->migration = migration;
	control->release = release;
	control->connect = connect_agent;
	control->opaque = requests;
}

void requests_close(struct requests *requests)
{
	if (requests->template >= 0)
		close(requests->template);
	requests->template = -1;
}
