// SPDX-License-Identifier: GPL-2.0
/*
 * An engine of a few threads.
 */
#include "disk/threads.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "sandbox/sandbox.h"

/* Enough for a disk that writes while it flushes; others are better off with io_uring. */
#define MAX_THREADS 8

/*
 * @lock guards all below.  @idle threads wait for @waiting jobs, or for @ending.
 */
struct threads {
	struct job_sink *sink;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct job_list jobs;
	pthread_t thread[MAX_THREADS];
	unsigned int count;
	unsigned int idle;
	unsigned int waiting;
	bool ending;
};

static ssize_t call_host(const struct job *job)
{
	uint64_t range[2] = { job->offset, job->size };

	switch (job->kind) {
	case JOB_READ:
		return preadv(job->fd, job->iov, (int)job->nr_iov,
			      (off_t)job->offset);
	case JOB_WRITE:
		return pwritev(job->fd, job->iov, (int)job->nr_iov,
			       (off_t)job->offset);
	case JOB_SYNC:
		return fdatasync(job->fd);
	case JOB_ALLOCATE:
		return fallocate(job->fd, job->mode, (off_t)job->offset,
				 (off_t)job->size);
	case JOB_DISCARD:
		return ioctl(job->fd, BLKDISCARD, range);
	}
	errno = EINVAL;
	return -1;
}

static void do_job(struct threads *threads, struct job *job)
{
	do {
		job->result = call_host(job);
	} while (job->result < 0 && errno == EINTR);
	if (job->result < 0)
		job->result = -errno;
	job_sink_put(threads->sink, job);
}

static void *work(void *opaque)
{
	struct threads *threads = opaque;

	sandbox_thread(SANDBOX_WORKER);
	pthread_mutex_lock(&threads->lock);
	while (!threads->ending) {
		struct job *job = job_list_take(&threads->jobs);

		if (!job) {
			threads->idle++;
			pthread_cond_wait(&threads->wake, &threads->lock);
			threads->idle--;
			continue;
		}
		threads->waiting--;
		pthread_mutex_unlock(&threads->lock);
		do_job(threads, job);
		pthread_mutex_lock(&threads->lock);
	}
	pthread_mutex_unlock(&threads->lock);
	return NULL;
}

/* Lock held.  The thread takes no signal: they are for the machine's threads. */
static void start_thread(struct threads *threads)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (!pthread_create(&threads->thread[threads->count], NULL, work,
			    threads))
		threads->count++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

struct threads *threads_new(struct job_sink *sink)
{
	struct threads *threads = calloc(1, sizeof(*threads));

	if (!threads)
		return NULL;
	threads->sink = sink;
	pthread_mutex_init(&threads->lock, NULL);
	pthread_cond_init(&threads->wake, NULL);
	return threads;
}

void threads_free(struct threads *threads)
{
	if (!threads)
		return;
	pthread_mutex_lock(&threads->lock);
	threads->ending = true;
	pthread_cond_broadcast(&threads->wake);
	pthread_mutex_unlock(&threads->lock);
	for (unsigned int i = 0; i < threads->count; i++)
		pthread_join(threads->thread[i], NULL);
	pthread_cond_destroy(&threads->wake);
	pthread_mutex_destroy(&threads->lock);
	free(threads);
}

void threads_submit(struct threads *threads, struct job *job)
{
	bool none;

	pthread_mutex_lock(&threads->lock);
	if (threads->idle <= threads->waiting && threads->count < MAX_THREADS)
		start_thread(threads);
	none = !threads->count;
	if (!none) {
		job_list_put(&threads->jobs, job);
		threads->waiting++;
		pthread_cond_signal(&threads->wake);
	}
	pthread_mutex_unlock(&threads->lock);
	if (none) {
		job->result = -EAGAIN;
		job_sink_put(threads->sink, job);
	}
}
