/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ACPI's fixed hardware (ACPI specification 6.0, section 4.8): the PM1a event
 * and control registers, the general-purpose events of GPE0, the power-management timer
 * and the reset register.  There is no legacy mode: SCI_EN is always set.
 */
#ifndef LODGE_DEV_PM_H
#define LODGE_DEV_PM_H

#include "board/bus.h"
#include "board/device.h"
#include "board/layout.h"
#include "board/line.h"
#include "board/loop.h"
#include "board/power.h"

#define PM_TIMER_HZ 3579545ULL

struct pm;

/**
 * pm_new() - make it
 * @sci: the system control interrupt, level-triggered; driven with its lock held
 * @power: receives power off, reset, sleep and waking
 *
 * Return: the device, or NULL with errno set.
 */
struct pm *pm_new(struct bus *bus, struct loop *loop,
		  const struct irq_line *sci, const struct power *power);

/**
 * pm_free() - free it, once nothing calls it any more; NULL is fine
 */
void pm_free(void *pm);

/**
 * pm_press_power_button() - press the power button; any thread may call
 */
void pm_press_power_button(struct pm *pm);

/**
 * pm_alarm() - report the clock's alarm; any thread may call
 */
void pm_alarm(struct pm *pm);

/**
 * pm_raise_general() - raise a general-purpose event; any thread may call
 * @number: 0 to PM_GPE_EVENTS - 1: the method \_GPE._Exx of that number is its handler
 */
void pm_raise_general(struct pm *pm, unsigned int number);

/* ACPI's fixed hardware, for a machine. */
extern const struct device_kind pm_device;

#endif
