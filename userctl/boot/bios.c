// SPDX-License-Identifier: GPL-2.0
/*
 * The first MiB as a BIOS leaves it.
 */
#include "boot/bios.h"

#include <stdint.h>
#include <string.h>

#define IVT_VECTORS 256
#define IVT_SEGMENT (BIOS_SEGMENT >> 4)
#define MASTER_BASE 0x08
#define SLAVE_BASE 0x70
#define PIC_LINES 8

/*
 * Services of a BIOS.  Those from INT_DISK to INT_PRINTER, and INT_TIME, fail.  The
 * video service, 0x10, just returns, because it cannot report an error.
 */
#define INT_EQUIPMENT 0x11
#define INT_MEMORY 0x12
#define INT_DISK 0x13
#define INT_PRINTER 0x17
#define INT_TIME 0x1a

/* Fields of the BIOS data area, by address. */
#define BDA 0x400
#define BDA_SIZE 0x100
#define BDA_SERIAL 0x400 /* a word for each port */
#define BDA_EBDA 0x40e
#define BDA_EQUIPMENT 0x410
#define BDA_MEMORY 0x413

#define EQUIPMENT_FPU (1 << 1)
#define EQUIPMENT_SERIAL 9 /* their number */

static const uint8_t bios_iret[] = {
	0xcf, /* iret */
};

static const uint8_t bios_eoi_master[] = {
	0x50, /* push ax */
	0xb0, 0x20, /* mov al, 0x20 */
	0xe6, 0x20, /* out 0x20, al */
	0x58, /* pop ax */
	0xcf, /* iret */
};

static const uint8_t bios_eoi_slave[] = {
	0x50, /* push ax */
	0xb0, 0x20, /* mov al, 0x20 */
	0xe6, 0xa0, /* out 0xa0, al */
	0xe6, 0x20, /* out 0x20, al */
	0x58, /* pop ax */
	0xcf, /* iret */
};

/* Counts the timer's ticks since midnight, up to 32 bits of them. */
static const uint8_t bios_timer[] = {
	0x50, /* push ax */
	0x1e, /* push ds */
	0x31, 0xc0, /* xor ax, ax */
	0x8e, 0xd8, /* mov ds, ax */
	0x66, 0xff, 0x06, 0x6c, 0x04, /* inc dword [0x46c] */
	0xb0, 0x20, /* mov al, 0x20 */
	0xe6, 0x20, /* out 0x20, al */
	0x1f, /* pop ds */
	0x58, /* pop ax */
	0xcf, /* iret */
};

/* Returns the word at 0x400 + @low, in the BIOS data area, in AX. */
#define BIOS_ANSWER(low)                                       \
	0x1e, /* push ds */                                    \
		0x31, 0xc0, /* xor ax, ax */                   \
		0x8e, 0xd8, /* mov ds, ax */                   \
		0xa1, (low), 0x04, /* mov ax, [0x400 + low] */ \
		0x1f, /* pop ds */                             \
		0xcf /* iret */

static const uint8_t bios_equipment[] = { BIOS_ANSWER(0x10) };
static const uint8_t bios_memory[] = { BIOS_ANSWER(0x13) };

/* Fails as in a BIOS without that function: carry set, AH = 0x86. */
static const uint8_t bios_absent[] = {
	0xb4, 0x86, /* mov ah, 0x86 */
	0x55, /* push bp */
	0x89, 0xe5, /* mov bp, sp */
	0x80, 0x4e, 0x06, 0x01, /* or byte [bp + 6], 1: carry */
	0x5d, /* pop bp */
	0xcf, /* iret */
};

/* Resets the machine through the keyboard controller. */
#define RESTART                                \
	0xb0, 0xfe, /* mov al, 0xfe */         \
		0xe6, 0x64, /* out 0x64, al */ \
		0xfa, /* cli */                \
		0xf4, /* hlt */                \
		0xeb, 0xfd /* jmp to the hlt */

static const uint8_t bios_post[] = { RESTART };

const uint8_t bios_rom[BIOS_ROM_SIZE]
	__attribute__((aligned(BIOS_ROM_SIZE))) = {
		[BIOS_ROM_SIZE - 16] = RESTART,
	};

/* The jump is followed by the BIOS's date; the last but one byte is the model, AT. */
static const uint8_t bios_reset[] = {
	0xea,
	BIOS_POST & 0xff,
	BIOS_POST >> 8,
	0x00,
	0xf0, /* jmp far */
	'0',
	'1',
	'/',
	'0',
	'1',
	'/',
	'2',
	'5',
	0x00,
	0xfc,
	0x00,
};

static void bios_code(const struct ram *ram, uint32_t offset,
		      const uint8_t *code, size_t size)
{
	memcpy(ram_write_at(ram, BIOS_SEGMENT + offset, size), code, size);
}

static void bios_vectors(const struct ram *ram, unsigned int first,
			 unsigned int count, uint16_t offset)
{
	uint16_t *vector = ram_write_at(ram, 4 * first, 4 * count);
	unsigned int i;

	for (i = 0; i < count; i++) {
		vector[2 * i] = offset;
		vector[2 * i + 1] = IVT_SEGMENT;
	}
}

static void bios_word(const struct ram *ram, uint32_t address, uint16_t value)
{
	memcpy(ram_write_at(ram, address, sizeof(value)), &value,
	       sizeof(value));
}

/* Lists the serial ports, without gaps.  Return: their number. */
static unsigned int bios_serials(const struct ram *ram, unsigned int serials)
{
	static const uint16_t ports[SERIAL_MAX] = {
		SERIAL_COM1,
		SERIAL_COM2,
		SERIAL_COM3,
		SERIAL_COM4,
	};
	unsigned int count = 0;

	for (unsigned int i = 0; i < SERIAL_MAX; i++)
		if (serials >> i & 1)
			bios_word(ram, BDA_SERIAL + 2 * count++, ports[i]);
	return count;
}

void bios_write(const struct ram *ram, unsigned int serials)
{
	uint8_t *ebda = ram_write_at(ram, BIOS_EBDA, BIOS_EBDA_SIZE);

	memset(ram_write_at(ram, BIOS_SEGMENT, BIOS_AREA_END - BIOS_SEGMENT), 0,
	       BIOS_AREA_END - BIOS_SEGMENT);
	bios_code(ram, BIOS_IRET, bios_iret, sizeof(bios_iret));
	bios_code(ram, BIOS_EOI_MASTER, bios_eoi_master,
		  sizeof(bios_eoi_master));
	bios_code(ram, BIOS_EOI_SLAVE, bios_eoi_slave, sizeof(bios_eoi_slave));
	bios_code(ram, BIOS_TIMER, bios_timer, sizeof(bios_timer));
	bios_code(ram, BIOS_EQUIPMENT, bios_equipment, sizeof(bios_equipment));
	bios_code(ram, BIOS_MEMORY, bios_memory, sizeof(bios_memory));
	bios_code(ram, BIOS_ABSENT, bios_absent, sizeof(bios_absent));
	bios_code(ram, BIOS_POST, bios_post, sizeof(bios_post));
	bios_code(ram, BIOS_RESET, bios_reset, sizeof(bios_reset));

	bios_vectors(ram, 0, IVT_VECTORS, BIOS_IRET);
	bios_vectors(ram, MASTER_BASE, PIC_LINES, BIOS_EOI_MASTER);
	bios_vectors(ram, MASTER_BASE + PIT_IRQ, 1, BIOS_TIMER);
	bios_vectors(ram, INT_EQUIPMENT, 1, BIOS_EQUIPMENT);
	bios_vectors(ram, INT_MEMORY, 1, BIOS_MEMORY);
	bios_vectors(ram, INT_DISK, INT_PRINTER - INT_DISK + 1, BIOS_ABSENT);
	bios_vectors(ram, INT_TIME, 1, BIOS_ABSENT);
	bios_vectors(ram, SLAVE_BASE, PIC_LINES, BIOS_EOI_SLAVE);

	memset(ram_write_at(ram, BDA, BDA_SIZE), 0, BDA_SIZE);
	bios_word(ram, BDA_EBDA, BIOS_EBDA >> 4);
	bios_word(ram, BDA_EQUIPMENT,
		  EQUIPMENT_FPU | bios_serials(ram, serials)
					  << EQUIPMENT_SERIAL);
	bios_word(ram, BDA_MEMORY, BIOS_EBDA >> 10);

	/* The area begins with its own size in KiB. */
	memset(ebda, 0, BIOS_EBDA_SIZE);
	ebda[0] = BIOS_EBDA_SIZE >> 10;
}
