// SPDX-License-Identifier: GPL-2.0
/*
 * The kinds of devices: one row each.
 */
#include "machine/devices.h"

#include <string.h>

#include "dev/checkpoint.h"
#include "dev/crt.h"
#include "dev/debugexit.h"
#include "dev/fuzz.h"
#include "dev/fwcfg.h"
#include "dev/i8042.h"
#include "dev/pci.h"
#include "dev/pit.h"
#include "dev/pm.h"
#include "dev/rtc.h"
#include "dev/serial.h"
#include "dev/testdev.h"
#include "dev/vmgenid.h"
#include "virtio/balloon.h"
#include "virtio/blk.h"
#include "virtio/console.h"
#include "virtio/fs.h"
#include "virtio/net.h"
#include "virtio/pmem.h"
#include "virtio/qcow2.h"
#include "virtio/rng.h"
#include "virtio/scsi.h"
#include "virtio/vhost_user_device.h"
#include "virtio/vsock.h"

/**
 * struct row - a row of the device table
 * @kind: kind of device
 * @optional: machines have it only on request
 */
struct row {
	const struct device_kind *kind;
	bool optional;
};

/* In the order of making and resetting devices. */
static const struct row rows[] = {
	{ .kind = &serial_device },
	{ .kind = &rtc_device },
	{ .kind = &i8042_device },
	{ .kind = &pit_device },
	{ .kind = &pm_device },
	{ .kind = &pci_device },
	{ .kind = &vmgenid_device },
	{ .kind = &fwcfg_device },
	{ .kind = &crt_device },
	{ .kind = &debugexit_device },
	{ .kind = &testdev_device, .optional = true },
	{ .kind = &checkpoint_device, .optional = true },
	{ .kind = &fuzz_device, .optional = true },
	{ .kind = &virtio_blk_device, .optional = true },
	{ .kind = &virtio_scsi_device, .optional = true },
	{ .kind = &virtio_qcow2_device, .optional = true },
	{ .kind = &virtio_rng_device, .optional = true },
	{ .kind = &virtio_console_device, .optional = true },
	{ .kind = &virtio_balloon_device, .optional = true },
	{ .kind = &virtio_net_device, .optional = true },
	{ .kind = &virtio_pmem_device, .optional = true },
	{ .kind = &virtio_fs_device, .optional = true },
	{ .kind = &vhost_user_device, .optional = true },
	{ .kind = &virtio_vsock_device, .optional = true },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

const struct device_kind *devices_kind(size_t number)
{
	return number < ROWS ? rows[number].kind : NULL;
}

const struct device_kind *devices_find(const char *name)
{
	for (size_t i = 0; i < ROWS; i++)
		if (!strcmp(rows[i].kind->name, name))
			return rows[i].kind;
	return NULL;
}

bool devices_optional(const struct device_kind *kind)
{
	size_t row = 0;

	while (rows[row].kind != kind)
		row++;
	return rows[row].optional;
}
