/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The machine's doorbells: the kernel signals and reads eventfds, without a vCPU's thread.
 */
#ifndef LODGE_MACHINE_DOORBELLS_H
#define LODGE_MACHINE_DOORBELLS_H

#include "board/doorbell.h"

/**
 * doorbells_of() - get the doorbells of a VM
 * @vm: its descriptor; -1: while it has this value, there are no doorbells.  It is read at
 *	each call
 */
struct doorbells doorbells_of(int *vm);

#endif
