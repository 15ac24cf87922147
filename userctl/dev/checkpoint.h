/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest's door to the machine's checkpoint: eight ports, so that firmware, kernels
 * and, after ioperm(2), programs reach it alike, on processors of all vendors.
 */
#ifndef LODGE_DEV_CHECKPOINT_H
#define LODGE_DEV_CHECKPOINT_H

#include "board/device.h"

/* Where it is by itself, next to isa-debug-exit. */
#define CHECKPOINT_PORT 0xf8
#define CHECKPOINT_PORTS 8

/*
 * Registers of 32 bits.  To read the first one tells the pass: 0 there is no checkpoint, 1
 * behind the write that has made it, and one more behind the same write each time that the
 * machine was put back.  CHECKPOINT_HERE is written to it to make a checkpoint; what is
 * written to the second one is for the user, and puts the machine back.
 */
#define CHECKPOINT_PASS 0
#define CHECKPOINT_DONE 4

#define CHECKPOINT_HERE 1

extern const struct device_kind checkpoint_device;

#endif
