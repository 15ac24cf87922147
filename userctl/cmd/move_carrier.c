// SPDX-License-Identifier: GPL-2.0
/*
 * A process that carries bytes between an enciphered connection and a local socket.
 */
#include "cmd/move_carrier.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROOM 16384
/* What is on its way arrives within so many seconds after one side has closed. */
#define LAST_SECONDS 10

/**
 * struct carrier - the process
 * @cipher: the connection
 * @local: socket to this side
 */
struct carrier {
	struct move_cipher cipher;
	int local;
};

/* Return: true if all was written. */
static bool write_all(int fd, const char *bytes, ssize_t size)
{
	ssize_t count;

	for (; size; bytes += count, size -= count) {
		count = send(fd, bytes, (size_t)size, MSG_NOSIGNAL);
		if (count < 0 && errno != EINTR)
			return false;
		if (count < 0)
			count = 0;
	}
	return true;
}

/* Return: true if all was sent. */
static bool send_all(const struct move_cipher *cipher, const char *bytes,
		     ssize_t size)
{
	ssize_t count;

	for (; size; bytes += count, size -= count) {
		count = cipher->send(cipher->opaque, bytes, (size_t)size);
		if (count < 0)
			return false;
	}
	return true;
}

/*
 * From the other side to this one.  What comes when this side has closed is taken all the
 * same: a connection that is closed with bytes unread loses the last that were sent.
 */
static void carry_in(const struct carrier *carrier)
{
	const struct move_cipher *cipher = &carrier->cipher;
	char bytes[ROOM];
	bool wanted = true;
	ssize_t count;

	for (;;) {
		count = cipher->take(cipher->opaque, bytes, sizeof(bytes));
		if (count <= 0)
			break;
		wanted = wanted && write_all(carrier->local, bytes, count);
	}
	shutdown(carrier->local, SHUT_RDWR);
	alarm(LAST_SECONDS);
}

/* From this side to the other one. */
static void *carry_out(void *opaque)
{
	const struct carrier *carrier = opaque;
	char bytes[ROOM];
	ssize_t count;

	do {
		count = read(carrier->local, bytes, sizeof(bytes));
	} while ((count < 0 && errno == EINTR) ||
		 (count > 0 && send_all(&carrier->cipher, bytes, count)));
	alarm(LAST_SECONDS);
	carrier->cipher.end(carrier->cipher.opaque);
	return NULL;
}

/*
 * Whoever waits for the end of the caller by one of its descriptors must not wait for this
 * process, too.  Return: true if it has only these two, and no terminal.
 */
static bool keep_only(int fd, int local)
{
	const unsigned int low = (unsigned int)(fd < local ? fd : local);
	const unsigned int high = (unsigned int)(fd < local ? local : fd);
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (low <= STDERR_FILENO || null < 0 || setsid() < 0)
		return false;
	for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
		if (dup2(null, i) < 0)
			return false;
	if (low > STDERR_FILENO + 1)
		close_range(STDERR_FILENO + 1, low - 1, 0);
	if (high > low + 1)
		close_range(low + 1, high - 1, 0);
	return !close_range(high + 1, UINT_MAX, 0);
}

static void take_signals(void)
{
	sigset_t alarms;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGALRM, SIG_DFL);
	sigemptyset(&alarms);
	sigaddset(&alarms, SIGALRM);
	sigprocmask(SIG_UNBLOCK, &alarms, NULL);
}

static void carry(struct carrier *carrier, int fd)
{
	pthread_t out;

	take_signals();
	if (!keep_only(fd, carrier->local) ||
	    pthread_create(&out, NULL, carry_out, carrier))
		return;
	carry_in(carrier);
	pthread_join(out, NULL);
}

/* The process between the caller and this one leaves it to init.  Return: 0 or -errno. */
static int start(struct carrier *carrier, int fd)
{
	pid_t child = fork();
	int status = 0;

	if (!child) {
		child = fork();
		if (!child)
			carry(carrier, fd);
		_exit(child < 0);
	}
	if (child < 0)
		return -errno;
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return status ? -EAGAIN : 0;
}

int move_carrier_start(const struct move_cipher *cipher, int fd)
{
	struct carrier carrier = { .cipher = *cipher };
	int ends[2], err;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return -errno;
	carrier.local = ends[1];
	err = start(&carrier, fd);
	close(ends[1]);
	if (!err)
		return ends[0];
	close(ends[0]);
	return err;
}
