// SPDX-License-Identifier: GPL-2.0
/*
 * The definition block of the DSDT.
 */
#include "boot/dsdt.h"

#include <stdio.h>

#include "board/layout.h"
#include "board/ram.h"

#define LAST_PORT 0xffff

/* Name (\_S5, ...): SLP_TYP for PM1a, for PM1b, and two reserved numbers. */
static void dsdt_soft_off(struct aml *aml)
{
	size_t package;

	aml_name(aml, "_S5_");
	package = aml_package_open(aml, 4);
	aml_integer(aml, PM_SLP_TYP_S5);
	aml_integer(aml, PM_SLP_TYP_S5);
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

/* The ports but its own, and the hole as far as the IOAPIC, are behind it. */
static void dsdt_host_bridge(struct aml *aml)
{
	size_t device, resources, routes;

	device = aml_device_open(aml, "PCI0");
	aml_name(aml, "_HID");
	aml_eisaid(aml, "PNP0A03");
	aml_name(aml, "_UID");
	aml_integer(aml, 0);
	aml_name(aml, "_BBN");
	aml_integer(aml, 0);

	aml_name(aml, "_CRS");
	resources = aml_template_open(aml);
	aml_bus_range(aml, 0, 0xff);
	aml_io(aml, PCI_PORT, PCI_PORTS);
	aml_io_range(aml, 0, PCI_PORT - 1);
	aml_io_range(aml, PCI_PORT + PCI_PORTS, LAST_PORT);
	aml_memory_range(aml, RAM_HOLE_START, IOAPIC_BASE - 1);
	aml_template_close(aml, resources);

	aml_name(aml, "_PRT");
	routes = aml_package_open(aml, 0);
	aml_close(aml, routes);
	aml_close(aml, device);
}

/* A device with some ports and an ISA interrupt. */
static void dsdt_isa(struct aml *aml, const char *name, const char *id,
		     uint16_t port, uint8_t ports, unsigned int irq)
{
	size_t device, resources;

	device = aml_device_open(aml, name);
	aml_name(aml, "_HID");
	aml_eisaid(aml, id);
	aml_name(aml, "_UID");
	aml_integer(aml, 0);
	aml_name(aml, "_CRS");
	resources = aml_template_open(aml);
	aml_io(aml, port, ports);
	aml_irq(aml, irq);
	aml_template_close(aml, resources);
	aml_close(aml, device);
}

void dsdt_build(struct aml *aml, unsigned int cpus)
{
	unsigned int id;
	size_t scope;

	dsdt_soft_off(aml);
	scope = aml_scope_open(aml, "_SB_");
	for (id = 0; id < cpus; id++)
		dsdt_processor(aml, id);
	dsdt_host_bridge(aml);
	dsdt_isa(aml, "COM1", "PNP0501", SERIAL_COM1, SERIAL_PORTS,
		 SERIAL_COM1_IRQ);
	dsdt_isa(aml, "RTC0", "PNP0B00", RTC_PORT, RTC_PORTS, RTC_IRQ);
	aml_close(aml, scope);
}
