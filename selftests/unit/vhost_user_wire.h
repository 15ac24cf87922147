/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The vhost-user protocol as a back end of the tests speaks it, told once more than where
 * the front end does: a mistake there is not repeated here.
 */
#ifndef LODGE_UNIT_VHOST_USER_WIRE_H
#define LODGE_UNIT_VHOST_USER_WIRE_H

#include <stdint.h>

/* Requests. */
enum {
	GET_FEATURES = 1,
	SET_FEATURES = 2,
	SET_MEM_TABLE = 5,
	SET_VRING_NUM = 8,
	SET_VRING_ADDR = 9,
	SET_VRING_BASE = 10,
	GET_VRING_BASE = 11,
	SET_VRING_KICK = 12,
	SET_VRING_CALL = 13,
	GET_PROTOCOL_FEATURES = 15,
	GET_QUEUE_NUM = 17,
	SET_VRING_ENABLE = 18,
	GET_CONFIG = 24,
	SET_CONFIG = 25,
	REQUESTS = 32,
};

/* Flags: the version, and what a message is. */
#define VERSION 0x1
#define REPLY 0x4
#define NEED_REPLY 0x8

/* Before each payload, of @size bytes. */
struct header {
	uint32_t request;
	uint32_t flags;
	uint32_t size;
};

#endif
