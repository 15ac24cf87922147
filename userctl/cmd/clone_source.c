// SPDX-License-Identifier: GPL-2.0
/*
 * What `lodge clone` starts machines from: a machine, frozen or not, or a file.
 *
 * A controller may have been taken over by its guest.  So a machine's options are those
 * that it was started with, from its directory, where the controller writes nothing; from
 * the controller comes only the state, of which nothing is assumed.
 */
#include "cmd/clone_source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cmd/clone_word.h"
#include "cmd/complain.h"
#include "cmd/exit_code.h"
#include "cmd/named.h"
#include "cmd/own_words.h"
#include "control/config.h"
#include "control/protocol.h"

#define SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW)

/* Return: the exit code after a message. */
static int complain_word(const char *name, const char *word, int err)
{
	switch (-err) {
	case EBUSY:
		return complain(EXIT_CODE_STATE, word,
				"the guest may write to it, which clones "
				"cannot do apart",
				"start the machine with ro");
	case EOPNOTSUPP:
		return complain(EXIT_CODE_STATE, word,
				"another program writes to it for the guest, "
				"which clones cannot do apart",
				"give the machine a --disk");
	case EBADF:
		return complain(EXIT_CODE_STATE, word,
				"each clone would take of its descriptor what "
				"is for another one",
				"start the machine with --net user or tap");
	}
	return complain(EXIT_CODE_RESOURCES, name, strerror(-err), NULL);
}

/* Return: 0, or the exit code after a message. */
static int change_word(const char *name, char **word, unsigned int *changes)
{
	char *made;
	int err = clone_word(*word, &made, changes);

	if (err)
		return complain_word(name, *word, err);
	if (made) {
		free(*word);
		*word = made;
	}
	return 0;
}

static bool is_serial(const char *word)
{
	return !strncmp(word, "--serial=", strlen("--serial="));
}

/* Leaves out those that only say how the machine was run. */
static void drop_words(struct clone_source *source)
{
	size_t kept = 0;

	if (!source->words)
		return;
	for (size_t i = 0; i < source->count; i++)
		if (own_words_drop(source->words[i], true))
			free(source->words[i]);
		else
			source->words[kept++] = source->words[i];
	source->count = kept;
	source->words[kept] = NULL;
}

/* Of a single port that was a file's, `lodge console` shows the output. */
static void drop_serial(struct clone_source *source)
{
	size_t serials = 0, last = 0;

	for (size_t i = 0; i < source->count; i++)
		if (is_serial(source->words[i])) {
			serials++;
			last = i;
		}
	if (serials != 1)
		return;
	free(source->words[last]);
	memmove(&source->words[last], &source->words[last + 1],
		(source->count - last) * sizeof(source->words[0]));
	source->count--;
}

static void tell_changes(const char *name, unsigned int changes)
{
	if (changes & CLONE_NO_PORTS)
		fprintf(stderr,
			"lodge: %s: clones have no ports of the host "
			"(hostfwd)\n",
			name);
	if (changes & CLONE_NO_SERIAL)
		fprintf(stderr,
			"lodge: %s: clones do not write to its files of "
			"--serial\n",
			name);
	if (changes & CLONE_NO_CONSOLE)
		fprintf(stderr,
			"lodge: %s: in clones the second port of its "
			"virtio-console leads nowhere\n",
			name);
}

/*
 * Makes the options those of clones.
 * @changes: out: bits of enum clone_change
 *
 * Return: 0, or the exit code after a message.
 */
static int change_words(struct clone_source *source, const char *name,
			unsigned int *changes)
{
	int code = 0;

	*changes = 0;
	drop_words(source);
	for (size_t i = 0; i < source->count && !code; i++)
		code = change_word(name, &source->words[i], changes);
	if (!code && *changes & CLONE_NO_SERIAL)
		drop_serial(source);
	return code;
}

/* Return: 0, or the exit code after a message. */
static int read_words(struct clone_source *source,
		      const struct directory *directory)
{
	char why[256];
	size_t size;
	char *text =
		directory_read(directory, DIRECTORY_CONFIG, CONFIG_MAX, &size);
	int err;

	if (!text)
		return named_complain(directory->name, -errno, "");
	err = config_words(text, size, options_keys(), &source->words,
			   &source->count, why, sizeof(why));
	free(text);
	if (err)
		source->words = NULL;
	return err ? complain(EXIT_CODE_INTERNAL, directory->name, why, NULL) :
		     0;
}

/* Who could change or cut what clones have mapped would end them, or worse. */
static int take_template(struct clone_source *source, const char *name)
{
	int fd = client_take_file(source->client);
	int seals = fd < 0 ? -1 : fcntl(fd, F_GET_SEALS);

	if (seals >= 0 && (seals & SEALS) == SEALS)
		return saved_file_take(&source->file, name, fd);
	if (fd >= 0)
		close(fd);
	return complain(EXIT_CODE_INTERNAL, name,
			"its controller gives no file that is sealed", NULL);
}

/* Return: 0, or the exit code after a message. */
static int open_frozen(struct clone_source *source, const char *name)
{
	int code = named_call(source->client, name, "template", NULL);

	return code ? code : take_template(source, name);
}

/* Return: 0, or the exit code after a message: the file, which is sealed then, is not whole. */
static int copy_to(struct clone_source *source, const char *name, int fd)
{
	char why[CONTROL_WHY_SIZE];
	int err = client_send_file(source->client, "save", NULL, fd);

	if (!err)
		err = client_receive(source->client, CLIENT_FOREVER, NULL, why,
				     sizeof(why));
	if (!err && fcntl(fd, F_ADD_SEALS, SEALS | F_SEAL_SEAL))
		err = -errno;
	return err ? named_complain(name, err, why) : 0;
}

/* A machine that is not frozen is copied, and goes on. */
static int open_copy(struct clone_source *source, const char *name)
{
	int fd =
		memfd_create("lodge-template", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int code;

	if (fd < 0)
		return named_complain(name, -errno, "");
	code = copy_to(source, name, fd);
	/* It is held by nobody any more. */
	client_close(source->client);
	source->client = NULL;
	if (!code)
		return saved_file_take(&source->file, name, fd);
	close(fd);
	return code;
}

/* Return: 0, or the exit code after a message. */
static int ask_state(struct client *client, const char *name, bool *frozen)
{
	json_t *status;
	const char *state;
	int code = named_call(client, name, "status", &status);

	if (code)
		return code;
	state = json_string_value(json_object_get(status, "state"));
	*frozen = state && !strcmp(state, CONTROL_FROZEN);
	json_decref(status);
	return 0;
}

/* Return: 0, or the exit code after a message. */
static int open_machine(struct clone_source *source,
			const struct directory *directory)
{
	const char *name = directory->name;
	unsigned int changes;
	bool frozen = false;
	int code = read_words(source, directory);

	if (!code)
		code = change_words(source, name, &changes);
	if (!code)
		code = named_connect(directory, &source->client);
	if (!code)
		code = ask_state(source->client, name, &frozen);
	if (code)
		return code;
	if (!frozen && changes & CLONE_OVERLAY)
		return complain(EXIT_CODE_STATE, name,
				"it writes to its disk, which clones would "
				"read at the same time",
				"freeze it first by `lodge freeze`, or start "
				"it with snapshot=on");
	tell_changes(name, changes);
	return frozen ? open_frozen(source, name) : open_copy(source, name);
}

/* Return: 0, or the exit code after a message. */
static int open_named(struct clone_source *source, const char *name)
{
	struct directory directory;
	bool lives;
	int code = named_open(&directory, name, &lives);

	if (code)
		return code;
	code = lives ? open_machine(source, &directory) :
		       named_complain(name, -EPIPE, "");
	source->file.name = name;
	named_close(&directory);
	return code;
}

static int open_file(struct clone_source *source, const char *path, bool trust)
{
	unsigned int changes;
	int code = saved_file_open(&source->file, path, trust);

	if (!code)
		code = saved_file_words(&source->file, &source->words,
					&source->count);
	if (!code)
		code = change_words(source, path, &changes);
	if (!code)
		tell_changes(path, changes);
	return code;
}

/* A name that no machine has is that of a file, if there is one. */
static bool is_file(const char *name)
{
	struct directory directory;
	int parent, err;
	bool lives;

	if (strchr(name, '/'))
		return true;
	parent = named_parent();
	err = parent < 0 ? -ENOENT :
			   directory_find(&directory, parent, name, &lives);
	if (!err)
		directory_close(&directory);
	if (parent >= 0)
		close(parent);
	return err == -ENOENT && !access(name, F_OK);
}

int clone_source_open(struct clone_source *source, const char *name, bool trust)
{
	*source = (struct clone_source){ .file.fd = -1 };
	return is_file(name) ? open_file(source, name, trust) :
			       open_named(source, name);
}

void clone_source_close(struct clone_source *source)
{
	client_close(source->client);
	source->client = NULL;
	config_free_words(source->words);
	source->words = NULL;
	saved_file_close(&source->file);
}
