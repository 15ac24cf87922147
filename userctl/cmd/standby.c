// SPDX-License-Identifier: GPL-2.0
/*
 * `lodge receive --standby`: a machine that stands by.
 *
 * A thread takes the increments, and the machine's thread the requests.  The machine goes
 * on here only when the connection has ended without a word, and then only when that is
 * asked for: a source that says why it ends, or that has sent what is no increment, lives,
 * and the machine there does.
 */
#include "cmd/standby.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "cmd/complain.h"
#include "cmd/exit_code.h"
#include "machine/moving.h"
#include "move/standby.h"
#include "move/target.h"

/* The source may be silent for so long, and for two intervals more. */
#define PATIENCE_MS 20000
#define WHY_SIZE (MOVE_WHY_SIZE + 64)

/**
 * enum phase - what becomes of a machine that stands by
 * @STANDS_BY: its source is connected
 * @SOURCE_GONE: it is not, and has not said why
 * @TAKEN_OVER: the machine goes on here
 * @ENDED: it will not
 */
enum phase {
	STANDS_BY,
	SOURCE_GONE,
	TAKEN_OVER,
	ENDED,
};

/**
 * struct standby - a machine that stands by
 * @place: where increments come from
 * @move: takes them
 * @event: eventfd, written to with TAKEN_OVER and ENDED
 * @stop: the thread is to end
 * @lock: guards those below
 * @phase: see there
 * @code: with ENDED: the exit code
 * @why: with ENDED: the reason
 */
struct standby {
	const struct standby_place *place;
	struct move_standby *move;
	int event;
	_Atomic bool stop;
	pthread_mutex_t lock;
	enum phase phase;
	int code;
	char why[WHY_SIZE];
};

static void set_ended(struct standby *standby, int code, const char *why)
{
	pthread_mutex_lock(&standby->lock);
	if (standby->phase != TAKEN_OVER) {
		standby->phase = ENDED;
		standby->code = code;
		snprintf(standby->why, sizeof(standby->why), "%s", why);
	}
	pthread_mutex_unlock(&standby->lock);
	eventfd_write(standby->event, 1);
}

static bool is_gone(int err)
{
	return err == -EPIPE || err == -ETIMEDOUT || err == -EIO;
}

static void set_gone(struct standby *standby, int err)
{
	pthread_mutex_lock(&standby->lock);
	if (standby->phase == STANDS_BY)
		standby->phase = SOURCE_GONE;
	pthread_mutex_unlock(&standby->lock);
	fprintf(stderr,
		"lodge: %s: %s; the machine stands by as of increment %llu, "
		"and `lodge takeover` lets it go on here\n",
		standby->place->from, move_error_text(err),
		(unsigned long long)move_standby_number(standby->move));
}

/* The source, if it lives after all, is to see that nobody stands by any more. */
static void hang_up(struct move_link *link)
{
	if (link->out >= 0 && link->out != link->in)
		close(link->out);
	if (link->in >= 0)
		close(link->in);
	link->in = link->out = -1;
}

static int code_of(int err)
{
	return err == -EPROTO || err == -EBADMSG || err == -ENOTSUP ?
		       EXIT_CODE_IMAGE :
		       EXIT_CODE_STATE;
}

static void *take_increments(void *opaque)
{
	struct standby *standby = opaque;
	char why[MOVE_WHY_SIZE], text[WHY_SIZE];
	int err;

	do {
		err = move_standby_take(standby->place->link, standby->move,
					why);
	} while (!err);
	if (err == -ESHUTDOWN) {
		snprintf(text, sizeof(text), "the source has ended it: %s",
			 why);
		set_ended(standby, EXIT_CODE_STATE, text);
	} else if (is_gone(err)) {
		set_gone(standby, err);
	} else if (err != -ECANCELED) {
		move_refuse(standby->place->link, move_error_text(err));
		set_ended(standby, code_of(err), move_error_text(err));
	}
	hang_up(standby->place->link);
	return NULL;
}

/*
 * Requests.
 */

static bool is_not(void *opaque)
{
	(void)opaque;
	return false;
}

static int take_over(void *opaque, char *why)
{
	struct standby *standby = opaque;
	int err = 0;

	pthread_mutex_lock(&standby->lock);
	if (standby->phase == SOURCE_GONE)
		standby->phase = TAKEN_OVER;
	else
		err = -EBUSY;
	pthread_mutex_unlock(&standby->lock);
	if (err)
		snprintf(why, CONTROL_WHY_SIZE,
			 "its source is connected, and the machine runs there; "
			 "to have it here without losing anything, use `lodge "
			 "migrate` there");
	else
		eventfd_write(standby->event, 1);
	return err;
}

static void end(void *opaque)
{
	set_ended(opaque, EXIT_CODE_STATE, "it was ended");
}

/* Return: 0, or the exit code after a message. */
static int serve(struct standby *standby, struct background *background)
{
	struct control_machine control = {
		.is_paused = is_not,
		.is_frozen = is_not,
		.takeover = take_over,
		.end = end,
		.opaque = standby,
	};
	int err = background_stand_by(background, &control, standby->event);

	return err ? complain(EXIT_CODE_INTERNAL, "the control socket",
			      strerror(-err), NULL) :
		     0;
}

/*
 * From its first increment to its end.
 */

/* Return: 0, or the exit code after a message. */
static int complain_link(const struct standby_place *place, int err,
			 const char *why)
{
	return complain(code_of(err), place->from,
			err == -ESHUTDOWN ? why : move_error_text(err),
			"the machine stays where it was");
}

/* Return: 0, or the exit code after a message. */
static int begin(struct standby *standby)
{
	struct move_link *link = standby->place->link;
	char why[MOVE_WHY_SIZE];
	uint32_t every_ms = 0;
	int err = move_tell(link, MOVE_ACCEPT);

	if (!err)
		err = move_standby_begin(link, &every_ms);
	if (err)
		return complain_link(standby->place, err, "");
	link->patience_ms = PATIENCE_MS + 2 * (int)every_ms;
	err = move_standby_take(link, standby->move, why);
	/* A source that goes away now does so behind its first increment. */
	if (err && !move_standby_number(standby->move))
		return complain_link(standby->place, err, why);
	*standby->place->decided = true;
	link->stop = &standby->stop;
	return 0;
}

/* Return: 0: it is to go on here; or the exit code after a message. */
static int await_decision(struct standby *standby,
			  struct background *background)
{
	pthread_t thread;
	int err = pthread_create(&thread, NULL, take_increments, standby), code;

	if (err)
		return complain(EXIT_CODE_RESOURCES, "starting", strerror(err),
				NULL);
	code = serve(standby, background);
	standby->stop = true;
	pthread_join(thread, NULL);
	if (code || standby->phase == TAKEN_OVER)
		return code;
	return complain(standby->code, standby->place->from, standby->why,
			"the machine goes on only where it was");
}

/* Return: 0, or the exit code after a message. */
static int load(const struct standby *standby, struct machine *machine)
{
	int err =
		machine_load_state(machine, move_standby_state(standby->move));

	if (err)
		return complain(err == -EINVAL ? EXIT_CODE_IMAGE :
						 EXIT_CODE_INTERNAL,
				standby->place->from,
				err == -EINVAL ? "the state that has come is "
						 "not that of the machine that "
						 "was offered" :
						 strerror(-err),
				NULL);
	fprintf(stderr, "lodge: it goes on from increment %llu\n",
		(unsigned long long)move_standby_number(standby->move));
	return 0;
}

int standby_run(const struct standby_place *place, struct machine *machine,
		struct background *background)
{
	struct standby standby = {
		.place = place,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.event = -1,
	};
	int code;

	if (!background)
		return complain(EXIT_CODE_USAGE, place->from,
				"a machine that stands by needs a place where "
				"others reach it",
				"set XDG_RUNTIME_DIR to a directory that only "
				"you may write");
	standby.move = move_standby_new(moving_ram(machine));
	standby.event = eventfd(0, EFD_CLOEXEC);
	code = standby.move && standby.event >= 0 ?
		       begin(&standby) :
		       complain(EXIT_CODE_RESOURCES, place->from,
				strerror(ENOMEM), NULL);
	if (!code)
		code = await_decision(&standby, background);
	if (!code)
		code = load(&standby, machine);
	place->link->stop = NULL;
	move_standby_free(standby.move);
	if (standby.event >= 0)
		close(standby.event);
	return code;
}
