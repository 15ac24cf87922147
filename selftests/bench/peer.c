// SPDX-License-Identifier: GPL-2.0
/*
 * A thread that answers datagrams, and the addresses of TAP interfaces.
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
#include <unistd.h>

#include "linux/requests.h"

#define NETMASK "255.255.255.0"

static int round_socket;

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

/* Return: a socket, or -errno. */
static int bound_socket(void)
{
	const struct sockaddr_in name = { .sin_family = AF_INET,
					  .sin_port = htons(PEER_PORT) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), error;

	if (fd < 0)
		return -errno;
	if (!bind(fd, (const struct sockaddr *)&name, sizeof(name)))
		return fd;
	error = -errno;
	close(fd);
	return error;
}

int peer_start(void)
{
	pthread_t thread;

	round_socket = bound_socket();
	if (round_socket < 0)
		return round_socket;
	return -pthread_create(&thread, NULL, echo, NULL);
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
