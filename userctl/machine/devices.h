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
 * struct devices_wanted - which devices a machine is to have
 * @present: by the row of the kind
 * @values: of its options
 */
struct devices_wanted {
	struct {
		bool present;
		uint64_t values[DEVICE_MAX_OPTIONS];
	} row[DEVICES_MAX];
};

/**
 * devices_kind() - the kinds of devices, one after the other
 * @number: from 0
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
 * devices_default() - want what every machine has
 */
void devices_default(struct devices_wanted *wanted);

/**
 * devices_want() - want a device, too
 * @kind: one of devices_kind()
 *
 * Return: the values of its options, to be changed.
 */
uint64_t *devices_want(struct devices_wanted *wanted,
		       const struct device_kind *kind);

/**
 * devices_wants() - the values of a device's options, or NULL: it is not wanted
 */
const uint64_t *devices_wants(const struct devices_wanted *wanted,
			      const struct device_kind *kind);

/**
 * devices_new() - make devices, as a BIOS leaves them
 * @board: where they go; only looked at
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
 * devices_reset() - put all back to what devices_new() gives, but for what a
 * battery keeps, while no vCPU runs
 */
void devices_reset(struct devices *devices);

/**
 * devices_wake() - the same after sleep in state S3
 */
void devices_wake(struct devices *devices);

/**
 * devices_save() - append a section for each device to a record
 *
 * Return: 0 or -ENOMEM.
 */
int devices_save(const struct devices *devices, struct record *record);

/**
 * devices_load() - give the devices, which have just been reset, the states of a
 * record
 * @sections: out: how many sections of it are devices'
 *
 * Return: 0; -EINVAL: a device has no section, or cannot take its own; -ENOMEM.
 * Some devices may have changed then.
 */
int devices_load(struct devices *devices, const struct record *record,
		 unsigned int *sections);

/**
 * devices_get() - the machine's device of a kind
 *
 * Return: the device, or NULL: it has none.
 */
void *devices_get(const struct devices *devices,
		  const struct device_kind *kind);

#endif
