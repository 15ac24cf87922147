// SPDX-License-Identifier: GPL-2.0
/*
 * The event loop: epoll for descriptors, one timerfd set to the earliest timer,
 * one eventfd that wakes it.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "board/loop.h"

#define NSEC_PER_SEC 1000000000ULL
#define EVENTS_AT_ONCE 16
/* Value of loop.stopped_at while the clock runs. */
#define GOING UINT64_MAX

struct loop_timer {
	struct loop *loop;
	void (*expired)(void *opaque);
	void *opaque;
	uint64_t when;
	bool armed;
	struct loop_timer *next_armed;
	struct loop_timer *next;
};

/* @always: the file can always be read, so epoll refuses it. */
struct loop_watch {
	int fd;
	bool always;
	void (*ready)(void *opaque, int fd);
	void *opaque;
	struct loop_watch *next;
};

/*
 * @lock guards the lists and the timerfd's setting.  @armed is sorted by time.  The
 * timerfd is set to its first timer, and is off if there is none or if the clock is
 * stopped.  The clock is the host's minus @offset, or @stopped_at.
 */
struct loop {
	int epoll;
	int timerfd;
	int wake;
	atomic_bool stop;
	_Atomic int64_t offset;
	_Atomic uint64_t stopped_at;
	pthread_mutex_t lock;
	struct loop_timer *timers;
	struct loop_timer *armed;
	struct loop_watch *watches;
	unsigned int nr_always;
};

static int epoll_watch(struct loop *loop, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static uint64_t host_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

struct loop *loop_new(void)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	int error;

	if (!loop)
		return NULL;
	pthread_mutex_init(&loop->lock, NULL);
	loop->offset = host_now();
	loop->stopped_at = GOING;
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	loop->timerfd =
		timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	loop->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (loop->epoll < 0 || loop->timerfd < 0 || loop->wake < 0)
		error = -errno;
	else
		error = epoll_watch(loop, loop->timerfd);
	if (!error)
		error = epoll_watch(loop, loop->wake);
	if (error) {
		loop_free(loop);
		errno = -error;
		return NULL;
	}
	return loop;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	while (loop->timers) {
		struct loop_timer *timer = loop->timers;

		loop->timers = timer->next;
		free(timer);
	}
	while (loop->watches) {
		struct loop_watch *watch = loop->watches;

		loop->watches = watch->next;
		free(watch);
	}
	if (loop->wake >= 0)
		close(loop->wake);
	if (loop->timerfd >= 0)
		close(loop->timerfd);
	if (loop->epoll >= 0)
		close(loop->epoll);
	pthread_mutex_destroy(&loop->lock);
	free(loop);
}

uint64_t loop_now(const struct loop *loop)
{
	uint64_t stopped_at = atomic_load(&loop->stopped_at);

	if (stopped_at != GOING)
		return stopped_at;
	return host_now() - atomic_load(&loop->offset);
}

/*
 * Return: the host's time at which the clock shows @when, but at least 1, since 0
 * would switch off the timerfd.  The machine's clock may be ahead of the host's.
 */
static uint64_t loop_host_time(const struct loop *loop, uint64_t when)
{
	__int128 host = (__int128)when + loop->offset;

	if (host < 1)
		return 1;
	return host > INT64_MAX ? INT64_MAX : host;
}

/* Lock held.  Setting the timerfd also clears an expiry that was not read yet. */
static void loop_set_timerfd(struct loop *loop)
{
	struct itimerspec setting = {};

	if (loop->armed && loop->stopped_at == GOING) {
		uint64_t when = loop_host_time(loop, loop->armed->when);

		setting.it_value.tv_sec = when / NSEC_PER_SEC;
		setting.it_value.tv_nsec = when % NSEC_PER_SEC;
	}
	timerfd_settime(loop->timerfd, TFD_TIMER_ABSTIME, &setting, NULL);
}

void loop_clock_stop(struct loop *loop)
{
	pthread_mutex_lock(&loop->lock);
	if (loop->stopped_at == GOING)
		loop->stopped_at = loop_now(loop);
	loop_set_timerfd(loop);
	pthread_mutex_unlock(&loop->lock);
}

void loop_clock_start(struct loop *loop)
{
	pthread_mutex_lock(&loop->lock);
	if (loop->stopped_at != GOING) {
		loop->offset = host_now() - loop->stopped_at;
		loop->stopped_at = GOING;
	}
	loop_set_timerfd(loop);
	pthread_mutex_unlock(&loop->lock);
}

int loop_clock_set(struct loop *loop, uint64_t now)
{
	if (now > INT64_MAX)
		return -EINVAL;
	pthread_mutex_lock(&loop->lock);
	if (loop->stopped_at != GOING)
		loop->stopped_at = now;
	pthread_mutex_unlock(&loop->lock);
	return 0;
}

/* Lock held. */
static void timer_unlink(struct loop_timer *timer)
{
	struct loop_timer **link = &timer->loop->armed;

	if (!timer->armed)
		return;
	while (*link != timer)
		link = &(*link)->next_armed;
	*link = timer->next_armed;
	timer->armed = false;
}

/* Lock held. */
static void timer_link(struct loop_timer *timer)
{
	struct loop_timer **link = &timer->loop->armed;

	while (*link && (*link)->when <= timer->when)
		link = &(*link)->next_armed;
	timer->next_armed = *link;
	*link = timer;
	timer->armed = true;
}

struct loop_timer *loop_timer_new(struct loop *loop,
				  void (*expired)(void *opaque), void *opaque)
{
	struct loop_timer *timer = calloc(1, sizeof(*timer));

	if (!timer)
		return NULL;
	timer->loop = loop;
	timer->expired = expired;
	timer->opaque = opaque;
	pthread_mutex_lock(&loop->lock);
	timer->next = loop->timers;
	loop->timers = timer;
	pthread_mutex_unlock(&loop->lock);
	return timer;
}

void loop_timer_arm(struct loop_timer *timer, uint64_t when)
{
	struct loop *loop = timer->loop;
	struct loop_timer *head;

	pthread_mutex_lock(&loop->lock);
	head = loop->armed;
	timer_unlink(timer);
	timer->when = when;
	timer_link(timer);
	if (head == timer || loop->armed == timer)
		loop_set_timerfd(loop);
	pthread_mutex_unlock(&loop->lock);
}

void loop_timer_disarm(struct loop_timer *timer)
{
	struct loop *loop = timer->loop;
	bool first;

	pthread_mutex_lock(&loop->lock);
	first = loop->armed == timer;
	timer_unlink(timer);
	if (first)
		loop_set_timerfd(loop);
	pthread_mutex_unlock(&loop->lock);
}

/*
 * Calls one timer at a time: one that arms itself again for the past cannot keep
 * the loop from its descriptors.
 */
static void loop_expire(struct loop *loop)
{
	struct loop_timer *timer;

	pthread_mutex_lock(&loop->lock);
	timer = loop->armed;
	if (timer && loop->stopped_at == GOING && timer->when <= loop_now(loop))
		timer_unlink(timer);
	else
		timer = NULL;
	loop_set_timerfd(loop);
	pthread_mutex_unlock(&loop->lock);
	if (timer)
		timer->expired(timer->opaque);
}

/* Lock held. */
static struct loop_watch **loop_find(struct loop *loop, int fd)
{
	struct loop_watch **link = &loop->watches;

	while (*link && (*link)->fd != fd)
		link = &(*link)->next;
	return link;
}

int loop_watch(struct loop *loop, int fd, void (*ready)(void *opaque, int fd),
	       void *opaque)
{
	struct loop_watch *watch = calloc(1, sizeof(*watch));
	bool always = false;
	int error;

	if (!watch)
		return -ENOMEM;
	watch->fd = fd;
	watch->ready = ready;
	watch->opaque = opaque;

	pthread_mutex_lock(&loop->lock);
	error = *loop_find(loop, fd) ? -EEXIST : epoll_watch(loop, fd);
	if (error == -EPERM) {
		watch->always = true;
		error = 0;
	}
	if (!error) {
		watch->next = loop->watches;
		loop->watches = watch;
		loop->nr_always += watch->always;
		always = watch->always;
	}
	/* From here on another thread may unwatch and free @watch. */
	pthread_mutex_unlock(&loop->lock);

	if (error) {
		free(watch);
		return error;
	}
	/* Wake the loop: it may be in epoll_wait(), which does not know the file. */
	if (always)
		eventfd_write(loop->wake, 1);
	return 0;
}

int loop_await(struct loop *loop, int fd, bool input, bool output)
{
	struct epoll_event event = {
		.events = (input ? EPOLLIN : 0) | (output ? EPOLLOUT : 0),
		.data.fd = fd,
	};

	return epoll_ctl(loop->epoll, EPOLL_CTL_MOD, fd, &event) ? -errno : 0;
}

void loop_unwatch(struct loop *loop, int fd)
{
	struct loop_watch **link, *watch;

	pthread_mutex_lock(&loop->lock);
	link = loop_find(loop, fd);
	watch = *link;
	if (watch) {
		*link = watch->next;
		if (watch->always)
			loop->nr_always--;
		else
			epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fd, NULL);
	}
	pthread_mutex_unlock(&loop->lock);
	free(watch);
}

/* The watch is copied: its owner may free it before @ready is called. */
static void loop_ready(struct loop *loop, int fd)
{
	struct loop_watch *watch, copy = {};

	pthread_mutex_lock(&loop->lock);
	watch = *loop_find(loop, fd);
	if (watch)
		copy = *watch;
	pthread_mutex_unlock(&loop->lock);
	if (copy.ready)
		copy.ready(copy.opaque, fd);
}

/* Calls the first of these watches, and moves it to the end of the list. */
static void loop_ready_always(struct loop *loop)
{
	struct loop_watch **link, *watch;
	int fd = -1;

	pthread_mutex_lock(&loop->lock);
	link = &loop->watches;
	while (*link && !(*link)->always)
		link = &(*link)->next;
	watch = *link;
	if (watch) {
		fd = watch->fd;
		*link = watch->next;
		watch->next = NULL;
		*loop_find(loop, -1) = watch;
	}
	pthread_mutex_unlock(&loop->lock);
	if (watch)
		loop_ready(loop, fd);
}

static void loop_dispatch(struct loop *loop, int fd)
{
	eventfd_t wakes;

	if (fd == loop->timerfd)
		loop_expire(loop);
	else if (fd == loop->wake)
		eventfd_read(loop->wake, &wakes);
	else
		loop_ready(loop, fd);
}

/* Return: the time-out for epoll_wait(), in milliseconds. */
static int loop_timeout(struct loop *loop)
{
	int timeout;

	pthread_mutex_lock(&loop->lock);
	timeout = loop->nr_always ? 0 : -1;
	pthread_mutex_unlock(&loop->lock);
	return timeout;
}

int loop_run(struct loop *loop)
{
	struct epoll_event events[EVENTS_AT_ONCE];

	while (!atomic_exchange(&loop->stop, false)) {
		int timeout = loop_timeout(loop);
		int count = epoll_wait(loop->epoll, events, EVENTS_AT_ONCE,
				       timeout);

		if (count < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < count; i++)
			loop_dispatch(loop, events[i].data.fd);
		if (timeout == 0)
			loop_ready_always(loop);
	}
	return 0;
}

void loop_stop(struct loop *loop)
{
	int saved = errno;

	atomic_store(&loop->stop, true);
	eventfd_write(loop->wake, 1);
	errno = saved;
}
