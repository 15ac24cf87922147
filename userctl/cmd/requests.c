// SPDX-License-Identifier: GPL-2.0
/*
 * What the requests of the control socket do to a machine.
 */
#include "cmd/requests.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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

/* A machine that cannot be held, or let run on, is of no use any more. */
static int pause_machine(void *opaque)
{
	struct requests *requests = opaque;
	int err = requests->kept ? -EBUSY : machine_pause(requests->machine);

	if (err == -EBUSY)
		return err;
	mark_paused(requests, true);
	if (err)
		machine_end(requests->machine);
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
		return -EBUSY;
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
	int err = requests->kept ? -EBUSY : 0;

	if (!err && is_frozen(requests))
		err = thaw(requests, why);
	if (!err)
		err = machine_resume(requests->machine);
	if (!err)
		mark_paused(requests, false);
	return err;
}

/*
 * Holds the machine for a call, unless it is paused.  Return: 0; -EBUSY it is held for a
 * connection that has saved it; or -errno: it ends, as after pause_machine().
 */
static int hold(struct requests *requests)
{
	int err;

	if (requests->kept)
		return -EBUSY;
	err = requests->paused ? 0 : machine_pause(requests->machine);
	if (err)
		machine_end(requests->machine);
	return err;
}

static int let_go(struct requests *requests)
{
	int err = requests->paused ? 0 : machine_resume(requests->machine);

	if (err)
		machine_end(requests->machine);
	return err;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * UINT64_C(1000) + now.tv_nsec / 1000000;
}

/* Lets a machine run on that was not paused before.  Return: 0 or -errno. */
static int go_on(struct requests *requests)
{
	int err = requests->paused ? 0 : machine_resume(requests->machine);

	requests->kept = false;
	if (err)
		machine_end(requests->machine);
	return err;
}

/* As people read it: the device, the file, the reason and the remedy. */
static void tell_why(const struct device_error *error, char *why, size_t size)
{
	if (*error->name)
		snprintf(why, size, "%s%s%s: %s%s%s", error->name,
			 *error->thing ? ": " : "", error->thing, error->reason,
			 *error->remedy ? "; " : "", error->remedy);
}

static int checkpoint(void *opaque, char *why, size_t size)
{
	struct requests *requests = opaque;
	struct device_error error;
	int err = hold(requests);
	int failed;

	if (err)
		return err;
	failed = machine_checkpoint(requests->machine, &error);
	if (failed)
		tell_why(&error, why, size);
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

typedef int write_function(struct machine *machine, int fd, const char *config,
			   struct snap_error *error);

/*
 * Holds the machine, and writes it; after a failure it goes on as it was.  Return: 0, or
 * -errno with the reason at @why.
 */
static int write_held(struct requests *requests, write_function *write, int fd,
		      char *why)
{
	struct snap_error error = { 0 };
	int err;

	if (requests->kept) {
		snprintf(why, CONTROL_WHY_SIZE, "another one saves it");
		return -EBUSY;
	}
	err = machine_pause(requests->machine);
	if (err) {
		snprintf(why, CONTROL_WHY_SIZE, "holding it: %s",
			 strerror(-err));
		machine_end(requests->machine);
		return -EIO;
	}
	err = write(requests->machine, fd, requests->config, &error);
	if (!err)
		return 0;
	snprintf(why, CONTROL_WHY_SIZE, "%s", error.text);
	if (err != -ENOTRECOVERABLE)
		go_on(requests);
	return err == -EBUSY || err == -EALREADY ? -EIO : err;
}

static int save(void *opaque, int fd, bool hold, struct control_saved *saved,
		char *why)
{
	struct requests *requests = opaque;
	const uint64_t start = now_ms();
	int err = write_held(requests, saved_write, fd, why);

	if (err)
		return err;
	requests->kept = hold;
	if (!hold && go_on(requests)) {
		snprintf(why, CONTROL_WHY_SIZE, "it cannot run on");
		err = -EIO;
	}
	saved->bytes = lseek(fd, 0, SEEK_END);
	saved->held_ms = now_ms() - start;
	return err;
}

static int freeze(void *opaque, int fd, struct control_saved *saved, char *why)
{
	struct requests *requests = opaque;
	const uint64_t start = now_ms();
	int err = is_frozen(requests) ?
			  -EALREADY :
			  write_held(requests, saved_freeze, fd, why);

	if (err)
		return err;
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

/* One that is frozen is not kept. */
static void release(void *opaque)
{
	struct requests *requests = opaque;

	if (requests->kept)
		go_on(requests);
	else if (requests->lent)
		requests->lent--;
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
