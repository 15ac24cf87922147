// SPDX-License-Identifier: GPL-2.0
/*
 * The section "host" of the file of a saved machine: an object of JSON.
 */
#include "snap/host.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "snap/format.h"

char *snap_host_text(const struct snap_host *host)
{
	json_t *object = json_pack("{s:s,s:s,s:s,s:I}", "lodge", host->lodge,
				   "backend", host->backend, "machine",
				   host->machine, "time",
				   (json_int_t)host->time);
	char *text = object ? json_dumps(object, 0) : NULL;

	json_decref(object);
	return text;
}

/* Takes a text over, cut to fit; one that is missing is empty. */
static int take(char *to, size_t size, const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (!value)
		return 0;
	if (!json_is_string(value))
		return -EBADMSG;
	snprintf(to, size, "%s", json_string_value(value));
	return 0;
}

static int take_all(struct snap_host *host, const json_t *object)
{
	const json_t *time = json_object_get(object, "time");
	int err = take(host->lodge, sizeof(host->lodge), object, "lodge");

	if (!err)
		err = take(host->backend, sizeof(host->backend), object,
			   "backend");
	if (!err)
		err = take(host->machine, sizeof(host->machine), object,
			   "machine");
	if (err || !json_is_object(object) || !json_is_integer(time) ||
	    json_integer_value(time) < 0)
		return -EBADMSG;
	host->time = json_integer_value(time);
	return 0;
}

int snap_host_read(struct snap_host *host, const char *text, size_t size,
		   struct snap_error *error)
{
	json_t *object = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
	int err;

	memset(host, 0, sizeof(*host));
	err = take_all(host, object);

	json_decref(object);
	return err ? snap_error_set(error, err, SNAP_HOST,
				    "does not tell what wrote it") :
		     0;
}
