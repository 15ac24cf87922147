/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A kind of device, and the board on which it makes devices.
 *
 * A new device is one file, which ends with its kind, and one row in the table of
 * machine/devices.c.
 */
#ifndef LODGE_BOARD_DEVICE_H
#define LODGE_BOARD_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board/bus.h"
#include "board/line.h"
#include "board/loop.h"
#include "board/power.h"
#include "board/ram.h"
#include "board/record.h"

/**
 * struct board - what devices are plugged into
 * @bus: where they answer
 * @loop: waits for them, and has the machine's clock
 * @ram: the guest's memory
 * @power: whom to tell of the machine's end
 * @lines: line 0 of 24, by number, as machine/interrupts.h has them
 * @intr: where the PIC's output leads
 * @msi: sends an interrupt message, as struct ioapic_config has it
 * @msi_opaque: for @msi
 * @cpus: number of vCPUs
 * @output: takes what a serial port sends, from a vCPU's thread
 * @drained: a serial port has room for input again
 * @alarm: the clock's alarm has rung; called with the clock's lock held
 * @opaque: for @output, @drained and @alarm
 */
struct board {
	struct bus *bus;
	struct loop *loop;
	const struct ram *ram;
	struct power power;
	struct irq_line lines;
	struct irq_line intr;
	bool (*msi)(void *opaque, uint64_t address, uint32_t data);
	void *msi_opaque;
	unsigned int cpus;
	void (*output)(void *opaque, const void *bytes, size_t size);
	void (*drained)(void *opaque);
	void (*alarm)(void *opaque);
	void *opaque;
};

/**
 * board_line() - one of the board's interrupt lines
 */
static inline struct irq_line board_line(const struct board *board,
					 unsigned int number)
{
	struct irq_line line = board->lines;

	line.number += number;
	return line;
}

/**
 * struct device_option - a number that the user may give a device
 * @name: NULL ends the list
 * @about: one line of help
 * @value: what it is by itself
 * @max: the largest that it may be
 */
struct device_option {
	const char *name;
	const char *about;
	uint64_t value;
	uint64_t max;
};

#define DEVICE_MAX_OPTIONS 4

/**
 * struct device_kind - how devices of a kind are made, kept and restored
 * @name: for the command line and for the stream of a saved machine
 * @about: one line of help
 * @options: up to DEVICE_MAX_OPTIONS, or NULL
 * @make: make one, as firmware leaves it; @values are those of @options, in
 *	their order.  Returns NULL with errno set
 * @free: free one, once nothing calls it any more
 * @reset: put it back to what @make gives, in place; NULL: it has no state
 * @wake: the same after sleep in state S3, in which some devices keep their state;
 *	NULL: it is a reset
 * @size: of its structure, in bytes
 * @fields: the members of that structure which are its state
 * @nr_fields: how many
 * @is_sound: whether these members have values that the device can come to,
 *	beyond what @fields say; NULL: they say it all
 * @loaded: the members have been loaded: arm timers, drive lines; NULL: nothing
 *
 * From @reset on down all is for machines whose vCPUs and whose clock stand
 * still, in the loop's thread: no lock is needed.  The interrupt controllers are
 * loaded before what leads to them.
 */
struct device_kind {
	const char *name;
	const char *about;
	const struct device_option *options;
	void *(*make)(const struct board *board, const uint64_t *values);
	void (*free)(void *device);
	void (*reset)(void *device);
	void (*wake)(void *device);
	size_t size;
	const struct record_field *fields;
	size_t nr_fields;
	bool (*is_sound)(const void *device);
	void (*loaded)(void *device);
};

/* The part of a kind that says what its state is. */
#define DEVICE_STATE(type, table)                \
	.size = sizeof(type), .fields = (table), \
	.nr_fields = sizeof(table) / sizeof((table)[0])

/**
 * device_save_section() - append a device's state to a record of sections, under
 * the name of its kind
 * @values: of its options, which are part of the state; NULL: it has none
 *
 * Return: 0 or -ENOMEM.
 */
int device_save_section(const struct device_kind *kind, const void *device,
			const uint64_t *values, struct record *record);

/**
 * device_load_section() - give a device, which has just been reset, the state
 * that the section of its kind has
 *
 * Return: as device_load() does; -EINVAL also when there is no section, or it is of
 * a device with other options.
 */
int device_load_section(const struct device_kind *kind, void *device,
			const uint64_t *values, const struct record *record);

/**
 * device_save() - append a device's state to a record
 *
 * Return: 0 or -ENOMEM.
 */
int device_save(const struct device_kind *kind, const void *device,
		struct record *record);

/**
 * device_load() - give a device, which has just been reset, another's state
 *
 * Return: 0; -EINVAL for a state that the device cannot be in, and -ENOMEM:
 * nothing has changed.
 */
int device_load(const struct device_kind *kind, void *device,
		const struct record *record);

#endif
