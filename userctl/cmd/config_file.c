// SPDX-License-Identifier: GPL-2.0
/*
 * The file of --config.
 */
#include "cmd/config_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Return: 0 or -errno. */
static int read_file(const char *path, char *text, size_t *size)
{
	FILE *file = fopen(path, "re");
	int err;

	if (!file)
		return -errno;
	errno = 0;
	*size = fread(text, 1, CONFIG_MAX + 1, file);
	err = ferror(file) ? -(errno ? errno : EIO) : 0;
	fclose(file);
	return !err && *size > CONFIG_MAX ? -EFBIG : err;
}

int config_file_read(const char *path, const struct config_key *keys,
		     char ***words, size_t *count, char *why, size_t size)
{
	char *text = malloc(CONFIG_MAX + 1);
	size_t length = 0;
	int err = text ? read_file(path, text, &length) : -ENOMEM;

	if (err == -EFBIG)
		snprintf(why, size,
			 "it has more than %d KiB; name a description, as "
			 "`lodge inspect` writes it",
			 CONFIG_MAX >> 10);
	else if (err)
		snprintf(why, size, "%s", strerror(-err));
	else
		err = config_words(text, length, keys, words, count, why, size);
	free(text);
	return err;
}
