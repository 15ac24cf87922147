/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Waiting for what another thread, the guest or the host does.
 */
#ifndef LODGE_API_WAITING_H
#define LODGE_API_WAITING_H

#include <unistd.h>

/* What another thread changes. */
#define SEEN(variable) __atomic_load_n(&(variable), __ATOMIC_SEQ_CST)

/*
 * Whether @condition comes true.  The limit is far beyond what the slowest host
 * needs; who waits so long waits for ever.
 */
#define EVENTUALLY(condition)                  \
	({                                     \
		int left = 20000;              \
                                               \
		while (!(condition) && left--) \
			usleep(1000);          \
		left >= 0;                     \
	})

#endif
