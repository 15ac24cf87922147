/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The definition block of the DSDT, for what ACPI's fixed tables cannot express.
 */
#ifndef LODGE_BOOT_DSDT_H
#define LODGE_BOOT_DSDT_H

#include "board/ram.h"
#include "boot/aml.h"

/**
 * struct dsdt_parts - what a machine has of that of which machines have more or less
 * @cpus: processors; at most 256
 * @serials: the serial ports that there are: bit 0 for COM1, up to bit 3
 */
struct dsdt_parts {
	unsigned int cpus;
	unsigned int serials;
};

/**
 * dsdt_build() - write the sleep states, the processors, the PCI host bridge, the
 * generation counter and the ISA devices
 * @aml: AML is appended here
 * @ram: the bridge's window is above it
 * @parts: what the machine has
 *
 * The processors' _UID counts from 0 as in the MADT.
 */
void dsdt_build(struct aml *aml, const struct ram *ram,
		const struct dsdt_parts *parts);

#endif
