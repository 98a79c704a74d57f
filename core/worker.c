// SPDX-License-Identifier: Apache-2.0
#include "core/worker.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "core/clock.h"
#include "core/secret.h"

/* Workers step back for the loops when cores are short: a loop that wakes runs first. */
enum { WORKER_NICE = 10 };

struct worker_class {
	const char *name;
	size_t queue_max;
	size_t scratch_bytes;
	unsigned thread_count;
	pthread_t *threads;

	pthread_mutex_t lock; /* all below */
	pthread_cond_t work;
	struct worker_job *first, **last;
	size_t queued, running;
	uint64_t done_total, refused_total, expired_total;
	bool closing;
};

static void abandon(struct op *op)
{
	struct worker_job *job = (struct worker_job *)op;

	atomic_store_explicit(&job->abandoned, true, memory_order_relaxed);
}

static const struct op_driver driver = {.name = "worker", .abandon = abandon};

/* Back on the loop: the step reads the job, then it is freed, whoever is still there. */
static void come_back(struct loop *loop, struct loop_message *message)
{
	struct worker_job *job = (struct worker_job *)((char *)message -
		offsetof(struct worker_job, message));

	(void)loop;
	if (job->expired)
		flow_complete_failed(&job->op, FAILURE_DEADLINE, "expired in a worker queue");
	else
		flow_complete(&job->op, job);
	job->free(job);
}

static struct worker_job *take(struct worker_class *class)
{
	struct worker_job *job;

	while (class->first == NULL && !class->closing)
		pthread_cond_wait(&class->work, &class->lock);
	if (class->closing)
		return NULL;
	job = class->first;
	class->first = job->next;
	if (class->first == NULL)
		class->last = &class->first;
	class->queued--;
	class->running++;
	return job;
}

static bool is_stale(struct worker_job *job)
{
	return job->begun_ns > job->deadline_ns ||
		atomic_load_explicit(&job->abandoned, memory_order_relaxed);
}

static void *serve(void *argument)
{
	struct worker_class *class = argument;
	void *scratch = class->scratch_bytes > 0 ? calloc(1, class->scratch_bytes) : NULL;
	struct worker_job *job;

	/* On Linux this is the calling thread's own priority; where it is refused, nothing is lost. */
	setpriority(PRIO_PROCESS, 0, WORKER_NICE);
	pthread_mutex_lock(&class->lock);
	while ((job = take(class)) != NULL) {
		pthread_mutex_unlock(&class->lock);
		job->begun_ns = clock_now_ns();
		job->expired = is_stale(job);
		if (!job->expired)
			job->run(job, scratch);
		job->done_ns = clock_now_ns();
		pthread_mutex_lock(&class->lock);
		class->running--;
		if (job->expired)
			class->expired_total++;
		else
			class->done_total++;
		pthread_mutex_unlock(&class->lock);
		loop_post(job->loop, &job->message); /* the job may be freed from here on */
		pthread_mutex_lock(&class->lock);
	}
	pthread_mutex_unlock(&class->lock);
	if (scratch != NULL)
		secret_wipe(scratch, class->scratch_bytes);
	free(scratch);
	return NULL;
}

static void join_threads(struct worker_class *class)
{
	pthread_mutex_lock(&class->lock);
	class->closing = true;
	pthread_cond_broadcast(&class->work);
	pthread_mutex_unlock(&class->lock);
	for (unsigned i = 0; i < class->thread_count; i++)
		pthread_join(class->threads[i], NULL);
}

static void free_class(struct worker_class *class)
{
	pthread_cond_destroy(&class->work);
	pthread_mutex_destroy(&class->lock);
	free(class->threads);
	free(class);
}

struct worker_class *worker_class_open(
	const char *name, unsigned threads, size_t queue_max, size_t scratch_bytes)
{
	struct worker_class *class = calloc(1, sizeof(*class));

	if (class == NULL)
		return NULL;
	*class = (struct worker_class) {.name = name,
		.queue_max = queue_max,
		.scratch_bytes = scratch_bytes,
		.last = &class->first};
	pthread_mutex_init(&class->lock, NULL);
	pthread_cond_init(&class->work, NULL);
	class->threads = calloc(threads, sizeof(*class->threads));
	if (class->threads == NULL)
		goto fail;
	while (class->thread_count < threads) {
		if (pthread_create(&class->threads[class->thread_count], NULL, serve, class) != 0)
			goto fail;
		class->thread_count++;
	}
	return class;

fail:
	join_threads(class);
	free_class(class);
	return NULL;
}

void worker_class_close(struct worker_class *class)
{
	struct worker_job *job;

	if (class == NULL)
		return;
	join_threads(class);
	while ((job = class->first) != NULL) {
		class->first = job->next;
		job->free(job);
	}
	free_class(class);
}

struct worker_stats worker_class_stats(struct worker_class *class)
{
	struct worker_stats stats;

	pthread_mutex_lock(&class->lock);
	stats = (struct worker_stats) {
		.threads = class->thread_count,
		.running = class->running,
		.queued = class->queued,
		.queue_max = class->queue_max,
		.done_total = class->done_total,
		.refused_total = class->refused_total,
		.expired_total = class->expired_total,
	};
	pthread_mutex_unlock(&class->lock);
	return stats;
}

static bool enqueue(struct worker_class *class, struct worker_job *job)
{
	bool accepted;

	pthread_mutex_lock(&class->lock);
	accepted = class->queued < class->queue_max;
	if (accepted) {
		*class->last = job;
		class->last = &job->next;
		class->queued++;
		pthread_cond_signal(&class->work);
	} else {
		class->refused_total++;
	}
	pthread_mutex_unlock(&class->lock);
	return accepted;
}

enum flow_verdict worker_submit(struct flow *flow, struct worker_class *class,
	struct worker_job *job, worker_run_fn *run, worker_free_fn *free_job)
{
	job->loop = flow->loop;
	job->class = class;
	job->next = NULL;
	job->message.run = come_back;
	job->run = run;
	job->free = free_job;
	job->deadline_ns = flow->deadline_ns;
	job->queued_ns = clock_now_ns();
	if (!enqueue(class, job)) {
		free_job(job);
		return flow_fail(flow, FAILURE_BUSY, class->name);
	}
	return flow_wait(flow, &job->op, &driver);
}

struct worker_job *worker_result(struct flow *flow)
{
	assert(flow->result_driver == &driver);
	return flow->result;
}

void *worker_job_new(size_t size)
{
	void *job = calloc(1, size);

	if (job == NULL)
		abort();
	return job;
}

void worker_job_delete(void *job, size_t size)
{
	secret_wipe(job, size);
	free(job);
}
