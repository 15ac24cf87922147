/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How the controller and the agent in a guest talk: frames over a stream of bytes, which
 * a port of virtio-console carries.
 *
 * A frame is a header and up to WIRE_MAX bytes; numbers are little-endian.  After the
 * agent's HELLO the controller starts commands, each by a session number of its own:
 *
 *	controller		agent
 *				HELLO version
 *	SPEC piece...
 *	START
 *	DATA, CLOSE in		DATA, CLOSE out and err
 *	CREDIT out and err	CREDIT in
 *	SIGNAL, RESIZE, HANGUP
 *				EXIT
 *	POWER_OFF
 *
 * Nobody sends more bytes of a stream than the other side has given credit for: it is
 * WIRE_WINDOW at first, and CREDIT adds to it.  So one stream that nobody reads holds up
 * no other, and each side knows how much it has to keep.  CLOSE by a stream's writer is
 * its end, and by its reader says that nobody reads it any more.
 *
 * Each SPEC that begins a command is answered by one EXIT, whatever comes between, and
 * until then its session number is its own.
 */
#ifndef LODGE_GUEST_WIRE_H
#define LODGE_GUEST_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_VERSION 2
/* The name of the port in the guest. */
#define WIRE_PORT "lodge.agent"
#define WIRE_MAX 16384
#define WIRE_WINDOW 65536
/* Commands at a time. */
#define WIRE_SESSIONS 16

/**
 * enum wire_type - what a frame says
 * @WIRE_HELLO: the agent is there; its version, 32 bits
 * @WIRE_FAILED: the guest cannot go on; why, as text
 * @WIRE_SPEC: a piece of a command's description (guest/spec.h)
 * @WIRE_START: the description is whole: start it
 * @WIRE_DATA: bytes of a stream
 * @WIRE_CLOSE: a stream has no writer any more, or no reader
 * @WIRE_CREDIT: so many bytes more may be sent of a stream, 32 bits
 * @WIRE_SIGNAL: send a signal to the command's process group; its number, 32 bits
 * @WIRE_RESIZE: the terminal's size: rows and columns, 16 bits each
 * @WIRE_EXIT: the command has ended: struct wire_exit
 * @WIRE_HANGUP: nobody waits for the command any more: one that was not started is
 *	forgotten, another one gets SIGHUP, and what it writes goes nowhere
 * @WIRE_POWER_OFF: end all processes, and the machine
 */
enum wire_type {
	WIRE_HELLO = 1,
	WIRE_FAILED,
	WIRE_SPEC,
	WIRE_START,
	WIRE_DATA,
	WIRE_CLOSE,
	WIRE_CREDIT,
	WIRE_SIGNAL,
	WIRE_RESIZE,
	WIRE_EXIT,
	WIRE_HANGUP,
	WIRE_POWER_OFF,
};

/* The streams of a command, by their descriptors. */
enum { WIRE_IN, WIRE_OUT, WIRE_ERR, WIRE_STREAMS };

/**
 * struct wire_frame - the head of a frame
 * @type: enum wire_type
 * @stream: of WIRE_DATA, WIRE_CLOSE and WIRE_CREDIT; otherwise 0
 * @session: which command; 0 for WIRE_HELLO, WIRE_FAILED and WIRE_POWER_OFF
 * @size: bytes that follow, up to WIRE_MAX
 */
struct wire_frame {
	uint8_t type;
	uint8_t stream;
	uint16_t session;
	uint32_t size;
};

/**
 * enum wire_how - how a command has ended
 * @WIRE_EXITED: by exit(); the code is its status
 * @WIRE_KILLED: by a signal; the code is its number
 * @WIRE_NO_DIRECTORY: it was not started: its directory; the code is an errno
 * @WIRE_NO_PROGRAM: it was not started: its program; the code is an errno
 * @WIRE_NO_START: it was not started; the code is an errno
 */
enum wire_how {
	WIRE_EXITED,
	WIRE_KILLED,
	WIRE_NO_DIRECTORY,
	WIRE_NO_PROGRAM,
	WIRE_NO_START,
};

/**
 * struct wire_exit - the end of a command
 */
struct wire_exit {
	uint32_t how;
	uint32_t code;
};

/* So many bytes wait to be sent at most; room for a frame is left for small ones. */
#define WIRE_OUT_MAX (16 * (WIRE_MAX + sizeof(struct wire_frame)))
#define WIRE_IN_MAX (4 * (WIRE_MAX + sizeof(struct wire_frame)))

/**
 * struct wire - an end of the stream
 * @fd: descriptor, not blocking
 * @in: bytes received, from @in_at on, @in_count of them
 * @out: bytes to be sent, from @out_at on, @out_count of them
 */
struct wire {
	int fd;
	size_t in_at;
	size_t in_count;
	size_t out_at;
	size_t out_count;
	uint8_t in[WIRE_IN_MAX];
	uint8_t out[WIRE_OUT_MAX];
};

/**
 * wire_fill() - receive what there is, as far as there is room
 *
 * Return: 0; -EAGAIN there is nothing; -EPIPE the other side has gone; -errno.
 */
int wire_fill(struct wire *wire);

/**
 * wire_feed() - take bytes as if they were received
 *
 * Return: 0; -ENOBUFS there is no room.
 */
int wire_feed(struct wire *wire, const void *bytes, size_t size);

/**
 * wire_next() - take the next whole frame
 * @frame: out: its head
 * @payload: out: its bytes, up to the next call with @wire
 *
 * Return: 1; 0 there is none; -EPROTO what comes is no frame.
 */
int wire_next(struct wire *wire, struct wire_frame *frame,
	      const void **payload);

/**
 * wire_read_number() - read a payload that is a number of 32 bits
 * @number: out
 *
 * Return: false if it is none.
 */
bool wire_read_number(const struct wire_frame *frame, const void *payload,
		      uint32_t *number);

/**
 * wire_read_exit() - read the payload of WIRE_EXIT
 * @end: out
 *
 * Return: false if no command ends so.
 */
bool wire_read_exit(const struct wire_frame *frame, const void *payload,
		    struct wire_exit *end);

/**
 * wire_room() - ask how many bytes of data a frame may have
 *
 * Return: 0 to WIRE_MAX.  Room for small frames is kept apart.
 */
size_t wire_room(const struct wire *wire);

/**
 * wire_put() - append a frame, to be sent by wire_flush()
 * @size: up to WIRE_MAX
 *
 * Return: 0; -ENOBUFS there is no room.
 */
int wire_put(struct wire *wire, enum wire_type type, unsigned int session,
	     unsigned int stream, const void *payload, size_t size);

/**
 * wire_put_number() - append a frame whose payload is a number of 32 bits
 */
int wire_put_number(struct wire *wire, enum wire_type type,
		    unsigned int session, unsigned int stream, uint32_t number);

/**
 * wire_flush() - send what waits, as far as the other side takes it
 *
 * Return: 0 or -errno.
 */
int wire_flush(struct wire *wire);

/**
 * wire_waits() - true if there is something to be sent
 */
bool wire_waits(const struct wire *wire);

#endif
