/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A writer of AML, the byte code of ACPI's definition blocks (ACPI specification
 * 6.0, chapter 20), and of resource templates (section 6.4).
 *
 * Terms are written in order.  A term that contains others is opened, which returns
 * a mark, and closed with this mark.
 */
#ifndef LODGE_BOOT_AML_H
#define LODGE_BOOT_AML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct aml - a buffer of AML
 * @data: the bytes
 * @capacity: size of @data
 * @size: bytes written
 * @full: some bytes did not fit and were dropped
 */
struct aml {
	uint8_t *data;
	size_t capacity;
	size_t size;
	bool full;
};

/**
 * aml_scope_open() - Scope (@name)
 * @name: of a predefined scope, four characters, at the root
 *
 * Return: the mark for aml_close().
 */
size_t aml_scope_open(struct aml *aml, const char *name);

/**
 * aml_device_open() - Device (@name)
 * @name: four characters
 *
 * Return: the mark for aml_close().
 */
size_t aml_device_open(struct aml *aml, const char *name);

/**
 * aml_package_open() - Package (@count) {}
 * @count: terms that follow
 *
 * Return: the mark for aml_close().
 */
size_t aml_package_open(struct aml *aml, uint8_t count);

/**
 * aml_method_open() - Method (@name, @arguments)
 * @name: four characters
 *
 * Return: the mark for aml_close().
 */
size_t aml_method_open(struct aml *aml, const char *name, uint8_t arguments);

/**
 * aml_if_open() - If (@name)
 * @name: of a number, four characters
 *
 * Return: the mark for aml_close().
 */
size_t aml_if_open(struct aml *aml, const char *name);

/**
 * aml_return() - Return (@name)
 * @name: four characters
 */
void aml_return(struct aml *aml, const char *name);

/**
 * aml_store_argument() - Store (Arg0, @name)
 * @name: four characters
 */
void aml_store_argument(struct aml *aml, const char *name);

/**
 * aml_notify() - Notify (\@scope.@device, @value)
 * @scope: four characters
 * @device: four characters
 */
void aml_notify(struct aml *aml, const char *scope, const char *device,
		uint8_t value);

/**
 * aml_close() - end what was opened
 */
void aml_close(struct aml *aml, size_t mark);

/**
 * aml_name() - Name (@name, ...); the next term is the value
 * @name: four characters
 */
void aml_name(struct aml *aml, const char *name);

/**
 * aml_integer() - a number
 */
void aml_integer(struct aml *aml, uint32_t value);

/**
 * aml_text() - a string
 * @text: ASCII
 */
void aml_text(struct aml *aml, const char *text);

/**
 * aml_eisaid() - EisaId (@id)
 * @id: three capital letters and four hexadecimal digits
 */
void aml_eisaid(struct aml *aml, const char *id);

/**
 * aml_template_open() - ResourceTemplate () {}
 *
 * Return: the mark for aml_template_close().
 */
size_t aml_template_open(struct aml *aml);

/**
 * aml_template_close() - end a resource template
 */
void aml_template_close(struct aml *aml, size_t mark);

/**
 * aml_io() - IO (Decode16, ...): ports at a fixed place
 */
void aml_io(struct aml *aml, uint16_t port, uint8_t count);

/**
 * aml_irq() - IRQNoFlags () {@irq}: an edge-triggered ISA interrupt
 * @irq: 0 to 15
 */
void aml_irq(struct aml *aml, unsigned int irq);

/**
 * aml_bus_range() - WordBusNumber: buses that a bridge owns
 */
void aml_bus_range(struct aml *aml, uint8_t first, uint8_t last);

/**
 * aml_io_range() - WordIO: ports that a bridge passes on
 */
void aml_io_range(struct aml *aml, uint16_t first, uint16_t last);

/**
 * aml_memory_range() - DWordMemory: addresses that a bridge passes on
 */
void aml_memory_range(struct aml *aml, uint32_t first, uint32_t last);

/**
 * aml_wide_range() - QWordMemory: the same above 4 GiB
 */
void aml_wide_range(struct aml *aml, uint64_t first, uint64_t last);

/**
 * aml_memory() - Memory32Fixed: addresses at a fixed place
 */
void aml_memory(struct aml *aml, uint32_t address, uint32_t size);

#endif
