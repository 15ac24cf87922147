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
 * @lock: guards @turner, @opaque, @fd and @size; no other lock of this file is taken
 *	inside it
 * @turner: does what log_turn() does, or NULL
 * @opaque: for it
 * @fd: descriptor of its newer part, or -1: there is none, and all is lost
 * @size: bytes in the newer part
 */
struct log {
	int directory;
	const char *file;
	pthread_mutex_t lock;
	int (*turner)(void *opaque, const char *file);
	void *opaque;
	int fd;
	size_t size;
};

/* Return: a descriptor or -errno. */
static int open_part(int directory, const char *file)
{
	int fd = openat(directory, file,
			O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC |
				O_NOFOLLOW,
			0600);

	return fd < 0 ? -errno : fd;
}

int log_turn(int directory, const char *file)
{
	char old[NAME_MAX];

	snprintf(old, sizeof(old), "%s" LOG_OLD, file);
	renameat(directory, file, directory, old);
	return open_part(directory, file);
}

int log_open(struct log **log, const struct directory *directory,
	     const char *file)
{
	struct log *new = calloc(1, sizeof(*new));

	if (!new)
		return -ENOMEM;
	/* A copy of the descriptor would have its lock, too. */
	new->directory =
		openat(directory->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	new->file = file;
	new->fd = open_part(new->directory, file);
	if (new->fd < 0) {
		int err = new->fd;

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
	if (log->turner)
		log->fd = log->turner(log->opaque, log->file);
	else
		log->fd = log_turn(log->directory, log->file);
}

void log_set_turner(struct log *log,
		    int (*turner)(void *opaque, const char *file), void *opaque)
{
	pthread_mutex_lock(&log->lock);
	log->turner = turner;
	log->opaque = opaque;
	pthread_mutex_unlock(&log->lock);
}

int log_fd(const struct log *log)
{
	return log->fd;
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
