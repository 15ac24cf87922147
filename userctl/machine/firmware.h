/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sets the processors up for an image, as firmware does.
 */
#ifndef LODGE_MACHINE_FIRMWARE_H
#define LODGE_MACHINE_FIRMWARE_H

#include "boot/entry.h"

/**
 * firmware_leave() - set up vCPU 0 for its image
 * @vcpu: its descriptor; it has not run
 * @entry: the registers the image starts with
 *
 * The local APIC gets virtual wire mode (Intel MultiProcessor Specification 1.4,
 * section 3.6.2.2): the PIC's interrupts come through LINT0.
 *
 * Return: 0 or -errno.
 */
int firmware_leave(int vcpu, const struct boot_entry *entry);

/**
 * firmware_cache() - enable caching: MTRRs on, write-back by default
 * @vcpu: descriptor of any vCPU; it has not run
 *
 * Linux uses the page attribute table only if the MTRRs are on.
 *
 * Return: 0 or -errno.
 */
int firmware_cache(int vcpu);

#endif
