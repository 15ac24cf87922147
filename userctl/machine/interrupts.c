// SPDX-License-Identifier: GPL-2.0
/*
 * The interrupt wiring: from devices to PIC and IOAPIC, and from these to the vCPUs.
 */
#include "machine/interrupts.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "dev/ioapic.h"
#include "dev/pic.h"
#include "lib/client.h"

#define TIMER_LINE 0
#define TIMER_PIN 2

#define NO_VECTOR (-1)

#define SERIAL_LINES 2

/**
 * struct interrupts - the wiring
 * @config: its configuration
 * @pic: the PIC
 * @ioapic: the IOAPIC
 * @serials: the lines that the serial ports share: COM1 with COM3, COM2 with COM4
 * @lock: guards @levels, and the PIC's inputs that lines share
 * @levels: levels of the lines that share such inputs
 * @intr: level of the PIC's output; written with the PIC's lock held
 * @vm: the VM's descriptor, or -1; set while no vCPU runs
 * @vector: acknowledged at the PIC, but not yet taken by the vCPU, or NO_VECTOR;
 *	only vCPU 0's thread uses it while it runs
 */
struct interrupts {
	struct interrupts_config config;
	struct pic *pic;
	struct ioapic *ioapic;
	struct irq_gate serials[SERIAL_LINES];
	pthread_mutex_t lock;
	uint32_t levels;
	atomic_bool intr;
	int vm;
	int vector;
};

/*
 * Return: the PIC's input that a line leads to: an ISA interrupt's own one, and for PCI's
 * lines, which the PIC does not have, one that they share with an ISA interrupt.
 */
static unsigned int pic_input(unsigned int number)
{
	return number < PCI_FIRST_GSI ?
		       number :
		       PCI_FIRST_IRQ + (number - PCI_FIRST_GSI) % PCI_NR_IRQS;
}

static bool is_shared(unsigned int number)
{
	const unsigned int input = pic_input(number);

	return number < PCI_FIRST_GSI + PCI_NR_GSIS && input >= PCI_FIRST_IRQ &&
	       input < PCI_FIRST_IRQ + PCI_NR_IRQS;
}

/* An input is high while one of its lines is. */
static void set_shared(struct interrupts *interrupts, unsigned int number,
		       bool level)
{
	const unsigned int input = pic_input(number);
	bool any = false;

	pthread_mutex_lock(&interrupts->lock);
	interrupts->levels &= ~(1U << number);
	interrupts->levels |= (uint32_t)level << number;
	for (unsigned int i = 0; i < PCI_FIRST_GSI + PCI_NR_GSIS; i++)
		any |= pic_input(i) == input && interrupts->levels >> i & 1;
	pic_line_set(interrupts->pic, input, any);
	pthread_mutex_unlock(&interrupts->lock);
}

static void set_line(void *opaque, unsigned int number, bool level)
{
	struct interrupts *interrupts = opaque;

	if (is_shared(number))
		set_shared(interrupts, number, level);
	else if (number < PIC_LINES)
		pic_line_set(interrupts->pic, number, level);
	ioapic_line_set(interrupts->ioapic,
			number == TIMER_LINE ? TIMER_PIN : number, level);
}

static void set_intr(void *opaque, unsigned int number, bool level)
{
	struct interrupts *interrupts = opaque;

	(void)number;
	if (atomic_exchange(&interrupts->intr, level) != level && level)
		interrupts->config.kick(interrupts->config.opaque);
}

static bool send_msi(void *opaque, uint64_t address, uint32_t data)
{
	struct interrupts *interrupts = opaque;

	return !lodge_msi_send(interrupts->vm, address, data);
}

static void wire_serials(struct interrupts *interrupts, struct board *board)
{
	static const unsigned int irqs[SERIAL_LINES] = { SERIAL_COM1_IRQ,
							 SERIAL_COM2_IRQ };

	for (unsigned int i = 0; i < SERIAL_LINES; i++) {
		const struct irq_line line = board_line(board, irqs[i]);

		irq_gate_init(&interrupts->serials[i], &line);
	}
	for (unsigned int i = 0; i < SERIAL_MAX; i++)
		board->serials[i].irq =
			irq_gate_input(&interrupts->serials[i % SERIAL_LINES],
				       i / SERIAL_LINES);
}

struct interrupts *interrupts_new(const struct interrupts_config *config,
				  struct board *board)
{
	struct interrupts *new = calloc(1, sizeof(*new));
	struct device_error error;
	int err;

	if (!new)
		return NULL;
	new->config = *config;
	pthread_mutex_init(&new->lock, NULL);
	new->vm = -1;
	new->vector = NO_VECTOR;
	board->lines = (struct irq_line){ .set = set_line, .opaque = new };
	board->intr = (struct irq_line){ .set = set_intr, .opaque = new };
	board->msi = send_msi;
	board->msi_opaque = new;
	wire_serials(new, board);
	new->pic = pic_device.make(board, NULL, &error);
	if (new->pic)
		new->ioapic = ioapic_device.make(board, NULL, &error);
	if (!new->ioapic) {
		err = errno;
		interrupts_free(new);
		errno = err;
		return NULL;
	}
	return new;
}

void interrupts_free(struct interrupts *interrupts)
{
	if (!interrupts)
		return;
	ioapic_free(interrupts->ioapic);
	pic_free(interrupts->pic);
	for (size_t i = 0; i < SERIAL_LINES; i++)
		irq_gate_fini(&interrupts->serials[i]);
	pthread_mutex_destroy(&interrupts->lock);
	free(interrupts);
}

void interrupts_set_vm(struct interrupts *interrupts, int vm)
{
	interrupts->vm = vm;
}

void interrupts_reset(struct interrupts *interrupts)
{
	interrupts->vector = NO_VECTOR;
	pic_device.reset(interrupts->pic);
	ioapic_device.reset(interrupts->ioapic);
}

static const struct record_field wiring_fields[] = {
	RECORD_ANY(1, struct interrupts, vector),
};

static bool wiring_is_sound(const void *opaque)
{
	const struct interrupts *interrupts = opaque;

	return interrupts->vector >= NO_VECTOR &&
	       interrupts->vector <= UINT8_MAX;
}

/* The connection from the PIC to vCPU 0 is saved like a device. */
static const struct device_kind wiring = {
	.name = "interrupts",
	DEVICE_STATE(struct interrupts, wiring_fields),
	.is_sound = wiring_is_sound,
};

int interrupts_save(const struct interrupts *interrupts, struct record *record)
{
	int err = device_save_section(&wiring, 0, interrupts, NULL, record);

	if (!err)
		err = device_save_section(&pic_device, 0, interrupts->pic, NULL,
					  record);
	if (!err)
		err = device_save_section(&ioapic_device, 0, interrupts->ioapic,
					  NULL, record);
	return err;
}

int interrupts_load(struct interrupts *interrupts, const struct record *record)
{
	int err = device_load_section(&wiring, 0, interrupts, NULL, record);

	if (!err)
		err = device_load_section(&pic_device, 0, interrupts->pic, NULL,
					  record);
	if (!err)
		err = device_load_section(&ioapic_device, 0, interrupts->ioapic,
					  NULL, record);
	return err;
}

int interrupts_put_back(struct interrupts *interrupts,
			const struct record *record, size_t *at)
{
	int err = device_put_back_section(&wiring, 0, interrupts, record, at);

	if (!err)
		err = device_put_back_section(&pic_device, 0, interrupts->pic,
					      record, at);
	if (!err)
		err = device_put_back_section(&ioapic_device, 0,
					      interrupts->ioapic, record, at);
	return err;
}

void interrupts_eoi(struct interrupts *interrupts, uint32_t vector)
{
	ioapic_eoi(interrupts->ioapic, vector);
}

int interrupts_extint(struct interrupts *interrupts, int vcpu,
		      struct lodge_run *run)
{
	bool intr = atomic_load(&interrupts->intr);
	int err;

	run->request_window = intr || interrupts->vector != NO_VECTOR;
	if (!run->request_window || !run->window_open)
		return 0;
	/* The acknowledge cycle clears the request: keep its vector. */
	if (interrupts->vector == NO_VECTOR)
		interrupts->vector = pic_acknowledge(interrupts->pic);
	err = lodge_extint(vcpu, interrupts->vector);
	if (err == -EBUSY)
		return 0;
	if (err)
		return err;
	interrupts->vector = NO_VECTOR;
	run->window_open = 0;
	run->request_window = atomic_load(&interrupts->intr);
	return 0;
}
