/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The serial port's last output, for those who read along: a ring, into which the
 * guest's threads write without ever waiting.  Who is too slow misses some of it.
 */
#ifndef LODGE_CONTROL_FEED_H
#define LODGE_CONTROL_FEED_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of output that are kept. */
#define FEED_SIZE (64 << 10)

struct feed;

/**
 * feed_new() - make an empty feed
 *
 * Return: the feed, or NULL with errno set.
 */
struct feed *feed_new(void);

/**
 * feed_free() - free a feed; NULL is fine
 */
void feed_free(struct feed *feed);

/**
 * feed_write() - append output; any thread may call
 */
void feed_write(struct feed *feed, const void *data, size_t size);

/**
 * feed_event() - the descriptor that is readable when there is output that
 * feed_clear() has not seen
 */
int feed_event(const struct feed *feed);

/**
 * feed_clear() - make the descriptor unreadable until the next output
 */
void feed_clear(struct feed *feed);

/**
 * feed_end() - the position behind the last output
 */
uint64_t feed_end(struct feed *feed);

/**
 * feed_begin() - the position of the oldest output that is kept
 */
uint64_t feed_begin(struct feed *feed);

/**
 * feed_read() - read output
 * @position: where to begin, of feed_end() or feed_begin(); moves on
 * @data: out
 * @size: bytes at @data
 * @missed: out: bytes at @position that are not kept any more, and are skipped
 *
 * Return: the number of bytes read; 0: there is no more.
 */
size_t feed_read(struct feed *feed, uint64_t *position, void *data, size_t size,
		 uint64_t *missed);

#endif
