// SPDX-License-Identifier: GPL-2.0
/*
 * A log whose size is bounded.
 */
#include "control/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PART_SIZE (LOG_SIZE / 2)

/**
 * struct log - an open log
 * @directory: descriptor of where it is, without a lock; never changes
 * @file: its name; never changes
 * @old: its older part's name; never changes
 * @lock: guards @fd and @size; no other lock is taken inside it
 * @fd: descriptor of its newer part, or -1: there is none, and all is lost
 * @size: bytes in the newer part
 */
struct log {
	int directory;
	const char *file;
	char old[NAME_MAX];
	pthread_mutex_t lock;
	int fd;
	size_t size;
};

static int open_part(const struct log *log)
{
	return openat(log->directory, log->file,
		      O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC |
			      O_NOFOLLOW,
		      0600);
}

int log_open(struct log **log, const struct directory *directory,
	     const char *file)
{
	struct log *new = calloc(1, sizeof(*new));
	int err;

	if (!new)
		return -ENOMEM;
	/* A copy of the descriptor would have its lock, too. */
	new->directory =
		openat(directory->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	new->file = file;
	snprintf(new->old, sizeof(new->old), "%s" LOG_OLD, file);
	new->fd = open_part(new);
	if (new->fd < 0) {
		err = -errno;
		if (new->directory >= 0)
			close(new->directory);
		free(new);
		return err;
	}
	pthread_mutex_init(&new->lock, NULL);
	*log = new;
	return 0;
}

/* Lock held.  Makes room: the newer part becomes the older one. */
static void turn(struct log *log)
{
	if (log->fd >= 0)
		close(log->fd);
	log->size = 0;
	renameat(log->directory, log->file, log->directory, log->old);
	log->fd = open_part(log);
}

void log_write(struct log *log, const void *data, size_t size)
{
	const char *next = data;
	ssize_t length;

	pthread_mutex_lock(&log->lock);
	while (size) {
		if (log->size >= PART_SIZE)
			turn(log);
		length = size < PART_SIZE - log->size ? size :
							PART_SIZE - log->size;
		length = log->fd < 0 ? -1 : write(log->fd, next, length);
		if (length < 0 && errno == EINTR)
			continue;
		if (length <= 0)
			break;
		log->size += length;
		next += length;
		size -= length;
	}
	pthread_mutex_unlock(&log->lock);
}

void log_close(struct log *log)
{
	if (!log)
		return;
	if (log->fd >= 0)
		close(log->fd);
	close(log->directory);
	pthread_mutex_destroy(&log->lock);
	free(log);
}
