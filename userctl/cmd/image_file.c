// SPDX-License-Identifier: GPL-2.0
/*
 * Files of saved machines, as commands open them and complain of them.
 */
#include "cmd/image_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/complain.h"
#include "cmd/exit_code.h"

int image_complain(const char *path, int err, const struct snap_error *error)
{
	const char *remedy = NULL;
	int code = EXIT_CODE_IMAGE;

	if (err == -EACCES || err == -EPERM)
		code = EXIT_CODE_PERMISSION;
	else if (err == -ENOMEM)
		code = EXIT_CODE_RESOURCES;
	else if (err == -EPROTONOSUPPORT)
		remedy = "use the lodge that wrote it, or a later one";
	else if (err == -EBADMSG)
		remedy = "the file is damaged: take another copy";
	return complain(code, path, error->text, remedy);
}

int image_complain_output(const char *path, int err,
			  const struct snap_error *error)
{
	int code = EXIT_CODE_OUTPUT;

	if (err == -EACCES || err == -EPERM)
		code = EXIT_CODE_PERMISSION;
	else if (err == -ENOMEM)
		code = EXIT_CODE_RESOURCES;
	return complain(code, path, error->text, NULL);
}

/* A FIFO would wait for its writer, before it is seen to be one. */
int image_fd_try(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	return fd < 0 ? -errno : fd;
}

int image_fd_open(const char *path, int *fd)
{
	struct snap_error error;

	*fd = image_fd_try(path);
	if (*fd >= 0)
		return 0;
	snap_error_set(&error, *fd, NULL, "%s", strerror(-*fd));
	return image_complain(path, *fd, &error);
}

int image_file_open(struct image_file *image, const char *path)
{
	struct snap_error error;
	int code, err;

	*image = (struct image_file){ .path = path };
	code = image_fd_open(path, &image->fd);
	if (code)
		return code;
	err = snap_file_open(&image->file, image->fd, &error);
	return err ? image_complain(path, err, &error) : 0;
}

void image_file_close(struct image_file *image)
{
	snap_file_free(image->file);
	image->file = NULL;
	if (image->fd >= 0)
		close(image->fd);
	image->fd = -1;
}

/* What cannot be looked at might be anything. */
int image_check_target(const char *path)
{
	struct snap_error error;
	char magic[SNAP_MAGIC_SIZE];
	int fd = image_fd_try(path);
	ssize_t size;

	if (fd == -ENOENT)
		return 0;
	if (fd < 0) {
		snap_error_set(&error, fd, NULL,
			       "is there, and cannot be read: %s",
			       strerror(-fd));
		return image_complain_output(path, fd, &error);
	}
	size = read(fd, magic, sizeof(magic));
	close(fd);
	if (!size || (size == sizeof(magic) &&
		      !memcmp(magic, SNAP_MAGIC, sizeof(magic))))
		return 0;
	return complain(EXIT_CODE_OUTPUT, path,
			"is no file of a saved machine, and is not replaced",
			"choose another name, or remove it");
}

bool image_is_at(const struct image_file *image, const char *path)
{
	struct stat own, other;

	return !fstat(image->fd, &own) && !stat(path, &other) &&
	       own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}
