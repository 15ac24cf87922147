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
#include "board/pci.h"
#include "board/power.h"
#include "board/ram.h"
#include "board/record.h"

/**
 * struct board - the parts that devices are connected to
 * @bus: ports and addresses
 * @pci: the PCI bus, for its functions
 * @loop: event loop with the machine's clock
 * @ram: the guest's memory
 * @power: takes power off, reset and sleep
 * @lines: line 0 of 24; machine/interrupts.h lists them
 * @intr: the line from the PIC's output to vCPU 0
 * @msi: sends an interrupt message; see struct ioapic_config
 * @msi_opaque: for @msi
 * @cpus: number of vCPUs
 * @output: takes what a serial port sends, from a vCPU's thread
 * @drained: called when a serial port has room for input again
 * @alarm: called when the clock's alarm rings, with the clock's lock held
 * @opaque: for @output, @drained and @alarm
 */
struct board {
	struct bus *bus;
	struct pci_bus *pci;
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
 * board_pci_new() - make the board's PCI bus, once it has the parts it is connected to:
 * bus, memory, lines and messages
 *
 * Return: the PCI bus, or NULL with errno set.
 */
struct pci_bus *board_pci_new(const struct board *board);

/**
 * struct device_option - a device's option, whose value is a number
 * @name: NULL ends the list
 * @about: one line of help
 * @value: default
 * @max: largest value
 */
struct device_option {
	const char *name;
	const char *about;
	uint64_t value;
	uint64_t max;
};

#define DEVICE_MAX_OPTIONS 4

/**
 * struct device_kind - a kind of device: how to make, reset, save and load it
 * @name: for the command line and for the stream of a saved machine
 * @about: one line of help
 * @options: up to DEVICE_MAX_OPTIONS, or NULL
 * @make: make a device, in the state in which firmware leaves it; @values are
 *	those of @options, in the same order.  Returns NULL with errno set
 * @free: free a device, which nothing calls any more
 * @reset: put a device back to the state that @make gives it; NULL: it has no
 *	state
 * @wake: the same at the end of sleep in S3, in which some devices keep their
 *	state; NULL: call @reset
 * @size: bytes of the device's structure
 * @fields: the members of that structure which are the device's state
 * @nr_fields: entries of @fields
 * @is_sound: check what @fields cannot express: return true if the device can
 *	reach this combination of values; NULL: @fields suffice
 * @loaded: called after the members were loaded, to arm timers and drive lines;
 *	NULL: nothing is to be done
 *
 * @reset and the functions after it are called while the vCPUs and the clock are
 * stopped, so they need no lock.  The interrupt controllers are loaded before the
 * devices whose lines lead to them.
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

/* The members of struct device_kind that describe the device's state. */
#define DEVICE_STATE(type, table)                \
	.size = sizeof(type), .fields = (table), \
	.nr_fields = sizeof(table) / sizeof((table)[0])

/**
 * device_save_section() - append a section with a device's state to a record
 * @values: values of the device's options, which are part of the state; NULL:
 *	it has none
 *
 * The section has the name of the device's kind.
 *
 * Return: 0 or -ENOMEM.
 */
int device_save_section(const struct device_kind *kind, const void *device,
			const uint64_t *values, struct record *record);

/**
 * device_load_section() - load a device, which has just been reset, from the
 * section of its kind
 *
 * Return: as device_load(); -EINVAL also if there is no such section, or if it was
 * saved with other values of the options.
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
 * device_load() - load a device, which has just been reset, from a record
 *
 * Return: 0; -EINVAL the device can have no such state; -ENOMEM.  On failure
 * nothing has changed.
 */
int device_load(const struct device_kind *kind, void *device,
		const struct record *record);

#endif
