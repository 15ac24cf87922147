// SPDX-License-Identifier: GPL-2.0
/*
 * `lodge receive`: takes a machine that another controller moves here.
 *
 * The machine is built from what is offered, before its memory comes: so whatever it lacks
 * here is told first.  It is the other side's until that says that it is this one's.
 */
#include "cmd/command.h"

#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cmd/complain.h"
#include "cmd/exit_code.h"
#include "cmd/move_place.h"
#include "cmd/own_words.h"
#include "cmd/run.h"
#include "cmd/standby.h"
#include "control/config.h"
#include "machine/moving.h"
#include "move/target.h"

#define KEY_JSON 0x100
#define KEY_NO_SANDBOX 0x101
#define KEY_STANDBY 0x102
#define KEY_KEY 0x103
/* The other side may be silent for so long. */
#define PATIENCE_MS 120000

/**
 * struct outcome - what has become of it, in memory that processes share
 * @decided: the machine is this side's, or the other side was told why not
 * @why: the last message
 */
struct outcome {
	bool decided;
	char why[MOVE_WHY_SIZE];
};

/**
 * struct receiver - a machine on its way here
 * @from: where it comes from
 * @key: file of the key for that, or NULL
 * @own: options of the machine that take the place of those that were offered
 * @detach: run in the background
 * @standby: it stands by
 * @link: to the other side
 * @incoming: what was offered
 * @images: of @incoming
 * @saved: the machine as it is built
 * @outcome: what has become of it
 */
struct receiver {
	const char *from;
	const char *key;
	struct own_words own;
	bool detach;
	bool standby;
	struct move_link link;
	struct move_incoming incoming;
	struct machine_image images[MOVE_MAX_IMAGES];
	struct machine_saved saved;
	struct outcome *outcome;
};

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct receiver *receiver = state->input;

	switch (key) {
	case 'd':
		receiver->detach = true;
		return own_words_add(&receiver->own, "detach", NULL);
	case 'n':
		return own_words_add(&receiver->own, "name", argument);
	case KEY_KEY:
		receiver->key = argument;
		return 0;
	case KEY_JSON:
		return own_words_add(&receiver->own, "json", NULL);
	case KEY_STANDBY:
		receiver->standby = true;
		return 0;
	case KEY_NO_SANDBOX:
		return own_words_add(&receiver->own, "no-sandbox", NULL);
	case ARGP_KEY_ARG:
		if (receiver->from)
			argp_error(state, "%s: a machine comes from one place",
				   argument);
		receiver->from = argument;
		return 0;
	case ARGP_KEY_END:
		if (!receiver->from)
			argp_error(state, "say where it comes from");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

/* Return: the exit code for an error of what comes, or of the connection. */
static int code_of(int err)
{
	switch (-err) {
	case EPROTO:
	case EPROTONOSUPPORT:
	case EBADMSG:
	case EINVAL:
	case EFBIG:
		return EXIT_CODE_IMAGE;
	case ENOMEM:
		return EXIT_CODE_RESOURCES;
	}
	return EXIT_CODE_STATE;
}

/* Return: the exit code after a message. */
static int complain_link(const struct receiver *receiver, int err)
{
	return complain(code_of(err), receiver->from, move_error_text(err),
			"the machine stays where it was");
}

static int complain_load(const struct receiver *receiver, int err)
{
	return complain(err == -EINVAL ? EXIT_CODE_IMAGE : EXIT_CODE_INTERNAL,
			receiver->from,
			err == -EINVAL ? "the state that has come is not that "
					 "of the machine that was offered" :
					 strerror(-err),
			NULL);
}

/* All but the last word.  Return: 0, or the exit code after a message. */
static int take_machine(struct receiver *receiver, struct machine *machine)
{
	struct record state = { 0 };
	int err = move_tell(&receiver->link, MOVE_ACCEPT), code = 0;

	if (!err)
		err = move_take_memory(&receiver->link, moving_ram(machine),
				       &state);
	if (err) {
		code = complain_link(receiver, err);
	} else {
		err = machine_load_state(machine, &state);
		if (err)
			code = complain_load(receiver, err);
	}
	free(state.data);
	return code;
}

static int stand_by(struct receiver *receiver, struct machine *machine,
		    struct background *background)
{
	const struct standby_place place = {
		.from = receiver->from,
		.link = &receiver->link,
		.decided = &receiver->outcome->decided,
	};

	return standby_run(&place, machine, background);
}

/* See struct run_incoming. */
static int fill(void *opaque, struct machine *machine,
		struct background *background)
{
	struct receiver *receiver = opaque;
	int code, err;

	if (receiver->standby)
		return stand_by(receiver, machine, background);
	code = take_machine(receiver, machine);
	if (code)
		return code;
	err = move_tell(&receiver->link, MOVE_READY);
	if (!err)
		err = move_await_go(&receiver->link);
	if (err)
		return complain_link(receiver, err);
	receiver->outcome->decided = true;
	return 0;
}

/* A connection that is cut now changes nothing any more. */
static void started(void *opaque, int err)
{
	struct receiver *receiver = opaque;

	/* The source of one that stood by has gone. */
	if (receiver->standby) {
		move_link_free(&receiver->link);
		return;
	}
	if (err)
		move_refuse(&receiver->link, "it could not be started");
	else
		move_tell(&receiver->link, MOVE_RUNNING);
	if (receiver->link.out != receiver->link.in)
		close(receiver->link.out);
	close(receiver->link.in);
	move_link_free(&receiver->link);
}

/* Return: 0, or the exit code after a message. */
static int check_memory(const struct receiver *receiver,
			const struct run_options *run)
{
	return run->machine.memory / MOVE_PAGE == receiver->incoming.pages ?
		       0 :
		       complain(EXIT_CODE_IMAGE, receiver->from,
				"the machine that is offered has not the "
				"memory that its options say",
				NULL);
}

static int run_words(struct receiver *receiver, int argc, char **argv)
{
	const struct run_incoming incoming = {
		.fill = fill,
		.started = started,
		.opaque = receiver,
	};
	struct run_options run;
	int code;

	if (options_parse(&run, argc, argv, 0))
		return complain(EXIT_CODE_IMAGE, receiver->from,
				"its options are none of a machine's", NULL);
	run.machine.saved = &receiver->saved;
	run.incoming = &incoming;
	code = check_memory(receiver, &run);
	if (!code)
		code = run_machine_of(&run);
	options_free(&run);
	return code;
}

/* @words: those that were offered, @count of them.  Return: the exit code. */
static int run_offered(struct receiver *receiver, char **words, size_t count,
		       char *name)
{
	char **argv = calloc(count + receiver->own.count + 2, sizeof(*argv));
	int argc = 0, code;

	if (!argv)
		return complain(EXIT_CODE_RESOURCES, receiver->from,
				strerror(ENOMEM), NULL);
	argv[argc++] = name;
	for (size_t i = 0; i < count; i++)
		if (!own_words_drop(words[i], receiver->detach))
			argv[argc++] = words[i];
	for (size_t i = 0; i < receiver->own.count; i++)
		argv[argc++] = receiver->own.words[i];
	code = run_words(receiver, argc, argv);
	free(argv);
	return code;
}

static void describe(struct receiver *receiver)
{
	const struct move_incoming *incoming = &receiver->incoming;

	for (uint32_t i = 0; i < incoming->nr_images; i++)
		receiver->images[i] = (struct machine_image){
			.path = incoming->images[i].path,
			.offset = incoming->images[i].offset,
			.size = incoming->images[i].size,
		};
	receiver->saved = (struct machine_saved){
		.state = &incoming->state,
		.fd = incoming->fd,
		.images = receiver->images,
		.nr_images = incoming->nr_images,
		.comes_later = true,
	};
}

/* Return: the exit code. */
static int run_machine(struct receiver *receiver, char *name)
{
	const struct move_incoming *incoming = &receiver->incoming;
	char why[256], **words;
	size_t count;
	int err = config_words(incoming->config, incoming->config_size,
			       options_keys(), &words, &count, why,
			       sizeof(why)),
	    code;

	if (err)
		return complain(EXIT_CODE_IMAGE, receiver->from, why, NULL);
	describe(receiver);
	code = run_offered(receiver, words, count, name);
	config_free_words(words);
	return code;
}

/* Return: the exit code. */
static int take_offer(struct receiver *receiver, char *name)
{
	char why[MOVE_WHY_SIZE];
	int err = move_take_offer(&receiver->link, &receiver->incoming, why);
	int code;

	if (err)
		code = complain(code_of(err), receiver->from, why, NULL);
	else
		code = run_machine(receiver, name);
	move_incoming_free(&receiver->incoming);
	return code;
}

/* A process in the background that has failed leaves that to this one. */
static void answer(struct receiver *receiver)
{
	struct outcome *outcome = receiver->outcome;

	if (outcome->decided)
		return;
	outcome->why[sizeof(outcome->why) - 1] = '\0';
	move_refuse(&receiver->link,
		    *outcome->why ? outcome->why : "it could not be taken");
}

static int receive(struct receiver *receiver, char *name)
{
	struct move_place place;
	int code = move_place_accept(receiver->from, receiver->key, &place);

	if (code)
		return code;
	receiver->link = (struct move_link){
		.in = place.in,
		.out = place.out,
		.patience_ms = PATIENCE_MS,
	};
	complain_to(receiver->outcome->why, sizeof(receiver->outcome->why));
	code = take_offer(receiver, name);
	complain_to(NULL, 0);
	answer(receiver);
	return code;
}

static int receive_shared(struct receiver *receiver, char *name)
{
	int code;

	receiver->outcome = mmap(NULL, sizeof(*receiver->outcome),
				 PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (receiver->outcome == MAP_FAILED)
		return complain(EXIT_CODE_RESOURCES, receiver->from,
				strerror(errno), NULL);
	/* Who is not there any more is told nothing. */
	signal(SIGPIPE, SIG_IGN);
	code = receive(receiver, name);
	munmap(receiver->outcome, sizeof(*receiver->outcome));
	return code;
}

int receive_command(int argc, char **argv)
{
	static const struct argp_option descriptions[] = {
		{ "detach", 'd', NULL, 0,
		  "Run in the background, as lodge run does, once the machine "
		  "has come",
		  0 },
		{ "name", 'n', "NAME", 0,
		  "Name of the VM (default: the one that it has had)", 0 },
		{ "standby", KEY_STANDBY, NULL, 0,
		  "Stand by for lodge replicate, until lodge takeover", 0 },
		{ "key", KEY_KEY, "FILE", 0,
		  "With tcp:, the key that both sides have", 0 },
		{ "json", KEY_JSON, NULL, 0,
		  "Report the guest's end as one line of JSON on standard "
		  "error",
		  0 },
		{ "no-sandbox", KEY_NO_SANDBOX, NULL, 0,
		  "Do not confine the process, for debugging", 0 },
		{ NULL, 0, NULL, 0, NULL, 0 },
	};
	static const struct argp argp = {
		.options = descriptions,
		.parser = parse_option,
		.args_doc = "PLACE",
		.doc = "Take a machine that lodge migrate moves here."
		       "\v"
		       "PLACE is unix:PATH, a socket that is made there for "
		       "one connection, and which only its owner can open; "
		       "tcp:ADDRESS:PORT, by TLS for one that has the same "
		       "--key; or stdio, standard input and output.\n"
		       "\n"
		       "The other side says which files, networks and programs "
		       "of this host the machine has: let only those move "
		       "machines here who may act as you.  Files of the host "
		       "that it has open must be here, too; those that it was "
		       "started from come with it.\n"
		       "\n"
		       "Examples:\n"
		       "  lodge receive -d unix:/tmp/web\n"
		       "  lodge receive -d --name web2 unix:/tmp/web\n"
		       "  lodge receive -d --key move.key tcp:10.0.0.2:4000\n"
		       "  lodge migrate web --to 'exec:ssh other lodge receive "
		       "-d stdio'\n"
		       "\n"
		       "Exit codes: those of lodge run; 66 also if what comes is "
		       "no machine; 69 also if this host's processor lacks a "
		       "feature; 75 the connection was "
		       "closed before the machine had come.",
	};
	struct receiver receiver = { 0 };
	int code;

	if (argp_parse(&argp, argc, argv, 0, NULL, &receiver))
		code = EXIT_CODE_USAGE;
	else
		code = receive_shared(&receiver, argv[0]);
	own_words_free(&receiver.own);
	return code;
}
