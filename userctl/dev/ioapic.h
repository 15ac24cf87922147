/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An I/O APIC of 24 pins (Intel 82093AA, and the EOI register of version 0x20 as
 * in the ICH's data sheets).
 */
#ifndef LODGE_DEV_IOAPIC_H
#define LODGE_DEV_IOAPIC_H

#include <stdbool.h>
#include <stdint.h>

#include "board/bus.h"
#include "board/device.h"
#include "board/layout.h"

struct ioapic;

/**
 * struct ioapic_config - configuration of an I/O APIC
 * @bus: bus for its registers
 * @id: its APIC ID, 0 to 15, until the guest changes it
 * @msi: sends an interrupt message in the form of an MSI (Intel SDM vol. 3,
 *	"Message Signalled Interrupts"; delivery mode 7 is ExtINT), called with
 *	the I/O APIC's lock held: it must not call back.  Returns true if a
 *	processor has taken it
 * @opaque: for @msi
 */
struct ioapic_config {
	struct bus *bus;
	unsigned int id;
	bool (*msi)(void *opaque, uint64_t address, uint32_t data);
	void *opaque;
};

/**
 * ioapic_new() - make an I/O APIC with all pins masked
 *
 * Return: the I/O APIC, or NULL with errno set.
 */
struct ioapic *ioapic_new(const struct ioapic_config *config);

/**
 * ioapic_free() - free it, once nothing calls it any more; NULL is fine
 */
void ioapic_free(void *ioapic);

/**
 * ioapic_line_set() - set the level of a pin; for struct irq_line
 * @opaque: the struct ioapic
 * @number: pin; ignored unless below IOAPIC_PINS
 * @level: true if the line is asserted.  The polarity that the guest programs is
 *	stored but has no effect: true always means asserted
 */
void ioapic_line_set(void *opaque, unsigned int number, bool level);

/**
 * ioapic_eoi() - a processor has ended a level-triggered interrupt
 *
 * Pins with that vector whose line is still asserted interrupt again.  Others are
 * ready for their next interrupt.
 */
void ioapic_eoi(struct ioapic *ioapic, unsigned int vector);

/* The I/O APIC, for a machine. */
extern const struct device_kind ioapic_device;

#endif
