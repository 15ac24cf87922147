/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A 16550A serial port (National Semiconductor PC16550D), without the wire:
 * output leaves at once, input waits in a queue until the guest's FIFO has room.
 *
 * As on a PC's board the interrupt passes a gate that is open while OUT2 is set:
 * a driver that forgets MCR bit 3 gets none, here as on real machines.
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
 * struct serial_config - what a port is made with
 * @bus: where it answers
 * @loop: for the FIFO's timeout
 * @base: first of its eight ports
 * @irq: its interrupt line, driven while the guest has OUT2 set, as on a PC
 * @write: takes the guest's output, called from a vCPU's thread with the port's
 *	lock held: it must not call back; NULL: output is dropped
 * @drained: serial_room() has risen from zero, called with no lock held; may be
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
 * serial_room() - how many bytes serial_receive() would take now
 */
size_t serial_room(struct serial *serial);

/**
 * serial_receive() - let the guest receive @bytes; from any thread
 *
 * Return: how many were taken: all that there is room for.
 */
size_t serial_receive(struct serial *serial, const void *bytes, size_t size);

/* The PC's first port, for a machine. */
extern const struct device_kind serial_device;

#endif
