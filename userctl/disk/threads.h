/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An engine of a few threads, each of which does one job at a time and waits for it.
 */
#ifndef LODGE_DISK_THREADS_H
#define LODGE_DISK_THREADS_H

#include "disk/job.h"

struct threads;

/**
 * threads_new() - make the engine; threads start when there are jobs
 * @sink: for jobs that have ended
 *
 * Return: the engine, or NULL with errno set.
 */
struct threads *threads_new(struct job_sink *sink);

/**
 * threads_free() - end the threads, of which none has a job; NULL is fine
 */
void threads_free(struct threads *threads);

/**
 * threads_submit() - let a job be done; any thread may call
 *
 * If no thread can be started and there is none, the job ends with -EAGAIN.
 */
void threads_submit(struct threads *threads, struct job *job);

#endif
