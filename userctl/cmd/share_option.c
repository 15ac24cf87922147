// SPDX-License-Identifier: GPL-2.0
/*
 * The option --share.
 */
#include "cmd/share_option.h"

#include <stdio.h>
#include <string.h>

#define DEVICE "virtio-fs"

/* Return: the number of bytes before the keys; two commas stand for one of the name's. */
static size_t length_of_name(const char *text)
{
	size_t length = strcspn(text, ",");

	while (text[length] == ',' && text[length + 1] == ',') {
		length += 2;
		length += strcspn(text + length, ",");
	}
	return length;
}

static unsigned int count_shares(const struct devices_wanted *devices)
{
	const struct device_kind *kind = devices_find(DEVICE);
	unsigned int count = 0;

	while (kind && devices_wants(devices, kind, count))
		count++;
	return count;
}

char *share_option_device(const struct devices_wanted *devices,
			  const char *text)
{
	const size_t length = length_of_name(text);
	const char *colon = memrchr(text, ':', length);
	char *device;
	int size;

	if (colon)
		size = asprintf(&device, DEVICE ",dir=%.*s,tag=%s",
				(int)(colon - text), text, colon + 1);
	else
		size = asprintf(&device, DEVICE ",dir=%.*s,tag=share%u%s",
				(int)length, text, count_shares(devices),
				text + length);
	return size < 0 ? NULL : device;
}
