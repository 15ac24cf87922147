/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ACPI tables (ACPI specification 6.0; sections are given by its numbers).
 */
#ifndef LODGE_BOOT_ACPI_H
#define LODGE_BOOT_ACPI_H

#include <stdint.h>

#include "boot/error.h"
#include "machine/ram.h"

/* Guest physical address of the RSDP; it begins the area of all tables. */
#define ACPI_RSDP 0xe0000
#define ACPI_END 0xf0000

/* Where the tables say that the devices are. */
#define ACPI_PM1_EVENT 0x600
#define ACPI_PM1_CONTROL 0x604
#define ACPI_PM_TIMER 0x608
#define ACPI_SCI_IRQ 9
#define ACPI_RESET_PORT 0xcf9
#define ACPI_RESET_VALUE 6
#define ACPI_IOAPIC 0xfec00000
#define ACPI_LAPIC 0xfee00000

/**
 * acpi_write() - write RSDP, RSDT, XSDT, FADT, FACS, MADT and DSDT
 * @ram: they lie between ACPI_RSDP and ACPI_END
 * @cpus: vCPUs, whose APIC IDs count from 0; 1 to LODGE_MAX_VCPUS
 * @error: the reason of a failure
 *
 * Return: 0, or -EINVAL for @cpus.
 */
int acpi_write(const struct ram *ram, unsigned int cpus,
	       struct boot_error *error);

#endif
