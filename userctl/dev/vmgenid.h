/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The generation ID of a virtual machine (Microsoft's "Virtual Machine Generation ID"):
 * 16 random bytes at VMGENID_BASE that the guest reads.
 *
 * A machine that goes on from a state that was saved gets another ID, and its guest is
 * told by a general-purpose event: what must be unique, such as the state of a random
 * number generator, has to be made anew.  A reset keeps the ID.
 */
#ifndef LODGE_DEV_VMGENID_H
#define LODGE_DEV_VMGENID_H

#include "board/device.h"

/* The generation ID, for a machine. */
extern const struct device_kind vmgenid_device;

#endif
