// SPDX-License-Identifier: GPL-2.0
/*
 * An I/O APIC (data sheet: Intel 82093AA).
 *
 * A pin's message is sent to the processors at once, so the guest never sees a
 * pending delivery.  Edges at a masked pin are lost, as the data sheet says.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "dev/ioapic.h"

#define REGION_SIZE 0x1000
#define IOREGSEL 0x00
#define IOWIN 0x10
#define IOEOI 0x40

#define REG_ID 0x00
#define REG_VERSION 0x01
#define REG_ARBITRATION 0x02
#define REG_REDIRECTION 0x10

#define ID_SHIFT 24
#define ID_MASK 0xf
#define VERSION (0x20 | (IOAPIC_PINS - 1) << 16)

/* Bits of a redirection entry. */
#define RTE_VECTOR 0xffULL
#define RTE_DELIVERY 0x700ULL
#define RTE_LOGICAL (1ULL << 11)
#define RTE_REMOTE_IRR (1ULL << 14)
#define RTE_LEVEL (1ULL << 15)
#define RTE_MASKED (1ULL << 16)
#define RTE_DEST_SHIFT 56
#define RTE_WRITABLE 0xff0000000001afffULL

/* Bits of a message. */
#define MSI_ADDRESS 0xfee00000ULL
#define MSI_DEST_SHIFT 12
#define MSI_LOGICAL (1ULL << 2)
#define MSI_ASSERT (1U << 14)
#define MSI_LEVEL (1U << 15)

/* @lock guards all that changes; @lines has the current levels of the pins. */
struct ioapic {
	struct ioapic_config config;
	pthread_mutex_t lock;
	uint8_t id;
	uint8_t select;
	uint32_t lines;
	uint64_t rte[IOAPIC_PINS];
};

static bool ioapic_send(struct ioapic *ioapic, uint64_t rte)
{
	uint64_t address = MSI_ADDRESS | rte >> RTE_DEST_SHIFT
							 << MSI_DEST_SHIFT;
	uint32_t data = rte & (RTE_VECTOR | RTE_DELIVERY);

	if (rte & RTE_LOGICAL)
		address |= MSI_LOGICAL;
	if (rte & RTE_LEVEL)
		data |= MSI_LEVEL | MSI_ASSERT;
	return ioapic->config.msi(ioapic->config.opaque, address, data);
}

/* Sends a level-triggered pin's interrupt unless the last one has not ended yet. */
static void pin_service(struct ioapic *ioapic, unsigned int pin)
{
	uint64_t *rte = &ioapic->rte[pin];

	if (!(*rte & RTE_LEVEL) || (*rte & (RTE_MASKED | RTE_REMOTE_IRR)) ||
	    !(ioapic->lines & 1U << pin))
		return;
	if (ioapic_send(ioapic, *rte))
		*rte |= RTE_REMOTE_IRR;
}

void ioapic_line_set(void *opaque, unsigned int number, bool level)
{
	struct ioapic *ioapic = opaque;
	uint32_t bit, rising;

	if (number >= IOAPIC_PINS)
		return;
	bit = 1U << number;
	pthread_mutex_lock(&ioapic->lock);
	rising = level ? ~ioapic->lines & bit : 0;
	ioapic->lines = (ioapic->lines & ~bit) | (level ? bit : 0);
	if (ioapic->rte[number] & RTE_LEVEL)
		pin_service(ioapic, number);
	else if (rising && !(ioapic->rte[number] & RTE_MASKED))
		ioapic_send(ioapic, ioapic->rte[number]);
	pthread_mutex_unlock(&ioapic->lock);
}

/* Lock held. */
static void ioapic_end(struct ioapic *ioapic, unsigned int vector)
{
	for (unsigned int pin = 0; pin < IOAPIC_PINS; pin++) {
		uint64_t *rte = &ioapic->rte[pin];

		if ((*rte & RTE_VECTOR) != vector || !(*rte & RTE_REMOTE_IRR))
			continue;
		*rte &= ~RTE_REMOTE_IRR;
		pin_service(ioapic, pin);
	}
}

void ioapic_eoi(struct ioapic *ioapic, unsigned int vector)
{
	pthread_mutex_lock(&ioapic->lock);
	ioapic_end(ioapic, vector);
	pthread_mutex_unlock(&ioapic->lock);
}

static uint32_t register_read(const struct ioapic *ioapic)
{
	unsigned int pin = (ioapic->select - REG_REDIRECTION) / 2;

	switch (ioapic->select) {
	case REG_ID:
	case REG_ARBITRATION:
		return (uint32_t)ioapic->id << ID_SHIFT;
	case REG_VERSION:
		return VERSION;
	}
	if (ioapic->select < REG_REDIRECTION || pin >= IOAPIC_PINS)
		return 0;
	return ioapic->rte[pin] >> (ioapic->select & 1 ? 32 : 0);
}

/* An entry that becomes edge-triggered loses its remote IRR bit. */
static void rte_write(struct ioapic *ioapic, unsigned int pin, bool high,
		      uint32_t value)
{
	uint64_t half = 0xffffffffULL << (high ? 32 : 0);
	uint64_t set = (uint64_t)value << (high ? 32 : 0);
	uint64_t *rte = &ioapic->rte[pin];

	*rte = (*rte & ~(half & RTE_WRITABLE)) | (set & RTE_WRITABLE);
	if (!(*rte & RTE_LEVEL))
		*rte &= ~RTE_REMOTE_IRR;
	pin_service(ioapic, pin);
}

static void register_write(struct ioapic *ioapic, uint32_t value)
{
	unsigned int pin = (ioapic->select - REG_REDIRECTION) / 2;

	if (ioapic->select == REG_ID)
		ioapic->id = value >> ID_SHIFT & ID_MASK;
	else if (ioapic->select >= REG_REDIRECTION && pin < IOAPIC_PINS)
		rte_write(ioapic, pin, ioapic->select & 1, value);
}

/* A narrow read gives the low bytes; a wide one gives zeroes beyond the register. */
static void ioapic_read(void *opaque, uint64_t offset, void *data, size_t size)
{
	struct ioapic *ioapic = opaque;
	uint32_t value = 0;

	pthread_mutex_lock(&ioapic->lock);
	if (offset == IOREGSEL)
		value = ioapic->select;
	else if (offset == IOWIN)
		value = register_read(ioapic);
	pthread_mutex_unlock(&ioapic->lock);
	memset(data, 0, size);
	memcpy(data, &value, size < sizeof(value) ? size : sizeof(value));
}

/* The window ignores writes of less than 32 bits. */
static void ioapic_write(void *opaque, uint64_t offset, const void *data,
			 size_t size)
{
	struct ioapic *ioapic = opaque;
	uint32_t value = 0;

	memcpy(&value, data, size < sizeof(value) ? size : sizeof(value));
	pthread_mutex_lock(&ioapic->lock);
	if (offset == IOREGSEL)
		ioapic->select = value;
	else if (offset == IOWIN && size >= sizeof(value))
		register_write(ioapic, value);
	else if (offset == IOEOI)
		ioapic_end(ioapic, value & RTE_VECTOR);
	pthread_mutex_unlock(&ioapic->lock);
}

static void ioapic_power_on(struct ioapic *ioapic)
{
	ioapic->id = ioapic->config.id & ID_MASK;
	ioapic->select = 0;
	for (int pin = 0; pin < IOAPIC_PINS; pin++)
		ioapic->rte[pin] = RTE_MASKED;
}

struct ioapic *ioapic_new(const struct ioapic_config *config)
{
	struct ioapic *ioapic = calloc(1, sizeof(*ioapic));
	struct bus_region region = {
		.name = "ioapic",
		.space = BUS_MMIO,
		.base = IOAPIC_BASE,
		.size = REGION_SIZE,
		.read = ioapic_read,
		.write = ioapic_write,
		.opaque = ioapic,
	};
	int error;

	if (!ioapic)
		return NULL;
	ioapic->config = *config;
	ioapic_power_on(ioapic);
	pthread_mutex_init(&ioapic->lock, NULL);
	error = bus_add(config->bus, &region);
	if (error) {
		ioapic_free(ioapic);
		errno = -error;
		return NULL;
	}
	return ioapic;
}

void ioapic_free(void *opaque)
{
	struct ioapic *ioapic = opaque;

	if (!ioapic)
		return;
	pthread_mutex_destroy(&ioapic->lock);
	free(ioapic);
}

static void *ioapic_make(const struct board *board,
			 const struct device_value *values,
			 struct device_error *error)
{
	const struct ioapic_config config = {
		.bus = board->bus,
		.id = IOAPIC_ID,
		.msi = board->msi,
		.opaque = board->msi_opaque,
	};

	(void)values;
	(void)error;
	return ioapic_new(&config);
}

/* The devices drive the pins, so a reset leaves them. */
static void ioapic_reset(void *opaque)
{
	ioapic_power_on(opaque);
}

static const struct record_field ioapic_fields[] = {
	RECORD_FIELD(1, struct ioapic, id, ID_MASK),
	RECORD_ANY(2, struct ioapic, select),
	RECORD_FIELD(3, struct ioapic, lines, (1U << IOAPIC_PINS) - 1),
	RECORD_ANY(4, struct ioapic, rte),
};

static bool ioapic_is_sound(const void *opaque)
{
	const struct ioapic *ioapic = opaque;

	for (int pin = 0; pin < IOAPIC_PINS; pin++) {
		uint64_t rte = ioapic->rte[pin];

		if ((rte & ~(RTE_WRITABLE | RTE_REMOTE_IRR)) ||
		    ((rte & RTE_REMOTE_IRR) && !(rte & RTE_LEVEL)))
			return false;
	}
	return true;
}

const struct device_kind ioapic_device = {
	.name = "ioapic",
	.about = "the I/O APIC",
	.make = ioapic_make,
	.free = ioapic_free,
	.reset = ioapic_reset,
	DEVICE_STATE(struct ioapic, ioapic_fields),
	.is_sound = ioapic_is_sound,
};
