// SPDX-License-Identifier: GPL-2.0
/*
 * The PC's timer (data sheet: Intel 8254) and system control port 0x61.
 *
 * Time is kept in ticks of the 8254's clock.  A channel remembers at which tick
 * its count was loaded; everything else follows from the tick that is now.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "dev/pit.h"

#define NSEC_PER_SEC 1000000000ULL
#define NEVER INT64_MAX
#define TICK_LIMIT (1LL << 61)
/* Periodic interrupts do not come faster, whatever the count. */
#define MIN_PERIOD_NS 50000

#define CHANNELS 3
#define CONTROL 3

/* Fields of the control word; of the status byte from CW_BCD to CW_ACCESS. */
#define CW_BCD 0x01
#define CW_MODE 1
#define CW_ACCESS 4
#define CW_CHANNEL 6
#define ACCESS_LATCH 0
#define ACCESS_LOW 1
#define ACCESS_HIGH 2
#define ACCESS_BOTH 3
#define READ_BACK 3
#define READ_NO_STATUS 0x10
#define READ_NO_COUNT 0x20
#define STATUS_NULL 0x40
#define STATUS_OUT 0x80

#define SPEAKER_GATE 0x01
#define SPEAKER_WRITABLE 0x0f
#define SPEAKER_REFRESH 0x10
#define SPEAKER_OUT 0x20
/* Ticks between two refreshes of memory, which toggle SPEAKER_REFRESH. */
#define REFRESH_TICKS 18

/**
 * struct channel - one counter
 * @mode: 0 to 5
 * @access: which bytes of a count are moved
 * @bcd: it counts in decimal
 * @gate: level of the input that lets it count
 * @has_count: a count has been written since the control word
 * @loaded: the counting element has got one
 * @running: it counts
 * @null_count: the last count written is not yet in the counting element
 * @switch_low: at @switch_at, mode 3 begins a low half, not a period
 * @reload: the count written, 1 to 65536
 * @period: the count in the counting element
 * @origin: tick at which @period was in the counting element, while @running
 * @elapsed: ticks counted since, while not @running
 * @switch_at: tick at which a running periodic mode takes @reload
 * @write_high: the next byte written is the high one, and @write_low is there
 * @read_high: the next byte read is the high one
 * @latched: bytes of @latch still to be read
 * @status_latched: @status is to be read first
 */
struct channel {
	uint8_t mode;
	uint8_t access;
	bool bcd;
	bool gate;
	bool has_count;
	bool loaded;
	bool running;
	bool null_count;
	bool switch_low;
	uint32_t reload;
	uint32_t period;
	int64_t origin;
	int64_t elapsed;
	int64_t switch_at;
	bool write_high;
	uint8_t write_low;
	bool read_high;
	uint8_t latched;
	uint16_t latch;
	bool status_latched;
	uint8_t status;
};

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
	struct channel channels[CHANNELS];
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

static bool mode_periodic(const struct channel *channel)
{
	return channel->mode == 2 || channel->mode == 3;
}

/* Modes in which a rising gate starts the count. */
static bool mode_triggered(const struct channel *channel)
{
	return channel->mode == 1 || channel->mode == 5;
}

static uint32_t channel_modulus(const struct channel *channel)
{
	return channel->bcd ? 10000 : 65536;
}

static int64_t channel_elapsed(const struct channel *channel, int64_t now)
{
	if (!channel->running)
		return channel->elapsed;
	return now > channel->origin ? now - channel->origin : 0;
}

/* Ticks of mode 3's high half; the low half is shorter for odd counts. */
static uint32_t high_half(uint32_t period)
{
	return (period + 1) / 2;
}

static bool channel_out(const struct channel *channel, int64_t now)
{
	int64_t elapsed = channel_elapsed(channel, now);
	uint32_t period = channel->period;

	if (!channel->loaded)
		return channel->mode != 0;
	switch (channel->mode) {
	case 0:
	case 1:
		return elapsed >= period;
	case 2:
		return !channel->gate || elapsed % period != period - 1;
	case 3:
		return !channel->gate || elapsed % period < high_half(period);
	default:
		return elapsed != period;
	}
}

static uint16_t bcd_from(uint32_t value)
{
	return value / 1000 % 10 << 12 | value / 100 % 10 << 8 |
	       value / 10 % 10 << 4 | value % 10;
}

static uint32_t bcd_to(uint16_t value)
{
	return (value >> 12) * 1000 + (value >> 8 & 15) * 100 +
	       (value >> 4 & 15) * 10 + (value & 15);
}

/* Mode 3 counts by twos, from the even number below in either half. */
static uint32_t square_wave_count(uint32_t period, uint32_t elapsed)
{
	if (elapsed >= high_half(period))
		elapsed -= high_half(period);
	return (period & ~1U) - 2 * elapsed;
}

/* What a read of the counting element gives. */
static uint16_t channel_count(const struct channel *channel, int64_t now)
{
	int64_t elapsed = channel_elapsed(channel, now);
	uint32_t modulus = channel_modulus(channel);
	uint32_t period = channel->period;
	uint32_t count;

	if (!channel->loaded)
		return 0;
	if (channel->mode == 2)
		count = period - elapsed % period;
	else if (channel->mode == 3)
		count = square_wave_count(period, elapsed % period);
	else
		count = period + modulus - elapsed % modulus;
	return channel->bcd ? bcd_from(count) : count;
}

/* The count goes to the counting element with the next tick. */
static void channel_load(struct channel *channel, int64_t now)
{
	channel->period = channel->reload;
	channel->loaded = true;
	channel->null_count = false;
	channel->elapsed = 0;
	channel->origin = now + 1;
	channel->running = channel->gate || mode_triggered(channel);
}

/* A new count in a periodic mode waits for the end of a (half) period. */
static void channel_load_later(struct channel *channel, int64_t now)
{
	int64_t into = channel_elapsed(channel, now) % channel->period;
	int64_t half = high_half(channel->period);

	channel->null_count = true;
	channel->switch_low = channel->mode == 3 && into < half;
	channel->switch_at = channel_elapsed(channel, now) - into +
			     channel->origin +
			     (channel->switch_low ? half : channel->period);
}

static void channel_advance(struct channel *channel, int64_t now)
{
	if (!mode_periodic(channel) || !channel->loaded || !channel->running ||
	    !channel->null_count || now < channel->switch_at)
		return;
	channel->period = channel->reload;
	channel->null_count = false;
	channel->origin = channel->switch_at;
	if (channel->switch_low)
		channel->origin -= high_half(channel->period);
}

static void channel_new_count(struct channel *channel, uint16_t value,
			      int64_t now)
{
	uint32_t count = channel->bcd ? bcd_to(value) : value;

	channel->reload = count ? count : channel_modulus(channel);
	channel->has_count = true;
	if (mode_triggered(channel))
		channel->null_count = true;
	else if (mode_periodic(channel) && channel->loaded && channel->running)
		channel_load_later(channel, now);
	else
		channel_load(channel, now);
}

static void channel_write(struct channel *channel, uint8_t value, int64_t now)
{
	switch (channel->access) {
	case ACCESS_LOW:
		channel_new_count(channel, value, now);
		break;
	case ACCESS_HIGH:
		channel_new_count(channel, value << 8, now);
		break;
	case ACCESS_BOTH:
		channel->write_high = !channel->write_high;
		if (!channel->write_high) {
			channel_new_count(channel,
					  value << 8 | channel->write_low, now);
			break;
		}
		channel->write_low = value;
		/* Half a count stops mode 0. */
		if (channel->mode == 0)
			channel->loaded = false;
		break;
	}
}

static void channel_control(struct channel *channel, uint8_t value)
{
	uint8_t mode = value >> CW_MODE & 7;

	/* Bit 2 of the periodic modes' numbers is not looked at. */
	*channel = (struct channel){
		.mode = mode > 5 ? mode - 4 : mode,
		.access = value >> CW_ACCESS & 3,
		.bcd = value & CW_BCD,
		.gate = channel->gate,
		.null_count = true,
	};
}

static void channel_latch_count(struct channel *channel, int64_t now)
{
	if (channel->latched)
		return;
	channel->latch = channel_count(channel, now);
	channel->latched = channel->access == ACCESS_BOTH ? 2 : 1;
}

static void channel_latch_status(struct channel *channel, int64_t now)
{
	if (channel->status_latched)
		return;
	channel->status_latched = true;
	channel->status = (channel_out(channel, now) ? STATUS_OUT : 0) |
			  (channel->null_count ? STATUS_NULL : 0) |
			  channel->access << CW_ACCESS |
			  channel->mode << CW_MODE | channel->bcd;
}

static uint8_t channel_read(struct channel *channel, int64_t now)
{
	uint16_t count;
	bool high;

	if (channel->status_latched) {
		channel->status_latched = false;
		return channel->status;
	}
	high = channel->access == ACCESS_HIGH;
	if (channel->latched) {
		count = channel->latch;
		if (channel->access == ACCESS_BOTH)
			high = channel->latched == 1;
		channel->latched--;
	} else {
		count = channel_count(channel, now);
		if (channel->access == ACCESS_BOTH) {
			high = channel->read_high;
			channel->read_high = !high;
		}
	}
	return high ? count >> 8 : count & 0xff;
}

static void channel_gate(struct channel *channel, bool gate, int64_t now)
{
	if (gate == channel->gate)
		return;
	if (!gate && !mode_triggered(channel)) {
		channel->elapsed = channel_elapsed(channel, now);
		channel->running = false;
	}
	channel->gate = gate;
	if (!gate || !channel->has_count)
		return;
	if (mode_triggered(channel) || mode_periodic(channel)) {
		channel_load(channel, now);
	} else if (channel->loaded) {
		channel->origin = now - channel->elapsed;
		channel->running = true;
	}
}

/* The tick at which channel 0's output rises next. */
static int64_t channel_next_edge(const struct channel *channel, int64_t now)
{
	int64_t elapsed = channel_elapsed(channel, now);
	int64_t period = channel->period;

	if (!channel->loaded)
		return NEVER;
	switch (channel->mode) {
	case 0:
		return elapsed < period ? channel->origin + period : NEVER;
	case 2:
	case 3:
		if (channel->null_count && channel->switch_low)
			return channel->switch_at + channel->reload / 2;
		return channel->origin + elapsed - elapsed % period + period;
	case 4:
		return elapsed <= period ? channel->origin + period + 1 : NEVER;
	default:
		return NEVER;
	}
}

static void pit_schedule(struct pit *pit, int64_t now)
{
	const struct channel *channel = &pit->channels[0];
	uint64_t when, soonest = loop_now(pit->loop) + MIN_PERIOD_NS;

	pit->next = channel_next_edge(channel, now);
	if (pit->next == NEVER) {
		loop_timer_disarm(pit->timer);
		return;
	}
	when = pit_time(pit->next);
	if (mode_periodic(channel) && when < soonest)
		when = soonest;
	loop_timer_arm(pit->timer, when);
}

/*
 * The line follows the output of a one-shot; in the other modes it is low for an
 * instant only, when the output rises.
 */
static void pit_expired(void *opaque)
{
	struct pit *pit = opaque;
	int64_t now;

	pthread_mutex_lock(&pit->lock);
	now = pit_ticks(pit);
	if (now >= pit->next) {
		channel_advance(&pit->channels[0], now);
		irq_line_set(&pit->irq, false);
		irq_line_set(&pit->irq, true);
		pit_schedule(pit, now);
	}
	pthread_mutex_unlock(&pit->lock);
}

/* Channel 0 has been programmed. */
static void pit_changed(struct pit *pit, int64_t now)
{
	const struct channel *channel = &pit->channels[0];

	irq_line_set(&pit->irq, channel->mode || channel_out(channel, now));
	pit_schedule(pit, now);
}

static void pit_read_back(struct pit *pit, uint8_t value, int64_t now)
{
	for (int i = 0; i < CHANNELS; i++) {
		if (!(value & 2 << i))
			continue;
		if (!(value & READ_NO_COUNT))
			channel_latch_count(&pit->channels[i], now);
		if (!(value & READ_NO_STATUS))
			channel_latch_status(&pit->channels[i], now);
	}
}

static void pit_control(struct pit *pit, uint8_t value, int64_t now)
{
	unsigned int number = value >> CW_CHANNEL;

	if (number == READ_BACK) {
		pit_read_back(pit, value, now);
		return;
	}
	if ((value >> CW_ACCESS & 3) == ACCESS_LATCH) {
		channel_latch_count(&pit->channels[number], now);
		return;
	}
	channel_control(&pit->channels[number], value);
	if (number == 0)
		pit_changed(pit, now);
}

static int64_t pit_advance(struct pit *pit)
{
	int64_t now = pit_ticks(pit);

	for (int i = 0; i < CHANNELS; i++)
		channel_advance(&pit->channels[i], now);
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
		channel_write(&pit->channels[offset], value, now);
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
		value = channel_read(&pit->channels[offset], now);
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
	channel_gate(&pit->channels[2], value & SPEAKER_GATE, pit_advance(pit));
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
	if (channel_out(&pit->channels[2], now))
		value |= SPEAKER_OUT;
	pthread_mutex_unlock(&pit->lock);
	*(uint8_t *)data = value;
}

/* The line stays as it is: the first interrupt is a period away. */
void pit_setup_as_bios(struct pit *pit)
{
	int64_t now;

	pthread_mutex_lock(&pit->lock);
	now = pit_advance(pit);
	channel_control(&pit->channels[0],
			ACCESS_BOTH << CW_ACCESS | 3 << CW_MODE);
	channel_new_count(&pit->channels[0], 0, now);
	channel_control(&pit->channels[1],
			ACCESS_LOW << CW_ACCESS | 2 << CW_MODE);
	channel_new_count(&pit->channels[1], REFRESH_TICKS, now);
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

/* Only channel 2's gate leads anywhere. */
static void pit_power_on(struct pit *pit)
{
	pit->next = NEVER;
	pit->speaker = 0;
	for (int i = 0; i < CHANNELS; i++) {
		pit->channels[i].gate = i != 2;
		channel_control(&pit->channels[i], ACCESS_BOTH << CW_ACCESS);
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

void pit_free(struct pit *pit)
{
	if (!pit)
		return;
	if (pit->timer)
		loop_timer_disarm(pit->timer);
	pthread_mutex_destroy(&pit->lock);
	free(pit);
}

static void *pit_make(const struct board *board, const uint64_t *values)
{
	struct irq_line irq = board_line(board, PIT_IRQ);
	struct pit *pit = pit_new(board->bus, board->loop, &irq);

	(void)values;
	if (pit)
		pit_setup_as_bios(pit);
	return pit;
}

static void pit_unmake(void *opaque)
{
	pit_free(opaque);
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

static bool count_is_sound(uint32_t count)
{
	return count && count <= 65536;
}

/* A tick that can be added to another. */
static bool tick_is_sound(int64_t tick)
{
	return tick > -TICK_LIMIT && tick < TICK_LIMIT;
}

static bool channel_is_sound(const struct channel *channel)
{
	if ((channel->has_count || channel->loaded) &&
	    !count_is_sound(channel->reload))
		return false;
	return channel->mode <= 5 && channel->access && channel->latched <= 2 &&
	       (!channel->loaded || count_is_sound(channel->period)) &&
	       tick_is_sound(channel->origin) &&
	       tick_is_sound(channel->switch_at) &&
	       tick_is_sound(channel->elapsed) && channel->elapsed >= 0;
}

static bool pit_is_sound(const void *opaque)
{
	const struct pit *pit = opaque;

	for (int i = 0; i < CHANNELS; i++)
		if (!channel_is_sound(&pit->channels[i]))
			return false;
	return pit->next >= 0;
}

/* The tick to come may have passed already, while the loop was held. */
static void pit_loaded(void *opaque)
{
	struct pit *pit = opaque;

	if (pit->next == NEVER)
		loop_timer_disarm(pit->timer);
	else
		loop_timer_arm(pit->timer, pit_time(pit->next));
}

const struct device_kind pit_device = {
	.name = "pit",
	.about = "the timer, and the speaker's port",
	.make = pit_make,
	.free = pit_unmake,
	.reset = pit_reset,
	DEVICE_STATE(struct pit, pit_fields),
	.is_sound = pit_is_sound,
	.loaded = pit_loaded,
};
