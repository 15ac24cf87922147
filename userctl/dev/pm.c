// SPDX-License-Identifier: GPL-2.0
/*
 * ACPI's fixed hardware (ACPI specification 6.0, sections 4.8.3 and 4.8.4.1).
 *
 * The timer's status bit is updated when the guest reads it.  The loop's timer runs
 * only while the guest has enabled the timer's interrupt.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dev/pm.h"

#define NSEC_PER_SEC 1000000000ULL

/* Bits of status and enable.  EVENT_TIMER: the timer's top bit has changed. */
#define EVENT_TIMER 0x0001
#define EVENT_POWER_BUTTON 0x0100
#define EVENT_RTC 0x0400
#define EVENT_ALL 0x0721
#define STATUS_WAKE 0x8000
#define STATUS_ALL (EVENT_ALL | STATUS_WAKE)

/* Bits of the control register's bytes. */
#define CONTROL_SCI_EN 0x01
#define CONTROL_BM_RLD 0x02
#define CONTROL_SLP_TYP 0x1c
#define CONTROL_SLP_EN 0x20

#define RESET_CPU 0x04
#define RESET_KEPT 0x0a

/*
 * @lock guards all that changes.  @toggles: changes of the timer's top bit up to the
 * last update.  @general_status, @general_enable: the registers of GPE0.  @asleep: the
 * guest sleeps in S3.
 */
struct pm {
	pthread_mutex_t lock;
	struct loop_timer *timer;
	struct irq_line sci;
	struct power power;
	struct loop *loop;
	uint64_t toggles;
	uint16_t status;
	uint16_t enable;
	uint16_t general_status;
	uint16_t general_enable;
	uint8_t control[PM_CONTROL_SIZE];
	uint8_t reset;
	bool asleep;
	bool level;
};

static uint64_t pm_ticks(const struct pm *pm)
{
	return (unsigned __int128)loop_now(pm->loop) * PM_TIMER_HZ /
	       NSEC_PER_SEC;
}

static void pm_catch_up(struct pm *pm)
{
	uint64_t toggles = pm_ticks(pm) >> (PM_TIMER_BITS - 1);

	if (toggles != pm->toggles)
		pm->status |= EVENT_TIMER;
	pm->toggles = toggles;
}

static void pm_schedule(struct pm *pm)
{
	unsigned __int128 ticks = (unsigned __int128)(pm->toggles + 1)
				  << (PM_TIMER_BITS - 1);

	if (pm->enable & ~pm->status & EVENT_TIMER)
		loop_timer_arm(pm->timer, (ticks * NSEC_PER_SEC + PM_TIMER_HZ -
					   1) / PM_TIMER_HZ);
	else
		loop_timer_disarm(pm->timer);
}

static void pm_update(struct pm *pm)
{
	bool level = pm->status & pm->enable ||
		     pm->general_status & pm->general_enable;

	if (level == pm->level)
		return;
	pm->level = level;
	irq_line_set(&pm->sci, level);
}

/*
 * Lock held.  The power button always wakes the guest; the clock's alarm wakes it only
 * if it is enabled (ACPI specification 6.0, section 4.8.3.1).
 */
static void pm_check_wake(struct pm *pm)
{
	uint16_t events = EVENT_POWER_BUTTON | (pm->enable & EVENT_RTC);

	if (!pm->asleep || !(pm->status & events))
		return;
	pm->asleep = false;
	pm->status |= STATUS_WAKE;
	pm->power.event(pm->power.opaque, POWER_WAKE, 0);
}

static void pm_raise(struct pm *pm, uint16_t event)
{
	pthread_mutex_lock(&pm->lock);
	pm->status |= event;
	pm_update(pm);
	pm_check_wake(pm);
	pthread_mutex_unlock(&pm->lock);
}

void pm_press_power_button(struct pm *pm)
{
	pm_raise(pm, EVENT_POWER_BUTTON);
}

void pm_alarm(struct pm *pm)
{
	pm_raise(pm, EVENT_RTC);
}

void pm_raise_general(struct pm *pm, unsigned int number)
{
	pthread_mutex_lock(&pm->lock);
	pm->general_status |= 1U << number;
	pm_update(pm);
	pthread_mutex_unlock(&pm->lock);
}

static void pm_expired(void *opaque)
{
	struct pm *pm = opaque;

	pthread_mutex_lock(&pm->lock);
	pm_catch_up(pm);
	pm_update(pm);
	pm_schedule(pm);
	pthread_mutex_unlock(&pm->lock);
}

static void event_read(void *opaque, uint64_t offset, void *data, size_t size)
{
	struct pm *pm = opaque;
	uint16_t value;

	(void)size;
	pthread_mutex_lock(&pm->lock);
	pm_catch_up(pm);
	pm_update(pm);
	value = offset < 2 ? pm->status : pm->enable;
	pthread_mutex_unlock(&pm->lock);
	*(uint8_t *)data = value >> offset % 2 * 8;
}

static void event_write(void *opaque, uint64_t offset, const void *data,
			size_t size)
{
	unsigned int shift = offset % 2 * 8;
	uint16_t value = *(const uint8_t *)data << shift;
	struct pm *pm = opaque;

	(void)size;
	pthread_mutex_lock(&pm->lock);
	pm_catch_up(pm);
	if (offset < 2)
		pm->status &= ~(value & STATUS_ALL);
	else
		pm->enable = (pm->enable & ~(0xff << shift)) |
			     (value & EVENT_ALL);
	pm_update(pm);
	pm_schedule(pm);
	pthread_mutex_unlock(&pm->lock);
}

/* The first half of the block is the status, and the second one its mask. */
static void general_read(void *opaque, uint64_t offset, void *data, size_t size)
{
	struct pm *pm = opaque;
	uint16_t value;

	(void)size;
	pthread_mutex_lock(&pm->lock);
	value = offset < PM_GPE_SIZE / 2 ? pm->general_status :
					   pm->general_enable;
	pthread_mutex_unlock(&pm->lock);
	*(uint8_t *)data = value >> offset % 2 * 8;
}

static void general_write(void *opaque, uint64_t offset, const void *data,
			  size_t size)
{
	unsigned int shift = offset % 2 * 8;
	uint16_t value = *(const uint8_t *)data << shift;
	struct pm *pm = opaque;

	(void)size;
	pthread_mutex_lock(&pm->lock);
	if (offset < PM_GPE_SIZE / 2)
		pm->general_status &= ~value;
	else
		pm->general_enable = (pm->general_enable & ~(0xff << shift)) |
				     value;
	pm_update(pm);
	pthread_mutex_unlock(&pm->lock);
}

static void control_read(void *opaque, uint64_t offset, void *data, size_t size)
{
	struct pm *pm = opaque;

	(void)size;
	pthread_mutex_lock(&pm->lock);
	*(uint8_t *)data = pm->control[offset];
	pthread_mutex_unlock(&pm->lock);
}

/* Lock held.  Other sleep types than S5's and S3's are ignored. */
static void pm_sleep(struct pm *pm, uint8_t type)
{
	if (type == PM_SLP_TYP_S5)
		pm->power.event(pm->power.opaque, POWER_OFF, 0);
	if (type != PM_SLP_TYP_S3)
		return;
	pm->asleep = true;
	pm->power.event(pm->power.opaque, POWER_SLEEP, 0);
	/* An event that is pending already wakes the guest at once. */
	pm_check_wake(pm);
}

/* SLP_TYP and SLP_EN are in the upper byte. */
static void control_write(void *opaque, uint64_t offset, const void *data,
			  size_t size)
{
	uint8_t value = *(const uint8_t *)data;
	struct pm *pm = opaque;

	(void)size;
	pthread_mutex_lock(&pm->lock);
	if (offset == 0)
		pm->control[0] = CONTROL_SCI_EN | (value & CONTROL_BM_RLD);
	else
		pm->control[1] = value & CONTROL_SLP_TYP;
	if (offset == 1 && (value & CONTROL_SLP_EN))
		pm_sleep(pm, (value & CONTROL_SLP_TYP) >> 2);
	pthread_mutex_unlock(&pm->lock);
}

static void timer_read(void *opaque, uint64_t offset, void *data, size_t size)
{
	uint32_t ticks = pm_ticks(opaque);

	memcpy(data, (const uint8_t *)&ticks + offset, size);
}

static void reset_read(void *opaque, uint64_t offset, void *data, size_t size)
{
	struct pm *pm = opaque;

	(void)offset;
	(void)size;
	pthread_mutex_lock(&pm->lock);
	*(uint8_t *)data = pm->reset;
	pthread_mutex_unlock(&pm->lock);
}

static void reset_write(void *opaque, uint64_t offset, const void *data,
			size_t size)
{
	uint8_t value = *(const uint8_t *)data;
	struct pm *pm = opaque;

	(void)offset;
	(void)size;
	pthread_mutex_lock(&pm->lock);
	pm->reset = value & RESET_KEPT;
	if (value & RESET_CPU)
		pm->power.event(pm->power.opaque, POWER_RESET, 0);
	pthread_mutex_unlock(&pm->lock);
}

static int pm_add(struct pm *pm, struct bus *bus)
{
	const struct bus_region regions[] = {
		{ .name = "pm-event",
		  .base = PM_EVENT_PORT,
		  .size = PM_EVENT_SIZE,
		  .width = 1,
		  .read = event_read,
		  .write = event_write,
		  .opaque = pm },
		{ .name = "pm-control",
		  .base = PM_CONTROL_PORT,
		  .size = PM_CONTROL_SIZE,
		  .width = 1,
		  .read = control_read,
		  .write = control_write,
		  .opaque = pm },
		{ .name = "pm-general",
		  .base = PM_GPE_PORT,
		  .size = PM_GPE_SIZE,
		  .width = 1,
		  .read = general_read,
		  .write = general_write,
		  .opaque = pm },
		{ .name = "pm-timer",
		  .base = PM_TIMER_PORT,
		  .size = PM_TIMER_SIZE,
		  .read = timer_read,
		  .opaque = pm },
		{ .name = "reset",
		  .base = PM_RESET_PORT,
		  .size = 1,
		  .read = reset_read,
		  .write = reset_write,
		  .opaque = pm },
	};
	int error = 0;

	for (size_t i = 0; !error && i < sizeof(regions) / sizeof(regions[0]);
	     i++)
		error = bus_add(bus, &regions[i]);
	return error;
}

/* The timer keeps counting. */
static void pm_power_on(struct pm *pm)
{
	pm_catch_up(pm);
	pm->status = 0;
	pm->enable = 0;
	pm->general_status = 0;
	pm->general_enable = 0;
	pm->control[0] = CONTROL_SCI_EN;
	pm->control[1] = 0;
	pm->reset = 0;
	pm->asleep = false;
}

struct pm *pm_new(struct bus *bus, struct loop *loop,
		  const struct irq_line *sci, const struct power *power)
{
	struct pm *pm = calloc(1, sizeof(*pm));
	int error = 0;

	if (!pm)
		return NULL;
	pthread_mutex_init(&pm->lock, NULL);
	pm->sci = *sci;
	pm->power = *power;
	pm->loop = loop;
	pm_power_on(pm);
	pm->timer = loop_timer_new(loop, pm_expired, pm);
	if (!pm->timer)
		error = -errno;
	if (!error)
		error = pm_add(pm, bus);
	if (error) {
		pm_free(pm);
		errno = -error;
		return NULL;
	}
	return pm;
}

void pm_free(void *opaque)
{
	struct pm *pm = opaque;

	if (!pm)
		return;
	if (pm->timer)
		loop_timer_disarm(pm->timer);
	pthread_mutex_destroy(&pm->lock);
	free(pm);
}

static void *pm_make(const struct board *board,
		     const struct device_value *values,
		     struct device_error *error)
{
	struct irq_line sci = board_line(board, PM_SCI_IRQ);

	(void)values;
	(void)error;
	return pm_new(board->bus, board->loop, &sci, &board->power);
}

static void pm_reset(void *opaque)
{
	pm_power_on(opaque);
	pm_update(opaque);
	pm_schedule(opaque);
}

/* The status stays: it tells the guest which event has woken it. */
static void pm_wake(void *opaque)
{
	struct pm *pm = opaque;

	pm_catch_up(pm);
	pm->control[1] = 0;
	pm->reset = 0;
	pm_update(pm);
	pm_schedule(pm);
}

static const struct record_field pm_fields[] = {
	RECORD_ANY(1, struct pm, toggles),
	RECORD_FIELD(2, struct pm, status, STATUS_ALL),
	RECORD_FIELD(3, struct pm, enable, EVENT_ALL),
	RECORD_FIELD(4, struct pm, control,
		     CONTROL_SCI_EN | CONTROL_BM_RLD | CONTROL_SLP_TYP << 8),
	RECORD_FIELD(5, struct pm, reset, RESET_KEPT),
	RECORD_BOOL(6, struct pm, asleep),
	RECORD_ANY(7, struct pm, general_status),
	RECORD_ANY(8, struct pm, general_enable),
};

static bool pm_is_sound(const void *opaque)
{
	const struct pm *pm = opaque;

	return pm->control[0] & CONTROL_SCI_EN;
}

static void pm_loaded(void *opaque)
{
	pm_update(opaque);
	pm_schedule(opaque);
}

const struct device_kind pm_device = {
	.name = "pm",
	.about = "ACPI's fixed hardware, and the reset register",
	.make = pm_make,
	.free = pm_free,
	.reset = pm_reset,
	.wake = pm_wake,
	DEVICE_STATE(struct pm, pm_fields),
	.is_sound = pm_is_sound,
	.loaded = pm_loaded,
};
