// SPDX-License-Identifier: GPL-2.0
/*
 * The keyboard controller, its keyboard, and system control port A (IBM PS/2
 * Hardware Interface Technical Reference, "Keyboard and Auxiliary Device
 * Controller"; the keyboard's part is in "Keyboards").
 *
 * Each byte written is answered at once: the input buffer is never full.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dev/i8042.h"

#define PORT_A 0x92

#define STATUS_OUTPUT 0x01
#define STATUS_SYSTEM 0x04
#define STATUS_COMMAND 0x08
#define STATUS_UNLOCKED 0x10

#define CONFIG_IRQ 0x01
#define CONFIG_SYSTEM 0x04
#define CONFIG_NO_KBD 0x10
#define CONFIG_NO_AUX 0x20
#define CONFIG_TRANSLATE 0x40

#define OUTPUT_NO_RESET 0x01
#define OUTPUT_A20 0x02
#define OUTPUT_FULL 0x10
/* Reserved bits that are set on a PC. */
#define OUTPUT_FIXED 0xcc

#define PORT_A_RESET 0x01
#define PORT_A_A20 0x02

/* Commands to the controller. */
#define READ_RAM 0x20
#define READ_RAM_END 0x3f
#define WRITE_RAM 0x60
#define WRITE_RAM_END 0x7f
#define DISABLE_AUX 0xa7
#define ENABLE_AUX 0xa8
#define TEST_AUX 0xa9
#define SELF_TEST 0xaa
#define TEST_KBD 0xab
#define DISABLE_KBD 0xad
#define ENABLE_KBD 0xae
#define READ_INPUT 0xc0
#define READ_OUTPUT 0xd0
#define WRITE_OUTPUT 0xd1
#define WRITE_KBD_BUF 0xd2
#define WRITE_AUX_BUF 0xd3
#define WRITE_AUX 0xd4
#define DISABLE_A20 0xdd
#define ENABLE_A20 0xdf
#define PULSE 0xf0

#define SELF_TEST_PASSED 0x55
#define AUX_CLOCK_LOW 0x01
#define INPUT_UNLOCKED 0x80

/* Commands to the keyboard, and its answers. */
#define KBD_LEDS 0xed
#define KBD_ECHO 0xee
#define KBD_SCAN_SET 0xf0
#define KBD_IDENTIFY 0xf2
#define KBD_RATE 0xf3
#define KBD_RESET 0xff
#define KBD_ACK 0xfa
#define KBD_TEST_PASSED 0xaa

#define RAM_SIZE 32
#define BUFFER_SIZE 16

/*
 * @lock guards all that changes.  @ram's first byte is the command byte.
 * @expects: the command whose data byte is to come, or 0; @kbd_expects: the same for
 * the keyboard's commands.  @buffer has @count bytes to be read.
 */
struct i8042 {
	pthread_mutex_t lock;
	struct irq_line irq;
	struct power power;
	uint8_t ram[RAM_SIZE];
	uint8_t expects;
	uint8_t kbd_expects;
	bool last_was_command;
	bool a20;
	bool port_a_reset;
	bool level;
	uint8_t buffer[BUFFER_SIZE];
	unsigned int first;
	unsigned int count;
};

static void i8042_update(struct i8042 *i8042)
{
	bool level = i8042->count && (i8042->ram[0] & CONFIG_IRQ);

	if (level == i8042->level)
		return;
	i8042->level = level;
	irq_line_set(&i8042->irq, level);
}

/* A byte that finds the buffer full is lost. */
static void i8042_answer(struct i8042 *i8042, uint8_t byte)
{
	if (i8042->count < BUFFER_SIZE)
		i8042->buffer[(i8042->first + i8042->count++) % BUFFER_SIZE] =
			byte;
}

static void i8042_reset_machine(struct i8042 *i8042)
{
	i8042->power.event(i8042->power.opaque, POWER_RESET, 0);
}

static uint8_t output_port(const struct i8042 *i8042)
{
	return OUTPUT_FIXED | OUTPUT_NO_RESET | (i8042->a20 ? OUTPUT_A20 : 0) |
	       (i8042->count ? OUTPUT_FULL : 0);
}

static void output_port_write(struct i8042 *i8042, uint8_t value)
{
	i8042->a20 = value & OUTPUT_A20;
	if (!(value & OUTPUT_NO_RESET))
		i8042_reset_machine(i8042);
}

/* A pulse command pulls low the lines whose bits are zero; line 0 is the reset. */
static void pulse(struct i8042 *i8042, uint8_t command)
{
	if (!(command & OUTPUT_NO_RESET))
		i8042_reset_machine(i8042);
}

static void self_test(struct i8042 *i8042)
{
	i8042->first = 0;
	i8042->count = 0;
	i8042->kbd_expects = 0;
	i8042->ram[0] |= CONFIG_SYSTEM;
	i8042_answer(i8042, SELF_TEST_PASSED);
}

static void command_write(struct i8042 *i8042, uint8_t command)
{
	i8042->last_was_command = true;
	i8042->expects = 0;
	switch (command) {
	case READ_RAM ... READ_RAM_END:
		i8042_answer(i8042, i8042->ram[command - READ_RAM]);
		break;
	case WRITE_RAM ... WRITE_RAM_END:
	case WRITE_OUTPUT ... WRITE_AUX:
		i8042->expects = command;
		break;
	case DISABLE_AUX:
	case ENABLE_AUX:
		/* There is no second channel. */
		break;
	case TEST_AUX:
		i8042_answer(i8042, AUX_CLOCK_LOW);
		break;
	case SELF_TEST:
		self_test(i8042);
		break;
	case TEST_KBD:
		i8042_answer(i8042, 0);
		break;
	case DISABLE_KBD:
		i8042->ram[0] |= CONFIG_NO_KBD;
		break;
	case ENABLE_KBD:
		i8042->ram[0] &= ~CONFIG_NO_KBD;
		break;
	case READ_INPUT:
		i8042_answer(i8042, INPUT_UNLOCKED);
		break;
	case READ_OUTPUT:
		i8042_answer(i8042, output_port(i8042));
		break;
	case DISABLE_A20:
		i8042->a20 = false;
		break;
	case ENABLE_A20:
		i8042->a20 = true;
		break;
	case PULSE ... 0xff:
		pulse(i8042, command);
		break;
	}
}

/* Translation to scan set 1 changes the second byte of the identity. */
static void keyboard_identify(struct i8042 *i8042)
{
	i8042_answer(i8042, 0xab);
	i8042_answer(i8042, i8042->ram[0] & CONFIG_TRANSLATE ? 0x41 : 0x83);
}

/* Acknowledges a parameter; 0 asks for the scan set, which is 2. */
static void keyboard_parameter(struct i8042 *i8042, uint8_t value)
{
	i8042_answer(i8042, KBD_ACK);
	if (i8042->kbd_expects == KBD_SCAN_SET && !value)
		i8042_answer(i8042,
			     i8042->ram[0] & CONFIG_TRANSLATE ? 0x41 : 0x02);
	i8042->kbd_expects = 0;
}

static void keyboard_write(struct i8042 *i8042, uint8_t value)
{
	/* The values of parameters are below those of commands. */
	if (i8042->kbd_expects && value < KBD_LEDS) {
		keyboard_parameter(i8042, value);
		return;
	}
	i8042->kbd_expects = 0;
	if (value == KBD_ECHO) {
		i8042_answer(i8042, KBD_ECHO);
		return;
	}
	i8042_answer(i8042, KBD_ACK);
	switch (value) {
	case KBD_LEDS:
	case KBD_SCAN_SET:
	case KBD_RATE:
		i8042->kbd_expects = value;
		break;
	case KBD_IDENTIFY:
		keyboard_identify(i8042);
		break;
	case KBD_RESET:
		i8042_answer(i8042, KBD_TEST_PASSED);
		break;
	}
}

/*
 * There is no mouse: a byte for it is dropped, and a byte written to its output buffer
 * comes back as the keyboard's.
 */
static void data_write(struct i8042 *i8042, uint8_t value)
{
	uint8_t command = i8042->expects;

	i8042->last_was_command = false;
	i8042->expects = 0;
	switch (command) {
	case 0:
		i8042->ram[0] &= ~CONFIG_NO_KBD;
		keyboard_write(i8042, value);
		break;
	case WRITE_RAM ... WRITE_RAM_END:
		i8042->ram[command - WRITE_RAM] = value;
		i8042->ram[0] |= CONFIG_NO_AUX;
		break;
	case WRITE_OUTPUT:
		output_port_write(i8042, value);
		break;
	case WRITE_KBD_BUF:
	case WRITE_AUX_BUF:
		i8042_answer(i8042, value);
		break;
	}
}

/* The line falls between two bytes, so that each raises an interrupt. */
static uint8_t data_read(struct i8042 *i8042)
{
	uint8_t value = i8042->buffer[i8042->first];

	if (!i8042->count)
		return value;
	i8042->count--;
	if (i8042->count)
		i8042->first = (i8042->first + 1) % BUFFER_SIZE;
	if (i8042->level) {
		i8042->level = false;
		irq_line_set(&i8042->irq, false);
	}
	return value;
}

static void data_port_read(void *opaque, uint64_t offset, void *data,
			   size_t size)
{
	struct i8042 *i8042 = opaque;

	(void)offset;
	(void)size;
	pthread_mutex_lock(&i8042->lock);
	*(uint8_t *)data = data_read(i8042);
	i8042_update(i8042);
	pthread_mutex_unlock(&i8042->lock);
}

static void data_port_write(void *opaque, uint64_t offset, const void *data,
			    size_t size)
{
	struct i8042 *i8042 = opaque;

	(void)offset;
	(void)size;
	pthread_mutex_lock(&i8042->lock);
	data_write(i8042, *(const uint8_t *)data);
	i8042_update(i8042);
	pthread_mutex_unlock(&i8042->lock);
}

static void command_port_read(void *opaque, uint64_t offset, void *data,
			      size_t size)
{
	struct i8042 *i8042 = opaque;

	(void)offset;
	(void)size;
	pthread_mutex_lock(&i8042->lock);
	*(uint8_t *)data = STATUS_UNLOCKED |
			   (i8042->count ? STATUS_OUTPUT : 0) |
			   (i8042->ram[0] & CONFIG_SYSTEM ? STATUS_SYSTEM : 0) |
			   (i8042->last_was_command ? STATUS_COMMAND : 0);
	pthread_mutex_unlock(&i8042->lock);
}

static void command_port_write(void *opaque, uint64_t offset, const void *data,
			       size_t size)
{
	struct i8042 *i8042 = opaque;

	(void)offset;
	(void)size;
	pthread_mutex_lock(&i8042->lock);
	command_write(i8042, *(const uint8_t *)data);
	i8042_update(i8042);
	pthread_mutex_unlock(&i8042->lock);
}

static void port_a_read(void *opaque, uint64_t offset, void *data, size_t size)
{
	struct i8042 *i8042 = opaque;

	(void)offset;
	(void)size;
	pthread_mutex_lock(&i8042->lock);
	*(uint8_t *)data = (i8042->a20 ? PORT_A_A20 : 0) |
			   (i8042->port_a_reset ? PORT_A_RESET : 0);
	pthread_mutex_unlock(&i8042->lock);
}

/* A change of the reset bit from 0 to 1 resets the machine. */
static void port_a_write(void *opaque, uint64_t offset, const void *data,
			 size_t size)
{
	uint8_t value = *(const uint8_t *)data;
	struct i8042 *i8042 = opaque;

	(void)offset;
	(void)size;
	pthread_mutex_lock(&i8042->lock);
	i8042->a20 = value & PORT_A_A20;
	if ((value & PORT_A_RESET) && !i8042->port_a_reset)
		i8042_reset_machine(i8042);
	i8042->port_a_reset = value & PORT_A_RESET;
	pthread_mutex_unlock(&i8042->lock);
}

static int i8042_add(struct i8042 *i8042, struct bus *bus)
{
	const struct bus_region regions[] = {
		{ .name = "i8042-data",
		  .base = I8042_DATA_PORT,
		  .size = 1,
		  .read = data_port_read,
		  .write = data_port_write,
		  .opaque = i8042 },
		{ .name = "i8042-command",
		  .base = I8042_COMMAND_PORT,
		  .size = 1,
		  .read = command_port_read,
		  .write = command_port_write,
		  .opaque = i8042 },
		{ .name = "port-a",
		  .base = PORT_A,
		  .size = 1,
		  .read = port_a_read,
		  .write = port_a_write,
		  .opaque = i8042 },
	};
	int error = 0;

	for (size_t i = 0; !error && i < 3; i++)
		error = bus_add(bus, &regions[i]);
	return error;
}

static void i8042_setup_as_bios(struct i8042 *i8042)
{
	memset(i8042->ram, 0, sizeof(i8042->ram));
	i8042->ram[0] = CONFIG_TRANSLATE | CONFIG_NO_AUX | CONFIG_SYSTEM |
			CONFIG_IRQ;
	i8042->expects = 0;
	i8042->kbd_expects = 0;
	i8042->last_was_command = false;
	i8042->a20 = true;
	i8042->port_a_reset = false;
	memset(i8042->buffer, 0, sizeof(i8042->buffer));
	i8042->first = 0;
	i8042->count = 0;
}

struct i8042 *i8042_new(struct bus *bus, const struct irq_line *irq,
			const struct power *power)
{
	struct i8042 *i8042 = calloc(1, sizeof(*i8042));
	int error;

	if (!i8042)
		return NULL;
	pthread_mutex_init(&i8042->lock, NULL);
	i8042->irq = *irq;
	i8042->power = *power;
	i8042_setup_as_bios(i8042);
	error = i8042_add(i8042, bus);
	if (error) {
		i8042_free(i8042);
		errno = -error;
		return NULL;
	}
	return i8042;
}

void i8042_free(void *opaque)
{
	struct i8042 *i8042 = opaque;

	if (!i8042)
		return;
	pthread_mutex_destroy(&i8042->lock);
	free(i8042);
}

static void *i8042_make(const struct board *board,
			const struct device_value *values,
			struct device_error *error)
{
	struct irq_line irq = board_line(board, I8042_IRQ);

	(void)values;
	(void)error;
	return i8042_new(board->bus, &irq, &board->power);
}

static void i8042_reset(void *opaque)
{
	i8042_setup_as_bios(opaque);
	i8042_update(opaque);
}

static const struct record_field i8042_fields[] = {
	RECORD_ANY(1, struct i8042, ram),
	RECORD_ANY(2, struct i8042, expects),
	RECORD_ANY(3, struct i8042, kbd_expects),
	RECORD_BOOL(4, struct i8042, last_was_command),
	RECORD_BOOL(5, struct i8042, a20),
	RECORD_BOOL(6, struct i8042, port_a_reset),
	RECORD_ANY(7, struct i8042, buffer),
	RECORD_ANY(8, struct i8042, first),
	RECORD_ANY(9, struct i8042, count),
};

static bool i8042_is_sound(const void *opaque)
{
	const struct i8042 *i8042 = opaque;

	return i8042->first < BUFFER_SIZE && i8042->count <= BUFFER_SIZE &&
	       (i8042->ram[0] & CONFIG_NO_AUX);
}

static void i8042_loaded(void *opaque)
{
	i8042_update(opaque);
}

const struct device_kind i8042_device = {
	.name = "i8042",
	.about = "the keyboard controller, and system control port A",
	.make = i8042_make,
	.free = i8042_free,
	.reset = i8042_reset,
	DEVICE_STATE(struct i8042, i8042_fields),
	.is_sound = i8042_is_sound,
	.loaded = i8042_loaded,
};
