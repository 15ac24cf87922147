// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzes what a hostile guest says in place of its agent's answers, to one client and to
 * several that share it, what clients say, and the description of a command.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/errand.h"
#include "control/mux.h"
#include "guest/spec.h"

/* More than a socket takes at once is of no use. */
#define MOST 65536

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void hear(const uint8_t *bytes, size_t size)
{
	static int nothing = -1, over = -1;
	struct errand_config config = { .description = "word", .size = 4 };
	struct errand_end end;
	struct errand *errand;
	int fds[2];

	if (nothing < 0) {
		nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
		over = eventfd(0, EFD_CLOEXEC);
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		       fds))
		abort();
	if (write(fds[1], bytes, size) < 0)
		abort();
	shutdown(fds[1], SHUT_WR);
	config.fd = fds[0];
	for (int i = 0; i < WIRE_STREAMS; i++)
		config.fds[i] = nothing;
	errand = errand_new(&config);
	if (!errand || errand_run(errand, over, &end))
		abort();
	/* A text for the user's terminal does not control it. */
	for (const char *at = end.text; *at; at++)
		if (*at < ' ' || *at > '~')
			abort();
	errand_free(errand);
	close(fds[0]);
	close(fds[1]);
}

static void describe(const uint8_t *bytes, size_t size)
{
	uint8_t *copy = malloc(size + 1);
	struct spec spec;

	if (!copy)
		return;
	if (size)
		memcpy(copy, bytes, size);
	if (!spec_read(&spec, copy, size)) {
		if (!spec.directory || !spec.argv[0])
			abort();
		spec_free(&spec);
	}
	free(copy);
}

/* Connections to struct mux: the agent's, and those of clients. */
#define NR_ENDS 4
/* Turns after which there is nothing to be passed on. */
#define TURNS 4

static int open_end(int *other)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		       fds))
		abort();
	*other = fds[1];
	return fds[0];
}

/* Reads what was sent: all of it are frames. */
static void take(struct wire *wire)
{
	struct wire_frame frame;
	const void *payload;
	int got;

	while (wire->fd >= 0 && !wire_fill(wire))
		while ((got = wire_next(wire, &frame, &payload)))
			if (got < 0)
				abort();
}

static void work(struct mux *mux, struct wire *ends)
{
	for (int i = 0; i < TURNS; i++)
		mux_work(mux, -1, 0);
	for (int i = 0; i < NR_ENDS; i++)
		take(&ends[i]);
}

static void say(struct wire *end, enum wire_type type, unsigned int session,
		unsigned int stream, const void *payload, size_t size)
{
	if (end->fd >= 0 && !wire_waits(end) &&
	    (wire_put(end, type, session, stream, payload, size) ||
	     wire_flush(end)))
		end->out_count = 0;
}

/* The agent comes up, and clients start commands, as without a fuzzer. */
static void begin(struct mux *mux, struct wire *ends, unsigned int clients)
{
	const uint32_t version = WIRE_VERSION;

	say(&ends[0], WIRE_HELLO, 0, 0, &version, sizeof(version));
	work(mux, ends);
	for (unsigned int i = 1; i <= clients; i++) {
		say(&ends[i], WIRE_SPEC, 1, 0, "what", 4);
		say(&ends[i], WIRE_START, 1, 0, NULL, 0);
	}
	work(mux, ends);
}

/**
 * struct step - what is said next, as the input has it
 * @end: by which connection; END_LEAVES, END_RAW
 * @type: of a frame
 * @where: its stream, and its session from bit 2 on
 * @size: of its payload, or of bytes that are said as they are; they follow
 */
struct step {
	uint8_t end;
	uint8_t type;
	uint8_t where;
	uint8_t size;
};

#define END_LEAVES 0x80
#define END_RAW 0x40

static void talk(struct mux *mux, struct wire *ends, const uint8_t *bytes,
		 size_t size)
{
	struct step step;
	struct wire *end;
	size_t piece;

	while (size >= sizeof(step)) {
		memcpy(&step, bytes, sizeof(step));
		bytes += sizeof(step);
		size -= sizeof(step);
		piece = step.size < size ? step.size : size;
		end = &ends[step.end % NR_ENDS];
		if (!(step.end & END_RAW))
			say(end, step.type, step.where >> 2, step.where & 3,
			    bytes, piece);
		else if (end->fd >= 0 && write(end->fd, bytes, piece) < 0)
			piece = size;
		if (step.end & END_LEAVES && end->fd >= 0) {
			close(end->fd);
			end->fd = -1;
		}
		bytes += piece;
		size -= piece;
		work(mux, ends);
	}
}

static void share(const uint8_t *bytes, size_t size)
{
	static struct wire ends[NR_ENDS];
	static int over = -1;
	struct mux *mux;
	int port;

	if (over < 0) {
		over = eventfd(1, EFD_CLOEXEC);
		signal(SIGPIPE, SIG_IGN);
	}
	memset(ends, 0, sizeof(ends));
	port = open_end(&ends[0].fd);
	mux = mux_new(port);
	if (!mux)
		abort();
	for (int i = 1; i < NR_ENDS; i++)
		if (mux_add(mux, open_end(&ends[i].fd), NULL, 0))
			abort();
	if (size && bytes[0] % NR_ENDS)
		begin(mux, ends, bytes[0] % NR_ENDS - 1);
	if (size)
		talk(mux, ends, bytes + 1, size - 1);
	if (mux_work(mux, over, 0))
		abort();
	for (int i = 0; i < NR_ENDS; i++)
		if (ends[i].fd >= 0)
			close(ends[i].fd);
	mux_free(mux);
	close(port);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	if (!size || size > MOST)
		return 0;
	if (bytes[0] & 1)
		describe(bytes + 1, size - 1);
	else if (bytes[0] & 2)
		share(bytes + 1, size - 1);
	else
		hear(bytes + 1, size - 1);
	return 0;
}
