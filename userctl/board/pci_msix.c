// SPDX-License-Identifier: GPL-2.0
/*
 * Message-signalled interrupts of PCI functions: MSI-X (PCI Local Bus Specification 3.0,
 * section 6.8.2).
 *
 * A bit is pending only while its vector cannot send: what unmasks it sends the message
 * and clears the bit under the same lock.
 */
#include <errno.h>
#include <string.h>

#include "board/pci_bus.h"

/* The capability: message control, table, pending bits. */
#define CONTROL 2
#define CONTROL_HIGH 3
#define TABLE 4
#define PENDING 8
#define BODY_SIZE 10
#define CONTROL_HIGH_ENABLE 0x80
#define CONTROL_HIGH_MASK 0x40

/* An entry of the table: address, data, vector control. */
#define ENTRY PCI_MSIX_ENTRY_SIZE
#define ENTRY_DATA 8
#define ENTRY_CONTROL 12
#define CONTROL_MASKED 0x01

static uint32_t table_size(const struct pci_msix *msix)
{
	return msix->vectors * ENTRY;
}

/* Pending bits come in groups of 64. */
static uint32_t pending_size(const struct pci_msix *msix)
{
	return (msix->vectors + 63) / 64 * 8;
}

int pci_add_msix(struct pci_function *function, unsigned int bar,
		 uint32_t offset, unsigned int vectors)
{
	struct pci_msix *msix = &function->msix;
	uint8_t body[BODY_SIZE];
	uint64_t end;
	int at;

	if (!vectors || vectors > PCI_MSIX_MAX_VECTORS || bar >= PCI_NR_BARS ||
	    function->bars[bar].kind == PCI_BAR_NONE ||
	    function->bars[bar].kind == PCI_BAR_PORT || offset % 8)
		return -EINVAL;
	msix->vectors = vectors;
	end = (uint64_t)offset + table_size(msix) + pending_size(msix);
	if (end > function->bars[bar].size) {
		msix->vectors = 0;
		return -EINVAL;
	}
	pci_put16(&body[CONTROL - 2], vectors - 1);
	pci_put32(&body[TABLE - 2], offset | bar);
	pci_put32(&body[PENDING - 2], (offset + table_size(msix)) | bar);
	at = pci_add_capability(function, PCI_CAPABILITY_MSIX, body,
				sizeof(body));
	if (at < 0) {
		msix->vectors = 0;
		return at;
	}
	function->writable[at + CONTROL_HIGH] = CONTROL_HIGH_ENABLE |
						CONTROL_HIGH_MASK;
	msix->bar = bar;
	msix->table_offset = offset;
	msix->capability = at;
	pci_msix_reset(function);
	return 0;
}

/* What configuration space says; the bus guards it. */
static bool is_enabled(const struct pci_function *function)
{
	const struct pci_msix *msix = &function->msix;

	return msix->vectors &&
	       (function->config[msix->capability + CONTROL_HIGH] &
		CONTROL_HIGH_ENABLE);
}

/* A message is a write to memory, which needs the right to be master of the bus. */
static bool is_open(const struct pci_function *function)
{
	const struct pci_msix *msix = &function->msix;

	return is_enabled(function) &&
	       !(function->config[msix->capability + CONTROL_HIGH] &
		 CONTROL_HIGH_MASK) &&
	       (function->config[PCI_COMMAND] & PCI_COMMAND_MASTER);
}

bool pci_msix_enabled(const struct pci_function *function)
{
	return __atomic_load_n(&function->msix.enabled, __ATOMIC_RELAXED);
}

static bool is_masked(const struct pci_msix *msix, unsigned int vector)
{
	return msix->table[vector * ENTRY + ENTRY_CONTROL] & CONTROL_MASKED;
}

static struct pci_message message_of(const struct pci_msix *msix,
				     unsigned int vector)
{
	const uint8_t *entry = &msix->table[vector * ENTRY];

	return (struct pci_message){
		.address = pci_get64(entry),
		.data = pci_get32(&entry[ENTRY_DATA]),
	};
}

static void send_message(struct pci_function *function, unsigned int vector)
{
	const struct pci_message message = message_of(&function->msix, vector);
	const struct pci_bus_config *config = &function->bus->config;

	if (config->msi)
		config->msi(config->msi_opaque, message.address, message.data);
}

/* Sends what is pending and can be sent; the function's lock is held. */
static void send_pending(struct pci_function *function, unsigned int vector)
{
	struct pci_msix *msix = &function->msix;
	const uint8_t bit = 1 << vector % 8;

	if (!msix->open || is_masked(msix, vector) ||
	    !(msix->pending[vector / 8] & bit))
		return;
	msix->pending[vector / 8] &= ~bit;
	send_message(function, vector);
}

void pci_msix_notify(struct pci_function *function, unsigned int vector)
{
	struct pci_msix *msix = &function->msix;

	if (vector >= msix->vectors)
		return;
	pthread_mutex_lock(&msix->lock);
	if (msix->enabled) {
		msix->pending[vector / 8] |= 1 << vector % 8;
		send_pending(function, vector);
	}
	pthread_mutex_unlock(&msix->lock);
}

bool pci_msix_message(struct pci_function *function, unsigned int vector,
		      struct pci_message *message)
{
	struct pci_msix *msix = &function->msix;
	bool sends;

	if (vector >= msix->vectors)
		return false;
	pthread_mutex_lock(&msix->lock);
	*message = message_of(msix, vector);
	sends = msix->open && !is_masked(msix, vector);
	pthread_mutex_unlock(&msix->lock);
	return sends;
}

/* Tells the device of a vector's message; the bus's lock is held. */
static void tell_message(struct pci_function *function, unsigned int vector)
{
	struct pci_message message;
	bool sends;

	if (!function->message)
		return;
	sends = pci_msix_message(function, vector, &message);
	function->message(function->opaque, vector, sends ? &message : NULL);
}

void pci_msix_update(struct pci_function *function, bool all)
{
	struct pci_msix *msix = &function->msix;
	bool changed;

	pthread_mutex_lock(&msix->lock);
	changed = all || msix->open != is_open(function);
	msix->open = is_open(function);
	__atomic_store_n(&msix->enabled, is_enabled(function),
			 __ATOMIC_RELAXED);
	if (!msix->enabled)
		memset(msix->pending, 0, sizeof(msix->pending));
	for (unsigned int i = 0; changed && i < msix->vectors; i++)
		send_pending(function, i);
	pthread_mutex_unlock(&msix->lock);
	for (unsigned int i = 0; changed && i < msix->vectors; i++)
		tell_message(function, i);
}

void pci_msix_reset(struct pci_function *function)
{
	struct pci_msix *msix = &function->msix;

	memset(msix->table, 0, sizeof(msix->table));
	memset(msix->pending, 0, sizeof(msix->pending));
	for (unsigned int i = 0; i < msix->vectors; i++)
		msix->table[i * ENTRY + ENTRY_CONTROL] = CONTROL_MASKED;
}

/* Return: the bits of a byte of the table that the guest can write. */
static uint8_t writable_bits(size_t at)
{
	switch (at % ENTRY) {
	case 0:
		return 0xfc;
	case ENTRY_CONTROL:
		return CONTROL_MASKED;
	case ENTRY_CONTROL + 1:
	case ENTRY_CONTROL + 2:
	case ENTRY_CONTROL + 3:
		return 0;
	}
	return 0xff;
}

/* True if a pending bit could have been sent, or has no vector. */
static bool has_odd_pending(const struct pci_function *function)
{
	const struct pci_msix *msix = &function->msix;

	for (unsigned int i = 0; i < PCI_MSIX_MAX_VECTORS; i++) {
		if (!(msix->pending[i / 8] & 1 << i % 8))
			continue;
		if (i >= msix->vectors || !is_enabled(function) ||
		    (is_open(function) && !is_masked(msix, i)))
			return true;
	}
	return false;
}

bool pci_msix_is_sound(const struct pci_function *function)
{
	const struct pci_msix *msix = &function->msix;

	for (size_t i = 0; i < sizeof(msix->table); i++)
		if (msix->table[i] &
		    ~(i < table_size(msix) ? writable_bits(i) : 0))
			return false;
	return !has_odd_pending(function);
}

bool pci_msix_touched(const struct pci_function *function, unsigned int bar,
		      uint64_t offset, size_t size)
{
	const struct pci_msix *msix = &function->msix;

	return msix->vectors && bar == msix->bar &&
	       pci_touches(offset, size, msix->table_offset,
			   table_size(msix) + pending_size(msix));
}

uint8_t pci_msix_read(struct pci_function *function, uint64_t offset)
{
	struct pci_msix *msix = &function->msix;
	const uint64_t at = offset - msix->table_offset;
	uint8_t byte;

	pthread_mutex_lock(&msix->lock);
	byte = at < table_size(msix) ? msix->table[at] :
				       msix->pending[at - table_size(msix)];
	pthread_mutex_unlock(&msix->lock);
	return byte;
}

static void write_table(struct pci_msix *msix, uint64_t at, uint8_t value)
{
	const uint8_t mask = writable_bits(at);

	msix->table[at] = (msix->table[at] & ~mask) | (value & mask);
}

void pci_msix_write(struct pci_function *function, uint64_t offset,
		    const void *data, size_t size)
{
	struct pci_msix *msix = &function->msix;
	const uint8_t *bytes = data;
	unsigned int first = PCI_MSIX_MAX_VECTORS, last = 0;

	pthread_mutex_lock(&function->bus->lock);
	pthread_mutex_lock(&msix->lock);
	for (size_t i = 0; i < size; i++) {
		/* What lies before the table wraps around. */
		const uint64_t at = offset + i - msix->table_offset;

		if (at >= table_size(msix))
			continue;
		write_table(msix, at, bytes[i]);
		last = at / ENTRY;
		if (first > last)
			first = last;
	}
	for (unsigned int i = first; i <= last; i++)
		send_pending(function, i);
	pthread_mutex_unlock(&msix->lock);
	for (unsigned int i = first; i <= last; i++)
		tell_message(function, i);
	pthread_mutex_unlock(&function->bus->lock);
}
