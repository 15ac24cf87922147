// SPDX-License-Identifier: GPL-2.0
/*
 * A back end that this process starts and ends.
 *
 * It gets a socket that listens and has one connection waiting, ours: the socket's name
 * was in a directory of this user's, and is gone before the program starts.
 */
#include "virtio/helper.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

/* So long a program may take to end by itself, and then to end when it is told to. */
#define PATIENCE_MS 3000

/* Connects a socket to one that listens. */
static int connect_at(int listener, int client, const char *path)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(name.sun_path))
		return -ENAMETOOLONG;
	strcpy(name.sun_path, path);
	if (bind(listener, (struct sockaddr *)&name, sizeof(name)) ||
	    listen(listener, 1) ||
	    connect(client, (struct sockaddr *)&name, sizeof(name)))
		return -errno;
	return 0;
}

static int connect_in_directory(int listener, int client)
{
	const char *above = getenv("XDG_RUNTIME_DIR");
	char *directory, *path;
	int err = -ENOMEM;

	if (!above || *above != '/' || access(above, W_OK))
		above = "/tmp";
	if (asprintf(&directory, "%s/lodge-XXXXXX", above) < 0)
		return -ENOMEM;
	if (!mkdtemp(directory)) {
		err = -errno;
	} else {
		if (asprintf(&path, "%s/socket", directory) >= 0) {
			err = connect_at(listener, client, path);
			unlink(path);
			free(path);
		}
		rmdir(directory);
	}
	free(directory);
	return err;
}

/* Return: 0 and two sockets; or -errno. */
static int make_sockets(int *listener, int *client)
{
	int err;

	*listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	*client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	err = *listener < 0 || *client < 0 ?
		      -errno :
		      connect_in_directory(*listener, *client);
	if (!err)
		return 0;
	if (*listener >= 0)
		close(*listener);
	if (*client >= 0)
		close(*client);
	return err;
}

int helper_start(struct child *child, const struct child_config *config,
		 enum child_step *step)
{
	struct child_config with_socket = *config;
	int listener, client, err;

	*step = CHILD_STEP_START;
	err = make_sockets(&listener, &client);
	if (err)
		return err;
	with_socket.fd = listener;
	err = child_spawn(child, &with_socket, step);
	close(listener);
	if (!err)
		return client;
	close(client);
	return err;
}

void helper_end(struct child *child, bool by_itself)
{
	if (!by_itself && child->pid)
		syscall(SYS_pidfd_send_signal, child->fd, SIGTERM, NULL, 0);
	child_end(child, PATIENCE_MS);
}
