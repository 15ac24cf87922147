/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Waiting for what another thread, the guest or the host does.
 */
#ifndef LODGE_LIB_WAITING_H
#define LODGE_LIB_WAITING_H

#include <unistd.h>

#include "patience.h"

/* The value of a variable that another thread changes. */
#define SEEN(variable) __atomic_load_n(&(variable), __ATOMIC_SEQ_CST)

/* True if @condition comes true. */
#define EVENTUALLY(condition)                  \
	({                                     \
		int left = PATIENCE * 1000;    \
                                               \
		while (!(condition) && left--) \
			usleep(1000);          \
		left >= 0;                     \
	})

#endif
