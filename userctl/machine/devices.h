/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The devices of a machine: all but the interrupt controllers.
 */
#ifndef LODGE_MACHINE_DEVICES_H
#define LODGE_MACHINE_DEVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board/device.h"

#define DEVICES_MAX 16

struct devices;

/**
 * struct devices_wanted - the devices that a machine will have
 * @present: true if it will have the device; by the row of the kind
 * @values: values of the device's options
 */
struct devices_wanted {
	struct {
		bool present;
		uint64_t values[DEVICE_MAX_OPTIONS];
	} row[DEVICES_MAX];
};

/**
 * devices_kind() - get a kind of device by its number
 * @number: counts from 0
 *
 * Return: the kind, or NULL after the last.
 */
const struct device_kind *devices_kind(size_t number);

/**
 * devices_find() - find a kind by its name
 *
 * Return: the kind, or NULL.
 */
const struct device_kind *devices_find(const char *name);

/**
 * devices_default() - want the devices that every machine has
 */
void devices_default(struct devices_wanted *wanted);

/**
 * devices_want() - want one more device
 * @kind: one of devices_kind()
 *
 * Return: the values of its options, to be changed.
 */
uint64_t *devices_want(struct devices_wanted *wanted,
		       const struct device_kind *kind);

/**
 * devices_wants() - get the values of a device's options, or NULL if it is not wanted
 */
const uint64_t *devices_wants(const struct devices_wanted *wanted,
			      const struct device_kind *kind);

/**
 * devices_new() - make devices, in the state in which a BIOS leaves them
 * @board: the board for them; not changed
 * @failed: out: on failure, the name of the kind that could not be made
 *
 * Return: the devices, or NULL with errno set.
 */
struct devices *devices_new(const struct board *board,
			    const struct devices_wanted *wanted,
			    const char **failed);

/**
 * devices_free() - free them, once nothing calls them any more; NULL is fine
 */
void devices_free(struct devices *devices);

/**
 * devices_reset() - reset all devices, while no vCPU runs
 *
 * They get the state that devices_new() gives them, except for what a battery keeps.
 */
void devices_reset(struct devices *devices);

/**
 * devices_wake() - reset the devices that lose their state in S3, while no vCPU runs
 */
void devices_wake(struct devices *devices);

/**
 * devices_save() - append a section for each device to a record
 *
 * Return: 0 or -ENOMEM.
 */
int devices_save(const struct devices *devices, struct record *record);

/**
 * devices_load() - load the devices, which have just been reset, from a record
 * @sections: out: number of the record's sections that are devices'
 *
 * Return: 0; -EINVAL a device's section is missing or invalid; -ENOMEM.  On failure
 * some devices may have changed.
 */
int devices_load(struct devices *devices, const struct record *record,
		 unsigned int *sections);

/**
 * devices_get() - get the machine's device of a kind
 *
 * Return: the device, or NULL if the machine has none.
 */
void *devices_get(const struct devices *devices,
		  const struct device_kind *kind);

#endif
