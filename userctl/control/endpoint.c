// SPDX-License-Identifier: GPL-2.0
/*
 * The control socket of a machine.
 */
#include "control/endpoint.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "sandbox/sandbox.h"

#define BACKLOG 16
#define SOCKET_MODE 0600
/* A controller that is stopped takes no connection. */
#define CONNECT_SECONDS 10

/*
 * By way of the directory's descriptor: a path may be longer than an address can be, and
 * may lead elsewhere a moment later.
 */
static struct sockaddr_un address_of(const struct directory *directory)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path),
		 "/proc/self/fd/%d/" DIRECTORY_SOCKET, directory->fd);
	return address;
}

/*
 * Where root is nobody, so are all others.  They cannot come this far: the socket and
 * its directory have the modes of their user's alone.
 *
 * Return: 0; -EACCES; -errno.
 */
static int check_peer(int fd, pid_t *pid)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size))
		return -errno;
	*pid = peer.pid;
	return peer.uid == sandbox_root_id() || peer.uid == geteuid() ? 0 :
									-EACCES;
}

static int closed(int fd, int err)
{
	close(fd);
	return err;
}

int endpoint_listen(const struct directory *directory)
{
	struct sockaddr_un address = address_of(directory);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	/* The file that bind() makes has the mode of the socket. */
	if (fchmod(fd, SOCKET_MODE) ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(fd, BACKLOG))
		return closed(fd, -errno);
	return fd;
}

int endpoint_accept(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	pid_t pid;
	int err;

	if (fd < 0)
		return -errno;
	err = check_peer(fd, &pid);
	return err ? closed(fd, err) : fd;
}

int endpoint_connect(const struct directory *directory, pid_t *pid)
{
	const struct timeval patience = { .tv_sec = CONNECT_SECONDS };
	struct sockaddr_un address = address_of(directory);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
		       sizeof(patience)) ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return closed(fd, -errno);
	err = check_peer(fd, pid);
	return err ? closed(fd, err) : fd;
}
