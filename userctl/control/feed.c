// SPDX-License-Identifier: GPL-2.0
/*
 * The serial port's last output, for those who read along.
 */
#include "control/feed.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/**
 * struct feed - a ring of output
 * @event: eventfd; never changes
 * @lock: guards @end and @ring; no other lock is taken inside it
 * @end: bytes written so far; the last one is at @end - 1 modulo FEED_SIZE
 * @ring: the last FEED_SIZE of them
 */
struct feed {
	int event;
	pthread_mutex_t lock;
	uint64_t end;
	uint8_t ring[FEED_SIZE];
};

struct feed *feed_new(void)
{
	struct feed *feed = calloc(1, sizeof(*feed));

	if (!feed)
		return NULL;
	feed->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (feed->event < 0) {
		free(feed);
		return NULL;
	}
	pthread_mutex_init(&feed->lock, NULL);
	return feed;
}

void feed_free(struct feed *feed)
{
	if (!feed)
		return;
	close(feed->event);
	pthread_mutex_destroy(&feed->lock);
	free(feed);
}

static size_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void feed_write(struct feed *feed, const void *data, size_t size)
{
	const uint8_t *next = data;

	pthread_mutex_lock(&feed->lock);
	while (size) {
		size_t at = feed->end % FEED_SIZE;
		size_t length = least(size, FEED_SIZE - at);

		memcpy(feed->ring + at, next, length);
		feed->end += length;
		next += length;
		size -= length;
	}
	pthread_mutex_unlock(&feed->lock);
	eventfd_write(feed->event, 1);
}

int feed_event(const struct feed *feed)
{
	return feed->event;
}

void feed_clear(struct feed *feed)
{
	eventfd_t count;

	eventfd_read(feed->event, &count);
}

/* Lock held. */
static uint64_t begin(const struct feed *feed)
{
	return feed->end > FEED_SIZE ? feed->end - FEED_SIZE : 0;
}

uint64_t feed_end(struct feed *feed)
{
	uint64_t end;

	pthread_mutex_lock(&feed->lock);
	end = feed->end;
	pthread_mutex_unlock(&feed->lock);
	return end;
}

uint64_t feed_begin(struct feed *feed)
{
	uint64_t oldest;

	pthread_mutex_lock(&feed->lock);
	oldest = begin(feed);
	pthread_mutex_unlock(&feed->lock);
	return oldest;
}

size_t feed_read(struct feed *feed, uint64_t *position, void *data, size_t size,
		 uint64_t *missed)
{
	size_t at, length;

	pthread_mutex_lock(&feed->lock);
	*missed = 0;
	if (*position < begin(feed)) {
		*missed = begin(feed) - *position;
		*position = begin(feed);
	}
	at = *position % FEED_SIZE;
	length = least(size, least(feed->end - *position, FEED_SIZE - at));
	memcpy(data, feed->ring + at, length);
	*position += length;
	pthread_mutex_unlock(&feed->lock);
	return length;
}
