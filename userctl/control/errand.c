// SPDX-License-Identifier: GPL-2.0
/*
 * A command that the agent in a guest runs for the user of this process.
 *
 * One thread, errand_run()'s, does all of it; errand_signal() hands it numbers by a pipe.
 * Descriptors that others share stay as they are, so a write is of no more than one
 * that can be written takes at once.
 */
#include "control/errand.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/ring.h"
#include "machine/terminal.h"

/* There is one command on the wire. */
#define SESSION 1
#define CREDIT_STEP (WIRE_WINDOW / 4)
/* What a pipe, and a terminal, takes without blocking when it can be written. */
#define PIPE_PIECE 4096
#define TERMINAL_PIECE 256
#define FILE_PIECE WIRE_WINDOW
#define ESCAPE 0x1d /* Ctrl-] */

/**
 * struct output - output of the command
 * @fd: where it goes; -1: nowhere any more
 * @piece: bytes for one write()
 * @ring: bytes that wait
 * @left: bytes that the guest may still send
 * @owed: bytes that were written and for which no credit was given yet
 */
struct output {
	int fd;
	size_t piece;
	struct ring ring;
	uint32_t left;
	uint32_t owed;
};

/**
 * struct errand - a command
 * @config: its description
 * @wire: leads to the agent
 * @sent: bytes of its description that were sent
 * @started: it was told to start
 * @up: the agent is there
 * @over: @end is set
 * @end: its end
 * @input: descriptor, or -1: there is no more
 * @credit: bytes of input that the agent takes
 * @escapes: Ctrl-] in a row
 * @outputs: by stream; that of the input is not used
 * @numbers: signals: written to 1 and read from 0
 * @unanswered: signals that end a process, since the agent has last said anything
 * @to_end: the command was sent one
 */
struct errand {
	struct errand_config config;
	struct wire wire;
	size_t sent;
	bool started;
	atomic_bool up;
	bool over;
	struct errand_end end;
	int input;
	uint32_t credit;
	unsigned int escapes;
	struct output outputs[WIRE_STREAMS];
	int numbers[2];
	atomic_uint unanswered;
	atomic_bool to_end;
};

/* As many as a guest that stands still may leave without a word. */
#define UNANSWERED_MAX 2
/* A reader that takes nothing for so long is not waited for when the command was to end. */
#define UNREAD_MS 3000

static size_t piece_of(int fd)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return TERMINAL_PIECE;
	if (S_ISREG(st.st_mode))
		return FILE_PIECE;
	return S_ISCHR(st.st_mode) ? TERMINAL_PIECE : PIPE_PIECE;
}

struct errand *errand_new(const struct errand_config *config)
{
	struct errand *errand = calloc(1, sizeof(*errand));

	if (!errand)
		return NULL;
	errand->config = *config;
	errand->wire.fd = config->fd;
	errand->input = config->fds[WIRE_IN];
	errand->credit = WIRE_WINDOW;
	for (int i = WIRE_OUT; i < WIRE_STREAMS; i++) {
		errand->outputs[i].fd = config->fds[i];
		errand->outputs[i].piece = piece_of(config->fds[i]);
		errand->outputs[i].left = WIRE_WINDOW;
	}
	if (wire_feed(&errand->wire, config->rest, config->rest_size) ||
	    pipe2(errand->numbers, O_CLOEXEC | O_NONBLOCK)) {
		free(errand);
		return NULL;
	}
	return errand;
}

void errand_free(struct errand *errand)
{
	if (!errand)
		return;
	close(errand->numbers[0]);
	close(errand->numbers[1]);
	free(errand);
}

static bool ends_a_process(int number)
{
	return number == SIGINT || number == SIGTERM || number == SIGHUP ||
	       number == SIGQUIT;
}

/* True if there is a command that can be sent a signal, in a guest that may hear of it. */
static bool reaches_command(struct errand *errand, int number)
{
	if (!errand->config.description || !atomic_load(&errand->up))
		return false;
	return !ends_a_process(number) ||
	       atomic_fetch_add(&errand->unanswered, 1) < UNANSWERED_MAX;
}

/* The pipe is full only after thousands of signals, of which one more says nothing. */
bool errand_signal(struct errand *errand, int number)
{
	const uint8_t byte = number;

	if (number != SIGWINCH && !reaches_command(errand, number))
		return false;
	if (ends_a_process(number))
		atomic_store(&errand->to_end, true);
	return write(errand->numbers[1], &byte, 1) == 1 || errno == EAGAIN;
}

static void finish(struct errand *errand, enum errand_fate fate, uint32_t code)
{
	if (errand->over)
		return;
	errand->over = true;
	errand->end.started = errand->started;
	errand->end.fate = fate;
	errand->end.code = code;
}

static int tell_size(struct errand *errand)
{
	uint16_t cols = 0, rows = 0, size[2];

	if (!errand->config.terminal || !errand->started ||
	    !terminal_size(&cols, &rows))
		return 0;
	size[0] = rows;
	size[1] = cols;
	return wire_put(&errand->wire, WIRE_RESIZE, SESSION, 0, size,
			sizeof(size));
}

/*
 * What the agent says.
 */

static int greet(struct errand *errand, const struct wire_frame *frame,
		 const void *payload)
{
	uint32_t version;

	if (atomic_load(&errand->up) ||
	    !wire_read_number(frame, payload, &version) ||
	    version != WIRE_VERSION)
		return -EPROTO;
	errand->end.up = true;
	atomic_store(&errand->up, true);
	return errand->config.terminal ? terminal_raw_whole() : 0;
}

/* It is shown to the user, whose terminal it must not control. */
static int take_failure(struct errand *errand, const char *text, size_t size)
{
	if (size >= sizeof(errand->end.text))
		size = sizeof(errand->end.text) - 1;
	for (size_t i = 0; i < size; i++)
		errand->end.text[i] = text[i] < ' ' || text[i] > '~' ? '?' :
								       text[i];
	finish(errand, ERRAND_FAILED, 0);
	return 0;
}

static int give_credit(struct errand *errand, unsigned int stream)
{
	struct output *output = &errand->outputs[stream];
	int err;

	if (output->owed < CREDIT_STEP)
		return 0;
	err = wire_put_number(&errand->wire, WIRE_CREDIT, SESSION, stream,
			      output->owed);
	if (err)
		return err;
	output->left += output->owed;
	output->owed = 0;
	return 0;
}

/* Output for which nobody is there is dropped, until the agent has heard of that. */
static int take_output(struct errand *errand, unsigned int stream,
		       const uint8_t *bytes, size_t size)
{
	struct output *output = &errand->outputs[stream];

	if (stream == WIRE_IN || size > output->left)
		return -EPROTO;
	output->left -= size;
	if (errand->config.take)
		errand->config.take(errand->config.opaque, bytes, size);
	if (errand->config.take || output->fd < 0) {
		output->owed += size;
		return give_credit(errand, stream);
	}
	ring_put(&output->ring, bytes, size);
	return 0;
}

static int take_close(struct errand *errand, unsigned int stream)
{
	if (stream == WIRE_IN)
		errand->input = -1;
	return 0;
}

static int take_credit(struct errand *errand, const struct wire_frame *frame,
		       const void *payload)
{
	uint32_t credit;

	if (frame->stream != WIRE_IN ||
	    !wire_read_number(frame, payload, &credit) ||
	    credit > WIRE_WINDOW - errand->credit)
		return -EPROTO;
	errand->credit += credit;
	return 0;
}

static int take_end(struct errand *errand, const struct wire_frame *frame,
		    const void *payload)
{
	static const enum errand_fate fates[] = {
		[WIRE_EXITED] = ERRAND_EXITED,
		[WIRE_KILLED] = ERRAND_KILLED,
		[WIRE_NO_DIRECTORY] = ERRAND_NO_DIRECTORY,
		[WIRE_NO_PROGRAM] = ERRAND_NO_PROGRAM,
		[WIRE_NO_START] = ERRAND_NO_START,
	};
	struct wire_exit end;

	if (!errand->started || !wire_read_exit(frame, payload, &end))
		return -EPROTO;
	finish(errand, fates[end.how], end.code);
	return 0;
}

static int take_frame(struct errand *errand, const struct wire_frame *frame,
		      const void *payload)
{
	if (frame->type == WIRE_FAILED)
		return take_failure(errand, payload, frame->size);
	if (frame->type == WIRE_HELLO)
		return greet(errand, frame, payload);
	if (!errand->started || frame->session != SESSION)
		return -EPROTO;
	switch (frame->type) {
	case WIRE_DATA:
		return take_output(errand, frame->stream, payload, frame->size);
	case WIRE_CLOSE:
		return take_close(errand, frame->stream);
	case WIRE_CREDIT:
		return take_credit(errand, frame, payload);
	case WIRE_EXIT:
		return take_end(errand, frame, payload);
	}
	return -EPROTO;
}

static int take_frames(struct errand *errand)
{
	struct wire_frame frame;
	const void *payload;
	int got = 1;

	while (!errand->over && got > 0) {
		got = wire_next(&errand->wire, &frame, &payload);
		if (got > 0 && take_frame(errand, &frame, payload))
			got = -EPROTO;
	}
	return got < 0 ? got : 0;
}

static int receive(struct errand *errand)
{
	int err = wire_fill(&errand->wire);

	if (!err)
		atomic_store(&errand->unanswered, 0);
	return err == -EAGAIN ? 0 : err;
}

/*
 * What the agent is told.
 */

static int send_description(struct errand *errand)
{
	const struct errand_config *config = &errand->config;
	size_t room;
	int err = 0;

	if (!atomic_load(&errand->up) || errand->started ||
	    !config->description)
		return 0;
	while (!err && errand->sent < config->size &&
	       (room = wire_room(&errand->wire))) {
		if (room > config->size - errand->sent)
			room = config->size - errand->sent;
		err = wire_put(&errand->wire, WIRE_SPEC, SESSION, 0,
			       (const char *)config->description + errand->sent,
			       room);
		errand->sent += room;
	}
	if (err || errand->sent < config->size || !wire_room(&errand->wire))
		return err;
	err = wire_put(&errand->wire, WIRE_START, SESSION, 0, NULL, 0);
	errand->started = true;
	if (!err && errand->input < 0)
		err = wire_put(&errand->wire, WIRE_CLOSE, SESSION, WIRE_IN,
			       NULL, 0);
	return err ? err : tell_size(errand);
}

/* Nobody reads it any more: the command learns that as it would here. */
static int lose_output(struct errand *errand, unsigned int stream)
{
	struct output *output = &errand->outputs[stream];

	output->fd = -1;
	output->owed += ring_count(&output->ring);
	ring_clear(&output->ring);
	if (errand->over)
		return 0;
	return wire_put(&errand->wire, WIRE_CLOSE, SESSION, stream, NULL, 0);
}

static int write_output(struct errand *errand, unsigned int stream)
{
	struct output *output = &errand->outputs[stream];
	const void *bytes;
	size_t size = ring_peek(&output->ring, &bytes);
	ssize_t done;

	if (size > output->piece)
		size = output->piece;
	done = write(output->fd, bytes, size);
	if (done < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (done < 0)
		return lose_output(errand, stream);
	ring_drop(&output->ring, done);
	output->owed += done;
	return errand->over ? 0 : give_credit(errand, stream);
}

/* True if the user has had enough. */
static bool is_escape(struct errand *errand, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; errand->config.terminal && i < size; i++) {
		errand->escapes = bytes[i] == ESCAPE ? errand->escapes + 1 : 0;
		if (errand->escapes == ERRAND_ESCAPES)
			return true;
	}
	return false;
}

static int end_input(struct errand *errand)
{
	errand->input = -1;
	return wire_put(&errand->wire, WIRE_CLOSE, SESSION, WIRE_IN, NULL, 0);
}

static int read_input(struct errand *errand)
{
	uint8_t bytes[WIRE_MAX];
	size_t size = wire_room(&errand->wire);
	ssize_t got;

	if (size > errand->credit)
		size = errand->credit;
	/* What was said since poll() may have taken the room. */
	if (!size)
		return 0;
	got = read(errand->input, bytes, size);
	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (got <= 0)
		return end_input(errand);
	if (is_escape(errand, bytes, got))
		finish(errand, ERRAND_QUIT, 0);
	errand->credit -= got;
	return wire_put(&errand->wire, WIRE_DATA, SESSION, WIRE_IN, bytes, got);
}

static int take_numbers(struct errand *errand)
{
	uint8_t number;
	int err = 0;

	while (!err && wire_room(&errand->wire) &&
	       read(errand->numbers[0], &number, 1) == 1)
		err = number == SIGWINCH ?
			      tell_size(errand) :
			      wire_put_number(&errand->wire, WIRE_SIGNAL,
					      SESSION, 0, number);
	return err;
}

/*
 * Waiting.
 */

enum { FD_WIRE, FD_OVER, FD_NUMBERS, FD_IN, FD_OUT, FD_ERR, NR_FDS };

static bool wants_input(const struct errand *errand)
{
	return errand->started && errand->input >= 0 && errand->credit &&
	       wire_room(&errand->wire);
}

/* A description that the wire has no room for waits until the agent has taken some. */
static bool wants_to_send(const struct errand *errand)
{
	return wire_waits(&errand->wire) ||
	       (atomic_load(&errand->up) && errand->config.description &&
		!errand->started);
}

/* Signals wait until there is a command, and until the agent has taken what was said. */
static void fill_fds(const struct errand *errand, int over, struct pollfd *fds)
{
	const bool outputs[] = {
		ring_count(&errand->outputs[WIRE_OUT].ring),
		ring_count(&errand->outputs[WIRE_ERR].ring),
	};

	fds[FD_WIRE] = (struct pollfd){
		.fd = errand->over ? -1 : errand->wire.fd,
		.events = POLLIN | (wants_to_send(errand) ? POLLOUT : 0),
	};
	fds[FD_OVER] = (struct pollfd){ .fd = over, .events = POLLIN };
	fds[FD_NUMBERS] = (struct pollfd){
		.fd = errand->started && wire_room(&errand->wire) ?
			      errand->numbers[0] :
			      -1,
		.events = POLLIN,
	};
	fds[FD_IN] = (struct pollfd){
		.fd = wants_input(errand) ? errand->input : -1,
		.events = POLLIN,
	};
	for (int i = 0; i < 2; i++)
		fds[FD_OUT + i] = (struct pollfd){
			.fd = outputs[i] ? errand->outputs[WIRE_OUT + i].fd :
					   -1,
			.events = POLLOUT,
		};
}

static int serve(struct errand *errand, const struct pollfd *fds)
{
	int err = 0;

	if (fds[FD_WIRE].revents & (POLLIN | POLLHUP | POLLERR))
		err = receive(errand);
	if (!err)
		err = take_frames(errand);
	if (!err)
		err = send_description(errand);
	if (!err && fds[FD_NUMBERS].revents)
		err = take_numbers(errand);
	if (!err && fds[FD_IN].revents && errand->input >= 0)
		err = read_input(errand);
	for (int i = 0; i < 2 && !err; i++)
		if (fds[FD_OUT + i].revents)
			err = write_output(errand, WIRE_OUT + i);
	return err ? err : wire_flush(&errand->wire);
}

/* The other side has gone, or is to go; what it has said before still counts. */
static void hear_last(struct errand *errand)
{
	while (!errand->over && !wire_fill(&errand->wire))
		if (take_frames(errand))
			break;
	finish(errand, ERRAND_GONE, 0);
}

static void note_failure(struct errand *errand, int err)
{
	if (err == -EPROTO)
		finish(errand, ERRAND_GARBAGE, 0);
	else if (err)
		hear_last(errand);
}

/*
 * A command that was to end is not told of as long as there is output of it that nobody takes.
 * Return: milliseconds for poll().
 */
static int patience_of(struct errand *errand)
{
	bool waits = false;

	for (int i = WIRE_OUT; i < WIRE_STREAMS; i++)
		waits |= errand->outputs[i].fd >= 0 &&
			 ring_count(&errand->outputs[i].ring);
	return waits && atomic_load(&errand->to_end) ? UNREAD_MS : -1;
}

static int give_up_readers(struct errand *errand)
{
	int err = 0;

	for (int i = WIRE_OUT; i < WIRE_STREAMS && !err; i++)
		if (errand->outputs[i].fd >= 0 &&
		    ring_count(&errand->outputs[i].ring))
			err = lose_output(errand, i);
	return err;
}

/* Return: 0; -errno of poll(). */
static int wait_and_serve(struct errand *errand, int over)
{
	struct pollfd fds[NR_FDS];
	int ready, err;

	fill_fds(errand, over, fds);
	ready = poll(fds, NR_FDS, patience_of(errand));
	if (ready < 0)
		return errno == EINTR ? 0 : -errno;
	err = ready ? 0 : give_up_readers(errand);
	note_failure(errand, err ? err : serve(errand, fds));
	if (fds[FD_OVER].revents)
		hear_last(errand);
	return 0;
}

/*
 * Writes what is left, unless its reader goes or a signal says that it never takes it: one
 * that came before, and has ended the command, if the reader stands still.
 */
static void write_rest(struct errand *errand, unsigned int stream)
{
	struct output *output = &errand->outputs[stream];
	struct pollfd fds[] = {
		{ .fd = output->fd, .events = POLLOUT },
		{ .fd = errand->numbers[0], .events = POLLIN },
	};
	uint8_t number = SIGWINCH;
	int ready;

	while (output->fd >= 0 && ring_count(&output->ring)) {
		ready = poll(fds, 2, patience_of(errand));
		if (!ready)
			return;
		if (ready < 0)
			continue;
		if (fds[0].revents)
			write_output(errand, stream);
		if (fds[1].revents &&
		    read(errand->numbers[0], &number, 1) == 1 &&
		    number != SIGWINCH)
			return;
	}
}

int errand_run(struct errand *errand, int over, struct errand_end *end)
{
	static const struct pollfd nothing[NR_FDS];
	int err = 0;

	/* What was read before is there already. */
	note_failure(errand, serve(errand, nothing));
	while (!errand->over && !err)
		err = wait_and_serve(errand, over);
	for (int i = WIRE_OUT; i < WIRE_STREAMS && !err; i++)
		write_rest(errand, i);
	if (errand->config.terminal)
		terminal_restore();
	*end = errand->end;
	return err;
}
