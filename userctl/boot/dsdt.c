// SPDX-License-Identifier: GPL-2.0
/*
 * The definition block of the DSDT.
 */
#include "boot/dsdt.h"

#include <stdio.h>

#include "board/layout.h"
#include "board/pci.h"

#define LAST_PORT 0xffff

/* Interrupt pins of a PCI device, and the function number that stands for all. */
#define PINS 4
#define ANY_FUNCTION 0xffff
#define APIC_MODE "PICF"
#define GENERATION "VGEN"
#define GENERATION_CHANGED 0x80

/* Name (\_Sx, ...): SLP_TYP for PM1a, for PM1b, and two reserved numbers. */
static void dsdt_sleep(struct aml *aml, const char *name, unsigned int type)
{
	size_t package;

	aml_name(aml, name);
	package = aml_package_open(aml, 4);
	aml_integer(aml, type);
	aml_integer(aml, type);
	aml_integer(aml, 0);
	aml_integer(aml, 0);
	aml_close(aml, package);
}

static void dsdt_processor(struct aml *aml, unsigned int id)
{
	char name[5];
	size_t device;

	snprintf(name, sizeof(name), "CP%02X", id & 0xff);
	device = aml_device_open(aml, name);
	aml_name(aml, "_HID");
	aml_text(aml, "ACPI0007");
	aml_name(aml, "_UID");
	aml_integer(aml, id);
	aml_close(aml, device);
}

/* \PICF: what the guest has told _PIC: 0 for the PIC, 1 for the IOAPIC. */
static void dsdt_interrupt_model(struct aml *aml)
{
	size_t method;

	aml_name(aml, APIC_MODE);
	aml_integer(aml, 0);
	method = aml_method_open(aml, "_PIC", 1);
	aml_store_argument(aml, APIC_MODE);
	aml_close(aml, method);
}

/* Name (@name, Package): the interrupt of each pin of each device (section 6.2.13). */
static void dsdt_routes(struct aml *aml, const char *name,
			unsigned int (*route)(unsigned int device,
					      unsigned int pin))
{
	size_t routes, entry;

	aml_name(aml, name);
	routes = aml_package_open(aml, PCI_DEVICES * PINS);
	for (unsigned int i = 0; i < PCI_DEVICES * PINS; i++) {
		entry = aml_package_open(aml, 4);
		aml_integer(aml, (i / PINS) << 16 | ANY_FUNCTION);
		aml_integer(aml, i % PINS);
		aml_integer(aml, 0); /* no link device */
		aml_integer(aml, route(i / PINS, i % PINS));
		aml_close(aml, entry);
	}
	aml_close(aml, routes);
}

static void dsdt_routing(struct aml *aml)
{
	size_t method, apic;

	dsdt_routes(aml, "PRTA", pci_gsi);
	dsdt_routes(aml, "PRTP", pci_isa_irq);
	method = aml_method_open(aml, "_PRT", 0);
	apic = aml_if_open(aml, APIC_MODE);
	aml_return(aml, "PRTA");
	aml_close(aml, apic);
	aml_return(aml, "PRTP");
	aml_close(aml, method);
}

/* The bridge passes on all ports but its own, and two ranges of memory. */
static void dsdt_host_bridge(struct aml *aml, const struct ram *ram)
{
	uint64_t first, last;
	size_t device, resources;

	device = aml_device_open(aml, "PCI0");
	aml_name(aml, "_HID");
	aml_eisaid(aml, "PNP0A03");
	aml_name(aml, "_UID");
	aml_integer(aml, 0);
	aml_name(aml, "_BBN");
	aml_integer(aml, 0);

	aml_name(aml, "_CRS");
	resources = aml_template_open(aml);
	aml_bus_range(aml, 0, 0);
	aml_io(aml, PCI_PORT, PCI_PORTS);
	aml_io_range(aml, 0, PCI_PORT - 1);
	aml_io_range(aml, PCI_PORT + PCI_PORTS, LAST_PORT);
	aml_memory_range(aml, PCI_MEMORY, IOAPIC_BASE - 1);
	first = pci_window(ram, &last);
	aml_wide_range(aml, first, last);
	aml_template_close(aml, resources);
	dsdt_routing(aml);
	aml_close(aml, device);
}

/* What no other device has: PCI's configuration space in memory. */
static void dsdt_motherboard(struct aml *aml)
{
	size_t device, resources;

	device = aml_device_open(aml, "MBRD");
	aml_name(aml, "_HID");
	aml_eisaid(aml, "PNP0C02");
	aml_name(aml, "_UID");
	aml_integer(aml, 0);
	aml_name(aml, "_CRS");
	resources = aml_template_open(aml);
	aml_memory(aml, PCI_ECAM, PCI_ECAM_SIZE);
	aml_memory(aml, VMGENID_BASE, VMGENID_PAGE);
	aml_template_close(aml, resources);
	aml_close(aml, device);
}

/*
 * The generation counter of virtual machines: ADDR is where its ID is, in two halves, and
 * its event says that there is another one.
 */
static void dsdt_generation(struct aml *aml)
{
	size_t device, address;

	device = aml_device_open(aml, GENERATION);
	aml_name(aml, "_HID");
	aml_text(aml, "LODG0001");
	aml_name(aml, "_CID");
	aml_text(aml, "VM_Gen_Counter");
	aml_name(aml, "_DDN");
	aml_text(aml, "VM_Gen_Counter");
	aml_name(aml, "ADDR");
	address = aml_package_open(aml, 2);
	aml_integer(aml, (uint32_t)VMGENID_BASE);
	aml_integer(aml, VMGENID_BASE >> 32);
	aml_close(aml, address);
	aml_close(aml, device);
}

/* The handlers of general-purpose events. */
static void dsdt_general_events(struct aml *aml)
{
	size_t scope, method;
	char name[5];

	scope = aml_scope_open(aml, "_GPE");
	snprintf(name, sizeof(name), "_E%02X", VMGENID_EVENT);
	method = aml_method_open(aml, name, 0);
	aml_notify(aml, "_SB_", GENERATION, GENERATION_CHANGED);
	aml_close(aml, method);
	aml_close(aml, scope);
}

/**
 * struct isa - a device of the ISA bus
 * @name: in the namespace
 * @id: Plug and Play ID
 * @port: first port of its first range
 * @ports: size of that range
 * @second: first port of its second range; 0: none
 * @seconds: size of that range
 * @irq: its interrupt, or NO_IRQ
 * @serial: its bit of dsdt_parts.serials; 0: it is no serial port, and always there
 */
struct isa {
	const char *name;
	const char *id;
	uint16_t port;
	uint8_t ports;
	uint16_t second;
	uint8_t seconds;
	int irq;
	unsigned int serial;
};

#define NO_IRQ (-1)

static const struct isa isa_devices[] = {
	{ "PIC0", "PNP0000", PIC_PORT, PIC_PORTS, PIC_SLAVE_PORT, PIC_PORTS,
	  PIC_CASCADE_IRQ, 0 },
	{ "TMR0", "PNP0100", PIT_PORT, PIT_PORTS, 0, 0, PIT_IRQ, 0 },
	{ "SPK0", "PNP0800", SPEAKER_PORT, 1, 0, 0, NO_IRQ, 0 },
	{ "KBD0", "PNP0303", I8042_DATA_PORT, 1, I8042_COMMAND_PORT, 1,
	  I8042_IRQ, 0 },
	{ "COM1", "PNP0501", SERIAL_COM1, SERIAL_PORTS, 0, 0, SERIAL_COM1_IRQ,
	  1 << 0 },
	{ "COM2", "PNP0501", SERIAL_COM2, SERIAL_PORTS, 0, 0, SERIAL_COM2_IRQ,
	  1 << 1 },
	{ "COM3", "PNP0501", SERIAL_COM3, SERIAL_PORTS, 0, 0, SERIAL_COM1_IRQ,
	  1 << 2 },
	{ "COM4", "PNP0501", SERIAL_COM4, SERIAL_PORTS, 0, 0, SERIAL_COM2_IRQ,
	  1 << 3 },
	{ "RTC0", "PNP0B00", RTC_PORT, RTC_PORTS, 0, 0, RTC_IRQ, 0 },
};

/* Devices of one kind need _UIDs that differ. */
static unsigned int uid_of(const struct isa *isa)
{
	return isa->serial ? __builtin_ctz(isa->serial) : 0;
}

static void dsdt_isa(struct aml *aml, const struct isa *isa)
{
	size_t device, resources;

	device = aml_device_open(aml, isa->name);
	aml_name(aml, "_HID");
	aml_eisaid(aml, isa->id);
	aml_name(aml, "_UID");
	aml_integer(aml, uid_of(isa));
	aml_name(aml, "_CRS");
	resources = aml_template_open(aml);
	aml_io(aml, isa->port, isa->ports);
	if (isa->seconds)
		aml_io(aml, isa->second, isa->seconds);
	if (isa->irq != NO_IRQ)
		aml_irq(aml, isa->irq);
	aml_template_close(aml, resources);
	aml_close(aml, device);
}

void dsdt_build(struct aml *aml, const struct ram *ram,
		const struct dsdt_parts *parts)
{
	unsigned int id;
	size_t scope;

	dsdt_sleep(aml, "_S3_", PM_SLP_TYP_S3);
	dsdt_sleep(aml, "_S5_", PM_SLP_TYP_S5);
	dsdt_interrupt_model(aml);
	dsdt_general_events(aml);
	scope = aml_scope_open(aml, "_SB_");
	for (id = 0; id < parts->cpus; id++)
		dsdt_processor(aml, id);
	dsdt_host_bridge(aml, ram);
	dsdt_motherboard(aml);
	dsdt_generation(aml);
	for (id = 0; id < sizeof(isa_devices) / sizeof(isa_devices[0]); id++)
		if (!isa_devices[id].serial ||
		    isa_devices[id].serial & parts->serials)
			dsdt_isa(aml, &isa_devices[id]);
	aml_close(aml, scope);
}
