// SPDX-License-Identifier: GPL-2.0
/*
 * The client of the control socket.
 */
#include "control/client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/endpoint.h"
#include "control/protocol.h"
#include "lib/now.h"

/**
 * struct client - a connection
 * @fd: its descriptor
 * @pid: the controller's process
 * @id: of the last request
 * @file: descriptor that has come with an answer, or -1
 * @received: bytes in @in
 * @in: what was received and is not used yet
 */
struct client {
	int fd;
	pid_t pid;
	json_int_t id;
	int file;
	size_t received;
	char in[CONTROL_ANSWER_MAX];
};

/* Waits until there is something to receive.  Return: 0, -ETIMEDOUT or -errno. */
static int wait_readable(const struct client *client, int64_t deadline)
{
	struct pollfd fd = { .fd = client->fd, .events = POLLIN };
	int64_t left = deadline - now_ms();
	int ready = poll(&fd, 1, deadline < 0 ? -1 : left > 0 ? left : 0);

	if (ready < 0)
		return errno == EINTR ? 0 : -errno;
	return ready ? 0 : -ETIMEDOUT;
}

/* Of several descriptors the last is kept: no answer has more than one. */
static void keep_file(struct client *client, int fd)
{
	if (client->file >= 0)
		close(client->file);
	client->file = fd;
}

static void take_files(struct client *client, struct msghdr *message)
{
	struct cmsghdr *control;

	for (control = CMSG_FIRSTHDR(message); control;
	     control = CMSG_NXTHDR(message, control)) {
		const unsigned char *data = CMSG_DATA(control);
		size_t size = control->cmsg_len - CMSG_LEN(0);
		int fd;

		if (control->cmsg_level != SOL_SOCKET ||
		    control->cmsg_type != SCM_RIGHTS)
			continue;
		for (; size >= sizeof(fd);
		     data += sizeof(fd), size -= sizeof(fd)) {
			memcpy(&fd, data, sizeof(fd));
			keep_file(client, fd);
		}
	}
}

/* Return: as recvmsg(). */
static ssize_t receive_more(struct client *client)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} room;
	struct iovec part = {
		.iov_base = client->in + client->received,
		.iov_len = sizeof(client->in) - client->received,
	};
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &room,
		.msg_controllen = sizeof(room.bytes),
	};
	ssize_t length =
		recvmsg(client->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (length >= 0)
		take_files(client, &message);
	return length;
}

/* Receives what there is.  Return: 0, -EPIPE at the end, -ETIMEDOUT, or -errno. */
static int receive(struct client *client, int64_t deadline)
{
	int err = wait_readable(client, deadline);
	ssize_t length;

	if (err)
		return err;
	length = receive_more(client);
	if (!length || (length < 0 && errno == ECONNRESET))
		return -EPIPE;
	if (length < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	client->received += length;
	return 0;
}

static void consume(struct client *client, size_t size)
{
	client->received -= size;
	memmove(client->in, client->in + size, client->received);
}

/* Return: 0 with an object that is to be released; or as receive(), and -EPROTO. */
static int receive_object(struct client *client, int patience_ms,
			  json_t **object)
{
	int64_t deadline = patience_ms < 0 ? -1 : now_ms() + patience_ms;
	const char *end;
	int err;

	while (!(end = memchr(client->in, '\n', client->received))) {
		if (client->received == sizeof(client->in))
			return -EPROTO;
		err = receive(client, deadline);
		if (err)
			return err;
	}
	*object = json_loadb(client->in, end - client->in,
			     JSON_REJECT_DUPLICATES, NULL);
	consume(client, end + 1 - client->in);
	if (json_is_object(*object))
		return 0;
	json_decref(*object);
	return -EPROTO;
}

static int greet(struct client *client)
{
	json_t *greeting;
	int err = receive_object(client, CLIENT_PATIENCE_MS, &greeting);

	if (err)
		return err;
	if (json_integer_value(json_object_get(greeting, "protocol")) !=
	    CONTROL_PROTOCOL)
		err = -EPROTO;
	json_decref(greeting);
	return err;
}

int client_open(struct client **client, const struct directory *directory)
{
	struct client *new = calloc(1, sizeof(*new));
	int err;

	if (!new)
		return -ENOMEM;
	new->file = -1;
	new->fd = endpoint_connect(directory, &new->pid);
	err = new->fd < 0 ? new->fd : greet(new);
	if (err == -EAGAIN)
		err = -ETIMEDOUT;
	if (err) {
		client_close(new);
		return err;
	}
	*client = new;
	return 0;
}

void client_close(struct client *client)
{
	if (!client)
		return;
	if (client->fd >= 0)
		close(client->fd);
	if (client->file >= 0)
		close(client->file);
	free(client);
}

pid_t client_pid(const struct client *client)
{
	return client->pid;
}

/* Return: bytes of the line. */
static int write_request(struct client *client, char *line, size_t size,
			 const char *command, const char *argument)
{
	return snprintf(line, size, "{\"id\":%lld,\"command\":\"%s\"%s%s%s}\n",
			(long long)++client->id, command, argument ? ",\"" : "",
			argument ? argument : "", argument ? "\":true" : "");
}

/* Return: 0 or -errno. */
static int send_with(struct client *client, char *line, int length, int fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(fd))];
	} room = { 0 };
	struct iovec part = { .iov_base = line, .iov_len = length };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &room,
		.msg_controllen = sizeof(room.bytes),
	};
	struct cmsghdr *control = CMSG_FIRSTHDR(&message);

	control->cmsg_level = SOL_SOCKET;
	control->cmsg_type = SCM_RIGHTS;
	control->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(control), &fd, sizeof(fd));
	return sendmsg(client->fd, &message, MSG_NOSIGNAL) == length ? 0 :
								       -errno;
}

int client_send_file(struct client *client, const char *command,
		     const char *argument, int fd)
{
	char line[CONTROL_REQUEST_MAX];
	const int length =
		write_request(client, line, sizeof(line), command, argument);

	return send_with(client, line, length, fd);
}

int client_send_move(struct client *client, const struct control_move *move,
		     int fd)
{
	char line[CONTROL_REQUEST_MAX];
	const int length = snprintf(
		line, sizeof(line),
		"{\"id\":%lld,\"command\":\"migrate\",\"downtime-ms\":%u,"
		"\"bandwidth\":%llu}\n",
		(long long)++client->id, move->downtime_ms,
		(unsigned long long)move->bandwidth);

	return send_with(client, line, length, fd);
}

int client_send_replicate(struct client *client, uint32_t every_ms, int fd)
{
	char line[CONTROL_REQUEST_MAX];
	const int length = snprintf(
		line, sizeof(line),
		"{\"id\":%lld,\"command\":\"replicate\",\"every-ms\":%u}\n",
		(long long)++client->id, every_ms);

	return send_with(client, line, length, fd);
}

int client_send(struct client *client, const char *command,
		const char *argument)
{
	char line[CONTROL_REQUEST_MAX];
	const int length =
		write_request(client, line, sizeof(line), command, argument);

	/* It fits into the socket, since the last answer was received. */
	return send(client->fd, line, length, MSG_NOSIGNAL) == length ? 0 :
									-errno;
}

static int take_error(json_t *error, char *why, size_t size)
{
	const char *message =
		json_string_value(json_object_get(error, "message"));

	if (!message)
		return -EPROTO;
	snprintf(why, size, "%s", message);
	return -EREMOTEIO;
}

int client_receive(struct client *client, int patience_ms, json_t **ok,
		   char *why, size_t size)
{
	json_t *answer, *result, *error;
	int err = receive_object(client, patience_ms, &answer);

	if (err)
		return err;
	result = json_object_get(answer, "ok");
	error = json_object_get(answer, "error");
	if (error)
		err = take_error(error, why, size);
	else if (!json_is_object(result) ||
		 json_integer_value(json_object_get(answer, "id")) !=
			 client->id)
		err = -EPROTO;
	else if (ok)
		*ok = json_incref(result);
	json_decref(answer);
	return err;
}

int client_call(struct client *client, const char *command,
		const char *argument, json_t **ok, char *why, size_t size)
{
	int err = client_send(client, command, argument);

	return err ? err :
		     client_receive(client, CLIENT_PATIENCE_MS, ok, why, size);
}

int client_take_file(struct client *client)
{
	int fd = client->file;

	client->file = -1;
	return fd;
}

void client_wait_close(struct client *client, int patience_ms)
{
	int64_t deadline = now_ms() + patience_ms;
	int err;

	do {
		client->received = 0;
		err = receive(client, deadline);
	} while (!err);
}

int client_fd(const struct client *client)
{
	return client->fd;
}

size_t client_rest(struct client *client, void *data, size_t size)
{
	size_t length = client->received < size ? client->received : size;

	memcpy(data, client->in, length);
	consume(client, length);
	return length;
}
