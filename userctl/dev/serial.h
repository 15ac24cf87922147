/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A 16550A serial port (National Semiconductor PC16550D), without line speed: output
 * is passed on at once, input waits in a queue until the guest's FIFO has room.
 *
 * As on a PC, OUT2 (MCR bit 3) enables the interrupt line.
 */
#ifndef LODGE_DEV_SERIAL_H
#define LODGE_DEV_SERIAL_H

#include <stddef.h>
#include <stdint.h>

#include "board/bus.h"
#include "board/device.h"
#include "board/layout.h"
#include "board/line.h"
#include "board/loop.h"

struct serial;

/**
 * struct serial_config - configuration of a port
 * @bus: bus for its registers
 * @loop: for the FIFO's timeout
 * @base: first of its eight ports
 * @irq: its interrupt line, driven while the guest has OUT2 set, as on a PC
 * @write: takes the guest's output; called from a vCPU's thread with the port's
 *	lock held, so it must not call back; NULL: output is dropped
 * @drained: called when serial_room() rises from zero, with no lock held; may be
 *	NULL
 * @opaque: for both
 */
struct serial_config {
	struct bus *bus;
	struct loop *loop;
	uint16_t base;
	struct irq_line irq;
	void (*write)(void *opaque, const void *bytes, size_t size);
	void (*drained)(void *opaque);
	void *opaque;
};

/**
 * serial_new() - make a port
 *
 * Return: the port, or NULL with errno set.
 */
struct serial *serial_new(const struct serial_config *config);

/**
 * serial_free() - free it, once nothing calls it any more; NULL is fine
 */
void serial_free(void *serial);

/**
 * serial_room() - get the number of bytes that serial_receive() would take now
 */
size_t serial_room(struct serial *serial);

/**
 * serial_receive() - let the guest receive @bytes; any thread may call
 *
 * Return: the number of bytes taken, which is limited by serial_room().
 */
size_t serial_receive(struct serial *serial, const void *bytes, size_t size);

/* Its options: which of a PC's ports it is, from 0. */
enum { SERIAL_PORT };

/* A port of a PC, for a machine. */
extern const struct device_kind serial_device;

#endif
