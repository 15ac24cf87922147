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
#include "board/doorbell.h"
#include "board/layout.h"
#include "board/line.h"
#include "board/loop.h"
#include "board/pci.h"
#include "board/power.h"
#include "board/ram.h"
#include "board/record.h"

/**
 * struct board_serial - what a serial port is connected to
 * @irq: its interrupt line
 * @output: takes what it sends, from a vCPU's thread; NULL: nothing does
 * @drained: called when it has room for input again; may be NULL
 * @opaque: for both
 */
struct board_serial {
	struct irq_line irq;
	void (*output)(void *opaque, const void *bytes, size_t size);
	void (*drained)(void *opaque);
	void *opaque;
};

/**
 * struct board_checkpoint - what a guest can ask for of the machine's checkpoint
 * @make: make one, of the moment after the access that asks for it
 * @done: put the machine back to it; @value is for the user
 * @pass: counts from the checkpoint, which is 1; 0: there is none
 * @opaque: for all
 *
 * @make and @done are called in a vCPU's thread, whose guest goes on only afterwards.
 */
struct board_checkpoint {
	void (*make)(void *opaque);
	void (*done)(void *opaque, uint32_t value);
	uint32_t (*pass)(void *opaque);
	void *opaque;
};

/**
 * enum fuzz_word - what the guest says
 * @FUZZ_HERE: each run begins here: the guest waits until there is one
 * @FUZZ_DONE: this run is done; like the others, what follows it is undone
 * @FUZZ_CRASH: it has found a fault
 * @FUZZ_MEMORY: it is out of memory
 */
enum fuzz_word {
	FUZZ_HERE = 1,
	FUZZ_DONE,
	FUZZ_CRASH,
	FUZZ_MEMORY,
};

/**
 * struct board_fuzz - what a fuzzer and the guest's harness share
 * @input: the fuzzer's input: its length, 32 bits, and as many bytes
 * @input_size: bytes of room, a multiple of 2 MiB
 * @coverage: where the guest counts what it executes
 * @coverage_size: bytes of room, a multiple of 2 MiB
 * @coverage_used: bytes of it that the fuzzer looks at
 * @run: number of the present run; 0: there was none yet
 * @tell: called in a vCPU's thread with what the guest says, an enum fuzz_word
 * @opaque: for both
 */
struct board_fuzz {
	void *input;
	uint64_t input_size;
	void *coverage;
	uint64_t coverage_size;
	uint32_t coverage_used;
	uint32_t (*run)(void *opaque);
	void (*tell)(void *opaque, uint32_t word);
	void *opaque;
};

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
 * @doorbells: ways around the bus; all zeroes: there are none
 * @cpus: number of vCPUs
 * @serials: what each serial port is connected to
 * @map: let the guest see @size bytes of this process, both multiples of 2 MiB, as memory
 *	that is no RAM, and perhaps not write them; @start is set to the guest's address.
 *	Returns 0 or -errno.  NULL: that cannot be done
 * @alarm: called when the clock's alarm rings, with the clock's lock held
 * @general_event: raises one of ACPI's general-purpose events
 * @opaque: for @map, @alarm and @general_event
 * @checkpoint: the machine's checkpoint, for the guest
 * @fuzz: what a fuzzer shares with the guest; or NULL: there is none
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
	struct doorbells doorbells;
	unsigned int cpus;
	struct board_serial serials[SERIAL_MAX];
	int (*map)(void *opaque, uint64_t size, void *address, bool read_only,
		   uint64_t *start);
	void (*alarm)(void *opaque);
	void (*general_event)(void *opaque, unsigned int number);
	void *opaque;
	struct board_checkpoint checkpoint;
	const struct board_fuzz *fuzz;
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
 * enum device_type - the type of an option's value
 * @DEVICE_NUMBER: decimal, or hexadecimal with 0x
 * @DEVICE_HEX: the same; help and messages write it in hexadecimal
 * @DEVICE_SIZE: bytes, perhaps with K, M, G or T
 * @DEVICE_BOOL: on or off; the option's name alone means on
 * @DEVICE_TEXT: any text but an empty one
 * @DEVICE_CHOICE: one of a list of words
 */
enum device_type {
	DEVICE_NUMBER,
	DEVICE_HEX,
	DEVICE_SIZE,
	DEVICE_BOOL,
	DEVICE_TEXT,
	DEVICE_CHOICE,
};

/**
 * struct device_value - the value of an option
 * @given: the user gave it; otherwise it is the default
 * @number: a number, a size, 0 or 1 of a DEVICE_BOOL, or the index of the choice
 * @text: of a DEVICE_TEXT; NULL: it was not given and has no default
 */
struct device_value {
	bool given;
	uint64_t number;
	const char *text;
};

/**
 * struct device_option - a device's option
 * @name: NULL ends the list
 * @about: one line of help
 * @type: type of its value
 * @required: the user must give it
 * @host: it only tells what the host does, as a file's path: it is no part of the
 *	device's state, and a machine that loads the state may have another value
 * @is_path: it is a file's path, which may be relative to where the machine was started
 * @value: default; of a DEVICE_CHOICE its index; above @max: there is none
 * @text: default of a DEVICE_TEXT, or NULL
 * @min: smallest number or size
 * @max: largest number or size; 0: any
 * @choices: of a DEVICE_CHOICE: the words, with NULL at the end
 * @word: stands for the value in help, such as FILE; NULL: a word for its type
 */
struct device_option {
	const char *name;
	const char *about;
	enum device_type type;
	bool required;
	bool host;
	bool is_path;
	uint64_t value;
	const char *text;
	uint64_t min;
	uint64_t max;
	const char *const *choices;
	const char *word;
};

#define DEVICE_MAX_OPTIONS 16

/* A kind's name and a number. */
#define DEVICE_NAME_SIZE (RECORD_NAME_SIZE + 11)
#define DEVICE_THING_SIZE 256
#define DEVICE_TEXT_SIZE 160

/**
 * struct device_error - why a device cannot be made
 * @name: the device: its kind's name, with its number if there may be several
 * @thing: what failed, such as a file; cut if it is too long; empty: the device
 * @reason: why; empty: errno says it
 * @remedy: what the user can do about it, or empty
 */
struct device_error {
	char name[DEVICE_NAME_SIZE];
	char thing[DEVICE_THING_SIZE];
	char reason[DEVICE_TEXT_SIZE];
	char remedy[DEVICE_TEXT_SIZE];
};

/**
 * device_fail() - say why a device cannot be made
 * @error: as given to make()
 * @err: -errno
 * @thing: what failed, such as a file's path; NULL: the device
 * @reason: why; NULL: as strerror() has it
 * @remedy: what the user can do about it, or NULL
 *
 * Return: NULL, which make() returns; errno is set.
 */
void *device_fail(struct device_error *error, int err, const char *thing,
		  const char *reason, const char *remedy);

/**
 * device_quote() - write a text as an option's value: each comma doubled, as QEMU does
 *
 * Return: to be freed; NULL without memory.
 */
char *device_quote(const char *text);

/**
 * enum boot_class - what firmware starts from a device, in the order in which it tries
 * devices without an index
 */
enum boot_class {
	BOOT_DISK,
	BOOT_CDROM,
	BOOT_NETWORK,
};

#define BOOT_PATH_SIZE 64
/* Comes behind all indices that users give. */
#define BOOT_NO_INDEX UINT32_MAX
#define BOOT_MAX_INDEX 255

/**
 * struct device_boot - how firmware starts from a device
 * @class: what it starts
 * @index: the user's, or BOOT_NO_INDEX: lower ones are tried first
 * @path: Open Firmware's name of the device, as SeaBIOS compares it
 */
struct device_boot {
	enum boot_class class;
	uint32_t index;
	char path[BOOT_PATH_SIZE];
};

/* The option of a kind that firmware starts from. */
#define DEVICE_BOOTINDEX                                                      \
	{                                                                     \
		.name = "bootindex",                                          \
		.about = "without --kernel, what to start from: the lowest "  \
			 "index comes first (default: disks, CDs, networks)", \
		.type = DEVICE_NUMBER, .host = true, .value = BOOT_NO_INDEX,  \
		.max = BOOT_MAX_INDEX,                                        \
	}

struct overlay;

/**
 * struct device_kind - a kind of device: how to make, reset, save and load it
 * @name: for the command line and for the stream of a saved machine; shorter than
 *	RECORD_NAME_SIZE
 * @about: one line of help
 * @many: a machine may have several, which are numbered from 0 in the order in which
 *	they were asked for
 * @shares_ram: it gives guest memory to another process: ram_fd() is a file
 * @options: up to DEVICE_MAX_OPTIONS, or NULL
 * @make: make a device, in the state in which firmware leaves it; @values are
 *	those of @options, in the same order, and live longer than the device.
 *	Returns NULL with errno set, and says in @error what errno cannot
 *	(device_fail())
 * @free: free a device, which nothing calls any more; held or not
 * @reset: put a device back to the state that @make gives it; NULL: it has no
 *	state
 * @wake: the same at the end of sleep in S3, in which some devices keep their
 *	state; NULL: call @reset
 * @hold: called when the machine is held: complete or put aside all work in flight,
 *	so that the members in @fields are the whole state and guest memory does
 *	not change any more; NULL: nothing is ever in flight
 * @release: called before the machine runs again: go on with what was put aside;
 *	NULL: there is nothing
 * @boot: say how firmware starts from the device, whose options have these values; NULL:
 *	it does not
 * @size: bytes of the device's structure
 * @fields: the members of that structure which are the device's state
 * @nr_fields: entries of @fields
 * @is_sound: check what @fields cannot express: return true if the device can
 *	reach this combination of values; NULL: @fields suffice
 * @unsaved: say what of the device's state no record has, as "what it has is in ...";
 *	NULL, or returns NULL: nothing, and the machine can be saved
 * @overlay: get what the guest has written to a disk whose file stays as it is; a file
 *	that the machine is written to has it, too.  NULL, or returns NULL: there is none
 * @settle: called when the machine is written to a file: make stable what the guest has
 *	written to files of the host, which it counts on when it goes on from there.
 *	Returns 0 or -errno; NULL: it writes to none
 * @lend: called when the machine stands still as the template of others: let them read
 *	what the guest has written to files of the host, or, with false, have the files alone
 *	again before it runs on.  Returns 0 or -errno: -EBUSY others read them; NULL: it
 *	writes to none, or shares none
 * @stays: say why the device cannot go to another host while the machine runs, and the
 *	remedy: nobody else may open what it has open, or it writes to guest memory without
 *	ram_wrote(); NULL, or returns NULL: it can
 * @loaded: called after the members were loaded, to arm timers and drive lines;
 *	NULL: nothing is to be done
 * @moved: called after that, if another machine may go on from the same state: the guest
 *	is to learn of it; NULL: nothing is to be done
 * @renew: called last, if the machine from which the state comes goes on, too: give the
 *	device an identity of its own where its options say none.  Returns 0 or -errno;
 *	NULL: it has none
 * @keep: called when a checkpoint is made, perhaps for the second time: keep what the
 *	device has besides @fields and guest memory, as a disk's content, for @put_back.
 *	Returns 0, or -errno after device_fail(): it cannot be put back, or the device
 *	writes to guest memory without ram_wrote(); NULL: neither is so
 * @put_back: called when the machine is put back to the checkpoint, before the members
 *	are loaded; NULL: nothing is to be done
 * @forget: called when there is no checkpoint any more, or none could be made, also
 *	without @keep before: let go of what was kept; NULL: nothing is to be done
 *
 * @reset and the functions after it are called while the vCPUs, the loop and the
 * clock are stopped, so they need no lock against these.  The interrupt controllers
 * are loaded before the devices whose lines lead to them.
 *
 * A device is made held.  @release and @hold, which return 0 or -errno, are called by
 * turns.  State is saved and loaded only while the device is held; @reset and @wake
 * may be called at either time, and drop what is in flight.
 */
struct device_kind {
	const char *name;
	const char *about;
	bool many;
	bool shares_ram;
	const struct device_option *options;
	void *(*make)(const struct board *board,
		      const struct device_value *values,
		      struct device_error *error);
	void (*free)(void *device);
	void (*reset)(void *device);
	void (*wake)(void *device);
	int (*hold)(void *device);
	int (*release)(void *device);
	void (*boot)(const void *device, const struct device_value *values,
		     struct device_boot *boot);
	size_t size;
	const struct record_field *fields;
	size_t nr_fields;
	bool (*is_sound)(const void *device);
	const char *(*unsaved)(const void *device);
	struct overlay *(*overlay)(const void *device);
	int (*settle)(const void *device);
	int (*lend)(const void *device, bool lend);
	const char *(*stays)(const void *device,
			     const struct device_value *values);
	void (*loaded)(void *device);
	void (*moved)(void *device);
	int (*renew)(void *device, const struct device_value *values);
	int (*keep)(void *device, const struct device_value *values,
		    struct device_error *error);
	void (*put_back)(void *device);
	void (*forget)(void *device);
};

/* The members of struct device_kind that describe the device's state. */
#define DEVICE_STATE(type, table)                \
	.size = sizeof(type), .fields = (table), \
	.nr_fields = sizeof(table) / sizeof((table)[0])

/**
 * device_save_section() - append a section with a device's state to a record
 * @number: tells the devices of a kind apart
 * @values: values of the device's options, of which those that are not the host's
 *	are part of the state; NULL: it has none
 *
 * The section has the name of the device's kind, and its number.
 *
 * Return: 0 or -ENOMEM.
 */
int device_save_section(const struct device_kind *kind, unsigned int number,
			const void *device, const struct device_value *values,
			struct record *record);

/**
 * device_load_section() - load a device, which has just been reset, from the
 * section of its kind and number
 *
 * Return: as device_load(); -EINVAL also if there is no such section, or if it was
 * saved with other values of the options.
 */
int device_load_section(const struct device_kind *kind, unsigned int number,
			void *device, const struct device_value *values,
			const struct record *record);

/**
 * device_put_back_section() - put back a device, which has just been reset
 * @record: from device_save_section(), in this process, with the same device
 * @at: where its section begins; moved behind it
 *
 * Return: 0; -EINVAL it was saved of another device.
 */
int device_put_back_section(const struct device_kind *kind, unsigned int number,
			    void *device, const struct record *record,
			    size_t *at);

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
