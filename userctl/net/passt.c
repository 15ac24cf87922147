// SPDX-License-Identifier: GPL-2.0
/*
 * A link to passt(1).
 *
 * passt is a child that has one end of a pair of sockets and ends when the other one is
 * closed, however this process ends.  It confines itself; before that, it cannot
 * gain privileges.
 */
#include "net/passt.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/stream.h"
#include "sandbox/child.h"

/* Its name and the fixed words, two for each forwarded port, and NULL. */
#define MAX_WORDS (8 + 2 * PASST_MAX_FORWARDS)

static void make_words(const char **words, const struct passt_config *config)
{
	size_t count = 0;

	words[count++] = "passt";
	words[count++] = "--quiet";
	words[count++] = "--foreground";
	words[count++] = "--fd";
	words[count++] = CHILD_FD_WORD;
	/* It would do the same, and complain. */
	if (!geteuid()) {
		words[count++] = "--runas";
		words[count++] = "nobody";
	}
	for (unsigned int i = 0; i < config->nr_forwards; i++) {
		const struct forward *forward = &config->forwards[i];

		words[count++] = forward->udp ? "-u" : "-t";
		words[count++] = forward->spec;
	}
	words[count] = NULL;
}

/*
 * In the new process.  passt does the same, but after it has read its configuration, and
 * tells nobody when.
 */
static int confine(void *opaque)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : 0;
}

/*
 * The socket is closed, so that it ends; one that was stopped, or that a packet has taken
 * over, would not, and it has nothing to put in order.
 */
static void ended(void *opaque)
{
	struct child *child = opaque;

	child_end(child, 0);
	free(child);
}

/* Return: 0 or -errno. */
static int start(struct child *child, int socket,
		 const struct passt_config *config)
{
	const char *words[MAX_WORDS];
	const struct child_config how = { .words = words,
					  .fd = socket,
					  .prepare = confine };
	enum child_step step;

	make_words(words, config);
	return child_spawn(child, &how, &step);
}

struct link *passt_new(struct loop *loop, const struct passt_config *config,
		       const struct link_card *card)
{
	struct child *child = malloc(sizeof(*child));
	int sockets[2], err;

	if (!child)
		return NULL;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets)) {
		free(child);
		return NULL;
	}
	err = start(child, sockets[1], config);
	close(sockets[1]);
	if (err) {
		close(sockets[0]);
		free(child);
		errno = -err;
		return NULL;
	}
	return stream_new(loop, sockets[0], card, ended, child);
}
