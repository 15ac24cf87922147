/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The state in which firmware leaves the processors for an image.
 */
#ifndef LODGE_MACHINE_FIRMWARE_H
#define LODGE_MACHINE_FIRMWARE_H

#include "boot/entry.h"

/**
 * firmware_leave() - prepare vCPU 0 for its image
 * @vcpu: its descriptor; it has not run
 * @entry: the registers the image starts with
 *
 * The local APIC is left in virtual wire mode (Intel MultiProcessor
 * Specification 1.4, section 3.6.2.2): the PIC's interrupts pass by LINT0.
 *
 * Return: 0 or -errno.
 */
int firmware_leave(int vcpu, const struct boot_entry *entry);

/**
 * firmware_cache() - let memory be cached: MTRRs on, write-back by default
 * @vcpu: descriptor of any vCPU; it has not run
 *
 * Linux uses the page attribute table only where this is so.
 *
 * Return: 0 or -errno.
 */
int firmware_cache(int vcpu);

#endif
