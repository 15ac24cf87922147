// SPDX-License-Identifier: GPL-2.0
/*
 * An engine by io_uring.
 */
#include "disk/uring.h"

#include <errno.h>
#include <liburing.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

/* As many jobs the kernel has at once; the others wait here. */
#define ENTRIES 128

/*
 * @lock guards all below.  The kernel has at most ENTRIES jobs, so that its queue of
 * completions, which is twice as long, cannot overflow.
 */
struct uring {
	struct job_sink *sink;
	struct threads *threads;
	pthread_mutex_t lock;
	struct io_uring ring;
	struct job_list waiting;
	unsigned int in_kernel;
};

/*
 * A ring goes past the filters of system calls, so it is held to the jobs below: whoever
 * takes this process over can do no more by it than by the calls.
 *
 * Return: 0 or -errno.
 */
static int make_ring(struct io_uring *ring)
{
	struct io_uring_restriction allowed[] = {
		{ .opcode = IORING_RESTRICTION_SQE_OP,
		  .sqe_op = IORING_OP_READV },
		{ .opcode = IORING_RESTRICTION_SQE_OP,
		  .sqe_op = IORING_OP_WRITEV },
		{ .opcode = IORING_RESTRICTION_SQE_OP,
		  .sqe_op = IORING_OP_FSYNC },
		{ .opcode = IORING_RESTRICTION_SQE_OP,
		  .sqe_op = IORING_OP_FALLOCATE },
		{ .opcode = IORING_RESTRICTION_REGISTER_OP,
		  .register_op = IORING_REGISTER_EVENTFD },
	};
	int err = io_uring_queue_init(ENTRIES, ring, IORING_SETUP_R_DISABLED);

	if (err)
		return err;
	/* As liburing does, whose shared library lacks these functions up to 2.3. */
	if (syscall(SYS_io_uring_register, ring->ring_fd,
		    IORING_REGISTER_RESTRICTIONS, allowed,
		    sizeof(allowed) / sizeof(allowed[0])) ||
	    syscall(SYS_io_uring_register, ring->ring_fd,
		    IORING_REGISTER_ENABLE_RINGS, NULL, 0))
		err = -errno;
	if (err)
		io_uring_queue_exit(ring);
	return err;
}

struct uring *uring_new(struct job_sink *sink, struct threads *threads)
{
	struct uring *uring = calloc(1, sizeof(*uring));
	int err;

	if (!uring)
		return NULL;
	uring->sink = sink;
	uring->threads = threads;
	err = make_ring(&uring->ring);
	if (err) {
		free(uring);
		errno = -err;
		return NULL;
	}
	pthread_mutex_init(&uring->lock, NULL);
	err = io_uring_register_eventfd(&uring->ring, sink->event);
	if (err) {
		uring_free(uring);
		errno = -err;
		return NULL;
	}
	return uring;
}

void uring_free(struct uring *uring)
{
	if (!uring)
		return;
	io_uring_queue_exit(&uring->ring);
	pthread_mutex_destroy(&uring->lock);
	free(uring);
}

/* BLKDISCARD is no job for io_uring: see uring_submit(). */
static void prepare(struct io_uring_sqe *sqe, struct job *job)
{
	if (job->kind == JOB_READ)
		io_uring_prep_readv(sqe, job->fd, job->iov, job->nr_iov,
				    job->offset);
	else if (job->kind == JOB_WRITE)
		io_uring_prep_writev(sqe, job->fd, job->iov, job->nr_iov,
				     job->offset);
	else if (job->kind == JOB_SYNC)
		io_uring_prep_fsync(sqe, job->fd, IORING_FSYNC_DATASYNC);
	else
		io_uring_prep_fallocate(sqe, job->fd, job->mode,
					(off_t)job->offset, (off_t)job->size);
	io_uring_sqe_set_data(sqe, job);
}

/* Lock held: fill the queue of submissions. */
static void fill(struct uring *uring)
{
	while (uring->in_kernel < ENTRIES && uring->waiting.first) {
		struct io_uring_sqe *sqe = io_uring_get_sqe(&uring->ring);

		if (!sqe)
			return;
		prepare(sqe, job_list_take(&uring->waiting));
		uring->in_kernel++;
	}
}

/*
 * Lock held.  A kernel that is short of memory leaves jobs in the queue; to signal the
 * event makes the loop come back for them.
 */
static void commit(struct uring *uring)
{
	fill(uring);
	if (io_uring_sq_ready(&uring->ring) &&
	    (io_uring_submit(&uring->ring) < 0 ||
	     io_uring_sq_ready(&uring->ring)))
		eventfd_write(uring->sink->event, 1);
}

void uring_submit(struct uring *uring, struct job *job)
{
	if (job->kind == JOB_DISCARD) {
		threads_submit(uring->threads, job);
		return;
	}
	pthread_mutex_lock(&uring->lock);
	job_list_put(&uring->waiting, job);
	pthread_mutex_unlock(&uring->lock);
}

void uring_commit(struct uring *uring)
{
	pthread_mutex_lock(&uring->lock);
	commit(uring);
	pthread_mutex_unlock(&uring->lock);
}

/* Lock held.  What the kernel does not do now, a thread does in its own time. */
static void finish(struct uring *uring, struct job *job, int result)
{
	uring->in_kernel--;
	if (result == -EAGAIN || result == -EINTR || result == -ECANCELED) {
		threads_submit(uring->threads, job);
		return;
	}
	job->result = result;
	job_sink_put_quietly(uring->sink, job);
}

void uring_reap(struct uring *uring)
{
	struct io_uring_cqe *cqe;

	pthread_mutex_lock(&uring->lock);
	while (!io_uring_peek_cqe(&uring->ring, &cqe)) {
		struct job *job = io_uring_cqe_get_data(cqe);
		int result = cqe->res;

		io_uring_cqe_seen(&uring->ring, cqe);
		finish(uring, job, result);
	}
	commit(uring);
	pthread_mutex_unlock(&uring->lock);
}
