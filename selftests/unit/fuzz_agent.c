// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzes what a hostile guest says in place of its agent's answers, and the description of
 * a command.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/errand.h"
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

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	if (!size || size > MOST)
		return 0;
	if (bytes[0] & 1)
		describe(bytes + 1, size - 1);
	else
		hear(bytes + 1, size - 1);
	return 0;
}
