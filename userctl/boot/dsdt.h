/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The definition block of the DSDT, for what ACPI's fixed tables cannot express.
 */
#ifndef LODGE_BOOT_DSDT_H
#define LODGE_BOOT_DSDT_H

#include "boot/aml.h"

/**
 * dsdt_build() - write the sleep states, the processors, the PCI host bridge and
 * the ISA devices
 * @aml: AML is appended here
 * @cpus: processors, whose _UID counts from 0 as in the MADT; at most 256
 */
void dsdt_build(struct aml *aml, unsigned int cpus);

#endif
