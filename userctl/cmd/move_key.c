// SPDX-License-Identifier: GPL-2.0
/*
 * A key that both sides of a connection share, in a file.
 */
#include "cmd/move_key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/complain.h"
#include "cmd/exit_code.h"

#define PREFIX MOVE_KEY_USER ":"
/* A line that is too long is seen to be. */
#define TEXT_SIZE (sizeof(PREFIX) + MOVE_KEY_MAX + 2)

/* Return: true if nobody but this user, and root, can have read the file. */
static bool is_secret(int fd)
{
	struct stat status;

	return !fstat(fd, &status) && S_ISREG(status.st_mode) &&
	       !(status.st_mode & (S_IRWXG | S_IRWXO)) &&
	       (!status.st_uid || status.st_uid == geteuid());
}

/* Return: 0; -EPERM others can read it; or another -errno. */
static int read_text(const char *path, char text[TEXT_SIZE])
{
	/* What is no file is not waited for. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	ssize_t length;
	int err;

	if (fd < 0)
		return -errno;
	errno = EPERM;
	length = is_secret(fd) ? read(fd, text, TEXT_SIZE - 1) : -1;
	err = length < 0 ? -errno : 0;
	text[length < 0 ? 0 : length] = '\0';
	close(fd);
	return err;
}

/* Return: true if it is one, which is copied. */
static bool take(const char *text, char key[MOVE_KEY_MAX + 1])
{
	size_t length;

	if (!strncmp(text, PREFIX, strlen(PREFIX)))
		text += strlen(PREFIX);
	length = strspn(text, "0123456789abcdefABCDEF");
	if (length < MOVE_KEY_MIN || length > MOVE_KEY_MAX || length % 2 ||
	    (strcmp(text + length, "") && strcmp(text + length, "\n")))
		return false;
	memcpy(key, text, length);
	key[length] = '\0';
	return true;
}

static int complain_read(const char *path, int err)
{
	if (err == -EPERM)
		return complain(EXIT_CODE_PERMISSION, path,
				"it must be a file of yours that nobody else "
				"can read",
				"chown and chmod 600 it, and make a new key if "
				"others may have seen this one");
	return complain(err == -EACCES ? EXIT_CODE_PERMISSION : EXIT_CODE_USAGE,
			path, strerror(-err),
			err == -ENOENT ?
				"make a key by `psktool -u lodge -p "
				"FILE`, and copy it to the other host" :
				NULL);
}

int move_key_read(const char *path, char key[MOVE_KEY_MAX + 1])
{
	char text[TEXT_SIZE];
	int err = read_text(path, text), code = 0;

	if (err)
		return complain_read(path, err);
	if (!take(text, key))
		code = complain(EXIT_CODE_USAGE, path,
				"it is no key: one line of 32 to 128 "
				"hexadecimal digits, with or without lodge: "
				"before them",
				"make one by `psktool -u lodge -p FILE`");
	explicit_bzero(text, sizeof(text));
	return code;
}
