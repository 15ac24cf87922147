/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The PCI bus's own structures, for its files alone.
 */
#ifndef LODGE_BOARD_PCI_BUS_H
#define LODGE_BOARD_PCI_BUS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board/pci.h"

#define PCI_NR_DEVFNS (PCI_DEVICES * PCI_FUNCTIONS)
#define PCI_MAX_RANGES (PCI_NR_DEVFNS * PCI_NR_BARS)
/* Interrupt lines that functions share. */
#define PCI_LINES 4

/**
 * struct pci_range - a BAR that answers
 * @first: its first address
 * @last: its last address
 * @function: its function
 * @bar: its number
 */
struct pci_range {
	uint64_t first;
	uint64_t last;
	struct pci_function *function;
	uint64_t bar;
};

/**
 * struct pci_map - the BARs that answer in one space, sorted, none overlapping another
 * @sequence: odd while the map changes; a reader that sees two values has read nonsense
 * @count: entries of @ranges
 * @ranges: read without a lock, so each member is loaded and stored atomically
 */
struct pci_map {
	uint32_t sequence;
	size_t count;
	struct pci_range ranges[PCI_MAX_RANGES];
};

/**
 * struct pci_room - where the next BARs go, when functions are added
 * @port: next free port
 * @low: next free address of the hole below 4 GiB
 * @high: next free address above RAM
 */
struct pci_room {
	uint64_t port;
	uint64_t low;
	uint64_t high;
};

/**
 * struct pci_bus - the bus
 * @config: its connections
 * @lock: guards configuration space of all functions, and changes of @maps
 * @functions: by device and function number; constant once the machine is built
 * @room: for functions that are added
 * @maps: by space
 * @next: a map while it is made
 * @line_lock: guards @asserted, and the functions' levels; no lock of the bus is taken
 *	inside it
 * @asserted: how many functions assert each line
 */
struct pci_bus {
	struct pci_bus_config config;
	pthread_mutex_t lock;
	struct pci_function *functions[PCI_NR_DEVFNS];
	struct pci_room room;
	struct pci_map maps[BUS_NR_SPACES];
	struct pci_map next;
	pthread_mutex_t line_lock;
	unsigned int asserted[PCI_LINES];
};

static inline uint16_t pci_get16(const uint8_t *at)
{
	return at[0] | at[1] << 8;
}

static inline uint32_t pci_get32(const uint8_t *at)
{
	return pci_get16(at) | (uint32_t)pci_get16(at + 2) << 16;
}

static inline uint64_t pci_get64(const uint8_t *at)
{
	return pci_get32(at) | (uint64_t)pci_get32(at + 4) << 32;
}

static inline void pci_put16(uint8_t *at, uint16_t value)
{
	at[0] = value;
	at[1] = value >> 8;
}

static inline void pci_put32(uint8_t *at, uint32_t value)
{
	pci_put16(at, value);
	pci_put16(at + 2, value >> 16);
}

static inline void pci_put64(uint8_t *at, uint64_t value)
{
	pci_put32(at, value);
	pci_put32(at + 4, value >> 32);
}

/* True if an access from @offset on touches a register of @count bytes at @start. */
static inline bool pci_touches(uint64_t offset, size_t size, uint64_t start,
			       uint64_t count)
{
	return offset < start + count && start < offset + size;
}

/*
 * pci_map.c
 */

/**
 * pci_map_place() - give the BARs of a new function their addresses and registers
 * @room: advances
 *
 * Return: as pci_bus_add().
 */
int pci_map_place(const struct pci_bus *pci, struct pci_function *function,
		  struct pci_room *room);

/**
 * pci_map_update() - let BARs answer where configuration space wants them, lock held
 */
void pci_map_update(struct pci_bus *pci);

/**
 * pci_map_read() - read what no other device answers; see struct bus_rest
 */
bool pci_map_read(void *opaque, enum bus_space space, uint64_t address,
		  void *data, size_t size);

/**
 * pci_map_write() - write; see pci_map_read()
 */
bool pci_map_write(void *opaque, enum bus_space space, uint64_t address,
		   const void *data, size_t size);

/*
 * pci_msix.c
 */

/**
 * pci_msix_update() - follow configuration space, with the bus's lock held
 * @all: the table has changed, too
 */
void pci_msix_update(struct pci_function *function, bool all);

/**
 * pci_msix_reset() - mask all vectors and forget what is pending
 */
void pci_msix_reset(struct pci_function *function);

/**
 * pci_msix_is_sound() - see pci_function_is_sound()
 */
bool pci_msix_is_sound(const struct pci_function *function);

/**
 * pci_msix_touched() - tell if an access to a BAR touches table or pending bits
 */
bool pci_msix_touched(const struct pci_function *function, unsigned int bar,
		      uint64_t offset, size_t size);

/**
 * pci_msix_read() - read a byte of table or pending bits
 * @offset: in the BAR
 */
uint8_t pci_msix_read(struct pci_function *function, uint64_t offset);

/**
 * pci_msix_write() - write bytes that all are in table or pending bits
 * @offset: in the BAR
 */
void pci_msix_write(struct pci_function *function, uint64_t offset,
		    const void *data, size_t size);

#endif
