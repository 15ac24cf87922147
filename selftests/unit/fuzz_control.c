// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzes what a client sends to the control socket: how it is taken apart, read and
 * carried out; and descriptions of machines.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/config.h"
#include "control/session.h"
#include "control_machine.h"
#include "fuzz_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* More than is received at once. */
#define PIECE_MAX 5000
/* Turns in which a session must be done with what it was sent. */
#define TURNS_MAX 10000

static struct feed *feed;
/* What the session has sent, without what was looked at. */
static char sent[2 * CONTROL_ANSWER_MAX];
static size_t nr_sent;

/* All that the session sends are JSON objects, a line each, until it is a console. */
static void look_at_answers(bool console)
{
	char *end;

	while ((end = memchr(sent, '\n', nr_sent))) {
		json_t *answer = json_loadb(sent, end - sent,
					    JSON_REJECT_DUPLICATES, NULL);

		require(console || json_is_object(answer));
		json_decref(answer);
		nr_sent -= end + 1 - sent;
		memmove(sent, end + 1, nr_sent);
	}
	if (console)
		nr_sent = 0;
}

static void take_answers(const struct session *session, int client)
{
	ssize_t length;

	while ((length = recv(client, sent + nr_sent, sizeof(sent) - nr_sent,
			      MSG_DONTWAIT)) > 0) {
		nr_sent += length;
		look_at_answers(session->console);
	}
}

static void work(struct session *session, int client, int input)
{
	for (int i = 0; i < TURNS_MAX; i++) {
		struct pollfd fd = { .fd = session->fd,
				     .events = session_events(session, feed) };

		if (session->broken || poll(&fd, 1, 0) <= 0)
			return;
		session_work(session, fd.revents, &control_machine, feed,
			     input);
		take_answers(session, client);
	}
	require(!"it comes to rest");
}

static void talk(const uint8_t *data, size_t size, int *ends, int *input)
{
	struct session session;
	size_t left = size;

	nr_sent = 0;
	session_open(&session, ends[0], &control_machine);
	while (left && !session.broken) {
		size_t piece = 1 + (data[0] * 251 + left) % PIECE_MAX;
		ssize_t length;

		if (piece > left)
			piece = left;
		length =
			send(ends[1], data, piece, MSG_DONTWAIT | MSG_NOSIGNAL);
		work(&session, ends[1], input[1]);
		require(session.received <= sizeof(session.in));
		if (length <= 0)
			break;
		data += length;
		left -= length;
	}
	shutdown(ends[1], SHUT_WR);
	work(&session, ends[1], input[1]);
	session_finish(&session, "{}");
	work(&session, ends[1], input[1]);
	require(!session.waiting);
	session_close(&session);
	/* It has become the agent's. */
	if (asked.clients)
		close(asked.client);
	asked.clients = 0;
}

static void talk_over_sockets(const uint8_t *data, size_t size)
{
	int ends[2], input[2];

	require(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends));
	require(!pipe2(input, O_NONBLOCK));
	talk(data, size, ends, input);
	close(ends[1]);
	close(input[0]);
	close(input[1]);
}

static void read_description(const uint8_t *data, size_t size)
{
	static const struct config_key keys[] = {
		{ "name", CONFIG_TEXT }, { "cpus", CONFIG_NUMBER },
		{ "json", CONFIG_FLAG }, { "device", CONFIG_LIST },
		{ NULL, CONFIG_TEXT },
	};
	char **words, why[256];
	size_t count;
	int err = config_words((const char *)data, size, keys, &words, &count,
			       why, sizeof(why));

	if (err) {
		require(err == -EINVAL && *why);
		return;
	}
	for (size_t i = 0; i < count; i++)
		require(!strncmp(words[i], "--", 2));
	require(!count || !words[count]);
	config_free_words(words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!feed)
		feed = feed_new();
	if (!size)
		return 0;
	if (data[0] == 'd')
		read_description(data + 1, size - 1);
	else
		talk_over_sockets(data, size);
	return 0;
}
