/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The real-time clock with its CMOS memory (Motorola MC146818A), at ports 0x70
 * and 0x71.  It runs with the host's clock; what the guest sets is an offset.
 */
#ifndef LODGE_DEV_RTC_H
#define LODGE_DEV_RTC_H

#include <stdbool.h>
#include <stdint.h>

#include "board/bus.h"
#include "board/device.h"
#include "board/layout.h"
#include "board/line.h"
#include "board/loop.h"

#define RTC_CMOS_SIZE 128

struct rtc;

/**
 * struct rtc_config - configuration of a clock
 * @bus: bus for its ports
 * @loop: for its interrupts
 * @irq: its interrupt line, IRQ 8 of a PC; driven with the clock's lock held
 * @alarm: called when an enabled alarm rings, with the clock's lock held; may be NULL
 * @opaque: for @alarm
 * @wall_clock: the time of day in nanoseconds since 1970-01-01 UTC; NULL: the
 *	host's CLOCK_REALTIME
 * @ram_low: bytes of RAM below 4 GiB, for the CMOS memory
 * @ram_high: bytes of RAM above
 */
struct rtc_config {
	struct bus *bus;
	struct loop *loop;
	struct irq_line irq;
	void (*alarm)(void *opaque);
	void *opaque;
	int64_t (*wall_clock)(void);
	uint64_t ram_low;
	uint64_t ram_high;
};

/**
 * rtc_new() - make a clock
 *
 * Return: the clock, or NULL with errno set.
 */
struct rtc *rtc_new(const struct rtc_config *config);

/**
 * rtc_free() - free it, once nothing calls it any more; NULL is fine
 */
void rtc_free(void *rtc);

/**
 * rtc_nmi_masked() - true if the guest has masked NMIs by bit 7 of port 0x70
 */
bool rtc_nmi_masked(struct rtc *rtc);

/* The clock, for a machine. */
extern const struct device_kind rtc_device;

#endif
