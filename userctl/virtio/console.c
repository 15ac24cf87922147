// SPDX-License-Identifier: GPL-2.0
/*
 * A console device with two ports.
 *
 * What is to be said of a port is a set of bits, and not a list of messages, so that a
 * driver that takes no messages lets nothing grow.
 */
#include "virtio/console.h"

#include <errno.h>
#include <linux/virtio_console.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <string.h>

#include "virtio/pci.h"
#include "virtio/port.h"

/* Communication controller, other. */
#define PCI_CLASS_CONSOLE 0x078000

#define PORTS 2
#define CONSOLE 0
#define PLAIN 1

/* Queues, of port 0, for control, and of the other ports (section 5.3.2). */
#define CONTROL_IN 2
#define CONTROL_OUT 3
#define QUEUES (2 * (PORTS + 1))
#define QUEUE_SIZE 64

#define INPUT_SIZE 1024
/* A queue has its turn for so many bytes, which are put out in such pieces. */
#define TURN 65536
#define PIECE 4096
/* When a program has no room, it is asked again after this time. */
#define RETRY_NS 5000000
#define MAX_NAME 64

/* No descriptor is as large. */
#define NO_FD INT32_MAX

enum { OPTION_INPUT, OPTION_FILE, OPTION_SOCKET, OPTION_NAME, OPTION_FD };

/* Messages to the driver that wait, by their order. */
enum {
	SAY_ADD = 1 << 0,
	SAY_CONSOLE = 1 << 1,
	SAY_NAME = 1 << 2,
	SAY_OPEN = 1 << 3,
	SAY_RESIZE = 1 << 4,
	SAY_ALL = (1 << 5) - 1,
};

/**
 * struct port_state - what is saved of a port
 * @say: messages that wait
 * @ready: the driver has it
 * @open: a program in the guest has it
 * @put: bytes of the next chain that are put out already
 */
struct port_state {
	uint32_t say;
	uint32_t ready;
	uint32_t open;
	uint32_t put;
};

/**
 * struct console - the device
 * @pci: its transport
 * @config: what the driver reads
 * @ports: their states
 * @count: bytes in @input
 * @input: for hvc0, when the driver has room
 * @takes_input: the machine's input comes here
 * @name: of the plain port
 * @plain: the plain port's other end, or NULL
 * @peer_changed: a program has come or gone; only the loop's thread uses it
 * @retry: armed while a program has no room
 * @output: the machine's console
 * @drained: called when @input has room again
 * @opaque: for both
 */
struct console {
	struct virtio_pci pci;
	struct virtio_console_config config;
	struct port_state ports[PORTS];
	uint32_t count;
	uint8_t input[INPUT_SIZE];
	bool takes_input;
	const char *name;
	struct port *plain;
	bool peer_changed;
	struct loop_timer *retry;
	void (*output)(void *opaque, const void *bytes, size_t size);
	void (*drained)(void *opaque);
	void *opaque;
};

static unsigned int queue_in(unsigned int port)
{
	return port ? 2 * (port + 1) : 0;
}

static unsigned int queue_out(unsigned int port)
{
	return queue_in(port) + 1;
}

static struct virtio_device *device_of(struct console *console)
{
	return &console->pci.device;
}

static bool is_multiport(const struct console *console)
{
	return virtio_has(&console->pci.device, VIRTIO_CONSOLE_F_MULTIPORT);
}

static unsigned int nr_ports(const struct console *console)
{
	return console->plain ? PORTS : 1;
}

/* Return: true if the driver takes what comes for a port. */
static bool is_open(const struct console *console, unsigned int port)
{
	return is_multiport(console) ? console->ports[port].open :
				       port == CONSOLE;
}

/* Return: the size of the text behind a message. */
static size_t add_text(const struct console *console, uint32_t what, void *text)
{
	const struct {
		uint16_t cols;
		uint16_t rows;
	} size = { console->config.cols, console->config.rows };

	if (what == SAY_RESIZE) {
		memcpy(text, &size, sizeof(size));
		return sizeof(size);
	}
	if (what != SAY_NAME)
		return 0;
	memcpy(text, console->name, strlen(console->name));
	return strlen(console->name);
}

/* Writes one message to a chain.  Return: its size. */
static size_t say(const struct console *console, unsigned int port,
		  uint32_t what, struct virtio_chain *chain)
{
	static const uint16_t events[] = {
		VIRTIO_CONSOLE_PORT_ADD,  VIRTIO_CONSOLE_CONSOLE_PORT,
		VIRTIO_CONSOLE_PORT_NAME, VIRTIO_CONSOLE_PORT_OPEN,
		VIRTIO_CONSOLE_RESIZE,
	};
	const struct virtio_console_control message = {
		.id = port,
		.event = events[__builtin_ctz(what)],
		.value = what != SAY_OPEN || port == CONSOLE ||
			 port_is_connected(console->plain),
	};
	uint8_t text[MAX_NAME];
	const size_t size = add_text(console, what, text);

	virtio_chain_write(chain, &message, sizeof(message));
	virtio_chain_write(chain, text, size);
	return chain->in_at;
}

/* Says what waits, as far as the driver has buffers. */
static void say_all(struct console *console)
{
	struct virtio_device *device = device_of(console);
	struct virtio_chain chain;

	for (unsigned int i = 0; i < nr_ports(console); i++) {
		uint32_t *bits = &console->ports[i].say;

		while (*bits && virtio_pop(device, CONTROL_IN, &chain)) {
			const uint32_t what = *bits & -*bits;

			*bits &= ~what;
			virtio_push(device, CONTROL_IN, chain.head,
				    say(console, i, what, &chain));
		}
	}
	virtio_notify(device, CONTROL_IN);
}

static void port_ready(struct console *console, unsigned int port)
{
	struct port_state *state = &console->ports[port];

	state->ready = 1;
	state->say |= SAY_OPEN;
	if (port == PLAIN)
		state->say |= SAY_NAME;
	else
		state->say |= SAY_CONSOLE |
			      (console->config.cols ? SAY_RESIZE : 0);
}

static void port_opened(struct console *console, unsigned int port, bool open)
{
	console->ports[port].open = open;
	if (port == PLAIN)
		port_pause(console->plain, !open);
	else
		virtio_wake(device_of(console), queue_in(port));
}

static void take_message(struct console *console,
			 const struct virtio_console_control *message)
{
	const unsigned int port = message->id;

	if (message->event == VIRTIO_CONSOLE_DEVICE_READY) {
		for (unsigned int i = 0;
		     message->value && i < nr_ports(console); i++)
			console->ports[i].say |= SAY_ADD;
		return;
	}
	if (port >= nr_ports(console))
		return;
	if (message->event == VIRTIO_CONSOLE_PORT_READY && message->value)
		port_ready(console, port);
	if (message->event == VIRTIO_CONSOLE_PORT_OPEN &&
	    console->ports[port].ready)
		port_opened(console, port, message->value);
}

static void kick_control(struct console *console)
{
	struct virtio_device *device = device_of(console);
	struct virtio_console_control message;
	unsigned int left = QUEUE_SIZE;
	struct virtio_chain chain;

	while (left && virtio_pop(device, CONTROL_OUT, &chain)) {
		if (virtio_chain_read(&chain, &message, sizeof(message)) ==
		    sizeof(message))
			take_message(console, &message);
		virtio_push(device, CONTROL_OUT, chain.head, 0);
		left--;
	}
	virtio_notify(device, CONTROL_OUT);
	if (!left)
		virtio_wake(device, CONTROL_OUT);
	say_all(console);
}

/* Input for hvc0, as far as the driver has buffers. */
static void feed_console(struct console *console)
{
	struct virtio_device *device = device_of(console);
	const unsigned int queue = queue_in(CONSOLE);
	const bool was_full = console->count == INPUT_SIZE;
	unsigned int left = QUEUE_SIZE;
	struct virtio_chain chain;

	while (left && console->count && is_open(console, CONSOLE) &&
	       virtio_pop(device, queue, &chain)) {
		const size_t done = virtio_chain_write(&chain, console->input,
						       console->count);

		virtio_push(device, queue, chain.head, done);
		console->count -= done;
		memmove(console->input, console->input + done, console->count);
		left--;
	}
	virtio_notify(device, queue);
	if (!left)
		virtio_wake(device, queue);
	if (was_full && console->count < INPUT_SIZE && console->drained)
		console->drained(console->opaque);
}

/* One buffer for the plain port.  Return: false if nothing comes or there is none. */
static bool feed_one(struct console *console)
{
	struct virtio_device *device = device_of(console);
	const unsigned int queue = queue_in(PLAIN);
	struct virtio_chain chain;
	uint8_t bytes[PIECE];
	size_t size;

	if (!is_open(console, PLAIN) || !virtio_pop(device, queue, &chain)) {
		port_pause(console->plain, true);
		return false;
	}
	size = chain.in_size < PIECE ? chain.in_size : PIECE;
	if (size)
		size = port_read(console->plain, bytes, size);
	if (!size && chain.in_size) {
		virtio_unpop(device, queue);
		return false;
	}
	virtio_push(device, queue, chain.head,
		    virtio_chain_write(&chain, bytes, size));
	return true;
}

static void plain_readable(void *opaque)
{
	struct console *console = opaque;

	virtio_lock(device_of(console));
	feed_one(console);
	virtio_notify(device_of(console), queue_in(PLAIN));
	virtio_unlock(device_of(console));
}

/* The lock may be held, when a program is found to have gone: it is only noted. */
static void plain_connected(void *opaque, bool connected)
{
	struct console *console = opaque;

	(void)connected;
	console->peer_changed = true;
	virtio_wake(device_of(console), CONTROL_IN);
}

/* Return: how many bytes are put out. */
static size_t put_out(struct console *console, unsigned int port,
		      const void *bytes, size_t size)
{
	ssize_t done = size;

	if (port == PLAIN)
		done = port_write(console->plain, bytes, size);
	else if (console->output)
		console->output(console->opaque, bytes, size);
	return done < 0 ? 0 : done;
}

/*
 * Puts out a chain from where it was left off.  Return: true if all of it is; false if
 * the turn is over, or a program has no room.
 */
static bool put_chain(struct console *console, unsigned int port,
		      struct virtio_chain *chain, size_t *left)
{
	uint32_t *put = &console->ports[port].put;
	uint8_t bytes[PIECE];

	virtio_chain_skip(chain, *put);
	while (*left && chain->out_at < chain->out_size) {
		const size_t some = *left < PIECE ? *left : PIECE;
		const size_t size = virtio_chain_read(chain, bytes, some);
		const size_t done = put_out(console, port, bytes, size);

		*put += done;
		*left -= done;
		if (done < size) {
			loop_timer_arm(console->retry,
				       loop_now(console->pci.loop) + RETRY_NS);
			return false;
		}
	}
	return chain->out_at == chain->out_size;
}

static void kick_output(struct console *console, unsigned int port)
{
	struct virtio_device *device = device_of(console);
	const unsigned int queue = queue_out(port);
	unsigned int chains = QUEUE_SIZE;
	struct virtio_chain chain;
	size_t left = TURN;

	while (chains && left && virtio_pop(device, queue, &chain)) {
		if (!put_chain(console, port, &chain, &left)) {
			virtio_unpop(device, queue);
			break;
		}
		console->ports[port].put = 0;
		virtio_push(device, queue, chain.head, 0);
		chains--;
	}
	virtio_notify(device, queue);
	if (!chains || !left)
		virtio_wake(device, queue);
}

static void retry(void *opaque)
{
	struct console *console = opaque;

	virtio_wake(device_of(console), queue_out(PLAIN));
}

static void kick(struct virtio_device *device, unsigned int queue)
{
	struct console *console = device->opaque;

	if (queue == CONTROL_OUT) {
		kick_control(console);
	} else if (queue == CONTROL_IN) {
		if (console->peer_changed && console->ports[PLAIN].ready)
			console->ports[PLAIN].say |= SAY_OPEN;
		console->peer_changed = false;
		say_all(console);
	} else if (queue == queue_in(CONSOLE)) {
		feed_console(console);
	} else if (queue == queue_out(CONSOLE)) {
		kick_output(console, CONSOLE);
	} else if (console->plain && queue == queue_out(PLAIN)) {
		kick_output(console, PLAIN);
	} else if (console->plain) {
		port_pause(console->plain, !is_open(console, PLAIN));
	}
}

static void stop(struct virtio_device *device)
{
	struct console *console = device->opaque;

	memset(console->ports, 0, sizeof(console->ports));
	if (console->plain)
		port_pause(console->plain, true);
}

static const struct virtio_kind kind = {
	.name = "virtio-console",
	.id = VIRTIO_ID_CONSOLE,
	.class = PCI_CLASS_CONSOLE,
	.stop = stop,
	.kick = kick,
};

bool virtio_console_takes_input(const void *opaque)
{
	const struct console *console = opaque;

	return console->takes_input;
}

size_t virtio_console_room(void *opaque)
{
	struct console *console = opaque;
	size_t room;

	virtio_lock(device_of(console));
	room = INPUT_SIZE - console->count;
	virtio_unlock(device_of(console));
	return room;
}

size_t virtio_console_receive(void *opaque, const void *bytes, size_t size)
{
	struct console *console = opaque;
	size_t room;

	virtio_lock(device_of(console));
	room = INPUT_SIZE - console->count;
	if (size > room)
		size = room;
	memcpy(console->input + console->count, bytes, size);
	console->count += size;
	virtio_unlock(device_of(console));
	virtio_wake(device_of(console), queue_in(CONSOLE));
	return size;
}

void virtio_console_resize(void *opaque, uint16_t cols, uint16_t rows)
{
	struct console *console = opaque;

	virtio_lock(device_of(console));
	console->config.cols = cols;
	console->config.rows = rows;
	if (console->ports[CONSOLE].ready)
		console->ports[CONSOLE].say |= SAY_RESIZE;
	virtio_config_changed(device_of(console));
	virtio_unlock(device_of(console));
	virtio_wake(device_of(console), CONTROL_IN);
}

/* Frees all but the transport. */
static void console_release(struct console *console)
{
	if (console->retry)
		loop_timer_disarm(console->retry);
	port_close(console->plain);
	free(console);
}

static void console_free(void *opaque)
{
	struct console *console = opaque;

	virtio_pci_fini(&console->pci);
	console_release(console);
}

static int open_plain(struct console *console, const struct board *board,
		      const struct device_value *values,
		      struct device_error *error)
{
	const char *socket = values[OPTION_SOCKET].text;
	const struct port_config config = {
		.loop = board->loop,
		.path = socket ? socket : values[OPTION_FILE].text,
		.socket = socket,
		.peer = values[OPTION_FD].number,
		.connected = plain_connected,
		.readable = plain_readable,
		.opaque = console,
	};
	const bool has_fd = values[OPTION_FD].number != NO_FD;
	int err;

	if (!!socket + !!values[OPTION_FILE].text + has_fd > 1) {
		device_fail(error, -EINVAL, NULL,
			    "a port is at a file, at a socket or at an fd",
			    "give one of them");
		return -EINVAL;
	}
	console->name = values[OPTION_NAME].text;
	if (strlen(console->name) >= MAX_NAME) {
		device_fail(error, -EINVAL, console->name,
			    "the name of a port has up to 63 bytes", NULL);
		return -EINVAL;
	}
	err = config.path || has_fd ? port_open(&console->plain, &config) : 0;
	if (err == -EBADF)
		device_fail(error, err, "fd", "is no stream socket",
			    "as in fd=3, of one that is connected");
	else if (err)
		device_fail(error, err, config.path, NULL,
			    err == -EADDRINUSE ?
				    "remove it if no machine uses it" :
				    NULL);
	return err;
}

/* The console's end is open. */
static int plug(struct console *console, const struct board *board)
{
	struct virtio_device *device = device_of(console);
	const struct board_serial *first = &board->serials[0];

	console->output = first->output;
	console->drained = first->drained;
	console->opaque = first->opaque;
	console->config.max_nr_ports = nr_ports(console);
	device->kind = &kind;
	device->nr_queues = 2 * (nr_ports(console) + 1);
	device->queue_size = QUEUE_SIZE;
	device->offered = VIRTIO_FEATURE(VIRTIO_CONSOLE_F_SIZE) |
			  VIRTIO_FEATURE(VIRTIO_CONSOLE_F_MULTIPORT);
	device->config = &console->config;
	device->config_size = sizeof(console->config);
	device->opaque = console;
	return virtio_pci_init(&console->pci, board);
}

static void *console_make(const struct board *board,
			  const struct device_value *values,
			  struct device_error *error)
{
	struct console *console = calloc(1, sizeof(*console));
	int err;

	if (!console)
		return NULL;
	console->takes_input = values[OPTION_INPUT].number;
	console->retry = loop_timer_new(board->loop, retry, console);
	err = console->retry ? open_plain(console, board, values, error) :
			       -errno;
	if (err) {
		console_release(console);
		errno = -err;
		return NULL;
	}
	err = plug(console, board);
	if (err) {
		console_free(console);
		errno = -err;
		return NULL;
	}
	return console;
}

static const struct device_option options[] = {
	[OPTION_INPUT] = { .name = "input",
			   .about =
				   "hvc0 gets what is typed, not the serial port",
			   .type = DEVICE_BOOL },
	[OPTION_FILE] = { .name = "file",
			  .about =
				  "a second port, which is written to this file",
			  .type = DEVICE_TEXT,
			  .host = true,
			  .is_path = true,
			  .word = "FILE" },
	[OPTION_SOCKET] = { .name = "socket",
			    .about = "a second port, at this UNIX socket",
			    .type = DEVICE_TEXT,
			    .host = true,
			    .is_path = true,
			    .word = "PATH" },
	[OPTION_NAME] = { .name = "name",
			  .about = "the second port's name in the guest",
			  .type = DEVICE_TEXT,
			  .text = "lodge.port" },
	[OPTION_FD] = { .name = "fd",
			.about = "a second port, at a connected stream socket "
				 "that lodge has inherited",
			.type = DEVICE_NUMBER,
			.host = true,
			.value = NO_FD,
			.max = NO_FD - 1 },
	{},
};

static const struct record_field console_fields[] = {
	VIRTIO_PCI_FIELDS(struct console),
	RECORD_ANY(VIRTIO_OWN_TAG, struct console, ports),
	RECORD_ANY(VIRTIO_OWN_TAG + 1, struct console, count),
	RECORD_ANY(VIRTIO_OWN_TAG + 2, struct console, input),
};

static bool console_is_sound(const void *opaque)
{
	const struct console *console = opaque;

	for (unsigned int i = 0; i < PORTS; i++) {
		const struct port_state *state = &console->ports[i];

		if ((state->say & ~SAY_ALL) || state->ready > 1 ||
		    state->open > 1 ||
		    (i >= nr_ports(console) && (state->say | state->open)))
			return false;
	}
	return console->count <= INPUT_SIZE && virtio_pci_is_sound(opaque);
}

static void console_loaded(void *opaque)
{
	struct console *console = opaque;

	virtio_pci_loaded(opaque);
	console->peer_changed = true;
	if (console->plain)
		port_pause(console->plain, !is_open(console, PLAIN));
}

const struct device_kind virtio_console_device = {
	.name = "virtio-console",
	.about = "hvc0 at the machine's console, and a second port",
	.options = options,
	.make = console_make,
	.free = console_free,
	.reset = virtio_pci_reset,
	DEVICE_STATE(struct console, console_fields),
	.is_sound = console_is_sound,
	.loaded = console_loaded,
};
