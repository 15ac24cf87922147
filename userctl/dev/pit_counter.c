// SPDX-License-Identifier: GPL-2.0
/*
 * A counter of the PC's timer (data sheet: Intel 8254).
 *
 * It stores the tick at which its count was loaded.  All else is computed from this
 * and the current tick.
 */
#include "dev/pit_counter.h"

#define TICK_LIMIT (1LL << 61)
/* Bits of the status byte. */
#define STATUS_NULL 0x40
#define STATUS_OUT 0x80

bool pit_counter_periodic(const struct pit_counter *counter)
{
	return counter->mode == 2 || counter->mode == 3;
}

/* True in the modes in which a rising gate starts the count. */
static bool mode_triggered(const struct pit_counter *counter)
{
	return counter->mode == 1 || counter->mode == 5;
}

static uint32_t counter_modulus(const struct pit_counter *counter)
{
	return counter->bcd ? 10000 : 65536;
}

static int64_t counter_elapsed(const struct pit_counter *counter, int64_t now)
{
	if (!counter->running)
		return counter->elapsed;
	return now > counter->origin ? now - counter->origin : 0;
}

/* Return: the ticks of mode 3's high half; with odd counts the low half is shorter. */
static uint32_t high_half(uint32_t period)
{
	return (period + 1) / 2;
}

bool pit_counter_out(const struct pit_counter *counter, int64_t now)
{
	int64_t elapsed = counter_elapsed(counter, now);
	uint32_t period = counter->period;

	if (!counter->loaded)
		return counter->mode != 0;
	switch (counter->mode) {
	case 0:
	case 1:
		return elapsed >= period;
	case 2:
		return !counter->gate || elapsed % period != period - 1;
	case 3:
		return !counter->gate || elapsed % period < high_half(period);
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

/* Mode 3 counts down by two; each half begins at the period, rounded down to even. */
static uint32_t square_wave_count(uint32_t period, uint32_t elapsed)
{
	if (elapsed >= high_half(period))
		elapsed -= high_half(period);
	return (period & ~1U) - 2 * elapsed;
}

/* Return: the value of the counting element. */
static uint16_t counter_count(const struct pit_counter *counter, int64_t now)
{
	int64_t elapsed = counter_elapsed(counter, now);
	uint32_t modulus = counter_modulus(counter);
	uint32_t period = counter->period;
	uint32_t count;

	if (!counter->loaded)
		return 0;
	if (counter->mode == 2)
		count = period - elapsed % period;
	else if (counter->mode == 3)
		count = square_wave_count(period, elapsed % period);
	else
		count = period + modulus - elapsed % modulus;
	return counter->bcd ? bcd_from(count) : count;
}

/* The count goes to the counting element with the next tick. */
static void counter_load(struct pit_counter *counter, int64_t now)
{
	counter->period = counter->reload;
	counter->loaded = true;
	counter->null_count = false;
	counter->elapsed = 0;
	counter->origin = now + 1;
	counter->running = counter->gate || mode_triggered(counter);
}

/* A new count in a periodic mode waits for the end of a (half) period. */
static void counter_load_later(struct pit_counter *counter, int64_t now)
{
	int64_t into = counter_elapsed(counter, now) % counter->period;
	int64_t half = high_half(counter->period);

	counter->null_count = true;
	counter->switch_low = counter->mode == 3 && into < half;
	counter->switch_at = counter_elapsed(counter, now) - into +
			     counter->origin +
			     (counter->switch_low ? half : counter->period);
}

void pit_counter_advance(struct pit_counter *counter, int64_t now)
{
	if (!pit_counter_periodic(counter) || !counter->loaded ||
	    !counter->running || !counter->null_count ||
	    now < counter->switch_at)
		return;
	counter->period = counter->reload;
	counter->null_count = false;
	counter->origin = counter->switch_at;
	if (counter->switch_low)
		counter->origin -= high_half(counter->period);
}

void pit_counter_new_count(struct pit_counter *counter, uint16_t value,
			   int64_t now)
{
	uint32_t count = counter->bcd ? bcd_to(value) : value;

	counter->reload = count ? count : counter_modulus(counter);
	counter->has_count = true;
	if (mode_triggered(counter))
		counter->null_count = true;
	else if (pit_counter_periodic(counter) && counter->loaded &&
		 counter->running)
		counter_load_later(counter, now);
	else
		counter_load(counter, now);
}

void pit_counter_write(struct pit_counter *counter, uint8_t value, int64_t now)
{
	switch (counter->access) {
	case PIT_ACCESS_LOW:
		pit_counter_new_count(counter, value, now);
		break;
	case PIT_ACCESS_HIGH:
		pit_counter_new_count(counter, value << 8, now);
		break;
	case PIT_ACCESS_BOTH:
		counter->write_high = !counter->write_high;
		if (!counter->write_high) {
			pit_counter_new_count(
				counter, value << 8 | counter->write_low, now);
			break;
		}
		counter->write_low = value;
		/* In mode 0 the first byte of a count stops counting. */
		if (counter->mode == 0)
			counter->loaded = false;
		break;
	}
}

void pit_counter_control(struct pit_counter *counter, uint8_t value)
{
	uint8_t mode = value >> PIT_CW_MODE & 7;

	/* The high bit of the mode is ignored in the periodic modes: 6 is 2, 7 is 3. */
	*counter = (struct pit_counter){
		.mode = mode > 5 ? mode - 4 : mode,
		.access = value >> PIT_CW_ACCESS & 3,
		.bcd = value & PIT_CW_BCD,
		.gate = counter->gate,
		.null_count = true,
	};
}

void pit_counter_latch_count(struct pit_counter *counter, int64_t now)
{
	if (counter->latched)
		return;
	counter->latch = counter_count(counter, now);
	counter->latched = counter->access == PIT_ACCESS_BOTH ? 2 : 1;
}

void pit_counter_latch_status(struct pit_counter *counter, int64_t now)
{
	if (counter->status_latched)
		return;
	counter->status_latched = true;
	counter->status = (pit_counter_out(counter, now) ? STATUS_OUT : 0) |
			  (counter->null_count ? STATUS_NULL : 0) |
			  counter->access << PIT_CW_ACCESS |
			  counter->mode << PIT_CW_MODE | counter->bcd;
}

uint8_t pit_counter_read(struct pit_counter *counter, int64_t now)
{
	uint16_t count;
	bool high;

	if (counter->status_latched) {
		counter->status_latched = false;
		return counter->status;
	}
	high = counter->access == PIT_ACCESS_HIGH;
	if (counter->latched) {
		count = counter->latch;
		if (counter->access == PIT_ACCESS_BOTH)
			high = counter->latched == 1;
		counter->latched--;
	} else {
		count = counter_count(counter, now);
		if (counter->access == PIT_ACCESS_BOTH) {
			high = counter->read_high;
			counter->read_high = !high;
		}
	}
	return high ? count >> 8 : count & 0xff;
}

void pit_counter_gate(struct pit_counter *counter, bool gate, int64_t now)
{
	if (gate == counter->gate)
		return;
	if (!gate && !mode_triggered(counter)) {
		counter->elapsed = counter_elapsed(counter, now);
		counter->running = false;
	}
	counter->gate = gate;
	if (!gate || !counter->has_count)
		return;
	if (mode_triggered(counter) || pit_counter_periodic(counter)) {
		counter_load(counter, now);
	} else if (counter->loaded) {
		counter->origin = now - counter->elapsed;
		counter->running = true;
	}
}

int64_t pit_counter_next_edge(const struct pit_counter *counter, int64_t now)
{
	int64_t elapsed = counter_elapsed(counter, now);
	int64_t period = counter->period;

	if (!counter->loaded || !counter->running)
		return PIT_NEVER;
	switch (counter->mode) {
	case 0:
		return elapsed < period ? counter->origin + period : PIT_NEVER;
	case 2:
	case 3:
		if (counter->null_count && counter->switch_low)
			return counter->switch_at + counter->reload / 2;
		return counter->origin + elapsed - elapsed % period + period;
	case 4:
		return elapsed <= period ? counter->origin + period + 1 :
					   PIT_NEVER;
	default:
		return PIT_NEVER;
	}
}

static bool count_is_sound(uint32_t count)
{
	return count && count <= 65536;
}

/* True if a tick can be added to another without overflow. */
static bool tick_is_sound(int64_t tick)
{
	return tick > -TICK_LIMIT && tick < TICK_LIMIT;
}

bool pit_counter_is_sound(const struct pit_counter *counter)
{
	if ((counter->has_count || counter->loaded) &&
	    !count_is_sound(counter->reload))
		return false;
	if (counter->loaded &&
	    counter->running != (counter->gate || mode_triggered(counter)))
		return false;
	return counter->mode <= 5 && counter->access && counter->latched <= 2 &&
	       (!counter->loaded || count_is_sound(counter->period)) &&
	       tick_is_sound(counter->origin) &&
	       tick_is_sound(counter->switch_at) && counter->switch_at >= 0 &&
	       tick_is_sound(counter->elapsed) && counter->elapsed >= 0;
}
