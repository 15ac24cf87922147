/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A log in a machine's directory whose size is bounded: when its file is full, that
 * replaces the older part, FILE.old, and a new one is begun.
 */
#ifndef LODGE_CONTROL_LOG_H
#define LODGE_CONTROL_LOG_H

#include <stddef.h>

#include "control/directory.h"

/* Bytes of both parts together; runtime directories are in memory. */
#define LOG_SIZE (1 << 20)
/* The older part's name, behind that of the log. */
#define LOG_OLD ".old"

struct log;

/**
 * log_open() - begin a log
 * @log: set to it
 * @directory: where it is to be
 * @file: the log's name, which must stay as long as the log
 *
 * Return: 0 or -errno.
 */
int log_open(struct log **log, const struct directory *directory,
	     const char *file);

/**
 * log_turn() - make the newer part of a log the older one, and begin a new one
 * @directory: descriptor of where it is
 * @file: its name
 *
 * Return: descriptor of the new part, or -errno.
 */
int log_turn(int directory, const char *file);

/**
 * log_set_turner() - have something else do log_turn(), for a process that opens no files
 * @turner: returns a descriptor or -errno; the thread of log_write() calls it
 * @opaque: for it
 */
void log_set_turner(struct log *log,
		    int (*turner)(void *opaque, const char *file),
		    void *opaque);

/**
 * log_fd() - get the descriptor of the part that is written at present, or -1
 */
int log_fd(const struct log *log);

/**
 * log_write() - append to a log; any thread may call
 *
 * What cannot be written is lost: a log holds nobody up.
 */
void log_write(struct log *log, const void *data, size_t size);

/**
 * log_close() - close a log; NULL is fine
 */
void log_close(struct log *log);

#endif
