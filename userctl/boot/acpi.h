/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ACPI tables (ACPI specification 6.0; sections are given by its numbers).
 */
#ifndef LODGE_BOOT_ACPI_H
#define LODGE_BOOT_ACPI_H

#include <stdbool.h>
#include <stdint.h>

#include "board/ram.h"
#include "boot/entry.h"
#include "boot/error.h"

/* Guest physical address of the RSDP; it begins the area of all tables. */
#define ACPI_RSDP 0xe0000
#define ACPI_END 0xf0000

/**
 * acpi_write() - write RSDP, RSDT, XSDT, FADT, FACS, MADT and DSDT
 * @ram: gets the tables, between ACPI_RSDP and ACPI_END
 * @cpus: number of vCPUs, whose APIC IDs count from 0; 1 to LODGE_MAX_VCPUS
 * @error: the reason of a failure
 *
 * The addresses of devices come from board/layout.h.
 *
 * Return: 0, or -EINVAL for @cpus.
 */
int acpi_write(const struct ram *ram, unsigned int cpus,
	       struct boot_error *error);

/**
 * acpi_waking_entry() - get the start state of a guest that wakes from S3 (ACPI
 * specification 6.0, section 5.2.10)
 * @ram: has the FACS with the guest's waking vector
 * @entry: out: the state for vCPU 0
 *
 * Return: true, or false if the guest has set no valid waking vector.
 */
bool acpi_waking_entry(const struct ram *ram, struct boot_entry *entry);

#endif
