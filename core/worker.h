// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * worker - bounded threads for work that blocks or burns: argon2, SQLite, image work. Each class has
 * its own threads and its own bounded queue (bulkheads), so that one cannot starve another. A full
 * queue is an early FAILURE_BUSY, never a wait.
 */

#include <stddef.h>
#include <stdint.h>

#include "core/flow.h"

struct worker_class;
struct worker_job;

/* On a worker thread. Touches nothing but the job. `scratch` is the thread's own memory of the class's
 * scratch_bytes, kept between jobs (argon2's blocks); NULL when there was no memory for it. */
typedef void worker_run_fn(struct worker_job *job, void *scratch);
/* On the loop's thread, exactly once per submitted job, flow gone or not: wipe and free the job.
 * Called after the step that read the result has returned. */
typedef void worker_free_fn(struct worker_job *job);

/* Embedded in the caller's heap-allocated job; owned by the class from worker_submit to free. */
struct worker_job {
	struct op op;
	struct loop_message message;
	struct loop *loop;
	struct worker_class *class;
	struct worker_job *next;
	worker_run_fn *run;
	worker_free_fn *free;
	uint64_t deadline_ns; /* a job still queued then is dropped unrun */
	_Atomic(bool) abandoned;
	bool expired;
	uint64_t queued_ns, begun_ns, done_ns;
};

/* A zeroed job of `size` bytes on the heap; aborts when the machine has no memory. worker_job_delete wipes it
 * before freeing: a job may hold secrets. */
void *worker_job_new(size_t size);
void worker_job_delete(void *job, size_t size);

struct worker_stats {
	size_t threads, running, queued, queue_max;
	uint64_t done_total, refused_total, expired_total;
};

/* NULL when threads cannot be started. name is kept, not copied. */
struct worker_class *worker_class_open(
	const char *name, unsigned threads, size_t queue_max, size_t scratch_bytes);
/* After every loop has stopped: finishes what runs, frees what is queued, joins the threads. */
void worker_class_close(struct worker_class *class);
struct worker_stats worker_class_stats(struct worker_class *class); /* any thread */

/* Loop thread. Completes the flow with the job as result; a full queue fails it with FAILURE_BUSY
 * (the job is freed). Returns the verdict for the step. */
enum flow_verdict worker_submit(struct flow *flow, struct worker_class *class,
	struct worker_job *job, worker_run_fn *run, worker_free_fn *free);
/* The job that just completed, in the step after the wait. */
struct worker_job *worker_result(struct flow *flow);
