// SPDX-License-Identifier: GPL-2.0
/*
 * The machine's doorbells.
 */
#include "machine/doorbells.h"

#include <errno.h>

#include "lib/client.h"

static int set(void *opaque, const struct doorbell *doorbell, int eventfd,
	       bool on)
{
	const int *vm = opaque;
	const struct lodge_ioeventfd bell = {
		.address = doorbell->address,
		.match = doorbell->match ? doorbell->data : 0,
		.size = doorbell->size,
		.fd = eventfd,
		.flags = (doorbell->space == BUS_PORT ? LODGE_IOEVENTFD_PORT :
							0) |
			 (doorbell->match ? LODGE_IOEVENTFD_MATCH : 0) |
			 (on ? 0 : LODGE_IOEVENTFD_REMOVE),
	};

	return *vm < 0 ? -ENODEV : lodge_vm_ioeventfd(*vm, &bell);
}

static int message(void *opaque, int eventfd, uint64_t address, uint32_t data,
		   bool on)
{
	const int *vm = opaque;
	const struct lodge_irqfd irqfd = {
		.address = address,
		.data = data,
		.fd = eventfd,
		.flags = on ? 0 : LODGE_IRQFD_REMOVE,
	};

	return *vm < 0 ? -ENODEV : lodge_vm_irqfd(*vm, &irqfd);
}

struct doorbells doorbells_of(int *vm)
{
	return (struct doorbells){
		.set = set,
		.message = message,
		.opaque = vm,
	};
}
