// SPDX-License-Identifier: GPL-2.0
/*
 * Statistics for Prometheus: a small HTTP server that has one page.
 */
#include "cmd/serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/complain.h"
#include "cmd/exit_code.h"
#include "cmd/family.h"
#include "lib/now.h"
#include "lib/size.h"
#include "machine/signals.h"
#include "view/metrics.h"

#define REQUEST_SIZE 4096
#define BACKLOG 16
/* Clients at a time, each with a process of its own. */
#define MAX_CLIENTS 16
/* Time for a client to ask, and again to take the answer. */
#define CLIENT_MS 2000
/* Of a unix socket: its owner and group may connect. */
#define SOCKET_UMASK 0117
#define MAX_PORT 65535
#define UNIX_PREFIX "unix:"
#define LOOPBACK_PREFIX "127.0.0.1:"
#define HOST_HEADER "Host:"
#define DIGITS "0123456789"
#define CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

static int parse_unix(struct serve_place *place, const char *path)
{
	struct sockaddr_un *address = &place->address.local;

	if (!*path)
		return -EINVAL;
	if (strlen(path) >= sizeof(address->sun_path))
		return -ENAMETOOLONG;
	address->sun_family = AF_UNIX;
	strcpy(address->sun_path, path);
	place->size = sizeof(*address);
	return 0;
}

static int parse_port(struct serve_place *place, const char *text)
{
	struct sockaddr_in *address = &place->address.inet;
	uint64_t port;

	if (number_parse(text, &port))
		return -EINVAL;
	if (port > MAX_PORT)
		return -ERANGE;
	address->sin_family = AF_INET;
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address->sin_port = htons(port);
	place->size = sizeof(*address);
	return 0;
}

int serve_parse(struct serve_place *place, const char *text)
{
	memset(place, 0, sizeof(*place));
	if (!strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)))
		return parse_unix(place, text + strlen(UNIX_PREFIX));
	if (!strncmp(text, LOOPBACK_PREFIX, strlen(LOOPBACK_PREFIX)))
		return parse_port(place, text + strlen(LOOPBACK_PREFIX));
	return -EINVAL;
}

/* Waits until the client is ready.  Return: false if it is not by @deadline. */
static bool wait_for(int client, short events, int64_t deadline)
{
	struct pollfd poll_fd = { .fd = client, .events = events };
	int64_t left = deadline - now_ms();

	return left > 0 && poll(&poll_fd, 1, left) > 0;
}

/* Reads up to the blank line behind the header.  Return: false if none comes. */
static bool read_request(int client, char *request, size_t size)
{
	int64_t deadline = now_ms() + CLIENT_MS;
	size_t used = 0;
	ssize_t got;

	request[0] = '\0';
	while (used < size - 1 && wait_for(client, POLLIN, deadline)) {
		got = recv(client, request + used, size - 1 - used,
			   MSG_DONTWAIT);
		if (got <= 0)
			return false;
		used += got;
		request[used] = '\0';
		if (strstr(request, "\r\n\r\n") || strstr(request, "\n\n"))
			return true;
	}
	return false;
}

static void send_all(int client, const char *text, size_t size)
{
	int64_t deadline = now_ms() + CLIENT_MS;
	ssize_t sent;

	while (size && wait_for(client, POLLOUT, deadline)) {
		sent = send(client, text, size, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent < 0)
			return;
		text += sent;
		size -= sent;
	}
}

/* Is it a name of this host, of any port? */
static bool host_is_here(const char *host, size_t length)
{
	static const char *const names[] = { "localhost", "127.0.0.1",
					     "[::1]" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t end = strlen(names[i]);

		if (length < end || strncasecmp(host, names[i], end))
			continue;
		if (length == end)
			return true;
		return host[end] == ':' &&
		       strspn(host + end + 1, DIGITS) == length - end - 1;
	}
	return false;
}

/*
 * A web page may have the name that it comes from mean this host, and so read what is
 * served here.  The browser tells that name.
 */
static bool is_for_here(const char *request)
{
	const char *line = request;
	size_t length;

	while ((line = strchr(line, '\n'))) {
		line++;
		if (strncasecmp(line, HOST_HEADER, strlen(HOST_HEADER)))
			continue;
		line += strlen(HOST_HEADER);
		line += strspn(line, " \t");
		length = strcspn(line, "\r\n");
		while (length && strchr(" \t", line[length - 1]))
			length--;
		if (!host_is_here(line, length))
			return false;
	}
	return true;
}

/* Chooses the answer: 200 has the page. */
static const char *status_of(const char *request, bool any_host, bool *head)
{
	char method[8], target[16], version[8];

	/* Longer words are none of those below. */
	if (sscanf(request, "%7s %15[^ ?]%*[^ ] %7s", method, target, version) <
		    3 &&
	    sscanf(request, "%7s %15s %7s", method, target, version) < 3)
		return "400 Bad Request";
	if (strncmp(version, "HTTP/1.", 7))
		return "400 Bad Request";
	*head = !strcmp(method, "HEAD");
	if (!any_host && !is_for_here(request))
		return "403 Forbidden";
	if (!*head && strcmp(method, "GET"))
		return "405 Method Not Allowed\r\nAllow: GET, HEAD";
	if (strcmp(target, "/metrics") && strcmp(target, "/"))
		return "404 Not Found";
	return "200 OK";
}

static void answer(int client, const char *status, bool head, const char *body,
		   size_t size)
{
	char header[256];
	int length = snprintf(header, sizeof(header),
			      "HTTP/1.1 %s\r\nContent-Type: " CONTENT_TYPE
			      "\r\nContent-Length: %zu\r\nConnection: close"
			      "\r\n\r\n",
			      status, size);

	send_all(client, header, length);
	if (!head)
		send_all(client, body, size);
}

void serve_client(int client, bool any_host, void (*body)(FILE *file))
{
	char request[REQUEST_SIZE];
	const char *status;
	bool head = false;
	char *text = NULL;
	size_t size = 0;
	FILE *file;

	if (!read_request(client, request, sizeof(request)))
		return;
	status = status_of(request, any_host, &head);
	file = open_memstream(&text, &size);
	if (!file)
		return;
	if (!strncmp(status, "200", 3))
		body(file);
	else
		fprintf(file,
			"%.3s; the statistics are at /metrics of localhost, "
			"127.0.0.1 or [::1]\n",
			status);
	if (!fclose(file))
		answer(client, status, head, text, size);
	free(text);
}

/* The module may come and go while the server stays. */
static void write_statistics(FILE *file)
{
	struct netlink *netlink;
	struct sample sample;

	if (netlink_open(&netlink)) {
		metrics_write(file, NULL);
		return;
	}
	if (sample_take(&sample, netlink)) {
		metrics_write(file, NULL);
	} else {
		metrics_write(file, &sample);
		sample_free(&sample);
	}
	netlink_close(netlink);
}

/* Removes the socket that a server has left behind; one that lives answers, or is busy. */
static void remove_stale(const struct serve_place *place)
{
	const char *path = place->address.local.sun_path;
	struct stat file;
	int fd;

	if (lstat(path, &file) || !S_ISSOCK(file.st_mode))
		return;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	if (connect(fd, &place->address.any, place->size) &&
	    errno == ECONNREFUSED)
		unlink(path);
	close(fd);
}

/* Return: a socket that listens, or -errno. */
static int listen_at(const struct serve_place *place)
{
	bool local = place->address.any.sa_family == AF_UNIX;
	const int one = 1;
	mode_t mask;
	int err = 0;
	int fd;

	if (local)
		remove_stale(place);
	fd = socket(place->address.any.sa_family,
		    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	mask = umask(SOCKET_UMASK);
	if (bind(fd, &place->address.any, place->size) || listen(fd, BACKLOG))
		err = -errno;
	umask(mask);
	if (!err)
		return fd;
	close(fd);
	return err;
}

static void tell_ready(int listener, const struct serve_place *place)
{
	struct sockaddr_in address = place->address.inet;
	socklen_t size = sizeof(address);

	if (place->address.any.sa_family == AF_UNIX) {
		fprintf(stderr, "lodge: serving statistics at %s%s\n",
			UNIX_PREFIX, place->address.local.sun_path);
		return;
	}
	getsockname(listener, (struct sockaddr *)&address, &size);
	fprintf(stderr,
		"lodge: serving statistics at http://127.0.0.1:%u/metrics\n",
		ntohs(address.sin_port));
}

/* Return: a descriptor that tells of ends of clients, and of the server's, or -errno. */
static int take_signals(void)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (!signal_is_ignored(ends[i]))
			sigaddset(&set, ends[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	/* Where it was ignored, children would end without being counted. */
	signal(SIGCHLD, SIG_DFL);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Answers a client in a child: one that is slow keeps no other one waiting. */
static int accept_client(int listener, bool any_host)
{
	int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	pid_t child;

	if (client < 0)
		return 0;
	child = fork();
	if (!child) {
		close(listener);
		serve_client(client, any_host, write_statistics);
		_exit(0);
	}
	close(client);
	return child > 0;
}

/* Return: the number of children that have ended. */
static int count_ended(void)
{
	int count = 0;

	while (waitpid(-1, NULL, WNOHANG) > 0)
		count++;
	return count;
}

/* Serves clients.  Return: the number of the signal that ended it. */
static int serve(int listener, int signals, bool any_host)
{
	struct pollfd fds[] = {
		{ .fd = signals, .events = POLLIN },
		{ .fd = listener, .events = POLLIN },
	};
	struct signalfd_siginfo info;
	int clients = 0;

	for (;;) {
		fds[1].events = clients < MAX_CLIENTS ? POLLIN : 0;
		poll(fds, 2, -1);
		if (fds[0].revents &&
		    read(signals, &info, sizeof(info)) == sizeof(info) &&
		    info.ssi_signo != SIGCHLD)
			return info.ssi_signo;
		clients -= count_ended();
		if (fds[1].revents & POLLIN)
			clients += accept_client(listener, any_host);
	}
}

static int complain_place(const char *where, int err)
{
	switch (-err) {
	case EADDRINUSE:
		return complain(EXIT_CODE_OUTPUT, where,
				"something else is there",
				"choose another place by --serve");
	case EACCES:
	case EPERM:
		return complain(EXIT_CODE_PERMISSION, where, strerror(-err),
				"choose another place by --serve");
	}
	return complain(EXIT_CODE_OUTPUT, where, strerror(-err),
			"choose another place by --serve");
}

/* Without the module there is still a page, which says so. */
static void warn_without_module(void)
{
	struct netlink *netlink;

	if (!family_open(&netlink))
		netlink_close(netlink);
}

int serve_statistics(const char *where)
{
	struct serve_place place;
	int listener, signals, number;
	bool local;
	int err = serve_parse(&place, where);

	if (err)
		return complain(EXIT_CODE_USAGE, where,
				err == -ENAMETOOLONG ?
					"its path is too long" :
					"it is no place for statistics",
				"write unix:PATH or 127.0.0.1:PORT");
	listener = listen_at(&place);
	if (listener < 0)
		return complain_place(where, listener);
	signals = take_signals();
	if (signals < 0) {
		close(listener);
		return complain(EXIT_CODE_RESOURCES, where, strerror(-signals),
				NULL);
	}
	warn_without_module();
	tell_ready(listener, &place);
	/* No web page reaches a socket that has a path. */
	local = place.address.any.sa_family == AF_UNIX;
	number = serve(listener, signals, local);
	if (local)
		unlink(place.address.local.sun_path);
	close(signals);
	close(listener);
	return EXIT_CODE_SIGNAL(number);
}
