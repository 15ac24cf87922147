/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ACPI's fixed hardware (ACPI specification 6.0, section 4.8): the PM1a event
 * and control registers, the power-management timer and the reset register.
 * There is no other mode than ACPI's: SCI_EN is always set.
 */
#ifndef LODGE_DEV_PM_H
#define LODGE_DEV_PM_H

#include "machine/bus.h"
#include "machine/line.h"
#include "machine/loop.h"
#include "machine/power.h"

#define PM_EVENT_PORT 0x600
#define PM_CONTROL_PORT 0x604
#define PM_TIMER_PORT 0x608
#define PM_RESET_PORT 0xcf9

#define PM_EVENT_SIZE 4
#define PM_CONTROL_SIZE 2
#define PM_TIMER_SIZE 4

#define PM_SCI_IRQ 9
#define PM_TIMER_HZ 3579545ULL
#define PM_TIMER_BITS 32

/* SLP_TYP of state S5, soft off: what \_S5 in the DSDT gives. */
#define PM_SLP_TYP_S5 5
/* What the FADT has the guest write to the reset register. */
#define PM_RESET_VALUE 0x06

struct pm;

/**
 * pm_new() - make it
 * @sci: the system control interrupt, level-triggered; driven with its lock held
 * @power: whom to tell of power off and reset
 *
 * Return: the device, or NULL with errno set.
 */
struct pm *pm_new(struct bus *bus, struct loop *loop,
		  const struct irq_line *sci, const struct power *power);

/**
 * pm_free() - free it, once nothing calls it any more; NULL is fine
 */
void pm_free(struct pm *pm);

#endif
