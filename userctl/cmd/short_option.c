// SPDX-License-Identifier: GPL-2.0
/*
 * Options that are short for --device.
 */
#include "cmd/short_option.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHARE "virtio-fs"
#define QCOW2 ",format=qcow2"

static bool is_help(const char *text)
{
	return !strcmp(text, "help");
}

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

/* Return: the key that says that the disk is a qcow2 image, with its comma; or NULL. */
static const char *find_qcow2(const char *keys)
{
	const size_t length = strlen(QCOW2);
	const char *found = strstr(keys, QCOW2);

	while (found && found[length] && found[length] != ',')
		found = strstr(found + length, QCOW2);
	return found;
}

static char *drive(const char *kind, const char *text)
{
	char *device;
	int size;

	if (is_help(text))
		size = asprintf(&device, "%s,help", kind);
	else
		size = asprintf(&device, "%s,file=%s", kind, text);
	return size < 0 ? NULL : device;
}

char *short_option_disk(const char *text)
{
	const char *keys = text + length_of_name(text);
	const char *qcow2 = find_qcow2(keys);
	char *device;
	int size;

	if (qcow2)
		size = asprintf(&device, "virtio-qcow2,file=%.*s%s",
				(int)(qcow2 - text), text,
				qcow2 + strlen(QCOW2));
	else
		return drive("virtio-blk", text);
	return size < 0 ? NULL : device;
}

char *short_option_cdrom(const char *text)
{
	return drive("virtio-scsi", text);
}

char *short_option_pmem(const char *text)
{
	return drive("virtio-pmem", text);
}

char *short_option_net(const char *text)
{
	char *device;

	if (is_help(text))
		return strdup("virtio-net,help");
	return asprintf(&device, "virtio-net,type=%s", text) < 0 ? NULL :
								   device;
}

char *short_option_vsock(const char *text)
{
	char *device;

	if (is_help(text))
		return strdup("virtio-vsock,help");
	return asprintf(&device, "virtio-vsock,cid=%s", text) < 0 ? NULL :
								    device;
}

static unsigned int count_shares(const struct devices_wanted *devices)
{
	const struct device_kind *kind = devices_find(SHARE);
	unsigned int count = 0;

	while (kind && devices_wants(devices, kind, count))
		count++;
	return count;
}

char *short_option_share(const struct devices_wanted *devices, const char *text)
{
	const size_t length = length_of_name(text);
	const char *colon = memrchr(text, ':', length);
	char *device;
	int size;

	if (is_help(text))
		return strdup(SHARE ",help");
	if (colon)
		size = asprintf(&device, SHARE ",dir=%.*s,tag=%s",
				(int)(colon - text), text, colon + 1);
	else
		size = asprintf(&device, SHARE ",dir=%.*s,tag=share%u%s",
				(int)length, text, count_shares(devices),
				text + length);
	return size < 0 ? NULL : device;
}

/* Return: true, and what --device is given for an option, or NULL without memory. */
static bool expand(const struct run_options *options, const char *name,
		   const char *value, char **device)
{
	if (!strcmp(name, "disk"))
		*device = short_option_disk(value);
	else if (!strcmp(name, "cdrom"))
		*device = short_option_cdrom(value);
	else if (!strcmp(name, "pmem"))
		*device = short_option_pmem(value);
	else if (!strcmp(name, "share"))
		*device = short_option_share(&options->machine.devices, value);
	else if (!strcmp(name, "net") && strcmp(value, "none"))
		*device = short_option_net(value);
	else
		return false;
	return true;
}

int short_option_note(struct run_options *options, const char *name,
		      const char *value)
{
	char *device;
	int err;

	if (!config_has(options->config, "device") ||
	    !expand(options, name, value, &device))
		return options_note(options, name, value);
	err = device ? options_note(options, "device", device) : -ENOMEM;
	free(device);
	return err;
}
