// SPDX-License-Identifier: GPL-2.0
/*
 * Shares the agent in a guest among several clients.
 *
 * A client's place among @callers is its session with the agent; it calls that by a
 * number of its own.
 */
#include "control/mux.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "control/caller.h"
#include "lib/now.h"
#include "sandbox/sandbox.h"

/* Clients may take so long for the last that is sent to them. */
#define FINISH_MS 2000

/**
 * struct mux - shares an agent
 * @agent: leads to it
 * @up: it is there
 * @failed: it is heard no more; @why says why
 * @gone: its connection has ended
 * @full: what was to be said to it may have found no room
 * @why: text for clients
 * @wake: eventfd: @arrived or @power_off has changed
 * @lock: guards @arrived and @power_off; no other lock is taken inside it
 * @arrived: clients that have no place yet
 * @power_off: the agent is to be told
 * @callers: by session number less one; NULL: none
 * @first: the one that is served first, for fairness
 * @over: of mux_start()
 * @thread: of mux_start()
 * @running: there is @thread
 */
struct mux {
	struct wire agent;
	bool up;
	bool failed;
	bool gone;
	bool full;
	char why[256];
	int wake;
	pthread_mutex_t lock;
	struct caller *arrived;
	bool power_off;
	struct caller *callers[WIRE_SESSIONS];
	unsigned int first;
	int over;
	pthread_t thread;
	bool running;
};

struct mux *mux_new(int agent)
{
	struct mux *mux = calloc(1, sizeof(*mux));

	if (!mux)
		return NULL;
	mux->agent.fd = agent;
	mux->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (mux->wake < 0) {
		free(mux);
		return NULL;
	}
	pthread_mutex_init(&mux->lock, NULL);
	return mux;
}

void mux_free(struct mux *mux)
{
	struct caller *next;

	if (!mux)
		return;
	for (int i = 0; i < WIRE_SESSIONS; i++)
		caller_free(mux->callers[i]);
	for (; mux->arrived; mux->arrived = next) {
		next = mux->arrived->next;
		caller_free(mux->arrived);
	}
	close(mux->wake);
	pthread_mutex_destroy(&mux->lock);
	free(mux);
}

int mux_add(struct mux *mux, int fd, const void *rest, size_t size)
{
	struct caller *caller = caller_new(fd, rest, size);

	if (!caller)
		return -ENOMEM;
	pthread_mutex_lock(&mux->lock);
	caller->next = mux->arrived;
	mux->arrived = caller;
	pthread_mutex_unlock(&mux->lock);
	eventfd_write(mux->wake, 1);
	return 0;
}

void mux_power_off(struct mux *mux)
{
	pthread_mutex_lock(&mux->lock);
	mux->power_off = true;
	pthread_mutex_unlock(&mux->lock);
	eventfd_write(mux->wake, 1);
}

/*
 * What the agent says.
 */

static void fail(struct mux *mux, const char *why, size_t size)
{
	if (mux->failed)
		return;
	mux->failed = true;
	snprintf(mux->why, sizeof(mux->why), "%.*s", (int)size, why);
}

static int greet(struct mux *mux, const struct wire_frame *frame,
		 const void *payload)
{
	uint32_t version;

	if (mux->up || !wire_read_number(frame, payload, &version) ||
	    version != WIRE_VERSION)
		return -EPROTO;
	mux->up = true;
	return 0;
}

/* For output that goes nowhere. */
static int give_credit(struct mux *mux, unsigned int session)
{
	struct caller *caller = mux->callers[session - 1];
	int err = 0;

	for (int i = WIRE_OUT; i < WIRE_STREAMS && !err; i++) {
		const uint32_t credit = caller_credit(caller, i);

		if (credit)
			err = wire_put_number(&mux->agent, WIRE_CREDIT, session,
					      i, credit);
	}
	return err;
}

static struct caller *caller_of(struct mux *mux, unsigned int session)
{
	struct caller *caller;

	if (!session || session > WIRE_SESSIONS)
		return NULL;
	caller = mux->callers[session - 1];
	return caller && caller->described && !caller->ended ? caller : NULL;
}

/* Return: 0; -EPROTO; -ENOBUFS the agent does not take what it is told. */
static int take_from_agent(struct mux *mux, const struct wire_frame *frame,
			   const void *payload)
{
	struct caller *caller = caller_of(mux, frame->session);
	int err;

	if (frame->type == WIRE_HELLO)
		return greet(mux, frame, payload);
	if (frame->type == WIRE_FAILED) {
		fail(mux, payload, frame->size);
		return 0;
	}
	if (!caller)
		return -EPROTO;
	err = caller_take(caller, frame, payload);
	return err ? err : give_credit(mux, frame->session);
}

/* Return: false if there was nothing. */
static bool hear_agent(struct mux *mux)
{
	static const char garbage[] =
		"what it sends is no answer of lodge's agent";
	struct wire_frame frame;
	const void *payload;
	int err = mux->gone || mux->failed ? -EAGAIN : wire_fill(&mux->agent);
	int got = 1;

	if (err && err != -EAGAIN)
		mux->gone = true;
	while (!mux->failed && got > 0) {
		got = wire_next(&mux->agent, &frame, &payload);
		if (got > 0 && take_from_agent(mux, &frame, payload))
			got = -EPROTO;
	}
	if (got < 0)
		fail(mux, garbage, sizeof(garbage));
	return !err;
}

/*
 * What a client says.
 */

static int pass_on(struct mux *mux, unsigned int session,
		   const struct wire_frame *frame, const void *payload)
{
	return wire_put(&mux->agent, frame->type, session, frame->stream,
			payload, frame->size);
}

/* What is said to a command that has ended has crossed its end. */
static int take_from_client(struct mux *mux, unsigned int session,
			    const struct wire_frame *frame, const void *payload)
{
	struct caller *caller = mux->callers[session - 1];
	int err = caller_check(caller, frame, payload);

	if (err || caller->ended || mux->failed)
		return err;
	return pass_on(mux, session, frame, payload);
}

/* As long as the agent does not take what it is told, clients wait. */
static int hear_client(struct mux *mux, unsigned int session)
{
	struct caller *caller = mux->callers[session - 1];
	struct wire_frame frame;
	const void *payload;
	int err = wire_fill(&caller->wire), got = 1;

	while (wire_room(&mux->agent) && got > 0) {
		got = wire_next(&caller->wire, &frame, &payload);
		if (got > 0 && take_from_client(mux, session, &frame, payload))
			got = -EPROTO;
	}
	if (got < 0)
		return got;
	return err == -EAGAIN ? 0 : err;
}

/* Return: 0 or -errno: the client has no more to be served. */
static int serve_client(struct mux *mux, unsigned int session)
{
	int err = hear_client(mux, session);

	return err ? err :
		     caller_tell(mux->callers[session - 1], mux->up,
				 mux->failed ? mux->why : NULL);
}

/* Tells the agent of a client that has gone. */
static void hang_up(struct mux *mux, unsigned int session)
{
	struct caller *caller = mux->callers[session - 1];

	if (caller->hung_up || caller->ended || !caller->described ||
	    !wire_room(&mux->agent))
		return;
	caller->hung_up =
		!wire_put(&mux->agent, WIRE_HANGUP, session, 0, NULL, 0);
	give_credit(mux, session);
}

/* True if neither side has anything to do with a client any more. */
static bool is_done(const struct mux *mux, const struct caller *caller)
{
	if (caller->wire.fd < 0)
		return !caller->described || caller->ended || mux->failed;
	return caller->end_told && !wire_waits(&caller->wire);
}

/* @happened: events of its connection; what a client that has gone said last is heard. */
static void serve_caller(struct mux *mux, unsigned int session, short happened)
{
	struct caller *caller = mux->callers[session - 1];

	if (caller->wire.fd >= 0 &&
	    (serve_client(mux, session) || happened & (POLLHUP | POLLERR)))
		caller_leave(caller);
	if (caller->wire.fd < 0)
		hang_up(mux, session);
	if (is_done(mux, caller)) {
		caller_free(caller);
		mux->callers[session - 1] = NULL;
	}
}

/*
 * New clients.
 */

/* It fits into a connection that has carried no more than an answer. */
static void turn_away(struct caller *caller)
{
	static const char why[] =
		"it runs as many commands already as its agent takes; wait "
		"until one ends";

	wire_put(&caller->wire, WIRE_FAILED, 0, 0, why, sizeof(why) - 1);
	wire_flush(&caller->wire);
	caller_free(caller);
}

static void seat(struct mux *mux, struct caller *caller)
{
	for (int i = 0; i < WIRE_SESSIONS; i++)
		if (!mux->callers[i]) {
			mux->callers[i] = caller;
			return;
		}
	turn_away(caller);
}

static void welcome(struct mux *mux)
{
	struct caller *caller, *next;
	eventfd_t count;
	bool power_off;

	eventfd_read(mux->wake, &count);
	pthread_mutex_lock(&mux->lock);
	caller = mux->arrived;
	mux->arrived = NULL;
	power_off = mux->power_off && mux->up && wire_room(&mux->agent);
	if (power_off)
		mux->power_off = false;
	pthread_mutex_unlock(&mux->lock);
	if (power_off)
		wire_put(&mux->agent, WIRE_POWER_OFF, 0, 0, NULL, 0);
	for (; caller; caller = next) {
		next = caller->next;
		seat(mux, caller);
	}
}

/*
 * Waiting.
 */

enum { FD_OVER, FD_WAKE, FD_AGENT, FD_CALLERS };

#define FD_COUNT (FD_CALLERS + WIRE_SESSIONS)

static struct pollfd caller_fd(const struct caller *caller)
{
	struct pollfd fd = { .fd = caller ? caller->wire.fd : -1 };

	/* What waits for room in the agent's wire is not received again and again. */
	if (caller && caller->wire.in_count < sizeof(caller->wire.in))
		fd.events = POLLIN;
	if (caller && caller_waits(caller))
		fd.events |= POLLOUT;
	return fd;
}

/* Once all is sent, only the agent's readiness tells that there is room again. */
static void fill(const struct mux *mux, int over, struct pollfd *fds)
{
	const bool sends = wire_waits(&mux->agent) || mux->full;

	fds[FD_OVER] = (struct pollfd){ .fd = over, .events = POLLIN };
	fds[FD_WAKE] = (struct pollfd){ .fd = mux->wake, .events = POLLIN };
	fds[FD_AGENT] = (struct pollfd){
		.fd = mux->gone || mux->failed ? -1 : mux->agent.fd,
		.events = POLLIN | (sends ? POLLOUT : 0),
	};
	for (int i = 0; i < WIRE_SESSIONS; i++)
		fds[FD_CALLERS + i] = caller_fd(mux->callers[i]);
}

static void serve(struct mux *mux, const struct pollfd *fds)
{
	hear_agent(mux);
	welcome(mux);
	for (unsigned int i = 0; i < WIRE_SESSIONS; i++) {
		const unsigned int at = (mux->first + i) % WIRE_SESSIONS;

		if (mux->callers[at])
			serve_caller(mux, at + 1, fds[FD_CALLERS + at].revents);
	}
	mux->first++;
	mux->full = !wire_room(&mux->agent);
	if (!mux->gone && wire_flush(&mux->agent))
		mux->gone = true;
}

static bool is_unfinished(const struct mux *mux)
{
	for (int i = 0; i < WIRE_SESSIONS; i++)
		if (mux->callers[i] && caller_waits(mux->callers[i]))
			return true;
	return false;
}

/* Return: milliseconds until @deadline, for poll(), to which less than 0 is for ever. */
static int time_left(int64_t deadline)
{
	const int64_t left = deadline - now_ms();

	return left > 0 ? left : 0;
}

/* The machine has ended; what it has said before still counts. */
static void finish(struct mux *mux)
{
	const int64_t deadline = now_ms() + FINISH_MS;
	struct pollfd fds[FD_COUNT] = {};

	while (hear_agent(mux) && time_left(deadline))
		;
	mux->gone = true;
	serve(mux, fds);
	while (is_unfinished(mux) && time_left(deadline)) {
		fill(mux, -1, fds);
		if (poll(fds, FD_COUNT, time_left(deadline)) < 0)
			break;
		serve(mux, fds);
	}
	for (int i = 0; i < WIRE_SESSIONS; i++) {
		caller_free(mux->callers[i]);
		mux->callers[i] = NULL;
	}
}

bool mux_work(struct mux *mux, int over, int patience_ms)
{
	struct pollfd fds[FD_COUNT];
	int ready;

	fill(mux, over, fds);
	ready = poll(fds, FD_COUNT, patience_ms);
	if (ready < 0)
		return errno == EINTR;
	if (fds[FD_OVER].revents) {
		finish(mux);
		return false;
	}
	if (ready)
		serve(mux, fds);
	return true;
}

static void *run(void *opaque)
{
	struct mux *mux = opaque;

	sandbox_thread(SANDBOX_WORKER);
	while (mux_work(mux, mux->over, -1))
		;
	return NULL;
}

int mux_start(struct mux *mux, int over)
{
	int err;

	mux->over = over;
	err = pthread_create(&mux->thread, NULL, run, mux);
	mux->running = !err;
	return -err;
}

void mux_join(struct mux *mux)
{
	if (mux->running)
		pthread_join(mux->thread, NULL);
	mux->running = false;
}
