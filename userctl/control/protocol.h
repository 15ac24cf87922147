/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The protocol of the control socket, version 1, which lodge-control(7) describes for
 * other programs.
 *
 * Each request and each answer is one line with one JSON object.  The other side is not
 * trusted to send what it should.
 */
#ifndef LODGE_CONTROL_PROTOCOL_H
#define LODGE_CONTROL_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/mover.h"
#include "machine/machine.h"

#define CONTROL_PROTOCOL 1
/* Most bytes of a request, and of an answer, with the end of the line. */
#define CONTROL_REQUEST_MAX 4096
#define CONTROL_ANSWER_MAX (1 << 20)

/* The machine's states, in answers. */
#define CONTROL_RUNNING "running"
#define CONTROL_PAUSED "paused"
#define CONTROL_FROZEN "frozen"
#define CONTROL_STANDBY "standby"

/* The errors, as words for programs. */
#define CONTROL_BAD_REQUEST "bad-request"
#define CONTROL_TOO_LONG "too-long"
#define CONTROL_BUSY "busy"
#define CONTROL_UNKNOWN "unknown-command"
#define CONTROL_BAD_ARGUMENT "bad-argument"
#define CONTROL_FAILED "failed"
#define CONTROL_NO_CHECKPOINT "no-checkpoint"
#define CONTROL_NO_CONSOLE "no-console"
#define CONTROL_NO_AGENT "no-agent"
#define CONTROL_IS_FROZEN "is-frozen"
#define CONTROL_NOT_FROZEN "not-frozen"
#define CONTROL_NO_MIGRATION "no-migration"
#define CONTROL_IS_STANDBY "is-standby"
#define CONTROL_NO_STANDBY "no-standby"

/* In place of a descriptor that comes with a request, or with an answer. */
#define CONTROL_NO_FILE (-1)
#define CONTROL_MANY_FILES (-2)

/* In place of an -errno, of which none is so low: another connection holds the machine. */
#define CONTROL_HELD (-4096)

/* Bytes of a reason, as people read it. */
#define CONTROL_WHY_SIZE 640

/**
 * struct control_saved - what was saved
 * @bytes: of the file, holes included
 * @held_ms: milliseconds for which the machine was held
 */
struct control_saved {
	uint64_t bytes;
	uint64_t held_ms;
};

/**
 * struct control_move - how a machine is to move
 * @downtime_ms: it may be held for so long
 * @bandwidth: bytes a second until then; 0: as many as go
 * @every_ms: 0, or it stays, and another controller is brought up to date so often
 */
struct control_move {
	uint32_t downtime_ms;
	uint64_t bandwidth;
	uint32_t every_ms;
};

/**
 * struct control_machine - what requests act on
 * @name: the machine's name
 * @config: its description, a JSON object as text
 * @has_console: its serial port is connected to the control socket
 * @has_agent: an agent in the guest runs commands
 * @is_paused: tells whether it is held
 * @is_frozen: tells whether it is held as a template
 * @pause: hold it
 * @resume: let it run on, and be no template any more
 * @checkpoint: keep its present state
 * @drop: forget that
 * @rewind: put it back to that; -ENOENT: there is none
 * @passes: tell how often it was put back
 * @press: press its power button
 * @end: end it
 * @save: write it to a file, and let it run on unless it was held before, or is to stay
 *	so: with @hold, until @release or @end is called.  It is given up when the other
 *	end of @client, a socket, is gone, unless that is -1
 * @freeze: hold it as the template of clones, which it is written to a file for: on
 *	success the descriptor is the machine's; -EALREADY it is one
 * @template: get that descriptor, which stays the machine's; until @release is called the
 *	machine stays frozen.  Returns it; or -ENOENT: it is not frozen
 * @migrate: begin to move it to the controller that a socket leads to, which on success is
 *	the machine's, until it has moved or @release is called with the same @client
 * @migration: tell how far that has come; -ENOENT: it was never begun.  A machine that has
 *	moved ends when it has told the @client that has asked for it
 * @release: end what @save with @hold has begun, or what @template or @migrate has: @what
 *	are bits of enum control_hold
 * @takeover: NULL, or the machine stands by and has not run, and only this, @end, @is_paused
 *	and @is_frozen can be called: let it go on here
 * @connect: with @has_agent: connect a client to the agent: @fd, which does not block, is
 *	its own from here on, and @rest are bytes that were read from it
 * @opaque: for the functions
 *
 * Those that return a number return 0; CONTROL_HELD, and nothing has changed: it is held
 * since @save with @hold; or -errno, perhaps with the reason in @why, which is empty
 * before and has CONTROL_WHY_SIZE bytes.
 */
struct control_machine {
	const char *name;
	const char *config;
	bool has_console;
	bool has_agent;
	bool (*is_paused)(void *opaque);
	bool (*is_frozen)(void *opaque);
	int (*pause)(void *opaque);
	int (*resume)(void *opaque, char *why);
	int (*checkpoint)(void *opaque, char *why);
	int (*drop)(void *opaque);
	int (*rewind)(void *opaque);
	struct machine_passes (*passes)(void *opaque);
	void (*press)(void *opaque);
	void (*end)(void *opaque);
	int (*save)(void *opaque, int fd, bool hold, int client,
		    struct control_saved *saved, char *why);
	int (*freeze)(void *opaque, int fd, int client,
		      struct control_saved *saved, char *why);
	int (*template)(void *opaque);
	int (*migrate)(void *opaque, int fd, int client,
		       const struct control_move *move, char *why);
	int (*migration)(void *opaque, int client,
			 struct mover_progress *progress);
	void (*release)(void *opaque, unsigned int what, int client);
	int (*takeover)(void *opaque, char *why);
	void (*connect)(void *opaque, int fd, const void *rest, size_t size);
	void *opaque;
};

/* What a connection has begun, and ends with it. */
enum control_hold {
	CONTROL_HOLDS_SAVED = 1
			      << 0, /* the machine is held since it was saved */
	CONTROL_HOLDS_TEMPLATE = 1 << 1, /* it stays frozen */
	CONTROL_HOLDS_MOVE = 1 << 2, /* it moves, or has been asked to */
};

/* What follows a request. */
enum control_next {
	CONTROL_ANSWER, /* its answer, and then the next request */
	CONTROL_WAIT, /* an answer when the machine has ended, of control_ended() */
	CONTROL_CONSOLE, /* its answer, and then the serial port's bytes, both ways */
	CONTROL_AGENT, /* its answer, and then frames to the agent, and from it */
};

/**
 * struct control_reply - what a request has led to
 * @next: what follows
 * @line: the answer with the end of its line, to be freed; NULL with CONTROL_WAIT, or
 *	without memory
 * @id: with CONTROL_WAIT: for control_ended(), to be freed
 * @history: with CONTROL_CONSOLE: the output that is kept is wanted, too
 * @holds: bits of enum control_hold: so the machine is as long as the connection, or until
 *	"end"
 * @took_file: the descriptor that has come with it is the machine's now
 * @file: descriptor to send with the answer, which stays the machine's; or CONTROL_NO_FILE
 */
struct control_reply {
	enum control_next next;
	char *line;
	char *id;
	bool history;
	unsigned int holds;
	bool took_file;
	int file;
};

/**
 * control_greeting() - the line with which a connection begins
 *
 * Return: it, to be freed; NULL without memory.
 */
char *control_greeting(const struct control_machine *machine);

/**
 * control_request() - carry out a request
 * @line: the request, without the end of the line
 * @size: its bytes
 * @client: the socket by which it has come, or -1
 * @file: descriptor that has come with it, which stays the caller's unless
 *	control_reply.took_file is set; or CONTROL_NO_FILE, or CONTROL_MANY_FILES
 * @reply: out
 */
void control_request(const struct control_machine *machine, const char *line,
		     size_t size, int client, int file,
		     struct control_reply *reply);

/**
 * control_refusal() - the answer to what is no request
 * @code: word of the error
 * @message: the reason, for people
 *
 * Return: it, to be freed; NULL without memory.
 */
char *control_refusal(const char *code, const char *message);

/**
 * control_ended() - the answer to a request that has waited for the machine's end
 * @id: of the request
 * @end: the end, a JSON object as text; it may have the end of a line
 *
 * Return: it, to be freed; NULL without memory.
 */
char *control_ended(const char *id, const char *end);

#endif
