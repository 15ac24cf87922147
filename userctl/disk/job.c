// SPDX-License-Identifier: GPL-2.0
/*
 * Lists of jobs, and the sink of those that have ended.
 */
#include "disk/job.h"

#include <errno.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <unistd.h>

void job_list_put(struct job_list *list, struct job *job)
{
	job->next = NULL;
	if (list->first)
		list->last->next = job;
	else
		list->first = job;
	list->last = job;
}

struct job *job_list_take(struct job_list *list)
{
	struct job *job = list->first;

	if (job)
		list->first = job->next;
	return job;
}

int job_sink_init(struct job_sink *sink)
{
	sink->jobs = (struct job_list){ 0 };
	sink->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (sink->event < 0)
		return -errno;
	pthread_mutex_init(&sink->lock, NULL);
	return 0;
}

void job_sink_fini(struct job_sink *sink)
{
	pthread_mutex_destroy(&sink->lock);
	close(sink->event);
}

void job_sink_put(struct job_sink *sink, struct job *job)
{
	pthread_mutex_lock(&sink->lock);
	job_list_put(&sink->jobs, job);
	/* With the lock held: who takes the last job may free the sink. */
	eventfd_write(sink->event, 1);
	pthread_mutex_unlock(&sink->lock);
}

void job_sink_put_quietly(struct job_sink *sink, struct job *job)
{
	pthread_mutex_lock(&sink->lock);
	job_list_put(&sink->jobs, job);
	pthread_mutex_unlock(&sink->lock);
}

struct job_list job_sink_take(struct job_sink *sink)
{
	struct job_list jobs;

	pthread_mutex_lock(&sink->lock);
	jobs = sink->jobs;
	sink->jobs = (struct job_list){ 0 };
	pthread_mutex_unlock(&sink->lock);
	return jobs;
}
