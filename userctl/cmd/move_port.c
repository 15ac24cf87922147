// SPDX-License-Identifier: GPL-2.0
/*
 * TCP ports of this host and of others.
 */
#include "cmd/move_port.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cmd/complain.h"
#include "cmd/exit_code.h"

/* A host that does not answer is given up after so many seconds. */
#define CONNECT_SECONDS 10
#define BACKLOG 8

/* @host: room for NI_MAXHOST.  Return: the port, or NULL: it is no place. */
static const char *split(const char *place, char *host)
{
	const char *port = strrchr(place, ':');
	size_t size = port ? (size_t)(port - place) : 0;

	if (size > 2 && *place == '[' && port[-1] == ']') {
		place++;
		size -= 2;
	} else if (memchr(place, ':', size) || *place == '[') {
		return NULL;
	}
	if (!size || size >= NI_MAXHOST || !port[1])
		return NULL;
	memcpy(host, place, size);
	host[size] = '\0';
	return port + 1;
}

/* @list: to be freed by freeaddrinfo().  Return: 0, or the exit code after a message. */
static int look_up(const char *place, int flags, struct addrinfo **list)
{
	const struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM,
		.ai_flags = flags,
	};
	char host[NI_MAXHOST];
	const char *port = split(place, host);
	int err;

	if (!port)
		return complain(EXIT_CODE_USAGE, place,
				"it is no address and port",
				"say tcp:HOST:PORT, or tcp:[ADDRESS]:PORT with "
				"an address of IPv6");
	err = getaddrinfo(host, port, &hints, list);
	return err ? complain(EXIT_CODE_OUTPUT, place, gai_strerror(err),
			      "say a host and a port that are known here") :
		     0;
}

static int set_number(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

/* Return: 0 or -errno. */
static int listen_at(int fd, const struct addrinfo *address)
{
	/* Otherwise a port cannot be had for a while after a connection to it. */
	set_number(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	return bind(fd, address->ai_addr, address->ai_addrlen) ||
			       listen(fd, BACKLOG) ?
		       -errno :
		       0;
}

/* Return: 0 or -errno. */
static int connect_to(int fd, const struct addrinfo *address)
{
	struct timeval limit = { .tv_sec = CONNECT_SECONDS };
	int err = 0;

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, address->ai_addr, address->ai_addrlen))
		err = errno == EINPROGRESS ? -ETIMEDOUT : -errno;
	limit.tv_sec = 0;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	/* Each frame is waited for by the other side. */
	set_number(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	return err;
}

/* Return: a socket or -errno. */
static int open_address(const struct addrinfo *address,
			int (*use)(int fd, const struct addrinfo *address))
{
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int err = fd < 0 ? -errno : use(fd, address);

	if (!err)
		return fd;
	if (fd >= 0)
		close(fd);
	return err;
}

/* The first address that can be used is.  Return: as move_port_connect(). */
static int open_place(const char *place, int flags,
		      int (*use)(int fd, const struct addrinfo *address),
		      const char *remedy, int *fd)
{
	struct addrinfo *list;
	int code = look_up(place, flags, &list);

	if (code)
		return code;
	*fd = -EADDRNOTAVAIL;
	for (const struct addrinfo *at = list; at && *fd < 0; at = at->ai_next)
		*fd = open_address(at, use);
	freeaddrinfo(list);
	if (*fd >= 0)
		return 0;
	return complain(*fd == -EACCES ? EXIT_CODE_PERMISSION :
					 EXIT_CODE_OUTPUT,
			place, strerror(-*fd), remedy);
}

int move_port_connect(const char *place, int *fd)
{
	return open_place(place, 0, connect_to,
			  "start lodge receive there first, and let the port "
			  "through any firewall",
			  fd);
}

int move_port_listen(const char *place, int *fd)
{
	return open_place(
		place, AI_PASSIVE, listen_at,
		"say an address of this host, and a port from 1024 on "
		"that is free",
		fd);
}

int move_port_accept(int listener)
{
	int fd;

	do {
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	} while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
	if (fd < 0)
		return -errno;
	set_number(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	return fd;
}
