// SPDX-License-Identifier: Apache-2.0
#include "db/sqlite.h"

#include <time.h>

#include "core/clock.h"

enum { NS_PER_SECOND = 1000000000 };

void sqlite_queue_init(struct sqlite_queue *queue, size_t max)
{
	pthread_condattr_t attributes;

	*queue = (struct sqlite_queue) {.max = max, .next_expiry_ns = UINT64_MAX};
	pthread_mutex_init(&queue->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&queue->changed, &attributes);
	pthread_condattr_destroy(&attributes);
}

void sqlite_queue_deinit(struct sqlite_queue *queue)
{
	pthread_cond_destroy(&queue->changed);
	pthread_mutex_destroy(&queue->lock);
}

static uint64_t expiry_ns(const struct sqlite_job *job)
{
	return job->acquire_by_ns < job->flow_deadline_ns ? job->acquire_by_ns
							  : job->flow_deadline_ns;
}

static void unlink_job(struct sqlite_queue *queue, struct sqlite_job *job)
{
	if (job->previous != NULL)
		job->previous->next = job->next;
	else
		queue->first = job->next;
	if (job->next != NULL)
		job->next->previous = job->previous;
	else
		queue->last = job->previous;
	job->next = job->previous = NULL;
	job->queued = false;
	queue->count--;
}

bool sqlite_queue_push(struct sqlite_queue *queue, struct sqlite_job *job)
{
	bool room;

	pthread_mutex_lock(&queue->lock);
	room = queue->count < queue->max && !queue->stopping;
	if (room) {
		job->next = NULL;
		job->previous = queue->last;
		if (queue->last != NULL)
			queue->last->next = job;
		else
			queue->first = job;
		queue->last = job;
		queue->count++;
		job->queued = true;
		if (expiry_ns(job) < queue->next_expiry_ns)
			queue->next_expiry_ns = expiry_ns(job);
		pthread_cond_signal(&queue->changed);
	}
	pthread_mutex_unlock(&queue->lock);
	return room;
}

bool sqlite_queue_remove(struct sqlite_queue *queue, struct sqlite_job *job)
{
	bool was_queued;

	pthread_mutex_lock(&queue->lock);
	was_queued = job->queued;
	if (was_queued)
		unlink_job(queue, job);
	pthread_mutex_unlock(&queue->lock);
	return was_queued;
}

void sqlite_queue_stop(struct sqlite_queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->stopping = true;
	pthread_cond_broadcast(&queue->changed);
	pthread_mutex_unlock(&queue->lock);
}

struct sqlite_job *sqlite_queue_pop(struct sqlite_queue *queue)
{
	struct sqlite_job *job = queue->first;

	if (job != NULL)
		unlink_job(queue, job);
	return job;
}

struct sqlite_job *sqlite_queue_pop_fair(struct sqlite_queue *queue)
{
	struct sqlite_job *job = queue->first;

	if (queue->slow_running >= queue->slow_max && !queue->stopping)
		while (job != NULL && job->is_slow)
			job = job->next;
	if (job == NULL)
		return NULL;
	unlink_job(queue, job);
	queue->slow_running += job->is_slow;
	return job;
}

void sqlite_queue_done(struct sqlite_queue *queue, bool was_slow)
{
	if (!was_slow)
		return;
	pthread_mutex_lock(&queue->lock);
	queue->slow_running--;
	/* one that was passed over may run now, and this thread may not be the one that looks */
	pthread_cond_signal(&queue->changed);
	pthread_mutex_unlock(&queue->lock);
}

bool sqlite_job_expire(struct sqlite_job *job, uint64_t now_ns)
{
	if (now_ns >= job->flow_deadline_ns) {
		sqlite_job_fail(job, FAILURE_DEADLINE, "the time was up before its turn came");
		return true;
	}
	if (now_ns >= job->acquire_by_ns) {
		sqlite_job_fail(job, FAILURE_BUSY, "waited too long for its turn");
		return true;
	}
	return false;
}

struct sqlite_job *sqlite_queue_take_expired(struct sqlite_queue *queue, uint64_t now_ns)
{
	struct sqlite_job *expired = NULL;
	struct sqlite_job *next;

	if (now_ns < queue->next_expiry_ns)
		return NULL;
	queue->next_expiry_ns = UINT64_MAX;
	for (struct sqlite_job *job = queue->first; job != NULL; job = next) {
		next = job->next;
		if (sqlite_job_expire(job, now_ns)) {
			unlink_job(queue, job);
			job->next = expired;
			expired = job;
		} else if (expiry_ns(job) < queue->next_expiry_ns) {
			queue->next_expiry_ns = expiry_ns(job);
		}
	}
	return expired;
}

void sqlite_queue_wait(struct sqlite_queue *queue, uint64_t until_ns)
{
	struct timespec until = {
		.tv_sec = (time_t)(until_ns / NS_PER_SECOND),
		.tv_nsec = (long)(until_ns % NS_PER_SECOND),
	};

	if (until_ns == UINT64_MAX)
		pthread_cond_wait(&queue->changed, &queue->lock);
	else
		pthread_cond_timedwait(&queue->changed, &queue->lock, &until);
}
