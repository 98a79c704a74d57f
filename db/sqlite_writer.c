// SPDX-License-Identifier: Apache-2.0
/*
 * sqlite_writer - the one thread that writes. Autocommit writes are run in groups that share a transaction and
 * are answered after its commit; each has a savepoint, so that one failure never touches another. When
 * SQLite rolls the whole group back (disk full, an interrupted write), its members run again, one by one.
 */
#include "db/sqlite.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"

enum { OPTIMIZE_INTERVAL_S = 3600 };

#define NS_PER_SECOND UINT64_C(1000000000)

struct group {
	struct sqlite_job *jobs[SQLITE_GROUP_MAX];
	size_t count;
};

/* ---- the lock of the file ------------------------------------------------------------------- */

static void fail_with_error(
	struct sqlite *sqlite, struct sqlite_job *job, const char *what, int code)
{
	char cause[SQLITE_CAUSE_MAX];

	snprintf(cause, sizeof(cause), "%s: %s", what,
		code == SQLITE_READONLY_DBMOVED ? sqlite_orphaned_cause
						: sqlite3_errmsg(sqlite->writer.handle));
	sqlite_job_reset(job);
	sqlite_job_fail(job, sqlite_failure(code), cause);
	sqlite_judge(sqlite, job->failure);
}

static bool has_gone(struct sqlite_job *job)
{
	return atomic_load_explicit(&job->abandoned, memory_order_relaxed);
}

static void roll_back(struct sqlite *sqlite)
{
	if (sqlite3_get_autocommit(sqlite->writer.handle) == 0)
		sqlite_connection_run(sqlite->writer.rollback);
}

/* Waits for another process's lock until the deadline. */
static int begin(struct sqlite *sqlite, uint64_t deadline_ns, const _Atomic(bool) *abandoned)
{
	int code;

	if (sqlite_connection_is_orphaned(&sqlite->writer))
		return SQLITE_READONLY_DBMOVED;
	sqlite->writer.deadline_ns = deadline_ns;
	sqlite->writer.abandoned = abandoned;
	code = sqlite_connection_run(sqlite->writer.begin);
	sqlite->writer.abandoned = NULL;
	sqlite->writer.deadline_ns = UINT64_MAX;
	return code;
}

/* ---- groups ---------------------------------------------------------------------------------- */

static void post_all(struct group *group)
{
	for (size_t i = 0; i < group->count; i++)
		sqlite_job_post(group->jobs[i]);
	group->count = 0;
}

/* Posts those whose flow has gone: nothing of theirs has begun. */
static void drop_gone(struct group *group)
{
	size_t kept = 0;

	for (size_t i = 0; i < group->count; i++) {
		if (has_gone(group->jobs[i]))
			sqlite_job_post(group->jobs[i]);
		else
			group->jobs[kept++] = group->jobs[i];
	}
	group->count = kept;
}

static uint64_t nearest_deadline(const struct group *group, size_t *index_out)
{
	uint64_t nearest_ns = UINT64_MAX;

	*index_out = 0;
	for (size_t i = 0; i < group->count; i++) {
		uint64_t deadline_ns = group->jobs[i]->flow_deadline_ns;

		if (group->jobs[i]->statement_timeout_ns != UINT64_MAX &&
			group->jobs[i]->begun_ns + group->jobs[i]->statement_timeout_ns <
				deadline_ns)
			deadline_ns = group->jobs[i]->begun_ns +
				group->jobs[i]->statement_timeout_ns;
		if (deadline_ns < nearest_ns) {
			nearest_ns = deadline_ns;
			*index_out = i;
		}
	}
	return nearest_ns;
}

/* False: nobody is left, each has its answer. */
static bool begin_group(struct sqlite *sqlite, struct group *group)
{
	for (;;) {
		uint64_t deadline_ns;
		size_t nearest;
		int code;

		drop_gone(group);
		if (group->count == 0)
			return false;
		deadline_ns = nearest_deadline(group, &nearest);
		code = begin(sqlite, deadline_ns, NULL);
		if (code == SQLITE_DONE) {
			/* the wait may have been long */
			drop_gone(group);
			if (group->count == 0)
				roll_back(sqlite);
			return group->count > 0;
		}
		if (sqlite_failure(code) == FAILURE_BUSY && !atomic_load(&sqlite->stopping)) {
			sqlite_job_fail(group->jobs[nearest], FAILURE_BUSY,
				"another process holds the database's write lock");
			sqlite_job_post(group->jobs[nearest]);
			group->jobs[nearest] = group->jobs[--group->count];
			continue;
		}
		for (size_t i = 0; i < group->count; i++)
			fail_with_error(sqlite, group->jobs[i], "begin", code);
		post_all(group);
		return false;
	}
}

/* Alone in its transaction. */
static void run_alone(struct sqlite *sqlite, struct sqlite_job *job)
{
	struct group group = {.jobs = {job}, .count = 1};
	int code;

	if (!begin_group(sqlite, &group))
		return;
	sqlite_job_run(job, &sqlite->writer);
	sqlite_judge(sqlite, job->failure);
	if (job->failure == FAILURE_NONE && job->result.outcome == DB_OK) {
		code = sqlite_connection_run(sqlite->writer.commit);
		if (code != SQLITE_DONE)
			fail_with_error(sqlite, job, "commit", code);
	}
	roll_back(sqlite);
	sqlite_job_post(job);
}

/* The group's transaction is gone. `culprit` has its failure; the others have nothing yet. */
static void run_again(struct sqlite *sqlite, struct group *group, const struct sqlite_job *culprit)
{
	roll_back(sqlite);
	for (size_t i = 0; i < group->count; i++) {
		if (group->jobs[i] == culprit) {
			sqlite_job_post(group->jobs[i]);
		} else {
			sqlite_job_reset(group->jobs[i]);
			run_alone(sqlite, group->jobs[i]);
		}
	}
	group->count = 0;
}

/* True when the group's transaction still stands. */
static bool run_with_savepoint(struct sqlite *sqlite, struct sqlite_job *job)
{
	struct sqlite_connection *writer = &sqlite->writer;

	if (has_gone(job))
		return true;
	if (sqlite_connection_run(writer->savepoint) != SQLITE_DONE) {
		sqlite_job_fail(job, FAILURE_INTERNAL, "no savepoint");
		return false;
	}
	sqlite_job_run(job, writer);
	sqlite_judge(sqlite, job->failure);
	if (sqlite3_get_autocommit(writer->handle) != 0)
		return false;
	if (job->failure != FAILURE_NONE || job->result.outcome != DB_OK)
		sqlite_connection_run(writer->rollback_to);
	sqlite_connection_run(writer->release);
	return true;
}

static void run_group(struct sqlite *sqlite, struct group *group)
{
	if (group->count == 1) {
		run_alone(sqlite, group->jobs[0]);
		return;
	}
	if (!begin_group(sqlite, group))
		return;
	for (size_t i = 0; i < group->count; i++) {
		if (!run_with_savepoint(sqlite, group->jobs[i])) {
			run_again(sqlite, group, group->jobs[i]);
			return;
		}
	}
	if (sqlite_connection_run(sqlite->writer.commit) != SQLITE_DONE)
		run_again(sqlite, group, NULL);
	else
		post_all(group);
}

/* ---- transactions ---------------------------------------------------------------------------- */

void sqlite_transaction_leave(struct sqlite_transaction *transaction, bool writer)
{
	struct sqlite_queue *queue = transaction->queue;
	bool is_last;

	pthread_mutex_lock(&queue->lock);
	if (writer)
		transaction->writer_left = true;
	else
		transaction->flow_left = true;
	is_last = transaction->writer_left && transaction->flow_left;
	pthread_mutex_unlock(&queue->lock);
	if (is_last)
		free(transaction);
}

/* While the flow thinks, those who wait behind it may have waited too long. */
static void post_expired(struct sqlite_queue *queue, uint64_t now_ns)
{
	struct sqlite_job *expired = sqlite_queue_take_expired(queue, now_ns);

	while (expired != NULL) {
		struct sqlite_job *next = expired->next;

		sqlite_job_post(expired);
		expired = next;
	}
}

/* The same while another process has the lock. */
static void expire_waiting(struct sqlite_connection *connection)
{
	struct sqlite *sqlite = (struct sqlite *)((char *)connection -
		offsetof(struct sqlite, writer));

	pthread_mutex_lock(&sqlite->writes.lock);
	post_expired(&sqlite->writes, clock_now_ns());
	pthread_mutex_unlock(&sqlite->writes.lock);
}

/* The flow's next operation; NULL: roll back. */
static struct sqlite_job *take_mail(struct sqlite *sqlite, struct sqlite_transaction *transaction)
{
	struct sqlite_queue *queue = &sqlite->writes;
	struct sqlite_job *job = NULL;

	pthread_mutex_lock(&queue->lock);
	for (;;) {
		uint64_t now_ns = clock_now_ns();
		uint64_t until_ns = transaction->limit_ns;

		job = transaction->mail;
		transaction->mail = NULL;
		if (job != NULL || transaction->released || queue->stopping)
			break;
		if (now_ns >= transaction->limit_ns) {
			transaction->lost = true;
			break;
		}
		post_expired(queue, now_ns);
		if (queue->next_expiry_ns < until_ns)
			until_ns = queue->next_expiry_ns;
		sqlite_queue_wait(queue, until_ns);
	}
	pthread_mutex_unlock(&queue->lock);
	return job;
}

static void lose(struct sqlite *sqlite, struct sqlite_transaction *transaction)
{
	pthread_mutex_lock(&sqlite->writes.lock);
	transaction->lost = true;
	pthread_mutex_unlock(&sqlite->writes.lock);
}

static void run_in_transaction(struct sqlite *sqlite, struct sqlite_job *job)
{
	if (has_gone(job))
		return;
	sqlite->writer.abandoned = &job->abandoned;
	if (job->flow_deadline_ns > job->transaction->limit_ns)
		job->flow_deadline_ns = job->transaction->limit_ns;
	sqlite_job_run(job, &sqlite->writer);
	sqlite->writer.abandoned = NULL;
	sqlite_judge(sqlite, job->failure);
	if (sqlite3_get_autocommit(sqlite->writer.handle) != 0 && job->failure == FAILURE_NONE)
		sqlite_job_fail(job, FAILURE_INTERNAL, "the statement ended its transaction");
}

static void end_in_transaction(struct sqlite *sqlite, struct sqlite_job *job)
{
	int code;

	if (has_gone(job) || job->kind == SQLITE_JOB_ROLLBACK)
		return;
	code = sqlite_connection_run(sqlite->writer.commit);
	if (code != SQLITE_DONE)
		fail_with_error(sqlite, job, "commit", code);
}

/* Until the flow commits, rolls back or goes. */
static void lend_writer(struct sqlite *sqlite, struct sqlite_transaction *transaction)
{
	struct sqlite_job *last = NULL;
	struct sqlite_job *job;

	while (last == NULL && (job = take_mail(sqlite, transaction)) != NULL) {
		job->begun_ns = clock_now_ns();
		if (job->kind != SQLITE_JOB_QUERY) {
			end_in_transaction(sqlite, job);
			last = job;
			break;
		}
		run_in_transaction(sqlite, job);
		if (sqlite3_get_autocommit(sqlite->writer.handle) != 0) {
			lose(sqlite, transaction);
			last = job;
			break;
		}
		sqlite_job_post(job);
	}
	roll_back(sqlite);
	sqlite_transaction_leave(transaction, true);
	if (last != NULL)
		sqlite_job_post(last);
}

/* A begin that failed leaves the transaction to the loop alone, see settle_begin in sqlite.c. */
static void serve_transaction(struct sqlite *sqlite, struct sqlite_job *job)
{
	struct sqlite_transaction *transaction = job->transaction;
	int code;

	if (has_gone(job)) {
		sqlite_job_fail(job, FAILURE_CLIENT_GONE, "its flow has gone");
		sqlite_job_post(job);
		return;
	}
	code = begin(sqlite, sqlite_job_deadline_ns(job), &job->abandoned);
	if (code == SQLITE_DONE) {
		transaction->limit_ns = job->flow_deadline_ns;
		if (transaction->limit_ns == UINT64_MAX)
			transaction->limit_ns = clock_now_ns() +
				(uint64_t)SQLITE_TRANSACTION_MAX_MS * (NS_PER_SECOND / 1000);
		sqlite_judge(sqlite, FAILURE_NONE);
		sqlite_job_post(job);
		lend_writer(sqlite, transaction);
		return;
	}
	if (sqlite_failure(code) == FAILURE_BUSY)
		sqlite_job_fail(
			job, FAILURE_BUSY, "another process holds the database's write lock");
	else
		fail_with_error(sqlite, job, "begin", code);
	sqlite_job_post(job);
}

/* ---- the thread ------------------------------------------------------------------------------ */

/* Statistics for the planner, where SQLite thinks them worth it. Another process's lock: next time. */
static void optimize(struct sqlite *sqlite)
{
	sqlite->writer.deadline_ns = clock_now_ns() + NS_PER_SECOND;
	sqlite3_exec(sqlite->writer.handle, "PRAGMA optimize", NULL, NULL, NULL);
	sqlite->writer.deadline_ns = UINT64_MAX;
}

/* Waits for work: either one begin or a group of writes. Empty: an hour without work, or the end. */
static void take_group(struct sqlite_queue *queue, struct group *group)
{
	uint64_t until_ns = clock_now_ns() + OPTIMIZE_INTERVAL_S * NS_PER_SECOND;
	uint64_t now_ns;

	group->count = 0;
	pthread_mutex_lock(&queue->lock);
	while (queue->first == NULL && !queue->stopping && clock_now_ns() < until_ns)
		sqlite_queue_wait(queue, until_ns);
	now_ns = clock_now_ns();
	while (queue->first != NULL && group->count < SQLITE_GROUP_MAX) {
		bool is_begin = queue->first->kind == SQLITE_JOB_BEGIN;
		struct sqlite_job *job;

		if (is_begin && group->count > 0)
			break;
		job = sqlite_queue_pop(queue);
		job->begun_ns = now_ns;
		group->jobs[group->count++] = job;
		if (is_begin)
			break;
	}
	pthread_mutex_unlock(&queue->lock);
}

static void post_late(struct group *group)
{
	size_t kept = 0;

	for (size_t i = 0; i < group->count; i++) {
		struct sqlite_job *job = group->jobs[i];

		if (sqlite_job_expire(job, job->begun_ns))
			sqlite_job_post(job);
		else
			group->jobs[kept++] = job;
	}
	group->count = kept;
}

static bool is_stopping(struct sqlite_queue *queue)
{
	bool stopping;

	pthread_mutex_lock(&queue->lock);
	stopping = queue->stopping && queue->first == NULL;
	pthread_mutex_unlock(&queue->lock);
	return stopping;
}

void *sqlite_writer_main(void *context)
{
	struct sqlite *sqlite = context;
	struct group group;

	sqlite->writer.while_busy = expire_waiting;
	while (!is_stopping(&sqlite->writes)) {
		take_group(&sqlite->writes, &group);
		if (group.count == 0) {
			optimize(sqlite);
			continue;
		}
		atomic_fetch_add_explicit(&sqlite->busy, 1, memory_order_relaxed);
		post_late(&group);
		if (group.count == 1 && group.jobs[0]->kind == SQLITE_JOB_BEGIN)
			serve_transaction(sqlite, group.jobs[0]);
		else if (group.count > 0)
			run_group(sqlite, &group);
		atomic_fetch_sub_explicit(&sqlite->busy, 1, memory_order_relaxed);
	}
	optimize(sqlite);
	return NULL;
}
