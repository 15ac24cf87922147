/* SPDX-License-Identifier: GPL-2.0 */
/*
 * PCI bus 0: its functions, their configuration space, their memory and ports, and
 * their interrupts (PCI Local Bus Specification 3.0; sections are given by its numbers).
 *
 * Functions are added while the machine is built and never removed.  As firmware does,
 * the bus gives their base address registers (BARs) addresses; the guest can change them.
 *
 * A BAR answers while COMMAND enables it and all its addresses are free: RAM, ECAM, the
 * area from IOAPIC_BASE to 4 GiB, and what is on the bus of the machine come first, and
 * then the BARs of lower devices, functions and numbers.  One that overlaps any of these
 * answers nowhere, until it or the other is moved away.
 *
 * Locks: the bus has one for configuration space, and each function one for its
 * messages.  pci_msix_notify(), pci_msix_enabled() and pci_intx_set() may be called with
 * the device's lock held; all that the bus calls in a device may take that lock.
 */
#ifndef LODGE_BOARD_PCI_H
#define LODGE_BOARD_PCI_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board/bus.h"
#include "board/line.h"
#include "board/ram.h"
#include "board/record.h"

#define PCI_CONFIG_SIZE 256
#define PCI_NR_BARS 6
/* Device numbers, and functions of each. */
#define PCI_DEVICES 32
#define PCI_FUNCTIONS 8

/* Registers of a header of type 0 (section 6.1), and bits of them. */
#define PCI_VENDOR_ID 0x00
#define PCI_DEVICE_ID 0x02
#define PCI_COMMAND 0x04
#define PCI_COMMAND_PORT 0x0001
#define PCI_COMMAND_MEMORY 0x0002
#define PCI_COMMAND_MASTER 0x0004
#define PCI_COMMAND_INTX_DISABLE 0x0400
#define PCI_STATUS 0x06
#define PCI_STATUS_INTX 0x0008
#define PCI_STATUS_CAPABILITIES 0x0010
#define PCI_REVISION 0x08
#define PCI_INTERFACE 0x09
#define PCI_SUBCLASS 0x0a
#define PCI_BASE_CLASS 0x0b
#define PCI_HEADER_TYPE 0x0e
#define PCI_HEADER_MULTIFUNCTION 0x80
#define PCI_BAR 0x10
#define PCI_SUBSYSTEM_VENDOR_ID 0x2c
#define PCI_SUBSYSTEM_ID 0x2e
#define PCI_CAPABILITIES 0x34
#define PCI_INTERRUPT_LINE 0x3c
#define PCI_INTERRUPT_PIN 0x3d
/* The header ends here, and capabilities begin. */
#define PCI_HEADER_SIZE 0x40

#define PCI_CAPABILITY_MSIX 0x11
#define PCI_CAPABILITY_VENDOR 0x09

#define PCI_MSIX_MAX_VECTORS 256
#define PCI_MSIX_ENTRY_SIZE 16

/* The address of a BAR that does not answer. */
#define PCI_BAR_OFF UINT64_MAX

struct pci_bus;

enum pci_bar_kind {
	PCI_BAR_NONE,
	PCI_BAR_MEMORY32,
	PCI_BAR_MEMORY64, /* takes the place of the next BAR, too */
	PCI_BAR_PORT,
};

/**
 * struct pci_bar - a base address register and what is behind it
 * @kind: memory or ports
 * @size: bytes, a power of two: memory from 16 on, ports from 4 to 256
 * @prefetchable: reads have no side effects
 * @read: fill @data with @size bytes from @offset; NULL: all ones
 * @write: take @size bytes; NULL: they are dropped
 * @moved: the guest has put it to @address, or switched it off: PCI_BAR_OFF; for
 *	doorbells and memory slots.  Called with the bus's lock held: it must call nothing
 *	of the bus but what the head of this file allows.  NULL: nothing is to be done
 * @address: where it answers, or PCI_BAR_OFF; the bus writes it
 *
 * An access has 1 to 16 bytes of memory, or 1, 2 or 4 ports, and does not reach past the
 * end.  Any vCPU's thread may call @read and @write, at the same time, without a lock.
 */
struct pci_bar {
	enum pci_bar_kind kind;
	uint64_t size;
	bool prefetchable;
	void (*read)(void *opaque, uint64_t offset, void *data, size_t size);
	void (*write)(void *opaque, uint64_t offset, const void *data,
		      size_t size);
	void (*moved)(void *opaque, uint64_t address);
	uint64_t address;
};

/**
 * struct pci_msix - a function's message-signalled interrupts (section 6.8.2)
 * @lock: guards what changes: @enabled, @open, @table and @pending
 * @vectors: number of them; 0: it has none
 * @bar: BAR of table and pending bits
 * @capability: offset of the capability
 * @table_offset: in the BAR; the pending bits follow the table
 * @enabled: the guest has enabled messages; read without a lock, too
 * @open: messages can be sent: they are enabled, and not all masked
 * @table: as the guest sees it
 * @pending: a bit for each vector whose message waits for its mask to be cleared
 */
struct pci_msix {
	pthread_mutex_t lock;
	unsigned int vectors;
	unsigned int bar;
	uint8_t capability;
	uint32_t table_offset;
	bool enabled;
	bool open;
	uint8_t table[PCI_MSIX_MAX_VECTORS * PCI_MSIX_ENTRY_SIZE];
	uint8_t pending[PCI_MSIX_MAX_VECTORS / 8];
};

/**
 * struct pci_message - the message of a vector
 */
struct pci_message {
	uint64_t address;
	uint32_t data;
};

/**
 * struct pci_function - a function, embedded in its device, which zeroes it
 * @config: configuration space
 * @writable: the bits of @config that the guest can write
 * @first: @config as it was when the function was added
 * @bars: base address registers
 * @opaque: for the calls
 * @config_read: answer a read of configuration space; return false for the usual
 *	answer.  Called without a lock.  NULL: the usual answer
 * @config_written: the guest has written here.  Called without a lock.  NULL: nothing is
 *	to be done
 * @message: the guest has changed the message of @vector: from now on it is @message, or
 *	NULL while it is masked or off.  Called with the bus's lock held, as @moved.  For
 *	senders outside of this process.  NULL: nothing is to be done
 * @msix: message-signalled interrupts
 * @level: level of the interrupt line; guarded by the bus's lock for lines
 * @disabled: the guest has disabled the line; guarded like @level
 * @asserted: @level reaches the line, which it does not while messages are enabled
 *	(section 6.8.2.3); guarded like @level
 * @bus: the bus, once the function was added
 * @devfn: its place there: device number in bits 7 to 3, function number in bits 2 to 0
 * @last: offset of the last capability, or 0
 * @end: end of the last capability, or 0
 *
 * The device sets @writable, @bars, @opaque and the calls; pci_function_init(),
 * pci_add_capability() and pci_add_msix() set what they name.  Once the function was
 * added, the bus guards @config; the device reads it by pci_config_get().
 */
struct pci_function {
	uint8_t config[PCI_CONFIG_SIZE];
	uint8_t writable[PCI_CONFIG_SIZE];
	uint8_t first[PCI_CONFIG_SIZE];
	struct pci_bar bars[PCI_NR_BARS];
	void *opaque;
	bool (*config_read)(void *opaque, uint8_t offset, void *data,
			    size_t size);
	void (*config_written)(void *opaque, uint8_t offset, size_t size);
	void (*message)(void *opaque, unsigned int vector,
			const struct pci_message *message);
	struct pci_msix msix;
	bool level;
	bool disabled;
	bool asserted;
	struct pci_bus *bus;
	uint8_t devfn;
	uint8_t last;
	unsigned int end;
};

/**
 * struct pci_identity - a function's identity
 * @class: base class, subclass and interface, of 8 bits each
 */
struct pci_identity {
	uint16_t vendor;
	uint16_t device;
	uint16_t subsystem_vendor;
	uint16_t subsystem;
	uint32_t class;
	uint8_t revision;
};

/**
 * struct pci_bus_config - what a PCI bus is connected to
 * @bus: passes on what nothing else answers
 * @ram: memory comes before BARs; NULL: there is none
 * @lines: line 0 of the board
 * @msi: sends a message; see struct ioapic_config
 * @msi_opaque: for @msi
 */
struct pci_bus_config {
	struct bus *bus;
	const struct ram *ram;
	struct irq_line lines;
	bool (*msi)(void *opaque, uint64_t address, uint32_t data);
	void *msi_opaque;
};

/**
 * pci_bus_new() - make a PCI bus without functions
 *
 * Return: the PCI bus, or NULL with errno set.
 */
struct pci_bus *pci_bus_new(const struct pci_bus_config *config);

/**
 * pci_bus_free() - free it, once nothing calls it any more; NULL is fine
 */
void pci_bus_free(struct pci_bus *pci);

/**
 * pci_window() - get the addresses above RAM that BARs may have
 * @last: out: the last address
 *
 * Return: the first address.
 */
uint64_t pci_window(const struct ram *ram, uint64_t *last);

/**
 * pci_gsi() - get the IOAPIC's pin of a function's interrupt pin
 * @device: its device number
 * @pin: 0 to 3, for INTA to INTD
 */
unsigned int pci_gsi(unsigned int device, unsigned int pin);

/**
 * pci_isa_irq() - get the ISA interrupt of a function's interrupt pin, for guests that
 * use the PIC; see pci_gsi()
 */
unsigned int pci_isa_irq(unsigned int device, unsigned int pin);

/**
 * pci_function_init() - write a function's identity to its configuration space
 */
void pci_function_init(struct pci_function *function,
		       const struct pci_identity *identity);

/**
 * pci_add_capability() - append a capability, before the function is added
 * @id: its ID (appendix H)
 * @body: what follows ID and pointer; the guest cannot write it, unless the device
 *	changes @writable
 * @size: of @body
 *
 * Return: its offset in configuration space, a multiple of 4; -ENOSPC there is no room.
 */
int pci_add_capability(struct pci_function *function, uint8_t id,
		       const void *body, size_t size);

/**
 * pci_add_msix() - give a function message-signalled interrupts, before it is added
 * @bar: number of a BAR of memory, whose size is set
 * @offset: of the table, a multiple of 8; the pending bits follow it
 * @vectors: 1 to PCI_MSIX_MAX_VECTORS
 *
 * The function answers accesses to them itself, before the BAR's calls.
 *
 * Return: 0; -EINVAL table and pending bits are not in the BAR; -ENOSPC there is no
 * room for the capability.
 */
int pci_add_msix(struct pci_function *function, unsigned int bar,
		 uint32_t offset, unsigned int vectors);

/**
 * pci_bus_add() - add a function
 * @device: device number, 0 to 31
 * @number: function number, 0 to 7
 * @function: must not move
 *
 * Its BARs get addresses, and COMMAND enables them, as firmware leaves them.
 *
 * Return: 0; -EEXIST there is one; -EINVAL a number, or the size or place of a BAR, is
 * out of range; -ENOSPC there is no room for a BAR.
 */
int pci_bus_add(struct pci_bus *pci, unsigned int device, unsigned int number,
		struct pci_function *function);

/**
 * pci_bus_plug() - add a function as a device of its own, with interrupt pin A
 *
 * It gets the lowest free device number from 1 on.
 *
 * Return: as pci_bus_add(); -ENOSPC also if all numbers are taken.
 */
int pci_bus_plug(struct pci_bus *pci, struct pci_function *function);

/**
 * pci_bus_read() - read from configuration space
 * @devfn: device number in bits 7 to 3, function number in bits 2 to 0
 * @offset: the first byte; the access stays within four aligned bytes
 *
 * An absent function reads as all ones.
 */
void pci_bus_read(struct pci_bus *pci, uint8_t devfn, uint8_t offset,
		  void *data, size_t size);

/**
 * pci_bus_write() - write to configuration space; see pci_bus_read()
 */
void pci_bus_write(struct pci_bus *pci, uint8_t devfn, uint8_t offset,
		   const void *data, size_t size);

/**
 * pci_config_get() - get bytes of a function's configuration space, for its device
 *
 * It takes the bus's lock.
 */
void pci_config_get(struct pci_function *function, uint8_t offset, void *data,
		    size_t size);

/**
 * pci_bus_has() - tell if there is a function
 */
bool pci_bus_has(const struct pci_bus *pci, uint8_t devfn);

/**
 * pci_bar_read() - read from a BAR as the guest does, wherever it is
 * @bar: any number
 *
 * Return: false if the function has no such bytes; @data is all ones then.
 */
bool pci_bar_read(struct pci_function *function, unsigned int bar,
		  uint64_t offset, void *data, size_t size);

/**
 * pci_bar_write() - write to a BAR; see pci_bar_read()
 */
bool pci_bar_write(struct pci_function *function, unsigned int bar,
		   uint64_t offset, const void *data, size_t size);

/**
 * pci_msix_notify() - send the message of a vector, or set it pending while it is masked
 * @vector: a number that the function does not have is ignored
 *
 * Nothing happens while the guest has not enabled messages.  Any thread may call.
 */
void pci_msix_notify(struct pci_function *function, unsigned int vector);

/**
 * pci_msix_message() - get the message of a vector, for a sender outside of this process
 * @vector: any number
 *
 * pci_function.message tells of later changes.  Any thread may call.
 *
 * Return: true; false if the vector cannot send now.
 */
bool pci_msix_message(struct pci_function *function, unsigned int vector,
		      struct pci_message *message);

/**
 * pci_msix_enabled() - tell if the function is to send messages, and not to use its line
 */
bool pci_msix_enabled(const struct pci_function *function);

/**
 * pci_intx_set() - drive the function's interrupt line, which others share
 *
 * Any thread may call.
 */
void pci_intx_set(struct pci_function *function, bool level);

/*
 * The state of a function in its device's table of fields; a device that has it calls
 * pci_function_reset(), pci_function_is_sound() and pci_function_loaded() in its own
 * calls of these names.
 */
#define PCI_FUNCTION_FIELDS(tag, type, member)                    \
	RECORD_ANY((tag), type, member.config),                   \
		RECORD_ANY((tag) + 1, type, member.msix.table),   \
		RECORD_ANY((tag) + 2, type, member.msix.pending), \
		RECORD_BOOL((tag) + 3, type, member.level)
/* The tags that PCI_FUNCTION_FIELDS takes. */
#define PCI_FUNCTION_TAGS 4

/**
 * pci_function_reset() - put a function back to the state in which it was added, while
 * no vCPU runs
 */
void pci_function_reset(struct pci_function *function);

/**
 * pci_function_is_sound() - check a state that was loaded
 *
 * Return: true if a guest can have reached it.
 */
bool pci_function_is_sound(const struct pci_function *function);

/**
 * pci_function_loaded() - put a state that was loaded into effect
 */
void pci_function_loaded(struct pci_function *function);

#endif
