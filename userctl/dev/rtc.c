// SPDX-License-Identifier: GPL-2.0
/*
 * The real-time clock with its CMOS memory (data sheet: Motorola MC146818A).
 *
 * The time of day is the host's wall clock plus an offset.  The time registers are
 * valid only while the guest has stopped the clock.  The flags of register C are
 * updated when the guest reads them.  The loop's timer runs only for enabled
 * interrupts whose flag is clear.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dev/rtc.h"

#define NSEC_PER_SEC 1000000000LL
#define SEC_PER_DAY 86400
/* UIP is set this long before the registers change. */
#define UPDATE_NS 244000
/* Time from the end of a divider reset to the first update. */
#define DIVIDER_NS 500000000
#define CRYSTAL_HZ 32768
#define NEVER UINT64_MAX
/*
 * A guest cannot set the clock further from the host's: the registers hold no year
 * above 16,665.  This offset plus today's time stays below 2^40.
 */
#define OFFSET_LIMIT (1LL << 39)
#define SECONDS_LIMIT (1LL << 40)
/* The wall clock may jump: for its events, the timer is set no further ahead. */
#define WALL_CLOCK_TRUST NSEC_PER_SEC

#define INDEX_NMI_MASK 0x80

enum {
	SECONDS = 0x00,
	SECONDS_ALARM = 0x01,
	MINUTES = 0x02,
	MINUTES_ALARM = 0x03,
	HOURS = 0x04,
	HOURS_ALARM = 0x05,
	WEEKDAY = 0x06,
	DAY = 0x07,
	MONTH = 0x08,
	YEAR = 0x09,
	REG_A = 0x0a,
	REG_B = 0x0b,
	REG_C = 0x0c,
	REG_D = 0x0d,
	SHUTDOWN = 0x0f,
	EQUIPMENT = 0x14,
	BASE_KB = 0x15,
	EXTENDED_KB = 0x17,
	EXTENDED_KB_2 = 0x30,
	CENTURY = 0x32,
	ABOVE_16M = 0x34,
	ABOVE_4G = 0x5b,
};

#define A_RATE 0x0f
#define A_DIVIDER 0x70
#define A_DIVIDER_RESET 0x60
#define A_DIVIDER_32K 0x20
#define A_UIP 0x80
#define B_24H 0x02
#define B_BINARY 0x04
#define B_UIE 0x10
#define B_SET 0x80
/* Interrupt enables in register B, and their flags in C. */
#define FLAG_UPDATE 0x10
#define FLAG_ALARM 0x20
#define FLAG_PERIODIC 0x40
#define FLAGS 0x70
#define C_IRQ 0x80
#define D_VALID 0x80
#define ALARM_ANY 0xc0
#define HOUR_PM 0x80
/* Tells firmware at its reset vector that the machine was asleep, as QEMU's does. */
#define SHUTDOWN_S3 0xfe

/*
 * @lock guards all that changes.  The clock shows (wall clock + @phase) in
 * seconds, plus @offset; @phase is below a second.  @checked and @periods are the
 * last second and the last period that register C takes into account.
 */
struct rtc {
	struct rtc_config config;
	pthread_mutex_t lock;
	struct loop_timer *timer;
	int64_t offset;
	int64_t phase;
	int64_t checked;
	uint64_t periods;
	uint8_t index;
	bool nmi_masked;
	bool level;
	uint8_t cmos[RTC_CMOS_SIZE];
};

static int64_t host_wall_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

static int64_t floor_divide(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Return: the clock's time without @offset, in nanoseconds. */
static int64_t rtc_base(const struct rtc *rtc)
{
	return rtc->config.wall_clock() + rtc->phase;
}

static int64_t rtc_seconds(const struct rtc *rtc)
{
	return floor_divide(rtc_base(rtc), NSEC_PER_SEC) + rtc->offset;
}

static bool rtc_stopped(const struct rtc *rtc)
{
	return (rtc->cmos[REG_B] & B_SET) ||
	       (rtc->cmos[REG_A] & A_DIVIDER_RESET) == A_DIVIDER_RESET;
}

static uint8_t encode(const struct rtc *rtc, unsigned int value)
{
	if (rtc->cmos[REG_B] & B_BINARY)
		return value;
	return value / 10 % 10 << 4 | value % 10;
}

static unsigned int decode(const struct rtc *rtc, uint8_t value)
{
	if (rtc->cmos[REG_B] & B_BINARY)
		return value;
	return (value >> 4) * 10 + (value & 15);
}

static uint8_t encode_hour(const struct rtc *rtc, unsigned int hour)
{
	if (rtc->cmos[REG_B] & B_24H)
		return encode(rtc, hour);
	return encode(rtc, (hour + 11) % 12 + 1) | (hour < 12 ? 0 : HOUR_PM);
}

static unsigned int decode_hour(const struct rtc *rtc, uint8_t value)
{
	if (rtc->cmos[REG_B] & B_24H)
		return decode(rtc, value);
	return decode(rtc, value & ~HOUR_PM) % 12 + (value & HOUR_PM ? 12 : 0);
}

static void time_to_registers(struct rtc *rtc)
{
	time_t now = rtc_seconds(rtc);
	struct tm tm;
	int year;

	if (!gmtime_r(&now, &tm))
		return;
	year = tm.tm_year + 1900;
	rtc->cmos[SECONDS] = encode(rtc, tm.tm_sec);
	rtc->cmos[MINUTES] = encode(rtc, tm.tm_min);
	rtc->cmos[HOURS] = encode_hour(rtc, tm.tm_hour);
	rtc->cmos[WEEKDAY] = encode(rtc, tm.tm_wday + 1);
	rtc->cmos[DAY] = encode(rtc, tm.tm_mday);
	rtc->cmos[MONTH] = encode(rtc, tm.tm_mon + 1);
	rtc->cmos[YEAR] = encode(rtc, year % 100);
	rtc->cmos[CENTURY] = encode(rtc, year / 100);
}

/* Values out of range carry over into the next field. */
static void time_from_registers(struct rtc *rtc)
{
	struct tm tm = {
		.tm_sec = decode(rtc, rtc->cmos[SECONDS]),
		.tm_min = decode(rtc, rtc->cmos[MINUTES]),
		.tm_hour = decode_hour(rtc, rtc->cmos[HOURS]),
		.tm_mday = decode(rtc, rtc->cmos[DAY]),
		.tm_mon = (int)decode(rtc, rtc->cmos[MONTH]) - 1,
		.tm_year = decode(rtc, rtc->cmos[CENTURY]) * 100 +
			   decode(rtc, rtc->cmos[YEAR]) - 1900,
	};

	rtc->offset = timegm(&tm) - floor_divide(rtc_base(rtc), NSEC_PER_SEC);
	rtc->checked = rtc_seconds(rtc);
}

static bool alarm_matches(const struct rtc *rtc, unsigned int number,
			  uint8_t value)
{
	uint8_t alarm = rtc->cmos[number];

	return (alarm & ALARM_ANY) == ALARM_ANY || alarm == value;
}

/* True if the clock can show the alarm's hour, minute and second. */
static bool alarm_is_possible(const struct rtc *rtc)
{
	bool hours = false, minutes = false, seconds = false;

	for (unsigned int i = 0; i < 24; i++)
		hours |= alarm_matches(rtc, HOURS_ALARM, encode_hour(rtc, i));
	for (unsigned int i = 0; i < 60; i++) {
		minutes |= alarm_matches(rtc, MINUTES_ALARM, encode(rtc, i));
		seconds |= alarm_matches(rtc, SECONDS_ALARM, encode(rtc, i));
	}
	return hours && minutes && seconds;
}

/*
 * Return: the first second from @from on for which the alarm is set, or INT64_MAX.
 * The search takes at most some 200 steps.
 */
static int64_t next_alarm(const struct rtc *rtc, int64_t from)
{
	int64_t day = floor_divide(from, SEC_PER_DAY) * SEC_PER_DAY;
	int64_t end = from + SEC_PER_DAY;

	if (!alarm_is_possible(rtc))
		return INT64_MAX;
	while (from < end) {
		unsigned int second = (from - day) % SEC_PER_DAY;
		unsigned int minute = second / 60;

		if (!alarm_matches(rtc, HOURS_ALARM,
				   encode_hour(rtc, minute / 60)))
			from += 3600 - second % 3600;
		else if (!alarm_matches(rtc, MINUTES_ALARM,
					encode(rtc, minute % 60)))
			from += 60 - second % 60;
		else if (!alarm_matches(rtc, SECONDS_ALARM,
					encode(rtc, second % 60)))
			from++;
		else
			return from;
	}
	return INT64_MAX;
}

/* Return: the crystal's cycles between two periodic interrupts; 0: they are off. */
static uint64_t period_cycles(const struct rtc *rtc)
{
	unsigned int rate = rtc->cmos[REG_A] & A_RATE;

	if (!rate || (rtc->cmos[REG_A] & A_DIVIDER) != A_DIVIDER_32K)
		return 0;
	return 1 << (rate < 3 ? rate + 6 : rate - 1);
}

static uint64_t periods_passed(const struct rtc *rtc)
{
	uint64_t cycles = period_cycles(rtc);

	if (!cycles)
		return 0;
	return (unsigned __int128)loop_now(rtc->config.loop) * CRYSTAL_HZ /
	       NSEC_PER_SEC / cycles;
}

static void rtc_ring(struct rtc *rtc)
{
	rtc->cmos[REG_C] |= FLAG_ALARM;
	if (rtc->config.alarm && (rtc->cmos[REG_B] & FLAG_ALARM))
		rtc->config.alarm(rtc->config.opaque);
}

static void rtc_catch_up(struct rtc *rtc)
{
	uint64_t periods = periods_passed(rtc);
	int64_t now;

	if (periods != rtc->periods)
		rtc->cmos[REG_C] |= FLAG_PERIODIC;
	rtc->periods = periods;
	if (rtc_stopped(rtc))
		return;
	now = rtc_seconds(rtc);
	if (now > rtc->checked) {
		rtc->cmos[REG_C] |= FLAG_UPDATE;
		if (next_alarm(rtc, rtc->checked + 1) <= now)
			rtc_ring(rtc);
	}
	rtc->checked = now;
}

/* Return: the time, by loop_now(), at which the clock will show @second. */
static uint64_t time_of_second(const struct rtc *rtc, int64_t second)
{
	int64_t base = rtc_base(rtc);
	int64_t ahead =
		second - rtc->offset - floor_divide(base, NSEC_PER_SEC) - 1;

	return loop_now(rtc->config.loop) + ahead * NSEC_PER_SEC +
	       NSEC_PER_SEC -
	       (base - floor_divide(base, NSEC_PER_SEC) * NSEC_PER_SEC);
}

/* Return: the time to check for @second, at most WALL_CLOCK_TRUST ahead. */
static uint64_t look_at_second(const struct rtc *rtc, int64_t second)
{
	uint64_t limit = loop_now(rtc->config.loop) + WALL_CLOCK_TRUST;
	uint64_t when = time_of_second(rtc, second);

	return when < limit ? when : limit;
}

static uint64_t time_of_period(const struct rtc *rtc, uint64_t period)
{
	unsigned __int128 cycles =
		(unsigned __int128)period * period_cycles(rtc);

	return (cycles * NSEC_PER_SEC + CRYSTAL_HZ - 1) / CRYSTAL_HZ;
}

/* Sets the timer for the interrupts that are enabled and whose flag is clear. */
static void rtc_schedule(struct rtc *rtc)
{
	uint8_t wanted = rtc->cmos[REG_B] & ~rtc->cmos[REG_C] & FLAGS;
	uint64_t when = NEVER, other;
	int64_t alarm;

	if ((wanted & FLAG_PERIODIC) && period_cycles(rtc))
		when = time_of_period(rtc, rtc->periods + 1);
	if (rtc_stopped(rtc))
		wanted = 0;
	if (wanted & FLAG_UPDATE) {
		other = look_at_second(rtc, rtc->checked + 1);
		when = other < when ? other : when;
	}
	if (wanted & FLAG_ALARM) {
		alarm = next_alarm(rtc, rtc->checked + 1);
		other = alarm == INT64_MAX ? NEVER : look_at_second(rtc, alarm);
		when = other < when ? other : when;
	}
	if (when == NEVER)
		loop_timer_disarm(rtc->timer);
	else
		loop_timer_arm(rtc->timer, when);
}

static void rtc_update_line(struct rtc *rtc)
{
	bool level = rtc->cmos[REG_B] & rtc->cmos[REG_C] & FLAGS;

	rtc->cmos[REG_C] &= ~C_IRQ;
	rtc->cmos[REG_C] |= level ? C_IRQ : 0;
	if (level == rtc->level)
		return;
	rtc->level = level;
	irq_line_set(&rtc->config.irq, level);
}

static void rtc_expired(void *opaque)
{
	struct rtc *rtc = opaque;

	pthread_mutex_lock(&rtc->lock);
	rtc_catch_up(rtc);
	rtc_update_line(rtc);
	rtc_schedule(rtc);
	pthread_mutex_unlock(&rtc->lock);
}

/*
 * Registers A and B stop and start the clock.  SET disables the update interrupt.
 * After a reset of the divider, the first second lasts half a second.
 */
static void control_write(struct rtc *rtc, unsigned int number, uint8_t value)
{
	bool stopped = rtc_stopped(rtc);
	bool was_reset = (rtc->cmos[REG_A] & A_DIVIDER_RESET) ==
			 A_DIVIDER_RESET;

	if (!stopped)
		time_to_registers(rtc);
	if (number == REG_A)
		rtc->cmos[REG_A] = value & ~A_UIP;
	else
		rtc->cmos[REG_B] = value & B_SET ? value & ~B_UIE : value;
	if (was_reset && (value & A_DIVIDER_RESET) != A_DIVIDER_RESET &&
	    number == REG_A)
		rtc->phase = (NSEC_PER_SEC + DIVIDER_NS -
			      rtc->config.wall_clock() % NSEC_PER_SEC) %
			     NSEC_PER_SEC;
	if (stopped && !rtc_stopped(rtc))
		time_from_registers(rtc);
	rtc->periods = periods_passed(rtc);
}

static bool is_time(unsigned int number)
{
	switch (number) {
	case SECONDS:
	case MINUTES:
	case HOURS:
	case WEEKDAY:
	case DAY:
	case MONTH:
	case YEAR:
	case CENTURY:
		return true;
	}
	return false;
}

static void time_write(struct rtc *rtc, unsigned int number, uint8_t value)
{
	bool stopped = rtc_stopped(rtc);

	if (!stopped)
		time_to_registers(rtc);
	rtc->cmos[number] = value;
	if (!stopped)
		time_from_registers(rtc);
}

static void register_write(struct rtc *rtc, unsigned int number, uint8_t value)
{
	if (number == REG_A || number == REG_B)
		control_write(rtc, number, value);
	else if (is_time(number))
		time_write(rtc, number, value);
	else if (number != REG_C && number != REG_D)
		rtc->cmos[number] = value;
}

static uint8_t uip(const struct rtc *rtc)
{
	int64_t base = rtc_base(rtc);
	int64_t into = base - floor_divide(base, NSEC_PER_SEC) * NSEC_PER_SEC;

	if (rtc_stopped(rtc) || into < NSEC_PER_SEC - UPDATE_NS)
		return 0;
	return A_UIP;
}

static uint8_t register_read(struct rtc *rtc, unsigned int number)
{
	uint8_t value;

	if (is_time(number) && !rtc_stopped(rtc))
		time_to_registers(rtc);
	value = rtc->cmos[number];
	if (number == REG_A)
		value |= uip(rtc);
	if (number == REG_C)
		rtc->cmos[REG_C] = 0;
	return value;
}

static void rtc_write(void *opaque, uint64_t offset, const void *data,
		      size_t size)
{
	uint8_t value = *(const uint8_t *)data;
	struct rtc *rtc = opaque;

	(void)size;
	pthread_mutex_lock(&rtc->lock);
	if (offset == 0) {
		rtc->index = value & ~INDEX_NMI_MASK;
		rtc->nmi_masked = value & INDEX_NMI_MASK;
	} else {
		rtc_catch_up(rtc);
		register_write(rtc, rtc->index, value);
		rtc_update_line(rtc);
		rtc_schedule(rtc);
	}
	pthread_mutex_unlock(&rtc->lock);
}

/* The index port cannot be read. */
static void rtc_read(void *opaque, uint64_t offset, void *data, size_t size)
{
	struct rtc *rtc = opaque;
	uint8_t value = 0xff;

	(void)size;
	pthread_mutex_lock(&rtc->lock);
	if (offset && rtc->index == REG_C) {
		rtc_catch_up(rtc);
		rtc_update_line(rtc);
		value = register_read(rtc, REG_C);
		rtc_update_line(rtc);
		rtc_schedule(rtc);
	} else if (offset) {
		value = register_read(rtc, rtc->index);
	}
	pthread_mutex_unlock(&rtc->lock);
	*(uint8_t *)data = value;
}

bool rtc_nmi_masked(struct rtc *rtc)
{
	bool masked;

	pthread_mutex_lock(&rtc->lock);
	masked = rtc->nmi_masked;
	pthread_mutex_unlock(&rtc->lock);
	return masked;
}

static void store_size(uint8_t *cmos, uint64_t size, uint64_t limit)
{
	if (size > limit)
		size = limit;
	for (; limit; limit >>= 8, size >>= 8)
		*cmos++ = size;
}

static uint64_t beyond(uint64_t size, uint64_t start)
{
	return size > start ? size - start : 0;
}

/* Writes what a BIOS writes: control registers, equipment and sizes of memory. */
static void cmos_fill(struct rtc *rtc)
{
	uint64_t low = rtc->config.ram_low, high = rtc->config.ram_high;
	uint64_t extended = beyond(low, 1 << 20) >> 10;
	uint8_t *cmos = rtc->cmos;

	cmos[REG_A] = A_DIVIDER_32K | 6;
	cmos[REG_B] = B_24H;
	cmos[REG_D] = D_VALID;
	cmos[EQUIPMENT] = 0x02;
	store_size(&cmos[BASE_KB], 640, 0xffff);
	store_size(&cmos[EXTENDED_KB], extended, 0xffff);
	store_size(&cmos[EXTENDED_KB_2], extended, 0xffff);
	store_size(&cmos[ABOVE_16M], beyond(low, 16 << 20) >> 16, 0xffff);
	store_size(&cmos[ABOVE_4G], high >> 16, 0xffffff);
}

struct rtc *rtc_new(const struct rtc_config *config)
{
	struct rtc *rtc = calloc(1, sizeof(*rtc));
	struct bus_region region = {
		.name = "rtc",
		.space = BUS_PORT,
		.base = RTC_PORT,
		.size = 2,
		.width = 1,
		.read = rtc_read,
		.write = rtc_write,
		.opaque = rtc,
	};
	int error = 0;

	if (!rtc)
		return NULL;
	pthread_mutex_init(&rtc->lock, NULL);
	rtc->config = *config;
	if (!config->wall_clock)
		rtc->config.wall_clock = host_wall_clock;
	cmos_fill(rtc);
	rtc->checked = rtc_seconds(rtc);
	rtc->periods = periods_passed(rtc);
	rtc->timer = loop_timer_new(config->loop, rtc_expired, rtc);
	if (!rtc->timer)
		error = -errno;
	if (!error)
		error = bus_add(config->bus, &region);
	if (error) {
		rtc_free(rtc);
		errno = -error;
		return NULL;
	}
	return rtc;
}

void rtc_free(void *opaque)
{
	struct rtc *rtc = opaque;

	if (!rtc)
		return;
	if (rtc->timer)
		loop_timer_disarm(rtc->timer);
	pthread_mutex_destroy(&rtc->lock);
	free(rtc);
}

static void *rtc_make(const struct board *board,
		      const struct device_value *values,
		      struct device_error *error)
{
	const struct rtc_config config = {
		.bus = board->bus,
		.loop = board->loop,
		.irq = board_line(board, RTC_IRQ),
		.alarm = board->alarm,
		.opaque = board->opaque,
		.ram_low = ram_low(board->ram),
		.ram_high = ram_high(board->ram),
	};

	(void)values;
	(void)error;
	return rtc_new(&config);
}

/*
 * The battery keeps time and memory.  A reset disables interrupts and clears their
 * flags.  A stopped clock runs on, because a BIOS initializes registers A and B.
 */
static void rtc_reset(void *opaque)
{
	struct rtc *rtc = opaque;

	rtc->cmos[REG_C] = 0;
	if (rtc_stopped(rtc))
		time_from_registers(rtc);
	cmos_fill(rtc);
	rtc->index = 0;
	rtc->nmi_masked = false;
	rtc->checked = rtc_seconds(rtc);
	rtc->periods = periods_passed(rtc);
	rtc_update_line(rtc);
	rtc_schedule(rtc);
}

static const struct record_field rtc_fields[] = {
	RECORD_ANY(1, struct rtc, offset),
	RECORD_ANY(2, struct rtc, phase),
	RECORD_ANY(3, struct rtc, checked),
	RECORD_ANY(4, struct rtc, periods),
	RECORD_FIELD(5, struct rtc, index, RTC_CMOS_SIZE - 1),
	RECORD_BOOL(6, struct rtc, nmi_masked),
	RECORD_ANY(7, struct rtc, cmos),
};

static bool rtc_is_sound(const void *opaque)
{
	const struct rtc *rtc = opaque;

	return rtc->phase >= 0 && rtc->phase < NSEC_PER_SEC &&
	       rtc->offset > -OFFSET_LIMIT && rtc->offset < OFFSET_LIMIT &&
	       rtc->checked > -SECONDS_LIMIT && rtc->checked < SECONDS_LIMIT &&
	       !(rtc->cmos[REG_A] & A_UIP) &&
	       !(rtc->cmos[REG_C] & ~(FLAGS | C_IRQ)) &&
	       rtc->cmos[REG_D] == D_VALID;
}

/*
 * What has passed meanwhile the timer finds, when the machine runs: an interrupt before
 * the vCPUs are loaded would be lost.
 */
static void rtc_loaded(void *opaque)
{
	struct rtc *rtc = opaque;

	rtc_update_line(rtc);
	rtc_schedule(rtc);
}

/* The battery keeps the state; the alarm may have rung meanwhile. */
static void rtc_wake(void *opaque)
{
	struct rtc *rtc = opaque;

	rtc->cmos[SHUTDOWN] = SHUTDOWN_S3;
	rtc_catch_up(rtc);
	rtc_loaded(rtc);
}

const struct device_kind rtc_device = {
	.name = "rtc",
	.about = "the real-time clock and CMOS memory",
	.make = rtc_make,
	.free = rtc_free,
	.reset = rtc_reset,
	.wake = rtc_wake,
	DEVICE_STATE(struct rtc, rtc_fields),
	.is_sound = rtc_is_sound,
	.loaded = rtc_loaded,
};
