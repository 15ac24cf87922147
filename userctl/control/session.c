// SPDX-License-Identifier: GPL-2.0
/*
 * A client's connection, as the server sees it.
 *
 * There is one answer at most that is not sent yet: a client that does not read gets no
 * further request carried out.
 */
#include "control/session.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Bytes of the serial port's output that are sent at once. */
#define OUTPUT_AT_ONCE 4096
/* More than one is too many. */
#define MANY_FILES 2
/* Requests and pieces of output after which it is another client's turn. */
#define TURNS 16

/* Sends a text, which is the session's now; NULL: there was no memory for it. */
static void send_later(struct session *session, char *text)
{
	if (!text) {
		session->broken = true;
		return;
	}
	session->out = text;
	session->size = strlen(text);
	session->sent = 0;
}

void session_open(struct session *session, int fd,
		  const struct control_machine *machine)
{
	memset(session, 0, sizeof(*session));
	session->fd = fd;
	session->out_file = CONTROL_NO_FILE;
	send_later(session, control_greeting(machine));
}

static void drop_file(struct session *session)
{
	if (session->files)
		close(session->file);
	session->files = 0;
}

void session_close(struct session *session)
{
	drop_file(session);
	if (session->fd >= 0)
		close(session->fd);
	free(session->out);
	free(session->waiting);
	memset(session, 0, sizeof(*session));
	session->fd = -1;
}

bool session_is_gone(int socket)
{
	struct pollfd other = { .fd = socket };

	return poll(&other, 1, 0) > 0;
}

static bool has_line(const struct session *session)
{
	return memchr(session->in, '\n', session->received);
}

static bool has_room(const struct session *session)
{
	return session->received < sizeof(session->in);
}

/* True if the next turn would be of use, whatever the client does. */
static bool has_request(const struct session *session)
{
	return !session->console && !session->leaving && !session->waiting &&
	       !session->closing && (has_line(session) || !has_room(session));
}

short session_events(const struct session *session, struct feed *feed)
{
	short events = 0;

	if (session->out || has_request(session) ||
	    (session->console && session->position < feed_end(feed)))
		events |= POLLOUT;
	if (!session->ended && !session->closing && has_room(session))
		events |= POLLIN;
	return events;
}

bool session_wants_input(const struct session *session)
{
	return session->console && session->received;
}

static bool is_passing(int err)
{
	return err == EAGAIN || err == EINTR;
}

/* Of those that have come, one at most is kept. */
static void keep_file(struct session *session, const unsigned char *data,
		      size_t size)
{
	int fd;

	for (; size >= sizeof(fd); data += sizeof(fd), size -= sizeof(fd)) {
		memcpy(&fd, data, sizeof(fd));
		if (session->files)
			close(fd);
		else
			session->file = fd;
		if (session->files < MANY_FILES)
			session->files++;
	}
}

/* What is no descriptor needs no care: no other kind was asked for. */
static void take_files(struct session *session, struct msghdr *message)
{
	struct cmsghdr *control;

	for (control = CMSG_FIRSTHDR(message); control;
	     control = CMSG_NXTHDR(message, control))
		if (control->cmsg_level == SOL_SOCKET &&
		    control->cmsg_type == SCM_RIGHTS)
			keep_file(session, CMSG_DATA(control),
				  control->cmsg_len - CMSG_LEN(0));
	/* The kernel has closed those that there was no room for. */
	if (message->msg_flags & MSG_CTRUNC && session->files)
		session->files = MANY_FILES;
}

/* A console's client sends bytes alone: the kernel closes what else it sends. */
static ssize_t receive_more(struct session *session)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} room;
	struct iovec part = {
		.iov_base = session->in + session->received,
		.iov_len = sizeof(session->in) - session->received,
	};
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = session->console ? NULL : &room,
		.msg_controllen = session->console ? 0 : sizeof(room.bytes),
	};
	ssize_t length =
		recvmsg(session->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (length >= 0 && !session->console)
		take_files(session, &message);
	return length;
}

static void receive(struct session *session)
{
	ssize_t length;

	if (session->ended || session->closing || !has_room(session))
		return;
	length = receive_more(session);
	if (length > 0)
		session->received += length;
	else if (!length)
		session->ended = true;
	else if (!is_passing(errno))
		session->broken = true;
}

/* Sends bytes, with the descriptor if there is one.  Return: as sendmsg(). */
static ssize_t send_more(const struct session *session)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} room = { 0 };
	struct iovec part = {
		.iov_base = session->out + session->sent,
		.iov_len = session->size - session->sent,
	};
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	struct cmsghdr *control;

	if (session->out_file >= 0) {
		message.msg_control = &room;
		message.msg_controllen = sizeof(room.bytes);
		control = CMSG_FIRSTHDR(&message);
		control->cmsg_level = SOL_SOCKET;
		control->cmsg_type = SCM_RIGHTS;
		control->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(control), &session->out_file, sizeof(int));
	}
	return sendmsg(session->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Return: true if nothing is left to send. */
static bool send_out(struct session *session)
{
	ssize_t length;

	if (!session->out)
		return true;
	length = send_more(session);
	if (length < 0) {
		session->broken = !is_passing(errno);
		return false;
	}
	session->out_file = CONTROL_NO_FILE;
	session->sent += length;
	if (session->sent < session->size)
		return false;
	free(session->out);
	session->out = NULL;
	return true;
}

/* Forgets bytes at the beginning of those received. */
static void consume(struct session *session, size_t size)
{
	session->received -= size;
	memmove(session->in, session->in + size, session->received);
}

static void take_reply(struct session *session,
		       const struct control_reply *reply, struct feed *feed)
{
	switch (reply->next) {
	case CONTROL_ANSWER:
		break;
	case CONTROL_WAIT:
		session->waiting = reply->id;
		return;
	case CONTROL_CONSOLE:
		session->console = true;
		session->position = reply->history ? feed_begin(feed) :
						     feed_end(feed);
		break;
	case CONTROL_AGENT:
		session->leaving = true;
		break;
	}
	send_later(session, reply->line);
}

/* Carries out a request, if there is one.  Return: false if there is none. */
static bool take_request(struct session *session,
			 const struct control_machine *machine,
			 struct feed *feed)
{
	const char *end = memchr(session->in, '\n', session->received);
	struct control_reply reply;

	if (!end && has_room(session))
		return false;
	if (!end) {
		send_later(session,
			   control_refusal(CONTROL_TOO_LONG,
					   "a request has at most 4096 bytes"));
		session->closing = true;
		session->received = 0;
		return true;
	}
	control_request(machine, session->in, end - session->in, session->fd,
			session->files > 1 ? CONTROL_MANY_FILES :
			session->files	   ? session->file :
					     CONTROL_NO_FILE,
			&reply);
	if (reply.took_file)
		session->files = 0;
	drop_file(session);
	/* A connection has the template once, however often it has asked. */
	if (session->holds & reply.holds & CONTROL_HOLDS_TEMPLATE)
		machine->release(machine->opaque, CONTROL_HOLDS_TEMPLATE,
				 session->fd);
	session->holds |= reply.holds;
	session->out_file = reply.file;
	consume(session, end + 1 - session->in);
	take_reply(session, &reply, feed);
	return true;
}

/* Sends the next piece of output, if there is one. */
static bool take_output(struct session *session, struct feed *feed)
{
	char *text = malloc(OUTPUT_AT_ONCE);
	uint64_t missed;
	size_t size;
	int note = 0;

	if (!text) {
		session->broken = true;
		return false;
	}
	size = feed_read(feed, &session->position, text, OUTPUT_AT_ONCE / 2,
			 &missed);
	if (!size) {
		free(text);
		return false;
	}
	if (missed) {
		memmove(text + OUTPUT_AT_ONCE / 2, text, size);
		note = snprintf(text, OUTPUT_AT_ONCE / 2,
				"\r\n[lodge: %llu bytes of output are left "
				"out]\r\n",
				(unsigned long long)missed);
		memmove(text + note, text + OUTPUT_AT_ONCE / 2, size);
	}
	session->out = text;
	session->size = note + size;
	session->sent = 0;
	return true;
}

/* Hands the client's bytes to the serial port, as far as it has room. */
static void give_input(struct session *session, int input)
{
	ssize_t length;

	if (!session->received)
		return;
	length = write(input, session->in, session->received);
	if (length > 0)
		consume(session, length);
}

static bool work_once(struct session *session,
		      const struct control_machine *machine, struct feed *feed,
		      int input)
{
	if (!send_out(session) || session->closing || session->broken)
		return false;
	if (session->console) {
		give_input(session, input);
		return take_output(session, feed);
	}
	return !session->waiting && !session->leaving &&
	       take_request(session, machine, feed);
}

/* The connection is the agent's from here on. */
static void hand_over(struct session *session,
		      const struct control_machine *machine)
{
	machine->connect(machine->opaque, session->fd, session->in,
			 session->received);
	session->fd = -1;
	session->broken = true;
}

void session_work(struct session *session, short happened,
		  const struct control_machine *machine, struct feed *feed,
		  int input)
{
	if (happened & (POLLHUP | POLLERR | POLLNVAL))
		session->broken = true;
	if (happened & POLLIN)
		receive(session);
	for (int i = 0; i < TURNS; i++)
		if (!work_once(session, machine, feed, input))
			break;
	/* What has no end of the line is no request. */
	if (session->ended && !session->console && !session->leaving &&
	    !session->waiting && !has_line(session))
		session->closing = true;
	if (session->leaving && !session->out && !session->broken &&
	    !session->closing)
		hand_over(session, machine);
	if (session->closing && !session->out)
		session->broken = true;
}

void session_finish(struct session *session, const char *end)
{
	session->holds = 0;
	if (session->waiting && !session->out)
		send_later(session, control_ended(session->waiting, end));
	free(session->waiting);
	session->waiting = NULL;
	session->closing = !session->console;
}
