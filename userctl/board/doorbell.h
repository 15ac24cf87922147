/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Doorbells: addresses of which the guest's writes signal an eventfd, and messages that an
 * eventfd sends to the guest, so that neither needs a vCPU's thread to come here.
 *
 * Both are faster ways for what the bus and pci_msix_notify() do; a machine may have none.
 */
#ifndef LODGE_BOARD_DOORBELL_H
#define LODGE_BOARD_DOORBELL_H

#include <stdbool.h>
#include <stdint.h>

#include "board/bus.h"

/**
 * struct doorbell - an address
 * @address: the first that is written to
 * @space: ports or memory
 * @size: bytes of the write: 1, 2, 4 or, in memory, 8; 0: any
 * @match: only writes of @data count; @size is not 0
 * @data: see @match
 */
struct doorbell {
	uint64_t address;
	enum bus_space space;
	unsigned int size;
	bool match;
	uint64_t data;
};

/**
 * struct doorbells - the ways to and from eventfds
 * @set: let writes to a doorbell signal @eventfd instead of going to the bus, or no longer.
 *	Returns 0 or -errno; then the bus gets the writes as before.  NULL: there is no way
 * @message: let @eventfd send a message, or another one, or no longer.  Returns 0 or
 *	-errno.  NULL: there is no way
 * @opaque: for both
 *
 * Any thread may call, with its device's lock held.
 */
struct doorbells {
	int (*set)(void *opaque, const struct doorbell *doorbell, int eventfd,
		   bool on);
	int (*message)(void *opaque, int eventfd, uint64_t address,
		       uint32_t data, bool on);
	void *opaque;
};

#endif
