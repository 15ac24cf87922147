// SPDX-License-Identifier: GPL-2.0
/*
 * Files of saved machines, for the commands that let such a machine go on.
 *
 * The file has the options of the machine, as `lodge inspect` shows them.
 */
#include "cmd/saved_file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/complain.h"
#include "cmd/exit_code.h"
#include "cmd/image_file.h"
#include "control/config.h"

/* Return: 0, or the exit code after a message. */
static int check_author(const char *path, int fd)
{
	static const char remedy[] =
		"look at it by lodge image info --config, and then copy it, or "
		"say --trust";
	struct stat st;

	if (fstat(fd, &st))
		return 0;
	if (st.st_uid && st.st_uid != geteuid())
		return complain(EXIT_CODE_PERMISSION, path,
				"is another user's, and decides what the "
				"machine may do to your files",
				remedy);
	if (S_ISREG(st.st_mode) && st.st_mode & (S_IWGRP | S_IWOTH))
		return complain(EXIT_CODE_PERMISSION, path,
				"can be written by others, and decides what "
				"the machine may do to your files",
				remedy);
	return 0;
}

int saved_file_take(struct saved_file *file, const char *name, int fd)
{
	struct snap_error error;
	int err;

	*file = (struct saved_file){ .name = name, .fd = fd };
	err = saved_open(&file->saved, fd, &error);
	if (!err)
		return 0;
	saved_file_close(file);
	return image_complain(name, err, &error);
}

int saved_file_open(struct saved_file *file, const char *path, bool trust)
{
	int fd, code = image_fd_open(path, &fd);

	*file = (struct saved_file){ .name = path, .fd = -1 };
	if (code)
		return code;
	code = trust ? 0 : check_author(path, fd);
	if (!code)
		return saved_file_take(file, path, fd);
	close(fd);
	return code;
}

void saved_file_close(struct saved_file *file)
{
	saved_close(file->saved);
	file->saved = NULL;
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}

int saved_file_words(const struct saved_file *file, char ***words,
		     size_t *count)
{
	char why[256];
	size_t size;
	const char *config = saved_config(file->saved, &size);
	int err = config_words(config, size, options_keys(), words, count, why,
			       sizeof(why));

	return err ? complain(EXIT_CODE_IMAGE, file->name, why, NULL) : 0;
}

int saved_file_parse(const struct saved_file *file, struct run_options *run,
		     int argc, char **argv)
{
	if (options_parse(run, argc, argv, 0))
		return complain(EXIT_CODE_IMAGE, file->name,
				"its options are none of a machine's", NULL);
	run->machine.saved = saved_state(file->saved);
	return 0;
}
