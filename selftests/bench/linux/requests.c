// SPDX-License-Identifier: GPL-2.0
/*
 * Makes requests of virtio devices, in a Linux guest: as many of each kind as it is asked
 * for on its standard input.  How to ask is said in requests.h.
 *
 * One static program, so that the guest's initramfs need hold no library.
 */
#include "requests.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/fs.h>

#define DISK "/dev/vda"
#define MAX_LINE 64
#define SEED 88172645463325252ULL

/* Aligned for direct I/O. */
static char block[SEQUENTIAL_SIZE] __attribute__((aligned(4096)));

/* The machine's disk, which is opened by the first request for it. */
static struct {
	int fd;
	uint64_t size;
} disk = { .fd = -1 };

/* Return: 0 or -errno. */
static int open_disk(void)
{
	if (disk.fd >= 0)
		return 0;
	disk.fd = open(DISK, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (disk.fd < 0 || ioctl(disk.fd, BLKGETSIZE64, &disk.size))
		return -errno;
	return disk.size >= sizeof(block) ? 0 : -ENOSPC;
}

/* Marsaglia's xorshift: each machine is asked for the same blocks. */
static uint64_t next_random(void)
{
	static uint64_t state = SEED;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* Return: 0 or -errno. */
static int read_disk(size_t size, uint64_t number)
{
	const off_t offset = number % (disk.size / size) * size;

	if (pread(disk.fd, block, size, offset) != (ssize_t)size)
		return errno ? -errno : -EIO;
	return 0;
}

static int make_random(unsigned int count, unsigned int card)
{
	int error = open_disk();

	while (!error && count--)
		error = read_disk(RANDOM_SIZE, next_random());
	return error;
}

static int make_sequential(unsigned int count, unsigned int card)
{
	int error = open_disk();

	for (unsigned int i = 0; !error && i < count; i++)
		error = read_disk(SEQUENTIAL_SIZE, i);
	return error;
}

/* Return: a socket that is connected to the host, or -errno. */
static int connect_peer(int type, uint16_t port, unsigned int card)
{
	struct sockaddr_in name = { .sin_family = AF_INET,
				    .sin_port = htons(port) };
	const struct timeval patience = { .tv_sec = PEER_SECONDS };
	char address[INET_ADDRSTRLEN];
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), error;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	snprintf(address, sizeof(address), PEER_ADDRESS, card);
	inet_pton(AF_INET, address, &name.sin_addr);
	if (!connect(fd, (const struct sockaddr *)&name, sizeof(name)))
		return fd;
	error = -errno;
	close(fd);
	return error;
}

static int make_round(unsigned int count, unsigned int card)
{
	int fd = connect_peer(SOCK_DGRAM, PEER_ROUND_PORT, card), error = 0;

	if (fd < 0)
		return fd;
	while (!error && count--)
		if (send(fd, block, ROUND_SIZE, 0) != ROUND_SIZE ||
		    recv(fd, block, ROUND_SIZE, 0) != ROUND_SIZE)
			error = errno ? -errno : -EIO;
	close(fd);
	return error;
}

/* Return: a stream with its order sent, or -errno. */
static int start_stream(unsigned int send_back, unsigned int card)
{
	const struct peer_order order = { .send = send_back };
	int fd = connect_peer(SOCK_STREAM, PEER_STREAM_PORT, card);

	if (fd >= 0 && send(fd, &order, sizeof(order), 0) != sizeof(order)) {
		close(fd);
		return -EIO;
	}
	return fd;
}

/* Reads to the end.  Return: 0, or -errno if more or less than @size came. */
static int read_stream(int fd, uint64_t size)
{
	ssize_t got;

	while ((got = recv(fd, block, STREAM_SIZE, 0)) > 0)
		size -= got;
	if (got < 0)
		return -errno;
	return size ? -EPROTO : 0;
}

static int make_send(unsigned int count, unsigned int card)
{
	int fd = start_stream(0, card), error = 0;

	if (fd < 0)
		return fd;
	while (!error && count--)
		if (send(fd, block, STREAM_SIZE, 0) != STREAM_SIZE)
			error = errno ? -errno : -EIO;
	/* The host closes its side when it has read all. */
	shutdown(fd, SHUT_WR);
	if (!error)
		error = read_stream(fd, 0);
	close(fd);
	return error;
}

static int make_receive(unsigned int count, unsigned int card)
{
	int fd = start_stream(count, card), error;

	if (fd < 0)
		return fd;
	shutdown(fd, SHUT_WR);
	error = read_stream(fd, (uint64_t)count * STREAM_SIZE);
	close(fd);
	return error;
}

static const struct {
	const char *name;
	int (*make)(unsigned int count, unsigned int card);
} kinds[] = {
	{ REQUESTS_RANDOM, make_random },
	{ REQUESTS_SEQUENTIAL, make_sequential },
	{ REQUESTS_ROUND, make_round },
	{ REQUESTS_SEND, make_send },
	{ REQUESTS_RECEIVE, make_receive },
};

/* Return: 0 or -errno. */
static int obey(const char *line)
{
	unsigned int count, card = 0;
	char name[MAX_LINE];

	if (sscanf(line, "%u %63s %u", &count, name, &card) < 2)
		return -EINVAL;
	errno = 0;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].name, name))
			return kinds[i].make(count, card);
	return -ENOENT;
}

int main(void)
{
	char line[MAX_LINE];
	int error;

	setvbuf(stdout, NULL, _IOLBF, 0);
	puts(REQUESTS_READY);
	while (fgets(line, sizeof(line), stdin)) {
		error = obey(line);
		if (error)
			printf("%c%s: %s\n", REQUESTS_MARK,
			       strtok(line, "\r\n"), strerror(-error));
		else
			puts(REQUESTS_DONE);
	}
	return EXIT_SUCCESS;
}
