// SPDX-License-Identifier: GPL-2.0
/*
 * The PC's timer (data sheet: Intel 8254) and system control port 0x61.
 *
 * Time is kept in ticks of the 8254's clock.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "dev/pit.h"
#include "dev/pit_counter.h"

#define NSEC_PER_SEC 1000000000ULL
/* The shortest time between two periodic interrupts, for any count. */
#define MIN_PERIOD_NS 50000

#define CHANNELS 3
#define CONTROL 3

#define READ_BACK 3
#define READ_NO_STATUS 0x10
#define READ_NO_COUNT 0x20

#define SPEAKER_GATE 0x01
#define SPEAKER_WRITABLE 0x0f
#define SPEAKER_REFRESH 0x10
#define SPEAKER_OUT 0x20
/* Ticks between two refreshes of memory, which toggle SPEAKER_REFRESH. */
#define REFRESH_TICKS 18

/*
 * @lock guards all that changes.  @next is the tick of channel 0's next
 * interrupt, for which @timer is armed.
 */
struct pit {
	pthread_mutex_t lock;
	struct loop_timer *timer;
	struct irq_line irq;
	struct loop *loop;
	int64_t next;
	uint8_t speaker;
	struct pit_counter channels[CHANNELS];
};

static int64_t pit_ticks(const struct pit *pit)
{
	return (unsigned __int128)loop_now(pit->loop) * PIT_HZ / NSEC_PER_SEC;
}

/* The first nanosecond of a tick. */
static uint64_t pit_time(int64_t tick)
{
	unsigned __int128 ns = (unsigned __int128)tick * NSEC_PER_SEC;

	return (ns + PIT_HZ - 1) / PIT_HZ;
}

static void pit_schedule(struct pit *pit, int64_t now)
{
	const struct pit_counter *channel = &pit->channels[0];
	uint64_t when, soonest = loop_now(pit->loop) + MIN_PERIOD_NS;

	pit->next = pit_counter_next_edge(channel, now);
	if (pit->next == PIT_NEVER) {
		loop_timer_disarm(pit->timer);
		return;
	}
	when = pit_time(pit->next);
	if (pit_counter_periodic(channel) && when < soonest)
		when = soonest;
	loop_timer_arm(pit->timer, when);
}

/*
 * In mode 0 the line follows the output.  In the other modes it is high, and falls
 * only for an instant when the output rises.
 */
static void pit_expired(void *opaque)
{
	struct pit *pit = opaque;
	int64_t now;

	pthread_mutex_lock(&pit->lock);
	now = pit_ticks(pit);
	if (now >= pit->next) {
		pit_counter_advance(&pit->channels[0], now);
		irq_line_set(&pit->irq, false);
		irq_line_set(&pit->irq, true);
		pit_schedule(pit, now);
	}
	pthread_mutex_unlock(&pit->lock);
}

/* Called when channel 0 was programmed. */
static void pit_changed(struct pit *pit, int64_t now)
{
	const struct pit_counter *channel = &pit->channels[0];

	irq_line_set(&pit->irq, channel->mode || pit_counter_out(channel, now));
	pit_schedule(pit, now);
}

static void pit_read_back(struct pit *pit, uint8_t value, int64_t now)
{
	for (int i = 0; i < CHANNELS; i++) {
		if (!(value & 2 << i))
			continue;
		if (!(value & READ_NO_COUNT))
			pit_counter_latch_count(&pit->channels[i], now);
		if (!(value & READ_NO_STATUS))
			pit_counter_latch_status(&pit->channels[i], now);
	}
}

static void pit_control(struct pit *pit, uint8_t value, int64_t now)
{
	unsigned int number = value >> PIT_CW_CHANNEL;

	if (number == READ_BACK) {
		pit_read_back(pit, value, now);
		return;
	}
	if ((value >> PIT_CW_ACCESS & 3) == PIT_ACCESS_LATCH) {
		pit_counter_latch_count(&pit->channels[number], now);
		return;
	}
	pit_counter_control(&pit->channels[number], value);
	if (number == 0)
		pit_changed(pit, now);
}

static int64_t pit_advance(struct pit *pit)
{
	int64_t now = pit_ticks(pit);

	for (int i = 0; i < CHANNELS; i++)
		pit_counter_advance(&pit->channels[i], now);
	return now;
}

static void pit_write(void *opaque, uint64_t offset, const void *data,
		      size_t size)
{
	uint8_t value = *(const uint8_t *)data;
	struct pit *pit = opaque;
	int64_t now;

	(void)size;
	pthread_mutex_lock(&pit->lock);
	now = pit_advance(pit);
	if (offset == CONTROL)
		pit_control(pit, value, now);
	else
		pit_counter_write(&pit->channels[offset], value, now);
	if (offset == 0)
		pit_changed(pit, now);
	pthread_mutex_unlock(&pit->lock);
}

/* The control word cannot be read. */
static void pit_read(void *opaque, uint64_t offset, void *data, size_t size)
{
	struct pit *pit = opaque;
	uint8_t value = 0xff;
	int64_t now;

	(void)size;
	pthread_mutex_lock(&pit->lock);
	now = pit_advance(pit);
	if (offset != CONTROL)
		value = pit_counter_read(&pit->channels[offset], now);
	pthread_mutex_unlock(&pit->lock);
	*(uint8_t *)data = value;
}

static void speaker_write(void *opaque, uint64_t offset, const void *data,
			  size_t size)
{
	uint8_t value = *(const uint8_t *)data;
	struct pit *pit = opaque;

	(void)offset;
	(void)size;
	pthread_mutex_lock(&pit->lock);
	pit->speaker = value & SPEAKER_WRITABLE;
	pit_counter_gate(&pit->channels[2], value & SPEAKER_GATE,
			 pit_advance(pit));
	pthread_mutex_unlock(&pit->lock);
}

static void speaker_read(void *opaque, uint64_t offset, void *data, size_t size)
{
	struct pit *pit = opaque;
	uint8_t value;
	int64_t now;

	(void)offset;
	(void)size;
	pthread_mutex_lock(&pit->lock);
	now = pit_advance(pit);
	value = pit->speaker;
	if (now / REFRESH_TICKS % 2)
		value |= SPEAKER_REFRESH;
	if (pit_counter_out(&pit->channels[2], now))
		value |= SPEAKER_OUT;
	pthread_mutex_unlock(&pit->lock);
	*(uint8_t *)data = value;
}

/* The line keeps its level: the first interrupt comes after a period. */
void pit_setup_as_bios(struct pit *pit)
{
	int64_t now;

	pthread_mutex_lock(&pit->lock);
	now = pit_advance(pit);
	pit_counter_control(&pit->channels[0],
			    PIT_ACCESS_BOTH << PIT_CW_ACCESS |
				    3 << PIT_CW_MODE);
	pit_counter_new_count(&pit->channels[0], 0, now);
	pit_counter_control(&pit->channels[1],
			    PIT_ACCESS_LOW << PIT_CW_ACCESS | 2 << PIT_CW_MODE);
	pit_counter_new_count(&pit->channels[1], REFRESH_TICKS, now);
	pit_schedule(pit, now);
	pthread_mutex_unlock(&pit->lock);
}

static int pit_add(struct pit *pit, struct bus *bus)
{
	const struct bus_region counters = {
		.name = "pit",
		.base = PIT_PORT,
		.size = CHANNELS + 1,
		.width = 1,
		.read = pit_read,
		.write = pit_write,
		.opaque = pit,
	};
	const struct bus_region speaker = {
		.name = "speaker",
		.base = SPEAKER_PORT,
		.size = 1,
		.read = speaker_read,
		.write = speaker_write,
		.opaque = pit,
	};
	int error = bus_add(bus, &counters);

	return error ? error : bus_add(bus, &speaker);
}

/* Only channel 2's gate is connected; the other gates are always high. */
static void pit_power_on(struct pit *pit)
{
	pit->next = PIT_NEVER;
	pit->speaker = 0;
	for (int i = 0; i < CHANNELS; i++) {
		pit->channels[i].gate = i != 2;
		pit_counter_control(&pit->channels[i],
				    PIT_ACCESS_BOTH << PIT_CW_ACCESS);
	}
}

struct pit *pit_new(struct bus *bus, struct loop *loop,
		    const struct irq_line *irq)
{
	struct pit *pit = calloc(1, sizeof(*pit));
	int error = 0;

	if (!pit)
		return NULL;
	pthread_mutex_init(&pit->lock, NULL);
	pit->irq = *irq;
	pit->loop = loop;
	pit_power_on(pit);
	pit->timer = loop_timer_new(loop, pit_expired, pit);
	if (!pit->timer)
		error = -errno;
	if (!error)
		error = pit_add(pit, bus);
	if (error) {
		pit_free(pit);
		errno = -error;
		return NULL;
	}
	return pit;
}

void pit_free(void *opaque)
{
	struct pit *pit = opaque;

	if (!pit)
		return;
	if (pit->timer)
		loop_timer_disarm(pit->timer);
	pthread_mutex_destroy(&pit->lock);
	free(pit);
}

static void *pit_make(const struct board *board,
		      const struct device_value *values,
		      struct device_error *error)
{
	struct irq_line irq = board_line(board, PIT_IRQ);
	struct pit *pit = pit_new(board->bus, board->loop, &irq);

	(void)values;
	(void)error;
	if (pit)
		pit_setup_as_bios(pit);
	return pit;
}

static void pit_reset(void *opaque)
{
	pit_power_on(opaque);
	pit_setup_as_bios(opaque);
}

#define CHANNEL_FIELDS(n)                                                      \
	RECORD_FIELD(0x100 * (n) + 1, struct pit, channels[n].mode, 7),        \
		RECORD_FIELD(0x100 * (n) + 2, struct pit, channels[n].access,  \
			     3),                                               \
		RECORD_BOOL(0x100 * (n) + 3, struct pit, channels[n].bcd),     \
		RECORD_BOOL(0x100 * (n) + 4, struct pit, channels[n].gate),    \
		RECORD_BOOL(0x100 * (n) + 5, struct pit,                       \
			    channels[n].has_count),                            \
		RECORD_BOOL(0x100 * (n) + 6, struct pit, channels[n].loaded),  \
		RECORD_BOOL(0x100 * (n) + 7, struct pit, channels[n].running), \
		RECORD_BOOL(0x100 * (n) + 8, struct pit,                       \
			    channels[n].null_count),                           \
		RECORD_BOOL(0x100 * (n) + 9, struct pit,                       \
			    channels[n].switch_low),                           \
		RECORD_ANY(0x100 * (n) + 10, struct pit, channels[n].reload),  \
		RECORD_ANY(0x100 * (n) + 11, struct pit, channels[n].period),  \
		RECORD_ANY(0x100 * (n) + 12, struct pit, channels[n].origin),  \
		RECORD_ANY(0x100 * (n) + 13, struct pit, channels[n].elapsed), \
		RECORD_ANY(0x100 * (n) + 14, struct pit,                       \
			   channels[n].switch_at),                             \
		RECORD_BOOL(0x100 * (n) + 15, struct pit,                      \
			    channels[n].write_high),                           \
		RECORD_ANY(0x100 * (n) + 16, struct pit,                       \
			   channels[n].write_low),                             \
		RECORD_BOOL(0x100 * (n) + 17, struct pit,                      \
			    channels[n].read_high),                            \
		RECORD_FIELD(0x100 * (n) + 18, struct pit,                     \
			     channels[n].latched, 3),                          \
		RECORD_ANY(0x100 * (n) + 19, struct pit, channels[n].latch),   \
		RECORD_BOOL(0x100 * (n) + 20, struct pit,                      \
			    channels[n].status_latched),                       \
		RECORD_ANY(0x100 * (n) + 21, struct pit, channels[n].status)

static const struct record_field pit_fields[] = {
	CHANNEL_FIELDS(0),
	CHANNEL_FIELDS(1),
	CHANNEL_FIELDS(2),
	RECORD_FIELD(0x301, struct pit, speaker, SPEAKER_WRITABLE),
	RECORD_ANY(0x302, struct pit, next),
};

static bool pit_is_sound(const void *opaque)
{
	const struct pit *pit = opaque;

	for (int i = 0; i < CHANNELS; i++)
		if (!pit_counter_is_sound(&pit->channels[i]) ||
		    (i != 2 && !pit->channels[i].gate))
			return false;
	return pit->next >= 0;
}

/* The tick of the next interrupt may have passed already, while the loop was held. */
static void pit_loaded(void *opaque)
{
	struct pit *pit = opaque;

	if (pit->next == PIT_NEVER)
		loop_timer_disarm(pit->timer);
	else
		loop_timer_arm(pit->timer, pit_time(pit->next));
}

const struct device_kind pit_device = {
	.name = "pit",
	.about = "the timer, and the speaker's port",
	.make = pit_make,
	.free = pit_free,
	.reset = pit_reset,
	DEVICE_STATE(struct pit, pit_fields),
	.is_sound = pit_is_sound,
	.loaded = pit_loaded,
};
