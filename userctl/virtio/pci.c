// SPDX-License-Identifier: GPL-2.0
/*
 * The PCI transport of virtio devices.
 *
 * Its structures are in one BAR, each on a page of its own, and behind them the table of
 * MSI-X vectors: one for configuration changes and one for each queue.
 */
#include "virtio/pci.h"

#include <errno.h>
#include <linux/virtio_pci.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* The queue bit of the interrupt status (section 4.1.4.5). */
#define ISR_QUEUE 0x1

#define VENDOR 0x1af4
/* Device IDs of devices that are not transitional begin here (section 4.1.2). */
#define FIRST_DEVICE 0x1040
#define REVISION 1

#define BAR 0
#define BAR_SIZE 0x8000
#define COMMON 0x0000
#define ISR 0x1000
#define CONFIG 0x2000
#define NOTIFY 0x3000
#define NOTIFY_END 0x4000
#define MSIX 0x4000

#define PAGE 0x1000
/* Bytes between the doorbells of two queues. */
#define BELL_STRIDE 4

/* Of the 1.2 layout; what is behind belongs to features that are not offered. */
#define COMMON_SIZE (VIRTIO_PCI_COMMON_Q_USEDHI + 4)

/* From a capability's first byte, which the PCI bus writes with the second. */
#define WINDOW_DATA offsetof(struct virtio_pci_cfg_cap, pci_cfg_data)
#define BUS_BYTES offsetof(struct virtio_pci_cap, cap_len)

static unsigned int nr_vectors(const struct virtio_pci *pci)
{
	return pci->device.nr_queues + 1;
}

static uint16_t *vector_of(struct virtio_pci *pci, unsigned int queue)
{
	return queue == VIRTIO_CONFIG_CHANGE ? &pci->state.config_vector :
					       &pci->state.vectors[queue];
}

/* Tells the driver; device's lock held. */
static void interrupt(void *transport, unsigned int queue)
{
	struct virtio_pci *pci = transport;
	const bool config = queue == VIRTIO_CONFIG_CHANGE;
	const uint16_t vector = *vector_of(pci, queue);

	if (config)
		pci->state.isr |= VIRTIO_PCI_ISR_CONFIG;
	if (pci_msix_enabled(&pci->function)) {
		if (vector != VIRTIO_MSI_NO_VECTOR)
			pci_msix_notify(&pci->function, vector);
		return;
	}
	if (!config)
		pci->state.isr |= ISR_QUEUE;
	pci_intx_set(&pci->function, true);
}

static void wake(void *transport, unsigned int queue)
{
	const struct virtio_pci *pci = transport;

	/* Another process could let the write wait; it was woken before it got the queue. */
	if (!pci->lent[queue].lent || !pci->lent[queue].process)
		eventfd_write(pci->bells[queue].eventfd, 1);
}

/* In the loop's thread. */
static void kicked(void *opaque, int fd)
{
	struct virtio_bell *bell = opaque;
	eventfd_t count;

	if (!eventfd_read(fd, &count))
		virtio_device_kick(&bell->pci->device, bell->queue);
}

/* The driver's registers, as after a reset. */
static void forget(struct virtio_pci *pci)
{
	pci->state = (struct virtio_pci_state){
		.config_vector = VIRTIO_MSI_NO_VECTOR,
	};
	for (unsigned int i = 0; i < VIRTIO_MAX_QUEUES; i++)
		pci->state.vectors[i] = VIRTIO_MSI_NO_VECTOR;
}

/* Return: the selected queue, or NULL. */
static struct virtqueue_state *selected(struct virtio_pci *pci)
{
	const unsigned int queue = pci->state.queue_select;

	return queue < pci->device.nr_queues ?
		       &pci->device.state.queues[queue] :
		       NULL;
}

static void common_of_queue(struct virtio_pci *pci,
			    struct virtio_pci_common_cfg *common)
{
	const struct virtqueue_state *queue = selected(pci);

	if (!queue)
		return;
	common->queue_size = queue->size;
	common->queue_msix_vector = pci->state.vectors[pci->state.queue_select];
	common->queue_enable = queue->enabled;
	common->queue_notify_off = pci->state.queue_select;
	common->queue_desc_lo = queue->desc;
	common->queue_desc_hi = queue->desc >> 32;
	common->queue_avail_lo = queue->avail;
	common->queue_avail_hi = queue->avail >> 32;
	common->queue_used_lo = queue->used;
	common->queue_used_hi = queue->used >> 32;
}

/* The half of some features that is selected. */
static uint32_t half(uint64_t features, uint32_t select)
{
	return select > 1 ? 0 : features >> (32 * select);
}

static void common_read(struct virtio_pci *pci, uint64_t offset, void *data,
			size_t size)
{
	const struct virtio_device *device = &pci->device;
	const struct virtio_pci_state *state = &pci->state;
	union {
		struct virtio_pci_common_cfg registers;
		uint8_t bytes[PAGE];
	} image = {
		.registers = {
			.device_feature_select = state->device_select,
			.device_feature =
				half(device->offered, state->device_select),
			.guest_feature_select = state->driver_select,
			.guest_feature = half(device->state.features,
					      state->driver_select),
			.msix_config = state->config_vector,
			.num_queues = device->nr_queues,
			.device_status = device->state.status,
			.config_generation = device->state.generation,
			.queue_select = state->queue_select,
		},
	};

	common_of_queue(pci, &image.registers);
	memcpy(data, image.bytes + offset, size);
}

static void set_features(struct virtio_pci *pci, uint32_t value)
{
	const uint32_t select = pci->state.driver_select;
	uint64_t features = pci->device.state.features;

	if (select > 1)
		return;
	features &= ~((uint64_t)UINT32_MAX << (32 * select));
	features |= (uint64_t)value << (32 * select);
	virtio_device_set_features(&pci->device, features);
}

static void set_status(struct virtio_pci *pci, uint8_t value)
{
	virtio_device_set_status(&pci->device, value);
	if (!value) {
		forget(pci);
		pci_intx_set(&pci->function, false);
	}
}

/* A vector that there is not reads back as none (section 4.1.5.1.2.1). */
static void set_vector(struct virtio_pci *pci, uint16_t *vector, uint16_t value)
{
	*vector = value < nr_vectors(pci) ? value : VIRTIO_MSI_NO_VECTOR;
}

static void set_half(uint64_t *address, unsigned int half, uint32_t value)
{
	*address &= ~((uint64_t)UINT32_MAX << (32 * half));
	*address |= (uint64_t)value << (32 * half);
}

/* The place of a queue is fixed while it is enabled. */
static void queue_write(struct virtio_pci *pci, uint64_t offset, uint32_t value)
{
	struct virtqueue_state *queue = selected(pci);

	if (!queue || queue->enabled)
		return;
	switch (offset) {
	case VIRTIO_PCI_COMMON_Q_SIZE:
		queue->size = value;
		break;
	case VIRTIO_PCI_COMMON_Q_ENABLE:
		if (value == 1)
			virtio_device_enable_queue(&pci->device,
						   pci->state.queue_select);
		break;
	case VIRTIO_PCI_COMMON_Q_DESCLO:
	case VIRTIO_PCI_COMMON_Q_DESCHI:
		set_half(&queue->desc, offset / 4 % 2, value);
		break;
	case VIRTIO_PCI_COMMON_Q_AVAILLO:
	case VIRTIO_PCI_COMMON_Q_AVAILHI:
		set_half(&queue->avail, offset / 4 % 2, value);
		break;
	case VIRTIO_PCI_COMMON_Q_USEDLO:
	case VIRTIO_PCI_COMMON_Q_USEDHI:
		set_half(&queue->used, offset / 4 % 2, value);
		break;
	}
}

/* Return: the size of the register at an offset, or 0. */
static size_t common_width(uint64_t offset)
{
	if (offset >= COMMON_SIZE)
		return 0;
	if (offset == VIRTIO_PCI_COMMON_STATUS ||
	    offset == VIRTIO_PCI_COMMON_CFGGENERATION)
		return 1;
	if (offset >= VIRTIO_PCI_COMMON_MSIX &&
	    offset < VIRTIO_PCI_COMMON_Q_DESCLO)
		return offset % 2 ? 0 : 2;
	return offset % 4 ? 0 : 4;
}

/* @value has the width of the register. */
static void register_write(struct virtio_pci *pci, uint64_t offset,
			   uint32_t value)
{
	switch (offset) {
	case VIRTIO_PCI_COMMON_DFSELECT:
		pci->state.device_select = value;
		break;
	case VIRTIO_PCI_COMMON_GFSELECT:
		pci->state.driver_select = value;
		break;
	case VIRTIO_PCI_COMMON_GF:
		set_features(pci, value);
		break;
	case VIRTIO_PCI_COMMON_MSIX:
		set_vector(pci, &pci->state.config_vector, value);
		break;
	case VIRTIO_PCI_COMMON_STATUS:
		set_status(pci, value);
		break;
	case VIRTIO_PCI_COMMON_Q_SELECT:
		pci->state.queue_select = value;
		break;
	case VIRTIO_PCI_COMMON_Q_MSIX:
		if (!selected(pci))
			break;
		set_vector(pci, vector_of(pci, pci->state.queue_select), value);
		virtio_pci_redirect(pci, pci->state.queue_select);
		break;
	default:
		queue_write(pci, offset, value);
		break;
	}
}

/* While the device is being reset, nothing else happens (section 2.4). */
static void common_write(struct virtio_pci *pci, uint64_t offset,
			 const void *data, size_t size)
{
	uint32_t values[2] = { 0, 0 };

	if (size > sizeof(values) || pci->device.resetting)
		return;
	memcpy(values, data, size);
	if (size == 8 && common_width(offset) == 4 &&
	    common_width(offset + 4) == 4) {
		register_write(pci, offset, values[0]);
		register_write(pci, offset + 4, values[1]);
	} else if (size == common_width(offset)) {
		register_write(pci, offset, values[0]);
	}
}

/* Reading the interrupt status clears it (section 4.1.4.5). */
static void isr_read(struct virtio_pci *pci, uint64_t offset, void *data,
		     size_t size)
{
	memset(data, 0, size);
	if (offset)
		return;
	*(uint8_t *)data = pci->state.isr;
	pci->state.isr = 0;
	pci_intx_set(&pci->function, false);
}

static void bar_read(void *opaque, uint64_t offset, void *data, size_t size)
{
	struct virtio_pci *pci = opaque;
	const uint64_t at = offset % PAGE;

	memset(data, 0, size);
	/* No structure goes over the end of its page. */
	if (size > PAGE - at)
		return;
	virtio_lock(&pci->device);
	switch (offset - at) {
	case COMMON:
		common_read(pci, at, data, size);
		break;
	case ISR:
		isr_read(pci, at, data, size);
		break;
	case CONFIG:
		virtio_device_read_config(&pci->device, at, data, size);
		break;
	}
	virtio_unlock(&pci->device);
}

/* A kick of the bus's, and not of a doorbell's. */
static void bell_write(struct virtio_pci *pci, uint64_t offset)
{
	const uint64_t queue = offset / BELL_STRIDE;
	struct pollfd bell = { .events = POLLOUT };

	if (queue >= pci->device.nr_queues || offset % BELL_STRIDE)
		return;
	/* One that is full has been signalled, and its other owner could let the write wait. */
	bell.fd = pci->bells[queue].eventfd;
	if (poll(&bell, 1, 0) == 1)
		eventfd_write(bell.fd, 1);
}

static void bar_write(void *opaque, uint64_t offset, const void *data,
		      size_t size)
{
	struct virtio_pci *pci = opaque;
	const uint64_t at = offset % PAGE;

	if (size > PAGE - at)
		return;
	virtio_lock(&pci->device);
	switch (offset - at) {
	case COMMON:
		common_write(pci, at, data, size);
		break;
	case CONFIG:
		virtio_device_write_config(&pci->device, at, data, size);
		break;
	case NOTIFY:
		bell_write(pci, at);
		break;
	}
	virtio_unlock(&pci->device);
}

static void bell_set(struct virtio_bell *bell, uint64_t address, bool on)
{
	const struct doorbells *doorbells = &bell->pci->doorbells;
	const struct doorbell doorbell = {
		.address = address,
		.space = BUS_MMIO,
	};

	if (!doorbells->set || address == PCI_BAR_OFF)
		return;
	if (doorbells->set(doorbells->opaque, &doorbell, bell->eventfd, on))
		on = false;
	bell->address = on ? address : PCI_BAR_OFF;
}

/* The doorbells follow the BAR.  Without one, the bus brings the kicks. */
static void bar_moved(void *opaque, uint64_t address)
{
	struct virtio_pci *pci = opaque;

	virtio_lock(&pci->device);
	for (unsigned int i = 0; i < pci->device.nr_queues; i++) {
		struct virtio_bell *bell = &pci->bells[i];

		bell_set(bell, bell->address, false);
		if (address != PCI_BAR_OFF)
			bell_set(bell, address + NOTIFY + i * BELL_STRIDE,
				 true);
	}
	virtio_unlock(&pci->device);
}

/*
 * Access through configuration space (section 4.1.4.9): what the capability names is
 * behind its data.  Return: true if an access is to be carried out.
 */
static bool window_opens(struct virtio_pci *pci, uint8_t offset, size_t size,
			 struct virtio_pci_cfg_cap *window)
{
	if (!pci->window || offset != pci->window + WINDOW_DATA)
		return false;
	pci_config_get(&pci->function, pci->window, window, sizeof(*window));
	return window->cap.length == size &&
	       !(window->cap.offset & (size - 1)) &&
	       (size == 1 || size == 2 || size == 4);
}

static bool config_read(void *opaque, uint8_t offset, void *data, size_t size)
{
	struct virtio_pci *pci = opaque;
	struct virtio_pci_cfg_cap window;

	if (!window_opens(pci, offset, size, &window))
		return false;
	pci_bar_read(&pci->function, window.cap.bar, window.cap.offset, data,
		     size);
	return true;
}

static bool is_master(struct virtio_pci *pci)
{
	uint8_t command;

	pci_config_get(&pci->function, PCI_COMMAND, &command, sizeof(command));
	return command & PCI_COMMAND_MASTER;
}

/*
 * A device that has lost the right to be master of the bus leaves memory alone: so a
 * kernel that is started by another one (kexec) is safe from the other one's buffers.
 * Only a reset makes sure of that.
 */
static void follow_master(struct virtio_pci *pci)
{
	const bool master = is_master(pci);

	virtio_lock(&pci->device);
	if (pci->master && !master && !pci->device.resetting)
		set_status(pci, 0);
	pci->master = master;
	virtio_unlock(&pci->device);
}

static void config_written(void *opaque, uint8_t offset, size_t size)
{
	struct virtio_pci *pci = opaque;
	struct virtio_pci_cfg_cap window;

	if (offset <= PCI_COMMAND)
		follow_master(pci);
	if (window_opens(pci, offset, size, &window))
		pci_bar_write(&pci->function, window.cap.bar, window.cap.offset,
			      window.pci_cfg_data, size);
}

/* Appends a capability.  Return: its offset or -errno. */
static int add_capability(struct pci_function *function,
			  struct virtio_pci_cap *capability, uint8_t type,
			  uint32_t offset, uint32_t length, size_t size)
{
	capability->cap_len = size;
	capability->cfg_type = type;
	capability->bar = BAR;
	capability->offset = offset;
	capability->length = length;
	return pci_add_capability(function, PCI_CAPABILITY_VENDOR,
				  (const uint8_t *)capability + BUS_BYTES,
				  size - BUS_BYTES);
}

/* The guest writes to the window what it wants to access. */
static int add_window(struct virtio_pci *pci)
{
	struct virtio_pci_cfg_cap window = {};
	uint8_t *writable;
	int place = add_capability(&pci->function, &window.cap,
				   VIRTIO_PCI_CAP_PCI_CFG, 0, 0,
				   sizeof(window));

	if (place < 0)
		return place;
	pci->window = place;
	writable = &pci->function.writable[place];
	writable[VIRTIO_PCI_CAP_BAR] = 0xff;
	memset(writable + VIRTIO_PCI_CAP_OFFSET, 0xff,
	       sizeof(window) - VIRTIO_PCI_CAP_OFFSET);
	return 0;
}

static int add_capabilities(struct virtio_pci *pci)
{
	struct pci_function *function = &pci->function;
	struct virtio_pci_notify_cap notify = {
		.notify_off_multiplier = BELL_STRIDE,
	};
	struct virtio_pci_cap common = {}, isr = {}, config = {};
	int err = add_capability(function, &common, VIRTIO_PCI_CAP_COMMON_CFG,
				 COMMON, COMMON_SIZE, sizeof(common));

	if (err > 0)
		err = add_capability(function, &notify.cap,
				     VIRTIO_PCI_CAP_NOTIFY_CFG, NOTIFY,
				     NOTIFY_END - NOTIFY, sizeof(notify));
	if (err > 0)
		err = add_capability(function, &isr, VIRTIO_PCI_CAP_ISR_CFG,
				     ISR, 1, sizeof(isr));
	if (err > 0 && pci->device.config_size)
		err = add_capability(function, &config,
				     VIRTIO_PCI_CAP_DEVICE_CFG, CONFIG,
				     pci->device.config_size, sizeof(config));
	if (err > 0)
		err = add_window(pci);
	return err ? err : pci_add_msix(function, BAR, MSIX, nr_vectors(pci));
}

static int make_function(struct virtio_pci *pci)
{
	const struct virtio_kind *kind = pci->device.kind;
	const struct pci_identity identity = {
		.vendor = VENDOR,
		.device = FIRST_DEVICE + kind->id,
		.subsystem_vendor = VENDOR,
		.subsystem = FIRST_DEVICE + kind->id,
		.class = kind->class,
		.revision = REVISION,
	};

	pci_function_init(&pci->function, &identity);
	pci->function.bars[BAR] = (struct pci_bar){
		.kind = PCI_BAR_MEMORY32,
		.size = BAR_SIZE,
		.read = bar_read,
		.write = bar_write,
		.moved = bar_moved,
	};
	pci->function.opaque = pci;
	pci->function.config_read = config_read;
	pci->function.config_written = config_written;
	return add_capabilities(pci);
}

int virtio_pci_listen(struct virtio_pci *pci, unsigned int queue, bool listen)
{
	struct virtio_bell *bell = &pci->bells[queue];

	if (listen)
		return loop_watch(pci->loop, bell->eventfd, kicked, bell);
	loop_unwatch(pci->loop, bell->eventfd);
	return 0;
}

int virtio_pci_renew_bell(struct virtio_pci *pci, unsigned int queue)
{
	struct virtio_bell *bell = &pci->bells[queue];
	const uint64_t address = bell->address;

	bell_set(bell, address, false);
	close(bell->eventfd);
	bell->eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (bell->eventfd < 0)
		return -errno;
	bell_set(bell, address, true);
	/* What has kicked the other one may not have been seen. */
	eventfd_write(bell->eventfd, 1);
	return 0;
}

static int make_bells(struct virtio_pci *pci)
{
	int err = 0;

	for (unsigned int i = 0; i < pci->device.nr_queues && !err; i++) {
		struct virtio_bell *bell = &pci->bells[i];

		bell->eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (bell->eventfd < 0)
			return -errno;
		err = virtio_pci_listen(pci, i, true);
	}
	return err;
}

int virtio_pci_init(struct virtio_pci *pci, const struct board *board)
{
	struct virtio_device *device = &pci->device;
	int err;

	for (unsigned int i = 0; i < VIRTIO_MAX_QUEUES; i++)
		pci->bells[i] = (struct virtio_bell){
			.pci = pci,
			.queue = i,
			.eventfd = -1,
			.address = PCI_BAR_OFF,
		};
	pci->loop = board->loop;
	pci->doorbells = board->doorbells;
	device->ram = board->ram;
	device->interrupt = interrupt;
	device->wake = wake;
	device->transport = pci;
	forget(pci);
	virtio_pci_lend_init(pci);
	err = virtio_device_init(device);
	if (!err)
		err = make_bells(pci);
	if (!err)
		err = make_function(pci);
	return err ? err : pci_bus_plug(board->pci, &pci->function);
}

void virtio_pci_fini(struct virtio_pci *pci)
{
	virtio_pci_lend_fini(pci);
	for (unsigned int i = 0; i < VIRTIO_MAX_QUEUES; i++) {
		const int fd = pci->bells[i].eventfd;

		if (fd < 0)
			continue;
		loop_unwatch(pci->loop, fd);
		close(fd);
	}
	virtio_device_fini(&pci->device);
}

#define PCI_SLOT_SHIFT 3

/* Functions are devices of their own, so that their number is left out. */
void virtio_pci_boot(const struct virtio_pci *pci, enum boot_class class,
		     const struct device_value *index, const char *name,
		     const char *unit, struct device_boot *boot)
{
	boot->class = class;
	boot->index = index->given ? (uint32_t)index->number : BOOT_NO_INDEX;
	snprintf(boot->path, sizeof(boot->path), "/pci@i0cf8/%s@%x%s", name,
		 pci->function.devfn >> PCI_SLOT_SHIFT, unit);
}

void virtio_pci_reset(void *opaque)
{
	struct virtio_pci *pci = opaque;

	/* Calls of other threads for the device, such as a new size, may come. */
	virtio_lock(&pci->device);
	virtio_device_reset(&pci->device);
	forget(pci);
	pci->master = false;
	virtio_unlock(&pci->device);
	pci_function_reset(&pci->function);
}

bool virtio_pci_is_sound(const void *opaque)
{
	const struct virtio_pci *pci = opaque;
	const struct virtio_pci_state *state = &pci->state;
	const unsigned int vectors = nr_vectors(pci);
	bool sound = state->config_vector < vectors ||
		     state->config_vector == VIRTIO_MSI_NO_VECTOR;

	for (unsigned int i = 0; i < VIRTIO_MAX_QUEUES; i++)
		sound = sound && (state->vectors[i] < vectors ||
				  state->vectors[i] == VIRTIO_MSI_NO_VECTOR);
	return sound && !(state->isr & ~(ISR_QUEUE | VIRTIO_PCI_ISR_CONFIG)) &&
	       virtio_device_is_sound(&pci->device) &&
	       pci_function_is_sound(&pci->function);
}

void virtio_pci_loaded(void *opaque)
{
	struct virtio_pci *pci = opaque;

	pci_function_loaded(&pci->function);
	virtio_lock(&pci->device);
	pci->master = is_master(pci);
	virtio_device_loaded(&pci->device);
	virtio_unlock(&pci->device);
}
