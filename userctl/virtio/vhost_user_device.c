// SPDX-License-Identifier: GPL-2.0
/*
 * A device that a program of the user's serves.
 */
#include "virtio/vhost_user_device.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "virtio/remote.h"

enum {
	OPTION_TYPE,
	OPTION_SOCKET,
	OPTION_QUEUES,
};

/* Return: a connected socket or -errno.  It does not wait for a program that is busy. */
static int connect_to(const char *path)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int fd, err;

	if (strlen(path) >= sizeof(name.sun_path))
		return -ENAMETOOLONG;
	strcpy(name.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (!connect(fd, (struct sockaddr *)&name, sizeof(name)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static void *make(const struct board *board, const struct device_value *values,
		  struct device_error *error)
{
	const char *path = values[OPTION_SOCKET].text;
	int socket;

	if (!remote_check_memory(board->ram, error))
		return NULL;
	socket = connect_to(path);
	if (socket < 0)
		return device_fail(error, socket, path, NULL,
				   "start the program that serves it before");
	return remote_new(board, remote_types[values[OPTION_TYPE].number],
			  socket, NULL,
			  (unsigned int)values[OPTION_QUEUES].number, path,
			  error);
}

/* In the order of remote_types. */
static const char *const types[] = { "blk", "scsi", "rng", NULL };

static const struct device_option options[] = {
	[OPTION_TYPE] = { .name = "type",
			  .about = "what it is",
			  .type = DEVICE_CHOICE,
			  .required = true,
			  .choices = types },
	[OPTION_SOCKET] = { .name = "socket",
			    .about = "where the program listens",
			    .type = DEVICE_TEXT,
			    .required = true,
			    .host = true,
			    .is_path = true,
			    .word = "FILE" },
	[OPTION_QUEUES] = { .name = "queues",
			    .about = "number of queues for requests",
			    .type = DEVICE_NUMBER,
			    .value = 1,
			    .min = 1,
			    .max = VIRTIO_MAX_QUEUES - 2 },
	{},
};

static const struct record_field fields[] = { REMOTE_FIELDS };

const struct device_kind vhost_user_device = {
	.name = "vhost-user",
	.about = "a device that another program serves at a socket",
	.many = true,
	.shares_ram = true,
	.options = options,
	.make = make,
	.free = remote_free,
	.reset = vhost_reset,
	.hold = vhost_hold,
	.release = vhost_release,
	DEVICE_STATE(struct remote, fields),
	.is_sound = remote_is_sound,
	.loaded = virtio_pci_loaded,
};
