/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Forwarded ports: the words of --net user,hostfwd=..., and passt's for the same.
 */
#ifndef LODGE_NET_FORWARD_H
#define LODGE_NET_FORWARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FORWARD_SPEC_SIZE 64

/**
 * struct forward - a forwarded port
 * @udp: of UDP, not TCP
 * @spec: as passt's -t and -u take it: [ADDRESS/]PORT:PORT
 */
struct forward {
	bool udp;
	char spec[FORWARD_SPEC_SIZE];
};

/**
 * forward_parse() - read one forwarded port
 * @text: tcp|udp:[HOSTADDRESS:]HOSTPORT-:GUESTPORT; an IPv6 address stands in brackets.
 *	Before the host's port a second colon may stand, as in QEMU's words
 * @size: of @text
 *
 * Return: 0 or -EINVAL.
 */
int forward_parse(const char *text, size_t size, struct forward *forward);

#endif
