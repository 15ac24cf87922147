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
