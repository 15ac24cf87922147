// SPDX-License-Identifier: GPL-2.0
/*
 * Two threads: one for datagrams, one for streams, of which there is one at a time.
 */
#include "peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "linux/requests.h"

#define NETMASK "255.255.255.0"

static int round_socket;
static int stream_socket;

static void *echo(void *none)
{
	struct sockaddr_in from;
	char bytes[ROUND_SIZE];
	socklen_t length;
	ssize_t size;

	while (true) {
		length = sizeof(from);
		size = recvfrom(round_socket, bytes, sizeof(bytes), 0,
				(struct sockaddr *)&from, &length);
		if (size >= 0)
			sendto(round_socket, bytes, size, 0,
			       (const struct sockaddr *)&from, length);
	}
	return NULL;
}

static void serve(int stream)
{
	/* A guest may end in the midst of its stream, and others are to have theirs. */
	const struct timeval patience = { .tv_sec = PEER_SECONDS };
	static char bytes[STREAM_SIZE];
	struct peer_order order;

	setsockopt(stream, SOL_SOCKET, SO_RCVTIMEO, &patience,
		   sizeof(patience));
	setsockopt(stream, SOL_SOCKET, SO_SNDTIMEO, &patience,
		   sizeof(patience));
	if (recv(stream, &order, sizeof(order), MSG_WAITALL) != sizeof(order))
		return;
	while (recv(stream, bytes, sizeof(bytes), 0) > 0)
		;
	while (order.send-- && send(stream, bytes, sizeof(bytes),
				    MSG_NOSIGNAL) == sizeof(bytes))
		;
}

static void *serve_streams(void *none)
{
	int stream;

	while (true) {
		stream = accept(stream_socket, NULL, NULL);
		if (stream < 0)
			continue;
		serve(stream);
		close(stream);
	}
	return NULL;
}

/* Return: a socket, or -errno. */
static int bound_socket(int type, uint16_t port)
{
	const struct sockaddr_in name = { .sin_family = AF_INET,
					  .sin_port = htons(port) };
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), error;

	if (fd < 0)
		return -errno;
	if (!bind(fd, (const struct sockaddr *)&name, sizeof(name)) &&
	    (type == SOCK_DGRAM || !listen(fd, 1)))
		return fd;
	error = -errno;
	close(fd);
	return error;
}

int peer_start(void)
{
	pthread_t thread;
	int error;

	round_socket = bound_socket(SOCK_DGRAM, PEER_ROUND_PORT);
	if (round_socket < 0)
		return round_socket;
	stream_socket = bound_socket(SOCK_STREAM, PEER_STREAM_PORT);
	if (stream_socket < 0)
		return stream_socket;
	error = pthread_create(&thread, NULL, echo, NULL);
	if (!error)
		error = pthread_create(&thread, NULL, serve_streams, NULL);
	return -error;
}

static void set_address(struct sockaddr *to, const char *text)
{
	struct sockaddr_in name = { .sin_family = AF_INET };

	inet_pton(AF_INET, text, &name.sin_addr);
	memcpy(to, &name, sizeof(name));
}

int peer_connect(const char *name, unsigned int card)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), error = 0;
	struct ifreq request = { .ifr_flags = 0 };
	char address[INET_ADDRSTRLEN];

	if (fd < 0)
		return -errno;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	snprintf(address, sizeof(address), PEER_ADDRESS, card);
	set_address(&request.ifr_addr, address);
	if (ioctl(fd, SIOCSIFADDR, &request))
		error = -errno;
	set_address(&request.ifr_netmask, NETMASK);
	if (!error && ioctl(fd, SIOCSIFNETMASK, &request))
		error = -errno;
	request.ifr_flags = IFF_UP | IFF_RUNNING;
	if (!error && ioctl(fd, SIOCSIFFLAGS, &request))
		error = -errno;
	close(fd);
	return error;
}
