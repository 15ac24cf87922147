// SPDX-License-Identifier: GPL-2.0
/*
 * A machine's serial ports.
 */
#include "machine/serials.h"

#include <errno.h>

/* Return: the number of the wish for the port, or -1. */
static int find(const struct devices_wanted *wanted, unsigned int port)
{
	const struct device_value *values;

	for (unsigned int i = 0;
	     (values = devices_wants(wanted, &serial_device, i)); i++)
		if (values[SERIAL_PORT].number == port)
			return i;
	return -1;
}

int serials_want(struct devices_wanted *wanted, unsigned int port)
{
	struct device_value *values;

	if (find(wanted, port) >= 0)
		return 0;
	values = devices_want(wanted, &serial_device);
	if (!values)
		return -ENOSPC;
	devices_set_number(&values[SERIAL_PORT], port);
	return 0;
}

unsigned int serials_wanted(const struct devices_wanted *wanted)
{
	unsigned int ports = 0;

	for (unsigned int i = 0; i < SERIAL_MAX; i++)
		ports |= (find(wanted, i) >= 0) << i;
	return ports;
}

struct serial *serials_get(const struct devices *devices,
			   const struct devices_wanted *wanted,
			   unsigned int port)
{
	int number = find(wanted, port);

	return number < 0 ? NULL : devices_get(devices, &serial_device, number);
}
