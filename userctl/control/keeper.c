// SPDX-License-Identifier: GPL-2.0
/*
 * The keeper of a machine's directory.
 *
 * Requests and answers are messages of a pair of sockets, one after another.
 */
#include "control/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* The longest record of an end. */
#define MAX_TEXT (64 << 10)

enum request {
	REQUEST_PAUSED,
	REQUEST_RUNNING,
	REQUEST_TURN_SERIAL,
	REQUEST_TURN_MESSAGES,
	REQUEST_END,
	REQUEST_DROP,
};

/**
 * struct keeper - the controller's end
 * @fd: socket; -1 in the keeper itself
 * @pid: the keeper
 * @lock: held from a request to its answer; no other lock is taken inside it
 */
struct keeper {
	int fd;
	pid_t pid;
	pthread_mutex_t lock;
};

/* A descriptor that goes with a message. */
union control_room {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

/*
 * The keeper's side
 */

static void put_descriptor(struct msghdr *message, union control_room *room,
			   int fd)
{
	struct cmsghdr *control;

	memset(room, 0, sizeof(*room));
	message->msg_control = room;
	message->msg_controllen = sizeof(room->bytes);
	control = CMSG_FIRSTHDR(message);
	control->cmsg_level = SOL_SOCKET;
	control->cmsg_type = SCM_RIGHTS;
	control->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(control), &fd, sizeof(fd));
}

/* Answers with 0, with -errno, or with a descriptor, which is closed here. */
static void answer(int socket, int result, int fd)
{
	struct iovec part = { .iov_base = &result, .iov_len = sizeof(result) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	union control_room room;

	if (fd >= 0)
		put_descriptor(&message, &room, fd);
	sendmsg(socket, &message, MSG_NOSIGNAL);
	if (fd >= 0)
		close(fd);
}

static void answer_turn(int socket, const struct directory *directory,
			const char *file)
{
	int fd = log_turn(directory->fd, file);

	answer(socket, fd < 0 ? fd : 0, fd);
}

/* Return: 0 or -errno. */
static int end(struct directory *directory, const char *text, size_t size)
{
	int err = size ? directory_write(directory, DIRECTORY_END, text, size) :
			 0;

	directory_settle(directory);
	return err;
}

static void carry_out(int socket, struct directory *directory,
		      enum request request, const char *text, size_t size)
{
	int err = -EINVAL;

	switch (request) {
	case REQUEST_PAUSED:
		err = directory_write(directory, DIRECTORY_PAUSED, "", 0);
		break;
	case REQUEST_RUNNING:
		err = unlinkat(directory->fd, DIRECTORY_PAUSED, 0) ? -errno : 0;
		break;
	case REQUEST_TURN_SERIAL:
		answer_turn(socket, directory, DIRECTORY_SERIAL);
		return;
	case REQUEST_TURN_MESSAGES:
		answer_turn(socket, directory, DIRECTORY_MESSAGES);
		return;
	case REQUEST_END:
		err = end(directory, text, size);
		break;
	case REQUEST_DROP:
		err = directory_erase(directory);
		break;
	}
	answer(socket, err, -1);
}

static void serve(int socket, struct directory *directory)
{
	char *text = malloc(MAX_TEXT);
	uint32_t request;
	struct iovec parts[] = {
		{ .iov_base = &request, .iov_len = sizeof(request) },
		{ .iov_base = text, .iov_len = MAX_TEXT },
	};
	ssize_t size;

	while (text) {
		struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };

		size = recvmsg(socket, &message, 0);
		if (size < 0 && errno == EINTR)
			continue;
		if (size < (ssize_t)sizeof(request))
			break;
		carry_out(socket, directory, request, text,
			  size - sizeof(request));
	}
}

/* Return: a descriptor above those of standard input and outputs; negative: none. */
static int raise_descriptor(int fd)
{
	return fd < 0 ? fd : fcntl(fd, F_DUPFD, STDERR_FILENO + 1);
}

/*
 * It has three descriptors: its socket, the directory and the one above, of its own:
 * copies of the controller's would keep the lock that says that the controller lives.
 */
__attribute__((noreturn)) static void keep(int socket,
					   const struct directory *directory)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	struct directory own = *directory;

	prctl(PR_SET_NAME, "lodge-keeper");
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	setsid();
	socket = raise_descriptor(socket);
	own.fd = raise_descriptor(openat(directory->fd, ".", flags));
	own.parent = raise_descriptor(openat(directory->parent, ".", flags));
	if (socket < 0 || own.fd < 0 || own.parent < 0 ||
	    dup2(socket, STDIN_FILENO) < 0 || dup2(own.fd, STDOUT_FILENO) < 0 ||
	    dup2(own.parent, STDERR_FILENO) < 0)
		_exit(1);
	close_range(STDERR_FILENO + 1, UINT_MAX, 0);
	own.fd = STDOUT_FILENO;
	own.parent = STDERR_FILENO;
	if (chdir("/"))
		_exit(1);
	serve(STDIN_FILENO, &own);
	_exit(0);
}

/*
 * The controller's side
 */

struct keeper *keeper_start(const struct directory *directory)
{
	struct keeper *keeper = malloc(sizeof(*keeper));
	sigset_t all, before;
	int ends[2];

	if (!keeper)
		return NULL;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends)) {
		free(keeper);
		return NULL;
	}
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	keeper->pid = fork();
	if (!keeper->pid)
		keep(ends[1], directory);
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(ends[1]);
	keeper->fd = ends[0];
	pthread_mutex_init(&keeper->lock, NULL);
	if (keeper->pid > 0)
		return keeper;
	keeper_stop(keeper);
	errno = EAGAIN;
	return NULL;
}

/* Return: 0 or -errno; with @fd, a descriptor or -errno. */
static int receive(int socket, bool fd)
{
	union control_room room;
	int result = -EPIPE, received;
	struct iovec part = { .iov_base = &result, .iov_len = sizeof(result) };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &room,
		.msg_controllen = sizeof(room.bytes),
	};
	const struct cmsghdr *control;
	ssize_t size;

	do {
		size = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	} while (size < 0 && errno == EINTR);
	if (size != sizeof(result))
		return size < 0 ? -errno : -EPIPE;
	control = CMSG_FIRSTHDR(&message);
	if (!fd || result || !control)
		return fd && !result ? -EPROTO : result;
	memcpy(&received, CMSG_DATA(control), sizeof(received));
	return received;
}

static int ask(struct keeper *keeper, enum request request, const char *text,
	       bool fd)
{
	uint32_t word = request;
	struct iovec parts[] = {
		{ .iov_base = &word, .iov_len = sizeof(word) },
		{ .iov_base = (char *)text, .iov_len = strlen(text) },
	};
	const struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
	int result;

	if (strlen(text) > MAX_TEXT)
		return -E2BIG;
	pthread_mutex_lock(&keeper->lock);
	if (sendmsg(keeper->fd, &message, MSG_NOSIGNAL) < 0)
		result = -errno;
	else
		result = receive(keeper->fd, fd);
	pthread_mutex_unlock(&keeper->lock);
	return result;
}

int keeper_mark_paused(struct keeper *keeper, bool paused)
{
	return ask(keeper, paused ? REQUEST_PAUSED : REQUEST_RUNNING, "",
		   false);
}

int keeper_turn(void *opaque, const char *file)
{
	return ask(opaque,
		   strcmp(file, DIRECTORY_SERIAL) ? REQUEST_TURN_MESSAGES :
						    REQUEST_TURN_SERIAL,
		   "", true);
}

int keeper_end(struct keeper *keeper, const char *end)
{
	return ask(keeper, REQUEST_END, end ? end : "", false);
}

int keeper_drop(struct keeper *keeper)
{
	return ask(keeper, REQUEST_DROP, "", false);
}

void keeper_stop(struct keeper *keeper)
{
	if (!keeper)
		return;
	close(keeper->fd);
	if (keeper->pid > 0)
		while (waitpid(keeper->pid, NULL, 0) < 0 && errno == EINTR)
			;
	pthread_mutex_destroy(&keeper->lock);
	free(keeper);
}
