// SPDX-License-Identifier: GPL-2.0
/*
 * The agent in a guest: runs commands for the controller.
 *
 * One thread, which never waits for anything but poll(): each command has pipes or a
 * terminal that do not block, and bytes for its input are kept until it takes them.
 */
#include "guest/agent.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest/child.h"
#include "guest/spec.h"
#include "guest/wire.h"

/* Credit is given back in pieces of this size, not for every byte. */
#define CREDIT_STEP (WIRE_WINDOW / 4)
/* Processes that are asked to end have so long for it. */
#define POWER_OFF_MS 5000

/**
 * struct session - a command
 * @used: there is one
 * @id: the controller's name of it
 * @description: what has come of its description
 * @described: bytes of it
 * @child: the process, once it is started
 * @started: it is
 * @ended: it has ended
 * @ends_guest: its end is the guest's
 * @hung_up: nobody waits for it
 * @end: how it has ended
 * @credit: bytes that may be sent of each stream
 * @input: bytes for its input, from @input_at on, @input_count of them
 * @taken: bytes that its input took and for which no credit was given back yet
 * @input_over: no more will come
 */
struct session {
	bool used;
	uint16_t id;
	void *description;
	size_t described;
	struct child child;
	bool started;
	bool ended;
	bool ends_guest;
	bool hung_up;
	struct wire_exit end;
	uint32_t credit[WIRE_STREAMS];
	uint8_t input[WIRE_WINDOW];
	size_t input_at;
	size_t input_count;
	uint32_t taken;
	bool input_over;
};

/**
 * struct agent - the agent
 * @wire: leads to the controller
 * @children: signalfd of SIGCHLD
 * @hooks: of the process
 * @power_off: when all processes are ended, by now_ms(); 0: the guest runs on
 * @over: no process is left that could be waited for
 * @sessions: commands
 */
struct agent {
	struct wire wire;
	int children;
	const struct agent_hooks *hooks;
	int64_t power_off;
	bool over;
	struct session sessions[WIRE_SESSIONS];
};

static struct session *find(struct agent *agent, uint16_t id)
{
	for (int i = 0; i < WIRE_SESSIONS; i++)
		if (agent->sessions[i].used && agent->sessions[i].id == id)
			return &agent->sessions[i];
	return NULL;
}

static struct session *add(struct agent *agent, uint16_t id)
{
	for (int i = 0; i < WIRE_SESSIONS; i++) {
		struct session *session = &agent->sessions[i];

		if (session->used)
			continue;
		memset(session, 0, sizeof(*session));
		session->used = true;
		session->id = id;
		session->child = (struct child){ -1, -1, { -1, -1, -1 } };
		for (int j = 0; j < WIRE_STREAMS; j++)
			session->credit[j] = WIRE_WINDOW;
		return session;
	}
	return NULL;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void forget(struct session *session)
{
	free(session->description);
	for (int i = 0; i < WIRE_STREAMS; i++)
		close_fd(&session->child.streams[i]);
	close_fd(&session->child.terminal);
	session->used = false;
}

static void close_outputs(struct session *session)
{
	close_fd(&session->child.streams[WIRE_OUT]);
	close_fd(&session->child.streams[WIRE_ERR]);
}

/* Where a stream's bytes are read or written; -1: nowhere any more. */
static int *stream_fd(struct session *session, unsigned int stream)
{
	struct child *child = &session->child;

	if (child->streams[stream] < 0 && stream != WIRE_ERR)
		return &child->terminal;
	return &child->streams[stream];
}

static int tell_end(struct agent *agent, struct session *session)
{
	if (session->ends_guest && agent->hooks->settle)
		agent->hooks->settle();
	return wire_put(&agent->wire, WIRE_EXIT, session->id, 0, &session->end,
			sizeof(session->end));
}

static int refuse(struct agent *agent, uint16_t id, int err)
{
	const struct wire_exit end = { WIRE_NO_START, err };

	return wire_put(&agent->wire, WIRE_EXIT, id, 0, &end, sizeof(end));
}

static int take_description(struct agent *agent, uint16_t id, const void *piece,
			    size_t size)
{
	struct session *session = find(agent, id);
	void *grown;

	if (!session)
		session = add(agent, id);
	if (!session)
		return refuse(agent, id, EAGAIN);
	if (session->started || size > SPEC_MAX - session->described)
		return 0;
	grown = realloc(session->description, session->described + size + 1);
	if (!grown)
		return 0;
	session->description = grown;
	memcpy((char *)grown + session->described, piece, size);
	session->described += size;
	return 0;
}

static int start(struct agent *agent, struct session *session)
{
	struct spec spec;
	int err = spec_read(&spec, session->description, session->described);

	session->end = (struct wire_exit){ WIRE_NO_START, -err };
	if (!err) {
		session->ends_guest = spec.flags & SPEC_ENDS_GUEST;
		err = child_start(&session->child, &spec, &session->end);
		spec_free(&spec);
	}
	free(session->description);
	session->description = NULL;
	session->started = !err;
	if (!err)
		return 0;
	err = tell_end(agent, session);
	forget(session);
	return err;
}

static void take_input(struct session *session, const void *bytes, size_t size)
{
	if (size > sizeof(session->input) - session->input_count ||
	    session->input_over)
		return;
	if (session->input_at) {
		memmove(session->input, session->input + session->input_at,
			session->input_count);
		session->input_at = 0;
	}
	memcpy(session->input + session->input_count, bytes, size);
	session->input_count += size;
}

/* A terminal has no end: what a user types as its end comes as a byte. */
static void close_input(struct session *session)
{
	close_fd(&session->child.streams[WIRE_IN]);
	session->input_count = 0;
	session->input_over = true;
}

static void take_close(struct session *session, unsigned int stream)
{
	if (stream == WIRE_IN) {
		session->input_over = true;
		if (!session->input_count)
			close_input(session);
	} else if (session->child.streams[stream] >= 0) {
		close_fd(&session->child.streams[stream]);
	} else if (stream == WIRE_OUT) {
		close_fd(&session->child.terminal);
	}
}

/*
 * As when a terminal goes away.  What the command writes to a pipe is read on and dropped,
 * so that the signal is all that ends it, and not SIGPIPE before it has taken that; one
 * that is stopped must run on to notice.
 */
static int hang_up(struct agent *agent, struct session *session)
{
	const uint16_t id = session->id;

	if (!session->started) {
		forget(session);
		return refuse(agent, id, ECANCELED);
	}
	session->hung_up = true;
	close_input(session);
	close_fd(&session->child.terminal);
	if (session->ended) {
		close_outputs(session);
	} else {
		kill(-session->child.pid, SIGHUP);
		kill(-session->child.pid, SIGCONT);
	}
	return 0;
}

static void take_credit(struct session *session, unsigned int stream,
			uint32_t credit)
{
	if (__builtin_add_overflow(session->credit[stream], credit,
				   &session->credit[stream]))
		session->credit[stream] = UINT32_MAX;
}

static void resize(struct session *session, const void *payload)
{
	struct winsize size = {};

	memcpy(&size.ws_row, payload, sizeof(size.ws_row));
	memcpy(&size.ws_col, (const char *)payload + sizeof(size.ws_row),
	       sizeof(size.ws_col));
	if (session->child.terminal >= 0)
		ioctl(session->child.terminal, TIOCSWINSZ, &size);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static struct session *find_child(struct agent *agent, pid_t pid)
{
	for (int i = 0; i < WIRE_SESSIONS; i++) {
		struct session *session = &agent->sessions[i];

		if (session->used && session->started && !session->ended &&
		    session->child.pid == pid)
			return session;
	}
	return NULL;
}

static void note_end(struct agent *agent, struct session *session, int status)
{
	session->ended = true;
	session->end = (struct wire_exit){ WIRE_EXITED, WEXITSTATUS(status) };
	if (WIFSIGNALED(status))
		session->end =
			(struct wire_exit){ WIRE_KILLED, WTERMSIG(status) };
	close_input(session);
	if (session->hung_up)
		close_outputs(session);
	if (session->ends_guest && agent->hooks->end_others)
		agent->hooks->end_others();
}

static void reap(struct agent *agent)
{
	struct signalfd_siginfo info;
	struct session *session;
	int status;
	pid_t pid;

	while (read(agent->children, &info, sizeof(info)) > 0)
		;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		session = find_child(agent, pid);
		if (session)
			note_end(agent, session, status);
	}
	agent->over = pid < 0;
}

static void power_off(struct agent *agent)
{
	if (agent->power_off)
		return;
	agent->power_off = now_ms() + POWER_OFF_MS;
	if (agent->hooks->ask_others)
		agent->hooks->ask_others();
	reap(agent);
}

static int take_frame(struct agent *agent, const struct wire_frame *frame,
		      const void *payload)
{
	struct session *session = find(agent, frame->session);
	uint32_t number = 0;

	wire_read_number(frame, payload, &number);
	if (frame->type == WIRE_POWER_OFF)
		power_off(agent);
	if (frame->type == WIRE_SPEC)
		return take_description(agent, frame->session, payload,
					frame->size);
	/* What is said to a command that has ended has crossed its end. */
	if (!session)
		return 0;
	if (frame->type == WIRE_START && !session->started)
		return start(agent, session);
	if (frame->type == WIRE_DATA && frame->stream == WIRE_IN)
		take_input(session, payload, frame->size);
	else if (frame->type == WIRE_CLOSE)
		take_close(session, frame->stream);
	else if (frame->type == WIRE_CREDIT)
		take_credit(session, frame->stream, number);
	else if (frame->type == WIRE_SIGNAL && session->started &&
		 !session->ended && number && number < NSIG)
		kill(-session->child.pid, number);
	else if (frame->type == WIRE_RESIZE && frame->size == sizeof(number))
		resize(session, payload);
	else if (frame->type == WIRE_HANGUP)
		return hang_up(agent, session);
	return 0;
}

static int take_frames(struct agent *agent)
{
	struct wire_frame frame;
	const void *payload;
	int got;

	while ((got = wire_next(&agent->wire, &frame, &payload)) > 0) {
		got = take_frame(agent, &frame, payload);
		if (got)
			return got;
	}
	return got;
}

/* Gives a command what it takes of its input. */
static int feed(struct agent *agent, struct session *session)
{
	const int fd = *stream_fd(session, WIRE_IN);
	ssize_t done = write(fd, session->input + session->input_at,
			     session->input_count);

	if (done < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (done < 0) {
		close_input(session);
		return wire_put(&agent->wire, WIRE_CLOSE, session->id, WIRE_IN,
				NULL, 0);
	}
	session->input_at += done;
	session->input_count -= done;
	session->taken += done;
	if (!session->input_count && session->input_over)
		close_input(session);
	if (session->taken < CREDIT_STEP)
		return 0;
	done = session->taken;
	session->taken = 0;
	return wire_put_number(&agent->wire, WIRE_CREDIT, session->id, WIRE_IN,
			       done);
}

/* How many bytes of a stream can be read at once: those that can be sent, or dropped. */
static size_t readable(const struct agent *agent, const struct session *session,
		       unsigned int stream)
{
	const size_t room = wire_room(&agent->wire);

	if (session->hung_up)
		return WIRE_MAX;
	return room < session->credit[stream] ? room : session->credit[stream];
}

/* Sends what a command has written.  At the end of its processes there is no more. */
static int drain(struct agent *agent, struct session *session,
		 unsigned int stream)
{
	int *fd = stream_fd(session, stream);
	uint8_t bytes[WIRE_MAX];
	ssize_t got = read(*fd, bytes, readable(agent, session, stream));

	if (got < 0 && errno == EINTR)
		return 0;
	if (got < 0 && errno == EAGAIN && !session->ended)
		return 0;
	if (got <= 0) {
		close_fd(fd);
		return wire_put(&agent->wire, WIRE_CLOSE, session->id, stream,
				NULL, 0);
	}
	if (session->hung_up)
		return 0;
	session->credit[stream] -= got;
	return wire_put(&agent->wire, WIRE_DATA, session->id, stream, bytes,
			got);
}

/*
 * What a stream is waited for.  Processes that a command leaves behind may keep its
 * streams open: what is there when it has ended is sent, and no more.
 */
static short events_of(const struct agent *agent, struct session *session,
		       unsigned int stream)
{
	if (stream == WIRE_IN)
		return session->input_count ? POLLOUT : 0;
	return readable(agent, session, stream) ? POLLIN : 0;
}

/* No event tells that there is no more of a command that has ended: it is read to there. */
static int serve_stream(struct agent *agent, struct session *session,
			unsigned int stream)
{
	int err = 0;

	do {
		if (*stream_fd(session, stream) < 0 ||
		    !events_of(agent, session, stream))
			break;
		err = stream == WIRE_IN ? feed(agent, session) :
					  drain(agent, session, stream);
	} while (session->ended && !err);
	return err;
}

/* True if all of a command's output was sent. */
static bool is_over(struct session *session)
{
	return session->ended && session->child.terminal < 0 &&
	       session->child.streams[WIRE_OUT] < 0 &&
	       session->child.streams[WIRE_ERR] < 0;
}

static int serve_session(struct agent *agent, struct session *session)
{
	int err = 0;

	for (unsigned int i = 0; i < WIRE_STREAMS && !err; i++)
		err = serve_stream(agent, session, i);
	if (!err && is_over(session)) {
		err = tell_end(agent, session);
		forget(session);
	}
	return err;
}

/* Adds what the sessions wait for.  Return: how many there are. */
static nfds_t add_fds(struct agent *agent, struct pollfd *fds)
{
	nfds_t count = 0;

	for (int i = 0; i < WIRE_SESSIONS; i++) {
		struct session *session = &agent->sessions[i];

		for (unsigned int j = 0; j < WIRE_STREAMS; j++) {
			const int fd = session->used && session->started ?
					       *stream_fd(session, j) :
					       -1;
			const short events =
				fd < 0 ? 0 : events_of(agent, session, j);

			if (events)
				fds[count++] =
					(struct pollfd){ .fd = fd,
							 .events = events };
		}
	}
	return count;
}

/* Milliseconds until all processes are ended. */
static int patience(const struct agent *agent)
{
	const int64_t left = agent->power_off - now_ms();

	if (!agent->power_off)
		return -1;
	return left > 0 ? left : 0;
}

static int wait_for_work(struct agent *agent)
{
	struct pollfd fds[2 + WIRE_SESSIONS * WIRE_STREAMS] = {
		{ .fd = agent->wire.fd, .events = POLLIN },
		{ .fd = agent->children, .events = POLLIN },
	};
	nfds_t count = 2 + add_fds(agent, fds + 2);

	if (wire_waits(&agent->wire))
		fds[0].events |= POLLOUT;
	if (poll(fds, count, patience(agent)) < 0 && errno != EINTR)
		return -errno;
	if (fds[1].revents || agent->power_off)
		reap(agent);
	return fds[0].revents & (POLLIN | POLLHUP | POLLERR) ? 1 : 0;
}

/* True if the guest is to power off, and nothing more is to be waited for. */
static bool is_time_to_end(const struct agent *agent)
{
	return agent->power_off && (agent->over || !patience(agent));
}

static void end_guest(const struct agent *agent)
{
	if (agent->hooks->end_others)
		agent->hooks->end_others();
	if (agent->hooks->settle)
		agent->hooks->settle();
}

static int serve_once(struct agent *agent)
{
	int err = wait_for_work(agent);

	if (err > 0) {
		err = wire_fill(&agent->wire);
		if (err == -EAGAIN)
			err = 0;
	}
	if (!err)
		err = take_frames(agent);
	for (int i = 0; i < WIRE_SESSIONS && !err; i++)
		if (agent->sessions[i].used && agent->sessions[i].started)
			err = serve_session(agent, &agent->sessions[i]);
	return err ? err : wire_flush(&agent->wire);
}

static int open_agent(struct agent *agent, int fd)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	agent->wire.fd = fd;
	agent->children = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (agent->children < 0)
		return -errno;
	return wire_put_number(&agent->wire, WIRE_HELLO, 0, 0, WIRE_VERSION);
}

int agent_serve(int fd, const struct agent_hooks *hooks)
{
	struct agent *agent = calloc(1, sizeof(*agent));
	int err;

	if (!agent)
		return -ENOMEM;
	agent->hooks = hooks;
	err = open_agent(agent, fd);
	if (!err)
		err = wire_flush(&agent->wire);
	while (!err && !is_time_to_end(agent))
		err = serve_once(agent);
	if (!err)
		end_guest(agent);
	for (int i = 0; i < WIRE_SESSIONS; i++)
		if (agent->sessions[i].used)
			forget(&agent->sessions[i]);
	if (agent->children >= 0)
		close(agent->children);
	free(agent);
	return err == -EPIPE ? 0 : err;
}
