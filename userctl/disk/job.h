/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One call of the host for a disk, and the place where those that have ended wait.
 *
 * Engines take jobs, do them in any order, and put them into a sink.
 */
#ifndef LODGE_DISK_JOB_H
#define LODGE_DISK_JOB_H

#include <pthread.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

/**
 * enum job_kind - which call
 * @JOB_READ: preadv(2)
 * @JOB_WRITE: pwritev(2)
 * @JOB_SYNC: fdatasync(2)
 * @JOB_ALLOCATE: fallocate(2)
 * @JOB_DISCARD: ioctl BLKDISCARD
 */
enum job_kind {
	JOB_READ,
	JOB_WRITE,
	JOB_SYNC,
	JOB_ALLOCATE,
	JOB_DISCARD,
};

/**
 * struct job - a call
 * @kind: which
 * @fd: for which file
 * @mode: of JOB_ALLOCATE
 * @iov: of JOB_READ and JOB_WRITE; unchanged until the end; @nr_iov buffers
 * @offset: the first byte
 * @size: bytes, of JOB_ALLOCATE and JOB_DISCARD
 * @result: out: bytes or 0, or -errno
 * @next: for lists of the one who has the job now
 */
struct job {
	enum job_kind kind;
	int fd;
	int mode;
	const struct iovec *iov;
	unsigned int nr_iov;
	uint64_t offset;
	uint64_t size;
	ssize_t result;
	struct job *next;
};

/**
 * struct job_list - jobs in the order in which they were put
 *
 * An empty list is all zeroes.
 */
struct job_list {
	struct job *first;
	struct job *last;
};

/**
 * struct job_sink - jobs that have ended
 * @event: an eventfd that can be read when there may be some
 * @lock: guards @jobs
 */
struct job_sink {
	int event;
	pthread_mutex_t lock;
	struct job_list jobs;
};

/**
 * job_list_put() - append a job
 */
void job_list_put(struct job_list *list, struct job *job);

/**
 * job_list_take() - take the first job
 *
 * Return: the job, or NULL.
 */
struct job *job_list_take(struct job_list *list);

/**
 * job_sink_init() - make an empty sink
 *
 * Return: 0 or -errno.
 */
int job_sink_init(struct job_sink *sink);

/**
 * job_sink_fini() - end a sink without jobs
 */
void job_sink_fini(struct job_sink *sink);

/**
 * job_sink_put() - put a job that has ended; any thread may call
 */
void job_sink_put(struct job_sink *sink, struct job *job);

/**
 * job_sink_put_quietly() - the same, by one who calls job_sink_take() next
 */
void job_sink_put_quietly(struct job_sink *sink, struct job *job);

/**
 * job_sink_take() - take all jobs that are there; any thread may call
 *
 * To be called after @event was read.
 */
struct job_list job_sink_take(struct job_sink *sink);

#endif
