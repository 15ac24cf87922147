/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A counter of the PC's timer (Intel 8254).
 *
 * It uses no clock: the owner passes the current tick with each call.  Ticks never
 * go back.  Before reading or changing a counter, the owner calls
 * pit_counter_advance().
 */
#ifndef LODGE_DEV_PIT_COUNTER_H
#define LODGE_DEV_PIT_COUNTER_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Fields of the control word.  The fields from PIT_CW_BCD to PIT_CW_ACCESS are also
 * in the status byte.
 */
#define PIT_CW_BCD 0x01
#define PIT_CW_MODE 1
#define PIT_CW_ACCESS 4
#define PIT_CW_CHANNEL 6
#define PIT_ACCESS_LATCH 0
#define PIT_ACCESS_LOW 1
#define PIT_ACCESS_HIGH 2
#define PIT_ACCESS_BOTH 3

/* Result of pit_counter_next_edge(): the output does not rise. */
#define PIT_NEVER INT64_MAX

/**
 * struct pit_counter - a counter
 * @mode: 0 to 5
 * @access: the bytes of a count that are read and written (PIT_ACCESS_*)
 * @bcd: it counts in decimal
 * @gate: level of the gate input, which enables counting
 * @has_count: a count was written after the control word
 * @loaded: the counting element has a count
 * @running: it counts
 * @null_count: the last count written is not yet in the counting element
 * @switch_low: mode 3 begins a low half at @switch_at, not a period
 * @reload: the count written, 1 to 65536
 * @period: the count in the counting element
 * @origin: tick at which @period was in the counting element, while @running
 * @elapsed: ticks counted since, while not @running
 * @switch_at: tick at which a running periodic mode takes @reload
 * @write_high: the next byte written is the high one; the low one is in @write_low
 * @read_high: the next byte read is the high one
 * @latched: bytes of @latch still to be read
 * @status_latched: @status is to be read first
 */
struct pit_counter {
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

/**
 * pit_counter_periodic() - true if the counter's mode repeats
 */
bool pit_counter_periodic(const struct pit_counter *counter);

/**
 * pit_counter_advance() - load a new count whose time has come
 */
void pit_counter_advance(struct pit_counter *counter, int64_t now);

/**
 * pit_counter_control() - program the counter by a control word, which must not be
 * a latch command
 */
void pit_counter_control(struct pit_counter *counter, uint8_t value);

/**
 * pit_counter_new_count() - write a whole count
 * @value: as written; 0 is the largest count
 */
void pit_counter_new_count(struct pit_counter *counter, uint16_t value,
			   int64_t now);

/**
 * pit_counter_write() - write a byte of a count
 */
void pit_counter_write(struct pit_counter *counter, uint8_t value, int64_t now);

/**
 * pit_counter_read() - read a byte from the counter's port
 */
uint8_t pit_counter_read(struct pit_counter *counter, int64_t now);

/**
 * pit_counter_latch_count() - latch the count for the next reads, unless one is
 * latched already
 */
void pit_counter_latch_count(struct pit_counter *counter, int64_t now);

/**
 * pit_counter_latch_status() - latch the status for the next read, unless one is
 * latched already
 */
void pit_counter_latch_status(struct pit_counter *counter, int64_t now);

/**
 * pit_counter_gate() - set the level of the gate
 */
void pit_counter_gate(struct pit_counter *counter, bool gate, int64_t now);

/**
 * pit_counter_out() - get the level of the output
 */
bool pit_counter_out(const struct pit_counter *counter, int64_t now);

/**
 * pit_counter_next_edge() - get the time at which the output rises next
 *
 * Return: the tick, or PIT_NEVER.
 */
int64_t pit_counter_next_edge(const struct pit_counter *counter, int64_t now);

/**
 * pit_counter_is_sound() - true if a counter can reach this state
 */
bool pit_counter_is_sound(const struct pit_counter *counter);

#endif
