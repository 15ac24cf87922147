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
 * @bus: for its ports 0x20, 0x21, 0xa0, 0xa1, 0x4d0 and 0x4d1
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
 * pic_line_set() - set the level of an input; for struct irq_line
 * @opaque: the struct pic
 * @number: input; ignored unless below PIC_LINES, and ignored for the cascade, 2
 *
 * An edge is kept until it is acknowledged, even if the line falls before.  So no
 * pulse is lost; the chip would deliver the spurious vector.
 */
void pic_line_set(void *opaque, unsigned int number, bool level);

/**
 * pic_pending() - true if the output to the processor is asserted
 */
bool pic_pending(struct pic *pic);

/**
 * pic_acknowledge() - carry out the processor's interrupt-acknowledge cycles
 *
 * Return: the vector, or the spurious one (input 7 of either chip) if the request
 * is gone.
 */
int pic_acknowledge(struct pic *pic);

/* The interrupt controllers, for a machine. */
extern const struct device_kind pic_device;

#endif
