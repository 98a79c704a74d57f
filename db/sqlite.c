// SPDX-License-Identifier: Apache-2.0
/*
 * sqlite - the engine's table: opening, threads, and the loop's side of every job. What runs on the threads
 * is in sqlite_writer.c and sqlite_reader.c.
 */
#include "db/sqlite.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"

enum { WAIT_WORTH_MEASURING_NS = 1000000 };

static struct sqlite_loop *loop_of(const struct flow *flow)
{
	return (struct sqlite_loop *)flow->loop->db;
}

static struct sqlite *sqlite_of(const struct sqlite_loop *loop)
{
	return loop->base.db->state;
}

/* ---- coming back ----------------------------------------------------------------------------- */

static const char *error_label(const struct sqlite_job *job)
{
	if (job->failure != FAILURE_NONE)
		return failure_name(job->failure);
	switch (job->result.outcome) {
	case DB_OK:
		return NULL;
	case DB_UNIQUE_VIOLATION:
		return "unique_violation";
	case DB_FOREIGN_KEY_VIOLATION:
		return "foreign_key_violation";
	}
	return NULL;
}

static void observe(struct sqlite_job *job)
{
	struct db_loop *db_loop = &job->loop->base;
	struct db_statement_info *info;
	uint64_t begun_ns = job->begun_ns != 0 ? job->begun_ns : job->done_ns;
	uint64_t started_ns = job->op.started_ns;

	/* A quick thread may be done before flow_wait looks at the clock. */
	if (started_ns > job->done_ns)
		started_ns = job->done_ns;
	if (begun_ns > started_ns + WAIT_WORTH_MEASURING_NS)
		db_wait_observe(db_loop, begun_ns - started_ns);
	if (job->statement == NULL)
		return;
	info = db_statement_info(db_loop, job->statement);
	if (info == NULL)
		return;
	if (job->begun_ns != 0)
		db_statement_learn(db_loop, info, job->done_ns - job->begun_ns);
	db_statement_observe(
		db_loop, info, job->op.flow, job->done_ns - started_ns, error_label(job));
}

/* A begin has come back: the transaction is the flow's, or nobody's. */
static void settle_begin(struct sqlite_job *job)
{
	struct flow *flow = job->op.flow;

	if (job->failure != FAILURE_NONE)
		free(job->transaction);
	else if (flow != NULL)
		flow->hold = &job->transaction->hold;
	else
		sqlite_transaction_leave(job->transaction, false);
}

/* A commit or rollback has: the flow holds nothing any more. Gone, it has left already. */
static void settle_end(struct sqlite_job *job)
{
	if (job->op.flow == NULL)
		return;
	job->op.flow->hold = NULL;
	sqlite_transaction_leave(job->transaction, false);
}

static void settle(struct sqlite_job *job)
{
	switch (job->kind) {
	case SQLITE_JOB_QUERY:
		break;
	case SQLITE_JOB_BEGIN:
		settle_begin(job);
		break;
	case SQLITE_JOB_COMMIT:
	case SQLITE_JOB_ROLLBACK:
		settle_end(job);
		break;
	}
}

static void come_back(struct loop *loop, struct loop_message *message)
{
	struct sqlite_job *job = (struct sqlite_job *)((char *)message -
		offsetof(struct sqlite_job, message));

	timer_clear(&job->waiting);
	observe(job);
	settle(job);
	if (job->failure != FAILURE_NONE)
		flow_complete_failed(&job->op, job->failure, job->cause);
	else
		flow_complete(&job->op, &job->result);
	sqlite_job_free(job);
}

/* ---- leaving early --------------------------------------------------------------------------- */

static bool take_back_mail(struct sqlite_job *job)
{
	struct sqlite_transaction *transaction = job->transaction;
	bool was_there;

	if (transaction == NULL || job->kind == SQLITE_JOB_BEGIN)
		return false;
	pthread_mutex_lock(&transaction->queue->lock);
	was_there = transaction->mail == job;
	if (was_there)
		transaction->mail = NULL;
	pthread_mutex_unlock(&transaction->queue->lock);
	return was_there;
}

static void release_transaction(struct sqlite_transaction *transaction)
{
	pthread_mutex_lock(&transaction->queue->lock);
	transaction->released = true;
	pthread_cond_signal(&transaction->queue->changed);
	pthread_mutex_unlock(&transaction->queue->lock);
}

/* What no thread has begun is freed at once, and makes room in its queue. */
static void abandon(struct op *op)
{
	struct sqlite_job *job = (struct sqlite_job *)op;

	timer_clear(&job->waiting);
	if (sqlite_queue_remove(job->queue, job)) {
		if (job->kind == SQLITE_JOB_BEGIN)
			free(job->transaction);
		sqlite_job_free(job);
		return;
	}
	if (take_back_mail(job)) {
		sqlite_job_free(job);
		return;
	}
	atomic_store_explicit(&job->abandoned, true, memory_order_relaxed);
	if (job->kind == SQLITE_JOB_BEGIN)
		release_transaction(job->transaction);
}

static void hold_release(struct flow_hold *hold)
{
	struct sqlite_transaction *transaction = (struct sqlite_transaction *)((char *)hold -
		offsetof(struct sqlite_transaction, hold));

	release_transaction(transaction);
	sqlite_transaction_leave(transaction, false);
}

static const struct op_driver driver = {.name = "sqlite", .abandon = abandon};

/* ---- starting -------------------------------------------------------------------------------- */

static enum flow_verdict no_memory(struct flow *flow)
{
	return flow_fail(flow, FAILURE_MEMORY, "no memory for a database job");
}

static enum flow_verdict enqueue(
	struct flow *flow, struct sqlite_queue *queue, struct sqlite_job *job)
{
	job->queue = queue;
	job->message.run = come_back;
	if (!sqlite_queue_push(queue, job)) {
		if (job->kind == SQLITE_JOB_BEGIN)
			free(job->transaction);
		sqlite_job_free(job);
		return flow_fail(flow, FAILURE_BUSY, "the database's queue is full");
	}
	return flow_wait(flow, &job->op, &driver);
}

/* To the writer that waits for this flow alone. */
static enum flow_verdict mail(struct flow *flow, struct sqlite_job *job)
{
	struct sqlite_transaction *transaction = (struct sqlite_transaction *)flow->hold;
	struct sqlite_queue *queue = transaction->queue;
	bool lost;

	job->queue = queue;
	job->message.run = come_back;
	job->transaction = transaction;
	pthread_mutex_lock(&queue->lock);
	lost = transaction->lost || queue->stopping;
	if (!lost) {
		transaction->mail = job;
		pthread_cond_signal(&queue->changed);
	}
	pthread_mutex_unlock(&queue->lock);
	if (lost) {
		sqlite_job_free(job);
		return flow_fail(flow, FAILURE_DEADLINE,
			"the transaction took too long and was rolled back");
	}
	return flow_wait(flow, &job->op, &driver);
}

static bool in_transaction(const struct flow *flow)
{
	return flow->hold != NULL && flow->hold->release == hold_release;
}

static bool is_slow(const struct sqlite_job *job)
{
	const struct db_statement_info *info = db_statement_info(&job->loop->base, job->statement);

	return info != NULL ? info->is_slow : job->statement->slow;
}

/* The writer looks by itself who has waited too long; readers may all be busy for longer. */
static void on_waited_too_long(struct timer *timer)
{
	struct sqlite_job *job = (struct sqlite_job *)((char *)timer -
		offsetof(struct sqlite_job, waiting));

	if (!sqlite_queue_remove(job->queue, job))
		return;
	sqlite_job_fail(job, FAILURE_BUSY, "waited too long for its turn");
	job->done_ns = clock_now_ns();
	come_back(job->loop->base.loop, &job->message);
}

static enum flow_verdict queue_read(struct flow *flow, struct sqlite_job *job)
{
	struct sqlite_loop *loop = job->loop;
	int64_t acquire_timeout_ms = loop->base.db->settings.acquire_timeout_ms;
	enum flow_verdict verdict;

	timer_init(&job->waiting, on_waited_too_long);
	job->is_slow = is_slow(job);
	verdict = enqueue(flow, &sqlite_of(loop)->reads, job);
	if (verdict == FLOW_WAIT && acquire_timeout_ms > 0)
		timer_set(loop->base.loop, &job->waiting, (uint64_t)acquire_timeout_ms);
	return verdict;
}

static enum flow_verdict query(struct flow *flow, const struct db_statement *statement,
	const struct db_value *values, size_t value_count)
{
	struct sqlite *sqlite = sqlite_of(loop_of(flow));
	struct sqlite_job *job = sqlite_job_new(
		flow, SQLITE_JOB_QUERY, statement, values, value_count);

	if (job == NULL)
		return no_memory(flow);
	if (in_transaction(flow))
		return mail(flow, job);
	if (statement->reads && !sqlite->in_memory)
		return queue_read(flow, job);
	return enqueue(flow, &sqlite->writes, job);
}

static enum flow_verdict begin(struct flow *flow)
{
	struct sqlite *sqlite = sqlite_of(loop_of(flow));
	struct sqlite_job *job = sqlite_job_new(flow, SQLITE_JOB_BEGIN, NULL, NULL, 0);

	if (job == NULL)
		return no_memory(flow);
	job->transaction = calloc(1, sizeof(*job->transaction));
	if (job->transaction == NULL) {
		sqlite_job_free(job);
		return no_memory(flow);
	}
	job->transaction->hold.release = hold_release;
	job->transaction->queue = &sqlite->writes;
	return enqueue(flow, &sqlite->writes, job);
}

static enum flow_verdict end(struct flow *flow, enum sqlite_job_kind kind)
{
	struct sqlite_job *job = sqlite_job_new(flow, kind, NULL, NULL, 0);

	return job == NULL ? no_memory(flow) : mail(flow, job);
}

static enum flow_verdict commit(struct flow *flow)
{
	return end(flow, SQLITE_JOB_COMMIT);
}

static enum flow_verdict rollback(struct flow *flow)
{
	return end(flow, SQLITE_JOB_ROLLBACK);
}

/* ---- threads --------------------------------------------------------------------------------- */

/* Signals are the main thread's business. */
static bool start_thread(pthread_t *thread, void *(*run)(void *), void *argument, const char *name)
{
	sigset_t all, old;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	error = pthread_create(thread, NULL, run, argument);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (error != 0)
		return false;
	pthread_setname_np(*thread, name);
	return true;
}

static bool start_reader(struct sqlite *sqlite, unsigned index)
{
	struct sqlite_reader_start *start = malloc(sizeof(*start));

	if (start == NULL)
		return false;
	*start = (struct sqlite_reader_start) {sqlite, &sqlite->readers[index]};
	if (start_thread(
		    &sqlite->reader_threads[index], sqlite_reader_main, start, "sqlite-reader")) {
		sqlite->readers_started++;
		return true;
	}
	free(start);
	return false;
}

static bool start_threads(struct sqlite *sqlite)
{
	sqlite->writer_started = start_thread(
		&sqlite->writer_thread, sqlite_writer_main, sqlite, "sqlite-writer");
	if (!sqlite->writer_started)
		return false;
	for (unsigned i = 0; i < sqlite->reader_count; i++)
		if (!start_reader(sqlite, i))
			return false;
	return true;
}

/* Finishes what is queued, then joins. Idempotent; main thread. */
static void stop_threads(struct sqlite *sqlite)
{
	atomic_store(&sqlite->stopping, true);
	sqlite_queue_stop(&sqlite->reads);
	sqlite_queue_stop(&sqlite->writes);
	for (; sqlite->readers_started > 0; sqlite->readers_started--)
		pthread_join(sqlite->reader_threads[sqlite->readers_started - 1], NULL);
	if (sqlite->writer_started)
		pthread_join(sqlite->writer_thread, NULL);
	sqlite->writer_started = false;
}

void sqlite_judge(struct sqlite *sqlite, enum failure failure)
{
	bool is_down = failure == FAILURE_UNAVAILABLE;

	if (atomic_load_explicit(&sqlite->up, memory_order_relaxed) == is_down)
		atomic_store_explicit(&sqlite->up, !is_down, memory_order_relaxed);
}

/* ---- life ------------------------------------------------------------------------------------ */

/* Readers close first: the last connection to close checkpoints the log and removes it. */
static void free_sqlite(struct sqlite *sqlite)
{
	stop_threads(sqlite);
	for (unsigned i = 0; i < sqlite->reader_count; i++)
		sqlite_connection_close(&sqlite->readers[i]);
	sqlite_connection_close(&sqlite->writer);
	sqlite_queue_deinit(&sqlite->reads);
	sqlite_queue_deinit(&sqlite->writes);
	free(sqlite->path);
	free(sqlite);
}

static struct text path_of(const struct sqlite *sqlite)
{
	return text_from_c(sqlite->path);
}

static bool open_connections(
	struct sqlite *sqlite, unsigned readers, struct arena *arena, struct text *error_out)
{
	if (!sqlite_connection_open(
		    &sqlite->writer, path_of(sqlite), SQLITE_ROLE_WRITER, arena, error_out))
		return false;
	sqlite->writer.stopping = &sqlite->stopping;
	if (sqlite->in_memory)
		return true;
	sqlite->reads.slow_max = readers > 1 ? readers - 1 : 1;
	for (unsigned i = 0; i < readers && i < SQLITE_READERS_MAX; i++) {
		if (!sqlite_connection_open(&sqlite->readers[i], path_of(sqlite),
			    SQLITE_ROLE_READER, arena, error_out))
			return false;
		sqlite->readers[i].stopping = &sqlite->stopping;
		sqlite->reader_count++;
	}
	return true;
}

static bool open_sqlite(struct db *db, struct arena *arena, struct text *error_out)
{
	struct text path = db_sqlite_path(db->url, db->data_dir, arena);
	struct sqlite *sqlite = calloc(1, sizeof(*sqlite));
	unsigned readers = db->settings.sqlite_readers > 0 ? (unsigned)db->settings.sqlite_readers
							   : 2;

	*error_out = TEXT("the machine has no memory");
	if (sqlite == NULL)
		return false;
	sqlite_queue_init(&sqlite->reads, (size_t)db->settings.queue_max);
	sqlite_queue_init(&sqlite->writes, (size_t)db->settings.queue_max);
	sqlite->in_memory = sqlite_path_is_memory(path);
	sqlite->path = text_is_absent(path) ? NULL : strndup(path.data, path.len);
	atomic_init(&sqlite->up, true);
	if (sqlite->path == NULL || !sqlite_file_prepare(path, db->data_dir, arena, error_out) ||
		!open_connections(sqlite, readers, arena, error_out))
		goto fail;
	if (!start_threads(sqlite)) {
		*error_out = TEXT("cannot start the threads of SQLite");
		goto fail;
	}
	db->state = sqlite;
	return true;

fail:
	free_sqlite(sqlite);
	return false;
}

static void close_sqlite(struct db *db)
{
	free_sqlite(db->state);
	db->state = NULL;
}

static bool probe(const struct db_settings *settings, struct text data_dir, struct arena *arena,
	struct text *error_out)
{
	struct text path = db_sqlite_path(settings->url, data_dir, arena);
	struct sqlite_connection connection;

	if (!sqlite_file_prepare(path, data_dir, arena, error_out) ||
		!sqlite_connection_open(&connection, path, SQLITE_ROLE_WRITER, arena, error_out))
		return false;
	sqlite_connection_close(&connection);
	return true;
}

static struct text describe(const struct db *db, struct arena *arena)
{
	const struct sqlite *sqlite = db->state;

	if (sqlite->in_memory)
		return TEXT("SQLite in memory");
	return arena_printf(arena, "SQLite %s", sqlite->path);
}

static bool is_up(const struct db *db)
{
	const struct sqlite *sqlite = db->state;

	return atomic_load_explicit(&sqlite->up, memory_order_relaxed);
}

/* ---- loops ----------------------------------------------------------------------------------- */

/* The threads belong to no loop: the first one tells of them, once a turn. */
static void count_threads(struct loop *loop, void *context)
{
	struct sqlite_loop *sqlite_loop = context;
	const struct sqlite *sqlite = sqlite_of(sqlite_loop);
	size_t all = sqlite->reader_count + 1;
	size_t busy = atomic_load_explicit(&sqlite->busy, memory_order_relaxed);

	db_connections_observe(&sqlite_loop->base, busy, all - busy);
}

static struct db_loop *attach(struct db *db, struct loop *loop)
{
	struct sqlite_loop *sqlite_loop = calloc(1, sizeof(*sqlite_loop));

	if (sqlite_loop == NULL)
		return NULL;
	pthread_mutex_init(&sqlite_loop->gate, NULL);
	if (loop->index == 0)
		loop_on_flush(loop, count_threads, sqlite_loop);
	return &sqlite_loop->base;
}

/* Past the gate no thread touches the loop: it may stop. Jobs that are out stay in the list for release. */
static void detach(struct db_loop *db_loop)
{
	struct sqlite_loop *loop = (struct sqlite_loop *)db_loop;

	pthread_mutex_lock(&loop->gate);
	loop->closed = true;
	pthread_mutex_unlock(&loop->gate);
	for (struct sqlite_job *job = loop->jobs; job != NULL;) {
		struct flow *flow = job->op.flow;

		if (flow == NULL) {
			job = job->loop_next;
			continue;
		}
		/* abandons the job, which may free it and others: look from the start again */
		flow_stop(flow, FAILURE_SHUTDOWN);
		job = loop->jobs;
	}
}

static void free_late(struct loop *loop, struct loop_message *message)
{
	sqlite_job_free(
		(struct sqlite_job *)((char *)message - offsetof(struct sqlite_job, message)));
}

/* What the loop has not taken from its inbox is freed by loop_deinit, which may come after us. */
static void release(struct db_loop *db_loop)
{
	struct sqlite_loop *loop = (struct sqlite_loop *)db_loop;

	stop_threads(sqlite_of(loop));
	while (loop->jobs != NULL) {
		struct sqlite_job *job = loop->jobs;

		settle(job);
		sqlite_job_unlink(job);
		job->message.run = free_late;
		if (!job->posted)
			sqlite_job_free(job);
	}
	pthread_mutex_destroy(&loop->gate);
	free(loop);
}

const struct db_engine_ops sqlite_engine = {
	.name = "sqlite",
	.open = open_sqlite,
	.close = close_sqlite,
	.probe = probe,
	.describe = describe,
	.is_up = is_up,
	.attach = attach,
	.detach = detach,
	.release = release,
	.query = query,
	.begin = begin,
	.commit = commit,
	.rollback = rollback,
	.hold_release = hold_release,
};
