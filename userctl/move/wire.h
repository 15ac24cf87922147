/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The stream by which a machine moves to another controller; lodge-image(5) describes it
 * byte by byte.
 *
 * Each side sends frames: a head, and as many bytes as it says.  All numbers are
 * little-endian.  Neither side trusts the other: a frame of an unknown type, of a length
 * that its type cannot have, or with another checksum ends the connection.
 */
#ifndef LODGE_MOVE_WIRE_H
#define LODGE_MOVE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No text, and damaged where it is carried over as text. */
#define MOVE_MAGIC "\x89LODGM\r\n"
#define MOVE_MAGIC_SIZE 8
#define MOVE_VERSION 1
#define MOVE_PAGE 4096U
/* Pages of a frame. */
#define MOVE_RUN_MAX 64U
/* Most files that a machine is started from, and bytes of a piece of one. */
#define MOVE_MAX_IMAGES 64
#define MOVE_PIECE_MAX (256U << 10)
/* Bytes that the other side sends, or takes, while one has patience. */
#define MOVE_STEP (256U << 10)
/* Most bytes of a frame's payload. */
#define MOVE_PAYLOAD_MAX (64U << 20)
#define MOVE_WHY_SIZE 512

/**
 * enum move_type - types of frames
 * @MOVE_OFFER: struct move_offer_head: begins the stream
 * @MOVE_CONFIG: the machine's description, a JSON object
 * @MOVE_HOST: what the source is, as the section "host" of a file
 * @MOVE_STATE: the machine's state but for RAM: in the offer as it was then, and after the
 *	pages that with which it goes on
 * @MOVE_IMAGE: struct move_image_head and a path: a file that the machine starts from
 * @MOVE_BYTES: the next bytes of that file
 * @MOVE_PAGES: struct move_pages_head, and the pages
 * @MOVE_GO: the source holds the machine, and lets the target have it
 * @MOVE_ACCEPT: the target can have the machine, and waits for its pages
 * @MOVE_REFUSE: it cannot, for the reason in the payload; the machine has not run there
 * @MOVE_READY: all has come, and the machine is built
 * @MOVE_RUNNING: the machine runs
 * @MOVE_STANDBY: struct move_standby_head: the source goes on with the machine, and what
 *	follows are increments: pages, a state and MOVE_CLOSE
 * @MOVE_CLOSE: struct move_closing: ends an increment
 * @MOVE_TAKEN: the target has that increment
 * @MOVE_END: no more will come, for the reason in the payload, and the target shall forget
 *	the machine
 */
enum move_type {
	MOVE_OFFER = 1,
	MOVE_CONFIG = 2,
	MOVE_HOST = 3,
	MOVE_STATE = 4,
	MOVE_IMAGE = 5,
	MOVE_BYTES = 6,
	MOVE_PAGES = 7,
	MOVE_GO = 8,
	MOVE_ACCEPT = 9,
	MOVE_REFUSE = 10,
	MOVE_READY = 11,
	MOVE_RUNNING = 12,
	MOVE_STANDBY = 13,
	MOVE_CLOSE = 14,
	MOVE_TAKEN = 15,
	MOVE_END = 16,
};

/**
 * struct move_head - the head of a frame
 * @type: enum move_type
 * @length: bytes that follow
 * @crc: CRC-32 of the head, with zero here, and of these bytes
 * @reserved: zero
 */
struct move_head {
	uint32_t type;
	uint32_t length;
	uint32_t crc;
	uint32_t reserved;
};

/**
 * struct move_offer_head - payload of MOVE_OFFER
 * @magic: MOVE_MAGIC
 * @version: MOVE_VERSION
 * @images: number of MOVE_IMAGE that follow
 * @pages: of RAM
 */
struct move_offer_head {
	uint8_t magic[MOVE_MAGIC_SIZE];
	uint32_t version;
	uint32_t images;
	uint64_t pages;
};

/**
 * struct move_image_head - begin of the payload of MOVE_IMAGE; the path follows, without
 * a zero
 * @size: bytes of the file
 */
struct move_image_head {
	uint64_t size;
};

/* The pages are zero, and have no bytes. */
#define MOVE_ZERO (1U << 0)
/* They are a zstd frame. */
#define MOVE_PACKED (1U << 1)

/**
 * struct move_pages_head - begin of the payload of MOVE_PAGES; the bytes follow
 * @first: number of the first page; page n of RAM is as in a file (snap/format.h)
 * @count: number of pages, at most MOVE_RUN_MAX
 * @flags: 0, MOVE_ZERO or MOVE_PACKED
 */
struct move_pages_head {
	uint64_t first;
	uint32_t count;
	uint32_t flags;
};

/* An increment is sent so often, in milliseconds. */
#define MOVE_EVERY_MIN 10U
#define MOVE_EVERY_MAX 60000U

/**
 * struct move_standby_head - payload of MOVE_STANDBY
 * @every_ms: an increment is sent so often
 * @reserved: zero
 */
struct move_standby_head {
	uint32_t every_ms;
	uint32_t reserved;
};

/**
 * struct move_closing - payload of MOVE_CLOSE
 * @number: of the increment; the first is 1
 * @crc: CRC-32 of the checksums of its frames, as they stand in their heads, in their
 *	order
 * @reserved: zero
 */
struct move_closing {
	uint64_t number;
	uint32_t crc;
	uint32_t reserved;
};

_Static_assert(sizeof(struct move_standby_head) == 8, "as documented");
_Static_assert(sizeof(struct move_closing) == 16, "as documented");
_Static_assert(sizeof(struct move_head) == 16, "as documented");
_Static_assert(sizeof(struct move_offer_head) == 24, "as documented");
_Static_assert(sizeof(struct move_pages_head) == 16, "as documented");

/**
 * struct move_link - a connection to the other side
 * @in: descriptor to read from
 * @out: descriptor to write to, which may be the same
 * @patience_ms: so long the other side may take for the head of a frame, and for each
 *	MOVE_STEP bytes of its payload
 * @tick: called while it waits, every few milliseconds; or NULL
 * @opaque: for @tick
 * @stop: NULL, or once true nothing is awaited any more; looked at as @tick is called
 * @sent: bytes that were sent
 * @sent_crc: CRC-32 of the checksums of the frames that were sent since it was set
 * @received_crc: the same of those that were received
 * @payload: room for what is received, or NULL
 * @room: bytes of it
 */
struct move_link {
	int in;
	int out;
	int patience_ms;
	void (*tick)(void *opaque);
	void *opaque;
	const _Atomic bool *stop;
	uint64_t sent;
	uint32_t sent_crc;
	uint32_t received_crc;
	uint8_t *payload;
	size_t room;
};

/**
 * struct move_frame - a frame that was received
 * @payload: until the next one is received
 */
struct move_frame {
	enum move_type type;
	uint32_t length;
	const uint8_t *payload;
};

/**
 * move_link_free() - free what a link has allocated; its descriptors stay
 */
void move_link_free(struct move_link *link);

/**
 * move_send() - send a frame
 * @head: first part of the payload; or NULL
 * @head_size: bytes of it
 * @bytes: the other part; or NULL
 * @size: bytes of it
 *
 * Return: 0; -EPIPE the other side has closed the connection; -ETIMEDOUT; -EMSGSIZE the
 * type has no such length; -errno.
 */
int move_send(struct move_link *link, enum move_type type, const void *head,
	      size_t head_size, const void *bytes, size_t size);

/**
 * move_receive() - receive a frame
 * @frame: out
 *
 * Return: 0; -EPIPE the other side has closed the connection; -ETIMEDOUT; -EPROTO it
 * sends what is no frame; -EBADMSG a frame does not match its checksum; -ENOMEM;
 * -ECANCELED as move_link.stop says; -errno.
 */
int move_receive(struct move_link *link, struct move_frame *frame);

/**
 * move_error_text() - describe why a connection has failed
 * @err: of move_send() or move_receive()
 *
 * Return: a text without the name of the other side.
 */
const char *move_error_text(int err);

#endif
