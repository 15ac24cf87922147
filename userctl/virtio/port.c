// SPDX-License-Identifier: GPL-2.0
/*
 * The host's end of a port of the guest's.
 */
#include "virtio/port.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sandbox/leftover.h"

#define FILE_MODE 0644

/**
 * struct port - a port
 * @config: what it is connected to
 * @listener: the socket at its path, or -1
 * @peer: the file, or the program that is connected, or -1
 * @bound: the socket is at its path
 * @watched: the loop waits for bytes of @peer
 * @paused: nobody wants them
 */
struct port {
	struct port_config config;
	int listener;
	int peer;
	bool bound;
	bool watched;
	bool paused;
};

static void readable(void *opaque, int fd)
{
	const struct port *port = opaque;

	(void)fd;
	port->config.readable(port->config.opaque);
}

static void watch(struct port *port)
{
	const bool wanted = port->config.socket && port->peer >= 0 &&
			    !port->paused;

	if (wanted && !port->watched)
		port->watched = !loop_watch(port->config.loop, port->peer,
					    readable, port);
	if (!wanted && port->watched) {
		loop_unwatch(port->config.loop, port->peer);
		port->watched = false;
	}
}

/* The program has gone. */
static void lose_peer(struct port *port)
{
	const int peer = port->peer;

	if (port->watched)
		loop_unwatch(port->config.loop, peer);
	port->watched = false;
	port->peer = -1;
	close(peer);
	port->config.connected(port->config.opaque, false);
}

/* While the port is paused nobody reads, who would find the end. */
static bool peer_has_gone(const struct port *port)
{
	struct pollfd file = { .fd = port->peer };

	return poll(&file, 1, 0) == 1;
}

/* One program at a time: others are told so by the end of their connection. */
static void accept_peer(void *opaque, int fd)
{
	struct port *port = opaque;
	const int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (peer < 0)
		return;
	if (port->peer >= 0 && peer_has_gone(port))
		lose_peer(port);
	if (port->peer >= 0) {
		close(peer);
		return;
	}
	port->peer = peer;
	watch(port);
	port->config.connected(port->config.opaque, true);
}

static int listen_at(struct port *port)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const size_t length = strlen(port->config.path);
	int err;

	if (length >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, port->config.path, length);
	port->listener =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (port->listener < 0 ||
	    bind(port->listener, (struct sockaddr *)&address, sizeof(address)))
		return -errno;
	err = leftover_note(port->config.path);
	if (err) {
		unlink(port->config.path);
		return err;
	}
	port->bound = true;
	if (listen(port->listener, 1))
		return -errno;
	return loop_watch(port->config.loop, port->listener, accept_peer, port);
}

/* Return: 0; -EBADF it is no such socket, and still the caller's. */
static int take_peer(struct port *port)
{
	const int peer = port->config.peer;
	socklen_t size = sizeof(int);
	int type;

	if (getsockopt(peer, SOL_SOCKET, SO_TYPE, &type, &size) ||
	    type != SOCK_STREAM)
		return -EBADF;
	if (fcntl(peer, F_SETFD, FD_CLOEXEC) ||
	    fcntl(peer, F_SETFL, O_RDWR | O_NONBLOCK))
		return -errno;
	port->config.socket = true;
	port->peer = peer;
	return 0;
}

/* A pipe or a terminal that takes nothing must not keep the loop waiting. */
static int open_file(struct port *port)
{
	port->peer = open(port->config.path,
			  O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY |
				  O_NONBLOCK,
			  FILE_MODE);
	return port->peer < 0 ? -errno : 0;
}

int port_open(struct port **port, const struct port_config *config)
{
	struct port *new = calloc(1, sizeof(*new));
	int err;

	if (!new)
		return -ENOMEM;
	new->config = *config;
	new->listener = -1;
	new->peer = -1;
	new->paused = true;
	if (!config->path)
		err = take_peer(new);
	else
		err = config->socket ? listen_at(new) : open_file(new);
	if (err) {
		port_close(new);
		return err;
	}
	*port = new;
	return 0;
}

void port_close(struct port *port)
{
	if (!port)
		return;
	port->paused = true;
	watch(port);
	if (port->peer >= 0)
		close(port->peer);
	if (port->listener >= 0) {
		loop_unwatch(port->config.loop, port->listener);
		close(port->listener);
	}
	if (port->bound)
		leftover_remove(port->config.path);
	free(port);
}

bool port_is_connected(const struct port *port)
{
	return port->peer >= 0;
}

static ssize_t put(const struct port *port, const void *data, size_t size)
{
	return port->config.socket ?
		       send(port->peer, data, size, MSG_NOSIGNAL) :
		       write(port->peer, data, size);
}

/* What a full disk does not take is lost, as with other outputs of guests. */
ssize_t port_write(struct port *port, const void *data, size_t size)
{
	ssize_t done;

	if (port->peer < 0)
		return size;
	done = put(port, data, size);
	if (done >= 0)
		return done;
	if (errno == EAGAIN || errno == EINTR)
		return -EAGAIN;
	if (port->config.socket)
		lose_peer(port);
	return size;
}

size_t port_read(struct port *port, void *data, size_t size)
{
	ssize_t done;

	if (port->peer < 0)
		return 0;
	done = recv(port->peer, data, size, 0);
	if (done > 0)
		return done;
	if (!done || (errno != EAGAIN && errno != EINTR))
		lose_peer(port);
	return 0;
}

void port_pause(struct port *port, bool pause)
{
	port->paused = pause;
	watch(port);
}
