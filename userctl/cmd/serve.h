/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Statistics for Prometheus, over HTTP on a socket of this host.
 */
#ifndef LODGE_CMD_SERVE_H
#define LODGE_CMD_SERVE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

/**
 * struct serve_place - an address on which statistics are served
 * @address: of a unix socket, or 127.0.0.1 and a port
 * @size: bytes of @address
 */
struct serve_place {
	union {
		struct sockaddr any;
		struct sockaddr_un local;
		struct sockaddr_in inet;
	} address;
	socklen_t size;
};

/**
 * serve_parse() - read the value of --serve
 * @place: filled
 * @text: unix:PATH or 127.0.0.1:PORT
 *
 * Return: 0; -EINVAL it is neither; -ENAMETOOLONG; -ERANGE there is no such port.
 */
int serve_parse(struct serve_place *place, const char *text);

/**
 * serve_client() - read one request from a connection, and answer it
 * @client: the connection
 * @any_host: answer a request for another host, too
 * @body: write the statistics to @file
 *
 * A client that takes more than some seconds is given up.
 */
void serve_client(int client, bool any_host, void (*body)(FILE *file));

/**
 * serve_statistics() - serve statistics until a signal ends it
 * @where: unix:PATH or 127.0.0.1:PORT; of port 0 the host chooses one
 *
 * Writes the address to standard error when it is ready.
 *
 * Return: the exit code.
 */
int serve_statistics(const char *where);

#endif
