// SPDX-License-Identifier: Apache-2.0
#include "db/sqlite.h"

#include <stdlib.h>

#include "core/clock.h"

static struct sqlite_job *take(struct sqlite_queue *queue)
{
	struct sqlite_job *job;

	pthread_mutex_lock(&queue->lock);
	while ((job = sqlite_queue_pop_fair(queue)) == NULL && !queue->stopping)
		sqlite_queue_wait(queue, UINT64_MAX);
	pthread_mutex_unlock(&queue->lock);
	return job;
}

static void run(struct sqlite *sqlite, struct sqlite_connection *connection, struct sqlite_job *job)
{
	if (sqlite_connection_is_orphaned(connection)) {
		sqlite_job_fail(job, FAILURE_UNAVAILABLE, sqlite_orphaned_cause);
	} else {
		connection->abandoned = &job->abandoned;
		sqlite_job_run(job, connection);
		connection->abandoned = NULL;
	}
	sqlite_judge(sqlite, job->failure);
}

void *sqlite_reader_main(void *start)
{
	struct sqlite *sqlite = ((struct sqlite_reader_start *)start)->sqlite;
	struct sqlite_connection *connection = ((struct sqlite_reader_start *)start)->connection;
	struct sqlite_job *job;

	free(start);
	while ((job = take(&sqlite->reads)) != NULL) {
		bool is_slow = job->is_slow;

		atomic_fetch_add_explicit(&sqlite->busy, 1, memory_order_relaxed);
		job->begun_ns = clock_now_ns();
		if (!sqlite_job_expire(job, job->begun_ns))
			run(sqlite, connection, job);
		atomic_fetch_sub_explicit(&sqlite->busy, 1, memory_order_relaxed);
		sqlite_job_post(job);
		sqlite_queue_done(&sqlite->reads, is_slow);
	}
	return NULL;
}
