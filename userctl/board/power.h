/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The power supply, by which a device ends its machine, resets it, puts it to sleep
 * or wakes it.
 */
#ifndef LODGE_BOARD_POWER_H
#define LODGE_BOARD_POWER_H

enum power_event {
	POWER_OFF, /* the guest powers off */
	POWER_RESET, /* the guest resets the machine */
	POWER_EXIT, /* the guest ends the controller with a code */
	POWER_SLEEP, /* the guest goes to sleep: ACPI state S3 */
	POWER_WAKE, /* a sleeping guest is woken */
};

/**
 * struct power - the receiver of power events
 * @event: may be called from any thread, and returns at once; @code is for
 *	POWER_EXIT
 * @opaque: the machine
 */
struct power {
	void (*event)(void *opaque, enum power_event event, int code);
	void *opaque;
};

#endif
