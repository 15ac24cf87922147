/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The MP configuration table (Intel MultiProcessor Specification 1.4), for guests
 * that do not read ACPI's.
 */
#ifndef LODGE_BOOT_MPTABLE_H
#define LODGE_BOOT_MPTABLE_H

#include "board/ram.h"

/* Guest physical address of the floating pointer; the table follows. */
#define MPTABLE 0xf8000
#define MPTABLE_END 0xf9000

/**
 * mptable_write() - write the floating pointer and the table
 * @ram: gets them, between MPTABLE and MPTABLE_END
 * @cpus: number of vCPUs, whose APIC IDs count from 0; 1 to LODGE_MAX_VCPUS
 */
void mptable_write(const struct ram *ram, unsigned int cpus);

#endif
