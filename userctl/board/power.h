/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The power supply: how a device ends its machine, restarts it or puts it to sleep.
 */
#ifndef LODGE_BOARD_POWER_H
#define LODGE_BOARD_POWER_H

enum power_event {
	POWER_OFF, /* the guest has powered off */
	POWER_RESET, /* the guest wants a reset */
	POWER_EXIT, /* the guest ends the controller with a code */
	POWER_SLEEP, /* the guest sleeps: state S3 of ACPI */
	POWER_WAKE, /* something has woken a guest that sleeps */
};

/**
 * struct power - whom to tell
 * @event: called from any thread; returns at once; @code is for POWER_EXIT
 * @opaque: the machine
 */
struct power {
	void (*event)(void *opaque, enum power_event event, int code);
	void *opaque;
};

#endif
