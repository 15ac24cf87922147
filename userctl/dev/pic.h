/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The PC's pair of interrupt controllers (Intel 8259A), the second one cascaded
 * on input 2 of the first, with the edge/level control registers of PCI PCs.
 */
#ifndef LODGE_DEV_PIC_H
#define LODGE_DEV_PIC_H

#include <stdbool.h>

#include "board/bus.h"
#include "board/device.h"
#include "board/layout.h"
#include "board/line.h"

#define PIC_LINES 16

struct pic;

/**
 * pic_new() - make the pair
 * @bus: where it answers: ports 0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1
 * @intr: the output to the processor; driven with the PIC's lock held
 *
 * Return: the PIC, or NULL with errno set.
 */
struct pic *pic_new(struct bus *bus, const struct irq_line *intr);

/**
 * pic_free() - free it, once nothing calls it any more; NULL is fine
 */
void pic_free(void *pic);

/**
 * pic_setup_as_bios() - program it as a PC's BIOS leaves it: vectors 0x08 and
 * 0x70, timer, keyboard and cascade unmasked
 */
void pic_setup_as_bios(struct pic *pic);

/**
 * pic_line_set() - the receiver of an irq_line; @opaque is the struct pic
 * @number: input, below PIC_LINES; input 2, the cascade, and what is not there
 *	is ignored
 *
 * An edge is kept until it is acknowledged, even if the line falls before: no
 * pulse is lost, where the chip would answer with the spurious vector.
 */
void pic_line_set(void *opaque, unsigned int number, bool level);

/**
 * pic_pending() - true if the output to the processor is up
 */
bool pic_pending(struct pic *pic);

/**
 * pic_acknowledge() - the processor's interrupt-acknowledge cycles
 *
 * Return: the vector; the spurious one (input 7 of either chip) when the request
 * is gone.
 */
int pic_acknowledge(struct pic *pic);

/* The interrupt controllers, for a machine. */
extern const struct device_kind pic_device;

#endif
