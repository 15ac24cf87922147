// SPDX-License-Identifier: GPL-2.0
/*
 * NMIs from the real-time clock: see clock.h.
 */
#include "clock.h"

#include <linux/acpi.h>
#include <linux/io.h>
#include <linux/mc146818rtc.h>
#include <linux/smp.h>
#include <linux/stop_machine.h>
#include <asm/apicdef.h>
#include <asm/hpet.h>
#include <asm/io_apic.h>

#define CLOCK_PIN 8
/* The address of a PC's first one, whose pins are the ISA interrupts. */
#define CLOCK_IOAPIC_BASE 0xfec00000
#define CLOCK_IOAPIC_DATA 0x10
#define CLOCK_IOAPIC_ENTRY (0x10 + 2 * CLOCK_PIN)

/* Rate 7 of register A. */
#define CLOCK_RATE 7
#define CLOCK_RATE_MASK 0x0f

static void __iomem *clock_ioapic;
static void __iomem *clock_hpet;

/* The entry that stood there before. */
static struct IO_APIC_route_entry clock_old_entry;
static u32 clock_old_hpet;
static u8 clock_old_a, clock_old_b;

static u32 clock_ioapic_read(u32 index)
{
	writel(index, clock_ioapic);
	return readl(clock_ioapic + CLOCK_IOAPIC_DATA);
}

static void clock_ioapic_write(u32 index, u32 value)
{
	writel(index, clock_ioapic);
	writel(value, clock_ioapic + CLOCK_IOAPIC_DATA);
}

/* The mask is in the lower word. */
static void clock_set_entry(const struct IO_APIC_route_entry *entry)
{
	struct IO_APIC_route_entry masked = { .masked = 1 };

	clock_ioapic_write(CLOCK_IOAPIC_ENTRY, masked.w1);
	clock_ioapic_write(CLOCK_IOAPIC_ENTRY + 1, entry->w2);
	clock_ioapic_write(CLOCK_IOAPIC_ENTRY, entry->w1);
}

int clock_map(void)
{
	struct acpi_table_header *table;

	clock_ioapic = ioremap(CLOCK_IOAPIC_BASE, PAGE_SIZE);
	if (!clock_ioapic)
		return -ENOMEM;
	if (ACPI_FAILURE(acpi_get_table(ACPI_SIG_HPET, 0, &table)))
		return 0;
	clock_hpet = ioremap(((struct acpi_table_hpet *)table)->address.address,
			     PAGE_SIZE);
	acpi_put_table(table);
	return clock_hpet ? 0 : -ENOMEM;
}

void clock_unmap(void)
{
	if (clock_hpet)
		iounmap(clock_hpet);
	if (clock_ioapic)
		iounmap(clock_ioapic);
}

/*
 * The others stand still: none of them is between the writes of an index and of
 * its data.  The last access to the clock is the one that starts it, since the
 * NMI's handler changes its index.
 */
static int clock_start_alone(void *argument)
{
	const unsigned int *cpu = argument;
	struct IO_APIC_route_entry entry = {
		.delivery_mode = APIC_DELIVERY_MODE_NMI,
		.destid_0_7 = cpu_physical_id(*cpu),
	};
	u8 control;

	/* An HPET in the place of the old timers cuts the clock off. */
	if (clock_hpet) {
		clock_old_hpet = readl(clock_hpet + HPET_CFG);
		writel(clock_old_hpet & ~HPET_CFG_LEGACY,
		       clock_hpet + HPET_CFG);
	}
	clock_old_a = CMOS_READ(RTC_FREQ_SELECT);
	clock_old_b = CMOS_READ(RTC_CONTROL);
	control = clock_old_b & ~(RTC_PIE | RTC_AIE | RTC_UIE);
	CMOS_WRITE(control, RTC_CONTROL);
	CMOS_WRITE((clock_old_a & ~CLOCK_RATE_MASK) | CLOCK_RATE,
		   RTC_FREQ_SELECT);
	/* The pin is low from here on, and so has an edge when it rises. */
	CMOS_READ(RTC_INTR_FLAGS);

	clock_old_entry.w1 = clock_ioapic_read(CLOCK_IOAPIC_ENTRY);
	clock_old_entry.w2 = clock_ioapic_read(CLOCK_IOAPIC_ENTRY + 1);
	clock_set_entry(&entry);
	CMOS_WRITE(control | RTC_PIE, RTC_CONTROL);
	return 0;
}

void clock_start(unsigned int cpu)
{
	stop_machine(clock_start_alone, &cpu, NULL);
}

/* First the pin, so that the handler does not meddle with the clock's index. */
static int clock_stop_alone(void *unused)
{
	clock_set_entry(&clock_old_entry);
	CMOS_WRITE(clock_old_b, RTC_CONTROL);
	CMOS_WRITE(clock_old_a, RTC_FREQ_SELECT);
	CMOS_READ(RTC_INTR_FLAGS);
	if (clock_hpet)
		writel(clock_old_hpet, clock_hpet + HPET_CFG);
	return 0;
}

void clock_stop(void)
{
	stop_machine(clock_stop_alone, NULL, NULL);
}

bool clock_acknowledge(void)
{
	return CMOS_READ(RTC_INTR_FLAGS) & RTC_PF;
}
