// SPDX-License-Identifier: GPL-2.0
/*
 * The devices of a machine, each plugged in where a PC has it.
 */
#include "machine/devices.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "board/layout.h"
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

/*
 * The makers.  Each returns whether the device is there; if not, errno says why.
 */
static bool make_serial(struct devices *devices,
			const struct devices_config *config)
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

	devices->serial = serial_new(&serial);
	return devices->serial;
}

static bool make_rtc(struct devices *devices,
		     const struct devices_config *config)
{
	const struct rtc_config rtc = {
		.bus = config->bus,
		.loop = config->loop,
		.irq = interrupts_line(config->interrupts, RTC_IRQ),
		.ram_low = ram_low(config->ram),
		.ram_high = ram_high(config->ram),
		.battery = config->battery,
	};

	devices->rtc = rtc_new(&rtc);
	return devices->rtc;
}

static bool make_i8042(struct devices *devices,
		       const struct devices_config *config)
{
	struct irq_line irq = interrupts_line(config->interrupts, I8042_IRQ);

	devices->i8042 = i8042_new(config->bus, &irq, &config->power);
	return devices->i8042;
}

static bool make_pit(struct devices *devices,
		     const struct devices_config *config)
{
	struct irq_line irq = interrupts_line(config->interrupts, PIT_IRQ);

	devices->pit = pit_new(config->bus, config->loop, &irq);
	if (devices->pit)
		pit_setup_as_bios(devices->pit);
	return devices->pit;
}

static bool make_pm(struct devices *devices,
		    const struct devices_config *config)
{
	struct irq_line sci = interrupts_line(config->interrupts, PM_SCI_IRQ);

	devices->pm = pm_new(config->bus, config->loop, &sci, &config->power);
	return devices->pm;
}

static bool make_pci(struct devices *devices,
		     const struct devices_config *config)
{
	devices->pci = pci_new(config->bus);
	return devices->pci;
}

static bool make_fwcfg(struct devices *devices,
		       const struct devices_config *config)
{
	struct e820_entry map[E820_MAX];
	const struct fwcfg_config fwcfg = {
		.bus = config->bus,
		.cpus = config->cpus,
		.ram_size = ram_low(config->ram) + ram_high(config->ram),
		.e820 = map,
		.e820_count = e820_build(config->ram, map),
	};

	devices->fwcfg = fwcfg_new(&fwcfg);
	return devices->fwcfg;
}

static bool make_debugexit(struct devices *devices,
			   const struct devices_config *config)
{
	devices->debugexit = debugexit_new(config->bus, &config->power);
	return devices->debugexit;
}

static bool make_testdev(struct devices *devices,
			 const struct devices_config *config)
{
	struct irq_line lines = interrupts_line(config->interrupts, 0);

	if (!config->testdev)
		return true;
	devices->testdev = testdev_new(config->bus, &lines);
	return devices->testdev;
}

int devices_new(struct devices *devices, const struct devices_config *config)
{
	static bool (*const makers[])(struct devices * devices,
				      const struct devices_config *config) = {
		make_serial, make_rtc,	 make_i8042,	 make_pit,     make_pm,
		make_pci,    make_fwcfg, make_debugexit, make_testdev,
	};

	memset(devices, 0, sizeof(*devices));
	for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++)
		if (!makers[i](devices, config))
			return -errno;
	return 0;
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
