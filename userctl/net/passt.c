// SPDX-License-Identifier: GPL-2.0
/*
 * A link to passt(1).
 *
 * passt is a child that has one end of a pair of sockets and ends when the other one is
 * closed, however this process ends.  It confines itself.
 */
#include "net/passt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/stream.h"
#include "sandbox/child.h"

/* passt's descriptor of the socket, as a number and as a word. */
#define PASST_FD 3
#define PASST_FD_WORD "3"

/* Its name and the fixed words, two for each forwarded port, and NULL. */
#define MAX_WORDS (8 + 2 * PASST_MAX_FORWARDS)

extern char **environ;

/* passt does not change the words. */
static void make_words(char **words, const struct passt_config *config)
{
	size_t count = 0;

	words[count++] = "passt";
	words[count++] = "--quiet";
	words[count++] = "--foreground";
	words[count++] = "--fd";
	words[count++] = PASST_FD_WORD;
	/* It would do the same, and complain. */
	if (!geteuid()) {
		words[count++] = "--runas";
		words[count++] = "nobody";
	}
	for (unsigned int i = 0; i < config->nr_forwards; i++) {
		const struct forward *forward = &config->forwards[i];

		words[count++] = forward->udp ? "-u" : "-t";
		words[count++] = (char *)forward->spec;
	}
	words[count] = NULL;
}

/* It gets signals as a program that a shell starts, but none of the terminal's. */
static int set_signals(posix_spawnattr_t *attributes)
{
	sigset_t none, all;
	int err;

	sigemptyset(&none);
	sigfillset(&all);
	err = posix_spawnattr_setsigmask(attributes, &none);
	if (!err)
		err = posix_spawnattr_setsigdefault(attributes, &all);
	if (!err)
		err = posix_spawnattr_setpgroup(attributes, 0);
	if (!err)
		err = posix_spawnattr_setflags(attributes,
					       POSIX_SPAWN_SETSIGMASK |
						       POSIX_SPAWN_SETSIGDEF |
						       POSIX_SPAWN_SETPGROUP);
	return err;
}

/* Return: 0, and passt's process; or an error number. */
static int spawn(pid_t *pid, int socket, const struct passt_config *config)
{
	char *words[MAX_WORDS];
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int err;

	make_words(words, config);
	err = posix_spawn_file_actions_init(&actions);
	if (err)
		return err;
	err = posix_spawnattr_init(&attributes);
	if (err) {
		posix_spawn_file_actions_destroy(&actions);
		return err;
	}
	err = set_signals(&attributes);
	if (!err)
		err = posix_spawn_file_actions_adddup2(&actions, socket,
						       PASST_FD);
	if (!err)
		err = posix_spawn_file_actions_addopen(
			&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	/* What this process has inherited is none of its business. */
	if (!err)
		err = posix_spawn_file_actions_addclosefrom_np(&actions,
							       PASST_FD + 1);
	if (!err)
		err = posix_spawnp(pid, words[0], &actions, &attributes, words,
				   environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return err;
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

/* Return: 0 or an error number. */
static int start(struct child *child, int socket,
		 const struct passt_config *config)
{
	pid_t pid;
	int err = spawn(&pid, socket, config);

	return err ? err : -child_take(child, pid);
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
		errno = err;
		return NULL;
	}
	return stream_new(loop, sockets[0], card, ended, child);
}
