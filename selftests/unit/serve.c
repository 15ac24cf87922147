// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the small HTTP server of `lodge stat --serve`.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cmd/exit_code.h"
#include "cmd/serve.h"
#include "kselftest_harness.h"

static char answer[1 << 16];
static size_t body_size;
/* The server is at a unix socket. */
static bool any_host;

static void write_body(FILE *file)
{
	for (size_t i = 0; i < body_size; i++)
		fputc('b', file);
}

/* Sends a request and reads what comes back. */
static void ask(const char *request)
{
	size_t used = 0;
	ssize_t got;
	int fds[2];
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
		abort();
	fflush(NULL);
	child = fork();
	if (!child) {
		close(fds[0]);
		serve_client(fds[1], any_host, write_body);
		_exit(0);
	}
	close(fds[1]);
	send(fds[0], request, strlen(request), MSG_NOSIGNAL);
	shutdown(fds[0], SHUT_WR);
	while ((got = read(fds[0], answer + used, sizeof(answer) - 1 - used)) >
	       0)
		used += got;
	answer[used] = '\0';
	close(fds[0]);
	waitpid(child, NULL, 0);
}

#define EXPECT_BEGINS(text) \
	EXPECT_EQ(0, strncmp(answer, text, strlen(text))) TH_LOG("%s", answer)

FIXTURE(serve){};

FIXTURE_SETUP(serve)
{
	body_size = 3;
	any_host = false;
}

FIXTURE_TEARDOWN(serve)
{
}

TEST_F(serve, the_page_has_the_statistics_and_says_their_format)
{
	ask("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
	EXPECT_BEGINS("HTTP/1.1 200 OK\r\n");
	EXPECT_NE(NULL, strstr(answer, "\r\nContent-Type: text/plain; "
				       "version=0.0.4"));
	EXPECT_NE(NULL, strstr(answer, "\r\nContent-Length: 3\r\n"));
	EXPECT_STREQ("\r\n\r\nbbb", strstr(answer, "\r\n\r\n"));
}

TEST_F(serve, a_query_behind_the_path_does_not_matter)
{
	ask("GET /metrics?x=1 HTTP/1.1\r\n\r\n");
	EXPECT_BEGINS("HTTP/1.1 200 OK\r\n");
}

TEST_F(serve, head_has_the_length_without_the_page)
{
	ask("HEAD /metrics HTTP/1.0\r\n\r\n");
	EXPECT_BEGINS("HTTP/1.1 200 OK\r\n");
	EXPECT_NE(NULL, strstr(answer, "\r\nContent-Length: 3\r\n"));
	EXPECT_STREQ("\r\n\r\n", strstr(answer, "\r\n\r\n"));
}

static void ask_host(const char *header)
{
	char request[256];

	snprintf(request, sizeof(request),
		 "GET /metrics HTTP/1.1\r\nAccept: */*\r\n%s\r\n", header);
	ask(request);
}

static const char *const good_hosts[] = {
	"",
	"Host: localhost\r\n",
	"Host: localhost:9177\r\n",
	"HOST:LocalHost:1\r\n",
	"Host: 127.0.0.1\r\n",
	"host: \t127.0.0.1:9177 \r\n",
	"Host: [::1]:9177\r\n",
	"Host: localhost\r\nHost: 127.0.0.1\r\n",
	"X-Host: evil.example\r\n",
};

static const char *const bad_hosts[] = {
	"Host: evil.example\r\n",
	"Host: evil.example:9177\r\n",
	"Host: localhost.evil.example\r\n",
	"Host: localhost.evil.example:9177\r\n",
	"Host: 127.0.0.1.evil.example\r\n",
	"Host: 127.0.0.10:9177\r\n",
	"Host: 127.0.0.1:9177.evil.example\r\n",
	"Host: evil.example:localhost\r\n",
	"Host: [::1].evil.example\r\n",
	"Host: local\r\n",
	"Host:\r\n",
	"Host: localhost\r\nHost: evil.example\r\n",
	"Host: evil.example\r\nHost: localhost\r\n",
};

/* A web page has its own name mean 127.0.0.1, and asks. */
TEST_F(serve, a_port_answers_only_who_names_this_host)
{
	for (size_t i = 0; i < sizeof(good_hosts) / sizeof(good_hosts[0]);
	     i++) {
		ask_host(good_hosts[i]);
		EXPECT_BEGINS("HTTP/1.1 200 ");
	}
	for (size_t i = 0; i < sizeof(bad_hosts) / sizeof(bad_hosts[0]); i++) {
		ask_host(bad_hosts[i]);
		EXPECT_BEGINS("HTTP/1.1 403 ");
		EXPECT_EQ(NULL, strstr(answer, "bbb"));
		any_host = true;
		ask_host(bad_hosts[i]);
		EXPECT_BEGINS("HTTP/1.1 200 ");
		any_host = false;
	}
}

TEST_F(serve, other_pages_and_methods_are_refused)
{
	ask("GET /metricsandmore HTTP/1.1\r\n\r\n");
	EXPECT_BEGINS("HTTP/1.1 404 ");
	ask("GET /metrics/ HTTP/1.1\r\n\r\n");
	EXPECT_BEGINS("HTTP/1.1 404 ");
	ask("POST /metrics HTTP/1.1\r\n\r\n");
	EXPECT_BEGINS("HTTP/1.1 405 ");
	ask("DELETE /metrics HTTP/1.1\r\n\r\n");
	EXPECT_BEGINS("HTTP/1.1 405 ");
}

TEST_F(serve, what_is_not_http_is_refused)
{
	static const char *const requests[] = {
		"\r\n\r\n",
		"GET\r\n\r\n",
		"GET /metrics\r\n\r\n",
		"GET /metrics SMTP/1.1\r\n\r\n",
		"\x16\x03\x01\x02\r\n\r\n",
	};

	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		ask(requests[i]);
		EXPECT_BEGINS("HTTP/1.1 400 ");
	}
}

TEST_F(serve, a_request_without_an_end_gets_no_answer)
{
	char *request = calloc(1, 10000);

	ask("GET /metrics HTTP/1.1\r\n");
	EXPECT_STREQ("", answer);
	memset(request, 'x', 9999);
	ask(request);
	EXPECT_STREQ("", answer);
	free(request);
}

/* The client never sends anything: serve_client() must come back all the same. */
TEST_F(serve, a_silent_client_is_given_up)
{
	int fds[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	serve_client(fds[1], false, write_body);
	close(fds[0]);
	close(fds[1]);
}

/* The page is larger than the socket has room for, and the client does not read. */
TEST_F(serve, a_client_that_does_not_read_is_given_up)
{
	static const char request[] = "GET /metrics HTTP/1.1\r\n\r\n";
	int fds[2];

	body_size = 4 << 20;
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	ASSERT_LT(0, write(fds[0], request, strlen(request)));
	serve_client(fds[1], false, write_body);
	close(fds[0]);
	close(fds[1]);
}

TEST_F(serve, a_client_that_is_gone_ends_nothing_else)
{
	static const char request[] = "GET /metrics HTTP/1.1\r\n\r\n";
	int fds[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	ASSERT_LT(0, write(fds[0], request, strlen(request)));
	close(fds[0]);
	serve_client(fds[1], false, write_body);
	close(fds[1]);
}

TEST_F(serve, a_place_is_a_unix_socket_or_a_port_of_this_host_alone)
{
	struct serve_place place;
	char path[200];

	EXPECT_EQ(0, serve_parse(&place, "unix:/run/lodge.sock"));
	EXPECT_STREQ("/run/lodge.sock", place.address.local.sun_path);
	EXPECT_EQ(0, serve_parse(&place, "127.0.0.1:9177"));
	EXPECT_EQ(htonl(INADDR_LOOPBACK), place.address.inet.sin_addr.s_addr);
	EXPECT_EQ(htons(9177), place.address.inet.sin_port);
	EXPECT_EQ(0, serve_parse(&place, "127.0.0.1:0"));
	EXPECT_EQ(-ERANGE, serve_parse(&place, "127.0.0.1:65536"));
	EXPECT_EQ(-EINVAL, serve_parse(&place, "127.0.0.1:"));
	EXPECT_EQ(-EINVAL, serve_parse(&place, "127.0.0.1:80x"));
	EXPECT_EQ(-EINVAL, serve_parse(&place, "0.0.0.0:9177"));
	EXPECT_EQ(-EINVAL, serve_parse(&place, "9177"));
	EXPECT_EQ(-EINVAL, serve_parse(&place, "unix:"));
	EXPECT_EQ(-EINVAL, serve_parse(&place, ""));
	snprintf(path, sizeof(path), "unix:%0*d", 107, 0);
	EXPECT_EQ(0, serve_parse(&place, path));
	snprintf(path, sizeof(path), "unix:%0*d", 108, 0);
	EXPECT_EQ(-ENAMETOOLONG, serve_parse(&place, path));
}

/* A server in a process of its own; its messages tell when it is ready. */
static pid_t start(const char *where, char *said, size_t size)
{
	pid_t child;
	int fds[2];
	ssize_t got;
	size_t used = 0;

	if (pipe(fds))
		abort();
	fflush(NULL);
	child = fork();
	if (!child) {
		dup2(fds[1], STDERR_FILENO);
		close(fds[0]);
		close(fds[1]);
		exit(serve_statistics(where));
	}
	close(fds[1]);
	*said = '\0';
	while (!strstr(said, "serving") &&
	       (got = read(fds[0], said + used, size - 1 - used)) > 0) {
		used += got;
		said[used] = '\0';
	}
	close(fds[0]);
	return child;
}

static int end(pid_t child)
{
	int status;

	kill(child, SIGTERM);
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Asks a server for its page, by this name of its host. */
static void get_at(const struct sockaddr *address, socklen_t size,
		   const char *host)
{
	int fd = socket(address->sa_family, SOCK_STREAM, 0);
	char request[256];
	size_t used = 0;
	ssize_t got;

	snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nHost: %s\r\n\r\n",
		 host);
	if (!connect(fd, address, size))
		send(fd, request, strlen(request), MSG_NOSIGNAL);
	while ((got = read(fd, answer + used, sizeof(answer) - 1 - used)) > 0)
		used += got;
	answer[used] = '\0';
	close(fd);
}

static void get_at_port(unsigned int port, const char *host)
{
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(port),
	};

	get_at((const struct sockaddr *)&address, sizeof(address), host);
}

/* A unix socket answers to any name. */
static void get(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	strcpy(address.sun_path, path);
	get_at((const struct sockaddr *)&address, sizeof(address),
	       "any.example");
}

TEST_F(serve, a_server_takes_the_socket_of_a_dead_one_but_not_of_a_living_one)
{
	char directory[] = "/tmp/serve.XXXXXX";
	char where[64], said[1024];
	struct stat file;
	pid_t dead, living, other;
	const char *path;

	ASSERT_NE(NULL, mkdtemp(directory));
	snprintf(where, sizeof(where), "unix:%s/s", directory);
	path = where + strlen("unix:");
	dead = start(where, said, sizeof(said));
	kill(dead, SIGKILL);
	waitpid(dead, NULL, 0);
	ASSERT_EQ(0, stat(path, &file));
	EXPECT_EQ(0660, file.st_mode & 0777);

	living = start(where, said, sizeof(said));
	EXPECT_NE(NULL, strstr(said, "serving statistics at unix:"));
	other = start(where, said, sizeof(said));
	EXPECT_NE(NULL, strstr(said, "something else is there"));
	EXPECT_EQ(EXIT_CODE_OUTPUT, end(other));
	get(path);
	EXPECT_NE(NULL, strstr(answer, "\nlodge_up "));
	EXPECT_EQ(EXIT_CODE_SIGNAL(SIGTERM), end(living));
	EXPECT_NE(0, stat(path, &file));
	rmdir(directory);
}

TEST_F(serve, a_socket_of_which_the_queue_is_full_is_not_waited_for)
{
	char directory[] = "/tmp/serve.XXXXXX";
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char where[64], said[1024];
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int client;
	pid_t child;

	ASSERT_NE(NULL, mkdtemp(directory));
	snprintf(where, sizeof(where), "unix:%s/s", directory);
	strcpy(address.sun_path, where + strlen("unix:"));
	ASSERT_EQ(0, bind(listener, (void *)&address, sizeof(address)));
	ASSERT_EQ(0, listen(listener, 0));
	do {
		client = socket(AF_UNIX,
				SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	} while (!connect(client, (void *)&address, sizeof(address)));
	child = start(where, said, sizeof(said));
	EXPECT_NE(NULL, strstr(said, "something else is there"));
	EXPECT_EQ(EXIT_CODE_OUTPUT, end(child));
	unlink(address.sun_path);
	rmdir(directory);
}

TEST_F(serve, a_file_that_is_no_socket_stays)
{
	char file[] = "/tmp/serve.XXXXXX";
	char where[64], said[1024];
	int fd = mkstemp(file);
	pid_t child;

	snprintf(where, sizeof(where), "unix:%s", file);
	child = start(where, said, sizeof(said));
	EXPECT_EQ(EXIT_CODE_OUTPUT, end(child));
	EXPECT_EQ(0, access(file, F_OK));
	close(fd);
	unlink(file);
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, path);
	return connect(fd, (void *)&address, sizeof(address)) ? -1 : fd;
}

TEST_F(serve, clients_that_say_nothing_keep_no_other_one_waiting)
{
	char directory[] = "/tmp/serve.XXXXXX";
	struct timespec before, after;
	char where[64], said[1024];
	const char *path;
	pid_t child;

	ASSERT_NE(NULL, mkdtemp(directory));
	snprintf(where, sizeof(where), "unix:%s/s", directory);
	path = where + strlen("unix:");
	child = start(where, said, sizeof(said));
	for (int i = 0; i < 8; i++)
		EXPECT_LE(0, connect_to(path));
	clock_gettime(CLOCK_MONOTONIC, &before);
	get(path);
	clock_gettime(CLOCK_MONOTONIC, &after);
	EXPECT_NE(NULL, strstr(answer, "\nlodge_up "));
	/* One after the other they would take 16. */
	EXPECT_LT(after.tv_sec - before.tv_sec, 8);
	/* More of them than are served at a time are served, too, in the end. */
	for (int i = 0; i < 24; i++)
		EXPECT_LE(0, connect_to(path));
	get(path);
	EXPECT_NE(NULL, strstr(answer, "\nlodge_up "));
	EXPECT_EQ(EXIT_CODE_SIGNAL(SIGTERM), end(child));
	rmdir(directory);
}

TEST_F(serve, a_server_that_ignores_hangups_goes_on_after_one)
{
	const struct sigaction before = { .sa_handler = SIG_DFL };
	char said[1024];
	unsigned int port = 0;
	const char *at;
	pid_t child;

	signal(SIGHUP, SIG_IGN);
	child = start("127.0.0.1:0", said, sizeof(said));
	sigaction(SIGHUP, &before, NULL);
	EXPECT_NE(NULL, (at = strstr(said, "http://127.0.0.1:")));
	EXPECT_EQ(1, sscanf(at ?: "", "http://127.0.0.1:%u", &port));
	kill(child, SIGHUP);
	get_at_port(port, "localhost");
	EXPECT_BEGINS("HTTP/1.1 200 ");
	EXPECT_EQ(EXIT_CODE_SIGNAL(SIGTERM), end(child));
}

TEST_F(serve, a_port_is_told)
{
	char said[1024];
	pid_t child = start("127.0.0.1:0", said, sizeof(said));
	unsigned int port = 0;
	const char *at;

	EXPECT_NE(NULL, (at = strstr(said, "http://127.0.0.1:")));
	EXPECT_EQ(NULL, strstr(said, "127.0.0.1:0/"));
	EXPECT_EQ(1, sscanf(at ?: "", "http://127.0.0.1:%u", &port));
	get_at_port(port, "localhost");
	EXPECT_BEGINS("HTTP/1.1 200 ");
	get_at_port(port, "evil.example");
	EXPECT_BEGINS("HTTP/1.1 403 ");
	EXPECT_EQ(EXIT_CODE_SIGNAL(SIGTERM), end(child));
}

TEST_HARNESS_MAIN
