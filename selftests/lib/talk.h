/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Talks to the netlink family, message by message: for tests, which must be able to
 * send bad ones, read half of an answer and see each flag.
 */
#ifndef LODGE_LIB_TALK_H
#define LODGE_LIB_TALK_H

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lodge_netlink.h>

/* Attributes of a message that can be told apart: more than any set has. */
#define TALK_ATTRIBUTES 64
/* So many bytes are read at a time; the kernel makes no larger datagrams of a list. */
#define TALK_BUFFER 8192

/**
 * struct talk - a socket and what the kernel has last said on it
 * @fd: the socket
 * @family: number of the family
 * @group: number of its group LODGE_GENL_EVENTS
 * @sequence: of the last request
 * @interrupted: a message of the last dump had NLM_F_DUMP_INTR
 * @text: extended acknowledgement: explanation, or empty
 * @offset: the bad attribute's place in the request, or 0
 * @missing: the type of an attribute that is missing, or 0
 * @size: bytes in @buffer
 * @used: of these, bytes that were looked at
 * @buffer: what was received
 */
struct talk {
	int fd;
	uint16_t family;
	uint32_t group;
	uint32_t sequence;
	bool interrupted;
	char text[128];
	uint32_t offset;
	uint32_t missing;
	size_t size;
	size_t used;
	char buffer[TALK_BUFFER];
};

/**
 * union talk_message - a request that is being written
 * @header: its head; nlmsg_len is the size so far
 * @generic: the family's head behind it
 * @bytes: all of it
 */
union talk_message {
	struct {
		struct nlmsghdr header;
		struct genlmsghdr generic;
	};
	char bytes[8192];
};

/**
 * struct talk_answer - a message from the kernel
 * @header: its head
 * @command: enum lodge_command
 * @attribute: by type; NULL: absent.  Valid until the next call for this socket
 */
struct talk_answer {
	const struct nlmsghdr *header;
	uint8_t command;
	const struct nlattr *attribute[TALK_ATTRIBUTES];
};

/**
 * typedef talk_hear - looks at an answer
 *
 * Return: 0, or what talk_do() is to return at once, the rest unread.
 */
typedef int (*talk_hear)(void *context, const struct talk_answer *answer);

/**
 * talk_open() - open a socket, and find the family
 *
 * Return: 0 or -errno; -ENOENT: there is no such family.
 */
int talk_open(struct talk *talk);
void talk_close(struct talk *talk);

/**
 * talk_begin() - begin a request for @command
 * @flags: besides NLM_F_REQUEST and NLM_F_ACK; NLM_F_DUMP for a dump
 */
void talk_begin(struct talk *talk, union talk_message *message, uint8_t command,
		uint16_t flags);
/* Put an attribute behind; @size may be one that the kernel must refuse. */
void talk_put(union talk_message *message, uint16_t type, const void *data,
	      size_t size);
void talk_put_u32(union talk_message *message, uint16_t type, uint32_t value);
void talk_put_u64(union talk_message *message, uint16_t type, uint64_t value);
void talk_put_string(union talk_message *message, uint16_t type,
		     const char *text);

/**
 * talk_send() - send it as it is
 *
 * Return: 0 or -errno.
 */
int talk_send(struct talk *talk, union talk_message *message);

/**
 * talk_read() - wait for the next datagram
 * @flags: of recv()
 *
 * Return: 0 or -errno; -ENOBUFS: messages were lost.
 */
int talk_read(struct talk *talk, int flags);

/**
 * talk_next() - the next message of what was read
 *
 * Return: the message, or NULL: there is none.
 */
const struct nlmsghdr *talk_next(struct talk *talk);

/**
 * talk_parse() - find a message's attributes
 *
 * Return: false if the message is none of the family, or badly built.
 */
bool talk_parse(const struct talk *talk, const struct nlmsghdr *header,
		struct talk_answer *answer);

/**
 * talk_end() - receive the answers to what was sent last, up to their end
 * @hear: NULL: none is expected, and one is -EPROTO
 *
 * Sets @interrupted and the extended acknowledgement.
 *
 * Return: 0 or -errno, the kernel's or what @hear returned.
 */
int talk_end(struct talk *talk, talk_hear hear, void *context);

/**
 * talk_do() - talk_send() and talk_end()
 */
int talk_do(struct talk *talk, union talk_message *message, talk_hear hear,
	    void *context);

/* Values of an answer; 0 or "" for an attribute that is absent or of another size. */
uint32_t talk_u32(const struct talk_answer *answer, int type);
uint64_t talk_u64(const struct talk_answer *answer, int type);
const char *talk_string(const struct talk_answer *answer, int type);

/* Bytes of an attribute, or -1: it is absent. */
int talk_size(const struct nlattr *attribute);
const void *talk_data(const struct nlattr *attribute);

#endif
