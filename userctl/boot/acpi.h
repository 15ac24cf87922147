/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ACPI tables (ACPI specification 6.0; sections are given by its numbers).
 */
#ifndef LODGE_BOOT_ACPI_H
#define LODGE_BOOT_ACPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board/ram.h"
#include "boot/dsdt.h"
#include "boot/entry.h"
#include "boot/error.h"
#include "boot/linker.h"

/* Guest physical address of the RSDP; it begins the area of all tables. */
#define ACPI_RSDP 0xe0000
#define ACPI_END 0xf0000

/**
 * acpi_write() - write RSDP, RSDT, XSDT, FADT, FACS, MADT, MCFG and DSDT
 * @ram: gets the tables, between ACPI_RSDP and ACPI_END
 * @parts: what the machine has; its vCPUs' APIC IDs count from 0; 1 to LODGE_MAX_VCPUS
 * @error: the reason of a failure
 *
 * The addresses of devices come from board/layout.h.
 *
 * Return: 0, or -EINVAL for the number of vCPUs.
 */
int acpi_write(const struct ram *ram, const struct dsdt_parts *parts,
	       struct boot_error *error);

/* The tables as files, with QEMU's names. */
#define ACPI_FILE_RSDP "etc/acpi/rsdp"
#define ACPI_FILE_TABLES "etc/acpi/tables"

/**
 * struct acpi_files - the tables for firmware, which chooses their addresses
 * @rsdp: contents of ACPI_FILE_RSDP
 * @rsdp_size: bytes of @rsdp
 * @tables: contents of ACPI_FILE_TABLES, the other tables
 * @tables_size: bytes of @tables
 * @linker: says how to load both
 */
struct acpi_files {
	void *rsdp;
	size_t rsdp_size;
	void *tables;
	size_t tables_size;
	struct linker linker;
};

/**
 * acpi_files_make() - make the tables that acpi_write() writes, for firmware
 * @files: to be filled
 * @ram: its size counts
 * @parts: as for acpi_write()
 *
 * Return: 0; -EINVAL for the number of vCPUs; -ENOSPC the script is too long; -ENOMEM.
 * On failure nothing is to be freed.
 */
int acpi_files_make(struct acpi_files *files, const struct ram *ram,
		    const struct dsdt_parts *parts, struct boot_error *error);

/**
 * acpi_files_free() - free what acpi_files_make() has allocated
 */
void acpi_files_free(struct acpi_files *files);

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
