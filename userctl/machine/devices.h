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

/* The most devices in a machine. */
#define DEVICES_MAX 64

struct devices;

/**
 * struct device_wish - a device that a machine will have
 * @kind: its kind
 * @number: counts the devices of the kind, from 0
 * @values: values of its options; the wish owns each text that is given
 */
struct device_wish {
	const struct device_kind *kind;
	unsigned int number;
	struct device_value values[DEVICE_MAX_OPTIONS];
};

/**
 * struct device_made - a device that a machine has
 * @kind: its kind
 * @number: counts the devices of the kind
 * @values: those of the wish
 * @device: as made
 * @held: it is held
 */
struct device_made {
	const struct device_kind *kind;
	unsigned int number;
	const struct device_value *values;
	void *device;
	bool held;
};

/**
 * struct devices_wanted - the devices that a machine will have
 * @count: their number
 * @wishes: in the order in which they were asked for
 */
struct devices_wanted {
	size_t count;
	struct device_wish wishes[DEVICES_MAX];
};

/*
 * devices.c: the kinds of devices.
 */

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
 * devices_optional() - true if a machine has no device of the kind unless it is wanted
 * @kind: one of devices_kind()
 */
bool devices_optional(const struct device_kind *kind);

/*
 * device_wishes.c: the devices that a machine will have.
 */

/**
 * devices_default() - want the devices that every machine has, and no others
 */
void devices_default(struct devices_wanted *wanted);

/**
 * devices_want() - want one more device
 * @kind: one of devices_kind(); if it is wanted already and a machine has only one,
 *	nothing changes
 *
 * Return: the values of its options, to be changed by devices_set_number() and
 * devices_set_text(); NULL if DEVICES_MAX are wanted.
 */
struct device_value *devices_want(struct devices_wanted *wanted,
				  const struct device_kind *kind);

/**
 * devices_wants() - get the values of a wanted device's options
 * @number: counts the devices of the kind, from 0
 *
 * Return: the values, or NULL if there is no such wish.
 */
const struct device_value *devices_wants(const struct devices_wanted *wanted,
					 const struct device_kind *kind,
					 unsigned int number);

/**
 * devices_can_start() - tell if firmware has something to start from: a disk, a CD, or a
 * network with a bootindex
 */
bool devices_can_start(const struct devices_wanted *wanted);

/**
 * devices_relative() - find the path of a file that is no absolute one
 *
 * Return: the path, which is a wish's; or NULL: there is none.
 */
const char *devices_relative(const struct devices_wanted *wanted);

/**
 * devices_set_number() - give an option, which is no DEVICE_TEXT, a value
 */
void devices_set_number(struct device_value *value, uint64_t number);

/**
 * devices_set_text() - give a DEVICE_TEXT a value, which is copied
 *
 * Return: 0 or -ENOMEM.
 */
int devices_set_text(struct device_value *value, const char *text);

/**
 * devices_forget() - want no devices, and free the texts
 */
void devices_forget(struct devices_wanted *wanted);

/*
 * device_set.c: the devices that a machine has.
 */

/**
 * devices_new() - make devices, held and in the state in which a BIOS leaves them
 * @board: the board for them; not changed
 * @wanted: must live as long as the devices
 * @error: out: on failure, the device that could not be made, and the reason; the
 *	name is empty if there was no memory for any
 *
 * Return: the devices, or NULL with errno set.
 */
struct devices *devices_new(const struct board *board,
			    const struct devices_wanted *wanted,
			    struct device_error *error);

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
 * devices_hold() - complete or put aside what is in flight, once no vCPU and no loop
 * runs; if that was done already, nothing happens
 *
 * Return: 0 or -errno: some devices are not held.
 */
int devices_hold(struct devices *devices);

/**
 * devices_release() - let devices that are held go on, before vCPUs and loop run
 *
 * Return: 0 or -errno: some devices are still held.
 */
int devices_release(struct devices *devices);

/**
 * devices_save() - append a section for each device to a record
 *
 * Return: 0 or -ENOMEM.
 */
int devices_save(const struct devices *devices, struct record *record);

/**
 * devices_unsaved() - find a device with state that no record has
 * @name: out: the device, as device_error.name
 *
 * Return: what it is; or NULL: all can be saved.
 */
const char *devices_unsaved(const struct devices *devices,
			    char name[DEVICE_NAME_SIZE]);

/**
 * devices_settle() - make stable what the guest has written to files of the host
 * @name: out: on failure, the device, as device_error.name
 *
 * Return: 0 or -errno.
 */
int devices_settle(const struct devices *devices, char name[DEVICE_NAME_SIZE]);

/**
 * devices_lend() - let other machines read what the guest has written to files of the host,
 * or have the files alone again
 * @lend: which of the two
 * @name: out: on failure, the device, as device_error.name
 *
 * Return: 0; -EBUSY others read them; or another -errno, and all files are as before;
 * -ENOTRECOVERABLE they are not, and some that others read by now are still lent.
 */
int devices_lend(const struct devices *devices, bool lend,
		 char name[DEVICE_NAME_SIZE]);

/**
 * devices_stay() - find a device that cannot go to another host while the machine runs
 * @name: out: it, as device_error.name
 *
 * Return: why not, and the remedy; or NULL: all can.
 */
const char *devices_stay(const struct devices *devices,
			 char name[DEVICE_NAME_SIZE]);

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
 * devices_moved() - tell guest and devices, after devices_load(), that another machine may
 * go on from the same state
 */
void devices_moved(struct devices *devices);

/**
 * devices_renew() - give the devices identities of their own, as the machine from which the
 * state comes goes on, too; after devices_moved()
 *
 * Return: 0 or -errno.
 */
int devices_renew(struct devices *devices);

/**
 * devices_keep() - keep what devices_save() does not save, for devices_put_back()
 * @error: out: on failure, the device that cannot, and why
 *
 * Return: 0 or -errno.
 */
int devices_keep(struct devices *devices, struct device_error *error);

/**
 * devices_put_back() - put that back, and what devices_save() has saved
 * @devices: have just been reset
 * @record: made in this process, of the same devices
 * @at: where devices_save() began; moved behind it
 *
 * Return: 0; -EINVAL it has saved other devices.
 */
int devices_put_back(struct devices *devices, const struct record *record,
		     size_t *at);

/**
 * devices_unkeep() - let go of what devices_keep() has kept, if it has; of held devices
 */
void devices_unkeep(struct devices *devices);

/**
 * devices_boot() - list the devices that firmware can start from
 * @list: out: those devices, in the order of making; up to DEVICES_MAX
 *
 * Return: their number.
 */
size_t devices_boot(const struct devices *devices,
		    struct device_boot list[static DEVICES_MAX]);

/**
 * devices_at() - list the devices of the machine, in the order of making
 * @place: from 0
 *
 * Return: the device, or NULL: there are no more.
 */
const struct device_made *devices_at(const struct devices *devices,
				     size_t place);

/**
 * devices_name() - begin the reason why something fails: with a device's name
 * @error: out: no reason yet
 */
void devices_name(struct device_error *error, const struct device_kind *kind,
		  unsigned int number);

/**
 * devices_get() - get a device of the machine
 * @number: counts the devices of the kind, from 0
 *
 * Return: the device, or NULL if the machine has none.
 */
void *devices_get(const struct devices *devices, const struct device_kind *kind,
		  unsigned int number);

#endif
