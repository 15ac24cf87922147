/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The surroundings of a device in its test: a clock that only the test moves, with the
 * loop's timers, and descriptors that are looked at on request; a bus for its ports; an
 * interrupt line and a power supply that record events.  Only one file of a program may include this header, because it defines the
 * functions of board/loop.h.
 */
#ifndef LODGE_UNIT_FAKES_H
#define LODGE_UNIT_FAKES_H

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board/bus.h"
#include "board/line.h"
#include "board/loop.h"
#include "board/power.h"

#define USEC 1000ULL
#define MSEC 1000000ULL
#define SEC 1000000000ULL

struct loop_timer {
	void (*expired)(void *opaque);
	void *opaque;
	uint64_t when;
	bool armed;
};

static struct loop_timer fake_timers[4];
static unsigned int fake_nr_timers;
static uint64_t fake_now = 1000 * SEC;

uint64_t loop_now(const struct loop *loop)
{
	(void)loop;
	return fake_now;
}

struct loop_timer *loop_timer_new(struct loop *loop,
				  void (*expired)(void *opaque), void *opaque)
{
	struct loop_timer *timer = &fake_timers[fake_nr_timers++];

	(void)loop;
	timer->expired = expired;
	timer->opaque = opaque;
	return timer;
}

void loop_timer_arm(struct loop_timer *timer, uint64_t when)
{
	timer->when = when;
	timer->armed = true;
}

void loop_timer_disarm(struct loop_timer *timer)
{
	timer->armed = false;
}

static inline struct loop_timer *fake_first_timer(void)
{
	struct loop_timer *first = NULL;

	for (unsigned int i = 0; i < fake_nr_timers; i++) {
		struct loop_timer *timer = &fake_timers[i];

		if (timer->armed && (!first || timer->when < first->when))
			first = timer;
	}
	return first;
}

/* Lets time pass; timers expire at their times. */
static inline void fake_sleep(uint64_t ns)
{
	uint64_t end = fake_now + ns;
	struct loop_timer *timer;

	while ((timer = fake_first_timer()) && timer->when <= end) {
		if (timer->when > fake_now)
			fake_now = timer->when;
		timer->armed = false;
		timer->expired(timer->opaque);
	}
	fake_now = end;
}

/* Lets time pass while the loop's thread does not run. */
static inline void fake_stall(uint64_t ns)
{
	fake_now += ns;
}

struct fake_watch {
	int fd;
	short events;
	void (*ready)(void *opaque, int fd);
	void *opaque;
};

static struct fake_watch fake_watches[64];
static unsigned int fake_nr_watches;

static inline struct fake_watch *fake_watch_of(int fd)
{
	for (unsigned int i = 0; i < fake_nr_watches; i++)
		if (fake_watches[i].fd == fd)
			return &fake_watches[i];
	return NULL;
}

int loop_watch(struct loop *loop, int fd, void (*ready)(void *opaque, int fd),
	       void *opaque)
{
	(void)loop;
	if (fake_watch_of(fd))
		return -EEXIST;
	fake_watches[fake_nr_watches++] = (struct fake_watch){
		.fd = fd,
		.events = POLLIN,
		.ready = ready,
		.opaque = opaque,
	};
	return 0;
}

void loop_unwatch(struct loop *loop, int fd)
{
	struct fake_watch *watch = fake_watch_of(fd);

	(void)loop;
	if (watch)
		*watch = fake_watches[--fake_nr_watches];
}

int loop_await(struct loop *loop, int fd, bool input, bool output)
{
	struct fake_watch *watch = fake_watch_of(fd);

	(void)loop;
	if (!watch)
		return -ENOENT;
	watch->events = (input ? POLLIN : 0) | (output ? POLLOUT : 0);
	return 0;
}

/* Calls all whose descriptors are ready for what is awaited, once.  Return: how many. */
static inline unsigned int fake_turn(void)
{
	unsigned int turned = 0;

	for (unsigned int i = 0; i < fake_nr_watches; i++) {
		const struct fake_watch watch = fake_watches[i];
		struct pollfd file = { .fd = watch.fd, .events = watch.events };

		if (poll(&file, 1, 0) != 1)
			continue;
		watch.ready(watch.opaque, watch.fd);
		turned++;
	}
	return turned;
}

struct fake_line {
	bool level;
	unsigned int rises;
};

static inline void fake_line_set(void *opaque, unsigned int number, bool level)
{
	struct fake_line *line = opaque;

	(void)number;
	line->rises += level && !line->level;
	line->level = level;
}

static inline struct irq_line fake_wire(struct fake_line *line)
{
	return (struct irq_line){ .set = fake_line_set, .opaque = line };
}

struct fake_power {
	unsigned int events;
	enum power_event event;
	int code;
};

static inline void fake_power_event(void *opaque, enum power_event event,
				    int code)
{
	struct fake_power *power = opaque;

	power->events++;
	power->event = event;
	power->code = code;
}

static inline struct power fake_power_of(struct fake_power *power)
{
	return (struct power){ .event = fake_power_event, .opaque = power };
}

static inline uint32_t in(struct bus *bus, uint16_t port, size_t size)
{
	uint32_t value = 0;

	bus_read(bus, BUS_PORT, port, &value, size);
	return value;
}

static inline void out(struct bus *bus, uint16_t port, uint32_t value,
		       size_t size)
{
	bus_write(bus, BUS_PORT, port, &value, size);
}

static inline uint8_t inb(struct bus *bus, uint16_t port)
{
	return in(bus, port, 1);
}

static inline void outb(struct bus *bus, uint16_t port, uint8_t value)
{
	out(bus, port, value, 1);
}

/* Accesses ports in all sizes, and across their ends, for the sanitizers to check. */
static inline void fake_hammer(struct bus *bus, uint16_t first, uint16_t last)
{
	static const uint32_t values[] = { 0, 0xffffffff, 0x5aa5c33c, 0x34 };

	for (uint32_t port = first - 3; port <= last; port++) {
		for (size_t size = 1; size <= 4; size *= 2) {
			for (int i = 0; i < 4; i++) {
				out(bus, port, values[i], size);
				in(bus, port, size);
				fake_sleep(7 * MSEC);
			}
		}
	}
}

#endif
