// SPDX-License-Identifier: GPL-2.0
/*
 * Forwarded ports.
 */
#include "net/forward.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_SIZE 128
#define MAX_PORT 65535

/* Return: the port that @text is, or 0. */
static unsigned int parse_port(const char *text)
{
	char *end;
	unsigned long port;

	if (*text < '0' || *text > '9')
		return 0;
	errno = 0;
	port = strtoul(text, &end, 10);
	return *end || errno || port > MAX_PORT ? 0 : port;
}

/* True if @text is an address; brackets around one of IPv6 are taken off. */
static bool parse_address(char **text)
{
	const size_t length = strlen(*text);
	struct in6_addr address;

	if (**text != '[')
		return inet_pton(AF_INET, *text, &address) == 1;
	if ((*text)[length - 1] != ']')
		return false;
	(*text)[length - 1] = '\0';
	++*text;
	return inet_pton(AF_INET6, *text, &address) == 1;
}

/* The host's side: an address, which may be empty or absent, and a port. */
static int parse_host(char *text, unsigned int guest, struct forward *forward)
{
	char *colon = strrchr(text, ':');
	char *port = colon ? colon + 1 : text;
	const unsigned int host = parse_port(port);
	int size;

	if (!host)
		return -EINVAL;
	if (!colon || colon == text) {
		snprintf(forward->spec, sizeof(forward->spec), "%u:%u", host,
			 guest);
		return 0;
	}
	*colon = '\0';
	if (!parse_address(&text))
		return -EINVAL;
	size = snprintf(forward->spec, sizeof(forward->spec), "%s/%u:%u", text,
			host, guest);
	return (size_t)size < sizeof(forward->spec) ? 0 : -EINVAL;
}

int forward_parse(const char *text, size_t size, struct forward *forward)
{
	char copy[TEXT_SIZE];
	char *host, *guest;
	unsigned int port;

	if (size >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, text, size);
	copy[size] = '\0';
	if (strncmp(copy, "tcp:", 4) && strncmp(copy, "udp:", 4))
		return -EINVAL;
	forward->udp = copy[0] == 'u';
	host = copy + 4;
	/* A '-' is in neither addresses nor ports. */
	guest = strchr(host, '-');
	if (!guest || guest[1] != ':')
		return -EINVAL;
	*guest = '\0';
	port = parse_port(guest + 2);
	return port ? parse_host(host, port, forward) : -EINVAL;
}
