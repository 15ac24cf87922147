// SPDX-License-Identifier: GPL-2.0
/*
 * The devices of a machine, each plugged in where a PC has it.
 */
#include "machine/devices.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "boot/e820.h"
#include "dev/debugexit.h"
#include "dev/fwcfg.h"
#include "dev/i8042.h"
#include "dev/pci.h"
#include "dev/pit.h"
#include "dev/pm.h"
#include "dev/rtc.h"
#include "dev/serial.h"
#include "dev/testdev.h"

/* Lines of a PC; the others are named where the device is. */
#define PIT_LINE 0
#define I8042_LINE 1
#define RTC_LINE 8

static struct serial *make_serial(const struct devices_config *config)
{
	const struct serial_config serial = {
		.bus = config->bus,
		.loop = config->loop,
		.base = SERIAL_COM1,
		.irq = interrupts_line(config->interrupts, SERIAL_COM1_IRQ),
		.write = config->output,
		.drained = config->drained,
		.opaque = config->opaque,
	};

	return serial_new(&serial);
}

static struct rtc *make_rtc(const struct devices_config *config)
{
	const struct rtc_config rtc = {
		.bus = config->bus,
		.loop = config->loop,
		.irq = interrupts_line(config->interrupts, RTC_LINE),
		.ram_low = ram_low(config->ram),
		.ram_high = ram_high(config->ram),
	};

	return rtc_new(&rtc);
}

static struct i8042 *make_i8042(const struct devices_config *config)
{
	struct irq_line irq = interrupts_line(config->interrupts, I8042_LINE);

	return i8042_new(config->bus, &irq, &config->power);
}

static struct pit *make_pit(const struct devices_config *config)
{
	struct irq_line irq = interrupts_line(config->interrupts, PIT_LINE);
	struct pit *pit = pit_new(config->bus, config->loop, &irq);

	if (pit)
		pit_setup_as_bios(pit);
	return pit;
}

static struct pm *make_pm(const struct devices_config *config)
{
	struct irq_line sci = interrupts_line(config->interrupts, PM_SCI_IRQ);

	return pm_new(config->bus, config->loop, &sci, &config->power);
}

static struct fwcfg *make_fwcfg(const struct devices_config *config)
{
	struct e820_entry map[E820_MAX];
	const struct fwcfg_config fwcfg = {
		.bus = config->bus,
		.cpus = config->cpus,
		.ram_size = ram_low(config->ram) + ram_high(config->ram),
		.e820 = map,
		.e820_count = e820_build(config->ram, map),
	};

	return fwcfg_new(&fwcfg);
}

static struct testdev *make_testdev(const struct devices_config *config)
{
	struct irq_line lines = interrupts_line(config->interrupts, 0);

	return testdev_new(config->bus, &lines);
}

int devices_new(struct devices *devices, const struct devices_config *config)
{
	memset(devices, 0, sizeof(*devices));
	/* Each maker leaves errno; the first that fails ends the row. */
	errno = 0;
	if ((devices->serial = make_serial(config)) &&
	    (devices->rtc = make_rtc(config)) &&
	    (devices->i8042 = make_i8042(config)) &&
	    (devices->pit = make_pit(config)) &&
	    (devices->pm = make_pm(config)) &&
	    (devices->pci = pci_new(config->bus)) &&
	    (devices->fwcfg = make_fwcfg(config)) &&
	    (devices->debugexit = debugexit_new(config->bus, &config->power)) &&
	    (!config->testdev || (devices->testdev = make_testdev(config))))
		return 0;
	return errno ? -errno : -ENOMEM;
}

void devices_free(struct devices *devices)
{
	testdev_free(devices->testdev);
	debugexit_free(devices->debugexit);
	fwcfg_free(devices->fwcfg);
	pci_free(devices->pci);
	pm_free(devices->pm);
	pit_free(devices->pit);
	i8042_free(devices->i8042);
	rtc_free(devices->rtc);
	serial_free(devices->serial);
}
