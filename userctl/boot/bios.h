/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The first MiB as a BIOS leaves it: interrupt table, BIOS data area, and the
 * few instructions behind them.
 *
 * Line A20 is not modelled: addresses never wrap at 1 MiB, as with A20 on.
 */
#ifndef LODGE_BOOT_BIOS_H
#define LODGE_BOOT_BIOS_H

#include <stdint.h>

#include "board/layout.h"
#include "board/ram.h"

/* End of the interrupt table and the BIOS data area. */
#define BIOS_LOW_END 0x500

/* Offsets in segment 0xf000 where PC software expects them. */
#define BIOS_POST 0xe05b /* restarts the machine */
#define BIOS_EQUIPMENT 0xf84d /* INT 11h: the equipment list */
#define BIOS_MEMORY 0xf841 /* INT 12h: the size of low memory in KiB */
#define BIOS_ABSENT 0xf859 /* a service that fails */
#define BIOS_TIMER 0xfea5 /* counts the timer's ticks */
#define BIOS_EOI_MASTER 0xfef3 /* ends an interrupt of the first PIC */
#define BIOS_EOI_SLAVE 0xff23 /* ends an interrupt of the second PIC */
#define BIOS_IRET 0xff53 /* returns */
#define BIOS_RESET 0xfff0 /* jumps to BIOS_POST */

/* The ROM ends at 4 GiB and so holds the reset vector. */
#define BIOS_ROM_SIZE 0x1000

/**
 * bios_rom - contents of the ROM, page-aligned
 *
 * Images start without it.  vCPU 0 gets here after an INIT, and restarts the
 * machine as BIOS_POST does.
 */
extern const uint8_t bios_rom[BIOS_ROM_SIZE];

/**
 * bios_write() - write interrupt table, BIOS data areas and handlers
 * @serials: the serial ports that there are: bit 0 for COM1, up to bit 3
 *
 * Each interrupt vector leads to a handler that returns.  The handlers of the two
 * PICs' vectors (from 0x08 and 0x70) end the interrupt first, and that of the timer
 * counts ticks at 0x46c.  The services from INT 13h to INT 17h and INT 1ah fail
 * with carry set and AH = 0x86.
 */
void bios_write(const struct ram *ram, unsigned int serials);

#endif
