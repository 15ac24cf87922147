/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An engine that hands jobs to the kernel by io_uring(7).
 */
#ifndef LODGE_DISK_URING_H
#define LODGE_DISK_URING_H

#include "disk/job.h"
#include "disk/threads.h"

struct uring;

/**
 * uring_new() - make the engine
 * @sink: for jobs that have ended; its event is signalled when uring_reap() is to be
 *	called
 * @threads: for jobs that io_uring does not know or cannot do without waiting
 *
 * Return: the engine, or NULL with errno set: the host may have no io_uring, or not allow
 * it.
 */
struct uring *uring_new(struct job_sink *sink, struct threads *threads);

/**
 * uring_free() - free an engine without jobs; NULL is fine
 */
void uring_free(struct uring *uring);

/**
 * uring_submit() - prepare a job, for uring_commit(); any thread may call
 *
 * A thread that ends takes with it the jobs which it has committed.
 */
void uring_submit(struct uring *uring, struct job *job);

/**
 * uring_commit() - hand the kernel what was submitted; any thread may call
 */
void uring_commit(struct uring *uring);

/**
 * uring_reap() - put jobs that have ended into the sink, for job_sink_take(); any thread
 * may call
 */
void uring_reap(struct uring *uring);

#endif
