/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The PC's timer (Intel 8254) with the system control port 0x61, which controls the
 * gate of channel 2 and shows its output.
 *
 * No counter runs: reads compute a channel's count from loop_now().  If the host is
 * late, several interrupts of channel 0 become one.  There are at most 20,000 a
 * second.
 */
#ifndef LODGE_DEV_PIT_H
#define LODGE_DEV_PIT_H

#include "board/bus.h"
#include "board/device.h"
#include "board/layout.h"
#include "board/line.h"
#include "board/loop.h"

/* Input clock of all channels. */
#define PIT_HZ 1193182ULL

struct pit;

/**
 * pit_new() - make a timer
 * @bus: for its ports 0x40 to 0x43 and 0x61
 * @irq: the output of channel 0; driven with the timer's lock held
 *
 * Return: the timer, or NULL with errno set.
 */
struct pit *pit_new(struct bus *bus, struct loop *loop,
		    const struct irq_line *irq);

/**
 * pit_free() - free it, once nothing calls it any more; NULL is fine
 */
void pit_free(void *pit);

/**
 * pit_setup_as_bios() - program it as a PC's BIOS leaves it: channel 0 ticks
 * 18.2 times a second, channel 1 refreshes memory
 */
void pit_setup_as_bios(struct pit *pit);

/* The timer, for a machine. */
extern const struct device_kind pit_device;

#endif
