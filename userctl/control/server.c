// SPDX-License-Identifier: GPL-2.0
/*
 * The server of the control socket, in the controller.
 */
#include "control/server.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/endpoint.h"
#include "control/session.h"
#include "lib/now.h"

/* While there is no descriptor for another client, or something is to be looked at. */
#define PAUSE_MS 1000
/* Clients may take so long for the last that is sent to them. */
#define FINISH_MS 2000

/* The descriptors that are polled, before those of the clients. */
enum { FD_STOP, FD_LISTENER, FD_FEED, FD_INPUT, FD_EVENT, FD_CLIENTS };

#define FD_COUNT (FD_CLIENTS + SERVER_MAX_CLIENTS)

/**
 * struct server - a server
 * @config: what it serves
 * @deaf: accept no client before the next pause is over
 * @clients: with fd -1 where there is none
 */
struct server {
	struct server_config config;
	bool deaf;
	struct session clients[SERVER_MAX_CLIENTS];
};

struct server *server_new(const struct server_config *config)
{
	struct server *server = calloc(1, sizeof(*server));

	if (!server)
		return NULL;
	server->config = *config;
	for (size_t i = 0; i < SERVER_MAX_CLIENTS; i++)
		server->clients[i].fd = -1;
	return server;
}

void server_free(struct server *server)
{
	if (!server)
		return;
	for (size_t i = 0; i < SERVER_MAX_CLIENTS; i++)
		if (server->clients[i].fd >= 0)
			session_close(&server->clients[i]);
	free(server);
}

static struct session *find_free(struct server *server)
{
	for (size_t i = 0; i < SERVER_MAX_CLIENTS; i++)
		if (server->clients[i].fd < 0)
			return &server->clients[i];
	return NULL;
}

static void turn_away(int fd)
{
	char *line =
		control_refusal(CONTROL_BUSY, "there are too many connections");

	if (line)
		send(fd, line, strlen(line), MSG_DONTWAIT | MSG_NOSIGNAL);
	free(line);
	close(fd);
}

static void welcome(struct server *server)
{
	int fd = endpoint_accept(server->config.listener);
	struct session *session = find_free(server);

	if (fd >= 0 && session)
		session_open(session, fd, server->config.machine);
	else if (fd >= 0)
		turn_away(fd);
	else
		/* poll() would find the same client at once. */
		server->deaf = fd == -EMFILE || fd == -ENFILE ||
			       fd == -ENOMEM || fd == -ENOBUFS;
}

static bool wants_input(const struct server *server)
{
	for (size_t i = 0; i < SERVER_MAX_CLIENTS; i++)
		if (server->clients[i].fd >= 0 &&
		    session_wants_input(&server->clients[i]))
			return true;
	return false;
}

static void fill(struct server *server, struct pollfd *fds, int stop)
{
	struct feed *feed = server->config.feed;

	fds[FD_STOP] = (struct pollfd){ .fd = stop, .events = POLLIN };
	fds[FD_LISTENER] = (struct pollfd){
		.fd = server->deaf ? -1 : server->config.listener,
		.events = POLLIN,
	};
	fds[FD_FEED] = (struct pollfd){
		.fd = feed ? feed_event(feed) : -1,
		.events = POLLIN,
	};
	fds[FD_INPUT] = (struct pollfd){
		.fd = wants_input(server) ? server->config.input : -1,
		.events = POLLOUT,
	};
	fds[FD_EVENT] = (struct pollfd){
		.fd = server->config.happened ? server->config.event : -1,
		.events = POLLIN,
	};
	for (size_t i = 0; i < SERVER_MAX_CLIENTS; i++) {
		const struct session *session = &server->clients[i];

		fds[FD_CLIENTS + i] = (struct pollfd){
			.fd = session->fd,
			.events = session->fd < 0 ?
					  0 :
					  session_events(session, feed),
		};
	}
}

static void serve_client(struct server *server, struct session *session,
			 short happened)
{
	const struct server_config *config = &server->config;
	const int client = session->fd;
	unsigned int holds;

	session_work(session, happened, config->machine, config->feed,
		     config->input);
	if (!session->broken)
		return;
	holds = session->holds;
	session_close(session);
	if (holds)
		config->machine->release(config->machine->opaque, holds,
					 client);
}

/* A client that came after poll() is served the next time. */
static void serve(struct server *server, const struct pollfd *fds)
{
	if (fds[FD_FEED].revents)
		feed_clear(server->config.feed);
	if (fds[FD_EVENT].revents)
		server->config.happened(server->config.machine->opaque);
	for (size_t i = 0; i < SERVER_MAX_CLIENTS; i++)
		if (fds[FD_CLIENTS + i].fd >= 0)
			serve_client(server, &server->clients[i],
				     fds[FD_CLIENTS + i].revents);
	if (fds[FD_LISTENER].revents)
		welcome(server);
}

static bool is_paused(const struct server *server)
{
	const struct control_machine *machine = server->config.machine;

	return machine->is_paused(machine->opaque);
}

/* Return: 1 when it is to stop; 0; -errno. */
static int run_once(struct server *server, int stop)
{
	struct pollfd fds[FD_COUNT];
	int ready;

	fill(server, fds, stop);
	ready = poll(fds, FD_COUNT,
		     server->deaf || is_paused(server) ? PAUSE_MS : -1);
	if (ready < 0)
		return errno == EINTR ? 0 : -errno;
	if (fds[FD_STOP].revents)
		return 1;
	server->deaf = false;
	serve(server, fds);
	if (is_paused(server) && server->config.look)
		server->config.look(server->config.machine->opaque);
	return 0;
}

int server_run(struct server *server, int stop)
{
	int result;

	do {
		result = run_once(server, stop);
	} while (!result);
	return result < 0 ? result : 0;
}

/* Return: true if a client has yet to take something. */
static bool is_unfinished(const struct server *server)
{
	for (size_t i = 0; i < SERVER_MAX_CLIENTS; i++)
		if (server->clients[i].fd >= 0 &&
		    session_events(&server->clients[i], server->config.feed) &
			    POLLOUT)
			return true;
	return false;
}

/* Return: milliseconds until @deadline, for poll(), to which less than 0 is for ever. */
static int time_left(int64_t deadline)
{
	const int64_t left = deadline - now_ms();

	return left > 0 ? left : 0;
}

void server_finish(struct server *server, const char *end)
{
	struct pollfd fds[FD_COUNT];
	int64_t deadline = now_ms() + FINISH_MS;

	for (size_t i = 0; i < SERVER_MAX_CLIENTS; i++)
		if (server->clients[i].fd >= 0)
			session_finish(&server->clients[i], end);
	server->deaf = true;
	while (is_unfinished(server) && time_left(deadline)) {
		fill(server, fds, -1);
		fds[FD_INPUT].fd = fds[FD_EVENT].fd = -1;
		if (poll(fds, FD_COUNT, time_left(deadline)) < 0)
			break;
		serve(server, fds);
	}
}
