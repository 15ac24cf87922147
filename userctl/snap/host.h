/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The section "host" of the file of a saved machine: what wrote it, for people, and for
 * a host that is to decide whether it can go on with it.
 */
#ifndef LODGE_SNAP_HOST_H
#define LODGE_SNAP_HOST_H

#include <stddef.h>
#include <stdint.h>

#include "snap/error.h"

/**
 * struct snap_host - what wrote a file
 * @lodge: version of the controller
 * @backend: "svm" or "vmx", as struct lodge_info has it
 * @machine: name of the machine
 * @time: when, in seconds of UTC since 1970
 *
 * Texts that are empty are not known.
 */
struct snap_host {
	char lodge[32];
	char backend[16];
	char machine[64];
	uint64_t time;
};

/**
 * snap_host_text() - make the section
 *
 * Return: the text, to be freed; or NULL without memory, or if a text is no UTF-8.
 */
char *snap_host_text(const struct snap_host *host);

/**
 * snap_host_read() - read a section
 * @host: out
 * @text: of the section; not trusted
 * @size: bytes
 * @error: out: on failure, the reason
 *
 * Members that are not known are ignored, so that a later version may add some.
 *
 * Return: 0; -EBADMSG it is none.
 */
int snap_host_read(struct snap_host *host, const char *text, size_t size,
		   struct snap_error *error);

#endif
