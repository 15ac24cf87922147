// SPDX-License-Identifier: GPL-2.0
/*
 * A disk: requests become jobs of an engine, one after the other.
 *
 * A request is done in steps, each of which is one job.  Most have one.  More are needed
 * if the host does less than it was asked for, if the blocks are partly in the overlay, if
 * buffers must be aligned for O_DIRECT, and to make stable what was written.  So a request
 * takes the same memory, whatever its size.
 */
#include "disk/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include "disk/file.h"
#include "disk/iov.h"
#include "disk/job.h"
#include "disk/overlay.h"
#include "disk/threads.h"
#include "disk/uring.h"

/* The kernel transfers less than 2 GiB at once. */
#define MAX_STEP (1ULL << 30)
/* Of the buffers that are copied for O_DIRECT. */
#define BOUNCE_SIZE (256ULL << 10)
#define BOUNCE_ALIGNMENT 4096
/* Zeroes that are written at once, where the host cannot make them by itself. */
#define ZEROES_SIZE (64ULL << 10)
#define ZEROES_IOV 16

/*
 * How zeroes are made: the first that the host can do and the request allows.
 */
enum zeroing {
	ZERO_BY_HOLE = 1 << 0,
	ZERO_BY_RANGE = 1 << 1,
	ZERO_BY_WRITE = 1 << 2,
};

/*
 * @cannot: ways of zeroing that the host has refused; @cannot_discard and
 *	@cannot_read_now likewise
 * @idle: is signalled for each of the @drainers when @in_progress gets 0
 * @lock: guards @in_progress, @drainers and the overlay's map
 */
struct disk {
	struct loop *loop;
	struct disk_file file;
	struct overlay *overlay;
	struct job_sink sink;
	struct threads *threads;
	struct uring *uring;
	atomic_uint cannot;
	atomic_bool cannot_discard;
	atomic_bool cannot_read_now;
	int idle;
	pthread_mutex_t lock;
	unsigned int in_progress;
	unsigned int drainers;
};

/**
 * struct disk_task - a request in progress
 * @job: the step
 * @done: bytes that earlier steps have done
 * @step: bytes of this one
 * @bounce: aligned buffer of BOUNCE_SIZE; NULL: none was needed yet
 * @bouncing: this step uses it
 * @zeroing: way of this step; 0: none
 * @syncing: the step makes stable what was written
 * @nr_iov: room in @iov
 * @bounce_iov: the list of buffers for a step with @bounce
 * @iov: the same for other steps
 */
struct disk_task {
	struct job job;
	struct disk *disk;
	struct disk_request *request;
	uint64_t done;
	uint64_t step;
	void *bounce;
	bool bouncing;
	unsigned int zeroing;
	bool syncing;
	struct iovec bounce_iov;
	unsigned int nr_iov;
	struct iovec iov[];
};

static struct disk_task *task_of(struct job *job)
{
	return (struct disk_task *)((char *)job -
				    offsetof(struct disk_task, job));
}

static _Alignas(BOUNCE_ALIGNMENT) const char zeroes[ZEROES_SIZE];

static void submit_job(struct disk *disk, struct job *job)
{
	if (disk->uring)
		uring_submit(disk->uring, job);
	else
		threads_submit(disk->threads, job);
}

void disk_commit(struct disk *disk)
{
	if (disk->uring)
		uring_commit(disk->uring);
}

/* True if O_DIRECT does not take the buffers as they are. */
static bool must_bounce(const struct disk *disk, const struct iovec *iov,
			unsigned int count)
{
	uint32_t memory = disk->file.memory_alignment;
	uint32_t block = disk->file.geometry.block_size;

	if (memory == 1)
		return false;
	for (unsigned int i = 0; i < count; i++)
		if ((uintptr_t)iov[i].iov_base % memory ||
		    iov[i].iov_len % block)
			return true;
	return false;
}

/* Chooses file and place for a step, and shortens the step to what is together there. */
static int place_step(struct disk_task *task)
{
	struct disk *disk = task->disk;
	int fd;

	if (!disk->overlay)
		return disk->file.fd;
	pthread_mutex_lock(&disk->lock);
	fd = overlay_place(disk->overlay, task->request->op != DISK_READ,
			   &task->job.offset, &task->step);
	pthread_mutex_unlock(&disk->lock);
	return fd < 0 ? disk->file.fd : fd;
}

/* Return: 0 or -ENOMEM. */
static int bounce_step(struct disk_task *task)
{
	struct job *job = &task->job;

	if (!task->bounce &&
	    posix_memalign(&task->bounce, BOUNCE_ALIGNMENT, BOUNCE_SIZE))
		return -ENOMEM;
	if (task->step > BOUNCE_SIZE)
		task->step = BOUNCE_SIZE;
	if (job->kind == JOB_WRITE) {
		char *to = task->bounce;
		unsigned int count =
			iov_slice(task->request->iov, task->request->nr_iov,
				  task->done, task->step, task->iov);

		for (unsigned int i = 0; i < count; i++) {
			memcpy(to, task->iov[i].iov_base, task->iov[i].iov_len);
			to += task->iov[i].iov_len;
		}
	}
	task->bounce_iov.iov_base = task->bounce;
	task->bounce_iov.iov_len = task->step;
	task->bouncing = true;
	job->iov = &task->bounce_iov;
	job->nr_iov = 1;
	return 0;
}

/* Return: 0 or -ENOMEM. */
static int transfer_step(struct disk_task *task)
{
	const struct disk_request *request = task->request;
	struct job *job = &task->job;

	job->kind = request->op == DISK_READ ? JOB_READ : JOB_WRITE;
	if (task->step > MAX_STEP)
		task->step = MAX_STEP;
	job->fd = place_step(task);
	job->nr_iov = iov_slice(request->iov, request->nr_iov, task->done,
				task->step, task->iov);
	job->iov = task->iov;
	task->bouncing = false;
	if (job->fd == task->disk->file.fd &&
	    must_bounce(task->disk, job->iov, job->nr_iov))
		return bounce_step(task);
	return 0;
}

static void write_zeroes_step(struct disk_task *task)
{
	uint64_t left;

	if (task->step > ZEROES_SIZE * ZEROES_IOV)
		task->step = ZEROES_SIZE * ZEROES_IOV;
	left = task->step;
	task->job.kind = JOB_WRITE;
	task->job.iov = task->iov;
	for (task->job.nr_iov = 0; left; task->job.nr_iov++) {
		size_t size = left < ZEROES_SIZE ? left : ZEROES_SIZE;

		task->iov[task->job.nr_iov].iov_base = (void *)zeroes;
		task->iov[task->job.nr_iov].iov_len = size;
		left -= size;
	}
}

static void zeroes_step(struct disk_task *task)
{
	unsigned int ways = ZERO_BY_RANGE | ZERO_BY_WRITE;
	struct disk *disk = task->disk;

	/* A range of a sparse file is zeroed by leaving it out. */
	if (task->request->unmap || disk->overlay)
		ways |= ZERO_BY_HOLE;
	ways &= ~atomic_load(&disk->cannot) | ZERO_BY_WRITE;
	task->zeroing = ways & -ways;
	task->job.fd = place_step(task);
	if (task->zeroing == ZERO_BY_WRITE) {
		write_zeroes_step(task);
		return;
	}
	task->job.kind = JOB_ALLOCATE;
	task->job.mode = FALLOC_FL_KEEP_SIZE |
			 (task->zeroing == ZERO_BY_HOLE ? FALLOC_FL_PUNCH_HOLE :
							  FALLOC_FL_ZERO_RANGE);
}

static void discard_step(struct disk_task *task)
{
	struct disk *disk = task->disk;

	task->job.fd = place_step(task);
	task->job.mode = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE;
	task->job.kind = disk->file.is_device && !disk->overlay ? JOB_DISCARD :
								  JOB_ALLOCATE;
}

/* Begins the next step.  Return: 0 or -ENOMEM. */
static int next_step(struct disk_task *task)
{
	const struct disk_request *request = task->request;
	struct job *job = &task->job;
	int err = 0;

	job->offset = request->offset + task->done;
	task->step = request->size - task->done;
	if (request->op == DISK_FLUSH || task->syncing) {
		job->kind = JOB_SYNC;
		job->fd = task->disk->file.fd;
	} else if (request->op == DISK_DISCARD) {
		discard_step(task);
	} else if (request->op == DISK_WRITE_ZEROES) {
		zeroes_step(task);
	} else {
		err = transfer_step(task);
	}
	job->size = task->step;
	if (!err)
		submit_job(task->disk, job);
	return err;
}

static void forget(struct disk *disk)
{
	pthread_mutex_lock(&disk->lock);
	if (!--disk->in_progress && disk->drainers) {
		eventfd_write(disk->idle, disk->drainers);
		disk->drainers = 0;
	}
	pthread_mutex_unlock(&disk->lock);
}

static void finish(struct disk_task *task, int error)
{
	struct disk_request *request = task->request;
	struct disk *disk = task->disk;

	free(task->bounce);
	free(task);
	request->task = NULL;
	request->done(request, error);
	/* Last: then disk_drain() returns, and the disk may be closed. */
	forget(disk);
}

/* Copies what a step with aligned buffers has read. */
static void unbounce(struct disk_task *task, uint64_t size)
{
	const char *from = task->bounce;
	unsigned int count = iov_slice(task->request->iov,
				       task->request->nr_iov, task->done, size,
				       task->iov);

	for (unsigned int i = 0; i < count; i++) {
		memcpy(task->iov[i].iov_base, from, task->iov[i].iov_len);
		from += task->iov[i].iov_len;
	}
}

static void clear(struct disk_task *task, uint64_t from, uint64_t size)
{
	unsigned int count = iov_slice(task->request->iov,
				       task->request->nr_iov, from, size,
				       task->iov);

	for (unsigned int i = 0; i < count; i++)
		memset(task->iov[i].iov_base, 0, task->iov[i].iov_len);
}

/* O_DIRECT stops within a block only at the end of the file. */
static bool is_cut(const struct disk_task *task, uint64_t size)
{
	const struct disk_file *file = &task->disk->file;

	return file->memory_alignment != 1 && task->job.fd == file->fd &&
	       size % file->geometry.block_size;
}

/* What is beyond the end of the file reads as zeroes. */
static void end_read(struct disk_task *task)
{
	uint64_t size = (uint64_t)task->job.result;

	if (task->bouncing)
		unbounce(task, size);
	if (!size || is_cut(task, size)) {
		clear(task, task->done + size, task->step - size);
		size = task->step;
	}
	task->done += size;
}

static bool is_refusal(ssize_t result)
{
	return result == -EOPNOTSUPP || result == -ENOSYS ||
	       result == -ENODEV || result == -ENOTTY;
}

/*
 * A way of zeroing that the host does not know is not tried again.
 *
 * Return: true if there is another one.
 */
static bool try_otherwise(struct disk_task *task)
{
	if (task->request->op != DISK_WRITE_ZEROES || task->syncing ||
	    task->zeroing == ZERO_BY_WRITE || !is_refusal(task->job.result))
		return false;
	atomic_fetch_or(&task->disk->cannot, task->zeroing);
	return true;
}

/* Return: true if the request has been served, but for making it stable. */
static bool end_step(struct disk_task *task)
{
	if (task->job.kind == JOB_READ)
		end_read(task);
	else if (task->job.kind == JOB_WRITE)
		task->done += (uint64_t)task->job.result;
	else
		task->done += task->step;
	return task->done >= task->request->size;
}

/*
 * The map changes when all is written, so that a request that fails leaves the blocks as
 * they were.
 */
static void end_change(struct disk_task *task)
{
	struct disk *disk = task->disk;

	if (!disk->overlay || task->request->op == DISK_READ ||
	    task->request->op == DISK_FLUSH)
		return;
	pthread_mutex_lock(&disk->lock);
	overlay_add(disk->overlay, task->request->offset, task->request->size);
	pthread_mutex_unlock(&disk->lock);
}

/* What is in the overlay need not outlive the process. */
static bool must_sync(const struct disk_task *task)
{
	return task->request->stable && !task->syncing &&
	       !task->disk->overlay && task->request->op != DISK_READ &&
	       task->request->op != DISK_FLUSH;
}

/* True if there was nothing where only a disk's own file may end. */
static bool is_lost(const struct disk_task *task)
{
	const struct job *job = &task->job;

	return !job->result && (job->kind == JOB_WRITE ||
				(job->kind == JOB_READ && task->step &&
				 job->fd != task->disk->file.fd));
}

static void job_ended(struct disk_task *task)
{
	ssize_t result = task->job.result;
	int err = result < 0 ? (int)result : 0;

	if (result < 0 && task->request->op == DISK_DISCARD &&
	    is_refusal(result)) {
		atomic_store(&task->disk->cannot_discard, true);
		finish(task, 0);
		return;
	}
	if (is_lost(task))
		err = -EIO;
	if (err && !try_otherwise(task)) {
		finish(task, err);
		return;
	}
	if (!err && (task->syncing || end_step(task))) {
		end_change(task);
		if (!must_sync(task)) {
			finish(task, 0);
			return;
		}
		task->syncing = true;
	}
	err = next_step(task);
	if (err)
		finish(task, err);
}

/* Completes what has ended. */
static void serve(struct disk *disk)
{
	struct job_list jobs;
	eventfd_t count;
	struct job *job;

	eventfd_read(disk->sink.event, &count);
	if (disk->uring)
		uring_reap(disk->uring);
	jobs = job_sink_take(&disk->sink);
	while ((job = job_list_take(&jobs)))
		job_ended(task_of(job));
	disk_commit(disk);
}

static void ready(void *opaque, int fd)
{
	serve(opaque);
}

/* Return: 0 or -errno. */
static int check(const struct disk *disk, const struct disk_request *request)
{
	const struct disk_geometry *geometry = &disk->file.geometry;
	uint64_t end;

	if (request->op == DISK_FLUSH)
		return 0;
	if (request->op != DISK_READ && geometry->read_only)
		return -EROFS;
	if (__builtin_add_overflow(request->offset, request->size, &end) ||
	    end > geometry->size || request->offset % geometry->block_size ||
	    request->size % geometry->block_size)
		return -EINVAL;
	if (request->op != DISK_READ && request->op != DISK_WRITE)
		return 0;
	if (request->nr_iov > DISK_MAX_IOV ||
	    iov_size(request->iov, request->nr_iov) != request->size)
		return -EINVAL;
	return 0;
}

/* True if there is nothing to ask the host for. */
static bool is_nothing(const struct disk *disk,
		       const struct disk_request *request)
{
	if (request->op == DISK_FLUSH)
		return disk->overlay || disk->file.geometry.read_only;
	return !request->size || (request->op == DISK_DISCARD &&
				  atomic_load(&disk->cannot_discard));
}

/* Bytes: a larger read would keep its caller from other work for too long. */
#define READ_NOW_MAX (256U << 10)

/* With O_DIRECT a read would wait for the device; of a snapshot, it may be in two files. */
static bool may_read_now(struct disk *disk)
{
	return disk->uring && !disk->overlay &&
	       disk->file.memory_alignment == 1 &&
	       !atomic_load(&disk->cannot_read_now);
}

bool disk_read_now(struct disk *disk, const struct disk_request *request)
{
	ssize_t size;

	if (request->op != DISK_READ || request->size > READ_NOW_MAX ||
	    !may_read_now(disk) || check(disk, request))
		return false;
	size = preadv2(disk->file.fd, request->iov, (int)request->nr_iov,
		       (off_t)request->offset, RWF_NOWAIT);
	if (size < 0 && errno == EOPNOTSUPP)
		atomic_store(&disk->cannot_read_now, true);
	return size >= 0 && (uint64_t)size == request->size;
}

int disk_submit(struct disk *disk, struct disk_request *request)
{
	bool transfer = request->op == DISK_READ || request->op == DISK_WRITE;
	unsigned int nr_iov = transfer ? request->nr_iov : ZEROES_IOV;
	int err = check(disk, request);
	struct disk_task *task;

	if (err)
		return err;
	task = malloc(sizeof(*task) + nr_iov * sizeof(task->iov[0]));
	if (!task)
		return -ENOMEM;
	*task = (struct disk_task){ .disk = disk, .request = request };
	task->nr_iov = nr_iov;
	request->task = task;
	pthread_mutex_lock(&disk->lock);
	disk->in_progress++;
	pthread_mutex_unlock(&disk->lock);
	if (is_nothing(disk, request)) {
		task->syncing = true;
		job_sink_put(&disk->sink, &task->job);
		return 0;
	}
	err = next_step(task);
	if (err) {
		free(task);
		request->task = NULL;
		forget(disk);
	}
	return err;
}

void disk_drain(struct disk *disk)
{
	struct pollfd fds[] = { { .fd = disk->sink.event, .events = POLLIN },
				{ .fd = disk->idle, .events = POLLIN } };
	eventfd_t one;
	bool busy;

	disk_commit(disk);
	pthread_mutex_lock(&disk->lock);
	busy = disk->in_progress;
	disk->drainers += busy;
	pthread_mutex_unlock(&disk->lock);
	while (busy) {
		poll(fds, sizeof(fds) / sizeof(fds[0]), -1);
		if (fds[1].revents & POLLIN && !eventfd_read(disk->idle, &one))
			busy = false;
		else
			serve(disk);
	}
}

/* Return: 0 or -errno. */
static int start_engine(struct disk *disk, enum disk_engine engine, char *why,
			size_t size)
{
	disk->threads = threads_new(&disk->sink);
	if (!disk->threads) {
		snprintf(why, size, "%s", strerror(errno));
		return -errno;
	}
	if (engine == DISK_ENGINE_THREADS)
		return 0;
	disk->uring = uring_new(&disk->sink, disk->threads);
	if (disk->uring || engine == DISK_ENGINE_AUTO)
		return 0;
	snprintf(why, size, "this host does not allow io_uring: %s",
		 strerror(errno));
	return -errno;
}

/* Return: 0 or -errno. */
static int start_loop(struct disk *disk, char *why, size_t size)
{
	int err;

	disk->idle = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
	err = disk->idle < 0 ? -errno : job_sink_init(&disk->sink);
	if (!err)
		err = loop_watch(disk->loop, disk->sink.event, ready, disk);
	if (err)
		snprintf(why, size, "%s", strerror(-err));
	return err;
}

struct disk *disk_open(struct loop *loop, const struct disk_options *options,
		       char *why, size_t size)
{
	struct disk *disk = calloc(1, sizeof(*disk));
	int err;

	if (!disk) {
		snprintf(why, size, "%s", strerror(ENOMEM));
		errno = ENOMEM;
		return NULL;
	}
	disk->loop = loop;
	disk->idle = -1;
	disk->sink.event = -1;
	pthread_mutex_init(&disk->lock, NULL);
	err = disk_file_open(&disk->file, options, why, size);
	if (!err && options->snapshot && !options->read_only) {
		disk->overlay = overlay_new(disk->file.geometry.size,
					    disk->file.geometry.block_size, why,
					    size);
		err = disk->overlay ? 0 : -errno;
	}
	if (!err)
		err = start_loop(disk, why, size);
	if (!err)
		err = start_engine(disk, options->engine, why, size);
	if (err) {
		disk_close(disk);
		errno = -err;
		return NULL;
	}
	return disk;
}

void disk_close(struct disk *disk)
{
	if (!disk)
		return;
	threads_free(disk->threads);
	uring_free(disk->uring);
	if (disk->sink.event >= 0) {
		loop_unwatch(disk->loop, disk->sink.event);
		job_sink_fini(&disk->sink);
	}
	if (disk->idle >= 0)
		close(disk->idle);
	overlay_free(disk->overlay);
	disk_file_close(&disk->file);
	pthread_mutex_destroy(&disk->lock);
	free(disk);
}

const struct disk_geometry *disk_geometry(const struct disk *disk)
{
	return &disk->file.geometry;
}

int disk_fd(const struct disk *disk)
{
	return disk->file.fd;
}

struct overlay *disk_overlay(const struct disk *disk)
{
	return disk->overlay;
}

enum disk_engine disk_engine(const struct disk *disk)
{
	return disk->uring ? DISK_ENGINE_URING : DISK_ENGINE_THREADS;
}
