/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The programs that runner.h's machines have in their memory, and its map: for C and
 * guest_code.S.
 */
#ifndef LODGE_LIB_GUEST_CODE_H
#define LODGE_LIB_GUEST_CODE_H

/* Counters: interrupts, NMIs, and rounds of the code's loop. */
#define GUEST_INTERRUPTS 0x500
#define GUEST_NMIS 0x504
#define GUEST_ROUNDS 0x508

#define GUEST_CODE 0x1000
#define GUEST_STACKS 0x8000
/* Pages that guest_touch writes to, in turn. */
#define GUEST_WINDOW 0x200000
#define GUEST_WINDOW_PAGES 16
#define GUEST_WINDOW_SIZE (GUEST_WINDOW_PAGES * 0x1000)

/* Pages that guest_scatter writes to, in no order; a power of two. */
#define GUEST_SCATTER 0x400000
#define GUEST_SCATTER_PAGES 512
#define GUEST_SCATTER_SIZE (GUEST_SCATTER_PAGES * 0x1000)

/* Pages far apart that guest_stride writes to, in turn. */
#define GUEST_VAST 0x10000000
#define GUEST_VAST_SIZE 0x40000000
#define GUEST_STRIDE 0x200000

#define GUEST_PORT 0x80
#define GUEST_PORT_DATA 0x5a

#ifndef __ASSEMBLER__
extern const char guest_first[], guest_last[];

/* Counts rounds, for ever. */
extern const char guest_spin[];
/* Waits in HLT with interrupts off: nothing but NMI ends it. */
extern const char guest_halt[];
/* Copies GUEST_NMIS to GUEST_ROUNDS, again and again. */
extern const char guest_tell_nmis[];
/* Writes GUEST_PORT_DATA to GUEST_PORT, again and again, and counts rounds. */
extern const char guest_out[];
/* Reads GUEST_PORT and leaves the answer in BL. */
extern const char guest_in[];
/* Adds one to the first word of each page of the window, and counts rounds. */
extern const char guest_touch[];
/*
 * Adds one to the first word of pages that it draws, of GUEST_SCATTER, and has one in 16
 * written to by an input from GUEST_PORT too; counts those.
 */
extern const char guest_scatter[];
/* Writes bytes from the window's beginning to GUEST_PORT, and counts rounds. */
extern const char guest_out_string[];
/* Adds one to a word in each STRIDE of the vast window, and counts rounds. */
extern const char guest_stride[];
/* Enables the APIC and takes interrupts, spinning or in HLT. */
extern const char guest_serve[];
extern const char guest_serve_halted[];
/* Called by them: counts, and ends interrupts. */
extern const char guest_interrupt[], guest_nmi[];
#endif

#endif
