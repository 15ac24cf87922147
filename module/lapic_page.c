// SPDX-License-Identifier: GPL-2.0
/*
 * The local APIC's page as a device of the bus.
 */
#include "apic.h"
#include "iobus.h"
#include "vcpu.h"

static bool lapic_page_read(struct lodge_vcpu *vcpu,
			    struct lodge_iodevice *device, u64 offset,
			    void *data, size_t size)
{
	lodge_lapic_read(vcpu->apic, offset, data, size);
	return true;
}

static bool lapic_page_write(struct lodge_vcpu *vcpu,
			     struct lodge_iodevice *device, u64 offset,
			     const void *data, size_t size)
{
	lodge_lapic_write(vcpu->apic, offset, data, size);
	return true;
}

static const struct lodge_iodevice_ops lapic_page_ops = {
	.read = lapic_page_read,
	.write = lapic_page_write,
};

struct lodge_iodevice lodge_lapic_page = { .ops = &lapic_page_ops };
