// SPDX-License-Identifier: GPL-2.0
/*
 * The MP configuration table (Intel MultiProcessor Specification 1.4, chapter 4).
 */
#include "boot/mptable.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <lodge.h>

#include "board/layout.h"
#include "board/pci.h"

#define IOAPIC_MAX_ID 15
#define SPEC_REV 4
#define LAPIC_BASE 0xfee00000
#define LAPIC_VERSION 0x14
#define IOAPIC_VERSION 0x20

struct mp_pointer {
	char signature[4];
	uint32_t table;
	uint8_t length; /* in units of 16 bytes */
	uint8_t spec_rev;
	uint8_t checksum;
	uint8_t features[5];
} __attribute__((packed));

struct mp_header {
	char signature[4];
	uint16_t length;
	uint8_t spec_rev;
	uint8_t checksum;
	char oem_id[8];
	char product_id[12];
	uint32_t oem_table;
	uint16_t oem_size;
	uint16_t entries;
	uint32_t lapic;
	uint16_t extended_length;
	uint8_t extended_checksum;
	uint8_t reserved;
} __attribute__((packed));

enum mp_type {
	MP_PROCESSOR = 0,
	MP_BUS = 1,
	MP_IOAPIC = 2,
	MP_IO_INTERRUPT = 3,
	MP_LOCAL_INTERRUPT = 4,
};

struct mp_processor {
	uint8_t type;
	uint8_t apic_id;
	uint8_t apic_version;
	uint8_t flags;
	uint32_t signature;
	uint32_t features;
	uint32_t reserved[2];
} __attribute__((packed));

#define PROCESSOR_ENABLED 0x01
#define PROCESSOR_BOOT 0x02
/* Bits of CPUID leaf 1, EDX, that all vCPUs have: FPU and APIC. */
#define FEATURES 0x0201
#define SIGNATURE 0x600

struct mp_bus {
	uint8_t type;
	uint8_t id;
	char name[6];
} __attribute__((packed));

/* The IDs of PCI buses are their numbers; the ISA bus comes behind them. */
#define PCI_BUS 0
#define ISA_BUS 1
#define BUSES 2

#define PCI_PINS 4
/* Device 0 is the host bridge, which has no interrupt. */
#define PCI_SOURCES ((PCI_DEVICES - 1) * PCI_PINS)

struct mp_ioapic {
	uint8_t type;
	uint8_t id;
	uint8_t version;
	uint8_t flags;
	uint32_t address;
} __attribute__((packed));

#define IOAPIC_ENABLED 0x01

struct mp_interrupt {
	uint8_t type;
	uint8_t kind;
	uint16_t flags;
	uint8_t source_bus;
	uint8_t source_irq;
	uint8_t dest_apic;
	uint8_t dest_pin;
} __attribute__((packed));

enum mp_kind { KIND_INT = 0, KIND_NMI = 1, KIND_EXTINT = 3 };

#define LEVEL_HIGH 0x000d
#define LEVEL_LOW 0x000f
#define TIMER_PIN 2
#define ISA_IRQS 16
#define APIC_ALL 0xff

_Static_assert(sizeof(struct mp_pointer) == 16, "floating pointer");
_Static_assert(sizeof(struct mp_header) == 44, "header");
_Static_assert(sizeof(struct mp_processor) == 20, "processor");
_Static_assert(sizeof(struct mp_pointer) + sizeof(struct mp_header) +
			       sizeof(struct mp_processor) * LODGE_MAX_VCPUS +
			       8 * (ISA_IRQS + PCI_SOURCES + 5) <=
		       MPTABLE_END - MPTABLE,
	       "the table fits");

static uint8_t mp_checksum(const void *data, size_t size)
{
	const uint8_t *byte = data;
	uint8_t sum = 0;

	while (size--)
		sum += *byte++;
	return -sum;
}

static void *mp_processors(void *at, unsigned int cpus)
{
	struct mp_processor *processor = at;

	for (unsigned int id = 0; id < cpus; id++)
		*processor++ = (struct mp_processor){
			.type = MP_PROCESSOR,
			.apic_id = id,
			.apic_version = LAPIC_VERSION,
			.flags = PROCESSOR_ENABLED | (id ? 0 : PROCESSOR_BOOT),
			.signature = SIGNATURE,
			.features = FEATURES,
		};
	return processor;
}

/* Interrupt pin and device number are the source's bits 1 to 0 and 6 to 2. */
static void *mp_pci_interrupts(void *at, uint8_t ioapic)
{
	struct mp_interrupt *interrupt = at;

	for (unsigned int i = PCI_PINS; i < PCI_PINS + PCI_SOURCES; i++)
		*interrupt++ = (struct mp_interrupt){
			.type = MP_IO_INTERRUPT,
			.kind = KIND_INT,
			.flags = LEVEL_LOW,
			.source_bus = PCI_BUS,
			.source_irq = i,
			.dest_apic = ioapic,
			.dest_pin = pci_gsi(i / PCI_PINS, i % PCI_PINS),
		};
	return interrupt;
}

/* The timer, line 0, is on pin 2, which the cascade does not need; 9 is the SCI. */
static void *mp_interrupts(void *at, uint8_t ioapic)
{
	struct mp_interrupt *interrupt = at;

	for (unsigned int irq = 0; irq < ISA_IRQS; irq++) {
		if (irq == PIC_CASCADE_IRQ)
			continue;
		*interrupt++ = (struct mp_interrupt){
			.type = MP_IO_INTERRUPT,
			.kind = KIND_INT,
			.flags = irq == PM_SCI_IRQ ? LEVEL_HIGH : 0,
			.source_bus = ISA_BUS,
			.source_irq = irq,
			.dest_apic = ioapic,
			.dest_pin = irq == PIT_IRQ ? TIMER_PIN : irq,
		};
	}
	interrupt = mp_pci_interrupts(interrupt, ioapic);
	for (unsigned int pin = 0; pin < 2; pin++)
		*interrupt++ = (struct mp_interrupt){
			.type = MP_LOCAL_INTERRUPT,
			.kind = pin ? KIND_NMI : KIND_EXTINT,
			.source_bus = ISA_BUS,
			.dest_apic = APIC_ALL,
			.dest_pin = pin,
		};
	return interrupt;
}

/* Writes the entries, in the specification's order.  Return: the end of the table. */
static void *mp_entries(struct mp_header *header, unsigned int cpus)
{
	/*
	 * Old APICs and IOAPICs share one space of IDs: choose a free one if there
	 * is one that fits in the IOAPIC's four bits.
	 */
	const uint8_t id = cpus <= IOAPIC_MAX_ID ? cpus : IOAPIC_ID;
	struct mp_bus *bus = mp_processors(header + 1, cpus);
	struct mp_ioapic *ioapic = (void *)(bus + BUSES);
	struct mp_interrupt *end;

	bus[0] = (struct mp_bus){ .type = MP_BUS, .id = PCI_BUS };
	memcpy(bus[0].name, "PCI   ", sizeof(bus->name));
	bus[1] = (struct mp_bus){ .type = MP_BUS, .id = ISA_BUS };
	memcpy(bus[1].name, "ISA   ", sizeof(bus->name));
	*ioapic = (struct mp_ioapic){
		.type = MP_IOAPIC,
		.id = id,
		.version = IOAPIC_VERSION,
		.flags = IOAPIC_ENABLED,
		.address = IOAPIC_BASE,
	};
	end = mp_interrupts(ioapic + 1, id);
	header->entries =
		cpus + BUSES + 1 + (end - (struct mp_interrupt *)(ioapic + 1));
	return end;
}

void mptable_write(const struct ram *ram, unsigned int cpus)
{
	struct mp_pointer *pointer =
		ram_write_at(ram, MPTABLE, MPTABLE_END - MPTABLE);
	struct mp_header *header = (void *)(pointer + 1);

	memset(pointer, 0, MPTABLE_END - MPTABLE);
	memcpy(header->signature, "PCMP", sizeof(header->signature));
	header->spec_rev = SPEC_REV;
	memcpy(header->oem_id, "LODGE   ", sizeof(header->oem_id));
	memcpy(header->product_id, "PC          ", sizeof(header->product_id));
	header->lapic = LAPIC_BASE;
	header->length = (char *)mp_entries(header, cpus) - (char *)header;
	header->checksum = mp_checksum(header, header->length);

	memcpy(pointer->signature, "_MP_", sizeof(pointer->signature));
	pointer->table = MPTABLE + sizeof(*pointer);
	pointer->length = 1;
	pointer->spec_rev = SPEC_REV;
	pointer->checksum = mp_checksum(pointer, sizeof(*pointer));
}
