/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The devices of a machine, each plugged in where a PC has it.
 */
#ifndef LODGE_MACHINE_DEVICES_H
#define LODGE_MACHINE_DEVICES_H

#include <stdbool.h>

#include "board/bus.h"
#include "machine/interrupts.h"
#include "board/loop.h"
#include "board/power.h"
#include "board/ram.h"

struct rtc_battery;

/**
 * struct devices - all but the interrupt controllers
 *
 * Those that the machine does not have are NULL.
 */
struct devices {
	struct serial *serial;
	struct rtc *rtc;
	struct i8042 *i8042;
	struct pit *pit;
	struct pm *pm;
	struct pci *pci;
	struct fwcfg *fwcfg;
	struct debugexit *debugexit;
	struct testdev *testdev;
};

/**
 * struct devices_config - what devices are made with
 * @bus: where they answer
 * @loop: waits for them
 * @interrupts: where their lines lead
 * @ram: for those that tell how much there is
 * @battery: what the clock keeps over a reset
 * @power: whom to tell of the machine's end
 * @cpus: number of vCPUs
 * @testdev: make the test device too
 * @output: takes what the serial port sends, from a vCPU's thread
 * @drained: the serial port has room for input again
 * @opaque: for @output and @drained
 */
struct devices_config {
	struct bus *bus;
	struct loop *loop;
	struct interrupts *interrupts;
	const struct ram *ram;
	struct rtc_battery *battery;
	struct power power;
	unsigned int cpus;
	bool testdev;
	void (*output)(void *opaque, const void *bytes, size_t size);
	void (*drained)(void *opaque);
	void *opaque;
};

/**
 * devices_new() - make all devices, as a BIOS leaves them
 * @devices: to be filled
 *
 * Return: 0 or -errno; either way devices_free() is to be called.
 */
int devices_new(struct devices *devices, const struct devices_config *config);

/**
 * devices_free() - free them, once nothing calls them any more
 */
void devices_free(struct devices *devices);

#endif
