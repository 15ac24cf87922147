// SPDX-License-Identifier: GPL-2.0
/*
 * The PC's pair of interrupt controllers (data sheets: Intel 8259A; Intel 82371
 * for the edge/level control registers).
 *
 * As in PCI chipsets, the edge/level control registers (ELCR) choose the trigger
 * mode and ICW1's LTIM is ignored.  There is no MCS-80 mode.
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include "dev/pic.h"

#define CHIP_LINES 8
#define CASCADE PIC_CASCADE_IRQ
#define PCI_IRQS (((1 << PCI_NR_IRQS) - 1) << PCI_FIRST_IRQ)
#define SPURIOUS 7

#define ICW1_ICW4 0x01
#define ICW1_SINGLE 0x02
#define ICW1 0x10
#define ICW4_AEOI 0x02
#define ICW4_SFNM 0x10

#define OCW2_LEVEL 0x07
#define OCW3 0x08
#define OCW3_READ_ISR 0x01
#define OCW3_READ 0x02
#define OCW3_POLL 0x04
#define OCW3_SPECIAL 0x20
#define OCW3_SET_SPECIAL 0x40

#define POLL_INTERRUPT 0x80

/* The word that the next write to the odd port sets. */
enum init_step { STEP_OCW1, STEP_ICW2, STEP_ICW3, STEP_ICW4 };

/*
 * @lines: current levels of the inputs; @edges: edges that are not acknowledged yet,
 * for inputs that are not in @elcr; @base: upper five bits of the vectors; @lowest:
 * the input with the lowest priority.
 */
struct chip {
	uint8_t lines;
	uint8_t edges;
	uint8_t isr;
	uint8_t imr;
	uint8_t elcr;
	uint8_t elcr_mask;
	uint8_t base;
	uint8_t lowest;
	enum init_step step;
	bool single;
	bool wants_icw4;
	bool aeoi;
	bool aeoi_rotates;
	bool sfnm;
	bool special_mask;
	bool read_isr;
	bool poll;
	bool master;
};

/* @lock guards all; chips[0] is the master. */
struct pic {
	pthread_mutex_t lock;
	struct irq_line intr;
	bool level;
	struct chip chips[2];
};

static uint8_t chip_irr(const struct chip *chip)
{
	return chip->edges | (chip->lines & chip->elcr);
}

/*
 * Return: the rank of the input with the highest priority in @inputs, where rank 0 is
 * the highest; 8 if @inputs is empty.
 */
static unsigned int chip_rank(const struct chip *chip, uint8_t inputs)
{
	unsigned int rank;

	for (rank = 0; rank < CHIP_LINES; rank++) {
		if (inputs & 1 << (chip->lowest + 1 + rank) % CHIP_LINES)
			break;
	}
	return rank;
}

static unsigned int chip_input(const struct chip *chip, unsigned int rank)
{
	return (chip->lowest + 1 + rank) % CHIP_LINES;
}

/* Return: the input whose interrupt the chip requests now, or -1. */
static int chip_request(const struct chip *chip)
{
	unsigned int rank = chip_rank(chip, chip_irr(chip) & ~chip->imr);
	uint8_t blocking = chip->isr;

	if (rank == CHIP_LINES || chip->step != STEP_OCW1)
		return -1;
	/* Special mask mode: masked inputs in service do not block others. */
	if (chip->special_mask)
		blocking &= ~chip->imr;
	/* Special fully nested mode: the slave is not blocked by its own service. */
	if (chip->sfnm && chip->master)
		blocking &= ~(1 << CASCADE);
	return rank < chip_rank(chip, blocking) ? (int)chip_input(chip, rank) :
						  -1;
}

static void chip_set_line(struct chip *chip, unsigned int input, bool level)
{
	uint8_t bit = 1 << input;

	if (!level) {
		chip->lines &= ~bit;
		return;
	}
	chip->edges |= ~chip->lines & ~chip->elcr & bit;
	chip->lines |= bit;
}

static void pic_update(struct pic *pic)
{
	struct chip *master = &pic->chips[0];
	bool level;

	chip_set_line(master, CASCADE, chip_request(&pic->chips[1]) >= 0);
	level = chip_request(master) >= 0;
	if (level == pic->level)
		return;
	pic->level = level;
	irq_line_set(&pic->intr, level);
}

static void chip_take(struct chip *chip, unsigned int input)
{
	chip->edges &= ~(1 << input);
	if (!chip->aeoi)
		chip->isr |= 1 << input;
	else if (chip->aeoi_rotates)
		chip->lowest = input;
}

/* Acknowledges the request of one chip.  Return: its input. */
static unsigned int chip_acknowledge(struct chip *chip)
{
	int input = chip_request(chip);

	if (input < 0)
		return SPURIOUS;
	chip_take(chip, input);
	return input;
}

/*
 * The slave's output falls between the acknowledge cycles, so that its next request
 * is a new edge at the master.
 */
static uint8_t slave_acknowledge(struct pic *pic)
{
	struct chip *slave = &pic->chips[1];
	unsigned int input = chip_acknowledge(slave);

	chip_set_line(&pic->chips[0], CASCADE, false);
	return slave->base | input;
}

int pic_acknowledge(struct pic *pic)
{
	struct chip *master = &pic->chips[0];
	unsigned int input;
	bool cascaded;
	int vector;

	pthread_mutex_lock(&pic->lock);
	cascaded = chip_request(master) == CASCADE;
	input = chip_acknowledge(master);
	vector = cascaded ? slave_acknowledge(pic) : master->base | input;
	pic_update(pic);
	pthread_mutex_unlock(&pic->lock);
	return vector;
}

bool pic_pending(struct pic *pic)
{
	bool level;

	pthread_mutex_lock(&pic->lock);
	level = pic->level;
	pthread_mutex_unlock(&pic->lock);
	return level;
}

void pic_line_set(void *opaque, unsigned int number, bool level)
{
	struct pic *pic = opaque;

	if (number >= PIC_LINES || number == CASCADE)
		return;
	pthread_mutex_lock(&pic->lock);
	chip_set_line(&pic->chips[number / CHIP_LINES], number % CHIP_LINES,
		      level);
	pic_update(pic);
	pthread_mutex_unlock(&pic->lock);
}

/* ICW1 clears edges, so inputs need new ones; level-triggered requests stay. */
static void chip_icw1(struct chip *chip, uint8_t value)
{
	chip->step = STEP_ICW2;
	chip->single = value & ICW1_SINGLE;
	chip->wants_icw4 = value & ICW1_ICW4;
	chip->edges = 0;
	chip->isr = 0;
	chip->imr = 0;
	chip->lowest = CHIP_LINES - 1;
	chip->aeoi = false;
	chip->aeoi_rotates = false;
	chip->sfnm = false;
	chip->special_mask = false;
	chip->read_isr = false;
	chip->poll = false;
}

/*
 * Non-specific end of interrupt: ends the one with the highest priority.  Masked ones
 * are skipped in special mask mode.
 */
static void chip_eoi(struct chip *chip, bool rotate)
{
	uint8_t served = chip->isr & ~(chip->special_mask ? chip->imr : 0);
	unsigned int rank = chip_rank(chip, served);
	unsigned int input;

	if (rank == CHIP_LINES)
		return;
	input = chip_input(chip, rank);
	chip->isr &= ~(1 << input);
	if (rotate)
		chip->lowest = input;
}

static void chip_ocw2(struct chip *chip, uint8_t value)
{
	unsigned int level = value & OCW2_LEVEL;

	switch (value >> 5) {
	case 0: /* do not rotate in automatic EOI mode */
		chip->aeoi_rotates = false;
		break;
	case 1: /* non-specific EOI */
		chip_eoi(chip, false);
		break;
	case 3: /* specific EOI */
		chip->isr &= ~(1 << level);
		break;
	case 4: /* rotate in automatic EOI mode */
		chip->aeoi_rotates = true;
		break;
	case 5: /* rotate on non-specific EOI */
		chip_eoi(chip, true);
		break;
	case 6: /* set priority */
		chip->lowest = level;
		break;
	case 7: /* rotate on specific EOI */
		chip->isr &= ~(1 << level);
		chip->lowest = level;
		break;
	}
}

static void chip_ocw3(struct chip *chip, uint8_t value)
{
	if (value & OCW3_SET_SPECIAL)
		chip->special_mask = value & OCW3_SPECIAL;
	if (value & OCW3_POLL)
		chip->poll = true;
	else if (value & OCW3_READ)
		chip->read_isr = value & OCW3_READ_ISR;
}

/* The cascade is fixed on a PC, so ICW3 is ignored. */
static void chip_odd_write(struct chip *chip, uint8_t value)
{
	switch (chip->step) {
	case STEP_OCW1:
		chip->imr = value;
		return;
	case STEP_ICW2:
		chip->base = value & ~(CHIP_LINES - 1);
		if (!chip->single) {
			chip->step = STEP_ICW3;
			return;
		}
		break;
	case STEP_ICW3:
		break;
	case STEP_ICW4:
		chip->aeoi = value & ICW4_AEOI;
		chip->sfnm = value & ICW4_SFNM;
		chip->step = STEP_OCW1;
		return;
	}
	chip->step = chip->wants_icw4 ? STEP_ICW4 : STEP_OCW1;
}

static void chip_write(struct chip *chip, unsigned int port, uint8_t value)
{
	if (port)
		chip_odd_write(chip, value);
	else if (value & ICW1)
		chip_icw1(chip, value);
	else if (value & OCW3)
		chip_ocw3(chip, value);
	else
		chip_ocw2(chip, value);
}

/* The read that follows a poll command, at either port, acknowledges. */
static uint8_t chip_poll(struct chip *chip)
{
	int input = chip_request(chip);

	chip->poll = false;
	if (input < 0)
		return 0;
	chip_take(chip, input);
	return POLL_INTERRUPT | input;
}

static uint8_t chip_read(struct chip *chip, unsigned int port)
{
	if (chip->poll)
		return chip_poll(chip);
	if (port)
		return chip->imr;
	return chip->read_isr ? chip->isr : chip_irr(chip);
}

static void master_read(void *opaque, uint64_t offset, void *data, size_t size)
{
	struct pic *pic = opaque;

	(void)size;
	pthread_mutex_lock(&pic->lock);
	*(uint8_t *)data = chip_read(&pic->chips[0], offset);
	pic_update(pic);
	pthread_mutex_unlock(&pic->lock);
}

static void master_write(void *opaque, uint64_t offset, const void *data,
			 size_t size)
{
	struct pic *pic = opaque;

	(void)size;
	pthread_mutex_lock(&pic->lock);
	chip_write(&pic->chips[0], offset, *(const uint8_t *)data);
	pic_update(pic);
	pthread_mutex_unlock(&pic->lock);
}

/* A poll acknowledges, too, so the slave's output falls. */
static void slave_read(void *opaque, uint64_t offset, void *data, size_t size)
{
	struct pic *pic = opaque;

	(void)size;
	pthread_mutex_lock(&pic->lock);
	if (pic->chips[1].poll)
		chip_set_line(&pic->chips[0], CASCADE, false);
	*(uint8_t *)data = chip_read(&pic->chips[1], offset);
	pic_update(pic);
	pthread_mutex_unlock(&pic->lock);
}

static void slave_write(void *opaque, uint64_t offset, const void *data,
			size_t size)
{
	struct pic *pic = opaque;

	(void)size;
	pthread_mutex_lock(&pic->lock);
	chip_write(&pic->chips[1], offset, *(const uint8_t *)data);
	pic_update(pic);
	pthread_mutex_unlock(&pic->lock);
}

static void elcr_read(void *opaque, uint64_t offset, void *data, size_t size)
{
	struct pic *pic = opaque;

	(void)size;
	pthread_mutex_lock(&pic->lock);
	*(uint8_t *)data = pic->chips[offset].elcr;
	pthread_mutex_unlock(&pic->lock);
}

static void elcr_write(void *opaque, uint64_t offset, const void *data,
		       size_t size)
{
	struct pic *pic = opaque;
	struct chip *chip = &pic->chips[offset];

	(void)size;
	pthread_mutex_lock(&pic->lock);
	chip->elcr = *(const uint8_t *)data & chip->elcr_mask;
	chip->edges &= ~chip->elcr;
	pic_update(pic);
	pthread_mutex_unlock(&pic->lock);
}

static void bios_setup(struct chip *chip, uint8_t base, uint8_t icw3,
		       uint8_t imr)
{
	chip_write(chip, 0, ICW1 | ICW1_ICW4);
	chip_write(chip, 1, base);
	chip_write(chip, 1, icw3);
	chip_write(chip, 1, 0x01);
	chip_write(chip, 1, imr);
}

void pic_setup_as_bios(struct pic *pic)
{
	pthread_mutex_lock(&pic->lock);
	bios_setup(&pic->chips[0], 0x08, 1 << CASCADE, 0xf8);
	bios_setup(&pic->chips[1], 0x70, CASCADE, 0xff);
	/* PCI's interrupts are levels. */
	pic->chips[1].elcr = PCI_IRQS >> CHIP_LINES;
	pic_update(pic);
	pthread_mutex_unlock(&pic->lock);
}

static int pic_add(struct pic *pic, struct bus *bus)
{
	const struct bus_region regions[] = {
		{ .name = "pic-master",
		  .base = PIC_PORT,
		  .size = 2,
		  .width = 1,
		  .read = master_read,
		  .write = master_write,
		  .opaque = pic },
		{ .name = "pic-slave",
		  .base = PIC_SLAVE_PORT,
		  .size = 2,
		  .width = 1,
		  .read = slave_read,
		  .write = slave_write,
		  .opaque = pic },
		{ .name = "pic-elcr",
		  .base = 0x4d0,
		  .size = 2,
		  .width = 1,
		  .read = elcr_read,
		  .write = elcr_write,
		  .opaque = pic },
	};
	int error = 0;

	for (size_t i = 0; !error && i < 3; i++)
		error = bus_add(bus, &regions[i]);
	return error;
}

/* Timer, keyboard, cascade, clock and FPU are always edge-triggered. */
static void pic_power_on(struct pic *pic)
{
	for (int i = 0; i < 2; i++) {
		struct chip *chip = &pic->chips[i];

		*chip = (struct chip){
			.lines = chip->lines,
			.lowest = CHIP_LINES - 1,
			.imr = 0xff,
			.elcr_mask = i ? 0xde : 0xf8,
			.master = !i,
		};
	}
}

struct pic *pic_new(struct bus *bus, const struct irq_line *intr)
{
	struct pic *pic = calloc(1, sizeof(*pic));
	int error;

	if (!pic)
		return NULL;
	pthread_mutex_init(&pic->lock, NULL);
	pic->intr = *intr;
	pic_power_on(pic);
	error = pic_add(pic, bus);
	if (error) {
		pic_free(pic);
		errno = -error;
		return NULL;
	}
	return pic;
}

void pic_free(void *opaque)
{
	struct pic *pic = opaque;

	if (!pic)
		return;
	pthread_mutex_destroy(&pic->lock);
	free(pic);
}

static void *pic_make(const struct board *board,
		      const struct device_value *values,
		      struct device_error *error)
{
	struct pic *pic = pic_new(board->bus, &board->intr);

	(void)values;
	(void)error;
	if (pic)
		pic_setup_as_bios(pic);
	return pic;
}

/* The devices drive the inputs, so a reset leaves them. */
static void pic_reset(void *opaque)
{
	pic_power_on(opaque);
	pic_setup_as_bios(opaque);
}

#define CHIP_FIELDS(n)                                                         \
	RECORD_ANY(0x100 * (n) + 1, struct pic, chips[n].lines),               \
		RECORD_ANY(0x100 * (n) + 2, struct pic, chips[n].edges),       \
		RECORD_ANY(0x100 * (n) + 3, struct pic, chips[n].isr),         \
		RECORD_ANY(0x100 * (n) + 4, struct pic, chips[n].imr),         \
		RECORD_ANY(0x100 * (n) + 5, struct pic, chips[n].elcr),        \
		RECORD_FIELD(0x100 * (n) + 6, struct pic, chips[n].base,       \
			     0xf8),                                            \
		RECORD_FIELD(0x100 * (n) + 7, struct pic, chips[n].lowest, 7), \
		RECORD_FIELD(0x100 * (n) + 8, struct pic, chips[n].step, 3),   \
		RECORD_BOOL(0x100 * (n) + 9, struct pic, chips[n].single),     \
		RECORD_BOOL(0x100 * (n) + 10, struct pic,                      \
			    chips[n].wants_icw4),                              \
		RECORD_BOOL(0x100 * (n) + 11, struct pic, chips[n].aeoi),      \
		RECORD_BOOL(0x100 * (n) + 12, struct pic,                      \
			    chips[n].aeoi_rotates),                            \
		RECORD_BOOL(0x100 * (n) + 13, struct pic, chips[n].sfnm),      \
		RECORD_BOOL(0x100 * (n) + 14, struct pic,                      \
			    chips[n].special_mask),                            \
		RECORD_BOOL(0x100 * (n) + 15, struct pic, chips[n].read_isr),  \
		RECORD_BOOL(0x100 * (n) + 16, struct pic, chips[n].poll)

static const struct record_field pic_fields[] = {
	CHIP_FIELDS(0),
	CHIP_FIELDS(1),
};

static bool chip_is_sound(const struct chip *chip)
{
	return !(chip->elcr & ~chip->elcr_mask) && !(chip->edges & chip->elcr);
}

static bool pic_is_sound(const void *opaque)
{
	const struct pic *pic = opaque;

	return chip_is_sound(&pic->chips[0]) && chip_is_sound(&pic->chips[1]);
}

static void pic_loaded(void *opaque)
{
	pic_update(opaque);
}

const struct device_kind pic_device = {
	.name = "pic",
	.about = "the pair of 8259A interrupt controllers",
	.make = pic_make,
	.free = pic_free,
	.reset = pic_reset,
	DEVICE_STATE(struct pic, pic_fields),
	.is_sound = pic_is_sound,
	.loaded = pic_loaded,
};
