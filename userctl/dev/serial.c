// SPDX-License-Identifier: GPL-2.0
/*
 * A 16550A serial port (data sheet: National Semiconductor PC16550D).
 *
 * The transmitter takes no time: when the write to its register returns, the byte is
 * sent and the holding register is empty.  The receiver's FIFO is filled from a
 * queue, so input from the host is never overrun.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "dev/serial.h"

#define PORTS 8
#define FIFO_SIZE 16
#define QUEUE_SIZE 1024

/* Registers; the first two are the divisor latch while LCR_DLAB is set. */
enum { RBR_THR, IER, IIR_FCR, LCR, MCR, LSR, MSR, SCR };

#define IER_RECEIVED 0x01
#define IER_EMPTY 0x02
#define IER_LINE 0x04
#define IER_MODEM 0x08
#define IER_ALL 0x0f

#define IIR_MODEM 0x00
#define IIR_NONE 0x01
#define IIR_EMPTY 0x02
#define IIR_RECEIVED 0x04
#define IIR_LINE 0x06
#define IIR_TIMEOUT 0x0c
#define IIR_FIFO 0xc0

#define FCR_ENABLE 0x01
#define FCR_CLEAR_RX 0x02
#define FCR_TRIGGER 6

#define LCR_BITS 0x03
#define LCR_STOP 0x04
#define LCR_PARITY 0x08
#define LCR_DLAB 0x80

#define MCR_DTR 0x01
#define MCR_RTS 0x02
#define MCR_OUT1 0x04
#define MCR_OUT2 0x08
#define MCR_LOOP 0x10
#define MCR_ALL 0x1f

#define LSR_DATA 0x01
#define LSR_OVERRUN 0x02
#define LSR_EMPTY 0x60

#define MSR_DELTAS 0x0f
#define MSR_RI_ENDED 0x04
#define MSR_CTS 0x10
#define MSR_DSR 0x20
#define MSR_RI 0x40
#define MSR_DCD 0x80

/* Nanoseconds of one bit at divisor 1: 16 cycles of 1.8432 MHz. */
#define BIT_NS(divisor) ((divisor)*16 * 1000000000ULL / 1843200)
/* The FIFO times out when it does not change for the time of this many characters. */
#define TIMEOUT_CHARS 4

struct ring {
	unsigned int first;
	unsigned int count;
};

/*
 * @lock guards all that changes.  While @timer_armed, @timer fires no later than
 * @deadline; its callback then compares @deadline with the clock.
 */
struct serial {
	struct serial_config config;
	pthread_mutex_t lock;
	struct loop_timer *timer;
	uint64_t deadline;
	bool timer_armed;
	bool timed_out;
	bool empty_pending;
	bool overrun;
	bool level;
	bool fifo_enabled;
	uint8_t trigger;
	uint8_t ier;
	uint8_t lcr;
	uint8_t mcr;
	uint8_t msr;
	uint8_t scr;
	uint16_t divisor;
	struct ring fifo;
	struct ring queue;
	uint8_t fifo_data[FIFO_SIZE];
	uint8_t queue_data[QUEUE_SIZE];
};

static void ring_put(struct ring *ring, uint8_t *data, unsigned int size,
		     uint8_t byte)
{
	data[(ring->first + ring->count++) % size] = byte;
}

static uint8_t ring_get(struct ring *ring, const uint8_t *data,
			unsigned int size)
{
	uint8_t byte = data[ring->first];

	ring->first = (ring->first + 1) % size;
	ring->count--;
	return byte;
}

static unsigned int fifo_capacity(const struct serial *serial)
{
	return serial->fifo_enabled ? FIFO_SIZE : 1;
}

/* Return: the interrupt identification register, the cause of highest priority. */
static uint8_t serial_iir(const struct serial *serial)
{
	unsigned int wanted = serial->fifo_enabled ? serial->trigger : 1;

	if ((serial->ier & IER_LINE) && serial->overrun)
		return IIR_LINE;
	if ((serial->ier & IER_RECEIVED) && serial->fifo.count >= wanted)
		return IIR_RECEIVED;
	if ((serial->ier & IER_RECEIVED) && serial->timed_out)
		return IIR_TIMEOUT;
	if ((serial->ier & IER_EMPTY) && serial->empty_pending)
		return IIR_EMPTY;
	if ((serial->ier & IER_MODEM) && (serial->msr & MSR_DELTAS))
		return IIR_MODEM;
	return IIR_NONE;
}

static void serial_update(struct serial *serial)
{
	bool level = (serial->mcr & MCR_OUT2) && serial_iir(serial) != IIR_NONE;

	if (level == serial->level)
		return;
	serial->level = level;
	irq_line_set(&serial->config.irq, level);
}

static uint64_t serial_timeout(const struct serial *serial)
{
	unsigned int bits = 1 + 5 + (serial->lcr & LCR_BITS) + 1;

	bits += !!(serial->lcr & LCR_PARITY) + !!(serial->lcr & LCR_STOP);
	return BIT_NS(serial->divisor ? serial->divisor : 1ULL) * bits *
	       TIMEOUT_CHARS;
}

/* Restarts the timeout after a change of the FIFO. */
static void fifo_touched(struct serial *serial)
{
	serial->timed_out = false;
	if (!serial->fifo_enabled || !serial->fifo.count)
		return;
	serial->deadline =
		loop_now(serial->config.loop) + serial_timeout(serial);
	if (serial->timer_armed)
		return;
	serial->timer_armed = true;
	loop_timer_arm(serial->timer, serial->deadline);
}

static void serial_expired(void *opaque)
{
	struct serial *serial = opaque;

	pthread_mutex_lock(&serial->lock);
	serial->timer_armed = false;
	if (serial->fifo_enabled && serial->fifo.count) {
		if (loop_now(serial->config.loop) >= serial->deadline) {
			serial->timed_out = true;
			serial_update(serial);
		} else {
			serial->timer_armed = true;
			loop_timer_arm(serial->timer, serial->deadline);
		}
	}
	pthread_mutex_unlock(&serial->lock);
}

/* Fills the FIFO from the queue, except in loopback, where the pin is disconnected. */
static void fifo_fill(struct serial *serial)
{
	unsigned int before = serial->fifo.count;

	while (!(serial->mcr & MCR_LOOP) && serial->queue.count &&
	       serial->fifo.count < fifo_capacity(serial)) {
		uint8_t byte = ring_get(&serial->queue, serial->queue_data,
					QUEUE_SIZE);

		ring_put(&serial->fifo, serial->fifo_data, FIFO_SIZE, byte);
	}
	if (serial->fifo.count != before)
		fifo_touched(serial);
}

static void fifo_clear(struct serial *serial)
{
	serial->fifo.count = 0;
	serial->timed_out = false;
	fifo_fill(serial);
}

/*
 * On overrun, the new character is lost if the FIFO is enabled; otherwise it replaces
 * the old one.
 */
static void loop_back(struct serial *serial, uint8_t byte)
{
	if (serial->fifo.count == fifo_capacity(serial)) {
		serial->overrun = true;
		if (serial->fifo_enabled)
			return;
		serial->fifo.count = 0;
	}
	ring_put(&serial->fifo, serial->fifo_data, FIFO_SIZE, byte);
	fifo_touched(serial);
}

/* The line falls as the register fills, and may rise again as it empties. */
static void thr_write(struct serial *serial, uint8_t byte)
{
	const struct serial_config *config = &serial->config;

	serial->empty_pending = false;
	serial_update(serial);
	if (serial->mcr & MCR_LOOP)
		loop_back(serial, byte);
	else if (config->write)
		config->write(config->opaque, &byte, 1);
	serial->empty_pending = true;
}

static uint8_t rbr_read(struct serial *serial)
{
	uint8_t byte = 0;

	if (serial->fifo.count) {
		byte = ring_get(&serial->fifo, serial->fifo_data, FIFO_SIZE);
		fifo_touched(serial);
		fifo_fill(serial);
	}
	return byte;
}

/* Enabling the empty interrupt while the register is empty raises it. */
static void ier_write(struct serial *serial, uint8_t value)
{
	if (~serial->ier & value & IER_EMPTY)
		serial->empty_pending = true;
	serial->ier = value & IER_ALL;
}

static void fcr_write(struct serial *serial, uint8_t value)
{
	static const uint8_t triggers[] = { 1, 4, 8, 14 };
	bool enable = value & FCR_ENABLE;
	bool clear = enable && (value & FCR_CLEAR_RX);

	if (enable)
		serial->trigger = triggers[value >> FCR_TRIGGER];
	if (enable != serial->fifo_enabled) {
		serial->fifo_enabled = enable;
		clear = true;
	}
	if (clear)
		fifo_clear(serial);
}

/* Loopback connects the modem's outputs to its inputs. */
static uint8_t modem_inputs(uint8_t mcr)
{
	if (!(mcr & MCR_LOOP))
		return MSR_DCD | MSR_DSR | MSR_CTS;
	return (mcr & MCR_RTS ? MSR_CTS : 0) | (mcr & MCR_DTR ? MSR_DSR : 0) |
	       (mcr & MCR_OUT1 ? MSR_RI : 0) | (mcr & MCR_OUT2 ? MSR_DCD : 0);
}

/* An input's delta bit is four bits below it; RI's is set only when RI falls. */
static void mcr_write(struct serial *serial, uint8_t value)
{
	uint8_t inputs, deltas;

	serial->mcr = value & MCR_ALL;
	inputs = modem_inputs(serial->mcr);
	deltas = ((serial->msr ^ inputs) & ~MSR_DELTAS) >> 4;
	if (inputs & MSR_RI)
		deltas &= ~MSR_RI_ENDED;
	serial->msr = inputs | (serial->msr & MSR_DELTAS) | deltas;
	fifo_fill(serial);
}

static uint8_t iir_read(struct serial *serial)
{
	uint8_t iir = serial_iir(serial);

	if (iir == IIR_EMPTY)
		serial->empty_pending = false;
	return iir | (serial->fifo_enabled ? IIR_FIFO : 0);
}

static uint8_t lsr_read(struct serial *serial)
{
	uint8_t lsr = LSR_EMPTY | (serial->fifo.count ? LSR_DATA : 0) |
		      (serial->overrun ? LSR_OVERRUN : 0);

	serial->overrun = false;
	return lsr;
}

static uint8_t msr_read(struct serial *serial)
{
	uint8_t msr = serial->msr;

	serial->msr &= ~MSR_DELTAS;
	return msr;
}

static uint8_t register_read(struct serial *serial, unsigned int number)
{
	bool latch = serial->lcr & LCR_DLAB;

	switch (number) {
	case RBR_THR:
		return latch ? serial->divisor & 0xff : rbr_read(serial);
	case IER:
		return latch ? serial->divisor >> 8 : serial->ier;
	case IIR_FCR:
		return iir_read(serial);
	case LCR:
		return serial->lcr;
	case MCR:
		return serial->mcr;
	case LSR:
		return lsr_read(serial);
	case MSR:
		return msr_read(serial);
	default:
		return serial->scr;
	}
}

static void register_write(struct serial *serial, unsigned int number,
			   uint8_t value)
{
	bool latch = serial->lcr & LCR_DLAB;

	switch (number) {
	case RBR_THR:
		if (latch)
			serial->divisor = (serial->divisor & 0xff00) | value;
		else
			thr_write(serial, value);
		break;
	case IER:
		if (latch)
			serial->divisor = value << 8 | (serial->divisor & 0xff);
		else
			ier_write(serial, value);
		break;
	case IIR_FCR:
		fcr_write(serial, value);
		break;
	case LCR:
		serial->lcr = value;
		break;
	case MCR:
		mcr_write(serial, value);
		break;
	case SCR:
		serial->scr = value;
		break;
	}
}

/* Ends a register access: unlocks, and calls drained() if the queue has room again. */
static void serial_done(struct serial *serial, bool was_full)
{
	bool drained = was_full && serial->queue.count < QUEUE_SIZE;

	serial_update(serial);
	pthread_mutex_unlock(&serial->lock);
	if (drained && serial->config.drained)
		serial->config.drained(serial->config.opaque);
}

static void serial_read(void *opaque, uint64_t offset, void *data, size_t size)
{
	struct serial *serial = opaque;
	bool was_full;

	(void)size;
	pthread_mutex_lock(&serial->lock);
	was_full = serial->queue.count == QUEUE_SIZE;
	*(uint8_t *)data = register_read(serial, offset);
	serial_done(serial, was_full);
}

static void serial_write(void *opaque, uint64_t offset, const void *data,
			 size_t size)
{
	struct serial *serial = opaque;
	bool was_full;

	(void)size;
	pthread_mutex_lock(&serial->lock);
	was_full = serial->queue.count == QUEUE_SIZE;
	register_write(serial, offset, *(const uint8_t *)data);
	serial_done(serial, was_full);
}

size_t serial_room(struct serial *serial)
{
	size_t room;

	pthread_mutex_lock(&serial->lock);
	room = QUEUE_SIZE - serial->queue.count;
	pthread_mutex_unlock(&serial->lock);
	return room;
}

size_t serial_receive(struct serial *serial, const void *bytes, size_t size)
{
	const uint8_t *next = bytes;
	size_t room;

	pthread_mutex_lock(&serial->lock);
	room = QUEUE_SIZE - serial->queue.count;
	if (size > room)
		size = room;
	for (size_t i = 0; i < size; i++)
		ring_put(&serial->queue, serial->queue_data, QUEUE_SIZE,
			 next[i]);
	fifo_fill(serial);
	serial_update(serial);
	pthread_mutex_unlock(&serial->lock);
	return size;
}

/* Resets the chip's registers; the queue is the host's and stays. */
static void serial_power_on(struct serial *serial)
{
	serial->timed_out = false;
	serial->empty_pending = false;
	serial->overrun = false;
	serial->fifo_enabled = false;
	serial->trigger = 1;
	serial->ier = 0;
	serial->lcr = 0;
	serial->mcr = 0;
	serial->msr = modem_inputs(0);
	serial->scr = 0;
	serial->divisor = 12;
	serial->deadline = 0;
	serial->fifo = (struct ring){ 0 };
	memset(serial->fifo_data, 0, sizeof(serial->fifo_data));
}

struct serial *serial_new(const struct serial_config *config)
{
	struct serial *serial = calloc(1, sizeof(*serial));
	struct bus_region region = {
		.name = "serial",
		.space = BUS_PORT,
		.base = config->base,
		.size = PORTS,
		.width = 1,
		.read = serial_read,
		.write = serial_write,
		.opaque = serial,
	};
	int error = 0;

	if (!serial)
		return NULL;
	serial->config = *config;
	serial_power_on(serial);
	pthread_mutex_init(&serial->lock, NULL);
	serial->timer = loop_timer_new(config->loop, serial_expired, serial);
	if (!serial->timer)
		error = -errno;
	if (!error)
		error = bus_add(config->bus, &region);
	if (error) {
		serial_free(serial);
		errno = -error;
		return NULL;
	}
	return serial;
}

void serial_free(void *opaque)
{
	struct serial *serial = opaque;

	if (!serial)
		return;
	if (serial->timer)
		loop_timer_disarm(serial->timer);
	pthread_mutex_destroy(&serial->lock);
	free(serial);
}

static void *serial_make(const struct board *board,
			 const struct device_value *values,
			 struct device_error *error)
{
	static const uint16_t bases[SERIAL_MAX] = {
		SERIAL_COM1,
		SERIAL_COM2,
		SERIAL_COM3,
		SERIAL_COM4,
	};
	const uint64_t port = values[SERIAL_PORT].number;
	const struct board_serial *wires = &board->serials[port];
	const struct serial_config config = {
		.bus = board->bus,
		.loop = board->loop,
		.base = bases[port],
		.irq = wires->irq,
		.write = wires->output,
		.drained = wires->drained,
		.opaque = wires->opaque,
	};

	(void)error;
	return serial_new(&config);
}

static void serial_reset(void *opaque)
{
	struct serial *serial = opaque;

	serial_power_on(serial);
	fifo_fill(serial);
	serial_update(serial);
}

static const struct record_field serial_fields[] = {
	RECORD_ANY(1, struct serial, deadline),
	RECORD_BOOL(2, struct serial, timed_out),
	RECORD_BOOL(3, struct serial, empty_pending),
	RECORD_BOOL(4, struct serial, overrun),
	RECORD_BOOL(5, struct serial, fifo_enabled),
	RECORD_FIELD(6, struct serial, trigger, 0x0f),
	RECORD_FIELD(7, struct serial, ier, IER_ALL),
	RECORD_ANY(8, struct serial, lcr),
	RECORD_FIELD(9, struct serial, mcr, MCR_ALL),
	RECORD_ANY(10, struct serial, msr),
	RECORD_ANY(11, struct serial, scr),
	RECORD_ANY(12, struct serial, divisor),
	RECORD_ANY(13, struct serial, fifo),
	RECORD_ANY(14, struct serial, fifo_data),
	RECORD_ANY(15, struct serial, queue),
	RECORD_ANY(16, struct serial, queue_data),
};

static bool ring_is_sound(const struct ring *ring, unsigned int size)
{
	return ring->first < size && ring->count <= size;
}

static bool serial_is_sound(const void *opaque)
{
	const struct serial *serial = opaque;

	return serial->trigger && serial->trigger < FIFO_SIZE &&
	       ring_is_sound(&serial->fifo, FIFO_SIZE) &&
	       ring_is_sound(&serial->queue, QUEUE_SIZE) &&
	       serial->fifo.count <= fifo_capacity(serial);
}

static void serial_loaded(void *opaque)
{
	struct serial *serial = opaque;

	serial->timer_armed = serial->fifo_enabled && serial->fifo.count;
	if (serial->timer_armed)
		loop_timer_arm(serial->timer, serial->deadline);
	serial_update(serial);
}

static const char *const serial_ports[] = { "com1", "com2", "com3", "com4",
					    NULL };

static const struct device_option serial_options[] = {
	[SERIAL_PORT] = { .name = "port",
			  .about = "its place; --serial says where it leads to",
			  .type = DEVICE_CHOICE,
			  .choices = serial_ports },
	{ .name = NULL },
};

const struct device_kind serial_device = {
	.name = "serial",
	.about = "a serial port, COM1 to COM4",
	.many = true,
	.options = serial_options,
	.make = serial_make,
	.free = serial_free,
	.reset = serial_reset,
	DEVICE_STATE(struct serial, serial_fields),
	.is_sound = serial_is_sound,
	.loaded = serial_loaded,
};
