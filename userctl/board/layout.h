/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The layout of a PC: addresses, ports and interrupt lines, shared by the devices
 * and by the ACPI tables that describe them.
 */
#ifndef LODGE_BOARD_LAYOUT_H
#define LODGE_BOARD_LAYOUT_H

/* Extended BIOS data area, up to the video memory at 0xa0000. */
#define BIOS_EBDA 0x9fc00
#define BIOS_EBDA_SIZE 0x400
/* The BIOS area: ACPI's tables, then segment 0xf000. */
#define BIOS_AREA 0xe0000
#define BIOS_SEGMENT 0xf0000
#define BIOS_AREA_END 0x100000

/* Ports of the PIC, the PIT, the speaker, the keyboard and its controller. */
#define PIC_PORT 0x20
#define PIC_SLAVE_PORT 0xa0
#define PIC_PORTS 2
#define PIC_CASCADE_IRQ 2
#define PIT_PORT 0x40
#define PIT_PORTS 4
#define SPEAKER_PORT 0x61
#define I8042_DATA_PORT 0x60
#define I8042_COMMAND_PORT 0x64

/* Lines of ISA devices. */
#define PIT_IRQ 0
#define I8042_IRQ 1
#define SERIAL_COM1_IRQ 4 /* and COM3's */
#define SERIAL_COM2_IRQ 3 /* and COM4's */
#define RTC_IRQ 8

#define SERIAL_MAX 4
#define SERIAL_COM1 0x3f8
#define SERIAL_COM2 0x2f8
#define SERIAL_COM3 0x3e8
#define SERIAL_COM4 0x2e8
#define SERIAL_PORTS 8

#define RTC_PORT 0x70
#define RTC_PORTS 2

/* PCI's configuration mechanism 1: address and data port, four bytes each. */
#define PCI_PORT 0xcf8
#define PCI_PORTS 8

/*
 * PCI's configuration space in memory, a page for each function, begins the hole.  Behind
 * it, up to the IOAPIC, is PCI's window for memory: SeaBIOS fills that from its end on.
 */
#define PCI_ECAM 0xc0000000ULL
#define PCI_ECAM_SIZE 0x100000ULL
#define PCI_MEMORY (PCI_ECAM + PCI_ECAM_SIZE)

/* Where firmware puts the ports of PCI functions. */
#define PCI_FIRST_PORT 0xc000

/* PCI's interrupts: pins of the IOAPIC; for the PIC, ISA interrupts in turn. */
#define PCI_FIRST_GSI 16
#define PCI_NR_GSIS 4
#define PCI_FIRST_IRQ 10
#define PCI_NR_IRQS 2

#define IOAPIC_BASE 0xfec00000ULL
#define IOAPIC_PINS 24
#define IOAPIC_ID 0

/* ACPI's fixed hardware; the reset register overlaps the ports at PCI_PORT. */
#define PM_EVENT_PORT 0x600
#define PM_EVENT_SIZE 4
#define PM_CONTROL_PORT 0x604
#define PM_CONTROL_SIZE 2
#define PM_TIMER_PORT 0x608
#define PM_TIMER_SIZE 4
#define PM_TIMER_BITS 32
#define PM_GPE_PORT 0x620
#define PM_GPE_SIZE 4
#define PM_GPE_EVENTS 16
#define PM_RESET_PORT 0xcf9
#define PM_SCI_IRQ 9

/* The generation ID of the machine, in a page of its own, and its general event. */
#define VMGENID_BASE 0xfed80000ULL
#define VMGENID_PAGE 0x1000
#define VMGENID_SIZE 16
#define VMGENID_EVENT 5

/*
 * SLP_TYP of state S5 (soft off), which \_S5 in the DSDT gives.  It is that of
 * QEMU's PC: guests that write 0x2000 without reading the DSDT power off, too.
 */
#define PM_SLP_TYP_S5 0
/* The same for S3, suspend to RAM. */
#define PM_SLP_TYP_S3 1
/* The FADT has the guest write this to the reset register. */
#define PM_RESET_VALUE 0x06

#endif
